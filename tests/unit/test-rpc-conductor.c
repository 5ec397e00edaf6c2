/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor.h"
#include "rpc/request.h"
#include "tests/unit/rpc_fixture.h"

#include <string.h>

/*
 * The typed calls, with a conductor of our own in the place of nova's: it notes each request and answers with an object of the class asked for. The notes
 * are compared with a golden file, which was checked against what nova-compute sent in a real cloud. tests/oracle/rpc.sh talks to the real one.
 */
typedef struct {
    RpcFixture *fixture;
    RpcServer *server, *scheduler;
    GMutex lock;
    GCond changed;
    GString *notes;
    int casts;
    char *answer; /* JSON text to answer the next call with, in place of the default */
    RpcClient *client;
    Conductor *conductor;
    RpcContext *context;
} Stand;

static const RpcMethod conductor_methods[] = {{"object_action", (const char *const[]){"objinst", "objmethod", "args", "kwargs", NULL}},
                                              {"object_class_action_versions",
                                               (const char *const[]){"objname", "objmethod", "object_versions", "args", "kwargs", NULL}}};
static const RpcMethod task_methods[] = {
    {"build_instances", (const char *const[]){"instances", "image", "filter_properties", "admin_password", "injected_files", "requested_networks",
                                              "security_groups", "request_spec", "host_lists", NULL}}};
static const RpcMethod scheduler_methods[] = {{"update_instance_info", (const char *const[]){"host_name", "instance_info", NULL}},
                                              {"delete_instance_info", (const char *const[]){"host_name", "instance_uuid", NULL}},
                                              {"sync_instance_info", (const char *const[]){"host_name", "instance_uuids", NULL}}};
static const RpcEndpoint conductor_endpoints[] = {{NULL, "3.0", conductor_methods, G_N_ELEMENTS(conductor_methods)},
                                                  {"compute_task", "1.24", task_methods, G_N_ELEMENTS(task_methods)}};
static const RpcEndpoint scheduler_endpoints[] = {{NULL, "4.5", scheduler_methods, G_N_ELEMENTS(scheduler_methods)}};

/* Whether a class method returns nothing, and what others return. */
static NdJson *default_answer(const char *class_name, const char *method)
{
    static const char *const nothing[] = {"event_start", "event_finish_with_failure", "action_start", "delete_by_instance_uuid",
                                          "clean_console_auths_for_instance", "clean_expired_console_auths", NULL};
    if (g_strv_contains(nothing, method))
        return NULL;
    if (g_str_equal(method, "get_minimum_version"))
        return json_object_new_int(64);
    if (g_str_equal(method, "get_uuids_by_host"))
        return nd_json_from_strv((const char *const[]){"u1", "u2", NULL});
    const NovaObjectSpec *spec = nova_spec_find(class_name);
    g_assert_nonnull(spec);
    g_autoptr(NovaObject) object = nova_object_new(spec);
    if (spec->is_list) {
        g_autoptr(GPtrArray) empty = g_ptr_array_new();
        nova_object_set_container(object, 0, empty);
    }
    nova_object_reset_changes(object);
    return nova_object_to_json(object, ND_RELEASE_ZED);
}

static void append(GString *notes, const char *name, NdJson *value)
{
    g_autofree char *text = nd_json_to_string(value);
    g_string_append_printf(notes, " %s=%s", name, text);
}

