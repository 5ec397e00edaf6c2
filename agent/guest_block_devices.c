/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_disks.h"

#include <string.h>

GuestBlockDevice *guest_block_device_new(void)
{
    return g_new0(GuestBlockDevice, 1);
}

void guest_block_device_free(GuestBlockDevice *device)
{
    if (device == NULL) {
        return;
    }
    g_free(device->device_name);
    g_free(device->disk_bus);
    g_free(device->device_type);
    g_free(device->guest_format);
    g_free(device->uuid);
    g_free(device->volume_id);
    json_object_put(device->connection_info);
    virt_disk_free(device->disk);
    g_free(device);
}

GuestBlockDevices *guest_block_devices_new(void)
{
    GuestBlockDevices *devices = g_new0(GuestBlockDevices, 1);
    devices->images = g_ptr_array_new_with_free_func((GDestroyNotify) guest_block_device_free);
    devices->ephemerals = g_ptr_array_new_with_free_func((GDestroyNotify) guest_block_device_free);
    devices->volumes = g_ptr_array_new_with_free_func((GDestroyNotify) guest_block_device_free);
    return devices;
}

void guest_block_devices_free(GuestBlockDevices *devices)
{
    if (devices == NULL) {
        return;
    }
    g_free(devices->root_device_name);
    g_ptr_array_unref(devices->images);
    g_ptr_array_unref(devices->ephemerals);
    g_ptr_array_unref(devices->volumes);
    guest_block_device_free(devices->swap);
    g_free(devices);
}

/* Which kind of device a mapping is: upstream's Driver*BlockDevice classes. */
typedef enum { KIND_NONE, KIND_IMAGE, KIND_EPHEMERAL, KIND_SWAP, KIND_VOLUME } Kind;

static Kind kind_of(const NovaBlockDeviceMapping *mapping)
{
    if (mapping->no_device || mapping->deleted) {
        return KIND_NONE;
    }
    if (g_strcmp0(mapping->destination_type, "volume") == 0) {
        return KIND_VOLUME;
    }
    if (g_strcmp0(mapping->destination_type, "local") != 0) {
        return KIND_NONE;
    }
    if (g_strcmp0(mapping->source_type, "image") == 0) {
        return KIND_IMAGE;
    }
    if (g_strcmp0(mapping->source_type, "blank") != 0) {
        return KIND_NONE;
    }
    return g_strcmp0(mapping->guest_format, "swap") == 0 ? KIND_SWAP : KIND_EPHEMERAL;
}

static void set_boot_index(GuestBlockDevice *device, const NovaBlockDeviceMapping *mapping, Kind kind)
{
    if (kind == KIND_IMAGE) {
        device->has_boot_index = true;
    } else if (kind == KIND_VOLUME && nova_object_has(mapping, NOVA_BLOCK_DEVICE_MAPPING_BOOT_INDEX)) {
        device->has_boot_index = true;
        device->boot_index = mapping->boot_index;
    }
}

static GuestBlockDevice *device_from_mapping(const NovaBlockDeviceMapping *mapping, Kind kind, GError **error)
{
    g_autoptr(GuestBlockDevice) device = guest_block_device_new();
    device->device_name = g_strdup(mapping->device_name);
    device->disk_bus = g_strdup(mapping->disk_bus);
    device->device_type = g_strdup(kind == KIND_SWAP ? NULL : mapping->device_type);
    device->guest_format = g_strdup(kind == KIND_SWAP ? NULL : mapping->guest_format);
    device->size = mapping->volume_size;
    device->delete_on_termination = mapping->delete_on_termination;
    device->uuid = g_strdup(mapping->uuid);
    device->volume_id = g_strdup(mapping->volume_id);
    set_boot_index(device, mapping, kind);
    if (kind == KIND_VOLUME && mapping->connection_info != NULL &&
        !nd_json_parse(mapping->connection_info, strlen(mapping->connection_info), NULL, &device->connection_info, error)) {
        g_prefix_error(error, "connection_info of block device mapping '%s': ", mapping->uuid);
        return NULL;
    }
    return g_steal_pointer(&device);
}

static void keep(GuestBlockDevices *devices, Kind kind, GuestBlockDevice *device)
{
    switch (kind) {
    case KIND_IMAGE:
        g_ptr_array_add(devices->images, device);
        return;
    case KIND_EPHEMERAL:
        g_ptr_array_add(devices->ephemerals, device);
        return;
    case KIND_VOLUME:
        g_ptr_array_add(devices->volumes, device);
        return;
    case KIND_SWAP:
        if (devices->swap == NULL) {
            devices->swap = device;
            return;
        }
        break;
    case KIND_NONE:
        break;
    }
    guest_block_device_free(device);
}

GuestBlockDevices *guest_block_devices_from_mappings(const NovaInstance *instance, const NovaBlockDeviceMappingList *mappings, GError **error)
{
    g_autoptr(GuestBlockDevices) devices = guest_block_devices_new();
    devices->root_device_name = g_strdup(instance->root_device_name);
    for (guint i = 0; mappings != NULL && mappings->objects != NULL && i < mappings->objects->len; i++) {
        const NovaBlockDeviceMapping *mapping = mappings->objects->pdata[i];
        Kind kind = kind_of(mapping);
        if (kind == KIND_NONE) {
            continue;
        }
        GuestBlockDevice *device = device_from_mapping(mapping, kind, error);
        if (device == NULL) {
            return NULL;
        }
        keep(devices, kind, device);
    }
    return g_steal_pointer(&devices);
}

static bool store(const GuestBlockDevice *device, NovaBlockDeviceMapping *mapping)
{
    bool changed = false;
    if (device->device_name != NULL && g_strcmp0(device->device_name, mapping->device_name) != 0) {
        nova_block_device_mapping_set_device_name(mapping, device->device_name);
        changed = true;
    }
    if (device->disk_bus != NULL && g_strcmp0(device->disk_bus, mapping->disk_bus) != 0) {
        nova_block_device_mapping_set_disk_bus(mapping, device->disk_bus);
        changed = true;
    }
    if (device->device_type != NULL && g_strcmp0(device->device_type, mapping->device_type) != 0) {
        nova_block_device_mapping_set_device_type(mapping, device->device_type);
        changed = true;
    }
    return changed;
}

static bool store_one(const GuestBlockDevice *device, NovaBlockDeviceMappingList *mappings)
{
    for (guint i = 0; device->uuid != NULL && i < mappings->objects->len; i++) {
        NovaBlockDeviceMapping *mapping = mappings->objects->pdata[i];
        if (g_strcmp0(mapping->uuid, device->uuid) == 0) {
            return store(device, mapping);
        }
    }
    return false;
}

bool guest_block_devices_store(const GuestBlockDevices *devices, NovaBlockDeviceMappingList *mappings)
{
    if (mappings == NULL || mappings->objects == NULL) {
        return false;
    }
    bool changed = false;
    const GPtrArray *const lists[] = { devices->images, devices->ephemerals, devices->volumes };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (guint j = 0; j < lists[i]->len; j++) {
            changed = store_one(lists[i]->pdata[j], mappings) || changed;
        }
    }
    if (devices->swap != NULL) {
        changed = store_one(devices->swap, mappings) || changed;
    }
    return changed;
}
