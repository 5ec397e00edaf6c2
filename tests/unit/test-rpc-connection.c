/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/rpc_fixture.h"

#include <string.h>
#include <unistd.h>

/* Connections to a broker that behaves, and to one that does not. */

static bool call_echo(RpcTransport *transport, const char *topic, double timeout_s, GError **error)
{
    g_autoptr(RpcClient) client = rpc_client_new(transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(NdJson) result = NULL;
    RpcTarget target = {.topic = topic, .version = "6.0", .server = "host"};
    RpcCallOptions options = {.timeout_s = timeout_s};
    NdJson *args = json_object_new_object();
    nd_json_set_int(args, "arg", 5);
    bool good = rpc_client_call(client, &target, context, "echo", args, &options, &result, error);
    g_assert_true(!good || json_object_get_int(result) == 5);
    return good;
}

static void assert_works(RpcTransport *transport, const char *topic)
{
    g_autoptr(GError) error = NULL;
    call_echo(transport, topic, 10, &error);
    g_assert_no_error(error);
}

static void try_login(const char *query, const char *line)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(query);
    fake_broker_set_mechanisms(fixture->broker, "PLAIN AMQPLAIN EXTERNAL RABBIT-CR-DEMO");
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    assert_works(fixture->transport, "compute");
    g_assert_true(fake_broker_wait_log(fixture->broker, line));
    g_assert_true(fake_broker_wait_log(fixture->broker, "open vh"));
}

static void test_logins(void)
{
    try_login(NULL, "login AMQPLAIN {LOGIN=u, PASSWORD=p}");
    try_login("rabbit_login_method=PLAIN", "login PLAIN u p");
    try_login("rabbit_login_method=EXTERNAL", "login EXTERNAL");
    try_login("rabbit_login_method=RABBIT-CR-DEMO", "secure My password is p");
}

static void test_refused(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(GError) error = NULL;
    fake_broker_refuse_login(fixture->broker, true);
    g_assert_false(call_echo(fixture->transport, "compute", 0.3, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT);
    g_assert_true(rpc_fixture_wait_event(fixture, "ACCESS_REFUSED", 2));
    fake_broker_refuse_login(fixture->broker, false);
    fake_broker_refuse_vhost(fixture->broker, true);
    g_assert_true(rpc_fixture_wait_event(fixture, "'vh': the broker refused with 530", 1));
    fake_broker_refuse_vhost(fixture->broker, false);
    g_assert_true(rpc_fixture_wait_event(fixture, "connected reply", 1));
    /* No password in any event. */
    g_assert_cmpint(rpc_fixture_count_events(fixture, "u:p"), ==, 0);
}

static void test_no_mechanism(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    fake_broker_set_mechanisms(fixture->broker, "PLAIN");
    g_autoptr(GError) error = NULL;
    g_assert_false(call_echo(fixture->transport, "compute", 0.3, &error));
    g_assert_true(rpc_fixture_wait_event(fixture, "does not offer the login method 'AMQPLAIN'", 1));
}

/* What is declared, in order, with each set of options; compared with golden files. */
static void declare_golden(const char *name, const char *query)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(query);
    {
        g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    }
    g_assert_true(fake_broker_wait_log(fixture->broker, "disconnect"));
    g_autofree char *log = fake_broker_log_text(fixture->broker);
    g_autoptr(GRegex) random = g_regex_new("compute_fanout_[0-9a-f]{32}", 0, 0, NULL);
    g_autoptr(GRegex) numbered = g_regex_new("(compute_fanout_h:p):[0-9]+", 0, 0, NULL);
    g_autofree char *plain = g_regex_replace_literal(random, log, -1, 0, "compute_fanout_RANDOM", 0, NULL);
    g_autofree char *text = g_regex_replace(numbered, plain, -1, 0, "\\1:N", 0, NULL);
    g_autofree char *file = g_strdup_printf("declare-%s.txt", name);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "golden", "rpc", file, NULL);
    if (g_getenv("NOVAD_REGENERATE") != NULL)
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_autofree char *wanted = NULL;
    g_assert_true(g_file_get_contents(path, &wanted, NULL, NULL));
    g_assert_cmpstr(text, ==, wanted);
}

