/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/domain_reader.h"

#include "base/xml.h"
#include "virt/domain_reader_private.h"
#include "virt/domain_xml_private.h"

#include <string.h>
#include <time.h>

unsigned virt_read_unsigned(xmlNode *node, const char *expression)
{
    guint64 value = 0;
    return nd_xpath_uint(node, expression, &value) && value <= G_MAXUINT ? (unsigned) value : 0;
}

gint64 virt_read_integer(xmlNode *node, const char *expression, gint64 fallback)
{
    gint64 value;
    return nd_xpath_int(node, expression, &value) ? value : fallback;
}

/* memory/@unit: libvirt answers in KiB, others may be written. */
static guint64 read_memory(xmlNode *domain)
{
    static const struct {
        const char *unit;
        guint64 bytes;
    } units[] = {
        { "KiB", 1024 }, { "k", 1024 },           { "b", 1 },          { "bytes", 1 },           { "KB", 1000 },          { "M", 1 << 20 },
        { "MiB", 1 << 20 }, { "MB", 1000 * 1000 }, { "G", 1 << 30 }, { "GiB", 1 << 30 }, { "GB", 1000 * 1000 * 1000 },
    };
    guint64 value = 0;
    if (!nd_xpath_uint(domain, "memory", &value)) {
        return 0;
    }
    g_autofree char *unit = nd_xpath_string(domain, "memory/@unit");
    for (size_t i = 0; unit != NULL && i < G_N_ELEMENTS(units); i++) {
        if (strcmp(units[i].unit, unit) == 0) {
            return value <= G_MAXUINT64 / units[i].bytes ? value * units[i].bytes / 1024 : 0;
        }
    }
    return value;
}

static void read_memory_backing(xmlNode *domain, VirtMemoryBacking *backing)
{
    backing->locked = nd_xpath_exists(domain, "memoryBacking/locked");
    backing->no_share_pages = nd_xpath_exists(domain, "memoryBacking/nosharepages");
    backing->source_file = nd_xpath_exists(domain, "memoryBacking/source[@type='file']");
    backing->access_shared = nd_xpath_exists(domain, "memoryBacking/access[@mode='shared']");
    backing->allocation_immediate = nd_xpath_exists(domain, "memoryBacking/allocation[@mode='immediate']");
    backing->discard = nd_xpath_exists(domain, "memoryBacking/discard");
}

/* --- nova's metadata --- */

static gint64 read_time(xmlNode *instance)
{
    g_autofree char *text = nd_xpath_string(instance, "nova:creationTime");
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", " ", 2);
    if (g_strv_length(parts) != 2) {
        return 0;
    }
    g_autofree char *iso = g_strdup_printf("%sT%sZ", parts[0], parts[1]);
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(iso, NULL);
    return when != NULL ? g_date_time_to_unix(when) : 0;
}

static void read_ports(xmlNode *instance, VirtMetadata *metadata)
{
    g_autoptr(GPtrArray) ports = nd_xpath_nodes(instance, "nova:ports/nova:port");
    for (guint i = 0; i < ports->len; i++) {
        g_autofree char *uuid = nd_xml_node_attr(ports->pdata[i], "uuid");
        VirtMetadataPort *port = virt_metadata_add_port(metadata, uuid);
        g_autoptr(GPtrArray) ips = nd_xpath_nodes(ports->pdata[i], "nova:ip");
        for (guint j = 0; j < ips->len; j++) {
            g_autofree char *type = nd_xml_node_attr(ips->pdata[j], "type");
            g_autofree char *address = nd_xml_node_attr(ips->pdata[j], "address");
            virt_metadata_port_add_ip(port, type, address, (int) virt_read_unsigned(ips->pdata[j], "@ipVersion"));
        }
    }
}

