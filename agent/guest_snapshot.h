/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "objects/image_meta.h"
#include "objects/objects.h"

#include <gio/gio.h>

/*
 * A copy of a guest's root disk as one file without backing file (upstream driver.py snapshot, _live_snapshot). Live: QEMU copies the disk's own layer
 * while the guest goes on, which the guest's agent may freeze for the moment in which the copy ends. Cold: a guest that runs is saved to disk, and
 * restored when its disk has been read.
 */
typedef struct {
    Agent *agent;
    NovaInstance *instance; /* ref */
    NovaImageMeta *image;   /* of the root disk */
    char *disk, *target;    /* path, and name in the guest ("vda") */
    char *disk_format;      /* "qcow2", "raw" */
    char *format;           /* of the copy: [libvirt]snapshot_image_format, else the disk's */
    bool live;
    bool hold, was_paused;  /* cold: the guest runs, and is to be saved to disk for the time; it was paused before */
    bool saved;             /* it is saved now */
    char *folder;           /* below [libvirt]snapshots_directory, NULL until it is made; removed with its content by guest_snapshot_free() */
    char *file;             /* the copy in it */
    GCancellable *cancellable; /* breaks off copying and converting; own reference, NULL none */
} GuestSnapshot;

/* Looks at the guest; nothing is changed. Errors: InstanceNotRunning (no domain). */
GuestSnapshot *guest_snapshot_new(Agent *agent, NovaInstance *instance, GError **error);
/* A guest that still is saved to disk is restored first. */
void guest_snapshot_free(GuestSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestSnapshot, guest_snapshot_free)

/* Cold: saves a guest that runs. */
bool guest_snapshot_hold(GuestSnapshot *snapshot, GError **error);
/* Makes the folder. */
bool guest_snapshot_prepare(GuestSnapshot *snapshot, GError **error);
/* Makes the copy in it. Errors: InstanceNotFound (the guest went away meanwhile), QemuGuestAgentNotEnabled (os_require_quiesce) … */
bool guest_snapshot_extract(GuestSnapshot *snapshot, GError **error);
/* Restores what guest_snapshot_hold() saved. */
bool guest_snapshot_release(GuestSnapshot *snapshot, GError **error);
/* What Glance is to know of the image: members for glance_update_image(), of the name that it has there. New reference. */
NdJson *guest_snapshot_members(const GuestSnapshot *snapshot, const char *name);

/* After a crash in the middle: ends the copy, restores the guest, removes the folder. `data`: what guest_snapshot_journal() gave. `is_up`: the guest
 * is to run or be paused; what another agent has saved to disk or stopped since stays so. */
NdJson *guest_snapshot_journal(const GuestSnapshot *snapshot);
bool guest_snapshot_recover(Agent *agent, const char *uuid, NdJson *data, bool is_up, GError **error);
