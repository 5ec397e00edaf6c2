/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/request.h"

#include "rpc/error.h"
#include "rpc/exception.h"
#include "rpc/message.h"
#include "rpc/transport_private.h"

struct RpcRequest {
    gatomicrefcount ref_count;
    RpcTransport *transport;
    char *topic, *method, *name_space, *version, *unique_id;
    RpcReplyTo reply_to;
    RpcContext *context;
    NdJson *args;
    gint64 received_at;
    gint answered; /* atomic: 1 once reply or fail was called */
    guint64 monitor;
    gpointer data; /* the accept function's, for the dispatch function */
    GDestroyNotify free_data;
};

void rpc_reply_to_clear(RpcReplyTo *reply_to)
{
    g_clear_pointer(&reply_to->msg_id, g_free);
    g_clear_pointer(&reply_to->reply_queue, g_free);
}

/* Reads who waits for the answer. A call needs both keys. */
static bool read_reply_to(NdJson *message, RpcReplyTo *reply_to, GError **error)
{
    const char *msg_id, *queue;
    if (!nd_json_get_string_opt(message, "_msg_id", NULL, &msg_id, error) || !nd_json_get_string_opt(message, "_reply_q", NULL, &queue, error))
        return false;
    if (msg_id == NULL || queue == NULL)
        return true;
    reply_to->msg_id = g_strdup(msg_id);
    reply_to->reply_queue = g_strdup(queue);
    NdJson *timeout = nd_json_member(message, "_timeout");
    if (json_object_is_type(timeout, json_type_int) || json_object_is_type(timeout, json_type_double))
        reply_to->monitor_s = json_object_get_double(timeout);
    return true;
}

static bool read_strings(NdJson *message, RpcRequest *request, GError **error)
{
    const char *method, *name_space, *version, *unique_id;
    if (!nd_json_get_string(message, "method", &method, error) || !nd_json_get_string_opt(message, "namespace", NULL, &name_space, error) ||
        !nd_json_get_string_opt(message, "version", "1.0", &version, error) ||
        !nd_json_get_string_opt(message, "_unique_id", NULL, &unique_id, error))
        return false;
    request->method = g_strdup(method);
    request->name_space = g_strdup(name_space);
    request->version = g_strdup(version);
    request->unique_id = g_strdup(unique_id);
    return true;
}

RpcRequest *rpc_request_new(RpcTransport *transport, const char *topic, NdJson *message, RpcReplyTo *reply_to, GError **error)
{
    g_autoptr(NdJson) owned = message;
    g_autoptr(RpcRequest) request = g_new0(RpcRequest, 1);
    g_autoptr(GError) why = NULL;
    g_atomic_ref_count_init(&request->ref_count);
    /* Until it is complete nobody must be answered by its end. */
    request->answered = 1;
    request->transport = rpc_transport_ref(transport);
    request->topic = g_strdup(topic);
    request->received_at = g_get_monotonic_time();
    NdJson *args = nd_json_member(owned, "args");
    bool good = read_reply_to(owned, reply_to, &why) && read_strings(owned, request, &why);
    if (good && args != NULL && !json_object_is_type(args, json_type_object)) {
        g_set_error(&why, RPC_ERROR, RPC_ERROR_MESSAGE, "'args' is no object");
        good = false;
    }
    if (good)
        request->context = rpc_context_from_message(owned, &why);
    if (request->context == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "request: %s", why->message);
        return NULL;
    }
    request->args = args ? json_object_get(args) : json_object_new_object();
    request->reply_to = *reply_to;
    *reply_to = (RpcReplyTo){0};
    request->answered = 0;
    return g_steal_pointer(&request);
}

RpcRequest *rpc_request_ref(RpcRequest *request)
{
    g_atomic_ref_count_inc(&request->ref_count);
    return request;
}

void rpc_request_unref(RpcRequest *request)
{
    if (request == NULL || !g_atomic_ref_count_dec(&request->ref_count))
        return;
    if (!g_atomic_int_get(&request->answered)) {
        g_autoptr(GError) error = NULL;
        nova_exception_set(&error, NOVA_EXC_INTERNAL_ERROR, "err", "the request ended without an answer", NULL);
        rpc_request_fail(request, error);
    }
    rpc_transport_unref(request->transport);
    g_free(request->topic);
    g_free(request->method);
    g_free(request->name_space);
    g_free(request->version);
    g_free(request->unique_id);
    rpc_reply_to_clear(&request->reply_to);
    rpc_context_unref(request->context);
    json_object_put(request->args);
    if (request->data != NULL && request->free_data != NULL)
        request->free_data(request->data);
    g_free(request);
}

