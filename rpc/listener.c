/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/listener.h"

#include "rpc/connection.h"
#include "rpc/dispatch.h"
#include "rpc/error.h"
#include "rpc/exception.h"
#include "rpc/message.h"
#include "rpc/request.h"
#include "rpc/topology.h"
#include "rpc/transport_private.h"

#include <string.h>

/* Of _unique_id, for dropping copies. Upstream remembers 16 (spec/rpc-wire.md section 4.3); a publisher of ours alone may send 256 again. */
enum { REMEMBERED_IDS = 256 };

/* Consumer tags, one a queue. */
#define TAG_TOPIC "1"
#define TAG_SERVER "2"
#define TAG_FANOUT "3"

struct RpcListener {
    RpcTransport *transport;
    const RpcServerOptions *options;
    RpcConnection *connection;
    char *topic, *server_queue, *fanout_exchange, *fanout_queue;
    /* the thread's own */
    char *seen[REMEMBERED_IDS]; /* ring of _unique_id */
    guint seen_next;
    gint64 stream_offset; /* of the next fanout message of a stream, -1 = last */
    /* shared */
    GMutex lock;
    GCond changed;
    bool ready, stopped;
};

static const char *const ping_args[] = {"arg", NULL}, *const no_args[] = {NULL};
static const RpcMethod baseapi_methods[] = {{"ping", ping_args}, {"get_backdoor_port", no_args}};
static const RpcMethod oslo_methods[] = {{"oslo_rpc_server_ping", NULL}};
static const RpcEndpoint own_endpoints[] = {
    {"baseapi", "1.1", baseapi_methods, G_N_ELEMENTS(baseapi_methods)},
    {NULL, "1.0", oslo_methods, G_N_ELEMENTS(oslo_methods)},
};

/* Declares one queue of the topic and takes note of what had to give way. */
static bool declare(RpcListener *listener, RpcLink *link, RpcQueueKind kind, const char *exchange, const char *queue, const char *key, GError **error)
{
    RpcDeclared declared = {0};
    bool good = rpc_declare_queue(link, &listener->transport->options, kind, exchange, queue, key, &declared, error);
    if (declared.note != NULL)
        rpc_connection_tell(listener->connection, RPC_EVENT_DECLARE_FALLBACK, declared.note, NULL);
    g_free(declared.note);
    return good;
}

static bool listener_setup(RpcConnection *connection, RpcLink *link, gpointer data, GError **error)
{
    RpcListener *listener = data;
    const RpcOptions *options = &listener->transport->options;
    const char *exchange = options->control_exchange;
    /* All declarations first: a refusal on the way closes the channel and with it the consumers. */
    bool good = declare(listener, link, RPC_QUEUE_TOPIC, exchange, listener->topic, listener->topic, error) &&
                declare(listener, link, RPC_QUEUE_TOPIC, exchange, listener->server_queue, listener->server_queue, error) &&
                declare(listener, link, RPC_QUEUE_FANOUT, listener->fanout_exchange, listener->fanout_queue, listener->topic, error) &&
                rpc_set_prefetch(link, options, error) && rpc_consume(link, options, RPC_QUEUE_TOPIC, listener->topic, TAG_TOPIC, -1, error) &&
                rpc_consume(link, options, RPC_QUEUE_TOPIC, listener->server_queue, TAG_SERVER, -1, error) &&
                rpc_consume(link, options, RPC_QUEUE_FANOUT, listener->fanout_queue, TAG_FANOUT, listener->stream_offset, error);
    if (!good)
        return false;
    g_mutex_lock(&listener->lock);
    listener->ready = true;
    g_cond_broadcast(&listener->changed);
    g_mutex_unlock(&listener->lock);
    return true;
}

static void listener_lost(gpointer data, const GError *error)
{
    RpcListener *listener = data;
    /* After a cancel by the broker a stream is read from its end again, as upstream does. */
    if (error != NULL && strstr(error->message, "cancelled consumer") != NULL)
        listener->stream_offset = -1;
    g_mutex_lock(&listener->lock);
    listener->ready = false;
    g_mutex_unlock(&listener->lock);
}

static void listener_closing(RpcLink *link, gpointer data)
{
    RpcListener *listener = data;
    const RpcOptions *options = &listener->transport->options;
    if (!options->use_queue_manager && !options->rabbit_stream_fanout)
        rpc_delete_queue(link, listener->fanout_queue);
}

static bool listener_run(RpcConnection *connection, RpcLink *link, gpointer data, GError **error)
{
    return true;
}

static gint64 listener_deadline(gpointer data)
{
    return -1;
}

/* True if the id was seen lately; else remembers it. */
static bool is_duplicate(RpcListener *listener, const char *unique_id)
{
    if (unique_id == NULL)
        return false;
    for (guint i = 0; i < REMEMBERED_IDS; i++)
        if (g_strcmp0(listener->seen[i], unique_id) == 0)
            return true;
    g_free(listener->seen[listener->seen_next]);
    listener->seen[listener->seen_next] = g_strdup(unique_id);
    listener->seen_next = (listener->seen_next + 1) % REMEMBERED_IDS;
    return false;
}

