/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/op_resize.h"

#include "agent/compute_cast.h"
#include "agent/external_events.h"
#include "agent/instance_load.h"
#include "agent/method_args.h"
#include "agent/network.h"
#include "agent/notify.h"
#include "agent/notify_payload.h"
#include "agent/operations.h"
#include "agent/server_group.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

#define LOGGER "nova.compute.manager"
#define SHUTDOWN_RETRY_S 10

/* --- shared with the other parts --- */

bool resize_prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    ResizeData *data = g_new0(ResizeData, 1);
    data->vm_state = g_strdup(operation->instance->vm_state);
    operation->data = data;
    return true;
}

void resize_data_free(gpointer pointer)
{
    ResizeData *data = pointer;
    g_free(data->vm_state);
    json_object_put(data->vifs);
    g_free(data->disk_info);
    nova_object_unref(data->old_flavor);
    g_free(data);
}

NovaMigration *resize_migration(Operation *operation)
{
    return NOVA_MIGRATION(method_args_object(operation->args, "migration"));
}

bool resize_save_migration(Operation *operation, const char *status, GError **error)
{
    nova_migration_set_status(resize_migration(operation), status);
    return conductor_migration_save(operation->agent->conductor, operation->context, resize_migration(operation), error);
}

bool resize_stays_here(Operation *operation, GError **error)
{
    const NovaMigration *migration = resize_migration(operation);
    const char *host = operation->agent->host;
    if (g_strcmp0(migration->source_compute, host) == 0 && g_strcmp0(migration->dest_compute, host) == 0)
        return true;
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "resize and cold migration between hosts are not supported yet");
    return false;
}

void resize_set_flavor(NovaInstance *instance, NovaFlavor *flavor)
{
    nova_instance_set_instance_type_id(instance, flavor->id);
    nova_instance_set_memory_mb(instance, flavor->memory_mb);
    nova_instance_set_vcpus(instance, flavor->vcpus);
    nova_instance_set_root_gb(instance, flavor->root_gb);
    nova_instance_set_ephemeral_gb(instance, flavor->ephemeral_gb);
    nova_instance_set_flavor(instance, flavor);
}

bool resize_refresh_network(Operation *operation, GError **error)
{
    ResizeData *data = operation->data;
    json_object_put(g_steal_pointer(&data->vifs));
    return network_refresh(operation->agent, operation->context, operation->instance, NETWORK_REFRESH_CACHED, &data->vifs, error);
}

void resize_notify(Operation *operation, const char *action, OperationNotifyPhase phase, bool with_network)
{
    const ResizeData *data = operation->data;
    notify_instance_usage(operation->agent, operation->context, operation->instance, action, phase, NULL, with_network ? data->vifs : NULL, NULL);
}

bool resize_revert_allocations(Operation *operation, GError **error)
{
    const NovaMigration *migration = resize_migration(operation);
    bool moved = false;
    if (migration == NULL)
        return true;
    if (!tracker_move_allocations(operation->agent->tracker, operation->context, migration->uuid, operation->instance->uuid, &moved, error))
        return false;
    if (moved)
        nd_info(LOGGER, "Swapping old allocation held by migration %s for instance", migration->uuid);
    else
        nd_err(LOGGER, "Did not find resource allocations for migration %s on source node %s. Unable to revert source node allocations back to the instance.",
               migration->uuid, migration->source_node);
    return true;
}

bool resize_delete_allocations(Operation *operation, GError **error)
{
    const char *consumer = resize_migration(operation)->uuid;
    g_autoptr(GError) failure = NULL;
    if (tracker_delete_allocations(operation->agent->tracker, operation->context, consumer, false, &failure))
        return true;
    nd_err(LOGGER, "Deleting allocation in placement for migration %s failed: what the migration holds is leaked.", consumer);
    nova_exception_set(error, NOVA_EXC_ALLOCATION_DELETE_FAILED, "consumer_uuid", consumer, "error", failure->message, NULL);
    return false;
}

bool resize_forget_flavors(Operation *operation, GError **error)
{
    nova_object_set_null(operation->instance, NOVA_INSTANCE_OLD_FLAVOR);
    nova_object_set_null(operation->instance, NOVA_INSTANCE_NEW_FLAVOR);
    nova_object_dict_remove(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, "old_vm_state");
    return operation_save(operation, NULL, error);
}

bool resize_was_stopped(const NovaInstance *instance)
{
    return g_strcmp0(nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "old_vm_state"), VM_STOPPED) == 0;
}

