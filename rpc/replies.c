/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/replies.h"

#include "rpc/connection.h"
#include "rpc/error.h"
#include "rpc/message.h"
#include "rpc/topology.h"
#include "rpc/transport_private.h"

/* Replies may be larger than requests: a list of all instances of a host is one. */
enum { REPLY_LIMIT_FACTOR = 4 };

struct RpcWaiter {
    char *msg_id;
    GCond changed;
    NdJson *reply; /* the final one */
    GError *error;
    gint64 heard; /* monotonic time of the last heartbeat */
};

struct RpcReplies {
    RpcTransport *transport; /* outlives us */
    RpcConnection *connection;
    char *queue;
    GMutex lock;
    GCond ready_changed;
    bool ready, closed;
    GHashTable *waiters; /* msg_id -> RpcWaiter * */
};

static bool replies_setup(RpcConnection *connection, RpcLink *link, gpointer data, GError **error)
{
    RpcReplies *replies = data;
    const RpcOptions *options = &replies->transport->options;
    RpcDeclared declared = {0};
    rpc_connection_set_max_body(connection, options->max_body * REPLY_LIMIT_FACTOR);
    bool good = rpc_declare_queue(link, options, RPC_QUEUE_REPLY, "", replies->queue, replies->queue, &declared, error);
    if (declared.note != NULL)
        rpc_connection_tell(connection, RPC_EVENT_DECLARE_FALLBACK, declared.note, NULL);
    g_free(declared.note);
    good = good && rpc_set_prefetch(link, options, error) && rpc_consume(link, options, RPC_QUEUE_REPLY, replies->queue, "1", -1, error);
    if (!good)
        return false;
    g_mutex_lock(&replies->lock);
    replies->ready = true;
    g_cond_broadcast(&replies->ready_changed);
    g_mutex_unlock(&replies->lock);
    return true;
}

static void replies_lost(gpointer data, const GError *error)
{
    RpcReplies *replies = data;
    g_mutex_lock(&replies->lock);
    replies->ready = false;
    g_mutex_unlock(&replies->lock);
}

static bool replies_run(RpcConnection *connection, RpcLink *link, gpointer data, GError **error)
{
    return true;
}

static gint64 replies_deadline(gpointer data)
{
    return -1;
}

static void tell_dropped(RpcConnection *connection, const char *msg_id, const char *why)
{
    g_autoptr(GError) error = g_error_new(RPC_ERROR, RPC_ERROR_MESSAGE, "reply to call '%s' dropped: %s", msg_id ? msg_id : "?", why);
    rpc_connection_tell(connection, RPC_EVENT_MESSAGE_DROPPED, NULL, error);
}

void rpc_replies_fail(RpcReplies *replies, const char *msg_id, const GError *error)
{
    g_mutex_lock(&replies->lock);
    RpcWaiter *waiter = g_hash_table_lookup(replies->waiters, msg_id);
    if (waiter != NULL && waiter->reply == NULL && waiter->error == NULL) {
        waiter->error = g_error_copy(error);
        g_cond_signal(&waiter->changed);
    }
    g_mutex_unlock(&replies->lock);
}

/* Hands a reply or heartbeat to its call. Takes `message`: once handed over, the tree belongs to the waiting thread alone. False: nobody waits. */
static bool hand_over(RpcReplies *replies, const char *msg_id, NdJson *message)
{
    bool ending = nd_json_bool(message, "ending", false);
    g_mutex_lock(&replies->lock);
    RpcWaiter *waiter = g_hash_table_lookup(replies->waiters, msg_id);
    if (waiter != NULL) {
        waiter->heard = g_get_monotonic_time();
        if (ending && waiter->reply == NULL)
            waiter->reply = g_steal_pointer(&message);
        g_cond_signal(&waiter->changed);
    }
    g_mutex_unlock(&replies->lock);
    json_object_put(message);
    return waiter != NULL;
}

/* A reply that cannot be read still ends its call if its id can be found. */
static void unreadable(RpcReplies *replies, RpcConnection *connection, RpcDelivery *delivery, const GError *error)
{
    GByteArray *bytes = delivery->tail ? delivery->tail : delivery->body;
    g_autofree char *msg_id = rpc_message_scan(bytes->data, bytes->len, "_msg_id");
    if (msg_id != NULL)
        rpc_replies_fail(replies, msg_id, error);
    else
        tell_dropped(connection, NULL, error->message);
}

static void take_reply(RpcReplies *replies, RpcConnection *connection, RpcDelivery *delivery)
{
    g_autoptr(GError) error = NULL;
    gsize limit = replies->transport->options.max_body * REPLY_LIMIT_FACTOR;
    if (delivery->tail != NULL) {
        error = g_error_new(RPC_ERROR, RPC_ERROR_LIMIT, "reply of %" G_GUINT64_FORMAT " bytes is over the limit of %" G_GSIZE_FORMAT, delivery->body_size,
                            limit);
        unreadable(replies, connection, delivery, error);
        return;
    }
    NdJson *message = NULL;
    if (!rpc_message_decode(delivery->body->data, delivery->body->len, delivery->compression, limit, &message, &error)) {
        unreadable(replies, connection, delivery, error);
        return;
    }
    g_autofree char *msg_id = g_strdup(nd_json_string(message, "_msg_id", NULL));
    if (msg_id == NULL) {
        tell_dropped(connection, NULL, "it has no '_msg_id'");
        json_object_put(message);
    } else if (!hand_over(replies, msg_id, message)) {
        tell_dropped(connection, msg_id, "no call waits for it");
    }
}

