/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/provider_config.h"
#include "agent/tracker.h"
#include "agent/tracker_stats.h"
#include "rest/placement.h"

/* Inside of the tracker, shared by agent/tracker*.c. */

#define TRACKER_LOG "nova.compute.resource_tracker"

/* What we believe Placement has of our provider. */
typedef struct {
    bool valid;
    gint64 generation;
    gint64 read_at;          /* monotonic microseconds */
    GHashTable *inventories; /* of placement_inventories_new() */
    char **traits;
} TrackerProvider;

struct Tracker {
    const NdConfig *config;
    char *host, *node;
    char *node_uuid; /* from compute_id; NULL = Zed's way */
    const TrackerBackend *backend;
    void *data;
    PlacementClient *placement;
    GPtrArray *provider_configs; /* ProviderConfig: of [compute]provider_config_location, read at start */
    GHashTable *absent;          /* ids of those that no provider here has, told once; set */

    /* Upstream's lock "compute_resources": held over a whole claim, update or audit, with its calls to the conductor and Placement. */
    GMutex lock;
    NovaComputeNode *compute_node; /* NULL before the first audit */
    NovaComputeNode *saved;        /* as the conductor has it */
    bool lost;                     /* the conductor did not find the record at the last save: somebody deleted it */
    TrackerStats *stats;
    GHashTable *instances;     /* uuids counted, set */
    GHashTable *migrations;    /* uuids of instances counted because of a move, set */
    GHashTable *volume_backed; /* uuid -> GINT_TO_POINTER(bool) */
    TrackerProvider provider;
    VirtHostFacts *facts;    /* of the last audit */
    GHashTable *host_traits; /* of the last audit */

    /* Guards the snapshot only, so that readers do not wait for an audit. Taken with `lock` held, never the other way round. */
    GMutex snapshot_lock;
    NovaComputeNode *snapshot;
};

/* tracker_node.c: the ComputeNode record. The lock is held. */
/* Finds or makes the record and copies the facts into it; *created says that it was made. */
bool tracker_node_init(Tracker *tracker, const RpcContext *context, bool *created, GError **error);
/* Saves the record if it differs from what was saved last. */
bool tracker_node_save(Tracker *tracker, const RpcContext *context, GError **error);

/* tracker_numa.c: the host's NUMA topology as ComputeNode.numa_topology holds it, or NULL if it has none; caller frees. */
char *tracker_numa_text(const NdConfig *config, const VirtHostFacts *facts);

/* tracker_usage.c: who uses what. The lock is held. */
/* Sets the used numbers to what the host keeps for itself. */
void tracker_usage_reset(Tracker *tracker);
/* Counts the instance, or takes it out when it allows that, or when `removed`. */
bool tracker_usage_instance(Tracker *tracker, const RpcContext *context, NovaInstance *instance, bool removed, GError **error);
/* Counts moves to and from this host that are going on. `instances` are those of this host. */
bool tracker_usage_migrations(Tracker *tracker, const RpcContext *context, NovaMigrationList *migrations, NovaInstanceList *instances,
                              GError **error);

/* Counts one such move. */
bool tracker_usage_migration(Tracker *tracker, const RpcContext *context, NovaInstance *instance, NovaMigration *migration, GError **error);
/* Takes a moving flavor out again. */
bool tracker_usage_drop_move(Tracker *tracker, const RpcContext *context, const NovaInstance *instance, const NovaFlavor *flavor, GError **error);

/* tracker_placement.c: the provider in Placement. The lock is held. */
bool tracker_placement_sync(Tracker *tracker, const RpcContext *context, GError **error);
/* Removes allocations against our provider whose instances are deleted. Failures are logged. */
void tracker_placement_remove_stale(Tracker *tracker, const RpcContext *context, NovaMigrationList *migrations,
                                    NovaInstanceList *instances);
bool tracker_placement_set_disabled(Tracker *tracker, const RpcContext *context, bool disabled, GError **error);
bool tracker_placement_delete_allocations(Tracker *tracker, const RpcContext *context, const char *uuid, bool force, GError **error);
/* Takes our provider out of the consumer's allocations. Not under the lock. */
bool tracker_placement_remove_own(Tracker *tracker, const RpcContext *context, const char *uuid, const char *provider, GError **error);
bool tracker_placement_move(Tracker *tracker, const RpcContext *context, const char *from, const char *to, bool *moved, GError **error);
void tracker_provider_forget(Tracker *tracker);

/* tracker_traits.c: the traits our provider should have, given those it has: NULL-terminated, sorted; caller frees. */
/* `additional` (NULL-terminated, may be NULL): those that the operator lists. */
char **tracker_traits_wanted(Tracker *tracker, const char *const *present, const char *const *additional, bool disabled);
