/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/topology.h"

#include "rpc/error.h"

#include <string.h>

enum { NOT_FOUND = 404, PRECONDITION_FAILED = 406, MAX_ARGUMENTS = 8 };

/* Arguments of one queue. */
typedef struct {
    amqp_table_entry_t entries[MAX_ARGUMENTS];
    int count;
    char *max_age; /* owns the text of x-max-age */
} Arguments;

static void arguments_clear(Arguments *arguments)
{
    g_free(arguments->max_age);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static void add_text(Arguments *arguments, const char *key, const char *value)
{
    arguments->entries[arguments->count++] =
        (amqp_table_entry_t){.key = amqp_cstring_bytes(key), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static void add_number(Arguments *arguments, const char *key, gint64 value)
{
    arguments->entries[arguments->count++] =
        (amqp_table_entry_t){.key = amqp_cstring_bytes(key), .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = value}};
}

static void add_quorum(Arguments *arguments, const RpcOptions *options)
{
    add_text(arguments, "x-queue-type", "quorum");
    if (options->rabbit_quorum_delivery_limit != 0)
        add_number(arguments, "x-delivery-limit", options->rabbit_quorum_delivery_limit);
    if (options->rabbit_quorum_max_memory_length != 0)
        add_number(arguments, "x-max-in-memory-length", options->rabbit_quorum_max_memory_length);
    if (options->rabbit_quorum_max_memory_bytes != 0)
        add_number(arguments, "x-max-in-memory-bytes", options->rabbit_quorum_max_memory_bytes);
}

static bool is_stream(const RpcOptions *options, RpcQueueKind kind)
{
    return kind == RPC_QUEUE_FANOUT && options->rabbit_stream_fanout;
}

static void queue_arguments(const RpcOptions *options, RpcQueueKind kind, Arguments *arguments)
{
    gint64 ttl = options->rabbit_transient_queues_ttl;
    if (is_stream(options, kind)) {
        add_text(arguments, "x-queue-type", "stream");
        if (ttl > 0) {
            arguments->max_age = g_strdup_printf("%" G_GINT64_FORMAT "s", ttl);
            add_text(arguments, "x-max-age", arguments->max_age);
        }
        return;
    }
    if (options->rabbit_ha_queues)
        add_text(arguments, "x-ha-policy", "all");
    if (kind == RPC_QUEUE_TOPIC ? options->rabbit_quorum_queue : options->rabbit_transient_quorum_queue)
        add_quorum(arguments, options);
    if (kind != RPC_QUEUE_TOPIC && ttl > 0)
        add_number(arguments, "x-expires", ttl * 1000);
}

static bool queue_durable(const RpcOptions *options, RpcQueueKind kind)
{
    if (kind == RPC_QUEUE_TOPIC)
        return options->amqp_durable_queues || options->rabbit_quorum_queue;
    return options->rabbit_transient_quorum_queue || is_stream(options, kind);
}

static void note(RpcDeclared *declared, const char *what, const char *name)
{
    g_free(declared->note);
    declared->note = g_strdup_printf("%s '%s' exists as not durable on the broker and is used so", what, name);
}

/* A refusal because the broker's one differs in `durable` only. */
static bool is_durable_mismatch(int code, const GError *error)
{
    return code == PRECONDITION_FAILED && strstr(error->message, "'durable'") != NULL;
}

static bool exchange_once(RpcLink *link, const char *exchange, const char *type, bool durable, bool auto_delete, int *code, GError **error)
{
    amqp_exchange_declare(rpc_link_state(link), RPC_CHANNEL, amqp_cstring_bytes(exchange), amqp_cstring_bytes(type), 0, durable, auto_delete, 0,
                          amqp_empty_table);
    g_autofree char *what = g_strdup_printf("declaring exchange '%s'", exchange);
    return rpc_link_check(link, what, code, error);
}

bool rpc_declare_exchange(RpcLink *link, const RpcOptions *options, const char *exchange, const char *type, RpcDeclared *declared, GError **error)
{
    bool fanout = g_str_equal(type, "fanout");
    bool durable = fanout ? options->rabbit_transient_quorum_queue : options->amqp_durable_queues || options->rabbit_quorum_queue;
    bool auto_delete = fanout || options->amqp_auto_delete;
    g_autoptr(GError) first = NULL;
    int code;
    if (exchange_once(link, exchange, type, durable, auto_delete, &code, &first))
        return true;
    declared->channel_reset = true;
    if (!durable || !is_durable_mismatch(code, first)) {
        g_propagate_error(error, g_steal_pointer(&first));
        return false;
    }
    note(declared, "exchange", exchange);
    return exchange_once(link, exchange, type, false, auto_delete, &code, error);
}

static bool queue_once(RpcLink *link, const RpcOptions *options, RpcQueueKind kind, const char *queue, bool durable, int *code, GError **error)
{
    g_auto(Arguments) arguments = {0};
    queue_arguments(options, kind, &arguments);
    amqp_table_t table = {.num_entries = arguments.count, .entries = arguments.entries};
    amqp_queue_declare(rpc_link_state(link), RPC_CHANNEL, amqp_cstring_bytes(queue), 0, durable, 0, kind == RPC_QUEUE_TOPIC && options->amqp_auto_delete,
                       table);
    g_autofree char *what = g_strdup_printf("declaring queue '%s'", queue);
    return rpc_link_check(link, what, code, error);
}

/* Declares the queue, with the one retry that upstream makes: not durable after a durable mismatch, anew after a broken leftover (404). */
static bool declare_one(RpcLink *link, const RpcOptions *options, RpcQueueKind kind, const char *queue, RpcDeclared *declared, GError **error)
{
    bool durable = queue_durable(options, kind);
    g_autoptr(GError) first = NULL;
    int code;
    if (queue_once(link, options, kind, queue, durable, &code, &first))
        return true;
    declared->channel_reset = true;
    if (durable && is_durable_mismatch(code, first)) {
        note(declared, "queue", queue);
        return queue_once(link, options, kind, queue, false, &code, error);
    }
    if (code == NOT_FOUND) {
        rpc_delete_queue(link, queue);
        return queue_once(link, options, kind, queue, durable, &code, error);
    }
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}

bool rpc_declare_queue(RpcLink *link, const RpcOptions *options, RpcQueueKind kind, const char *exchange, const char *queue, const char *routing_key,
                       RpcDeclared *declared, GError **error)
{
    const char *type = kind == RPC_QUEUE_FANOUT ? "fanout" : "topic";
    if (kind != RPC_QUEUE_REPLY && !rpc_declare_exchange(link, options, exchange, type, declared, error))
        return false;
    if (!declare_one(link, options, kind, queue, declared, error))
        return false;
    if (kind == RPC_QUEUE_REPLY)
        return true;
    amqp_queue_bind(rpc_link_state(link), RPC_CHANNEL, amqp_cstring_bytes(queue), amqp_cstring_bytes(exchange), amqp_cstring_bytes(routing_key),
                    amqp_empty_table);
    g_autofree char *what = g_strdup_printf("binding queue '%s' to exchange '%s'", queue, exchange);
    if (rpc_link_check(link, what, NULL, error))
        return true;
    declared->channel_reset = true;
    return false;
}

bool rpc_consume(RpcLink *link, const RpcOptions *options, RpcQueueKind kind, const char *queue, const char *tag, gint64 stream_offset, GError **error)
{
    g_auto(Arguments) arguments = {0};
    if (options->enable_cancel_on_failover)
        arguments.entries[arguments.count++] =
            (amqp_table_entry_t){.key = amqp_cstring_bytes("x-cancel-on-ha-failover"), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
    if (is_stream(options, kind)) {
        if (stream_offset >= 0)
            add_number(&arguments, "x-stream-offset", stream_offset);
        else
            add_text(&arguments, "x-stream-offset", "last");
    }
    amqp_table_t table = {.num_entries = arguments.count, .entries = arguments.entries};
    amqp_basic_consume(rpc_link_state(link), RPC_CHANNEL, amqp_cstring_bytes(queue), amqp_cstring_bytes(tag), 0, 0, 0, table);
    g_autofree char *what = g_strdup_printf("consuming queue '%s'", queue);
    return rpc_link_check(link, what, NULL, error);
}

bool rpc_set_prefetch(RpcLink *link, const RpcOptions *options, GError **error)
{
    if (options->rabbit_qos_prefetch_count <= 0)
        return true;
    amqp_basic_qos(rpc_link_state(link), RPC_CHANNEL, 0, (uint16_t)MIN(options->rabbit_qos_prefetch_count, G_MAXUINT16), 0);
    return rpc_link_check(link, "setting the prefetch count", NULL, error);
}

void rpc_delete_queue(RpcLink *link, const char *queue)
{
    amqp_queue_delete(rpc_link_state(link), RPC_CHANNEL, amqp_cstring_bytes(queue), 0, 0);
    /* Deleting is tidying up: a refusal changes nothing for us. */
    rpc_link_check(link, "deleting a queue", NULL, NULL);
}
