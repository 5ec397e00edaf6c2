/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest_config.h"
#include "agent/guest_internal.h"
#include "agent/host_setup.h"
#include "agent/image_service.h"
#include "agent/serial_ports.h"
#include "base/conf.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/disk.h"
#include "virt/disk_info.h"
#include "virt/domain_xml.h"
#include "virt/error.h"

#include <unistd.h>

#define LOGGER "nova.virt.libvirt.driver"
#define GIB (1024ULL * 1024 * 1024)

/* What the image and disk errors of virt/ are called by nova's driver. */
static bool name_disk_failure(const char *image_id, GError *failure /* takes */, GError **error)
{
    if (g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE))
        nova_exception_set(error, NOVA_EXC_IMAGE_UNACCEPTABLE, "image_id", image_id, "reason", failure->message, NULL);
    else if (g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_DISK_TOO_SMALL))
        nova_exception_set_text(error, NOVA_EXC_FLAVOR_DISK_SMALLER_THAN_IMAGE, failure->message, NULL);
    else if (g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT))
        nova_exception_set_text(error, NOVA_EXC_INVALID_DISK_INFO, failure->message, "reason", failure->message, NULL);
    else {
        g_propagate_error(error, failure);
        return false;
    }
    g_error_free(failure);
    return false;
}

/* --- disks --- */

static bool disk_options(Guest *guest, VirtDiskOptions *options, GError **error)
{
    const NdConfig *config = guest->agent->config;
    options->cache = guest->agent->image_cache;
    options->preallocate = g_strcmp0(nd_config_string(config, "DEFAULT", "preallocate_images"), "space") == 0;
    return virt_disk_backend_from_config(nd_config_string(config, "libvirt", "images_type"), nd_config_bool(config, "DEFAULT", "use_cow_images"),
                                         &options->backend, error);
}

/* A disk of the image; size in bytes, 0 = the image's own. */
static bool create_image_disk(Guest *guest, const VirtDiskOptions *options, const char *name, const char *image_id, const char *format, guint64 size,
                              GError **error)
{
    ImageDownload download = {guest->agent, guest->context, image_id, guest->cancellable, false};
    VirtImageRequest request = {
        .image_id = image_id,
        .disk_format = format,
        .max_virtual_size = size,
        .download = image_service_download,
        .user_data = &download,
        .cancellable = guest->cancellable,
    };
    GError *failure = NULL;
    if (virt_disk_create_from_image(options, guest->instance->uuid, name, &request, size, &failure))
        return true;
    return name_disk_failure(image_id, failure, error);
}

static bool create_root_disk(Guest *guest, const VirtDiskOptions *options, GError **error)
{
    const NovaInstance *instance = guest->instance;
    if (guest_disk_info_find(guest->disks, "disk") == NULL)
        return true; /* booted from a volume */
    return create_image_disk(guest, options, "disk", instance->image_ref, guest->image->disk_format, (guint64)instance->flavor->root_gb * GIB, error);
}

/* The kernel and ramdisk of an image that has them apart. */
static bool create_kernel(Guest *guest, const VirtDiskOptions *options, const char *name, const char *image_id, GError **error)
{
    if (image_id == NULL || *image_id == '\0')
        return true;
    ImageDownload download = {guest->agent, guest->context, image_id, guest->cancellable, false};
    VirtImageRequest request = {.image_id = image_id, .disk_format = "raw", .download = image_service_download, .user_data = &download};
    GError *failure = NULL;
    if (virt_disk_create_plain(options, guest->instance->uuid, name, &request, &failure))
        return true;
    return name_disk_failure(image_id, failure, error);
}

static bool create_ephemeral(Guest *guest, const VirtDiskOptions *options, const char *name, guint index, gint64 size_gb, const char *format,
                             GError **error)
{
    const NdConfig *config = guest->agent->config;
    g_autofree char *label = g_strdup_printf("ephemeral%u", index);
    VirtEphemeralRequest request = {
        .size = (guint64)size_gb * GIB,
        .label = label,
        .os_type = guest->instance->os_type,
        .fs_format = format,
        .default_format = nd_config_string(config, "DEFAULT", "default_ephemeral_format"),
        .virt_mkfs = nd_config_multi(config, "DEFAULT", "virt_mkfs"),
    };
    return virt_disk_create_ephemeral(options, guest->instance->uuid, name, &request, error);
}

