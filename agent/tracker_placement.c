/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_private.h"

#include "base/log.h"
#include "rest/error.h"
#include "rpc/exception.h"

/* How often a write is tried when somebody else changed the provider in between (upstream: four attempts). */
enum { ATTEMPTS = 4 };

void tracker_provider_forget(Tracker *tracker)
{
    g_clear_pointer(&tracker->provider.inventories, g_hash_table_unref);
    g_clear_pointer(&tracker->provider.traits, g_strfreev);
    tracker->provider.valid = false;
}

static RestAuth *auth_for(const RpcContext *context)
{
    return rest_auth_new_own(context->global_request_id != NULL ? context->global_request_id : context->request_id);
}

/* Says whose the name is that we want. */
static bool name_taken(Tracker *tracker, const RestAuth *auth, GError **error)
{
    g_autoptr(GPtrArray) owners = NULL;
    if (!placement_find_provider(tracker->placement, auth, tracker->node, &owners, error))
        return false;
    const PlacementProvider *owner = owners->len > 0 ? owners->pdata[0] : NULL;
    return rest_error_set(error, REST_ERROR_CONFLICT, 409, NULL, NULL,
                          "Placement has another resource provider named '%s', of uuid '%s', while this compute node's uuid is '%s'",
                          tracker->node, owner != NULL ? owner->uuid : "unknown", tracker->compute_node->uuid);
}

