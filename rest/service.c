/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/service.h"

#include "rest/auth.h"
#include "rest/discovery.h"
#include "rest/error.h"

#include <string.h>

struct RestService {
    gint references;
    RestSession *session;
    KeystoneAuth *own; /* NULL = none */
    char *service_type, *service_name, *region_name, *version_path, *min_version, *max_version, *microversion_service;
    char **interfaces, **urls;
    guint n_urls;
    gint next_url;          /* atomic; index of the url to use, counted on when one fails */
    GMutex lock;            /* guards discovered */
    GHashTable *discovered; /* endpoint -> URL of the version chosen */
};

RestService *rest_service_new(RestSession *session, KeystoneAuth *own, const RestServiceOptions *options)
{
    RestService *service = g_new0(RestService, 1);
    service->references = 1;
    service->session = rest_session_ref(session);
    service->own = own != NULL ? keystone_auth_ref(own) : NULL;
    service->service_type = g_strdup(options->service_type);
    service->service_name = g_strdup(options->service_name);
    service->region_name = g_strdup(options->region_name);
    service->version_path = g_strdup(options->version_path);
    service->min_version = g_strdup(options->min_version);
    service->max_version = g_strdup(options->max_version);
    service->microversion_service = g_strdup(options->microversion_service);
    service->interfaces = options->interfaces != NULL && *options->interfaces != NULL ? g_strdupv((char **)options->interfaces) : NULL;
    service->urls = options->urls != NULL && *options->urls != NULL ? g_strdupv((char **)options->urls) : NULL;
    service->n_urls = service->urls != NULL ? g_strv_length(service->urls) : 0;
    service->next_url = service->n_urls > 1 ? g_random_int_range(0, (gint32)service->n_urls) : 0;
    g_mutex_init(&service->lock);
    service->discovered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return service;
}

RestService *rest_service_ref(RestService *service)
{
    g_atomic_int_inc(&service->references);
    return service;
}

void rest_service_unref(RestService *service)
{
    if (service == NULL || !g_atomic_int_dec_and_test(&service->references))
        return;
    rest_session_unref(service->session);
    keystone_auth_unref(service->own);
    char *strings[] = {service->service_type, service->service_name, service->region_name,         service->version_path,
                       service->min_version,  service->max_version,  service->microversion_service};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    g_strfreev(service->interfaces);
    g_strfreev(service->urls);
    g_mutex_clear(&service->lock);
    g_hash_table_unref(service->discovered);
    g_free(service);
}

char *rest_path(const char *first, ...)
{
    GString *path = g_string_new(NULL);
    va_list parts;
    va_start(parts, first);
    for (const char *part = first; part != NULL; part = va_arg(parts, const char *)) {
        g_string_append_c(path, '/');
        g_string_append_uri_escaped(path, part, NULL, FALSE);
    }
    va_end(parts);
    return g_string_free(path, FALSE);
}

static bool is_own(const RestAuth *auth)
{
    return auth == NULL || auth->token == NULL;
}

/* The endpoint of the catalog that belongs to the call: the user's if there is one, else ours. */
static bool catalog_endpoint(RestService *service, const RestAuth *auth, char **url, GError **error)
{
    KeystoneEndpointFilter filter = {
        .service_type = service->service_type,
        .service_name = service->service_name,
        .interfaces = (const char *const *)service->interfaces,
        .region_name = service->region_name,
    };
    if (!is_own(auth) && auth->catalog_json != NULL) {
        g_autoptr(NdJson) catalog = NULL;
        if (!nd_json_parse(auth->catalog_json, strlen(auth->catalog_json), NULL, &catalog, error))
            return false;
        g_autofree char *found = keystone_catalog_find(catalog, &filter);
        if (found != NULL) {
            *url = g_steal_pointer(&found);
            return true;
        }
    }
    if (service->own == NULL)
        return rest_error_set(error, REST_ERROR_NO_ENDPOINT, 0, NULL, NULL, "no catalog has an endpoint of type '%s'",
                              service->service_type);
    return keystone_auth_endpoint(service->own, &filter, url, error);
}

/* With min_version or max_version the service is asked for its versions, once an endpoint. */
static bool discovered_endpoint(RestService *service, const char *const *headers, char **url, GError **error)
{
    g_mutex_lock(&service->lock);
    g_autofree char *known = g_strdup(g_hash_table_lookup(service->discovered, *url));
    g_mutex_unlock(&service->lock);
    if (known == NULL) {
        if (!rest_discover(service->session, *url, headers, service->min_version, service->max_version, &known, error))
            return false;
        g_mutex_lock(&service->lock);
        g_hash_table_replace(service->discovered, g_strdup(*url), g_strdup(known));
        g_mutex_unlock(&service->lock);
    }
    g_free(*url);
    *url = g_steal_pointer(&known);
    return true;
}

