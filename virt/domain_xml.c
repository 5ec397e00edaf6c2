/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/domain_xml.h"

#include "virt/domain_xml_private.h"
#include "virt/error.h"

static const char *on_off(bool value)
{
    return value ? "on" : "off";
}

static void format_memory_backing(NdXmlElement *domain, const VirtMemoryBacking *backing)
{
    NdXmlElement *element = nd_xml_add(domain, "memoryBacking");
    if (backing->no_share_pages) {
        nd_xml_add(element, "nosharepages");
    }
    if (backing->locked) {
        nd_xml_add(element, "locked");
    }
    if (backing->source_file) {
        nd_xml_add_attrs(element, "source", "type", "file", NULL);
    }
    if (backing->access_shared) {
        nd_xml_add_attrs(element, "access", "mode", "shared", NULL);
    }
    if (backing->allocation_immediate) {
        nd_xml_add_attrs(element, "allocation", "mode", "immediate", NULL);
    }
    if (backing->discard) {
        nd_xml_add(element, "discard");
    }
    nd_xml_drop_if_empty(domain, element);
}

static void format_cpu_tune(NdXmlElement *domain, const VirtCpuTune *tune)
{
    const struct {
        const char *name;
        gint64 value;
    } values[] = { { "shares", tune->shares }, { "quota", tune->quota }, { "period", tune->period } };
    NdXmlElement *element = nd_xml_add(domain, "cputune");
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        if (values[i].value != VIRT_UNSAID) {
            nd_xml_add_textf(element, values[i].name, "%" G_GINT64_FORMAT, values[i].value);
        }
    }
    nd_xml_drop_if_empty(domain, element);
}

static void format_basics(NdXmlElement *domain, const VirtMachine *machine)
{
    nd_xml_add_text(domain, "name", machine->name);
    nd_xml_add_text(domain, "uuid", machine->uuid);
    if (machine->metadata != NULL) {
        nd_xml_adopt(nd_xml_add(domain, "metadata"), virt_format_metadata(machine->metadata));
    }
    nd_xml_add_textf(domain, "memory", "%" G_GUINT64_FORMAT, machine->memory_kib);
    format_memory_backing(domain, &machine->memory_backing);
    NdXmlElement *vcpu = nd_xml_add_textf(domain, "vcpu", "%u", machine->vcpus);
    nd_xml_attr(vcpu, "cpuset", machine->cpuset);
    format_cpu_tune(domain, &machine->cpu_tune);
}

static void format_sysinfo(NdXmlElement *domain, const VirtSysinfo *sysinfo)
{
    const struct {
        const char *name, *value;
    } entries[] = {
        { "manufacturer", sysinfo->manufacturer }, { "product", sysinfo->product }, { "version", sysinfo->version },
        { "serial", sysinfo->serial },             { "uuid", sysinfo->uuid },       { "family", sysinfo->family },
    };
    NdXmlElement *system = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        if (entries[i].value == NULL) {
            continue;
        }
        if (system == NULL) {
            system = nd_xml_add(nd_xml_add_attrs(domain, "sysinfo", "type", "smbios", NULL), "system");
        }
        nd_xml_attr(nd_xml_add_text(system, "entry", entries[i].value), "name", entries[i].name);
    }
}

static void format_loader(NdXmlElement *element, const VirtOs *os)
{
    if (os->loader != NULL || os->loader_type != NULL || os->has_loader_secure) {
        NdXmlElement *loader = nd_xml_add(element, "loader");
        if (os->loader_type != NULL) {
            nd_xml_attr(loader, "readonly", "yes");
        }
        nd_xml_attr(loader, "type", os->loader_type);
        if (os->has_loader_secure) {
            nd_xml_attr_yes_no(loader, "secure", os->loader_secure);
        }
        if (os->loader != NULL) {
            nd_xml_text(loader, os->loader);
        }
    }
    if (os->nvram != NULL || os->nvram_template != NULL) {
        NdXmlElement *nvram = nd_xml_add_attrs(element, "nvram", "template", os->nvram_template, NULL);
        if (os->nvram != NULL) {
            nd_xml_text(nvram, os->nvram);
        }
    }
}

