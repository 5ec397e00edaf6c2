/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/lock.h"
#include "virt/image.h"

/*
 * The shared image cache `<instances_path>/<image_cache.subdirectory_name>` ("_base") with nova's names and nova's locks, so that novad and
 * nova-compute can use one directory at one time (spec/ecosystem.md section 11; upstream imagebackend.py, imagecache.py, images.py).
 */
typedef struct VirtImageCache {
    char *instances_path; /* /var/lib/nova/instances */
    char *subdirectory;   /* _base */
    bool force_raw_images;
    VirtImageLimits limits;
    char **vmdk_types; /* [compute]vmdk_allowed_types: create types that VMDK images may have; NULL = all that are safe */
} VirtImageCache;
void virt_image_cache_clear(VirtImageCache *cache);
/* The lock of a cached file's name, `<instances_path>/locks/nova-<name>` (not [oslo_concurrency]lock_path: the folder goes with the shared images).
 * Waits for ever. */
NdFileLock *virt_image_cache_lock(const VirtImageCache *cache, const char *name, GCancellable *cancellable, GError **error);

/* sha1 in hex of the image id's text: the file's name in the cache. New text. */
char *virt_image_cache_name(const char *image_id);
/* Its absolute path. New text. */
char *virt_image_cache_path(const VirtImageCache *cache, const char *name);

/* Writes the image's bytes to `path` (which does not exist yet); called with the image's lock held, at most once for a cached image. */
typedef bool (*VirtImageDownload)(const char *path, gpointer user_data, GError **error);

typedef struct {
    const char *image_id;
    const char *disk_format;   /* Glance's: what the bytes must be */
    guint64 max_virtual_size;  /* of the flavor's root disk, bytes; 0 = any */
    bool plain;                /* kernel, ramdisk: kept byte for byte, neither checked nor converted (upstream fetch_raw_image) */
    VirtImageDownload download;
    gpointer user_data;
    GCancellable *cancellable;
} VirtImageRequest;

/*
 * The path of the image in the cache (new text in *path), fetched, checked and, if raw is forced, converted, under the image's lock when it is
 * not there. Its mtime is set to now. *info describes the file. Leaves no ".part" or ".converted" behind on failure.
 * Errors: VIRT_ERROR_IMAGE_UNACCEPTABLE, _DISK_TOO_SMALL, _NO_SPACE (checked before a conversion), those of download.
 */
bool virt_image_cache_get(const VirtImageCache *cache, const VirtImageRequest *request, char **path, VirtImageInfo *info, GError **error);

/* Sets the mtime of a cached file to now, as a sign that it is in use. False (errno is set) if it is gone, or is root's or QEMU's: users of the cache
 * accept that, as upstream does (_update_utime_ignore_eacces). */
bool virt_image_cache_touch(const char *path);
