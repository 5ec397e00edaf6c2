/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/recovery.h"

#include "agent/dispatch.h"
#include "agent/guest.h"
#include "agent/op_resize.h"
#include "agent/recovery_evacuated.h"
#include "agent/recovery_journal.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"
#include "virt/connection.h"

#include <string.h>

#define LOGGER "nova.compute.manager"
#define ANY (-1)
#define VIRT_WAIT_MS 5000
#define POWER_STATE_TRIES 3 /* with a connection */

static const char *const error_tasks_handled[] = {TASK_RESIZE_MIGRATING, TASK_DELETING, NULL};
static const char *const building_tasks[] = {TASK_SCHEDULING, TASK_BLOCK_DEVICE_MAPPING, TASK_NETWORKING, TASK_SPAWNING, NULL};
static const char *const rebuild_states[] = {VM_ACTIVE, VM_STOPPED, NULL};
static const char *const rebuild_tasks[] = {TASK_REBUILDING, TASK_REBUILD_BLOCK_DEVICE_MAPPING, TASK_REBUILD_SPAWNING, NULL};
static const char *const forgotten_tasks[] = {
    TASK_IMAGE_SNAPSHOT_PENDING, TASK_IMAGE_PENDING_UPLOAD, TASK_IMAGE_UPLOADING, TASK_IMAGE_SNAPSHOT, TASK_RESIZE_PREP, NULL,
};
/* What goes on by a request, op_resize_recover.c and op_shelve.c, and makes or removes the guest itself. */
static const char *const moving_tasks[] = {TASK_RESIZE_MIGRATED, TASK_RESIZE_FINISH, TASK_RESIZE_REVERTING, TASK_SHELVING_OFFLOADING, NULL};
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

static RecoveryAction action_by_state(const char *host, const NovaInstance *instance, gint64 power_state, RecoveryKnown known)
{
    const char *vm_state = instance->vm_state != NULL ? instance->vm_state : "";
    bool worked_on = known == RECOVERY_INTERRUPTED && instance->task_state != NULL;

    if (g_strcmp0(instance->host, host) != 0 || strcmp(vm_state, VM_SOFT_DELETED) == 0)
        return RECOVER_SKIP;
    if (state_is_one_of(instance->task_state, moving_tasks) && strcmp(vm_state, VM_ERROR) != 0)
        return RECOVER_SKIP;
    if (strcmp(vm_state, VM_ERROR) == 0 && !worked_on && !state_is_one_of(instance->task_state, error_tasks_handled))
        return RECOVER_SKIP;
    if (strcmp(vm_state, VM_DELETED) == 0)
        return RECOVER_DELETE;
    if (strcmp(vm_state, VM_BUILDING) == 0 || state_is_one_of(instance->task_state, building_tasks))
        return RECOVER_ERROR;
    if (state_is_one_of(vm_state, rebuild_states) && state_is_one_of(instance->task_state, rebuild_tasks))
        return RECOVER_ERROR;
    if (state_is_one_of(instance->task_state, forgotten_tasks))
        return RECOVER_CLEAR_TASK;
    return task_action(instance, power_state);
}

/* Task states that upstream leaves alone at start, because it cannot tell whether a request for them still waits in the queue. The journal can:
 * the request was being worked on. The first line that matches decides. */
static const struct {
    const char *task; /* NULL: any */
    gint64 power_state;
    RecoveryAction action;
} interrupted_rules[] = {
    {TASK_REBOOTING, VIRT_POWER_RUNNING, RECOVER_REBOOT_SOFT},
    {TASK_REBOOTING, ANY, RECOVER_REBOOT_HARD},
    {TASK_REBOOTING_HARD, ANY, RECOVER_REBOOT_HARD},
    {TASK_REBOOT_PENDING_HARD, ANY, RECOVER_REBOOT_HARD},
    {TASK_REBOOT_STARTED_HARD, ANY, RECOVER_REBOOT_HARD},
    {TASK_PAUSING, VIRT_POWER_PAUSED, RECOVER_PAUSED},
    {TASK_SUSPENDING, VIRT_POWER_RUNNING, RECOVER_SUSPEND},
    {TASK_SUSPENDING, VIRT_POWER_PAUSED, RECOVER_SUSPEND},
    {TASK_SUSPENDING, ANY, RECOVER_SUSPENDED},
    {TASK_RESUMING, VIRT_POWER_RUNNING, RECOVER_RUNNING},
    {TASK_RESUMING, ANY, RECOVER_RESUME},
    {NULL, ANY, RECOVER_CLEAR_TASK},
};

