/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/connection.h"
#include "rpc/publisher.h"
#include "rpc/replies.h"
#include "rpc/transport.h"
#include "rpc/url.h"

/* What the rest of rpc/ sees of a transport. */
struct RpcTransport {
    gatomicrefcount ref_count;
    RpcOptions options;
    RpcUrl *url; /* hosts shuffled once */
    RpcEventFunc event_func;
    gpointer event_data;
    GMutex lock; /* the members below */
    bool stopped;
    RpcPublisher *publisher; /* made at the first use, freed with the transport */
    RpcReplies *replies;     /* likewise */
    GPtrArray *listeners;    /* RpcConnection *, borrowed from servers */
};

/* Made at the first use. NULL and RPC_ERROR_CLOSED once the transport is stopped. Borrowed; live as long as the transport. */
RpcPublisher *rpc_transport_publisher(RpcTransport *transport, GError **error);
RpcReplies *rpc_transport_replies(RpcTransport *transport, GError **error);
/* Registers a server's connection for the status; remove before it is freed. */
void rpc_transport_add_listener(RpcTransport *transport, RpcConnection *connection);
void rpc_transport_remove_listener(RpcTransport *transport, RpcConnection *connection);
/* Deep copy into an initialised struct. */
void rpc_options_copy(const RpcOptions *from, RpcOptions *to);
/* RPC_ERROR_ARGUMENT for options that contradict each other or are not supported. */
bool rpc_options_validate(const RpcOptions *options, GError **error);
