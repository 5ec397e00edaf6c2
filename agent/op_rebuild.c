/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/dispatch.h"
#include "agent/guest.h"
#include "agent/image_service.h"
#include "agent/method_args.h"
#include "agent/network.h"
#include "agent/notify.h"
#include "agent/operations.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "base/time.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

/*
 * rebuild_instance (spec/compute-rpc.md section 4): the server's disks are made anew from an image, which may be another one. nova-api has already
 * written the new image, name, key and metadata into the instance. Evacuation, the same method with recreate, is refused.
 */

#define LOGGER "nova.compute.manager"
#define SHUTDOWN_RETRY_S 10

typedef struct {
    NovaImageMeta *image_meta;
    NovaBlockDeviceMappingList *mappings;
    NdJson *vifs;
    char *vm_state; /* before */
    bool untouched; /* a failure changes nothing about the server */
} RebuildData;

static void rebuild_data_free(gpointer pointer)
{
    RebuildData *data = pointer;
    nova_image_meta_unref(data->image_meta);
    nova_block_device_mapping_list_unref(data->mappings);
    json_object_put(data->vifs);
    g_free(data->vm_state);
    g_free(data);
}

static bool rebuild_prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    RebuildData *data = g_new0(RebuildData, 1);
    data->vm_state = g_strdup(operation->instance->vm_state);
    operation->data = data;
    return true;
}

/* --- notifications --- */

static void announce(Operation *operation, OperationNotifyPhase phase, const GError *failure)
{
    const RebuildData *data = operation->data;
    const NovaTrustedCerts *certificates = operation->instance->trusted_certs;
    g_autoptr(NdJson) extra = json_object_new_object();
    g_autoptr(NdJson) members = json_object_new_object();
    if (phase != OPERATION_NOTIFY_FAILED)
        nd_json_set_string(extra, "image_name", data->image_meta->name != NULL ? data->image_meta->name : "");
    nd_json_set(members, "trusted_image_certificates", certificates ? nd_json_from_strv((const char *const *)certificates->ids) : NULL);
    NotifyPayloadClass payload = {"InstanceActionRebuildPayload", "1.9", members};
    NotifyDetails details = {
        .action = "rebuild",
        .phase = phase,
        .failure = failure,
        .network_info = phase == OPERATION_NOTIFY_END ? data->vifs : NULL,
        .extra = extra,
        .payload_class = &payload,
        .instance = operation->instance,
    };
    notify_instance_details(operation->agent, operation->context, &details);
}

/* With the image that the server had until now. */
static void announce_usage(Operation *operation)
{
    g_autofree char *url = notify_image_url(operation->agent, operation->context, method_args_string(operation->args, "orig_image_ref"));
    g_autoptr(NdJson) extra = json_object_new_object();
    nd_json_set_string(extra, "image_ref_url", url);
    notify_usage_exists(operation->agent, operation->context, operation->instance, method_args_json(operation->args, "orig_sys_metadata"), extra);
}

/* --- steps --- */

static bool step_image(Operation *operation, GError **error)
{
    RebuildData *data = operation->data;
    const char *image_ref = method_args_string(operation->args, "image_ref");
    nd_info(LOGGER, "%s instance", method_args_bool(operation->args, "recreate") ? "Evacuating" : "Rebuilding");
    if (image_ref && *image_ref) {
        data->image_meta = image_service_meta(operation->agent, operation->context, image_ref, error);
    } else {
        data->image_meta = nova_image_meta_from_dict(NULL, error);
    }
    return data->image_meta != NULL;
}

static bool has_volumes(NovaBlockDeviceMappingList *mappings)
{
    for (guint i = 0; i < nova_object_list_length(mappings); i++) {
        const NovaBlockDeviceMapping *mapping = nova_object_list_get(mappings, i);
        if (g_strcmp0(mapping->destination_type, "volume") == 0)
            return true;
    }
    return false;
}

