/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Copies a file into a new one with its holes kept, by reflink or in the kernel where the file system can; mode 0644, synced to disk. On failure nothing is left.
 * Errors: VIRT_ERROR_NO_SPACE, _NOT_FOUND, _IO, _CANCELLED (cancellable may be NULL). */
bool virt_file_copy(const char *source, const char *destination, GCancellable *cancellable, GError **error);
