/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * Periodic tasks (spec/conductor-rpc.md section 8). Timers of the GLib main context hand each run to the worker pool, in a lane of the task's
 * own, so that a task never overlaps itself and a slow one delays no other. Each run has an admin context with a request id of its own.
 */
typedef void (*AgentPeriodicFunc)(Agent *agent, RpcContext *context);

typedef struct {
    const char *name;       /* upstream's method name, "_sync_power_states": logs, novactl */
    gint64 spacing_s;       /* 0 = every AGENT_PERIODIC_DEFAULT_S, negative = off */
    bool immediately;       /* first run at the first tick, not after one spacing */
    AgentPeriodicFunc func;
} AgentPeriodicTask;

#define AGENT_PERIODIC_DEFAULT_S 60

AgentPeriodic *agent_periodic_new(Agent *agent);
/* Adds a task (copied; name static). Before start. A task whose spacing is negative is not added. */
void agent_periodic_add(AgentPeriodic *periodic, const AgentPeriodicTask *task);
/* Starts the timers; the first tick comes after a random part of periodic_fuzzy_delay. Nothing starts with [DEFAULT]periodic_enable off. */
void agent_periodic_start(AgentPeriodic *periodic);
/* Runs a task now; false if there is none of that name or it is running. */
bool agent_periodic_trigger(AgentPeriodic *periodic, const char *name);
/* No further runs; running ones go on. Any thread. */
void agent_periodic_stop(AgentPeriodic *periodic);
/* After stop, when the lanes have stopped too. */
void agent_periodic_free(AgentPeriodic *periodic);

/* How long until the next run: pure, for tests. now and last_run monotonic microseconds; last_run 0 = never. */
gint64 agent_periodic_due(const AgentPeriodicTask *task, gint64 started_us, gint64 last_run_us, gint64 now_us);
