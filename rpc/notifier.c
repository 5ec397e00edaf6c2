/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/notifier.h"

#include "base/ids.h"
#include "base/time.h"
#include "rpc/error.h"
#include "rpc/message.h"
#include "rpc/transport_private.h"

struct RpcNotifier {
    RpcTransport *transport;
    bool envelope, bare, to_log; /* drivers messagingv2, messaging, log */
    bool legacy, versioned;      /* notification_format */
    char **topics, **versioned_topics;
    char *publisher_id, *versioned_publisher_id;
    int retry;
    RpcNotifyLogFunc log;
    gpointer log_data;
};

static const char *const priority_names[] = {"DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"};

static bool add_driver(RpcNotifier *notifier, const char *driver, GError **error)
{
    if (g_str_equal(driver, "messagingv2"))
        notifier->envelope = true;
    else if (g_str_equal(driver, "messaging"))
        notifier->bare = true;
    else if (g_str_equal(driver, "log"))
        notifier->to_log = true;
    else if (!g_str_equal(driver, "noop") && *driver != '\0') {
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "notification driver '%s' is not supported, only messagingv2, messaging, log, noop", driver);
        return false;
    }
    return true;
}

static bool set_format(RpcNotifier *notifier, const char *format, GError **error)
{
    format = format ? format : "unversioned";
    notifier->legacy = g_str_equal(format, "unversioned") || g_str_equal(format, "both");
    notifier->versioned = g_str_equal(format, "versioned") || g_str_equal(format, "both");
    if (notifier->legacy || notifier->versioned)
        return true;
    g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "notification_format '%s' is none of unversioned, versioned, both", format);
    return false;
}

static char **topics_or(const char *const *topics, const char *fallback)
{
    const char *const one[] = {fallback, NULL};
    return g_strdupv((char **)(topics != NULL ? topics : one));
}

RpcNotifier *rpc_notifier_new(RpcTransport *transport, const RpcNotifierOptions *options, GError **error)
{
    g_autoptr(RpcNotifier) notifier = g_new0(RpcNotifier, 1);
    for (const char *const *driver = options->drivers; driver != NULL && *driver != NULL; driver++)
        if (!add_driver(notifier, *driver, error))
            return NULL;
    if (!set_format(notifier, options->format, error))
        return NULL;
    if ((notifier->envelope || notifier->bare) && transport == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "the notification drivers messagingv2 and messaging need a message bus");
        return NULL;
    }
    notifier->transport = transport ? rpc_transport_ref(transport) : NULL;
    notifier->topics = topics_or(options->topics, "notifications");
    notifier->versioned_topics = topics_or(options->versioned_topics, "versioned_notifications");
    notifier->publisher_id = g_strdup(options->publisher_id);
    notifier->versioned_publisher_id = g_strdup(options->versioned_publisher_id);
    notifier->retry = options->retry;
    notifier->log = options->log;
    notifier->log_data = options->log_data;
    return g_steal_pointer(&notifier);
}

void rpc_notifier_unref(RpcNotifier *notifier)
{
    if (notifier == NULL)
        return;
    rpc_transport_unref(notifier->transport);
    g_strfreev(notifier->topics);
    g_strfreev(notifier->versioned_topics);
    g_free(notifier->publisher_id);
    g_free(notifier->versioned_publisher_id);
    g_free(notifier);
}

static bool has_driver(const RpcNotifier *notifier)
{
    return notifier->envelope || notifier->bare || (notifier->to_log && notifier->log != NULL);
}

bool rpc_notifier_wants_legacy(const RpcNotifier *notifier)
{
    return notifier->legacy && has_driver(notifier);
}

bool rpc_notifier_wants_versioned(const RpcNotifier *notifier)
{
    return notifier->versioned && has_driver(notifier);
}

/* Until when a notification may wait for the broker: `retry` attempts at the pace of reconnecting; -1 = for ever, 0 = dropped while offline. */
static gint64 give_up_time(const RpcNotifier *notifier)
{
    const RpcOptions *options = rpc_transport_options(notifier->transport);
    if (notifier->retry <= 0)
        return notifier->retry;
    double seconds = notifier->retry * (options->rabbit_retry_interval + options->kombu_reconnect_delay);
    return g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
}

/* Sends one body to the queue of each topic. */
static void publish(RpcNotifier *notifier, char **topics, RpcNotifyPriority priority, GBytes *body)
{
    RpcPublisher *publisher = rpc_transport_publisher(notifier->transport, NULL);
    g_autofree char *level = g_ascii_strdown(priority_names[priority], -1);
    for (char **topic = topics; publisher != NULL && *topic != NULL; topic++) {
        g_autofree char *key = g_strconcat(*topic, ".", level, NULL);
        RpcPublication *publication =
            rpc_publication_new("topic", rpc_transport_options(notifier->transport)->control_exchange, key, g_bytes_ref(body));
        publication->declare_queue = true;
        publication->droppable = true;
        publication->give_up = give_up_time(notifier);
        rpc_publisher_send(publisher, publication);
    }
    g_bytes_unref(body);
}

/* Builds the message (spec/rpc-wire.md section 10) and sends it by every driver. Takes `payload`. */
static void emit(RpcNotifier *notifier, const RpcContext *context, RpcNotifyPriority priority, const char *event_type, NdJson *payload,
                 const char *publisher_id, char **topics)
{
    g_autoptr(NdJson) message = json_object_new_object();
    g_autofree char *message_id = nd_uuid_new();
    g_autofree char *unique_id = nd_uuid_new_hex();
    g_autofree char *timestamp = nd_time_format_notification(nd_time_now());
    nd_json_set_string(message, "message_id", message_id);
    nd_json_set_string(message, "publisher_id", publisher_id);
    nd_json_set_string(message, "event_type", event_type);
    nd_json_set_string(message, "priority", priority_names[priority]);
    nd_json_set(message, "payload", payload);
    nd_json_set_string(message, "timestamp", timestamp);
    if (notifier->to_log && notifier->log != NULL) {
        g_autofree char *text = nd_json_to_string(message);
        notifier->log(priority, event_type, text, notifier->log_data);
    }
    nd_json_set_string(message, "_unique_id", unique_id);
    rpc_context_add_to_message(context, message, RPC_CONTEXT_REDACTED);
    if (notifier->envelope)
        publish(notifier, topics, priority, rpc_message_encode(message));
    if (notifier->bare)
        publish(notifier, topics, priority, rpc_message_encode_bare(message));
}

void rpc_notifier_emit(RpcNotifier *notifier, const RpcContext *context, RpcNotifyPriority priority, const char *event_type, NdJson *payload)
{
    if (rpc_notifier_wants_legacy(notifier))
        emit(notifier, context, priority, event_type, payload, notifier->publisher_id, notifier->topics);
    else
        json_object_put(payload);
}

void rpc_notifier_emit_versioned(RpcNotifier *notifier, const RpcContext *context, RpcNotifyPriority priority, const char *event_type, NdJson *payload)
{
    if (rpc_notifier_wants_versioned(notifier))
        emit(notifier, context, priority, event_type, payload, notifier->versioned_publisher_id, notifier->versioned_topics);
    else
        json_object_put(payload);
}
