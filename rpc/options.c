/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/error.h"
#include "rpc/transport_private.h"

#include <stddef.h>
#include <string.h>

typedef enum { OPTION_BOOL, OPTION_INT, OPTION_INT64, OPTION_DOUBLE, OPTION_STRING } OptionKind;

typedef struct {
    const char *name;
    OptionKind kind;
    size_t offset;
    const char *fallback; /* upstream's default; NULL = unset string */
} Option;

#define OPTION(name, kind, fallback) {#name, kind, offsetof(RpcOptions, name), fallback}

/* The options of [oslo_messaging_rabbit] that a transport_url query may set (spec/rpc-wire.md sections 2, 6, 7, 8). */
static const Option options_table[] = {
    OPTION(amqp_durable_queues, OPTION_BOOL, "false"),
    OPTION(amqp_auto_delete, OPTION_BOOL, "false"),
    OPTION(rabbit_ha_queues, OPTION_BOOL, "false"),
    OPTION(rabbit_quorum_queue, OPTION_BOOL, "false"),
    OPTION(rabbit_transient_quorum_queue, OPTION_BOOL, "false"),
    OPTION(rabbit_stream_fanout, OPTION_BOOL, "false"),
    OPTION(rabbit_quorum_delivery_limit, OPTION_INT, "0"),
    OPTION(rabbit_quorum_max_memory_length, OPTION_INT, "0"),
    OPTION(rabbit_quorum_max_memory_bytes, OPTION_INT64, "0"),
    OPTION(rabbit_transient_queues_ttl, OPTION_INT, "1800"),
    OPTION(rabbit_qos_prefetch_count, OPTION_INT, "0"),
    OPTION(enable_cancel_on_failover, OPTION_BOOL, "false"),
    OPTION(direct_mandatory_flag, OPTION_BOOL, "true"),
    OPTION(use_queue_manager, OPTION_BOOL, "false"),
    OPTION(hostname, OPTION_STRING, NULL),
    OPTION(processname, OPTION_STRING, NULL),
    OPTION(heartbeat_timeout_threshold, OPTION_INT, "60"),
    OPTION(heartbeat_rate, OPTION_INT, "2"),
    OPTION(rabbit_retry_interval, OPTION_DOUBLE, "1"),
    OPTION(rabbit_retry_backoff, OPTION_DOUBLE, "2"),
    OPTION(rabbit_interval_max, OPTION_DOUBLE, "30"),
    OPTION(kombu_reconnect_delay, OPTION_DOUBLE, "1.0"),
    OPTION(kombu_reconnect_splay, OPTION_DOUBLE, "0.0"),
    OPTION(kombu_failover_strategy, OPTION_STRING, "round-robin"),
    OPTION(kombu_missing_consumer_retry_timeout, OPTION_DOUBLE, "60"),
    OPTION(kombu_compression, OPTION_STRING, NULL),
    OPTION(rabbit_login_method, OPTION_STRING, "AMQPLAIN"),
    OPTION(ssl, OPTION_BOOL, "false"),
    OPTION(ssl_version, OPTION_STRING, ""),
    OPTION(ssl_ca_file, OPTION_STRING, ""),
    OPTION(ssl_cert_file, OPTION_STRING, ""),
    OPTION(ssl_key_file, OPTION_STRING, ""),
    OPTION(ssl_enforce_hostname_verification, OPTION_BOOL, "false"),
};

/* Other spellings that some release took: {alias, name}. */
static const char *const aliases[][2] = {
    {"rabbit_use_ssl", "ssl"},
    {"kombu_ssl_version", "ssl_version"},
    {"kombu_ssl_keyfile", "ssl_key_file"},
    {"kombu_ssl_certfile", "ssl_cert_file"},
    {"kombu_ssl_ca_certs", "ssl_ca_file"},
    {"rabbit_quroum_max_memory_length", "rabbit_quorum_max_memory_length"},
    {"rabbit_quroum_max_memory_bytes", "rabbit_quorum_max_memory_bytes"},
};

static bool parse_bool(const char *text, bool *value)
{
    static const char *const yes[] = {"true", "1", "on", "yes", NULL}, *const no[] = {"false", "0", "off", "no", NULL};
    g_autofree char *lower = g_ascii_strdown(text, -1);
    *value = g_strv_contains(yes, lower);
    return *value || g_strv_contains(no, lower);
}

