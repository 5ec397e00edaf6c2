/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_stats.h"

#include <string.h>

/* How an instance was counted last. */
typedef struct {
    char *vm_state, *task_state, *os_type, *project_id;
} Counted;

struct TrackerStats {
    GHashTable *counters; /* char * -> gint64 * */
    GHashTable *counted;  /* uuid -> Counted */
};

/* Tasks that are heavy on disk or network: io_workload counts instances in them, and those being built. */
static const char *const io_counters[] = {
    "num_vm_building",         "num_task_resize_migrating", "num_task_rebuilding", "num_task_resize_prep",
    "num_task_image_snapshot", "num_task_image_backup",     "num_task_rescuing",   "num_task_unshelving",
};

static void counted_free(Counted *counted)
{
    g_free(counted->vm_state);
    g_free(counted->task_state);
    g_free(counted->os_type);
    g_free(counted->project_id);
    g_free(counted);
}

TrackerStats *tracker_stats_new(void)
{
    TrackerStats *stats = g_new0(TrackerStats, 1);
    stats->counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    stats->counted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)counted_free);
    return stats;
}

void tracker_stats_free(TrackerStats *stats)
{
    if (stats == NULL)
        return;
    g_hash_table_unref(stats->counters);
    g_hash_table_unref(stats->counted);
    g_free(stats);
}

static gint64 value_of(const TrackerStats *stats, const char *key)
{
    const gint64 *value = g_hash_table_lookup(stats->counters, key);
    return value != NULL ? *value : 0;
}

static void set_value(TrackerStats *stats, const char *key, gint64 value)
{
    gint64 *stored = g_hash_table_lookup(stats->counters, key);
    if (stored == NULL) {
        stored = g_new(gint64, 1);
        g_hash_table_insert(stats->counters, g_strdup(key), stored);
    }
    *stored = value;
}

static void add(TrackerStats *stats, const char *kind, const char *state, gint64 amount)
{
    g_autofree char *key = g_strconcat(kind, state != NULL ? state : "None", NULL);
    set_value(stats, key, value_of(stats, key) + amount);
}

static void add_all(TrackerStats *stats, const Counted *counted, gint64 amount)
{
    add(stats, "num_vm_", counted->vm_state, amount);
    add(stats, "num_task_", counted->task_state, amount);
    add(stats, "num_os_type_", counted->os_type, amount);
    add(stats, "num_proj_", counted->project_id, amount);
}

void tracker_stats_reset(TrackerStats *stats)
{
    gint64 failed = value_of(stats, "failed_builds");
    g_hash_table_remove_all(stats->counters);
    g_hash_table_remove_all(stats->counted);
    set_value(stats, "failed_builds", failed);
}

bool tracker_allows_removal(const NovaInstance *instance)
{
    return g_strcmp0(instance->vm_state, "deleted") == 0 ||
           (g_strcmp0(instance->vm_state, "shelved_offloaded") == 0 && g_strcmp0(instance->task_state, "spawning") != 0);
}

void tracker_stats_update(TrackerStats *stats, const NovaInstance *instance, bool removed)
{
    const Counted *before = g_hash_table_lookup(stats->counted, instance->uuid);
    if (before != NULL)
        add_all(stats, before, -1);
    else
        add(stats, "num_instances", "", 1);
    if (removed || tracker_allows_removal(instance)) {
        add(stats, "num_instances", "", -1);
        g_hash_table_remove(stats->counted, instance->uuid);
    } else {
        Counted *now = g_new0(Counted, 1);
        now->vm_state = g_strdup(instance->vm_state);
        now->task_state = g_strdup(instance->task_state);
        now->os_type = g_strdup(instance->os_type);
        now->project_id = g_strdup(instance->project_id);
        add_all(stats, now, 1);
        g_hash_table_replace(stats->counted, g_strdup(instance->uuid), now);
    }
    gint64 io = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(io_counters); i++)
        io += value_of(stats, io_counters[i]);
    set_value(stats, "io_workload", io);
}

void tracker_stats_build_failed(TrackerStats *stats)
{
    set_value(stats, "failed_builds", value_of(stats, "failed_builds") + 1);
}

void tracker_stats_build_succeeded(TrackerStats *stats)
{
    set_value(stats, "failed_builds", 0);
}

gint64 tracker_stats_instances(const TrackerStats *stats)
{
    return value_of(stats, "num_instances");
}

gint64 tracker_stats_workload(const TrackerStats *stats)
{
    gint64 workload = 0;
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, stats->counters);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (g_str_has_prefix(key, "num_task") && !g_str_has_suffix(key, "None"))
            workload += *(const gint64 *)value;
    return workload;
}

GHashTable *tracker_stats_table(const TrackerStats *stats)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, stats->counters);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(table, g_strdup(key), g_strdup_printf("%" G_GINT64_FORMAT, *(const gint64 *)value));
    return table;
}
