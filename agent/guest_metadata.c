/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest_config.h"
#include "agent/guest_internal.h"
#include "agent/instance_metadata.h"
#include "agent/instance_name.h"
#include "agent/vendor_data.h"
#include "base/conf.h"
#include "rpc/conductor.h"

static NdJson *security_group_names(const NovaInstance *instance)
{
    NdJson *names = json_object_new_array();
    guint count = instance->security_groups ? nova_object_list_length(instance->security_groups) : 0;
    for (guint i = 0; i < count; i++) {
        NovaSecurityGroup *group = nova_object_list_get(instance->security_groups, i);
        if (group->name)
            json_object_array_add(names, json_object_new_string(group->name));
    }
    return names;
}

/* EC2's map of names to devices, as upstream's instance_block_mapping: ami and root, then local disks. */
static NdJson *ec2_block_devices(const Guest *guest)
{
    const char *root = guest->instance->root_device_name;
    if (root == NULL)
        return NULL;
    NdJson *map = json_object_new_object();
    nd_json_set_string(map, "ami", g_str_has_prefix(root, "/dev/") ? root + 5 : root);
    nd_json_set_string(map, "root", root);
    const GuestBlockDevices *devices = guest->disks->devices;
    if (guest->instance->default_ephemeral_device)
        nd_json_set_string(map, "ephemeral0", guest->instance->default_ephemeral_device);
    for (guint i = 0; i < devices->ephemerals->len; i++) {
        const GuestBlockDevice *device = g_ptr_array_index(devices->ephemerals, i);
        g_autofree char *key = g_strdup_printf("ephemeral%u", i);
        nd_json_set_string(map, key, device->device_name);
    }
    const char *swap = devices->swap ? devices->swap->device_name : guest->instance->default_swap_device;
    if (swap)
        nd_json_set_string(map, "swap", swap);
    return map;
}

static const char *key_type(const NovaInstance *instance)
{
    if (instance->keypairs && nova_object_list_length(instance->keypairs) > 0)
        return ((NovaKeyPair *)nova_object_list_get(instance->keypairs, 0))->type;
    return "ssh";
}

GPtrArray *guest_metadata_files(Guest *guest, const GuestSpawnOptions *options, GError **error)
{
    const NovaInstance *instance = guest->instance;
    const NdConfig *config = guest->agent->config;
    g_autoptr(NdJson) groups = security_group_names(instance);
    g_auto(AgentVendorData) vendor = {0};
    if (!agent_vendor_data_collect(config, guest->agent->vendor_data, instance, &vendor, error))
        return NULL;
    g_autoptr(NdJson) mapping = ec2_block_devices(guest);
    g_autoptr(NdJson) devices = guest_device_metadata(instance);
    g_autofree char *name = agent_instance_name(config, instance);
    AgentMetadataInput input = {
        .uuid = instance->uuid,
        .name = name,
        .id = instance->id,
        .display_name = instance->display_name,
        .hostname = instance->hostname,
        .project_id = instance->project_id,
        .availability_zone = instance->availability_zone,
        .launch_index = instance->launch_index,
        .key_name = instance->key_name,
        .key_data = instance->key_data,
        .key_type = key_type(instance),
        .user_data = instance->user_data,
        .reservation_id = instance->reservation_id,
        .image_ref = instance->image_ref,
        .flavor_name = instance->flavor ? instance->flavor->name : NULL,
        .admin_pass = options ? options->admin_password : NULL,
        .root_device_name = instance->root_device_name,
        .dhcp_domain = nd_config_string(config, "api", "dhcp_domain"),
        .ec2_instance_id = instance->ec2_ids ? instance->ec2_ids->instance_id : NULL,
        .ec2_image_id = instance->ec2_ids ? instance->ec2_ids->ami_id : NULL,
        .ec2_kernel_id = instance->ec2_ids ? instance->ec2_ids->kernel_id : NULL,
        .ec2_ramdisk_id = instance->ec2_ids ? instance->ec2_ids->ramdisk_id : NULL,
        .metadata = instance->metadata,
        .security_groups = groups,
        .network_info = guest->vifs,
        .block_device_mapping = mapping,
        .devices = devices,
        .injected_files = options ? options->injected_files : NULL,
        .vendor_data = vendor.fixed,
        .vendor_data2 = vendor.all,
        .no_vendor_data = !vendor.is_static,
        .skip_versions = nd_config_string(config, "api", "config_drive_skip_versions"),
    };
    return agent_instance_metadata_files(&input, error);
}
