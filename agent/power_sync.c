/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/power_sync.h"

#include "agent/dispatch.h"
#include "agent/guest.h"
#include "agent/lanes.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.manager"
#define ANY (-1)

/* The first line that matches decides; what is not listed is as it should be, or no business of the sync (building, rescued ...). */
static const struct {
    const char *vm_state;
    gint64 power_state;
    PowerSyncAction action;
    const char *reason;
} rules[] = {
    {VM_ACTIVE, VIRT_POWER_SHUTDOWN, POWER_SYNC_STOP, "Instance shutdown by itself. Calling the stop API."},
    {VM_ACTIVE, VIRT_POWER_CRASHED, POWER_SYNC_STOP, "Instance shutdown by itself. Calling the stop API."},
    {VM_ACTIVE, VIRT_POWER_SUSPENDED, POWER_SYNC_STOP, "Instance is suspended unexpectedly. Calling the stop API."},
    {VM_ACTIVE, VIRT_POWER_PAUSED, POWER_SYNC_WARN, "Instance is paused unexpectedly. Ignore."},
    {VM_ACTIVE, VIRT_POWER_NOSTATE, POWER_SYNC_WARN, "Instance is unexpectedly not found. Ignore."},
    {VM_STOPPED, VIRT_POWER_NOSTATE, POWER_SYNC_NOTHING, NULL},
    {VM_STOPPED, VIRT_POWER_SHUTDOWN, POWER_SYNC_NOTHING, NULL},
    {VM_STOPPED, VIRT_POWER_CRASHED, POWER_SYNC_NOTHING, NULL},
    {VM_STOPPED, ANY, POWER_SYNC_FORCE_STOP, "Instance is not stopped. Calling the stop API."},
    {VM_PAUSED, VIRT_POWER_SHUTDOWN, POWER_SYNC_FORCE_STOP, "Paused instance shutdown by itself. Calling the stop API."},
    {VM_PAUSED, VIRT_POWER_CRASHED, POWER_SYNC_FORCE_STOP, "Paused instance shutdown by itself. Calling the stop API."},
    {VM_SOFT_DELETED, VIRT_POWER_NOSTATE, POWER_SYNC_NOTHING, NULL},
    {VM_SOFT_DELETED, VIRT_POWER_SHUTDOWN, POWER_SYNC_NOTHING, NULL},
    {VM_SOFT_DELETED, ANY, POWER_SYNC_WARN, "Instance is not (soft-)deleted."},
    {VM_DELETED, VIRT_POWER_NOSTATE, POWER_SYNC_NOTHING, NULL},
    {VM_DELETED, VIRT_POWER_SHUTDOWN, POWER_SYNC_NOTHING, NULL},
    {VM_DELETED, ANY, POWER_SYNC_WARN, "Instance is not (soft-)deleted."},
};

PowerSyncAction power_sync_action(const char *vm_state, gint64 power_state, const char **reason)
{
    *reason = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (g_strcmp0(vm_state, rules[i].vm_state) == 0 && (rules[i].power_state == ANY || rules[i].power_state == power_state)) {
            *reason = rules[i].reason;
            return rules[i].action;
        }
    return POWER_SYNC_NOTHING;
}

/* What the compute API's stop and force_stop do, from here: the task state, the action record, the request. */
static bool call_stop_api(Agent *agent, RpcContext *context, NovaInstance *instance, GError **error)
{
    static const char *const expected[] = {OPERATION_EXPECT_NONE, NULL};
    NdJson *args = json_object_new_object();

    nova_instance_set_task_state(instance, TASK_POWERING_OFF);
    nova_instance_set_progress(instance, 0);
    nd_json_set_bool(args, "clean_shutdown", true);
    if (conductor_instance_save(agent->conductor, context, instance, expected, error) &&
        conductor_action_start(agent->conductor, context, instance->uuid, "stop", error))
        return agent_run_method(agent, context, "stop_instance", instance, args, error);
    json_object_put(args);
    return false;
}

