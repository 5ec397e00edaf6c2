/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/periodic_tasks.h"

#include "agent/dispatch.h"
#include "agent/guest.h"
#include "agent/image_cache_manager.h"
#include "agent/lanes.h"
#include "agent/network.h"
#include "agent/operations.h"
#include "agent/periodic.h"
#include "agent/periodic_moves.h"
#include "agent/power_sync.h"
#include "agent/recovery_journal.h"
#include "agent/service.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "agent/usage_audit.h"
#include "base/log.h"
#include "base/time.h"
#include "objects/objects.h"
#include "rpc/exception.h"
#include "virt/domain.h"

#include <string.h>

#define LOGGER "nova.compute.manager"
#define RELEASE_CHECK_S 3600

static void audit(Agent *agent, RpcContext *context)
{
    g_autoptr(GError) error = NULL;

    if (!tracker_audit(agent->tracker, context, false, &error))
        nd_err(LOGGER, "Error updating resources for node %s: %s", agent->node, error->message);
}

static void sync_scheduler(Agent *agent, RpcContext *context)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstanceList) instances = NULL;

    if (!nd_config_bool(agent->config, "filter_scheduler", "track_instance_changes"))
        return;
    instances = conductor_instance_list_by_host(agent->conductor, context, agent->host, no_attrs, true, &error);
    if (instances == NULL)
        nd_warning(LOGGER, "Instances cannot be listed for the scheduler: %s", error->message);
    else
        tracker_scheduler_sync(agent->tracker, context, instances);
}

static void sync_power_states(Agent *agent, RpcContext *context)
{
    power_sync_all(agent, context);
}

static void clean_console_tokens(Agent *agent, RpcContext *context)
{
    g_autoptr(GError) error = NULL;

    if (!conductor_console_tokens_clean_expired(agent->conductor, context, &error))
        nd_warning(LOGGER, "Expired console tokens cannot be removed: %s", error->message);
}

/* --- _heal_instance_info_cache: one instance a tick, oldest list first --- */

/* uuids still to be healed; used by the task's lane only. */
static GQueue heal_queue = G_QUEUE_INIT;

static void fill_heal_queue(Agent *agent, RpcContext *context)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(NovaInstanceList) instances = conductor_instance_list_by_host(agent->conductor, context, agent->host, no_attrs, true, NULL);

    for (guint i = 0; instances != NULL && i < nova_object_list_length(instances); i++) {
        const NovaInstance *instance = nova_object_list_get(instances, i);

        if (g_strcmp0(instance->vm_state, VM_BUILDING) != 0 && instance->task_state == NULL)
            g_queue_push_tail(&heal_queue, g_strdup(instance->uuid));
    }
}

/* The next that is still ours and at rest. */
static NovaInstance *next_to_heal(Agent *agent, RpcContext *context)
{
    static const char *const attrs[] = {"system_metadata", "info_cache", "flavor", NULL};

    if (g_queue_is_empty(&heal_queue))
        fill_heal_queue(agent, context);
    while (!g_queue_is_empty(&heal_queue)) {
        g_autofree char *uuid = g_queue_pop_head(&heal_queue);
        g_autoptr(NovaInstance) instance = conductor_instance_get_by_uuid(agent->conductor, context, uuid, attrs, NULL);

        if (instance != NULL && g_strcmp0(instance->host, agent->host) == 0 && instance->task_state == NULL && !agent_lanes_busy(agent->lanes, uuid))
            return g_steal_pointer(&instance);
    }
    return NULL;
}

static void heal_info_cache(Agent *agent, RpcContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance = next_to_heal(agent, context);

    if (instance == NULL)
        return;
    nd_log_set_instance(instance->uuid);
    if (network_refresh(agent, context, instance, NETWORK_REFRESH_FORCE, NULL, &error))
        nd_debug(LOGGER, "Updated the network info_cache for instance");
    else
        nd_warning(LOGGER, "The network info cache cannot be refreshed: %s", error->message);
}

/* --- _cleanup_running_deleted_instances --- */

typedef enum { REAP_NOTHING, REAP_LOG, REAP_SHUTDOWN, REAP_DESTROY } ReapAction;

