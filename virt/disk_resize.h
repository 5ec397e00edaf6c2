/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * The folder `<uuid>_resize`: an instance's files as they were before a resize, kept until that is confirmed or reverted (upstream
 * driver.py migrate_disk_and_power_off, finish_revert_migration, _cleanup_resize). Other nova agents find and make the same folder.
 */

/* Renames `<uuid>` to `<uuid>_resize` (what was left there by an earlier try is deleted) and makes `<uuid>` anew with copies of the named files and of
 * disk.info. On failure everything is as it was. Errors: VIRT_ERROR, ND_ERROR. */
bool virt_disk_resize_begin(const char *instances_path, const char *uuid, const char *const *names, GCancellable *cancellable, GError **error);
/* The folder from before is the instance's again and the one made for the resize is gone. Without `<uuid>_resize` nothing happens. */
bool virt_disk_resize_revert(const char *instances_path, const char *uuid, GError **error);
/* Deletes `<uuid>_resize`; none is fine. */
bool virt_disk_resize_confirm(const char *instances_path, const char *uuid, GError **error);
