/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "objects/objects.h"
#include "rpc/context.h"
#include "virt/host.h"

/*
 * The resource tracker: what this host has, what the instances on it use, and what of that the conductor (ComputeNode) and Placement
 * (provider, inventories, traits, allocations) know. Follows nova.compute.resource_tracker and nova.scheduler.client.report as of Zed; node
 * identity of later releases: spec/versions.md section 6. One lock (upstream's "compute_resources") makes claims, updates and audits follow
 * one another; the functions below take it and block for RPC and REST calls, so call them from worker threads only.
 */
typedef struct Tracker Tracker;
typedef struct TrackerClaim TrackerClaim;

/* Everything the tracker asks of the outside but Placement; the real one is made of agent->conductor and agent->virt (tracker_backend.c),
 * tests have their own. Functions as in rpc/conductor.h and virt/host.h, with `data` in front. */
typedef struct {
    NovaComputeNode *(*node_get)(void *data, const RpcContext *, const char *host, const char *node, GError **);
    NovaComputeNode *(*node_get_by_uuid)(void *data, const RpcContext *, const char *uuid, GError **);
    bool (*node_create)(void *data, const RpcContext *, NovaComputeNode *, GError **);
    bool (*node_save)(void *data, const RpcContext *, NovaComputeNode *, GError **);
    NovaInstanceList *(*instances)(void *data, const RpcContext *, const char *host, const char *node, const char *const *expected_attrs,
                                   GError **);
    NovaInstance *(*instance_get)(void *data, const RpcContext *, const char *uuid, const char *const *expected_attrs, GError **);
    bool (*instance_save)(void *data, const RpcContext *, NovaInstance *, GError **);
    NovaMigrationList *(*migrations)(void *data, const RpcContext *, const char *host, const char *node, GError **);
    bool (*migration_save)(void *data, const RpcContext *, NovaMigration *, GError **);
    NovaService *(*service_get)(void *data, const RpcContext *, const char *host, GError **);
    NovaBlockDeviceMappingList *(*bdm_list)(void *data, const RpcContext *, const char *instance_uuid, GError **);
    VirtHostFacts *(*host_facts)(void *data, GError **);
    GHashTable *(*host_traits)(void *data, GError **); /* char * -> GINT_TO_POINTER(0 or 1) */
    void (*scheduler_update)(void *data, const RpcContext *, const char *host, NovaInstanceList *);
    void (*scheduler_delete)(void *data, const RpcContext *, const char *host, const char *instance_uuid);
    void (*scheduler_sync)(void *data, const RpcContext *, const char *host, const char *const *instance_uuids);
} TrackerBackend;

/* `host` is CONF.host, `node` libvirt's name of the machine. backend and data must outlive the tracker; placement is referenced. Sends
 * nothing. Errors: VIRT_ERROR_ARGUMENT for bad CPU sets, AGENT_ERROR_ARGUMENT for options that exclude each other. */
Tracker *tracker_new(const NdConfig *config, const char *host, const char *node, PlacementClient *placement, const TrackerBackend *backend,
                     void *data, GError **error);
/* The same for the process: config, host, node, placement, conductor, virt and release of `agent`, which must be set. */
Tracker *tracker_new_for_agent(Agent *agent, GError **error);
void tracker_free(Tracker *tracker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tracker, tracker_free)

/* Node identity from release 2023.1 on: the uuid of this host's compute_id file, to be set before the first audit. The ComputeNode is then
 * looked for by that uuid and created with it. Without a call (Zed) it is looked for by host and node, and the conductor makes the uuid. */
void tracker_set_node_uuid(Tracker *tracker, const char *uuid);

/* update_available_resource: reads the host, finds or makes the ComputeNode, counts instances and migrations, removes allocations of
 * deleted instances, saves the ComputeNode when something changed, and brings Placement up to date (four tries when a generation is stale).
 * Errors of the host, the conductor or Placement; with `startup` the caller decides which end the process (AGENT_ERROR_START: this host's
 * record belongs to another). */
bool tracker_audit(Tracker *tracker, const RpcContext *context, bool startup, GError **error);

/* A snapshot of the ComputeNode as last known, a new reference to a copy; NULL before the first audit. */
NovaComputeNode *tracker_compute_node(Tracker *tracker);

