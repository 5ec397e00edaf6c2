/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_private.h"

#include "base/log.h"
#include "rpc/exception.h"

/* Claims of resizes (upstream resource_tracker.py _move_claim, _drop_move_claim, nova/compute/claims.py MoveClaim). */

/* Extra specs by which a flavor gets a NUMA topology or devices of the host: what no claim here can grant. */
static const char *const placed[] = {"hw:numa_nodes", "hw:mem_page_size", "hw:cpu_dedicated_mask", "hw:pmem", "pci_passthrough:alias"};
static const char *const dedicated[] = {"dedicated", "mixed"};

static const char *move_fault(const NovaFlavor *flavor)
{
    const char *policy = nova_object_dict_get(flavor, NOVA_FLAVOR_EXTRA_SPECS, "hw:cpu_policy");
    for (gsize i = 0; i < G_N_ELEMENTS(placed); i++)
        if (nova_object_dict_get(flavor, NOVA_FLAVOR_EXTRA_SPECS, placed[i]) != NULL)
            return "Requested instance NUMA topology cannot fit the given host NUMA topology";
    for (gsize i = 0; i < G_N_ELEMENTS(dedicated); i++)
        if (g_strcmp0(policy, dedicated[i]) == 0)
            return "Requested instance NUMA topology cannot fit the given host NUMA topology";
    return NULL;
}

static NovaInstancePCIRequests *no_pci_requests(const NovaInstance *instance)
{
    NovaInstancePCIRequests *requests = nova_instance_pci_requests_new();
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    nova_instance_pci_requests_set_instance_uuid(requests, instance->uuid);
    nova_object_set_container(requests, NOVA_INSTANCE_PCI_REQUESTS_REQUESTS, none);
    return requests;
}

/* No PCI devices and no NUMA placement are claimed here, so old and new differ in nothing. */
static NovaMigrationContext *context_of(const NovaInstance *instance, const NovaMigration *migration)
{
    NovaMigrationContext *move = nova_migration_context_new();
    g_autoptr(NovaPciDeviceList) none = nova_pci_device_list_new();
    g_autoptr(NovaInstancePCIRequests) requests = no_pci_requests(instance);
    g_autoptr(GPtrArray) empty = g_ptr_array_new();
    nova_object_set_container(none, NOVA_PCI_DEVICE_LIST_OBJECTS, empty);
    nova_migration_context_set_instance_uuid(move, instance->uuid);
    nova_migration_context_set_migration_id(move, migration->id);
    nova_migration_context_set_old_numa_topology(move, instance->numa_topology);
    nova_object_set_null(move, NOVA_MIGRATION_CONTEXT_NEW_NUMA_TOPOLOGY);
    nova_migration_context_set_old_pci_devices(move, instance->pci_devices != NULL ? instance->pci_devices : none);
    nova_migration_context_set_new_pci_devices(move, none);
    nova_migration_context_set_old_pci_requests(move, instance->pci_requests);
    nova_migration_context_set_new_pci_requests(move, requests);
    nova_migration_context_set_old_resources(move, instance->resources);
    nova_object_set_null(move, NOVA_MIGRATION_CONTEXT_NEW_RESOURCES);
    return move;
}

static bool mark_migration(Tracker *tracker, const RpcContext *context, NovaMigration *migration, GError **error)
{
    nova_migration_set_dest_compute(migration, tracker->host);
    nova_migration_set_dest_node(migration, tracker->node);
    nova_migration_set_dest_host(migration, nd_config_string(tracker->config, "DEFAULT", "my_ip"));
    if (nd_config_release(tracker->config) >= ND_RELEASE_2023_2)
        nova_migration_set_dest_compute_id(migration, tracker->compute_node->id);
    nova_migration_set_status(migration, "pre-migrating");
    return tracker->backend->migration_save(tracker->data, context, migration, error);
}

static bool claim_move(Tracker *tracker, const RpcContext *context, NovaInstance *instance, const NovaFlavor *flavor, NovaMigration *migration,
                       GError **error)
{
    g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
    const char *fault = tracker->compute_node == NULL ? "this host has not been audited yet" : move_fault(flavor);
    if (tracker->compute_node != NULL && !mark_migration(tracker, context, migration, error))
        return false;
    if (fault != NULL) {
        nd_info("nova.compute.claims", "Failed to claim: %s", fault);
        nova_exception_set(error, NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE, "reason", fault, NULL);
        return false;
    }
    nd_info("nova.compute.claims", "Claim successful on node %s", tracker->node);
    g_autoptr(NovaMigrationContext) move = context_of(instance, migration);
    nova_instance_set_migration_context(instance, move);
    return tracker->backend->instance_save(tracker->data, context, instance, error) &&
           tracker_usage_migration(tracker, context, instance, migration, error) && tracker_node_save(tracker, elevated, error);
}

bool tracker_claim_move(Tracker *tracker, const RpcContext *context, NovaInstance *instance, const NovaFlavor *flavor, NovaMigration *migration,
                        GError **error)
{
    g_mutex_lock(&tracker->lock);
    bool ok = claim_move(tracker, context, instance, flavor, migration, error);
    if (!ok && tracker->compute_node != NULL && g_hash_table_contains(tracker->migrations, instance->uuid))
        tracker_usage_drop_move(tracker, context, instance, flavor, NULL);
    g_mutex_unlock(&tracker->lock);
    return ok;
}

bool tracker_drop_move(Tracker *tracker, const RpcContext *context, NovaInstance *instance, NovaMigration *migration, const char *status,
                       const NovaFlavor *flavor, GError **error)
{
    g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
    g_mutex_lock(&tracker->lock);
    if (status != NULL)
        nova_migration_set_status(migration, status);
    bool ok = (status == NULL || tracker->backend->migration_save(tracker->data, context, migration, error)) &&
              (tracker->compute_node == NULL || (tracker_usage_drop_move(tracker, context, instance, flavor, error) &&
                                                 tracker_node_save(tracker, elevated, error)));
    g_mutex_unlock(&tracker->lock);
    return ok;
}

bool tracker_move_allocations(Tracker *tracker, const RpcContext *context, const char *from_uuid, const char *to_uuid, bool *moved, GError **error)
{
    /* Not under the lock: it concerns no number of ours. */
    return tracker_placement_move(tracker, context, from_uuid, to_uuid, moved, error);
}
