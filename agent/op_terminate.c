/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/external_events.h"
#include "agent/guest.h"
#include "agent/network.h"
#include "agent/method_args.h"
#include "agent/operations.h"
#include "agent/snapshot.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "base/time.h"
#include "rest/error.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

#define LOGGER "nova.compute.manager"

/* terminate_instance (spec/compute-rpc.md section 4). Every step is safe to repeat: after a crash, or a second request, what is gone is gone. */

static bool step_begin(Operation *operation, GError **error)
{
    nd_info(LOGGER, "Terminating instance");
    agent_events_cancel(operation->agent->events, operation->instance->uuid);
    operation_notify(operation, "delete", OPERATION_NOTIFY_START, NULL);
    operation_notify(operation, "shutdown", OPERATION_NOTIFY_START, NULL);
    return true;
}

static bool has_volumes(NovaBlockDeviceMappingList *mappings)
{
    for (guint i = 0; mappings && i < nova_object_list_length(mappings); i++) {
        NovaBlockDeviceMapping *mapping = nova_object_list_get(mappings, i);
        if (g_strcmp0(mapping->destination_type, "volume") == 0)
            return true;
    }
    return false;
}

/* Those of the request; the periodic task's deletion has none. */
static NovaBlockDeviceMappingList *mappings_of(Operation *operation, GError **error)
{
    NovaBlockDeviceMappingList *given = operation->args ? NOVA_BLOCK_DEVICE_MAPPING_LIST(method_args_object(operation->args, "bdms")) : NULL;
    if (given)
        return nova_block_device_mapping_list_ref(given);
    return conductor_bdm_list(operation->agent->conductor, operation->context, operation->instance->uuid, error);
}

static bool step_destroy(Operation *operation, GError **error)
{
    gint64 begun = g_get_monotonic_time();
    g_autoptr(NovaBlockDeviceMappingList) mappings = mappings_of(operation, error);
    if (mappings == NULL)
        return false;
    /* Their attachments would stay with Cinder for ever: better a server that can be deleted again once novad can do it. */
    if (has_volumes(mappings)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "servers with Cinder volumes are not supported yet");
        return false;
    }
    g_autoptr(Guest) guest = guest_new_to_destroy(operation->agent, operation->context, operation->instance);
    if (!guest_destroy(guest, true, error))
        return false;
    nova_instance_set_cleaned(operation->instance, true); /* saved with the end state; else _run_pending_deletes would come for it */
    nd_info(LOGGER, "Took %.2f seconds to destroy the instance on the hypervisor.", (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC);
    return true;
}

/* A Neutron that cannot be reached is asked three times, as upstream does. */
static bool step_network(Operation *operation, GError **error)
{
    g_autoptr(RpcContext) elevated = rpc_context_elevated(operation->context);
    for (int attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        if (network_deallocate(operation->agent, elevated, operation->instance, NULL, &failure))
            return true;
        if (attempt == 3 || !g_error_matches(failure, REST_ERROR, REST_ERROR_CONNECT)) {
            g_propagate_prefixed_error(error, g_steal_pointer(&failure), "deallocate networks: ");
            return false;
        }
        nd_warning(LOGGER, "Neutron cannot be reached to deallocate networks (attempt %d): %s", attempt, failure->message);
        if (!agent_events_pause(operation->agent->events, operation->instance->uuid, attempt * G_USEC_PER_SEC, error))
            return false;
    }
}

static bool step_record(Operation *operation, GError **error)
{
    operation_notify(operation, "shutdown", OPERATION_NOTIFY_END, NULL);
    nova_instance_set_vm_state(operation->instance, "deleted");
    nova_instance_set_power_state(operation->instance, VIRT_POWER_NOSTATE);
    nova_instance_set_terminated_at(operation->instance, nd_time_now());
    return operation_save_task_state(operation, OPERATION_TASK_NONE, NULL, error);
}

static bool step_release(Operation *operation, GError **error)
{
    Agent *agent = operation->agent;
    g_autoptr(GError) failure = NULL;
    const char *uuid = operation->instance->uuid;
    if (!tracker_instance_update(agent->tracker, operation->context, operation->instance, &failure))
        nd_warning(LOGGER, "Failed to update the resource usage: %s", failure->message);
    if (!tracker_delete_allocations(agent->tracker, operation->context, uuid, true, error))
        return false;
    g_clear_error(&failure);
    if (!conductor_console_tokens_clean(agent->conductor, operation->context, uuid, &failure))
        nd_warning(LOGGER, "Failed to clean console tokens: %s", failure->message);
    tracker_scheduler_delete(agent->tracker, operation->context, uuid);
    return true;
}

static bool step_forget(Operation *operation, GError **error)
{
    if (!conductor_instance_destroy(operation->agent->conductor, operation->context, operation->instance, error))
        return false;
    operation_notify(operation, "delete", OPERATION_NOTIFY_END, NULL);
    return true;
}

static bool on_failure(Operation *operation, GError **error)
{
    if (nova_exception_matches(*error, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        nd_info(LOGGER, "Instance disappeared during terminate");
        g_clear_error(error);
        return true;
    }
    if (g_error_matches(*error, AGENT_ERROR, AGENT_ERROR_STOPPING))
        return false;
    nd_err(LOGGER, "Setting instance vm_state to ERROR: %s", (*error)->message);
    g_autoptr(GError) failure = NULL;
    nova_instance_set_vm_state(operation->instance, "error");
    if (!operation_save(operation, NULL, &failure))
        nd_warning(LOGGER, "the instance cannot be set to error: %s", failure->message);
    return false;
}

static const OperationStep steps[] = {
    {"begin", NULL, NULL, step_begin, NULL},     {"destroy", NULL, NULL, step_destroy, NULL}, {"network", NULL, NULL, step_network, NULL},
    {"record", NULL, NULL, step_record, NULL},   {"release", NULL, NULL, step_release, NULL}, {"forget", NULL, NULL, step_forget, NULL},
};

/* A snapshot under way may take long, and its server is to go. */
static void break_off_snapshot(Operation *operation)
{
    snapshot_break_off(operation->instance->uuid);
}

const OperationSpec operation_terminate_instance = {
    .method = "terminate_instance",
    .flags = OPERATION_STANDARD,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
    .on_failure = on_failure,
    .arrived = break_off_snapshot,
};

/* --- _reclaim_queued_deletes: the same for a soft-deleted server whose time is over --- */

/* It waited in the instance's lane: a restore may have come first. */
static bool step_still_queued(Operation *operation, GError **error)
{
    if (!conductor_instance_refresh(operation->agent->conductor, operation->context, operation->instance, error))
        return false;
    if (g_strcmp0(operation->instance->vm_state, VM_SOFT_DELETED) == 0 && operation->instance->task_state == NULL)
        nd_info(LOGGER, "Reclaiming deleted instance");
    else
        operation_finish_early(operation);
    return true;
}

static const OperationStep reclaim_steps[] = {
    {"still-queued", NULL, NULL, step_still_queued, NULL}, {"begin", NULL, NULL, step_begin, NULL},   {"destroy", NULL, NULL, step_destroy, NULL},
    {"network", NULL, NULL, step_network, NULL},           {"record", NULL, NULL, step_record, NULL}, {"release", NULL, NULL, step_release, NULL},
    {"forget", NULL, NULL, step_forget, NULL},
};

const OperationSpec operation_reclaim_instance = {
    .method = "_reclaim_queued_deletes",
    .steps = reclaim_steps,
    .n_steps = G_N_ELEMENTS(reclaim_steps),
};
