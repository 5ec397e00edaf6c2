/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between the agent/guest_*.c files. */
#include "agent/guest.h"
#include "virt/config_drive.h"

/* Plugs the interfaces and defines the domain that the instance is to have; writes into the instance what upstream records of it. */
bool guest_define(Guest *guest, GError **error);
/* The rescue's own disk, kernel, ramdisk and (old kind) config drive. */
bool guest_create_rescue_disks(Guest *guest, const char *image_id, const char *image_format, const GuestSpawnOptions *options, GError **error);
/* Fetches the cached image that the root disk stands on if it is gone and the request brought a token for it. */
bool guest_restore_backing(Guest *guest, GError **error);
/* The files of the config drive: of VirtFile. */
GPtrArray *guest_metadata_files(Guest *guest, const GuestSpawnOptions *options, GError **error);
/* The same as the guest's metadata shows it: a new list. */
NdJson *guest_device_metadata(const NovaInstance *instance);
