/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/vendor_data.h"
#include "rest/error.h"
#include "rest/from_config.h"
#include "tests/unit/fake_cloud.h"

#include <glib/gstdio.h>
#include <string.h>

/* Vendor data from a file and from services (upstream's vendordata_json.py, vendordata_dynamic.py). The services and Keystone are one fake server. */

typedef struct {
    FakeCloud *cloud;
    NovaInstance *instance;
    char *file;
    NdConfig *config;
    VendorDataClient *client;
} World;

#define AUTH "[vendordata_dynamic_auth]\nauth_type = password\nauth_url = URL/identity\nusername = nova\npassword = secret\nproject_name = service\n" \
             "user_domain_name = Default\nproject_domain_name = Default\n"

/* URL and FILE in the text of nova.conf are put in. */
static void world_configure(World *world, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) by_url = g_strsplit(text, "URL", -1);
    g_autofree char *with_url = g_strjoinv(fake_http_url(world->cloud->server), by_url);
    g_auto(GStrv) by_file = g_strsplit(with_url, "FILE", -1);
    g_autofree char *whole = g_strjoinv(world->file, by_file);
    g_clear_pointer(&world->client, vendor_data_client_free);
    g_clear_pointer(&world->config, nd_config_free);
    world->config = nd_config_new_from_text(whole, &error);
    g_assert_no_error(error);
    g_assert_true(vendor_data_client_from_config(world->config, &world->client, &error));
}

static void set_up(World *world, gconstpointer data)
{
    (void)data;
    world->cloud = fake_cloud_new();
    g_autofree char *folder = g_dir_make_tmp("novad-vendor-XXXXXX", NULL);
    world->file = g_build_filename(folder, "vendor.json", NULL);
    world->instance = nova_instance_new();
    nova_instance_set_uuid(world->instance, "4e474c8a-97c4-4d7d-a896-e3598b557d17");
    nova_instance_set_project_id(world->instance, "p1");
    nova_instance_set_image_ref(world->instance, "i1");
    nova_instance_set_hostname(world->instance, "host");
    nova_object_dict_set(world->instance, NOVA_INSTANCE_METADATA, "a", "b");
    nova_object_dict_set(world->instance, NOVA_INSTANCE_SYSTEM_METADATA, "boot_roles", "member,reader");
}

static void tear_down(World *world, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = g_path_get_dirname(world->file);
    g_remove(world->file);
    g_rmdir(folder);
    g_free(world->file);
    g_clear_pointer(&world->client, vendor_data_client_free);
    g_clear_pointer(&world->config, nd_config_free);
    nova_instance_unref(world->instance);
    fake_cloud_free(world->cloud);
}

/* The vendor_data2.json that comes of it. */
static void assert_all(World *world, const char *expected)
{
    g_auto(AgentVendorData) data = {0};
    g_autoptr(GError) error = NULL;
    g_assert_true(agent_vendor_data_collect(world->config, world->client, world->instance, &data, &error));
    g_assert_no_error(error);
    g_autofree char *text = nd_json_to_string(data.all);
    g_assert_cmpstr(text, ==, expected);
}

static void test_static(World *world, gconstpointer data)
{
    (void)data;
    world_configure(world, "[api]\nvendordata_jsonfile_path = FILE\n");
    g_assert_false(agent_vendor_data_is_dynamic(world->config));
    assert_all(world, "{\"static\":{}}"); /* no file */
    g_assert_true(g_file_set_contents(world->file, "{\"x\": [1]}", -1, NULL));
    assert_all(world, "{\"static\":{\"x\":[1]}}");
    world_configure(world, "[api]\nvendordata_providers =\n");
    assert_all(world, "{}");
}

/* One service with a token: what it is told, and what becomes of its answer. */
static void test_dynamic(World *world, gconstpointer data)
{
    (void)data;
    world_configure(world, "[api]\nvendordata_providers = StaticJSON,DynamicJSON\nvendordata_dynamic_targets = one@URL/vendor/one\n" AUTH);
    g_assert_true(agent_vendor_data_is_dynamic(world->config) && vendor_data_client_has_auth(world->client));
    fake_cloud_can(world->cloud, "POST /vendor/one", "{\"key\": \"value\"}");
    assert_all(world, "{\"static\":{},\"one\":{\"key\":\"value\"}}");
    g_assert_cmpstr(world->cloud->last_token, ==, "token-1");
    g_autofree char *body = nd_json_to_string(world->cloud->last_body);
    g_assert_cmpstr(body, ==,
                    "{\"project-id\":\"p1\",\"instance-id\":\"4e474c8a-97c4-4d7d-a896-e3598b557d17\",\"image-id\":\"i1\",\"user-data\":null,"
                    "\"hostname\":\"host\",\"metadata\":{\"a\":\"b\"},\"boot-roles\":\"member,reader\"}");
    /* A token that is no longer good is renewed. */
    world->cloud->refuse_tokens_once = true;
    assert_all(world, "{\"static\":{},\"one\":{\"key\":\"value\"}}");
    g_assert_cmpstr(world->cloud->last_token, ==, "token-2");
}

