/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/fake_broker_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One client of the fake broker: frames in, frames out. Runs in a thread of its own; the broker's lock is held while a frame is handled. */

enum { FRAME_END = 0xCE, FRAME_MAX = 131072, IDLE_MS = 50 };

static void put16(guint8 *at, guint value)
{
    at[0] = (guint8)(value >> 8);
    at[1] = (guint8)value;
}

static void put32(guint8 *at, guint32 value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xFFFF);
}

static guint32 get32(const guint8 *at)
{
    return (guint32)at[0] << 24 | (guint32)at[1] << 16 | (guint32)at[2] << 8 | at[3];
}

static guint64 get64(const guint8 *at)
{
    return (guint64)get32(at) << 32 | get32(at + 4);
}

void fake_client_send_raw(FakeClient *client, const void *bytes, gsize length)
{
    g_mutex_lock(&client->write_lock);
    for (gsize sent = 0; sent < length && !client->gone;) {
        ssize_t n = send(client->fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
        if (n <= 0)
            client->gone = true;
        else
            sent += (gsize)n;
    }
    client->last_sent = g_get_monotonic_time();
    g_mutex_unlock(&client->write_lock);
}

static void send_frame(FakeClient *client, guint8 type, int channel, const void *payload, gsize length)
{
    g_autofree guint8 *frame = g_malloc(length + 8);
    frame[0] = type;
    put16(frame + 1, (guint)channel);
    put32(frame + 3, (guint32)length);
    if (length > 0)
        memcpy(frame + 7, payload, length);
    frame[7 + length] = FRAME_END;
    fake_client_send_raw(client, frame, length + 8);
}

void fake_client_send_method(FakeClient *client, int channel, amqp_method_number_t id, void *method)
{
    guint8 payload[8192];
    put32(payload, id);
    int size = amqp_encode_method(id, method, (amqp_bytes_t){.len = sizeof payload - 4, .bytes = payload + 4});
    if (size < 0)
        g_error("method 0x%08x cannot be encoded", id);
    send_frame(client, AMQP_FRAME_METHOD, channel, payload, (gsize)size + 4);
}

static void send_content(FakeClient *client, const FakeMessage *message)
{
    gsize length = g_bytes_get_size(message->body), properties = g_bytes_get_size(message->properties);
    const guint8 *body = g_bytes_get_data(message->body, NULL);
    g_autofree guint8 *header = g_malloc(12 + properties);
    put16(header, AMQP_BASIC_CLASS);
    put16(header + 2, 0);
    put32(header + 4, (guint32)((guint64)length >> 32));
    put32(header + 8, (guint32)length);
    memcpy(header + 12, g_bytes_get_data(message->properties, NULL), properties);
    send_frame(client, AMQP_FRAME_HEADER, 1, header, 12 + properties);
    for (gsize at = 0; at < length;) {
        gsize part = MIN(length - at, (gsize)FRAME_MAX - 8);
        send_frame(client, AMQP_FRAME_BODY, 1, body + at, part);
        at += part;
    }
}

void fake_broker_deliver(FakeBroker *broker, FakeQueue *queue)
{
    FakeMessage *message;
    while (queue->consumer != NULL && (message = g_queue_pop_head(&queue->messages)) != NULL) {
        FakeClient *client = queue->consumer;
        amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes(queue->tag),
                                        .delivery_tag = ++client->delivery_tag,
                                        .exchange = amqp_cstring_bytes(message->exchange),
                                        .routing_key = amqp_cstring_bytes(message->routing_key)};
        fake_client_send_method(client, 1, AMQP_BASIC_DELIVER_METHOD, &deliver);
        send_content(client, message);
        g_hash_table_insert(client->unacked, GSIZE_TO_POINTER(client->delivery_tag), message);
        g_hash_table_insert(client->unacked_queue, GSIZE_TO_POINTER(client->delivery_tag), g_strdup(queue->name));
    }
}

