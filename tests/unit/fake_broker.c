/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/fake_broker_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_S = 10 };

void fake_message_free(FakeMessage *message)
{
    g_free(message->exchange);
    g_free(message->routing_key);
    g_bytes_unref(message->properties);
    g_bytes_unref(message->body);
    g_free(message);
}

static FakeMessage *message_copy(const FakeMessage *from)
{
    FakeMessage *to = g_new0(FakeMessage, 1);
    to->exchange = g_strdup(from->exchange);
    to->routing_key = g_strdup(from->routing_key);
    to->properties = g_bytes_ref(from->properties);
    to->body = g_bytes_ref(from->body);
    return to;
}

static void queue_free(gpointer data)
{
    FakeQueue *queue = data;
    g_queue_clear_full(&queue->messages, (GDestroyNotify)fake_message_free);
    g_free(queue->name);
    g_free(queue->tag);
    g_free(queue);
}

static void binding_free(gpointer data)
{
    FakeBinding *binding = data;
    g_free(binding->exchange);
    g_free(binding->key);
    g_free(binding->queue);
    g_free(binding);
}

static void refusal_free(gpointer data)
{
    FakeRefusal *refusal = data;
    g_free(refusal->name);
    g_free(refusal->text);
    g_free(refusal);
}

void fake_broker_note(FakeBroker *broker, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_ptr_array_add(broker->log, g_strdup_vprintf(format, list));
    va_end(list);
    g_cond_broadcast(&broker->changed);
}

FakeQueue *fake_broker_queue(FakeBroker *broker, const char *name, bool make)
{
    FakeQueue *queue = g_hash_table_lookup(broker->queues, name);
    if (queue == NULL && make) {
        queue = g_new0(FakeQueue, 1);
        queue->name = g_strdup(name);
        g_hash_table_insert(broker->queues, queue->name, queue);
    }
    return queue;
}

static void enqueue(FakeBroker *broker, FakeQueue *queue, const FakeMessage *message)
{
    g_queue_push_tail(&queue->messages, message_copy(message));
    fake_broker_deliver(broker, queue);
    g_cond_broadcast(&broker->changed);
}

bool fake_broker_route(FakeBroker *broker, FakeMessage *message)
{
    bool routed = false;
    const char *type = g_hash_table_lookup(broker->exchanges, message->exchange);
    if (*message->exchange == '\0') {
        FakeQueue *queue = fake_broker_queue(broker, message->routing_key, false);
        routed = queue != NULL;
        if (routed)
            enqueue(broker, queue, message);
    }
    for (guint i = 0; i < broker->bindings->len; i++) {
        FakeBinding *binding = g_ptr_array_index(broker->bindings, i);
        bool match = g_str_equal(binding->exchange, message->exchange) &&
                     (g_strcmp0(type, "fanout") == 0 || g_str_equal(binding->key, message->routing_key));
        FakeQueue *queue = match ? fake_broker_queue(broker, binding->queue, false) : NULL;
        if (queue != NULL) {
            routed = true;
            enqueue(broker, queue, message);
        }
    }
    fake_message_free(message);
    return routed;
}

typedef struct {
    FakeBroker *broker;
    int fd;
} Accepted;

static gpointer client_thread(gpointer data)
{
    Accepted accepted = *(Accepted *)data;
    g_free(data);
    fake_client_run(accepted.broker, accepted.fd);
    return NULL;
}

static gpointer accept_thread(gpointer data)
{
    FakeBroker *broker = data;
    for (;;) {
        struct pollfd fds[] = {{.fd = broker->listen_fd, .events = POLLIN}, {.fd = broker->stop_fd, .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[1].revents != 0)
            return NULL;
        Accepted *accepted = g_new(Accepted, 1);
        *accepted = (Accepted){broker, accept(broker->listen_fd, NULL, NULL)};
        g_mutex_lock(&broker->lock);
        g_ptr_array_add(broker->threads, g_thread_new("fake-client", client_thread, accepted));
        g_mutex_unlock(&broker->lock);
    }
}

FakeBroker *fake_broker_new(void)
{
    FakeBroker *broker = g_new0(FakeBroker, 1);
    broker->mechanisms = g_strdup("PLAIN AMQPLAIN EXTERNAL");
    broker->send_heartbeats = broker->confirm = true;
    broker->refusals = g_ptr_array_new_with_free_func(refusal_free);
    broker->clients = g_ptr_array_new();
    broker->threads = g_ptr_array_new();
    broker->queues = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, queue_free);
    broker->exchanges = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    broker->bindings = g_ptr_array_new_with_free_func(binding_free);
    broker->log = g_ptr_array_new_with_free_func(g_free);
    g_mutex_init(&broker->lock);
    g_cond_init(&broker->changed);
    broker->stop_fd = eventfd(0, EFD_CLOEXEC);
    broker->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(broker->listen_fd, (struct sockaddr *)&address, length) != 0 || listen(broker->listen_fd, 64) != 0 ||
        getsockname(broker->listen_fd, (struct sockaddr *)&address, &length) != 0)
        g_error("no listening socket: %s", g_strerror(errno));
    broker->port = ntohs(address.sin_port);
    broker->thread = g_thread_new("fake-broker", accept_thread, broker);
    return broker;
}