void rpc_listener_remember(RpcListener *listener, const char *unique_id)
{
    is_duplicate(listener, unique_id);
}

/* Forgets the id that was remembered last: its message was not acknowledged and comes again. */
static void forget_last(RpcListener *listener)
{
    listener->seen_next = (listener->seen_next + REMEMBERED_IDS - 1) % REMEMBERED_IDS;
    g_clear_pointer(&listener->seen[listener->seen_next], g_free);
}

/* Answers the methods that the server serves itself. False: not one of them. */
static bool serve_own(RpcListener *listener, RpcRequest *request)
{
    bool is_oslo = rpc_request_namespace(request) == NULL;
    if (is_oslo && !listener->options->rpc_ping_enabled)
        return false;
    const RpcMethod *method = rpc_dispatch_find(own_endpoints, G_N_ELEMENTS(own_endpoints), rpc_request_namespace(request), rpc_request_version(request),
                                                rpc_request_method(request), NULL, NULL);
    g_autoptr(GError) error = NULL;
    if (method == NULL)
        return false;
    if (!rpc_dispatch_check_args(method, rpc_request_args(request), &error)) {
        rpc_request_fail(request, error);
        return true;
    }
    NdJson *result = NULL;
    if (is_oslo) {
        result = json_object_new_string("pong");
    } else if (g_str_equal(method->name, "ping")) {
        result = json_object_new_object();
        nd_json_set_string(result, "service", listener->options->service);
        nd_json_set(result, "arg", json_object_get(nd_json_member(rpc_request_args(request), "arg")));
    }
    rpc_request_reply(request, result);
    return true;
}

/* Checks endpoint, version, method and arguments. */
static bool check_request(RpcListener *listener, RpcRequest *request, GError **error)
{
    const RpcServerOptions *options = listener->options;
    const RpcMethod *method;
    if (g_strcmp0(rpc_request_namespace(request), "baseapi") == 0)
        method = rpc_dispatch_find(own_endpoints, 1, "baseapi", rpc_request_version(request), rpc_request_method(request), NULL, error);
    else
        method = rpc_dispatch_find(options->endpoints, options->n_endpoints, rpc_request_namespace(request), rpc_request_version(request),
                                   rpc_request_method(request), NULL, error);
    return method != NULL && rpc_dispatch_check_args(method, rpc_request_args(request), error);
}

static void tell_dropped(RpcListener *listener, const GError *error)
{
    rpc_connection_tell(listener->connection, RPC_EVENT_MESSAGE_DROPPED, NULL, error);
}

/* A body that cannot be read: its sender is told if the ids to answer to can be found. */
static void refuse_body(RpcListener *listener, const RpcDelivery *delivery, const GError *error)
{
    const GByteArray *bytes = delivery->tail ? delivery->tail : delivery->body;
    g_auto(RpcReplyTo) reply_to = {0};
    reply_to.msg_id = rpc_message_scan(bytes->data, bytes->len, "_msg_id");
    reply_to.reply_queue = rpc_message_scan(bytes->data, bytes->len, "_reply_q");
    if (reply_to.reply_queue != NULL && !g_str_has_prefix(reply_to.reply_queue, "reply_"))
        g_clear_pointer(&reply_to.reply_queue, g_free);
    rpc_reply_failure(listener->transport, &reply_to, error);
    tell_dropped(listener, error);
}

/* Reads the body. NULL: it was refused. */
static RpcRequest *read_request(RpcListener *listener, const RpcDelivery *delivery)
{
    const RpcOptions *options = &listener->transport->options;
    g_autoptr(GError) error = NULL;
    NdJson *message = NULL;
    if (delivery->tail != NULL) {
        error = g_error_new(RPC_ERROR, RPC_ERROR_LIMIT, "message of %" G_GUINT64_FORMAT " bytes is over the limit of %" G_GSIZE_FORMAT " bytes",
                            delivery->body_size, options->max_body);
        refuse_body(listener, delivery, error);
        return NULL;
    }
    if (!rpc_message_decode(delivery->body->data, delivery->body->len, delivery->compression, options->max_body, &message, &error)) {
        refuse_body(listener, delivery, error);
        return NULL;
    }
    g_auto(RpcReplyTo) reply_to = {0};
    RpcRequest *request = rpc_request_new(listener->transport, listener->topic, message, &reply_to, &error);
    if (request == NULL) {
        rpc_reply_failure(listener->transport, &reply_to, error);
        tell_dropped(listener, error);
    }
    return request;
}

/* What to do with a request once it is acknowledged. */
typedef enum { TO_DROP, TO_ANSWER, TO_DISPATCH } Verdict;

/* Everything up to the acknowledgement. *failure is what the caller gets for TO_ANSWER; NULL: it was answered already. */
static Verdict judge(RpcListener *listener, RpcRequest *request, GError **failure)
{
    if (is_duplicate(listener, rpc_request_unique_id(request))) {
        g_autoptr(GError) error =
            g_error_new(RPC_ERROR, RPC_ERROR_MESSAGE, "message '%s' (%s) came again", rpc_request_unique_id(request), rpc_request_method(request));
        tell_dropped(listener, error);
        /* Only the first copy is answered. */
        return TO_DROP;
    }
    if (serve_own(listener, request))
        return TO_ANSWER;
    if (!check_request(listener, request, failure))
        return TO_ANSWER;
    if (listener->options->accept != NULL && !listener->options->accept(request, listener->options->user_data, failure))
        return TO_ANSWER;
    return TO_DISPATCH;
}