static char *text_of(amqp_bytes_t bytes)
{
    return g_strndup(bytes.bytes ? bytes.bytes : "", bytes.len);
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "{key=value, ...}" sorted by key; caller frees. */
static char *table_text(amqp_table_t table)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < table.num_entries; i++) {
        const amqp_field_value_t *value = &table.entries[i].value;
        g_autofree char *key = text_of(table.entries[i].key);
        g_autofree char *text = NULL;
        if (value->kind == AMQP_FIELD_KIND_UTF8 || value->kind == AMQP_FIELD_KIND_BYTES)
            text = text_of(value->value.bytes);
        else if (value->kind == AMQP_FIELD_KIND_BOOLEAN)
            text = g_strdup(value->value.boolean ? "true" : "false");
        else if (value->kind == AMQP_FIELD_KIND_I32)
            text = g_strdup_printf("%d", value->value.i32);
        else if (value->kind == AMQP_FIELD_KIND_I64)
            text = g_strdup_printf("%" G_GINT64_FORMAT, (gint64)value->value.i64);
        g_ptr_array_add(parts, g_strdup_printf("%s=%s", key, text ? text : "?"));
    }
    g_ptr_array_sort(parts, compare_texts);
    g_ptr_array_add(parts, NULL);
    g_autofree char *joined = g_strjoinv(", ", (char **)parts->pdata);
    return g_strdup_printf("{%s}", joined);
}

static void close_channel(FakeClient *client, int code, const char *text)
{
    amqp_channel_close_t close = {.reply_code = (uint16_t)code, .reply_text = amqp_cstring_bytes(text)};
    fake_client_send_method(client, 1, AMQP_CHANNEL_CLOSE_METHOD, &close);
}

