/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/accept.h"
#include "agent/lanes.h"
#include "agent/methods.h"
#include "agent/operation_backend.h"
#include "agent/recovery_evacuated.h"
#include "agent/recovery_journal.h"
#include "agent/shared_storage.h"
#include "agent/startup_retry.h"
#include "base/file.h"
#include "objects/objects.h"
#include "tests/unit/fake_cloud.h"
#include "tests/unit/rpc_fixture.h"
#include "virt/connection.h"
#include "virt/domain.h"

#include <glib/gstdio.h>
#include <string.h>

/* What a start does with instances that were evacuated, are built by nobody, or have requests from before: a conductor and a peer compute of our own on
 * a fake broker, a fake Placement, and libvirt's test driver. */

#define UUID "aaaaaaaa-2222-4333-8444-555555555555"
#define NODE_UUID "11111111-2222-4333-8444-555555555555"

typedef struct {
    Agent agent;
    RpcFixture *fixture;
    RpcServer *conductor, *peer;
    FakeCloud *cloud;
    RpcContext *context;
    char *folder;
    GMutex lock;
    /* What the conductor has; changed by tests between calls only, or by the conductor under the lock. */
    NovaInstance *instance;   /* NULL: there is none */
    NovaMigration *migration; /* NULL: there is none */
    bool failing;             /* it answers with an error */
    GString *saved;           /* "Class.field=value " of each save */
    GString *filters;         /* of the lists that were asked for */
    bool shared;              /* what the peer says of the instance's files */
    guint asked;              /* how often it was asked */
} Scene;

static NdJson *list_json(const NovaObjectSpec *spec, gpointer object)
{
    g_autoptr(NovaObject) list = nova_object_new(spec);
    g_autoptr(GPtrArray) objects = g_ptr_array_new();

    if (object != NULL)
        g_ptr_array_add(objects, object);
    nova_object_set_container(list, 0, objects);
    nova_object_reset_changes(list);
    return nova_object_to_json(list, ND_RELEASE_ZED);
}

static NdJson *class_answer(Scene *scene, const char *class_name, const char *method)
{
    if (g_str_equal(class_name, "Instance") && g_str_equal(method, "get_by_uuid"))
        return nova_object_to_json(scene->instance, ND_RELEASE_ZED);
    if (g_str_equal(class_name, "InstanceList"))
        return list_json(&nova_instance_list_spec, scene->instance);
    if (g_str_equal(class_name, "InstanceActionEvent"))
        return NULL;
    if (g_str_equal(class_name, "MigrationList"))
        return list_json(&nova_migration_list_spec, scene->migration);
    if (g_str_equal(class_name, "ComputeNode")) {
        g_autoptr(NovaComputeNode) node = nova_compute_node_new();

        nova_compute_node_set_uuid(node, NODE_UUID);
        return nova_object_to_json(node, ND_RELEASE_ZED);
    }
    g_error("the conductor was asked for %s.%s", class_name, method);
}

static NdJson *object_answer(Scene *scene, NdJson *object, const char *method)
{
    NdJson *data = nd_json_object(object, "nova_object.data"), *changed = nd_json_array(object, "nova_object.changes");
    NdJson *result = json_object_new_array(), *updates = json_object_new_object();

    g_string_append_printf(scene->saved, "%s.%s", nd_json_string(object, "nova_object.name", ""), method);
    for (size_t i = 0; changed != NULL && i < json_object_array_length(changed); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(changed, i));

        if (g_str_equal(name, "vm_state") || g_str_equal(name, "status") || g_str_equal(name, "message"))
            g_string_append_printf(scene->saved, " %s=%s", name, nd_json_string(data, name, "null"));
    }
    g_string_append(scene->saved, "; ");
    nd_json_set(updates, "obj_what_changed", json_object_new_array());
    json_object_array_add(result, updates);
    json_object_array_add(result, NULL);
    return result;
}

