/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/op_resize.h"

#include "agent/instance_load.h"
#include "agent/method_args.h"
#include "agent/network.h"
#include "agent/operations.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "base/time.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

#define LOGGER "nova.compute.manager"

/* --- finish_resize, on the destination --- */

/* The instance becomes what it is to be; saved with the next task state. */
static bool finish_flavor(Operation *operation, GError **error)
{
    ResizeData *data = operation->data;
    NovaInstance *instance = operation->instance;
    const NovaMigration *migration = resize_migration(operation);
    if (!resize_stays_here(operation, error) || !instance_load_for_guest(operation->agent, operation->context, instance, error))
        return false;
    /* A run that was interrupted may have saved the new flavor already. */
    bool begun = instance->old_flavor != NULL && migration->old_instance_type_id != migration->new_instance_type_id &&
                 instance->instance_type_id == migration->new_instance_type_id;
    data->old_flavor = nova_object_ref(begun ? instance->old_flavor : instance->flavor);
    nova_instance_set_old_flavor(instance, data->old_flavor);
    if (migration->old_instance_type_id != migration->new_instance_type_id && instance->new_flavor != NULL)
        resize_set_flavor(instance, instance->new_flavor);
    return true;
}

static bool finish_network(Operation *operation, GError **error)
{
    return network_bind_to_host(operation->agent, operation->context, operation->instance, error) && resize_refresh_network(operation, error);
}

static bool finish_begin(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_RESIZE_MIGRATED, TASK_RESIZE_FINISH, NULL};
    if (!operation_save_task_state(operation, TASK_RESIZE_FINISH, expected, error))
        return false;
    resize_notify(operation, "finish_resize", OPERATION_NOTIFY_START, true);
    return true;
}

static bool spawn(Operation *operation, bool wait_for_ports, NovaImageMeta *image, GError **error)
{
    const ResizeData *data = operation->data;
    GuestParts parts = {.image = image, .vifs = data->vifs};
    g_autoptr(Guest) guest = guest_new(operation->agent, operation->context, operation->instance, &parts, error);
    if (guest == NULL)
        return false;
    guest->swap_of_flavor = true;
    return guest_spawn_moved(guest, !resize_was_stopped(operation->instance), wait_for_ports, error);
}

/* The ports are not waited for: they were unplugged here a moment ago, and Neutron may not have noticed. */
static bool finish_spawn(Operation *operation, GError **error)
{
    const ResizeData *data = operation->data;
    g_autoptr(NovaImageMeta) image = nova_image_meta_from_dict(method_args_json(operation->args, "image"), error);
    if (image != NULL && virt_domain_destroy(operation->agent->virt, operation->instance->uuid, error) && spawn(operation, false, image, error))
        return true;
    resize_set_flavor(operation->instance, data->old_flavor);
    return false;
}

static bool finish_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_RESIZE_FINISH, NULL};
    if (!resize_save_migration(operation, "finished", error))
        return false;
    nova_instance_set_vm_state(operation->instance, VM_RESIZED);
    nova_instance_set_launched_at(operation->instance, nd_time_now());
    return operation_save_task_state(operation, OPERATION_TASK_NONE, expected, error);
}

static bool finish_announce(Operation *operation, GError **error G_GNUC_UNUSED)
{
    tracker_scheduler_update(operation->agent->tracker, operation->context, operation->instance);
    resize_notify(operation, "finish_resize", OPERATION_NOTIFY_END, true);
    return true;
}

static bool finish_failed(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;
    operation_error_out(operation, VM_ACTIVE, *error);
    nd_info(LOGGER, "Deleting allocations for old flavor on source node %s after finish_resize failure. A hard reboot may bring the server back.",
            resize_migration(operation)->source_compute);
    if (!resize_delete_allocations(operation, &failure))
        nd_err(LOGGER, "%s", failure->message);
    return false;
}

static const OperationStep finish_steps[] = {
    {"flavor", NULL, NULL, finish_flavor, NULL}, {"network", NULL, NULL, finish_network, NULL}, {"begin", NULL, NULL, finish_begin, NULL},
    {"spawn", NULL, NULL, finish_spawn, NULL},   {"settle", NULL, NULL, finish_settle, NULL},   {"announce", NULL, NULL, finish_announce, NULL},
};

const OperationSpec operation_finish_resize = {
    .method = "finish_resize",
    .flags = OPERATION_STANDARD | OPERATION_ERROR_OUT_MIGRATION,
    .steps = finish_steps,
    .n_steps = G_N_ELEMENTS(finish_steps),
    .prepare = resize_prepare,
    .on_failure = finish_failed,
    .free_data = resize_data_free,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = resize_recover,
};

