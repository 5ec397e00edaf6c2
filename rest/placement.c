/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/placement.h"

#include "rest/decode.h"
#include "rest/error.h"
#include "rest/placement_private.h"

#include <math.h>
#include <string.h>

/* How many names go into one query. */
enum { NAMES_PER_QUERY = 50 };

PlacementClient *placement_client_new(RestService *service)
{
    PlacementClient *client = g_new0(PlacementClient, 1);
    client->references = 1;
    client->service = rest_service_ref(service);
    return client;
}

PlacementClient *placement_client_ref(PlacementClient *client)
{
    g_atomic_int_inc(&client->references);
    return client;
}

void placement_client_unref(PlacementClient *client)
{
    if (client == NULL || !g_atomic_int_dec_and_test(&client->references))
        return;
    rest_service_unref(client->service);
    g_free(client);
}

bool placement_call(PlacementClient *client, const RestAuth *auth, const char *method, const char *path, const char *const *query,
                    NdJson *body, NdJson **value, GError **error)
{
    RestCall call = {.method = method, .path = path, .query = query, .body = body, .microversion = PLACEMENT_MICROVERSION};
    if (value == NULL)
        return rest_service_call(client->service, auth, &call, NULL, error);
    return rest_service_call_json(client->service, auth, &call, value, error);
}

/* Providers. */

static const RestField provider_fields[] = {
    {"uuid", REST_FIELD_REQUIRED, offsetof(PlacementProvider, uuid), 0},
    {"name", REST_FIELD_REQUIRED, offsetof(PlacementProvider, name), 0},
    {"generation", REST_FIELD_INT, offsetof(PlacementProvider, generation), 0},
    {"root_provider_uuid", REST_FIELD_STRING, offsetof(PlacementProvider, root_uuid), 0},
    {"parent_provider_uuid", REST_FIELD_STRING, offsetof(PlacementProvider, parent_uuid), 0},
};

void placement_provider_free(PlacementProvider *provider)
{
    if (provider == NULL)
        return;
    rest_decode_clear(provider_fields, G_N_ELEMENTS(provider_fields), provider);
    g_free(provider);
}

static bool decode_provider(NdJson *object, PlacementProvider **provider, GError **error)
{
    g_autoptr(PlacementProvider) decoded = g_new0(PlacementProvider, 1);
    if (!rest_decode(object, "resource provider", provider_fields, G_N_ELEMENTS(provider_fields), decoded, error))
        return false;
    *provider = g_steal_pointer(&decoded);
    return true;
}

bool placement_get_provider(PlacementClient *client, const RestAuth *auth, const char *uuid, PlacementProvider **provider, GError **error)
{
    g_autofree char *path = rest_path("resource_providers", uuid, NULL);
    g_autoptr(NdJson) body = NULL;
    return placement_call(client, auth, "GET", path, NULL, NULL, &body, error) && decode_provider(body, provider, error);
}

static bool list_providers(PlacementClient *client, const RestAuth *auth, const char *const *query, GPtrArray **providers, GError **error)
{
    g_autoptr(NdJson) body = NULL;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)placement_provider_free);
    NdJson *entries;
    if (!placement_call(client, auth, "GET", "/resource_providers", query, NULL, &body, error) ||
        !rest_need(body, "resource providers", "resource_providers", json_type_array, &entries, error))
        return false;
    for (size_t i = 0; i < json_object_array_length(entries); i++) {
        PlacementProvider *provider;
        if (!decode_provider(json_object_array_get_idx(entries, i), &provider, error))
            return false;
        g_ptr_array_add(list, provider);
    }
    *providers = g_steal_pointer(&list);
    return true;
}

bool placement_list_tree(PlacementClient *client, const RestAuth *auth, const char *uuid, GPtrArray **providers, GError **error)
{
    const char *const query[] = {"in_tree", uuid, NULL};
    return list_providers(client, auth, query, providers, error);
}

bool placement_find_provider(PlacementClient *client, const RestAuth *auth, const char *name, GPtrArray **providers, GError **error)
{
    const char *const query[] = {"name", name, NULL};
    return list_providers(client, auth, query, providers, error);
}

bool placement_list_aggregate_members(PlacementClient *client, const RestAuth *auth, const char *const *aggregates,
                                      const char *required_traits, GPtrArray **providers, GError **error)
{
    g_autofree char *joined = g_strjoinv(",", (char **)aggregates);
    g_autofree char *members = g_strconcat("in:", joined, NULL);
    const char *const query[] = {"member_of", members, required_traits != NULL ? "required" : NULL, required_traits, NULL};
    return list_providers(client, auth, query, providers, error);
}

