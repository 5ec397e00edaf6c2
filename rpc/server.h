/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "rpc/context.h"
#include "rpc/transport.h"

#include <stdbool.h>

/*
 * The RPC server (spec/rpc-wire.md section 4): one connection and thread a topic. A message goes: size and JSON limits, duplicate check, endpoint,
 * version, method and argument names (a bad one is answered here), accept function, acknowledgement to the broker, dispatch function.
 */

typedef struct {
    const char *name;
    const char *const *args; /* NULL-terminated names; one that ends with '?' may be missing. NULL = any arguments */
} RpcMethod;

typedef struct {
    const char *name_space; /* NULL or "baseapi" ... */
    const char *version;    /* "6.5": highest minor that is served */
    const RpcMethod *methods;
    size_t n_methods;
} RpcEndpoint;

/* One received request. Reference counted; used by one thread at a time. */
typedef struct RpcRequest RpcRequest;

/* Runs on the topic's thread before the message is acknowledged, e.g. to write it to a journal. False: the caller gets `error`, the message is
 * acknowledged and not dispatched. A request that was accepted and whose acknowledgement cannot be sent is not dispatched either: the broker
 * delivers it again, with the same unique id, and it is offered for acceptance again. */
typedef bool (*RpcAcceptFunc)(RpcRequest *request, gpointer user_data, GError **error);
/* Runs on the topic's thread after the acknowledgement; takes over the reference and must not block: hand it to a worker. */
typedef void (*RpcDispatchFunc)(RpcRequest *request /* takes */, gpointer user_data);

typedef struct RpcServer RpcServer;

typedef struct {
    const char *const *topics;    /* NULL-terminated: "compute", "compute-alt" */
    const char *server_name;      /* [DEFAULT]host */
    const char *service;          /* what baseapi ping answers: "compute" */
    const RpcEndpoint *endpoints; /* static storage; baseapi is added by the server itself */
    size_t n_endpoints;
    bool rpc_ping_enabled; /* [DEFAULT]rpc_ping_enabled: oslo_rpc_server_ping */
    RpcAcceptFunc accept;  /* may be NULL */
    RpcDispatchFunc dispatch;
    gpointer user_data;
} RpcServerOptions;

/* Makes the server; nothing is consumed yet. RPC_ERROR_ARGUMENT for contradicting options. */
RpcServer *rpc_server_new(RpcTransport *transport, const RpcServerOptions *options, GError **error);
/* Before rpc_server_start: a message with this _unique_id was taken by an earlier process; if it comes again (it may not have been acknowledged), it
 * is dropped as a duplicate. */
void rpc_server_remember(RpcServer *server, const char *unique_id);
/* Starts the topics' threads and waits until every queue is declared and consumed; RPC_ERROR_TIMEOUT after timeout_s seconds (<= 0: without end;
 * the threads go on trying until rpc_server_stop). */
bool rpc_server_start(RpcServer *server, double timeout_s, GError **error);
/* Stops consuming one topic (NULL = all), as a graceful stop does with "compute" before "compute-alt". Requests in progress can still be answered.
 * The fanout queue is deleted. Waits for the thread's end. */
void rpc_server_stop(RpcServer *server, const char *topic);
void rpc_server_unref(RpcServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcServer, rpc_server_unref)

RpcRequest *rpc_request_ref(RpcRequest *request);
/* The last reference gone without reply or failure sends the caller an internal error. */
void rpc_request_unref(RpcRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcRequest, rpc_request_unref)

/* Borrowed from the request. */
const char *rpc_request_method(const RpcRequest *request);
const char *rpc_request_namespace(const RpcRequest *request); /* NULL = none */
const char *rpc_request_version(const RpcRequest *request);
const char *rpc_request_topic(const RpcRequest *request);
const char *rpc_request_unique_id(const RpcRequest *request); /* may be NULL */
RpcContext *rpc_request_context(const RpcRequest *request);
NdJson *rpc_request_args(const RpcRequest *request);
/* Drops the argument tree once it was decoded; rpc_request_args() is NULL then. */
void rpc_request_free_args(RpcRequest *request);
bool rpc_request_is_call(const RpcRequest *request);
/* Something that the accept function leaves for the dispatch function, once; freed with the request if nobody takes it (the message was not
 * dispatched). */
void rpc_request_set_data(RpcRequest *request, gpointer data, GDestroyNotify free_data);
gpointer rpc_request_steal_data(RpcRequest *request);
/* Microseconds, monotonic clock, when it was received. */
gint64 rpc_request_received_at(const RpcRequest *request);

/* Ends a request: takes the reference of `result` (NULL = null). A cast sends nothing. Only the first of reply and fail counts; a second one is
 * ignored and returns false. Never blocks. Stops the call monitor's heartbeats. */
bool rpc_request_reply(RpcRequest *request, NdJson *result);
bool rpc_request_fail(RpcRequest *request, const GError *error);
