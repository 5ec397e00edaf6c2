/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/op_resize.h"
#include "agent/periodic.h"
#include "agent/power_sync.h"
#include "agent/recovery.h"
#include "agent/recovery_evacuated.h"
#include "agent/recovery_journal.h"
#include "agent/service.h"
#include "agent/console_text.h"
#include "objects/objects.h"

#include <string.h>

#define NOSTATE 0
#define RUNNING 1
#define PAUSED 3
#define SHUTDOWN 4
#define CRASHED 6
#define SUSPENDED 7

/* What is done at start with an instance in each state (spec/conductor-rpc.md section 7). */
static void test_recovery_actions(void)
{
    static const struct {
        const char *host, *vm_state, *task_state;
        gint64 power_state;
        RecoveryAction action;
    } cases[] = {
        {"h", "active", NULL, RUNNING, RECOVER_PLUG},
        {"other", "active", "deleting", RUNNING, RECOVER_SKIP},
        {"h", "soft-delete", NULL, NOSTATE, RECOVER_SKIP},
        {"h", "error", NULL, RUNNING, RECOVER_SKIP},
        {"h", "error", "powering-off", RUNNING, RECOVER_SKIP},
        {"h", "error", "deleting", NOSTATE, RECOVER_DELETE},
        {"h", "error", "resize_migrating", SHUTDOWN, RECOVER_PLUG},
        {"h", "deleted", NULL, RUNNING, RECOVER_DELETE},
        {"h", "building", NULL, NOSTATE, RECOVER_ERROR},
        {"h", "building", "spawning", RUNNING, RECOVER_ERROR},
        {"h", "active", "networking", RUNNING, RECOVER_ERROR},
        {"h", "stopped", "rebuild_spawning", SHUTDOWN, RECOVER_ERROR},
        {"h", "paused", "rebuilding", PAUSED, RECOVER_PLUG},
        {"h", "active", "image_uploading", RUNNING, RECOVER_CLEAR_TASK},
        {"h", "active", "resize_prep", RUNNING, RECOVER_CLEAR_TASK},
        {"h", "active", "deleting", RUNNING, RECOVER_DELETE},
        {"h", "active", "reboot_pending", RUNNING, RECOVER_REBOOT_SOFT},
        {"h", "active", "reboot_pending", SHUTDOWN, RECOVER_REBOOT_HARD},
        {"h", "active", "reboot_pending_hard", RUNNING, RECOVER_REBOOT_HARD},
        {"h", "stopped", "reboot_pending_hard", SHUTDOWN, RECOVER_REBOOT_HARD},
        {"h", "active", "reboot_started", SHUTDOWN, RECOVER_REBOOT_HARD},
        {"h", "active", "reboot_started_hard", NOSTATE, RECOVER_REBOOT_HARD},
        {"h", "active", "reboot_started", RUNNING, RECOVER_RUNNING},
        {"h", "active", "pausing", RUNNING, RECOVER_RUNNING},
        {"h", "paused", "unpausing", RUNNING, RECOVER_RUNNING},
        {"h", "paused", "unpausing", PAUSED, RECOVER_UNPAUSE},
        {"h", "active", "pausing", PAUSED, RECOVER_PLUG},
        {"h", "active", "powering-off", RUNNING, RECOVER_STOP},
        {"h", "active", "powering-off", SHUTDOWN, RECOVER_STOP},
        {"h", "stopped", "powering-on", SHUTDOWN, RECOVER_START},
        {"h", "active", "migrating", RUNNING, RECOVER_MIGRATING},
        {"h", "stopped", NULL, SHUTDOWN, RECOVER_PLUG},
        {"h", "active", "resize_finish", SHUTDOWN, RECOVER_SKIP},
        {"h", "active", "resize_migrating", SHUTDOWN, RECOVER_PLUG},
        {"h", "resized", NULL, RUNNING, RECOVER_PLUG},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NovaInstance) instance = nova_instance_new();

        nova_instance_set_host(instance, cases[i].host);
        nova_instance_set_vm_state(instance, cases[i].vm_state);
        nova_instance_set_task_state(instance, cases[i].task_state);
        g_test_message("%s %s %d", cases[i].vm_state, cases[i].task_state, (int)cases[i].power_state);
        g_assert_cmpint(recovery_action("h", instance, cases[i].power_state, RECOVERY_NOTHING_KNOWN), ==, cases[i].action);
    }
}

