/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/keystone.h"

#include "base/time.h"
#include "rest/error.h"

#include <string.h>

struct KeystoneAuth {
    gint references;
    RestSession *session;
    KeystoneOptions options;
    char *token_url;

    GMutex lock;         /* guards what follows */
    GCond fetched;       /* `fetching` became false */
    bool fetching;       /* one thread is asking Keystone; the others wait for it */
    GError *fetch_error; /* how the last request failed, for those that waited */
    char *token;         /* NULL = none */
    gint64 renew_at;     /* monotonic microseconds */
    char *project_id;
    NdJson *catalog; /* only touched under the lock: json-c's counts are not atomic */
};

void keystone_options_clear(KeystoneOptions *options)
{
    char **strings[] = {
        &options->auth_url,
        &options->username,
        &options->user_id,
        &options->user_domain_name,
        &options->user_domain_id,
        &options->password,
        &options->application_credential_id,
        &options->application_credential_name,
        &options->application_credential_secret,
        &options->project_name,
        &options->project_id,
        &options->project_domain_name,
        &options->project_domain_id,
        &options->domain_name,
        &options->domain_id,
        &options->default_domain_id,
        &options->default_domain_name,
        &options->system_scope,
        &options->trust_id,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_clear_pointer(strings[i], g_free);
}

/* A copy where options set to the empty string count as not set. */
static char *copy_option(const char *text)
{
    return text != NULL && *text != '\0' ? g_strdup(text) : NULL;
}

static KeystoneOptions copy_options(const KeystoneOptions *from)
{
    return (KeystoneOptions){
        .method = from->method,
        .auth_url = copy_option(from->auth_url),
        .username = copy_option(from->username),
        .user_id = copy_option(from->user_id),
        .user_domain_name = copy_option(from->user_domain_name),
        .user_domain_id = copy_option(from->user_domain_id),
        .password = g_strdup(from->password),
        .application_credential_id = copy_option(from->application_credential_id),
        .application_credential_name = copy_option(from->application_credential_name),
        .application_credential_secret = g_strdup(from->application_credential_secret),
        .project_name = copy_option(from->project_name),
        .project_id = copy_option(from->project_id),
        .project_domain_name = copy_option(from->project_domain_name),
        .project_domain_id = copy_option(from->project_domain_id),
        .domain_name = copy_option(from->domain_name),
        .domain_id = copy_option(from->domain_id),
        .default_domain_id = copy_option(from->default_domain_id),
        .default_domain_name = copy_option(from->default_domain_name),
        .system_scope = copy_option(from->system_scope),
        .trust_id = copy_option(from->trust_id),
    };
}

/* NULL if the options can work, else what is wrong with them. */
static const char *options_fault(const KeystoneOptions *options)
{
    int scopes = (options->project_id || options->project_name) + (options->domain_id || options->domain_name) +
                 (options->system_scope != NULL) + (options->trust_id != NULL);
    if (options->auth_url == NULL)
        return "auth_url is not set";
    if (options->method == KEYSTONE_METHOD_APPLICATION_CREDENTIAL) {
        if (options->application_credential_secret == NULL)
            return "application_credential_secret is not set";
        if (options->application_credential_id == NULL &&
            (options->application_credential_name == NULL || !(options->user_id || options->username)))
            return "application_credential_id is not set";
        return NULL;
    }
    if (options->user_id == NULL && options->username == NULL)
        return "username is not set";
    if (options->password == NULL)
        return "password is not set";
    if (scopes > 1)
        return "more than one of project, domain, system_scope and trust_id is set";
    return NULL;
}

/* auth_url as the address of tokens: "/v3" is added unless it is there, as keystoneauth's v3 plugins do. NULL for Identity v2. */
static char *make_token_url(const char *auth_url)
{
    g_autofree char *url = g_strdup(auth_url);
    while (g_str_has_suffix(url, "/"))
        url[strlen(url) - 1] = '\0';
    if (g_str_has_suffix(url, "/v2.0"))
        return NULL;
    return g_strconcat(url, g_str_has_suffix(url, "/v3") ? "" : "/v3", "/auth/tokens", NULL);
}

KeystoneAuth *keystone_auth_new(RestSession *session, const KeystoneOptions *options, GError **error)
{
    KeystoneOptions copy = copy_options(options);
    const char *fault = options_fault(&copy);
    g_autofree char *token_url = fault == NULL ? make_token_url(copy.auth_url) : NULL;
    if (fault == NULL && token_url == NULL)
        fault = "auth_url is of Identity v2.0; v3 is needed";
    if (fault != NULL) {
        keystone_options_clear(&copy);
        rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL, "%s", fault);
        return NULL;
    }
    KeystoneAuth *auth = g_new0(KeystoneAuth, 1);
    auth->references = 1;
    auth->session = rest_session_ref(session);
    auth->options = copy;
    auth->token_url = g_steal_pointer(&token_url);
    g_mutex_init(&auth->lock);
    g_cond_init(&auth->fetched);
    return auth;
}