/* Claims the instance's resources for a build: sets host, launched_on and node (from 2023.2 on compute_id) and saves the instance, counts
 * it, saves the ComputeNode. Memory, CPU and disk were granted by Placement; what is tested here is what Placement does not know (NUMA,
 * PCI). Errors: NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE (try another host), and those of the conductor and Placement. On failure nothing
 * stays claimed. */
TrackerClaim *tracker_claim_instance(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error);
/* The build failed: takes the usage back, unsets host and node of the instance (the same object as claimed or a later copy) and saves it.
 * The claim is still to be freed. */
bool tracker_claim_abort(Tracker *tracker, const RpcContext *context, TrackerClaim *claim, NovaInstance *instance, GError **error);
/* Forgets the claim; what it counted stays counted. Call it in every case. */
void tracker_claim_free(TrackerClaim *claim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrackerClaim, tracker_claim_free)

/* --- moves (tracker_move.c): upstream's resize_claim, drop_move_claim* --- */
/* Claims `flavor` on this host for a resize that comes here, from another host or from itself: the migration record names this host as destination
 * and is pre-migrating, the instance gets its migration context, both saved; the flavor is counted beside what the instance uses already.
 * Errors: NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE for what this host cannot give, and those of the conductor. On failure nothing stays claimed. */
bool tracker_claim_move(Tracker *tracker, const RpcContext *context, NovaInstance *instance, const NovaFlavor *flavor, NovaMigration *migration,
                        GError **error);
/* The move ended: `status` ("confirmed", "reverted", NULL = stays) is saved in the migration and `flavor` (NULL = nothing was counted) is taken out
 * of the numbers. The caller drops the migration context. */
bool tracker_drop_move(Tracker *tracker, const RpcContext *context, NovaInstance *instance, NovaMigration *migration, const char *status,
                       const NovaFlavor *flavor, GError **error);
/* Gives what one consumer has allocated to another, in one transaction: a reverted move gives the migration's allocations back to the instance.
 * *moved = false if there was nothing. Errors: NOVA_EXC_ALLOCATION_MOVE_FAILED. */
bool tracker_move_allocations(Tracker *tracker, const RpcContext *context, const char *from_uuid, const char *to_uuid, bool *moved, GError **error);

/* The instance changed (vm_state, task_state …): counts again and saves the ComputeNode if it changed. An instance in vm_state deleted, or
 * offloaded, is taken out. An instance that is not tracked here is left alone. Call it after each save that changed states, as upstream
 * does. */
bool tracker_instance_update(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error);
/* The instance has left this host: the usage is taken out whatever its state; its allocations stay. */
bool tracker_instance_removed(Tracker *tracker, const RpcContext *context, NovaInstance *instance, GError **error);
/* Removes all allocations of the instance: at the end of its deletion (force = true: whatever the consumer's generation). */
bool tracker_delete_allocations(Tracker *tracker, const RpcContext *context, const char *instance_uuid, bool force, GError **error);
/* Removes what the instance has allocated on this host's provider; its allocations elsewhere stay (an evacuation that does not come here). */
bool tracker_remove_own_allocation(Tracker *tracker, const RpcContext *context, const char *instance_uuid, GError **error);
/* Whether the instance is counted here. */
bool tracker_is_tracked(Tracker *tracker, const char *instance_uuid);

/* Counter `failed_builds` of the node's stats (BuildFailureWeigher); written with the next save. */
void tracker_build_failed(Tracker *tracker);
void tracker_build_succeeded(Tracker *tracker);

/* set_host_enabled: adds or takes the trait COMPUTE_STATUS_DISABLED of our provider (four tries when a generation is stale). */
bool tracker_set_host_enabled(Tracker *tracker, const RpcContext *context, bool enabled, GError **error);

/* Fanout casts to the schedulers, only with [filter_scheduler]track_instance_changes; sent without waiting, never fail. */
void tracker_scheduler_update(Tracker *tracker, const RpcContext *context, NovaInstance *instance);
void tracker_scheduler_delete(Tracker *tracker, const RpcContext *context, const char *instance_uuid);
/* All instances of the list at once (start, periodic sync). */
void tracker_scheduler_update_all(Tracker *tracker, const RpcContext *context, NovaInstanceList *instances);
void tracker_scheduler_sync(Tracker *tracker, const RpcContext *context, NovaInstanceList *instances);
