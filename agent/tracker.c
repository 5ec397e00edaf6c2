/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker.h"

#include "agent/tracker_private.h"
#include "base/log.h"
#include "rpc/exception.h"

/* The ticket of one build: enough to take it back. */
struct TrackerClaim {
    char *instance_uuid;
};

Tracker *tracker_new(const NdConfig *config, const char *host, const char *node, PlacementClient *placement, const TrackerBackend *backend,
                     void *data, GError **error)
{
    if (nd_config_int(config, "DEFAULT", "reserved_host_cpus") > 0 && (nd_config_string(config, "compute", "cpu_shared_set") != NULL ||
                                                                       nd_config_string(config, "compute", "cpu_dedicated_set") != NULL)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT,
                    "[DEFAULT] reserved_host_cpus cannot be used together with [compute] cpu_shared_set or cpu_dedicated_set");
        return NULL;
    }
    g_autoptr(GPtrArray) provider_configs = provider_config_load(nd_config_string(config, "compute", "provider_config_location"), error);
    if (provider_configs == NULL)
        return NULL;
    Tracker *tracker = g_new0(Tracker, 1);
    tracker->provider_configs = g_steal_pointer(&provider_configs);
    tracker->absent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    tracker->config = config;
    tracker->host = g_strdup(host);
    tracker->node = g_strdup(node);
    tracker->backend = backend;
    tracker->data = data;
    tracker->placement = placement_client_ref(placement);
    g_mutex_init(&tracker->lock);
    g_mutex_init(&tracker->snapshot_lock);
    tracker->stats = tracker_stats_new();
    tracker->instances = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    tracker->migrations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    tracker->volume_backed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return tracker;
}

void tracker_free(Tracker *tracker)
{
    if (tracker == NULL)
        return;
    g_free(tracker->host);
    g_free(tracker->node);
    g_free(tracker->node_uuid);
    placement_client_unref(tracker->placement);
    g_clear_pointer(&tracker->compute_node, nova_compute_node_unref);
    g_clear_pointer(&tracker->saved, nova_compute_node_unref);
    g_clear_pointer(&tracker->snapshot, nova_compute_node_unref);
    tracker_stats_free(tracker->stats);
    g_hash_table_unref(tracker->instances);
    g_hash_table_unref(tracker->migrations);
    g_hash_table_unref(tracker->volume_backed);
    g_hash_table_unref(tracker->absent);
    g_ptr_array_unref(tracker->provider_configs);
    tracker_provider_forget(tracker);
    g_clear_pointer(&tracker->facts, virt_host_facts_free);
    g_clear_pointer(&tracker->host_traits, g_hash_table_unref);
    g_mutex_clear(&tracker->lock);
    g_mutex_clear(&tracker->snapshot_lock);
    g_free(tracker);
}

void tracker_set_node_uuid(Tracker *tracker, const char *uuid)
{
    g_mutex_lock(&tracker->lock);
    g_free(tracker->node_uuid);
    tracker->node_uuid = g_strdup(uuid);
    g_mutex_unlock(&tracker->lock);
}

NovaComputeNode *tracker_compute_node(Tracker *tracker)
{
    g_mutex_lock(&tracker->snapshot_lock);
    NovaComputeNode *copy = tracker->snapshot != NULL ? nova_compute_node_clone(tracker->snapshot) : NULL;
    g_mutex_unlock(&tracker->snapshot_lock);
    return copy;
}

bool tracker_is_tracked(Tracker *tracker, const char *instance_uuid)
{
    g_mutex_lock(&tracker->lock);
    bool tracked = g_hash_table_contains(tracker->instances, instance_uuid);
    g_mutex_unlock(&tracker->lock);
    return tracked;
}

/* Counts all instances and moves anew. */
static bool count_all(Tracker *tracker, const RpcContext *context, NovaInstanceList *instances, NovaMigrationList *migrations,
                      GError **error)
{
    tracker_usage_reset(tracker);
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);
        if (!tracker_allows_removal(instance) && !tracker_usage_instance(tracker, context, instance, false, error))
            return false;
    }
    return tracker_usage_migrations(tracker, context, migrations, instances, error);
}

