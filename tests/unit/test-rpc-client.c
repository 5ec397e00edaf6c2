/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/message.h"
#include "rpc/notifier.h"
#include "tests/unit/rpc_fixture.h"

#include <string.h>

/* The client and the notifier, with the test in the place of the server. */

typedef struct {
    RpcClient *client;
    RpcTarget target;
    RpcCallOptions options;
    NdJson *result;
    GError *error;
    bool good;
} Call;

static gpointer call_thread(gpointer data)
{
    Call *call = data;
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    NdJson *args = json_object_new_object();
    nd_json_set_int(args, "x", 1);
    call->good = rpc_client_call(call->client, &call->target, context, "method", args, &call->options, &call->result, &call->error);
    return NULL;
}

static NdJson *take(RpcFixture *fixture, const char *queue, char **expiration)
{
    g_autoptr(GBytes) body = fake_broker_take(fixture->broker, queue, expiration);
    g_assert_nonnull(body);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(body, &size);
    NdJson *message = NULL;
    g_assert_true(rpc_message_decode(bytes, size, NULL, 64 << 20, &message, NULL));
    return message;
}

/* Answers a request that was taken: heartbeat, result or failure. */
static void answer(RpcFixture *fixture, NdJson *request, NdJson *result, const char *failure, bool ending)
{
    g_autoptr(GBytes) body = rpc_message_reply(nd_json_string(request, "_msg_id", NULL), result, failure, ending);
    gsize size;
    gconstpointer bytes = g_bytes_get_data(body, &size);
    fake_broker_publish(fixture->broker, "", nd_json_string(request, "_reply_q", NULL), bytes, size);
}

static void test_call(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    fake_broker_add_queue(fixture->broker, "t.h", "nova", "topic", "t.h");
    Call call = {.client = client, .target = {.topic = "t", .server = "h", .version = "6.0", .name_space = "n"}, .options = {.timeout_s = 9.5}};
    GThread *thread = g_thread_new("call", call_thread, &call);
    g_autofree char *expiration = NULL;
    g_autoptr(NdJson) request = take(fixture, "t.h", &expiration);
    g_assert_cmpstr(expiration, ==, "9500");
    g_assert_cmpstr(nd_json_string(request, "method", NULL), ==, "method");
    g_assert_cmpstr(nd_json_string(request, "version", NULL), ==, "6.0");
    g_assert_cmpstr(nd_json_string(request, "namespace", NULL), ==, "n");
    g_assert_cmpint(nd_json_int(nd_json_object(request, "args"), "x", 0), ==, 1);
    g_assert_cmpuint(strlen(nd_json_string(request, "_unique_id", "")), ==, 32);
    g_assert_cmpuint(strlen(nd_json_string(request, "_msg_id", "")), ==, 32);
    g_assert_true(g_str_has_prefix(nd_json_string(request, "_reply_q", ""), "reply_"));
    g_assert_true(json_object_object_get_ex(request, "_timeout", NULL));
    g_assert_null(nd_json_member(request, "_timeout"));
    g_assert_true(nd_json_bool(request, "_context_is_admin", false));
    answer(fixture, request, json_object_new_string("r"), NULL, true);
    g_thread_join(thread);
    g_assert_no_error(call.error);
    g_assert_cmpstr(json_object_get_string(call.result), ==, "r");
    json_object_put(call.result);
    /* A late copy of the answer is told and dropped. */
    answer(fixture, request, NULL, NULL, true);
    g_assert_true(rpc_fixture_wait_event(fixture, "no call waits for it", 1));
}

static void test_failures(void)
{
    static const struct {
        const char *failure;
        int nova_code;
    } cases[] = {{"{\"class\":\"ComputeHostNotFound\",\"module\":\"nova.exception\",\"message\":\"m\"}", NOVA_EXC_COMPUTE_HOST_NOT_FOUND},
                 {"{\"class\":\"X\",\"module\":\"y\",\"message\":\"m\"}", -1},
                 {"nonsense", -1}};
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    fake_broker_add_queue(fixture->broker, "t", "nova", "topic", "t");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Call call = {.client = client, .target = {.topic = "t"}};
        GThread *thread = g_thread_new("call", call_thread, &call);
        g_autoptr(NdJson) request = take(fixture, "t", NULL);
        answer(fixture, request, NULL, cases[i].failure, true);
        g_thread_join(thread);
        g_assert_false(call.good);
        if (cases[i].nova_code >= 0)
            g_assert_error(call.error, NOVA_EXCEPTION, cases[i].nova_code);
        else
            g_assert_true(call.error->domain == RPC_ERROR);
        g_clear_error(&call.error);
    }
}

