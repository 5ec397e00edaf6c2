/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/message.h"
#include "tests/unit/rpc_fixture.h"

#include <string.h>

/* The server's way of a message, with the test in the place of the caller. Every call gets exactly one answer. */

static void assert_failure(RpcFixture *fixture, const char *msg_id, const char *class_name)
{
    g_autoptr(NdJson) reply = rpc_fixture_reply(fixture);
    g_assert_cmpstr(nd_json_string(reply, "_msg_id", NULL), ==, msg_id);
    g_autofree char *got = rpc_fixture_failure(reply);
    g_assert_cmpstr(got, ==, class_name);
    g_assert_true(nd_json_bool(reply, "ending", false));
}

static void assert_result(RpcFixture *fixture, const char *msg_id, const char *expected)
{
    g_autoptr(NdJson) reply = rpc_fixture_reply(fixture);
    g_assert_cmpstr(nd_json_string(reply, "_msg_id", NULL), ==, msg_id);
    g_assert_null(nd_json_member(reply, "failure"));
    g_autofree char *text = nd_json_to_string(nd_json_member(reply, "result"));
    g_assert_cmpstr(text, ==, expected);
}

static void test_calls(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":[1,null]}", "m1", "");
    assert_result(fixture, "m1", "[1,null]");
    rpc_fixture_request(fixture, "compute", "fail", "{\"kind\":\"U\"}", "m2", "");
    assert_failure(fixture, "m2", "InstanceNotFound");
    rpc_fixture_request(fixture, "compute.host", "forget", "{}", "m3", "");
    assert_failure(fixture, "m3", "InternalError");
    rpc_fixture_request(fixture, "compute.host", "fly", "{}", "m4", "");
    assert_failure(fixture, "m4", "NoSuchMethod");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1,\"x\":2}", "m5", "");
    assert_failure(fixture, "m5", "TypeError");
    rpc_fixture_request(fixture, "compute.host", "ping", "{}", "m7", "\"namespace\":\"baseapi\"");
    assert_failure(fixture, "m7", "UnsupportedVersion");
}

/* The version comes twice in these: the later member counts, so "extra" replaces it. */
static void test_versions(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1}", "v1", "\"version\":\"6.9\"");
    assert_failure(fixture, "v1", "UnsupportedVersion");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1}", "v2", "\"namespace\":\"other\"");
    assert_failure(fixture, "v2", "UnsupportedVersion");
    rpc_fixture_request(fixture, "compute.host", "ping", "{\"arg\":3}", "v3", "\"version\":\"1.0\",\"namespace\":\"baseapi\"");
    assert_result(fixture, "v3", "{\"service\":\"compute\",\"arg\":3}");
    rpc_fixture_request(fixture, "compute.host", "get_backdoor_port", "{}", "v4", "\"version\":\"1.1\",\"namespace\":\"baseapi\"");
    assert_result(fixture, "v4", "null");
    rpc_fixture_request(fixture, "compute.host", "ping", "{}", "v5", "\"version\":\"1.0\",\"namespace\":\"baseapi\"");
    assert_failure(fixture, "v5", "TypeError");
    rpc_fixture_request(fixture, "compute.host", "oslo_rpc_server_ping", "{\"any\":1}", "v6", "\"version\":\"1.0\"");
    assert_result(fixture, "v6", "\"pong\"");
    rpc_fixture_request(fixture, "compute.host", "unknown", "{}", "v7", "\"version\":\"1.0\",\"namespace\":\"baseapi\"");
    assert_failure(fixture, "v7", "NoSuchMethod");
}

static void test_casts(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    rpc_fixture_request(fixture, "compute.host", "note", "{\"text\":\"a\"}", NULL, "");
    /* Failures of casts are told, not answered. */
    rpc_fixture_request(fixture, "compute.host", "fly", "{}", NULL, "");
    rpc_fixture_request(fixture, "compute.host", "forget", "{}", NULL, "");
    rpc_fixture_request(fixture, "compute.host", "fail", "{\"kind\":\"U\"}", NULL, "");
    rpc_fixture_request(fixture, "compute.host", "note", "{\"text\":\"b\"}", NULL, "");
    g_assert_true(rpc_echo_wait_notes(echo, 2));
    g_assert_true(rpc_fixture_wait_event(fixture, "RPC method fly", 1));
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1}", "only", "");
    assert_result(fixture, "only", "1");
}

