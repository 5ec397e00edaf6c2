/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * How many transfers and conversions of whole images may go on at one time on this host ([compute]max_concurrent_disk_ops; upstream's
 * disk_ops_semaphore): downloads into the image cache, conversions, uploads of snapshots. Of the whole process.
 */

/* 0 = no limit. Set once, at start. */
void virt_disk_ops_set_limit(unsigned limit);
/* Waits for its turn. False with VIRT_ERROR_CANCELLED when cancellable (may be NULL) is triggered first; virt_disk_ops_end must not be called then. */
bool virt_disk_ops_begin(GCancellable *cancellable, GError **error);
void virt_disk_ops_end(void);