/* Targets without name, of the same name, that fail, and a name that the static data has. */
static void test_targets(World *world, gconstpointer data)
{
    (void)data;
    world_configure(world, "[api]\nvendordata_providers = StaticJSON, DynamicJSON\n"
                           "vendordata_dynamic_targets = URL/nameless, one@URL/vendor/one, one@URL/vendor/two, static@URL/vendor/two, three@URL/v@three, "
                           "gone@URL/nothing, broken@URL/broken, empty@URL/empty\n" AUTH);
    fake_cloud_can(world->cloud, "POST /vendor/one", "[1]");
    fake_cloud_can(world->cloud, "POST /vendor/two", "2");
    fake_cloud_can(world->cloud, "POST /v@three", "3");
    fake_cloud_can(world->cloud, "POST /broken", "{");
    fake_cloud_can(world->cloud, "POST /empty", "");
    assert_all(world, "{\"static\":{},\"one\":[1],\"three\":3,\"gone\":{},\"broken\":{},\"empty\":{}}");
    for (guint i = 0; i < world->cloud->requests->len; i++)
        g_assert_cmpstr(world->cloud->requests->pdata[i], !=, "POST /nameless");
}

static void test_failures(World *world, gconstpointer data)
{
    (void)data;
    static const struct {
        const char *target;
        bool refuse_login;
        RestError code;
    } cases[] = {
        {"one@URL/500", false, REST_ERROR_SERVICE},
        {"one@URL/nothing", false, REST_ERROR_NOT_FOUND},
        {"one@http://127.0.0.1:1/", false, REST_ERROR_CONNECT},
        {"one@URL/broken", false, REST_ERROR_BAD_ANSWER},
        {"one@URL/vendor/one", true, REST_ERROR_AUTH},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *fatal = g_strdup_printf(
            "[api]\nvendordata_providers = DynamicJSON\nvendordata_dynamic_failure_fatal = true\nvendordata_dynamic_targets = %s\n" AUTH, cases[i].target);
        g_auto(AgentVendorData) found = {0};
        g_autoptr(GError) error = NULL;
        fake_cloud_can(world->cloud, "POST /500", "500");
        fake_cloud_can(world->cloud, "POST /broken", "{");
        world_configure(world, fatal);
        world->cloud->refuse_login = cases[i].refuse_login;
        g_assert_false(agent_vendor_data_collect(world->config, world->client, world->instance, &found, &error));
        g_assert_error(error, REST_ERROR, (int)cases[i].code);
        g_assert_nonnull(strstr(error->message, "vendordata service 'one'"));
        g_assert_false(found.is_static);
    }
}

/* Without credentials the services are asked without a token. */
static void test_without_auth(World *world, gconstpointer data)
{
    (void)data;
    world_configure(world, "[api]\nvendordata_providers = DynamicJSON\nvendordata_dynamic_targets = one@URL/vendor/one\n");
    g_assert_false(vendor_data_client_has_auth(world->client));
    assert_all(world, "{\"one\":{}}"); /* this one wants a token: 401, once */
    g_assert_null(world->cloud->last_token);
}

static void hang(FakeHttp *server, const FakeHttpRequest *request, void *data)
{
    (void)request;
    (void)data;
    while (fake_http_running(server))
        g_usleep(10 * 1000);
}

/* A service that does not answer costs no more than its timeouts. */
static void test_timeout(World *world, gconstpointer data)
{
    (void)data;
    g_autoptr(FakeHttp) server = fake_http_new(hang, NULL);
    g_autofree char *text = g_strdup_printf("[api]\nvendordata_providers = DynamicJSON\nvendordata_dynamic_connect_timeout = 3\n"
                                            "vendordata_dynamic_read_timeout = 0\nvendordata_dynamic_targets = one@%s/\n",
                                            fake_http_url(server));
    world_configure(world, text);
    gint64 start = g_get_monotonic_time();
    assert_all(world, "{\"one\":{}}");
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
}

static void test_bad_options(World *world, gconstpointer data)
{
    (void)data;
    static const char *const bad[] = {"[api]\nvendordata_dynamic_ssl_certfile = /nonexistent\n", "[vendordata_dynamic_auth]\nauth_type = v2password\n",
                                      "[vendordata_dynamic_auth]\ncafile = /nonexistent\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NdConfig) config = nd_config_new_from_text(bad[i], NULL);
        g_autoptr(VendorDataClient) client = NULL;
        g_assert_false(vendor_data_client_from_config(config, &client, &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_CONFIG);
    }
    (void)world;
}

static void add(const char *name, void (*test)(World *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/vendor-data/", name, NULL);
    g_test_add(path, World, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("static", test_static);
    add("dynamic", test_dynamic);
    add("targets", test_targets);
    add("failures", test_failures);
    add("without-auth", test_without_auth);
    add("timeout", test_timeout);
    add("bad-options", test_bad_options);
    return g_test_run();
}