static void close_connection(FakeClient *client, int code, const char *text)
{
    amqp_connection_close_t close = {.reply_code = (uint16_t)code, .reply_text = amqp_cstring_bytes(text)};
    fake_client_send_method(client, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
}

/* True if a refusal is due for that name; it was sent. */
static bool refuse(FakeClient *client, const char *name)
{
    for (guint i = 0; i < client->broker->refusals->len; i++) {
        FakeRefusal *refusal = g_ptr_array_index(client->broker->refusals, i);
        if (!g_str_equal(refusal->name, name) || refusal->times == 0)
            continue;
        refusal->times--;
        if (refusal->code == 541)
            close_connection(client, refusal->code, refusal->text);
        else
            close_channel(client, refusal->code, refusal->text);
        return true;
    }
    return false;
}

/* The PLAIN or AMQPLAIN response as "user password". */
static char *response_text(const char *mechanism, amqp_bytes_t response)
{
    g_autofree char *raw = g_memdup2(response.bytes ? response.bytes : "", MAX(response.len, 1));
    for (gsize i = 0; i < response.len; i++)
        if (raw[i] == '\0')
            raw[i] = ' ';
    if (g_str_equal(mechanism, "PLAIN") && response.len > 0)
        return g_strndup(raw + 1, response.len - 1);
    if (!g_str_equal(mechanism, "AMQPLAIN"))
        return g_strndup(raw, response.len);
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    amqp_table_t table;
    size_t offset = 0;
    g_autofree guint8 *encoded = g_malloc(response.len + 4);
    put32(encoded, (guint32)response.len);
    memcpy(encoded + 4, response.bytes, response.len);
    char *text = NULL;
    if (amqp_decode_table((amqp_bytes_t){.len = response.len + 4, .bytes = encoded}, &pool, &table, &offset) == 0)
        text = table_text(table);
    empty_amqp_pool(&pool);
    return text;
}

static void on_start_ok(FakeClient *client, const amqp_connection_start_ok_t *ok)
{
    FakeBroker *broker = client->broker;
    g_autofree char *mechanism = text_of(ok->mechanism);
    g_autofree char *response = response_text(mechanism, ok->response);
    fake_broker_note(broker, "login %s %s", mechanism, response);
    if (broker->refuse_login) {
        close_connection(client, 403, "ACCESS_REFUSED - Login was refused");
    } else if (g_str_equal(mechanism, "RABBIT-CR-DEMO")) {
        amqp_connection_secure_t secure = {.challenge = amqp_cstring_bytes("Please tell me your password")};
        fake_client_send_method(client, 0, AMQP_CONNECTION_SECURE_METHOD, &secure);
    } else {
        amqp_connection_tune_t tune = {.channel_max = 2047, .frame_max = FRAME_MAX, .heartbeat = (uint16_t)broker->heartbeat};
        fake_client_send_method(client, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
    }
}

static void on_secure_ok(FakeClient *client, const amqp_connection_secure_ok_t *ok)
{
    g_autofree char *response = text_of(ok->response);
    fake_broker_note(client->broker, "secure %s", response);
    amqp_connection_tune_t tune = {.channel_max = 0, .frame_max = 0, .heartbeat = 0};
    fake_client_send_method(client, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
}

static void on_open(FakeClient *client, const amqp_connection_open_t *open)
{
    g_autofree char *vhost = text_of(open->virtual_host);
    fake_broker_note(client->broker, "open %s", vhost);
    amqp_connection_open_ok_t ok = {0};
    if (client->broker->refuse_vhost)
        close_connection(client, 530, "NOT_ALLOWED - vhost not found");
    else
        fake_client_send_method(client, 0, AMQP_CONNECTION_OPEN_OK_METHOD, &ok);
}

static void on_exchange_declare(FakeClient *client, const amqp_exchange_declare_t *declare)
{
    FakeBroker *broker = client->broker;
    g_autofree char *name = text_of(declare->exchange);
    g_autofree char *type = text_of(declare->type);
    fake_broker_note(broker, "exchange %s %s durable=%d auto_delete=%d", name, type, declare->durable, declare->auto_delete);
    amqp_exchange_declare_ok_t ok = {0};
    if (refuse(client, name))
        return;
    g_hash_table_insert(broker->exchanges, g_strdup(name), g_strdup(type));
    fake_client_send_method(client, 1, AMQP_EXCHANGE_DECLARE_OK_METHOD, &ok);
}

static void on_queue_declare(FakeClient *client, const amqp_queue_declare_t *declare)
{
    FakeBroker *broker = client->broker;
    g_autofree char *name = text_of(declare->queue);
    g_autofree char *arguments = table_text(declare->arguments);
    fake_broker_note(broker, "queue %s durable=%d auto_delete=%d %s", name, declare->durable, declare->auto_delete, arguments);
    if (refuse(client, name))
        return;
    fake_broker_queue(broker, name, true);
    amqp_queue_declare_ok_t ok = {.queue = declare->queue};
    fake_client_send_method(client, 1, AMQP_QUEUE_DECLARE_OK_METHOD, &ok);
}

static void on_queue_bind(FakeClient *client, const amqp_queue_bind_t *bind)
{
    FakeBroker *broker = client->broker;
    FakeBinding *binding = g_new(FakeBinding, 1);
    *binding = (FakeBinding){text_of(bind->exchange), text_of(bind->routing_key), text_of(bind->queue)};
    fake_broker_note(broker, "bind %s %s %s", binding->queue, binding->exchange, binding->key);
    bool known = false;
    for (guint i = 0; i < broker->bindings->len; i++) {
        FakeBinding *other = g_ptr_array_index(broker->bindings, i);
        known = known || (g_str_equal(other->exchange, binding->exchange) && g_str_equal(other->key, binding->key) && g_str_equal(other->queue, binding->queue));
    }
    g_ptr_array_add(broker->bindings, binding);
    if (known)
        g_ptr_array_remove_index(broker->bindings, broker->bindings->len - 1);
    amqp_queue_bind_ok_t ok = {0};
    fake_client_send_method(client, 1, AMQP_QUEUE_BIND_OK_METHOD, &ok);
}

static void on_queue_delete(FakeClient *client, const amqp_queue_delete_t *delete)
{
    g_autofree char *name = text_of(delete->queue);
    fake_broker_note(client->broker, "delete %s", name);
    g_hash_table_remove(client->broker->queues, name);
    amqp_queue_delete_ok_t ok = {0};
    fake_client_send_method(client, 1, AMQP_QUEUE_DELETE_OK_METHOD, &ok);
}

static void on_consume(FakeClient *client, const amqp_basic_consume_t *consume)
{
    g_autofree char *name = text_of(consume->queue);
    g_autofree char *tag = text_of(consume->consumer_tag);
    g_autofree char *arguments = table_text(consume->arguments);
    fake_broker_note(client->broker, "consume %s %s %s", name, tag, arguments);
    FakeQueue *queue = fake_broker_queue(client->broker, name, false);
    if (queue == NULL) {
        close_channel(client, 404, "NOT_FOUND - no queue");
        return;
    }
    queue->consumer = client;
    g_free(queue->tag);
    queue->tag = g_strdup(tag);
    amqp_basic_consume_ok_t ok = {.consumer_tag = consume->consumer_tag};
    fake_client_send_method(client, 1, AMQP_BASIC_CONSUME_OK_METHOD, &ok);
    fake_broker_deliver(client->broker, queue);
}

static void forget_unacked(FakeClient *client, guint64 tag)
{
    FakeMessage *message = g_hash_table_lookup(client->unacked, GSIZE_TO_POINTER(tag));
    if (message == NULL)
        return;
    g_hash_table_remove(client->unacked, GSIZE_TO_POINTER(tag));
    g_hash_table_remove(client->unacked_queue, GSIZE_TO_POINTER(tag));
    fake_message_free(message);
}

static void on_method(FakeClient *client, amqp_method_number_t id, void *decoded)
{
    FakeBroker *broker = client->broker;
    amqp_channel_open_ok_t channel_ok = {.channel_id = amqp_empty_bytes};
    amqp_confirm_select_ok_t confirm_ok = {0};
    amqp_basic_qos_ok_t qos_ok = {0};
    amqp_connection_close_ok_t close_ok = {0};
    switch (id) {
    case AMQP_CONNECTION_START_OK_METHOD:
        on_start_ok(client, decoded);
        break;
    case AMQP_CONNECTION_SECURE_OK_METHOD:
        on_secure_ok(client, decoded);
        break;
    case AMQP_CONNECTION_OPEN_METHOD:
        on_open(client, decoded);
        break;
    case AMQP_CHANNEL_OPEN_METHOD:
        client->publish_tag = 0;
        client->confirms = false;
        fake_client_send_method(client, 1, AMQP_CHANNEL_OPEN_OK_METHOD, &channel_ok);
        break;
    case AMQP_EXCHANGE_DECLARE_METHOD:
        on_exchange_declare(client, decoded);
        break;
    case AMQP_QUEUE_DECLARE_METHOD:
        on_queue_declare(client, decoded);
        break;
    case AMQP_QUEUE_BIND_METHOD:
        on_queue_bind(client, decoded);
        break;
    case AMQP_QUEUE_DELETE_METHOD:
        on_queue_delete(client, decoded);
        break;
    case AMQP_BASIC_CONSUME_METHOD:
        on_consume(client, decoded);
        break;
    case AMQP_BASIC_QOS_METHOD:
        fake_broker_note(broker, "qos %d", ((amqp_basic_qos_t *)decoded)->prefetch_count);
        fake_client_send_method(client, 1, AMQP_BASIC_QOS_OK_METHOD, &qos_ok);
        break;
    case AMQP_CONFIRM_SELECT_METHOD:
        client->confirms = true;
        fake_client_send_method(client, 1, AMQP_CONFIRM_SELECT_OK_METHOD, &confirm_ok);
        break;
    case AMQP_BASIC_ACK_METHOD:
        forget_unacked(client, ((amqp_basic_ack_t *)decoded)->delivery_tag);
        fake_broker_note(broker, "ack %d", (int)((amqp_basic_ack_t *)decoded)->delivery_tag);
        break;
    case AMQP_BASIC_PUBLISH_METHOD:
        client->incoming = g_new0(FakeMessage, 1);
        client->incoming->exchange = text_of(((amqp_basic_publish_t *)decoded)->exchange);
        client->incoming->routing_key = text_of(((amqp_basic_publish_t *)decoded)->routing_key);
        client->mandatory = ((amqp_basic_publish_t *)decoded)->mandatory;
        break;
    case AMQP_CONNECTION_CLOSE_METHOD:
        fake_broker_note(broker, "close");
        fake_client_send_method(client, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &close_ok);
        break;
    case AMQP_CONNECTION_TUNE_OK_METHOD:
    case AMQP_CONNECTION_CLOSE_OK_METHOD:
    case AMQP_CHANNEL_CLOSE_OK_METHOD:
        break;
    default:
        fake_broker_note(broker, "unknown method 0x%08x", id);
        close_connection(client, 540, "NOT_IMPLEMENTED");
    }
}

/* All of a published message is there. */
static void published(FakeClient *client)
{
    FakeBroker *broker = client->broker;
    FakeMessage *message = g_steal_pointer(&client->incoming);
    guint64 tag = ++client->publish_tag;
    message->body = g_byte_array_free_to_bytes(g_steal_pointer(&client->incoming_body));
    if (broker->max_message > 0 && g_bytes_get_size(message->body) > broker->max_message) {
        close_channel(client, 406, "PRECONDITION_FAILED - message size is larger than configured max size");
        fake_message_free(message);
        return;
    }
    if (*message->exchange != '\0' && !g_hash_table_contains(broker->exchanges, message->exchange)) {
        close_channel(client, 404, "NOT_FOUND - no exchange");
        fake_message_free(message);
        return;
    }
    FakeMessage *copy = g_new0(FakeMessage, 1);
    *copy = (FakeMessage){g_strdup(message->exchange), g_strdup(message->routing_key), g_bytes_ref(message->properties), g_bytes_ref(message->body)};
    bool routed = !broker->nack && broker->blocked == NULL && fake_broker_route(broker, copy);
    if (broker->nack || broker->blocked != NULL)
        fake_message_free(copy);
    if (!routed && client->mandatory && !broker->nack) {
        amqp_basic_return_t back = {.reply_code = 312,
                                    .reply_text = amqp_cstring_bytes("NO_ROUTE"),
                                    .exchange = amqp_cstring_bytes(message->exchange),
                                    .routing_key = amqp_cstring_bytes(message->routing_key)};
        fake_broker_note(broker, "return %s", message->routing_key);
        fake_client_send_method(client, 1, AMQP_BASIC_RETURN_METHOD, &back);
        send_content(client, message);
    }
    amqp_basic_ack_t ack = {.delivery_tag = tag};
    amqp_basic_nack_t nack = {.delivery_tag = tag};
    if (client->confirms && broker->confirm && broker->blocked == NULL)
        fake_client_send_method(client, 1, broker->nack ? AMQP_BASIC_NACK_METHOD : AMQP_BASIC_ACK_METHOD,
                                broker->nack ? (void *)&nack : (void *)&ack);
    fake_message_free(message);
}

static void on_frame(FakeClient *client, int type, const guint8 *payload, gsize length)
{
    FakeBroker *broker = client->broker;
    if (type == AMQP_FRAME_HEARTBEAT) {
        fake_broker_note(broker, "heartbeat");
    } else if (type == AMQP_FRAME_METHOD) {
        amqp_pool_t pool;
        init_amqp_pool(&pool, 8192);
        void *decoded = NULL;
        amqp_method_number_t id = get32(payload);
        if (amqp_decode_method(id, &pool, (amqp_bytes_t){.len = length - 4, .bytes = (void *)(payload + 4)}, &decoded) != 0)
            g_error("method 0x%08x cannot be decoded", id);
        on_method(client, id, decoded);
        empty_amqp_pool(&pool);
    } else if (type == AMQP_FRAME_HEADER && client->incoming != NULL) {
        client->incoming_size = get64(payload + 4);
        client->incoming->properties = g_bytes_new(payload + 12, length - 12);
        client->incoming_body = g_byte_array_new();
        if (client->incoming_size == 0)
            published(client);
    } else if (type == AMQP_FRAME_BODY && client->incoming_body != NULL) {
        g_byte_array_append(client->incoming_body, payload, (guint)length);
        if (client->incoming_body->len >= client->incoming_size)
            published(client);
    }
}

static bool read_all(FakeClient *client, void *into, gsize length)
{
    for (gsize got = 0; got < length;) {
        ssize_t n = recv(client->fd, (char *)into + got, length - got, 0);
        if (n <= 0)
            return false;
        got += (gsize)n;
    }
    return true;
}

/* Reads and handles one frame; false at the end of the connection. */
static bool read_frame(FakeClient *client)
{
    guint8 head[7];
    if (!read_all(client, head, sizeof head))
        return false;
    gsize length = get32(head + 3);
    g_autofree guint8 *payload = g_malloc(length + 1);
    if (!read_all(client, payload, length + 1))
        return false;
    g_mutex_lock(&client->broker->lock);
    on_frame(client, head[0], payload, length);
    g_mutex_unlock(&client->broker->lock);
    return true;
}

/* Waits until something can be read; sends heartbeats meanwhile. False: the broker stops. */
static bool wait_readable(FakeClient *client)
{
    FakeBroker *broker = client->broker;
    for (;;) {
        struct pollfd fd = {.fd = client->fd, .events = POLLIN};
        int ready = poll(&fd, 1, IDLE_MS);
        g_mutex_lock(&broker->lock);
        bool stop = broker->stop, frozen = broker->frozen;
        g_mutex_lock(&client->write_lock);
        gint64 last_sent = client->last_sent;
        g_mutex_unlock(&client->write_lock);
        bool beat = broker->heartbeat > 0 && broker->send_heartbeats && !frozen &&
                    g_get_monotonic_time() - last_sent > broker->heartbeat * G_USEC_PER_SEC / 2;
        g_mutex_unlock(&broker->lock);
        if (stop)
            return false;
        if (beat)
            send_frame(client, AMQP_FRAME_HEARTBEAT, 0, NULL, 0);
        if (frozen) {
            /* A peer that hangs: what comes stays unread. */
            g_usleep(IDLE_MS * 1000);
            continue;
        }
        if (ready > 0)
            return true;
    }
}

/* Undelivered again: what this client had not acknowledged. Lock held. */
static void requeue(FakeClient *client)
{
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, client->unacked);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        FakeQueue *queue = fake_broker_queue(client->broker, g_hash_table_lookup(client->unacked_queue, key), false);
        if (queue != NULL)
            g_queue_push_head(&queue->messages, value);
        else
            fake_message_free(value);
    }
    g_hash_table_remove_all(client->unacked);
    g_hash_table_iter_init(&iter, client->broker->queues);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((FakeQueue *)value)->consumer == client)
            ((FakeQueue *)value)->consumer = NULL;
}

