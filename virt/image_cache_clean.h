/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/image_cache.h"

/*
 * Ageing of the image cache (upstream nova/virt/libvirt/imagecache.py). A pass sets the mtime of what is in use to now, and removes what has not been
 * in use for long enough. Known in the cache's folder, by name; everything else is left alone:
 *
 *   <sha1 of an image id>                         an image
 *   <sha1 of an image id>_<digits>, _sm           resized variants, which older releases made
 *   swap_<MiB>, ephemeral_<GiB>_<7 hex digits>    blank disks
 *   any of the first and last + .part, .converted a download or conversion under way, or what a crash left of one
 *
 * In use is what the caller names, and whatever a qcow2 file anywhere below instances_path has as its backing file, whether the instance is known or not.
 */
typedef enum {
    VIRT_CACHE_IN_USE,   /* by what the caller has named; detail: the image id, NULL for blank disks */
    VIRT_CACHE_BACKING,  /* by nothing but a disk; detail: that disk's path */
    VIRT_CACHE_UNUSED,   /* by nothing; detail NULL. Comes for all such files before any is removed */
    VIRT_CACHE_YOUNG,    /* kept: was in use not long ago */
    VIRT_CACHE_LOCKED,   /* kept: somebody has its lock, so fetches or uses it */
    VIRT_CACHE_REMOVED,
    VIRT_CACHE_KEPT,     /* could not be removed; detail: why */
    VIRT_CACHE_MISSING,  /* path: a blank disk's name that is named as used but not in the cache */
} VirtCacheEvent;

typedef struct {
    GHashTable *image_ids; /* set of char *: used by instances of all hosts that share the storage */
    GHashTable *blanks;    /* set of char *: names of blank disks, used by the same */
    bool remove;           /* [image_cache]remove_unused_base_images; false: only look and touch */
    gint64 original_age_s; /* [image_cache]remove_unused_original_minimum_age_seconds: images, blank disks */
    gint64 resized_age_s;  /* [image_cache]remove_unused_resized_minimum_age_seconds */
    gint64 began_us;       /* wall clock, before image_ids and blanks were asked for: what was touched since is in use */
    void (*report)(VirtCacheEvent event, const char *path, const char *detail, gpointer user_data);
    gpointer user_data;
} VirtCachePass;

/* One pass. A half-made file goes when it has not changed for an hour (and original_age_s) and its lock is free. Nothing at all is removed if a disk
 * or folder below instances_path cannot be read. Without a cache folder there is nothing to do. */
bool virt_image_cache_clean(const VirtImageCache *cache, const VirtCachePass *pass, GError **error);

/* The backing files of all qcow2 files below instances_path but in the cache: set of file names without their folder (char * -> path of a disk, char *). */
GHashTable *virt_image_cache_backings(const VirtImageCache *cache, GError **error);