/* What the journal adds. */
static void test_recovery_with_journal(void)
{
    static const struct {
        RecoveryKnown known;
        const char *vm_state, *task_state;
        gint64 power_state;
        RecoveryAction action;
    } cases[] = {
        {RECOVERY_INTERRUPTED, "active", NULL, RUNNING, RECOVER_PLUG},
        {RECOVERY_INTERRUPTED, "error", NULL, RUNNING, RECOVER_SKIP},
        {RECOVERY_INTERRUPTED, "active", "rebooting", RUNNING, RECOVER_REBOOT_SOFT},
        {RECOVERY_INTERRUPTED, "active", "rebooting", SHUTDOWN, RECOVER_REBOOT_HARD},
        {RECOVERY_INTERRUPTED, "active", "rebooting_hard", RUNNING, RECOVER_REBOOT_HARD},
        {RECOVERY_INTERRUPTED, "error", "rebooting_hard", SHUTDOWN, RECOVER_REBOOT_HARD},
        {RECOVERY_INTERRUPTED, "error", "reboot_started_hard", SHUTDOWN, RECOVER_REBOOT_HARD},
        {RECOVERY_INTERRUPTED, "active", "pausing", PAUSED, RECOVER_PAUSED},
        {RECOVERY_INTERRUPTED, "active", "pausing", RUNNING, RECOVER_RUNNING},
        {RECOVERY_INTERRUPTED, "active", "pausing", SHUTDOWN, RECOVER_CLEAR_TASK},
        {RECOVERY_INTERRUPTED, "active", "suspending", RUNNING, RECOVER_SUSPEND},
        {RECOVERY_INTERRUPTED, "active", "suspending", SHUTDOWN, RECOVER_SUSPENDED},
        {RECOVERY_INTERRUPTED, "suspended", "resuming", SHUTDOWN, RECOVER_RESUME},
        {RECOVERY_INTERRUPTED, "suspended", "resuming", RUNNING, RECOVER_RUNNING},
        {RECOVERY_INTERRUPTED, "active", "rescuing", RUNNING, RECOVER_CLEAR_TASK},
        {RECOVERY_INTERRUPTED, "active", "powering-off", RUNNING, RECOVER_STOP},
        {RECOVERY_INTERRUPTED, "active", "deleting", NOSTATE, RECOVER_DELETE},
        {RECOVERY_NOTHING_KNOWN, "active", "rebooting_hard", RUNNING, RECOVER_PLUG},
        {RECOVERY_NOTHING_KNOWN, "active", "suspending", SHUTDOWN, RECOVER_PLUG},
        {RECOVERY_QUEUED, "active", "powering-off", RUNNING, RECOVER_PLUG},
        {RECOVERY_QUEUED, "active", "deleting", RUNNING, RECOVER_PLUG},
        {RECOVERY_QUEUED, "building", "scheduling", NOSTATE, RECOVER_SKIP},
        {RECOVERY_QUEUED, "error", "powering-off", RUNNING, RECOVER_SKIP},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NovaInstance) instance = nova_instance_new();

        nova_instance_set_host(instance, "h");
        nova_instance_set_vm_state(instance, cases[i].vm_state);
        nova_instance_set_task_state(instance, cases[i].task_state);
        g_test_message("%u %s %s %d", cases[i].known, cases[i].vm_state, cases[i].task_state, (int)cases[i].power_state);
        g_assert_cmpint(recovery_action("h", instance, cases[i].power_state, cases[i].known), ==, cases[i].action);
    }
}

static void test_evacuated_actions(void)
{
    static const struct {
        const char *host; /* NULL: the instance is deleted */
        const char *status;
        bool is_local;
        EvacuatedAction action;
    } cases[] = {
        {"other", "done", true, EVACUATED_DESTROY},  {"other", "done", false, EVACUATED_RECORDS},
        {"h", "accepted", true, EVACUATED_DESTROY},  {"h", "pre-migrating", false, EVACUATED_RECORDS},
        {"h", "done", true, EVACUATED_SKIP},         {"h", "done", false, EVACUATED_SKIP},
        {NULL, "done", true, EVACUATED_DESTROY},     {NULL, "accepted", false, EVACUATED_RECORDS},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NovaInstance) instance = cases[i].host != NULL ? nova_instance_new() : NULL;

        if (instance != NULL)
            nova_instance_set_host(instance, cases[i].host);
        g_assert_cmpint(recovery_evacuated_action("h", instance, cases[i].status, cases[i].is_local), ==, cases[i].action);
    }
}

