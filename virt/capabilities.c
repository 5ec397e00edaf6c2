/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/capabilities.h"

#include "base/xml.h"

#include <string.h>

static void machine_free(gpointer data)
{
    VirtCapsMachine *machine = data;
    g_free(machine->name);
    g_free(machine->canonical);
    g_free(machine);
}

static void domain_free(gpointer data)
{
    VirtCapsDomain *domain = data;
    g_free(domain->type);
    g_free(domain->emulator);
    g_ptr_array_unref(domain->machines);
    g_free(domain);
}

static void guest_free(gpointer data)
{
    VirtCapsGuest *guest = data;
    g_free(guest->arch);
    g_free(guest->os_type);
    g_ptr_array_unref(guest->domains);
    g_free(guest);
}

void virt_domain_caps_free(VirtDomainCaps *caps)
{
    if (caps == NULL) {
        return;
    }
    g_free(caps->arch);
    g_free(caps->machine);
    g_free(caps->domain_type);
    g_strfreev(caps->video_models);
    g_strfreev(caps->disk_buses);
    g_free(caps);
}

VirtCapabilities *virt_capabilities_ref(VirtCapabilities *caps)
{
    g_atomic_ref_count_inc(&caps->references);
    return caps;
}

void virt_capabilities_unref(VirtCapabilities *caps)
{
    if (caps == NULL || !g_atomic_ref_count_dec(&caps->references)) {
        return;
    }
    g_free(caps->host_uuid);
    g_free(caps->arch);
    g_free(caps->cpu_model);
    g_free(caps->cpu_vendor);
    g_ptr_array_unref(caps->guests);
    g_ptr_array_unref(caps->domain_caps);
    g_ptr_array_unref(caps->firmwares);
    g_strfreev(caps->cpu_models);
    g_array_unref(caps->online_cpus);
    g_hash_table_unref(caps->model_features);
    g_free(caps);
}

/* --- comparison --- */

/* One word of an outline; with its length, so that no two lists of words look the same. NULL is no empty word. */
static void outline_word(GString *outline, const char *word)
{
    if (word == NULL) {
        g_string_append(outline, "-;");
    } else {
        g_string_append_printf(outline, "%zu:%s;", strlen(word), word);
    }
}

static void outline_words(GString *outline, char **words)
{
    g_string_append_printf(outline, "[%u]", words != NULL ? g_strv_length(words) : 0);
    for (char **word = words; word != NULL && *word != NULL; word++) {
        outline_word(outline, *word);
    }
}

static void outline_guests(GString *outline, const GPtrArray *guests)
{
    for (guint i = 0; i < guests->len; i++) {
        const VirtCapsGuest *guest = guests->pdata[i];
        g_string_append(outline, "\nguest ");
        outline_word(outline, guest->arch);
        outline_word(outline, guest->os_type);
        for (guint j = 0; j < guest->domains->len; j++) {
            const VirtCapsDomain *domain = guest->domains->pdata[j];
            g_string_append(outline, "\ndomain ");
            outline_word(outline, domain->type);
            outline_word(outline, domain->emulator);
            for (guint k = 0; k < domain->machines->len; k++) {
                const VirtCapsMachine *machine = domain->machines->pdata[k];
                outline_word(outline, machine->name);
                outline_word(outline, machine->canonical);
            }
        }
    }
}

static void outline_domain_caps(GString *outline, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const VirtDomainCaps *caps = list->pdata[i];
        g_string_append_printf(outline, "\ncaps %d%d%d ", caps->uefi, caps->secure_boot, caps->sev);
        outline_word(outline, caps->arch);
        outline_word(outline, caps->machine);
        outline_word(outline, caps->domain_type);
        outline_words(outline, caps->video_models);
        outline_words(outline, caps->disk_buses);
    }
}

static void outline_firmwares(GString *outline, const GPtrArray *firmwares)
{
    for (guint i = 0; i < firmwares->len; i++) {
        const VirtFirmware *firmware = firmwares->pdata[i];
        g_string_append_printf(outline, "\nfirmware %d%d ", firmware->secure_boot, firmware->requires_smm);
        outline_word(outline, firmware->executable);
        outline_word(outline, firmware->nvram_template);
        for (guint j = 0; firmware->targets != NULL && j < firmware->targets->len; j++) {
            const VirtFirmwareTarget *target = firmware->targets->pdata[j];
            outline_word(outline, target->arch);
            outline_words(outline, target->machines);
        }
    }
}

static GList *sorted_keys(GHashTable *table)
{
    return g_list_sort(g_hash_table_get_keys(table), (GCompareFunc) strcmp);
}

