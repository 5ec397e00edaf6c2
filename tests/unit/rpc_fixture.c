/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/rpc_fixture.h"

#include "base/ids.h"
#include "rpc/message.h"

#include <string.h>

enum { WAIT_S = 10 };

static void on_event(RpcEvent event, const char *connection, const char *text, const GError *error, gpointer data)
{
    static const char *const names[] = {"connected", "disconnected", "connect-failed", "blocked", "unblocked", "dropped", "fallback"};
    RpcFixture *fixture = data;
    g_mutex_lock(&fixture->lock);
    g_ptr_array_add(fixture->events, g_strdup_printf("%s %s: %s %s", names[event], connection, text ? text : "", error ? error->message : ""));
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

RpcTransport *rpc_fixture_transport(RpcFixture *fixture, const char *url)
{
    g_auto(RpcOptions) options;
    rpc_options_init(&options);
    options.kombu_reconnect_delay = options.rabbit_retry_interval = options.rabbit_retry_backoff = 0.05;
    options.rpc_response_timeout = 10;
    options.max_body = 1 << 20;
    g_autoptr(GError) error = NULL;
    RpcTransport *transport = rpc_transport_new(url, &options, &error);
    g_assert_no_error(error);
    rpc_transport_set_event_func(transport, on_event, fixture);
    return transport;
}

RpcFixture *rpc_fixture_new(const char *query)
{
    RpcFixture *fixture = g_new0(RpcFixture, 1);
    fixture->broker = fake_broker_new();
    fixture->events = g_ptr_array_new_with_free_func(g_free);
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    g_autofree char *url = fake_broker_url(fixture->broker, query);
    fixture->transport = rpc_fixture_transport(fixture, url);
    fake_broker_add_queue(fixture->broker, "reply_test", NULL, NULL, NULL);
    return fixture;
}

void rpc_fixture_free(RpcFixture *fixture)
{
    rpc_transport_stop(fixture->transport);
    rpc_transport_unref(fixture->transport);
    fake_broker_free(fixture->broker);
    g_ptr_array_unref(fixture->events);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
    g_free(fixture);
}

static int count_events(RpcFixture *fixture, const char *words)
{
    int count = 0;
    for (guint i = 0; i < fixture->events->len; i++)
        count += strstr(g_ptr_array_index(fixture->events, i), words) != NULL;
    return count;
}

int rpc_fixture_count_events(RpcFixture *fixture, const char *words)
{
    g_mutex_lock(&fixture->lock);
    int count = count_events(fixture, words);
    g_mutex_unlock(&fixture->lock);
    return count;
}

bool rpc_fixture_wait_event(RpcFixture *fixture, const char *words, int count)
{
    gint64 until = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    g_mutex_lock(&fixture->lock);
    while (count_events(fixture, words) < count && g_cond_wait_until(&fixture->changed, &fixture->lock, until)) {
    }
    bool good = count_events(fixture, words) >= count;
    if (!good)
        for (guint i = 0; i < fixture->events->len; i++)
            g_test_message("event: %s", (const char *)g_ptr_array_index(fixture->events, i));
    g_mutex_unlock(&fixture->lock);
    return good;
}

/* --- the server --- */

static const char *const arg_args[] = {"arg", NULL}, *const kind_args[] = {"kind", NULL}, *const text_args[] = {"text", NULL}, *const no_args[] = {NULL};
static const RpcMethod methods[] = {{"echo", arg_args}, {"fail", kind_args}, {"hold", no_args}, {"forget", no_args}, {"note", text_args}};
static const RpcEndpoint endpoints[] = {{NULL, "6.5", methods, G_N_ELEMENTS(methods)}};

static bool accept_request(RpcRequest *request, gpointer data, GError **error)
{
    RpcEcho *echo = data;
    g_mutex_lock(&echo->lock);
    bool refuse = echo->refuse;
    g_mutex_unlock(&echo->lock);
    if (refuse)
        nova_exception_set_text(error, NOVA_EXC_INTERNAL_ERROR, "the journal is full", NULL);
    return !refuse;
}

static void dispatch(RpcRequest *request, gpointer data)
{
    RpcEcho *echo = data;
    const char *method = rpc_request_method(request);
    NdJson *args = rpc_request_args(request);
    g_autoptr(GError) error = NULL;
    if (g_str_equal(method, "echo")) {
        rpc_request_reply(request, json_object_get(nd_json_member(args, "arg")));
    } else if (g_str_equal(method, "fail")) {
        nova_exception_set(&error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", nd_json_string(args, "kind", NULL), NULL);
        rpc_request_fail(request, error);
    } else if (g_str_equal(method, "note")) {
        g_mutex_lock(&echo->lock);
        g_ptr_array_add(echo->notes, g_strdup(nd_json_string(args, "text", "?")));
        g_cond_broadcast(&echo->changed);
        g_mutex_unlock(&echo->lock);
        rpc_request_reply(request, NULL);
    } else if (g_str_equal(method, "hold")) {
        g_mutex_lock(&echo->lock);
        g_ptr_array_add(echo->held, request);
        g_cond_broadcast(&echo->changed);
        g_mutex_unlock(&echo->lock);
        return;
    }
    rpc_request_unref(request);
}

RpcEcho *rpc_echo_new(RpcTransport *transport, const char *topic)
{
    RpcEcho *echo = g_new0(RpcEcho, 1);
    g_mutex_init(&echo->lock);
    g_cond_init(&echo->changed);
    echo->notes = g_ptr_array_new_with_free_func(g_free);
    echo->held = g_ptr_array_new_with_free_func((GDestroyNotify)rpc_request_unref);
    const char *topics[] = {topic, NULL};
    RpcServerOptions options = {.topics = topics,
                                .server_name = "host",
                                .service = "compute",
                                .endpoints = endpoints,
                                .n_endpoints = G_N_ELEMENTS(endpoints),
                                .rpc_ping_enabled = true,
                                .accept = accept_request,
                                .dispatch = dispatch,
                                .user_data = echo};
    g_autoptr(GError) error = NULL;
    echo->server = rpc_server_new(transport, &options, &error);
    g_assert_no_error(error);
    rpc_server_start(echo->server, WAIT_S, &error);
    g_assert_no_error(error);
    return echo;
}

void rpc_echo_free(RpcEcho *echo)
{
    rpc_server_unref(echo->server);
    g_ptr_array_unref(echo->notes);
    g_ptr_array_unref(echo->held);
    g_mutex_clear(&echo->lock);
    g_cond_clear(&echo->changed);
    g_free(echo);
}

static bool wait_length(RpcEcho *echo, GPtrArray *array, guint count)
{
    gint64 until = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    g_mutex_lock(&echo->lock);
    while (array->len < count && g_cond_wait_until(&echo->changed, &echo->lock, until)) {
    }
    bool good = array->len >= count;
    g_mutex_unlock(&echo->lock);
    return good;
}

bool rpc_echo_wait_notes(RpcEcho *echo, guint count)
{
    return wait_length(echo, echo->notes, count);
}

bool rpc_echo_wait_held(RpcEcho *echo, guint count)
{
    return wait_length(echo, echo->held, count);
}

void rpc_echo_release(RpcEcho *echo)
{
    g_mutex_lock(&echo->lock);
    for (guint i = 0; i < echo->held->len; i++)
        rpc_request_reply(g_ptr_array_index(echo->held, i), json_object_new_string("released"));
    g_ptr_array_set_size(echo->held, 0);
    g_mutex_unlock(&echo->lock);
}

/* --- playing the caller --- */

void rpc_fixture_request(RpcFixture *fixture, const char *key, const char *method, const char *args, const char *msg_id, const char *extra)
{
    g_autofree char *unique = nd_uuid_new_hex();
    g_autofree char *ids = msg_id ? g_strdup_printf(",\"_msg_id\":\"%s\",\"_reply_q\":\"reply_test\"", msg_id) : g_strdup("");
    g_autofree char *text = g_strdup_printf("{\"method\":\"%s\",\"args\":%s,\"version\":\"6.0\",\"_unique_id\":\"%s\"%s%s%s}", method, args, unique, ids,
                                            *extra ? "," : "", extra);
    g_autoptr(NdJson) envelope = json_object_new_object();
    nd_json_set_string(envelope, "oslo.version", "2.0");
    nd_json_set_string(envelope, "oslo.message", text);
    g_autofree char *body = nd_json_to_string(envelope);
    fake_broker_publish(fixture->broker, "nova", key, body, strlen(body));
}

NdJson *rpc_fixture_reply(RpcFixture *fixture)
{
    g_autoptr(GBytes) body = fake_broker_take(fixture->broker, "reply_test", NULL);
    g_assert_nonnull(body);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(body, &size);
    NdJson *message = NULL;
    g_autoptr(GError) error = NULL;
    rpc_message_decode(bytes, size, NULL, 64 << 20, &message, &error);
    g_assert_no_error(error);
    return message;
}

char *rpc_fixture_failure(NdJson *reply)
{
    const char *text = nd_json_string(reply, "failure", NULL);
    g_autoptr(NdJson) failure = NULL;
    g_assert_nonnull(text);
    g_assert_true(nd_json_parse(text, strlen(text), NULL, &failure, NULL));
    return g_strdup(nd_json_string(failure, "class", NULL));
}