static ReapAction reap_action(const NdConfig *config)
{
    static const char *const names[] = {[REAP_NOTHING] = "noop", [REAP_LOG] = "log", [REAP_SHUTDOWN] = "shutdown", [REAP_DESTROY] = "reap"};
    const char *value = nd_config_string(config, "DEFAULT", "running_deleted_instance_action");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_strcmp0(value, names[i]) == 0)
            return (ReapAction)i;
    return REAP_DESTROY; /* the default; other words do not pass the configuration's check */
}

static void reap(Agent *agent, ReapAction action, const NovaInstance *instance)
{
    g_autoptr(GError) error = NULL;
    bool done = true;

    nd_log_set_instance(instance->uuid);
    nd_warning(LOGGER, "The instance is marked as DELETED but still present on host.");
    if (action == REAP_SHUTDOWN)
        done = guest_power_off(agent, instance, 0, 0, NULL, &error);
    else if (action == REAP_DESTROY)
        done = guest_destroy_leftover(agent, instance->uuid, true, &error);
    if (!done)
        nd_warning(LOGGER, "Periodic cleanup failed: %s", error->message);
    nd_log_set_instance(NULL);
}

/* True if it was deleted longer ago than running_deleted_instance_timeout. */
static bool deleted_long_enough(Agent *agent, const NovaInstance *instance)
{
    gint64 timeout_us = nd_config_int(agent->config, "DEFAULT", "running_deleted_instance_timeout") * G_USEC_PER_SEC;

    return !nova_object_has(instance, NOVA_INSTANCE_DELETED_AT) || nd_time_now() - instance->deleted_at > timeout_us;
}

static NovaInstanceList *deleted_among(Agent *agent, RpcContext *context, const GPtrArray *domains, GError **error)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(RpcContext) seeing_deleted = rpc_context_with_read_deleted(context, "yes");
    NdJson *filters = json_object_new_object();
    NdJson *uuids = json_object_new_array();

    for (guint i = 0; i < domains->len; i++)
        json_object_array_add(uuids, json_object_new_string(((VirtDomainInfo *)domains->pdata[i])->uuid));
    nd_json_set(filters, "uuid", uuids);
    nd_json_set_bool(filters, "deleted", true);
    nd_json_set_bool(filters, "soft_deleted", false);
    return conductor_instance_list_by_filters(agent->conductor, seeing_deleted, filters, no_attrs, true, error);
}

static void cleanup_running_deleted(Agent *agent, RpcContext *context)
{
    ReapAction action = reap_action(agent->config);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(NovaInstanceList) deleted = NULL;

    if (action == REAP_NOTHING)
        return;
    domains = virt_domain_list(agent->virt, false, &error);
    if (domains != NULL && domains->len == 0)
        return;
    if (domains != NULL)
        deleted = deleted_among(agent, context, domains, &error);
    if (deleted == NULL) {
        nd_warning(LOGGER, "Deleted instances that still run cannot be looked for: %s", error->message);
        return;
    }
    for (guint i = 0; i < nova_object_list_length(deleted); i++) {
        const NovaInstance *instance = nova_object_list_get(deleted, i);

        if (instance->deleted && deleted_long_enough(agent, instance) && !agent_lanes_busy(agent->lanes, instance->uuid))
            reap(agent, action, instance);
    }
}

/* --- _run_pending_deletes: folders of instances that were deleted while this host was away --- */

static void run_pending_deletes(Agent *agent, RpcContext *context)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(RpcContext) seeing_deleted = rpc_context_with_read_deleted(context, "yes");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstanceList) instances = NULL;
    NdJson *filters = json_object_new_object();

    nd_json_set_bool(filters, "deleted", true);
    nd_json_set_bool(filters, "soft_deleted", false);
    nd_json_set_string(filters, "host", agent->host);
    nd_json_set_bool(filters, "cleaned", false);
    instances = conductor_instance_list_by_filters(agent->conductor, seeing_deleted, filters, no_attrs, true, &error);
    if (instances == NULL) {
        nd_warning(LOGGER, "Pending deletes cannot be listed: %s", error->message);
        return;
    }
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);
        g_autoptr(GError) failure = NULL;

        if (agent_lanes_busy(agent->lanes, instance->uuid))
            continue;
        nd_log_set_instance(instance->uuid);
        nova_instance_set_cleaned(instance, true);
        if (!guest_destroy_leftover(agent, instance->uuid, true, &failure) ||
            !conductor_instance_save(agent->conductor, seeing_deleted, instance, NULL, &failure))
            nd_warning(LOGGER, "The leftovers of a deleted instance cannot be removed: %s", failure->message);
    }
    nd_log_set_instance(NULL);
}