static void outline_cpus(GString *outline, const VirtCapabilities *caps)
{
    g_string_append(outline, "\nonline");
    for (guint i = 0; i < caps->online_cpus->len; i++) {
        g_string_append_printf(outline, " %d", g_array_index(caps->online_cpus, int, i));
    }
    g_string_append(outline, "\nmodels ");
    outline_words(outline, caps->cpu_models);
    g_autoptr(GList) models = sorted_keys(caps->model_features);
    for (GList *model = models; model != NULL; model = model->next) {
        g_string_append(outline, "\nfeatures ");
        outline_word(outline, model->data);
        g_autoptr(GList) features = sorted_keys(g_hash_table_lookup(caps->model_features, model->data));
        for (GList *feature = features; feature != NULL; feature = feature->next) {
            outline_word(outline, feature->data);
        }
    }
}

/* Everything that guests are made of, as a text. */
static char *outline(const VirtCapabilities *caps)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "libvirt %" G_GINT64_FORMAT " ", caps->libvirt_version);
    outline_word(text, caps->arch);
    outline_guests(text, caps->guests);
    outline_domain_caps(text, caps->domain_caps);
    outline_firmwares(text, caps->firmwares);
    outline_cpus(text, caps);
    return g_string_free(text, FALSE);
}

bool virt_capabilities_equal(const VirtCapabilities *a, const VirtCapabilities *b)
{
    g_autofree char *first = outline(a);
    g_autofree char *second = outline(b);
    return strcmp(first, second) == 0;
}

/* --- <capabilities> --- */

static GPtrArray *read_machines(xmlNode *node)
{
    GPtrArray *machines = g_ptr_array_new_with_free_func(machine_free);
    g_autoptr(GPtrArray) nodes = nd_xpath_nodes(node, "machine");
    for (guint i = 0; i < nodes->len; i++) {
        VirtCapsMachine *machine = g_new0(VirtCapsMachine, 1);
        machine->name = nd_xpath_string(nodes->pdata[i], "text()");
        machine->canonical = nd_xml_node_attr(nodes->pdata[i], "canonical");
        if (machine->name == NULL) {
            machine_free(machine);
            continue;
        }
        g_ptr_array_add(machines, machine);
    }
    return machines;
}

/* A <domain> without children has its emulator and machines beside it, under <arch>. */
static VirtCapsDomain *read_domain(xmlNode *node, xmlNode *arch)
{
    xmlNode *data = nd_xpath_exists(node, "*") ? node : arch;
    VirtCapsDomain *domain = g_new0(VirtCapsDomain, 1);
    domain->type = nd_xml_node_attr(node, "type");
    domain->emulator = nd_xpath_string(data, "emulator");
    domain->machines = read_machines(data);
    return domain;
}

static VirtCapsGuest *read_guest(xmlNode *node)
{
    VirtCapsGuest *guest = g_new0(VirtCapsGuest, 1);
    guest->arch = nd_xpath_string(node, "arch/@name");
    guest->os_type = nd_xpath_string(node, "os_type");
    guest->domains = g_ptr_array_new_with_free_func(domain_free);
    xmlNode *arch = nd_xpath_node(node, "arch");
    g_autoptr(GPtrArray) nodes = nd_xpath_nodes(node, "arch/domain");
    for (guint i = 0; i < nodes->len; i++) {
        g_ptr_array_add(guest->domains, read_domain(nodes->pdata[i], arch));
    }
    return guest;
}

VirtCapabilities *virt_capabilities_read(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = nd_xml_parse(xml, -1, error);
    xmlNode *root = doc != NULL ? nd_xml_root(doc, "capabilities", error) : NULL;
    if (root == NULL) {
        g_prefix_error_literal(error, "reading libvirt's capabilities: ");
        return NULL;
    }
    VirtCapabilities *caps = g_new0(VirtCapabilities, 1);
    g_atomic_ref_count_init(&caps->references);
    caps->host_uuid = nd_xpath_string(root, "host/uuid");
    caps->arch = nd_xpath_string(root, "host/cpu/arch");
    caps->cpu_model = nd_xpath_string(root, "host/cpu/model");
    caps->cpu_vendor = nd_xpath_string(root, "host/cpu/vendor");
    caps->guests = g_ptr_array_new_with_free_func(guest_free);
    caps->domain_caps = g_ptr_array_new_with_free_func((GDestroyNotify) virt_domain_caps_free);
    caps->firmwares = g_ptr_array_new_with_free_func((GDestroyNotify) virt_firmware_free);
    caps->cpu_models = g_new0(char *, 1);
    caps->online_cpus = g_array_new(FALSE, FALSE, sizeof(int));
    caps->model_features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
    g_autoptr(GPtrArray) nodes = nd_xpath_nodes(root, "guest");
    for (guint i = 0; i < nodes->len; i++) {
        g_ptr_array_add(caps->guests, read_guest(nodes->pdata[i]));
    }
    return caps;
}