void fake_broker_kill(FakeBroker *broker)
{
    g_mutex_lock(&broker->lock);
    for (guint i = 0; i < broker->clients->len; i++)
        shutdown(((FakeClient *)g_ptr_array_index(broker->clients, i))->fd, SHUT_RDWR);
    g_mutex_unlock(&broker->lock);
}

void fake_broker_free(FakeBroker *broker)
{
    guint64 one = 1;
    g_mutex_lock(&broker->lock);
    broker->stop = true;
    broker->frozen = false;
    g_mutex_unlock(&broker->lock);
    if (write(broker->stop_fd, &one, sizeof one) < 0)
        g_error("eventfd: %s", g_strerror(errno));
    g_thread_join(broker->thread);
    fake_broker_kill(broker);
    for (guint i = 0; i < broker->threads->len; i++)
        g_thread_join(g_ptr_array_index(broker->threads, i));
    close(broker->listen_fd);
    close(broker->stop_fd);
    g_ptr_array_unref(broker->refusals);
    g_ptr_array_unref(broker->clients);
    g_ptr_array_unref(broker->threads);
    g_hash_table_unref(broker->queues);
    g_hash_table_unref(broker->exchanges);
    g_ptr_array_unref(broker->bindings);
    g_ptr_array_unref(broker->log);
    g_free(broker->mechanisms);
    g_free(broker->blocked);
    g_mutex_clear(&broker->lock);
    g_cond_clear(&broker->changed);
    g_free(broker);
}

int fake_broker_port(FakeBroker *broker)
{
    return broker->port;
}

char *fake_broker_url(FakeBroker *broker, const char *query)
{
    return g_strdup_printf("rabbit://u:p@127.0.0.1:%d/vh%s%s", broker->port, query ? "?" : "", query ? query : "");
}

#define SETTER(name, type, member) \
    void fake_broker_##name(FakeBroker *broker, type value) \
    { \
        g_mutex_lock(&broker->lock); \
        broker->member = value; \
        g_mutex_unlock(&broker->lock); \
    }
SETTER(set_heartbeat, int, heartbeat)
SETTER(set_send_heartbeats, bool, send_heartbeats)
SETTER(refuse_login, bool, refuse_login)
SETTER(refuse_vhost, bool, refuse_vhost)
SETTER(set_nack, bool, nack)
SETTER(set_confirm, bool, confirm)
SETTER(set_max_message, gsize, max_message)
SETTER(freeze, bool, frozen)

void fake_broker_set_mechanisms(FakeBroker *broker, const char *mechanisms)
{
    g_mutex_lock(&broker->lock);
    g_free(broker->mechanisms);
    broker->mechanisms = g_strdup(mechanisms);
    g_mutex_unlock(&broker->lock);
}

void fake_broker_refuse_declare(FakeBroker *broker, const char *name, int code, const char *text, int times)
{
    FakeRefusal *refusal = g_new(FakeRefusal, 1);
    *refusal = (FakeRefusal){g_strdup(name), g_strdup(text), code, times};
    g_mutex_lock(&broker->lock);
    g_ptr_array_add(broker->refusals, refusal);
    g_mutex_unlock(&broker->lock);
}

void fake_broker_block(FakeBroker *broker, const char *reason)
{
    g_mutex_lock(&broker->lock);
    g_free(broker->blocked);
    broker->blocked = g_strdup(reason);
    amqp_connection_blocked_t blocked = {.reason = amqp_cstring_bytes(reason ? reason : "")};
    amqp_connection_unblocked_t unblocked = {0};
    for (guint i = 0; i < broker->clients->len; i++)
        fake_client_send_method(g_ptr_array_index(broker->clients, i), 0, reason ? AMQP_CONNECTION_BLOCKED_METHOD : AMQP_CONNECTION_UNBLOCKED_METHOD,
                                reason ? (void *)&blocked : (void *)&unblocked);
    g_mutex_unlock(&broker->lock);
}

void fake_broker_cancel(FakeBroker *broker, const char *name)
{
    g_mutex_lock(&broker->lock);
    FakeQueue *queue = fake_broker_queue(broker, name, false);
    if (queue != NULL && queue->consumer != NULL) {
        amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes(queue->tag), .nowait = 1};
        fake_client_send_method(queue->consumer, 1, AMQP_BASIC_CANCEL_METHOD, &cancel);
        queue->consumer = NULL;
    }
    g_mutex_unlock(&broker->lock);
}

void fake_broker_delete_queue(FakeBroker *broker, const char *queue)
{
    g_mutex_lock(&broker->lock);
    g_hash_table_remove(broker->queues, queue);
    g_mutex_unlock(&broker->lock);
}

void fake_broker_send_garbage(FakeBroker *broker, const void *bytes, gsize length)
{
    g_mutex_lock(&broker->lock);
    for (guint i = 0; i < broker->clients->len; i++)
        fake_client_send_raw(g_ptr_array_index(broker->clients, i), bytes, length);
    g_mutex_unlock(&broker->lock);
}

