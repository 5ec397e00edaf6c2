/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/external_events.h"
#include "agent/startup_retry.h"
#include "base/error.h"
#include "rest/error.h"
#include "rpc/error.h"
#include "rpc/exception.h"
#include "virt/error.h"

#define SECOND G_USEC_PER_SEC

static void test_which_errors_pass(void)
{
    struct {
        GQuark domain;
        int code;
        bool passes;
    } cases[] = {
        {RPC_ERROR, RPC_ERROR_TIMEOUT, true},
        {RPC_ERROR, RPC_ERROR_REMOTE, true}, /* oslo_db's exceptions come so */
        {RPC_ERROR, RPC_ERROR_AUTH, true},
        {RPC_ERROR, RPC_ERROR_ARGUMENT, false},
        {NOVA_EXCEPTION, NOVA_EXC_INSTANCE_NOT_FOUND, true},
        {NOVA_EXCEPTION, NOVA_EXC_SERVICE_TOO_OLD, false},
        {NOVA_EXCEPTION, NOVA_EXC_INVALID_CONFIGURATION, false},
        {NOVA_EXCEPTION, NOVA_EXC_PROVIDER_CONFIG_EXCEPTION, false},
        {REST_ERROR, REST_ERROR_CONNECT, true},
        {REST_ERROR, REST_ERROR_AUTH, true},
        {VIRT_ERROR, VIRT_ERROR_NOT_CONNECTED, true},
        {VIRT_ERROR, VIRT_ERROR_NOT_SUPPORTED, false},
        {LIBVIRT_ERROR, VIR_ERR_RPC, true},
        {LIBVIRT_ERROR, VIR_ERR_INVALID_ARG, false},
        {ND_ERROR, ND_ERROR_IO, false},
        {ND_ERROR, ND_ERROR_CONFIG, false},
        {AGENT_ERROR, AGENT_ERROR_START, false},
        {AGENT_ERROR, AGENT_ERROR_STOPPING, false},
        {AGENT_ERROR, AGENT_ERROR_TIMEOUT, true},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = g_error_new_literal(cases[i].domain, cases[i].code, "x");

        g_test_message("%s %d", g_quark_to_string(cases[i].domain), cases[i].code);
        g_assert_true(agent_start_error_passes(error) == cases[i].passes);
    }
}

static void test_pauses(void)
{
    static const gint64 seconds[] = {1, 2, 4, 8, 16, 30, 30, 30};

    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_assert_cmpint(agent_start_pause(i + 1, 0.5), ==, seconds[i] * SECOND);
        g_assert_cmpint(agent_start_pause(i + 1, 0), ==, seconds[i] * SECOND * 3 / 4);
        g_assert_cmpint(agent_start_pause(i + 1, 1), ==, seconds[i] * SECOND * 5 / 4);
    }
    g_assert_cmpint(agent_start_pause(G_MAXUINT, 0.5), ==, 30 * SECOND);
}

typedef struct {
    guint calls, fail;
    GQuark domain;
    int code;
} Script;

static bool scripted(Agent *agent G_GNUC_UNUSED, gpointer data, GError **error)
{
    Script *script = data;

    if (++script->calls > script->fail)
        return true;
    g_set_error(error, script->domain, script->code, "away");
    return false;
}

static void test_works_the_second_time(void)
{
    Agent agent = {.events = agent_events_new()};
    Script script = {.fail = 1, .domain = RPC_ERROR, .code = RPC_ERROR_TIMEOUT};
    g_autoptr(GError) error = NULL;

    g_assert_true(agent_start_retry(&agent, "Asking", scripted, &script, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(script.calls, ==, 2);
    agent_events_free(agent.events);
}

static void test_lasting_error_ends_it(void)
{
    Agent agent = {.events = agent_events_new()};
    Script script = {.fail = G_MAXUINT, .domain = AGENT_ERROR, .code = AGENT_ERROR_START};
    g_autoptr(GError) error = NULL;

    g_assert_false(agent_start_retry(&agent, "Asking", scripted, &script, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_START);
    g_assert_cmpuint(script.calls, ==, 1);
    agent_events_free(agent.events);
}

static gpointer stop_soon(gpointer data)
{
    Agent *agent = data;

    g_usleep(50000); /* so that the pause has most likely begun; the test holds either way */
    g_atomic_int_set(&agent->stopping, AGENT_PARKING);
    agent_events_cancel(agent->events, NULL);
    return NULL;
}

/* A stop does not wait for the end of a pause. */
static void test_stop_breaks_the_pause(void)
{
    Agent agent = {.events = agent_events_new()};
    Script script = {.fail = G_MAXUINT, .domain = REST_ERROR, .code = REST_ERROR_CONNECT};
    g_autoptr(GError) error = NULL;
    g_autoptr(GThread) stopper = g_thread_new("stopper", stop_soon, &agent);
    gint64 begun = g_get_monotonic_time();

    g_assert_false(agent_start_retry(&agent, "Asking", scripted, &script, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 20 * SECOND);
    g_thread_join(g_steal_pointer(&stopper));
    agent_events_free(agent.events);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/startup/which-errors-pass", test_which_errors_pass);
    g_test_add_func("/startup/pauses", test_pauses);
    g_test_add_func("/startup/works-the-second-time", test_works_the_second_time);
    g_test_add_func("/startup/lasting-error-ends-it", test_lasting_error_ends_it);
    g_test_add_func("/startup/stop-breaks-the-pause", test_stop_breaks_the_pause);
    return g_test_run();
}