bool placement_create_provider(PlacementClient *client, const RestAuth *auth, const char *uuid, const char *name, const char *parent_uuid,
                               PlacementProvider **provider, GError **error)
{
    g_autoptr(NdJson) body = json_object_new_object();
    g_autoptr(NdJson) answer = NULL;
    nd_json_set_string(body, "uuid", uuid);
    nd_json_set_string(body, "name", name);
    if (parent_uuid != NULL)
        nd_json_set_string(body, "parent_provider_uuid", parent_uuid);
    return placement_call(client, auth, "POST", "/resource_providers", NULL, body, &answer, error) &&
           decode_provider(answer, provider, error);
}

bool placement_delete_provider(PlacementClient *client, const RestAuth *auth, const char *uuid, GError **error)
{
    g_autofree char *path = rest_path("resource_providers", uuid, NULL);
    return placement_call(client, auth, "DELETE", path, NULL, NULL, NULL, error);
}

static bool get_generation(NdJson *body, const char *what, gint64 *generation, GError **error)
{
    NdJson *value;
    if (!rest_need(body, what, "resource_provider_generation", json_type_int, &value, error))
        return false;
    *generation = json_object_get_int64(value);
    return true;
}

/* Inventories. */

GHashTable *placement_inventories_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

bool placement_inventories_equal(GHashTable *a, GHashTable *b)
{
    if (g_hash_table_size(a) != g_hash_table_size(b))
        return false;
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const PlacementInventory *left = value, *right = g_hash_table_lookup(b, key);
        if (right == NULL || left->total != right->total || left->reserved != right->reserved || left->min_unit != right->min_unit ||
            left->max_unit != right->max_unit || left->step_size != right->step_size ||
            fabs(left->allocation_ratio - right->allocation_ratio) > 1e-4)
            return false;
    }
    return true;
}

static const RestField inventory_fields[] = {
    {"total", REST_FIELD_INT, offsetof(PlacementInventory, total), 0},
    {"reserved", REST_FIELD_INT, offsetof(PlacementInventory, reserved), 0},
    {"min_unit", REST_FIELD_INT, offsetof(PlacementInventory, min_unit), 1},
    {"max_unit", REST_FIELD_INT, offsetof(PlacementInventory, max_unit), G_MAXINT32},
    {"step_size", REST_FIELD_INT, offsetof(PlacementInventory, step_size), 1},
};

static bool decode_inventories(NdJson *body, GHashTable **inventories, gint64 *generation, GError **error)
{
    g_autoptr(GHashTable) table = placement_inventories_new();
    NdJson *object;
    if (!rest_need(body, "inventories", "inventories", json_type_object, &object, error) ||
        !get_generation(body, "inventories", generation, error))
        return false;
    json_object_object_foreach(object, name, value)
    {
        g_autofree PlacementInventory *inventory = g_new0(PlacementInventory, 1);
        if (!rest_decode(value, name, inventory_fields, G_N_ELEMENTS(inventory_fields), inventory, error))
            return false;
        inventory->allocation_ratio = nd_json_double(value, "allocation_ratio", 1.0);
        g_hash_table_replace(table, g_strdup(name), g_steal_pointer(&inventory));
    }
    *inventories = g_steal_pointer(&table);
    return true;
}

bool placement_get_inventories(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, GHashTable **inventories,
                               gint64 *generation, GError **error)
{
    g_autofree char *path = rest_path("resource_providers", provider_uuid, "inventories", NULL);
    g_autoptr(NdJson) body = NULL;
    return placement_call(client, auth, "GET", path, NULL, NULL, &body, error) && decode_inventories(body, inventories, generation, error);
}

static NdJson *encode_inventory(const PlacementInventory *inventory)
{
    NdJson *object = json_object_new_object();
    nd_json_set_int(object, "total", inventory->total);
    nd_json_set_int(object, "reserved", inventory->reserved);
    nd_json_set_int(object, "min_unit", inventory->min_unit);
    nd_json_set_int(object, "max_unit", inventory->max_unit);
    nd_json_set_int(object, "step_size", inventory->step_size);
    nd_json_set_double(object, "allocation_ratio", inventory->allocation_ratio);
    return object;
}

bool placement_set_inventories(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, GHashTable *inventories,
                               gint64 *generation, GError **error)
{
    g_autofree char *path = rest_path("resource_providers", provider_uuid, "inventories", NULL);
    g_autoptr(NdJson) body = json_object_new_object();
    g_autoptr(NdJson) answer = NULL;
    NdJson *object = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, inventories);
    while (g_hash_table_iter_next(&iter, &key, &value))
        nd_json_set(object, key, encode_inventory(value));
    nd_json_set(body, "inventories", object);
    nd_json_set_int(body, "resource_provider_generation", *generation);
    return placement_call(client, auth, "PUT", path, NULL, body, &answer, error) &&
           get_generation(answer, "inventories", generation, error);
}

