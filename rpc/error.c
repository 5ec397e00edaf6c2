/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

/* G_DEFINE_EXTENDED_ERROR's getter returns NULL for another domain, which is asked about before each use. */
#pragma GCC diagnostic ignored "-Wnull-dereference"

#include "rpc/error.h"

typedef struct {
    char *class_name, *module; /* of RPC_ERROR_REMOTE */
} RpcErrorPrivate;

static void rpc_error_private_init(RpcErrorPrivate *priv)
{
}

static void rpc_error_private_copy(const RpcErrorPrivate *from, RpcErrorPrivate *to)
{
    to->class_name = g_strdup(from->class_name);
    to->module = g_strdup(from->module);
}

static void rpc_error_private_clear(RpcErrorPrivate *priv)
{
    g_free(priv->class_name);
    g_free(priv->module);
}

G_DEFINE_EXTENDED_ERROR(RpcError, rpc_error)

const char *rpc_error_remote_class(const GError *error)
{
    return g_error_matches(error, RPC_ERROR, RPC_ERROR_REMOTE) ? rpc_error_get_private(error)->class_name : NULL;
}

const char *rpc_error_remote_module(const GError *error)
{
    return g_error_matches(error, RPC_ERROR, RPC_ERROR_REMOTE) ? rpc_error_get_private(error)->module : NULL;
}

void rpc_error_set_remote(GError **error, const char *class_name, const char *module, const char *message)
{
    if (error == NULL)
        return;
    GError *made = g_error_new(RPC_ERROR, RPC_ERROR_REMOTE, "%s: %s", class_name, message);
    RpcErrorPrivate *priv = rpc_error_get_private(made);
    priv->class_name = g_strdup(class_name);
    priv->module = g_strdup(module);
    g_propagate_error(error, made);
}
