/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * `<uuid>/disk.info`: one line of JSON, {absolute path of a disk: "raw" | "qcow2"}. It is what keeps a guest from changing its disk's format from within: the format is
 * read here and never guessed again (upstream imagebackend.py resolve_driver_format).
 */

/* The recorded format as new text; NULL with VIRT_ERROR_NOT_FOUND when there is no record, VIRT_ERROR_DISK_FORMAT when the file is broken. */
char *virt_disk_info_get(const char *instances_path, const char *uuid, const char *disk_path, GError **error);
/* Records a format; the same one twice is fine, another one is VIRT_ERROR_DISK_FORMAT. Written atomically; other records are kept. */
bool virt_disk_info_record(const char *instances_path, const char *uuid, const char *disk_path, const char *format, GError **error);