static void test_duplicates(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    const char *same = "\"_unique_id\":\"0123456789abcdef0123456789abcdef\"";
    for (int i = 0; i < 3; i++)
        rpc_fixture_request(fixture, "compute.host", "note", "{\"text\":\"once\"}", NULL, same);
    g_assert_true(rpc_fixture_wait_event(fixture, "came again", 2));
    /* 256 others push it out of memory. */
    for (int i = 0; i < 256; i++)
        rpc_fixture_request(fixture, "compute.host", "note", "{\"text\":\"other\"}", NULL, "");
    rpc_fixture_request(fixture, "compute.host", "note", "{\"text\":\"once\"}", NULL, same);
    g_assert_true(rpc_echo_wait_notes(echo, 258));
    g_assert_cmpstr(g_ptr_array_index(echo->notes, 257), ==, "once");
}

static void publish_raw(RpcFixture *fixture, const char *text)
{
    fake_broker_publish(fixture->broker, "nova", "compute.host", text, strlen(text));
}

static void test_bad_bodies(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    static const char *const silent[] = {"", "{", "nonsense", "[]", "{}", "{\"method\":1,\"args\":{}}", "{\"method\":\"echo\",\"args\":[]}",
                                         "{\"oslo.version\":\"3.0\",\"oslo.message\":\"{}\"}", "\xff\xfe", "{\"method\":\"echo\",\"args\":{},\"_msg_id\":5}"};
    for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
        publish_raw(fixture, silent[i]);
    g_assert_true(rpc_fixture_wait_event(fixture, "dropped compute", G_N_ELEMENTS(silent)));
    /* A broken message whose ids can be found is answered. */
    publish_raw(fixture, "{\"oslo.version\": \"2.0\", \"oslo.message\": \"{\\\"method\\\": \\\"echo\\\", broken \\\"_msg_id\\\": \\\"b1\\\", "
                         "\\\"_reply_q\\\": \\\"reply_test\\\"\"}");
    assert_failure(fixture, "b1", "NovaException");
    /* But not to a queue that is no reply queue. */
    fake_broker_add_queue(fixture->broker, "conductor", NULL, NULL, NULL);
    publish_raw(fixture, "{\"oslo.version\": \"2.0\", \"oslo.message\": \"{broken \\\"_msg_id\\\": \\\"b2\\\", \\\"_reply_q\\\": \\\"conductor\\\"\"}");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1}", "b3", "\"_context_roles\":5");
    assert_failure(fixture, "b3", "NovaException");
    rpc_fixture_request(fixture, "compute.host", "echo", "[1]", "b4", "");
    assert_failure(fixture, "b4", "NovaException");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1}", "b5", "");
    assert_result(fixture, "b5", "1");
    /* Everything was acknowledged: nothing comes back. */
    fake_broker_kill(fixture->broker);
    g_assert_true(rpc_fixture_wait_event(fixture, "connected compute", 2));
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":2}", "b6", "");
    assert_result(fixture, "b6", "2");
}

static void test_large(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    gsize size = 8 << 20;
    g_autofree char *filler = g_strnfill(size, 'x');
    g_autofree char *args = g_strdup_printf("{\"arg\":\"%s\"}", filler);
    rpc_fixture_request(fixture, "compute.host", "echo", args, "l1", "");
    assert_failure(fixture, "l1", "NovaException");
    rpc_fixture_request(fixture, "compute.host", "echo", args, NULL, "");
    g_assert_true(rpc_fixture_wait_event(fixture, "over the limit of 1048576", 2));
    g_autofree char *half = g_strndup(args, 500000);
    g_autofree char *good = g_strdup_printf("%s\"}", half);
    rpc_fixture_request(fixture, "compute.host", "echo", good, "l2", "");
    g_autoptr(NdJson) reply = rpc_fixture_reply(fixture);
    g_assert_cmpuint(strlen(nd_json_string(reply, "result", "")), ==, 500000 - strlen("{\"arg\":\""));
}

