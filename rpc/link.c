/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/link.h"

#include "rpc/error.h"
#include "rpc/link_private.h"

#include <amqp_framing.h>
#include <string.h>

enum {
    CLOSE_TIMEOUT_S = 2,  /* of the goodbye */
    TAIL_BYTES = 256 * 1024, /* kept of a body over the limit: its end has the ids to answer to */
};

int rpc_link_fd(const RpcLink *link)
{
    return amqp_get_sockfd(link->state);
}

int rpc_link_heartbeat(const RpcLink *link)
{
    return amqp_get_heartbeat(link->state);
}

amqp_connection_state_t rpc_link_state(RpcLink *link)
{
    return link->state;
}

void rpc_link_close(RpcLink *link)
{
    if (link == NULL)
        return;
    if (link->state != NULL && link->opened && !link->dead) {
        struct timeval timeout = {.tv_sec = CLOSE_TIMEOUT_S};
        amqp_set_rpc_timeout(link->state, &timeout);
        amqp_connection_close(link->state, AMQP_REPLY_SUCCESS);
    }
    if (link->state != NULL)
        amqp_destroy_connection(link->state);
    rpc_delivery_free(link->partial);
    g_free(link);
}

void rpc_delivery_free(RpcDelivery *delivery)
{
    if (delivery == NULL)
        return;
    g_free(delivery->consumer_tag);
    g_free(delivery->exchange);
    g_free(delivery->routing_key);
    g_free(delivery->compression);
    g_clear_pointer(&delivery->body, g_byte_array_unref);
    g_clear_pointer(&delivery->tail, g_byte_array_unref);
    g_free(delivery);
}

static char *bytes_dup(amqp_bytes_t bytes)
{
    return g_strndup(bytes.bytes ? bytes.bytes : "", bytes.len);
}

/* Sets the error of a channel.close or connection.close that the broker sent; answers it. Returns the AMQP reply code. */
static int refused(RpcLink *link, const amqp_method_t *method, const char *what, GError **error)
{
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = method->decoded;
        g_autofree char *text = bytes_dup(close->reply_text);
        amqp_channel_close_ok_t ok = {0};
        int code = close->reply_code;
        if (amqp_send_method(link->state, RPC_CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok) < 0)
            link->dead = true;
        g_set_error(error, RPC_ERROR, RPC_ERROR_DECLARE, "%s: the broker answered %d '%s'", what, code, text);
        return code;
    }
    link->dead = true;
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = method->decoded;
        g_autofree char *text = bytes_dup(close->reply_text);
        amqp_connection_close_ok_t ok = {0};
        amqp_send_method(link->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
        g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "%s: the broker closed the connection with %d '%s'", what, close->reply_code, text);
        return close->reply_code;
    }
    g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "%s: unexpected AMQP method 0x%08x", what, method->id);
    return 0;
}

bool rpc_link_check_status(RpcLink *link, int status, const char *what, GError **error)
{
    if (status >= 0)
        return true;
    link->dead = true;
    g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "%s: %s", what, amqp_error_string2(status));
    return false;
}

bool rpc_link_open_channel(RpcLink *link, GError **error)
{
    amqp_channel_open(link->state, RPC_CHANNEL);
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(link->state);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return true;
    link->dead = true;
    g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "opening the channel: %s",
                reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION ? amqp_error_string2(reply.library_error) : "the broker refused");
    return false;
}

bool rpc_link_check(RpcLink *link, const char *what, int *code, GError **error)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(link->state);
    if (code != NULL)
        *code = 0;
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return true;
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
        return rpc_link_check_status(link, reply.library_error < 0 ? reply.library_error : AMQP_STATUS_SOCKET_ERROR, what, error);
    int answered = refused(link, &reply.reply, what, error);
    if (code != NULL)
        *code = answered;
    if (!link->dead) {
        /* A refused method closes its channel. */
        g_clear_pointer(&link->partial, rpc_delivery_free);
        amqp_maybe_release_buffers(link->state);
        rpc_link_open_channel(link, NULL);
    }
    return false;
}

