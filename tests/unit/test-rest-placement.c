/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"
#include "rest/placement.h"
#include "tests/unit/fake_cloud.h"

#include <string.h>

#define PROVIDER "11111111-2222-4333-8444-555555555555"
#define CHILD "22222222-2222-4333-8444-555555555555"
#define CONSUMER "33333333-2222-4333-8444-555555555555"

typedef struct {
    FakeCloud *cloud;
    PlacementClient *client;
} Fixture;

static void set_up(Fixture *fixture, const void *data)
{
    fixture->cloud = fake_cloud_new();
    fixture->client = fake_cloud_placement(fixture->cloud);
}

static void tear_down(Fixture *fixture, const void *data)
{
    placement_client_unref(fixture->client);
    fake_cloud_free(fixture->cloud);
}

static void create(Fixture *fixture)
{
    g_autoptr(PlacementProvider) provider = NULL;
    g_autoptr(GError) error = NULL;
    placement_create_provider(fixture->client, NULL, PROVIDER, "node", NULL, &provider, &error);
    g_assert_no_error(error);
}

static void test_providers(Fixture *fixture, const void *data)
{
    PlacementClient *client = fixture->client;
    g_autoptr(PlacementProvider) provider = NULL, child = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_false(placement_get_provider(client, NULL, PROVIDER, &provider, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
    g_clear_error(&error);
    create(fixture);
    g_assert_true(placement_get_provider(client, NULL, PROVIDER, &provider, &error));
    g_assert_cmpstr(provider->name, ==, "node");
    g_assert_cmpstr(provider->root_uuid, ==, PROVIDER);
    g_assert_null(provider->parent_uuid);
    g_assert_true(placement_create_provider(client, NULL, CHILD, "node_gpu", PROVIDER, &child, &error));
    g_assert_cmpstr(child->parent_uuid, ==, PROVIDER);
    g_assert_true(placement_list_tree(client, NULL, PROVIDER, &list, &error));
    g_assert_cmpuint(list->len, ==, 2);
    g_clear_pointer(&list, g_ptr_array_unref);
    g_assert_true(placement_find_provider(client, NULL, "node_gpu", &list, &error));
    g_assert_cmpuint(list->len, ==, 1);
    g_clear_pointer(&list, g_ptr_array_unref);
    g_clear_pointer(&provider, placement_provider_free);
    g_assert_false(placement_create_provider(client, NULL, CONSUMER, "node", NULL, &provider, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CONFLICT);
    g_assert_cmpstr(rest_error_service_code(error), ==, "placement.duplicate_name");
    g_clear_error(&error);
    g_assert_true(placement_delete_provider(client, NULL, CHILD, &error));
    g_assert_false(placement_delete_provider(client, NULL, CHILD, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
}

static void add(GHashTable *inventories, const char *name, gint64 total, double ratio)
{
    PlacementInventory *inventory = g_new0(PlacementInventory, 1);
    *inventory = (PlacementInventory){total, 1, 1, total, 1, ratio};
    g_hash_table_replace(inventories, g_strdup(name), inventory);
}

static void test_inventories(Fixture *fixture, const void *data)
{
    PlacementClient *client = fixture->client;
    g_autoptr(GHashTable) wanted = placement_inventories_new();
    g_autoptr(GHashTable) got = NULL;
    g_autoptr(GError) error = NULL;
    gint64 generation = 0, read = 0, stale = 0;
    create(fixture);
    add(wanted, "VCPU", 8, 16.0);
    add(wanted, "MEMORY_MB", 4096, 1.5);
    g_assert_true(placement_set_inventories(client, NULL, PROVIDER, wanted, &generation, &error));
    g_assert_cmpint(generation, ==, 1);
    g_assert_true(placement_get_inventories(client, NULL, PROVIDER, &got, &read, &error));
    g_assert_cmpint(read, ==, 1);
    g_assert_true(placement_inventories_equal(wanted, got));
    add(wanted, "VCPU", 8, 4.0);
    g_assert_false(placement_inventories_equal(wanted, got));
    g_assert_false(placement_set_inventories(client, NULL, PROVIDER, wanted, &stale, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CONFLICT_GENERATION);
    g_assert_cmpint(stale, ==, 0);
    g_clear_error(&error);
    fake_cloud_allocate(fixture->cloud, CONSUMER, PROVIDER, "VCPU", 2);
    g_hash_table_remove(wanted, "VCPU");
    g_assert_false(placement_set_inventories(client, NULL, PROVIDER, wanted, &generation, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CONFLICT);
    g_assert_cmpstr(rest_error_service_code(error), ==, "placement.inventory.inuse");
    g_clear_error(&error);
    g_assert_true(placement_ensure_resource_class(client, NULL, "CUSTOM_X", &error));
}

static void test_traits(Fixture *fixture, const void *data)
{
    PlacementClient *client = fixture->client;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) got = NULL;
    g_auto(GStrv) known = NULL;
    gint64 generation = 0;
    const char *const wanted[] = {"HW_CPU_X86_AVX", "CUSTOM_B", "COMPUTE_NODE", NULL};
    const char *const unknown[] = {"NO_SUCH", NULL};
    create(fixture);
    g_assert_true(placement_known_traits(client, NULL, wanted, &known, &error));
    g_assert_cmpuint(g_strv_length(known), ==, 2);
    g_assert_true(placement_ensure_traits(client, NULL, wanted, &error));
    g_assert_cmpint(fake_cloud_count(fixture->cloud, "PUT /traits/CUSTOM_B"), ==, 1);
    g_assert_true(placement_ensure_traits(client, NULL, wanted, &error));
    g_assert_cmpint(fake_cloud_count(fixture->cloud, "PUT /traits/CUSTOM_B"), ==, 1);
    g_assert_false(placement_ensure_traits(client, NULL, unknown, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(placement_set_traits(client, NULL, PROVIDER, wanted, &generation, &error));
    g_assert_cmpint(generation, ==, 1);
    g_assert_true(placement_get_traits(client, NULL, PROVIDER, &got, &generation, &error));
    g_autofree char *joined = g_strjoinv(",", got);
    g_assert_cmpstr(joined, ==, "COMPUTE_NODE,CUSTOM_B,HW_CPU_X86_AVX");
    /* More names than go into one query. */
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (int i = 0; i < 120; i++) {
        g_autofree char *name = g_strdup_printf("TRAIT_%03d", i);
        g_strv_builder_add(builder, name);
    }
    g_auto(GStrv) many = g_strv_builder_end(builder);
    g_strfreev(known);
    g_assert_true(placement_known_traits(client, NULL, (const char *const *)many, &known, &error));
    g_assert_true(g_strv_equal((const char *const *)many, (const char *const *)known));
}

static void test_aggregates(Fixture *fixture, const void *data)
{
    PlacementClient *client = fixture->client;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) got = NULL;
    g_autoptr(GPtrArray) members = NULL;
    gint64 generation = 0;
    const char *const wanted[] = {"agg-1", "agg-2", NULL};
    const char *const asked[] = {"agg-2", "agg-3", NULL};
    create(fixture);
    g_assert_true(placement_set_aggregates(client, NULL, PROVIDER, wanted, &generation, &error));
    g_assert_true(placement_get_aggregates(client, NULL, PROVIDER, &got, &generation, &error));
    g_assert_true(g_strv_equal(wanted, (const char *const *)got));
    g_assert_true(placement_list_aggregate_members(client, NULL, asked, NULL, &members, &error));
    g_assert_cmpuint(members->len, ==, 1);
    g_clear_pointer(&members, g_ptr_array_unref);
    g_assert_true(placement_list_aggregate_members(client, NULL, asked, "MISC_SHARES_VIA_AGGREGATE", &members, &error));
    g_assert_cmpuint(members->len, ==, 0);
}

static void test_allocations(Fixture *fixture, const void *data)
{
    PlacementClient *client = fixture->client;
    g_autoptr(GError) error = NULL;
    g_autoptr(PlacementAllocations) none = NULL, got = NULL, after = NULL;
    g_autoptr(PlacementAllocations) wanted = placement_allocations_new(CONSUMER);
    g_autoptr(GHashTable) consumers = NULL;
    bool existed = false;
    create(fixture);
    g_assert_true(placement_get_allocations(client, NULL, CONSUMER, &none, &error));
    g_assert_cmpint(none->consumer_generation, ==, -1);
    g_assert_cmpuint(none->allocations->len, ==, 0);
    wanted->project_id = g_strdup("project");
    wanted->user_id = g_strdup("user");
    placement_allocations_add(wanted, PROVIDER, "VCPU", 1);
    placement_allocations_add(wanted, PROVIDER, "VCPU", 1);
    placement_allocations_add(wanted, PROVIDER, "MEMORY_MB", 512);
    g_assert_true(placement_put_allocations(client, NULL, wanted, &error));
    g_assert_no_error(error);
    g_assert_false(placement_put_allocations(client, NULL, wanted, &error)); /* the consumer is not new any more */
    g_assert_error(error, REST_ERROR, REST_ERROR_CONFLICT_GENERATION);
    g_clear_error(&error);
    g_assert_true(placement_get_allocations(client, NULL, CONSUMER, &got, &error));
    g_assert_cmpstr(got->project_id, ==, "project");
    PlacementAllocation *allocation = placement_allocations_find(got, PROVIDER);
    g_assert_nonnull(allocation);
    g_assert_cmpint(*(gint64 *)g_hash_table_lookup(allocation->resources, "VCPU"), ==, 2);
    g_assert_true(placement_get_provider_allocations(client, NULL, PROVIDER, &consumers, &error));
    g_assert_cmpuint(g_hash_table_size(consumers), ==, 1);
    GHashTable *amounts = g_hash_table_lookup(consumers, CONSUMER);
    g_assert_cmpint(*(gint64 *)g_hash_table_lookup(amounts, "MEMORY_MB"), ==, 512);
    /* A move: what the instance has goes over to the migration. */
    g_autoptr(PlacementAllocations) move = placement_allocations_new(CHILD);
    move->project_id = g_strdup("project");
    move->user_id = g_strdup("user");
    placement_allocations_add(move, PROVIDER, "VCPU", 2);
    g_ptr_array_set_size(got->allocations, 0);
    const PlacementAllocations *const both[] = {got, move};
    g_assert_true(placement_post_allocations(client, NULL, both, 2, &error));
    g_assert_no_error(error);
    g_assert_true(placement_get_allocations(client, NULL, CONSUMER, &after, &error));
    g_assert_cmpuint(after->allocations->len, ==, 0);
    g_assert_true(placement_delete_allocations(client, NULL, CHILD, &existed, &error));
    g_assert_true(existed);
    g_assert_true(placement_delete_allocations(client, NULL, CHILD, &existed, &error));
    g_assert_false(existed);
}

/* Placement answers with nonsense of the right status. */
static const char *lie;

static void liar(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    FakeCloud *cloud = user_data;
    if (g_str_has_prefix(request->path, "/identity")) {
        g_autofree char *url =
            g_strdup_printf("{\"token\": {\"expires_at\": \"2100-01-01T00:00:00Z\", \"catalog\": [{\"type\": \"placement\", "
                            "\"endpoints\": [{\"interface\": \"public\", \"url\": \"%s\"}]}]}}",
                            fake_http_url(cloud->server));
        fake_http_answer(request, 201, "X-Subject-Token: t\r\n", url);
    } else {
        fake_http_answer(request, 200, NULL, lie);
    }
}

static void test_lies(void)
{
    static const char *const lies[] = {
        "",
        "[]",
        "null",
        "5",
        "{}",
        "{\"uuid\": 5, \"name\": \"x\"}",
        "{\"resource_providers\": {}}",
        "{\"resource_providers\": [5]}",
        "{\"inventories\": [], \"resource_provider_generation\": 1}",
        "{\"inventories\": {\"VCPU\": 5}, \"resource_provider_generation\": 1}",
        "{\"inventories\": {\"VCPU\": {\"total\": \"8\"}}, \"resource_provider_generation\": 1}",
        "{\"traits\": [5], \"resource_provider_generation\": 1}",
        "{\"traits\": {}, \"resource_provider_generation\": \"x\"}",
        "{\"allocations\": {\"p\": 5}}",
        "{\"allocations\": {\"p\": {\"resources\": {\"VCPU\": \"many\"}}}}",
        "{\"allocations\": []}",
        "{\"allocations\": {\"p\": {\"resources\": {\"VCPU\": 1}}}, \"consumer_generation\": {}}",
    };
    FakeCloud cloud = {0};
    cloud.server = fake_http_new(liar, &cloud);
    g_autoptr(PlacementClient) client = fake_cloud_placement(&cloud);
    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        lie = lies[i];
        for (int call = 0; call < 5; call++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(PlacementProvider) provider = NULL;
            g_autoptr(GPtrArray) list = NULL;
            g_autoptr(GHashTable) table = NULL;
            g_auto(GStrv) names = NULL;
            g_autoptr(PlacementAllocations) allocations = NULL;
            gint64 generation = 7;
            bool ok = call == 0   ? placement_get_provider(client, NULL, PROVIDER, &provider, &error)
                      : call == 1 ? placement_list_tree(client, NULL, PROVIDER, &list, &error)
                      : call == 2 ? placement_get_inventories(client, NULL, PROVIDER, &table, &generation, &error)
                      : call == 3 ? placement_get_traits(client, NULL, PROVIDER, &names, &generation, &error)
                                  : placement_get_allocations(client, NULL, CONSUMER, &allocations, &error);
            g_assert_false(ok);
            g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
        }
    }
    fake_http_free(cloud.server);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/rest/placement/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("providers", test_providers);
    ADD("inventories", test_inventories);
    ADD("traits", test_traits);
    ADD("aggregates", test_aggregates);
    ADD("allocations", test_allocations);
#undef ADD
    g_test_add_func("/rest/placement/lies", test_lies);
    return g_test_run();
}
