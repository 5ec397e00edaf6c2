/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/publisher.h"

#include "rpc/connection.h"
#include "rpc/error.h"
#include "rpc/message.h"
#include "rpc/topology.h"
#include "rpc/transport_private.h"

#include <string.h>

enum {
    WINDOW = 256,           /* unconfirmed messages at a time */
    QUEUE_MAX = 20000,      /* droppable messages are dropped beyond */
    RETURN_RETRY_MS = 250,  /* between attempts for a missing reply queue */
    DEAD_QUEUE_S = 60,      /* how long a reply queue stays known as dead */
    DEAD_QUEUES_MAX = 200,
    HEARTBEATS_BEHIND = 1,  /* heartbeats of one monitor under way */
    REFUSALS_SUSPECT = 2,   /* after so many closed channels, messages are sent one by one ... */
    REFUSALS_MAX = 4,       /* ... and after so many the one that was alone is given up */
};

typedef struct {
    guint64 number;
    char *reply_queue, *msg_id;
    gint64 interval_us, next;
    int under_way;
} Monitor;

struct RpcPublisher {
    RpcTransport *transport; /* outlives us */
    RpcConnection *connection;
    /* the thread's own */
    GQueue waiting;         /* RpcPublication *, to send */
    GQueue unconfirmed;     /* sent, by rising tag */
    GPtrArray *delayed;     /* returned ones, to send again at not_before */
    GHashTable *exchanges;  /* declared on this connection: "type name" */
    GHashTable *dead_queues; /* reply queue -> gint64 * monotonic time */
    guint64 last_tag;
    /* shared */
    GMutex lock;
    GCond idle;         /* outstanding became 0 */
    bool stopped;
    GQueue incoming;    /* RpcPublication * */
    gsize outstanding;  /* everything not done yet */
    GHashTable *monitors; /* number -> Monitor * */
    guint64 last_monitor;
};

static void monitor_free(gpointer data)
{
    Monitor *monitor = data;
    g_free(monitor->reply_queue);
    g_free(monitor->msg_id);
    g_free(monitor);
}

RpcPublication *rpc_publication_new(const char *exchange_type, const char *exchange, const char *routing_key, GBytes *body)
{
    RpcPublication *publication = g_new0(RpcPublication, 1);
    publication->exchange_type = exchange_type;
    publication->exchange = g_strdup(exchange);
    publication->routing_key = g_strdup(routing_key);
    publication->body = body;
    publication->expiration_ms = -1;
    publication->give_up = -1;
    return publication;
}

static void publication_free(RpcPublication *publication)
{
    g_free(publication->exchange);
    g_free(publication->routing_key);
    g_bytes_unref(publication->body);
    g_free(publication);
}

/* A heartbeat ended: one that could not be delivered ends its monitor. */
static void monitor_done(RpcPublisher *publisher, guint64 number, const GError *error)
{
    g_mutex_lock(&publisher->lock);
    Monitor *monitor = g_hash_table_lookup(publisher->monitors, &number);
    if (monitor != NULL && error != NULL)
        g_hash_table_remove(publisher->monitors, &number);
    else if (monitor != NULL)
        monitor->under_way--;
    g_mutex_unlock(&publisher->lock);
}

/* Ends a publication; error NULL = confirmed. */
static void finish(RpcPublisher *publisher, RpcPublication *publication, const GError *error)
{
    if (publication->monitor != 0)
        monitor_done(publisher, publication->monitor, error);
    if (publication->done != NULL)
        publication->done(error, publication->data);
    else if (error != NULL && publication->monitor == 0)
        rpc_connection_tell(publisher->connection, RPC_EVENT_MESSAGE_DROPPED, publication->routing_key, error);
    publication_free(publication);
    g_mutex_lock(&publisher->lock);
    gsize left = --publisher->outstanding;
    if (left == 0)
        g_cond_broadcast(&publisher->idle);
    g_mutex_unlock(&publisher->lock);
    rpc_connection_set_queued(publisher->connection, left);
}

static void finish_new(RpcPublisher *publisher, RpcPublication *publication, RpcError code, const char *text)
{
    g_autoptr(GError) error = g_error_new_literal(RPC_ERROR, (int)code, text);
    finish(publisher, publication, error);
}