static void test_timeouts(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    fake_broker_add_queue(fixture->broker, "t", "nova", "topic", "t");
    Call call = {.client = client, .target = {.topic = "t"}, .options = {.timeout_s = 0.2}};
    call_thread(&call);
    g_assert_error(call.error, RPC_ERROR, RPC_ERROR_TIMEOUT);
    g_assert_nonnull(strstr(call.error->message, "'method'"));
    g_clear_error(&call.error);
    g_autoptr(NdJson) first = take(fixture, "t", NULL);
    /* The monitor: heartbeats prolong, their absence ends the call long before its timeout. */
    Call monitored = {.client = client, .target = {.topic = "t"}, .options = {.timeout_s = 30, .call_monitor_s = 1}};
    GThread *thread = g_thread_new("call", call_thread, &monitored);
    g_autoptr(NdJson) request = take(fixture, "t", NULL);
    g_assert_cmpint(nd_json_int(request, "_timeout", 0), ==, 1);
    gint64 start = g_get_monotonic_time();
    for (int i = 0; i < 3; i++) {
        answer(fixture, request, NULL, NULL, false);
        g_usleep(600 * 1000); /* the passing of time is what is tested */
    }
    g_thread_join(thread);
    gint64 took = g_get_monotonic_time() - start;
    g_assert_error(monitored.error, RPC_ERROR, RPC_ERROR_TIMEOUT);
    g_assert_cmpint(took, >, 2 * G_USEC_PER_SEC);
    g_assert_cmpint(took, <, 10 * G_USEC_PER_SEC);
    g_clear_error(&monitored.error);
}

static void test_bad_replies(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    fake_broker_add_queue(fixture->broker, "t", "nova", "topic", "t");
    Call call = {.client = client, .target = {.topic = "t"}};
    GThread *thread = g_thread_new("call", call_thread, &call);
    g_autoptr(NdJson) request = take(fixture, "t", NULL);
    const char *queue = nd_json_string(request, "_reply_q", NULL);
    fake_broker_publish(fixture->broker, "", queue, "garbage", 7);
    fake_broker_publish(fixture->broker, "", queue, "{}", 2);
    g_assert_true(rpc_fixture_wait_event(fixture, "dropped reply", 2));
    /* Larger than four times the limit for requests. */
    g_autofree char *filler = g_strnfill(5 << 20, 'x');
    answer(fixture, request, json_object_new_string(filler), NULL, true);
    g_thread_join(thread);
    g_assert_error(call.error, RPC_ERROR, RPC_ERROR_LIMIT);
    g_clear_error(&call.error);
}

static void test_nack_and_size(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    RpcTarget target = {.topic = "t"};
    g_autoptr(GError) error = NULL;
    fake_broker_set_nack(fixture->broker, true);
    g_assert_false(rpc_client_cast(client, &target, context, "m", NULL, NULL, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_NACK);
    g_clear_error(&error);
    Call call = {.client = client, .target = {.topic = "t"}};
    call_thread(&call);
    g_assert_error(call.error, RPC_ERROR, RPC_ERROR_NACK);
    g_clear_error(&call.error);
    fake_broker_set_nack(fixture->broker, false);
    /* A message that the broker will never take is given up; those around it arrive. */
    fake_broker_set_max_message(fixture->broker, 100000);
    fake_broker_add_queue(fixture->broker, "t", "nova", "topic", "t");
    g_autofree char *filler = g_strnfill(200000, 'x');
    NdJson *args = json_object_new_object();
    nd_json_set_string(args, "big", filler);
    rpc_client_cast_async(client, &target, context, "before", NULL);
    rpc_client_cast_async(client, &target, context, "big", args);
    rpc_client_cast_async(client, &target, context, "after", NULL);
    g_assert_true(rpc_transport_flush(fixture->transport, 20));
    g_assert_true(rpc_fixture_wait_event(fixture, "dropped publish: t", 1));
    bool after = false;
    while (!after) {
        g_autoptr(NdJson) message = take(fixture, "t", NULL);
        g_assert_cmpstr(nd_json_string(message, "method", NULL), !=, "big");
        after = g_str_equal(nd_json_string(message, "method", NULL), "after");
    }
}

static void test_casts(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("kombu_compression=gzip");
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    RpcTarget fanout = {.topic = "scheduler", .version = "4.2", .fanout = true}, topic = {.topic = "t", .exchange = "other"};
    g_autoptr(GError) error = NULL;
    rpc_client_cast(client, &fanout, context, "m", NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "exchange scheduler_fanout fanout durable=0 auto_delete=1"), ==, 1);
    rpc_client_cast(client, &topic, context, "m", NULL, NULL, &error);
    g_assert_no_error(error);
    rpc_client_cast(client, &topic, context, "m", NULL, NULL, &error);
    /* Declared once a connection. */
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "exchange other"), ==, 1);
    fake_broker_add_queue(fixture->broker, "t", "other", "topic", "t");
    rpc_client_cast(client, &topic, context, "packed", NULL, NULL, &error);
    g_autoptr(GBytes) body = fake_broker_take(fixture->broker, "t", NULL);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(body, &size);
    g_autoptr(NdJson) message = NULL;
    g_assert_true(rpc_message_decode(bytes, size, "application/x-gzip", 1 << 20, &message, NULL));
    g_assert_cmpstr(nd_json_string(message, "method", NULL), ==, "packed");
    g_assert_false(json_object_object_get_ex(message, "_msg_id", NULL));
    g_assert_false(json_object_object_get_ex(message, "version", NULL));
}