bool rpc_link_confirm_select(RpcLink *link, GError **error)
{
    amqp_confirm_select(link->state, RPC_CHANNEL);
    return rpc_link_check(link, "turning publisher confirms on", NULL, error);
}

bool rpc_link_publish(RpcLink *link, const char *exchange, const char *routing_key, GBytes *body, const char *expiration, const char *compression,
                      bool mandatory, GError **error)
{
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG |
                  AMQP_BASIC_HEADERS_FLAG,
        .content_type = amqp_cstring_bytes("application/json"),
        .content_encoding = amqp_cstring_bytes("utf-8"),
        .delivery_mode = 2,
        .priority = 0,
    };
    amqp_table_entry_t header = {.key = amqp_cstring_bytes("compression"), .value = {.kind = AMQP_FIELD_KIND_UTF8}};
    if (compression != NULL) {
        header.value.value.bytes = amqp_cstring_bytes(compression);
        properties.headers = (amqp_table_t){.num_entries = 1, .entries = &header};
    }
    if (expiration != NULL) {
        properties._flags |= AMQP_BASIC_EXPIRATION_FLAG;
        properties.expiration = amqp_cstring_bytes(expiration);
    }
    gsize size;
    gconstpointer data = g_bytes_get_data(body, &size);
    amqp_bytes_t bytes = {.len = size, .bytes = (void *)data};
    int status = amqp_basic_publish(link->state, RPC_CHANNEL, amqp_cstring_bytes(exchange), amqp_cstring_bytes(routing_key), mandatory, 0, &properties,
                                    bytes);
    return rpc_link_check_status(link, status, "publishing", error);
}

bool rpc_link_ack(RpcLink *link, guint64 tag, GError **error)
{
    return rpc_link_check_status(link, amqp_basic_ack(link->state, RPC_CHANNEL, tag, 0), "acknowledging", error);
}

/* Takes what the header frame says of a message. */
static void take_header(RpcDelivery *delivery, const amqp_frame_t *frame)
{
    const amqp_basic_properties_t *properties = frame->payload.properties.decoded;
    delivery->body_size = frame->payload.properties.body_size;
    delivery->body = g_byte_array_new();
    if (properties == NULL || !(properties->_flags & AMQP_BASIC_HEADERS_FLAG))
        return;
    for (int i = 0; i < properties->headers.num_entries; i++) {
        const amqp_table_entry_t *entry = &properties->headers.entries[i];
        g_autofree char *key = bytes_dup(entry->key);
        if (g_str_equal(key, "compression") && (entry->value.kind == AMQP_FIELD_KIND_UTF8 || entry->value.kind == AMQP_FIELD_KIND_BYTES)) {
            g_free(delivery->compression);
            delivery->compression = bytes_dup(entry->value.value.bytes);
        }
        if (g_str_equal(key, "x-stream-offset") && entry->value.kind == AMQP_FIELD_KIND_I64) {
            delivery->has_stream_offset = true;
            delivery->stream_offset = entry->value.value.i64;
        }
    }
}

/* Adds a body frame; of a body over the limit only the end is kept. */
static void take_body(RpcLink *link, RpcDelivery *delivery, amqp_bytes_t part, gsize max_body)
{
    link->partial_got += part.len;
    if (delivery->body_size <= max_body) {
        g_byte_array_append(delivery->body, part.bytes, (guint)part.len);
        return;
    }
    if (delivery->tail == NULL)
        delivery->tail = g_byte_array_new();
    g_byte_array_append(delivery->tail, part.bytes, (guint)part.len);
    if (delivery->tail->len > 2 * TAIL_BYTES)
        g_byte_array_remove_range(delivery->tail, 0, delivery->tail->len - TAIL_BYTES);
}

static RpcLinkEventKind lost(RpcLink *link, RpcLinkEvent *event, const char *why)
{
    link->dead = true;
    event->error = g_error_new(RPC_ERROR, RPC_ERROR_CONNECTION, "%s", why);
    return event->kind = RPC_LINK_LOST;
}