static bool replies_event(RpcConnection *connection, RpcLink *link, RpcLinkEvent *event, gpointer data, GError **error)
{
    if (event->kind != RPC_LINK_DELIVERY || event->delivery->returned)
        return true;
    rpc_connection_count(connection, 1, 0);
    if (!rpc_link_ack(link, event->delivery->delivery_tag, error))
        return false;
    take_reply(data, connection, event->delivery);
    return true;
}

static const RpcConnectionOps replies_ops = {
    .setup = replies_setup,
    .run = replies_run,
    .deadline = replies_deadline,
    .event = replies_event,
    .lost = replies_lost,
};

RpcReplies *rpc_replies_new(RpcTransport *transport, GError **error)
{
    g_autofree char *queue = rpc_queue_name(&transport->options, "reply", error);
    if (queue == NULL)
        return NULL;
    RpcReplies *replies = g_new0(RpcReplies, 1);
    replies->transport = transport;
    replies->queue = g_steal_pointer(&queue);
    replies->waiters = g_hash_table_new(g_str_hash, g_str_equal);
    g_mutex_init(&replies->lock);
    g_cond_init(&replies->ready_changed);
    replies->connection = rpc_connection_new(transport, "reply", &replies_ops, replies);
    rpc_connection_launch(replies->connection);
    return replies;
}

void rpc_replies_stop(RpcReplies *replies)
{
    rpc_connection_stop(replies->connection);
    g_mutex_lock(&replies->lock);
    replies->closed = true;
    g_cond_broadcast(&replies->ready_changed);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, replies->waiters);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_cond_signal(&((RpcWaiter *)value)->changed);
    g_mutex_unlock(&replies->lock);
}

void rpc_replies_free(RpcReplies *replies)
{
    if (replies == NULL)
        return;
    rpc_replies_stop(replies);
    rpc_connection_free(replies->connection);
    g_hash_table_unref(replies->waiters);
    g_mutex_clear(&replies->lock);
    g_cond_clear(&replies->ready_changed);
    g_free(replies->queue);
    g_free(replies);
}

const char *rpc_replies_queue(const RpcReplies *replies)
{
    return replies->queue;
}

RpcConnection *rpc_replies_connection(RpcReplies *replies)
{
    return replies->connection;
}

bool rpc_replies_wait_ready(RpcReplies *replies, gint64 until, GError **error)
{
    g_mutex_lock(&replies->lock);
    while (!replies->ready && !replies->closed && g_cond_wait_until(&replies->ready_changed, &replies->lock, until)) {
    }
    bool ready = replies->ready, closed = replies->closed;
    g_mutex_unlock(&replies->lock);
    if (closed)
        g_set_error(error, RPC_ERROR, RPC_ERROR_CLOSED, "the transport is being stopped");
    else if (!ready)
        g_set_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT, "no connection to the message broker in time");
    return ready && !closed;
}

RpcWaiter *rpc_replies_add(RpcReplies *replies, const char *msg_id)
{
    RpcWaiter *waiter = g_new0(RpcWaiter, 1);
    waiter->msg_id = g_strdup(msg_id);
    waiter->heard = g_get_monotonic_time();
    g_cond_init(&waiter->changed);
    g_mutex_lock(&replies->lock);
    g_hash_table_insert(replies->waiters, waiter->msg_id, waiter);
    g_mutex_unlock(&replies->lock);
    return waiter;
}

void rpc_replies_remove(RpcReplies *replies, RpcWaiter *waiter)
{
    g_mutex_lock(&replies->lock);
    g_hash_table_remove(replies->waiters, waiter->msg_id);
    g_mutex_unlock(&replies->lock);
    g_cond_clear(&waiter->changed);
    json_object_put(waiter->reply);
    g_clear_error(&waiter->error);
    g_free(waiter->msg_id);
    g_free(waiter);
}

bool rpc_replies_wait(RpcReplies *replies, RpcWaiter *waiter, gint64 until, gint64 monitor_us, NdJson **message, GError **error)
{
    g_mutex_lock(&replies->lock);
    while (waiter->reply == NULL && waiter->error == NULL && !replies->closed) {
        gint64 limit = monitor_us > 0 ? MIN(until, waiter->heard + monitor_us) : until;
        /* A heartbeat may have moved the limit while the wait ended: look at the clock, not at the wait's result. */
        if (!g_cond_wait_until(&waiter->changed, &replies->lock, limit) &&
            g_get_monotonic_time() >= (monitor_us > 0 ? MIN(until, waiter->heard + monitor_us) : until))
            break;
    }
    *message = g_steal_pointer(&waiter->reply);
    GError *failed = g_steal_pointer(&waiter->error);
    bool closed = replies->closed;
    g_mutex_unlock(&replies->lock);
    if (*message != NULL) {
        g_clear_error(&failed);
        return true;
    }
    if (failed != NULL)
        g_propagate_error(error, failed);
    else if (closed)
        g_set_error(error, RPC_ERROR, RPC_ERROR_CLOSED, "the transport is being stopped");
    else
        g_set_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT, "no reply in time");
    return false;
}