/* An interrupted operation had done all its work if its last step was begun and the task state is gone. */
static void test_was_complete(void)
{
    static const OperationStep steps[] = {{"a", NULL, NULL, NULL, NULL}, {"b", NULL, NULL, NULL, NULL}};
    static const OperationSpec spec = {.method = "m", .steps = steps, .n_steps = 2};
    static const struct {
        const char *step;
        AgentJournalPhase phase;
        const char *vm_state, *task_state;
        bool complete;
    } cases[] = {
        {"b", AGENT_JOURNAL_RUN, "active", NULL, true},   {"b", AGENT_JOURNAL_FINISH, "active", NULL, true},
        {"b", AGENT_JOURNAL_UNDO, "active", NULL, false}, {"b", AGENT_JOURNAL_FINISH, "error", NULL, false},
        {"b", AGENT_JOURNAL_RUN, "active", "x", false},   {"a", AGENT_JOURNAL_RUN, "active", NULL, false},
        {NULL, AGENT_JOURNAL_RUN, "active", NULL, false},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new("u", "m", "r");
        g_autoptr(NovaInstance) instance = nova_instance_new();

        entry->step = g_strdup(cases[i].step);
        entry->phase = cases[i].phase;
        nova_instance_set_vm_state(instance, cases[i].vm_state);
        nova_instance_set_task_state(instance, cases[i].task_state);
        g_assert_true(recovery_journal_was_complete(entry, &spec, instance) == cases[i].complete);
    }
}

/* The action event is found by the request's id; the user's token is not needed. */
static void test_context_of_an_entry(void)
{
    g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new("u", "m", "req-1");
    g_autoptr(RpcContext) context = NULL;

    entry->project_id = g_strdup("p");
    context = recovery_journal_context(entry);
    g_assert_cmpstr(context->request_id, ==, "req-1");
    g_assert_cmpstr(context->project_id, ==, "p");
    g_assert_null(context->auth_token);
    g_assert_true(context->is_admin);
}

static void test_power_sync_actions(void)
{
    static const struct {
        const char *vm_state;
        gint64 power_state;
        PowerSyncAction action;
    } cases[] = {
        {"active", RUNNING, POWER_SYNC_NOTHING},      {"active", SHUTDOWN, POWER_SYNC_STOP},       {"active", CRASHED, POWER_SYNC_STOP},
        {"active", SUSPENDED, POWER_SYNC_STOP},       {"active", PAUSED, POWER_SYNC_WARN},         {"active", NOSTATE, POWER_SYNC_WARN},
        {"stopped", RUNNING, POWER_SYNC_FORCE_STOP},  {"stopped", PAUSED, POWER_SYNC_FORCE_STOP},  {"stopped", SHUTDOWN, POWER_SYNC_NOTHING},
        {"stopped", NOSTATE, POWER_SYNC_NOTHING},     {"stopped", CRASHED, POWER_SYNC_NOTHING},    {"paused", SHUTDOWN, POWER_SYNC_FORCE_STOP},
        {"paused", RUNNING, POWER_SYNC_NOTHING},      {"suspended", SHUTDOWN, POWER_SYNC_NOTHING}, {"building", RUNNING, POWER_SYNC_NOTHING},
        {"error", SHUTDOWN, POWER_SYNC_NOTHING},      {"rescued", RUNNING, POWER_SYNC_NOTHING},    {"soft-delete", RUNNING, POWER_SYNC_WARN},
        {"soft-delete", NOSTATE, POWER_SYNC_NOTHING}, {"deleted", RUNNING, POWER_SYNC_WARN},       {NULL, RUNNING, POWER_SYNC_NOTHING},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *reason;

        g_test_message("%s %d", cases[i].vm_state, (int)cases[i].power_state);
        g_assert_cmpint(power_sync_action(cases[i].vm_state, cases[i].power_state, &reason), ==, cases[i].action);
        g_assert_true((reason != NULL) == (cases[i].action != POWER_SYNC_NOTHING));
    }
}

static void test_periodic_due(void)
{
    AgentPeriodicTask each_tick = {"a", 0, false, NULL}, at_once = {"b", 600, true, NULL}, later = {"c", 600, false, NULL};
    gint64 second = G_USEC_PER_SEC;

    g_assert_cmpint(agent_periodic_due(&each_tick, 100 * second, 0, 100 * second), ==, 60 * second);
    g_assert_cmpint(agent_periodic_due(&at_once, 130 * second, 0, 100 * second), ==, 30 * second);
    g_assert_cmpint(agent_periodic_due(&at_once, 90 * second, 0, 100 * second), ==, 0);
    g_assert_cmpint(agent_periodic_due(&later, 100 * second, 0, 110 * second), ==, 590 * second);
    g_assert_cmpint(agent_periodic_due(&later, 100 * second, 200 * second, 210 * second), ==, 590 * second);
    g_assert_cmpint(agent_periodic_due(&later, 100 * second, 200 * second, 900 * second), ==, 0);
}