static void conduct(RpcRequest *request, gpointer data)
{
    Scene *scene = data;
    NdJson *args = rpc_request_args(request), *object = nd_json_object(args, "objinst");
    const char *class_name = nd_json_string(args, "objname", ""), *method = nd_json_string(args, "objmethod", "");
    g_autoptr(RpcRequest) owned = request;
    g_autoptr(GError) error = NULL;
    NdJson *result = NULL;

    g_mutex_lock(&scene->lock);
    if (scene->failing)
        rpc_error_set_remote(&error, "DBConnectionError", "oslo_db.exception", "away");
    else if (object == NULL && scene->instance == NULL && g_str_equal(method, "get_by_uuid"))
        nova_exception_set(&error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", UUID, NULL);
    else
        result = object != NULL ? object_answer(scene, object, method) : class_answer(scene, class_name, method);
    if (object == NULL && g_str_has_suffix(class_name, "List")) {
        g_autofree char *text = nd_json_to_string(nd_json_array(args, "args"));

        g_string_append(scene->filters, text);
    }
    g_mutex_unlock(&scene->lock);
    if (error != NULL)
        rpc_request_fail(request, error);
    else
        rpc_request_reply(request, result);
}

/* The host that the instance went to. */
static void answer_peer(RpcRequest *request, gpointer data)
{
    Scene *scene = data;
    g_autoptr(RpcRequest) owned = request;
    const char *path = nd_json_string(nd_json_object(rpc_request_args(request), "data"), "filename", "");

    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    scene->asked++;
    rpc_request_reply(request, json_object_new_boolean(scene->shared));
}

static const RpcMethod conductor_methods[] = {
    {"object_action", (const char *const[]){"objinst", "objmethod", "args", "kwargs", NULL}},
    {"object_class_action_versions", (const char *const[]){"objname", "objmethod", "object_versions", "args", "kwargs", NULL}},
};
static const RpcMethod peer_methods[] = {{"check_instance_shared_storage", (const char *const[]){"data", NULL}}};
static const RpcEndpoint conductor_endpoint = {NULL, "3.0", conductor_methods, G_N_ELEMENTS(conductor_methods)};
static const RpcEndpoint peer_endpoint = {NULL, "6.5", peer_methods, G_N_ELEMENTS(peer_methods)};

static RpcServer *serve(Scene *scene, const char *topic, const char *host, const RpcEndpoint *endpoint, RpcDispatchFunc func)
{
    const char *topics[] = {topic, NULL};
    RpcServerOptions options = {.topics = topics, .server_name = host, .service = topic, .endpoints = endpoint, .n_endpoints = 1, .dispatch = func,
                                .user_data = scene};
    RpcServer *server = rpc_server_new(scene->fixture->transport, &options, NULL);

    g_assert_true(server != NULL && rpc_server_start(server, 10, NULL));
    return server;
}

/* libvirt's test driver: each connection has a host of its own, without our domain. */
static void connect_libvirt(Agent *agent)
{
    VirtConnectionOptions options;

    virt_connection_options_init(&options, "test:///default", "qemu");
    agent->virt = virt_connection_new(&options);
    virt_connection_options_clear(&options);
    g_assert_true(virt_connection_wait(agent->virt, 10000, NULL));
}

static void make_agent(Scene *scene)
{
    Agent *agent = &scene->agent;
    g_autofree char *text = g_strdup_printf("[DEFAULT]\nhost = h\nstate_path = %s\ninstances_path = %s\n", scene->folder, scene->folder);
    g_autofree char *journal = g_build_filename(scene->folder, "journal", NULL);

    agent->config = nd_config_new_from_text(text, NULL);
    g_assert_nonnull(agent->config);
    agent->host = g_strdup("h");
    agent->node = g_strdup("n");
    agent->client = rpc_client_new(scene->fixture->transport);
    agent->conductor = conductor_new(agent->client);
    agent->placement = fake_cloud_placement(scene->cloud);
    agent->journal = agent_journal_open(journal, NULL);
    agent->operation_backend = &operation_backend;
    agent->lanes = agent_lanes_new(1, 1);
    connect_libvirt(agent);
}

static void scene_begin(Scene *scene)
{
    memset(scene, 0, sizeof *scene);
    methods_init();
    g_mutex_init(&scene->lock);
    scene->folder = g_dir_make_tmp("novad-left-behind-XXXXXX", NULL);
    scene->saved = g_string_new(NULL);
    scene->filters = g_string_new(NULL);
    scene->fixture = rpc_fixture_new(NULL);
    scene->conductor = serve(scene, "conductor", "c", &conductor_endpoint, conduct);
    scene->peer = serve(scene, "compute", "other", &peer_endpoint, answer_peer);
    scene->cloud = fake_cloud_new();
    fake_cloud_add_provider(scene->cloud, NODE_UUID, "n");
    scene->context = rpc_context_new_admin(NULL);
    scene->instance = nova_instance_new();
    nova_instance_set_uuid(scene->instance, UUID);
    nova_object_reset_changes(scene->instance);
    make_agent(scene);
}

static void scene_end(Scene *scene)
{
    Agent *agent = &scene->agent;

    agent_lanes_stop(agent->lanes, -1);
    agent_lanes_free(agent->lanes);
    virt_connection_unref(agent->virt);
    agent_journal_free(agent->journal);
    placement_client_unref(agent->placement);
    conductor_unref(agent->conductor);
    rpc_client_unref(agent->client);
    rpc_server_unref(scene->conductor);
    rpc_server_unref(scene->peer);
    rpc_fixture_free(scene->fixture);
    fake_cloud_free(scene->cloud);
    rpc_context_unref(scene->context);
    nova_instance_unref(scene->instance);
    nova_migration_unref(scene->migration);
    nd_config_free(agent->config);
    g_free(agent->host);
    g_free(agent->node);
    g_assert_true(nd_tree_remove(scene->folder, NULL));
    g_free(scene->folder);
    g_string_free(scene->saved, TRUE);
    g_string_free(scene->filters, TRUE);
    g_mutex_clear(&scene->lock);
}

static void evacuated_to(Scene *scene, const char *host, const char *status)
{
    nova_instance_set_host(scene->instance, host);
    nova_instance_set_vm_state(scene->instance, "active");
    scene->migration = nova_migration_new();
    nova_migration_set_id(scene->migration, 3);
    nova_migration_set_instance_uuid(scene->migration, UUID);
    nova_migration_set_source_compute(scene->migration, "h");
    nova_migration_set_source_node(scene->migration, "n");
    nova_migration_set_status(scene->migration, status);
    fake_cloud_add_provider(scene->cloud, "99999999-2222-4333-8444-555555555555", "other");
    fake_cloud_allocate(scene->cloud, UUID, NODE_UUID, "VCPU", 1);
    fake_cloud_allocate(scene->cloud, UUID, "99999999-2222-4333-8444-555555555555", "VCPU", 1);
}

/* Its domain and folder, as if it had run here. */
static char *make_local(Scene *scene)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup("<domain type='test'><name>instance-1</name><uuid>" UUID "</uuid><memory>65536</memory><os><type>hvm</type></os></domain>");
    char *folder = g_build_filename(scene->folder, UUID, NULL);

    g_assert_true(virt_domain_define(scene->agent.virt, xml, &error));
    g_assert_no_error(error);
    g_assert_true(nd_dir_make(folder, 0755, NULL));
    return folder;
}

