/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/capabilities.h"
#include "virt/error.h"
#include "virt/host_private.h"

#include <stdlib.h>
#include <string.h>

/* Adds what libvirt says of one machine type; one that it does not know is no failure. */
static void query_machine(VirtCapabilities *caps, virConnectPtr handle, const VirtCapsDomain *domain, const char *machine, const char *domain_type)
{
    char *xml = virConnectGetDomainCapabilities(handle, domain->emulator, caps->arch, machine, domain_type, 0);
    if (xml == NULL) {
        return;
    }
    VirtDomainCaps *found = virt_domain_caps_read(xml, NULL);
    free(xml);
    if (found != NULL) {
        g_ptr_array_add(caps->domain_caps, found);
    }
}

static void query_domain_caps(VirtCapabilities *caps, virConnectPtr handle, const char *domain_type, const char *const *hw_machine_type)
{
    const VirtCapsDomain *domain = virt_capabilities_domain(caps, caps->arch, domain_type);
    if (domain == NULL) {
        return;
    }
    for (guint i = 0; i < domain->machines->len; i++) {
        const VirtCapsMachine *machine = domain->machines->pdata[i];
        if (machine->canonical != NULL) {
            query_machine(caps, handle, domain, machine->name, domain_type);
        }
    }
    for (const char *const *entry = hw_machine_type; entry != NULL && *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals != NULL && strncmp(*entry, caps->arch, (size_t) (equals - *entry)) == 0 && caps->arch[equals - *entry] == '\0') {
            query_machine(caps, handle, domain, equals + 1, domain_type);
        }
    }
}

static void query_cpu_models(VirtCapabilities *caps, virConnectPtr handle)
{
    char **models = NULL;
    int count = virConnectGetCPUModelNames(handle, caps->arch, &models, 0);
    g_autoptr(GPtrArray) copies = g_ptr_array_new();
    for (int i = 0; i < count; i++) {
        g_ptr_array_add(copies, g_strdup(models[i]));
        free(models[i]);
    }
    if (count >= 0) {
        free(models);
    }
    g_ptr_array_add(copies, NULL);
    g_strfreev(caps->cpu_models);
    caps->cpu_models = (char **) g_ptr_array_free(g_steal_pointer(&copies), FALSE);
}

static bool query_online_cpus(VirtCapabilities *caps, virConnectPtr handle, GError **error)
{
    unsigned char *map = NULL;
    unsigned online = 0;
    int count = virNodeGetCPUMap(handle, &map, &online, 0);
    if (count < 0) {
        return virt_error_set_libvirt(error, "getting the host's CPU map");
    }
    for (int i = 0; i < count; i++) {
        if (VIR_CPU_USED(map, i)) {
            g_array_append_val(caps->online_cpus, i);
        }
    }
    free(map);
    return true;
}

/* What each model stands for; names are taken in any letter case, unknown ones left out. */
static bool query_model_features(VirtCapabilities *caps, virConnectPtr handle, const char *const *cpu_models, GError **error)
{
    for (const char *const *wanted = cpu_models; wanted != NULL && *wanted != NULL; wanted++) {
        const char *model = virt_capabilities_cpu_model(caps, *wanted);
        if (model == NULL) {
            continue;
        }
        VirtHostCpu host = { .arch = caps->arch };
        g_autoptr(GHashTable) features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        if (!virt_host_cpu_model_features(handle, &host, model, features, error)) {
            return false;
        }
        g_hash_table_replace(caps->model_features, g_strdup(model), g_steal_pointer(&features));
    }
    return true;
}

VirtCapabilities *virt_capabilities_query(virConnectPtr handle, const char *domain_type, const char *const *hw_machine_type,
    const char *const *cpu_models, GError **error)
{
    char *xml = virConnectGetCapabilities(handle);
    if (xml == NULL) {
        virt_error_set_libvirt(error, "getting the host's capabilities");
        return NULL;
    }
    g_autoptr(VirtCapabilities) caps = virt_capabilities_read(xml, error);
    free(xml);
    if (caps == NULL) {
        return NULL;
    }
    if (caps->arch == NULL) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_NOT_SUPPORTED, "libvirt does not name the host's architecture");
        return NULL;
    }
    unsigned long version = 0;
    if (virConnectGetLibVersion(handle, &version) < 0) {
        virt_error_set_libvirt(error, "getting libvirt's version");
        return NULL;
    }
    caps->libvirt_version = (gint64) version;
    if (!query_online_cpus(caps, handle, error)) {
        return NULL;
    }
    query_cpu_models(caps, handle);
    if (!query_model_features(caps, handle, cpu_models, error)) {
        return NULL;
    }
    query_domain_caps(caps, handle, domain_type, hw_machine_type);
    g_ptr_array_unref(caps->firmwares);
    caps->firmwares = virt_firmware_load(virt_firmware_folders);
    return g_steal_pointer(&caps);
}