static bool ensure_provider(Tracker *tracker, const RestAuth *auth, GError **error)
{
    const char *uuid = tracker->compute_node->uuid;
    g_autoptr(PlacementProvider) provider = NULL;
    g_autoptr(GError) failure = NULL;
    if (placement_get_provider(tracker->placement, auth, uuid, &provider, &failure))
        return true;
    if (!g_error_matches(failure, REST_ERROR, REST_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    g_clear_error(&failure);
    if (placement_create_provider(tracker->placement, auth, uuid, tracker->node, NULL, &provider, &failure)) {
        nd_info(TRACKER_LOG, "Created resource provider record via placement API for resource provider with UUID %s and name %s.", uuid,
                tracker->node);
        return true;
    }
    if (g_error_matches(failure, REST_ERROR, REST_ERROR_CONFLICT))
        return name_taken(tracker, auth, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Reads the provider when we have not, or when what we read is older than resource_provider_association_refresh (0 = keep for ever). */
static bool refresh_provider(Tracker *tracker, const RestAuth *auth, GError **error)
{
    TrackerProvider *provider = &tracker->provider;
    gint64 refresh = nd_config_int(tracker->config, "compute", "resource_provider_association_refresh");
    gint64 age = g_get_monotonic_time() - provider->read_at;
    if (provider->valid && (refresh == 0 || age < refresh * G_USEC_PER_SEC))
        return true;
    tracker_provider_forget(tracker);
    if (!ensure_provider(tracker, auth, error) ||
        !placement_get_inventories(tracker->placement, auth, tracker->compute_node->uuid, &provider->inventories, &provider->generation,
                                   error) ||
        !placement_get_traits(tracker->placement, auth, tracker->compute_node->uuid, &provider->traits, &provider->generation, error)) {
        tracker_provider_forget(tracker);
        return false;
    }
    provider->valid = true;
    provider->read_at = g_get_monotonic_time();
    return true;
}

/* The configured ratio; without one the initial ratio for a class that is new, else what Placement has (an operator may have changed it
 * there). */
static double ratio_of(Tracker *tracker, const char *resource_class, const char *option, const char *initial_option)
{
    const PlacementInventory *present = g_hash_table_lookup(tracker->provider.inventories, resource_class);
    double configured = nd_config_float(tracker->config, "DEFAULT", option);
    if (configured > 0)
        return configured;
    return present != NULL ? present->allocation_ratio : nd_config_float(tracker->config, "DEFAULT", initial_option);
}

static void add_inventory(GHashTable *inventories, const char *resource_class, gint64 total, gint64 reserved, double ratio)
{
    if (total <= 0)
        return;
    PlacementInventory *inventory = g_new0(PlacementInventory, 1);
    *inventory = (PlacementInventory){
        .total = total, .reserved = reserved, .min_unit = 1, .max_unit = total, .step_size = 1, .allocation_ratio = ratio};
    g_hash_table_replace(inventories, g_strdup(resource_class), inventory);
}

static void add_configured(GHashTable *wanted, const ProviderConfig *own)
{
    GHashTableIter iter;
    gpointer name, inventory;
    g_hash_table_iter_init(&iter, own->inventories);
    while (g_hash_table_iter_next(&iter, &name, &inventory))
        g_hash_table_replace(wanted, g_strdup(name), g_memdup2(inventory, sizeof(PlacementInventory)));
}

static GHashTable *wanted_inventories(Tracker *tracker, const ProviderConfig *own)
{
    const NdConfig *config = tracker->config;
    const VirtHostFacts *facts = tracker->facts;
    gint64 reserved_disk_mb = nd_config_int(config, "DEFAULT", "reserved_host_disk_mb");
    GHashTable *wanted = placement_inventories_new();
    add_inventory(wanted, "MEMORY_MB", (gint64)facts->memory_mib, nd_config_int(config, "DEFAULT", "reserved_host_memory_mb"),
                  ratio_of(tracker, "MEMORY_MB", "ram_allocation_ratio", "initial_ram_allocation_ratio"));
    add_inventory(wanted, "VCPU", facts->vcpus, nd_config_int(config, "DEFAULT", "reserved_host_cpus"),
                  ratio_of(tracker, "VCPU", "cpu_allocation_ratio", "initial_cpu_allocation_ratio"));
    add_inventory(wanted, "PCPU", facts->pcpus, 0, 1.0);
    add_inventory(wanted, "DISK_GB", (gint64)facts->local_gb, (reserved_disk_mb + 1023) / 1024,
                  ratio_of(tracker, "DISK_GB", "disk_allocation_ratio", "initial_disk_allocation_ratio"));
    if (own != NULL)
        add_configured(wanted, own);
    return wanted;
}

static bool ensure_classes(Tracker *tracker, const RestAuth *auth, const ProviderConfig *own, GError **error)
{
    g_autoptr(GList) names = own != NULL ? g_hash_table_get_keys(own->inventories) : NULL;
    for (GList *name = names; name != NULL; name = name->next)
        if (!placement_ensure_resource_class(tracker->placement, auth, name->data, error))
            return false;
    return true;
}

static bool sync_inventories(Tracker *tracker, const RestAuth *auth, const ProviderConfig *own, GError **error)
{
    g_autoptr(GHashTable) wanted = wanted_inventories(tracker, own);
    if (placement_inventories_equal(wanted, tracker->provider.inventories))
        return true;
    if (!ensure_classes(tracker, auth, own, error))
        return false;
    if (!placement_set_inventories(tracker->placement, auth, tracker->compute_node->uuid, wanted, &tracker->provider.generation, error))
        return false;
    g_hash_table_unref(tracker->provider.inventories);
    tracker->provider.inventories = g_steal_pointer(&wanted);
    return true;
}

/* Drops standard traits that this Placement is too old to know, and makes the custom ones. */
static bool usable_traits(Tracker *tracker, const RestAuth *auth, char **wanted, char ***usable, GError **error)
{
    g_auto(GStrv) known = NULL;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    if (!placement_known_traits(tracker->placement, auth, (const char *const *)wanted, &known, error))
        return false;
    for (char **name = wanted; *name != NULL; name++) {
        if (g_strv_contains((const char *const *)known, *name) || g_str_has_prefix(*name, "CUSTOM_"))
            g_ptr_array_add(list, g_strdup(*name));
        else
            nd_debug(TRACKER_LOG, "Placement does not know the trait %s; leaving it out", *name);
    }
    g_ptr_array_add(list, NULL);
    if (!placement_ensure_traits(tracker->placement, auth, (const char *const *)list->pdata, error))
        return false;
    *usable = (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
    return true;
}

static bool write_traits(Tracker *tracker, const RestAuth *auth, char **wanted, GError **error)
{
    g_auto(GStrv) usable = NULL;
    if (g_strv_equal((const char *const *)wanted, (const char *const *)tracker->provider.traits))
        return true;
    if (!usable_traits(tracker, auth, wanted, &usable, error))
        return false;
    if (!g_strv_equal((const char *const *)usable, (const char *const *)tracker->provider.traits) &&
        !placement_set_traits(tracker->placement, auth, tracker->compute_node->uuid, (const char *const *)usable,
                              &tracker->provider.generation, error))
        return false;
    g_strfreev(tracker->provider.traits);
    tracker->provider.traits = g_steal_pointer(&usable);
    return true;
}

/* Whether the service is disabled; a host without service record keeps the trait as it is. */
static bool read_disabled(Tracker *tracker, const RpcContext *context, bool *disabled, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(NovaService) service = tracker->backend->service_get(tracker->data, context, tracker->host, &failure);
    if (service != NULL) {
        *disabled = service->disabled;
        return true;
    }
    if (!nova_exception_matches(failure, NOVA_EXC_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    nd_err(TRACKER_LOG, "Unable to find services table record for nova-compute host %s", tracker->host);
    *disabled =
        tracker->provider.traits != NULL && g_strv_contains((const char *const *)tracker->provider.traits, "COMPUTE_STATUS_DISABLED");
    return true;
}

/* What the operator lists for our provider; entries for others are told once. */
static bool find_configured(Tracker *tracker, const ProviderConfig **own, GError **error)
{
    if (!provider_config_find(tracker->provider_configs, tracker->compute_node->uuid, tracker->node, own, error))
        return false;
    for (guint i = 0; i < tracker->provider_configs->len; i++) {
        const ProviderConfig *config = tracker->provider_configs->pdata[i];
        if (config != *own && !g_str_equal(config->id, PROVIDER_CONFIG_COMPUTE_NODE) && g_hash_table_add(tracker->absent, g_strdup(config->id)))
            nd_warning(TRACKER_LOG, "Provider '%s' specified in provider config file '%s' does not exist in the ProviderTree and will be ignored.", config->id,
                       config->source);
    }
    return true;
}

static bool sync_once(Tracker *tracker, const RpcContext *context, const RestAuth *auth, GError **error)
{
    bool disabled = false;
    const ProviderConfig *own = NULL;
    if (!find_configured(tracker, &own, error) || !refresh_provider(tracker, auth, error) || !read_disabled(tracker, context, &disabled, error) ||
        !sync_inventories(tracker, auth, own, error))
        return false;
    g_auto(GStrv) wanted = tracker_traits_wanted(tracker, (const char *const *)tracker->provider.traits,
                                                 own != NULL ? (const char *const *)own->traits : NULL, disabled);
    return write_traits(tracker, auth, wanted, error);
}

/* Runs `step` until it works, fails for another reason than a stale generation, or the attempts are used up. After any failure the provider
 * is read anew: we cannot know how far it got. */
typedef bool (*Step)(Tracker *tracker, const RpcContext *context, const RestAuth *auth, const void *argument, GError **error);

static bool with_retries(Tracker *tracker, const RpcContext *context, Step step, const void *argument, GError **error)
{
    g_autoptr(RestAuth) auth = auth_for(context);
    for (int attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        if (step(tracker, context, auth, argument, &failure))
            return true;
        tracker_provider_forget(tracker);
        if (attempt >= ATTEMPTS || !g_error_matches(failure, REST_ERROR, REST_ERROR_CONFLICT_GENERATION)) {
            g_propagate_prefixed_error(error, g_steal_pointer(&failure), "placement: ");
            return false;
        }
        nd_debug(TRACKER_LOG, "Resource provider was changed by another process, trying again: %s", failure->message);
    }
}

static bool step_sync(Tracker *tracker, const RpcContext *context, const RestAuth *auth, const void *argument, GError **error)
{
    return sync_once(tracker, context, auth, error);
}

bool tracker_placement_sync(Tracker *tracker, const RpcContext *context, GError **error)
{
    return with_retries(tracker, context, step_sync, NULL, error);
}

static bool step_disabled(Tracker *tracker, const RpcContext *context, const RestAuth *auth, const void *argument, GError **error)
{
    static const char trait[] = "COMPUTE_STATUS_DISABLED";
    bool disabled = *(const bool *)argument;
    if (!refresh_provider(tracker, auth, error))
        return false;
    char **present = tracker->provider.traits;
    if (g_strv_contains((const char *const *)present, trait) == disabled)
        return true;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (char **name = present; *name != NULL; name++)
        if (!g_str_equal(*name, trait))
            g_strv_builder_add(builder, *name);
    if (disabled)
        g_strv_builder_add(builder, trait);
    g_auto(GStrv) wanted = g_strv_builder_end(builder);
    return write_traits(tracker, auth, wanted, error);
}

bool tracker_placement_set_disabled(Tracker *tracker, const RpcContext *context, bool disabled, GError **error)
{
    /* Others may have changed the traits since the last audit. */
    tracker_provider_forget(tracker);
    return with_retries(tracker, context, step_disabled, &disabled, error);
}

bool tracker_placement_delete_allocations(Tracker *tracker, const RpcContext *context, const char *uuid, bool force, GError **error)
{
    g_autoptr(RestAuth) auth = auth_for(context);
    g_autoptr(PlacementAllocations) allocations = NULL;
    bool existed = false;
    if (force) {
        if (!placement_delete_allocations(tracker->placement, auth, uuid, &existed, error))
            return false;
        if (existed)
            nd_info(TRACKER_LOG, "Deleted allocations for instance %s", uuid);
        return true;
    }
    if (!placement_get_allocations(tracker->placement, auth, uuid, &allocations, error))
        return false;
    if (allocations->allocations->len == 0)
        return true;
    g_ptr_array_set_size(allocations->allocations, 0);
    if (!placement_put_allocations(tracker->placement, auth, allocations, error))
        return false;
    nd_info(TRACKER_LOG, "Deleted allocation for instance %s", uuid);
    return true;
}

bool tracker_placement_remove_own(Tracker *tracker, const RpcContext *context, const char *uuid, const char *provider, GError **error)
{
    g_autoptr(RestAuth) auth = auth_for(context);
    g_autoptr(PlacementAllocations) allocations = NULL;
    if (!placement_get_allocations(tracker->placement, auth, uuid, &allocations, error))
        return false;
    PlacementAllocation *ours = placement_allocations_find(allocations, provider);
    if (ours == NULL)
        return true;
    g_ptr_array_remove(allocations->allocations, ours);
    return placement_put_allocations(tracker->placement, auth, allocations, error);
}

static bool move_once(Tracker *tracker, const RestAuth *auth, const char *from, const char *to, bool *moved, GError **error)
{
    g_autoptr(PlacementAllocations) source = NULL, target = NULL;
    *moved = false;
    if (!placement_get_allocations(tracker->placement, auth, from, &source, error))
        return false;
    if (source->allocations->len == 0)
        return true;
    if (!placement_get_allocations(tracker->placement, auth, to, &target, error))
        return false;
    g_ptr_array_unref(target->allocations);
    target->allocations = g_ptr_array_ref(source->allocations);
    g_free(target->project_id);
    g_free(target->user_id);
    target->project_id = g_strdup(source->project_id);
    target->user_id = g_strdup(source->user_id);
    if (source->consumer_type != NULL) {
        g_free(target->consumer_type);
        target->consumer_type = g_strdup("INSTANCE");
    }
    PlacementAllocations emptied = *source;
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    emptied.allocations = none;
    const PlacementAllocations *const consumers[] = {&emptied, target};
    *moved = placement_post_allocations(tracker->placement, auth, consumers, G_N_ELEMENTS(consumers), error);
    return *moved;
}

bool tracker_placement_move(Tracker *tracker, const RpcContext *context, const char *from, const char *to, bool *moved, GError **error)
{
    g_autoptr(RestAuth) auth = auth_for(context);
    for (int attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        if (move_once(tracker, auth, from, to, moved, &failure))
            return true;
        bool again = g_error_matches(failure, REST_ERROR, REST_ERROR_CONFLICT_GENERATION) || g_error_matches(failure, REST_ERROR, REST_ERROR_CONFLICT);
        if (attempt < ATTEMPTS && again)
            continue;
        nova_exception_set(error, NOVA_EXC_ALLOCATION_MOVE_FAILED, "source_consumer", from, "target_consumer", to, "error", failure->message, NULL);
        return false;
    }
}

static bool is_migration(NovaMigrationList *migrations, const char *uuid)
{
    for (guint i = 0; i < nova_object_list_length(migrations); i++)
        if (g_strcmp0(((const NovaMigration *)nova_object_list_get(migrations, i))->uuid, uuid) == 0)
            return true;
    return false;
}

static NovaInstance *listed_instance(NovaInstanceList *instances, const char *uuid)
{
    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);
        if (g_strcmp0(instance->uuid, uuid) == 0)
            return nova_instance_ref(instance);
    }
    return NULL;
}

/* One consumer that has allocations here and is not counted here: what to do depends on why. */
static bool check_consumer(Tracker *tracker, const RpcContext *context, NovaInstanceList *instances, const char *uuid, GError **error)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(GError) failure = NULL;
    g_autoptr(NovaInstance) instance = listed_instance(instances, uuid);
    if (instance == NULL)
        instance = tracker->backend->instance_get(tracker->data, context, uuid, no_attrs, &failure);
    if (instance == NULL && nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        nd_info(TRACKER_LOG, "Instance %s has allocations against this compute host but is not found in the database.", uuid);
        return true;
    }
    if (instance == NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (instance->deleted && !instance->hidden) {
        nd_debug(TRACKER_LOG, "Instance %s has been deleted (perhaps locally). Deleting allocations that remained for it.", uuid);
        return tracker_placement_delete_allocations(tracker, context, uuid, false, error);
    }
    if (instance->host == NULL)
        nd_debug(TRACKER_LOG, "Instance %s has been scheduled to this compute host but has yet to start. Skipping heal of allocation.",
                 uuid);
    else if (g_str_equal(instance->host, tracker->host) && instance->task_state != NULL)
        nd_debug(TRACKER_LOG,
                 "Instance %s with task_state \"%s\" is not being actively managed but has allocations here. Skipping heal of allocation.",
                 uuid, instance->task_state);
    else if (g_str_equal(instance->host, tracker->host))
        nd_warning(TRACKER_LOG,
                   "Instance %s is not being actively managed by this compute host but has allocations referencing this compute host. "
                   "Skipping heal "
                   "of allocation because we do not know what to do.",
                   uuid);
    else
        nd_warning(TRACKER_LOG,
                   "Instance %s has been moved to another host %s(%s). There are allocations remaining against the source host that might "
                   "need to be "
                   "removed.",
                   uuid, instance->host, instance->node);
    return true;
}

void tracker_placement_remove_stale(Tracker *tracker, const RpcContext *context, NovaMigrationList *migrations, NovaInstanceList *instances)
{
    g_autoptr(RestAuth) auth = auth_for(context);
    g_autoptr(RpcContext) all = rpc_context_with_read_deleted(context, "yes");
    g_autoptr(GHashTable) consumers = NULL;
    g_autoptr(GError) error = NULL;
    if (!placement_get_provider_allocations(tracker->placement, auth, tracker->compute_node->uuid, &consumers, &error)) {
        nd_err(TRACKER_LOG, "Skipping removal of allocations for deleted instances: %s", error->message);
        return;
    }
    GHashTableIter iter;
    gpointer uuid;
    g_hash_table_iter_init(&iter, consumers);
    while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
        if (g_hash_table_contains(tracker->instances, uuid) || is_migration(migrations, uuid))
            continue;
        g_clear_error(&error);
        if (!check_consumer(tracker, all, instances, uuid, &error))
            nd_warning(TRACKER_LOG, "Allocations of instance %s cannot be checked: %s", (const char *)uuid, error->message);
    }
}
