/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/image_cache_manager.h"
#include "agent/lanes.h"
#include "agent/methods.h"
#include "agent/operation_backend.h"
#include "agent/operations.h"
#include "base/file.h"
#include "base/time.h"
#include "objects/objects.h"
#include "rest/from_config.h"
#include "tests/unit/fake_cloud.h"
#include "tests/unit/rpc_fixture.h"
#include "virt/image_blank.h"
#include "virt/image_cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The periodic task of the image cache and cache_images, with a conductor of our own on a fake broker, a fake Glance, and real files. */

#define IMAGE "70a599e0-31e7-49b7-b260-868f441e862b"
#define OTHER "155d900f-4e14-4e4c-a73d-069cbf4541e6"
#define KERNEL "a2459075-d96c-40d5-893e-577ff92e721c"
#define UUID "aaaaaaaa-2222-4333-8444-555555555555"
#define DAY 86400

typedef struct {
    Agent agent;
    RpcFixture *fixture;
    RpcServer *conductor;
    FakeCloud *cloud;
    RpcContext *context;
    VirtImageCache cache;
    char *folder;
    bool failing;      /* the conductor answers with an error */
    bool with_server;  /* it has a server of IMAGE and KERNEL with swap and ephemeral disks */
    GMutex lock;
    NdJson *filters;   /* of the last list */
    guint mappings_asked;
} Scene;

static NdJson *list_json(const NovaObjectSpec *spec, GPtrArray *objects)
{
    g_autoptr(NovaObject) list = nova_object_new(spec);

    nova_object_set_container(list, 0, objects);
    nova_object_reset_changes(list);
    return nova_object_to_json(list, ND_RELEASE_ZED);
}

static NdJson *servers(Scene *scene)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new();
    g_autoptr(NovaInstance) instance = nova_instance_new();

    nova_instance_set_uuid(instance, UUID);
    nova_instance_set_image_ref(instance, IMAGE);
    nova_instance_set_kernel_id(instance, KERNEL);
    nova_object_set_null(instance, NOVA_INSTANCE_RAMDISK_ID);
    nova_instance_set_ephemeral_gb(instance, 3);
    nova_object_reset_changes(instance);
    if (scene->with_server)
        g_ptr_array_add(objects, instance);
    return list_json(&nova_instance_list_spec, objects);
}

static NovaBlockDeviceMapping *blank_mapping(const char *guest_format, gint64 size)
{
    NovaBlockDeviceMapping *mapping = nova_block_device_mapping_new();

    nova_block_device_mapping_set_instance_uuid(mapping, UUID);
    nova_block_device_mapping_set_source_type(mapping, "blank");
    nova_block_device_mapping_set_destination_type(mapping, "local");
    nova_block_device_mapping_set_guest_format(mapping, guest_format);
    nova_block_device_mapping_set_volume_size(mapping, size);
    nova_object_reset_changes(mapping);
    return mapping;
}

static NdJson *mappings(void)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new();
    g_autoptr(NovaBlockDeviceMapping) swap = blank_mapping("swap", 64), first = blank_mapping(NULL, 1), second = blank_mapping(NULL, 2);

    g_ptr_array_add(objects, swap);
    g_ptr_array_add(objects, first);
    g_ptr_array_add(objects, second);
    return list_json(&nova_block_device_mapping_list_spec, objects);
}

static void conduct(RpcRequest *request, gpointer user_data)
{
    Scene *scene = user_data;
    g_autoptr(RpcRequest) owned = request;
    g_autoptr(GError) error = NULL;
    NdJson *args = rpc_request_args(request), *result = NULL;
    const char *class_name = nd_json_string(args, "objname", "");

    g_mutex_lock(&scene->lock);
    if (scene->failing) {
        rpc_error_set_remote(&error, "DBConnectionError", "oslo_db.exception", "away");
    } else if (g_str_equal(class_name, "InstanceList")) {
        json_object_put(scene->filters);
        scene->filters = json_object_get(json_object_array_get_idx(nd_json_array(args, "args"), 0));
        result = servers(scene);
    } else if (g_str_equal(class_name, "BlockDeviceMappingList")) {
        scene->mappings_asked++;
        result = mappings();
    } else {
        g_error("the conductor was asked for %s", class_name);
    }
    g_mutex_unlock(&scene->lock);
    if (error != NULL)
        rpc_request_fail(request, error);
    else
        rpc_request_reply(request, result);
}