static NdJson *object_json(Operation *operation, const char *name)
{
    NovaObject *object = method_args_object(operation->args, name);
    return object ? nova_object_to_json(object, operation->agent->release) : NULL;
}

static NdJson *argument_json(Operation *operation, const char *name)
{
    NdJson *value = method_args_json(operation->args, name);
    return value ? json_object_get(value) : NULL;
}

NdJson *resize_next_args(Operation *operation)
{
    NdJson *args = json_object_new_object();
    nd_json_set(args, "instance", nova_object_to_json(operation->instance, operation->agent->release));
    nd_json_set(args, "migration", object_json(operation, "migration"));
    nd_json_set(args, "request_spec", object_json(operation, "request_spec"));
    return args;
}

/* --- prep_resize, on the destination --- */

static void notify_prep(Operation *operation, OperationNotifyPhase phase)
{
    const NovaFlavor *flavor = method_args_object(operation->args, "flavor");
    g_autoptr(NdJson) extra = json_object_new_object(), members = json_object_new_object();
    if (phase == OPERATION_NOTIFY_END) {
        nd_json_set_string(extra, "new_instance_type", flavor->name);
        nd_json_set_int(extra, "new_instance_type_id", flavor->id);
    }
    nd_json_set(members, "new_flavor", notify_flavor_payload(flavor));
    NotifyPayloadClass payload = {"InstanceActionResizePrepPayload", "1.3", members};
    NotifyDetails details = {
        .action = "resize.prep",
        .phase = phase,
        .extra = extra,
        .payload_class = &payload,
        .instance = operation->instance,
    };
    notify_instance_details(operation->agent, operation->context, &details);
}

static bool prep_begin(Operation *operation, GError **error)
{
    if (!instance_load_for_guest(operation->agent, operation->context, operation->instance, error))
        return false;
    notify_usage_exists(operation->agent, operation->context, operation->instance, NULL, NULL);
    notify_prep(operation, OPERATION_NOTIFY_START);
    return true;
}

static bool prep_group_policy(Operation *operation, GError **error)
{
    ResizeData *data = operation->data;
    data->rollback = true;
    return server_group_check_policy(operation->agent, operation->context, operation->instance,
                                     NOVA_REQUEST_SPEC(method_args_object(operation->args, "request_spec")),
                                     method_args_json(operation->args, "filter_properties"), error);
}

static bool prep_admit(Operation *operation, GError **error)
{
    ResizeData *data = operation->data;
    const NovaInstance *instance = operation->instance;
    const NovaFlavor *flavor = method_args_object(operation->args, "flavor");
    const char *host = operation->agent->host;
    if (instance->host == NULL) {
        data->rollback = false;
        nova_exception_set(error, NOVA_EXC_MIGRATION_ERROR, "reason", "Instance has no source host", NULL);
        return false;
    }
    if (g_strcmp0(instance->host, host) != 0) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "resize and cold migration between hosts are not supported yet");
        return false;
    }
    if (flavor->id == instance->instance_type_id) {
        g_autofree char *text = g_strdup_printf("instance %s cannot be migrated to the host '%s' that it is on", instance->uuid, host);
        nova_exception_set_text(error, NOVA_EXC_UNABLE_TO_MIGRATE_TO_SELF, text, "instance_id", instance->uuid, "host", host, NULL);
        return false;
    }
    data->rollback = false;
    return true;
}

/* The new flavor and the state to come back to travel with the instance. */
static bool prep_stash(Operation *operation, GError **error)
{
    const ResizeData *data = operation->data;
    nova_instance_set_new_flavor(operation->instance, method_args_object(operation->args, "flavor"));
    nova_object_dict_set(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, "old_vm_state", data->vm_state);
    return operation_save(operation, NULL, error);
}

static bool prep_claim(Operation *operation, GError **error)
{
    ResizeData *data = operation->data;
    if (resize_migration(operation) == NULL) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "prep_resize() without a migration record");
        return false;
    }
    data->claimed = tracker_claim_move(operation->agent->tracker, operation->context, operation->instance,
                                       method_args_object(operation->args, "flavor"), resize_migration(operation), error);
    return data->claimed;
}