/* What novad cannot do is said before anything of the server is touched. */
static bool step_admit(Operation *operation, GError **error)
{
    RebuildData *data = operation->data;
    NovaBlockDeviceMappingList *given = NOVA_BLOCK_DEVICE_MAPPING_LIST(method_args_object(operation->args, "bdms"));
    data->untouched = true;
    if (method_args_bool(operation->args, "recreate")) {
        nova_exception_set(error, NOVA_EXC_BUILD_ABORT_EXCEPTION, "instance_uuid", operation->instance->uuid, "reason",
                           "evacuation to this host is not supported by novad", NULL);
        return false;
    }
    data->mappings = given ? nova_block_device_mapping_list_ref(given)
                           : conductor_bdm_list(operation->agent->conductor, operation->context, operation->instance->uuid, error);
    if (data->mappings == NULL)
        return false;
    if (has_volumes(data->mappings)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "servers with Cinder volumes are not supported yet");
        return false;
    }
    data->untouched = false;
    if (operation->instance->trusted_certs == NULL)
        return true;
    nova_exception_set(error, NOVA_EXC_BUILD_ABORT_EXCEPTION, "instance_uuid", operation->instance->uuid, "reason",
                       "Trusted image certificates provided on rebuild, but the virt driver does not support them.", NULL);
    return false;
}

static bool step_begin(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_REBUILDING, NULL};
    RebuildData *data = operation->data;
    announce_usage(operation);
    announce(operation, OPERATION_NOTIFY_START, NULL);
    operation_refresh_power_state(operation);
    if (!operation_save_task_state(operation, TASK_REBUILDING, expected, error))
        return false;
    data->vifs = network_cached(operation->instance);
    if (!method_args_bool(operation->args, "preserve_ephemeral"))
        return true;
    nova_exception_set(error, NOVA_EXC_PRESERVE_EPHEMERAL_NOT_SUPPORTED, NULL);
    return false;
}

static bool step_destroy(Operation *operation, GError **error)
{
    Agent *agent = operation->agent;
    g_autoptr(Guest) guest = guest_new_to_destroy(agent, operation->context, operation->instance);
    g_autoptr(GError) failure = NULL;
    if (!guest_power_off(agent, operation->instance, guest_shutdown_timeout(agent, operation->instance, true), SHUTDOWN_RETRY_S, NULL, &failure) &&
        !nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    return guest_destroy(guest, true, error);
}

static Guest *new_guest(Operation *operation, GError **error)
{
    const RebuildData *data = operation->data;
    GuestParts parts = {data->image_meta, data->vifs, data->mappings};
    return guest_new(operation->agent, operation->context, operation->instance, &parts, error);
}

static bool step_spawn(Operation *operation, GError **error)
{
    g_autoptr(Guest) guest = new_guest(operation, error);
    GuestSpawnOptions options = {
        .admin_password = method_args_string(operation->args, "new_pass"),
        .injected_files = method_args_json(operation->args, "injected_files"),
    };
    return guest != NULL && guest_spawn(guest, &options, error);
}

/* The half-made domain goes, its files stay for the next try, as in upstream's spawn. A guest that was complete runs on. */
static void undo_spawn(Operation *operation)
{
    if (operation->spec->steps[operation->failed_step].run != step_spawn)
        return;
    g_autoptr(Guest) guest = guest_new_to_destroy(operation->agent, operation->context, operation->instance);
    g_autoptr(GError) error = NULL;
    if (!guest_destroy(guest, false, &error))
        nd_warning(LOGGER, "what is left of a failed rebuild cannot be removed: %s", error->message);
}

static bool step_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_REBUILD_SPAWNING, NULL};
    NovaInstance *instance = operation->instance;
    if (guest_needs_config_drive(operation->agent->config, instance) && (instance->config_drive == NULL || *instance->config_drive == '\0'))
        nova_instance_set_config_drive(instance, "True");
    nova_instance_set_launched_at(instance, nd_time_now());
    return operation_settle(operation, VM_ACTIVE, expected, error);
}

