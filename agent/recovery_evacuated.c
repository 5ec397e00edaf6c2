/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/recovery_evacuated.h"

#include "agent/guest.h"
#include "agent/shared_storage.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rest/error.h"
#include "rest/placement.h"
#include "rpc/exception.h"
#include "virt/domain.h"

#include <string.h>

#define LOGGER "nova.compute.manager"
#define ALLOCATION_ATTEMPTS 4

EvacuatedAction recovery_evacuated_action(const char *host, const NovaInstance *instance, const char *migration_status, bool is_local)
{
    /* It was evacuated and has come back since: upstream would destroy it all the same. */
    if (instance != NULL && g_strcmp0(instance->host, host) == 0 && g_strcmp0(migration_status, "done") == 0)
        return EVACUATED_SKIP;
    return is_local ? EVACUATED_DESTROY : EVACUATED_RECORDS;
}

static NovaMigrationList *list_evacuations(Agent *agent, const RpcContext *context, GError **error)
{
    static const char *const statuses[] = {"accepted", "pre-migrating", "done"};
    g_autoptr(RpcContext) seeing_deleted = rpc_context_with_read_deleted(context, "yes");
    NdJson *filters = json_object_new_object();
    NdJson *wanted = json_object_new_array();

    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        json_object_array_add(wanted, json_object_new_string(statuses[i]));
    nd_json_set_string(filters, "source_compute", agent->host);
    nd_json_set(filters, "status", wanted);
    nd_json_set_string(filters, "migration_type", "evacuation");
    return conductor_migration_list_by_filters(agent->conductor, seeing_deleted, filters, error);
}

static bool destroy_guest(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *uuid, GError **error)
{
    g_autoptr(Guest) guest = NULL;
    bool shared;

    if (instance == NULL) {
        nd_info(LOGGER, "Instance has been marked deleted already, removing it from the hypervisor.");
        return guest_destroy_leftover(agent, uuid, true, error);
    }
    nd_info(LOGGER, "Destroying instance as it has been evacuated from this host but still exists in the hypervisor");
    shared = shared_storage_check(agent, context, instance, instance->host);
    guest = guest_new_to_destroy(agent, context, instance);
    return guest_destroy(guest, !shared, error);
}