static bool sync_instance(Agent *agent, RpcContext *context, NovaInstance *instance, gint64 power_state, GError **error)
{
    gint64 recorded;
    PowerSyncAction action;
    const char *reason;

    if (!conductor_instance_refresh(agent->conductor, context, instance, error))
        return false;
    if (g_strcmp0(instance->host, agent->host) != 0) {
        nd_info(LOGGER, "During the sync_power process the instance has moved from host %s to host %s", agent->host,
                instance->host != NULL ? instance->host : "None");
        return true;
    }
    if (instance->task_state != NULL) {
        nd_info(LOGGER, "During sync_power_state the instance has a pending task (%s). Skip.", instance->task_state);
        return true;
    }
    recorded = instance->power_state;
    if (recorded != power_state) {
        nd_info(LOGGER, "The DB's power_state (%" G_GINT64_FORMAT ") does not match the hypervisor's (%" G_GINT64_FORMAT "). Updating it.", recorded,
                power_state);
        nova_instance_set_power_state(instance, power_state);
        if (!conductor_instance_save(agent->conductor, context, instance, NULL, error))
            return false;
    }
    action = power_sync_action(instance->vm_state, power_state, &reason);
    if (reason != NULL)
        nd_warning(LOGGER, "%s Current vm_state: %s, original DB power_state: %" G_GINT64_FORMAT ", current VM power_state: %" G_GINT64_FORMAT,
                   reason, instance->vm_state, recorded, power_state);
    if (action == POWER_SYNC_STOP && guest_power_state(agent, instance, NULL) != (VirtPowerState)power_state)
        return true; /* it has changed while we looked */
    if (action == POWER_SYNC_STOP || action == POWER_SYNC_FORCE_STOP)
        return call_stop_api(agent, context, instance, error);
    return true;
}

void power_sync_instance(Agent *agent, RpcContext *context, NovaInstance *instance, gint64 power_state)
{
    g_autoptr(GError) error = NULL;

    if (!sync_instance(agent, context, instance, power_state, &error) && !nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND))
        nd_err(LOGGER, "Syncing the power state failed: %s", error->message);
}

/* A sync as a job of the instance's lane. */
typedef struct {
    Agent *agent;
    RpcContext *context;
    char *uuid;
    NovaInstance *instance; /* NULL: to be read */
    gint64 expected;        /* ANY: whatever libvirt says */
} SyncJob;

static void sync_job_free(gpointer data)
{
    SyncJob *job = data;

    nova_object_unref(job->instance);
    rpc_context_unref(job->context);
    g_free(job->uuid);
    g_free(job);
}

static void sync_job_run(gpointer data)
{
    SyncJob *job = data;
    g_autoptr(GError) error = NULL;
    VirtPowerState state;

    nd_log_set_request(job->context->request_id, NULL, job->context->identity);
    nd_log_set_instance(job->uuid);
    if (job->instance == NULL)
        job->instance = conductor_instance_get_by_uuid(job->agent->conductor, job->context, job->uuid, NULL, &error);
    if (job->instance == NULL) {
        nd_debug(LOGGER, "An event came for an instance that cannot be read: %s", error->message);
    } else {
        state = guest_power_state(job->agent, job->instance, &error);
        if (error != NULL)
            nd_warning(LOGGER, "The power state cannot be read: %s", error->message);
        else if (job->expected == ANY || job->expected == (gint64)state)
            power_sync_instance(job->agent, job->context, job->instance, state);
    }
    nd_log_set_instance(NULL);
    nd_log_set_request(NULL, NULL, NULL);
}

static void submit(Agent *agent, RpcContext *context /* takes */, const char *uuid, NovaInstance *instance, gint64 expected)
{
    SyncJob *job = g_new0(SyncJob, 1);

    job->agent = agent;
    job->context = context;
    job->uuid = g_strdup(uuid);
    job->instance = instance != NULL ? nova_object_ref(instance) : NULL;
    job->expected = expected;
    agent_lanes_submit(agent->lanes, uuid, NULL, sync_job_run, job, sync_job_free);
}

void power_sync_after_event(Agent *agent, const char *uuid, gint64 expected_power_state)
{
    submit(agent, rpc_context_new_admin("yes"), uuid, NULL, expected_power_state);
}

void power_sync_all(Agent *agent, RpcContext *context)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(NovaInstanceList) instances =
        conductor_instance_list_by_host(agent->conductor, context, agent->host, no_attrs, true, &error);

    if (instances != NULL)
        domains = virt_domain_list(agent->virt, false, &error);
    if (domains == NULL) {
        nd_warning(LOGGER, "Skipping _sync_power_states: %s", error->message);
        return;
    }
    if (domains->len != nova_object_list_length(instances))
        nd_warning(LOGGER, "While synchronizing instance power states, found %u instances in the database and %u instances on the hypervisor.",
                   nova_object_list_length(instances), domains->len);
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);

        if (instance->task_state != NULL || agent_lanes_busy(agent->lanes, instance->uuid))
            continue; /* an operation is at work: it leaves the power state right */
        submit(agent, rpc_context_ref(context), instance->uuid, instance, ANY);
    }
}