static void dispatch(RpcRequest *request, gpointer data)
{
    Stand *stand = data;
    NdJson *args = rpc_request_args(request), *object = nd_json_object(args, "objinst"), *result = NULL;
    const char *class_name = nd_json_string(object, "nova_object.name", nd_json_string(args, "objname", "")), *method = nd_json_string(args, "objmethod", "");
    g_mutex_lock(&stand->lock);
    g_string_append_printf(stand->notes, "%s %s %s.%s", rpc_request_method(request), rpc_request_version(request), class_name, method);
    if (object != NULL) {
        append(stand->notes, "data", nd_json_object(object, "nova_object.data"));
        append(stand->notes, "changes", nd_json_array(object, "nova_object.changes"));
        append(stand->notes, "args", nd_json_array(args, "args"));
        append(stand->notes, "kwargs", nd_json_object(args, "kwargs"));
        result = json_object_new_array();
        NdJson *updates = json_object_new_object();
        nd_json_set(updates, "obj_what_changed", json_object_new_array());
        json_object_array_add(result, updates);
        json_object_array_add(result, g_str_equal(method, "authorize") ? json_object_new_string("tok")
                                      : g_str_equal(method, "get_hosts") ? nd_json_from_strv((const char *const[]){"h1", NULL})
                                                                         : NULL);
    } else if (*method != '\0') {
        append(stand->notes, "args", nd_json_array(args, "args"));
        append(stand->notes, "kwargs", nd_json_object(args, "kwargs"));
        g_string_append_printf(stand->notes, " version=%s", nd_json_string(nd_json_object(args, "object_versions"), class_name, "none"));
        result = default_answer(class_name, method);
    } else {
        append(stand->notes, "args", args);
        stand->casts++;
        g_cond_broadcast(&stand->changed);
    }
    g_string_append_c(stand->notes, '\n');
    if (stand->answer != NULL) {
        json_object_put(result);
        result = NULL;
        g_assert_true(nd_json_parse(stand->answer, strlen(stand->answer), NULL, &result, NULL));
        g_clear_pointer(&stand->answer, g_free);
    }
    g_mutex_unlock(&stand->lock);
    rpc_request_reply(request, result);
    rpc_request_unref(request);
}

static RpcServer *serve(Stand *stand, const char *topic, const RpcEndpoint *endpoints, size_t count)
{
    const char *topics[] = {topic, NULL};
    RpcServerOptions options = {.topics = topics, .server_name = "c", .service = topic, .endpoints = endpoints, .n_endpoints = count,
                                .dispatch = dispatch, .user_data = stand};
    g_autoptr(GError) error = NULL;
    RpcServer *server = rpc_server_new(stand->fixture->transport, &options, &error);
    g_assert_true(server != NULL && rpc_server_start(server, 10, &error));
    return server;
}

static Stand *stand_new(void)
{
    Stand *stand = g_new0(Stand, 1);
    g_mutex_init(&stand->lock);
    g_cond_init(&stand->changed);
    stand->notes = g_string_new(NULL);
    stand->fixture = rpc_fixture_new(NULL);
    stand->server = serve(stand, "conductor", conductor_endpoints, G_N_ELEMENTS(conductor_endpoints));
    stand->scheduler = serve(stand, "scheduler", scheduler_endpoints, G_N_ELEMENTS(scheduler_endpoints));
    stand->client = rpc_client_new(stand->fixture->transport);
    stand->conductor = conductor_new(stand->client);
    stand->context = rpc_context_new_admin(NULL);
    return stand;
}

static void stand_free(Stand *stand)
{
    conductor_unref(stand->conductor);
    rpc_client_unref(stand->client);
    rpc_context_unref(stand->context);
    rpc_server_unref(stand->server);
    rpc_server_unref(stand->scheduler);
    rpc_fixture_free(stand->fixture);
    g_string_free(stand->notes, TRUE);
    g_free(stand->answer);
    g_mutex_clear(&stand->lock);
    g_cond_clear(&stand->changed);
    g_free(stand);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stand, stand_free)

static void answer_next(Stand *stand, const char *json)
{
    g_mutex_lock(&stand->lock);
    g_free(stand->answer);
    stand->answer = g_strdup(json);
    g_mutex_unlock(&stand->lock);
}

/* Calls that return an object: it must be there; it is dropped. */
#define GETS(type, call) \
    do { \
        g_autoptr(type) got = (call); \
        g_assert_no_error(error); \
        g_assert_nonnull(got); \
    } while (0)
#define DOES(call) \
    do { \
        bool good = (call); \
        g_assert_no_error(error); \
        g_assert_true(good); \
    } while (0)
#define C stand->conductor, stand->context

