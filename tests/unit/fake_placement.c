/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/fake_cloud.h"

#include <string.h>

/* One Placement call being served; parts are the path's segments. */
typedef struct {
    FakeCloud *cloud;
    const FakeHttpRequest *request;
    char **parts;
    NdJson *body;
} Call;

static void answer_error(const Call *call, int status, const char *code, const char *detail)
{
    g_autofree char *text = g_strdup_printf("{\"errors\": [{\"status\": %d, \"code\": \"%s\", \"detail\": \"%s\"}]}", status, code, detail);
    fake_http_answer(call->request, status, NULL, text);
}

/* Value of a query parameter, unescaped; NULL if it is not there. */
static char *query_value(const Call *call, const char *name)
{
    const char *query = strchr(call->request->target, '?');
    g_auto(GStrv) pairs = g_strsplit(query != NULL ? query + 1 : "", "&", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        size_t length = strlen(name);
        if (strncmp(*pair, name, length) == 0 && (*pair)[length] == '=')
            return g_uri_unescape_string(*pair + length + 1, NULL);
    }
    return NULL;
}

static NdJson *provider_json(const char *uuid, const FakeProvider *provider)
{
    NdJson *object = json_object_new_object();
    nd_json_set_string(object, "uuid", uuid);
    nd_json_set_string(object, "name", provider->name);
    nd_json_set_int(object, "generation", provider->generation);
    nd_json_set_string(object, "root_provider_uuid", provider->parent != NULL ? provider->parent : uuid);
    nd_json_set_string(object, "parent_provider_uuid", provider->parent);
    return object;
}

static bool in_aggregates(const FakeProvider *provider, const char *member_of)
{
    g_auto(GStrv) names = g_strsplit(member_of + strlen("in:"), ",", -1);
    for (char **name = names; *name != NULL; name++)
        if (g_hash_table_contains(provider->aggregates, *name))
            return true;
    return false;
}

static void list_providers(Call *call)
{
    g_autofree char *tree = query_value(call, "in_tree");
    g_autofree char *name = query_value(call, "name");
    g_autofree char *member_of = query_value(call, "member_of");
    g_autofree char *required = query_value(call, "required");
    NdJson *list = json_object_new_array();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, call->cloud->providers);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const FakeProvider *provider = value;
        if (tree != NULL && !g_str_equal(key, tree) && g_strcmp0(provider->parent, tree) != 0)
            continue;
        if ((name != NULL && !g_str_equal(provider->name, name)) || (member_of != NULL && !in_aggregates(provider, member_of)) ||
            (required != NULL && !g_hash_table_contains(provider->traits, required)))
            continue;
        json_object_array_add(list, provider_json(key, provider));
    }
    NdJson *body = json_object_new_object();
    nd_json_set(body, "resource_providers", list);
    fake_http_answer_json(call->request, 200, body);
}

static void create_provider(Call *call)
{
    const char *uuid = nd_json_string(call->body, "uuid", NULL);
    const char *name = nd_json_string(call->body, "name", NULL);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, call->cloud->providers);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (g_str_equal(((FakeProvider *)value)->name, name)) {
            answer_error(call, 409, "placement.duplicate_name", "Conflicting resource provider name");
            return;
        }
    FakeProvider *provider = fake_cloud_add_provider(call->cloud, uuid, name);
    provider->parent = g_strdup(nd_json_string(call->body, "parent_provider_uuid", NULL));
    fake_http_answer_json(call->request, 200, provider_json(uuid, provider));
}

/* Writes are refused when the generation is stale, or when a test wants it. */
static bool generation_ok(Call *call, FakeProvider *provider)
{
    if (call->cloud->conflicts_to_come > 0) {
        call->cloud->conflicts_to_come--;
        provider->generation++;
        answer_error(call, 409, "placement.concurrent_update", "resource provider generation conflict");
        return false;
    }
    if (nd_json_int(call->body, "resource_provider_generation", -1) != provider->generation) {
        answer_error(call, 409, "placement.concurrent_update", "resource provider generation conflict");
        return false;
    }
    provider->generation++;
    return true;
}

static void answer_inventories(Call *call, FakeProvider *provider)
{
    NdJson *body = json_object_new_object();
    NdJson *inventories = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, provider->inventories);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        NdJson *inventory = NULL;
        g_assert_true(nd_json_parse(value, strlen(value), NULL, &inventory, NULL));
        nd_json_set(inventories, key, inventory);
    }
    nd_json_set(body, "inventories", inventories);
    nd_json_set_int(body, "resource_provider_generation", provider->generation);
    fake_http_answer_json(call->request, 200, body);
}