/* --- confirm_resize, on the source --- */

/* The operation goes on with the instance as the database has it. False if it is gone, or *error. */
static bool reload_instance(Operation *operation, GError **error)
{
    static const char *const attrs[] = {"metadata", "system_metadata", "flavor", "info_cache", NULL};
    NovaInstance *fresh =
        conductor_instance_get_by_uuid(operation->agent->conductor, operation->context, operation->instance->uuid, attrs, error);
    if (fresh == NULL)
        return false;
    nova_object_unref(operation->instance);
    operation->instance = fresh;
    return true;
}

/* A second request, or one for a move that ended otherwise, is no failure. */
static bool confirm_admit(Operation *operation, GError **error)
{
    static const char *const confirmable[] = {"finished", "confirming", NULL};
    const NovaMigration *migration = resize_migration(operation);
    g_autoptr(GError) failure = NULL;
    if (g_strcmp0(migration->status, "confirmed") == 0) {
        nd_info(LOGGER, "Migration %" G_GINT64_FORMAT " is already confirmed", migration->id);
    } else if (!state_is_one_of(migration->status, confirmable)) {
        nd_warning(LOGGER, "Unexpected confirmation status '%s' of migration %" G_GINT64_FORMAT ", exit confirmation process", migration->status,
                   migration->id);
    } else if (reload_instance(operation, &failure)) {
        return true;
    } else if (nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        nd_info(LOGGER, "Instance is not found during confirmation");
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    operation_finish_early(operation);
    return true;
}

static bool confirm_begin(Operation *operation, GError **error)
{
    resize_notify(operation, "resize.confirm", OPERATION_NOTIFY_START, false);
    return resize_stays_here(operation, error) && resize_refresh_network(operation, error);
}

static bool confirm_files(Operation *operation, GError **error)
{
    return guest_resize_confirm(operation->agent, operation->instance->uuid, error);
}

static bool confirm_claim(Operation *operation, GError **error)
{
    Agent *agent = operation->agent;
    return tracker_drop_move(agent->tracker, operation->context, operation->instance, resize_migration(operation), "confirmed",
                             operation->instance->old_flavor, error) &&
           conductor_instance_drop_migration_context(agent->conductor, operation->context, operation->instance, error);
}

static bool confirm_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {OPERATION_EXPECT_NONE, TASK_DELETING, TASK_SOFT_DELETING, NULL};
    bool off = operation->instance->power_state == VIRT_POWER_SHUTDOWN;
    nova_instance_set_vm_state(operation->instance, off ? VM_STOPPED : VM_ACTIVE);
    if (!operation_save_task_state(operation, OPERATION_TASK_NONE, expected, error))
        return false;
    resize_notify(operation, "resize.confirm", OPERATION_NOTIFY_END, true);
    return true;
}

/* Whatever happened, the instance is on the destination: what the move held here goes. */
static bool confirm_forget(Operation *operation, GError **error)
{
    if (!resize_delete_allocations(operation, error))
        return false;
    tracker_scheduler_delete(operation->agent->tracker, operation->context, operation->instance->uuid);
    return resize_forget_flavors(operation, error);
}

static bool confirm_failed(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;
    const OperationStep *failed = &operation->spec->steps[operation->failed_step];
    if (operation->failed_step == 0)
        return false;
    nd_err(LOGGER, "Confirm resize failed. You can try hard rebooting the instance to correct its state: %s", (*error)->message);
    if (failed->run != confirm_forget && !confirm_forget(operation, &failure))
        nd_err(LOGGER, "%s", failure->message);
    operation_error_out(operation, VM_ACTIVE, *error);
    return false;
}

static const OperationStep confirm_steps[] = {
    {"admit", NULL, NULL, confirm_admit, NULL}, {"begin", NULL, NULL, confirm_begin, NULL},   {"files", NULL, NULL, confirm_files, NULL},
    {"claim", NULL, NULL, confirm_claim, NULL}, {"settle", NULL, NULL, confirm_settle, NULL}, {"forget", NULL, NULL, confirm_forget, NULL},
};

const OperationSpec operation_confirm_resize = {
    .method = "confirm_resize",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_ACTION_EVENT | OPERATION_ERROR_OUT_MIGRATION | OPERATION_INSTANCE_FAULT,
    .steps = confirm_steps,
    .n_steps = G_N_ELEMENTS(confirm_steps),
    .prepare = resize_prepare,
    .on_failure = confirm_failed,
    .free_data = resize_data_free,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = resize_recover,
};
