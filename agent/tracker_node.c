/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_private.h"

#include "base/log.h"
#include "rpc/exception.h"

#include <string.h>

typedef void (*RatioSetter)(NovaComputeNode *, double);

/* Allocation ratios of the record: what is configured; a new record gets the initial ones. None and 0.0 leave it alone. */
static void copy_ratios(Tracker *tracker, bool initial)
{
    static const struct {
        const char *option, *initial_option;
        RatioSetter set;
    } ratios[] = {
        {"cpu_allocation_ratio", "initial_cpu_allocation_ratio", nova_compute_node_set_cpu_allocation_ratio},
        {"disk_allocation_ratio", "initial_disk_allocation_ratio", nova_compute_node_set_disk_allocation_ratio},
        {"ram_allocation_ratio", "initial_ram_allocation_ratio", nova_compute_node_set_ram_allocation_ratio},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ratios); i++) {
        double value = nd_config_float(tracker->config, "DEFAULT", initial ? ratios[i].initial_option : ratios[i].option);
        if (value > 0)
            ratios[i].set(tracker->compute_node, value);
    }
}

static void copy_supported(NovaComputeNode *node, const VirtHostFacts *facts)
{
    g_autoptr(GPtrArray) specs = g_ptr_array_new_with_free_func(nova_object_unref);
    for (guint i = 0; facts->supported_instances != NULL && i < facts->supported_instances->len; i++) {
        const VirtSupportedInstance *supported = facts->supported_instances->pdata[i];
        NovaHVSpec *spec = nova_hv_spec_new();
        nova_hv_spec_set_arch(spec, supported->arch);
        nova_hv_spec_set_hv_type(spec, supported->hypervisor);
        nova_hv_spec_set_vm_mode(spec, supported->vm_mode);
        g_ptr_array_add(specs, spec);
    }
    nova_compute_node_set_supported_hv_specs(node, specs);
}

static void copy_stats(Tracker *tracker)
{
    g_autoptr(GHashTable) table = tracker_stats_table(tracker->stats);
    nova_compute_node_set_stats(tracker->compute_node, table);
}

/* The facts of the host, under the names of the record. */
static void copy_facts(Tracker *tracker, bool initial)
{
    NovaComputeNode *node = tracker->compute_node;
    const VirtHostFacts *facts = tracker->facts;
    g_autofree char *numa = tracker_numa_text(tracker->config, facts);
    tracker_stats_reset(tracker->stats);
    copy_stats(tracker);
    copy_ratios(tracker, initial);
    nova_compute_node_set_vcpus(node, facts->vcpus);
    nova_compute_node_set_memory_mb(node, (gint64)facts->memory_mib);
    nova_compute_node_set_local_gb(node, (gint64)facts->local_gb);
    nova_compute_node_set_cpu_info(node, facts->cpu_info_json != NULL ? facts->cpu_info_json : "");
    nova_compute_node_set_vcpus_used(node, facts->vcpus_used);
    nova_compute_node_set_memory_mb_used(node, (gint64)facts->memory_used_mib);
    nova_compute_node_set_local_gb_used(node, (gint64)facts->local_gb_used);
    nova_compute_node_set_numa_topology(node, numa);
    nova_compute_node_set_hypervisor_type(node, facts->hypervisor_type);
    nova_compute_node_set_hypervisor_version(node, (gint64)facts->hypervisor_version);
    nova_compute_node_set_hypervisor_hostname(node, tracker->node);
    nova_compute_node_set_disk_available_least(node, facts->disk_available_least_gb);
    nova_compute_node_set_host_ip(node, nd_config_string(tracker->config, "DEFAULT", "my_ip"));
    copy_supported(node, facts);
}

/* No PCI devices are given to guests yet; the record always says so with an empty list. */
static void set_no_pci_pools(Tracker *tracker)
{
    g_autoptr(NovaPciDevicePoolList) pools = nova_pci_device_pool_list_new();
    g_autoptr(GPtrArray) none = g_ptr_array_new_with_free_func(nova_object_unref);
    nova_pci_device_pool_list_set_objects(pools, none);
    nova_compute_node_set_pci_device_pools(tracker->compute_node, pools);
}

/* Looks the record up; *node NULL if there is none. Zed: by host and node name; later: by the uuid that compute_id fixes, deleted ones too.
 */
static bool find_record(Tracker *tracker, const RpcContext *context, NovaComputeNode **node, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(NovaComputeNode) found = NULL;
    if (tracker->node_uuid != NULL) {
        g_autoptr(RpcContext) all = rpc_context_with_read_deleted(context, "yes");
        found = tracker->backend->node_get_by_uuid(tracker->data, all, tracker->node_uuid, &failure);
    } else {
        found = tracker->backend->node_get(tracker->data, context, tracker->host, tracker->node, &failure);
    }
    if (found == NULL && !nova_exception_matches(failure, NOVA_EXC_NOT_FOUND)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&failure), "compute node record: ");
        return false;
    }
    *node = g_steal_pointer(&found);
    return true;
}