static bool audit(Tracker *tracker, const RpcContext *context, GError **error)
{
    static const char *const attrs[] = {"system_metadata", "numa_topology", "flavor", "migration_context", "resources", NULL};
    bool created;
    if (!tracker_node_init(tracker, context, &created, error))
        return false;
    g_autoptr(NovaInstanceList) instances = tracker->backend->instances(tracker->data, context, tracker->host, tracker->node, attrs, error);
    if (instances == NULL)
        return false;
    g_autoptr(NovaMigrationList) migrations = tracker->backend->migrations(tracker->data, context, tracker->host, tracker->node, error);
    if (migrations == NULL || !count_all(tracker, context, instances, migrations, error))
        return false;
    if (!created)
        tracker_placement_remove_stale(tracker, context, migrations, instances);
    nova_compute_node_set_metrics(tracker->compute_node, "[]");
    nd_debug(TRACKER_LOG,
             "Final resource view: name=%s phys_ram=%" G_GINT64_FORMAT "MB used_ram=%" G_GINT64_FORMAT "MB phys_disk=%" G_GINT64_FORMAT
             "GB used_disk=%" G_GINT64_FORMAT "GB total_vcpus=%" G_GINT64_FORMAT " used_vcpus=%" G_GINT64_FORMAT,
             tracker->node, tracker->compute_node->memory_mb, tracker->compute_node->memory_mb_used, tracker->compute_node->local_gb,
             tracker->compute_node->local_gb_used, tracker->compute_node->vcpus, tracker->compute_node->vcpus_used);
    return tracker_node_save(tracker, context, error) && tracker_placement_sync(tracker, context, error);
}

bool tracker_audit(Tracker *tracker, const RpcContext *context, bool startup, GError **error)
{
    nd_debug(TRACKER_LOG, "Auditing locally available compute resources for %s (node: %s)%s", tracker->host, tracker->node,
             startup ? " at startup" : "");
    VirtHostFacts *facts = tracker->backend->host_facts(tracker->data, error);
    if (facts == NULL)
        return false;
    GHashTable *traits = tracker->backend->host_traits(tracker->data, error);
    if (traits == NULL) {
        virt_host_facts_free(facts);
        return false;
    }
    g_mutex_lock(&tracker->lock);
    g_clear_pointer(&tracker->facts, virt_host_facts_free);
    g_clear_pointer(&tracker->host_traits, g_hash_table_unref);
    tracker->facts = facts;
    tracker->host_traits = traits;
    bool ok = audit(tracker, context, error);
    g_mutex_unlock(&tracker->lock);
    return ok;
}

/* What Placement did not decide: NULL if the instance fits, else why not. */
static const char *claim_fault(const NovaInstance *instance)
{
    const NovaInstancePCIRequests *pci = instance->pci_requests;
    if (pci != NULL && pci->requests != NULL && pci->requests->len > 0)
        return "Claim pci failed";
    if (instance->numa_topology != NULL)
        return "Requested instance NUMA topology cannot fit the given host NUMA topology";
    return NULL;
}

static void set_host_and_node(Tracker *tracker, NovaInstance *instance, bool ours)
{
    bool has_compute_id = nd_config_release(tracker->config) >= ND_RELEASE_2023_2;
    nova_instance_set_host(instance, ours ? tracker->host : NULL);
    nova_instance_set_node(instance, ours ? tracker->node : NULL);
    if (ours)
        nova_instance_set_launched_on(instance, tracker->host);
    if (has_compute_id && ours)
        nova_instance_set_compute_id(instance, tracker->compute_node->id);
    else if (has_compute_id)
        nova_object_set_null(instance, NOVA_INSTANCE_COMPUTE_ID);
}