static void test_declares(void)
{
    declare_golden("default", NULL);
    declare_golden("durable", "amqp_durable_queues=1&amqp_auto_delete=1");
    declare_golden("ha", "rabbit_ha_queues=1&rabbit_transient_queues_ttl=0&enable_cancel_on_failover=1");
    declare_golden("quorum", "rabbit_quorum_queue=1&rabbit_quorum_delivery_limit=3&rabbit_quorum_max_memory_length=4&rabbit_quorum_max_memory_bytes=5");
    declare_golden("transient-quorum", "rabbit_quorum_queue=1&rabbit_transient_quorum_queue=1&rabbit_quorum_delivery_limit=3");
    declare_golden("stream", "rabbit_transient_quorum_queue=1&rabbit_stream_fanout=1&rabbit_qos_prefetch_count=7&rabbit_transient_queues_ttl=60");
    declare_golden("managed", "use_queue_manager=1&hostname=h&processname=p");
}

static void test_durable_fallback(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("amqp_durable_queues=1");
    const char *text = "PRECONDITION_FAILED - inequivalent arg 'durable' for it";
    fake_broker_refuse_declare(fixture->broker, "compute.host", 406, text, 1);
    fake_broker_refuse_declare(fixture->broker, "compute_fanout", 404, "NOT_FOUND", 1);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "queue compute.host durable=1"), >=, 1);
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "queue compute.host durable=0"), ==, 1);
    g_assert_true(rpc_fixture_wait_event(fixture, "fallback compute: queue 'compute.host'", 1));
    /* A publisher whose exchange differs falls back too, and what waited for it is sent. */
    fake_broker_refuse_declare(fixture->broker, "nova", 406, text, 1);
    assert_works(fixture->transport, "compute");
    g_assert_true(rpc_fixture_wait_event(fixture, "fallback publish: exchange 'nova'", 1));
}

static void test_declare_again(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    fake_broker_refuse_declare(fixture->broker, "compute", 404, "NOT_FOUND - half dead queue", 1);
    fake_broker_refuse_declare(fixture->broker, "compute.host", 541, "INTERNAL_ERROR", 1);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "delete compute"), ==, 1);
    g_assert_true(rpc_fixture_wait_event(fixture, "541", 1));
    assert_works(fixture->transport, "compute");
}

static void test_declare_refused(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GError) error = NULL;
    RpcTarget target = {.topic = "t", .exchange = "secret"}, other = {.topic = "t"};
    fake_broker_refuse_declare(fixture->broker, "secret", 403, "ACCESS_REFUSED", 1000);
    g_assert_false(rpc_client_cast(client, &target, context, "m", NULL, NULL, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_DECLARE);
    g_clear_error(&error);
    /* Others are not held up by it. */
    g_assert_true(rpc_client_cast(client, &other, context, "m", NULL, NULL, &error));
}

static void test_reconnect(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    assert_works(fixture->transport, "compute");
    for (int i = 1; i <= 3; i++) {
        fake_broker_kill(fixture->broker);
        g_assert_true(rpc_fixture_wait_event(fixture, "disconnected compute", i));
        assert_works(fixture->transport, "compute");
    }
    fake_broker_cancel(fixture->broker, "compute.host");
    g_assert_true(rpc_fixture_wait_event(fixture, "cancelled consumer", 1));
    assert_works(fixture->transport, "compute");
    fake_broker_send_garbage(fixture->broker, "garbage that is no frame", 24);
    g_assert_true(rpc_fixture_wait_event(fixture, "disconnected compute", 5));
    assert_works(fixture->transport, "compute");
    g_autoptr(GPtrArray) status = rpc_transport_status(fixture->transport);
    g_assert_cmpuint(status->len, ==, 3);
    guint64 in = 0, reconnects = 0;
    for (guint i = 0; i < status->len; i++) {
        RpcConnectionStatus *one = g_ptr_array_index(status, i);
        g_assert_true(g_str_has_prefix(one->host, "127.0.0.1:"));
        in += one->messages_in;
        reconnects += one->reconnects;
    }
    g_assert_cmpuint(in, >=, 12);
    g_assert_cmpuint(reconnects, >=, 12);
}