KeystoneAuth *keystone_auth_ref(KeystoneAuth *auth)
{
    g_atomic_int_inc(&auth->references);
    return auth;
}

void keystone_auth_unref(KeystoneAuth *auth)
{
    if (auth == NULL || !g_atomic_int_dec_and_test(&auth->references))
        return;
    rest_session_unref(auth->session);
    keystone_options_clear(&auth->options);
    g_free(auth->token_url);
    g_mutex_clear(&auth->lock);
    g_cond_clear(&auth->fetched);
    g_clear_error(&auth->fetch_error);
    g_free(auth->token);
    g_free(auth->project_id);
    json_object_put(auth->catalog);
    g_free(auth);
}

/* {"id": …} or {"name": …}, or NULL when neither is given. */
static NdJson *reference(const char *id, const char *name)
{
    if (id == NULL && name == NULL)
        return NULL;
    NdJson *object = json_object_new_object();
    nd_json_set_string(object, id != NULL ? "id" : "name", id != NULL ? id : name);
    return object;
}

/* A user or project: by id, else by name and domain. */
static NdJson *reference_in_domain(const KeystoneOptions *options, const char *id, const char *name, const char *domain_id,
                                   const char *domain_name)
{
    NdJson *object = reference(id, name);
    if (id == NULL) {
        bool own = domain_id != NULL || domain_name != NULL;
        NdJson *domain = reference(own ? domain_id : options->default_domain_id, own ? domain_name : options->default_domain_name);
        if (domain != NULL)
            nd_json_set(object, "domain", domain);
    }
    return object;
}

static NdJson *make_user(const KeystoneOptions *options)
{
    return reference_in_domain(options, options->user_id, options->username, options->user_domain_id, options->user_domain_name);
}

static NdJson *make_identity(const KeystoneOptions *options)
{
    NdJson *identity = json_object_new_object();
    NdJson *methods = json_object_new_array();
    nd_json_set(identity, "methods", methods);
    if (options->method == KEYSTONE_METHOD_APPLICATION_CREDENTIAL) {
        NdJson *credential = reference(options->application_credential_id, options->application_credential_name);
        if (options->application_credential_id == NULL)
            nd_json_set(credential, "user", make_user(options));
        nd_json_set_string(credential, "secret", options->application_credential_secret);
        json_object_array_add(methods, json_object_new_string("application_credential"));
        nd_json_set(identity, "application_credential", credential);
        return identity;
    }
    NdJson *user = make_user(options);
    nd_json_set_string(user, "password", options->password);
    NdJson *password = json_object_new_object();
    nd_json_set(password, "user", user);
    json_object_array_add(methods, json_object_new_string("password"));
    nd_json_set(identity, "password", password);
    return identity;
}

/* NULL when no scope is asked for. */
static NdJson *make_scope(const KeystoneOptions *options)
{
    NdJson *scope = json_object_new_object();
    if (options->project_id != NULL || options->project_name != NULL) {
        nd_json_set(scope, "project",
                    reference_in_domain(options, options->project_id, options->project_name, options->project_domain_id,
                                        options->project_domain_name));
    } else if (options->domain_id != NULL || options->domain_name != NULL) {
        nd_json_set(scope, "domain", reference(options->domain_id, options->domain_name));
    } else if (options->system_scope != NULL) {
        NdJson *system = json_object_new_object();
        nd_json_set_bool(system, options->system_scope, true);
        nd_json_set(scope, "system", system);
    } else if (options->trust_id != NULL) {
        nd_json_set(scope, "OS-TRUST:trust", reference(options->trust_id, NULL));
    } else {
        json_object_put(scope);
        return NULL;
    }
    return scope;
}

static NdJson *make_request(const KeystoneOptions *options)
{
    NdJson *auth = json_object_new_object();
    nd_json_set(auth, "identity", make_identity(options));
    NdJson *scope = options->method == KEYSTONE_METHOD_PASSWORD ? make_scope(options) : NULL;
    if (scope != NULL)
        nd_json_set(auth, "scope", scope);
    NdJson *body = json_object_new_object();
    nd_json_set(body, "auth", auth);
    return body;
}

/* What a token request gave. */
typedef struct {
    char *token, *project_id;
    gint64 renew_at;
    NdJson *catalog;
} Grant;