/* A server that was stopped is stopped again. */
static bool step_stop(Operation *operation, GError **error)
{
    const RebuildData *data = operation->data;
    if (g_strcmp0(data->vm_state, VM_STOPPED) != 0)
        return true;
    nd_info(LOGGER, "bringing vm to original state: '%s'", data->vm_state);
    nova_instance_set_vm_state(operation->instance, VM_ACTIVE);
    nova_instance_set_progress(operation->instance, 0);
    if (!operation_save_task_state(operation, TASK_POWERING_OFF, NULL, error))
        return false;
    NdJson *args = json_object_new_object();
    nd_json_set_bool(args, "clean_shutdown", false);
    return agent_run_within(operation, "stop_instance", args, error);
}

static bool step_announce(Operation *operation, GError **error G_GNUC_UNUSED)
{
    tracker_scheduler_update(operation->agent->tracker, operation->context, operation->instance);
    announce(operation, OPERATION_NOTIFY_END, NULL);
    return true;
}

/* --- failures --- */

static void fail_migration(Operation *operation)
{
    NovaMigration *migration = NOVA_MIGRATION(method_args_object(operation->args, "migration"));
    g_autoptr(GError) error = NULL;
    if (migration == NULL)
        return;
    nova_migration_set_status(migration, "failed");
    if (!conductor_migration_save(operation->agent->conductor, operation->context, migration, &error))
        nd_warning(LOGGER, "the migration cannot be saved: %s", error->message);
}

/* The scheduler's allocation on this host, for a server that will not come here. */
static void forget_evacuation(Operation *operation)
{
    g_autoptr(GError) error = NULL;
    if (!tracker_remove_own_allocation(operation->agent->tracker, operation->context, operation->instance->uuid, &error))
        nd_err(LOGGER, "the allocation of a server that does not come here cannot be removed: %s", error->message);
}

static bool rebuild_failed(Operation *operation, GError **error)
{
    const RebuildData *data = operation->data;
    if (operation->failed_step == 0) /* upstream has not begun either */
        return false;
    fail_migration(operation);
    if (method_args_bool(operation->args, "recreate"))
        forget_evacuation(operation);
    announce(operation, OPERATION_NOTIFY_FAILED, *error);
    if (nova_exception_matches(*error, NOVA_EXC_INSTANCE_NOT_FOUND) || nova_exception_matches(*error, NOVA_EXC_UNEXPECTED_DELETING_TASK_STATE_ERROR)) {
        nd_debug(LOGGER, "Instance was deleted while rebuilding");
        g_clear_error(error);
        return true;
    }
    if (data->untouched)
        operation_give_back(operation, data->vm_state, *error);
    else
        operation_error_out(operation, data->vm_state, *error);
    return false;
}

static const char *const from_rebuilding[] = {TASK_REBUILDING, NULL};
static const char *const from_mapping[] = {TASK_REBUILD_BLOCK_DEVICE_MAPPING, NULL};

static const OperationStep steps[] = {
    {"image", NULL, NULL, step_image, NULL},
    {"admit", NULL, NULL, step_admit, NULL},
    {"begin", NULL, NULL, step_begin, NULL},
    {"destroy", NULL, NULL, step_destroy, NULL},
    {"block-devices", TASK_REBUILD_BLOCK_DEVICE_MAPPING, from_rebuilding, NULL, NULL},
    {"spawn", TASK_REBUILD_SPAWNING, from_mapping, step_spawn, undo_spawn},
    {"settle", NULL, NULL, step_settle, NULL},
    {"stop", NULL, NULL, step_stop, NULL},
    {"announce", NULL, NULL, step_announce, NULL},
};

const OperationSpec operation_rebuild_instance = {
    .method = "rebuild_instance",
    .flags = OPERATION_STANDARD,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
    .prepare = rebuild_prepare,
    .on_failure = rebuild_failed,
    .free_data = rebuild_data_free,
};
