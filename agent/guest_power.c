/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"
#include "agent/guest_internal.h"
#include "agent/serial_ports.h"
#include "base/conf.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/disk.h"
#include "virt/error.h"

#define LOGGER "nova.virt.libvirt.driver"

VirtPowerState guest_power_state(Agent *agent, const NovaInstance *instance, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(VirtDomainInfo) info = virt_domain_get_info(agent->virt, instance->uuid, &failure);
    if (info)
        return info->power_state;
    if (!virt_error_is_no_domain(failure))
        g_propagate_error(error, g_steal_pointer(&failure));
    return VIRT_POWER_NOSTATE;
}

int guest_shutdown_timeout(Agent *agent, const NovaInstance *instance, bool clean)
{
    if (!clean)
        return 0;
    const char *own = nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "image_os_shutdown_timeout");
    gint64 seconds;
    if (own && g_ascii_string_to_signed(own, 10, 0, G_MAXINT, &seconds, NULL))
        return (int)seconds;
    return (int)nd_config_int(agent->config, "DEFAULT", "shutdown_timeout");
}

bool guest_power_off(Agent *agent, const NovaInstance *instance, int timeout_s, int retry_interval_s, GCancellable *cancellable, GError **error)
{
    bool clean = false;
    if (timeout_s > 0) {
        g_autoptr(GError) failure = NULL;
        if (!virt_domain_shutdown(agent->virt, instance->uuid, timeout_s, retry_interval_s, cancellable, &clean, &failure)) {
            if (virt_error_is_no_domain(failure)) {
                nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", instance->uuid, NULL);
                return false;
            }
            if (g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_CANCELLED)) {
                g_propagate_error(error, g_steal_pointer(&failure));
                return false;
            }
            nd_warning(LOGGER, "the guest cannot be asked to shut down: %s", failure->message);
        }
        if (clean)
            nd_info(LOGGER, "Instance shutdown successfully.");
        else
            nd_info(LOGGER, "Instance failed to shutdown in %d seconds.", timeout_s);
    }
    serial_ports_release_domain(agent, instance->uuid);
    return virt_domain_destroy(agent->virt, instance->uuid, error);
}

bool guest_hard_reboot(Guest *guest, GError **error)
{
    if (!guest_destroy(guest, false, error))
        return false;
    const char *instances_path = nd_config_string(guest->agent->config, "DEFAULT", "instances_path");
    if (!virt_disk_directory_create(instances_path, guest->instance->uuid, error) || !guest_restore_backing(guest, error))
        return false;
    const char *const *wait_for =
        nd_config_list(guest->agent->config, "workarounds", "wait_for_vif_plugged_event_during_hard_reboot");
    return guest_define(guest, error) && guest_start_and_wait(guest, wait_for[0] != NULL, error);
}

bool guest_power_on(Guest *guest, GError **error)
{
    /* Upstream makes the guest anew as well: hosts may have changed since it was stopped. */
    return guest_hard_reboot(guest, error);
}

bool guest_soft_reboot(Guest *guest, bool *done, GError **error)
{
    Agent *agent = guest->agent;
    *done = false;
    g_autoptr(VirtDomainInfo) before = virt_domain_get_info(agent->virt, guest->instance->uuid, error);
    if (before == NULL)
        return false;
    int timeout_s = (int)nd_config_int(agent->config, "libvirt", "wait_soft_reboot_seconds");
    bool down = false;
    if (!virt_domain_shutdown(agent->virt, guest->instance->uuid, timeout_s, timeout_s, guest->cancellable, &down, error))
        return false;
    if (!down)
        return true;
    nd_info(LOGGER, "Instance shutdown successfully.");
    if (!virt_domain_start(agent->virt, guest->instance->uuid, false, error))
        return false;
    *done = true;
    return true;
}

bool guest_resume_saved(Guest *guest, GError **error)
{
    /* Upstream defines the guest from its own present XML; the managed save image belongs to that definition. */
    if (!guest_plug_interfaces(guest, error) || !virt_domain_start(guest->agent->virt, guest->instance->uuid, false, error))
        return false;
    virt_domain_sync_time(guest->agent->virt, guest->instance->uuid);
    return true;
}
