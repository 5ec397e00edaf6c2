/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "rpc/transport.h"

#include <stdbool.h>

/* The reply queue of the process and the calls that wait on it (spec/rpc-wire.md section 5). */
typedef struct RpcReplies RpcReplies;
typedef struct RpcWaiter RpcWaiter;

RpcReplies *rpc_replies_new(RpcTransport *transport, GError **error);
/* Ends the thread; waiting calls fail with RPC_ERROR_CLOSED. May be called twice. */
void rpc_replies_stop(RpcReplies *replies);
void rpc_replies_free(RpcReplies *replies);

const char *rpc_replies_queue(const RpcReplies *replies);
/* Waits until the reply queue is consumed. RPC_ERROR_TIMEOUT, RPC_ERROR_CLOSED. */
bool rpc_replies_wait_ready(RpcReplies *replies, gint64 until, GError **error);
/* Enters a call; end it with rpc_replies_remove. */
RpcWaiter *rpc_replies_add(RpcReplies *replies, const char *msg_id);
void rpc_replies_remove(RpcReplies *replies, RpcWaiter *waiter);
/* Waits for the final reply; *message is the whole reply, a new reference. until: monotonic; monitor_us > 0: a heartbeat or the reply must come
 * every so often. RPC_ERROR_TIMEOUT, RPC_ERROR_CLOSED, RPC_ERROR_LIMIT, or what rpc_replies_fail set. */
bool rpc_replies_wait(RpcReplies *replies, RpcWaiter *waiter, gint64 until, gint64 monitor_us, NdJson **message, GError **error);
/* Any thread: ends a call with an error (its request could not be sent). Unknown ids are ignored. */
void rpc_replies_fail(RpcReplies *replies, const char *msg_id, const GError *error);

struct RpcConnection;
struct RpcConnection *rpc_replies_connection(RpcReplies *replies);
