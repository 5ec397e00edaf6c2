/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "rpc/exception.h"
#include "virt/disk.h"
#include "virt/disk_info.h"

#include <string.h>

/* While the disks of one guest are made. */
typedef struct {
    GuestBuild *build;
    VirtDiskBackend backend;
    int next_unit; /* on the virtio-scsi controller; -1: libvirt addresses the disks */
} Storage;

/* The cache mode: that of [libvirt]disk_cachemodes for the kind of source, else the host's default (upstream _set_cache_mode). */
static const char *cache_mode(const GuestBuild *build, const char *source_type)
{
    static const char *const valid[] = { "default", "none", "writethrough", "writeback", "directsync", "unsafe", NULL };
    const char *mode = build->host->default_cache;
    for (const char *const *entry = nd_config_list(build->config, "libvirt", "disk_cachemodes"); *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        size_t length = equals != NULL ? (size_t) (equals - *entry) : 0;
        if (equals != NULL && g_strv_contains(valid, equals + 1) && strlen(source_type) == length && strncmp(*entry, source_type, length) == 0) {
            mode = equals + 1;
        }
    }
    return mode;
}

static void set_cache(const GuestBuild *build, VirtDisk *disk)
{
    static const char *const direct[] = { "none", "directsync", NULL };
    g_free(disk->driver_cache);
    disk->driver_cache = g_strdup(disk->shareable ? "none" : cache_mode(build, disk->source_type));
    if (g_strcmp0(disk->driver_io, "native") == 0 && !g_strv_contains(direct, disk->driver_cache)) {
        g_free(disk->driver_io);
        disk->driver_io = g_strdup("threads");
    }
}

static bool set_io_tune(const GuestBuild *build, VirtDisk *disk, GError **error)
{
    /* The flavor has no _max and no size limits: those come with volumes. */
    for (int i = 0; i <= VIRT_IO_TOTAL_IOPS; i++) {
        g_autofree char *key = g_strconcat("quota:disk_", virt_io_tune_name(i), NULL);
        if (!guest_flavor_integer(build->flavor, key, -1, &disk->io_tune[i], error)) {
            return false;
        }
    }
    return true;
}

static void set_target(Storage *storage, VirtDisk *disk, const GuestDisk *info)
{
    g_free(disk->device);
    disk->device = g_strdup(info->type);
    g_free(disk->target_dev);
    disk->target_dev = g_strdup(info->dev);
    g_free(disk->target_bus);
    disk->target_bus = g_strdup(info->bus);
    if (storage->next_unit < 0 || strcmp(info->bus, "scsi") != 0) {
        return;
    }
    disk->has_address = true;
    bool boot_volume = info->device != NULL && info->device->disk != NULL && info->boot_index == 1;
    disk->address_unit = boot_volume ? 0 : storage->next_unit++;
}

/* The format on disk: an existing flat file may be qcow2, which disk.info records (never guessed from content the guest may have written). */
static char *file_format(const Storage *storage, const char *path, bool flat)
{
    if (!flat) {
        return g_strdup("qcow2");
    }
    const char *instances_path = nd_config_string(storage->build->config, "DEFAULT", "instances_path");
    char *format = NULL;
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        format = virt_disk_info_get(instances_path, storage->build->instance->uuid, path, NULL);
    }
    return format != NULL ? format : g_strdup("raw");
}

/* One local disk in the instance's folder (upstream imagebackend.py libvirt_info). flat: a plain file whatever images_type says. */
static VirtDisk *add_local(Storage *storage, const char *name, const GuestDisk *info, bool flat, GError **error)
{
    const GuestBuild *build = storage->build;
    g_autoptr(VirtDisk) disk = virt_disk_new();
    disk->source_type = g_strdup("file");
    disk->source_path = g_build_filename(build->directory, name, NULL);
    disk->driver_name = g_strdup("qemu");
    disk->driver_format = file_format(storage, disk->source_path, flat || storage->backend == VIRT_DISK_BACKEND_FLAT);
    disk->driver_cache = g_strdup(build->host->default_cache);
    disk->driver_discard = g_strdup(nd_config_string(build->config, "libvirt", "hw_disk_discard"));
    if (g_strcmp0(nd_config_string(build->config, "DEFAULT", "preallocate_images"), "space") == 0) {
        disk->driver_io = g_strdup("native");
    }
    set_target(storage, disk, info);
    if (!set_io_tune(build, disk, error)) {
        return NULL;
    }
    VirtDisk *added = g_steal_pointer(&disk);
    g_ptr_array_add(build->machine->disks, added);
    return added;
}

/* A disk by its name, if the guest has it. */
static bool add_named(Storage *storage, const char *name, bool flat, GError **error)
{
    const GuestDisk *info = guest_disk_info_find(storage->build->input->disks, name);
    return info == NULL || add_local(storage, name, info, flat, error) != NULL;
}

static bool add_ephemerals(Storage *storage, GError **error)
{
    for (guint i = 0;; i++) {
        g_autofree char *name = g_strdup_printf("disk.eph%u", i);
        if (guest_disk_info_find(storage->build->input->disks, name) == NULL) {
            return true;
        }
        if (!add_named(storage, name, false, error)) {
            return false;
        }
    }
}