void rpc_publisher_send(RpcPublisher *publisher, RpcPublication *publication)
{
    g_mutex_lock(&publisher->lock);
    bool stopped = publisher->stopped, full = publication->droppable && publisher->outstanding >= QUEUE_MAX;
    if (stopped || !full)
        publisher->outstanding++;
    if (!stopped && !full)
        g_queue_push_tail(&publisher->incoming, publication);
    g_mutex_unlock(&publisher->lock);
    if (stopped) {
        finish_new(publisher, publication, RPC_ERROR_CLOSED, "the transport is being stopped");
        return;
    }
    if (!full) {
        rpc_connection_wake(publisher->connection);
        return;
    }
    g_autoptr(GError) error = g_error_new(RPC_ERROR, RPC_ERROR_LIMIT, "more than %d messages wait to be sent", QUEUE_MAX);
    rpc_connection_tell(publisher->connection, RPC_EVENT_MESSAGE_DROPPED, publication->routing_key, error);
    publication_free(publication);
}

bool rpc_publisher_flush(RpcPublisher *publisher, gint64 until)
{
    g_mutex_lock(&publisher->lock);
    while (publisher->outstanding > 0 && g_cond_wait_until(&publisher->idle, &publisher->lock, until)) {
    }
    bool empty = publisher->outstanding == 0;
    g_mutex_unlock(&publisher->lock);
    return empty;
}

/* --- call monitors --- */

guint64 rpc_publisher_monitor_start(RpcPublisher *publisher, const char *reply_queue, const char *msg_id, gint64 interval_us)
{
    Monitor *monitor = g_new0(Monitor, 1);
    monitor->reply_queue = g_strdup(reply_queue);
    monitor->msg_id = g_strdup(msg_id);
    monitor->interval_us = interval_us;
    monitor->next = g_get_monotonic_time() + interval_us;
    g_mutex_lock(&publisher->lock);
    guint64 number = monitor->number = ++publisher->last_monitor;
    g_hash_table_insert(publisher->monitors, &monitor->number, monitor);
    g_mutex_unlock(&publisher->lock);
    rpc_connection_wake(publisher->connection);
    return number;
}

void rpc_publisher_monitor_stop(RpcPublisher *publisher, guint64 number)
{
    g_mutex_lock(&publisher->lock);
    g_hash_table_remove(publisher->monitors, &number);
    g_mutex_unlock(&publisher->lock);
}

/* Queues the heartbeats that are due. Called with the lock held. */
static void monitors_run(RpcPublisher *publisher, gint64 now)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, publisher->monitors);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Monitor *monitor = value;
        if (monitor->next > now)
            continue;
        monitor->next = now + monitor->interval_us;
        if (monitor->under_way >= HEARTBEATS_BEHIND)
            continue;
        monitor->under_way++;
        RpcPublication *beat = rpc_publication_new(NULL, "", monitor->reply_queue, rpc_message_reply(monitor->msg_id, NULL, NULL, false));
        beat->mandatory = publisher->transport->options.direct_mandatory_flag;
        beat->monitor = monitor->number;
        g_queue_push_tail(&publisher->incoming, beat);
        publisher->outstanding++;
    }
}

/* --- reply queues that are gone --- */

static bool queue_is_dead(RpcPublisher *publisher, const char *queue)
{
    gint64 *since = g_hash_table_lookup(publisher->dead_queues, queue);
    if (since != NULL && g_get_monotonic_time() - *since > (gint64)DEAD_QUEUE_S * G_USEC_PER_SEC) {
        g_hash_table_remove(publisher->dead_queues, queue);
        since = NULL;
    }
    return since != NULL;
}

static void remember_dead(RpcPublisher *publisher, const char *queue)
{
    if (g_hash_table_size(publisher->dead_queues) >= DEAD_QUEUES_MAX) {
        GHashTableIter iter;
        gpointer key, value, oldest = NULL;
        gint64 oldest_time = G_MAXINT64;
        g_hash_table_iter_init(&iter, publisher->dead_queues);
        while (g_hash_table_iter_next(&iter, &key, &value))
            if (*(gint64 *)value < oldest_time) {
                oldest_time = *(gint64 *)value;
                oldest = key;
            }
        g_hash_table_remove(publisher->dead_queues, oldest);
    }
    gint64 *now = g_new(gint64, 1);
    *now = g_get_monotonic_time();
    g_hash_table_insert(publisher->dead_queues, g_strdup(queue), now);
}