void rpc_request_set_data(RpcRequest *request, gpointer data, GDestroyNotify free_data)
{
    request->data = data;
    request->free_data = free_data;
}

gpointer rpc_request_steal_data(RpcRequest *request)
{
    return g_steal_pointer(&request->data);
}

const char *rpc_request_method(const RpcRequest *request)
{
    return request->method;
}

const char *rpc_request_namespace(const RpcRequest *request)
{
    return request->name_space;
}

const char *rpc_request_version(const RpcRequest *request)
{
    return request->version;
}

const char *rpc_request_topic(const RpcRequest *request)
{
    return request->topic;
}

const char *rpc_request_unique_id(const RpcRequest *request)
{
    return request->unique_id;
}

RpcContext *rpc_request_context(const RpcRequest *request)
{
    return request->context;
}

NdJson *rpc_request_args(const RpcRequest *request)
{
    return request->args;
}

void rpc_request_free_args(RpcRequest *request)
{
    g_clear_pointer(&request->args, json_object_put);
}

bool rpc_request_is_call(const RpcRequest *request)
{
    return request->reply_to.msg_id != NULL;
}

gint64 rpc_request_received_at(const RpcRequest *request)
{
    return request->received_at;
}

/* Hands a finished reply body to the publisher. */
static void send_reply(RpcTransport *transport, const RpcReplyTo *reply_to, GBytes *body)
{
    RpcPublisher *publisher = rpc_transport_publisher(transport, NULL);
    if (publisher == NULL) {
        g_bytes_unref(body);
        return;
    }
    RpcPublication *publication = rpc_publication_new(NULL, "", reply_to->reply_queue, body);
    publication->mandatory = rpc_transport_options(transport)->direct_mandatory_flag;
    rpc_publisher_send(publisher, publication);
}

void rpc_request_start_monitor(RpcRequest *request)
{
    gint64 interval_us = (gint64)(request->reply_to.monitor_s * G_USEC_PER_SEC / 2);
    if (!rpc_request_is_call(request) || interval_us < G_USEC_PER_SEC)
        return;
    RpcPublisher *publisher = rpc_transport_publisher(request->transport, NULL);
    if (publisher != NULL)
        request->monitor = rpc_publisher_monitor_start(publisher, request->reply_to.reply_queue, request->reply_to.msg_id, interval_us);
}

/* True for the first answer, which it prepares for. */
static bool begin_answer(RpcRequest *request)
{
    if (!g_atomic_int_compare_and_exchange(&request->answered, 0, 1))
        return false;
    RpcPublisher *publisher = request->monitor != 0 ? rpc_transport_publisher(request->transport, NULL) : NULL;
    if (publisher != NULL)
        rpc_publisher_monitor_stop(publisher, request->monitor);
    return true;
}

void rpc_request_discard(RpcRequest *request)
{
    begin_answer(request);
}

bool rpc_request_reply(RpcRequest *request, NdJson *result)
{
    if (!begin_answer(request)) {
        json_object_put(result);
        return false;
    }
    if (rpc_request_is_call(request))
        send_reply(request->transport, &request->reply_to, rpc_message_reply(request->reply_to.msg_id, result, NULL, true));
    else
        json_object_put(result);
    return true;
}

bool rpc_request_fail(RpcRequest *request, const GError *error)
{
    if (!begin_answer(request))
        return false;
    if (rpc_request_is_call(request))
        rpc_reply_failure(request->transport, &request->reply_to, error);
    return true;
}

void rpc_reply_failure(RpcTransport *transport, const RpcReplyTo *reply_to, const GError *error)
{
    if (reply_to->msg_id == NULL || reply_to->reply_queue == NULL)
        return;
    g_autofree char *failure = rpc_failure_encode(error);
    send_reply(transport, reply_to, rpc_message_reply(reply_to->msg_id, NULL, failure, true));
}