static void prep_undo_claim(Operation *operation)
{
    ResizeData *data = operation->data;
    Agent *agent = operation->agent;
    g_autoptr(GError) error = NULL;
    if (!data->claimed)
        return;
    if (!tracker_drop_move(agent->tracker, operation->context, operation->instance, resize_migration(operation), NULL,
                           method_args_object(operation->args, "flavor"), &error) ||
        !conductor_instance_drop_migration_context(agent->conductor, operation->context, operation->instance, &error))
        nd_warning(LOGGER, "the claim of a failed resize is not fully taken back: %s", error->message);
}

static bool prep_hand_over(Operation *operation, GError **error)
{
    NdJson *args = resize_next_args(operation);
    nd_info(LOGGER, "Migrating");
    nd_json_set(args, "image", argument_json(operation, "image"));
    nd_json_set(args, "flavor", object_json(operation, "flavor"));
    nd_json_set_bool(args, "clean_shutdown", method_args_bool(operation->args, "clean_shutdown"));
    return compute_cast(operation->agent, operation->context, operation->instance->host, "resize_instance", args, error);
}

static bool prep_announce(Operation *operation, GError **error G_GNUC_UNUSED)
{
    notify_prep(operation, OPERATION_NOTIFY_END);
    return true;
}

static void notify_error(Operation *operation, const GError *failure)
{
    operation_record_fault(operation, failure);
    operation_notify(operation, "resize", OPERATION_NOTIFY_FAILED, failure);
}

/* filter_properties for the next round, with what went wrong here. */
static NdJson *retry_properties(Operation *operation, const GError *failure)
{
    NdJson *properties = argument_json(operation, "filter_properties");
    NdJson *lines = json_object_new_array();
    g_autofree char *line = g_strdup_printf("%s.%s: %s\n", nova_exception_module(failure), nova_exception_class(failure), failure->message);
    json_object_array_add(lines, json_object_new_string(line));
    nd_json_set(nd_json_object(properties, "retry"), "exc", lines);
    return properties;
}

static bool ask_conductor(Operation *operation, const GError *failure, GError **error)
{
    Agent *agent = operation->agent;
    ConductorResize request = {
        .instance = operation->instance,
        .flavor = method_args_object(operation->args, "flavor"),
    };
    if (!operation_save_task_state(operation, TASK_RESIZE_PREP, NULL, error))
        return false;
    request.filter_properties = retry_properties(operation, failure);
    request.request_spec = object_json(operation, "request_spec");
    request.host_list = argument_json(operation, "host_list");
    return conductor_migrate_server(agent->conductor, operation->context, &request,
                                    (double)nd_config_int(agent->config, "DEFAULT", "long_rpc_timeout"),
                                    (double)nd_config_int(agent->config, "DEFAULT", "rpc_response_timeout"), error);
}

/* True if another host takes the resize over. */
static bool reschedule(Operation *operation, const GError *failure)
{
    NdJson *retry = nd_json_object(method_args_json(operation->args, "filter_properties"), "retry");
    g_autoptr(GError) error = NULL;
    if (retry == NULL || json_object_object_length(retry) == 0) {
        nd_debug(LOGGER, "Retry info not present, will not reschedule");
        return false;
    }
    if (!ask_conductor(operation, failure, &error)) {
        nd_err(LOGGER, "Error trying to reschedule: %s", error->message);
        notify_error(operation, error);
        return false;
    }
    notify_error(operation, failure);
    return true;
}

static void error_out(Operation *operation, const GError *failure)
{
    const ResizeData *data = operation->data;
    if (data->rollback)
        operation_give_back(operation, data->vm_state, failure);
    else
        operation_error_out(operation, data->vm_state, failure);
}

static bool prep_failed(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (operation->failed_step == 0) {
        error_out(operation, *error);
        return false;
    }
    if (!resize_revert_allocations(operation, &failure)) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&failure));
    } else if (reschedule(operation, *error)) {
        notify_prep(operation, OPERATION_NOTIFY_END);
        g_clear_error(error);
        return true;
    }
    notify_prep(operation, OPERATION_NOTIFY_END);
    error_out(operation, *error);
    return false;
}

static const OperationStep prep_steps[] = {
    {"begin", NULL, NULL, prep_begin, NULL},
    {"group-policy", NULL, NULL, prep_group_policy, NULL},
    {"admit", NULL, NULL, prep_admit, NULL},
    {"stash", NULL, NULL, prep_stash, NULL},
    {"claim", NULL, NULL, prep_claim, prep_undo_claim},
    {"hand-over", NULL, NULL, prep_hand_over, NULL},
    {"announce", NULL, NULL, prep_announce, NULL},
};

