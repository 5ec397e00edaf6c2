/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/op_resize.h"

#include "agent/compute_cast.h"
#include "agent/dispatch.h"
#include "agent/instance_load.h"
#include "agent/network.h"
#include "agent/notify.h"
#include "agent/operations.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "base/time.h"
#include "rpc/conductor.h"

#define LOGGER "nova.compute.manager"

static const char *const from_reverting[] = {TASK_RESIZE_REVERTING, NULL};

/* --- revert_resize, on the destination --- */

static bool revert_begin(Operation *operation, GError **error)
{
    if (!instance_load_for_guest(operation->agent, operation->context, operation->instance, error))
        return false;
    notify_usage_exists(operation->agent, operation->context, operation->instance, NULL, NULL);
    return resize_stays_here(operation, error) && resize_refresh_network(operation, error);
}

/* The files stay: they lie beside those that the source, this host, kept. */
static bool revert_destroy(Operation *operation, GError **error)
{
    g_autoptr(Guest) guest = guest_new_to_destroy(operation->agent, operation->context, operation->instance);
    return guest_destroy(guest, false, error);
}

static bool revert_claim(Operation *operation, GError **error)
{
    return tracker_drop_move(operation->agent->tracker, operation->context, operation->instance, resize_migration(operation), "reverted",
                             operation->instance->new_flavor, error) &&
           operation_save(operation, from_reverting, error);
}

static bool revert_hand_over(Operation *operation, GError **error)
{
    return compute_cast(operation->agent, operation->context, resize_migration(operation)->source_compute, "finish_revert_resize",
                        resize_next_args(operation), error);
}

static bool revert_failed(Operation *operation, GError **error)
{
    operation_error_out(operation, VM_ACTIVE, *error);
    return false;
}

static const OperationStep revert_steps[] = {
    {"begin", NULL, NULL, revert_begin, NULL},
    {"destroy", NULL, NULL, revert_destroy, NULL},
    {"claim", NULL, NULL, revert_claim, NULL},
    {"hand-over", NULL, NULL, revert_hand_over, NULL},
};

const OperationSpec operation_revert_resize = {
    .method = "revert_resize",
    .flags = OPERATION_STANDARD | OPERATION_ERROR_OUT_MIGRATION,
    .steps = revert_steps,
    .n_steps = G_N_ELEMENTS(revert_steps),
    .prepare = resize_prepare,
    .on_failure = revert_failed,
    .free_data = resize_data_free,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = resize_recover,
};

/* --- finish_revert_resize, on the source --- */

static bool back_begin(Operation *operation, GError **error)
{
    const NovaMigration *migration = resize_migration(operation);
    NovaInstance *instance = operation->instance;
    if (!instance_load_for_guest(operation->agent, operation->context, instance, error))
        return false;
    resize_notify(operation, "resize.revert", OPERATION_NOTIFY_START, false);
    if (!resize_stays_here(operation, error))
        return false;
    if (instance->old_flavor != NULL)
        resize_set_flavor(instance, instance->old_flavor);
    nova_instance_set_host(instance, migration->source_compute);
    nova_instance_set_node(instance, migration->source_node);
    return operation_save(operation, from_reverting, error);
}

static bool back_network(Operation *operation, GError **error)
{
    return network_bind_to_host(operation->agent, operation->context, operation->instance, error) && resize_refresh_network(operation, error);
}

static bool back_spawn(Operation *operation, GError **error)
{
    const ResizeData *data = operation->data;
    GuestParts parts = {.vifs = data->vifs};
    /* A run that was interrupted may have started it already. */
    if (!virt_domain_destroy(operation->agent->virt, operation->instance->uuid, error) ||
        !guest_resize_revert(operation->agent, operation->instance->uuid, error))
        return false;
    g_autoptr(Guest) guest = guest_new(operation->agent, operation->context, operation->instance, &parts, error);
    return guest != NULL && guest_spawn_moved(guest, !resize_was_stopped(operation->instance), true, error);
}

static bool back_settle(Operation *operation, GError **error)
{
    if (!conductor_instance_drop_migration_context(operation->agent->conductor, operation->context, operation->instance, error))
        return false;
    nova_instance_set_launched_at(operation->instance, nd_time_now());
    return operation_save(operation, from_reverting, error);
}

/* As it was before the resize, running or stopped. */
static bool back_state(Operation *operation, GError **error)
{
    bool stopped = resize_was_stopped(operation->instance);
    nd_info(LOGGER, "Updating instance to original state: '%s'", stopped ? VM_STOPPED : VM_ACTIVE);
    if (!stopped) {
        nova_instance_set_vm_state(operation->instance, VM_ACTIVE);
        return operation_save_task_state(operation, OPERATION_TASK_NONE, NULL, error);
    }
    if (!operation_save_task_state(operation, TASK_POWERING_OFF, NULL, error))
        return false;
    NdJson *args = json_object_new_object();
    nd_json_set_bool(args, "clean_shutdown", true);
    return agent_run_within(operation, "stop_instance", args, error);
}

static bool back_announce(Operation *operation, GError **error)
{
    resize_notify(operation, "resize.revert", OPERATION_NOTIFY_END, false);
    return resize_forget_flavors(operation, error);
}

static bool back_failed(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (operation->spec->steps[operation->failed_step].run == back_announce)
        return false;
    operation_error_out(operation, VM_ACTIVE, *error);
    if (!resize_forget_flavors(operation, &failure))
        nd_err(LOGGER, "the flavors of the resize cannot be forgotten: %s", failure->message);
    return false;
}

static const OperationStep back_steps[] = {
    {"begin", NULL, NULL, back_begin, NULL},   {"allocations", NULL, NULL, resize_revert_allocations, NULL},
    {"network", NULL, NULL, back_network, NULL}, {"spawn", NULL, NULL, back_spawn, NULL},
    {"settle", NULL, NULL, back_settle, NULL}, {"state", NULL, NULL, back_state, NULL},
    {"announce", NULL, NULL, back_announce, NULL},
};

const OperationSpec operation_finish_revert_resize = {
    .method = "finish_revert_resize",
    .flags = OPERATION_STANDARD | OPERATION_ERROR_OUT_MIGRATION,
    .steps = back_steps,
    .n_steps = G_N_ELEMENTS(back_steps),
    .prepare = resize_prepare,
    .on_failure = back_failed,
    .free_data = resize_data_free,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = resize_recover,
};
