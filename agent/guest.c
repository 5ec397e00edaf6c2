/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"

#include "agent/instance_load.h"
#include "agent/network.h"
#include "objects/network_model.h"
#include "rpc/conductor.h"

static bool find_image(Guest *guest, const GuestParts *parts, GError **error)
{
    if (parts && parts->image)
        guest->image = nova_image_meta_ref(parts->image);
    else
        guest->image = nova_image_meta_from_instance(guest->instance, error);
    return guest->image != NULL;
}

static bool find_interfaces(Guest *guest, const GuestParts *parts, GError **error)
{
    guest->vifs = parts && parts->vifs ? json_object_get(parts->vifs) : network_cached(guest->instance);
    g_autofree char *text = nd_json_to_string(guest->vifs);
    guest->interfaces = nova_network_info_from_text(text, error);
    return guest->interfaces != NULL;
}

static bool find_disks(Guest *guest, const GuestParts *parts, GError **error)
{
    guest->mappings = parts && parts->mappings
                          ? nova_block_device_mapping_list_ref(parts->mappings)
                          : conductor_bdm_list(guest->agent->conductor, guest->context, guest->instance->uuid, error);
    if (guest->mappings == NULL)
        return false;
    guest->rescue = parts ? parts->rescue : NULL;
    /* A rescue of the old kind has no other disk than the root. */
    bool plain_rescue = guest->rescue && guest->rescue->image == NULL;
    GuestBlockDevices *devices =
        plain_rescue ? guest_block_devices_new() : guest_block_devices_from_mappings(guest->instance, guest->mappings, error);
    if (devices == NULL)
        return false;
    guest->disks = guest_disk_info(guest->agent->config, guest->instance, guest->image, devices, guest->rescue, error);
    return guest->disks != NULL;
}

Guest *guest_new(Agent *agent, const RpcContext *context, NovaInstance *instance, const GuestParts *parts, GError **error)
{
    g_autoptr(Guest) guest = g_new0(Guest, 1);
    guest->agent = agent;
    guest->context = rpc_context_ref((RpcContext *)context);
    guest->instance = nova_instance_ref(instance);
    if (!instance_load_for_guest(agent, context, instance, error) || !find_image(guest, parts, error) ||
        !find_interfaces(guest, parts, error) || !find_disks(guest, parts, error))
        return NULL;
    return g_steal_pointer(&guest);
}

Guest *guest_new_refreshed(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error)
{
    g_autoptr(NdJson) vifs = NULL;
    GuestParts parts = {0};
    if (!network_refresh(agent, context, instance, NETWORK_REFRESH_CACHED, &vifs, error))
        return NULL;
    parts.vifs = vifs;
    return guest_new(agent, context, instance, &parts, error);
}

Guest *guest_new_to_destroy(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    Guest *guest = g_new0(Guest, 1);
    guest->agent = agent;
    guest->context = rpc_context_ref((RpcContext *)context);
    guest->instance = nova_instance_ref(instance);
    if (!find_interfaces(guest, NULL, NULL))
        guest->interfaces = nova_network_info_new();
    return guest;
}

void guest_free(Guest *guest)
{
    if (guest == NULL)
        return;
    guest_disk_info_free(guest->disks);
    nova_block_device_mapping_list_unref(guest->mappings);
    g_clear_pointer(&guest->interfaces, g_ptr_array_unref);
    json_object_put(guest->vifs);
    nova_image_meta_unref(guest->image);
    nova_instance_unref(guest->instance);
    rpc_context_unref(guest->context);
    g_clear_object(&guest->cancellable);
    g_free(guest);
}
