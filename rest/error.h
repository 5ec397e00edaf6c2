/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Errors of rest/. Each carries, beside its code, what a caller may need to decide: the HTTP status (0 if there was no answer), the
 * service's own error code ("placement.concurrent_update", Neutron's "PortNotFound"; NULL if none) and the request id the service answered
 * with.
 */
typedef enum {
    REST_ERROR_CONFIG,              /* options of the section are wrong or not enough (no auth_type, unreadable cafile ...) */
    REST_ERROR_CONNECT,             /* no connection, name not found, connection lost before the answer was complete */
    REST_ERROR_TIMEOUT,             /* a deadline passed, or the peer was too slow for too long */
    REST_ERROR_TLS,                 /* certificate not accepted, handshake failed */
    REST_ERROR_AUTH,                /* Keystone refused our credentials, or the service refused the token (401) after a new one was taken */
    REST_ERROR_NO_ENDPOINT,         /* the catalog has no endpoint for the service, interface, region */
    REST_ERROR_BAD_ANSWER,          /* not JSON, or not what the API promises */
    REST_ERROR_TOO_LARGE,           /* body or headers over the limit */
    REST_ERROR_REDIRECT,            /* too many redirects, or one that leaves http(s) as asked for */
    REST_ERROR_CANCELLED,           /* the caller's GCancellable was triggered */
    REST_ERROR_NOT_FOUND,           /* 404 */
    REST_ERROR_CONFLICT,            /* 409 for any reason but a generation */
    REST_ERROR_CONFLICT_GENERATION, /* Placement: provider or consumer generation is stale (409 placement.concurrent_update); read again and
                                       retry */
    REST_ERROR_FORBIDDEN,           /* 403 */
    REST_ERROR_OVER_LIMIT,          /* 413 */
    REST_ERROR_BAD_REQUEST,         /* 400 */
    REST_ERROR_SERVICE,             /* 500 and above, retries used up */
    REST_ERROR_HTTP,                /* any other status outside 2xx */
    REST_ERROR_HASH,                /* downloaded bytes do not have the promised hash */
    REST_ERROR_READ,                /* the local file that is sent could not be read */
    REST_ERROR_WRITE,               /* the local file could not be written */
    REST_ERROR_NO_SPACE,            /* the same for lack of space (ENOSPC, EDQUOT) */
} RestError;

#define REST_ERROR (rest_error_quark())
GQuark rest_error_quark(void);

/* The HTTP status of an error of domain REST_ERROR; 0 if it has none or is of another domain. */
int rest_error_status(const GError *error);
/* The service's own error code, or NULL. Owned by the error. */
const char *rest_error_service_code(const GError *error);
/* The X-Openstack-Request-Id of the answer, or NULL. Owned by the error. */
const char *rest_error_request_id(const GError *error);

/* The code for a status outside 2xx: table in error.c. */
RestError rest_error_code_for_status(int status);
/* Sets an error with its details (service_code, request_id may be NULL). Always returns false. */
bool rest_error_set(GError **error, RestError code, int status, const char *service_code, const char *request_id, const char *format, ...)
    G_GNUC_PRINTF(6, 7);
