/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/domain.h"
#include "virt/domain_private.h"
#include "virt/error.h"

#define NOVA_METADATA_NAMESPACE "http://openstack.org/xmlns/libvirt/nova/1.1"

static const struct {
    int libvirt;
    VirtPowerState nova;
} power_states[] = {
    {VIR_DOMAIN_NOSTATE, VIRT_POWER_NOSTATE},     {VIR_DOMAIN_RUNNING, VIRT_POWER_RUNNING},   {VIR_DOMAIN_BLOCKED, VIRT_POWER_RUNNING},
    {VIR_DOMAIN_PAUSED, VIRT_POWER_PAUSED},       {VIR_DOMAIN_SHUTDOWN, VIRT_POWER_SHUTDOWN}, {VIR_DOMAIN_SHUTOFF, VIRT_POWER_SHUTDOWN},
    {VIR_DOMAIN_CRASHED, VIRT_POWER_CRASHED},     {VIR_DOMAIN_PMSUSPENDED, VIRT_POWER_SUSPENDED},
};

VirtPowerState virt_power_state_from_libvirt(int state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(power_states); i++)
        if (power_states[i].libvirt == state)
            return power_states[i].nova;
    return VIRT_POWER_NOSTATE;
}

const char *virt_power_state_name(VirtPowerState state)
{
    static const char *const names[] = {
        [VIRT_POWER_NOSTATE] = "pending",   [VIRT_POWER_RUNNING] = "running", [VIRT_POWER_PAUSED] = "paused",
        [VIRT_POWER_SHUTDOWN] = "shutdown", [VIRT_POWER_CRASHED] = "crashed", [VIRT_POWER_SUSPENDED] = "suspended",
    };
    const char *name = (size_t)state < G_N_ELEMENTS(names) ? names[state] : NULL;
    return name != NULL ? name : "unknown";
}

bool virt_domain_ref_open(VirtDomainRef *ref, VirtConnection *connection, const char *uuid, GError **error)
{
    *ref = (VirtDomainRef){.connection = connection};
    ref->handle = virt_connection_acquire(connection, error);
    if (ref->handle == NULL)
        return false;
    ref->domain = virDomainLookupByUUIDString(ref->handle, uuid);
    if (ref->domain != NULL)
        return true;
    virt_error_set_libvirt(error, "look up domain %s", uuid);
    virt_domain_ref_close(ref);
    return false;
}

void virt_domain_ref_close(VirtDomainRef *ref)
{
    if (ref->domain != NULL)
        virDomainFree(g_steal_pointer(&ref->domain));
    if (ref->handle != NULL)
        virt_connection_release(ref->connection, g_steal_pointer(&ref->handle));
}

bool virt_domain_ref_state(VirtDomainRef *ref, int *state, GError **error)
{
    if (virDomainGetState(ref->domain, state, NULL, 0) < 0)
        return virt_error_set_libvirt(error, "get state of domain");
    return true;
}

void virt_domain_info_free(VirtDomainInfo *info)
{
    if (info == NULL)
        return;
    g_free(info->uuid);
    g_free(info->name);
    g_free(info);
}

static VirtDomainInfo *read_info(virDomainPtr domain, GError **error)
{
    virDomainInfo raw;
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (virDomainGetInfo(domain, &raw) < 0 || virDomainGetUUIDString(domain, uuid) < 0) {
        virt_error_set_libvirt(error, "get info of domain '%s'", virDomainGetName(domain));
        return NULL;
    }
    VirtDomainInfo *info = g_new0(VirtDomainInfo, 1);
    info->uuid = g_strdup(uuid);
    info->name = g_strdup(virDomainGetName(domain));
    unsigned id = virDomainGetID(domain);
    info->id = id == (unsigned)-1 ? -1 : (int)id;
    virResetLastError(); /* "not running" is no failure of ours */
    info->libvirt_state = raw.state;
    info->power_state = virt_power_state_from_libvirt(raw.state);
    info->max_memory_kib = raw.maxMem;
    info->memory_kib = raw.memory;
    info->vcpus = raw.nrVirtCpu;
    info->cpu_time_ns = raw.cpuTime;
    return info;
}

