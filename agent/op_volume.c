/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest_disks.h"
#include "agent/method_args.h"
#include "base/log.h"
#include "objects/image_meta.h"
#include "objects/objects.h"
#include "rpc/exception.h"

/* reserve_block_device_name (spec/compute-rpc.md section 4): the record of a volume that is about to be attached, with the name it gets in the guest. */

#define LOGGER "nova.virt.libvirt.driver"

static bool is_attached(const NovaBlockDeviceMappingList *mappings, const char *volume_id)
{
    for (guint i = 0; i < nova_object_list_length(mappings); i++) {
        const NovaBlockDeviceMapping *mapping = nova_object_list_get(mappings, i);

        if (g_strcmp0(mapping->volume_id, volume_id) == 0)
            return true;
    }
    return false;
}

static NovaBlockDeviceMapping *new_mapping(Operation *operation)
{
    NovaBlockDeviceMapping *mapping = nova_block_device_mapping_new();

    nova_block_device_mapping_set_source_type(mapping, "volume");
    nova_block_device_mapping_set_destination_type(mapping, "volume");
    nova_block_device_mapping_set_instance_uuid(mapping, operation->instance->uuid);
    nova_object_set_null(mapping, NOVA_BLOCK_DEVICE_MAPPING_BOOT_INDEX);
    nova_block_device_mapping_set_volume_id(mapping, method_args_string(operation->args, "volume_id"));
    nova_object_set_null(mapping, NOVA_BLOCK_DEVICE_MAPPING_GUEST_FORMAT);
    nova_block_device_mapping_set_disk_bus(mapping, method_args_string(operation->args, "disk_bus"));
    nova_block_device_mapping_set_device_type(mapping, method_args_string(operation->args, "device_type"));
    nova_block_device_mapping_set_tag(mapping, method_args_string(operation->args, "tag"));
    return mapping;
}

/* The next free name on the volume's bus, beside all disks that the guest has; a name that was asked for does not count. */
static bool choose_name(Operation *operation, NovaBlockDeviceMappingList *mappings, NovaBlockDeviceMapping *mapping, GError **error)
{
    const NdConfig *config = operation->agent->config;
    g_autoptr(NovaImageMeta) image = nova_image_meta_from_instance(operation->instance, error);
    GuestBlockDevices *devices = image != NULL ? guest_block_devices_from_mappings(operation->instance, mappings, error) : NULL;
    g_autoptr(GuestDiskInfo) info = NULL;
    GuestBlockDevice *device;

    if (devices == NULL)
        return false;
    if (method_args_string(operation->args, "device") != NULL)
        nd_warning(LOGGER, "Ignoring supplied device name: %s. Libvirt can't honour user-supplied dev names", method_args_string(operation->args, "device"));
    device = guest_block_device_new();
    device->disk_bus = g_strdup(mapping->disk_bus);
    device->device_type = g_strdup(mapping->device_type);
    g_ptr_array_add(devices->volumes, device);
    info = guest_disk_info(config, operation->instance, image, devices, NULL, error);
    if (info == NULL)
        return false;
    nova_block_device_mapping_set_device_name(mapping, device->device_name);
    nova_block_device_mapping_set_disk_bus(mapping, device->disk_bus);
    nova_block_device_mapping_set_device_type(mapping, device->device_type);
    return true;
}

static bool reserve(Operation *operation, GError **error)
{
    Agent *agent = operation->agent;
    const char *volume_id = method_args_string(operation->args, "volume_id");
    g_autoptr(NovaBlockDeviceMappingList) mappings = conductor_bdm_list(agent->conductor, operation->context, operation->instance->uuid, error);
    g_autoptr(NovaBlockDeviceMapping) mapping = NULL;

    if (mappings == NULL)
        return false;
    if (is_attached(mappings, volume_id)) {
        g_autofree char *reason = g_strdup_printf("volume %s already attached", volume_id);

        nova_exception_set(error, NOVA_EXC_INVALID_VOLUME, "reason", reason, NULL);
        return false;
    }
    mapping = new_mapping(operation);
    if (!choose_name(operation, mappings, mapping, error) || !conductor_bdm_create(agent->conductor, operation->context, mapping, error))
        return false;
    operation_set_result(operation, nova_object_to_json(mapping, agent->release));
    return true;
}

static const OperationStep reserve_steps[] = {{"reserve", NULL, NULL, reserve, NULL}};

const OperationSpec operation_reserve_block_device_name = {
    .method = "reserve_block_device_name",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_REVERT_TASK_STATE | OPERATION_INSTANCE_FAULT,
    .steps = reserve_steps,
    .n_steps = G_N_ELEMENTS(reserve_steps),
};
