/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

/*
 * Locks between processes, the same that Python's fasteners takes for oslo_concurrency's external locks (fcntl over the whole file), so
 * novad and nova-compute, or cinder for os-brick's folder, exclude each other. They exclude threads of this process too. The file stays, unless it is removed with its lock.
 */
typedef struct NdFileLock NdFileLock;

/* The file of oslo_concurrency's lock `name`: "<directory>/<prefix>-<name with / as _>"; prefix "nova" in nova, NULL for none. Caller
 * frees. */
char *nd_file_lock_path(const char *directory, const char *prefix, const char *name);
/* Takes the lock, making the file and its folder if needed. timeout_us: how long to wait; 0: one try; negative: for ever. Errors:
 * ND_ERROR_TIMEOUT, ND_ERROR_CANCELLED, ND_ERROR_IO. cancellable may be NULL. */
NdFileLock *nd_file_lock_take(const char *path, gint64 timeout_us, GCancellable *cancellable, GError **error);
/* Gives it back. */
void nd_file_lock_release(NdFileLock *lock);
/* Removes the file and gives the lock back, for names that nobody will use again. Who waits for it by nd_file_lock_take goes on with a new file;
 * fasteners would not notice, so this is for locks that can hardly have a waiter. */
void nd_file_lock_remove(NdFileLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdFileLock, nd_file_lock_release)