/* A record found by uuid must be ours, and must not stay deleted. */
static bool adopt_record(Tracker *tracker, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    if (tracker->node_uuid == NULL)
        return true;
    if (g_strcmp0(node->host, tracker->host) != 0 || g_strcmp0(node->hypervisor_hostname, tracker->node) != 0) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_START,
                    "compute node '%s' belongs to host '%s', node '%s', not to '%s', '%s': was the host renamed?", tracker->node_uuid,
                    node->host, node->hypervisor_hostname, tracker->host, tracker->node);
        return false;
    }
    if (!node->deleted)
        return true;
    nd_info(TRACKER_LOG, "Undeleting compute node %s", node->uuid);
    nova_compute_node_set_deleted(node, false);
    nova_object_set_null(node, NOVA_COMPUTE_NODE_DELETED_AT);
    return tracker->backend->node_save(tracker->data, context, node, error);
}

/* From 2023.2 on a record says which service it belongs to. */
static bool set_service(Tracker *tracker, const RpcContext *context, GError **error)
{
    if (nd_config_release(tracker->config) < ND_RELEASE_2023_2)
        return true;
    g_autoptr(NovaService) service = tracker->backend->service_get(tracker->data, context, tracker->host, error);
    if (service == NULL)
        return false;
    if (!nova_object_has(tracker->compute_node, NOVA_COMPUTE_NODE_SERVICE_ID) || tracker->compute_node->service_id != service->id)
        nova_compute_node_set_service_id(tracker->compute_node, service->id);
    return true;
}

static bool create_record(Tracker *tracker, const RpcContext *context, GError **error)
{
    tracker->compute_node = nova_compute_node_new();
    nova_compute_node_set_host(tracker->compute_node, tracker->host);
    copy_facts(tracker, true);
    if (tracker->node_uuid != NULL)
        nova_compute_node_set_uuid(tracker->compute_node, tracker->node_uuid);
    if (!set_service(tracker, context, error) || !tracker->backend->node_create(tracker->data, context, tracker->compute_node, error)) {
        g_prefix_error(error, "compute node record of '%s' cannot be created: ", tracker->node);
        g_clear_pointer(&tracker->compute_node, nova_compute_node_unref);
        return false;
    }
    nd_info(TRACKER_LOG, "Compute node record created for %s:%s with uuid: %s", tracker->host, tracker->node, tracker->compute_node->uuid);
    set_no_pci_pools(tracker);
    return true;
}

bool tracker_node_init(Tracker *tracker, const RpcContext *context, bool *created, GError **error)
{
    *created = false;
    if (tracker->lost) {
        nd_warning(TRACKER_LOG, "The compute node record of %s is gone; looking for it anew", tracker->node);
        g_clear_pointer(&tracker->compute_node, nova_compute_node_unref);
        g_clear_pointer(&tracker->saved, nova_compute_node_unref);
        tracker_provider_forget(tracker);
        tracker->lost = false;
    }
    if (tracker->compute_node == NULL) {
        g_autoptr(NovaComputeNode) found = NULL;
        if (!find_record(tracker, context, &found, error))
            return false;
        if (found == NULL) {
            nd_warning(TRACKER_LOG, "No compute node record for %s:%s", tracker->host, tracker->node);
            *created = create_record(tracker, context, error);
            return *created;
        }
        if (!adopt_record(tracker, context, found, error))
            return false;
        tracker->compute_node = g_steal_pointer(&found);
        if (!set_service(tracker, context, error)) {
            g_clear_pointer(&tracker->compute_node, nova_compute_node_unref);
            return false;
        }
    }
    copy_facts(tracker, false);
    set_no_pci_pools(tracker);
    return true;
}

static NovaComputeNode *comparable(const NovaComputeNode *node)
{
    NovaComputeNode *copy = nova_compute_node_clone(node);
    nova_object_unset(copy, NOVA_COMPUTE_NODE_UPDATED_AT);
    return copy;
}

static void publish(Tracker *tracker)
{
    NovaComputeNode *copy = nova_compute_node_clone(tracker->compute_node);
    g_mutex_lock(&tracker->snapshot_lock);
    g_clear_pointer(&tracker->snapshot, nova_compute_node_unref);
    tracker->snapshot = copy;
    g_mutex_unlock(&tracker->snapshot_lock);
}

bool tracker_node_save(Tracker *tracker, const RpcContext *context, GError **error)
{
    copy_stats(tracker);
    g_autoptr(NovaComputeNode) now = comparable(tracker->compute_node);
    if (tracker->saved == NULL || !nova_object_equal(now, tracker->saved)) {
        g_autoptr(GError) failure = NULL;
        if (!tracker->backend->node_save(tracker->data, context, tracker->compute_node, &failure)) {
            tracker->lost = nova_exception_matches(failure, NOVA_EXC_NOT_FOUND);
            g_propagate_prefixed_error(error, g_steal_pointer(&failure), "compute node record cannot be saved: ");
            return false;
        }
        g_clear_pointer(&tracker->saved, nova_compute_node_unref);
        tracker->saved = g_steal_pointer(&now);
    }
    publish(tracker);
    return true;
}
