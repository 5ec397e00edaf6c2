/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "objects/objects.h"

#include <glib.h>
#include <stdbool.h>

/*
 * Counters of what the instances of this host are and do: ComputeNode.stats, which the scheduler's filters and weighers read
 * (num_instances, num_vm_<state>, num_task_<state>, num_os_type_<type>, num_proj_<project>, io_workload, failed_builds). Rules:
 * nova.compute.stats. Not locked.
 */
typedef struct TrackerStats TrackerStats;

TrackerStats *tracker_stats_new(void);
void tracker_stats_free(TrackerStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrackerStats, tracker_stats_free)

/* Forgets all but failed_builds. */
void tracker_stats_reset(TrackerStats *stats);
/* Counts the instance by its present state instead of the one it was counted by before; `removed` takes it out. */
void tracker_stats_update(TrackerStats *stats, const NovaInstance *instance, bool removed);
void tracker_stats_build_failed(TrackerStats *stats);
void tracker_stats_build_succeeded(TrackerStats *stats);

gint64 tracker_stats_instances(const TrackerStats *stats);
/* Number of instances with a task. */
gint64 tracker_stats_workload(const TrackerStats *stats);
/* char * -> char *, new: the form of ComputeNode.stats. */
GHashTable *tracker_stats_table(const TrackerStats *stats);

/* True for instances that use nothing any more: deleted, or offloaded and not being spawned again
 * (nova.compute.vm_states.allow_resource_removal). */
bool tracker_allows_removal(const NovaInstance *instance);
