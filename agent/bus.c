/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/bus.h"

#include "agent/accept.h"
#include "agent/dispatch.h"
#include "agent/methods.h"
#include "base/log.h"

#include <string.h>

#define LOGGER "oslo.messaging._drivers.impl_rabbit"
#define NOTIFICATION_LOGGER "oslo.messaging.notification"
#define PROCESS_NAME "nova-compute" /* part of queue names with use_queue_manager: must be what Python's would be */

/* Those of [oslo_messaging_rabbit] that rpc/ acts on; each goes there by its own name.
 * options read: [oslo_messaging_rabbit] amqp_auto_delete amqp_durable_queues direct_mandatory_flag enable_cancel_on_failover heartbeat_rate
 * heartbeat_timeout_threshold hostname kombu_compression kombu_failover_strategy kombu_missing_consumer_retry_timeout kombu_reconnect_delay
 * kombu_reconnect_splay processname rabbit_ha_queues rabbit_interval_max rabbit_login_method rabbit_qos_prefetch_count
 * rabbit_quorum_delivery_limit rabbit_quorum_max_memory_bytes rabbit_quorum_max_memory_length rabbit_quorum_queue rabbit_retry_backoff
 * rabbit_retry_interval rabbit_stream_fanout rabbit_transient_queues_ttl rabbit_transient_quorum_queue ssl ssl_ca_file ssl_cert_file
 * ssl_enforce_hostname_verification ssl_key_file ssl_version use_queue_manager */
static const char *const rabbit_options[] = {
    "amqp_auto_delete",
    "amqp_durable_queues",
    "direct_mandatory_flag",
    "enable_cancel_on_failover",
    "heartbeat_rate",
    "heartbeat_timeout_threshold",
    "hostname",
    "kombu_compression",
    "kombu_failover_strategy",
    "kombu_missing_consumer_retry_timeout",
    "kombu_reconnect_delay",
    "kombu_reconnect_splay",
    "processname",
    "rabbit_ha_queues",
    "rabbit_interval_max",
    "rabbit_login_method",
    "rabbit_qos_prefetch_count",
    "rabbit_quorum_delivery_limit",
    "rabbit_quorum_max_memory_bytes",
    "rabbit_quorum_max_memory_length",
    "rabbit_quorum_queue",
    "rabbit_retry_backoff",
    "rabbit_retry_interval",
    "rabbit_stream_fanout",
    "rabbit_transient_queues_ttl",
    "rabbit_transient_quorum_queue",
    "ssl",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_enforce_hostname_verification",
    "ssl_key_file",
    "ssl_version",
    "use_queue_manager",
};

static void on_event(RpcEvent event, const char *connection, const char *text, const GError *error, gpointer user_data G_GNUC_UNUSED)
{
    const char *why = error != NULL ? error->message : "";

    text = text != NULL ? text : "";
    switch (event) {
    case RPC_EVENT_CONNECTED:
        nd_info(LOGGER, "[%s] Connected to AMQP server on %s", connection, text);
        break;
    case RPC_EVENT_DISCONNECTED:
        nd_err(LOGGER, "[%s] AMQP server on %s is unreachable: %s. Trying again.", connection, text, why);
        break;
    case RPC_EVENT_CONNECT_FAILED:
        nd_warning(LOGGER, "[%s] Connection to AMQP server on %s failed: %s", connection, text, why);
        break;
    case RPC_EVENT_BLOCKED:
        nd_err(LOGGER, "[%s] The broker has blocked the connection: %s", connection, text);
        break;
    case RPC_EVENT_UNBLOCKED:
        nd_info(LOGGER, "[%s] The broker has unblocked the connection", connection);
        break;
    case RPC_EVENT_MESSAGE_DROPPED:
        nd_warning(LOGGER, "[%s] Message dropped: %s %s", connection, text, why);
        break;
    case RPC_EVENT_DECLARE_FALLBACK:
        nd_warning(LOGGER, "[%s] The broker's queue differs from the options and is used as it is: %s %s", connection, text, why);
        break;
    }
}

