/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/image_blank.h"
#include "virt/image_cache.h"

/*
 * The instance's directory `<instances_path>/<uuid>` and the disks in it (upstream imagebackend.py Qcow2 and Flat, driver.py
 * _create_image, delete_instance_files; spec/ecosystem.md sections 8 and 11).
 */
typedef enum {
    VIRT_DISK_BACKEND_QCOW2,
    VIRT_DISK_BACKEND_FLAT, /* images_type raw, flat, and default with use_cow_images off */
} VirtDiskBackend;

/* From [libvirt]images_type and [DEFAULT]use_cow_images. lvm, rbd, ploop: VIRT_ERROR_NOT_SUPPORTED. */
bool virt_disk_backend_from_config(const char *images_type, bool use_cow_images, VirtDiskBackend *backend, GError **error);

typedef struct {
    const VirtImageCache *cache;
    VirtDiskBackend backend;
    bool preallocate; /* [DEFAULT]preallocate_images = space */
} VirtDiskOptions;

/* <instances_path>/<uuid>, new text. */
char *virt_disk_directory(const char *instances_path, const char *uuid);
/* <directory>/<name>, new text: name is disk, disk.local, disk.eph0, disk.swap, disk.config, disk.info, console.log, kernel, ramdisk... */
char *virt_disk_path(const char *instances_path, const char *uuid, const char *name);
/* Makes the directory (0755) and, so that libvirt does not own it first, an empty console.log. It may be there already. */
bool virt_disk_directory_create(const char *instances_path, const char *uuid, GError **error);

/* Makes `<uuid>/<name>` from the cached image: a qcow2 overlay, or a copy. size in bytes, 0 = the image's own. An existing disk is kept (grown if smaller).
 * Records it in disk.info. Errors: VIRT_ERROR_DISK_TOO_SMALL (image larger than size). */
bool virt_disk_create_from_image(const VirtDiskOptions *options, const char *uuid, const char *name, const VirtImageRequest *image, guint64 size,
    GError **error);
bool virt_disk_create_ephemeral(const VirtDiskOptions *options, const char *uuid, const char *name, const VirtEphemeralRequest *request,
    GError **error);
bool virt_disk_create_swap(const VirtDiskOptions *options, const char *uuid, const char *name, guint64 size_mib, GError **error);
/* A copy of a cached file that is used as it is (kernel, ramdisk). */
bool virt_disk_create_plain(const VirtDiskOptions *options, const char *uuid, const char *name, const VirtImageRequest *image, GError **error);

/* True if the instance's directory exists (upstream instance_on_disk). */
bool virt_disk_exists(const char *instances_path, const char *uuid);

/* Removes the instance's files: renames the directory to <uuid>_del first (and takes <uuid>_resize when the former is gone), then deletes it; a leftover
 * _del, and the _resize of a resize that never ended, are deleted as well. Nothing there is fine. */
bool virt_disk_delete(const char *instances_path, const char *uuid, GError **error);

/* One disk of a domain for over-commit sums. */
typedef struct {
    char *path;
    VirtImageFormat format;
    guint64 virtual_size;
    guint64 allocated; /* bytes really used */
    gint64 over_committed; /* virtual_size - allocated for qcow2; the unallocated part of a sparse raw file as upstream counts it */
} VirtDiskUsage;
/* Reads one; format as the domain's XML says ("raw", "qcow2"). */
bool virt_disk_usage(const char *path, const char *format, VirtDiskUsage *usage, GError **error);
void virt_disk_usage_clear(VirtDiskUsage *usage);
