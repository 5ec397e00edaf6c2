/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/server.h"

#include "rpc/error.h"
#include "rpc/listener.h"

struct RpcServer {
    RpcServerOptions options; /* own copies of its strings */
    GPtrArray *listeners;     /* RpcListener * */
};

RpcServer *rpc_server_new(RpcTransport *transport, const RpcServerOptions *options, GError **error)
{
    if (options->topics == NULL || options->topics[0] == NULL || options->server_name == NULL || options->dispatch == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "a server needs topics, a name and a dispatch function");
        return NULL;
    }
    g_autoptr(RpcServer) server = g_new0(RpcServer, 1);
    server->options = *options;
    server->options.topics = (const char *const *)g_strdupv((char **)options->topics);
    server->options.server_name = g_strdup(options->server_name);
    server->options.service = g_strdup(options->service ? options->service : "compute");
    server->listeners = g_ptr_array_new_with_free_func((GDestroyNotify)rpc_listener_free);
    for (const char *const *topic = options->topics; *topic != NULL; topic++) {
        RpcListener *listener = rpc_listener_new(transport, *topic, &server->options, error);
        if (listener == NULL)
            return NULL;
        g_ptr_array_add(server->listeners, listener);
    }
    return g_steal_pointer(&server);
}

void rpc_server_remember(RpcServer *server, const char *unique_id)
{
    for (guint i = 0; i < server->listeners->len; i++)
        rpc_listener_remember(g_ptr_array_index(server->listeners, i), unique_id);
}

bool rpc_server_start(RpcServer *server, double timeout_s, GError **error)
{
    gint64 until = timeout_s > 0 ? g_get_monotonic_time() + (gint64)(timeout_s * G_USEC_PER_SEC) : -1;
    for (guint i = 0; i < server->listeners->len; i++)
        rpc_listener_start(g_ptr_array_index(server->listeners, i));
    for (guint i = 0; i < server->listeners->len; i++)
        if (!rpc_listener_wait(g_ptr_array_index(server->listeners, i), until, error))
            return false;
    return true;
}

void rpc_server_stop(RpcServer *server, const char *topic)
{
    for (guint i = 0; i < server->listeners->len; i++) {
        RpcListener *listener = g_ptr_array_index(server->listeners, i);
        if (topic == NULL || g_str_equal(rpc_listener_topic(listener), topic))
            rpc_listener_stop(listener);
    }
}

void rpc_server_unref(RpcServer *server)
{
    if (server == NULL)
        return;
    g_ptr_array_unref(server->listeners);
    g_strfreev((char **)server->options.topics);
    g_free((char *)server->options.server_name);
    g_free((char *)server->options.service);
    g_free(server);
}
