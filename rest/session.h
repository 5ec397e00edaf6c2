/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "base/json.h"

/*
 * HTTP under all OpenStack clients: a thread-safe pool of libcurl handles with one set of TLS and retry options. Calls block the calling
 * thread; each has a connect and a total deadline, limits on body, headers and redirects, and may be cancelled from another thread. What it
 * knows is HTTP; tokens and endpoints are in rest/keystone.h and rest/service.h. Source of the options and their defaults: spec/config.md
 * section 2 (keystoneauth's session and adapter options).
 */
typedef struct RestSession RestSession;

typedef struct {
    char *cafile;                   /* NULL or "" = system store */
    char *certfile, *keyfile;       /* client certificate, NULL = none; keyfile NULL = key is in certfile */
    bool insecure;                  /* do not verify the server's certificate */
    gint64 connect_timeout_ms;      /* longest wait for a connection; 0 = stall_timeout_ms if that is given, else REST_CONNECT_TIMEOUT_MS */
    gint64 stall_timeout_ms;        /* longest time in which no byte comes or goes, as requests' read timeout; 0 = REST_STALL_TIMEOUT_MS */
    int connect_retries;            /* further attempts after a failed connection */
    double connect_retry_delay;     /* seconds; 0 = exponential from 0.5 up to 60 */
    int status_code_retries;        /* further attempts after 503 */
    double status_code_retry_delay; /* seconds; 0 = exponential from 0.5 up to 60 */
} RestSessionOptions;

enum {
    REST_CONNECT_TIMEOUT_MS = 60 * 1000,
    REST_STALL_TIMEOUT_MS = 10 * 60 * 1000, /* upstream waits for ever; a dead peer must not hold a worker, a slow one must not end a build */
    REST_TIMEOUT_MS = 60 * 60 * 1000,       /* a whole request with redirects, without retries */
    REST_BODY_LIMIT = 16 * 1024 * 1024, /* of an answer that is held in memory */
    REST_HEADER_LIMIT = 64 * 1024,      /* all header lines of one answer */
    REST_REDIRECT_LIMIT = 5,
    REST_JSON_DEPTH = 64,
};

void rest_session_options_clear(RestSessionOptions *options);
/* Copies `options`. Errors: REST_ERROR_CONFIG when a file named there cannot be read. */
RestSession *rest_session_new(const RestSessionOptions *options, GError **error);
RestSession *rest_session_ref(RestSession *session);
void rest_session_unref(RestSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RestSession, rest_session_unref)

/* Takes bytes of a 2xx answer as they come. False with *error ends the request with that error. */
typedef bool (*RestBodyFunc)(const void *data, size_t length, void *user_data, GError **error);

/* Bytes of a file as a request's body, from its start; read anew for each attempt. */
typedef struct {
    int fd;
    gint64 size; /* bytes; sent as Content-Length */
} RestUpload;

/* One request; all pointers are borrowed for the call; zero-initialise. */
typedef struct {
    const char *method;         /* "GET" ... */
    const char *url;            /* absolute */
    const char *const *headers; /* "Name: value" lines, NULL-terminated; or NULL */
    NdJson *body;               /* sent as application/json, or as content_type says; NULL = no body */
    const RestUpload *upload;   /* instead of body: sent as content_type, which is then needed; NULL = none */
    const char *content_type;   /* NULL = application/json */
    GCancellable *cancellable;  /* may be NULL */
    gint64 timeout_ms;          /* of the whole request; 0 = REST_TIMEOUT_MS, -1 = none but the stall limit (downloads) */
    size_t body_limit;          /* of the answer; 0 = REST_BODY_LIMIT */
    RestBodyFunc on_body;       /* streams a 2xx answer instead of keeping it; no retry once it was called */
    void *on_body_data;
} RestRequest;

/* An answer of any status. */
typedef struct {
    int status;
    GBytes *body;        /* raw; empty when streamed */
    GHashTable *headers; /* lower-case name -> last value */
    char *url;           /* where it came from after redirects */
} RestAnswer;
void rest_answer_free(RestAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RestAnswer, rest_answer_free)

/* Sends the request and reads the whole answer. Any HTTP status is success here. Redirects (GET, HEAD: 301 302 303 307 308; others: 307
 * 308) are followed within the scheme; when host or port change, X-Auth-Token and X-Service-Token are left out. Errors: REST_ERROR_CONNECT,
 * TIMEOUT, TLS, TOO_LARGE, REDIRECT, CANCELLED, or what on_body gave. */
bool rest_session_send(RestSession *session, const RestRequest *request, RestAnswer **answer, GError **error);

/* The answer's body as JSON, a new reference in *value. Errors: REST_ERROR_BAD_ANSWER. */
bool rest_answer_json(const RestAnswer *answer, NdJson **value, GError **error);
/* A header by lower-case name, or NULL. Borrowed. */
const char *rest_answer_header(const RestAnswer *answer, const char *name);
/* Sets the REST_ERROR that a status outside 2xx means, with the service's own words (shortened, control characters removed). Returns false.
 */
bool rest_answer_set_error(const RestAnswer *answer, const char *method, GError **error);
/* Waits that long, or until cancellable (may be NULL) is triggered: then false. */
bool rest_wait(GCancellable *cancellable, double seconds);
