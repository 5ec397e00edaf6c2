/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/server.h"

/* One topic of a server: its connection, queues, and the way of a message to the dispatch function. */
typedef struct RpcListener RpcListener;

/* `options` and its endpoints must outlive the listener. RPC_ERROR_FAILED if no queue name can be made. */
RpcListener *rpc_listener_new(RpcTransport *transport, const char *topic, const RpcServerOptions *options, GError **error);
/* Before rpc_listener_start: the id counts as seen. */
void rpc_listener_remember(RpcListener *listener, const char *unique_id);
void rpc_listener_start(RpcListener *listener);
/* Waits until the queues are consumed; until: monotonic, -1 = without end. RPC_ERROR_TIMEOUT, RPC_ERROR_CLOSED. */
bool rpc_listener_wait(RpcListener *listener, gint64 until, GError **error);
/* Ends the thread. May be called twice. */
void rpc_listener_stop(RpcListener *listener);
void rpc_listener_free(RpcListener *listener);
const char *rpc_listener_topic(const RpcListener *listener);
