/* SPDX-License-Identifier: Apache-2.0 */
/*
 * novad's side of tests/oracle/rpc_peer.py, which plays oslo.messaging's:
 *     rpc-peer URL serve TOPIC SERVER       serves the methods below until its standard input ends
 *     rpc-peer URL call TOPIC METHOD ARGS TIMEOUT MONITOR   calls, prints {"result": ...} or {"error": {class, module, message, kwargs}}
 *     rpc-peer URL cast|fanout TOPIC METHOD ARGS
 *     rpc-peer URL notify EVENT PAYLOAD
 *     rpc-peer URL conductor HOST           reads records through a real conductor
 *     rpc-peer URL flood TOPIC COUNT THREADS   calls echo that often
 * Options of [oslo_messaging_rabbit] come with the URL's query.
 */
#include "config.h"

#include "base/json.h"
#include "rpc/client.h"
#include "rpc/conductor.h"
#include "rpc/error.h"
#include "rpc/exception.h"
#include "rpc/notifier.h"
#include "rpc/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *kind, NdJson *value)
{
    g_autoptr(NdJson) line = json_object_new_object();
    nd_json_set(line, kind, value);
    g_autofree char *text = nd_json_to_string(line);
    printf("%s\n", text);
    fflush(stdout);
}

static void on_event(RpcEvent event, const char *connection, const char *text, const GError *error, gpointer data)
{
    fprintf(stderr, "event %d on %s: %s %s\n", event, connection, text ? text : "", error ? error->message : "");
}

static const char *const any_instance[] = {"instance_id", NULL}, *const echo_args[] = {"arg", "more?", NULL}, *const slow_args[] = {"seconds", NULL},
                                 *const fail_args[] = {"kind", NULL}, *const note_args[] = {"text", NULL};
static const RpcMethod methods[] = {{"echo", echo_args},           {"fail", fail_args}, {"slow", slow_args},
                                    {"forget", any_instance}, {"note", note_args}, {"context", NULL}};
static const RpcEndpoint endpoints[] = {{NULL, "6.5", methods, G_N_ELEMENTS(methods)}};

