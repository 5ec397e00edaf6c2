/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/recovery.h"

#include "agent/dispatch.h"
#include "agent/guest.h"
#include "agent/journal.h"
#include "agent/methods.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.manager"

static const char *const error_tasks_handled[] = {TASK_RESIZE_MIGRATING, TASK_DELETING, NULL};
static const char *const building_tasks[] = {TASK_SCHEDULING, TASK_BLOCK_DEVICE_MAPPING, TASK_NETWORKING, TASK_SPAWNING, NULL};
static const char *const rebuild_states[] = {VM_ACTIVE, VM_STOPPED, NULL};
static const char *const rebuild_tasks[] = {TASK_REBUILDING, TASK_REBUILD_BLOCK_DEVICE_MAPPING, TASK_REBUILD_SPAWNING, NULL};
static const char *const forgotten_tasks[] = {
    TASK_IMAGE_SNAPSHOT_PENDING, TASK_IMAGE_PENDING_UPLOAD, TASK_IMAGE_UPLOADING, TASK_IMAGE_SNAPSHOT, TASK_RESIZE_PREP, NULL,
};
static const char *const soft_reboot_states[] = {VM_ACTIVE, NULL};
static const char *const hard_reboot_states[] = {VM_ACTIVE, VM_STOPPED, VM_PAUSED, VM_SUSPENDED, VM_ERROR, NULL};
static const char *const reboot_begun[] = {TASK_REBOOT_STARTED, TASK_REBOOT_STARTED_HARD, NULL};
static const char *const settled_if_running[] = {TASK_REBOOT_STARTED, TASK_REBOOT_STARTED_HARD, TASK_PAUSING, TASK_UNPAUSING, NULL};

/* A reboot that has not happened yet, or that took the guest down and no more. */
static RecoveryAction reboot_action(const NovaInstance *instance, gint64 power_state)
{
    const char *task = instance->task_state;
    bool running = power_state == VIRT_POWER_RUNNING;
    bool soft_pending = g_strcmp0(task, TASK_REBOOT_PENDING) == 0 && state_is_one_of(instance->vm_state, soft_reboot_states);
    bool hard_pending = g_strcmp0(task, TASK_REBOOT_PENDING_HARD) == 0 && state_is_one_of(instance->vm_state, hard_reboot_states);
    bool stuck = state_is_one_of(task, reboot_begun) && !running;

    if (!soft_pending && !hard_pending && !stuck)
        return RECOVER_SKIP;
    return soft_pending && running ? RECOVER_REBOOT_SOFT : RECOVER_REBOOT_HARD;
}

/* The task states whose operation is begun again or given up; what is left is RECOVER_PLUG. */
static RecoveryAction task_action(const NovaInstance *instance, gint64 power_state)
{
    const char *task = instance->task_state;
    RecoveryAction reboot;

    if (g_strcmp0(task, TASK_DELETING) == 0)
        return RECOVER_DELETE;
    reboot = reboot_action(instance, power_state);
    if (reboot != RECOVER_SKIP)
        return reboot;
    if (power_state == VIRT_POWER_RUNNING && state_is_one_of(task, settled_if_running))
        return RECOVER_RUNNING;
    if (power_state == VIRT_POWER_PAUSED && g_strcmp0(task, TASK_UNPAUSING) == 0)
        return RECOVER_UNPAUSE;
    if (g_strcmp0(task, TASK_POWERING_OFF) == 0)
        return RECOVER_STOP;
    if (g_strcmp0(task, TASK_POWERING_ON) == 0)
        return RECOVER_START;
    if (g_strcmp0(task, TASK_MIGRATING) == 0)
        return RECOVER_MIGRATING;
    return RECOVER_PLUG;
}

RecoveryAction recovery_action(const char *host, const NovaInstance *instance, gint64 power_state)
{
    const char *vm_state = instance->vm_state != NULL ? instance->vm_state : "";

    if (g_strcmp0(instance->host, host) != 0 || strcmp(vm_state, VM_SOFT_DELETED) == 0)
        return RECOVER_SKIP;
    if (strcmp(vm_state, VM_ERROR) == 0 && !state_is_one_of(instance->task_state, error_tasks_handled))
        return RECOVER_SKIP;
    if (strcmp(vm_state, VM_DELETED) == 0)
        return RECOVER_FINISH_DELETION;
    if (strcmp(vm_state, VM_BUILDING) == 0 || state_is_one_of(instance->task_state, building_tasks))
        return RECOVER_ERROR;
    if (state_is_one_of(vm_state, rebuild_states) && state_is_one_of(instance->task_state, rebuild_tasks))
        return RECOVER_ERROR;
    if (state_is_one_of(instance->task_state, forgotten_tasks))
        return RECOVER_CLEAR_TASK;
    return task_action(instance, power_state);
}

/* --- doing it --- */

