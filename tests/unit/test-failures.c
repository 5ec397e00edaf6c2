/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/external_events.h"
#include "agent/guest.h"
#include "agent/journal.h"
#include "agent/method_args.h"
#include "agent/methods.h"
#include "agent/operation_backend.h"
#include "agent/operations.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/file.h"
#include "objects/objects.h"
#include "rest/glance.h"
#include "rest/neutron.h"
#include "rest/service.h"
#include "tests/unit/fake_cloud.h"
#include "tests/unit/rpc_fixture.h"
#include "virt/connection.h"
#include "virt/domain.h"

#include <string.h>

/* Operations with the engine, the tables and the backend of novad, libvirt's test driver, and a conductor whose every answer in turn is a failure: what is
 * in the database afterwards agrees with the guest, has no task state, an event that ended, and a fault. */

#define UUID "aaaaaaaa-3333-4333-8444-555555555555"
#define IMAGE "bbbbbbbb-3333-4333-8444-555555555555"

typedef struct {
    Agent agent;
    RpcFixture *fixture;
    RpcServer *conductor;
    FakeCloud *cloud;
    char *folder;
    GMutex lock;
    /* The conductor's, under the lock. */
    char *vm_state, *task_state;
    int calls, fails_at; /* the call with this number fails; -1 = none */
    char *failed;        /* what that was: "Instance.save" */
    int begun, ended, errors, faults, destroyed;
    char *metadata;      /* Instance.system_metadata as it was saved last; JSON */
    const OperationSpec *spec;    /* instead of the method's own, if not NULL */
    const char *shelved_image_id; /* the server's */
} Scene;

static void take(char **place, NdJson *data, NdJson *changes, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(changes); i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(changes, i)), name) != 0)
            continue;
        g_free(*place);
        *place = g_strdup(nd_json_string(data, name, NULL));
    }
}

/* [updates, value] */
static NdJson *object_answer(Scene *scene, NdJson *object, const char *method)
{
    NdJson *result = json_object_new_array(), *updates = json_object_new_object();
    NdJson *changes = nd_json_array(object, "nova_object.changes"), *data = nd_json_object(object, "nova_object.data");
    const char *name = nd_json_string(object, "nova_object.name", "");

    if (g_str_equal(name, "Instance") && g_str_equal(method, "save") && changes != NULL) {
        take(&scene->vm_state, data, changes, "vm_state");
        take(&scene->task_state, data, changes, "task_state");
        g_free(scene->metadata);
        scene->metadata = nd_json_to_string(nd_json_object(data, "system_metadata"));
    }
    scene->faults += g_str_equal(name, "InstanceFault");
    scene->destroyed += g_str_equal(name, "Instance") && g_str_equal(method, "destroy");
    nd_json_set(updates, "obj_what_changed", json_object_new_array());
    json_object_array_add(result, updates);
    json_object_array_add(result, NULL);
    return result;
}

static NdJson *class_answer(Scene *scene, NdJson *args, const char *class_name, const char *method)
{
    if (g_str_equal(class_name, "InstanceActionEvent")) {
        bool start = g_str_equal(method, "event_start");

        scene->begun += start;
        scene->ended += !start;
        scene->errors += !start && nd_json_string(nd_json_object(args, "kwargs"), "exc_val", NULL) != NULL;
        return NULL;
    }
    if (g_str_equal(class_name, "InstanceInfoCache")) {
        g_autoptr(NovaInstanceInfoCache) cache = nova_instance_info_cache_new();

        nova_instance_info_cache_set_instance_uuid(cache, UUID);
        nova_instance_info_cache_set_network_info(cache, "[]");
        return nova_object_to_json(cache, ND_RELEASE_ZED);
    }
    if (g_str_equal(class_name, "VirtualInterface") || g_str_equal(class_name, "ConsoleAuthToken"))
        return NULL;
    g_error("the conductor was asked for %s.%s", class_name, method);
}