static void call_instances(Stand *stand)
{
    g_autoptr(GError) error = NULL;
    static const char *const attrs[] = {"info_cache", "metadata", NULL}, *const none[] = {NULL};
    g_autoptr(NovaInstance) instance = nova_instance_new();
    nova_instance_set_id(instance, 7);
    nova_instance_set_uuid(instance, "u1");
    nova_instance_set_host(instance, "h");
    nova_object_reset_changes(instance);
    /* Nothing to say: no message. */
    DOES(conductor_instance_save(C, instance, NULL, &error));
    nova_instance_set_task_state(instance, "spawning");
    DOES(conductor_instance_save(C, instance, (const char *const[]){"scheduling", "", NULL}, &error));
    nova_instance_set_vm_state(instance, "active");
    DOES(conductor_instance_save_full(C, instance, none, (const char *const[]){"stopped", NULL}, true, &error));
    DOES(conductor_instance_refresh(C, instance, &error));
    DOES(conductor_instance_drop_migration_context(C, instance, &error));
    DOES(conductor_instance_destroy(C, instance, &error));
    GETS(NovaInstance, conductor_instance_get_by_uuid(C, "u1", attrs, &error));
    GETS(NovaInstance, conductor_instance_get_by_uuid(C, "u1", NULL, &error));
    GETS(NovaInstanceList, conductor_instance_list_by_host(C, "h", none, true, &error));
    GETS(NovaInstanceList, conductor_instance_list_by_host_and_node(C, "h", "n", attrs, &error));
    NdJson *filters = json_object_new_object();
    nd_json_set_bool(filters, "deleted", true);
    GETS(NovaInstanceList, conductor_instance_list_by_filters(C, filters, none, true, &error));
    g_auto(GStrv) uuids = conductor_instance_uuids_by_host(C, "h", &error);
    g_assert_cmpuint(g_strv_length(uuids), ==, 2);
    GETS(NovaEC2Ids, conductor_ec2_ids_get(C, instance, &error));
    GETS(NovaTagList, conductor_tag_list(C, "u1", &error));
    GETS(NovaKeyPairList, conductor_key_pair_list(C, "u1", &error));
    g_autoptr(NovaObject) topology = NULL;
    DOES(conductor_get_by_instance_uuid(C, "InstanceNUMATopology", "u1", &topology, &error));
    g_autoptr(NovaInstanceInfoCache) cache = conductor_info_cache_get(C, "u1", &error);
    nova_instance_info_cache_set_instance_uuid(cache, "u1");
    nova_instance_info_cache_set_network_info(cache, "[]");
    DOES(conductor_info_cache_save(C, cache, &error));
    DOES(conductor_info_cache_refresh(C, cache, &error));
}

static void call_actions(Stand *stand)
{
    g_autoptr(GError) error = NULL;
    DOES(conductor_action_event_start(C, "u1", "compute__do_build_and_run_instance", "h", &error));
    DOES(conductor_action_event_finish(C, "u1", "compute__do_build_and_run_instance", NULL, NULL, &error));
    DOES(conductor_action_event_finish(C, "u1", "compute_stop_instance", "value", "traceback", &error));
    DOES(conductor_action_start(C, "u1", "stop", &error));
    DOES(conductor_instance_fault_create(C, "u1", "h", 500, "short", NULL, &error));
    /* Cut at a character, not inside it. */
    g_autofree char *accents = g_strnfill(254, 'a');
    g_autofree char *text = g_strconcat(accents, "\xc3\xa9", NULL);
    DOES(conductor_instance_fault_create(C, "u1", "h", 404, text, "details", &error));
}

static void call_volumes_and_migrations(Stand *stand)
{
    g_autoptr(GError) error = NULL;
    GETS(NovaBlockDeviceMappingList, conductor_bdm_list(C, "u1", &error));
    GETS(NovaBlockDeviceMappingList, conductor_bdm_list_multi(C, (const char *const[]){"u1", "u2", NULL}, &error));
    g_autoptr(NovaBlockDeviceMapping) bdm = conductor_bdm_get_by_volume(C, "v", "u1", &error);
    nova_block_device_mapping_set_id(bdm, 3);
    nova_object_reset_changes(bdm);
    nova_block_device_mapping_set_device_name(bdm, "/dev/vda");
    DOES(conductor_bdm_save(C, bdm, &error));
    DOES(conductor_bdm_create(C, bdm, &error));
    DOES(conductor_bdm_destroy(C, bdm, &error));
    g_autoptr(NovaMigration) migration = conductor_migration_get_by_id(C, 4, &error);
    nova_migration_set_id(migration, 4);
    nova_object_reset_changes(migration);
    nova_migration_set_status(migration, "error");
    DOES(conductor_migration_save(C, migration, &error));
    DOES(conductor_migration_create(C, migration, &error));
    GETS(NovaMigration, conductor_migration_get_by_id_and_instance(C, 4, "u1", &error));
    GETS(NovaMigration, conductor_migration_get_by_instance_and_status(C, "u1", "running", &error));
    GETS(NovaMigrationList, conductor_migration_list_in_progress_and_error(C, "h", "n", &error));
    GETS(NovaMigrationList, conductor_migration_list_in_progress(C, "h", "n", &error));
    NdJson *filters = json_object_new_object();
    nd_json_set_string(filters, "host", "h");
    GETS(NovaMigrationList, conductor_migration_list_by_filters(C, filters, &error));
    GETS(NovaMigrationContext, conductor_migration_context_get(C, "u1", &error));
}