static bool save(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    g_autoptr(GError) error = NULL;

    if (conductor_instance_save(agent->conductor, context, instance, NULL, &error))
        return true;
    nd_err(LOGGER, "The instance cannot be saved: %s", error->message);
    return false;
}

static void run(Agent *agent, RpcContext *context, const char *method, NovaInstance *instance, NdJson *args)
{
    g_autoptr(GError) error = NULL;

    nd_info(LOGGER, "Instance in transitional state %s at start-up: %s again", instance->task_state, method);
    if (!agent_run_method(agent, context, method, instance, args, &error))
        nd_err(LOGGER, "%s cannot be begun: %s", method, error->message);
}

static void run_reboot(Agent *agent, RpcContext *context, NovaInstance *instance, bool hard)
{
    static const char *const soft_tasks[] = {TASK_REBOOTING, TASK_REBOOT_PENDING, TASK_REBOOT_STARTED, NULL};
    NdJson *args = json_object_new_object();

    nd_json_set_string(args, "reboot_type", hard ? "HARD" : "SOFT");
    nd_json_set(args, "block_device_info", NULL);
    if (hard && state_is_one_of(instance->task_state, soft_tasks)) { /* the task state must fit what is done now */
        nova_instance_set_task_state(instance, TASK_REBOOT_PENDING_HARD);
        save(agent, context, instance);
    }
    run(agent, context, "reboot_instance", instance, args);
}

static NdJson *stop_args(void)
{
    NdJson *args = json_object_new_object();

    nd_json_set_bool(args, "clean_shutdown", true);
    return args;
}

static void run_delete(Agent *agent, RpcContext *context, NovaInstance *instance)
{
    NdJson *args = json_object_new_object();

    nd_json_set(args, "bdms", NULL);
    run(agent, context, "terminate_instance", instance, args);
}

static void finish_deletion(Agent *agent, NovaInstance *instance)
{
    g_autoptr(GError) error = NULL;

    if (!guest_destroy_leftover(agent, instance->uuid, true, &error))
        nd_err(LOGGER, "Failed to complete a deletion: %s", error->message);
}

/* The interfaces of a host that may have been rebooted; then, if asked for, the guest that ran. */
static void plug_and_resume(Agent *agent, RpcContext *context, NovaInstance *instance, gint64 power_state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = guest_new(agent, context, instance, NULL, &error);
    bool lost = instance->power_state == VIRT_POWER_RUNNING && power_state != VIRT_POWER_RUNNING;

    if (guest == NULL || !guest_plug_interfaces(guest, &error)) {
        nd_err(LOGGER, "Virtual interface plugging failed for instance: %s", error->message);
        if (nova_exception_matches(error, NOVA_EXC_VIRTUAL_INTERFACE_PLUG_EXCEPTION) ||
            strcmp(nova_exception_class(error), "VirtualInterfacePlugException") == 0)
            instance_set_error(agent, context, instance, false);
        return;
    }
    if (!lost || !nd_config_bool(agent->config, "DEFAULT", "resume_guests_state_on_host_boot"))
        return;
    nd_info(LOGGER, "Rebooting instance after nova-compute restart.");
    if (!guest_hard_reboot(guest, &error)) {
        nd_warning(LOGGER, "Failed to resume instance: %s", error->message);
        instance_set_error(agent, context, instance, false);
    }
}

/* A live migration does not survive the daemon: what runs is aborted with its record. */
static void reset_live_migration(Agent *agent, RpcContext *context, NovaInstance *instance)
{
    g_autoptr(NovaMigration) migration =
        conductor_migration_get_by_instance_and_status(agent->conductor, context, instance->uuid, "running", NULL);
    g_autoptr(GError) error = NULL;

    if (migration != NULL) {
        nova_migration_set_status(migration, "error");
        if (!conductor_migration_save(agent->conductor, context, migration, &error))
            nd_warning(LOGGER, "The migration cannot be saved: %s", error->message);
    }
    nd_info(LOGGER, "Instance found in migrating state during startup. Resetting task_state");
    nova_instance_set_task_state(instance, NULL);
    save(agent, context, instance);
}