static void fail_as(RpcRequest *request, const char *kind)
{
    g_autoptr(GError) error = NULL;
    if (g_str_equal(kind, "InstanceNotFound"))
        nova_exception_set(&error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", "U-1", NULL);
    else if (g_str_equal(kind, "NotImplementedError"))
        nova_exception_set_text(&error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "not here", NULL);
    else if (g_str_equal(kind, "utf8"))
        nova_exception_set(&error, NOVA_EXC_INSTANCE_SUSPEND_FAILURE, "reason", "caf\xc3\xa9 and \xff broken", NULL);
    else
        g_set_error(&error, RPC_ERROR, RPC_ERROR_FAILED, "some internal thing");
    rpc_request_fail(request, error);
}

static gpointer work(gpointer data)
{
    g_autoptr(RpcRequest) request = data;
    const char *method = rpc_request_method(request);
    NdJson *args = rpc_request_args(request);
    if (g_str_equal(method, "echo")) {
        rpc_request_reply(request, json_object_get(nd_json_member(args, "arg")));
    } else if (g_str_equal(method, "fail")) {
        fail_as(request, nd_json_string(args, "kind", ""));
    } else if (g_str_equal(method, "slow")) {
        g_usleep((gulong)(nd_json_double(args, "seconds", 1) * G_USEC_PER_SEC));
        rpc_request_reply(request, json_object_new_string("slept"));
    } else if (g_str_equal(method, "note")) {
        say("note", json_object_new_string(nd_json_string(args, "text", "")));
        rpc_request_reply(request, NULL);
    } else if (g_str_equal(method, "context")) {
        RpcContext *context = rpc_request_context(request);
        NdJson *result = json_object_new_object();
        nd_json_set_string(result, "user_id", context->user_id);
        nd_json_set_string(result, "request_id", context->request_id);
        nd_json_set(result, "roles", nd_json_from_strv(context->roles));
        rpc_request_reply(request, result);
    }
    return NULL;
}

static void dispatch(RpcRequest *request, gpointer data)
{
    g_thread_unref(g_thread_new("work", work, request));
}

static int serve(RpcTransport *transport, char **argv)
{
    g_autoptr(GError) error = NULL;
    const char *topics[] = {argv[0], NULL};
    RpcServerOptions options = {.topics = topics,
                                .server_name = argv[1],
                                .service = "compute",
                                .endpoints = endpoints,
                                .n_endpoints = G_N_ELEMENTS(endpoints),
                                .rpc_ping_enabled = true,
                                .dispatch = dispatch};
    g_autoptr(RpcServer) server = rpc_server_new(transport, &options, &error);
    if (server == NULL || !rpc_server_start(server, 30, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    say("ready", NULL);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    rpc_server_stop(server, NULL);
    rpc_transport_flush(transport, 5);
    return 0;
}

static void say_error(const GError *error)
{
    NdJson *value = json_object_new_object();
    const char *remote = rpc_error_remote_class(error);
    nd_json_set_string(value, "class", remote ? remote : nova_exception_class(error));
    nd_json_set_string(value, "module", remote ? rpc_error_remote_module(error) : nova_exception_module(error));
    nd_json_set_string(value, "message", error->message);
    nd_json_set_bool(value, "timeout", g_error_matches(error, RPC_ERROR, RPC_ERROR_TIMEOUT));
    nd_json_set_string(value, "instance_id", nova_exception_kwarg(error, "instance_id"));
    say("error", value);
}

static int call(RpcTransport *transport, const char *mode, char **argv)
{
    g_autoptr(RpcClient) client = rpc_client_new(transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GError) error = NULL;
    NdJson *args = NULL, *result = NULL;
    if (!nd_json_parse(argv[2], strlen(argv[2]), NULL, &args, &error))
        g_error("%s", error->message);
    RpcTarget target = {.topic = argv[0], .version = "6.0", .fanout = g_str_equal(mode, "fanout")};
    bool good;
    if (g_str_equal(mode, "call")) {
        RpcCallOptions options = {.timeout_s = atof(argv[3]), .call_monitor_s = atof(argv[4])};
        good = rpc_client_call(client, &target, context, argv[1], args, &options, &result, &error);
    } else {
        good = rpc_client_cast(client, &target, context, argv[1], args, NULL, &error);
    }
    if (good)
        say("result", result);
    else
        say_error(error);
    return 0;
}

static int notify(RpcTransport *transport, char **argv)
{
    const char *const drivers[] = {"messagingv2", NULL};
    RpcNotifierOptions options = {.drivers = drivers, .format = "both", .publisher_id = "compute.h", .versioned_publisher_id = "nova-compute:h", .retry = -1};
    g_autoptr(GError) error = NULL;
    g_autoptr(RpcNotifier) notifier = rpc_notifier_new(transport, &options, &error);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    NdJson *payload = NULL;
    if (notifier == NULL || !nd_json_parse(argv[1], strlen(argv[1]), NULL, &payload, &error))
        g_error("%s", error->message);
    rpc_notifier_emit(notifier, context, RPC_NOTIFY_INFO, argv[0], json_object_get(payload));
    rpc_notifier_emit_versioned(notifier, context, RPC_NOTIFY_ERROR, argv[0], payload);
    say("result", NULL);
    return rpc_transport_flush(transport, 10) ? 0 : 1;
}

typedef struct {
    RpcClient *client;
    const char *topic;
    int count, failed;
} Flood;

static gpointer flood_thread(gpointer data)
{
    Flood *flood = data;
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    RpcTarget target = {.topic = flood->topic, .version = "6.0"};
    for (int i = 0; i < flood->count; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NdJson) result = NULL;
        NdJson *args = json_object_new_object();
        nd_json_set_int(args, "arg", i);
        bool good = rpc_client_call(flood->client, &target, context, "echo", args, NULL, &result, &error);
        if (!good || json_object_get_int(result) != i) {
            fprintf(stderr, "%s\n", error ? error->message : "wrong result");
            flood->failed++;
        }
    }
    return NULL;
}

static int flood(RpcTransport *transport, char **argv)
{
    enum { MAX = 64 };
    int threads = MIN(atoi(argv[2]), MAX), failed = 0;
    g_autoptr(RpcClient) client = rpc_client_new(transport);
    Flood floods[MAX];
    GThread *running[MAX];
    gint64 start = g_get_monotonic_time();
    for (int i = 0; i < threads; i++) {
        floods[i] = (Flood){client, argv[0], atoi(argv[1]) / threads, 0};
        running[i] = g_thread_new("flood", flood_thread, &floods[i]);
    }
    for (int i = 0; i < threads; i++) {
        g_thread_join(running[i]);
        failed += floods[i].failed;
    }
    NdJson *value = json_object_new_object();
    nd_json_set_int(value, "failed", failed);
    nd_json_set_double(value, "seconds", (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
    say("result", value);
    return 0;
}

/* Adds "name": the error's class or the text. */
static void report(NdJson *out, const char *name, bool good, const char *text, GError **error)
{
    nd_json_set_string(out, name, good ? text : nova_exception_class(*error));
    if (!good)
        fprintf(stderr, "%s: %s\n", name, (*error)->message);
    g_clear_error(error);
}

static int conductor(RpcTransport *transport, char **argv)
{
    g_autoptr(RpcClient) client = rpc_client_new(transport);
    g_autoptr(Conductor) conductor = conductor_new(client);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GError) error = NULL;
    NdJson *out = json_object_new_object();
    gint64 version = 0;
    NdRelease release = ND_RELEASE_ZED;
    bool good = conductor_ping(conductor, 10, &error);
    report(out, "ping", good, "ok", &error);
    good = conductor_detect_version(conductor, context, 60, &version, &error);
    report(out, "release", good, conductor_release_of_version(version, &release) ? nd_release_name(release) : "unknown", &error);
    g_autoptr(NovaService) service = NULL;
    good = conductor_service_get(conductor, context, argv[0], "nova-compute", &service, &error);
    report(out, "service", good, service ? service->host : "none", &error);
    g_autoptr(NovaComputeNodeList) nodes = conductor_compute_node_list_by_host(conductor, context, argv[0], &error);
    report(out, "nodes", nodes != NULL, nodes && nova_object_list_length(nodes) > 0 ? "some" : "none", &error);
    g_autoptr(NovaInstanceList) instances = conductor_instance_list_by_host(conductor, context, argv[0], NULL, true, &error);
    report(out, "instances", instances != NULL, "list", &error);
    g_autoptr(NovaInstance) missing = conductor_instance_get_by_uuid(conductor, context, "00000000-0000-4000-8000-000000000000", NULL, &error);
    report(out, "missing", missing != NULL, "found", &error);
    good = conductor_action_event_start(conductor, context, "00000000-0000-4000-8000-000000000000", "compute_x", argv[0], &error);
    report(out, "event", good, "ok", &error);
    good = conductor_service_minimum_version(conductor, context, "nova-compute", &version, &error);
    report(out, "minimum", good, "number", &error);
    conductor_scheduler_sync_instances(conductor, context, "no-such-host", (const char *const[]){NULL});
    say("result", out);
    return rpc_transport_flush(transport, 10) ? 0 : 1;
}

int main(int argc, char **argv)
{
    g_set_prgname("rpc-peer");
    if (argc < 4) {
        fprintf(stderr, "usage: rpc-peer URL MODE ARGUMENTS\n");
        return 2;
    }
    g_autoptr(GError) error = NULL;
    g_auto(RpcOptions) options;
    rpc_options_init(&options);
    g_autoptr(RpcTransport) transport = rpc_transport_new(argv[1], &options, &error);
    if (transport == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    rpc_transport_set_event_func(transport, on_event, NULL);
    int status = 2;
    if (g_str_equal(argv[2], "conductor"))
        status = conductor(transport, argv + 3);
    else if (g_str_equal(argv[2], "serve") && argc == 5)
        status = serve(transport, argv + 3);
    else if (g_str_equal(argv[2], "notify") && argc == 5)
        status = notify(transport, argv + 3);
    else if (g_str_equal(argv[2], "flood") && argc == 6)
        status = flood(transport, argv + 3);
    else if (argc >= 6 && (!g_str_equal(argv[2], "call") || argc == 8))
        status = call(transport, argv[2], argv + 3);
    rpc_transport_stop(transport);
    return status;
}
