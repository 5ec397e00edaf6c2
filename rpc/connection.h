/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/link.h"
#include "rpc/transport.h"

#include <stdbool.h>

/*
 * A thread that keeps one AMQP connection: connects, fails over, backs off, reads, keeps heartbeats, and calls its owner for the rest
 * (spec/rpc-wire.md section 6). The functions of RpcConnectionOps all run on that thread.
 */
typedef struct RpcConnection RpcConnection;

typedef struct {
    /* After each (re)connect: declare, consume. False: the link is closed and tried again later. */
    bool (*setup)(RpcConnection *connection, RpcLink *link, gpointer data, GError **error);
    /* Do queued work and due timers. link is NULL while not connected. False: the link is given up. */
    bool (*run)(RpcConnection *connection, RpcLink *link, gpointer data, GError **error);
    /* Monotonic time of the next timer, or -1. */
    gint64 (*deadline)(gpointer data);
    /* A delivery or confirm; takes event->delivery if it wants it (g_steal_pointer). False: the link is given up. */
    bool (*event)(RpcConnection *connection, RpcLink *link, RpcLinkEvent *event, gpointer data, GError **error);
    /* The link is gone; error is NULL at a clean stop. May be NULL. */
    void (*lost)(gpointer data, const GError *error);
    /* Clean stop while the link is alive. May be NULL. */
    void (*closing)(RpcLink *link, gpointer data);
} RpcConnectionOps;

/* The earlier one of two deadlines, where -1 is none. */
static inline gint64 rpc_earlier(gint64 a, gint64 b)
{
    return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

/* Makes the connection; its thread does not run yet. `data` must live until rpc_connection_stop returned. */
RpcConnection *rpc_connection_new(RpcTransport *transport, const char *name, const RpcConnectionOps *ops, gpointer data);
/* Starts the thread "rpc-NAME". */
void rpc_connection_launch(RpcConnection *connection);
/* Any thread: makes the connection's thread call ops->run soon. */
void rpc_connection_wake(RpcConnection *connection);
/* Any other thread: ends and joins the thread; the connection stays readable until freed. */
void rpc_connection_stop(RpcConnection *connection);
void rpc_connection_free(RpcConnection *connection);

/* Own thread: bytes of a body to keep (default: the option max_body). */
void rpc_connection_set_max_body(RpcConnection *connection, gsize max_body);
/* Own thread: tells the event function. */
void rpc_connection_tell(RpcConnection *connection, RpcEvent event, const char *text, const GError *error);
/* Own thread: counts for the status. */
void rpc_connection_count(RpcConnection *connection, guint in, guint out);
void rpc_connection_set_queued(RpcConnection *connection, gsize queued);
/* Any thread: a copy for the status list. */
RpcConnectionStatus *rpc_connection_status(RpcConnection *connection);
bool rpc_connection_is_connected(RpcConnection *connection);
/* The broker asked us to send nothing for now. */
bool rpc_connection_is_blocked(RpcConnection *connection);
