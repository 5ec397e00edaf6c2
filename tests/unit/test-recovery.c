/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/periodic.h"
#include "agent/power_sync.h"
#include "agent/recovery.h"
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
        {"h", "deleted", NULL, RUNNING, RECOVER_FINISH_DELETION},
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
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NovaInstance) instance = nova_instance_new();

        nova_instance_set_host(instance, cases[i].host);
        nova_instance_set_vm_state(instance, cases[i].vm_state);
        nova_instance_set_task_state(instance, cases[i].task_state);
        g_test_message("%s %s %d", cases[i].vm_state, cases[i].task_state, (int)cases[i].power_state);
        g_assert_cmpint(recovery_action("h", instance, cases[i].power_state), ==, cases[i].action);
    }
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recovery/actions", test_recovery_actions);
    g_test_add_func("/power-sync/actions", test_power_sync_actions);
    g_test_add_func("/periodic/due", test_periodic_due);
    g_test_add_func("/service/releases", test_releases);
    g_test_add_func("/console-text/tail", test_console_text);
    return g_test_run();
}
