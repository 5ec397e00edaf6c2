/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/operation.h"

/* The task states that an operation goes through while it sends a snapshot to Glance; the first is what it has when it begins. */
typedef struct {
    const char *begun, *pending, *uploading;
} SnapshotStates;
extern const SnapshotStates snapshot_states; /* image_snapshot → image_pending_upload → image_uploading */

/*
 * Makes a snapshot of the operation's instance and sends it to Glance as the data of `image_id`, which nova-api has made (upstream driver.py snapshot):
 * the guest goes on as it was, whatever happens, and no files are left. Task states are saved on the way, each with what is expected of the one before,
 * in upstream's order. The operation's `recover` should be snapshot_recover. The image is left to the caller when this fails.
 * Errors: InstanceNotRunning, InstanceNotFound, ImageNotFound …, UnexpectedTaskStateError.
 */
bool snapshot_take(Operation *operation, const char *image_id, const SnapshotStates *states, GError **error);
/* Breaks off the snapshot of an instance (NULL: all) that is under way: the server is to be deleted, or the daemon goes down. It fails with
 * UnexpectedDeletingTaskStateError, or AGENT_ERROR_STOPPING. Any thread; does not wait. */
void snapshot_break_off(const char *instance_uuid);
/* OperationSpec.recover: ends what a snapshot left in QEMU and on disk, and takes back the task state. The image stays as it is: only the user's token,
 * which is not kept, may delete it. */
bool snapshot_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error);