static void test_compressed(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    g_autoptr(GBytes) plain = g_bytes_new_static("{\"method\":\"note\",\"args\":{\"text\":\"packed\"},\"version\":\"6.0\"}", 58);
    g_autoptr(GBytes) packed = rpc_message_deflate(plain);
    gsize size;
    gconstpointer bytes = g_bytes_get_data(packed, &size);
    fake_broker_publish_compressed(fixture->broker, "nova", "compute.host", "application/x-gzip", bytes, size);
    g_assert_true(rpc_echo_wait_notes(echo, 1));
    fake_broker_publish_compressed(fixture->broker, "nova", "compute.host", "application/x-bz2", bytes, size);
    g_assert_true(rpc_fixture_wait_event(fixture, "'application/x-bz2' is not supported", 1));
}

static void test_accept(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    g_mutex_lock(&echo->lock);
    echo->refuse = true;
    g_mutex_unlock(&echo->lock);
    rpc_fixture_request(fixture, "compute.host", "note", "{\"text\":\"x\"}", "a1", "");
    assert_failure(fixture, "a1", "InternalError");
    g_assert_cmpuint(echo->notes->len, ==, 0);
}

/* The caller's monitor gets heartbeats until the answer, and none after. */
static void test_monitor(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    rpc_fixture_request(fixture, "compute.host", "hold", "{}", "h1", "\"_timeout\":2");
    for (int i = 0; i < 2; i++) {
        g_autoptr(NdJson) beat = rpc_fixture_reply(fixture);
        g_assert_cmpstr(nd_json_string(beat, "_msg_id", NULL), ==, "h1");
        g_assert_false(nd_json_bool(beat, "ending", true));
        g_assert_null(nd_json_member(beat, "result"));
    }
    rpc_echo_release(echo);
    assert_result(fixture, "h1", "\"released\"");
    /* null and too short ones: no heartbeat. */
    rpc_fixture_request(fixture, "compute.host", "hold", "{}", "h2", "\"_timeout\":null");
    rpc_fixture_request(fixture, "compute.host", "hold", "{}", "h3", "\"_timeout\":1");
    g_assert_true(rpc_echo_wait_held(echo, 2));
    g_usleep(1200 * 1000); /* longer than the interval: what must not come has no event to wait for */
    rpc_echo_release(echo);
    assert_result(fixture, "h2", "\"released\"");
    assert_result(fixture, "h3", "\"released\"");
}

/* A reply queue that is missing for a moment gets its answer; one that stays away is given up and remembered. */
static void test_missing_queue(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("kombu_missing_consumer_retry_timeout=1");
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    fake_broker_delete_queue(fixture->broker, "reply_test");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1}", "r1", "");
    g_assert_true(fake_broker_wait_log(fixture->broker, "return reply_test"));
    fake_broker_add_queue(fixture->broker, "reply_test", NULL, NULL, NULL);
    assert_result(fixture, "r1", "1");
    fake_broker_delete_queue(fixture->broker, "reply_test");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":2}", "r2", "");
    g_assert_true(rpc_fixture_wait_event(fixture, "the reply queue does not exist", 1));
    int returns = fake_broker_count_log(fixture->broker, "return reply_test");
    g_assert_cmpint(returns, >=, 3);
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":3}", "r3", "");
    g_assert_true(rpc_fixture_wait_event(fixture, "the reply queue does not exist", 2));
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "return reply_test"), ==, returns);
    /* A heartbeat that cannot be delivered ends its monitor. */
    rpc_fixture_request(fixture, "compute.host", "hold", "{}", "r4", "\"_timeout\":2");
    g_assert_true(rpc_echo_wait_held(echo, 1));
    rpc_echo_release(echo);
}

static void test_unmandatory(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("direct_mandatory_flag=0");
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    fake_broker_delete_queue(fixture->broker, "reply_test");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":1}", "u1", "");
    g_assert_true(fake_broker_wait_log(fixture->broker, "ack 1"));
    g_assert_true(rpc_transport_flush(fixture->transport, 10));
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "return"), ==, 0);
}