static bool class_in_use(FakeCloud *cloud, const char *provider, const char *resource_class)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, cloud->consumers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const FakeConsumer *consumer = value;
        for (guint i = 0; i < consumer->amounts->len; i++) {
            const FakeAmount *amount = consumer->amounts->pdata[i];
            if (g_str_equal(amount->provider, provider) && g_str_equal(amount->resource_class, resource_class))
                return true;
        }
    }
    return false;
}

static void inventories(Call *call, FakeProvider *provider)
{
    if (g_str_equal(call->request->method, "PUT")) {
        NdJson *wanted = nd_json_object(call->body, "inventories");
        GHashTableIter iter;
        gpointer key;
        g_hash_table_iter_init(&iter, provider->inventories);
        while (g_hash_table_iter_next(&iter, &key, NULL))
            if (nd_json_member(wanted, key) == NULL && class_in_use(call->cloud, call->parts[1], key)) {
                answer_error(call, 409, "placement.inventory.inuse", "Inventory is in use");
                return;
            }
        if (!generation_ok(call, provider))
            return;
        g_hash_table_remove_all(provider->inventories);
        json_object_object_foreach(wanted, name, value)
            g_hash_table_replace(provider->inventories, g_strdup(name), nd_json_to_string(value));
    }
    answer_inventories(call, provider);
}

static void names(Call *call, FakeProvider *provider, const char *kind, GHashTable *set)
{
    if (g_str_equal(call->request->method, "PUT")) {
        if (!generation_ok(call, provider))
            return;
        NdJson *wanted = nd_json_array(call->body, kind);
        g_hash_table_remove_all(set);
        for (size_t i = 0; i < json_object_array_length(wanted); i++)
            g_hash_table_add(set, g_strdup(json_object_get_string(json_object_array_get_idx(wanted, i))));
    }
    NdJson *body = json_object_new_object();
    NdJson *list = json_object_new_array();
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        json_object_array_add(list, json_object_new_string(key));
    nd_json_set(body, kind, list);
    nd_json_set_int(body, "resource_provider_generation", provider->generation);
    fake_http_answer_json(call->request, 200, body);
}

static void provider_allocations(Call *call, FakeProvider *provider)
{
    NdJson *body = json_object_new_object();
    NdJson *all = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, call->cloud->consumers);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const FakeConsumer *consumer = value;
        NdJson *resources = json_object_new_object();
        for (guint i = 0; i < consumer->amounts->len; i++) {
            const FakeAmount *amount = consumer->amounts->pdata[i];
            if (g_str_equal(amount->provider, call->parts[1]))
                nd_json_set_int(resources, amount->resource_class, amount->amount);
        }
        NdJson *entry = json_object_new_object();
        bool any = json_object_object_length(resources) > 0;
        nd_json_set(entry, "resources", resources);
        if (any)
            nd_json_set(all, key, entry);
        else
            json_object_put(entry);
    }
    nd_json_set(body, "allocations", all);
    nd_json_set_int(body, "resource_provider_generation", provider->generation);
    fake_http_answer_json(call->request, 200, body);
}

static void one_provider(Call *call)
{
    FakeProvider *provider = g_hash_table_lookup(call->cloud->providers, call->parts[1]);
    const char *what = call->parts[2];
    if (provider == NULL)
        answer_error(call, 404, "placement.undefined_code", "No resource provider");
    else if (what == NULL && g_str_equal(call->request->method, "DELETE")) {
        g_hash_table_remove(call->cloud->providers, call->parts[1]);
        fake_http_answer(call->request, 204, NULL, NULL);
    } else if (what == NULL)
        fake_http_answer_json(call->request, 200, provider_json(call->parts[1], provider));
    else if (g_str_equal(what, "inventories"))
        inventories(call, provider);
    else if (g_str_equal(what, "traits"))
        names(call, provider, "traits", provider->traits);
    else if (g_str_equal(what, "aggregates"))
        names(call, provider, "aggregates", provider->aggregates);
    else
        provider_allocations(call, provider);
}

static void answer_allocations(Call *call)
{
    FakeConsumer *consumer = g_hash_table_lookup(call->cloud->consumers, call->parts[1]);
    NdJson *body = json_object_new_object();
    NdJson *all = json_object_new_object();
    for (guint i = 0; consumer != NULL && i < consumer->amounts->len; i++) {
        const FakeAmount *amount = consumer->amounts->pdata[i];
        NdJson *entry = nd_json_object(all, amount->provider);
        if (entry == NULL) {
            entry = json_object_new_object();
            nd_json_set_int(entry, "generation", 1);
            nd_json_set(entry, "resources", json_object_new_object());
            nd_json_set(all, amount->provider, entry);
        }
        nd_json_set_int(nd_json_object(entry, "resources"), amount->resource_class, amount->amount);
    }
    nd_json_set(body, "allocations", all);
    if (consumer != NULL) {
        nd_json_set_int(body, "consumer_generation", consumer->generation);
        nd_json_set_string(body, "project_id", consumer->project_id);
        nd_json_set_string(body, "user_id", consumer->user_id);
    }
    fake_http_answer_json(call->request, 200, body);
}

