/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Replaces the file's content at once: writes a temporary file beside it, fsync, rename, fsync of the folder. After a crash either the old
 * or the new content is there, whole. The file gets `mode` (umask not applied). Errors: ND_ERROR_NO_SPACE, ND_ERROR_IO, ND_ERROR_NOT_FOUND
 * (no such folder). */
bool nd_file_write(const char *path, const void *data, size_t length, mode_t mode, GError **error);
/* Reads a whole regular file of at most `limit` bytes (0: 1 MiB) into new memory, NUL-terminated beyond its length; length may be NULL.
 * Errors: ND_ERROR_NOT_FOUND, ND_ERROR_LIMIT, ND_ERROR_IO. /proc and /sys files work. */
bool nd_file_read(const char *path, size_t limit, char **data, size_t *length, GError **error);
/* Makes the folder and its missing parents (mkdir -p); it is no error if it is there. */
bool nd_dir_make(const char *path, mode_t mode, GError **error);
/* Removes one file; it is no error if it is not there. */
bool nd_file_remove(const char *path, GError **error);
/* Removes a file or a folder with all below it (rm -rf). Symbolic links are removed, never followed, also when others change the tree
 * meanwhile; stays on one file system. It is no error if it is not there. */
bool nd_tree_remove(const char *path, GError **error);
/* rename(2) and fsync of the target's folder. */
bool nd_file_rename(const char *from, const char *to, GError **error);
/* fsync of a folder, so that a new or renamed entry survives a crash. */
bool nd_dir_sync(const char *path, GError **error);

typedef struct {
    guint64 total;     /* bytes of the file system */
    guint64 free;      /* free for root */
    guint64 available; /* free for us */
} NdFileSpace;
/* Space of the file system that holds `path`. */
bool nd_file_space(const char *path, NdFileSpace *space, GError **error);