static bool create_ephemerals(Guest *guest, const VirtDiskOptions *options, GError **error)
{
    const GuestBlockDevices *devices = guest->disks->devices;
    if (guest_disk_info_find(guest->disks, "disk.local") &&
        !create_ephemeral(guest, options, "disk.local", 0, guest->instance->flavor->ephemeral_gb, NULL, error))
        return false;
    for (guint i = 0; i < devices->ephemerals->len; i++) {
        const GuestBlockDevice *device = g_ptr_array_index(devices->ephemerals, i);
        g_autofree char *name = g_strdup_printf("disk.eph%u", i);
        if (!create_ephemeral(guest, options, name, i, device->size, device->guest_format, error))
            return false;
    }
    return true;
}

static bool create_swap(Guest *guest, const VirtDiskOptions *options, GError **error)
{
    if (guest_disk_info_find(guest->disks, "disk.swap") == NULL)
        return true;
    const GuestBlockDevice *device = guest->swap_of_flavor ? NULL : guest->disks->devices->swap;
    gint64 size_mib = device ? device->size : guest->instance->flavor->swap;
    return size_mib <= 0 || virt_disk_create_swap(options, guest->instance->uuid, "disk.swap", (guint64)size_mib, error);
}

static bool create_config_drive(Guest *guest, const char *name, const GuestSpawnOptions *options, GError **error)
{
    const NdConfig *config = guest->agent->config;
    if (!guest_needs_config_drive(config, guest->instance))
        return true;
    const char *uuid = guest->instance->uuid;
    g_autofree char *path = virt_disk_path(guest->agent->image_cache->instances_path, uuid, name);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    nd_info(LOGGER, "Using config drive");
    g_autoptr(GPtrArray) files = guest_metadata_files(guest, options, error);
    if (files == NULL)
        return false;
    bool vfat = g_strcmp0(nd_config_string(config, "DEFAULT", "config_drive_format"), "vfat") == 0;
    g_autoptr(GuestHost) host = agent_guest_host(guest->agent);
    g_autofree char *publisher = g_strconcat("OpenStack Nova ", host->package_version, NULL);
    nd_info(LOGGER, "Creating config drive at %s", path);
    return virt_config_drive_write(path, vfat ? VIRT_CONFIG_DRIVE_VFAT : VIRT_CONFIG_DRIVE_ISO9660, files, publisher, error) &&
           virt_disk_info_record(guest->agent->image_cache->instances_path, uuid, path, "raw", error);
}

bool guest_create_disks(Guest *guest, const GuestSpawnOptions *options, GError **error)
{
    VirtDiskOptions disks = {0};
    nd_info(LOGGER, "Creating image(s)");
    if (!disk_options(guest, &disks, error) ||
        !virt_disk_directory_create(guest->agent->image_cache->instances_path, guest->instance->uuid, error))
        return false;
    return create_kernel(guest, &disks, "kernel", guest->instance->kernel_id, error) &&
           create_kernel(guest, &disks, "ramdisk", guest->instance->ramdisk_id, error) && create_root_disk(guest, &disks, error) &&
           create_ephemerals(guest, &disks, error) && create_swap(guest, &disks, error);
}

bool guest_create_rescue_disks(Guest *guest, const char *image_id, const char *image_format, const GuestSpawnOptions *options, GError **error)
{
    VirtDiskOptions disks = {0};
    bool drive = guest_disk_info_find(guest->disks, "disk.config.rescue") != NULL;
    nd_info(LOGGER, "Creating image(s)");
    return disk_options(guest, &disks, error) && create_kernel(guest, &disks, "kernel.rescue", guest->rescue->kernel_id, error) &&
           create_kernel(guest, &disks, "ramdisk.rescue", guest->rescue->ramdisk_id, error) &&
           create_image_disk(guest, &disks, "disk.rescue", image_id, image_format, 0, error) &&
           (!drive || create_config_drive(guest, "disk.config.rescue", options, error));
}

