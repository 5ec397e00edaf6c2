/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Errors of rpc/ itself. What nova's services mean by an exception class is NOVA_EXCEPTION (rpc/exception.h); this domain is for the message bus,
 * the wire format, and for remote failures whose class is not in the exception table.
 */
typedef enum {
    RPC_ERROR_FAILED,
    RPC_ERROR_TIMEOUT,      /* no reply (or no heartbeat) in time: oslo.messaging's MessagingTimeout */
    RPC_ERROR_CONNECTION,   /* broker not reachable, link lost, protocol error on it */
    RPC_ERROR_AUTH,         /* the broker refused the login or the virtual host */
    RPC_ERROR_DECLARE,      /* the broker refused a queue, exchange or binding */
    RPC_ERROR_RETURNED,     /* a mandatory message found no queue */
    RPC_ERROR_NACK,         /* the broker did not take the message */
    RPC_ERROR_MESSAGE,      /* bytes that are no valid oslo.messaging message */
    RPC_ERROR_LIMIT,        /* body or queue over its limit */
    RPC_ERROR_CLOSED,       /* the transport is being stopped */
    RPC_ERROR_ARGUMENT,     /* a caller's value is not acceptable: URL, option */
    RPC_ERROR_REMOTE,       /* a failure from the other side whose class is unknown here; see the accessors */
} RpcError;

#define RPC_ERROR (rpc_error_quark())
GQuark rpc_error_quark(void);

/* Class and module of a RPC_ERROR_REMOTE, as received; NULL for other errors. Borrowed from the error. */
const char *rpc_error_remote_class(const GError *error);
const char *rpc_error_remote_module(const GError *error);
/* Makes a RPC_ERROR_REMOTE: text "class: message". module may be NULL. */
void rpc_error_set_remote(GError **error, const char *class_name, const char *module, const char *message);
