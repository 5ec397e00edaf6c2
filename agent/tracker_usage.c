/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_private.h"

#include "base/log.h"
#include "rpc/exception.h"

/* What one instance, or one flavor of a moving one, uses. */
typedef struct {
    gint64 memory_mb, vcpus, root_gb, ephemeral_gb, swap_mb;
} Usage;

void tracker_usage_reset(Tracker *tracker)
{
    NovaComputeNode *node = tracker->compute_node;
    gint64 memory = nd_config_int(tracker->config, "DEFAULT", "reserved_host_memory_mb");
    gint64 disk = nd_config_int(tracker->config, "DEFAULT", "reserved_host_disk_mb") / 1024;
    g_hash_table_remove_all(tracker->instances);
    g_hash_table_remove_all(tracker->migrations);
    nova_compute_node_set_local_gb_used(node, disk);
    nova_compute_node_set_memory_mb_used(node, memory);
    nova_compute_node_set_vcpus_used(node, nd_config_int(tracker->config, "DEFAULT", "reserved_host_cpus"));
    nova_compute_node_set_free_ram_mb(node, node->memory_mb - memory);
    nova_compute_node_set_free_disk_gb(node, node->local_gb - disk);
    nova_compute_node_set_current_workload(node, 0);
    nova_compute_node_set_running_vms(node, 0);
}

static void add_usage(Tracker *tracker, const Usage *usage, int sign)
{
    NovaComputeNode *node = tracker->compute_node;
    gint64 memory = node->memory_mb_used + sign * usage->memory_mb;
    gint64 disk = node->local_gb_used + sign * (usage->root_gb + usage->ephemeral_gb);
    /* The record holds whole GiB: upstream adds the swap as a fraction and cuts it off. */
    disk = (gint64)((double)disk + sign * (double)usage->swap_mb / 1024.0);
    nova_compute_node_set_memory_mb_used(node, memory);
    nova_compute_node_set_local_gb_used(node, disk);
    nova_compute_node_set_vcpus_used(node, node->vcpus_used + sign * usage->vcpus);
    nova_compute_node_set_free_ram_mb(node, node->memory_mb - memory);
    nova_compute_node_set_free_disk_gb(node, node->local_gb - disk);
    nova_compute_node_set_running_vms(node, tracker_stats_instances(tracker->stats));
}

/* Whether the root disk is a volume: by the block device of boot index 0; without one, by the lack of an image. Remembered. */
static bool is_volume_backed(Tracker *tracker, const RpcContext *context, const NovaInstance *instance, bool *backed, GError **error)
{
    gpointer known;
    if (g_hash_table_lookup_extended(tracker->volume_backed, instance->uuid, NULL, &known)) {
        *backed = GPOINTER_TO_INT(known) != 0;
        return true;
    }
    g_autoptr(NovaBlockDeviceMappingList) list = tracker->backend->bdm_list(tracker->data, context, instance->uuid, error);
    if (list == NULL)
        return false;
    *backed = instance->image_ref == NULL || *instance->image_ref == '\0';
    for (guint i = 0; i < nova_object_list_length(list); i++) {
        const NovaBlockDeviceMapping *bdm = nova_object_list_get(list, i);
        if (nova_object_has(bdm, NOVA_BLOCK_DEVICE_MAPPING_BOOT_INDEX) && bdm->boot_index == 0) {
            *backed = g_strcmp0(bdm->destination_type, "volume") == 0;
            break;
        }
    }
    g_hash_table_replace(tracker->volume_backed, g_strdup(instance->uuid), GINT_TO_POINTER(*backed));
    return true;
}

static bool usage_of(Tracker *tracker, const RpcContext *context, const NovaInstance *instance, const NovaFlavor *flavor, Usage *usage,
                     GError **error)
{
    bool backed = false;
    if (!is_volume_backed(tracker, context, instance, &backed, error))
        return false;
    if (flavor != NULL) {
        *usage = (Usage){flavor->memory_mb, flavor->vcpus, flavor->root_gb, flavor->ephemeral_gb, flavor->swap};
    } else {
        *usage = (Usage){instance->memory_mb, instance->vcpus, instance->root_gb, instance->ephemeral_gb, 0};
    }
    if (backed)
        usage->root_gb = 0;
    return true;
}

bool tracker_usage_instance(Tracker *tracker, const RpcContext *context, NovaInstance *instance, bool removed, GError **error)
{
    bool known = g_hash_table_contains(tracker->instances, instance->uuid);
    bool leaves = known && (removed || tracker_allows_removal(instance));
    Usage usage = {0};
    if ((!known || leaves) && !usage_of(tracker, context, instance, instance->flavor, &usage, error))
        return false;
    if (!known)
        g_hash_table_add(tracker->instances, g_strdup(instance->uuid));
    if (leaves)
        g_hash_table_remove(tracker->instances, instance->uuid);
    tracker_stats_update(tracker->stats, instance, leaves);
    if (!known || leaves)
        add_usage(tracker, &usage, leaves ? -1 : 1);
    if (leaves)
        g_hash_table_remove(tracker->volume_backed, instance->uuid);
    nova_compute_node_set_current_workload(tracker->compute_node, tracker_stats_workload(tracker->stats));
    return true;
}