static RecoveryAction interrupted_action(const NovaInstance *instance, gint64 power_state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(interrupted_rules); i++)
        if ((interrupted_rules[i].task == NULL || g_strcmp0(interrupted_rules[i].task, instance->task_state) == 0) &&
            (interrupted_rules[i].power_state == ANY || interrupted_rules[i].power_state == power_state))
            return interrupted_rules[i].action;
    return RECOVER_PLUG;
}

RecoveryAction recovery_action(const char *host, const NovaInstance *instance, gint64 power_state, RecoveryKnown known)
{
    RecoveryAction action = action_by_state(host, instance, power_state, known);

    /* What has not begun is begun by its request. */
    if (known == RECOVERY_QUEUED && action != RECOVER_SKIP && action != RECOVER_ERROR)
        return RECOVER_PLUG;
    if (known == RECOVERY_QUEUED && g_strcmp0(instance->vm_state, VM_BUILDING) == 0)
        return RECOVER_SKIP;
    if (known == RECOVERY_INTERRUPTED && action == RECOVER_PLUG && instance->task_state != NULL &&
        g_strcmp0(instance->task_state, TASK_RESIZE_MIGRATING) != 0)
        return interrupted_action(instance, power_state);
    return action;
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

/* What the parts of a recovery share. */
typedef struct {
    Agent *agent;
    RpcContext *context;
    RecoveryJournal *journal;
} Recovery;

/* Again, in the place of the interrupted operation if it was the same method. */
static void run(const Recovery *recovery, const char *method, NovaInstance *instance, NdJson *args)
{
    Agent *agent = recovery->agent;
    const AgentJournalEntry *entry = recovery_journal_interrupted(recovery->journal, instance->uuid);
    g_autoptr(GError) error = NULL;
    bool begun;

    nd_info(LOGGER, "Instance in transitional state %s at start-up: %s again", instance->task_state != NULL ? instance->task_state : "None", method);
    if (entry != NULL && strcmp(entry->method, method) == 0) {
        g_autoptr(RpcContext) context = recovery_journal_context(entry);

        begun = agent_resume_method(agent, context, recovery_journal_steal(recovery->journal, instance->uuid), instance, args, &error);
    } else {
        recovery_journal_close(recovery->journal, instance->uuid, false);
        begun = agent_run_method(agent, recovery->context, method, instance, args, &error);
    }
    if (!begun)
        nd_err(LOGGER, "%s cannot be begun: %s", method, error->message);
}

static void run_reboot(const Recovery *recovery, NovaInstance *instance, bool hard)
{
    static const char *const soft_tasks[] = {TASK_REBOOTING, TASK_REBOOT_PENDING, TASK_REBOOT_STARTED, NULL};
    NdJson *args = json_object_new_object();

    nd_json_set_string(args, "reboot_type", hard ? "HARD" : "SOFT");
    nd_json_set(args, "block_device_info", NULL);
    if (hard && state_is_one_of(instance->task_state, soft_tasks)) { /* the task state must fit what is done now */
        nova_instance_set_task_state(instance, TASK_REBOOT_PENDING_HARD);
        save(recovery->agent, recovery->context, instance);
    }
    run(recovery, "reboot_instance", instance, args);
}

static NdJson *stop_args(void)
{
    NdJson *args = json_object_new_object();

    nd_json_set_bool(args, "clean_shutdown", true);
    return args;
}

/* The records of volumes are read anew, the rest is the instance's. */
static void run_delete(const Recovery *recovery, NovaInstance *instance)
{
    Agent *agent = recovery->agent;
    NdJson *args = json_object_new_object();
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaBlockDeviceMappingList) mappings = conductor_bdm_list(agent->conductor, recovery->context, instance->uuid, &error);

    if (mappings == NULL)
        nd_warning(LOGGER, "The block device mappings cannot be read: %s", error->message);
    nd_json_set(args, "bdms", mappings != NULL ? nova_object_to_json(mappings, NOVA_UNCLAMPED) : NULL);
    run(recovery, "terminate_instance", instance, args);
}

