/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/operation.h"

/* The words that nova stores in vm_state and task_state (upstream nova/objects/fields.py), and what operations do with them. */

#define VM_ACTIVE "active"
#define VM_BUILDING "building"
#define VM_PAUSED "paused"
#define VM_SUSPENDED "suspended"
#define VM_STOPPED "stopped"
#define VM_RESCUED "rescued"
#define VM_RESIZED "resized"
#define VM_SOFT_DELETED "soft-delete"
#define VM_DELETED "deleted"
#define VM_ERROR "error"
#define VM_SHELVED "shelved"
#define VM_SHELVED_OFFLOADED "shelved_offloaded"

#define TASK_SCHEDULING "scheduling"
#define TASK_BLOCK_DEVICE_MAPPING "block_device_mapping"
#define TASK_NETWORKING "networking"
#define TASK_SPAWNING "spawning"
#define TASK_IMAGE_SNAPSHOT "image_snapshot"
#define TASK_IMAGE_SNAPSHOT_PENDING "image_snapshot_pending"
#define TASK_IMAGE_PENDING_UPLOAD "image_pending_upload"
#define TASK_IMAGE_UPLOADING "image_uploading"
#define TASK_IMAGE_BACKUP "image_backup"
#define TASK_UPDATING_PASSWORD "updating_password"
#define TASK_RESCUING "rescuing"
#define TASK_UNRESCUING "unrescuing"
#define TASK_RESIZE_PREP "resize_prep"
#define TASK_RESIZE_MIGRATING "resize_migrating"
#define TASK_RESIZE_MIGRATED "resize_migrated"
#define TASK_RESIZE_FINISH "resize_finish"
#define TASK_RESIZE_REVERTING "resize_reverting"
#define TASK_RESIZE_CONFIRMING "resize_confirming"
#define TASK_REBOOTING "rebooting"
#define TASK_REBOOT_PENDING "reboot_pending"
#define TASK_REBOOT_STARTED "reboot_started"
#define TASK_REBOOTING_HARD "rebooting_hard"
#define TASK_REBOOT_PENDING_HARD "reboot_pending_hard"
#define TASK_REBOOT_STARTED_HARD "reboot_started_hard"
#define TASK_PAUSING "pausing"
#define TASK_UNPAUSING "unpausing"
#define TASK_SUSPENDING "suspending"
#define TASK_RESUMING "resuming"
#define TASK_POWERING_OFF "powering-off"
#define TASK_POWERING_ON "powering-on"
#define TASK_REBUILDING "rebuilding"
#define TASK_REBUILD_BLOCK_DEVICE_MAPPING "rebuild_block_device_mapping"
#define TASK_REBUILD_SPAWNING "rebuild_spawning"
#define TASK_MIGRATING "migrating"
#define TASK_DELETING "deleting"
#define TASK_SOFT_DELETING "soft-deleting"
#define TASK_RESTORING "restoring"
#define TASK_SHELVING "shelving"
#define TASK_SHELVING_IMAGE_PENDING_UPLOAD "shelving_image_pending_upload"
#define TASK_SHELVING_IMAGE_UPLOADING "shelving_image_uploading"
#define TASK_SHELVING_OFFLOADING "shelving_offloading"
#define TASK_UNSHELVING "unshelving"

/* The fault of a server whose build a restart has ended. */
#define INSTANCE_FAULT_INTERRUPTED "The compute service was restarted while the server was being built."

/* True if `word` (may be NULL) is one of the NULL-terminated list. */
bool state_is_one_of(const char *word, const char *const *list);

/* Asks libvirt and sets instance.power_state, without saving. */
void operation_refresh_power_state(Operation *operation);
/* The end of an operation that succeeded: power_state, vm_state, task_state null; saved with that expectation; usage updated. */
bool operation_settle(Operation *operation, const char *vm_state, const char *const *expected_task_states, GError **error);
/* vm_state = error, saved; failures are logged. clear_task: also task_state = null. */
void instance_set_error(Agent *agent, const RpcContext *context, NovaInstance *instance, bool clear_task);
/* The server's build is over because of a restart: vm_state error, task_state null, and a fault that says so. */
void instance_set_build_error(Agent *agent, const RpcContext *context, NovaInstance *instance);
/* vm_state and no task, saved: the operation failed before it changed anything (upstream's InstanceFaultRollback). Failures are logged. */
void operation_give_back(Operation *operation, const char *vm_state, const GError *failure);
/* upstream's _error_out_instance_on_exception, for OperationSpec.on_failure: "cannot be done" gives vm_state back, anything else makes it error. */
void operation_error_out(Operation *operation, const char *vm_state, const GError *failure);
/* The instance belongs to no host any more (host, node, launched_on, availability zone), so that the API deletes it by itself. Not saved. */
void instance_leave_host(NovaInstance *instance);
