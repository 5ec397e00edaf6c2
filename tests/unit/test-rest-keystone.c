/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/discovery.h"
#include "rest/error.h"
#include "rest/keystone.h"
#include "rest/service.h"
#include "tests/unit/fake_cloud.h"

#include <string.h>

static NdJson *parse(const char *text)
{
    NdJson *value = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(nd_json_parse(text, strlen(text), NULL, &value, &error));
    return value;
}

/* What is sent for each kind of credentials and scope. */
static void test_requests(void)
{
    static char user[] = "u", password[] = "p", project[] = "pr", domain[] = "d", id[] = "i", all[] = "all", empty[] = "";
    static const struct {
        KeystoneOptions options;
        const char *expected;
    } cases[] = {
        {{.username = user, .password = password, .user_domain_name = domain, .project_name = project, .project_domain_id = id},
         "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"name\": \"u\", \"domain\": {\"name\": "
         "\"d\"}, "
         "\"password\": \"p\"}}}, \"scope\": {\"project\": {\"name\": \"pr\", \"domain\": {\"id\": \"i\"}}}}}"},
        {{.user_id = id, .username = user, .password = password, .project_id = id, .project_name = project},
         "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"id\": \"i\", \"password\": \"p\"}}}, "
         "\"scope\": {\"project\": {\"id\": \"i\"}}}}"},
        {{.username = user, .password = password, .default_domain_id = id, .project_name = project, .system_scope = empty},
         "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"name\": \"u\", \"domain\": {\"id\": \"i\"}, "
         "\"password\": \"p\"}}}, \"scope\": {\"project\": {\"name\": \"pr\", \"domain\": {\"id\": \"i\"}}}}}"},
        {{.user_id = id, .password = password, .domain_name = domain},
         "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"id\": \"i\", \"password\": \"p\"}}}, "
         "\"scope\": {\"domain\": {\"name\": \"d\"}}}}"},
        {{.user_id = id, .password = password, .system_scope = all},
         "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"id\": \"i\", \"password\": \"p\"}}}, "
         "\"scope\": {\"system\": {\"all\": true}}}}"},
        {{.user_id = id, .password = password},
         "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"id\": \"i\", \"password\": \"p\"}}}}}"},
        {{.method = KEYSTONE_METHOD_APPLICATION_CREDENTIAL, .application_credential_id = id, .application_credential_secret = password},
         "{\"auth\": {\"identity\": {\"methods\": [\"application_credential\"], \"application_credential\": {\"id\": \"i\", \"secret\": "
         "\"p\"}}}}"},
        {{.method = KEYSTONE_METHOD_APPLICATION_CREDENTIAL,
          .application_credential_name = id,
          .application_credential_secret = password,
          .username = user,
          .user_domain_name = domain},
         "{\"auth\": {\"identity\": {\"methods\": [\"application_credential\"], \"application_credential\": {\"name\": \"i\", \"secret\": "
         "\"p\", "
         "\"user\": {\"name\": \"u\", \"domain\": {\"name\": \"d\"}}}}}}"},
    };
    static const char *const suffixes[] = {"/identity", "/identity/", "/identity/v3", "/identity/v3/"};
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(RestSession) session = fake_cloud_session();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = g_strconcat(fake_http_url(cloud->server), suffixes[i % G_N_ELEMENTS(suffixes)], NULL);
        KeystoneOptions options = cases[i].options;
        options.auth_url = url;
        g_autoptr(GError) error = NULL;
        g_autofree char *token = NULL;
        g_autoptr(KeystoneAuth) auth = keystone_auth_new(session, &options, &error);
        g_assert_no_error(error);
        keystone_auth_token(auth, &token, &error);
        g_assert_no_error(error);
        g_autoptr(NdJson) expected = parse(cases[i].expected);
        g_assert_true(nd_json_equal(cloud->last_login, expected));
    }
}

static void test_bad_options(void)
{
    static char url[] = "http://127.0.0.1/", url2[] = "http://127.0.0.1/v2.0", user[] = "u", password[] = "p", id[] = "i", all[] = "all";
    static const KeystoneOptions cases[] = {
        {.username = user, .password = password},
        {.auth_url = url2, .username = user, .password = password},
        {.auth_url = url, .password = password},
        {.auth_url = url, .username = user},
        {.auth_url = url, .username = user, .password = password, .project_id = id, .system_scope = all},
        {.auth_url = url, .method = KEYSTONE_METHOD_APPLICATION_CREDENTIAL, .application_credential_id = id},
        {.auth_url = url, .method = KEYSTONE_METHOD_APPLICATION_CREDENTIAL, .application_credential_secret = password},
    };
    g_autoptr(RestSession) session = fake_cloud_session();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(keystone_auth_new(session, &cases[i], &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_CONFIG);
    }
}

