/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/decode.h"
#include "rest/error.h"
#include "rest/placement_private.h"

GHashTable *placement_amounts_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void add_amount(GHashTable *amounts, const char *resource_class, gint64 amount)
{
    gint64 *value = g_hash_table_lookup(amounts, resource_class);
    if (value == NULL) {
        value = g_new0(gint64, 1);
        g_hash_table_insert(amounts, g_strdup(resource_class), value);
    }
    *value += amount;
}

bool placement_decode_amounts(NdJson *object, const char *what, GHashTable **amounts, GError **error)
{
    g_autoptr(GHashTable) table = placement_amounts_new();
    json_object_object_foreach(object, name, value)
    {
        if (!json_object_is_type(value, json_type_int))
            return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "%s: amount of '%s' is %s, not int", what, name,
                                  json_type_to_name(json_object_get_type(value)));
        add_amount(table, name, json_object_get_int64(value));
    }
    *amounts = g_steal_pointer(&table);
    return true;
}

static void allocation_free(PlacementAllocation *allocation)
{
    g_free(allocation->provider_uuid);
    g_hash_table_unref(allocation->resources);
    g_free(allocation);
}

PlacementAllocations *placement_allocations_new(const char *consumer_uuid)
{
    PlacementAllocations *allocations = g_new0(PlacementAllocations, 1);
    allocations->consumer_uuid = g_strdup(consumer_uuid);
    allocations->consumer_generation = -1;
    allocations->allocations = g_ptr_array_new_with_free_func((GDestroyNotify)allocation_free);
    return allocations;
}

void placement_allocations_free(PlacementAllocations *allocations)
{
    if (allocations == NULL)
        return;
    g_free(allocations->consumer_uuid);
    g_free(allocations->project_id);
    g_free(allocations->user_id);
    g_free(allocations->consumer_type);
    g_ptr_array_unref(allocations->allocations);
    g_free(allocations);
}

PlacementAllocation *placement_allocations_find(const PlacementAllocations *allocations, const char *provider_uuid)
{
    for (guint i = 0; i < allocations->allocations->len; i++) {
        PlacementAllocation *allocation = allocations->allocations->pdata[i];
        if (g_str_equal(allocation->provider_uuid, provider_uuid))
            return allocation;
    }
    return NULL;
}

static PlacementAllocation *add_provider(PlacementAllocations *allocations, const char *provider_uuid, GHashTable *resources)
{
    PlacementAllocation *allocation = g_new0(PlacementAllocation, 1);
    allocation->provider_uuid = g_strdup(provider_uuid);
    allocation->provider_generation = -1;
    allocation->resources = resources;
    g_ptr_array_add(allocations->allocations, allocation);
    return allocation;
}

void placement_allocations_add(PlacementAllocations *allocations, const char *provider_uuid, const char *resource_class, gint64 amount)
{
    PlacementAllocation *allocation = placement_allocations_find(allocations, provider_uuid);
    if (allocation == NULL)
        allocation = add_provider(allocations, provider_uuid, placement_amounts_new());
    add_amount(allocation->resources, resource_class, amount);
}

static const RestField consumer_fields[] = {
    {"consumer_generation", REST_FIELD_INT, offsetof(PlacementAllocations, consumer_generation), -1},
    {"project_id", REST_FIELD_STRING, offsetof(PlacementAllocations, project_id), 0},
    {"user_id", REST_FIELD_STRING, offsetof(PlacementAllocations, user_id), 0},
    {"consumer_type", REST_FIELD_STRING, offsetof(PlacementAllocations, consumer_type), 0},
};

static bool decode_allocations(NdJson *body, PlacementAllocations *allocations, GError **error)
{
    NdJson *providers;
    if (!rest_decode(body, "allocations", consumer_fields, G_N_ELEMENTS(consumer_fields), allocations, error) ||
        !rest_need(body, "allocations", "allocations", json_type_object, &providers, error))
        return false;
    json_object_object_foreach(providers, provider_uuid, entry)
    {
        NdJson *object;
        GHashTable *resources;
        if (!rest_need(entry, "allocation", "resources", json_type_object, &object, error) ||
            !placement_decode_amounts(object, "allocation", &resources, error))
            return false;
        PlacementAllocation *allocation = add_provider(allocations, provider_uuid, resources);
        allocation->provider_generation = nd_json_int(entry, "generation", -1);
    }
    return true;
}