const OperationSpec operation_prep_resize = {
    .method = "prep_resize",
    .flags = OPERATION_STANDARD | OPERATION_ERROR_OUT_MIGRATION,
    .steps = prep_steps,
    .n_steps = G_N_ELEMENTS(prep_steps),
    .prepare = resize_prepare,
    .on_failure = prep_failed,
    .free_data = resize_data_free,
};

/* --- resize_instance, on the source --- */

static bool resize_begin(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_RESIZE_PREP, NULL};
    if (!resize_stays_here(operation, error) || !instance_load_for_guest(operation->agent, operation->context, operation->instance, error) ||
        !resize_refresh_network(operation, error) || !resize_save_migration(operation, "migrating", error) ||
        !operation_save_task_state(operation, TASK_RESIZE_MIGRATING, expected, error))
        return false;
    resize_notify(operation, "resize", OPERATION_NOTIFY_START, true);
    return true;
}

static bool resize_disks(Operation *operation, GError **error)
{
    ResizeData *data = operation->data;
    Agent *agent = operation->agent;
    GuestParts parts = {.vifs = data->vifs};
    g_autoptr(Guest) guest = guest_new(agent, operation->context, operation->instance, &parts, error);
    if (guest == NULL)
        return false;
    if (guest->disks->devices->volumes->len > 0) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "servers with Cinder volumes are not supported yet");
        return false;
    }
    if (!guest_check_resize(guest, method_args_object(operation->args, "flavor"), error)) {
        data->rollback = true;
        return false;
    }
    int timeout_s = guest_shutdown_timeout(agent, operation->instance, method_args_bool(operation->args, "clean_shutdown"));
    return guest_resize_begin(guest, timeout_s, SHUTDOWN_RETRY_S, &data->disk_info, error);
}

static bool resize_migrated(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_RESIZE_MIGRATING, NULL};
    const NovaMigration *migration = resize_migration(operation);
    NovaInstance *instance = operation->instance;
    if (!resize_save_migration(operation, "post-migrating", error))
        return false;
    nova_instance_set_host(instance, migration->dest_compute);
    nova_instance_set_node(instance, migration->dest_node);
    if (nova_object_is_set(migration, NOVA_MIGRATION_DEST_COMPUTE_ID))
        nova_instance_set_compute_id(instance, migration->dest_compute_id);
    nova_instance_set_old_flavor(instance, instance->flavor);
    return operation_save_task_state(operation, TASK_RESIZE_MIGRATED, expected, error);
}

static bool resize_hand_over(Operation *operation, GError **error)
{
    const ResizeData *data = operation->data;
    NdJson *args = resize_next_args(operation);
    nd_json_set(args, "image", argument_json(operation, "image"));
    nd_json_set_string(args, "disk_info", data->disk_info);
    return compute_cast(operation->agent, operation->context, resize_migration(operation)->dest_compute, "finish_resize", args, error);
}

static bool resize_announce(Operation *operation, GError **error G_GNUC_UNUSED)
{
    resize_notify(operation, "resize", OPERATION_NOTIFY_END, true);
    return true;
}

#define RESIZE_STEP_DISKS 1

static bool resize_failed(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;
    /* The files from before are better than their copies: nothing is left aside. */
    if (operation->failed_step > RESIZE_STEP_DISKS && !guest_resize_revert(operation->agent, operation->instance->uuid, &failure))
        nd_err(LOGGER, "the files of a failed resize cannot be put back: %s", failure->message);
    g_clear_error(&failure);
    error_out(operation, *error);
    if (!resize_revert_allocations(operation, &failure))
        nd_err(LOGGER, "%s", failure->message);
    return false;
}

static const OperationStep resize_steps[] = {
    {"begin", NULL, NULL, resize_begin, NULL},
    [RESIZE_STEP_DISKS] = {"disks", NULL, NULL, resize_disks, NULL},
    {"migrated", NULL, NULL, resize_migrated, NULL},
    {"hand-over", NULL, NULL, resize_hand_over, NULL},
    {"announce", NULL, NULL, resize_announce, NULL},
};

const OperationSpec operation_resize_instance = {
    .method = "resize_instance",
    .flags = OPERATION_STANDARD | OPERATION_ERROR_OUT_MIGRATION,
    .steps = resize_steps,
    .n_steps = G_N_ELEMENTS(resize_steps),
    .prepare = resize_prepare,
    .on_failure = resize_failed,
    .free_data = resize_data_free,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = resize_recover,
};