/* --- _reclaim_queued_deletes: soft-deleted servers that nobody has restored in time --- */

static void reclaim_queued_deletes(Agent *agent, RpcContext *context)
{
    static const char *const attrs[] = {"info_cache", "metadata", "security_groups", "system_metadata", "flavor", NULL};
    gint64 interval_us = nd_config_int(agent->config, "DEFAULT", "reclaim_instance_interval") * G_USEC_PER_SEC;
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstanceList) instances = NULL;
    NdJson *filters;

    if (interval_us <= 0)
        return;
    filters = json_object_new_object();
    nd_json_set_string(filters, "vm_state", VM_SOFT_DELETED);
    nd_json_set(filters, "task_state", NULL);
    nd_json_set_string(filters, "host", agent->host);
    instances = conductor_instance_list_by_filters(agent->conductor, context, filters, attrs, true, &error);
    if (instances == NULL) {
        nd_warning(LOGGER, "Queued deletes cannot be listed: %s", error->message);
        return;
    }
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);
        bool old = !nova_object_has(instance, NOVA_INSTANCE_DELETED_AT) || nd_time_now() - instance->deleted_at > interval_us;

        if (old && !agent_lanes_busy(agent->lanes, instance->uuid))
            operation_submit(operation_new(agent, &operation_reclaim_instance, context, NULL, NULL, instance), NULL);
    }
}

/* --- _check_instance_build_time --- */

static void check_build_time(Agent *agent, RpcContext *context)
{
    static const char *const no_attrs[] = {NULL};
    gint64 timeout_us = nd_config_int(agent->config, "DEFAULT", "instance_build_timeout") * G_USEC_PER_SEC;
    g_autoptr(NovaInstanceList) instances = NULL;
    NdJson *filters;

    if (timeout_us == 0)
        return;
    filters = json_object_new_object();
    nd_json_set_string(filters, "vm_state", VM_BUILDING);
    nd_json_set_string(filters, "host", agent->host);
    instances = conductor_instance_list_by_filters(agent->conductor, context, filters, no_attrs, true, NULL);
    for (guint i = 0; instances != NULL && i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);

        if (!nova_object_has(instance, NOVA_INSTANCE_CREATED_AT) || nd_time_now() - instance->created_at <= timeout_us)
            continue;
        nd_log_set_instance(instance->uuid);
        nd_warning(LOGGER, "Instance build timed out. Set to error state.");
        instance_set_error(agent, context, instance, false);
    }
    nd_log_set_instance(NULL);
}

/* --- _poll_rescued_instances: rescues end by themselves --- */

/* As nova-api does it for a user. */
static bool begin_unrescue(Agent *agent, NovaInstance *instance, GError **error)
{
    static const char *const at_rest[] = {OPERATION_EXPECT_NONE, NULL};
    g_autoptr(RpcContext) own = rpc_context_new_admin(NULL); /* a request of its own, for the instance's list of actions */

    nova_instance_set_task_state(instance, TASK_UNRESCUING);
    return conductor_instance_save(agent->conductor, own, instance, at_rest, error) &&
           conductor_action_start(agent->conductor, own, instance->uuid, "unrescue", error) &&
           agent_run_method(agent, own, "unrescue_instance", instance, NULL, error);
}

