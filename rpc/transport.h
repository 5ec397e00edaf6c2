/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * A message bus: the hosts of one transport_url and the AMQP connections to them. Each connection belongs to one thread of its own
 * (docs/threads.md); the rest of the process talks to those threads through queues. Rules: spec/rpc-wire.md sections 2 and 6 to 8.
 */

/* The options of [oslo_messaging_rabbit] and [DEFAULT] that rpc/ honours, by upstream's names. rpc_options_init() sets upstream's defaults. */
typedef struct {
    char *control_exchange; /* "nova" */
    double rpc_response_timeout; /* seconds, 60 */
    /* queues */
    bool amqp_durable_queues, amqp_auto_delete;
    bool rabbit_ha_queues, rabbit_quorum_queue, rabbit_transient_quorum_queue, rabbit_stream_fanout;
    int rabbit_quorum_delivery_limit, rabbit_quorum_max_memory_length;
    gint64 rabbit_quorum_max_memory_bytes;
    int rabbit_transient_queues_ttl; /* seconds, 1800; 0 = no x-expires */
    int rabbit_qos_prefetch_count;
    bool enable_cancel_on_failover;
    bool direct_mandatory_flag; /* true */
    bool use_queue_manager;
    char *hostname, *processname; /* of the queue manager's names */
    char *lock_path;              /* of the queue manager's external lock; NULL = the system's temporary directory */
    /* connection */
    int heartbeat_timeout_threshold; /* seconds, 60; 0 = none */
    int heartbeat_rate;              /* 2 */
    double rabbit_retry_interval, rabbit_retry_backoff, rabbit_interval_max; /* seconds: 1, 2, 30 */
    double kombu_reconnect_delay, kombu_reconnect_splay;                     /* seconds: 1.0, 0.0 */
    char *kombu_failover_strategy; /* "round-robin" or "shuffle" */
    double kombu_missing_consumer_retry_timeout; /* seconds, 60 */
    char *kombu_compression;                     /* NULL, "gzip"; "bz2" is refused */
    char *rabbit_login_method;                   /* "AMQPLAIN", "PLAIN", "EXTERNAL", "RABBIT-CR-DEMO" */
    /* TLS */
    bool ssl;
    char *ssl_version, *ssl_ca_file, *ssl_cert_file, *ssl_key_file;
    bool ssl_enforce_hostname_verification; /* false: as upstream before oslo.messaging 18.1 */
    /* ours */
    gsize max_body; /* bytes of a message body that is parsed, 16 MiB; larger ones are answered with an error and dropped */
} RpcOptions;

void rpc_options_init(RpcOptions *options);
void rpc_options_clear(RpcOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpcOptions, rpc_options_clear)
/* Sets the option of that [oslo_messaging_rabbit] name from text (transport_url's query). RPC_ERROR_ARGUMENT: no such option, bad value. */
bool rpc_options_set(RpcOptions *options, const char *name, const char *value, GError **error);

typedef struct RpcTransport RpcTransport;

/* Parses the URL ("rabbit://user:pass@host:port,.../vhost?option=value") and options; opens no connection yet. `options` is copied.
 * RPC_ERROR_ARGUMENT: bad URL, contradicting options. */
RpcTransport *rpc_transport_new(const char *url, const RpcOptions *options, GError **error);
RpcTransport *rpc_transport_ref(RpcTransport *transport);
void rpc_transport_unref(RpcTransport *transport);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcTransport, rpc_transport_unref)

const RpcOptions *rpc_transport_options(const RpcTransport *transport);

/* What happens on the connections, for the log: rpc/ itself does not log. */
typedef enum {
    RPC_EVENT_CONNECTED,    /* text: "host:port" */
    RPC_EVENT_DISCONNECTED, /* text: "host:port"; error says why; a reconnect follows */
    RPC_EVENT_CONNECT_FAILED, /* likewise */
    RPC_EVENT_BLOCKED,   /* the broker takes no messages (memory or disk alarm); text: its reason */
    RPC_EVENT_UNBLOCKED,
    RPC_EVENT_MESSAGE_DROPPED, /* a duplicate, an undecodable message, a reply nobody waits for or can receive; error says which */
    RPC_EVENT_DECLARE_FALLBACK, /* the broker's queue differs from our options and was taken as it is */
} RpcEvent;
/* Called on a connection's thread (or on that of a caller whose message is dropped): be quick, and do not call back into the transport. */
typedef void (*RpcEventFunc)(RpcEvent event, const char *connection, const char *text, const GError *error, gpointer user_data);
/* Set before the first client or server is made. */
void rpc_transport_set_event_func(RpcTransport *transport, RpcEventFunc func, gpointer user_data);

/* Waits until everything handed in for publishing was confirmed by the broker; false after timeout_s seconds. */
bool rpc_transport_flush(RpcTransport *transport, double timeout_s);
/* Stops all connections: running calls fail with RPC_ERROR_CLOSED, unsent messages are dropped, threads are joined. May be called twice.
 * Stop servers first. */
void rpc_transport_stop(RpcTransport *transport);

/* For metrics and novactl: one entry a connection; caller frees with g_ptr_array_unref. */
typedef struct {
    char *name; /* "publish", "reply", "compute" */
    char *host; /* "host:port" it is, or was last, connected to */
    bool connected, blocked;
    guint64 messages_in, messages_out, reconnects;
    gsize queued; /* messages waiting to be sent or confirmed */
} RpcConnectionStatus;
GPtrArray *rpc_transport_status(RpcTransport *transport);