static const RpcMethod methods[] = {
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

static void make_agent(Scene *scene, const char *more)
{
    Agent *agent = &scene->agent;
    g_autofree char *text = g_strdup_printf("[DEFAULT]\nhost = h\ninstances_path = %s\n[glance]\napi_servers = %s/image/\n[image_cache]\n%s", scene->folder,
                                            fake_http_url(scene->cloud->server), more);
    g_autoptr(GError) error = NULL;

    agent->config = nd_config_new_from_text(text, &error);
    g_assert_no_error(error);
    agent->host = (char *)"h";
    agent->client = rpc_client_new(scene->fixture->transport);
    agent->conductor = conductor_new(agent->client);
    agent->glance = glance_client_from_config(agent->config, &error);
    g_assert_no_error(error);
    scene->cache = (VirtImageCache){.instances_path = scene->folder, .subdirectory = (char *)"_base", .force_raw_images = true};
    agent->image_cache = &scene->cache;
    agent->lanes = agent_lanes_new(1, 1);
}

static void begin(Scene *scene, const char *more)
{
    g_autofree char *base = NULL;

    memset(scene, 0, sizeof *scene);
    methods_init();
    g_mutex_init(&scene->lock);
    scene->folder = g_dir_make_tmp("novad-cache-manager-XXXXXX", NULL);
    base = g_build_filename(scene->folder, "_base", NULL);
    g_assert_true(nd_dir_make(base, 0755, NULL));
    scene->fixture = rpc_fixture_new(NULL);
    scene->conductor = serve(scene);
    scene->cloud = fake_cloud_new();
    scene->context = rpc_context_new_admin(NULL);
    make_agent(scene, more);
}

static void end(Scene *scene)
{
    Agent *agent = &scene->agent;

    agent_lanes_stop(agent->lanes, -1);
    agent_lanes_free(agent->lanes);
    glance_client_unref(agent->glance);
    conductor_unref(agent->conductor);
    rpc_client_unref(agent->client);
    rpc_server_unref(scene->conductor);
    rpc_fixture_free(scene->fixture);
    fake_cloud_free(scene->cloud);
    rpc_context_unref(scene->context);
    nd_config_free(agent->config);
    json_object_put(scene->filters);
    g_assert_true(nd_tree_remove(scene->folder, NULL));
    g_free(scene->folder);
    g_mutex_clear(&scene->lock);
}

static char *in_base(Scene *scene, const char *name)
{
    return g_build_filename(scene->folder, "_base", name, NULL);
}

static void put(Scene *scene, const char *name, gint64 age_s)
{
    g_autofree char *path = in_base(scene, name);
    gint64 then = nd_time_now() / G_USEC_PER_SEC - age_s;
    struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};

    g_assert_true(g_file_set_contents(path, "data", 4, NULL));
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static bool is_there(Scene *scene, const char *name)
{
    g_autofree char *path = in_base(scene, name);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* --- the periodic task --- */

static void test_pass(void)
{
    g_autofree char *used = virt_image_cache_name(IMAGE), *kernel = virt_image_cache_name(KERNEL), *unused = virt_image_cache_name(OTHER);
    Scene scene;

    begin(&scene, "");
    g_autofree char *nodes = g_build_filename(scene.folder, "compute_nodes", NULL);
    g_autofree char *text = g_strdup_printf("{\"peer\": %" G_GINT64_FORMAT ", \"gone\": 1000}", nd_time_now() / G_USEC_PER_SEC - 60);
    g_assert_true(g_file_set_contents(nodes, text, -1, NULL));
    scene.with_server = true;
    put(&scene, used, 9 * DAY);
    put(&scene, kernel, 9 * DAY);
    put(&scene, unused, 9 * DAY);
    put(&scene, "swap_96", 9 * DAY);
    put(&scene, "ephemeral_4_40d1d2c", 9 * DAY);
    put(&scene, "swap_64", 9 * DAY);
    image_cache_manager_pass(&scene.agent, scene.context);
    g_assert_true(is_there(&scene, used) && is_there(&scene, kernel) && is_there(&scene, "swap_64"));
    g_assert_false(is_there(&scene, unused) || is_there(&scene, "swap_96") || is_there(&scene, "ephemeral_4_40d1d2c"));
    /* All hosts that were seen lately, this one too; soft-deleted servers count. */
    g_autofree char *filters = nd_json_to_string(scene.filters);
    g_assert_cmpstr(filters, ==, "{\"deleted\":false,\"soft_deleted\":true,\"host\":[\"peer\",\"h\"]}");
    end(&scene);
}

/* Names as novad itself gives them. */
static void test_ephemerals(void)
{
    static const char *const formats[] = {"", "default_ephemeral_format = ext3\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autofree char *more = g_strconcat("[DEFAULT]\n", formats[i], NULL);
        Scene scene;

        begin(&scene, more);
        scene.with_server = true;
        for (guint64 gib = 1; gib <= 4; gib++) {
            VirtEphemeralRequest request = {.size = gib << 30, .default_format = i == 1 ? "ext3" : NULL};
            g_autofree char *name = virt_ephemeral_name(&request);

            put(&scene, name, 9 * DAY);
        }
        image_cache_manager_pass(&scene.agent, scene.context);
        for (guint64 gib = 1; gib <= 4; gib++) {
            VirtEphemeralRequest request = {.size = gib << 30, .default_format = i == 1 ? "ext3" : NULL};
            g_autofree char *name = virt_ephemeral_name(&request);

            g_assert_true(is_there(&scene, name) == (gib <= 3));
        }
        end(&scene);
    }
}

static void test_options(void)
{
    g_autofree char *name = virt_image_cache_name(OTHER), *sized = g_strconcat(name, "_7", NULL);
    Scene scene;

    begin(&scene, "remove_unused_base_images = false\n");
    put(&scene, name, 9 * DAY);
    image_cache_manager_pass(&scene.agent, scene.context);
    g_assert_true(is_there(&scene, name));
    g_assert_cmpuint(scene.mappings_asked, ==, 0); /* no server, nothing to ask */
    end(&scene);
    begin(&scene, "remove_unused_original_minimum_age_seconds = 100\nremove_unused_resized_minimum_age_seconds = 200\n");
    put(&scene, name, 150);
    put(&scene, sized, 150);
    image_cache_manager_pass(&scene.agent, scene.context);
    g_assert_false(is_there(&scene, name));
    g_assert_true(is_there(&scene, sized));
    end(&scene);
    /* The same by the names of earlier releases. */
    begin(&scene, "[DEFAULT]\nremove_unused_original_minimum_age_seconds = 100\n[libvirt]\nremove_unused_resized_minimum_age_seconds = 120\n");
    put(&scene, name, 150);
    put(&scene, sized, 150);
    image_cache_manager_pass(&scene.agent, scene.context);
    g_assert_false(is_there(&scene, name) || is_there(&scene, sized));
    end(&scene);
}

/* Nobody knows who uses what: nothing goes. */
static void test_conductor_away(void)
{
    g_autofree char *name = virt_image_cache_name(OTHER);
    Scene scene;

    begin(&scene, "");
    scene.failing = true;
    put(&scene, name, 9 * DAY);
    image_cache_manager_pass(&scene.agent, scene.context);
    g_assert_true(is_there(&scene, name));
    end(&scene);
}

/* --- cache_images --- */

static NdJson *last_result;
static char *last_failure;

static void keep_result(Operation *operation G_GNUC_UNUSED, NdJson *result)
{
    last_result = result;
}

static void keep_failure(Operation *operation G_GNUC_UNUSED, const GError *failure)
{
    last_failure = g_strdup(failure->message);
}

/* What a call answers, as text; NULL: it failed. */
static char *cache_images(Scene *scene, const char *ids)
{
    const MethodSpec *method = methods_lookup("cache_images");
    g_autofree char *text = g_strdup_printf("{\"image_ids\": %s}", ids);
    g_autoptr(NdJson) json = NULL;
    g_autoptr(MethodArgs) args = NULL;
    OperationBackend backend = operation_backend;
    char *answer = NULL;

    g_assert_true(nd_json_parse(text, strlen(text), NULL, &json, NULL));
    args = method_args_parse(methods_signature(method), json, NULL);
    g_assert_nonnull(args);
    backend.reply = keep_result;
    backend.fail = keep_failure;
    scene->agent.operation_backend = &backend;
    g_autoptr(Operation) operation = operation_new(&scene->agent, method->operation, scene->context, NULL, g_steal_pointer(&args), NULL);
    g_clear_pointer(&last_failure, g_free);
    if (operation_run(operation, NULL)) {
        answer = nd_json_to_string(last_result);
        g_clear_pointer(&last_result, json_object_put);
    }
    return answer;
}

/* An image of these bytes in Glance. */
static void can_image(Scene *scene, const char *id, const char *format, const char *bytes)
{
    g_autofree char *show = g_strdup_printf("GET /image/v2/images/%s", id), *file = g_strconcat(show, "/file", NULL);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, bytes, -1);
    g_autofree char *body = g_strdup_printf("{\"id\": \"%s\", \"status\": \"active\", \"disk_format\": \"%s\", \"container_format\": \"bare\", \"size\": %zu, "
                                            "\"checksum\": \"%s\"}", id, format, strlen(bytes), sum);

    fake_cloud_can(scene->cloud, show, body);
    fake_cloud_can(scene->cloud, file, bytes);
}

static void use_user_token(Scene *scene)
{
    static const char text[] = "{\"_context_auth_token\": \"user-token\", \"_context_request_id\": \"req-1\"}";
    g_autoptr(NdJson) message = NULL;

    g_assert_true(nd_json_parse(text, strlen(text), NULL, &message, NULL));
    rpc_context_unref(scene->context);
    scene->context = rpc_context_from_message(message, NULL);
    g_assert_nonnull(scene->context);
}

static void test_cache_images(void)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *other = virt_image_cache_name(OTHER), *kernel = virt_image_cache_name(KERNEL);
    g_autofree char *answer = NULL, *content = NULL;
    Scene scene;
    struct stat status;

    begin(&scene, "");
    use_user_token(&scene);
    can_image(&scene, IMAGE, "raw", "some bytes");
    can_image(&scene, KERNEL, "aki", "a kernel's bytes");
    put(&scene, other, 9 * DAY);
    answer = cache_images(&scene, "[\"" IMAGE "\", \"no-such-image\", \"" OTHER "\", \"" KERNEL "\"]");
    g_assert_cmpstr(answer, ==, "{\"" IMAGE "\":\"cached\",\"no-such-image\":\"error\",\"" OTHER "\":\"existing\",\"" KERNEL "\":\"cached\"}");
    g_autofree char *path = in_base(&scene, name), *touched = in_base(&scene, other);
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "some bytes");
    g_assert_true(is_there(&scene, kernel));
    g_assert_cmpint(stat(touched, &status), ==, 0);
    g_assert_cmpint(nd_time_now() / G_USEC_PER_SEC - status.st_mtime, <=, 2);
    g_assert_cmpstr(scene.cloud->last_token, ==, "user-token"); /* in the name of who asked */
    g_free(answer);
    answer = cache_images(&scene, "[\"" IMAGE "\"]");
    g_assert_cmpstr(answer, ==, "{\"" IMAGE "\":\"existing\"}");
    end(&scene);
}

