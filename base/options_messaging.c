/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/options_table.h"

/* RPC and notifications (oslo.messaging). */

static const NdOption rpc_options[] = {
    {"conn_pool_min_size", INTEGER, "2", "idle broker connections to keep at least", IGNORED("one connection sends for all threads")},
    {"conn_pool_ttl", INTEGER, "1200", "seconds an idle broker connection is kept", IGNORED("one connection sends for all threads")},
    {"control_exchange", STRING, "nova", "AMQP exchange of all RPC", HONOURED},
    {"executor_thread_pool_size", INTEGER, "64", "RPC requests worked on at a time", HONOURED, FORMERLY("rpc_thread_pool_size")},
    {"long_rpc_timeout", INTEGER, "1800", "seconds for RPC calls that may take long, heartbeats given", HONOURED},
    {"rpc_conn_pool_size", INTEGER, "30", "idle broker connections to keep at most", IGNORED("one connection sends for all threads"), AT_LEAST(1)},
    {"rpc_ping_enabled", BOOLEAN, "false", "answer oslo_rpc_server_ping", HONOURED},
    {"rpc_response_timeout", INTEGER, "60", "seconds to wait for an RPC answer", HONOURED},
    {"transport_url", STRING, "rabbit://", "message broker of RPC", HONOURED, SECRET},
};

static const NdOption oslo_messaging_rabbit_options[] = {
    {"amqp_auto_delete", BOOLEAN, "false", "queues delete themselves", HONOURED, FORMERLY("DEFAULT.amqp_auto_delete")},
    {"amqp_durable_queues", BOOLEAN, "false", "queues and exchanges survive a broker restart", HONOURED},
    {"conn_pool_min_size", INTEGER, "2", "idle broker connections to keep at least", IGNORED("one connection sends for all threads")},
    {"conn_pool_ttl", INTEGER, "1200", "seconds an idle broker connection is kept", IGNORED("one connection sends for all threads")},
    {"direct_mandatory_flag", BOOLEAN, "true", "replies to queues that are gone are reported", HONOURED},
    {"enable_cancel_on_failover", BOOLEAN, "false", "be told when a queue moves", HONOURED},
    {"heartbeat_in_pthread", BOOLEAN, "false", "heartbeats in a native thread", IGNORED("heartbeats always have their own thread")},
    {"heartbeat_rate", INTEGER, "2", "checks in one heartbeat timeout", HONOURED, LATER(2026_1, "3")},
    {"heartbeat_timeout_threshold", INTEGER, "60", "seconds without heartbeat that make the broker dead; 0: off", HONOURED},
    {"hostname", STRING, "@host_name", "host part of queue names", HONOURED},
    {"kombu_compression", STRING, NULL, "compression of message bodies", HONOURED},
    {"kombu_failover_strategy", STRING, "round-robin", "order of brokers to try", HONOURED, CHOICES("round-robin,shuffle")},
    {"kombu_missing_consumer_retry_timeout", INTEGER, "60", "seconds to look for a missing reply queue", HONOURED, FORMERLY("kombu_reconnect_timeout")},
    {"kombu_reconnect_delay", FLOAT, "1.0", "seconds before reconnecting", HONOURED, RANGE(0, 4.5), FORMERLY("DEFAULT.kombu_reconnect_delay")},
    {"kombu_reconnect_splay", FLOAT, "0.0", "random seconds added to them", HONOURED, AT_LEAST(0)},
    {"processname", STRING, "nova-compute", "process part of queue names", HONOURED},
    {"rabbit_ha_queues", BOOLEAN, "false", "mirrored queues", HONOURED, FORMERLY("DEFAULT.rabbit_ha_queues")},
    {"rabbit_interval_max", INTEGER, "30", "longest wait between connection tries, seconds", HONOURED},
    {"rabbit_login_method", STRING, "AMQPLAIN", "SASL mechanism", HONOURED, CHOICES("PLAIN,AMQPLAIN,EXTERNAL,RABBIT-CR-DEMO"), FORMERLY("DEFAULT.rabbit_login_method")},
    {"rabbit_qos_prefetch_count", INTEGER, "0", "unacknowledged messages at a time; 0: any", HONOURED},
    {"rabbit_quorum_delivery_limit", INTEGER, "0", "deliveries before a quorum queue drops a message; 0: no limit", HONOURED},
    {"rabbit_quorum_max_memory_bytes", INTEGER, "0", "memory of a quorum queue; 0: no limit", HONOURED, FORMERLY("rabbit_quroum_max_memory_bytes")},
    {"rabbit_quorum_max_memory_length", INTEGER, "0", "messages of a quorum queue in memory; 0: no limit", HONOURED, FORMERLY("rabbit_quroum_max_memory_length")},
    {"rabbit_quorum_queue", BOOLEAN, "false", "quorum queues for RPC", HONOURED},
    {"rabbit_retry_backoff", INTEGER, "2", "seconds added to the wait at each try", HONOURED, FORMERLY("DEFAULT.rabbit_retry_backoff")},
    {"rabbit_retry_interval", INTEGER, "1", "first wait between connection tries, seconds", HONOURED},
    {"rabbit_stream_fanout", BOOLEAN, "false", "fanout through streams", HONOURED},
    {"rabbit_transient_queues_ttl", INTEGER, "1800", "seconds an unused reply or fanout queue lives", HONOURED, AT_LEAST(1)},
    {"rabbit_transient_quorum_queue", BOOLEAN, "false", "quorum queues for replies and fanout too", HONOURED},
    {"rpc_conn_pool_size", INTEGER, "30", "idle broker connections to keep at most", IGNORED("one connection sends for all threads"), AT_LEAST(1), FORMERLY("DEFAULT.rpc_conn_pool_size")},
    {"ssl", BOOLEAN, "false", "TLS to the broker", HONOURED, FORMERLY("rabbit_use_ssl")},
    {"ssl_ca_file", STRING, "", "certificate authorities for the broker", HONOURED, FORMERLY("kombu_ssl_ca_certs")},
    {"ssl_cert_file", STRING, "", "client certificate for the broker", HONOURED, FORMERLY("kombu_ssl_certfile")},
    {"ssl_enforce_fips_mode", BOOLEAN, "false", "OpenSSL must be in FIPS mode", IGNORED("decided by the system's OpenSSL")},
    {"ssl_enforce_hostname_verification", BOOLEAN, "false", "the broker's certificate must name its host", HONOURED, LATER(2026_2, "true")},
    {"ssl_key_file", STRING, "", "key of the client certificate", HONOURED, FORMERLY("kombu_ssl_keyfile")},
    {"ssl_version", STRING, "", "TLS version to use", HONOURED, FORMERLY("kombu_ssl_version")},
    {"use_queue_manager", BOOLEAN, "false", "reply and fanout queues have lasting names", HONOURED},
};

