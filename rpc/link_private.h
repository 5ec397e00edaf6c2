/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/link.h"

/* Shared by link.c and link_open.c. */
struct RpcLink {
    amqp_connection_state_t state;
    bool opened; /* login done: a goodbye makes sense */
    bool dead;   /* nothing more can be sent or read */
    RpcDelivery *partial; /* message whose frames are being read */
    guint64 partial_got;  /* body bytes of it so far */
};

/* Opens channel RPC_CHANNEL. */
bool rpc_link_open_channel(RpcLink *link, GError **error);