static void call_services(Stand *stand)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaService) service = NULL;
    gint64 version = 0;
    DOES(conductor_ping(stand->conductor, 5, &error));
    DOES(conductor_service_get(C, "h", "nova-compute", &service, &error));
    nova_service_set_id(service, 5);
    nova_object_reset_changes(service);
    nova_service_set_report_count(service, 9);
    DOES(conductor_service_save(C, service, &error));
    DOES(conductor_service_create(C, service, &error));
    GETS(NovaService, conductor_service_get_by_compute_host(C, "h", &error));
    DOES(conductor_service_minimum_version(C, "nova-compute", &version, &error));
    g_assert_cmpint(version, ==, 64);
    DOES(conductor_detect_version(C, 60, &version, &error));
    g_assert_cmpint(version, ==, 0);
    g_autoptr(NovaComputeNode) node = conductor_compute_node_get(C, "h", "n", &error);
    nova_compute_node_set_id(node, 1);
    nova_compute_node_set_vcpus(node, 2);
    DOES(conductor_compute_node_save(C, node, &error));
    DOES(conductor_compute_node_create(C, node, &error));
    DOES(conductor_compute_node_destroy(C, node, &error));
    GETS(NovaComputeNode, conductor_compute_node_get_by_uuid(C, "nu", &error));
    GETS(NovaComputeNodeList, conductor_compute_node_list_by_host(C, "h", &error));
    GETS(NovaComputeNodeList, conductor_compute_node_list_by_uuids(C, (const char *const[]){"nu", NULL}, &error));
}

static void call_devices(Stand *stand)
{
    g_autoptr(GError) error = NULL;
    GETS(NovaPciDeviceList, conductor_pci_list_by_compute_node(C, 1, &error));
    GETS(NovaPciDeviceList, conductor_pci_list_by_instance(C, "u1", &error));
    g_autoptr(NovaVirtualInterface) vif = NULL;
    DOES(conductor_vif_get_by_uuid(C, "p", &vif, &error));
    nova_virtual_interface_set_uuid(vif, "p");
    DOES(conductor_vif_create(C, vif, &error));
    DOES(conductor_vif_destroy(C, vif, &error));
    DOES(conductor_vif_delete_by_instance(C, "u1", &error));
    GETS(NovaVirtualInterfaceList, conductor_vif_list(C, "u1", &error));
    g_autoptr(NovaConsoleAuthToken) token = nova_console_auth_token_new();
    nova_console_auth_token_set_host(token, "h");
    g_autofree char *text = NULL;
    DOES(conductor_console_token_authorize(C, token, 600, &text, &error));
    g_assert_cmpstr(text, ==, "tok");
    DOES(conductor_console_tokens_clean(C, "u1", &error));
    DOES(conductor_console_tokens_clean_expired(C, &error));
    g_autoptr(NovaInstanceGroup) group = conductor_group_get_by_instance(C, "u1", &error);
    GETS(NovaInstanceGroup, conductor_group_get_by_hint(C, "name", &error));
    GETS(NovaInstanceGroup, conductor_group_get_by_hint(C, "0a1b2c3d-0000-4000-8000-000000000000", &error));
    nova_instance_group_set_uuid(group, "g");
    g_auto(GStrv) hosts = conductor_group_hosts(C, group, (const char *const[]){"u1", NULL}, &error);
    g_assert_cmpstr(hosts[0], ==, "h1");
}

/* The casts come through two servers' threads: waiting keeps the notes in order. */
static void wait_casts(Stand *stand, int count)
{
    gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    g_mutex_lock(&stand->lock);
    while (stand->casts < count && g_cond_wait_until(&stand->changed, &stand->lock, until)) {
    }
    g_assert_cmpint(stand->casts, ==, count);
    g_mutex_unlock(&stand->lock);
}