static void conduct(RpcRequest *request, gpointer data)
{
    Scene *scene = data;
    NdJson *args = rpc_request_args(request), *object = nd_json_object(args, "objinst");
    const char *class_name = object != NULL ? nd_json_string(object, "nova_object.name", "") : nd_json_string(args, "objname", "");
    const char *method = nd_json_string(args, "objmethod", "");
    g_autoptr(RpcRequest) owned = request;
    g_autoptr(GError) error = NULL;
    NdJson *result = NULL;

    g_mutex_lock(&scene->lock);
    if (scene->calls++ == scene->fails_at) {
        scene->failed = g_strconcat(class_name, ".", method, NULL);
        rpc_error_set_remote(&error, "DBConnectionError", "oslo_db.exception", "away");
    } else {
        result = object != NULL ? object_answer(scene, object, method) : class_answer(scene, args, class_name, method);
    }
    g_mutex_unlock(&scene->lock);
    if (error != NULL)
        rpc_request_fail(request, error);
    else
        rpc_request_reply(request, result);
}

/* --- the scene --- */

static const RpcMethod conductor_methods[] = {
    {"object_action", (const char *const[]){"objinst", "objmethod", "args", "kwargs", NULL}},
    {"object_class_action_versions", (const char *const[]){"objname", "objmethod", "object_versions", "args", "kwargs", NULL}},
};
static const RpcEndpoint conductor_endpoint = {NULL, "3.0", conductor_methods, G_N_ELEMENTS(conductor_methods)};

static void start_conductor(Scene *scene)
{
    const char *topics[] = {"conductor", NULL};
    RpcServerOptions options = {.topics = topics, .server_name = "c", .service = "conductor", .endpoints = &conductor_endpoint, .n_endpoints = 1,
                                .dispatch = conduct, .user_data = scene};

    scene->conductor = rpc_server_new(scene->fixture->transport, &options, NULL);
    g_assert_true(scene->conductor != NULL && rpc_server_start(scene->conductor, 10, NULL));
}

static RestService *fake_service(Scene *scene, const char *type)
{
    g_autoptr(RestSession) session = fake_cloud_session();
    g_autoptr(KeystoneAuth) own = fake_cloud_keystone(scene->cloud, session);
    RestServiceOptions options = {.service_type = type, .version_path = strcmp(type, "image") == 0 ? "/v2" : NULL};

    return rest_service_new(session, own, &options);
}

/* Neutron and Glance are there, and answer 404 to everything. */
static void make_clients(Scene *scene)
{
    g_autoptr(RestService) network = fake_service(scene, "network"), image = fake_service(scene, "image");

    scene->agent.neutron = neutron_client_new(network, 600);
    scene->agent.glance = glance_client_new(image, 0);
}

/* A tracker that has no instance yet asks nobody but Placement. */
static const TrackerBackend no_backend = {0};

static void scene_begin(Scene *scene)
{
    Agent *agent = &scene->agent;
    g_autofree char *text = NULL, *journal = NULL;
    VirtConnectionOptions options;

    memset(scene, 0, sizeof *scene);
    methods_init();
    g_mutex_init(&scene->lock);
    scene->folder = g_dir_make_tmp("novad-failures-XXXXXX", NULL);
    scene->fixture = rpc_fixture_new(NULL);
    scene->cloud = fake_cloud_new();
    start_conductor(scene);
    text = g_strdup_printf("[DEFAULT]\nhost = h\nstate_path = %s\ninstances_path = %s\n[filter_scheduler]\ntrack_instance_changes = false\n",
                           scene->folder, scene->folder);
    journal = g_build_filename(scene->folder, "journal", NULL);
    agent->config = nd_config_new_from_text(text, NULL);
    g_assert_nonnull(agent->config);
    agent->host = g_strdup("h");
    agent->node = g_strdup("n");
    agent->client = rpc_client_new(scene->fixture->transport);
    agent->conductor = conductor_new(agent->client);
    make_clients(scene);
    agent->placement = fake_cloud_placement(scene->cloud);
    agent->tracker = tracker_new(agent->config, "h", "n", agent->placement, &no_backend, NULL, NULL);
    g_assert_nonnull(agent->tracker);
    agent->events = agent_events_new();
    agent->journal = agent_journal_open(journal, NULL);
    agent->operation_backend = &operation_backend;
    virt_connection_options_init(&options, "test:///default", "qemu");
    agent->virt = virt_connection_new(&options);
    virt_connection_options_clear(&options);
    g_assert_true(virt_connection_wait(agent->virt, 10000, NULL));
}