/* Bytes that are not what Glance says, an image that is not ready: errors, and nothing is left. */
static void test_cache_bad_images(void)
{
    static const char show[] = "GET /image/v2/images/" KERNEL;
    g_autofree char *answer = NULL, *base = NULL;
    g_autoptr(GDir) dir = NULL;
    Scene scene;

    begin(&scene, "");
    use_user_token(&scene);
    can_image(&scene, IMAGE, "qcow2", "no qcow2");
    can_image(&scene, OTHER, "raw", "some bytes");
    fake_cloud_can(scene.cloud, "GET /image/v2/images/" OTHER "/file", "nice bytes");
    fake_cloud_can(scene.cloud, show, "{\"id\": \"" KERNEL "\", \"status\": \"queued\", \"disk_format\": \"raw\"}");
    answer = cache_images(&scene, "[\"" IMAGE "\", \"" OTHER "\", \"" KERNEL "\"]");
    g_assert_cmpstr(answer, ==, "{\"" IMAGE "\":\"error\",\"" OTHER "\":\"error\",\"" KERNEL "\":\"error\"}");
    base = in_base(&scene, "");
    dir = g_dir_open(base, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
    end(&scene);
}

static void test_cache_arguments(void)
{
    g_autofree char *answer = NULL, *none = NULL;
    Scene scene;

    begin(&scene, "");
    none = cache_images(&scene, "[]");
    g_assert_cmpstr(none, ==, "{}");
    answer = cache_images(&scene, "[\"x\", 3]");
    g_assert_null(answer);
    g_assert_nonnull(strstr(last_failure, "image_ids"));
    g_clear_pointer(&last_failure, g_free);
    end(&scene);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image-cache-manager/pass", test_pass);
    g_test_add_func("/image-cache-manager/ephemerals", test_ephemerals);
    g_test_add_func("/image-cache-manager/options", test_options);
    g_test_add_func("/image-cache-manager/conductor-away", test_conductor_away);
    g_test_add_func("/image-cache-manager/cache-images", test_cache_images);
    g_test_add_func("/image-cache-manager/cache-bad-images", test_cache_bad_images);
    g_test_add_func("/image-cache-manager/cache-arguments", test_cache_arguments);
    return g_test_run();
}