static void poll_rescued(Agent *agent, RpcContext *context)
{
    static const char *const attrs[] = {"system_metadata", "info_cache", "metadata", "flavor", NULL};
    gint64 timeout_us = nd_config_int(agent->config, "DEFAULT", "rescue_timeout") * G_USEC_PER_SEC;
    g_autoptr(NovaInstanceList) instances = NULL;
    g_autoptr(GError) error = NULL;
    NdJson *filters;

    if (timeout_us == 0)
        return;
    filters = json_object_new_object();
    nd_json_set_string(filters, "vm_state", VM_RESCUED);
    nd_json_set_string(filters, "host", agent->host);
    instances = conductor_instance_list_by_filters(agent->conductor, context, filters, attrs, true, &error);
    if (instances == NULL) {
        nd_warning(LOGGER, "Rescued instances cannot be listed: %s", error->message);
        return;
    }
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);
        g_autoptr(GError) failure = NULL;

        if (instance->task_state != NULL || nd_time_now() - instance->launched_at <= timeout_us || agent_lanes_busy(agent->lanes, instance->uuid))
            continue;
        nd_log_set_instance(instance->uuid);
        nd_info(LOGGER, "The rescue has lasted longer than rescue_timeout and is ended");
        if (!begin_unrescue(agent, instance, &failure))
            nd_warning(LOGGER, "The rescue cannot be ended: %s", failure->message);
    }
    nd_log_set_instance(NULL);
}

static void check_release(Agent *agent, RpcContext *context)
{
    agent_service_check_release(agent, context);
}

/* spec/conductor-rpc.md section 8; `option` of [DEFAULT], or "section.option", is the spacing, NULL = `fixed_s`.
 * options read: [DEFAULT] update_resources_interval scheduler_instance_sync_interval heal_instance_info_cache_interval
 * shelved_poll_interval sync_power_state_interval running_deleted_instance_poll_interval instance_delete_interval */
/* options read: [image_cache] manager_interval */
static const struct {
    const char *name;
    const char *option;
    gint64 fixed_s;
    bool immediately;
    AgentPeriodicFunc func;
} tasks[] = {
    {"update_available_resource", "update_resources_interval", 0, false, audit},
    {"_sync_scheduler_instance_info", "scheduler_instance_sync_interval", 0, false, sync_scheduler},
    {"_heal_instance_info_cache", "heal_instance_info_cache_interval", 0, false, heal_info_cache},
    {"_sync_power_states", "sync_power_state_interval", 0, true, sync_power_states},
    {"_cleanup_running_deleted_instances", "running_deleted_instance_poll_interval", 0, true, cleanup_running_deleted},
    {"_cleanup_expired_console_auth_tokens", "instance_delete_interval", 0, false, clean_console_tokens},
    {"_run_pending_deletes", "instance_delete_interval", 0, false, run_pending_deletes},
    {"_reclaim_queued_deletes", NULL, 0, false, reclaim_queued_deletes},
    {"_poll_shelved_instances", "shelved_poll_interval", 0, false, periodic_offload_shelved},
    {"_poll_unconfirmed_resizes", NULL, 0, false, periodic_confirm_resizes},
    {"_check_instance_build_time", NULL, 0, false, check_build_time},
    {"_poll_rescued_instances", NULL, 0, false, poll_rescued},
    {"_instance_usage_audit", NULL, 0, false, usage_audit},
    {"_run_image_cache_manager_pass", "image_cache.manager_interval", 0, false, image_cache_manager_pass},
    {"_check_release", NULL, RELEASE_CHECK_S, false, check_release},
    {"_undo_interrupted", NULL, 0, false, recovery_undo_again},
};

static gint64 spacing_option(const NdConfig *config, const char *option)
{
    g_auto(GStrv) parts = g_strsplit(option, ".", 2);

    return parts[1] != NULL ? nd_config_int(config, parts[0], parts[1]) : nd_config_int(config, "DEFAULT", option);
}

void agent_periodic_tasks_add(Agent *agent)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tasks); i++) {
        gint64 spacing_s = tasks[i].option != NULL ? spacing_option(agent->config, tasks[i].option) : tasks[i].fixed_s;
        AgentPeriodicTask task = {tasks[i].name, spacing_s, tasks[i].immediately, tasks[i].func};

        agent_periodic_add(agent->periodic, &task);
    }
}