static VirtDisk *copy_disk(const VirtDisk *from)
{
    VirtDisk *disk = virt_disk_new();
    const struct {
        char **to;
        const char *from;
    } texts[] = {
        { &disk->source_type, from->source_type },           { &disk->device, from->device },
        { &disk->driver_name, from->driver_name },           { &disk->driver_format, from->driver_format },
        { &disk->driver_cache, from->driver_cache },         { &disk->driver_discard, from->driver_discard },
        { &disk->driver_io, from->driver_io },               { &disk->source_path, from->source_path },
        { &disk->source_protocol, from->source_protocol },   { &disk->source_name, from->source_name },
        { &disk->auth_username, from->auth_username },       { &disk->auth_secret_type, from->auth_secret_type },
        { &disk->auth_secret_uuid, from->auth_secret_uuid }, { &disk->serial, from->serial },
        { &disk->logical_block_size, from->logical_block_size },   { &disk->physical_block_size, from->physical_block_size },
        { &disk->encryption_format, from->encryption_format },     { &disk->encryption_secret_uuid, from->encryption_secret_uuid },
        { &disk->alias, from->alias },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        *texts[i].to = g_strdup(texts[i].from);
    }
    for (guint i = 0; i < from->source_hosts->len; i++) {
        const VirtDiskHost *host = from->source_hosts->pdata[i];
        VirtDiskHost *copy = g_new0(VirtDiskHost, 1);
        copy->name = g_strdup(host->name);
        copy->port = g_strdup(host->port);
        g_ptr_array_add(disk->source_hosts, copy);
    }
    memcpy(disk->io_tune, from->io_tune, sizeof disk->io_tune);
    disk->readonly = from->readonly;
    disk->shareable = from->shareable;
    return disk;
}

static bool add_volumes(Storage *storage, GError **error)
{
    const GuestBuild *build = storage->build;
    const GuestDiskInfo *info = build->input->disks;
    for (guint i = 0; i < info->disks->len; i++) {
        const GuestDisk *entry = info->disks->pdata[i];
        if (!g_str_has_prefix(entry->name, "/dev/")) {
            continue;
        }
        if (entry->device == NULL || entry->device->disk == NULL) {
            nova_exception_set_text(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "the instance has a volume, which novad cannot attach yet", NULL);
            return false;
        }
        VirtDisk *disk = copy_disk(entry->device->disk);
        set_target(storage, disk, entry);
        g_ptr_array_add(build->machine->disks, disk);
    }
    return true;
}

/* The disks in upstream's order: with a plain rescue its disk and the root only. */
static bool add_disks(Storage *storage, GError **error)
{
    const GuestDiskInfo *info = storage->build->input->disks;
    if (info->rescue && !info->stable_rescue) {
        return add_named(storage, "disk.rescue", false, error) && add_named(storage, "disk", false, error) &&
               add_named(storage, "disk.config.rescue", true, error);
    }
    return add_named(storage, "disk", false, error) && add_named(storage, "disk.local", false, error) && add_ephemerals(storage, error) &&
           add_named(storage, "disk.swap", false, error) && add_named(storage, "disk.config", true, error);
}

/* The stable kind's rescue disk is booted by its own order, behind the others, with the host's cache mode as it is. */
static bool add_stable_rescue(Storage *storage, GError **error)
{
    const GuestDiskInfo *info = storage->build->input->disks;
    if (!info->stable_rescue) {
        return true;
    }
    VirtDisk *disk = add_local(storage, "disk.rescue", guest_disk_info_find(info, "disk.rescue"), false, error);
    if (disk != NULL) {
        disk->boot_order = 1;
    }
    return disk != NULL;
}

static bool set_backend(Storage *storage, GError **error)
{
    const NdConfig *config = storage->build->config;
    g_autoptr(GError) failure = NULL;
    if (virt_disk_backend_from_config(nd_config_string(config, "libvirt", "images_type"), nd_config_bool(config, "DEFAULT", "use_cow_images"),
            &storage->backend, &failure)) {
        return true;
    }
    nova_exception_set_text(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, failure->message, NULL);
    return false;
}

static bool boots_from_volume(const GuestBlockDevices *devices)
{
    for (guint i = 0; i < devices->volumes->len; i++) {
        const GuestBlockDevice *device = devices->volumes->pdata[i];
        if (device->has_boot_index && device->boot_index == 0) {
            return true;
        }
    }
    return false;
}

bool guest_config_storage(GuestBuild *build, GError **error)
{
    Storage storage = { .build = build, .next_unit = -1 };
    const char *scsi_model = build->properties->hw_scsi_model;
    if (!set_backend(&storage, error)) {
        return false;
    }
    if (g_strcmp0(scsi_model, "virtio-scsi") == 0) {
        /* A bootable volume gets unit 0. */
        storage.next_unit = boots_from_volume(build->input->disks->devices) ? 1 : 0;
    }
    if (!add_disks(&storage, error) || !add_volumes(&storage, error)) {
        return false;
    }
    for (guint i = 0; i < build->machine->disks->len; i++) {
        set_cache(build, build->machine->disks->pdata[i]);
    }
    if (scsi_model != NULL) {
        virt_machine_add_controller(build->machine, "scsi", scsi_model, 0);
    }
    return add_stable_rescue(&storage, error);
}