static bool is_one_of(const char *text, const char *const *list)
{
    return text != NULL && g_strv_contains(list, text);
}

/* A move counts while its instance is on the way or waits for the confirmation. */
static bool is_moving(const NovaInstance *instance)
{
    static const char *const resize_tasks[] = {"resize_prep",      "resize_migrating",
                                               "resize_migrated",  "resize_finish",
                                               "rebuilding",       "rebuild_block_device_mapping",
                                               "rebuild_spawning", NULL};
    static const char *const active_states[] = {"active", "stopped", NULL};
    static const char *const live_states[] = {"active", "paused", NULL};
    if (g_strcmp0(instance->vm_state, "resized") == 0)
        return true;
    if (is_one_of(instance->vm_state, active_states) && is_one_of(instance->task_state, resize_tasks))
        return true;
    return g_strcmp0(instance->task_state, "migrating") == 0 && is_one_of(instance->vm_state, live_states);
}

/* The flavor that a move holds on this host besides what the instance itself is counted with; NULL if nothing. */
static const NovaFlavor *moving_flavor(Tracker *tracker, const NovaInstance *instance, const NovaMigration *migration)
{
    bool incoming = g_strcmp0(migration->dest_compute, tracker->host) == 0 && g_strcmp0(migration->dest_node, tracker->node) == 0;
    bool outbound = g_strcmp0(migration->source_compute, tracker->host) == 0 && g_strcmp0(migration->source_node, tracker->node) == 0;
    bool tracked = g_hash_table_contains(tracker->instances, instance->uuid);
    bool resize = g_strcmp0(migration->migration_type, "resize") == 0;
    bool wants_new;
    if (incoming && outbound)
        wants_new = instance->instance_type_id == migration->old_instance_type_id;
    else if (tracked || !(incoming || outbound))
        return NULL;
    else
        wants_new = incoming;
    return !resize ? instance->flavor : wants_new ? instance->new_flavor : instance->old_flavor;
}

bool tracker_usage_migration(Tracker *tracker, const RpcContext *context, NovaInstance *instance, NovaMigration *migration, GError **error)
{
    if (instance->migration_context != NULL && instance->migration_context->migration_id != migration->id) {
        nd_info(TRACKER_LOG,
                "Current instance migration %" G_GINT64_FORMAT " doesn't match migration %" G_GINT64_FORMAT ", marking migration as error",
                instance->migration_context->migration_id, migration->id);
        nova_migration_set_status(migration, "error");
        return tracker->backend->migration_save(tracker->data, context, migration, error);
    }
    const NovaFlavor *flavor = moving_flavor(tracker, instance, migration);
    Usage usage;
    if (flavor == NULL)
        return true;
    if (!usage_of(tracker, context, instance, flavor, &usage, error))
        return false;
    add_usage(tracker, &usage, 1);
    g_hash_table_add(tracker->migrations, g_strdup(instance->uuid));
    return true;
}

bool tracker_usage_drop_move(Tracker *tracker, const RpcContext *context, const NovaInstance *instance, const NovaFlavor *flavor, GError **error)
{
    Usage usage;
    if (!g_hash_table_remove(tracker->migrations, instance->uuid) && !g_hash_table_remove(tracker->instances, instance->uuid))
        return true;
    if (flavor == NULL)
        return true;
    if (!usage_of(tracker, context, instance, flavor, &usage, error))
        return false;
    add_usage(tracker, &usage, -1);
    return true;
}

static NovaInstance *find_instance(NovaInstanceList *instances, const char *uuid)
{
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);
        if (g_strcmp0(instance->uuid, uuid) == 0)
            return nova_instance_ref(instance);
    }
    return NULL;
}

/* The later of two migrations of one instance counts. */
static bool is_newer(const NovaMigration *a, const NovaMigration *b)
{
    return (a->updated_at != 0 ? a->updated_at : a->created_at) > (b->updated_at != 0 ? b->updated_at : b->created_at);
}

bool tracker_usage_migrations(Tracker *tracker, const RpcContext *context, NovaMigrationList *migrations, NovaInstanceList *instances,
                              GError **error)
{
    static const char *const attrs[] = {"flavor", "migration_context", "system_metadata", NULL};
    g_autoptr(RpcContext) all = rpc_context_with_read_deleted(context, "yes");
    g_autoptr(GHashTable) chosen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < nova_object_list_length(migrations); i++) {
        NovaMigration *migration = nova_object_list_get(migrations, i);
        const NovaMigration *other = migration->instance_uuid != NULL ? g_hash_table_lookup(chosen, migration->instance_uuid) : NULL;
        if (migration->instance_uuid != NULL && (other == NULL || is_newer(migration, other)))
            g_hash_table_replace(chosen, migration->instance_uuid, migration);
    }
    GHashTableIter iter;
    gpointer uuid, migration;
    g_hash_table_iter_init(&iter, chosen);
    while (g_hash_table_iter_next(&iter, &uuid, &migration)) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(NovaInstance) instance = find_instance(instances, uuid);
        if (instance == NULL)
            instance = tracker->backend->instance_get(tracker->data, all, uuid, attrs, &failure);
        if (instance == NULL && nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND))
            continue;
        if (instance == NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (is_moving(instance) && !tracker_usage_migration(tracker, context, instance, migration, error))
            return false;
    }
    return true;
}