static VirtMetadata *read_metadata(xmlNode *domain)
{
    xmlNode *instance = nd_xpath_node(domain, "metadata/nova:instance");
    if (instance == NULL) {
        return NULL;
    }
    VirtMetadata *metadata = virt_metadata_new();
    const struct {
        char **text;
        const char *path;
    } texts[] = {
        { &metadata->package, "nova:package/@version" },     { &metadata->name, "nova:name" },
        { &metadata->flavor_name, "nova:flavor/@name" },     { &metadata->user_name, "nova:owner/nova:user" },
        { &metadata->user_id, "nova:owner/nova:user/@uuid" }, { &metadata->project_name, "nova:owner/nova:project" },
        { &metadata->project_id, "nova:owner/nova:project/@uuid" }, { &metadata->root_type, "nova:root/@type" },
        { &metadata->root_uuid, "nova:root/@uuid" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        *texts[i].text = nd_xpath_string(instance, texts[i].path);
    }
    metadata->creation_time = read_time(instance);
    metadata->flavor_memory_mib = virt_read_integer(instance, "nova:flavor/nova:memory", 0);
    metadata->flavor_disk_gib = virt_read_integer(instance, "nova:flavor/nova:disk", 0);
    metadata->flavor_swap_mib = virt_read_integer(instance, "nova:flavor/nova:swap", 0);
    metadata->flavor_ephemeral_gib = virt_read_integer(instance, "nova:flavor/nova:ephemeral", 0);
    metadata->flavor_vcpus = virt_read_integer(instance, "nova:flavor/nova:vcpus", 0);
    read_ports(instance, metadata);
    return metadata;
}

/* --- os, features, clock, CPU --- */

static void read_strings(GPtrArray *array, xmlNode *node, const char *expression)
{
    g_auto(GStrv) texts = nd_xpath_strings(node, expression);
    for (char **text = texts; *text != NULL; text++) {
        g_ptr_array_add(array, g_strdup(*text));
    }
}

static void read_sysinfo(xmlNode *domain, VirtSysinfo *sysinfo)
{
    const struct {
        char **text;
        const char *name;
    } entries[] = {
        { &sysinfo->manufacturer, "manufacturer" }, { &sysinfo->product, "product" }, { &sysinfo->version, "version" },
        { &sysinfo->serial, "serial" },             { &sysinfo->uuid, "uuid" },       { &sysinfo->family, "family" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_autofree char *path = g_strdup_printf("sysinfo/system/entry[@name='%s']", entries[i].name);
        *entries[i].text = nd_xpath_string(domain, path);
    }
}

static void read_os(xmlNode *domain, VirtOs *os)
{
    const struct {
        char **text;
        const char *path;
    } texts[] = {
        { &os->type, "os/type" },       { &os->arch, "os/type/@arch" },          { &os->machine, "os/type/@machine" }, { &os->kernel, "os/kernel" },
        { &os->initrd, "os/initrd" },   { &os->cmdline, "os/cmdline" },          { &os->loader, "os/loader[text()]" },
        { &os->loader_type, "os/loader/@type" }, { &os->nvram, "os/nvram[text()]" }, { &os->nvram_template, "os/nvram/@template" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        *texts[i].text = nd_xpath_string(domain, texts[i].path);
    }
    os->has_loader_secure = nd_xpath_exists(domain, "os/loader/@secure");
    os->loader_secure = nd_xpath_exists(domain, "os/loader[@secure='yes']");
    os->smbios_sysinfo = nd_xpath_exists(domain, "os/smbios[@mode='sysinfo']");
    os->boot_menu = nd_xpath_exists(domain, "os/bootmenu[@enable='yes']");
    read_strings(os->boot_devices, domain, "os/boot/@dev");
}

/* A feature element without a state is on. */
static VirtState feature_state(xmlNode *domain, const char *name)
{
    g_autofree char *off = g_strdup_printf("features/%s[@state='off']", name);
    g_autofree char *any = g_strdup_printf("features/%s", name);
    return nd_xpath_exists(domain, off) ? VIRT_STATE_OFF : nd_xpath_exists(domain, any) ? VIRT_STATE_ON : VIRT_STATE_ABSENT;
}

static void read_features(xmlNode *domain, VirtFeatures *features)
{
    features->acpi = nd_xpath_exists(domain, "features/acpi");
    features->apic = nd_xpath_exists(domain, "features/apic");
    features->smm = feature_state(domain, "smm") == VIRT_STATE_ON;
    features->vmcoreinfo = feature_state(domain, "vmcoreinfo") == VIRT_STATE_ON;
    features->kvm_hidden = nd_xpath_exists(domain, "features/kvm/hidden[@state='on']");
    features->pmu = feature_state(domain, "pmu");
    features->ioapic_driver = nd_xpath_string(domain, "features/ioapic/@driver");
    features->has_hyperv = nd_xpath_exists(domain, "features/hyperv");
    for (size_t i = 0; i < virt_hyperv_n_names; i++) {
        g_autofree char *path = g_strdup_printf("features/hyperv/%s[@state='on']", virt_hyperv_names[i].element);
        features->hyperv |= nd_xpath_exists(domain, path) ? virt_hyperv_names[i].bit : 0;
    }
    features->hyperv_spinlock_retries = virt_read_unsigned(domain, "features/hyperv/spinlocks/@retries");
    features->hyperv_vendor_id = nd_xpath_string(domain, "features/hyperv/vendor_id[@state='on']/@value");
}

static void read_clock(xmlNode *domain, VirtMachine *machine)
{
    machine->clock_offset = nd_xpath_string(domain, "clock/@offset");
    g_autoptr(GPtrArray) timers = nd_xpath_nodes(domain, "clock/timer");
    for (guint i = 0; i < timers->len; i++) {
        g_autofree char *name = nd_xml_node_attr(timers->pdata[i], "name");
        g_autofree char *policy = nd_xml_node_attr(timers->pdata[i], "tickpolicy");
        g_autofree char *present = nd_xml_node_attr(timers->pdata[i], "present");
        VirtState state = present == NULL ? VIRT_STATE_ABSENT : strcmp(present, "yes") == 0 ? VIRT_STATE_ON : VIRT_STATE_OFF;
        virt_machine_add_timer(machine, name, policy, state);
    }
}

static VirtCpu *read_cpu(xmlNode *domain)
{
    xmlNode *node = nd_xpath_node(domain, "cpu");
    if (node == NULL) {
        return NULL;
    }
    VirtCpu *cpu = virt_cpu_new();
    cpu->mode = nd_xml_node_attr(node, "mode");
    cpu->match = nd_xml_node_attr(node, "match");
    cpu->model = nd_xpath_string(node, "model");
    cpu->vendor = nd_xpath_string(node, "vendor");
    cpu->sockets = virt_read_unsigned(node, "topology/@sockets");
    cpu->cores = virt_read_unsigned(node, "topology/@cores");
    cpu->threads = virt_read_unsigned(node, "topology/@threads");
    g_autoptr(GPtrArray) features = nd_xpath_nodes(node, "feature");
    for (guint i = 0; i < features->len; i++) {
        g_autofree char *name = nd_xml_node_attr(features->pdata[i], "name");
        g_autofree char *policy = nd_xml_node_attr(features->pdata[i], "policy");
        if (name != NULL) {
            virt_cpu_add_feature(cpu, name, policy);
        }
    }
    return cpu;
}

VirtMachine *virt_domain_read(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = nd_xml_parse(xml, -1, error);
    xmlNode *domain = doc != NULL ? nd_xml_root(doc, "domain", error) : NULL;
    if (domain == NULL) {
        g_prefix_error_literal(error, "reading a domain: ");
        return NULL;
    }
    VirtMachine *machine = virt_machine_new();
    machine->type = nd_xml_node_attr(domain, "type");
    gint64 id = virt_read_integer(domain, "@id", -1);
    machine->id = id >= 0 && id <= G_MAXINT ? (int) id : -1;
    machine->name = nd_xpath_string(domain, "name");
    machine->uuid = nd_xpath_string(domain, "uuid");
    machine->metadata = read_metadata(domain);
    machine->memory_kib = read_memory(domain);
    machine->vcpus = virt_read_unsigned(domain, "vcpu");
    machine->cpuset = nd_xpath_string(domain, "vcpu/@cpuset");
    read_memory_backing(domain, &machine->memory_backing);
    machine->cpu_tune.shares = virt_read_integer(domain, "cputune/shares", VIRT_UNSAID);
    machine->cpu_tune.quota = virt_read_integer(domain, "cputune/quota", VIRT_UNSAID);
    machine->cpu_tune.period = virt_read_integer(domain, "cputune/period", VIRT_UNSAID);
    read_sysinfo(domain, &machine->sysinfo);
    read_os(domain, &machine->os);
    read_features(domain, &machine->features);
    read_clock(domain, machine);
    machine->cpu = read_cpu(domain);
    read_strings(machine->perf_events, domain, "perf/event[@enabled='yes']/@name");
    virt_read_devices(domain, machine);
    return machine;
}