/* Takes a claim out of the numbers and unties the instance from this host; goes on after errors, *error gets the first. */
static bool release(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error)
{
    g_autoptr(GError) first = NULL;
    g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
    if (g_hash_table_contains(tracker->instances, instance->uuid))
        tracker_usage_instance(tracker, context, instance, true, &first);
    if (nova_object_has(instance, NOVA_INSTANCE_NUMA_TOPOLOGY))
        nova_object_set_null(instance, NOVA_INSTANCE_NUMA_TOPOLOGY);
    set_host_and_node(tracker, instance, false);
    if (!tracker->backend->instance_save(tracker->data, context, instance, first == NULL ? &first : NULL))
        nd_debug(TRACKER_LOG, "Host and node of instance %s could not be unset", instance->uuid);
    tracker_node_save(tracker, elevated, first == NULL ? &first : NULL);
    if (first == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}

static bool claim(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error)
{
    g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
    const char *fault = claim_fault(instance);
    if (tracker->compute_node == NULL)
        fault = "this host has not been audited yet";
    if (fault != NULL) {
        nd_info("nova.compute.claims", "Failed to claim: %s", fault);
        nova_exception_set(error, NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE, "reason", fault, NULL);
        return false;
    }
    if (instance->host != NULL || instance->node != NULL)
        nd_warning(TRACKER_LOG, "Host field should not be set on the instance until resources have been claimed.");
    nd_info("nova.compute.claims", "Claim successful on node %s", tracker->node);
    set_host_and_node(tracker, instance, true);
    if (!tracker->backend->instance_save(tracker->data, context, instance, error))
        return false;
    if (tracker_usage_instance(tracker, context, instance, false, error) && tracker_node_save(tracker, elevated, error))
        return true;
    release(tracker, context, instance, NULL);
    return false;
}

TrackerClaim *tracker_claim_instance(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error)
{
    g_mutex_lock(&tracker->lock);
    bool ok = claim(tracker, context, instance, error);
    g_mutex_unlock(&tracker->lock);
    if (!ok)
        return NULL;
    TrackerClaim *ticket = g_new0(TrackerClaim, 1);
    ticket->instance_uuid = g_strdup(instance->uuid);
    return ticket;
}

bool tracker_claim_abort(Tracker *tracker, const RpcContext *context, TrackerClaim *ticket, NovaInstance *instance, GError **error)
{
    g_assert(g_str_equal(ticket->instance_uuid, instance->uuid));
    nd_debug("nova.compute.claims", "Aborting claim");
    g_mutex_lock(&tracker->lock);
    bool ok = release(tracker, context, instance, error);
    g_mutex_unlock(&tracker->lock);
    return ok;
}

void tracker_claim_free(TrackerClaim *ticket)
{
    if (ticket == NULL)
        return;
    g_free(ticket->instance_uuid);
    g_free(ticket);
}

static bool update(Tracker *tracker, const RpcContext *context, NovaInstance *instance, bool removed, GError **error)
{
    bool ok = true;
    g_mutex_lock(&tracker->lock);
    if (g_hash_table_contains(tracker->instances, instance->uuid)) {
        g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
        ok = tracker_usage_instance(tracker, context, instance, removed, error) && tracker_node_save(tracker, elevated, error);
    }
    g_mutex_unlock(&tracker->lock);
    return ok;
}

bool tracker_instance_update(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error)
{
    return update(tracker, context, instance, false, error);
}

bool tracker_instance_removed(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error)
{
    return update(tracker, context, instance, true, error);
}

bool tracker_delete_allocations(Tracker *tracker, const RpcContext *context, const char *instance_uuid, bool force, GError **error)
{
    /* Not under the lock: it concerns no number of ours. */
    return tracker_placement_delete_allocations(tracker, context, instance_uuid, force, error);
}

bool tracker_remove_own_allocation(Tracker *tracker, const RpcContext *context, const char *instance_uuid, GError **error)
{
    g_autoptr(NovaComputeNode) node = tracker_compute_node(tracker);
    return node == NULL || tracker_placement_remove_own(tracker, context, instance_uuid, node->uuid, error);
}

void tracker_build_failed(Tracker *tracker)
{
    g_mutex_lock(&tracker->lock);
    tracker_stats_build_failed(tracker->stats);
    g_mutex_unlock(&tracker->lock);
}

void tracker_build_succeeded(Tracker *tracker)
{
    g_mutex_lock(&tracker->lock);
    tracker_stats_build_succeeded(tracker->stats);
    g_mutex_unlock(&tracker->lock);
}

bool tracker_set_host_enabled(Tracker *tracker, const RpcContext *context, bool enabled, GError **error)
{
    bool ok = false;
    g_mutex_lock(&tracker->lock);
    if (tracker->compute_node != NULL)
        ok = tracker_placement_set_disabled(tracker, context, !enabled, error);
    else
        nova_exception_set(error, NOVA_EXC_COMPUTE_HOST_NOT_FOUND, "host", tracker->host, NULL);
    g_mutex_unlock(&tracker->lock);
    return ok;
}

static bool tells_scheduler(const Tracker *tracker)
{
    return nd_config_bool(tracker->config, "filter_scheduler", "track_instance_changes");
}

void tracker_scheduler_update(Tracker *tracker, const RpcContext *context, NovaInstance *instance)
{
    if (!tells_scheduler(tracker))
        return;
    g_autoptr(NovaInstanceList) list = nova_instance_list_new();
    nova_object_list_append(list, instance);
    tracker->backend->scheduler_update(tracker->data, context, tracker->host, list);
}

void tracker_scheduler_update_all(Tracker *tracker, const RpcContext *context, NovaInstanceList *instances)
{
    if (tells_scheduler(tracker) && nova_object_list_length(instances) > 0)
        tracker->backend->scheduler_update(tracker->data, context, tracker->host, instances);
}

void tracker_scheduler_delete(Tracker *tracker, const RpcContext *context, const char *instance_uuid)
{
    if (tells_scheduler(tracker))
        tracker->backend->scheduler_delete(tracker->data, context, tracker->host, instance_uuid);
}

void tracker_scheduler_sync(Tracker *tracker, const RpcContext *context, NovaInstanceList *instances)
{
    if (!tells_scheduler(tracker))
        return;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; i < nova_object_list_length(instances); i++)
        g_strv_builder_add(builder, ((const NovaInstance *)nova_object_list_get(instances, i))->uuid);
    g_auto(GStrv) uuids = g_strv_builder_end(builder);
    tracker->backend->scheduler_sync(tracker->data, context, tracker->host, (const char *const *)uuids);
}