static bool is_local(Scene *scene)
{
    bool exists;

    g_assert_true(virt_domain_exists(scene->agent.virt, UUID, &exists, NULL));
    return exists;
}

static guint allocations(Scene *scene)
{
    const FakeConsumer *consumer = g_hash_table_lookup(scene->cloud->consumers, UUID);

    return consumer != NULL ? consumer->amounts->len : 0;
}

/* The guest goes, and its files, which the other host does not see; what it has there stays. */
static void test_evacuated(void)
{
    g_autofree char *folder = NULL;
    g_autoptr(GHashTable) evacuated = NULL;
    g_autoptr(GError) error = NULL;
    Scene scene;

    scene_begin(&scene);
    evacuated_to(&scene, "other", "done");
    folder = make_local(&scene);
    scene.cloud->conflicts_to_come = 1;
    evacuated = recovery_destroy_evacuated(&scene.agent, scene.context, &error);
    g_assert_no_error(error);
    g_assert_true(g_hash_table_contains(evacuated, UUID));
    g_assert_cmpuint(scene.asked, ==, 1);
    g_assert_false(is_local(&scene));
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(allocations(&scene), ==, 1);
    g_assert_cmpstr(scene.saved->str, ==, "Migration.save status=completed; ");
    g_assert_nonnull(strstr(scene.filters->str, "\"source_compute\":\"h\""));
    g_assert_nonnull(strstr(scene.filters->str, "\"migration_type\":\"evacuation\""));
    g_assert_nonnull(strstr(scene.filters->str, "[\"accepted\",\"pre-migrating\",\"done\"]"));
    scene_end(&scene);
}

