/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/op_resize.h"

#include "agent/dispatch.h"
#include "agent/journal.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "objects/image_meta.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

#include <string.h>

/* A resize that a crash interrupted. */

#define LOGGER "nova.compute.manager"

/* How far it had come is told by the instance's task state and the migration's status, which are saved before each part's work. */
static const struct {
    const char *vm_state, *task_state, *status; /* NULL: any */
    const char *method;
} parts[] = {
    {NULL, TASK_RESIZE_MIGRATED, "post-migrating", "finish_resize"},
    {NULL, TASK_RESIZE_FINISH, "post-migrating", "finish_resize"},
    {NULL, TASK_RESIZE_FINISH, "finished", "finish_resize"},
    {NULL, TASK_RESIZE_REVERTING, "reverting", "revert_resize"},
    {NULL, TASK_RESIZE_REVERTING, "reverted", "finish_revert_resize"},
    {VM_RESIZED, NULL, "confirming", "confirm_resize"},
};

const char *resize_recovery_method(const char *vm_state, const char *task_state, const char *migration_status)
{
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        if ((parts[i].vm_state == NULL || g_strcmp0(parts[i].vm_state, vm_state) == 0) && g_strcmp0(parts[i].task_state, task_state) == 0 &&
            g_strcmp0(parts[i].status, migration_status) == 0)
            return parts[i].method;
    return NULL;
}

/* The newest migration of the instance; NULL without an error if there is none. */
static NovaMigration *newest_migration(Agent *agent, const RpcContext *context, const NovaInstance *instance, GError **error)
{
    NdJson *filters = json_object_new_object();
    NovaMigration *newest = NULL;
    nd_json_set_string(filters, "instance_uuid", instance->uuid);
    g_autoptr(NovaMigrationList) list = conductor_migration_list_by_filters(agent->conductor, context, filters, error);
    for (guint i = 0; list != NULL && i < nova_object_list_length(list); i++) {
        NovaMigration *migration = nova_object_list_get(list, i);
        if (newest == NULL || migration->id > newest->id)
            newest = migration;
    }
    return newest != NULL ? nova_migration_ref(newest) : NULL;
}

static bool forget_flavors(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error)
{
    nova_object_set_null(instance, NOVA_INSTANCE_OLD_FLAVOR);
    nova_object_set_null(instance, NOVA_INSTANCE_NEW_FLAVOR);
    nova_object_dict_remove(instance, NOVA_INSTANCE_SYSTEM_METADATA, "old_vm_state");
    return conductor_instance_save(agent->conductor, context, instance, NULL, error);
}

/* A confirmation behind the point of no return: what is left of it is done here. */
static bool end_confirmation(Agent *agent, const RpcContext *context, NovaInstance *instance, const NovaMigration *migration, GError **error)
{
    if (!conductor_instance_drop_migration_context(agent->conductor, context, instance, error) ||
        !tracker_delete_allocations(agent->tracker, context, migration->uuid, false, error))
        return false;
    if (g_strcmp0(instance->vm_state, VM_RESIZED) == 0)
        nova_instance_set_vm_state(instance, instance->power_state == VIRT_POWER_SHUTDOWN ? VM_STOPPED : VM_ACTIVE);
    return forget_flavors(agent, context, instance, error);
}

bool resize_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GError) failure = NULL;
    if (instance->deleted || g_strcmp0(instance->host, agent->host) != 0)
        return true;
    g_autoptr(NovaMigration) migration = newest_migration(agent, context, instance, &failure);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (migration != NULL && strcmp(entry->method, "confirm_resize") == 0 && g_strcmp0(migration->status, "confirmed") == 0)
        return end_confirmation(agent, context, instance, migration, error);
    const char *method = migration != NULL ? resize_recovery_method(instance->vm_state, instance->task_state, migration->status) : NULL;
    /* Resized again meanwhile, by nova-compute: the flavors are those of that resize. */
    bool again = g_strcmp0(instance->vm_state, VM_RESIZED) == 0 && instance->task_state == NULL;
    if (method == NULL && strcmp(entry->method, "finish_revert_resize") == 0 && g_strcmp0(instance->vm_state, VM_ERROR) != 0 && !again)
        return forget_flavors(agent, context, instance, error);
    if (method == NULL)
        return true;
    nd_info(LOGGER, "%s was interrupted: %s again", entry->method, method);
    NdJson *args = json_object_new_object();
    nd_json_set(args, "migration", nova_object_to_json(migration, NOVA_UNCLAMPED));
    if (strcmp(method, "finish_resize") == 0) {
        nd_json_set(args, "image", nova_image_dict_from_system_metadata(instance->system_metadata));
        nd_json_set_string(args, "disk_info", "[]");
    }
    return agent_run_method(agent, context, method, instance, args, error);
}

static bool recover_guest(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error)
{
    if (guest_power_state(agent, instance, NULL) == VIRT_POWER_RUNNING)
        return true; /* it was not touched yet */
    if (!guest_resize_revert(agent, instance->uuid, error))
        return false;
    g_autoptr(Guest) guest = guest_new_refreshed(agent, context, instance, error);
    return guest != NULL && guest_spawn_moved(guest, !resize_was_stopped(instance), false, error);
}

static bool recover_move(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error)
{
    static const char *const under_way[] = {"pre-migrating", "migrating", "post-migrating", NULL};
    g_autoptr(GError) failure = NULL;
    g_autoptr(NovaMigration) migration = newest_migration(agent, context, instance, &failure);
    bool moved;
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (migration == NULL || !state_is_one_of(migration->status, under_way))
        return true;
    if (!tracker_move_allocations(agent->tracker, context, migration->uuid, instance->uuid, &moved, error))
        return false;
    nova_migration_set_status(migration, "error");
    return conductor_migration_save(agent->conductor, context, migration, error) &&
           conductor_instance_drop_migration_context(agent->conductor, context, instance, error);
}

void resize_recover_migrating(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    g_autoptr(GError) guest_failure = NULL, move_failure = NULL;
    if (!recover_guest(agent, context, instance, &guest_failure))
        nd_err(LOGGER, "Failed to revert crashed migration: %s", guest_failure->message);
    if (!recover_move(agent, context, instance, &move_failure))
        nd_err(LOGGER, "the record of the interrupted migration cannot be put right: %s", move_failure->message);
}