bool virt_domain_exists(VirtConnection *connection, const char *uuid, bool *exists, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    g_autoptr(GError) local = NULL;
    if (virt_domain_ref_open(&ref, connection, uuid, &local)) {
        *exists = true;
        return true;
    }
    if (virt_error_is_no_domain(local)) {
        *exists = false;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

VirtDomainInfo *virt_domain_get_info(VirtConnection *connection, const char *uuid, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return NULL;
    return read_info(ref.domain, error);
}

GPtrArray *virt_domain_list(VirtConnection *connection, bool active_only, GError **error)
{
    virConnectPtr handle = virt_connection_acquire(connection, error);
    if (handle == NULL)
        return NULL;
    virDomainPtr *domains = NULL;
    unsigned flags = VIR_CONNECT_LIST_DOMAINS_ACTIVE | (active_only ? 0 : VIR_CONNECT_LIST_DOMAINS_INACTIVE);
    int count = virConnectListAllDomains(handle, &domains, flags);
    if (count < 0) {
        virt_error_set_libvirt(error, "list domains");
        virt_connection_release(connection, handle);
        return NULL;
    }
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)virt_domain_info_free);
    for (int i = 0; i < count; i++) {
        VirtDomainInfo *info = read_info(domains[i], NULL); /* one that went away since the listing is left out */
        if (info != NULL)
            g_ptr_array_add(list, info);
        virDomainFree(domains[i]);
    }
    free(domains);
    virt_connection_release(connection, handle);
    return list;
}

char *virt_domain_get_xml(VirtConnection *connection, const char *uuid, VirtXmlFlags flags, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return NULL;
    unsigned raw = ((flags & VIRT_XML_INACTIVE) ? VIR_DOMAIN_XML_INACTIVE : 0) | ((flags & VIRT_XML_SECURE) ? VIR_DOMAIN_XML_SECURE : 0) |
        ((flags & VIRT_XML_MIGRATABLE) ? VIR_DOMAIN_XML_MIGRATABLE : 0);
    char *xml = virDomainGetXMLDesc(ref.domain, raw); /* malloc; GLib's allocator is malloc since 2.46 */
    if (xml == NULL)
        virt_error_set_libvirt(error, "get XML of domain %s", uuid);
    return xml;
}

bool virt_domain_define(VirtConnection *connection, const char *xml, GError **error)
{
    virConnectPtr handle = virt_connection_acquire(connection, error);
    if (handle == NULL)
        return false;
    virDomainPtr domain = virDomainDefineXML(handle, xml);
    bool defined = domain != NULL;
    if (defined)
        virDomainFree(domain);
    else
        virt_error_set_libvirt(error, "define domain");
    virt_connection_release(connection, handle);
    return defined;
}

/* Most operations are one call that takes the domain and flags, and fails with a negative number. */
typedef int (*DomainCall)(virDomainPtr domain, unsigned flags);

static bool call_domain(VirtConnection *connection, const char *uuid, DomainCall call, unsigned flags, const char *what, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error)) {
        g_prefix_error(error, "%s: ", what);
        return false;
    }
    if (call(ref.domain, flags) < 0)
        return virt_error_set_libvirt(error, "%s %s", what, uuid);
    return true;
}

static int call_suspend(virDomainPtr domain, unsigned flags)
{
    (void)flags;
    return virDomainSuspend(domain);
}

static int call_resume(virDomainPtr domain, unsigned flags)
{
    (void)flags;
    return virDomainResume(domain);
}

static int call_autostart(virDomainPtr domain, unsigned flags)
{
    return virDomainSetAutostart(domain, (int)flags);
}

bool virt_domain_start(VirtConnection *connection, const char *uuid, bool paused, GError **error)
{
    return call_domain(connection, uuid, virDomainCreateWithFlags, paused ? VIR_DOMAIN_START_PAUSED : 0, "start domain", error);
}

bool virt_domain_suspend(VirtConnection *connection, const char *uuid, GError **error)
{
    return call_domain(connection, uuid, call_suspend, 0, "suspend domain", error);
}

bool virt_domain_resume(VirtConnection *connection, const char *uuid, GError **error)
{
    return call_domain(connection, uuid, call_resume, 0, "resume domain", error);
}

