/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/link.h"
#include "rpc/transport.h"

#include <stdbool.h>

/* Exchanges, queues and bindings as oslo.messaging declares them (spec/rpc-wire.md section 2). Connection threads only. */

typedef enum {
    RPC_QUEUE_TOPIC,  /* topic, topic.host, notification queues */
    RPC_QUEUE_FANOUT, /* topic_fanout_<id> */
    RPC_QUEUE_REPLY,  /* reply_<id>, on the default exchange */
} RpcQueueKind;

/* What had to be done to declare; the caller reacts to a closed channel. */
typedef struct {
    bool channel_reset; /* the channel was closed by a refusal and opened again: consumers and confirm mode are gone */
    char *note;         /* says what was taken over from the broker in place of our options; caller frees */
} RpcDeclared;

/* type "topic" or "fanout". A broker's durable mismatch is retried as not durable. RPC_ERROR_DECLARE, RPC_ERROR_CONNECTION. */
bool rpc_declare_exchange(RpcLink *link, const RpcOptions *options, const char *exchange, const char *type, RpcDeclared *declared, GError **error);
/* Declares exchange (unless a reply queue), queue and binding. */
bool rpc_declare_queue(RpcLink *link, const RpcOptions *options, RpcQueueKind kind, const char *exchange, const char *queue, const char *routing_key,
                       RpcDeclared *declared, GError **error);
/* stream_offset: last seen offset of a stream queue + 1, -1 = "last"; ignored for other queues. */
bool rpc_consume(RpcLink *link, const RpcOptions *options, RpcQueueKind kind, const char *queue, const char *tag, gint64 stream_offset, GError **error);
/* basic.qos if rabbit_qos_prefetch_count is set. */
bool rpc_set_prefetch(RpcLink *link, const RpcOptions *options, GError **error);
void rpc_delete_queue(RpcLink *link, const char *queue);

/* The name of a reply or fanout queue: prefix + "_" + random hex, or the queue manager's name; caller frees. */
char *rpc_queue_name(const RpcOptions *options, const char *prefix, GError **error);
