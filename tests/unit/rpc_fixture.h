/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/client.h"
#include "rpc/error.h"
#include "rpc/exception.h"
#include "rpc/server.h"
#include "rpc/transport.h"
#include "tests/unit/fake_broker.h"

/* A fake broker, a transport to it, and what the transport told its event function. */
typedef struct {
    FakeBroker *broker;
    RpcTransport *transport;
    GMutex lock;
    GCond changed;
    GPtrArray *events; /* "KIND connection: text error" */
} RpcFixture;

/* Starts both. query: options for the URL, or NULL. Reconnect pauses are short unless the query sets them. */
RpcFixture *rpc_fixture_new(const char *query);
void rpc_fixture_free(RpcFixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcFixture, rpc_fixture_free)
/* A transport of its own with another URL, telling the same events. */
RpcTransport *rpc_fixture_transport(RpcFixture *fixture, const char *url);
/* Waits up to 10 s for an event whose text contains the words; "count" of them. Kinds: connected, disconnected, connect-failed, blocked,
 * unblocked, dropped, fallback. */
bool rpc_fixture_wait_event(RpcFixture *fixture, const char *words, int count);
int rpc_fixture_count_events(RpcFixture *fixture, const char *words);

/* A server with test methods on one topic: echo(arg), fail(kind), hold() (answered by rpc_fixture_release), forget(), note(text). */
typedef struct {
    RpcServer *server;
    GMutex lock;
    GCond changed;
    GPtrArray *notes; /* texts of note() */
    GPtrArray *held;  /* RpcRequest * */
    bool refuse;      /* the accept function says no */
} RpcEcho;
RpcEcho *rpc_echo_new(RpcTransport *transport, const char *topic);
void rpc_echo_free(RpcEcho *echo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcEcho, rpc_echo_free)
bool rpc_echo_wait_notes(RpcEcho *echo, guint count);
bool rpc_echo_wait_held(RpcEcho *echo, guint count);
/* Answers every held request with "released". */
void rpc_echo_release(RpcEcho *echo);

/* Publishes a request as Python would; msg_id NULL = a cast. extra: more members of the message as JSON text without braces, or "". */
void rpc_fixture_request(RpcFixture *fixture, const char *key, const char *method, const char *args, const char *msg_id, const char *extra);
/* Takes the next reply from the queue "reply_test" (made by rpc_fixture_new); caller puts. */
NdJson *rpc_fixture_reply(RpcFixture *fixture);
/* The failure of a reply: its class; caller frees. */
char *rpc_fixture_failure(NdJson *reply);