/* The other host is asked for a file that is there only meanwhile; without anybody to ask, or a folder, files are kept. */
static void test_shared_storage(void)
{
    Scene scene;

    scene_begin(&scene);
    g_assert_true(shared_storage_check(&scene.agent, scene.context, scene.instance, "other"));
    g_assert_cmpuint(scene.asked, ==, 0);
    g_free(make_local(&scene));
    g_assert_false(shared_storage_check(&scene.agent, scene.context, scene.instance, "other"));
    scene.shared = true;
    g_assert_true(shared_storage_check(&scene.agent, scene.context, scene.instance, "other"));
    g_assert_cmpuint(scene.asked, ==, 2);
    scene.shared = false;
    g_assert_true(shared_storage_check(&scene.agent, scene.context, scene.instance, "h"));
    g_assert_true(shared_storage_check(&scene.agent, scene.context, scene.instance, NULL));
    g_assert_cmpuint(scene.asked, ==, 2);
    g_autofree char *folder = g_build_filename(scene.folder, UUID, NULL);
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* the files are gone */
    scene_end(&scene);
}

/* Deleted there meanwhile: nothing of it is needed any more, and nothing is written. */
static void test_evacuated_and_deleted(void)
{
    g_autofree char *folder = NULL;
    g_autoptr(GHashTable) evacuated = NULL;
    Scene scene;

    scene_begin(&scene);
    evacuated_to(&scene, "other", "done");
    folder = make_local(&scene);
    g_clear_pointer(&scene.instance, nova_instance_unref);
    evacuated = recovery_destroy_evacuated(&scene.agent, scene.context, NULL);
    g_assert_true(g_hash_table_contains(evacuated, UUID));
    g_assert_false(is_local(&scene));
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    g_assert_cmpstr(scene.saved->str, ==, "");
    scene_end(&scene);
}