static void recover(Agent *agent, RpcContext *context, NovaInstance *instance)
{
    gint64 power_state = guest_power_state(agent, instance, NULL);
    RecoveryAction action = recovery_action(agent->host, instance, power_state);

    switch (action) {
    case RECOVER_SKIP:
        return;
    case RECOVER_FINISH_DELETION:
        finish_deletion(agent, instance);
        return;
    case RECOVER_ERROR:
        nd_warning(LOGGER, "Instance was in task %s when the service stopped: setting to ERROR state",
                   instance->task_state != NULL ? instance->task_state : instance->vm_state);
        instance_set_error(agent, context, instance, true);
        return;
    case RECOVER_DELETE:
        run_delete(agent, context, instance);
        return;
    case RECOVER_REBOOT_SOFT:
    case RECOVER_REBOOT_HARD:
        run_reboot(agent, context, instance, action == RECOVER_REBOOT_HARD);
        return;
    case RECOVER_UNPAUSE:
        run(agent, context, "unpause_instance", instance, NULL);
        return;
    case RECOVER_STOP:
        run(agent, context, "stop_instance", instance, stop_args());
        return;
    case RECOVER_START:
        run(agent, context, "start_instance", instance, NULL);
        return;
    case RECOVER_CLEAR_TASK:
    case RECOVER_RUNNING:
        nd_info(LOGGER, "Instance in transitional state %s at start-up clearing task state", instance->task_state);
        nova_instance_set_task_state(instance, NULL);
        if (action == RECOVER_RUNNING)
            nova_instance_set_vm_state(instance, VM_ACTIVE);
        save(agent, context, instance);
        break;
    case RECOVER_MIGRATING:
        reset_live_migration(agent, context, instance);
        break;
    case RECOVER_PLUG:
        break;
    }
    plug_and_resume(agent, context, instance, power_state);
    if (g_strcmp0(instance->task_state, TASK_RESIZE_MIGRATING) == 0) { /* the disks are as they were: moves are not begun before that state is saved */
        nd_info(LOGGER, "Instance found in migrating state during startup. Resetting task_state");
        nova_instance_set_task_state(instance, NULL);
        save(agent, context, instance);
    }
}

/* --- the journal of the run before --- */

/* The user's action must not look as if it was still going on. */
static void close_event(Agent *agent, const RpcContext *admin, const AgentJournalEntry *entry)
{
    g_autofree char *event = g_strcmp0(entry->method, "build_and_run_instance") == 0 ? g_strdup("compute__do_build_and_run_instance")
                                                                                      : g_strconcat("compute_", entry->method, NULL);
    g_autoptr(GError) error = NULL;

    if (!conductor_action_event_finish(agent->conductor, admin, entry->instance_uuid, event, "The compute service was restarted.", NULL, &error))
        nd_debug(LOGGER, "The event %s cannot be finished: %s", event, error->message);
}

/* What the operation itself knows to take back, beyond what the instance's states tell. An instance that the database does not have any more is
 * given by its uuid alone, deleted. False: it did not work and is tried again at the next start. */
static bool undo_operation(Agent *agent, RpcContext *context, const AgentJournalEntry *entry)
{
    static const char *const attrs[] = {"info_cache", "metadata", "system_metadata", "flavor", NULL};
    const MethodSpec *method = methods_lookup(entry->method);
    g_autoptr(GError) error = NULL;

    if (method == NULL || method->operation->recovery != OPERATION_RECOVER_UNDO)
        return true;
    g_autoptr(NovaInstance) instance = conductor_instance_get_by_uuid(agent->conductor, context, entry->instance_uuid, attrs, &error);
    if (instance == NULL && nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        g_clear_error(&error);
        instance = nova_instance_new();
        nova_instance_set_uuid(instance, entry->instance_uuid);
        nova_instance_set_deleted(instance, true);
    }
    if (instance != NULL && method->operation->recover(agent, entry, instance, &error))
        return true;
    nd_warning(LOGGER, "%s could not be undone: %s", entry->method, error->message);
    return false;
}

static void read_journal(Agent *agent, RpcContext *context)
{
    g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = agent_journal_load(agent->journal, bad, &error);

    if (entries == NULL) {
        nd_err(LOGGER, "%s", error->message);
        return;
    }
    for (guint i = 0; i < bad->len; i++)
        nd_warning(LOGGER, "Unreadable journal entry %s was put aside", (const char *)bad->pdata[i]);
    for (guint i = 0; i < entries->len; i++) {
        const AgentJournalEntry *entry = entries->pdata[i];

        nd_log_set_instance(entry->instance_uuid);
        nd_warning(LOGGER, "%s (request %s) was interrupted in step %s", entry->method, entry->request_id,
                   entry->step != NULL ? entry->step : "(none)");
        close_event(agent, context, entry);
        if (undo_operation(agent, context, entry) && !agent_journal_end(agent->journal, entry, &error)) {
            nd_warning(LOGGER, "%s", error->message);
            g_clear_error(&error);
        }
    }
    nd_log_set_instance(NULL);
}

bool agent_recover_instances(Agent *agent, RpcContext *context, GError **error)
{
    static const char *const attrs[] = {"info_cache", "metadata", "numa_topology", "system_metadata", "flavor", NULL};

    read_journal(agent, context);
    g_autoptr(NovaInstanceList) instances = conductor_instance_list_by_host(agent->conductor, context, agent->host, attrs, false, error);
    if (instances == NULL)
        return false;
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);

        nd_log_set_instance(instance->uuid);
        recover(agent, context, instance);
    }
    nd_log_set_instance(NULL);
    if (nova_object_list_length(instances) > 0)
        tracker_scheduler_update_all(agent->tracker, context, instances);
    return true;
}