static void scene_end(Scene *scene)
{
    Agent *agent = &scene->agent;

    virt_connection_unref(agent->virt);
    agent_journal_free(agent->journal);
    neutron_client_unref(agent->neutron);
    glance_client_unref(agent->glance);
    tracker_free(agent->tracker);
    placement_client_unref(agent->placement);
    agent_events_free(agent->events);
    conductor_unref(agent->conductor);
    rpc_client_unref(agent->client);
    rpc_server_unref(scene->conductor);
    rpc_fixture_free(scene->fixture);
    fake_cloud_free(scene->cloud);
    nd_config_free(agent->config);
    g_free(agent->host);
    g_free(agent->node);
    g_assert_true(nd_tree_remove(scene->folder, NULL));
    g_free(scene->folder);
    g_free(scene->vm_state);
    g_free(scene->task_state);
    g_free(scene->failed);
    g_free(scene->metadata);
    g_mutex_clear(&scene->lock);
}

/* --- a server --- */

/* The guest that a vm_state stands for. */
static void make_guest(Scene *scene, const char *vm_state)
{
    const char *xml = "<domain type='test'><name>instance-1</name><uuid>" UUID "</uuid><memory>65536</memory><os><type>hvm</type></os></domain>";
    VirtConnection *virt = scene->agent.virt;

    virt_domain_destroy(virt, UUID, NULL);
    virt_domain_undefine(virt, UUID, false, false, NULL);
    g_assert_true(virt_domain_define(virt, xml, NULL));
    if (strcmp(vm_state, VM_STOPPED) == 0)
        return;
    g_assert_true(virt_domain_start(virt, UUID, false, NULL));
    if (strcmp(vm_state, VM_PAUSED) == 0)
        g_assert_true(virt_domain_suspend(virt, UUID, NULL));
    if (strcmp(vm_state, VM_SUSPENDED) == 0)
        g_assert_true(virt_domain_managed_save(virt, UUID, NULL));
}

static void check_guest(Scene *scene, const char *vm_state)
{
    static const struct {
        const char *vm_state;
        VirtPowerState power_state;
    } agreed[] = {
        {VM_ACTIVE, VIRT_POWER_RUNNING}, {VM_PAUSED, VIRT_POWER_PAUSED}, {VM_STOPPED, VIRT_POWER_SHUTDOWN}, {VM_SUSPENDED, VIRT_POWER_SHUTDOWN},
        {VM_SOFT_DELETED, VIRT_POWER_SHUTDOWN},
    };
    g_autoptr(VirtDomainInfo) info = virt_domain_get_info(scene->agent.virt, UUID, NULL);

    g_assert_nonnull(info);
    for (size_t i = 0; i < G_N_ELEMENTS(agreed); i++)
        if (strcmp(agreed[i].vm_state, vm_state) == 0)
            g_assert_cmpint(info->power_state, ==, agreed[i].power_state);
}

static guint journaled(Scene *scene)
{
    g_autoptr(GPtrArray) entries = agent_journal_load(scene->agent.journal, NULL, NULL);

    return entries->len;
}

#define OBJECT(name, version, data) "{\"nova_object.name\": \"" name "\", \"nova_object.namespace\": \"nova\", \"nova_object.version\": \"" version "\", " \
                                   "\"nova_object.data\": {" data "}}"

/* Those besides the instance. */
static NdJson *arguments_of(const char *method)
{
    static const struct {
        const char *method, *json;
    } arguments[] = {
        {"stop_instance", "{\"clean_shutdown\": false}"},
        {"shelve_instance", "{\"clean_shutdown\": false, \"image_id\": \"" IMAGE "\"}"},
        {"unshelve_instance", "{\"image\": {}, \"filter_properties\": null, \"node\": \"n\", \"request_spec\": " OBJECT("RequestSpec", "1.14", "") "}"},
        {"attach_interface", "{\"network_id\": \"n\", \"port_id\": null, \"requested_ip\": null}"},
        {"terminate_instance", "{\"bdms\": " OBJECT("BlockDeviceMappingList", "1.18", "\"objects\": []") "}"},
    };
    NdJson *json = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(arguments); i++)
        if (strcmp(arguments[i].method, method) == 0)
            g_assert_true(nd_json_parse(arguments[i].json, strlen(arguments[i].json), NULL, &json, NULL));
    return json != NULL ? json : json_object_new_object();
}