bool placement_ensure_resource_class(PlacementClient *client, const RestAuth *auth, const char *name, GError **error)
{
    g_autofree char *path = rest_path("resource_classes", name, NULL);
    return placement_call(client, auth, "PUT", path, NULL, NULL, NULL, error);
}

/* Traits and aggregates: lists of names on a provider. */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool decode_names(NdJson *body, const char *key, char ***names, GError **error)
{
    const RestField field = {key, REST_FIELD_STRINGS, 0, 0};
    NdJson *array;
    char **list = NULL;
    if (!rest_need(body, key, key, json_type_array, &array, error) || !rest_decode(body, key, &field, 1, &list, error))
        return false;
    qsort(list, g_strv_length(list), sizeof *list, compare_names);
    *names = list;
    return true;
}

static bool get_names(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, const char *kind, char ***names,
                      gint64 *generation, GError **error)
{
    g_autofree char *path = rest_path("resource_providers", provider_uuid, kind, NULL);
    g_autoptr(NdJson) body = NULL;
    gint64 got;
    if (!placement_call(client, auth, "GET", path, NULL, NULL, &body, error) || !get_generation(body, kind, &got, error) ||
        !decode_names(body, kind, names, error))
        return false;
    *generation = got;
    return true;
}

static bool set_names(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, const char *kind, const char *const *names,
                      gint64 *generation, GError **error)
{
    g_autofree char *path = rest_path("resource_providers", provider_uuid, kind, NULL);
    g_autoptr(NdJson) body = json_object_new_object();
    g_autoptr(NdJson) answer = NULL;
    nd_json_set(body, kind, nd_json_from_strv(names));
    nd_json_set_int(body, "resource_provider_generation", *generation);
    return placement_call(client, auth, "PUT", path, NULL, body, &answer, error) && get_generation(answer, kind, generation, error);
}

bool placement_get_traits(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, char ***traits, gint64 *generation,
                          GError **error)
{
    return get_names(client, auth, provider_uuid, "traits", traits, generation, error);
}

bool placement_set_traits(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, const char *const *traits,
                          gint64 *generation, GError **error)
{
    return set_names(client, auth, provider_uuid, "traits", traits, generation, error);
}

bool placement_get_aggregates(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, char ***aggregates,
                              gint64 *generation, GError **error)
{
    return get_names(client, auth, provider_uuid, "aggregates", aggregates, generation, error);
}

bool placement_set_aggregates(PlacementClient *client, const RestAuth *auth, const char *provider_uuid, const char *const *aggregates,
                              gint64 *generation, GError **error)
{
    return set_names(client, auth, provider_uuid, "aggregates", aggregates, generation, error);
}

bool placement_known_traits(PlacementClient *client, const RestAuth *auth, const char *const *names, char ***known, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    size_t count = g_strv_length((char **)names);
    for (size_t start = 0; start < count; start += NAMES_PER_QUERY) {
        g_autoptr(GString) filter = g_string_new("in:");
        for (size_t i = start; i < count && i < start + NAMES_PER_QUERY; i++)
            g_string_append_printf(filter, "%s%s", i > start ? "," : "", names[i]);
        const char *const query[] = {"name", filter->str, NULL};
        g_autoptr(NdJson) body = NULL;
        g_auto(GStrv) found = NULL;
        if (!placement_call(client, auth, "GET", "/traits", query, NULL, &body, error) || !decode_names(body, "traits", &found, error))
            return false;
        for (char **name = found; *name != NULL; name++)
            g_ptr_array_add(all, g_strdup(*name));
    }
    g_ptr_array_add(all, NULL);
    guint length = all->len;
    char **list = (char **)g_ptr_array_free(g_steal_pointer(&all), FALSE);
    qsort(list, length - 1, sizeof *list, compare_names);
    *known = list;
    return true;
}

bool placement_ensure_traits(PlacementClient *client, const RestAuth *auth, const char *const *names, GError **error)
{
    g_auto(GStrv) known = NULL;
    if (!placement_known_traits(client, auth, names, &known, error))
        return false;
    for (const char *const *name = names; *name != NULL; name++) {
        if (g_strv_contains((const char *const *)known, *name))
            continue;
        if (!g_str_has_prefix(*name, "CUSTOM_"))
            return rest_error_set(error, REST_ERROR_NOT_FOUND, 0, NULL, NULL, "Placement does not know the trait '%s'", *name);
        g_autofree char *path = rest_path("traits", *name, NULL);
        if (!placement_call(client, auth, "PUT", path, NULL, NULL, NULL, error))
            return false;
    }
    return true;
}
