/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/usage_audit.h"
#include "base/time.h"
#include "objects/objects.h"
#include "tests/unit/rpc_fixture.h"

#include <string.h>

/* The usage audit with a conductor of our own on a fake broker; notifications come as the log driver's lines. */

#define UUID "aaaaaaaa-2222-4333-8444-555555555555"

typedef struct {
    Agent agent;
    RpcFixture *fixture;
    RpcServer *conductor;
    RpcContext *context;
    bool done;      /* the conductor has a record of the period */
    bool raced;     /* another host of our name begins it between our question and our record */
    GMutex lock;
    GString *asked; /* "Class.method; " */
    NdJson *began, *ended, *window; /* data of the record, arguments of the list */
    GString *told;  /* "event payload" lines */
} Scene;

static NdJson *instances(void)
{
    g_autoptr(NovaInstanceList) list = nova_instance_list_new();
    g_autoptr(NovaInstance) instance = nova_instance_new();
    g_autoptr(GPtrArray) objects = g_ptr_array_new();

    nova_instance_set_uuid(instance, UUID);
    nova_instance_set_host(instance, "h");
    nova_instance_set_vm_state(instance, "deleted");
    nova_instance_set_deleted_at(instance, 1700000000LL * G_USEC_PER_SEC);
    nova_object_reset_changes(instance);
    g_ptr_array_add(objects, instance);
    nova_object_set_container(list, 0, objects);
    nova_object_reset_changes(list);
    return nova_object_to_json(list, ND_RELEASE_ZED);
}

static NdJson *record(void)
{
    g_autoptr(NovaTaskLog) log = nova_task_log_new();

    nova_task_log_set_state(log, "DONE");
    nova_object_reset_changes(log);
    return nova_object_to_json(log, ND_RELEASE_ZED);
}

static NdJson *updates(void)
{
    NdJson *result = json_object_new_array(), *changed = json_object_new_object();

    nd_json_set(changed, "obj_what_changed", json_object_new_array());
    json_object_array_add(result, changed);
    json_object_array_add(result, NULL);
    return result;
}

static NdJson *answer(Scene *scene, const char *call, NdJson *args, GError **error)
{
    NdJson *data = nd_json_object(nd_json_object(args, "objinst"), "nova_object.data");

    if (g_str_equal(call, "TaskLog.get"))
        return scene->done ? record() : NULL;
    if (g_str_equal(call, "InstanceList._get_active_by_window_joined")) {
        scene->window = json_object_get(nd_json_array(args, "args"));
        return instances();
    }
    if (g_str_equal(call, "TaskLog.begin_task")) {
        if (scene->raced) {
            nova_exception_set(error, NOVA_EXC_TASK_ALREADY_RUNNING, NULL, NULL);
            return NULL;
        }
        scene->began = json_object_get(data);
        return updates();
    }
    if (g_str_equal(call, "TaskLog.end_task")) {
        scene->ended = json_object_get(data);
        return updates();
    }
    g_error("the conductor was asked for %s", call);
}

static void conduct(RpcRequest *request, gpointer user_data)
{
    Scene *scene = user_data;
    g_autoptr(RpcRequest) owned = request;
    g_autoptr(GError) error = NULL;
    NdJson *args = rpc_request_args(request);
    const char *class_name = nd_json_string(nd_json_object(args, "objinst"), "nova_object.name", nd_json_string(args, "objname", ""));
    g_autofree char *call = g_strconcat(class_name, ".", nd_json_string(args, "objmethod", ""), NULL);
    NdJson *result;

    g_mutex_lock(&scene->lock);
    g_string_append_printf(scene->asked, "%s; ", call);
    result = answer(scene, call, args, &error);
    g_mutex_unlock(&scene->lock);
    if (error != NULL)
        rpc_request_fail(request, error);
    else
        rpc_request_reply(request, result);
}

static void tell(RpcNotifyPriority priority G_GNUC_UNUSED, const char *event_type, const char *message, gpointer user_data)
{
    Scene *scene = user_data;

    g_string_append_printf(scene->told, "%s %s\n", event_type, message);
}

static const RpcMethod methods[] = {
    {"object_action", (const char *const[]){"objinst", "objmethod", "args", "kwargs", NULL}},
    {"object_class_action_versions", (const char *const[]){"objname", "objmethod", "object_versions", "args", "kwargs", NULL}},
};
static const RpcEndpoint endpoint = {NULL, "3.0", methods, G_N_ELEMENTS(methods)};

static RpcServer *serve(Scene *scene)
{
    static const char *const topics[] = {"conductor", NULL};
    RpcServerOptions options = {
        .topics = topics, .server_name = "c", .service = "conductor", .endpoints = &endpoint, .n_endpoints = 1, .dispatch = conduct, .user_data = scene};
    RpcServer *server = rpc_server_new(scene->fixture->transport, &options, NULL);

    g_assert_true(server != NULL && rpc_server_start(server, 10, NULL));
    return server;
}

static void begin(Scene *scene, const char *more)
{
    static const char *const drivers[] = {"log", NULL};
    RpcNotifierOptions options = {
        .drivers = drivers, .format = "both", .publisher_id = "compute.h", .versioned_publisher_id = "nova-compute:h", .log = tell, .log_data = scene};
    g_autofree char *text = g_strconcat("[DEFAULT]\nhost = h\n", more, NULL);

    memset(scene, 0, sizeof *scene);
    g_mutex_init(&scene->lock);
    scene->asked = g_string_new(NULL);
    scene->told = g_string_new(NULL);
    scene->fixture = rpc_fixture_new(NULL);
    scene->conductor = serve(scene);
    scene->context = rpc_context_new_admin(NULL);
    scene->agent.config = nd_config_new_from_text(text, NULL);
    scene->agent.host = (char *)"h";
    scene->agent.client = rpc_client_new(scene->fixture->transport);
    scene->agent.conductor = conductor_new(scene->agent.client);
    scene->agent.notifier = rpc_notifier_new(NULL, &options, NULL);
    g_assert_nonnull(scene->agent.notifier);
}