bool virt_domain_managed_save(VirtConnection *connection, const char *uuid, GError **error)
{
    return call_domain(connection, uuid, virDomainManagedSave, 0, "save memory of domain", error);
}

bool virt_domain_inject_nmi(VirtConnection *connection, const char *uuid, GError **error)
{
    return call_domain(connection, uuid, virDomainInjectNMI, 0, "inject NMI into domain", error);
}

bool virt_domain_set_autostart(VirtConnection *connection, const char *uuid, bool autostart, GError **error)
{
    return call_domain(connection, uuid, call_autostart, autostart, "set autostart of domain", error);
}

bool virt_domain_has_managed_save(VirtConnection *connection, const char *uuid, bool *has, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    int result = virDomainHasManagedSaveImage(ref.domain, 0);
    if (result < 0)
        return virt_error_set_libvirt(error, "ask for saved memory of domain %s", uuid);
    *has = result > 0;
    return true;
}

void virt_domain_sync_time(VirtConnection *connection, const char *uuid)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, NULL))
        return;
    gint64 now = g_get_real_time();
    virDomainSetTime(ref.domain, now / G_USEC_PER_SEC, (unsigned)(now % G_USEC_PER_SEC) * 1000, 0);
    virResetLastError();
}

/* The stored definition, and the live one where there is one. */
static bool affect_flags(VirtDomainRef *ref, unsigned *flags, GError **error)
{
    int state;
    if (!virt_domain_ref_state(ref, &state, error))
        return false;
    VirtPowerState power = virt_power_state_from_libvirt(state);
    int persistent = virDomainIsPersistent(ref->domain);
    if (persistent < 0)
        return virt_error_set_libvirt(error, "ask whether the domain is persistent");
    *flags = (persistent > 0 ? VIR_DOMAIN_AFFECT_CONFIG : 0) |
        (power == VIRT_POWER_RUNNING || power == VIRT_POWER_PAUSED ? VIR_DOMAIN_AFFECT_LIVE : 0);
    return true;
}

bool virt_domain_set_metadata(VirtConnection *connection, const char *uuid, const char *instance_xml, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    unsigned flags;
    if (!virt_domain_ref_open(&ref, connection, uuid, error) || !affect_flags(&ref, &flags, error))
        return false;
    if (virDomainSetMetadata(ref.domain, VIR_DOMAIN_METADATA_ELEMENT, instance_xml, "instance", NOVA_METADATA_NAMESPACE, flags) < 0)
        return virt_error_set_libvirt(error, "set metadata of domain %s", uuid);
    return true;
}

bool virt_domain_attach_device(VirtConnection *connection, const char *uuid, const char *device_xml, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    unsigned flags;
    if (!virt_domain_ref_open(&ref, connection, uuid, error) || !affect_flags(&ref, &flags, error))
        return false;
    if (virDomainAttachDeviceFlags(ref.domain, device_xml, flags) < 0)
        return virt_error_set_libvirt(error, "attach device to domain %s", uuid);
    return true;
}

bool virt_domain_undefine(VirtConnection *connection, const char *uuid, bool keep_nvram, bool keep_tpm, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    g_autoptr(GError) local = NULL;
    if (!virt_domain_ref_open(&ref, connection, uuid, &local)) {
        if (virt_error_is_no_domain(local))
            return true;
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "undefine domain: ");
        return false;
    }
    unsigned flags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | (keep_nvram ? VIR_DOMAIN_UNDEFINE_KEEP_NVRAM : VIR_DOMAIN_UNDEFINE_NVRAM);
#if LIBVIR_CHECK_VERSION(8, 9, 0)
    unsigned long libvirt = 0;
    if (keep_tpm && virConnectGetLibVersion(ref.handle, &libvirt) == 0 && libvirt >= 8009000)
        flags |= VIR_DOMAIN_UNDEFINE_KEEP_TPM;
#endif
    if (virDomainUndefineFlags(ref.domain, flags) == 0)
        return true;
    virt_error_set_libvirt(&local, "undefine domain %s", uuid);
    if (virt_error_is_no_domain(local))
        return true;
    /* A driver that does not know the flags (upstream guest.py delete_configuration falls back the same way). */
    if (!keep_nvram && !keep_tpm && virDomainUndefine(ref.domain) == 0)
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}
