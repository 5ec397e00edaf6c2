/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/task_state.h"
#include "objects/objects.h"

/* soft_delete_instance, restore_instance (spec/compute-rpc.md section 4). The real deletion of what was not restored in time is
 * operation_reclaim_instance in op_terminate.c. */

/* --- soft delete --- */

static bool soft_delete_begin(Operation *operation, GError **error G_GNUC_UNUSED)
{
    operation_notify(operation, "soft_delete", OPERATION_NOTIFY_START, NULL);
    return true;
}

/* libvirt has no soft delete of its own: the power is cut. */
static bool soft_delete_power_off(Operation *operation, GError **error)
{
    return guest_power_off(operation->agent, operation->instance, 0, 0, NULL, error);
}

static bool soft_delete_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_SOFT_DELETING, NULL};

    if (!operation_settle(operation, VM_SOFT_DELETED, expected, error))
        return false;
    operation_notify(operation, "soft_delete", OPERATION_NOTIFY_END, NULL);
    return true;
}

/* Upstream announces the end of a deletion also when it failed. */
static bool soft_delete_failed(Operation *operation, GError **error G_GNUC_UNUSED)
{
    operation_notify(operation, "soft_delete", OPERATION_NOTIFY_END, NULL);
    return false;
}

static const OperationStep soft_delete_steps[] = {
    {"begin", NULL, NULL, soft_delete_begin, NULL},
    {"power-off", NULL, NULL, soft_delete_power_off, NULL},
    {"settle", NULL, NULL, soft_delete_settle, NULL},
};

const OperationSpec operation_soft_delete_instance = {
    .method = "soft_delete_instance",
    .flags = OPERATION_STANDARD,
    .steps = soft_delete_steps,
    .n_steps = G_N_ELEMENTS(soft_delete_steps),
    .on_failure = soft_delete_failed,
};

/* --- restore --- */

static bool restore_power_on(Operation *operation, GError **error)
{
    g_autoptr(Guest) guest = guest_new_refreshed(operation->agent, operation->context, operation->instance, error);

    return guest != NULL && guest_power_on(guest, error);
}

static bool restore_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_RESTORING, NULL};

    return operation_settle(operation, VM_ACTIVE, expected, error);
}

static const OperationStep restore_steps[] = {
    {"power-on", NULL, NULL, restore_power_on, NULL},
    {"settle", NULL, NULL, restore_settle, NULL},
};

const OperationSpec operation_restore_instance = {
    .method = "restore_instance",
    .notify = "restore",
    .flags = OPERATION_STANDARD,
    .steps = restore_steps,
    .n_steps = G_N_ELEMENTS(restore_steps),
};