static void format_os(NdXmlElement *domain, const VirtOs *os)
{
    NdXmlElement *element = nd_xml_add(domain, "os");
    NdXmlElement *type = nd_xml_add_text(element, "type", os->type != NULL ? os->type : "hvm");
    nd_xml_attr(type, "arch", os->arch);
    nd_xml_attr(type, "machine", os->machine);
    format_loader(element, os);
    nd_xml_add_text(element, "kernel", os->kernel);
    nd_xml_add_text(element, "initrd", os->initrd);
    nd_xml_add_text(element, "cmdline", os->cmdline);
    for (guint i = 0; i < os->boot_devices->len; i++) {
        nd_xml_add_attrs(element, "boot", "dev", os->boot_devices->pdata[i], NULL);
    }
    if (os->boot_menu) {
        nd_xml_add_attrs(element, "bootmenu", "enable", "yes", NULL);
    }
    if (os->smbios_sysinfo) {
        nd_xml_add_attrs(element, "smbios", "mode", "sysinfo", NULL);
    }
}

const VirtHypervName virt_hyperv_names[] = {
    { VIRT_HYPERV_RELAXED, "relaxed" },
    { VIRT_HYPERV_VAPIC, "vapic" },
    { VIRT_HYPERV_SPINLOCKS, "spinlocks" },
    { VIRT_HYPERV_VPINDEX, "vpindex" },
    { VIRT_HYPERV_RUNTIME, "runtime" },
    { VIRT_HYPERV_SYNIC, "synic" },
    { VIRT_HYPERV_RESET, "reset" },
    { VIRT_HYPERV_FREQUENCIES, "frequencies" },
    { VIRT_HYPERV_REENLIGHTENMENT, "reenlightenment" },
    { VIRT_HYPERV_TLBFLUSH, "tlbflush" },
    { VIRT_HYPERV_IPI, "ipi" },
    { VIRT_HYPERV_EVMCS, "evmcs" },
};
const size_t virt_hyperv_n_names = G_N_ELEMENTS(virt_hyperv_names);

static void format_hyperv(NdXmlElement *parent, const VirtFeatures *features)
{
    NdXmlElement *hyperv = nd_xml_add(parent, "hyperv");
    for (size_t i = 0; i < virt_hyperv_n_names; i++) {
        if ((features->hyperv & virt_hyperv_names[i].bit) == 0) {
            continue;
        }
        NdXmlElement *element = nd_xml_add_attrs(hyperv, virt_hyperv_names[i].element, "state", "on", NULL);
        if (virt_hyperv_names[i].bit == VIRT_HYPERV_SPINLOCKS && features->hyperv_spinlock_retries != 0) {
            nd_xml_attr_int(element, "retries", features->hyperv_spinlock_retries);
        }
    }
    if (features->hyperv_vendor_id != NULL) {
        nd_xml_add_attrs(hyperv, "vendor_id", "state", "on", "value", features->hyperv_vendor_id, NULL);
    }
}

static void format_features(NdXmlElement *domain, const VirtFeatures *features)
{
    const struct {
        const char *name;
        bool on;
    } plain[] = { { "acpi", features->acpi }, { "apic", features->apic }, { "vmcoreinfo", features->vmcoreinfo } };
    NdXmlElement *element = nd_xml_add(domain, "features");
    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
        if (plain[i].on) {
            nd_xml_add(element, plain[i].name);
            }
    }
    if (features->has_hyperv) {
        format_hyperv(element, features);
    }
    if (features->kvm_hidden) {
        nd_xml_add_attrs(nd_xml_add(element, "kvm"), "hidden", "state", "on", NULL);
    }
    if (features->pmu != VIRT_STATE_ABSENT) {
        nd_xml_add_attrs(element, "pmu", "state", on_off(features->pmu == VIRT_STATE_ON), NULL);
    }
    if (features->smm) {
        nd_xml_add_attrs(element, "smm", "state", "on", NULL);
    }
    if (features->ioapic_driver != NULL) {
        nd_xml_add_attrs(element, "ioapic", "driver", features->ioapic_driver, NULL);
    }
    nd_xml_drop_if_empty(domain, element);
}