static bool find_endpoint(RestService *service, const RestAuth *auth, const char *const *headers, char **url, GError **error)
{
    g_autofree char *found = NULL;
    if (service->urls != NULL)
        found = g_strdup(service->urls[(guint)g_atomic_int_get(&service->next_url) % service->n_urls]);
    else if (!catalog_endpoint(service, auth, &found, error))
        return false;
    bool versions_asked =
        (service->min_version != NULL && *service->min_version != '\0') || (service->max_version != NULL && *service->max_version != '\0');
    if (service->urls == NULL && versions_asked && !discovered_endpoint(service, headers, &found, error))
        return false;
    if (service->version_path != NULL) {
        g_autofree char *base = rest_url_without_version(found);
        *url = g_strconcat(base, service->version_path, NULL);
        return true;
    }
    while (g_str_has_suffix(found, "/"))
        found[strlen(found) - 1] = '\0';
    *url = g_steal_pointer(&found);
    return true;
}

static void add_header(GPtrArray *headers, const char *name, const char *value)
{
    if (value != NULL)
        g_ptr_array_add(headers, g_strdup_printf("%s: %s", name, value));
}

static char *make_url(const char *endpoint, const RestCall *call)
{
    GString *url = g_string_new(endpoint);
    g_string_append(url, call->path);
    char separator = '?';
    for (const char *const *pair = call->query; pair != NULL && pair[0] != NULL && pair[1] != NULL; pair += 2) {
        g_string_append_c(url, separator);
        g_string_append_uri_escaped(url, pair[0], NULL, FALSE);
        g_string_append_c(url, '=');
        g_string_append_uri_escaped(url, pair[1], NULL, FALSE);
        separator = '&';
    }
    return g_string_free(url, FALSE);
}

/* One try with the tokens given. */
static bool try_call(RestService *service, const RestAuth *auth, const RestCall *call, const char *token, const char *service_token,
                     RestAnswer **answer, GError **error)
{
    g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *endpoint = NULL;
    add_header(headers, "X-Auth-Token", token);
    add_header(headers, "X-Service-Token", service_token);
    add_header(headers, "X-Openstack-Request-Id", auth != NULL ? auth->global_request_id : NULL);
    if (service->microversion_service != NULL && call->microversion != NULL)
        g_ptr_array_add(headers, g_strdup_printf("OpenStack-API-Version: %s %s", service->microversion_service, call->microversion));
    g_ptr_array_add(headers, NULL);
    if (!find_endpoint(service, auth, (const char *const *)headers->pdata, &endpoint, error))
        return false;
    g_autofree char *url = make_url(endpoint, call);
    RestRequest request = {
        .method = call->method,
        .url = url,
        .headers = (const char *const *)headers->pdata,
        .body = call->body,
        .upload = call->upload,
        .content_type = call->content_type,
        .cancellable = call->cancellable,
        .timeout_ms = call->timeout_ms,
        .body_limit = call->body_limit,
        .on_body = call->on_body,
        .on_body_data = call->on_body_data,
    };
    bool ok = rest_session_send(service->session, &request, answer, error);
    if ((!ok || (*answer)->status >= 500) && service->n_urls > 1)
        g_atomic_int_inc(&service->next_url);
    return ok;
}

/* Tokens for one try; *token and *service_token are copies, the latter NULL if there is none. */
static bool take_tokens(RestService *service, const RestAuth *auth, char **token, char **service_token, GError **error)
{
    if (is_own(auth)) {
        if (service->own == NULL)
            return rest_error_set(error, REST_ERROR_AUTH, 0, NULL, NULL, "no credentials are configured for the service '%s'",
                                  service->service_type);
        return keystone_auth_token(service->own, token, error);
    }
    if (auth->service_user != NULL && !keystone_auth_token(auth->service_user, service_token, error)) {
        g_prefix_error(error, "service user: ");
        return false;
    }
    *token = g_strdup(auth->token);
    return true;
}

/* Drops the tokens that we can renew after a 401; false if there is none. */
static bool drop_tokens(RestService *service, const RestAuth *auth, const char *token, const char *service_token)
{
    if (is_own(auth)) {
        keystone_auth_invalidate(service->own, token);
        return true;
    }
    if (service_token == NULL)
        return false;
    keystone_auth_invalidate(auth->service_user, service_token);
    return true;
}

bool rest_service_call(RestService *service, const RestAuth *auth, const RestCall *call, RestAnswer **answer, GError **error)
{
    g_autoptr(RestAnswer) got = NULL;
    for (int attempt = 0;; attempt++) {
        g_autofree char *token = NULL;
        g_autofree char *service_token = NULL;
        g_clear_pointer(&got, rest_answer_free);
        if (!take_tokens(service, auth, &token, &service_token, error) || !try_call(service, auth, call, token, service_token, &got, error))
            return false;
        if (got->status != 401 || attempt > 0 || !drop_tokens(service, auth, token, service_token))
            break;
    }
    if (got->status < 200 || got->status > 299)
        return rest_answer_set_error(got, call->method, error);
    if (answer != NULL)
        *answer = g_steal_pointer(&got);
    return true;
}

bool rest_service_call_json(RestService *service, const RestAuth *auth, const RestCall *call, NdJson **value, GError **error)
{
    g_autoptr(RestAnswer) answer = NULL;
    g_autoptr(NdJson) body = NULL;
    if (!rest_service_call(service, auth, call, &answer, error) || !rest_answer_json(answer, &body, error))
        return false;
    if (!json_object_is_type(body, json_type_object))
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, answer->status, NULL, rest_answer_header(answer, "x-openstack-request-id"),
                              "answer of %s is no JSON object", answer->url);
    *value = g_steal_pointer(&body);
    return true;
}