/* Stopping ends a call that waits. */
static void test_stop(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcClient) client = rpc_client_new(fixture->transport);
    fake_broker_add_queue(fixture->broker, "t", "nova", "topic", "t");
    Call call = {.client = client, .target = {.topic = "t"}};
    GThread *thread = g_thread_new("call", call_thread, &call);
    g_autoptr(NdJson) request = take(fixture, "t", NULL);
    rpc_transport_stop(fixture->transport);
    g_thread_join(thread);
    g_assert_error(call.error, RPC_ERROR, RPC_ERROR_CLOSED);
    g_clear_error(&call.error);
}

typedef struct {
    RpcFixture *fixture;
    int done;
} Many;

static gpointer many_thread(gpointer data)
{
    Many *many = data;
    g_autoptr(RpcClient) client = rpc_client_new(many->fixture->transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    RpcTarget target = {.topic = "compute", .version = "6.0"};
    for (int i = 0; i < 50; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NdJson) result = NULL;
        NdJson *args = json_object_new_object();
        nd_json_set_int(args, "arg", i);
        rpc_client_call(client, &target, context, "echo", args, NULL, &result, &error);
        g_assert_no_error(error);
        g_assert_cmpint(json_object_get_int(result), ==, i);
        g_atomic_int_inc(&many->done);
    }
    return NULL;
}

/* Many threads at once, the link broken meanwhile: each call gets its own answer. */
static void test_threads(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    Many many = {fixture, 0};
    GThread *threads[8];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("many", many_thread, &many);
    while (g_atomic_int_get(&many.done) < 100)
        g_thread_yield();
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(many.done, ==, 400);
}

/* --- notifications --- */

static void on_log(RpcNotifyPriority priority, const char *event_type, const char *message, gpointer data)
{
    g_string_append_printf(data, "%d %s %s\n", priority, event_type, message);
}

static NdJson *payload(void)
{
    NdJson *value = json_object_new_object();
    nd_json_set_int(value, "p", 1);
    return value;
}

static void assert_notification(RpcFixture *fixture, const char *queue, const char *publisher, const char *priority)
{
    g_autoptr(NdJson) message = take(fixture, queue, NULL);
    g_assert_cmpstr(nd_json_string(message, "publisher_id", NULL), ==, publisher);
    g_assert_cmpstr(nd_json_string(message, "event_type", NULL), ==, "e");
    g_assert_cmpstr(nd_json_string(message, "priority", NULL), ==, priority);
    g_assert_cmpint(nd_json_int(nd_json_object(message, "payload"), "p", 0), ==, 1);
    g_assert_cmpuint(strlen(nd_json_string(message, "message_id", "")), ==, 36);
    g_assert_cmpuint(strlen(nd_json_string(message, "timestamp", "")), ==, 26);
    g_assert_false(json_object_object_get_ex(message, "_context_auth_token", NULL));
    g_assert_true(json_object_object_get_ex(message, "_context_request_id", NULL));
}

