/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Waiting for external_instance_event (network-vif-plugged, volume-extended ...). An operation announces what it will wait for before it
 * does the thing that causes the event, and waits afterwards; events that arrive between are kept. Keyed by (instance, name, tag) as
 * upstream's InstanceEvents.
 */
typedef struct AgentEvents AgentEvents;
typedef struct AgentEventWaiter AgentEventWaiter;

AgentEvents *agent_events_new(void);
void agent_events_free(AgentEvents *events);

/* Announces an expectation of several (name, tag) pairs of one instance; `tags[i]` may be NULL. Copies. */
AgentEventWaiter *agent_events_expect(AgentEvents *events, const char *instance_uuid, const char *name, const char *const *tags);
/* Blocks until all came, at most `timeout_us`. Errors: AGENT_ERROR_TIMEOUT, AGENT_ERROR_EVENT (status failed), AGENT_ERROR_STOPPING.
 * The caller brackets it with operation_wait_begin/_end. */
bool agent_events_wait(AgentEventWaiter *waiter, gint64 timeout_us, GError **error);
/* Ends the expectation, fulfilled or not. */
void agent_event_waiter_free(AgentEventWaiter *waiter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgentEventWaiter, agent_event_waiter_free)

/* Lets time pass before a retry. False (AGENT_ERROR_STOPPING) when the daemon stops or the instance's waits are broken off meanwhile. */
bool agent_events_pause(AgentEvents *events, const char *instance_uuid, gint64 time_us, GError **error);

/* An event arrived: true if somebody expected it. `status` is "completed" or "failed". */
bool agent_events_deliver(AgentEvents *events, const char *instance_uuid, const char *name, const char *tag, const char *status);
/* Wakes all waiters of an instance (it is being deleted) or of all (instance_uuid NULL, the daemon stops) with AGENT_ERROR_STOPPING. */
void agent_events_cancel(AgentEvents *events, const char *instance_uuid);