static void end(Scene *scene)
{
    rpc_notifier_unref(scene->agent.notifier);
    conductor_unref(scene->agent.conductor);
    rpc_client_unref(scene->agent.client);
    rpc_server_unref(scene->conductor);
    rpc_fixture_free(scene->fixture);
    rpc_context_unref(scene->context);
    nd_config_free(scene->agent.config);
    g_string_free(scene->asked, TRUE);
    g_string_free(scene->told, TRUE);
    json_object_put(scene->began);
    json_object_put(scene->ended);
    json_object_put(scene->window);
    g_mutex_clear(&scene->lock);
}

/* The last full hour, in whole: begin and end as object fields. An hour may end while the test runs, so this is what the record says. */
static void assert_last_hour(const char *begin_text, const char *end_text)
{
    gint64 from, to, now = nd_time_now();

    g_assert_true(nd_time_parse(begin_text, &from, NULL) && nd_time_parse(end_text, &to, NULL));
    g_assert_cmpint(to - from, ==, 3600LL * G_USEC_PER_SEC);
    g_assert_cmpint(to % (3600LL * G_USEC_PER_SEC), ==, 0);
    g_assert_true(to <= now && now - to < 3600LL * G_USEC_PER_SEC);
}

static void test_audit(void)
{
    Scene scene;

    begin(&scene, "instance_usage_audit = true\ninstance_usage_audit_period = hour\n");
    usage_audit(&scene.agent, scene.context);
    g_assert_true(g_str_has_prefix(scene.asked->str, "TaskLog.get; InstanceList._get_active_by_window_joined; TaskLog.begin_task; "));
    g_assert_true(g_str_has_suffix(scene.asked->str, "TaskLog.end_task; "));
    /* The record. */
    const char *from = nd_json_string(scene.began, "period_beginning", ""), *to = nd_json_string(scene.began, "period_ending", "");
    assert_last_hour(from, to);
    g_assert_cmpstr(nd_json_string(scene.began, "task_name", ""), ==, "instance_usage_audit");
    g_assert_cmpstr(nd_json_string(scene.began, "host", ""), ==, "h");
    g_assert_cmpint(nd_json_int(scene.began, "task_items", -1), ==, 1);
    g_assert_cmpint(nd_json_int(scene.ended, "errors", -1), ==, 0);
    g_assert_true(g_str_has_prefix(nd_json_string(scene.ended, "message", ""), "Instance usage audit ran for host h, 1 instances in "));
    /* The list was of that period and host. */
    g_autofree char *window = nd_json_to_string(scene.window);
    g_autofree char *want = g_strdup_printf("[\"%s\",\"%s\",null,\"h\",[\"system_metadata\",\"info_cache\",\"metadata\",\"flavor\"]]", from, to);
    g_assert_cmpstr(window, ==, want);
    /* Both notifications name the whole period. */
    g_autofree char *field = g_strdup_printf("\"audit_period_ending\":\"%s\"", to), *legacy = g_strdup_printf("\"audit_period_ending\":\"%s\"", to);
    *strchr(strchr(legacy, ':') + 2, 'T') = ' ';
    *strchr(legacy, 'Z') = '\0';
    g_assert_nonnull(strstr(scene.told->str, "compute.instance.exists {"));
    g_assert_nonnull(strstr(scene.told->str, "\ninstance.exists {"));
    g_autofree char *plain = g_strdup(scene.told->str);
    g_auto(GStrv) parts = g_strsplit(plain, ": ", -1); /* the log driver writes blanks behind colons */
    g_autofree char *dense = g_strjoinv(":", parts);
    g_assert_nonnull(strstr(dense, field));
    g_assert_nonnull(strstr(dense, legacy));
    g_assert_nonnull(strstr(dense, UUID));
    end(&scene);
}

static void test_done_already(void)
{
    Scene scene;

    begin(&scene, "instance_usage_audit = true\n");
    scene.done = true;
    usage_audit(&scene.agent, scene.context);
    g_assert_cmpstr(scene.asked->str, ==, "TaskLog.get; ");
    g_assert_cmpstr(scene.told->str, ==, "");
    end(&scene);
}

static void test_begun_by_another(void)
{
    Scene scene;

    begin(&scene, "instance_usage_audit = true\n");
    scene.raced = true;
    usage_audit(&scene.agent, scene.context);
    g_assert_true(g_str_has_suffix(scene.asked->str, "TaskLog.begin_task; "));
    g_assert_cmpstr(scene.told->str, ==, "");
    end(&scene);
}

static void test_off(void)
{
    Scene scene;

    begin(&scene, "");
    usage_audit(&scene.agent, scene.context);
    g_assert_cmpstr(scene.asked->str, ==, "");
    end(&scene);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usage-audit/audit", test_audit);
    g_test_add_func("/usage-audit/done-already", test_done_already);
    g_test_add_func("/usage-audit/begun-by-another", test_begun_by_another);
    g_test_add_func("/usage-audit/off", test_off);
    return g_test_run();
}
