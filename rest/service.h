/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/keystone.h"

/*
 * One OpenStack service as one nova.conf section describes it: which endpoint, which credentials, which retries. The typed clients
 * (placement.h, glance.h, neutron.h) stand on it. Thread-safe.
 */
typedef struct RestService RestService;

typedef struct {
    const char *service_type;      /* "placement", "image", "network" */
    const char *service_name;      /* NULL = any */
    const char *const *interfaces; /* NULL = internal, public */
    const char *region_name;       /* NULL = any */
    const char *const *urls;  /* endpoint_override, or glance api_servers (one is taken at random, the next on failure); NULL = catalog */
    const char *version_path; /* "/v2.0": what must end the endpoint; a version that is there is replaced, as glanceclient and
                                 neutronclient do. NULL = the endpoint as it is */
    const char *min_version,
        *max_version; /* options of the section; when set the endpoint's versions are asked for and checked; NULL, "latest" */
    const char *microversion_service; /* "placement": sends OpenStack-API-Version: placement X; NULL = none */
} RestServiceOptions;

/* Refs session and own (own NULL = no credentials in the section: only user-token calls work). Copies the options. */
RestService *rest_service_new(RestSession *session, KeystoneAuth *own, const RestServiceOptions *options);
RestService *rest_service_ref(RestService *service);
void rest_service_unref(RestService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RestService, rest_service_unref)

typedef struct {
    const char *method;
    const char *path;         /* "/resource_providers/…"; parts already escaped (rest_path) */
    const char *const *query; /* name, value, name, value, NULL; escaped here; NULL = none */
    const char *microversion; /* "1.39"; NULL = none */
    NdJson *body;             /* borrowed */
    const RestUpload *upload; /* as in RestRequest, and the next */
    const char *content_type;
    GCancellable *cancellable;
    gint64 timeout_ms; /* as in RestRequest */
    size_t body_limit;
    RestBodyFunc on_body;
    void *on_body_data;
} RestCall;

/* Makes the call with a token; takes a new one and tries once more on 401 (own credentials only). auth NULL = own credentials. A status
 * outside 2xx is an error (rest_error_code_for_status). answer may be NULL. */
bool rest_service_call(RestService *service, const RestAuth *auth, const RestCall *call, RestAnswer **answer, GError **error);
/* The same, with the JSON body of the answer as a new reference; an empty or non-object body is REST_ERROR_BAD_ANSWER. */
bool rest_service_call_json(RestService *service, const RestAuth *auth, const RestCall *call, NdJson **value, GError **error);

/* A path of parts joined by "/", each percent-escaped; caller frees: rest_path("ports", id, NULL) = "/ports/<id>". */
char *rest_path(const char *first, ...) G_GNUC_NULL_TERMINATED;