/* It has come back: it is this host's as any other. */
static void test_evacuated_and_back(void)
{
    g_autofree char *folder = NULL;
    g_autoptr(GHashTable) evacuated = NULL;
    Scene scene;

    scene_begin(&scene);
    evacuated_to(&scene, "h", "done");
    folder = make_local(&scene);
    evacuated = recovery_destroy_evacuated(&scene.agent, scene.context, NULL);
    g_assert_false(g_hash_table_contains(evacuated, UUID));
    g_assert_true(is_local(&scene) && g_file_test(folder, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(allocations(&scene), ==, 2);
    g_assert_cmpstr(scene.saved->str, ==, "Migration.save status=completed; ");
    scene_end(&scene);
}

static void test_conductor_away(void)
{
    g_autoptr(GError) error = NULL;
    Scene scene;

    scene_begin(&scene);
    scene.failing = true;
    g_assert_null(recovery_destroy_evacuated(&scene.agent, scene.context, &error));
    g_assert_true(agent_start_error_passes(error));
    scene_end(&scene);
}

static void test_nobody_builds_it(void)
{
    for (int handled = 0; handled < 2; handled++) {
        g_autoptr(GHashTable) set = g_hash_table_new(g_str_hash, g_str_equal);
        Scene scene;

        scene_begin(&scene);
        nova_instance_set_vm_state(scene.instance, "building");
        fake_cloud_allocate(scene.cloud, UUID, NODE_UUID, "VCPU", 1);
        if (handled == 1)
            g_hash_table_add(set, (gpointer)UUID);
        recovery_error_out_unclaimed(&scene.agent, scene.context, set);
        if (handled == 1) {
            g_assert_cmpstr(scene.saved->str, ==, "");
        } else {
            g_assert_cmpstr(scene.filters->str, !=, "");
            g_assert_true(g_str_has_prefix(scene.saved->str, "Instance.save vm_state=error; InstanceFault.create message=The compute service was restarted"));
        }
        scene_end(&scene);
    }
}

static void accept_before(Scene *scene)
{
    static const char text[] = "{\"context\":{\"_context_request_id\":\"req-1\"},\"args\":{\"clean_shutdown\":true,\"instance\":"
                               "{\"nova_object.data\":{\"host\":\"h\",\"vm_state\":\"active\"}}}}";
    g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new(UUID, "stop_instance", "req-1");

    entry->phase = AGENT_JOURNAL_QUEUED;
    entry->message_id = g_strdup("m1");
    entry->original_task_state = g_strdup("powering-off");
    g_assert_true(nd_json_parse(text, strlen(text), NULL, &entry->request, NULL));
    g_assert_true(agent_journal_begin(scene->agent.journal, entry, NULL));
}

static guint journaled(Scene *scene)
{
    g_autoptr(GPtrArray) entries = agent_journal_load(scene->agent.journal, NULL, NULL);

    return entries->len;
}

/* Dropped if the server has changed; kept for the next attempt if that cannot be known. */
static void test_accepted_before(void)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    Scene scene;

    scene_begin(&scene);
    accept_before(&scene);
    agent_accepted_ids(&scene.agent, ids);
    g_assert_cmpuint(ids->len, ==, 1);
    g_assert_cmpstr(ids->pdata[0], ==, "m1");
    scene.failing = true;
    g_assert_false(agent_accepted_resume(&scene.agent, scene.context, &error));
    g_assert_nonnull(error);
    g_assert_cmpuint(journaled(&scene), ==, 1);
    scene.failing = false;
    nova_instance_set_host(scene.instance, "h");
    nova_instance_set_vm_state(scene.instance, "active");
    nova_instance_set_task_state(scene.instance, "deleting");
    g_assert_true(agent_accepted_resume(&scene.agent, scene.context, NULL));
    g_assert_cmpuint(journaled(&scene), ==, 0);
    scene_end(&scene);
}

/* A build that was interrupted, of a server that was deleted since: what is here goes, if not at once then later. */
static void test_undone_later(void)
{
    g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new(UUID, "build_and_run_instance", "req-1");
    g_autofree char *folder = NULL;
    RecoveryJournal *journal;
    Scene scene;

    scene_begin(&scene);
    folder = make_local(&scene);
    g_clear_pointer(&scene.instance, nova_instance_unref);
    entry->phase = AGENT_JOURNAL_RUN;
    entry->step = g_strdup("spawn");
    g_assert_true(agent_journal_begin(scene.agent.journal, entry, NULL));
    scene.failing = true;
    for (int attempt = 0; attempt < 2; attempt++) { /* a start that is tried again finds it again */
        journal = recovery_journal_read(&scene.agent);
        g_assert_null(recovery_journal_interrupted(journal, UUID));
        recovery_journal_free(journal);
        g_assert_cmpuint(scene.agent.undo_later->len, ==, 1);
    }
    g_assert_true(is_local(&scene));
    recovery_undo_again(&scene.agent, scene.context);
    g_assert_cmpuint(scene.agent.undo_later->len, ==, 1);
    scene.failing = false;
    recovery_undo_again(&scene.agent, scene.context);
    g_assert_cmpuint(scene.agent.undo_later->len, ==, 0);
    g_assert_false(is_local(&scene));
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(journaled(&scene), ==, 0);
    g_ptr_array_unref(scene.agent.undo_later);
    scene_end(&scene);
}

static gpointer run_loop(gpointer loop)
{
    g_main_loop_run(loop);
    return NULL;
}

int main(int argc, char **argv)
{
    g_autoptr(GMainLoop) loop = NULL;
    GThread *thread;
    int status;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(virt_event_loop_register(NULL));
    loop = g_main_loop_new(NULL, FALSE);
    thread = g_thread_new("loop", run_loop, loop);
    g_test_add_func("/left-behind/evacuated", test_evacuated);
    g_test_add_func("/left-behind/shared-storage", test_shared_storage);
    g_test_add_func("/left-behind/evacuated-and-deleted", test_evacuated_and_deleted);
    g_test_add_func("/left-behind/evacuated-and-back", test_evacuated_and_back);
    g_test_add_func("/left-behind/conductor-away", test_conductor_away);
    g_test_add_func("/left-behind/nobody-builds-it", test_nobody_builds_it);
    g_test_add_func("/left-behind/accepted-before", test_accepted_before);
    g_test_add_func("/left-behind/undone-later", test_undone_later);
    status = g_test_run();
    g_main_loop_quit(loop);
    g_thread_join(thread);
    return status;
}