static void call_tasks(Stand *stand)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance = nova_instance_new();
    nova_instance_set_uuid(instance, "u1");
    ConductorRebuild rebuild = {.instance = instance, .image = json_object_new_object(), .security_groups = json_object_new_array(),
                                .host_list = json_object_new_array()};
    DOES(conductor_build_instances(C, &rebuild, &error));
    wait_casts(stand, 1);
    g_autoptr(NovaInstanceList) list = nova_instance_list_new();
    nova_object_list_append(list, instance);
    conductor_scheduler_update_instances(C, "h", list);
    conductor_scheduler_delete_instance(C, "h", "u1");
    conductor_scheduler_sync_instances(C, "h", (const char *const[]){"u1", NULL});
    g_assert_true(rpc_transport_flush(stand->fixture->transport, 10));
    wait_casts(stand, 4);
}

static void call_audits(Stand *stand)
{
    static const char *const attrs[] = {"system_metadata", "flavor", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaTaskLog) before = NULL, log = nova_task_log_new();
    gint64 begin = 1800000000LL * G_USEC_PER_SEC, end = begin + 3600LL * G_USEC_PER_SEC;
    DOES(conductor_task_log_get(C, "instance_usage_audit", begin, end, "h", &before, &error));
    g_assert_nonnull(before);
    g_clear_pointer(&before, nova_task_log_unref);
    answer_next(stand, "null");
    DOES(conductor_task_log_get(C, "instance_usage_audit", begin, end, "h", &before, &error));
    g_assert_null(before);
    GETS(NovaInstanceList, conductor_instance_list_active(C, begin, end, "h", attrs, &error));
    nova_task_log_set_task_name(log, "instance_usage_audit");
    nova_task_log_set_period_beginning(log, begin);
    nova_task_log_set_period_ending(log, end);
    nova_task_log_set_host(log, "h");
    nova_task_log_set_task_items(log, 2);
    nova_task_log_set_message(log, "started");
    DOES(conductor_task_log_begin(C, log, &error));
    nova_task_log_set_errors(log, 0);
    nova_task_log_set_message(log, "ran");
    DOES(conductor_task_log_end(C, log, &error));
}

static void test_calls(void)
{
    g_autoptr(Stand) stand = stand_new();
    call_instances(stand);
    call_actions(stand);
    call_volumes_and_migrations(stand);
    call_services(stand);
    call_devices(stand);
    call_audits(stand);
    call_tasks(stand);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "golden", "rpc", "conductor.txt", NULL);
    if (g_getenv("NOVAD_REGENERATE") != NULL)
        g_assert_true(g_file_set_contents(path, stand->notes->str, -1, NULL));
    g_autofree char *wanted = NULL;
    g_assert_true(g_file_get_contents(path, &wanted, NULL, NULL));
    g_auto(GStrv) want = g_strsplit(wanted, "\n", -1);
    g_auto(GStrv) got = g_strsplit(stand->notes->str, "\n", -1);
    for (guint i = 0; want[i] != NULL || got[i] != NULL; i++)
        g_assert_cmpstr(got[i], ==, want[i]);
}

