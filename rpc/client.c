/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/client.h"

#include "base/ids.h"
#include "rpc/error.h"
#include "rpc/exception.h"
#include "rpc/message.h"
#include "rpc/transport_private.h"

struct RpcClient {
    gatomicrefcount ref_count;
    RpcTransport *transport;
};

RpcClient *rpc_client_new(RpcTransport *transport)
{
    RpcClient *client = g_new0(RpcClient, 1);
    g_atomic_ref_count_init(&client->ref_count);
    client->transport = rpc_transport_ref(transport);
    return client;
}

RpcClient *rpc_client_ref(RpcClient *client)
{
    g_atomic_ref_count_inc(&client->ref_count);
    return client;
}

void rpc_client_unref(RpcClient *client)
{
    if (client == NULL || !g_atomic_ref_count_dec(&client->ref_count))
        return;
    rpc_transport_unref(client->transport);
    g_free(client);
}

/* The request's message (spec/rpc-wire.md section 3.1). Takes `args`. */
static NdJson *build_request(const RpcTarget *target, const RpcContext *context, const char *method, NdJson *args)
{
    NdJson *message = json_object_new_object();
    g_autofree char *unique_id = nd_uuid_new_hex();
    nd_json_set_string(message, "method", method);
    nd_json_set(message, "args", args ? args : json_object_new_object());
    if (target->version != NULL)
        nd_json_set_string(message, "version", target->version);
    if (target->name_space != NULL)
        nd_json_set_string(message, "namespace", target->name_space);
    nd_json_set_string(message, "_unique_id", unique_id);
    rpc_context_add_to_message(context, message, RPC_CONTEXT_FULL);
    return message;
}

/* Where a target's messages go. Takes `body`. */
static RpcPublication *publication_for(RpcClient *client, const RpcTarget *target, GBytes *body)
{
    if (target->fanout) {
        g_autofree char *exchange = g_strconcat(target->topic, "_fanout", NULL);
        return rpc_publication_new("fanout", exchange, "", body);
    }
    const char *exchange = target->exchange ? target->exchange : rpc_transport_options(client->transport)->control_exchange;
    g_autofree char *key = target->server ? g_strconcat(target->topic, ".", target->server, NULL) : g_strdup(target->topic);
    return rpc_publication_new("topic", exchange, key, body);
}

/* --- calls --- */

typedef struct {
    RpcReplies *replies;
    char *msg_id;
} SentCall;

static void call_sent(const GError *error, gpointer data)
{
    SentCall *sent = data;
    if (error != NULL)
        rpc_replies_fail(sent->replies, sent->msg_id, error);
    g_free(sent->msg_id);
    g_free(sent);
}

/* Takes the result or failure out of a reply, which it takes. */
static bool decode_reply(NdJson *reply, NdJson **result, GError **error)
{
    g_autoptr(NdJson) owned = reply;
    NdJson *failure = nd_json_member(owned, "failure");
    if (failure != NULL) {
        if (json_object_is_type(failure, json_type_string))
            return rpc_failure_decode(json_object_get_string(failure), error);
        g_autofree char *text = nd_json_to_string(failure);
        return rpc_failure_decode(text, error);
    }
    if (result != NULL)
        *result = json_object_get(nd_json_member(owned, "result"));
    return true;
}

/* Sends the call and waits; *reply is the whole reply message. */
static bool call_and_wait(RpcClient *client, const RpcTarget *target, NdJson *message, gint64 timeout_us, gint64 monitor_us, NdJson **reply,
                          GError **error)
{
    gint64 until = g_get_monotonic_time() + timeout_us;
    RpcReplies *replies = rpc_transport_replies(client->transport, error);
    RpcPublisher *publisher = replies ? rpc_transport_publisher(client->transport, error) : NULL;
    if (publisher == NULL || !rpc_replies_wait_ready(replies, until, error))
        return false;
    g_autofree char *msg_id = nd_uuid_new_hex();
    nd_json_set_string(message, "_msg_id", msg_id);
    nd_json_set_string(message, "_reply_q", rpc_replies_queue(replies));
    nd_json_set(message, "_timeout", monitor_us > 0 ? json_object_new_int64(monitor_us / G_USEC_PER_SEC) : NULL);
    RpcPublication *publication = publication_for(client, target, rpc_message_encode(message));
    publication->expiration_ms = timeout_us / 1000;
    publication->give_up = until;
    publication->done = call_sent;
    SentCall *sent = g_new(SentCall, 1);
    *sent = (SentCall){replies, g_strdup(msg_id)};
    publication->data = sent;
    RpcWaiter *waiter = rpc_replies_add(replies, msg_id);
    rpc_publisher_send(publisher, publication);
    bool good = rpc_replies_wait(replies, waiter, until, monitor_us, reply, error);
    rpc_replies_remove(replies, waiter);
    return good;
}

