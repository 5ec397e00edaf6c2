/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/service.h"

/*
 * Placement. All calls are made with the credentials of [placement]; `auth` only carries the global request id (NULL = none).
 * A stale generation is REST_ERROR_CONFLICT_GENERATION; any other 409 REST_ERROR_CONFLICT; an unknown provider REST_ERROR_NOT_FOUND.
 * Source: Placement API reference to microversion 1.39; what nova-compute calls: nova.scheduler.client.report.
 */
typedef struct PlacementClient PlacementClient;
/* Refs the service. */
PlacementClient *placement_client_new(RestService *service);
PlacementClient *placement_client_ref(PlacementClient *client);
void placement_client_unref(PlacementClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlacementClient, placement_client_unref)

typedef struct {
    char *uuid, *name;
    gint64 generation;
    char *root_uuid, *parent_uuid; /* NULL = none */
} PlacementProvider;
void placement_provider_free(PlacementProvider *provider);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlacementProvider, placement_provider_free)

bool placement_get_provider(PlacementClient *client, const RestAuth *auth, const char *uuid, PlacementProvider **provider, GError **error);
/* All providers of the tree that holds `uuid`: GPtrArray of PlacementProvider; empty when it is unknown. */
bool placement_list_tree(PlacementClient *client, const RestAuth *auth, const char *uuid, GPtrArray **providers, GError **error);
/* Providers by name: GPtrArray of 0 or 1. */
bool placement_find_provider(PlacementClient *client, const RestAuth *auth, const char *name, GPtrArray **providers, GError **error);
/* parent_uuid NULL = a root. A name in use is REST_ERROR_CONFLICT. */
bool placement_create_provider(PlacementClient *client, const RestAuth *auth, const char *uuid, const char *name, const char *parent_uuid,
                               PlacementProvider **provider, GError **error);
bool placement_delete_provider(PlacementClient *client, const RestAuth *auth, const char *uuid, GError **error);

typedef struct {
    gint64 total, reserved, min_unit, max_unit, step_size;
    double allocation_ratio;
} PlacementInventory;

/* *inventories: char * class -> PlacementInventory *, new. *generation is the provider's. */
bool placement_get_inventories(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, GHashTable **inventories,
                               gint64 *generation, GError **error);
/* Replaces all inventories; *generation is given, and set to the new one. Custom classes must exist. A class with allocations that is left
 * out is REST_ERROR_CONFLICT with service code "placement.inventory.inuse". */
bool placement_set_inventories(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, GHashTable *inventories,
                               gint64 *generation, GError **error);
/* A new empty table for the two calls above. */
GHashTable *placement_inventories_new(void);
/* True if both hold the same classes with the same numbers. */
bool placement_inventories_equal(GHashTable *a, GHashTable *b);
/* Creates the custom resource class ("CUSTOM_…") if it is not there. */
bool placement_ensure_resource_class(PlacementClient *client, const RestAuth *auth, const char *name, GError **error);

/* *traits: NULL-terminated, sorted. */
bool placement_get_traits(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, char ***traits, gint64 *generation,
                          GError **error);
bool placement_set_traits(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, const char *const *traits,
                          gint64 *generation, GError **error);
/* Those of `names` that Placement knows; sorted. */
bool placement_known_traits(PlacementClient *client, const RestAuth *auth, const char *const *names, char ***known, GError **error);
/* Creates the custom traits among `names` that are missing; a standard one that Placement does not know is REST_ERROR_NOT_FOUND. */
bool placement_ensure_traits(PlacementClient *client, const RestAuth *auth, const char *const *names, GError **error);

bool placement_get_aggregates(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, char ***aggregates,
                              gint64 *generation, GError **error);
bool placement_set_aggregates(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, const char *const *aggregates,
                              gint64 *generation, GError **error);
/* Providers that are members of any of `aggregates` and have all of `required_traits` (NULL = any): GPtrArray of PlacementProvider. */
bool placement_list_aggregate_members(PlacementClient *client, const RestAuth *auth, const char *const *aggregates,
                                      const char *required_traits, GPtrArray **providers, GError **error);

/* Resources of one consumer on one provider. */
typedef struct {
    char *provider_uuid;
    gint64 provider_generation; /* -1 = not known */
    GHashTable *resources;      /* char * class -> gint64 * amount */
} PlacementAllocation;

typedef struct {
    char *consumer_uuid;
    gint64 consumer_generation; /* -1 = the consumer is new (sent as null) */
    char *project_id, *user_id;
    char *consumer_type;    /* "INSTANCE", "MIGRATION"; NULL = not sent (then "unknown") */
    GPtrArray *allocations; /* of PlacementAllocation; empty = none */
} PlacementAllocations;
PlacementAllocations *placement_allocations_new(const char *consumer_uuid);
void placement_allocations_free(PlacementAllocations *allocations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlacementAllocations, placement_allocations_free)
/* The part on that provider, or NULL. */
PlacementAllocation *placement_allocations_find(const PlacementAllocations *allocations, const char *provider_uuid);
/* Adds `amount` of the class on the provider (made if missing). */
void placement_allocations_add(PlacementAllocations *allocations, const char *provider_uuid, const char *resource_class, gint64 amount);

/* A consumer without allocations gives an empty list and generation -1. */
bool placement_get_allocations(PlacementClient *client, const RestAuth *auth, const char *consumer_uuid, PlacementAllocations **allocations,
                               GError **error);
/* Replaces the consumer's allocations (an empty list removes them, guarded by the generation). */
bool placement_put_allocations(PlacementClient *client, const RestAuth *auth, const PlacementAllocations *allocations, GError **error);
/* Several consumers in one transaction (moves): array of PlacementAllocations. */
bool placement_post_allocations(PlacementClient *client, const RestAuth *auth, const PlacementAllocations *const *consumers, size_t n,
                                GError **error);
/* Removes them whatever the generation; *existed (may be NULL) says whether there were any. No allocations is success. */
bool placement_delete_allocations(PlacementClient *client, const RestAuth *auth, const char *consumer_uuid, bool *existed, GError **error);
/* *consumers: char * consumer uuid -> (GHashTable char * class -> gint64 *). */
bool placement_get_provider_allocations(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, GHashTable **consumers,
                                        GError **error);
