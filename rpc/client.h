/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "rpc/context.h"
#include "rpc/transport.h"

#include <stdbool.h>

/* Calls and casts to other services (spec/rpc-wire.md sections 3 and 5). One client serves all threads. */
typedef struct RpcClient RpcClient;

typedef struct {
    const char *exchange;   /* NULL = the control exchange */
    const char *topic;      /* "conductor" */
    const char *server;     /* NULL = any server of the topic */
    const char *name_space; /* NULL, "baseapi", "compute_task" */
    const char *version;    /* "3.0"; NULL = none sent */
    bool fanout;            /* casts only: to every server of the topic */
} RpcTarget;

typedef struct {
    double timeout_s;      /* <= 0: rpc_response_timeout. Casts: how long to wait for the broker; <= 0 = without end */
    double call_monitor_s; /* > 0: ask for heartbeats, fail when none came for so long */
} RpcCallOptions;

RpcClient *rpc_client_new(RpcTransport *transport);
RpcClient *rpc_client_ref(RpcClient *client);
void rpc_client_unref(RpcClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcClient, rpc_client_unref)

/* Sends a request and waits for its reply. Takes the reference of `args` (an object; NULL = {}), also on failure. *result is a new reference, NULL
 * for a null result; `result` may be NULL. `options` may be NULL. Errors: RPC_ERROR_TIMEOUT, RPC_ERROR_CLOSED, NOVA_EXCEPTION or RPC_ERROR_REMOTE
 * for the other side's failures. Blocks the calling thread; any thread but the connections' own may call. */
bool rpc_client_call(RpcClient *client, const RpcTarget *target, const RpcContext *context, const char *method, NdJson *args,
                     const RpcCallOptions *options, NdJson **result, GError **error);
/* Sends a request without reply; returns when the broker has confirmed it. Takes the reference of `args`. Nobody listening is no error. */
bool rpc_client_cast(RpcClient *client, const RpcTarget *target, const RpcContext *context, const char *method, NdJson *args,
                     const RpcCallOptions *options, GError **error);
/* Hands a cast to the publisher and returns at once: for upkeep whose loss is harmless (scheduler updates). */
void rpc_client_cast_async(RpcClient *client, const RpcTarget *target, const RpcContext *context, const char *method, NdJson *args);