/* A mandatory message came back: later again, or its queue counts as dead. Heartbeats are not tried again. */
static void handle_returned(RpcPublisher *publisher, RpcPublication *publication)
{
    gint64 now = g_get_monotonic_time();
    if (publication->retry_until == 0)
        publication->retry_until = now + (gint64)(publisher->transport->options.kombu_missing_consumer_retry_timeout * G_USEC_PER_SEC);
    if (publication->monitor != 0 || now >= publication->retry_until) {
        if (publication->monitor == 0)
            remember_dead(publisher, publication->routing_key);
        finish_new(publisher, publication, RPC_ERROR_RETURNED, "the reply queue does not exist");
        return;
    }
    publication->returned = false;
    publication->not_before = now + RETURN_RETRY_MS * 1000;
    g_ptr_array_add(publisher->delayed, publication);
}

/* --- sending --- */

/* Unconfirmed messages go back to the head of the queue, in order. */
static void requeue_unconfirmed(RpcPublisher *publisher)
{
    RpcPublication *publication;
    while ((publication = g_queue_pop_tail(&publisher->unconfirmed)) != NULL) {
        publication->returned = false;
        g_queue_push_head(&publisher->waiting, publication);
    }
    publisher->last_tag = 0;
}

/* A refusal closed the channel: confirm mode is off and tags start again. */
static bool after_reset(RpcPublisher *publisher, RpcLink *link, GError **error)
{
    requeue_unconfirmed(publisher);
    g_hash_table_remove_all(publisher->exchanges);
    return rpc_link_confirm_select(link, error);
}

/* Declares what a publication needs, once a connection. False with RPC_ERROR_DECLARE if the broker refuses it, else the link is broken. */
static bool declare_for(RpcPublisher *publisher, RpcLink *link, RpcPublication *publication, GError **error)
{
    if (publication->exchange_type == NULL)
        return true;
    const RpcOptions *options = &publisher->transport->options;
    g_autofree char *key = g_strconcat(publication->exchange_type, " ", publication->exchange, " ",
                                       publication->declare_queue ? publication->routing_key : "", NULL);
    if (g_hash_table_contains(publisher->exchanges, key))
        return true;
    RpcDeclared declared = {0};
    g_autoptr(GError) why = NULL;
    bool good = publication->declare_queue ? rpc_declare_queue(link, options, RPC_QUEUE_TOPIC, publication->exchange, publication->routing_key,
                                                               publication->routing_key, &declared, &why)
                                           : rpc_declare_exchange(link, options, publication->exchange, publication->exchange_type, &declared, &why);
    if (declared.note != NULL)
        rpc_connection_tell(publisher->connection, RPC_EVENT_DECLARE_FALLBACK, declared.note, NULL);
    g_free(declared.note);
    if (declared.channel_reset && !after_reset(publisher, link, error))
        return false;
    if (good)
        g_hash_table_add(publisher->exchanges, g_steal_pointer(&key));
    else
        g_propagate_error(error, g_steal_pointer(&why));
    return good;
}

/* Sends one message. Takes it in every case. False: the link is broken. */
static bool send_one(RpcPublisher *publisher, RpcLink *link, RpcPublication *publication, GError **error)
{
    if (publication->exchange_type == NULL && queue_is_dead(publisher, publication->routing_key)) {
        finish_new(publisher, publication, RPC_ERROR_RETURNED, "the reply queue does not exist");
        return true;
    }
    g_autoptr(GError) why = NULL;
    if (!declare_for(publisher, link, publication, &why)) {
        if (g_error_matches(why, RPC_ERROR, RPC_ERROR_DECLARE)) {
            finish(publisher, publication, why);
            return true;
        }
        g_queue_push_head(&publisher->waiting, publication);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    g_autofree char *expiration = publication->expiration_ms >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT, publication->expiration_ms) : NULL;
    const char *compressor = publisher->transport->options.kombu_compression;
    bool compress = compressor != NULL && *compressor != '\0';
    g_autoptr(GBytes) body = compress ? rpc_message_deflate(publication->body) : g_bytes_ref(publication->body);
    publication->tag = ++publisher->last_tag;
    g_queue_push_tail(&publisher->unconfirmed, publication);
    if (!rpc_link_publish(link, publication->exchange, publication->routing_key, body, expiration, compress ? "application/x-gzip" : NULL,
                          publication->mandatory, error))
        return false;
    rpc_connection_count(publisher->connection, 0, 1);
    return true;
}

