/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/server.h"

/* Inside of RpcRequest for the listener. */

/* Where the answer to a request goes; all NULL for a cast. */
typedef struct {
    char *msg_id, *reply_queue;
    double monitor_s; /* the caller's call-monitor timeout, 0 = none */
} RpcReplyTo;

/* Takes `message` apart, which it takes. On failure *reply_to may be filled, so that the caller can be told (clear it). RPC_ERROR_MESSAGE. */
RpcRequest *rpc_request_new(RpcTransport *transport, const char *topic, NdJson *message, RpcReplyTo *reply_to, GError **error);
void rpc_reply_to_clear(RpcReplyTo *reply_to);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpcReplyTo, rpc_reply_to_clear)

/* Starts the call monitor's heartbeats if the caller asked for them (spec/rpc-wire.md section 4.6). */
void rpc_request_start_monitor(RpcRequest *request);
/* Marks the request as answered without sending anything: a duplicate, or one that comes again. */
void rpc_request_discard(RpcRequest *request);
/* Sends a failure to somebody whose request could not even be made into a RpcRequest. */
void rpc_reply_failure(RpcTransport *transport, const RpcReplyTo *reply_to, const GError *error);