/* Calls that are under way when the link breaks still get their answer. */
static void test_call_survives(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    g_autoptr(GError) error = NULL;
    fake_broker_set_confirm(fixture->broker, false);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    RpcTarget target = {.topic = "compute", .version = "6.0"};
    RpcCallOptions options = {.timeout_s = 0.3};
    NdJson *args = json_object_new_object();
    nd_json_set_string(args, "text", "once");
    /* Not confirmed: the message is sent again over the next connection, and the listener drops the copy. */
    g_assert_false(rpc_client_cast(client, &target, context, "note", args, &options, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT);
    g_assert_true(rpc_echo_wait_notes(echo, 1));
    args = json_object_new_object();
    nd_json_set_string(args, "text", "twice");
    g_clear_error(&error);
    options.timeout_s = 0.3;
    rpc_client_cast_async(client, &target, context, "note", args);
    g_assert_true(rpc_echo_wait_notes(echo, 2));
    fake_broker_set_confirm(fixture->broker, true);
    fake_broker_kill(fixture->broker);
    g_assert_true(rpc_fixture_wait_event(fixture, "came again", 1));
    g_assert_true(rpc_transport_flush(fixture->transport, 10));
    g_assert_cmpuint(echo->notes->len, ==, 2);
}

static void test_failover(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(FakeBroker) gone = fake_broker_new();
    int dead_port = fake_broker_port(gone);
    g_clear_pointer(&gone, fake_broker_free);
    for (int i = 0; i < 2; i++) {
        g_autofree char *url = g_strdup_printf("rabbit://u:p@127.0.0.1:%d,u:p@127.0.0.1:%d/vh?kombu_failover_strategy=%s", dead_port,
                                               fake_broker_port(fixture->broker), i ? "shuffle" : "round-robin");
        g_autoptr(RpcTransport) transport = rpc_fixture_transport(fixture, url);
        g_autoptr(RpcEcho) echo = rpc_echo_new(transport, "compute");
        assert_works(transport, "compute");
        rpc_transport_stop(transport);
    }
}

/* Heartbeats are sent while nothing else happens, and a broker that sends none is left. */
static void test_heartbeats(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("heartbeat_timeout_threshold=1");
    fake_broker_set_heartbeat(fixture->broker, 1);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    g_assert_true(fake_broker_wait_log(fixture->broker, "heartbeat"));
    g_assert_cmpint(rpc_fixture_count_events(fixture, "disconnected"), ==, 0);
    fake_broker_set_send_heartbeats(fixture->broker, false);
    g_assert_true(rpc_fixture_wait_event(fixture, "disconnected compute", 1));
    fake_broker_set_send_heartbeats(fixture->broker, true);
    g_assert_true(rpc_fixture_wait_event(fixture, "connected compute", 2));
    assert_works(fixture->transport, "compute");
}

/* A peer whose socket stays open and which neither reads nor answers. */
static void test_half_open(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("heartbeat_timeout_threshold=1");
    fake_broker_set_heartbeat(fixture->broker, 1);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    assert_works(fixture->transport, "compute");
    fake_broker_freeze(fixture->broker, true);
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();
    g_assert_false(call_echo(fixture->transport, "compute", 0.5, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2 * G_USEC_PER_SEC);
    g_assert_true(rpc_fixture_wait_event(fixture, "disconnected publish", 1));
    g_assert_true(rpc_fixture_wait_event(fixture, "disconnected reply", 1));
    g_assert_true(rpc_fixture_wait_event(fixture, "disconnected compute", 1));
    fake_broker_freeze(fixture->broker, false);
    assert_works(fixture->transport, "compute");
}

static void test_blocked(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    assert_works(fixture->transport, "compute");
    fake_broker_block(fixture->broker, "low on memory");
    g_assert_true(rpc_fixture_wait_event(fixture, "blocked publish: low on memory", 1));
    g_autoptr(GError) error = NULL;
    g_assert_false(call_echo(fixture->transport, "compute", 0.3, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_TIMEOUT);
    fake_broker_block(fixture->broker, NULL);
    g_assert_true(rpc_fixture_wait_event(fixture, "unblocked publish", 1));
    assert_works(fixture->transport, "compute");
}

/* Stopping does not wait for a broker that is away or hangs. */
static void test_stop_offline(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("rabbit_retry_interval=30&kombu_reconnect_delay=30");
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    assert_works(fixture->transport, "compute");
    fake_broker_kill(fixture->broker);
    g_assert_true(rpc_fixture_wait_event(fixture, "disconnected publish", 1));
    gint64 start = g_get_monotonic_time();
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    RpcTarget target = {.topic = "compute"};
    rpc_client_cast_async(client, &target, context, "x", NULL);
    g_assert_false(rpc_transport_flush(fixture->transport, 0.1));
    rpc_server_stop(echo->server, NULL);
    rpc_transport_stop(fixture->transport);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    g_autoptr(GError) error = NULL;
    g_assert_false(rpc_client_cast(client, &target, context, "x", NULL, NULL, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_CLOSED);
    g_clear_error(&error);
    g_assert_false(call_echo(fixture->transport, "compute", 1, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_CLOSED);
    rpc_client_cast_async(client, &target, context, "x", NULL);
}

/* Queue manager names count up within a process and start again in another. */
static void test_queue_manager(void)
{
    g_autofree char *name = g_strdup_printf("novadtest%d", (int)getpid());
    g_autofree char *query = g_strdup_printf("use_queue_manager=1&hostname=h&processname=%s", name);
    g_autofree char *file = g_strdup_printf("/dev/shm/h_%s_qmanager", name);
    g_assert_true(g_file_set_contents(file, "1:77:12345\n", -1, NULL));
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(query);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    assert_works(fixture->transport, "compute");
    g_autofree char *first = g_strdup_printf("queue compute_fanout_h:%s:1 ", name);
    g_autofree char *second = g_strdup_printf("queue reply_h:%s:2 ", name);
    g_assert_cmpint(fake_broker_count_log(fixture->broker, first), ==, 1);
    g_assert_cmpint(fake_broker_count_log(fixture->broker, second), ==, 1);
    unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/connection/logins", test_logins);
    g_test_add_func("/rpc/connection/refused", test_refused);
    g_test_add_func("/rpc/connection/no-mechanism", test_no_mechanism);
    g_test_add_func("/rpc/connection/declares", test_declares);
    g_test_add_func("/rpc/connection/durable-fallback", test_durable_fallback);
    g_test_add_func("/rpc/connection/declare-again", test_declare_again);
    g_test_add_func("/rpc/connection/declare-refused", test_declare_refused);
    g_test_add_func("/rpc/connection/reconnect", test_reconnect);
    g_test_add_func("/rpc/connection/call-survives", test_call_survives);
    g_test_add_func("/rpc/connection/failover", test_failover);
    g_test_add_func("/rpc/connection/heartbeats", test_heartbeats);
    g_test_add_func("/rpc/connection/half-open", test_half_open);
    g_test_add_func("/rpc/connection/blocked", test_blocked);
    g_test_add_func("/rpc/connection/stop-offline", test_stop_offline);
    g_test_add_func("/rpc/connection/queue-manager", test_queue_manager);
    return g_test_run();
}