/* Moves what came from other threads and what is due into the sending queue. */
static void collect(RpcPublisher *publisher, gint64 now)
{
    RpcPublication *publication;
    g_mutex_lock(&publisher->lock);
    monitors_run(publisher, now);
    while ((publication = g_queue_pop_head(&publisher->incoming)) != NULL)
        g_queue_push_tail(&publisher->waiting, publication);
    gsize outstanding = publisher->outstanding;
    g_mutex_unlock(&publisher->lock);
    rpc_connection_set_queued(publisher->connection, outstanding);
    for (guint i = publisher->delayed->len; i > 0; i--) {
        publication = g_ptr_array_index(publisher->delayed, i - 1);
        if (publication->not_before <= now)
            g_queue_push_tail(&publisher->waiting, g_ptr_array_steal_index(publisher->delayed, i - 1));
    }
}

/* Drops waiting messages whose time has come. */
static void expire(RpcPublisher *publisher, gint64 now, bool connected)
{
    for (GList *l = publisher->waiting.head, *next; l != NULL; l = next) {
        RpcPublication *publication = l->data;
        next = l->next;
        bool offline_drop = !connected && publication->droppable && publication->give_up == 0;
        if (!offline_drop && (publication->give_up <= 0 || publication->give_up > now))
            continue;
        g_queue_delete_link(&publisher->waiting, l);
        finish_new(publisher, publication, RPC_ERROR_TIMEOUT, "the message could not be handed to the broker in time");
    }
}

/* How many messages may be unconfirmed at a time. */
static guint window(RpcPublisher *publisher)
{
    const RpcPublication *next = g_queue_peek_head(&publisher->waiting), *sent = g_queue_peek_head(&publisher->unconfirmed);
    bool suspect = (next != NULL && next->refusals >= REFUSALS_SUSPECT) || (sent != NULL && sent->refusals >= REFUSALS_SUSPECT);
    return suspect ? 1 : WINDOW;
}

static bool publisher_run(RpcConnection *connection, RpcLink *link, gpointer data, GError **error)
{
    RpcPublisher *publisher = data;
    gint64 now = g_get_monotonic_time();
    collect(publisher, now);
    expire(publisher, now, link != NULL);
    while (link != NULL && publisher->waiting.length > 0 && publisher->unconfirmed.length < window(publisher) && !rpc_connection_is_blocked(connection))
        if (!send_one(publisher, link, g_queue_pop_head(&publisher->waiting), error))
            return false;
    return true;
}

static gint64 publisher_deadline(gpointer data)
{
    RpcPublisher *publisher = data;
    gint64 deadline = -1;
    for (GList *l = publisher->waiting.head; l != NULL; l = l->next) {
        RpcPublication *publication = l->data;
        if (publication->give_up > 0)
            deadline = rpc_earlier(deadline, publication->give_up);
    }
    for (guint i = 0; i < publisher->delayed->len; i++)
        deadline = rpc_earlier(deadline, ((RpcPublication *)g_ptr_array_index(publisher->delayed, i))->not_before);
    g_mutex_lock(&publisher->lock);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, publisher->monitors);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        deadline = rpc_earlier(deadline, ((Monitor *)value)->next);
    g_mutex_unlock(&publisher->lock);
    return deadline;
}

static bool publisher_setup(RpcConnection *connection, RpcLink *link, gpointer data, GError **error)
{
    RpcPublisher *publisher = data;
    publisher->last_tag = 0;
    g_hash_table_remove_all(publisher->exchanges);
    return rpc_link_confirm_select(link, error);
}

/* --- confirms and returns --- */

static void confirmed(RpcPublisher *publisher, RpcPublication *publication, bool ack)
{
    if (publication->returned)
        handle_returned(publisher, publication);
    else if (ack)
        finish(publisher, publication, NULL);
    else
        finish_new(publisher, publication, RPC_ERROR_NACK, "the broker could not take the message");
}

static void handle_confirm(RpcPublisher *publisher, const RpcLinkEvent *event)
{
    for (GList *l = publisher->unconfirmed.head, *next; l != NULL; l = next) {
        RpcPublication *publication = l->data;
        next = l->next;
        if (publication->tag > event->tag)
            return;
        if (publication->tag == event->tag || event->multiple) {
            g_queue_delete_link(&publisher->unconfirmed, l);
            confirmed(publisher, publication, event->ack);
        }
    }
}