static bool option_store(const Option *option, RpcOptions *options, const char *text)
{
    void *at = (char *)options + option->offset;
    gint64 number = 0;
    char *end = NULL;
    switch (option->kind) {
    case OPTION_BOOL:
        return parse_bool(text, at);
    case OPTION_INT:
        if (!g_ascii_string_to_signed(text, 10, 0, G_MAXINT, &number, NULL))
            return false;
        *(int *)at = (int)number;
        return true;
    case OPTION_INT64:
        return g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, at, NULL);
    case OPTION_DOUBLE:
        *(double *)at = g_ascii_strtod(text, &end);
        return end != text && *end == '\0' && *(double *)at >= 0;
    case OPTION_STRING:
        g_free(*(char **)at);
        *(char **)at = g_strdup(text);
        return true;
    }
    return false;
}

void rpc_options_init(RpcOptions *options)
{
    memset(options, 0, sizeof *options);
    options->control_exchange = g_strdup("nova");
    options->rpc_response_timeout = 60;
    options->max_body = 16 * 1024 * 1024;
    for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++)
        if (options_table[i].fallback != NULL)
            option_store(&options_table[i], options, options_table[i].fallback);
}

void rpc_options_clear(RpcOptions *options)
{
    g_clear_pointer(&options->control_exchange, g_free);
    g_clear_pointer(&options->lock_path, g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++)
        if (options_table[i].kind == OPTION_STRING)
            g_clear_pointer((char **)(void *)((char *)options + options_table[i].offset), g_free);
}

bool rpc_options_set(RpcOptions *options, const char *name, const char *value, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (g_str_equal(aliases[i][0], name))
            name = aliases[i][1];
    for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
        if (!g_str_equal(options_table[i].name, name))
            continue;
        if (option_store(&options_table[i], options, value))
            return true;
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "option '%s' cannot be '%s'", name, value);
        return false;
    }
    g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "no option '%s' in [oslo_messaging_rabbit]", name);
    return false;
}

void rpc_options_copy(const RpcOptions *from, RpcOptions *to)
{
    rpc_options_clear(to);
    *to = *from;
    to->control_exchange = g_strdup(from->control_exchange);
    to->lock_path = g_strdup(from->lock_path);
    for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++)
        if (options_table[i].kind == OPTION_STRING) {
            char *const *text = (char *const *)(const void *)((const char *)from + options_table[i].offset);
            *(char **)(void *)((char *)to + options_table[i].offset) = g_strdup(*text);
        }
}

/* True if the option is unset, empty, or one of the values. */
static bool one_of(const char *value, const char *const *values)
{
    return value == NULL || *value == '\0' || g_strv_contains(values, value);
}

bool rpc_options_validate(const RpcOptions *options, GError **error)
{
    static const char *const logins[] = {"AMQPLAIN", "PLAIN", "EXTERNAL", "RABBIT-CR-DEMO", NULL};
    static const char *const strategies[] = {"round-robin", "shuffle", NULL};
    static const char *const compressions[] = {"gzip", NULL};
    const char *wrong = NULL;
    if (options->rabbit_ha_queues && options->rabbit_quorum_queue)
        wrong = "rabbit_ha_queues and rabbit_quorum_queue exclude each other";
    else if (options->rabbit_stream_fanout && (options->rabbit_qos_prefetch_count <= 0 || !options->rabbit_transient_quorum_queue))
        wrong = "rabbit_stream_fanout needs rabbit_qos_prefetch_count above 0 and rabbit_transient_quorum_queue";
    else if (options->use_queue_manager && (options->hostname == NULL || options->processname == NULL))
        wrong = "use_queue_manager needs hostname and processname";
    else if (!one_of(options->rabbit_login_method, logins))
        wrong = "rabbit_login_method is none of AMQPLAIN, PLAIN, EXTERNAL, RABBIT-CR-DEMO";
    else if (!one_of(options->kombu_failover_strategy, strategies))
        wrong = "kombu_failover_strategy is neither round-robin nor shuffle";
    else if (!one_of(options->kombu_compression, compressions))
        wrong = "kombu_compression is not supported, only gzip is";
    if (wrong == NULL)
        return true;
    g_set_error_literal(error, RPC_ERROR, RPC_ERROR_ARGUMENT, wrong);
    return false;
}
