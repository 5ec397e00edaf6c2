/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/session.h"

/*
 * Keystone v3: tokens from the credentials of one nova.conf section, the service catalog that comes with them, and RestAuth, which says in
 * whose name one call is made. Sources: spec/config.md section 2; Identity API v3; keystoneauth1 for the choice of endpoints.
 */

typedef enum { KEYSTONE_METHOD_PASSWORD, KEYSTONE_METHOD_APPLICATION_CREDENTIAL } KeystoneMethod;

/* Strings may be NULL; ids win over names. */
typedef struct {
    KeystoneMethod method;
    char *auth_url; /* with or without /v3 */
    char *username, *user_id, *user_domain_name, *user_domain_id, *password;
    char *application_credential_id, *application_credential_name, *application_credential_secret;
    char *project_name, *project_id, *project_domain_name, *project_domain_id;
    char *domain_name, *domain_id; /* domain scope */
    char *default_domain_id, *default_domain_name;
    char *system_scope; /* "all" */
    char *trust_id;
} KeystoneOptions;
void keystone_options_clear(KeystoneOptions *options);

typedef struct KeystoneAuth KeystoneAuth;

/* One set of credentials with its token cache; thread-safe; nothing is sent before a token is needed. Refs the session, copies the options.
 * Errors: REST_ERROR_CONFIG (no auth_url, no user, v2.0 URL, two scopes). */
KeystoneAuth *keystone_auth_new(RestSession *session, const KeystoneOptions *options, GError **error);
KeystoneAuth *keystone_auth_ref(KeystoneAuth *auth);
void keystone_auth_unref(KeystoneAuth *auth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeystoneAuth, keystone_auth_unref)

/* A token valid for at least KEYSTONE_RENEW_BEFORE_SECONDS more; asks Keystone when there is none. Threads that ask at once share one
 * request. *token is a copy. Errors: REST_ERROR_AUTH and those of rest_session_send. */
bool keystone_auth_token(KeystoneAuth *auth, char **token, GError **error);
/* Forgets the cached token if it is still `token` (after a 401). */
void keystone_auth_invalidate(KeystoneAuth *auth, const char *token);
/* The project id the token is scoped to; *project_id is a copy, NULL when the scope is no project. */
bool keystone_auth_project_id(KeystoneAuth *auth, char **project_id, GError **error);
#define KEYSTONE_RENEW_BEFORE_SECONDS 120

/* What to look for in a catalog. */
typedef struct {
    const char *service_type; /* "network"; aliases of the service types authority are tried as well ("volumev3" for "block-storage") */
    const char *service_name; /* NULL = any */
    const char *const *interfaces; /* tried in order: "internal", "public", "admin"; the "URL" suffix is accepted */
    const char *region_name;       /* NULL = any */
} KeystoneEndpointFilter;

/* The URL from our own catalog (Identity v3 form). *url is a copy. Errors: REST_ERROR_NO_ENDPOINT and those of keystone_auth_token. */
bool keystone_auth_endpoint(KeystoneAuth *auth, const KeystoneEndpointFilter *filter, char **url, GError **error);
/* The same from a catalog in the form of a nova request context ("publicURL" members) or of Identity v3. NULL if there is none. Caller
 * frees. */
char *keystone_catalog_find(NdJson *catalog, const KeystoneEndpointFilter *filter);

/*
 * In whose name a call goes out: our own credentials, or a user's token (from the RPC context) with the service token beside it.
 * Immutable, reference counted, thread-safe, cheap: make one per operation.
 */
typedef struct RestAuth RestAuth;
/* Own credentials of the service's section. global_request_id ("req-…", may be NULL) is sent as X-Openstack-Request-Id. */
RestAuth *rest_auth_new_own(const char *global_request_id);
/* A user's token. `catalog_json` is the context's service_catalog as JSON text, or NULL: then our own catalog is used.
 * `service_user` (NULL = none) gives X-Service-Token ([service_user] send_service_user_token). */
RestAuth *rest_auth_new_user(const char *token, const char *catalog_json, KeystoneAuth *service_user, const char *global_request_id);
RestAuth *rest_auth_ref(RestAuth *auth);
void rest_auth_unref(RestAuth *auth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RestAuth, rest_auth_unref)
