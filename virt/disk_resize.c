/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/disk_resize.h"

#include "base/file.h"
#include "virt/disk.h"
#include "virt/error.h"
#include "virt/file_copy.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static char *resize_directory(const char *instances_path, const char *uuid)
{
    g_autofree char *directory = virt_disk_directory(instances_path, uuid);
    return g_strconcat(directory, "_resize", NULL);
}

static bool copy_file(const char *from_directory, const char *to_directory, const char *name, GCancellable *cancellable, GError **error)
{
    g_autofree char *from = g_build_filename(from_directory, name, NULL), *to = g_build_filename(to_directory, name, NULL);
    return virt_file_copy(from, to, cancellable, error);
}

static bool copy_files(const char *from, const char *to, const char *const *names, GCancellable *cancellable, GError **error)
{
    g_autofree char *info = g_build_filename(from, "disk.info", NULL);
    if (!nd_dir_make(to, 0755, error))
        return false;
    for (; *names; names++)
        if (!copy_file(from, to, *names, cancellable, error))
            return false;
    /* So that no disk's format is ever guessed anew. */
    return access(info, F_OK) != 0 || copy_file(from, to, "disk.info", cancellable, error);
}

bool virt_disk_resize_begin(const char *instances_path, const char *uuid, const char *const *names, GCancellable *cancellable, GError **error)
{
    g_autofree char *directory = virt_disk_directory(instances_path, uuid), *aside = resize_directory(instances_path, uuid);
    if (!nd_tree_remove(aside, error))
        return false;
    if (rename(directory, aside) != 0)
        return virt_error_set_errno(error, errno, "rename '%s'", directory);
    if (copy_files(aside, directory, names, cancellable, error))
        return true;
    g_autoptr(GError) failure = NULL;
    if (!virt_disk_resize_revert(instances_path, uuid, &failure))
        g_prefix_error(error, "%s; ", failure->message);
    return false;
}

bool virt_disk_resize_revert(const char *instances_path, const char *uuid, GError **error)
{
    g_autofree char *directory = virt_disk_directory(instances_path, uuid), *aside = resize_directory(instances_path, uuid);
    if (access(aside, F_OK) != 0)
        return true;
    if (!nd_tree_remove(directory, error))
        return false;
    return rename(aside, directory) == 0 || virt_error_set_errno(error, errno, "rename '%s'", aside);
}

bool virt_disk_resize_confirm(const char *instances_path, const char *uuid, GError **error)
{
    g_autofree char *aside = resize_directory(instances_path, uuid);
    return nd_tree_remove(aside, error);
}