bool placement_get_allocations(PlacementClient *client, const RestAuth *auth, const char *consumer_uuid, PlacementAllocations **allocations,
                               GError **error)
{
    g_autofree char *path = rest_path("allocations", consumer_uuid, NULL);
    g_autoptr(NdJson) body = NULL;
    g_autoptr(PlacementAllocations) decoded = placement_allocations_new(consumer_uuid);
    if (!placement_call(client, auth, "GET", path, NULL, NULL, &body, error) || !decode_allocations(body, decoded, error))
        return false;
    *allocations = g_steal_pointer(&decoded);
    return true;
}

static NdJson *encode_allocations(const PlacementAllocations *allocations, bool with_type)
{
    NdJson *object = json_object_new_object();
    NdJson *providers = json_object_new_object();
    for (guint i = 0; i < allocations->allocations->len; i++) {
        const PlacementAllocation *allocation = allocations->allocations->pdata[i];
        NdJson *resources = json_object_new_object();
        NdJson *entry = json_object_new_object();
        GHashTableIter iter;
        gpointer key, value;
        g_hash_table_iter_init(&iter, allocation->resources);
        while (g_hash_table_iter_next(&iter, &key, &value))
            nd_json_set_int(resources, key, *(gint64 *)value);
        nd_json_set(entry, "resources", resources);
        nd_json_set(providers, allocation->provider_uuid, entry);
    }
    nd_json_set(object, "allocations", providers);
    nd_json_set_string(object, "project_id", allocations->project_id);
    nd_json_set_string(object, "user_id", allocations->user_id);
    if (allocations->consumer_generation >= 0)
        nd_json_set_int(object, "consumer_generation", allocations->consumer_generation);
    else
        nd_json_set(object, "consumer_generation", NULL);
    if (with_type)
        nd_json_set_string(object, "consumer_type", allocations->consumer_type);
    return object;
}

static bool write_allocations(PlacementClient *client, const RestAuth *auth, const char *method, const char *path, NdJson *body,
                              bool with_type, GError **error)
{
    RestCall call = {
        .method = method,
        .path = path,
        .body = body,
        .microversion = with_type ? PLACEMENT_MICROVERSION_CONSUMER_TYPE : PLACEMENT_MICROVERSION,
    };
    return rest_service_call(client->service, auth, &call, NULL, error);
}

bool placement_put_allocations(PlacementClient *client, const RestAuth *auth, const PlacementAllocations *allocations, GError **error)
{
    g_autofree char *path = rest_path("allocations", allocations->consumer_uuid, NULL);
    bool with_type = allocations->consumer_type != NULL;
    g_autoptr(NdJson) body = encode_allocations(allocations, with_type);
    return write_allocations(client, auth, "PUT", path, body, with_type, error);
}

bool placement_post_allocations(PlacementClient *client, const RestAuth *auth, const PlacementAllocations *const *consumers, size_t n,
                                GError **error)
{
    g_autoptr(NdJson) body = json_object_new_object();
    bool with_type = n > 0;
    for (size_t i = 0; i < n; i++)
        with_type = with_type && consumers[i]->consumer_type != NULL;
    for (size_t i = 0; i < n; i++)
        nd_json_set(body, consumers[i]->consumer_uuid, encode_allocations(consumers[i], with_type));
    return write_allocations(client, auth, "POST", "/allocations", body, with_type, error);
}

bool placement_delete_allocations(PlacementClient *client, const RestAuth *auth, const char *consumer_uuid, bool *existed, GError **error)
{
    g_autofree char *path = rest_path("allocations", consumer_uuid, NULL);
    g_autoptr(GError) failure = NULL;
    bool done = placement_call(client, auth, "DELETE", path, NULL, NULL, NULL, &failure);
    if (!done && !g_error_matches(failure, REST_ERROR, REST_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (existed != NULL)
        *existed = done;
    return true;
}

bool placement_get_provider_allocations(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, GHashTable **consumers,
                                        GError **error)
{
    g_autofree char *path = rest_path("resource_providers", provider_uuid, "allocations", NULL);
    g_autoptr(NdJson) body = NULL;
    g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
    NdJson *entries;
    if (!placement_call(client, auth, "GET", path, NULL, NULL, &body, error) ||
        !rest_need(body, "provider's allocations", "allocations", json_type_object, &entries, error))
        return false;
    json_object_object_foreach(entries, consumer_uuid, entry)
    {
        NdJson *object;
        GHashTable *resources;
        if (!rest_need(entry, "allocation", "resources", json_type_object, &object, error) ||
            !placement_decode_amounts(object, "allocation", &resources, error))
            return false;
        g_hash_table_replace(table, g_strdup(consumer_uuid), resources);
    }
    *consumers = g_steal_pointer(&table);
    return true;
}