static bool listener_event(RpcConnection *connection, RpcLink *link, RpcLinkEvent *event, gpointer data, GError **error)
{
    RpcListener *listener = data;
    RpcDelivery *delivery = event->delivery;
    if (event->kind != RPC_LINK_DELIVERY || delivery->returned)
        return true;
    rpc_connection_count(connection, 1, 0);
    if (delivery->has_stream_offset && g_str_equal(delivery->consumer_tag, TAG_FANOUT))
        listener->stream_offset = delivery->stream_offset + 1;
    g_autoptr(RpcRequest) request = read_request(listener, delivery);
    g_autoptr(GError) failure = NULL;
    Verdict verdict = request ? judge(listener, request, &failure) : TO_DROP;
    /* A request whose acknowledgement cannot be sent comes again: it must not run twice. */
    bool acked = rpc_link_ack(link, delivery->delivery_tag, error);
    if (request == NULL)
        return acked;
    if (!acked || verdict == TO_DROP) {
        if (verdict != TO_DROP && rpc_request_unique_id(request) != NULL)
            forget_last(listener);
        rpc_request_discard(request);
        return acked;
    }
    if (verdict == TO_DISPATCH) {
        rpc_request_start_monitor(request);
        listener->options->dispatch(g_steal_pointer(&request), listener->options->user_data);
    } else if (failure != NULL) {
        rpc_request_fail(request, failure);
        tell_dropped(listener, failure);
    }
    return true;
}

static const RpcConnectionOps listener_ops = {
    .setup = listener_setup,
    .run = listener_run,
    .deadline = listener_deadline,
    .event = listener_event,
    .lost = listener_lost,
    .closing = listener_closing,
};

RpcListener *rpc_listener_new(RpcTransport *transport, const char *topic, const RpcServerOptions *options, GError **error)
{
    g_autofree char *exchange = g_strconcat(topic, "_fanout", NULL);
    bool stream = transport->options.rabbit_stream_fanout;
    g_autofree char *queue = stream ? g_strdup(exchange) : rpc_queue_name(&transport->options, exchange, error);
    if (queue == NULL)
        return NULL;
    RpcListener *listener = g_new0(RpcListener, 1);
    listener->transport = rpc_transport_ref(transport);
    listener->options = options;
    listener->topic = g_strdup(topic);
    listener->server_queue = g_strconcat(topic, ".", options->server_name, NULL);
    listener->fanout_exchange = g_steal_pointer(&exchange);
    listener->fanout_queue = g_steal_pointer(&queue);
    listener->stream_offset = -1;
    g_mutex_init(&listener->lock);
    g_cond_init(&listener->changed);
    listener->connection = rpc_connection_new(transport, topic, &listener_ops, listener);
    rpc_transport_add_listener(transport, listener->connection);
    return listener;
}

void rpc_listener_start(RpcListener *listener)
{
    rpc_connection_launch(listener->connection);
}

bool rpc_listener_wait(RpcListener *listener, gint64 until, GError **error)
{
    g_mutex_lock(&listener->lock);
    while (!listener->ready && !listener->stopped) {
        if (until < 0)
            g_cond_wait(&listener->changed, &listener->lock);
        else if (!g_cond_wait_until(&listener->changed, &listener->lock, until))
            break;
    }
    bool ready = listener->ready, stopped = listener->stopped;
    g_mutex_unlock(&listener->lock);
    if (stopped)
        g_set_error(error, RPC_ERROR, RPC_ERROR_CLOSED, "the server of topic '%s' is being stopped", listener->topic);
    else if (!ready)
        g_set_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT, "the queues of topic '%s' could not be consumed in time", listener->topic);
    return ready && !stopped;
}

void rpc_listener_stop(RpcListener *listener)
{
    g_mutex_lock(&listener->lock);
    listener->stopped = true;
    g_cond_broadcast(&listener->changed);
    g_mutex_unlock(&listener->lock);
    rpc_connection_stop(listener->connection);
}

void rpc_listener_free(RpcListener *listener)
{
    if (listener == NULL)
        return;
    rpc_listener_stop(listener);
    rpc_transport_remove_listener(listener->transport, listener->connection);
    rpc_connection_free(listener->connection);
    for (guint i = 0; i < REMEMBERED_IDS; i++)
        g_free(listener->seen[i]);
    rpc_transport_unref(listener->transport);
    g_free(listener->topic);
    g_free(listener->server_queue);
    g_free(listener->fanout_exchange);
    g_free(listener->fanout_queue);
    g_mutex_clear(&listener->lock);
    g_cond_clear(&listener->changed);
    g_free(listener);
}

const char *rpc_listener_topic(const RpcListener *listener)
{
    return listener->topic;
}
