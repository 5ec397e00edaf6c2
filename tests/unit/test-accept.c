/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/accept.h"
#include "agent/methods.h"
#include "objects/objects.h"
#include "tests/unit/rpc_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"

/* The real accept function behind a real server on a fake broker; the dispatch function writes down what the journal has then. */
typedef struct {
    Agent agent;
    char *directory;
    RpcFixture *fixture;
    RpcServer *server;
    GMutex lock;
    GCond changed;
    GPtrArray *seen; /* a line for each request dispatched */
} Scene;

static char *describe(Scene *scene)
{
    g_autoptr(GPtrArray) entries = agent_journal_load(scene->agent.journal, NULL, NULL);
    const AgentJournalEntry *entry;
    g_autofree char *args = NULL;

    if (entries->len == 0)
        return g_strdup("nothing");
    g_assert_cmpuint(entries->len, ==, 1);
    entry = entries->pdata[0];
    g_assert_cmpstr(entry->instance_uuid, ==, UUID);
    g_assert_cmpint(entry->phase, ==, AGENT_JOURNAL_QUEUED);
    g_assert_nonnull(entry->message_id);
    g_assert_cmpstr(nd_json_string(nd_json_object(entry->request, "context"), "_context_auth_token", NULL), ==, "secret");
    args = nd_json_to_string(nd_json_member(nd_json_object(entry->request, "args"), "clean_shutdown"));
    return g_strdup_printf("%s %s %s", entry->method, entry->original_task_state, args);
}

static void dispatch(RpcRequest *request, gpointer data)
{
    Scene *scene = data;
    g_autoptr(RpcRequest) owned = request;

    g_mutex_lock(&scene->lock);
    g_ptr_array_add(scene->seen, describe(scene));
    g_cond_signal(&scene->changed);
    g_mutex_unlock(&scene->lock);
    rpc_request_reply(request, NULL);
}

static bool accept_into(RpcRequest *request, gpointer data, GError **error)
{
    return agent_accept(request, &((Scene *)data)->agent, error);
}

static void scene_begin(Scene *scene, const char *remembered)
{
    static const char *const topics[] = {"compute", NULL};
    RpcServerOptions options = {
        .topics = topics, .server_name = "host", .accept = accept_into, .dispatch = dispatch, .user_data = scene,
    };

    *scene = (Scene){0};
    methods_init();
    g_mutex_init(&scene->lock);
    g_cond_init(&scene->changed);
    scene->seen = g_ptr_array_new_with_free_func(g_free);
    scene->directory = g_dir_make_tmp("novad-accept-XXXXXX", NULL);
    scene->agent.journal = agent_journal_open(scene->directory, NULL);
    g_assert_nonnull(scene->agent.journal);
    scene->fixture = rpc_fixture_new(NULL);
    options.endpoints = methods_endpoints(&options.n_endpoints);
    scene->server = rpc_server_new(scene->fixture->transport, &options, NULL);
    if (remembered != NULL)
        rpc_server_remember(scene->server, remembered);
    g_assert_true(rpc_server_start(scene->server, 10, NULL));
}

/* What the next request found. */
static const char *next(Scene *scene, guint index)
{
    gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    g_mutex_lock(&scene->lock);
    while (scene->seen->len <= index)
        g_assert_true(g_cond_wait_until(&scene->changed, &scene->lock, until));
    g_mutex_unlock(&scene->lock);
    return scene->seen->pdata[index];
}

static void scene_end(Scene *scene)
{
    rpc_server_stop(scene->server, NULL);
    rpc_server_unref(scene->server);
    rpc_fixture_free(scene->fixture);
    agent_journal_free(scene->agent.journal);
    g_assert_cmpint(g_rmdir(scene->directory), ==, 0); /* nobody took an entry: each went with its request */
    g_free(scene->directory);
    g_ptr_array_unref(scene->seen);
    g_mutex_clear(&scene->lock);
    g_cond_clear(&scene->changed);
}

#define INSTANCE "{\"nova_object.data\":{\"uuid\":\"" UUID "\",\"task_state\":\"powering-off\"}}"
#define TOKEN "\"_context_auth_token\":\"secret\""

static void test_cast_is_journaled(void)
{
    Scene scene;

    scene_begin(&scene, NULL);
    rpc_fixture_request(scene.fixture, "compute.host", "stop_instance", "{\"clean_shutdown\":true,\"instance\":" INSTANCE "}", NULL, TOKEN);
    g_assert_cmpstr(next(&scene, 0), ==, "stop_instance powering-off true");
    scene_end(&scene);
}