static bool fill_options(const NdConfig *config, RpcOptions *options, GError **error)
{
    const char *lock_path = nd_config_string(config, "oslo_concurrency", "lock_path");
    const char *exchange = nd_config_string(config, "DEFAULT", "control_exchange");

    for (size_t i = 0; i < G_N_ELEMENTS(rabbit_options); i++) {
        g_autofree char *text = nd_config_value_text(config, "oslo_messaging_rabbit", rabbit_options[i]);

        if (text != NULL && !rpc_options_set(options, rabbit_options[i], text, error)) {
            g_prefix_error(error, "[oslo_messaging_rabbit]%s: ", rabbit_options[i]);
            return false;
        }
    }
    if (options->processname == NULL)
        options->processname = g_strdup(PROCESS_NAME);
    g_free(options->control_exchange);
    options->control_exchange = g_strdup(exchange != NULL ? exchange : "nova");
    g_free(options->lock_path);
    options->lock_path = g_strdup(lock_path);
    options->rpc_response_timeout = (double)nd_config_int(config, "DEFAULT", "rpc_response_timeout");
    return true;
}

static RpcTransport *new_transport(const NdConfig *config, const char *url, GError **error)
{
    g_auto(RpcOptions) options;
    RpcTransport *transport;

    rpc_options_init(&options);
    if (!fill_options(config, &options, error))
        return NULL;
    transport = rpc_transport_new(url, &options, error);
    if (transport != NULL)
        rpc_transport_set_event_func(transport, on_event, NULL);
    return transport;
}

RpcTransport *agent_bus_new(const NdConfig *config, GError **error)
{
    RpcTransport *transport = new_transport(config, nd_config_string(config, "DEFAULT", "transport_url"), error);

    if (transport == NULL)
        g_prefix_error(error, "[DEFAULT]transport_url: ");
    return transport;
}

static void on_log(RpcNotifyPriority priority, const char *event_type, const char *message, gpointer user_data G_GNUC_UNUSED)
{
    static const NdLogLevel levels[] = {
        [RPC_NOTIFY_DEBUG] = ND_LOG_DEBUG,   [RPC_NOTIFY_INFO] = ND_LOG_INFO,         [RPC_NOTIFY_WARN] = ND_LOG_WARNING,
        [RPC_NOTIFY_ERROR] = ND_LOG_ERROR, [RPC_NOTIFY_CRITICAL] = ND_LOG_CRITICAL,
    };
    g_autofree char *logger = g_strdup_printf("%s.%s", NOTIFICATION_LOGGER, event_type);

    nd_log(levels[priority], logger, "%s", message);
}

bool agent_bus_notifier(const NdConfig *config, const char *host, RpcTransport *bus, RpcTransport **transport, RpcNotifier **notifier, GError **error)
{
    const char *const *drivers = nd_config_multi(config, "oslo_messaging_notifications", "driver");
    const char *url = nd_config_string(config, "oslo_messaging_notifications", "transport_url");
    g_autofree char *publisher = g_strconcat("compute.", host, NULL);
    g_autofree char *versioned_publisher = g_strconcat("nova-compute:", host, NULL);
    g_autoptr(RpcTransport) own = NULL;
    RpcNotifierOptions options = {
        .drivers = drivers,
        .topics = nd_config_list(config, "oslo_messaging_notifications", "topics"),
        .versioned_topics = nd_config_list(config, "notifications", "versioned_notifications_topics"),
        .format = nd_config_string(config, "notifications", "notification_format"),
        .publisher_id = publisher,
        .versioned_publisher_id = versioned_publisher,
        .retry = (int)nd_config_int(config, "oslo_messaging_notifications", "retry"),
        .log = on_log,
    };

    *notifier = NULL;
    *transport = NULL;
    if (drivers[0] == NULL)
        return true;
    own = url != NULL && url[0] != '\0' ? new_transport(config, url, error) : rpc_transport_ref(bus);
    if (own == NULL) {
        g_prefix_error(error, "[oslo_messaging_notifications]transport_url: ");
        return false;
    }
    *notifier = rpc_notifier_new(own, &options, error);
    if (*notifier == NULL)
        return false;
    *transport = g_steal_pointer(&own);
    return true;
}

RpcServer *agent_bus_server(Agent *agent, GError **error)
{
    static const char *const topics[] = {"compute", "compute-alt", NULL};
    RpcServerOptions options = {
        .topics = topics,
        .server_name = agent->host,
        .service = "compute",
        .rpc_ping_enabled = nd_config_bool(agent->config, "DEFAULT", "rpc_ping_enabled"),
        .accept = agent_accept,
        .dispatch = agent_dispatch,
        .user_data = agent,
    };

    options.endpoints = methods_endpoints(&options.n_endpoints);
    return rpc_server_new(agent->transport, &options, error);
}