/* Runs the method on a server in `vm_state` with `task_state`; the conductor's call number `fails_at` fails. */
static bool run(Scene *scene, const char *method, const char *vm_state, const char *task_state, int fails_at)
{
    const MethodSpec *spec = methods_lookup(method);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(NovaInstance) instance = nova_instance_new();
    g_autoptr(NdJson) json = arguments_of(method);
    g_autoptr(GHashTable) metadata = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GError) error = NULL;
    MethodArgs *args;

    nova_instance_set_uuid(instance, UUID);
    nova_instance_set_host(instance, "h");
    nova_instance_set_project_id(instance, "p");
    nova_instance_set_vm_state(instance, vm_state);
    nova_instance_set_task_state(instance, task_state);
    if (scene->shelved_image_id != NULL)
        g_hash_table_insert(metadata, (gpointer) "shelved_image_id", (gpointer)scene->shelved_image_id);
    nova_instance_set_system_metadata(instance, metadata);
    nova_object_reset_changes(instance);
    nd_json_set(json, "instance", nova_object_to_json(instance, NOVA_UNCLAMPED));
    args = method_args_parse(methods_signature(spec), json, &error);
    g_assert_no_error(error);
    g_free(scene->vm_state);
    g_free(scene->task_state);
    g_clear_pointer(&scene->failed, g_free);
    scene->vm_state = g_strdup(vm_state);
    scene->task_state = g_strdup(task_state);
    scene->calls = scene->begun = scene->ended = scene->errors = scene->faults = scene->destroyed = 0;
    scene->fails_at = fails_at;
    g_autoptr(Operation) operation =
        operation_new(&scene->agent, scene->spec != NULL ? scene->spec : spec->operation, context, NULL, args, method_args_object(args, "instance"));
    return operation_run(operation, NULL);
}

/* --- every call fails --- */

static const struct {
    const char *method, *before, *task_state, *after;
} operations[] = {
    {"pause_instance", VM_ACTIVE, TASK_PAUSING, VM_PAUSED},
    {"unpause_instance", VM_PAUSED, TASK_UNPAUSING, VM_ACTIVE},
    {"suspend_instance", VM_ACTIVE, TASK_SUSPENDING, VM_SUSPENDED},
    {"stop_instance", VM_ACTIVE, TASK_POWERING_OFF, VM_STOPPED},
    {"soft_delete_instance", VM_ACTIVE, TASK_SOFT_DELETING, VM_SOFT_DELETED},
};

static void check_after_failure(Scene *scene, bool done)
{
    bool event_lost = g_str_equal(scene->failed, "InstanceActionEvent.event_finish_with_failure");

    g_test_message("%s failed: %s, vm_state %s", scene->failed, done ? "success" : "error", scene->vm_state);
    g_assert_cmpstr(scene->task_state, ==, NULL);
    check_guest(scene, scene->vm_state);
    g_assert_cmpint(scene->ended + event_lost, ==, scene->begun);
    g_assert_cmpint(scene->errors, ==, done || scene->begun == 0 ? 0 : 1);
    g_assert_cmpint(scene->faults, ==, done || scene->begun == 0 ? 0 : 1);
    g_assert_cmpuint(journaled(scene), ==, 0);
}

static void test_every_call(void)
{
    Scene scene;

    scene_begin(&scene);
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
        make_guest(&scene, operations[i].before);
        g_assert_true(run(&scene, operations[i].method, operations[i].before, operations[i].task_state, -1));
        g_assert_cmpstr(scene.vm_state, ==, operations[i].after);
        check_guest(&scene, operations[i].after);
        for (int n = scene.calls, call = 0; call < n; call++) {
            make_guest(&scene, operations[i].before);
            check_after_failure(&scene, run(&scene, operations[i].method, operations[i].before, operations[i].task_state, call));
        }
    }
    scene_end(&scene);
}

