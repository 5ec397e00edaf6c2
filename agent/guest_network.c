/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/external_events.h"
#include "agent/guest.h"
#include "agent/guest_config.h"
#include "agent/host_setup.h"
#include "agent/lanes.h"
#include "agent/network.h"
#include "base/conf.h"
#include "base/log.h"
#include "objects/network_model.h"
#include "rpc/exception.h"
#include "virt/domain_xml.h"
#include "virt/error.h"
#include "virt/vif.h"

#define LOGGER "nova.virt.libvirt.vif"

static VirtVif vif_for_host(const Guest *guest, const NovaVif *vif)
{
    const NdConfig *config = guest->agent->config;
    NdJson *meta = vif->network ? vif->network->meta : NULL;
    return (VirtVif){
        .type = vif->type,
        .vif_id = vif->id,
        .mac = vif->address,
        .dev_name = vif->devname,
        .bridge = vif->network ? vif->network->bridge : NULL,
        .mtu = nova_vif_mtu(vif),
        .hybrid_plug = nova_vif_is_hybrid_plug(vif),
        .instance_uuid = guest->instance->uuid,
        .ovs = {.connection = nd_config_string(config, "os_vif_ovs", "ovsdb_connection"),
                .timeout_s = (unsigned)CLAMP(nd_config_int(config, "os_vif_ovs", "ovs_vsctl_timeout"), 0, G_MAXINT16),
                .isolate = nd_config_bool(config, "os_vif_ovs", "isolate_vif")},
        .ovs_mtu = (int)nd_config_int(config, "os_vif_ovs", "network_device_mtu"),
        .create_bridge = nd_json_bool(meta, "should_create_bridge", false),
        .bridge_interface = nd_json_string(meta, "bridge_interface", NULL),
        .multi_host = nd_json_bool(meta, "multi_host", false),
    };
}

bool guest_plug_interfaces(Guest *guest, GError **error)
{
    for (guint i = 0; i < guest->interfaces->len; i++) {
        VirtVif vif = vif_for_host(guest, g_ptr_array_index(guest->interfaces, i));
        if (!virt_vif_plug(&vif, error)) {
            g_prefix_error(error, "plug interface '%s': ", vif.vif_id);
            return false;
        }
    }
    return true;
}

void guest_unplug_interfaces(Guest *guest)
{
    for (guint i = 0; i < guest->interfaces->len; i++) {
        VirtVif vif = vif_for_host(guest, g_ptr_array_index(guest->interfaces, i));
        g_autoptr(GError) error = NULL;
        if (!virt_vif_unplug(&vif, &error))
            nd_warning(LOGGER, "interface '%s' cannot be unplugged: %s", vif.vif_id, error->message);
    }
}

/* Ports whose network-vif-plugged is still to come: not active yet, and plugged by this host (driver.py, _get_neutron_events). */
static char **ports_to_wait_for(const Guest *guest)
{
    g_autoptr(GStrvBuilder) ports = g_strv_builder_new();
    for (guint i = 0; i < guest->interfaces->len; i++) {
        const NovaVif *vif = g_ptr_array_index(guest->interfaces, i);
        if (!vif->active && g_strcmp0(vif->vnic_type, "remote-managed") != 0)
            g_strv_builder_add(ports, vif->id);
    }
    return g_strv_builder_end(ports);
}