/* Marks the message that came back: the return precedes its confirm. Its bytes identify it, since each message has an id of its own. */
static void handle_return(RpcPublisher *publisher, const RpcDelivery *delivery)
{
    for (GList *l = publisher->unconfirmed.head; l != NULL; l = l->next) {
        RpcPublication *publication = l->data;
        gsize size;
        gconstpointer bytes = g_bytes_get_data(publication->body, &size);
        bool same_key = publication->mandatory && !publication->returned && g_str_equal(publication->routing_key, delivery->routing_key);
        bool whole = delivery->compression == NULL && delivery->tail == NULL && delivery->body->len == delivery->body_size;
        if (same_key && (!whole || (size == delivery->body->len && memcmp(bytes, delivery->body->data, size) == 0))) {
            publication->returned = true;
            return;
        }
    }
}

static bool publisher_event(RpcConnection *connection, RpcLink *link, RpcLinkEvent *event, gpointer data, GError **error)
{
    RpcPublisher *publisher = data;
    if (event->kind == RPC_LINK_CONFIRM)
        handle_confirm(publisher, event);
    else if (event->delivery->returned)
        handle_return(publisher, event->delivery);
    return true;
}

/* The broker closes the channel over a message that it will never take (too large, for one). It does not say which, so the suspects are sent
 * one by one, and the one that is refused alone is given up: else it would be sent for ever. */
static void publisher_lost(gpointer data, const GError *error)
{
    RpcPublisher *publisher = data;
    bool refused = g_error_matches(error, RPC_ERROR, RPC_ERROR_DECLARE);
    for (GList *l = publisher->unconfirmed.head; refused && l != NULL; l = l->next)
        ((RpcPublication *)l->data)->refusals++;
    RpcPublication *first = g_queue_peek_head(&publisher->unconfirmed);
    if (refused && publisher->unconfirmed.length == 1 && first->refusals >= REFUSALS_MAX)
        finish(publisher, g_queue_pop_head(&publisher->unconfirmed), error);
    requeue_unconfirmed(publisher);
}

static const RpcConnectionOps publisher_ops = {
    .setup = publisher_setup,
    .run = publisher_run,
    .deadline = publisher_deadline,
    .event = publisher_event,
    .lost = publisher_lost,
};

RpcPublisher *rpc_publisher_new(RpcTransport *transport)
{
    RpcPublisher *publisher = g_new0(RpcPublisher, 1);
    publisher->transport = transport;
    publisher->delayed = g_ptr_array_new();
    publisher->exchanges = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    publisher->dead_queues = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    publisher->monitors = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, monitor_free);
    g_mutex_init(&publisher->lock);
    g_cond_init(&publisher->idle);
    publisher->connection = rpc_connection_new(transport, "publish", &publisher_ops, publisher);
    rpc_connection_launch(publisher->connection);
    return publisher;
}

void rpc_publisher_stop(RpcPublisher *publisher)
{
    rpc_connection_stop(publisher->connection);
    g_mutex_lock(&publisher->lock);
    publisher->stopped = true;
    g_hash_table_remove_all(publisher->monitors);
    g_mutex_unlock(&publisher->lock);
    collect(publisher, 0);
    requeue_unconfirmed(publisher);
    while (publisher->delayed->len > 0)
        g_queue_push_tail(&publisher->waiting, g_ptr_array_steal_index(publisher->delayed, 0));
    RpcPublication *publication;
    while ((publication = g_queue_pop_head(&publisher->waiting)) != NULL)
        finish_new(publisher, publication, RPC_ERROR_CLOSED, "the transport is being stopped");
}

void rpc_publisher_free(RpcPublisher *publisher)
{
    if (publisher == NULL)
        return;
    rpc_publisher_stop(publisher);
    rpc_connection_free(publisher->connection);
    g_ptr_array_unref(publisher->delayed);
    g_hash_table_unref(publisher->exchanges);
    g_hash_table_unref(publisher->dead_queues);
    g_hash_table_unref(publisher->monitors);
    g_mutex_clear(&publisher->lock);
    g_cond_clear(&publisher->idle);
    g_free(publisher);
}

RpcConnection *rpc_publisher_connection(RpcPublisher *publisher)
{
    return publisher->connection;
}
