/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Lanes: jobs with the same key (an instance's UUID) run one after the other in the order they were submitted; jobs of different
 * keys run in parallel on a bounded set of worker threads. Quick jobs (console output, diagnostics, ping) have worker threads of
 * their own and no order, so they are answered while every ordinary worker is busy. See docs/threads.md.
 *
 * A job that is about to wait long for something outside (an external event, a migration) brackets the wait with
 * agent_lanes_wait_begin/_end: for that time it does not count as one of the workers and another job may run in its place.
 */
typedef struct AgentLanes AgentLanes;

/* Bounds how many jobs of one kind run at the same time (max_concurrent_builds). A job over the limit waits in its lane and holds
 * no thread. Owned by the AgentLanes that made it. */
typedef struct AgentLaneLimit AgentLaneLimit;

typedef void (*AgentLaneFunc)(gpointer data);

/* `workers` ordinary threads at the same time (started when needed), `quick_workers` for quick jobs, both >= 1. */
AgentLanes *agent_lanes_new(guint workers, guint quick_workers);

/* A limit of `max` (0 = none) jobs at a time. */
AgentLaneLimit *agent_lanes_add_limit(AgentLanes *lanes, guint max);

/* Queues `run(data)` in the lane `key` (copied). limit may be NULL. Afterwards, or if the job is dropped by agent_lanes_stop,
 * `free_data(data)` is called once (may be NULL). Returns false, having freed data, once stopping has begun. Any thread. */
bool agent_lanes_submit(AgentLanes *lanes, const char *key, AgentLaneLimit *limit, AgentLaneFunc run, gpointer data, GDestroyNotify free_data);
/* Queues a quick job, first come first served, no lane. Otherwise as agent_lanes_submit. */
bool agent_lanes_submit_quick(AgentLanes *lanes, AgentLaneFunc run, gpointer data, GDestroyNotify free_data);

/* Only in a job, from its own thread: a long wait begins or has ended. They nest. Outside of a job they do nothing. */
void agent_lanes_wait_begin(AgentLanes *lanes);
void agent_lanes_wait_end(AgentLanes *lanes);

/* True if a job of this key runs or waits. */
bool agent_lanes_busy(AgentLanes *lanes, const char *key);

typedef struct {
    guint queued;  /* waiting, both kinds */
    guint running; /* running, both kinds, without those in a long wait */
    guint waiting; /* in a long wait */
    guint threads;
} AgentLanesStats;
void agent_lanes_stats(AgentLanes *lanes, AgentLanesStats *stats);

/* Waits until no job runs or waits, at most `timeout_us` (negative: without end); jobs are still taken meanwhile. True if there is none. */
bool agent_lanes_drain(AgentLanes *lanes, gint64 timeout_us);
/* No new jobs are taken and queued ones are dropped (free_data is called); then waits until the running ones have ended, at most
 * `timeout_us`. True if all ended. May be called again with another timeout. */
bool agent_lanes_stop(AgentLanes *lanes, gint64 timeout_us);
/* Only after agent_lanes_stop returned true; else the structure must be leaked, as threads still use it. */
void agent_lanes_free(AgentLanes *lanes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgentLanes, agent_lanes_free)