bool guest_restore_backing(Guest *guest, GError **error)
{
    const NovaInstance *instance = guest->instance;
    if (guest->context->auth_token == NULL || instance->image_ref == NULL || guest_disk_info_find(guest->disks, "disk") == NULL)
        return true;
    g_autofree char *disk = virt_disk_path(guest->agent->image_cache->instances_path, instance->uuid, "disk");
    g_auto(VirtImageInfo) info = {0};
    if (!virt_image_inspect(disk, &info, error))
        return false;
    if (info.backing_file == NULL || g_file_test(info.backing_file, G_FILE_TEST_EXISTS))
        return true;
    nd_info(LOGGER, "the cached image '%s' is gone and is fetched again", info.backing_file);
    g_autofree char *base = g_path_get_basename(info.backing_file);
    g_autofree char *wanted = virt_image_cache_name(instance->image_ref);
    if (!g_str_equal(base, wanted)) {
        nova_exception_set_text(error, NOVA_EXC_INVALID_DISK_INFO, "the disk stands on a cached image that is gone and is not the instance's", NULL);
        return false;
    }
    ImageDownload download = {guest->agent, guest->context, instance->image_ref, guest->cancellable, false};
    VirtImageRequest request = {.image_id = instance->image_ref,
                                .disk_format = guest->image->disk_format,
                                .download = image_service_download,
                                .user_data = &download,
                                .cancellable = guest->cancellable};
    g_auto(VirtImageInfo) fetched = {0};
    g_autofree char *path = NULL;
    GError *failure = NULL;
    if (virt_image_cache_get(guest->agent->image_cache, &request, &path, &fetched, &failure))
        return true;
    return name_disk_failure(instance->image_ref, failure, error);
}

/* --- the domain --- */

static bool define_with_ports(Guest *guest, SerialPorts *serial_ports, GError **error)
{
    Agent *agent = guest->agent;
    GuestInput input = {
        .instance = guest->instance,
        .image = guest->image,
        .vifs = guest->interfaces,
        .disks = guest->disks,
        .rescue = guest->rescue,
        .acquire_serial_port = serial_ports_acquire,
        .user_data = serial_ports,
        .creation_time = g_get_real_time() / G_USEC_PER_SEC,
    };
    g_autoptr(GuestHost) host = agent_guest_host(agent);
    g_autoptr(VirtMachine) machine = guest_config(host, &input, error);
    if (machine == NULL)
        return false;
    if (guest->rescue == NULL) { /* what is recorded is what the guest is otherwise */
        guest_config_record(host, &input, machine);
        guest_config_register_defaults(host, guest->instance, guest->image, guest->disks, machine);
    }
    g_autofree char *xml = virt_domain_xml(machine, error);
    if (xml == NULL)
        return false;
    nd_debug(LOGGER, "guest XML:\n%s", xml);
    if (!guest_plug_interfaces(guest, error) || !virt_domain_define(agent->virt, xml, error))
        return false;
    return true;
}

bool guest_define(Guest *guest, GError **error)
{
    g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func(g_free);
    SerialPorts serial_ports = {guest->agent, taken};
    bool defined = define_with_ports(guest, &serial_ports, error);
    if (!defined)
        serial_ports_abandon(&serial_ports);
    return defined;
}

bool guest_spawn(Guest *guest, const GuestSpawnOptions *options, GError **error)
{
    if (!guest_create_disks(guest, options, error) || !guest_define(guest, error) || !guest_record_devices(guest, error) ||
        !create_config_drive(guest, "disk.config", options, error) || !guest_start_and_wait(guest, true, error))
        return false;
    nd_info(LOGGER, "Instance spawned successfully.");
    return true;
}

bool guest_spawn_moved(Guest *guest, bool power_on, bool wait_for_ports, GError **error)
{
    if (!guest_create_disks(guest, NULL, error) || !create_config_drive(guest, "disk.config", NULL, error) || !guest_define(guest, error) ||
        !guest_record_devices(guest, error))
        return false;
    if (!power_on)
        return true;
    if (!guest_start_and_wait(guest, wait_for_ports, error))
        return false;
    virt_domain_sync_time(guest->agent->virt, guest->instance->uuid);
    return true;
}