static void test_notifier(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new("amqp_durable_queues=1");
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    GString *log = g_string_new(NULL);
    static const char *const drivers[] = {"messagingv2", "messaging", "log", "noop", NULL}, *const topics[] = {"notifications", "extra", NULL};
    RpcNotifierOptions options = {.drivers = drivers, .topics = topics, .format = "both", .publisher_id = "compute.h",
                                  .versioned_publisher_id = "nova-compute:h", .retry = -1, .log = on_log, .log_data = log};
    g_autoptr(RpcNotifier) notifier = rpc_notifier_new(fixture->transport, &options, NULL);
    g_assert_true(rpc_notifier_wants_legacy(notifier));
    g_assert_true(rpc_notifier_wants_versioned(notifier));
    rpc_notifier_emit(notifier, context, RPC_NOTIFY_WARN, "e", payload());
    rpc_notifier_emit_versioned(notifier, context, RPC_NOTIFY_ERROR, "e", payload());
    for (int i = 0; i < 2; i++) {
        assert_notification(fixture, "notifications.warn", "compute.h", "WARN");
        assert_notification(fixture, "extra.warn", "compute.h", "WARN");
        assert_notification(fixture, "versioned_notifications.error", "nova-compute:h", "ERROR");
    }
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "queue extra.warn durable=1 auto_delete=0 {}"), ==, 1);
    g_assert_cmpint(fake_broker_count_log(fixture->broker, "bind extra.warn nova extra.warn"), ==, 1);
    g_assert_nonnull(strstr(log->str, "2 e {"));
    g_assert_nonnull(strstr(log->str, "3 e {"));
    g_string_free(log, TRUE);
}

static void test_notifier_off(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    RpcNotifierOptions off = {.publisher_id = "p"};
    g_autoptr(RpcNotifier) notifier = rpc_notifier_new(NULL, &off, NULL);
    g_assert_false(rpc_notifier_wants_legacy(notifier));
    rpc_notifier_emit(notifier, context, RPC_NOTIFY_INFO, "e", payload());
    rpc_notifier_emit_versioned(notifier, context, RPC_NOTIFY_INFO, "e", payload());
    static const char *const v2[] = {"messagingv2", NULL}, *const bad[] = {"pigeon", NULL};
    RpcNotifierOptions versioned = {.drivers = v2, .format = "versioned"}, wrong = {.drivers = v2, .format = "x"}, driver = {.drivers = bad};
    g_autoptr(RpcNotifier) second = rpc_notifier_new(fixture->transport, &versioned, NULL);
    g_assert_false(rpc_notifier_wants_legacy(second));
    g_assert_true(rpc_notifier_wants_versioned(second));
    g_autoptr(GError) error = NULL;
    g_assert_null(rpc_notifier_new(NULL, &versioned, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
    g_clear_error(&error);
    g_assert_null(rpc_notifier_new(fixture->transport, &wrong, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
    g_clear_error(&error);
    g_assert_null(rpc_notifier_new(fixture->transport, &driver, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
}

/* retry=0: dropped while the broker is away; retry=1: soon after. */
static void test_notifier_offline(void)
{
    g_autoptr(RpcFixture) fixture = rpc_fixture_new(NULL);
    fake_broker_refuse_login(fixture->broker, true);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    static const char *const drivers[] = {"messagingv2", NULL};
    RpcNotifierOptions never = {.drivers = drivers, .publisher_id = "p", .retry = 0}, once = {.drivers = drivers, .publisher_id = "p", .retry = 1};
    g_autoptr(RpcNotifier) first = rpc_notifier_new(fixture->transport, &never, NULL);
    rpc_notifier_emit(first, context, RPC_NOTIFY_INFO, "e", payload());
    g_assert_true(rpc_fixture_wait_event(fixture, "dropped publish: notifications.info", 1));
    g_autoptr(RpcNotifier) second = rpc_notifier_new(fixture->transport, &once, NULL);
    rpc_notifier_emit(second, context, RPC_NOTIFY_INFO, "e", payload());
    g_assert_true(rpc_fixture_wait_event(fixture, "dropped publish: notifications.info", 2));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/client/call", test_call);
    g_test_add_func("/rpc/client/failures", test_failures);
    g_test_add_func("/rpc/client/timeouts", test_timeouts);
    g_test_add_func("/rpc/client/bad-replies", test_bad_replies);
    g_test_add_func("/rpc/client/nack-and-size", test_nack_and_size);
    g_test_add_func("/rpc/client/casts", test_casts);
    g_test_add_func("/rpc/client/stop", test_stop);
    g_test_add_func("/rpc/client/threads", test_threads);
    g_test_add_func("/rpc/notifier/all", test_notifier);
    g_test_add_func("/rpc/notifier/off", test_notifier_off);
    g_test_add_func("/rpc/notifier/offline", test_notifier_offline);
    return g_test_run();
}