static void test_cache(void)
{
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(RestSession) session = fake_cloud_session();
    g_autoptr(KeystoneAuth) auth = fake_cloud_keystone(cloud, session);
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL, *second = NULL, *third = NULL, *project = NULL;
    g_assert_true(keystone_auth_token(auth, &first, &error));
    g_assert_true(keystone_auth_token(auth, &second, &error));
    g_assert_cmpstr(first, ==, "token-1");
    g_assert_cmpstr(second, ==, "token-1");
    g_assert_true(keystone_auth_project_id(auth, &project, &error));
    g_assert_cmpstr(project, ==, "service-project-id");
    keystone_auth_invalidate(auth, "another");
    g_assert_cmpint(cloud->tokens_given, ==, 1);
    keystone_auth_invalidate(auth, "token-1");
    cloud->token_life_s = 2; /* renewed after the first of its two seconds */
    g_assert_true(keystone_auth_token(auth, &third, &error));
    g_assert_cmpstr(third, ==, "token-2");
    g_usleep(1200 * 1000);
    g_free(third);
    g_assert_true(keystone_auth_token(auth, &third, &error));
    g_assert_cmpstr(third, ==, "token-3");
}

static void *take_token(void *auth)
{
    char *token = NULL;
    g_assert_true(keystone_auth_token(auth, &token, NULL));
    return token;
}

/* Threads that need a token at the same time make one request. */
static void test_threads(void)
{
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(RestSession) session = fake_cloud_session();
    g_autoptr(KeystoneAuth) auth = fake_cloud_keystone(cloud, session);
    GThread *threads[8];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("token", take_token, auth);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autofree char *token = g_thread_join(threads[i]);
        g_assert_cmpstr(token, ==, "token-1");
    }
    g_assert_cmpint(cloud->tokens_given, ==, 1);
}

