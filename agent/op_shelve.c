/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/dispatch.h"
#include "agent/guest.h"
#include "agent/image_service.h"
#include "agent/instance_load.h"
#include "agent/method_args.h"
#include "agent/network.h"
#include "agent/notify.h"
#include "agent/operations.h"
#include "agent/snapshot.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "base/time.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

/* shelve_instance: the server is stopped and its disk becomes an image. shelve_offload_instance: it leaves the host. With shelved_offload_time = 0, the
 * default, the one goes on with the steps of the other (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"
#define SHUTDOWN_RETRY_S 10

static const SnapshotStates shelve_states = {TASK_SHELVING, TASK_SHELVING_IMAGE_PENDING_UPLOAD, TASK_SHELVING_IMAGE_UPLOADING};

/* Servers with volumes are not made here yet; one of another agent must not lose its attachments. */
static bool refuse_volumes(Operation *operation, GError **error)
{
    g_autoptr(NovaBlockDeviceMappingList) mappings =
        conductor_bdm_list(operation->agent->conductor, operation->context, operation->instance->uuid, error);
    if (mappings == NULL)
        return false;
    for (guint i = 0; i < nova_object_list_length(mappings); i++) {
        const NovaBlockDeviceMapping *mapping = nova_object_list_get(mappings, i);
        if (g_strcmp0(mapping->destination_type, "volume") == 0) {
            g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "servers with Cinder volumes are not supported yet");
            return false;
        }
    }
    return true;
}

static bool power_off(Operation *operation, bool clean, GError **error)
{
    int timeout_s = guest_shutdown_timeout(operation->agent, operation->instance, clean);
    return guest_power_off(operation->agent, operation->instance, timeout_s, SHUTDOWN_RETRY_S, NULL, error);
}

/* --- offload --- */

static bool offload_begin(Operation *operation, GError **error)
{
    nd_info(LOGGER, "Shelve offloading");
    if (!refuse_volumes(operation, error))
        return false;
    operation_notify(operation, "shelve_offload", OPERATION_NOTIFY_START, NULL);
    return true;
}

/* After a shelve the guest is off already; only the method itself says whether it may be asked first. */
static bool offload_power_off(Operation *operation, GError **error)
{
    bool clean = operation->spec == &operation_shelve_offload_instance && method_args_bool(operation->args, "clean_shutdown");
    if (!power_off(operation, clean, error))
        return false;
    operation_refresh_power_state(operation);
    return network_refresh(operation->agent, operation->context, operation->instance, NETWORK_REFRESH_CACHED, NULL, error);
}

static bool offload_destroy(Operation *operation, GError **error)
{
    g_autoptr(Guest) guest = guest_new_to_destroy(operation->agent, operation->context, operation->instance);
    return guest_destroy(guest, true, error);
}

/* Before the state changes: who waits for that may want to use what is free now. */
static bool offload_allocations(Operation *operation, GError **error)
{
    return tracker_delete_allocations(operation->agent->tracker, operation->context, operation->instance->uuid, true, error);
}

static bool offload_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_SHELVING, TASK_SHELVING_OFFLOADING, NULL};
    nova_instance_set_vm_state(operation->instance, VM_SHELVED_OFFLOADED);
    return operation_save_task_state(operation, OPERATION_TASK_NONE, expected, error);
}

/* The tracker goes by vm_state and host, so the host is left only now. */
static bool offload_leave(Operation *operation, GError **error)
{
    Agent *agent = operation->agent;
    g_autoptr(GError) failure = NULL;
    if (!tracker_instance_update(agent->tracker, operation->context, operation->instance, &failure))
        nd_warning(LOGGER, "Failed to update the resource usage: %s", failure->message);
    instance_leave_host(operation->instance);
    if (!operation_save(operation, NULL, error))
        return false;
    tracker_scheduler_delete(agent->tracker, operation->context, operation->instance->uuid);
    operation_notify(operation, "shelve_offload", OPERATION_NOTIFY_END, NULL);
    return true;
}

#define OFFLOAD_STEPS \
    {"offload", NULL, NULL, offload_begin, NULL}, {"offload-power-off", NULL, NULL, offload_power_off, NULL}, \
        {"offload-destroy", NULL, NULL, offload_destroy, NULL}, {"offload-allocations", NULL, NULL, offload_allocations, NULL}, \
        {"offload-settle", NULL, NULL, offload_settle, NULL}, {"offload-leave", NULL, NULL, offload_leave, NULL}

static const OperationStep offload_steps[] = {OFFLOAD_STEPS};

/* After a crash the server leaves the host all the same: its image is complete, and each step may be repeated. One that has left the record but not the
 * numbers is put right by the audit. */
