/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/image_cache.h"

/* Blank disks: ephemeral ones with a file system and swap (upstream driver.py _create_ephemeral, _create_swap, privsep/fs.py). */
typedef struct {
    guint64 size;                 /* bytes */
    const char *label;            /* ephemeral0 */
    const char *os_type;          /* instance.os_type or NULL */
    const char *fs_format;        /* guest_format of the block device mapping, or NULL */
    const char *default_format;   /* [DEFAULT]default_ephemeral_format, or NULL */
    const char *const *virt_mkfs; /* [DEFAULT]virt_mkfs: "os_type=command" items, NULL none */
} VirtEphemeralRequest;

/* nova's names of the cached ones: ephemeral_<GiB>_<7 hex digits>, swap_<MiB>. New text. */
char *virt_ephemeral_name(const VirtEphemeralRequest *request);
char *virt_swap_name(guint64 size_mib);
/* Makes one at `path`, raw, which must not exist; nothing is left on failure. Errors: VIRT_ERROR_NO_SPACE, VIRT_ERROR_FAILED with mkfs's words. */
bool virt_ephemeral_make(const char *path, const VirtEphemeralRequest *request, GError **error);
bool virt_swap_make(const char *path, guint64 size_mib, GError **error);

/* The path in the image cache (new text), made under its lock when it is not there. */
bool virt_image_cache_get_ephemeral(const VirtImageCache *cache, const VirtEphemeralRequest *request, char **path, GError **error);
bool virt_image_cache_get_swap(const VirtImageCache *cache, guint64 size_mib, char **path, GError **error);
