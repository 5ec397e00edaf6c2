/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/error.h"
#include "agent/external_events.h"

#define UUID "86b869ef-9dac-4646-ad78-ce4d2b1521e6"
#define SECOND ((gint64)G_USEC_PER_SEC)

static const char *const two_ports[] = {"port-1", "port-2", NULL};

static void test_all_must_come(void)
{
    g_autoptr(GError) error = NULL;
    AgentEvents *events = agent_events_new();
    AgentEventWaiter *waiter = agent_events_expect(events, UUID, "network-vif-plugged", two_ports);
    g_assert_true(agent_events_deliver(events, UUID, "network-vif-plugged", "port-1", "completed"));
    g_assert_false(agent_events_wait(waiter, 1000, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_TIMEOUT);
    g_clear_error(&error);
    g_assert_true(agent_events_deliver(events, UUID, "network-vif-plugged", "port-2", "completed"));
    g_assert_true(agent_events_wait(waiter, SECOND, &error));
    g_assert_no_error(error);
    agent_event_waiter_free(waiter);
    agent_events_free(events);
}

static void test_nobody_waits(void)
{
    AgentEvents *events = agent_events_new();
    AgentEventWaiter *waiter = agent_events_expect(events, UUID, "network-vif-plugged", two_ports);
    g_assert_false(agent_events_deliver(events, "other", "network-vif-plugged", "port-1", "completed"));
    g_assert_false(agent_events_deliver(events, UUID, "network-vif-unplugged", "port-1", "completed"));
    g_assert_false(agent_events_deliver(events, UUID, "network-vif-plugged", "port-3", "completed"));
    g_assert_true(agent_events_deliver(events, UUID, "network-vif-plugged", "port-1", "completed"));
    /* A second one of the same kind is not expected any more. */
    g_assert_false(agent_events_deliver(events, UUID, "network-vif-plugged", "port-1", "completed"));
    agent_event_waiter_free(waiter);
    g_assert_false(agent_events_deliver(events, UUID, "network-vif-plugged", "port-2", "completed"));
    agent_events_free(events);
}

static void test_failed(void)
{
    g_autoptr(GError) error = NULL;
    AgentEvents *events = agent_events_new();
    AgentEventWaiter *waiter = agent_events_expect(events, UUID, "network-vif-plugged", two_ports);
    agent_events_deliver(events, UUID, "network-vif-plugged", "port-2", "failed");
    g_assert_false(agent_events_wait(waiter, SECOND, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_EVENT);
    agent_event_waiter_free(waiter);
    agent_events_free(events);
}

typedef struct {
    AgentEvents *events;
    const char *cancel; /* instance to cancel; NULL: all */
} Breaker;

static gpointer break_off(gpointer data)
{
    Breaker *breaker = data;
    agent_events_cancel(breaker->events, breaker->cancel);
    return NULL;
}

static void test_broken_off(gconstpointer which)
{
    g_autoptr(GError) error = NULL;
    Breaker breaker = {agent_events_new(), which};
    AgentEventWaiter *waiter = agent_events_expect(breaker.events, UUID, "network-vif-plugged", two_ports);
    GThread *thread = g_thread_new("breaker", break_off, &breaker);
    g_assert_false(agent_events_wait(waiter, 60 * SECOND, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING);
    g_thread_join(thread);
    agent_event_waiter_free(waiter);
    agent_events_free(breaker.events);
}

static gpointer deliver(gpointer data)
{
    agent_events_deliver(data, UUID, "network-vif-plugged", "port-1", "completed");
    agent_events_deliver(data, UUID, "network-vif-plugged", "port-2", "completed");
    return NULL;
}

static void test_from_another_thread(void)
{
    g_autoptr(GError) error = NULL;
    AgentEvents *events = agent_events_new();
    AgentEventWaiter *waiter = agent_events_expect(events, UUID, "network-vif-plugged", two_ports);
    GThread *thread = g_thread_new("neutron", deliver, events);
    g_assert_true(agent_events_wait(waiter, 60 * SECOND, &error));
    g_assert_no_error(error);
    g_thread_join(thread);
    agent_event_waiter_free(waiter);
    agent_events_free(events);
}

static void test_pause(void)
{
    g_autoptr(GError) error = NULL;
    AgentEvents *events = agent_events_new();
    g_assert_true(agent_events_pause(events, UUID, 1000, &error));
    g_assert_no_error(error);
    agent_events_cancel(events, NULL);
    g_assert_false(agent_events_pause(events, UUID, 60 * SECOND, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING);
    agent_events_free(events);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/external-events/all-must-come", test_all_must_come);
    g_test_add_func("/external-events/nobody-waits", test_nobody_waits);
    g_test_add_func("/external-events/failed", test_failed);
    g_test_add_data_func("/external-events/instance-cancelled", UUID, test_broken_off);
    g_test_add_data_func("/external-events/all-cancelled", NULL, test_broken_off);
    g_test_add_func("/external-events/from-another-thread", test_from_another_thread);
    g_test_add_func("/external-events/pause", test_pause);
    return g_test_run();
}
