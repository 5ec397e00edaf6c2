/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/external_events.h"

#include "agent/error.h"

typedef struct {
    char *tag; /* NULL: the event has none */
    char *status; /* NULL: not come yet */
} Expected;

struct AgentEventWaiter {
    AgentEvents *events;
    char *instance_uuid;
    char *name;
    GPtrArray *expected; /* Expected; under events->lock */
    bool cancelled;      /* under events->lock */
};

struct AgentEvents {
    GMutex lock; /* covers all below, and the waiters' fields; held for moments only */
    GCond changed;
    GPtrArray *waiters; /* AgentEventWaiter, borrowed */
    bool stopped;
};

static void expected_free(gpointer data)
{
    Expected *expected = data;
    g_free(expected->tag);
    g_free(expected->status);
    g_free(expected);
}

AgentEvents *agent_events_new(void)
{
    AgentEvents *events = g_new0(AgentEvents, 1);
    g_mutex_init(&events->lock);
    g_cond_init(&events->changed);
    events->waiters = g_ptr_array_new();
    return events;
}

void agent_events_free(AgentEvents *events)
{
    if (events == NULL)
        return;
    g_ptr_array_unref(events->waiters);
    g_cond_clear(&events->changed);
    g_mutex_clear(&events->lock);
    g_free(events);
}

AgentEventWaiter *agent_events_expect(AgentEvents *events, const char *instance_uuid, const char *name, const char *const *tags)
{
    AgentEventWaiter *waiter = g_new0(AgentEventWaiter, 1);
    waiter->events = events;
    waiter->instance_uuid = g_strdup(instance_uuid);
    waiter->name = g_strdup(name);
    waiter->expected = g_ptr_array_new_with_free_func(expected_free);
    static const char *const no_tag[] = {NULL};
    bool untagged = tags == NULL;
    for (const char *const *tag = untagged ? no_tag : tags; untagged || *tag; tag++) {
        Expected *expected = g_new0(Expected, 1);
        expected->tag = g_strdup(*tag);
        g_ptr_array_add(waiter->expected, expected);
        if (untagged)
            break;
    }
    g_mutex_lock(&events->lock);
    g_ptr_array_add(events->waiters, waiter);
    g_mutex_unlock(&events->lock);
    return waiter;
}

void agent_event_waiter_free(AgentEventWaiter *waiter)
{
    if (waiter == NULL)
        return;
    g_mutex_lock(&waiter->events->lock);
    g_ptr_array_remove_fast(waiter->events->waiters, waiter);
    g_mutex_unlock(&waiter->events->lock);
    g_ptr_array_unref(waiter->expected);
    g_free(waiter->instance_uuid);
    g_free(waiter->name);
    g_free(waiter);
}

typedef enum { WAIT_MORE, WAIT_CAME, WAIT_FAILED } WaitState;

/* Caller holds the lock. */
static WaitState waiter_state(const AgentEventWaiter *waiter, const char **failed_tag)
{
    WaitState state = WAIT_CAME;
    for (guint i = 0; i < waiter->expected->len; i++) {
        const Expected *expected = g_ptr_array_index(waiter->expected, i);
        if (expected->status == NULL)
            state = WAIT_MORE;
        else if (g_strcmp0(expected->status, "failed") == 0) {
            *failed_tag = expected->tag;
            return WAIT_FAILED;
        }
    }
    return state;
}

static bool wait_locked(AgentEventWaiter *waiter, gint64 deadline, GError **error)
{
    AgentEvents *events = waiter->events;
    for (;;) {
        const char *failed_tag = NULL;
        if (events->stopped || waiter->cancelled) {
            g_set_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING, "waiting for '%s' was broken off", waiter->name);
            return false;
        }
        switch (waiter_state(waiter, &failed_tag)) {
        case WAIT_CAME:
            return true;
        case WAIT_FAILED:
            g_set_error(error, AGENT_ERROR, AGENT_ERROR_EVENT, "event '%s' for '%s' reports a failure", waiter->name,
                        failed_tag ? failed_tag : "");
            return false;
        case WAIT_MORE:
            break;
        }
        if (!g_cond_wait_until(&events->changed, &events->lock, deadline)) {
            if (waiter_state(waiter, &failed_tag) == WAIT_CAME)
                return true;
            g_set_error(error, AGENT_ERROR, AGENT_ERROR_TIMEOUT, "event '%s' did not come in time", waiter->name);
            return false;
        }
    }
}

bool agent_events_wait(AgentEventWaiter *waiter, gint64 timeout_us, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + timeout_us;
    g_mutex_lock(&waiter->events->lock);
    bool came = wait_locked(waiter, deadline, error);
    g_mutex_unlock(&waiter->events->lock);
    return came;
}

bool agent_events_pause(AgentEvents *events, const char *instance_uuid, gint64 time_us, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(AgentEventWaiter) waiter = agent_events_expect(events, instance_uuid, "", NULL);
    if (agent_events_wait(waiter, time_us, &failure) || g_error_matches(failure, AGENT_ERROR, AGENT_ERROR_TIMEOUT))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool agent_events_deliver(AgentEvents *events, const char *instance_uuid, const char *name, const char *tag, const char *status)
{
    bool wanted = false;
    g_mutex_lock(&events->lock);
    for (guint i = 0; i < events->waiters->len; i++) {
        AgentEventWaiter *waiter = g_ptr_array_index(events->waiters, i);
        if (g_strcmp0(waiter->instance_uuid, instance_uuid) != 0 || g_strcmp0(waiter->name, name) != 0)
            continue;
        for (guint j = 0; j < waiter->expected->len; j++) {
            Expected *expected = g_ptr_array_index(waiter->expected, j);
            if (expected->status != NULL || g_strcmp0(expected->tag, tag) != 0)
                continue;
            expected->status = g_strdup(status ? status : "completed");
            wanted = true;
        }
    }
    if (wanted)
        g_cond_broadcast(&events->changed);
    g_mutex_unlock(&events->lock);
    return wanted;
}

void agent_events_cancel(AgentEvents *events, const char *instance_uuid)
{
    g_mutex_lock(&events->lock);
    if (instance_uuid == NULL)
        events->stopped = true;
    for (guint i = 0; instance_uuid && i < events->waiters->len; i++) {
        AgentEventWaiter *waiter = g_ptr_array_index(events->waiters, i);
        if (g_strcmp0(waiter->instance_uuid, instance_uuid) == 0)
            waiter->cancelled = true;
    }
    g_cond_broadcast(&events->changed);
    g_mutex_unlock(&events->lock);
}