/* The token's life is measured from its own issued_at, so that a clock that differs from Keystone's does no harm. */
static bool read_grant(const RestAnswer *answer, Grant *grant, GError **error)
{
    g_autoptr(NdJson) body = NULL;
    g_autoptr(GError) failure = NULL;
    const char *token = rest_answer_header(answer, "x-subject-token");
    const char *expires_text = NULL, *issued_text = NULL;
    gint64 expires = 0, issued = 0;
    if (token == NULL || *token == '\0')
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, answer->status, NULL, NULL, "answer of %s has no X-Subject-Token", answer->url);
    if (!rest_answer_json(answer, &body, error))
        return false;
    NdJson *description = nd_json_object(body, "token");
    if (!nd_json_get_string(description, "expires_at", &expires_text, &failure) || !nd_time_parse(expires_text, &expires, &failure) ||
        !nd_json_get_string_opt(description, "issued_at", NULL, &issued_text, &failure) ||
        (issued_text != NULL && !nd_time_parse(issued_text, &issued, &failure)))
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, answer->status, NULL, NULL, "answer of %s: %s", answer->url, failure->message);
    gint64 life = expires - (issued_text != NULL ? issued : nd_time_now());
    if (life <= 0)
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, answer->status, NULL, NULL, "answer of %s: token expired at '%s' already",
                              answer->url, expires_text);
    grant->token = g_strdup(token);
    grant->renew_at = g_get_monotonic_time() + life - MIN((gint64)KEYSTONE_RENEW_BEFORE_SECONDS * G_USEC_PER_SEC, life / 2);
    grant->project_id = g_strdup(nd_json_string(nd_json_object(description, "project"), "id", NULL));
    grant->catalog = json_object_get(nd_json_array(description, "catalog"));
    return true;
}

static bool request_token(KeystoneAuth *auth, Grant *grant, GError **error)
{
    g_autoptr(NdJson) body = make_request(&auth->options);
    g_autoptr(RestAnswer) answer = NULL;
    RestRequest request = {.method = "POST", .url = auth->token_url, .body = body};
    if (!rest_session_send(auth->session, &request, &answer, error))
        return false;
    if (answer->status < 200 || answer->status > 299)
        return rest_answer_set_error(answer, "POST", error);
    return read_grant(answer, grant, error);
}

/* Asks Keystone without the lock, which is held on entry and return, and takes the result over. */
static void fetch(KeystoneAuth *auth)
{
    Grant grant = {0};
    GError *failure = NULL;
    auth->fetching = true;
    g_mutex_unlock(&auth->lock);
    if (!request_token(auth, &grant, &failure))
        g_prefix_error(&failure, "no token from Keystone: ");
    g_mutex_lock(&auth->lock);
    auth->fetching = false;
    g_clear_error(&auth->fetch_error);
    g_clear_pointer(&auth->token, g_free);
    auth->fetch_error = failure;
    if (failure == NULL) {
        auth->token = grant.token;
        auth->renew_at = grant.renew_at;
        g_free(auth->project_id);
        auth->project_id = grant.project_id;
        json_object_put(auth->catalog);
        auth->catalog = grant.catalog;
    }
    g_cond_broadcast(&auth->fetched);
}

/* Makes sure that there is a token; the lock is held on entry and return. */
static bool ensure_token(KeystoneAuth *auth, GError **error)
{
    if (auth->token != NULL && g_get_monotonic_time() < auth->renew_at)
        return true;
    if (auth->fetching) {
        while (auth->fetching)
            g_cond_wait(&auth->fetched, &auth->lock);
    } else {
        fetch(auth);
    }
    if (auth->token != NULL)
        return true;
    if (auth->fetch_error != NULL && error != NULL)
        *error = g_error_copy(auth->fetch_error);
    else if (auth->fetch_error == NULL)
        rest_error_set(error, REST_ERROR_AUTH, 0, NULL, NULL, "the token from Keystone was refused at once");
    return false;
}

bool keystone_auth_token(KeystoneAuth *auth, char **token, GError **error)
{
    g_mutex_lock(&auth->lock);
    bool ok = ensure_token(auth, error);
    if (ok)
        *token = g_strdup(auth->token);
    g_mutex_unlock(&auth->lock);
    return ok;
}

void keystone_auth_invalidate(KeystoneAuth *auth, const char *token)
{
    g_mutex_lock(&auth->lock);
    if (g_strcmp0(auth->token, token) == 0)
        g_clear_pointer(&auth->token, g_free);
    g_mutex_unlock(&auth->lock);
}

bool keystone_auth_project_id(KeystoneAuth *auth, char **project_id, GError **error)
{
    g_mutex_lock(&auth->lock);
    bool ok = ensure_token(auth, error);
    if (ok)
        *project_id = g_strdup(auth->project_id);
    g_mutex_unlock(&auth->lock);
    return ok;
}

bool keystone_auth_endpoint(KeystoneAuth *auth, const KeystoneEndpointFilter *filter, char **url, GError **error)
{
    g_mutex_lock(&auth->lock);
    bool ok = ensure_token(auth, error);
    g_autofree char *found = ok ? keystone_catalog_find(auth->catalog, filter) : NULL;
    g_mutex_unlock(&auth->lock);
    if (!ok)
        return false;
    if (found == NULL) {
        g_autofree char *interfaces =
            filter->interfaces != NULL ? g_strjoinv(",", (char **)filter->interfaces) : g_strdup("internal,public");
        return rest_error_set(error, REST_ERROR_NO_ENDPOINT, 0, NULL, NULL,
                              "the catalog has no endpoint of type '%s', interface '%s', region '%s'", filter->service_type, interfaces,
                              filter->region_name != NULL ? filter->region_name : "any");
    }
    *url = g_steal_pointer(&found);
    return true;
}
