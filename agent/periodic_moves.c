/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/periodic_moves.h"

#include "agent/compute_cast.h"
#include "agent/dispatch.h"
#include "agent/lanes.h"
#include "agent/operation.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "base/time.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#define LOGGER "nova.compute.manager"

/* --- resizes --- */

static void give_up(Agent *agent, RpcContext *context, NovaMigration *migration, const char *reason)
{
    g_autoptr(GError) error = NULL;

    nd_warning(LOGGER, "Setting migration %" G_GINT64_FORMAT " to error: %s", migration->id, reason);
    nova_migration_set_status(migration, "error");
    if (!conductor_migration_save(agent->conductor, context, migration, &error))
        nd_warning(LOGGER, "the migration cannot be saved: %s", error->message);
}

/* What the compute API does for a user: the record, the action, the request to the source. */
static bool call_confirm_api(Agent *agent, RpcContext *context, NovaInstance *instance, NovaMigration *migration, GError **error)
{
    NdJson *args;

    nova_migration_set_status(migration, "confirming");
    if (!conductor_migration_save(agent->conductor, context, migration, error) ||
        !conductor_action_start(agent->conductor, context, instance->uuid, "confirmResize", error))
        return false;
    args = json_object_new_object();
    nd_json_set(args, "instance", nova_object_to_json(instance, agent->release));
    nd_json_set(args, "migration", nova_object_to_json(migration, agent->release));
    return compute_cast(agent, context, migration->source_compute, "confirm_resize", args, error);
}

/* An instance that is only on its way to `resized`, or on its way out, is left for another time. */
static void confirm(Agent *agent, RpcContext *context, NovaMigration *migration)
{
    static const char *const attrs[] = {"metadata", "system_metadata", NULL};
    static const char *const passing[] = {TASK_DELETING, TASK_SOFT_DELETING, TASK_RESIZE_FINISH, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance = conductor_instance_get_by_uuid(agent->conductor, context, migration->instance_uuid, attrs, &error);

    nd_log_set_instance(migration->instance_uuid);
    nd_info(LOGGER, "Automatically confirming migration %" G_GINT64_FORMAT, migration->id);
    if (instance == NULL && nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        give_up(agent, context, migration, "Instance not found");
    } else if (instance == NULL) {
        nd_warning(LOGGER, "the instance of an unconfirmed resize cannot be read: %s", error->message);
    } else if (g_strcmp0(instance->vm_state, VM_ERROR) == 0) {
        give_up(agent, context, migration, "In ERROR state");
    } else if (state_is_one_of(instance->task_state, passing)) {
        nd_debug(LOGGER, "task state %s during resize confirmation. Skipping.", instance->task_state);
    } else if (g_strcmp0(instance->vm_state, VM_RESIZED) != 0 || instance->task_state != NULL) {
        give_up(agent, context, migration, "Neither RESIZED nor without a task");
    } else if (!call_confirm_api(agent, context, instance, migration, &error)) {
        nd_info(LOGGER, "Error auto-confirming resize: %s. Will retry later.", error->message);
    }
    nd_log_set_instance(NULL);
}

void periodic_confirm_resizes(Agent *agent, RpcContext *context)
{
    gint64 window_s = nd_config_int(agent->config, "DEFAULT", "resize_confirm_window");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaMigrationList) migrations = NULL;

    if (window_s == 0)
        return;
    migrations = conductor_migration_list_unconfirmed(agent->conductor, context, window_s, agent->host, &error);
    if (migrations == NULL) {
        nd_warning(LOGGER, "Unconfirmed resizes cannot be listed: %s", error->message);
        return;
    }
    if (nova_object_list_length(migrations) > 0)
        nd_info(LOGGER, "Found %u unconfirmed migrations older than %" G_GINT64_FORMAT " seconds", nova_object_list_length(migrations), window_s);
    for (guint i = 0; i < nova_object_list_length(migrations); i++)
        confirm(agent, context, nova_object_list_get(migrations, i));
}

/* --- shelved servers --- */

static bool shelved_long_enough(const NovaInstance *instance, gint64 time_s)
{
    const char *text = nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "shelved_at");
    gint64 since;

    return text != NULL && nd_time_parse(text, &since, NULL) && nd_time_now() - since > time_s * G_USEC_PER_SEC;
}

static bool offload(Agent *agent, RpcContext *context, NovaInstance *instance, GError **error)
{
    static const char *const expected[] = {OPERATION_EXPECT_NONE, NULL};
    NdJson *args = json_object_new_object();

    nova_instance_set_task_state(instance, TASK_SHELVING_OFFLOADING);
    nd_json_set_bool(args, "clean_shutdown", false);
    if (conductor_instance_save(agent->conductor, context, instance, expected, error))
        return agent_run_method(agent, context, "shelve_offload_instance", instance, args, error);
    json_object_put(args);
    return false;
}

void periodic_offload_shelved(Agent *agent, RpcContext *context)
{
    static const char *const attrs[] = {"system_metadata", "flavor", "info_cache", NULL};
    gint64 time_s = nd_config_int(agent->config, "DEFAULT", "shelved_offload_time");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstanceList) instances = NULL;
    NdJson *filters;

    if (time_s <= 0)
        return;
    filters = json_object_new_object();
    nd_json_set_string(filters, "vm_state", VM_SHELVED);
    nd_json_set(filters, "task_state", NULL);
    nd_json_set_string(filters, "host", agent->host);
    instances = conductor_instance_list_by_filters(agent->conductor, context, filters, attrs, true, &error);
    if (instances == NULL) {
        nd_warning(LOGGER, "Shelved instances cannot be listed: %s", error->message);
        return;
    }
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);
        g_autoptr(GError) failure = NULL;

        if (!shelved_long_enough(instance, time_s) || agent_lanes_busy(agent->lanes, instance->uuid))
            continue;
        nd_log_set_instance(instance->uuid);
        if (!offload(agent, context, instance, &failure))
            nd_err(LOGGER, "Periodic task failed to offload instance: %s", failure->message);
    }
    nd_log_set_instance(NULL);
}