static bool consumer_generation_ok(Call *call, const char *uuid, NdJson *wanted)
{
    FakeConsumer *consumer = g_hash_table_lookup(call->cloud->consumers, uuid);
    gint64 expected = consumer != NULL ? consumer->generation : -1;
    if (nd_json_int(wanted, "consumer_generation", -1) == expected)
        return true;
    answer_error(call, 409, "placement.concurrent_update", "consumer generation conflict");
    return false;
}

static void store_allocations(Call *call, const char *uuid, NdJson *wanted)
{
    gint64 generation = nd_json_int(wanted, "consumer_generation", -1);
    g_hash_table_remove(call->cloud->consumers, uuid);
    json_object_object_foreach(nd_json_object(wanted, "allocations"), provider, entry)
    {
        json_object_object_foreach(nd_json_object(entry, "resources"), resource_class, amount)
        {
            fake_cloud_allocate(call->cloud, uuid, provider, resource_class, json_object_get_int64(amount));
            ((FakeConsumer *)g_hash_table_lookup(call->cloud->consumers, uuid))->generation = generation + 1;
        }
    }
}

static void allocations(Call *call)
{
    const char *method = call->request->method;
    if (g_str_equal(method, "POST")) {
        json_object_object_foreach(call->body, uuid, wanted)
        {
            if (!consumer_generation_ok(call, uuid, wanted))
                return;
        }
        json_object_object_foreach(call->body, consumer, content) store_allocations(call, consumer, content);
        fake_http_answer(call->request, 204, NULL, NULL);
    } else if (g_str_equal(method, "PUT")) {
        if (!consumer_generation_ok(call, call->parts[1], call->body))
            return;
        store_allocations(call, call->parts[1], call->body);
        fake_http_answer(call->request, 204, NULL, NULL);
    } else if (g_str_equal(method, "DELETE")) {
        if (g_hash_table_remove(call->cloud->consumers, call->parts[1]))
            fake_http_answer(call->request, 204, NULL, NULL);
        else
            answer_error(call, 404, "placement.undefined_code", "No allocations for consumer");
    } else {
        answer_allocations(call);
    }
}

static void traits(Call *call)
{
    if (g_str_equal(call->request->method, "PUT")) {
        g_hash_table_add(call->cloud->traits, g_strdup(call->parts[1]));
        fake_http_answer(call->request, 201, NULL, "");
        return;
    }
    g_autofree char *filter = query_value(call, "name");
    g_auto(GStrv) wanted = g_strsplit(filter + strlen("in:"), ",", -1);
    NdJson *body = json_object_new_object();
    NdJson *list = json_object_new_array();
    for (char **name = wanted; *name != NULL; name++)
        if (!g_str_has_prefix(*name, "CUSTOM_UNKNOWN") && !g_str_has_prefix(*name, "NO_SUCH"))
            if (!g_str_has_prefix(*name, "CUSTOM_") || g_hash_table_contains(call->cloud->traits, *name))
                json_object_array_add(list, json_object_new_string(*name));
    nd_json_set(body, "traits", list);
    fake_http_answer_json(call->request, 200, body);
}

void fake_placement_handle(FakeCloud *cloud, const FakeHttpRequest *request, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path + 1, "/", -1);
    g_autoptr(NdJson) body = fake_http_body_json(request);
    Call call = {cloud, request, parts, body};
    g_ptr_array_add(cloud->log, g_strdup_printf("%s %s", request->method, path));
    const char *version = fake_http_header(request, "openstack-api-version");
    if (version == NULL || !g_str_has_prefix(version, "placement 1."))
        answer_error(&call, 406, "placement.undefined_code", "no microversion");
    else if (g_str_equal(parts[0], "resource_providers") && parts[1] == NULL)
        g_str_equal(request->method, "POST") ? create_provider(&call) : list_providers(&call);
    else if (g_str_equal(parts[0], "resource_providers"))
        one_provider(&call);
    else if (g_str_equal(parts[0], "allocations"))
        allocations(&call);
    else if (g_str_equal(parts[0], "traits"))
        traits(&call);
    else if (g_str_equal(parts[0], "resource_classes"))
        fake_http_answer(request, 201, NULL, "");
    else
        answer_error(&call, 404, "placement.undefined_code", "no such path");
}
