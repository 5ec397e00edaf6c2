/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/transport.h"
#include "rpc/url.h"

#include <amqp.h>
#include <glib.h>
#include <stdbool.h>

/*
 * One AMQP connection with its one channel: the only code that calls librabbitmq. Belongs to one thread. After any RPC_ERROR_CONNECTION the link is
 * dead and can only be closed.
 */
typedef struct RpcLink RpcLink;

enum { RPC_CHANNEL = 1 };

/* Connects, logs in, opens the virtual host and channel. Blocks, at most 5 s to connect and 10 s a step of the login. RPC_ERROR_CONNECTION, RPC_ERROR_AUTH. */
RpcLink *rpc_link_open(const RpcHost *host, const char *vhost, const RpcOptions *options, const char *name, GError **error);
/* Says goodbye to the broker if the link is alive (2 s at most) and frees it. */
void rpc_link_close(RpcLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcLink, rpc_link_close)

int rpc_link_fd(const RpcLink *link);
/* Seconds of the negotiated heartbeat, 0 = none. */
int rpc_link_heartbeat(const RpcLink *link);
amqp_connection_state_t rpc_link_state(RpcLink *link);

/* Checks a librabbitmq synchronous method's outcome. When the broker closed the channel (declare refused), the channel is opened again, *code is
 * the AMQP reply code (404, 406, 541 is a connection close) and RPC_ERROR_DECLARE is set; `code` may be NULL. */
bool rpc_link_check(RpcLink *link, const char *what, int *code, GError **error);
/* Checks a librabbitmq status (asynchronous methods). */
bool rpc_link_check_status(RpcLink *link, int status, const char *what, GError **error);

/* A message that came in: delivered, or one of ours that was returned. */
typedef struct {
    bool returned; /* basic.return */
    guint64 delivery_tag;
    char *consumer_tag;
    char *exchange, *routing_key;
    bool redelivered;
    int reply_code; /* of a return */
    char *compression; /* header "compression", NULL if none */
    bool has_stream_offset;
    gint64 stream_offset;
    guint64 body_size;
    GByteArray *body; /* all of it, or nothing if it is over the limit */
    GByteArray *tail; /* the last bytes of a body over the limit, else NULL */
} RpcDelivery;
void rpc_delivery_free(RpcDelivery *delivery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcDelivery, rpc_delivery_free)

typedef enum {
    RPC_LINK_NONE,     /* nothing more to read now */
    RPC_LINK_OTHER,    /* something without meaning for us was read */
    RPC_LINK_DELIVERY, /* delivery */
    RPC_LINK_CONFIRM,  /* tag, multiple, ack */
    RPC_LINK_CANCEL,   /* the broker cancelled our consumer */
    RPC_LINK_BLOCKED,  /* text: the broker's reason */
    RPC_LINK_UNBLOCKED,
    RPC_LINK_LOST, /* error */
} RpcLinkEventKind;

typedef struct {
    RpcLinkEventKind kind;
    RpcDelivery *delivery; /* owned by the receiver */
    guint64 tag;
    bool multiple, ack;
    char *text;    /* owned by the receiver */
    GError *error; /* owned by the receiver */
} RpcLinkEvent;

/* Reads without waiting; sends and watches heartbeats as a side effect, so it must be called every few seconds. Call until RPC_LINK_NONE before
 * polling the file descriptor: frames may wait in the library. max_body: bytes kept of one message. */
RpcLinkEventKind rpc_link_read(RpcLink *link, gsize max_body, RpcLinkEvent *event);

/* Turns confirms on. */
bool rpc_link_confirm_select(RpcLink *link, GError **error);
/* Publishes on the channel with nova's properties (spec/rpc-wire.md section 3). expiration may be NULL. compression: header value or NULL. */
bool rpc_link_publish(RpcLink *link, const char *exchange, const char *routing_key, GBytes *body, const char *expiration, const char *compression,
                      bool mandatory, GError **error);
bool rpc_link_ack(RpcLink *link, guint64 tag, GError **error);