/* Starts collecting a message. */
static RpcDelivery *delivery_begin(const amqp_method_t *method)
{
    RpcDelivery *delivery = g_new0(RpcDelivery, 1);
    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        delivery->delivery_tag = deliver->delivery_tag;
        delivery->consumer_tag = bytes_dup(deliver->consumer_tag);
        delivery->exchange = bytes_dup(deliver->exchange);
        delivery->routing_key = bytes_dup(deliver->routing_key);
        delivery->redelivered = deliver->redelivered;
        return delivery;
    }
    const amqp_basic_return_t *returned = method->decoded;
    delivery->returned = true;
    delivery->reply_code = returned->reply_code;
    delivery->exchange = bytes_dup(returned->exchange);
    delivery->routing_key = bytes_dup(returned->routing_key);
    return delivery;
}

static RpcLinkEventKind take_method(RpcLink *link, const amqp_method_t *method, RpcLinkEvent *event)
{
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_RETURN_METHOD:
        rpc_delivery_free(link->partial);
        link->partial = delivery_begin(method);
        link->partial_got = 0;
        return event->kind = RPC_LINK_OTHER;
    case AMQP_BASIC_ACK_METHOD:
        event->tag = ((const amqp_basic_ack_t *)method->decoded)->delivery_tag;
        event->multiple = ((const amqp_basic_ack_t *)method->decoded)->multiple;
        event->ack = true;
        return event->kind = RPC_LINK_CONFIRM;
    case AMQP_BASIC_NACK_METHOD:
        event->tag = ((const amqp_basic_nack_t *)method->decoded)->delivery_tag;
        event->multiple = ((const amqp_basic_nack_t *)method->decoded)->multiple;
        return event->kind = RPC_LINK_CONFIRM;
    case AMQP_BASIC_CANCEL_METHOD:
        event->text = bytes_dup(((const amqp_basic_cancel_t *)method->decoded)->consumer_tag);
        return event->kind = RPC_LINK_CANCEL;
    case AMQP_CONNECTION_BLOCKED_METHOD:
        event->text = bytes_dup(((const amqp_connection_blocked_t *)method->decoded)->reason);
        return event->kind = RPC_LINK_BLOCKED;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        return event->kind = RPC_LINK_UNBLOCKED;
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
        refused(link, method, "broker", &event->error);
        link->dead = true;
        return event->kind = RPC_LINK_LOST;
    default:
        return event->kind = RPC_LINK_OTHER;
    }
}

/* Hands out the message if all of it is there. */
static RpcLinkEventKind delivery_end(RpcLink *link, RpcLinkEvent *event)
{
    if (link->partial == NULL || link->partial->body == NULL || link->partial_got < link->partial->body_size)
        return event->kind = RPC_LINK_OTHER;
    event->delivery = g_steal_pointer(&link->partial);
    return event->kind = RPC_LINK_DELIVERY;
}

RpcLinkEventKind rpc_link_read(RpcLink *link, gsize max_body, RpcLinkEvent *event)
{
    *event = (RpcLinkEvent){.kind = RPC_LINK_NONE};
    struct timeval now = {0};
    amqp_frame_t frame;
    int status = amqp_simple_wait_frame_noblock(link->state, &frame, &now);
    if (status == AMQP_STATUS_TIMEOUT)
        return RPC_LINK_NONE;
    if (status != AMQP_STATUS_OK)
        return lost(link, event, amqp_error_string2(status));
    RpcLinkEventKind kind = event->kind = RPC_LINK_OTHER;
    if (frame.frame_type == AMQP_FRAME_METHOD) {
        kind = take_method(link, &frame.payload.method, event);
    } else if (frame.frame_type == AMQP_FRAME_HEADER && link->partial != NULL && link->partial->body == NULL) {
        take_header(link->partial, &frame);
        kind = delivery_end(link, event);
    } else if (frame.frame_type == AMQP_FRAME_BODY && link->partial != NULL && link->partial->body != NULL) {
        take_body(link, link->partial, frame.payload.body_fragment, max_body);
        kind = delivery_end(link, event);
    }
    amqp_maybe_release_buffers(link->state);
    return kind;
}
