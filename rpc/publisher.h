/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/transport.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The thread that sends. Messages go out in the order they came, up to a window of unconfirmed ones; each is done when the broker confirmed it.
 * What was unconfirmed when a connection broke is sent again (receivers drop duplicates by _unique_id). Rules: spec/rpc-wire.md sections 3 and 4.7.
 */
typedef struct RpcPublisher RpcPublisher;

/* Ends a publication, exactly once, on the publisher's thread: error is NULL when the broker has it. Must not block. */
typedef void (*RpcPublishDone)(const GError *error, gpointer data);

typedef struct {
    const char *exchange_type; /* "topic", "fanout": declared first, static; NULL = the default exchange, nothing is declared */
    bool declare_queue;        /* also a queue named like the routing key, bound to it (notifications) */
    char *exchange, *routing_key;
    GBytes *body;
    gint64 expiration_ms; /* message property; < 0 = none */
    bool mandatory;       /* a reply: tried again for a while when its queue is missing */
    gint64 give_up;       /* monotonic time after which an unsent message is dropped (RPC_ERROR_TIMEOUT); -1 = never */
    bool droppable;       /* may be dropped when the queue is full or, with give_up 0, while not connected */
    RpcPublishDone done;  /* may be NULL */
    gpointer data;
    /* the publisher's own */
    guint64 tag;
    bool returned;
    int refusals; /* times the broker closed the channel while it was unconfirmed */
    gint64 not_before, retry_until;
    guint64 monitor; /* heartbeat of this call monitor */
} RpcPublication;

/* Zeroed, with expiration_ms and give_up at "none". Strings are copied; takes `body`. */
RpcPublication *rpc_publication_new(const char *exchange_type, const char *exchange, const char *routing_key, GBytes *body);

RpcPublisher *rpc_publisher_new(RpcTransport *transport);
/* Ends the thread; what is left, and what is sent later, is done with RPC_ERROR_CLOSED. May be called twice. */
void rpc_publisher_stop(RpcPublisher *publisher);
void rpc_publisher_free(RpcPublisher *publisher);
/* Any thread; takes the publication. */
void rpc_publisher_send(RpcPublisher *publisher, RpcPublication *publication);
/* Waits until nothing is left to send or confirm; false at the monotonic time `until`. */
bool rpc_publisher_flush(RpcPublisher *publisher, gint64 until);

/* Sends a heartbeat reply every interval_us until stopped or until one cannot be delivered (section 4.6). Returns its number. Any thread. */
guint64 rpc_publisher_monitor_start(RpcPublisher *publisher, const char *reply_queue, const char *msg_id, gint64 interval_us);
void rpc_publisher_monitor_stop(RpcPublisher *publisher, guint64 monitor);

struct RpcConnection;
struct RpcConnection *rpc_publisher_connection(RpcPublisher *publisher);