bool rpc_client_call(RpcClient *client, const RpcTarget *target, const RpcContext *context, const char *method, NdJson *args,
                     const RpcCallOptions *options, NdJson **result, GError **error)
{
    g_autoptr(NdJson) message = build_request(target, context, method, args);
    double seconds = options != NULL && options->timeout_s > 0 ? options->timeout_s : rpc_transport_options(client->transport)->rpc_response_timeout;
    double monitor = options != NULL ? options->call_monitor_s : 0;
    NdJson *reply = NULL;
    if (!call_and_wait(client, target, message, (gint64)(seconds * G_USEC_PER_SEC), (gint64)(monitor * G_USEC_PER_SEC), &reply, error)) {
        g_prefix_error(error, "call of '%s' to '%s%s%s': ", method, target->topic, target->server ? "." : "", target->server ? target->server : "");
        return false;
    }
    return decode_reply(reply, result, error);
}

/* --- casts --- */

/* Shared by the caller and the publisher's thread; either may be the last to leave. */
typedef struct {
    gatomicrefcount ref_count;
    GMutex lock;
    GCond changed;
    bool done;
    GError *error;
} CastWait;

static void cast_wait_unref(CastWait *wait)
{
    if (!g_atomic_ref_count_dec(&wait->ref_count))
        return;
    g_mutex_clear(&wait->lock);
    g_cond_clear(&wait->changed);
    g_clear_error(&wait->error);
    g_free(wait);
}

static void cast_sent(const GError *error, gpointer data)
{
    CastWait *wait = data;
    g_mutex_lock(&wait->lock);
    wait->done = true;
    wait->error = error ? g_error_copy(error) : NULL;
    g_cond_signal(&wait->changed);
    g_mutex_unlock(&wait->lock);
    cast_wait_unref(wait);
}

bool rpc_client_cast(RpcClient *client, const RpcTarget *target, const RpcContext *context, const char *method, NdJson *args,
                     const RpcCallOptions *options, GError **error)
{
    g_autoptr(NdJson) message = build_request(target, context, method, args);
    RpcPublisher *publisher = rpc_transport_publisher(client->transport, error);
    if (publisher == NULL)
        return false;
    bool limited = options != NULL && options->timeout_s > 0;
    gint64 until = limited ? g_get_monotonic_time() + (gint64)(options->timeout_s * G_USEC_PER_SEC) : -1;
    CastWait *wait = g_new0(CastWait, 1);
    g_atomic_ref_count_init(&wait->ref_count);
    g_atomic_ref_count_inc(&wait->ref_count);
    g_mutex_init(&wait->lock);
    g_cond_init(&wait->changed);
    RpcPublication *publication = publication_for(client, target, rpc_message_encode(message));
    publication->give_up = until;
    publication->done = cast_sent;
    publication->data = wait;
    rpc_publisher_send(publisher, publication);
    g_mutex_lock(&wait->lock);
    while (!wait->done) {
        if (!limited)
            g_cond_wait(&wait->changed, &wait->lock);
        else if (!g_cond_wait_until(&wait->changed, &wait->lock, until))
            break;
    }
    bool done = wait->done;
    GError *failed = g_steal_pointer(&wait->error);
    g_mutex_unlock(&wait->lock);
    cast_wait_unref(wait);
    if (!done)
        g_set_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT, "cast of '%s' to '%s': the broker did not take it in time", method, target->topic);
    else if (failed != NULL)
        g_propagate_prefixed_error(error, failed, "cast of '%s' to '%s': ", method, target->topic);
    return done && failed == NULL;
}

void rpc_client_cast_async(RpcClient *client, const RpcTarget *target, const RpcContext *context, const char *method, NdJson *args)
{
    g_autoptr(NdJson) message = build_request(target, context, method, args);
    RpcPublisher *publisher = rpc_transport_publisher(client->transport, NULL);
    if (publisher == NULL)
        return;
    RpcPublication *publication = publication_for(client, target, rpc_message_encode(message));
    publication->droppable = true;
    rpc_publisher_send(publisher, publication);
}