/* spec/versions.md sections 1, 5, 7. */
static void test_releases(void)
{
    static const struct {
        gint64 conductor;
        NdRelease release;
        gint64 registers;
        bool newer;
    } cases[] = {
        {0, ND_RELEASE_ZED, 64, false},      {64, ND_RELEASE_ZED, 64, false},     {65, ND_RELEASE_2023_1, 66, false},
        {66, ND_RELEASE_2023_1, 66, false},  {67, ND_RELEASE_2024_1, 67, false},  {68, ND_RELEASE_2025_1, 68, false},
        {69, ND_RELEASE_2025_2, 70, false},  {70, ND_RELEASE_2025_2, 70, false},  {71, ND_RELEASE_2026_1, 72, false},
        {72, ND_RELEASE_2026_1, 72, false},  {73, ND_RELEASE_2026_1, 72, true},
    };
    NdRelease release;
    bool newer;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(agent_service_release_of(cases[i].conductor, &release, &newer));
        g_assert_cmpint(release, ==, cases[i].release);
        g_assert_cmpint(agent_service_version_of(release), ==, cases[i].registers);
        g_assert_true(newer == cases[i].newer);
    }
    g_assert_false(agent_service_release_of(63, &release, &newer));
    g_assert_cmpint(agent_service_version_of(ND_RELEASE_2023_2), ==, 66);
    g_assert_cmpint(agent_service_version_of(ND_RELEASE_2024_2), ==, 67);
}

static void test_console_text(void)
{
    static const struct {
        const char *bytes;
        gint64 lines;
        const char *text;
    } cases[] = {
        {"a\nb\nc\n", -1, "a\nb\nc\n"}, {"a\nb\nc\n", 0, ""},   {"a\nb\nc\n", 1, ""},      {"a\nb\nc\n", 2, "c\n"},
        {"a\nb\nc", 2, "b\nc"},         {"a\nb", 10, "a\nb"},   {"", 5, ""},               {"x\xff\xc3y", -1, "x\xef\xbf\xbd\xef\xbf\xbdy"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = console_text(cases[i].bytes, strlen(cases[i].bytes), cases[i].lines);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* Which part of an interrupted resize is run again. */
static void test_resize_parts(void)
{
    static const struct {
        const char *vm_state, *task_state, *status, *method;
    } cases[] = {
        {"active", "resize_prep", "pre-migrating", NULL}, /* its request is gone: the task is cleared */
        {"active", "resize_migrating", "migrating", NULL}, /* files are moved back */
        {"active", "resize_migrated", "post-migrating", "finish_resize"},
        {"stopped", "resize_finish", "post-migrating", "finish_resize"},
        {"active", "resize_finish", "finished", "finish_resize"},
        {"resized", NULL, "finished", NULL}, /* waits for the user */
        {"resized", NULL, "confirming", "confirm_resize"},
        {"active", NULL, "confirmed", NULL},
        {"resized", "resize_reverting", "reverting", "revert_resize"},
        {"resized", "resize_reverting", "reverted", "finish_revert_resize"},
        {"active", NULL, "reverted", NULL},
        {"error", NULL, "error", NULL},
        {"active", NULL, "confirming", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(resize_recovery_method(cases[i].vm_state, cases[i].task_state, cases[i].status), ==, cases[i].method);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recovery/actions", test_recovery_actions);
    g_test_add_func("/recovery/with-journal", test_recovery_with_journal);
    g_test_add_func("/recovery/evacuated", test_evacuated_actions);
    g_test_add_func("/recovery/was-complete", test_was_complete);
    g_test_add_func("/recovery/context", test_context_of_an_entry);
    g_test_add_func("/recovery/resize-parts", test_resize_parts);
    g_test_add_func("/power-sync/actions", test_power_sync_actions);
    g_test_add_func("/periodic/due", test_periodic_due);
    g_test_add_func("/service/releases", test_releases);
    g_test_add_func("/console-text/tail", test_console_text);
    return g_test_run();
}