/* False only if the events did not come and that is fatal. */
static bool wait_for_ports(Guest *guest, AgentEventWaiter *waiter, int timeout_s, GError **error)
{
    g_autoptr(GError) failure = NULL;
    agent_lanes_wait_begin(guest->agent->lanes);
    bool came = agent_events_wait(waiter, timeout_s * G_USEC_PER_SEC, &failure);
    agent_lanes_wait_end(guest->agent->lanes);
    if (came)
        return true;
    if (g_error_matches(failure, AGENT_ERROR, AGENT_ERROR_STOPPING)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    nd_warning("nova.virt.libvirt.driver", "waiting for network-vif-plugged failed (vm_state %s, task_state %s): %s", guest->instance->vm_state,
               guest->instance->task_state ? guest->instance->task_state : "None", failure->message);
    if (!nd_config_bool(guest->agent->config, "DEFAULT", "vif_plugging_is_fatal"))
        return true;
    nova_exception_set(error, NOVA_EXC_VIRTUAL_INTERFACE_CREATE_EXCEPTION, NULL);
    return false;
}

bool guest_start_and_wait(Guest *guest, bool wait_for_events, GError **error)
{
    int timeout_s = (int)nd_config_int(guest->agent->config, "DEFAULT", "vif_plugging_timeout");
    const char *uuid = guest->instance->uuid;
    g_auto(GStrv) ports = ports_to_wait_for(guest);
    if (!wait_for_events || timeout_s <= 0 || ports[0] == NULL)
        return virt_domain_start(guest->agent->virt, uuid, false, error);

    /* The guest is held until its network is there, so that its first DHCP request is not lost. */
    g_autoptr(AgentEventWaiter) waiter =
        agent_events_expect(guest->agent->events, uuid, "network-vif-plugged", (const char *const *)ports);
    return virt_domain_start(guest->agent->virt, uuid, true, error) && wait_for_ports(guest, waiter, timeout_s, error) &&
           virt_domain_resume(guest->agent->virt, uuid, error);
}

/* The ports listed in the domain's metadata follow what is attached. */
static void rewrite_metadata(Guest *guest, const GPtrArray *interfaces)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GuestHost) host = agent_guest_host(guest->agent);
    VirtMetadata *metadata = guest_config_metadata(host, guest->instance, interfaces, g_get_real_time() / G_USEC_PER_SEC);
    g_autofree char *xml = virt_metadata_xml(metadata, &error);
    if (xml == NULL || !virt_domain_set_metadata(guest->agent->virt, guest->instance->uuid, xml, &error))
        nd_warning("nova.virt.libvirt.driver", "the domain's metadata cannot be updated: %s", error->message);
    virt_metadata_free(metadata);
}

bool guest_attach_interface(Guest *guest, NdJson *vif_json, GError **error)
{
    g_autoptr(NovaVif) vif = nova_vif_from_json(vif_json, error);
    if (vif == NULL)
        return false;
    VirtVif host_vif = vif_for_host(guest, vif);
    if (!virt_vif_plug(&host_vif, error))
        return false;
    g_autoptr(GuestHost) host = agent_guest_host(guest->agent);
    g_autoptr(VirtInterface) interface = guest_config_interface(host, guest->instance, guest->image, vif, error);
    g_autofree char *xml = interface ? virt_interface_xml(interface, error) : NULL;
    if (xml == NULL || !virt_domain_attach_device(guest->agent->virt, guest->instance->uuid, xml, error)) {
        virt_vif_unplug(&host_vif, NULL);
        return false;
    }
    g_autoptr(GPtrArray) interfaces = nova_network_info_clone(guest->interfaces);
    if (nova_network_info_find(interfaces, vif->id) == NULL)
        g_ptr_array_add(interfaces, g_steal_pointer(&vif));
    rewrite_metadata(guest, interfaces);
    return true;
}

bool guest_detach_interface(Guest *guest, NdJson *vif_json, GError **error)
{
    g_autoptr(NovaVif) vif = nova_vif_from_json(vif_json, error);
    if (vif == NULL)
        return false;
    VirtVif host_vif = vif_for_host(guest, vif);
    VirtDeviceMatch match = {.element = "interface", .mac = vif->address};
    VirtDetachOptions options = {
        .attempts = (int)nd_config_int(guest->agent->config, "libvirt", "device_detach_attempts"),
        .timeout_s = (int)nd_config_int(guest->agent->config, "libvirt", "device_detach_timeout"),
    };
    g_autoptr(GError) failure = NULL;
    bool done = virt_domain_detach_device(guest->agent->virt, guest->instance->uuid, &match, &options, guest->cancellable, &failure);
    /* A device or a domain that is gone already is what was wanted. */
    if (!done && !g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_DEVICE_NOT_FOUND) && !virt_error_is_no_domain(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    virt_vif_unplug(&host_vif, NULL);
    if (done) {
        g_autoptr(GPtrArray) interfaces = nova_network_info_clone(guest->interfaces);
        NovaVif *gone = nova_network_info_find(interfaces, vif->id);
        if (gone)
            g_ptr_array_remove(interfaces, gone);
        rewrite_metadata(guest, interfaces);
    }
    return true;
}