/* The task is over; vm_state NULL: stays. */
static void settle(const Recovery *recovery, NovaInstance *instance, const char *vm_state, gint64 power_state)
{
    nd_info(LOGGER, "Instance in transitional state %s at start-up clearing task state", instance->task_state);
    nova_instance_set_task_state(instance, NULL);
    if (vm_state != NULL) {
        nova_instance_set_vm_state(instance, vm_state);
        nova_instance_set_power_state(instance, power_state);
    }
    save(recovery->agent, recovery->context, instance);
}

/* Interrupted in suspend, and not running: either its memory is saved, or it stopped by itself. */
static bool settle_suspended(const Recovery *recovery, NovaInstance *instance, gint64 power_state)
{
    bool saved = false;
    g_autoptr(GError) error = NULL;

    if (!virt_domain_has_managed_save(recovery->agent->virt, instance->uuid, &saved, &error))
        nd_warning(LOGGER, "%s", error->message);
    settle(recovery, instance, saved ? VM_SUSPENDED : NULL, power_state);
    return saved;
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

static bool was_complete(const Recovery *recovery, const NovaInstance *instance)
{
    const AgentJournalEntry *entry = recovery_journal_interrupted(recovery->journal, instance->uuid);
    const MethodSpec *method = entry != NULL ? methods_lookup(entry->method) : NULL;

    return method != NULL && recovery_journal_was_complete(entry, method->operation, instance);
}

/* True: an action that it began goes on as an operation, or nothing more is to be done. */
static bool act(const Recovery *recovery, NovaInstance *instance, RecoveryAction action, gint64 power_state, bool *succeeded)
{
    switch (action) {
    case RECOVER_SKIP:
        return true;
    case RECOVER_ERROR:
        nd_warning(LOGGER, "Instance was in task %s when the service stopped: setting to ERROR state",
                   instance->task_state != NULL ? instance->task_state : instance->vm_state);
        instance_set_build_error(recovery->agent, recovery->context, instance);
        return true;
    case RECOVER_DELETE:
        run_delete(recovery, instance);
        return true;
    case RECOVER_REBOOT_SOFT:
    case RECOVER_REBOOT_HARD:
        run_reboot(recovery, instance, action == RECOVER_REBOOT_HARD);
        return true;
    case RECOVER_UNPAUSE:
        run(recovery, "unpause_instance", instance, NULL);
        return true;
    case RECOVER_SUSPEND:
        run(recovery, "suspend_instance", instance, NULL);
        return true;
    case RECOVER_RESUME:
        run(recovery, "resume_instance", instance, NULL);
        return true;
    case RECOVER_STOP:
        run(recovery, "stop_instance", instance, stop_args());
        return true;
    case RECOVER_START:
        run(recovery, "start_instance", instance, NULL);
        return true;
    case RECOVER_CLEAR_TASK:
        settle(recovery, instance, NULL, power_state);
        return false;
    case RECOVER_RUNNING: /* what was asked for, unless it was a pause */
        *succeeded = g_strcmp0(instance->task_state, TASK_PAUSING) != 0;
        settle(recovery, instance, VM_ACTIVE, power_state);
        return false;
    case RECOVER_PAUSED:
        *succeeded = true;
        settle(recovery, instance, VM_PAUSED, power_state);
        return false;
    case RECOVER_SUSPENDED:
        *succeeded = settle_suspended(recovery, instance, power_state);
        return true; /* its interfaces are plugged when it is resumed */
    case RECOVER_MIGRATING:
        reset_live_migration(recovery->agent, recovery->context, instance);
        return false;
    case RECOVER_PLUG:
        return false;
    }
    return false;
}

/* A libvirtd that does not answer must not make a running guest look as if it was off: it is waited for. False: the daemon stops, or libvirt
 * cannot tell of this one. */
static bool read_power_state(Agent *agent, const NovaInstance *instance, gint64 *power_state)
{
    for (guint failures = 0; agent_stopping(agent) == AGENT_RUNNING && failures < POWER_STATE_TRIES;) {
        g_autoptr(GError) error = NULL;

        *power_state = guest_power_state(agent, instance, &error);
        if (error == NULL)
            return true;
        nd_warning(LOGGER, "The power state cannot be read: %s", error->message);
        if (virt_connection_wait(agent->virt, VIRT_WAIT_MS, NULL))
            failures++;
    }
    return false;
}

static void recover(const Recovery *recovery, NovaInstance *instance)
{
    gint64 power_state;
    if (!read_power_state(recovery->agent, instance, &power_state))
        return;
    RecoveryKnown known = recovery_journal_interrupted(recovery->journal, instance->uuid) != NULL ? RECOVERY_INTERRUPTED
                          : recovery_journal_is_queued(recovery->journal, instance->uuid)         ? RECOVERY_QUEUED
                                                                                                  : RECOVERY_NOTHING_KNOWN;
    bool succeeded = was_complete(recovery, instance);

    if (!act(recovery, instance, recovery_action(recovery->agent->host, instance, power_state, known), power_state, &succeeded)) {
        plug_and_resume(recovery->agent, recovery->context, instance, power_state);
        if (g_strcmp0(instance->task_state, TASK_RESIZE_MIGRATING) == 0) {
            resize_recover_migrating(recovery->agent, recovery->context, instance);
            settle(recovery, instance, NULL, guest_power_state(recovery->agent, instance, NULL));
        }
    }
    recovery_journal_close(recovery->journal, instance->uuid, succeeded);
}

/* So that a host with other defaults does not change the machine (upstream _register_all_undefined_instance_details). */
static void register_defaults(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    g_autoptr(GError) error = NULL;
    bool registered = false;

    if (!guest_register_defaults(agent, context, instance, &registered, &error))
        nd_warning(LOGGER, "The defaults of image properties cannot be recorded: %s", error->message);
    else if (registered)
        save(agent, context, instance);
}

bool agent_recover_instances(Agent *agent, RpcContext *context, GError **error)
{
    static const char *const attrs[] = {"info_cache", "metadata", "numa_topology", "system_metadata", "flavor", NULL};
    g_autoptr(RecoveryJournal) journal = recovery_journal_read(agent);
    Recovery recovery = {agent, context, journal};
    g_autoptr(NovaInstanceList) instances = conductor_instance_list_by_host(agent->conductor, context, agent->host, attrs, false, error);
    g_autoptr(GHashTable) handled = NULL; /* uuids */

    if (instances == NULL)
        return false;
    handled = recovery_destroy_evacuated(agent, context, error);
    if (handled == NULL)
        return false;
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);

        if (!g_hash_table_add(handled, g_strdup(instance->uuid)))
            continue; /* evacuated */
        nd_log_set_instance(instance->uuid);
        register_defaults(agent, context, instance);
        recover(&recovery, instance);
    }
    nd_log_set_instance(NULL);
    recovery_journal_close_rest(journal);
    recovery_journal_add_queued(journal, handled);
    recovery_error_out_unclaimed(agent, context, handled);
    if (nova_object_list_length(instances) > 0)
        tracker_scheduler_update_all(agent->tracker, context, instances);
    return true;
}