static bool offload_recover(Agent *agent, const AgentJournalEntry *entry G_GNUC_UNUSED, NovaInstance *instance, GError **error)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    if (instance->deleted || g_strcmp0(instance->host, agent->host) != 0)
        return true;
    if (g_strcmp0(instance->vm_state, VM_SHELVED_OFFLOADED) == 0) {
        instance_leave_host(instance);
        return conductor_instance_save(agent->conductor, context, instance, NULL, error);
    }
    if (g_strcmp0(instance->task_state, TASK_SHELVING_OFFLOADING) != 0)
        return true;
    NdJson *args = json_object_new_object();
    nd_json_set_bool(args, "clean_shutdown", false);
    return agent_run_method(agent, context, "shelve_offload_instance", instance, args, error);
}

const OperationSpec operation_shelve_offload_instance = {
    .method = "shelve_offload_instance",
    .flags = OPERATION_STANDARD,
    .steps = offload_steps,
    .n_steps = G_N_ELEMENTS(offload_steps),
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = offload_recover,
};

/* --- shelve --- */

static bool shelve_begin(Operation *operation, GError **error)
{
    nd_info(LOGGER, "Shelving");
    if (!instance_load_for_guest(operation->agent, operation->context, operation->instance, error) || !refuse_volumes(operation, error))
        return false;
    if (method_args_string(operation->args, "image_id") == NULL) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "shelve_instance() without an image");
        return false;
    }
    notify_usage_exists(operation->agent, operation->context, operation->instance, NULL, NULL);
    operation_notify(operation, "shelve", OPERATION_NOTIFY_START, NULL);
    return true;
}

/* A paused guest hears nothing. */
static bool shelve_power_off(Operation *operation, GError **error)
{
    bool paused = operation->instance->power_state == VIRT_POWER_PAUSED;
    return power_off(operation, !paused && method_args_bool(operation->args, "clean_shutdown"), error);
}

static bool shelve_snapshot(Operation *operation, GError **error)
{
    return snapshot_take(operation, method_args_string(operation->args, "image_id"), &shelve_states, error);
}

static bool shelve_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_SHELVING, TASK_SHELVING_IMAGE_UPLOADING, NULL};
    NovaInstance *instance = operation->instance;
    bool offload = nd_config_int(operation->agent->config, "DEFAULT", "shelved_offload_time") == 0;
    g_autofree char *now = nd_time_format_argument(nd_time_now()); /* as Python's isoformat() */
    nova_object_dict_set(instance, NOVA_INSTANCE_SYSTEM_METADATA, "shelved_at", now);
    nova_object_dict_set(instance, NOVA_INSTANCE_SYSTEM_METADATA, "shelved_image_id", method_args_string(operation->args, "image_id"));
    nova_object_dict_set(instance, NOVA_INSTANCE_SYSTEM_METADATA, "shelved_host", operation->agent->host);
    nova_instance_set_vm_state(instance, VM_SHELVED);
    operation_refresh_power_state(operation);
    if (!operation_save_task_state(operation, offload ? TASK_SHELVING_OFFLOADING : OPERATION_TASK_NONE, expected, error))
        return false;
    operation_notify(operation, "shelve", OPERATION_NOTIFY_END, NULL);
    if (!offload)
        operation_finish_early(operation);
    return true;
}

#define SHELVE_STEP_SNAPSHOT 2

/* A server that was not shelved has no use for the image that nova-api made for it. Upstream leaves it there, empty. */
static bool shelve_failed(Operation *operation, GError **error G_GNUC_UNUSED)
{
    const char *image_id = method_args_string(operation->args, "image_id");
    if (operation->failed_step <= SHELVE_STEP_SNAPSHOT && image_id != NULL)
        image_service_discard(operation->agent, operation->context, image_id);
    return false;
}

static const OperationStep shelve_steps[] = {
    {"begin", NULL, NULL, shelve_begin, NULL},
    {"power-off", NULL, NULL, shelve_power_off, NULL},
    [SHELVE_STEP_SNAPSHOT] = {"snapshot", NULL, NULL, shelve_snapshot, NULL},
    {"settle", NULL, NULL, shelve_settle, NULL},
    OFFLOAD_STEPS,
};

/* After a crash before the image was complete the server is as it was, but off; then it leaves the host. */
static bool shelve_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error)
{
    return snapshot_recover(agent, entry, instance, error) && offload_recover(agent, entry, instance, error);
}

const OperationSpec operation_shelve_instance = {
    .method = "shelve_instance",
    .flags = OPERATION_STANDARD,
    .steps = shelve_steps,
    .n_steps = G_N_ELEMENTS(shelve_steps),
    .on_failure = shelve_failed,
    .recovery = OPERATION_RECOVER_BACK,
    .recover = shelve_recover,
};