static void publish(FakeBroker *broker, const char *exchange, const char *routing_key, GBytes *properties, const void *body, gsize length)
{
    FakeMessage *message = g_new0(FakeMessage, 1);
    message->exchange = g_strdup(exchange);
    message->routing_key = g_strdup(routing_key);
    message->properties = properties;
    message->body = g_bytes_new(body, length);
    g_mutex_lock(&broker->lock);
    fake_broker_route(broker, message);
    g_mutex_unlock(&broker->lock);
}

void fake_broker_publish(FakeBroker *broker, const char *exchange, const char *routing_key, const void *body, gsize length)
{
    static const guint8 none[2] = {0, 0};
    publish(broker, exchange, routing_key, g_bytes_new_static(none, sizeof none), body, length);
}

void fake_broker_publish_compressed(FakeBroker *broker, const char *exchange, const char *routing_key, const char *compression, const void *body,
                                    gsize length)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("compression"), .value = {.kind = AMQP_FIELD_KIND_UTF8}};
    entry.value.value.bytes = amqp_cstring_bytes(compression);
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG, .headers = {.num_entries = 1, .entries = &entry}};
    guint8 encoded[512];
    int size = amqp_encode_properties(AMQP_BASIC_CLASS, &properties, (amqp_bytes_t){.len = sizeof encoded, .bytes = encoded});
    g_assert_cmpint(size, >, 0);
    publish(broker, exchange, routing_key, g_bytes_new(encoded, (gsize)size), body, length);
}

/* The expiration property, caller frees; NULL if there is none. */
static char *expiration_of(GBytes *encoded)
{
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    void *decoded = NULL;
    char *text = NULL;
    amqp_bytes_t bytes = {.len = g_bytes_get_size(encoded), .bytes = (void *)g_bytes_get_data(encoded, NULL)};
    if (amqp_decode_properties(AMQP_BASIC_CLASS, &pool, bytes, &decoded) == 0) {
        const amqp_basic_properties_t *properties = decoded;
        if (properties->_flags & AMQP_BASIC_EXPIRATION_FLAG)
            text = g_strndup(properties->expiration.bytes, properties->expiration.len);
    }
    empty_amqp_pool(&pool);
    return text;
}

GBytes *fake_broker_take(FakeBroker *broker, const char *name, char **expiration)
{
    gint64 until = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    FakeMessage *message = NULL;
    g_mutex_lock(&broker->lock);
    for (;;) {
        FakeQueue *queue = fake_broker_queue(broker, name, false);
        message = queue ? g_queue_pop_head(&queue->messages) : NULL;
        if (message != NULL || !g_cond_wait_until(&broker->changed, &broker->lock, until))
            break;
    }
    g_mutex_unlock(&broker->lock);
    if (message == NULL)
        return NULL;
    GBytes *body = g_bytes_ref(message->body);
    if (expiration != NULL)
        *expiration = expiration_of(message->properties);
    fake_message_free(message);
    return body;
}

void fake_broker_add_queue(FakeBroker *broker, const char *queue, const char *exchange, const char *type, const char *key)
{
    g_mutex_lock(&broker->lock);
    fake_broker_queue(broker, queue, true);
    if (exchange != NULL) {
        FakeBinding *binding = g_new(FakeBinding, 1);
        *binding = (FakeBinding){g_strdup(exchange), g_strdup(key), g_strdup(queue)};
        g_ptr_array_add(broker->bindings, binding);
        g_hash_table_insert(broker->exchanges, g_strdup(exchange), g_strdup(type));
    }
    g_mutex_unlock(&broker->lock);
}

static int count_locked(FakeBroker *broker, const char *start)
{
    int count = 0;
    for (guint i = 0; i < broker->log->len; i++)
        count += g_str_has_prefix(g_ptr_array_index(broker->log, i), start);
    return count;
}

bool fake_broker_wait_log(FakeBroker *broker, const char *start)
{
    gint64 until = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    g_mutex_lock(&broker->lock);
    while (count_locked(broker, start) == 0 && g_cond_wait_until(&broker->changed, &broker->lock, until)) {
    }
    bool found = count_locked(broker, start) > 0;
    g_mutex_unlock(&broker->lock);
    return found;
}

int fake_broker_count_log(FakeBroker *broker, const char *start)
{
    g_mutex_lock(&broker->lock);
    int count = count_locked(broker, start);
    g_mutex_unlock(&broker->lock);
    return count;
}

char *fake_broker_log_text(FakeBroker *broker)
{
    GString *text = g_string_new(NULL);
    g_mutex_lock(&broker->lock);
    for (guint i = 0; i < broker->log->len; i++) {
        const char *line = g_ptr_array_index(broker->log, i);
        if (!g_str_equal(line, "heartbeat") && !g_str_has_prefix(line, "ack "))
            g_string_append_printf(text, "%s\n", line);
    }
    g_mutex_unlock(&broker->lock);
    return g_string_free(text, FALSE);
}

void fake_broker_clear_log(FakeBroker *broker)
{
    g_mutex_lock(&broker->lock);
    g_ptr_array_set_size(broker->log, 0);
    g_mutex_unlock(&broker->lock);
}