static int compare_feature(gconstpointer a, gconstpointer b)
{
    const VirtCpuFeature *const *left = a;
    const VirtCpuFeature *const *right = b;
    return g_strcmp0((*left)->name, (*right)->name);
}

static void format_cpu(NdXmlElement *domain, const VirtCpu *cpu)
{
    NdXmlElement *element = nd_xml_add_attrs(domain, "cpu", "mode", cpu->mode, "match", cpu->match, NULL);
    nd_xml_add_text(element, "model", cpu->model);
    nd_xml_add_text(element, "vendor", cpu->vendor);
    if (cpu->sockets != 0) {
        NdXmlElement *topology = nd_xml_add(element, "topology");
        nd_xml_attr_int(topology, "sockets", cpu->sockets);
        nd_xml_attr_int(topology, "cores", cpu->cores);
        nd_xml_attr_int(topology, "threads", cpu->threads);
    }
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(cpu->features, NULL, NULL);
    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, compare_feature);
    for (guint i = 0; i < sorted->len; i++) {
        const VirtCpuFeature *feature = sorted->pdata[i];
        nd_xml_add_attrs(element, "feature", "policy", feature->policy, "name", feature->name, NULL);
    }
}

static void format_clock(NdXmlElement *domain, const VirtMachine *machine)
{
    if (machine->clock_offset == NULL) {
        return;
    }
    NdXmlElement *clock = nd_xml_add_attrs(domain, "clock", "offset", machine->clock_offset, NULL);
    for (guint i = 0; i < machine->timers->len; i++) {
        const VirtTimer *timer = machine->timers->pdata[i];
        NdXmlElement *element = nd_xml_add_attrs(clock, "timer", "name", timer->name, "tickpolicy", timer->tick_policy, NULL);
        if (timer->present != VIRT_STATE_ABSENT) {
            nd_xml_attr_yes_no(element, "present", timer->present == VIRT_STATE_ON);
        }
    }
}

static void format_perf(NdXmlElement *domain, const VirtMachine *machine)
{
    if (machine->perf_events->len == 0) {
        return;
    }
    NdXmlElement *perf = nd_xml_add(domain, "perf");
    for (guint i = 0; i < machine->perf_events->len; i++) {
        nd_xml_add_attrs(perf, "event", "name", machine->perf_events->pdata[i], "enabled", "yes", NULL);
    }
}

char *virt_domain_xml(const VirtMachine *machine, GError **error)
{
    if (machine->type == NULL || machine->name == NULL || machine->uuid == NULL || machine->memory_kib == 0 || machine->vcpus == 0) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "a domain needs a type, a name, a uuid, memory and vCPUs");
        return NULL;
    }
    g_autoptr(NdXmlElement) domain = nd_xml_new("domain");
    nd_xml_attr(domain, "type", machine->type);
    format_basics(domain, machine);
    format_sysinfo(domain, &machine->sysinfo);
    format_os(domain, &machine->os);
    format_features(domain, &machine->features);
    if (machine->cpu != NULL) {
        format_cpu(domain, machine->cpu);
    }
    format_clock(domain, machine);
    NdXmlElement *devices = virt_format_devices(machine, error);
    if (devices == NULL) {
        return NULL;
    }
    nd_xml_adopt(domain, devices);
    format_perf(domain, machine);
    return nd_xml_to_string(domain, error);
}

static char *element_text(NdXmlElement *element, GError **error)
{
    g_autoptr(NdXmlElement) owned = element;
    return owned != NULL ? nd_xml_to_string(owned, error) : NULL;
}

char *virt_disk_xml(const VirtDisk *disk, GError **error)
{
    return element_text(virt_format_disk(disk, error), error);
}

char *virt_interface_xml(const VirtInterface *interface, GError **error)
{
    return element_text(virt_format_interface(interface, error), error);
}

char *virt_metadata_xml(const VirtMetadata *metadata, GError **error)
{
    return element_text(virt_format_metadata(metadata), error);
}
