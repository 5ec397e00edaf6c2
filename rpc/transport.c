/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/error.h"
#include "rpc/transport_private.h"

/* Puts the hosts into a random order, so that the agents of a cloud spread over the brokers. */
static void shuffle_hosts(GPtrArray *hosts)
{
    for (guint i = hosts->len; i > 1; i--) {
        guint other = (guint)g_random_int_range(0, (gint32)i);
        gpointer swap = hosts->pdata[i - 1];
        hosts->pdata[i - 1] = hosts->pdata[other];
        hosts->pdata[other] = swap;
    }
}

RpcTransport *rpc_transport_new(const char *url, const RpcOptions *options, GError **error)
{
    g_autoptr(RpcUrl) parsed = rpc_url_parse(url, error);
    if (parsed == NULL)
        return NULL;
    g_auto(RpcOptions) copy;
    rpc_options_init(&copy);
    rpc_options_copy(options, &copy);
    for (guint i = 0; i + 1 < parsed->query->len; i += 2)
        if (!rpc_options_set(&copy, g_ptr_array_index(parsed->query, i), g_ptr_array_index(parsed->query, i + 1), error)) {
            g_prefix_error(error, "transport_url: ");
            return NULL;
        }
    if (!rpc_options_validate(&copy, error))
        return NULL;
    RpcTransport *transport = g_new0(RpcTransport, 1);
    g_atomic_ref_count_init(&transport->ref_count);
    transport->options = copy;
    rpc_options_init(&copy);
    transport->url = g_steal_pointer(&parsed);
    shuffle_hosts(transport->url->hosts);
    transport->listeners = g_ptr_array_new();
    g_mutex_init(&transport->lock);
    return transport;
}

RpcTransport *rpc_transport_ref(RpcTransport *transport)
{
    g_atomic_ref_count_inc(&transport->ref_count);
    return transport;
}

void rpc_transport_unref(RpcTransport *transport)
{
    if (transport == NULL || !g_atomic_ref_count_dec(&transport->ref_count))
        return;
    rpc_transport_stop(transport);
    rpc_publisher_free(transport->publisher);
    rpc_replies_free(transport->replies);
    g_ptr_array_unref(transport->listeners);
    rpc_url_free(transport->url);
    rpc_options_clear(&transport->options);
    g_mutex_clear(&transport->lock);
    g_free(transport);
}

const RpcOptions *rpc_transport_options(const RpcTransport *transport)
{
    return &transport->options;
}

void rpc_transport_set_event_func(RpcTransport *transport, RpcEventFunc func, gpointer user_data)
{
    transport->event_func = func;
    transport->event_data = user_data;
}

static bool check_open(RpcTransport *transport, GError **error)
{
    if (!transport->stopped)
        return true;
    g_set_error(error, RPC_ERROR, RPC_ERROR_CLOSED, "the transport is being stopped");
    return false;
}

RpcPublisher *rpc_transport_publisher(RpcTransport *transport, GError **error)
{
    RpcPublisher *publisher = NULL;
    g_mutex_lock(&transport->lock);
    if (check_open(transport, error)) {
        if (transport->publisher == NULL)
            transport->publisher = rpc_publisher_new(transport);
        publisher = transport->publisher;
    }
    g_mutex_unlock(&transport->lock);
    return publisher;
}

RpcReplies *rpc_transport_replies(RpcTransport *transport, GError **error)
{
    RpcReplies *replies = NULL;
    g_mutex_lock(&transport->lock);
    if (check_open(transport, error)) {
        if (transport->replies == NULL)
            transport->replies = rpc_replies_new(transport, error);
        replies = transport->replies;
    }
    g_mutex_unlock(&transport->lock);
    return replies;
}

void rpc_transport_add_listener(RpcTransport *transport, RpcConnection *connection)
{
    g_mutex_lock(&transport->lock);
    g_ptr_array_add(transport->listeners, connection);
    g_mutex_unlock(&transport->lock);
}

void rpc_transport_remove_listener(RpcTransport *transport, RpcConnection *connection)
{
    g_mutex_lock(&transport->lock);
    g_ptr_array_remove(transport->listeners, connection);
    g_mutex_unlock(&transport->lock);
}

bool rpc_transport_flush(RpcTransport *transport, double timeout_s)
{
    g_mutex_lock(&transport->lock);
    RpcPublisher *publisher = transport->publisher;
    g_mutex_unlock(&transport->lock);
    return publisher == NULL || rpc_publisher_flush(publisher, g_get_monotonic_time() + (gint64)(timeout_s * G_USEC_PER_SEC));
}

void rpc_transport_stop(RpcTransport *transport)
{
    g_mutex_lock(&transport->lock);
    transport->stopped = true;
    RpcPublisher *publisher = transport->publisher;
    RpcReplies *replies = transport->replies;
    g_mutex_unlock(&transport->lock);
    if (replies != NULL)
        rpc_replies_stop(replies);
    if (publisher != NULL)
        rpc_publisher_stop(publisher);
}

static void status_free(gpointer data)
{
    RpcConnectionStatus *status = data;
    g_free(status->name);
    g_free(status->host);
    g_free(status);
}

GPtrArray *rpc_transport_status(RpcTransport *transport)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(status_free);
    g_mutex_lock(&transport->lock);
    if (transport->publisher != NULL)
        g_ptr_array_add(list, rpc_connection_status(rpc_publisher_connection(transport->publisher)));
    if (transport->replies != NULL)
        g_ptr_array_add(list, rpc_connection_status(rpc_replies_connection(transport->replies)));
    for (guint i = 0; i < transport->listeners->len; i++)
        g_ptr_array_add(list, rpc_connection_status(g_ptr_array_index(transport->listeners, i)));
    g_mutex_unlock(&transport->lock);
    return list;
}
