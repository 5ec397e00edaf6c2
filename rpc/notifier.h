/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "rpc/context.h"
#include "rpc/transport.h"

#include <stdbool.h>

/* Notifications for other services (spec/rpc-wire.md section 10). Sent by the publisher's thread; emitting never blocks. */
typedef struct RpcNotifier RpcNotifier;

typedef enum { RPC_NOTIFY_DEBUG, RPC_NOTIFY_INFO, RPC_NOTIFY_WARN, RPC_NOTIFY_ERROR, RPC_NOTIFY_CRITICAL } RpcNotifyPriority;

/* The `log` driver hands its line to the program: rpc/ itself does not log. */
typedef void (*RpcNotifyLogFunc)(RpcNotifyPriority priority, const char *event_type, const char *message, gpointer user_data);

typedef struct {
    const char *const *drivers; /* [oslo_messaging_notifications]driver: "messagingv2", "messaging", "log", "noop"; NULL or empty = off */
    const char *const *topics;  /* [oslo_messaging_notifications]topics; NULL = "notifications" */
    const char *const *versioned_topics; /* [notifications]versioned_notifications_topics; NULL = "versioned_notifications" */
    const char *format;                  /* [notifications]notification_format: "unversioned" (NULL), "versioned", "both" */
    const char *publisher_id;            /* "compute.HOST" */
    const char *versioned_publisher_id;  /* "nova-compute:HOST" */
    int retry;                           /* [oslo_messaging_notifications]retry: -1 = for ever; 0 = dropped while not connected;
                                          * n = about n attempts to reconnect */
    RpcNotifyLogFunc log;
    gpointer log_data;
} RpcNotifierOptions;

/* `transport` is the bus of [oslo_messaging_notifications]transport_url or the RPC one; NULL only if no driver needs it. Strings are copied.
 * RPC_ERROR_ARGUMENT: unknown driver or format. */
RpcNotifier *rpc_notifier_new(RpcTransport *transport, const RpcNotifierOptions *options, GError **error);
void rpc_notifier_unref(RpcNotifier *notifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcNotifier, rpc_notifier_unref)

/* True if a notification of that kind would go anywhere: ask before building a costly payload. */
bool rpc_notifier_wants_legacy(const RpcNotifier *notifier);
bool rpc_notifier_wants_versioned(const RpcNotifier *notifier);
/* Take the reference of `payload`. `priority` also picks the queue: <topic>.<priority>. */
void rpc_notifier_emit(RpcNotifier *notifier, const RpcContext *context, RpcNotifyPriority priority, const char *event_type, NdJson *payload);
void rpc_notifier_emit_versioned(RpcNotifier *notifier, const RpcContext *context, RpcNotifyPriority priority, const char *event_type,
                                 NdJson *payload);