static void test_refused(void)
{
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(RestSession) session = fake_cloud_session();
    g_autoptr(KeystoneAuth) auth = fake_cloud_keystone(cloud, session);
    g_autoptr(GError) error = NULL;
    g_autofree char *token = NULL;
    cloud->refuse_login = true;
    g_assert_false(keystone_auth_token(auth, &token, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_AUTH);
    g_assert_cmpint(rest_error_status(error), ==, 401);
    g_assert_null(strstr(error->message, "secret"));
    cloud->refuse_login = false;
    g_clear_error(&error);
    g_assert_true(keystone_auth_token(auth, &token, &error));
}

static void test_bad_answers(void)
{
    static const char *const answers[] = {
        "",
        "[]",
        "{}",
        "{\"token\": []}",
        "{\"token\": {\"expires_at\": 5}}",
        "{\"token\": {\"expires_at\": \"soon\"}}",
        "{\"token\": {\"expires_at\": \"2000-01-01T00:00:00.000000Z\"}}",
        "{\"token\": {\"expires_at\": \"2100-01-01T00:00:00.000000Z\", \"issued_at\": {}}}",
    };
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(RestSession) session = fake_cloud_session();
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(KeystoneAuth) auth = fake_cloud_keystone(cloud, session);
        g_autoptr(GError) error = NULL;
        g_autofree char *token = NULL;
        g_free(cloud->token_answer);
        cloud->token_answer = g_strdup(answers[i]);
        g_assert_false(keystone_auth_token(auth, &token, &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
    }
}

static void test_catalog(void)
{
    g_autoptr(NdJson) v3 = parse("[{\"type\": \"network\", \"name\": \"neutron\", \"endpoints\": ["
                                 "{\"interface\": \"public\", \"region\": \"A\", \"region_id\": \"A\", \"url\": \"http://public-a\"},"
                                 "{\"interface\": \"internal\", \"region_id\": \"B\", \"url\": \"http://internal-b\"}]},"
                                 "{\"type\": \"volumev3\", \"endpoints\": [{\"interface\": \"public\", \"url\": \"http://volume\"}]},"
                                 "7, {\"type\": 5}, {\"type\": \"network\", \"endpoints\": {}}]");
    g_autoptr(NdJson) nova =
        parse("[{\"type\": \"network\", \"name\": \"neutron\", \"endpoints\": [{\"region\": \"A\", \"internalURL\": \"http://i\", "
              "\"publicURL\": \"http://p\"}]}]");
    static const char *const public_first[] = {"public", "internal", NULL};
    static const char *const old_style[] = {"publicURL", NULL};
    static const char *const admin[] = {"admin", NULL};
    static const struct {
        bool nova;
        KeystoneEndpointFilter filter;
        const char *expected;
    } cases[] = {
        {false, {"network", NULL, NULL, NULL}, "http://internal-b"},
        {false, {"network", NULL, NULL, "A"}, "http://public-a"},
        {false, {"network", NULL, public_first, NULL}, "http://public-a"},
        {false, {"network", NULL, old_style, NULL}, "http://public-a"},
        {false, {"network", NULL, admin, NULL}, NULL},
        {false, {"network", NULL, NULL, "C"}, NULL},
        {false, {"network", "other", NULL, NULL}, NULL},
        {false, {"block-storage", NULL, NULL, NULL}, "http://volume"},
        {false, {"image", NULL, NULL, NULL}, NULL},
        {true, {"network", NULL, NULL, NULL}, "http://i"},
        {true, {"network", "neutron", public_first, "A"}, "http://p"},
        {true, {"network", NULL, admin, NULL}, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = keystone_catalog_find(cases[i].nova ? nova : v3, &cases[i].filter);
        g_assert_cmpstr(url, ==, cases[i].expected);
    }
    g_autofree char *none = keystone_catalog_find(NULL, &cases[0].filter);
    g_assert_null(none);
}

static RestService *new_service(FakeCloud *cloud, RestSession *session, RestServiceOptions options)
{
    g_autoptr(KeystoneAuth) own = cloud != NULL ? fake_cloud_keystone(cloud, session) : NULL;
    return rest_service_new(session, own, &options);
}

static void test_renewal_on_401(void)
{
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(RestSession) session = fake_cloud_session();
    g_autoptr(RestService) service = new_service(cloud, session, (RestServiceOptions){.service_type = "network"});
    g_autoptr(GError) error = NULL;
    fake_cloud_can(cloud, "GET /network/x", "{}");
    RestCall call = {.method = "GET", .path = "/x"};
    g_assert_true(rest_service_call(service, NULL, &call, NULL, &error));
    cloud->refuse_tokens_once = true;
    g_assert_true(rest_service_call(service, NULL, &call, NULL, &error));
    g_assert_cmpint(cloud->tokens_given, ==, 2);
    /* A user's token cannot be renewed; the service token can. */
    g_autoptr(RestAuth) user = rest_auth_new_user("user-token", NULL, NULL, "req-7");
    cloud->refuse_tokens_once = true;
    g_assert_false(rest_service_call(service, user, &call, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_AUTH);
    g_clear_error(&error);
    g_autoptr(KeystoneAuth) service_user = fake_cloud_keystone(cloud, session);
    g_autoptr(RestAuth) with_service = rest_auth_new_user("user-token", NULL, service_user, "req-8");
    cloud->refuse_tokens_once = true;
    g_assert_true(rest_service_call(service, with_service, &call, NULL, &error));
    g_assert_cmpstr(cloud->last_token, ==, "user-token");
    g_assert_cmpstr(cloud->last_service_token, ==, "token-4");
    g_assert_cmpstr(cloud->last_request_id, ==, "req-8");
}

static void test_endpoints(void)
{
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(RestSession) session = fake_cloud_session();
    g_autofree char *base = g_strdup(fake_http_url(cloud->server));
    g_autofree char *versioned = g_strconcat(base, "/direct/v1/", NULL);
    g_autofree char *catalog = g_strdup_printf("[{\"type\": \"network\", \"endpoints\": [{\"publicURL\": \"%s/users\"}]}]", base);
    const char *const direct[] = {versioned, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(RestAuth) user = rest_auth_new_user("user-token", catalog, NULL, NULL);
    fake_cloud_can(cloud, "GET /direct/v2.0/x", "{}");
    fake_cloud_can(cloud, "GET /direct/v1/x", "{}");
    fake_cloud_can(cloud, "GET /network/v2.0/x", "{}");
    fake_cloud_can(cloud, "GET /users/v2.0/x", "{}");
    static const struct {
        bool credentials, with_direct, as_user;
        const char *version_path, *expected; /* NULL = no endpoint */
    } cases[] = {
        {true, true, false, "/v2.0", "GET /direct/v2.0/x"},   {true, true, false, NULL, "GET /direct/v1/x"},
        {true, false, false, "/v2.0", "GET /network/v2.0/x"}, {true, false, true, "/v2.0", "GET /users/v2.0/x"},
        {false, false, true, "/v2.0", "GET /users/v2.0/x"},
    };
    RestCall call = {.method = "GET", .path = "/x"};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        RestServiceOptions options = {
            .service_type = "network", .urls = cases[i].with_direct ? direct : NULL, .version_path = cases[i].version_path};
        g_autoptr(RestService) service = new_service(cases[i].credentials ? cloud : NULL, session, options);
        g_assert_true(rest_service_call(service, cases[i].as_user ? user : NULL, &call, NULL, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(cloud->requests->pdata[cloud->requests->len - 1], ==, cases[i].expected);
    }
    g_autoptr(RestService) none = new_service(NULL, session, (RestServiceOptions){.service_type = "image"});
    g_assert_false(rest_service_call(none, user, &call, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NO_ENDPOINT);
    g_clear_error(&error);
    g_assert_false(rest_service_call(none, NULL, &call, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_AUTH);
    g_clear_error(&error);
    g_autoptr(RestService) other = new_service(cloud, session, (RestServiceOptions){.service_type = "network", .region_name = "Nowhere"});
    g_assert_false(rest_service_call(other, NULL, &call, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NO_ENDPOINT);
}

static void test_discovery(void)
{
    static const char document[] =
        "{\"versions\": [{\"id\": \"v2.0\", \"status\": \"SUPPORTED\", \"links\": [{\"rel\": \"self\", \"href\": "
        "\"http://wrong.example/v2/\"}]},"
        "{\"id\": \"v2.9\", \"status\": \"CURRENT\", \"links\": [{\"rel\": \"self\", \"href\": \"http://wrong.example/v2/\"}]},"
        "{\"id\": \"v3.0\", \"status\": \"EXPERIMENTAL\", \"links\": [{\"rel\": \"self\", \"href\": \"http://wrong.example/v3/\"}]},"
        "{\"id\": \"v1.0\", \"status\": \"SUPPORTED\", \"links\": [{\"rel\": \"self\", \"href\": \"http://wrong.example/v1/\"}]}, 7, {}]}";
    static const struct {
        const char *min, *max, *expected;
    } cases[] = {{"2", NULL, "GET /network/v2/x"},         {NULL, "1", "GET /network/v1/x"},
                 {"2.1", "2.latest", "GET /network/v2/x"}, {"3", "latest", NULL},
                 {"2", "2.0", "GET /network/v2/x"},        {"x", NULL, NULL}};
    g_autoptr(RestSession) session = fake_cloud_session();
    RestCall call = {.method = "GET", .path = "/x"};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeCloud) cloud = fake_cloud_new();
        g_autoptr(GError) error = NULL;
        fake_cloud_can(cloud, "GET /network/", document);
        fake_cloud_can(cloud, "GET /network/v2/x", "{}");
        fake_cloud_can(cloud, "GET /network/v1/x", "{}");
        g_autoptr(RestService) service = new_service(
            cloud, session, (RestServiceOptions){.service_type = "network", .min_version = cases[i].min, .max_version = cases[i].max});
        bool ok = rest_service_call(service, NULL, &call, NULL, &error);
        if (cases[i].expected != NULL)
            g_assert_no_error(error);
        g_assert_true(ok == (cases[i].expected != NULL));
        if (!ok) {
            g_assert_true(g_error_matches(error, REST_ERROR, REST_ERROR_NO_ENDPOINT) ||
                          g_error_matches(error, REST_ERROR, REST_ERROR_CONFIG));
            continue;
        }
        g_assert_cmpstr(cloud->requests->pdata[1], ==, cases[i].expected);
        g_assert_true(rest_service_call(service, NULL, &call, NULL, &error));
        g_assert_cmpuint(cloud->requests->len, ==, 3); /* asked for versions once */
    }
}

static void test_paths(void)
{
    g_autofree char *path = rest_path("ports", "a/b?c d%", NULL);
    g_assert_cmpstr(path, ==, "/ports/a%2Fb%3Fc%20d%25");
    g_autofree char *bare = rest_url_without_version("http://h:1/image/v2.1/");
    g_assert_cmpstr(bare, ==, "http://h:1/image");
    g_autofree char *same = rest_url_without_version("http://h:1/video/vx");
    g_assert_cmpstr(same, ==, "http://h:1/video/vx");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rest/keystone/requests", test_requests);
    g_test_add_func("/rest/keystone/bad-options", test_bad_options);
    g_test_add_func("/rest/keystone/cache", test_cache);
    g_test_add_func("/rest/keystone/threads", test_threads);
    g_test_add_func("/rest/keystone/refused", test_refused);
    g_test_add_func("/rest/keystone/bad-answers", test_bad_answers);
    g_test_add_func("/rest/keystone/catalog", test_catalog);
    g_test_add_func("/rest/service/renewal-on-401", test_renewal_on_401);
    g_test_add_func("/rest/service/endpoints", test_endpoints);
    g_test_add_func("/rest/service/discovery", test_discovery);
    g_test_add_func("/rest/service/paths", test_paths);
    return g_test_run();
}
