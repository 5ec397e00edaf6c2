/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/fake_cloud.h"

#include "base/time.h"

#include <string.h>

static void provider_free(FakeProvider *provider)
{
    g_free(provider->name);
    g_free(provider->parent);
    g_hash_table_unref(provider->inventories);
    g_hash_table_unref(provider->traits);
    g_hash_table_unref(provider->aggregates);
    g_free(provider);
}

static void consumer_free(FakeConsumer *consumer)
{
    g_free(consumer->project_id);
    g_free(consumer->user_id);
    g_ptr_array_unref(consumer->amounts);
    g_free(consumer);
}

static void amount_free(FakeAmount *amount)
{
    g_free(amount->provider);
    g_free(amount->resource_class);
    g_free(amount);
}

static GHashTable *new_set(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

FakeProvider *fake_cloud_add_provider(FakeCloud *cloud, const char *uuid, const char *name)
{
    FakeProvider *provider = g_new0(FakeProvider, 1);
    provider->name = g_strdup(name);
    provider->inventories = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    provider->traits = new_set();
    provider->aggregates = new_set();
    g_hash_table_replace(cloud->providers, g_strdup(uuid), provider);
    return provider;
}

void fake_cloud_allocate(FakeCloud *cloud, const char *consumer_uuid, const char *provider, const char *resource_class, gint64 amount)
{
    FakeConsumer *consumer = g_hash_table_lookup(cloud->consumers, consumer_uuid);
    if (consumer == NULL) {
        consumer = g_new0(FakeConsumer, 1);
        consumer->generation = 1;
        consumer->project_id = g_strdup("project");
        consumer->user_id = g_strdup("user");
        consumer->amounts = g_ptr_array_new_with_free_func((GDestroyNotify)amount_free);
        g_hash_table_replace(cloud->consumers, g_strdup(consumer_uuid), consumer);
    }
    FakeAmount *entry = g_new0(FakeAmount, 1);
    *entry = (FakeAmount){g_strdup(provider), g_strdup(resource_class), amount};
    g_ptr_array_add(consumer->amounts, entry);
}

static void add_catalog_entry(NdJson *catalog, const char *type, const char *name, const char *url)
{
    static const char *const interfaces[] = {"admin", "public", "internal"};
    NdJson *service = json_object_new_object();
    NdJson *endpoints = json_object_new_array();
    nd_json_set_string(service, "type", type);
    nd_json_set_string(service, "name", name);
    for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++) {
        NdJson *endpoint = json_object_new_object();
        nd_json_set_string(endpoint, "interface", interfaces[i]);
        nd_json_set_string(endpoint, "region_id", "RegionOne");
        nd_json_set_string(endpoint, "url", url);
        json_object_array_add(endpoints, endpoint);
    }
    nd_json_set(service, "endpoints", endpoints);
    json_object_array_add(catalog, service);
}

static void answer_login(FakeCloud *cloud, const FakeHttpRequest *request)
{
    json_object_put(cloud->last_login);
    cloud->last_login = fake_http_body_json(request);
    if (cloud->refuse_login) {
        fake_http_answer(request, 401, NULL,
                         "{\"error\": {\"code\": 401, \"message\": \"The request you have made requires authentication.\"}}");
        return;
    }
    g_autofree char *header = g_strdup_printf("X-Subject-Token: token-%d\r\n", ++cloud->tokens_given);
    if (cloud->token_answer != NULL) {
        fake_http_answer(request, 201, header, cloud->token_answer);
        return;
    }
    g_autofree char *placement = g_strconcat(fake_http_url(cloud->server), "/placement", NULL);
    g_autofree char *image = g_strconcat(fake_http_url(cloud->server), "/image", NULL);
    g_autofree char *network = g_strconcat(fake_http_url(cloud->server), "/network/", NULL);
    g_autofree char *issued = nd_time_format_argument(nd_time_now());
    g_autofree char *expires = nd_time_format_argument(nd_time_now() + (gint64)cloud->token_life_s * G_USEC_PER_SEC);
    g_autofree char *issued_z = g_strconcat(issued, "Z", NULL);
    g_autofree char *expires_z = g_strconcat(expires, "Z", NULL);
    g_autoptr(NdJson) body = json_object_new_object();
    NdJson *token = json_object_new_object();
    NdJson *project = json_object_new_object();
    NdJson *catalog = json_object_new_array();
    nd_json_set_string(project, "id", "service-project-id");
    nd_json_set(token, "project", project);
    nd_json_set_string(token, "issued_at", issued_z);
    nd_json_set_string(token, "expires_at", expires_z);
    add_catalog_entry(catalog, "placement", "placement", placement);
    add_catalog_entry(catalog, "image", "glance", image);
    add_catalog_entry(catalog, "network", "neutron", network);
    nd_json_set(token, "catalog", catalog);
    nd_json_set(body, "token", token);
    g_autofree char *text = nd_json_to_string(body);
    fake_http_answer(request, 201, header, text);
}

static bool token_is_good(FakeCloud *cloud, const FakeHttpRequest *request)
{
    const char *token = fake_http_header(request, "x-auth-token");
    g_autofree char *valid = g_strdup_printf("token-%d", cloud->tokens_given);
    g_free(cloud->last_token);
    g_free(cloud->last_service_token);
    g_free(cloud->last_request_id);
    cloud->last_token = g_strdup(token);
    cloud->last_service_token = g_strdup(fake_http_header(request, "x-service-token"));
    cloud->last_request_id = g_strdup(fake_http_header(request, "x-openstack-request-id"));
    if (cloud->refuse_tokens_once) {
        cloud->refuse_tokens_once = false;
        return false;
    }
    return g_strcmp0(token, valid) == 0 || g_strcmp0(token, "user-token") == 0;
}

