/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/json.h"
#include "objects/generated/all.h"
#include "virt/machine.h"

#include <glib.h>
#include <stdbool.h>

/*
 * Which disks a guest has and how they are called in it (upstream nova/virt/libvirt/blockinfo.py and nova/virt/block_device.py).
 */

/* One block device of an instance (upstream's driver block device). Strings are owned, NULL is Python's None. */
typedef struct {
    char *device_name; /* "/dev/vdb"; NULL: still to be chosen */
    char *disk_bus, *device_type, *guest_format;
    bool has_boot_index;
    gint64 boot_index;
    gint64 size;        /* ephemeral: GiB; swap: MiB */
    bool delete_on_termination;
    char *uuid;         /* of the BlockDeviceMapping; NULL in tests */
    char *volume_id;
    NdJson *connection_info; /* of a volume; own reference */
    VirtDisk *disk;     /* of a volume: source and driver as the connected volume needs them; target is set here */
} GuestBlockDevice;
GuestBlockDevice *guest_block_device_new(void);
void guest_block_device_free(GuestBlockDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestBlockDevice, guest_block_device_free)

/* All of them (upstream's block_device_info). */
typedef struct {
    char *root_device_name;   /* "/dev/vda"; may be NULL */
    GPtrArray *images;        /* GuestBlockDevice*: the root disk made from an image */
    GPtrArray *ephemerals;    /* local blank disks */
    GPtrArray *volumes;       /* Cinder volumes */
    GuestBlockDevice *swap;   /* NULL none */
} GuestBlockDevices;
GuestBlockDevices *guest_block_devices_new(void);
void guest_block_devices_free(GuestBlockDevices *devices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestBlockDevices, guest_block_devices_free)
/* From the instance's mappings; those with no_device are left out. connection_info that is no JSON: ND_ERROR_PARSE. */
GuestBlockDevices *guest_block_devices_from_mappings(const NovaInstance *instance, const NovaBlockDeviceMappingList *mappings, GError **error);
/* Writes device names, buses and types that guest_disk_info() chose back into the mappings; true if any changed. */
bool guest_block_devices_store(const GuestBlockDevices *devices, NovaBlockDeviceMappingList *mappings);

/* A rescue: of the old kind (image NULL: the rescue disk comes first), or beside the instance's disks (stable device rescue). */
typedef struct {
    const NovaImageMeta *image; /* of the rescue image, only for the stable kind */
    const char *kernel_id, *ramdisk_id; /* NULL or "": none */
} GuestRescue;

/* One disk of the guest. */
typedef struct {
    char *name;   /* root, disk, disk.local, disk.eph0, disk.swap, disk.config, disk.rescue, disk.config.rescue; "/dev/vdb" of a volume */
    char *bus, *dev, *type; /* virtio, vda, disk */
    char *format; /* guest_format; NULL none */
    int boot_index; /* from 1; 0 none */
    GuestBlockDevice *device; /* what it stands for, borrowed from the block devices; NULL: flavor or config drive alone */
} GuestDisk;

typedef struct {
    char *disk_bus, *cdrom_bus;
    GPtrArray *disks; /* GuestDisk*, in the order they were decided */
    GuestBlockDevices *devices; /* owned */
    bool rescue;        /* there is a rescue disk */
    bool stable_rescue; /* it stands beside the instance's own disks */
} GuestDiskInfo;
void guest_disk_info_free(GuestDiskInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestDiskInfo, guest_disk_info_free)

/* Decides (upstream get_disk_info). Takes `devices` over (also on failure) and fills in names, buses and types that they lack. rescue may be NULL. Errors:
 * NOVA_EXCEPTION UnsupportedHardware, TooManyDiskDevices, UnsupportedRescueBus, … */
GuestDiskInfo *guest_disk_info(const NdConfig *config, const NovaInstance *instance, const NovaImageMeta *image, GuestBlockDevices *devices,
    const GuestRescue *rescue, GError **error);
/* The disk of that name, borrowed, or NULL. */
GuestDisk *guest_disk_info_find(const GuestDiskInfo *info, const char *name);
/* hd, cdrom, fd in boot order, each once: new array of static strings. */
GPtrArray *guest_disk_info_boot_order(const GuestDiskInfo *info);
/* Whether the instance needs a config drive (upstream configdrive.required_by): its own wish, force_config_drive before the first launch, its image. */
bool guest_needs_config_drive(const NdConfig *config, const NovaInstance *instance);
/* A name for one more device (attach_volume): on `bus`, not among `taken` (char*, "vdb"). New text ("vdc"). */
char *guest_next_device(const NdConfig *config, const char *bus, const GPtrArray *taken, GError **error);