/* What the instance has allocated on this host's provider; its allocations elsewhere stay. */
static bool remove_allocation(Agent *agent, const RpcContext *context, const char *uuid, const char *provider, GError **error)
{
    g_autoptr(RestAuth) auth = rest_auth_new_own(context->request_id);

    for (guint attempt = 1;; attempt++) {
        g_autoptr(PlacementAllocations) allocations = NULL;
        g_autoptr(GError) failure = NULL;
        PlacementAllocation *ours;

        if (!placement_get_allocations(agent->placement, auth, uuid, &allocations, error))
            return false;
        ours = placement_allocations_find(allocations, provider);
        if (ours == NULL)
            return true;
        g_ptr_array_remove(allocations->allocations, ours);
        if (placement_put_allocations(agent->placement, auth, allocations, &failure))
            return true;
        if (attempt == ALLOCATION_ATTEMPTS || !g_error_matches(failure, REST_ERROR, REST_ERROR_CONFLICT_GENERATION)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
}

static bool settle_records(Agent *agent, const RpcContext *context, NovaMigration *migration, const NovaInstance *instance, const char *provider,
                           bool came_back, GError **error)
{
    if (instance == NULL) /* its allocations went with it */
        return true;
    if (!came_back) {
        nd_info(LOGGER, "Cleaning up allocations of the instance as it has been evacuated from this host");
        if (provider == NULL || g_strcmp0(migration->source_node, agent->node) != 0) {
            nd_err(LOGGER, "Failed to clean allocation of evacuated instance as the source node %s is not found", migration->source_node);
            return true;
        }
        if (!remove_allocation(agent, context, instance->uuid, provider, error)) {
            g_prefix_error(error, "clean the allocation of an evacuated instance: ");
            return false;
        }
    }
    nova_migration_set_status(migration, "completed");
    return conductor_migration_save(agent->conductor, context, migration, error);
}

/* One evacuation; false if the instance is this host's all the same. */
static bool settle_evacuation(Agent *agent, RpcContext *context, NovaMigration *migration, const char *provider)
{
    static const char *const attrs[] = {"info_cache", "system_metadata", "flavor", NULL};
    const char *uuid = migration->instance_uuid;
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance = conductor_instance_get_by_uuid(agent->conductor, context, uuid, attrs, &error);
    bool is_local = false;
    EvacuatedAction action;

    if (instance == NULL && !nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        nd_err(LOGGER, "An evacuated instance cannot be read: %s", error->message);
        return true; /* its guest must not be touched by what follows, either */
    }
    g_clear_error(&error);
    if (!virt_domain_exists(agent->virt, uuid, &is_local, &error)) {
        nd_err(LOGGER, "%s", error->message);
        return true;
    }
    action = recovery_evacuated_action(agent->host, instance, migration->status, is_local);
    if ((action == EVACUATED_DESTROY && !destroy_guest(agent, context, instance, uuid, &error)) ||
        !settle_records(agent, context, migration, instance, provider, action == EVACUATED_SKIP, &error))
        nd_err(LOGGER, "What an evacuated instance left here cannot be removed, the next start tries again: %s", error->message);
    return action != EVACUATED_SKIP;
}

/* The uuid of this host's ComputeNode, which is that of its provider; NULL: there is none yet. */
static char *provider_uuid(Agent *agent, const RpcContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaComputeNode) node = conductor_compute_node_get(agent->conductor, context, agent->host, agent->node, &error);

    if (node == NULL && !nova_exception_matches(error, NOVA_EXC_COMPUTE_HOST_NOT_FOUND))
        nd_warning(LOGGER, "The compute node cannot be read: %s", error->message);
    return node != NULL ? g_strdup(node->uuid) : NULL;
}

GHashTable *recovery_destroy_evacuated(Agent *agent, RpcContext *context, GError **error)
{
    g_autoptr(NovaMigrationList) evacuations = list_evacuations(agent, context, error);
    g_autoptr(GHashTable) evacuated = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *provider = NULL;
    guint n;

    if (evacuations == NULL) {
        g_prefix_error(error, "list evacuations: ");
        return NULL;
    }
    n = nova_object_list_length(evacuations);
    if (n > 0)
        provider = provider_uuid(agent, context);
    for (guint i = 0; i < n; i++) {
        NovaMigration *migration = nova_object_list_get(evacuations, i);

        if (migration->instance_uuid == NULL)
            continue;
        nd_log_set_instance(migration->instance_uuid);
        if (settle_evacuation(agent, context, migration, provider))
            g_hash_table_add(evacuated, g_strdup(migration->instance_uuid));
    }
    nd_log_set_instance(NULL);
    return g_steal_pointer(&evacuated);
}

/* --- instances that nobody builds --- */

static NovaInstanceList *list_building(Agent *agent, const RpcContext *context, GHashTable *consumers, GHashTable *handled, GError **error)
{
    static const char *const no_attrs[] = {NULL};
    NdJson *filters, *uuids = json_object_new_array();
    GHashTableIter iter;
    gpointer uuid;

    for (g_hash_table_iter_init(&iter, consumers); g_hash_table_iter_next(&iter, &uuid, NULL);)
        if (!g_hash_table_contains(handled, uuid))
            json_object_array_add(uuids, json_object_new_string(uuid));
    if (json_object_array_length(uuids) == 0) {
        json_object_put(uuids);
        return nova_instance_list_new();
    }
    filters = json_object_new_object();
    nd_json_set_string(filters, "vm_state", VM_BUILDING);
    nd_json_set(filters, "uuid", uuids);
    return conductor_instance_list_by_filters(agent->conductor, context, filters, no_attrs, false, error);
}

void recovery_error_out_unclaimed(Agent *agent, RpcContext *context, GHashTable *handled)
{
    g_autofree char *provider = provider_uuid(agent, context);
    g_autoptr(RestAuth) auth = rest_auth_new_own(context->request_id);
    g_autoptr(GHashTable) consumers = NULL;
    g_autoptr(NovaInstanceList) instances = NULL;
    g_autoptr(GError) error = NULL;

    if (provider == NULL)
        return; /* nothing can have been scheduled to it */
    nd_info(LOGGER, "Looking for unclaimed instances stuck in BUILDING status for nodes managed by this host");
    if (placement_get_provider_allocations(agent->placement, auth, provider, &consumers, &error))
        instances = list_building(agent, context, consumers, handled, &error);
    if (instances == NULL) {
        nd_err(LOGGER, "Unable to error out any instances stuck in BUILDING state: %s", error->message);
        return;
    }
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);

        nd_log_set_instance(instance->uuid);
        nd_warning(LOGGER, "Instance spawn was interrupted before instance_claim, setting instance to ERROR state");
        instance_set_build_error(agent, context, instance);
    }
    nd_log_set_instance(NULL);
}
