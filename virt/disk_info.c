/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "virt/disk_info.h"
#include "virt/error.h"

#include <string.h>

#define INFO_LIMIT (1 << 20)

/* The only writer of these files at one time is this process (an instance belongs to one agent), as upstream's in-process lock assumes. */
static GMutex writing;

/* *info NULL: there is no file. */
static bool read_info(const char *path, NdJson **info, GError **error)
{
    g_autofree char *text = NULL;
    size_t length;
    g_autoptr(GError) local = NULL;
    *info = NULL;
    if (!nd_file_read(path, INFO_LIMIT, &text, &length, &local)) {
        if (g_error_matches(local, ND_ERROR, ND_ERROR_NOT_FOUND))
            return true;
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    g_strchomp(text);
    if (*text == '\0')
        return true;
    g_autoptr(NdJson) parsed = NULL;
    if (!nd_json_parse(text, strlen(text), NULL, &parsed, &local) || !json_object_is_type(parsed, json_type_object)) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT, "'%s' is no JSON object%s%s", path, local != NULL ? ": " : "",
            local != NULL ? local->message : "");
        return false;
    }
    *info = g_steal_pointer(&parsed);
    return true;
}

char *virt_disk_info_get(const char *instances_path, const char *uuid, const char *disk_path, GError **error)
{
    g_autofree char *path = g_build_filename(instances_path, uuid, "disk.info", NULL);
    g_autoptr(NdJson) info = NULL;
    if (!read_info(path, &info, error))
        return NULL;
    NdJson *member = nd_json_member(info, disk_path);
    const char *format = nd_json_string(info, disk_path, NULL);
    if (member == NULL) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_NOT_FOUND, "no record of disk '%s'", disk_path);
        return NULL;
    }
    if (format == NULL || (strcmp(format, "raw") != 0 && strcmp(format, "qcow2") != 0)) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT, "'%s' has no usable format for disk '%s'", path, disk_path);
        return NULL;
    }
    return g_strdup(format);
}

bool virt_disk_info_record(const char *instances_path, const char *uuid, const char *disk_path, const char *format, GError **error)
{
    g_autofree char *path = g_build_filename(instances_path, uuid, "disk.info", NULL);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writing);
    g_autoptr(NdJson) info = NULL;
    if (!read_info(path, &info, error))
        return false;
    const char *recorded = nd_json_string(info, disk_path, NULL);
    if (recorded != NULL) {
        if (strcmp(recorded, format) == 0)
            return true;
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT, "disk '%s' is recorded as %s, not %s", disk_path, recorded, format);
        return false;
    }
    if (info == NULL)
        info = json_object_new_object();
    nd_json_set_string(info, disk_path, format);
    g_autofree char *text = nd_json_to_string(info), *line = g_strconcat(text, "\n", NULL);
    return nd_file_write(path, line, strlen(line), 0644, error);
}