static void test_answers_once(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    rpc_fixture_request(fixture, "compute.host", "hold", "{}", "o1", "\"_context_request_id\":\"req-7\"");
    g_assert_true(rpc_echo_wait_held(echo, 1));
    RpcRequest *request = g_ptr_array_index(echo->held, 0);
    g_autoptr(RpcRequest) again = rpc_request_ref(request);
    g_assert_cmpstr(rpc_request_method(again), ==, "hold");
    g_assert_cmpstr(rpc_request_version(again), ==, "6.0");
    g_assert_cmpstr(rpc_request_topic(again), ==, "compute");
    g_assert_null(rpc_request_namespace(again));
    g_assert_cmpuint(strlen(rpc_request_unique_id(again)), ==, 32);
    g_assert_cmpstr(rpc_request_context(again)->request_id, ==, "req-7");
    g_assert_true(rpc_request_is_call(again));
    g_assert_cmpint(rpc_request_received_at(again), <=, g_get_monotonic_time());
    g_assert_nonnull(rpc_request_args(again));
    rpc_request_free_args(again);
    g_assert_null(rpc_request_args(again));
    g_autoptr(GError) error = g_error_new_literal(RPC_ERROR, RPC_ERROR_FAILED, "x");
    g_assert_true(rpc_request_reply(again, json_object_new_int(1)));
    g_assert_false(rpc_request_reply(again, json_object_new_int(2)));
    g_assert_false(rpc_request_fail(again, error));
    assert_result(fixture, "o1", "1");
    rpc_fixture_request(fixture, "compute.host", "echo", "{\"arg\":9}", "o2", "");
    assert_result(fixture, "o2", "9");
}

/* Stopping one topic leaves requests in progress answerable, and deletes its fanout queue. */
static void test_stop(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    rpc_fixture_request(fixture, "compute.host", "hold", "{}", "s1", "");
    g_assert_true(rpc_echo_wait_held(echo, 1));
    rpc_server_stop(echo->server, "other");
    rpc_server_stop(echo->server, "compute");
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "delete compute_fanout_"), ==, 1);
    rpc_server_stop(echo->server, NULL);
    rpc_echo_release(echo);
    assert_result(fixture, "s1", "\"released\"");
    /* What comes now waits in the queue for the next start. */
    rpc_fixture_request(fixture, "compute.host", "note", "{\"text\":\"later\"}", NULL, "");
    g_autoptr(RpcEcho) next = rpc_echo_new(fixture->transport, "compute");
    g_assert_true(rpc_echo_wait_notes(next, 1));
}

static void ignore(RpcRequest *request, gpointer data)
{
    rpc_request_unref(request);
}

static void test_bad_options(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    static const char *const topics[] = {"a", NULL}, *const none[] = {NULL};
    const RpcServerOptions bad[] = {{.server_name = "h", .dispatch = ignore},
                                    {.topics = none, .server_name = "h", .dispatch = ignore},
                                    {.topics = topics, .dispatch = ignore},
                                    {.topics = topics, .server_name = "h"}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(rpc_server_new(fixture->transport, &bad[i], &error));
        g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
    }
    /* A server that cannot reach its broker in time, and one that is stopped before. */
    fake_broker_refuse_login(fixture->broker, true);
    RpcServerOptions good = {.topics = topics, .server_name = "h", .dispatch = ignore};
    g_autoptr(GError) late = NULL;
    g_autoptr(RpcServer) server = rpc_server_new(fixture->transport, &good, NULL);
    g_assert_false(rpc_server_start(server, 0.2, &late));
    g_assert_error(late, RPC_ERROR, RPC_ERROR_TIMEOUT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/server/calls", test_calls);
    g_test_add_func("/rpc/server/versions", test_versions);
    g_test_add_func("/rpc/server/casts", test_casts);
    g_test_add_func("/rpc/server/duplicates", test_duplicates);
    g_test_add_func("/rpc/server/bad-bodies", test_bad_bodies);
    g_test_add_func("/rpc/server/large", test_large);
    g_test_add_func("/rpc/server/compressed", test_compressed);
    g_test_add_func("/rpc/server/accept", test_accept);
    g_test_add_func("/rpc/server/monitor", test_monitor);
    g_test_add_func("/rpc/server/missing-queue", test_missing_queue);
    g_test_add_func("/rpc/server/unmandatory", test_unmandatory);
    g_test_add_func("/rpc/server/answers-once", test_answers_once);
    g_test_add_func("/rpc/server/stop", test_stop);
    g_test_add_func("/rpc/server/bad-options", test_bad_options);
    return g_test_run();
}