static const NdOption oslo_messaging_notifications_options[] = {
    {"driver", MULTI_STRING, NULL, "how notifications are sent; may be repeated", HONOURED, FORMERLY("DEFAULT.notification_driver")},
    {"retry", INTEGER, "-1", "tries to send; -1: for ever, 0: one", HONOURED},
    {"topics", LIST, "notifications", "topics of notifications", HONOURED, FORMERLY("rpc_notifier2.topics DEFAULT.notification_topics")},
    {"transport_url", STRING, NULL, "broker of notifications; empty: that of RPC", HONOURED, FORMERLY("DEFAULT.notification_transport_url"), SECRET},
};

static const NdOption oslo_messaging_metrics_options[] = {
    {"metrics_buffer_size", INTEGER, "1000", "metrics kept for sending", IGNORED("Python metrics collector")},
    {"metrics_enabled", BOOLEAN, "false", "send RPC metrics", IGNORED("Python metrics collector")},
    {"metrics_process_name", STRING, "", "process name in metrics", IGNORED("Python metrics collector")},
    {"metrics_socket_file", STRING, "/var/tmp/metrics_collector.sock", "socket of the metrics collector", IGNORED("Python metrics collector")},
    {"metrics_thread_stop_timeout", INTEGER, "10", "seconds to wait for the sender at the end", IGNORED("Python metrics collector")},
};

static const NdOption notifications_options[] = {
    {"bdms_in_notifications", BOOLEAN, "false", "versioned notifications list block devices", HONOURED},
    {"default_level", STRING, "INFO", "priority of notifications", UNSUPPORTED("not implemented yet"), CHOICES("DEBUG,INFO,WARN,ERROR,CRITICAL"), FORMERLY("DEFAULT.default_notification_level")},
    {"include_share_mapping", BOOLEAN, "false", "versioned notifications list shares", UNSUPPORTED("not implemented yet")},
    {"notification_format", STRING, "unversioned", "which notifications are sent", HONOURED, CHOICES("both,versioned,unversioned"), FORMERLY("DEFAULT.notification_format")},
    {"notify_on_state_change", STRING, NULL, "states whose changes are notified", UNSUPPORTED("not implemented yet"), CHOICES("vm_state,vm_and_task_state"), FORMERLY("DEFAULT.notify_on_state_change")},
    {"versioned_notifications_topics", LIST, "versioned_notifications", "topics of versioned notifications", HONOURED},
};

static const NdOption upgrade_levels_options[] = {
    {"baseapi", STRING, NULL, "version limit of base RPC", UNSUPPORTED("not implemented yet")},
    {"cert", STRING, NULL, "version limit of nova-cert, which is gone", IGNORED("the service is gone")},
    {"compute", STRING, NULL, "version limit of RPC to computes; auto: what all understand", UNSUPPORTED("not implemented yet")},
    {"conductor", STRING, NULL, "version limit of RPC to the conductor", UNSUPPORTED("not implemented yet")},
    {"scheduler", STRING, NULL, "version limit of RPC to the scheduler", UNSUPPORTED("not implemented yet")},
};

const NdOptionFamily nd_options_messaging[] = {
    {"DEFAULT", rpc_options, G_N_ELEMENTS(rpc_options)},
    {"oslo_messaging_rabbit", oslo_messaging_rabbit_options, G_N_ELEMENTS(oslo_messaging_rabbit_options)},
    {"oslo_messaging_notifications", oslo_messaging_notifications_options, G_N_ELEMENTS(oslo_messaging_notifications_options)},
    {"oslo_messaging_metrics", oslo_messaging_metrics_options, G_N_ELEMENTS(oslo_messaging_metrics_options)},
    {"notifications", notifications_options, G_N_ELEMENTS(notifications_options)},
    {"upgrade_levels", upgrade_levels_options, G_N_ELEMENTS(upgrade_levels_options)},
    {NULL, NULL, 0},
};