void fake_client_run(FakeBroker *broker, int fd)
{
    FakeClient client = {.broker = broker, .fd = fd, .last_sent = g_get_monotonic_time()};
    client.unacked = g_hash_table_new(NULL, NULL);
    client.unacked_queue = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_mutex_init(&client.write_lock);
    g_mutex_lock(&broker->lock);
    g_ptr_array_add(broker->clients, &client);
    fake_broker_note(broker, "connect");
    g_mutex_unlock(&broker->lock);
    char greeting[8];
    if (wait_readable(&client) && read_all(&client, greeting, sizeof greeting)) {
        g_mutex_lock(&broker->lock);
        g_autofree char *mechanisms = g_strdup(broker->mechanisms);
        g_mutex_unlock(&broker->lock);
        amqp_connection_start_t start = {.version_major = 0,
                                         .version_minor = 9,
                                         .mechanisms = amqp_cstring_bytes(mechanisms),
                                         .locales = amqp_cstring_bytes("en_US")};
        fake_client_send_method(&client, 0, AMQP_CONNECTION_START_METHOD, &start);
        while (wait_readable(&client) && read_frame(&client)) {
        }
    }
    g_mutex_lock(&broker->lock);
    g_ptr_array_remove(broker->clients, &client);
    requeue(&client);
    fake_broker_note(broker, "disconnect");
    g_mutex_unlock(&broker->lock);
    close(fd);
    if (client.incoming != NULL) {
        g_free(client.incoming->exchange);
        g_free(client.incoming->routing_key);
        g_clear_pointer(&client.incoming->properties, g_bytes_unref);
        g_free(client.incoming);
    }
    g_clear_pointer(&client.incoming_body, g_byte_array_unref);
    g_hash_table_unref(client.unacked);
    g_hash_table_unref(client.unacked_queue);
    g_mutex_clear(&client.write_lock);
}