/* The operation with one of its steps only, and without what it does after a failure. */
static OperationSpec only(const OperationSpec *whole, const char *step)
{
    OperationSpec spec = *whole;

    for (guint i = 0; i < whole->n_steps; i++)
        if (strcmp(whole->steps[i].name, step) == 0)
            spec.steps = &whole->steps[i];
    spec.n_steps = 1;
    spec.on_failure = NULL;
    return spec;
}

static guint requests(Scene *scene, const char *text)
{
    guint n = 0;

    g_mutex_lock(&scene->cloud->lock);
    for (guint i = 0; i < scene->cloud->requests->len; i++)
        n += strcmp(scene->cloud->requests->pdata[i], text) == 0;
    g_mutex_unlock(&scene->cloud->lock);
    return n;
}

/* --- a delete --- */

#define PORT "cccccccc-3333-4333-8444-555555555555"
#define A_PORT "{\"id\": \"" PORT "\", \"network_id\": \"n\", \"mac_address\": \"fa:16:3e:00:00:01\", \"status\": \"ACTIVE\", \"binding:vif_type\": \"bridge\"}"
#define NODE_UUID "dddddddd-3333-4333-8444-555555555555"

/* A server with guest, files, a port and an allocation. */
static char *make_server(Scene *scene)
{
    char *folder = g_build_filename(scene->folder, UUID, NULL);

    make_guest(scene, VM_ACTIVE);
    g_assert_true(nd_dir_make(folder, 0755, NULL));
    fake_cloud_add_provider(scene->cloud, NODE_UUID, "n");
    g_hash_table_remove(scene->cloud->consumers, UUID);
    fake_cloud_allocate(scene->cloud, UUID, NODE_UUID, "VCPU", 1);
    fake_cloud_can(scene->cloud, "GET /network/ports?device_id=" UUID, 
                   "{\"ports\": [" A_PORT "]}");
    fake_cloud_can(scene->cloud, "DELETE /network/ports/" PORT, "204");
    return folder;
}

static void check_gone(Scene *scene, const char *folder)
{
    bool exists;

    g_assert_true(virt_domain_exists(scene->agent.virt, UUID, &exists, NULL));
    g_assert_false(exists);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    g_assert_null(g_hash_table_lookup(scene->cloud->consumers, UUID));
    g_assert_cmpint(scene->destroyed, ==, 1);
    g_assert_cmpuint(journaled(scene), ==, 0);
}

static bool terminate(Scene *scene, const char *vm_state, int fails_at)
{
    return run(scene, "terminate_instance", vm_state, TASK_DELETING, fails_at);
}

/* A server of which something could not be removed is in ERROR, and the next delete goes on. */
static void check_delete_again(Scene *scene, const char *folder)
{
    g_assert_cmpstr(scene->vm_state, ==, scene->begun > 0 ? VM_ERROR : VM_ACTIVE);
    g_assert_cmpstr(scene->task_state, ==, NULL);
    g_assert_cmpint(scene->destroyed, ==, 0);
    g_assert_cmpint(scene->errors, ==, scene->begun);
    g_assert_cmpint(scene->faults, ==, scene->begun);
    g_assert_true(terminate(scene, VM_ERROR, -1));
    check_gone(scene, folder);
}

static void test_delete(void)
{
    Scene scene;

    scene_begin(&scene);
    g_autofree char *folder = make_server(&scene);
    g_assert_true(terminate(&scene, VM_ACTIVE, -1));
    check_gone(&scene, folder);
    for (int n = scene.calls, call = 0; call < n; call++) {
        g_free(make_server(&scene));
        bool done = terminate(&scene, VM_ACTIVE, call);
        g_test_message("%s failed: %s", scene.failed, done ? "gone" : scene.vm_state);
        if (done)
            check_gone(&scene, folder);
        else
            check_delete_again(&scene, folder);
    }
    scene_end(&scene);
}

