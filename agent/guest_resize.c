/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"

#include "base/log.h"
#include "rpc/exception.h"
#include "virt/disk.h"
#include "virt/disk_resize.h"
#include "virt/domain_reader.h"

#include <string.h>

#define LOGGER "nova.virt.libvirt.driver"

static const char *instances_path(Agent *agent)
{
    return nd_config_string(agent->config, "DEFAULT", "instances_path");
}

bool guest_check_resize(const Guest *guest, const NovaFlavor *flavor, GError **error)
{
    const NovaFlavor *present = guest->instance->flavor;
    const GuestBlockDevices *devices = guest->disks->devices;
    bool from_image = guest_disk_info_find(guest->disks, "disk") != NULL;
    gint64 ephemeral_gb = 0;
    for (guint i = 0; i < devices->ephemerals->len; i++)
        ephemeral_gb += ((const GuestBlockDevice *)g_ptr_array_index(devices->ephemerals, i))->size;
    if (ephemeral_gb == 0)
        ephemeral_gb = present->ephemeral_gb;
    if ((flavor->root_gb >= present->root_gb || !from_image) && flavor->ephemeral_gb >= ephemeral_gb)
        return true;
    nova_exception_set(error, NOVA_EXC_RESIZE_ERROR, "reason", "Unable to resize disk down.", NULL);
    return false;
}

/* One entry of disk_info, as nova-compute of another host reads it. */
static bool describe_disk(NdJson *list, const VirtDisk *disk, GError **error)
{
    VirtDiskUsage usage = {0};
    g_auto(VirtImageInfo) image = {0};
    NdJson *entry;
    if (!virt_disk_usage(disk->source_path, disk->driver_format, &usage, error) || !virt_image_inspect(disk->source_path, &image, error)) {
        virt_disk_usage_clear(&usage);
        return false;
    }
    g_autofree char *backing = image.backing_file ? g_path_get_basename(image.backing_file) : g_strdup("");
    entry = json_object_new_object();
    nd_json_set_string(entry, "type", disk->driver_format);
    nd_json_set_string(entry, "path", disk->source_path);
    nd_json_set_int(entry, "virt_disk_size", (gint64)usage.virtual_size);
    nd_json_set_string(entry, "backing_file", backing);
    nd_json_set_int(entry, "disk_size", (gint64)usage.allocated);
    nd_json_set_int(entry, "over_committed_disk_size", usage.over_committed);
    json_object_array_add(list, entry);
    virt_disk_usage_clear(&usage);
    return true;
}

/* The disks of the domain that are files of the instance's folder: their description, and the names of those to be copied. A swap disk is made anew
 * instead, which is cheaper and gives it the new size. */
static bool list_disks(Guest *guest, NdJson *list, GPtrArray *names, GError **error)
{
    const char *uuid = guest->instance->uuid;
    g_autofree char *directory = virt_disk_directory(instances_path(guest->agent), uuid);
    g_autofree char *xml = virt_domain_get_xml(guest->agent->virt, uuid, VIRT_XML_INACTIVE, error);
    g_autoptr(VirtMachine) machine = xml ? virt_domain_read(xml, error) : NULL;
    if (machine == NULL)
        return false;
    for (guint i = 0; i < machine->disks->len; i++) {
        const VirtDisk *disk = g_ptr_array_index(machine->disks, i);
        if (disk->source_path == NULL || g_strcmp0(disk->source_type, "file") != 0 || disk->driver_format == NULL)
            continue;
        g_autofree char *folder = g_path_get_dirname(disk->source_path), *name = g_path_get_basename(disk->source_path);
        if (strcmp(folder, directory) != 0)
            continue;
        if (!describe_disk(list, disk, error))
            return false;
        if (strcmp(name, "disk.swap") != 0)
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    g_ptr_array_add(names, NULL);
    return true;
}

bool guest_resize_begin(Guest *guest, int timeout_s, int retry_interval_s, char **disk_info, GError **error)
{
    Agent *agent = guest->agent;
    g_autoptr(NdJson) list = json_object_new_array();
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    nd_debug(LOGGER, "Starting migrate_disk_and_power_off");
    if (!guest_power_off(agent, guest->instance, timeout_s, retry_interval_s, guest->cancellable, error))
        return false;
    guest_unplug_interfaces(guest);
    if (!list_disks(guest, list, names, error) ||
        !virt_disk_resize_begin(instances_path(agent), guest->instance->uuid, (const char *const *)names->pdata, guest->cancellable, error))
        return false;
    *disk_info = nd_json_to_string(list);
    return true;
}

bool guest_resize_revert(Agent *agent, const char *uuid, GError **error)
{
    return virt_disk_resize_revert(instances_path(agent), uuid, error);
}

bool guest_resize_confirm(Agent *agent, const char *uuid, GError **error)
{
    return virt_disk_resize_confirm(instances_path(agent), uuid, error);
}