VirtDomainCaps *virt_domain_caps_read(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = nd_xml_parse(xml, -1, error);
    xmlNode *root = doc != NULL ? nd_xml_root(doc, "domainCapabilities", error) : NULL;
    if (root == NULL) {
        g_prefix_error_literal(error, "reading libvirt's domain capabilities: ");
        return NULL;
    }
    VirtDomainCaps *caps = g_new0(VirtDomainCaps, 1);
    caps->arch = nd_xpath_string(root, "arch");
    caps->machine = nd_xpath_string(root, "machine");
    caps->domain_type = nd_xpath_string(root, "domain");
    caps->uefi = nd_xpath_exists(root, "os/loader/enum[@name='type']/value[.='pflash']");
    caps->secure_boot = nd_xpath_exists(root, "os/loader/enum[@name='secure']/value[.='yes']");
    caps->sev = nd_xpath_exists(root, "features/sev[@supported='yes']");
    caps->video_models = nd_xpath_strings(root, "devices/video/enum[@name='modelType']/value");
    caps->disk_buses = nd_xpath_strings(root, "devices/disk/enum[@name='bus']/value");
    return caps;
}

/* --- questions --- */

bool virt_capabilities_has_machine(const VirtCapabilities *caps, const char *machine)
{
    g_autoptr(GPtrArray) machines = virt_capabilities_machines(caps);
    return g_ptr_array_find_with_equal_func(machines, machine, g_str_equal, NULL);
}

GPtrArray *virt_capabilities_machines(const VirtCapabilities *caps)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < caps->guests->len; i++) {
        const VirtCapsGuest *guest = caps->guests->pdata[i];
        for (guint j = 0; j < guest->domains->len; j++) {
            const VirtCapsDomain *domain = guest->domains->pdata[j];
            for (guint k = 0; k < domain->machines->len; k++) {
                const VirtCapsMachine *machine = domain->machines->pdata[k];
                if (!g_ptr_array_find_with_equal_func(names, machine->name, g_str_equal, NULL)) {
                    g_ptr_array_add(names, machine->name);
                }
            }
        }
    }
    return names;
}

const char *virt_capabilities_canonical_machine(const VirtCapabilities *caps, const char *arch, const char *machine)
{
    for (guint i = 0; i < caps->guests->len; i++) {
        const VirtCapsGuest *guest = caps->guests->pdata[i];
        if (g_strcmp0(guest->arch, arch) != 0) {
            continue;
        }
        for (guint j = 0; j < guest->domains->len; j++) {
            const VirtCapsDomain *domain = guest->domains->pdata[j];
            for (guint k = 0; k < domain->machines->len; k++) {
                const VirtCapsMachine *known = domain->machines->pdata[k];
                if (strcmp(known->name, machine) == 0) {
                    return known->canonical != NULL ? known->canonical : known->name;
                }
            }
        }
    }
    return NULL;
}

const VirtCapsDomain *virt_capabilities_domain(const VirtCapabilities *caps, const char *arch, const char *type)
{
    const VirtCapsDomain *first = NULL;
    for (guint i = 0; i < caps->guests->len; i++) {
        const VirtCapsGuest *guest = caps->guests->pdata[i];
        if (g_strcmp0(guest->arch, arch) != 0) {
            continue;
        }
        for (guint j = 0; j < guest->domains->len; j++) {
            const VirtCapsDomain *domain = guest->domains->pdata[j];
            if (g_strcmp0(domain->type, type) == 0) {
                return domain;
            }
            first = first != NULL ? first : domain;
        }
    }
    return first;
}

bool virt_capabilities_uefi(const VirtCapabilities *caps)
{
    for (guint i = 0; i < caps->domain_caps->len; i++) {
        const VirtDomainCaps *domain = caps->domain_caps->pdata[i];
        if (domain->uefi) {
            return true;
        }
    }
    return false;
}

bool virt_capabilities_secure_boot(const VirtCapabilities *caps)
{
    for (guint i = 0; i < caps->domain_caps->len; i++) {
        const VirtDomainCaps *domain = caps->domain_caps->pdata[i];
        if (domain->secure_boot) {
            return true;
        }
    }
    return false;
}

const char *virt_capabilities_cpu_model(const VirtCapabilities *caps, const char *name)
{
    for (char **model = caps->cpu_models; *model != NULL; model++) {
        if (g_ascii_strcasecmp(*model, name) == 0) {
            return *model;
        }
    }
    return NULL;
}