static void test_delete_without_neutron(void)
{
    Scene scene;

    scene_begin(&scene);
    g_autofree char *folder = make_server(&scene);
    fake_cloud_can(scene.cloud, "DELETE /network/ports/" PORT, "500");
    g_assert_false(terminate(&scene, VM_ACTIVE, -1));
    fake_cloud_can(scene.cloud, "DELETE /network/ports/" PORT, "204");
    check_delete_again(&scene, folder);
    scene_end(&scene);
}

/* --- an interface --- */

/* The port is made and bound, and then cannot be looked at for the info cache: it does not stay. */
static void test_attach_not_stored(void)
{
    OperationSpec allocate = only(&operation_attach_interface, "allocate");
    Scene scene;

    scene_begin(&scene);
    make_guest(&scene, VM_ACTIVE);
    scene.spec = &allocate;
    fake_cloud_can(scene.cloud, "GET /network/networks?id=n", "{\"networks\": [{\"id\": \"n\", \"name\": \"n\", \"subnets\": [\"s\"]}]}");
    fake_cloud_can(scene.cloud, "GET /network/extensions", "{\"extensions\": []}");
    fake_cloud_can(scene.cloud, "POST /network/ports", "{\"port\": " A_PORT "}");
    fake_cloud_can(scene.cloud, "PUT /network/ports/" PORT, "{\"port\": " A_PORT "}");
    fake_cloud_can(scene.cloud, "DELETE /network/ports/" PORT, "204");
    g_assert_false(run(&scene, "attach_interface", VM_ACTIVE, NULL, -1));
    g_assert_cmpuint(requests(&scene, "POST /network/ports"), ==, 1);
    g_assert_cmpuint(requests(&scene, "PUT /network/ports/" PORT), ==, 1);
    g_assert_cmpuint(requests(&scene, "DELETE /network/ports/" PORT), ==, 1);
    g_assert_cmpstr(scene.vm_state, ==, VM_ACTIVE);
    g_assert_cmpint(scene.errors, ==, 1);
    g_assert_cmpint(scene.faults, ==, 1);
    g_assert_cmpuint(journaled(&scene), ==, 0);
    scene_end(&scene);
}

/* --- libvirt fails --- */

static void test_libvirt(void)
{
    static const struct {
        const char *method, *guest, *vm_state, *task_state, *after;
    } cases[] = {
        /* reverts_task_state */
        {"pause_instance", VM_STOPPED, VM_ACTIVE, TASK_PAUSING, VM_ACTIVE},
        {"unpause_instance", VM_STOPPED, VM_PAUSED, TASK_UNPAUSING, VM_PAUSED},
        /* _error_out_instance_on_exception */
        {"suspend_instance", VM_STOPPED, VM_ACTIVE, TASK_SUSPENDING, VM_ERROR},
    };
    Scene scene;

    scene_begin(&scene);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        make_guest(&scene, cases[i].guest);
        g_assert_false(run(&scene, cases[i].method, cases[i].vm_state, cases[i].task_state, -1));
        g_assert_cmpstr(scene.vm_state, ==, cases[i].after);
        g_assert_cmpstr(scene.task_state, ==, NULL);
        g_assert_cmpint(scene.errors, ==, 1);
        g_assert_cmpint(scene.faults, ==, 1);
        g_assert_cmpuint(journaled(&scene), ==, 0);
    }
    scene_end(&scene);
}

/* A guest whose network cannot be asked for is not resumed, and no worse for it. */
static void test_neutron(void)
{
    Scene scene;

    scene_begin(&scene);
    make_guest(&scene, VM_SUSPENDED);
    g_assert_false(run(&scene, "resume_instance", VM_SUSPENDED, TASK_RESUMING, -1));
    g_assert_cmpstr(scene.vm_state, ==, VM_SUSPENDED);
    g_assert_cmpstr(scene.task_state, ==, NULL);
    check_guest(&scene, VM_SUSPENDED);
    g_assert_cmpint(scene.errors, ==, 1);
    g_assert_cmpint(scene.faults, ==, 1);
    /* no action of the API's: it has no event, but a fault */
    make_guest(&scene, VM_ACTIVE);
    g_assert_false(run(&scene, "inject_network_info", VM_ACTIVE, NULL, -1));
    g_assert_cmpstr(scene.vm_state, ==, VM_ACTIVE);
    g_assert_cmpint(scene.begun, ==, 0);
    g_assert_cmpint(scene.faults, ==, 1);
    scene_end(&scene);
}

