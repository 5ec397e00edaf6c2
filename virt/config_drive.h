/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * The config drive: a small file system image with instance metadata (upstream nova/virt/configdrive.py). virt/ only packs files;
 * their content is agent/instance_metadata.h's.
 */
typedef struct {
    char *path; /* relative: "openstack/latest/meta_data.json" */
    GBytes *content;
} VirtFile;
VirtFile *virt_file_new(const char *path, GBytes *content /* takes a reference */);
void virt_file_free(VirtFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtFile, virt_file_free)

typedef enum {
    VIRT_CONFIG_DRIVE_ISO9660, /* Joliet and Rock Ridge */
    VIRT_CONFIG_DRIVE_VFAT,    /* 64 MiB unpartitioned, as upstream */
} VirtConfigDriveFormat;

/* Writes the image (volume id "config-2") to `path` through a temporary file in the same directory. files: of VirtFile *. publisher is nova's
 * product text, "OpenStack Nova 26.2.2" (NULL none). Errors: VIRT_ERROR_CONFIG_DRIVE, _NO_SPACE; VIRT_ERROR_ARGUMENT for paths that leave the tree. */
bool virt_config_drive_write(const char *path, VirtConfigDriveFormat format, GPtrArray *files, const char *publisher, GError **error);