/* Answers that no conductor should give. */
static void test_lies(void)
{
    g_autoptr(Stand) stand = stand_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance = nova_instance_new();
    nova_instance_set_uuid(instance, "u1");
    static const char *const pairs[] = {"null", "[]", "[1,2]", "[{},2,3]", "{}", "[{\"task_state\":[]},null]"};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        answer_next(stand, pairs[i]);
        g_assert_false(conductor_instance_refresh(C, instance, &error));
        g_assert_nonnull(error);
        g_assert_true(nova_object_changed(instance, NOVA_INSTANCE_UUID));
        g_clear_error(&error);
    }
    static const char *const objects[] = {"null", "5", "{}", "{\"nova_object.name\":\"Service\",\"nova_object.namespace\":\"nova\","
                                          "\"nova_object.version\":\"1.22\",\"nova_object.data\":{}}"};
    for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
        answer_next(stand, objects[i]);
        g_assert_null(conductor_instance_get_by_uuid(C, "u1", NULL, &error));
        g_assert_nonnull(error);
        g_clear_error(&error);
    }
    gint64 version;
    answer_next(stand, "\"64\"");
    g_assert_false(conductor_service_minimum_version(C, "nova-compute", &version, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_MESSAGE);
    g_clear_error(&error);
    answer_next(stand, "{}");
    g_assert_null(conductor_instance_uuids_by_host(C, "h", &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_MESSAGE);
    g_clear_error(&error);
    answer_next(stand, "[1]");
    g_assert_null(conductor_instance_uuids_by_host(C, "h", &error));
    g_clear_error(&error);
    g_autoptr(NovaConsoleAuthToken) token = nova_console_auth_token_new();
    g_autofree char *text = NULL;
    answer_next(stand, "[{\"obj_what_changed\":[]},null]");
    g_assert_false(conductor_console_token_authorize(C, token, 1, &text, &error));
    g_clear_error(&error);
    answer_next(stand, "null");
    g_autoptr(NovaService) none = NULL;
    g_assert_true(conductor_service_get(C, "h", "nova-compute", &none, &error));
    g_assert_null(none);
    g_assert_false(conductor_class_action(C, "NoSuchClass", "get", NULL, NULL, NULL, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
}

static void test_updates(void)
{
    g_autoptr(Stand) stand = stand_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance = nova_instance_new();
    nova_instance_set_uuid(instance, "u1");
    nova_instance_set_task_state(instance, "spawning");
    answer_next(stand, "[{\"task_state\":\"deleting\",\"vm_state\":\"active\",\"no_such_field\":1,\"obj_what_changed\":[]},null]");
    g_assert_true(conductor_instance_save(C, instance, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(instance->task_state, ==, "deleting");
    g_assert_cmpstr(instance->vm_state, ==, "active");
    g_assert_false(nova_object_has_changes(instance));
}

static void add_service(GString *list, gint64 version, const char *seen, bool down)
{
    g_string_append_printf(list, "%s{\"nova_object.name\":\"Service\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.22\","
                                 "\"nova_object.data\":{\"version\":%" G_GINT64_FORMAT ",\"last_seen_up\":\"%s\",\"forced_down\":%s}}",
                           list->len > 0 ? "," : "", version, seen, down ? "true" : "false");
}

static gint64 detect(Stand *stand, GString *list)
{
    g_autofree char *text = g_strdup_printf("{\"nova_object.name\":\"ServiceList\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.19\","
                                            "\"nova_object.data\":{\"objects\":[%s]}}",
                                            list->str);
    answer_next(stand, text);
    gint64 version = -1;
    g_autoptr(GError) error = NULL;
    conductor_detect_version(C, 60, &version, &error);
    g_assert_no_error(error);
    return version;
}

static void test_detect(void)
{
    g_autoptr(Stand) stand = stand_new();
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *fresh = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    GString *list = g_string_new(NULL);
    g_assert_cmpint(detect(stand, list), ==, 0);
    add_service(list, 66, "2020-01-01T00:00:00Z", false);
    add_service(list, 64, "2020-01-01T00:00:00Z", false);
    g_assert_cmpint(detect(stand, list), ==, 64);
    add_service(list, 70, fresh, false);
    add_service(list, 68, fresh, false);
    add_service(list, 61, fresh, true);
    g_assert_cmpint(detect(stand, list), ==, 68);
    g_string_free(list, TRUE);
    static const struct {
        gint64 version;
        int release;
    } cases[] = {{0, -1}, {63, -1}, {64, ND_RELEASE_ZED}, {65, ND_RELEASE_2023_1}, {66, ND_RELEASE_2023_1}, {67, ND_RELEASE_2024_1},
                 {68, ND_RELEASE_2025_1}, {69, ND_RELEASE_2025_2}, {70, ND_RELEASE_2025_2}, {72, ND_RELEASE_2026_1}, {73, ND_RELEASE_2026_1}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        NdRelease release = ND_RELEASE_ZED;
        g_assert_cmpint(conductor_release_of_version(cases[i].version, &release), ==, cases[i].release >= 0);
        if (cases[i].release >= 0)
            g_assert_cmpint((int)release, ==, cases[i].release);
    }
    conductor_set_release(stand->conductor, ND_RELEASE_2025_1);
    g_assert_cmpint((int)conductor_release(stand->conductor), ==, ND_RELEASE_2025_1);
    g_autoptr(Conductor) same = conductor_ref(stand->conductor);
    g_assert_true(conductor_client(same) == stand->client);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/conductor/calls", test_calls);
    g_test_add_func("/rpc/conductor/lies", test_lies);
    g_test_add_func("/rpc/conductor/updates", test_updates);
    g_test_add_func("/rpc/conductor/detect", test_detect);
    return g_test_run();
}