/* --- shelved servers and their images --- */

/* The save at the end of an unshelve fails: what is saved by those who clean up does not say that it was unshelved. */
static void test_unshelve_not_saved(void)
{
    OperationSpec settle = only(&operation_unshelve_instance, "settle");
    Scene scene;

    scene_begin(&scene);
    make_guest(&scene, VM_ACTIVE);
    scene.spec = &settle;
    scene.shelved_image_id = IMAGE;
    g_assert_false(run(&scene, "unshelve_instance", VM_SHELVED_OFFLOADED, TASK_SPAWNING, 1));
    g_assert_cmpstr(scene.failed, ==, "Instance.save");
    g_assert_cmpstr(scene.vm_state, ==, VM_SHELVED_OFFLOADED);
    g_assert_cmpstr(scene.task_state, ==, NULL);
    g_assert_nonnull(strstr(scene.metadata, IMAGE));
    g_assert_true(run(&scene, "unshelve_instance", VM_SHELVED_OFFLOADED, TASK_SPAWNING, -1));
    g_assert_cmpstr(scene.vm_state, ==, VM_ACTIVE);
    g_assert_null(strstr(scene.metadata, IMAGE));
    scene_end(&scene);
}

/* A shelved server that is started needs its image no more; that it cannot be deleted is no failure. */
static void test_start_deletes_the_image(void)
{
    OperationSpec settle = only(&operation_start_instance, "settle");
    Scene scene;

    scene_begin(&scene);
    make_guest(&scene, VM_ACTIVE);
    scene.spec = &settle;
    g_assert_true(run(&scene, "start_instance", VM_STOPPED, TASK_POWERING_ON, -1));
    g_assert_cmpuint(requests(&scene, "DELETE /image/v2/images/" IMAGE), ==, 0);
    scene.shelved_image_id = IMAGE;
    g_assert_true(run(&scene, "start_instance", VM_SHELVED, TASK_POWERING_ON, -1));
    g_assert_cmpuint(requests(&scene, "DELETE /image/v2/images/" IMAGE), ==, 1);
    g_assert_cmpstr(scene.vm_state, ==, VM_ACTIVE);
    g_assert_null(strstr(scene.metadata, IMAGE));
    scene_end(&scene);
}

/* A server that could not be shelved is as it was, and the image that nova-api made for it goes. */
static void test_shelve_deletes_the_image(void)
{
    Scene scene;

    scene_begin(&scene);
    make_guest(&scene, VM_ACTIVE);
    g_assert_false(run(&scene, "shelve_instance", VM_ACTIVE, TASK_SHELVING, 1));
    g_assert_cmpstr(scene.vm_state, ==, VM_ACTIVE);
    g_assert_cmpstr(scene.task_state, ==, NULL);
    check_guest(&scene, VM_ACTIVE);
    g_assert_cmpuint(requests(&scene, "DELETE /image/v2/images/" IMAGE), ==, 1);
    g_assert_cmpint(scene.errors, ==, 1);
    g_assert_cmpint(scene.faults, ==, 1);
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
    g_test_add_func("/failures/every-call", test_every_call);
    g_test_add_func("/failures/delete", test_delete);
    g_test_add_func("/failures/delete-without-neutron", test_delete_without_neutron);
    g_test_add_func("/failures/attach-not-stored", test_attach_not_stored);
    g_test_add_func("/failures/libvirt", test_libvirt);
    g_test_add_func("/failures/neutron", test_neutron);
    g_test_add_func("/failures/unshelve-not-saved", test_unshelve_not_saved);
    g_test_add_func("/failures/start-deletes-the-image", test_start_deletes_the_image);
    g_test_add_func("/failures/shelve-deletes-the-image", test_shelve_deletes_the_image);
    status = g_test_run();
    g_main_loop_quit(loop);
    g_thread_join(thread);
    return status;
}
