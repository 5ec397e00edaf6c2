/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/periodic.h"

#include "agent/lanes.h"
#include "base/log.h"

#include <string.h>

#define LOGGER "oslo_service.periodic_task"

typedef struct {
    AgentPeriodic *periodic;
    AgentPeriodicTask task;
    char *lane;
    GSource *timer;
    gint64 last_run_us; /* 0 = never */
    guint64 runs;
} Entry;

/* `lock` guards entries' timers, last_run_us and runs, and stopped. */
struct AgentPeriodic {
    Agent *agent;
    GMutex lock;
    GPtrArray *entries;
    gint64 started_us;
    bool stopped;
};

static void entry_free(Entry *entry)
{
    if (entry->timer != NULL) {
        g_source_destroy(entry->timer);
        g_source_unref(entry->timer);
    }
    g_free(entry->lane);
    g_free(entry);
}

AgentPeriodic *agent_periodic_new(Agent *agent)
{
    AgentPeriodic *periodic = g_new0(AgentPeriodic, 1);

    periodic->agent = agent;
    g_mutex_init(&periodic->lock);
    periodic->entries = g_ptr_array_new_with_free_func((GDestroyNotify)entry_free);
    return periodic;
}

void agent_periodic_free(AgentPeriodic *periodic)
{
    if (periodic == NULL)
        return;
    g_ptr_array_unref(periodic->entries);
    g_mutex_clear(&periodic->lock);
    g_free(periodic);
}

void agent_periodic_add(AgentPeriodic *periodic, const AgentPeriodicTask *task)
{
    Entry *entry;

    if (task->spacing_s < 0)
        return;
    entry = g_new0(Entry, 1);
    entry->periodic = periodic;
    entry->task = *task;
    entry->lane = g_strconcat("periodic:", task->name, NULL);
    g_ptr_array_add(periodic->entries, entry);
}

gint64 agent_periodic_due(const AgentPeriodicTask *task, gint64 started_us, gint64 last_run_us, gint64 now_us)
{
    gint64 spacing = (task->spacing_s > 0 ? task->spacing_s : AGENT_PERIODIC_DEFAULT_S) * G_USEC_PER_SEC;
    gint64 due;

    if (last_run_us == 0)
        due = task->immediately ? started_us : started_us + spacing;
    else
        due = last_run_us + spacing;
    return MAX(due - now_us, 0);
}

static void run(gpointer data)
{
    Entry *entry = data;
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);

    nd_log_set_request(context->request_id, context->global_request_id, context->identity);
    nd_debug(LOGGER, "Running periodic task ComputeManager.%s", entry->task.name);
    entry->task.func(entry->periodic->agent, context);
    nd_log_set_instance(NULL);
    nd_log_set_request(NULL, NULL, NULL);
}

static gboolean on_timer(gpointer data);

/* Arms the timer for the next run. Lock held. */
static void arm(Entry *entry, gint64 now_us)
{
    gint64 wait_us = agent_periodic_due(&entry->task, entry->periodic->started_us, entry->last_run_us, now_us);

    if (entry->timer != NULL) {
        g_source_destroy(entry->timer);
        g_source_unref(entry->timer);
    }
    entry->timer = g_timeout_source_new((guint)MIN(wait_us / 1000 + 1, G_MAXUINT));
    g_source_set_callback(entry->timer, on_timer, entry, NULL);
    g_source_attach(entry->timer, NULL);
}

/* Hands one run to the workers. Lock held. False if the task is still running. */
static bool launch(Entry *entry, gint64 now_us)
{
    AgentLanes *lanes = entry->periodic->agent->lanes;

    entry->last_run_us = now_us;
    if (agent_lanes_busy(lanes, entry->lane))
        return false;
    entry->runs++;
    return agent_lanes_submit(lanes, entry->lane, NULL, run, entry, NULL);
}

static gboolean on_timer(gpointer data)
{
    Entry *entry = data;
    gint64 now_us = g_get_monotonic_time();

    g_mutex_lock(&entry->periodic->lock);
    if (!entry->periodic->stopped) {
        if (!launch(entry, now_us))
            nd_debug(LOGGER, "Periodic task ComputeManager.%s is still running", entry->task.name);
        arm(entry, now_us);
    }
    g_mutex_unlock(&entry->periodic->lock);
    return G_SOURCE_REMOVE; /* arm made a new one */
}

void agent_periodic_start(AgentPeriodic *periodic)
{
    gint64 now_us = g_get_monotonic_time();
    gint64 fuzzy_s = nd_config_int(periodic->agent->config, "DEFAULT", "periodic_fuzzy_delay");

    if (!nd_config_bool(periodic->agent->config, "DEFAULT", "periodic_enable"))
        return;
    g_mutex_lock(&periodic->lock);
    periodic->started_us = now_us + (fuzzy_s > 0 ? (gint64)(g_random_double() * (double)fuzzy_s * G_USEC_PER_SEC) : 0);
    for (guint i = 0; i < periodic->entries->len; i++)
        arm(periodic->entries->pdata[i], now_us);
    g_mutex_unlock(&periodic->lock);
}

bool agent_periodic_trigger(AgentPeriodic *periodic, const char *name)
{
    gint64 now_us = g_get_monotonic_time();
    bool launched = false;

    g_mutex_lock(&periodic->lock);
    for (guint i = 0; i < periodic->entries->len && !periodic->stopped; i++) {
        Entry *entry = periodic->entries->pdata[i];

        if (strcmp(entry->task.name, name) == 0)
            launched = launch(entry, now_us);
    }
    g_mutex_unlock(&periodic->lock);
    return launched;
}

void agent_periodic_stop(AgentPeriodic *periodic)
{
    g_mutex_lock(&periodic->lock);
    periodic->stopped = true;
    for (guint i = 0; i < periodic->entries->len; i++) {
        Entry *entry = periodic->entries->pdata[i];

        if (entry->timer != NULL)
            g_source_destroy(entry->timer);
        g_clear_pointer(&entry->timer, g_source_unref);
    }
    g_mutex_unlock(&periodic->lock);
}