/* A call's caller learns of the end; what is quick or has no instance leaves nothing behind; a broken instance is refused later. */
static void test_others_are_not(void)
{
    Scene scene;

    scene_begin(&scene, NULL);
    rpc_fixture_request(scene.fixture, "compute.host", "stop_instance", "{\"clean_shutdown\":true,\"instance\":" INSTANCE "}", "c1", TOKEN);
    g_assert_cmpstr(next(&scene, 0), ==, "nothing");
    rpc_fixture_request(scene.fixture, "compute.host", "get_diagnostics", "{\"instance\":" INSTANCE "}", NULL, TOKEN);
    g_assert_cmpstr(next(&scene, 1), ==, "nothing");
    rpc_fixture_request(scene.fixture, "compute.host", "stop_instance", "{\"clean_shutdown\":true,\"instance\":7}", NULL, TOKEN);
    g_assert_cmpstr(next(&scene, 2), ==, "nothing");
    rpc_fixture_request(scene.fixture, "compute.host", "stop_instance",
                        "{\"clean_shutdown\":true,\"instance\":{\"nova_object.data\":{\"uuid\":\"../../x\"}}}", NULL, TOKEN);
    g_assert_cmpstr(next(&scene, 3), ==, "nothing");
    scene_end(&scene);
}

/* What an earlier process took and the broker delivers again is dropped. */
static void test_remembered(void)
{
    static const char message[] = "{\"method\":\"stop_instance\",\"args\":{\"clean_shutdown\":true,\"instance\":" INSTANCE "},\"version\":\"6.0\","
                                  "\"_unique_id\":\"taken\"," TOKEN "}";
    g_autoptr(NdJson) envelope = json_object_new_object();
    g_autofree char *body = NULL;
    Scene scene;

    nd_json_set_string(envelope, "oslo.version", "2.0");
    nd_json_set_string(envelope, "oslo.message", message);
    body = nd_json_to_string(envelope);
    scene_begin(&scene, "taken");
    fake_broker_publish(scene.fixture->broker, "nova", "compute.host", body, strlen(body));
    g_assert_true(rpc_fixture_wait_event(scene.fixture, "came again", 1));
    g_assert_cmpuint(scene.seen->len, ==, 0);
    scene_end(&scene);
}

static void test_is_current(void)
{
    static const struct {
        const char *method, *then; /* instance fields of the request */
        const char *host, *vm_state, *task_state;
        bool current;
    } cases[] = {
        {"stop_instance", "{\"host\":\"h\",\"vm_state\":\"active\",\"task_state\":\"powering-off\"}", "h", "active", "powering-off", true},
        {"stop_instance", "{\"host\":\"h\",\"vm_state\":\"active\",\"task_state\":\"powering-off\"}", "h", "active", "deleting", false},
        {"stop_instance", "{\"host\":\"h\",\"vm_state\":\"active\",\"task_state\":\"powering-off\"}", "h", "error", NULL, false},
        {"stop_instance", "{\"host\":\"h\",\"vm_state\":\"active\",\"task_state\":\"powering-off\"}", "other", "active", "powering-off", false},
        {"build_and_run_instance", "{\"host\":null,\"vm_state\":\"building\",\"task_state\":\"scheduling\"}", NULL, "building", "scheduling", true},
        {"build_and_run_instance", "{\"vm_state\":\"building\",\"task_state\":\"scheduling\"}", "other", "building", "scheduling", false},
        {"build_and_run_instance", "{\"vm_state\":\"building\",\"task_state\":\"scheduling\"}", NULL, "error", NULL, false},
        {"detach_interface", "{\"host\":\"h\",\"vm_state\":\"active\",\"task_state\":null}", "h", "active", NULL, true},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new(UUID, cases[i].method, "r");
        g_autoptr(NovaInstance) instance = nova_instance_new();
        g_autofree char *text = g_strdup_printf("{\"args\":{\"instance\":{\"nova_object.data\":%s}}}", cases[i].then);

        g_assert_true(nd_json_parse(text, strlen(text), NULL, &entry->request, NULL));
        entry->original_task_state = g_strdup(nd_json_string(
            nd_json_object(nd_json_object(nd_json_object(entry->request, "args"), "instance"), "nova_object.data"), "task_state", NULL));
        nova_instance_set_host(instance, cases[i].host);
        nova_instance_set_vm_state(instance, cases[i].vm_state);
        nova_instance_set_task_state(instance, cases[i].task_state);
        g_test_message("%u", i);
        g_assert_true(agent_accepted_is_current(entry, instance) == cases[i].current);
        g_assert_false(agent_accepted_is_current(entry, NULL));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accept/cast-is-journaled", test_cast_is_journaled);
    g_test_add_func("/accept/others-are-not", test_others_are_not);
    g_test_add_func("/accept/remembered", test_remembered);
    g_test_add_func("/accept/is-current", test_is_current);
    return g_test_run();
}