static void answer_canned(FakeCloud *cloud, const FakeHttpRequest *request)
{
    g_autofree char *key = g_strdup_printf("%s %s", request->method, request->target);
    g_ptr_array_add(cloud->requests, g_strdup(key));
    json_object_put(cloud->last_body);
    cloud->last_body = fake_http_body_json(request);
    g_free(cloud->last_bytes);
    cloud->last_bytes = g_strdup(request->body);
    g_free(cloud->last_type);
    cloud->last_type = g_strdup(fake_http_header(request, "content-type"));
    const char *body = g_hash_table_lookup(cloud->canned, key);
    if (body == NULL)
        fake_http_answer(request, 404, NULL, "{\"NeutronError\": {\"type\": \"NotFound\", \"message\": \"no canned answer\"}}");
    else if (strlen(body) == 3 && g_ascii_isdigit(body[0]))
        fake_http_answer(request, (int)g_ascii_strtoll(body, NULL, 10), NULL, "");
    else
        fake_http_answer(request, g_str_equal(request->method, "POST") ? 201 : 200, "Content-Type: application/json\r\n", body);
}

static void handle(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    FakeCloud *cloud = user_data;
    g_mutex_lock(&cloud->lock);
    if (g_str_equal(request->path, "/identity/v3/auth/tokens"))
        answer_login(cloud, request);
    else if (!token_is_good(cloud, request))
        fake_http_answer(request, 401, NULL, "{\"error\": {\"message\": \"Authentication required\"}}");
    else if (g_str_has_prefix(request->path, "/placement/"))
        fake_placement_handle(cloud, request, request->path + strlen("/placement"));
    else
        answer_canned(cloud, request);
    g_mutex_unlock(&cloud->lock);
}

FakeCloud *fake_cloud_new(void)
{
    FakeCloud *cloud = g_new0(FakeCloud, 1);
    g_mutex_init(&cloud->lock);
    cloud->token_life_s = 3600;
    cloud->providers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)provider_free);
    cloud->consumers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)consumer_free);
    cloud->traits = new_set();
    cloud->log = g_ptr_array_new_with_free_func(g_free);
    cloud->canned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    cloud->requests = g_ptr_array_new_with_free_func(g_free);
    cloud->server = fake_http_new(handle, cloud);
    return cloud;
}

void fake_cloud_free(FakeCloud *cloud)
{
    if (cloud == NULL)
        return;
    fake_http_free(cloud->server);
    g_hash_table_unref(cloud->providers);
    g_hash_table_unref(cloud->consumers);
    g_hash_table_unref(cloud->traits);
    g_ptr_array_unref(cloud->log);
    g_hash_table_unref(cloud->canned);
    g_ptr_array_unref(cloud->requests);
    g_free(cloud->last_token);
    g_free(cloud->last_service_token);
    g_free(cloud->last_request_id);
    g_free(cloud->token_answer);
    json_object_put(cloud->last_login);
    json_object_put(cloud->last_body);
    g_free(cloud->last_bytes);
    g_free(cloud->last_type);
    g_mutex_clear(&cloud->lock);
    g_free(cloud);
}

void fake_cloud_can(FakeCloud *cloud, const char *request, const char *body)
{
    g_hash_table_replace(cloud->canned, g_strdup(request), g_strdup(body));
}

int fake_cloud_count(FakeCloud *cloud, const char *prefix)
{
    int count = 0;
    for (guint i = 0; i < cloud->log->len; i++)
        count += g_str_has_prefix(cloud->log->pdata[i], prefix);
    return count;
}

void fake_cloud_clear_log(FakeCloud *cloud)
{
    g_ptr_array_set_size(cloud->log, 0);
}

RestSession *fake_cloud_session(void)
{
    static const RestSessionOptions options = {0};
    g_autoptr(GError) error = NULL;
    RestSession *session = rest_session_new(&options, &error);
    g_assert_no_error(error);
    return session;
}

KeystoneAuth *fake_cloud_keystone(FakeCloud *cloud, RestSession *session)
{
    g_autofree char *url = g_strconcat(fake_http_url(cloud->server), "/identity", NULL);
    static char user[] = "nova", password[] = "secret", project[] = "service", domain[] = "Default";
    KeystoneOptions options = {
        .method = KEYSTONE_METHOD_PASSWORD,
        .auth_url = url,
        .username = user,
        .password = password,
        .user_domain_name = domain,
        .project_name = project,
        .project_domain_name = domain,
    };
    g_autoptr(GError) error = NULL;
    KeystoneAuth *auth = keystone_auth_new(session, &options, &error);
    g_assert_no_error(error);
    return auth;
}

PlacementClient *fake_cloud_placement(FakeCloud *cloud)
{
    g_autoptr(RestSession) session = fake_cloud_session();
    g_autoptr(KeystoneAuth) own = fake_cloud_keystone(cloud, session);
    RestServiceOptions options = {.service_type = "placement", .microversion_service = "placement"};
    g_autoptr(RestService) service = rest_service_new(session, own, &options);
    return placement_client_new(service);
}
