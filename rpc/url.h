/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A transport_url taken apart (spec/rpc-wire.md section 7). */
typedef struct {
    char *host;
    int port;
    char *user, *password;
} RpcHost;

typedef struct {
    GPtrArray *hosts; /* RpcHost *, at least one */
    char *vhost;
    GPtrArray *query; /* char *: key, value, key, value ... */
} RpcUrl;

/* RPC_ERROR_ARGUMENT; the text never holds user or password. Caller frees. */
RpcUrl *rpc_url_parse(const char *text, GError **error);
void rpc_url_free(RpcUrl *url);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcUrl, rpc_url_free)
