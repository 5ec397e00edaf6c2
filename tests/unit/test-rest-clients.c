/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"
#include "rest/from_config.h"
#include "tests/unit/fake_cloud.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Glance and Neutron, made from nova.conf text as the daemon makes them. */

#define IMAGE "GET /image/v2/images/i1"
#define IMAGE_FILE "GET /image/v2/images/i1/file"

static NdConfig *make_config(FakeCloud *cloud, const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("[keystone_authtoken]\nauth_type = password\nauth_url = %s/identity\nusername = nova\npassword = secret\n"
                        "project_name = service\nuser_domain_name = Default\nproject_domain_name = Default\n"
                        "[neutron]\nauth_section = keystone_authtoken\nregion_name = RegionOne\nvalid_interfaces = admin\n"
                        "[placement]\nauth_section = keystone_authtoken\n%s",
                        fake_http_url(cloud->server), more);
    NdConfig *config = nd_config_new_from_text(text, &error);
    g_assert_no_error(error);
    return config;
}

static void test_from_config(void)
{
    static const struct {
        const char *text, *in_message; /* NULL = works */
    } cases[] = {
        {"", NULL},
        {"cafile =\ninsecure = true\nconnect_retries = 2\nstatus_code_retries = 1\n", NULL},
        {"auth_type = v3token\n", NULL}, /* auth_section wins */
        {"cafile = /nonexistent\n", "cafile '/nonexistent'"}, /* the section's own session options win */
        {"[neutron]\ncafile = /nonexistent\n", NULL},
        {"[keystone_authtoken]\ncafile = /nonexistent\n", "cafile '/nonexistent'"},
        {"auth_section =\n", "[placement] auth_type is not set"},
        {"auth_section =\nauth_type = v3token\n", "auth_type 'v3token' is not supported"},
        {"auth_section =\nauth_type = password\n", "[placement]: auth_url is not set"},
        {"auth_section =\nauth_type = v3applicationcredential\nauth_url = http://x/v3\napplication_credential_id = a\n",
         "application_credential_secret is not set"},
        {"auth_section =\nauth_type = password\nauth_url = http://x/v3\nusername = u\npassword = p\ncafile = /nonexistent\n",
         "cafile '/nonexistent'"},
    };
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NdConfig) config = make_config(cloud, cases[i].text);
        g_autoptr(PlacementClient) client = placement_client_from_config(config, &error);
        if (cases[i].in_message == NULL) {
            g_autoptr(PlacementProvider) provider = NULL;
            g_assert_no_error(error);
            g_assert_false(placement_get_provider(client, NULL, "u", &provider, &error));
            g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
        } else {
            g_assert_error(error, REST_ERROR, REST_ERROR_CONFIG);
            g_assert_nonnull(strstr(error->message, cases[i].in_message));
        }
    }
}

static void hang(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    while (fake_http_running(server))
        g_usleep(10 * 1000);
}

/* A section's `timeout`, or that of its auth_section, ends a call that is not answered. */
static void test_timeout(void)
{
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(FakeHttp) server = fake_http_new(hang, NULL);
    for (int own = 0; own < 2; own++) {
        g_autofree char *more = g_strdup_printf("endpoint_override = %s\n%stimeout = 1\n%s", fake_http_url(server), own ? "" : "[keystone_authtoken]\n",
                                                own ? "[keystone_authtoken]\ntimeout = 600\n" : "");
        g_autoptr(NdConfig) config = make_config(cloud, more);
        g_autoptr(GError) error = NULL;
        g_autoptr(PlacementProvider) provider = NULL;
        g_autoptr(PlacementClient) client = placement_client_from_config(config, &error);
        gint64 start = g_get_monotonic_time();
        g_assert_false(placement_get_provider(client, NULL, "u", &provider, &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_TIMEOUT);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 30 * G_USEC_PER_SEC);
    }
}

static void test_service_user(void)
{
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    for (int on = 0; on < 2; on++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(KeystoneAuth) auth = NULL;
        g_autoptr(NdConfig) config =
            make_config(cloud, on ? "[service_user]\nsend_service_user_token = true\nauth_section = keystone_authtoken\n" : "");
        g_assert_true(service_user_from_config(config, &auth, &error));
        g_assert_true((auth != NULL) == on);
    }
}

/* Image "hello", with its MD5 and SHA-256. */
#define HELLO_MD5 "5d41402abc4b2a76b9719d911017c592"
#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

typedef struct {
    FakeCloud *cloud;
    GlanceClient *glance;
    RestAuth *user;
    char *path;
    int fd;
} GlanceFixture;

static void glance_set_up(GlanceFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    fixture->cloud = fake_cloud_new();
    /* Some tests have a server that does not exist before the one that does. */
    g_autofree char *servers = g_strdup_printf("[glance]\nnum_retries = 2\napi_servers = %s%s/image/\n",
                                               data != NULL ? (const char *)data : "", fake_http_url(fixture->cloud->server));
    g_autoptr(NdConfig) config = make_config(fixture->cloud, servers);
    fixture->glance = glance_client_from_config(config, &error);
    g_assert_no_error(error);
    fixture->user = rest_auth_new_user("user-token", NULL, NULL, "req-1");
    fixture->fd = g_file_open_tmp("novad-image-XXXXXX", &fixture->path, &error);
    g_assert_no_error(error);
}

static void glance_tear_down(GlanceFixture *fixture, const void *data)
{
    close(fixture->fd);
    unlink(fixture->path);
    g_free(fixture->path);
    rest_auth_unref(fixture->user);
    glance_client_unref(fixture->glance);
    fake_cloud_free(fixture->cloud);
}

/* The first of api_servers does not exist: the second is tried. */
static void test_show_image(GlanceFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GlanceImage) image = NULL, missing = NULL;
    fake_cloud_can(
        fixture->cloud, IMAGE,
        "{\"id\": \"i1\", \"status\": \"active\", \"name\": null, \"size\": 5, \"min_disk\": 1, \"disk_format\": \"raw\", "
        "\"hw_disk_bus\": \"scsi\", \"schema\": \"/v2/schemas/image\", \"self\": \"/v2/images/i1\", \"tags\": [], \"protected\": true}");
    glance_show_image(fixture->glance, fixture->user, "i1", &image, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(image->status, ==, "active");
    g_assert_null(image->name);
    g_assert_cmpint(image->size, ==, 5);
    g_assert_cmpint(image->virtual_size, ==, -1);
    g_assert_true(image->is_protected);
    g_assert_cmpuint(g_hash_table_size(image->properties), ==, 1);
    g_assert_cmpstr(g_hash_table_lookup(image->properties, "hw_disk_bus"), ==, "scsi");
    g_assert_nonnull(strstr(image->json, "\"tags\""));
    g_assert_cmpstr(fixture->cloud->last_token, ==, "user-token");
    g_assert_false(glance_show_image(fixture->glance, fixture->user, "i2", &missing, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
    g_clear_error(&error);
    fake_cloud_can(fixture->cloud, IMAGE, "{\"id\": \"i1\", \"status\": \"active\", \"size\": \"big\"}");
    g_assert_false(glance_show_image(fixture->glance, fixture->user, "i1", &missing, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
}

typedef struct {
    const char *checksum, *algorithm, *value;
    gint64 size, max_bytes;
    int expected; /* -1 = works */
} DownloadCase;

static gint64 last_progress;

static void on_progress(gint64 done, gint64 total, void *user_data)
{
    last_progress = done;
}

static void test_download(GlanceFixture *fixture, const void *data)
{
    static char md5[] = HELLO_MD5, sha256[] = HELLO_SHA256, wrong[] = "00", algorithm_sha256[] = "sha256", other[] = "whirlpool";
    static const DownloadCase cases[] = {
        {md5, NULL, NULL, 5, 0, -1},
        {md5, algorithm_sha256, sha256, 5, 0, -1},
        {wrong, algorithm_sha256, sha256, 5, 0, -1}, /* the newer hash decides */
        {NULL, NULL, NULL, 5, 0, -1},
        {NULL, NULL, NULL, -1, 0, -1},
        {NULL, NULL, NULL, -1, 5, -1},
        {wrong, NULL, NULL, 5, 0, REST_ERROR_HASH},
        {md5, algorithm_sha256, wrong, 5, 0, REST_ERROR_HASH},
        {md5, other, wrong, 5, 0, REST_ERROR_HASH},
        {md5, NULL, NULL, 6, 0, REST_ERROR_HASH},
        {md5, NULL, NULL, 4, 0, REST_ERROR_TOO_LARGE},
        {NULL, NULL, NULL, -1, 4, REST_ERROR_TOO_LARGE},
    };
    static char id[] = "i1";
    fake_cloud_can(fixture->cloud, IMAGE_FILE, "hello");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        GlanceImage image = {.id = id,
                             .checksum = (char *)cases[i].checksum,
                             .os_hash_algo = (char *)cases[i].algorithm,
                             .os_hash_value = (char *)cases[i].value,
                             .size = cases[i].size};
        GlanceDownloadOptions options = {.max_bytes = cases[i].max_bytes, .progress = on_progress};
        g_assert_cmpint(pwrite(fixture->fd, "longer than hello", 17, 0), ==, 17);
        bool ok = glance_download(fixture->glance, fixture->user, &image, fixture->fd, &options, &error);
        if (cases[i].expected >= 0) {
            g_assert_false(ok);
            g_assert_error(error, REST_ERROR, cases[i].expected);
            continue;
        }
        g_assert_no_error(error);
        g_autofree char *content = NULL;
        g_assert_true(g_file_get_contents(fixture->path, &content, NULL, NULL));
        g_assert_cmpstr(content, ==, "hello");
        g_assert_cmpint(last_progress, ==, 5);
    }
}

static void test_download_failures(GlanceFixture *fixture, const void *data)
{
    static char id[] = "i1";
    GlanceImage image = {.id = id, .size = 5};
    g_autoptr(GError) error = NULL;
    fake_cloud_can(fixture->cloud, IMAGE_FILE, "500");
    g_assert_false(glance_download(fixture->glance, fixture->user, &image, fixture->fd, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_SERVICE);
    g_clear_error(&error);
    fake_cloud_can(fixture->cloud, IMAGE_FILE, "403");
    g_assert_false(glance_download(fixture->glance, fixture->user, &image, fixture->fd, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_FORBIDDEN);
    g_clear_error(&error);
    fake_cloud_can(fixture->cloud, IMAGE_FILE, "204");
    g_assert_false(glance_download(fixture->glance, fixture->user, &image, fixture->fd, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
    g_clear_error(&error);
    fake_cloud_can(fixture->cloud, IMAGE_FILE, "hello");
    int read_only = open(fixture->path, O_RDONLY | O_CLOEXEC);
    g_assert_false(glance_download(fixture->glance, fixture->user, &image, read_only, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_WRITE);
    g_clear_error(&error);
    close(read_only);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    GlanceDownloadOptions options = {.cancellable = cancellable};
    g_assert_false(glance_download(fixture->glance, fixture->user, &image, fixture->fd, &options, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CANCELLED);
}

static void test_update_image(GlanceFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) members = json_object_new_object();
    nd_json_set_string(members, "disk_format", "qcow2");
    nd_json_set_string(members, "a/b~c", "x");
    nd_json_set(members, "kernel_id", NULL);
    fake_cloud_can(fixture->cloud, "PATCH /image/v2/images/i1", "{}");
    glance_update_image(fixture->glance, fixture->user, "i1", members, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(fixture->cloud->last_type, ==, "application/openstack-images-v2.1-json-patch");
    g_autofree char *sent = nd_json_to_string(fixture->cloud->last_body);
    g_assert_cmpstr(sent, ==,
                    "[{\"op\":\"add\",\"path\":\"/disk_format\",\"value\":\"qcow2\"},"
                    "{\"op\":\"add\",\"path\":\"/a~1b~0c\",\"value\":\"x\"},{\"op\":\"add\",\"path\":\"/kernel_id\",\"value\":null}]");
    g_assert_false(glance_update_image(fixture->glance, fixture->user, "i2", members, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
}

/* The file is sent from its start wherever its offset is, and again at the next server. */
static void test_upload(GlanceFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(write(fixture->fd, "hello image", 11), ==, 11);
    fake_cloud_can(fixture->cloud, "PUT /image/v2/images/i1/file", "204");
    glance_upload(fixture->glance, fixture->user, "i1", fixture->fd, 11, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(fixture->cloud->last_type, ==, "application/octet-stream");
    g_assert_cmpstr(fixture->cloud->last_bytes, ==, "hello image");
    g_assert_false(glance_upload(fixture->glance, fixture->user, "i1", fixture->fd, 12, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_READ);
    g_clear_error(&error);
    fake_cloud_can(fixture->cloud, "PUT /image/v2/images/i1/file", "413");
    g_assert_false(glance_upload(fixture->glance, fixture->user, "i1", fixture->fd, 11, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_OVER_LIMIT);
    g_clear_error(&error);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    g_assert_false(glance_upload(fixture->glance, fixture->user, "i1", fixture->fd, 11, cancellable, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CANCELLED);
}

static void test_list_and_delete(GlanceFixture *fixture, const void *data)
{
    static const char *const query[] = {"backup_type", "daily", NULL};
    g_autoptr(GError) error = NULL;
    fake_cloud_can(fixture->cloud, "GET /image/v2/images?backup_type=daily",
                   "{\"images\": [{\"id\": \"a\", \"status\": \"active\"}, {\"id\": \"b\", \"status\": \"active\"}], "
                   "\"next\": \"/v2/images?marker=b\"}");
    fake_cloud_can(fixture->cloud, "GET /image/v2/images?backup_type=daily&marker=b",
                   "{\"images\": [{\"id\": \"c\", \"status\": \"queued\"}]}");
    g_autoptr(GPtrArray) images = glance_list_images(fixture->glance, fixture->user, query, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(images->len, ==, 3);
    g_assert_cmpstr(((GlanceImage *)images->pdata[2])->id, ==, "c");
    fake_cloud_can(fixture->cloud, "GET /image/v2/images?backup_type=daily", "{\"images\": 1}");
    g_assert_null(glance_list_images(fixture->glance, fixture->user, query, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
    g_clear_error(&error);
    fake_cloud_can(fixture->cloud, "DELETE /image/v2/images/a", "204");
    glance_delete_image(fixture->glance, fixture->user, "a", &error);
    g_assert_no_error(error);
    g_assert_false(glance_delete_image(fixture->glance, fixture->user, "b", &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
}

static void test_full_disk(GlanceFixture *fixture, const void *data)
{
    static char id[] = "i1";
    GlanceImage image = {.id = id, .size = 5};
    g_autoptr(GError) error = NULL;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    fake_cloud_can(fixture->cloud, IMAGE_FILE, "hello");
    g_assert_cmpint(full, >=, 0);
    g_assert_false(glance_download(fixture->glance, fixture->user, &image, full, NULL, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NO_SPACE);
    close(full);
}

typedef struct {
    FakeCloud *cloud;
    NeutronClient *neutron;
} NeutronFixture;

static void neutron_set_up(NeutronFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    fixture->cloud = fake_cloud_new();
    g_autoptr(NdConfig) config = make_config(fixture->cloud, "");
    fixture->neutron = neutron_client_from_config(config, &error);
    g_assert_no_error(error);
}

static void neutron_tear_down(NeutronFixture *fixture, const void *data)
{
    neutron_client_unref(fixture->neutron);
    fake_cloud_free(fixture->cloud);
}

#define PORT                                                                                                                               \
    "{\"id\": \"p1\", \"network_id\": \"n1\", \"mac_address\": \"fa:16:3e:00:00:01\", \"status\": \"DOWN\", \"admin_state_up\": false, "   \
    "\"fixed_ips\": [{\"subnet_id\": \"s1\", \"ip_address\": \"10.0.0.3\"}], \"security_groups\": [\"g1\"], \"binding:host_id\": \"h\", "  \
    "\"binding:vif_type\": \"bridge\", \"binding:vif_details\": {\"port_filter\": true}, \"binding:profile\": {}, \"extra\": 7}"

static void test_ports(NeutronFixture *fixture, const void *data)
{
    NeutronClient *neutron = fixture->neutron;
    g_autoptr(GError) error = NULL;
    g_autoptr(NeutronPort) port = NULL, updated = NULL;
    g_autoptr(GPtrArray) list = NULL;
    fake_cloud_can(fixture->cloud, "GET /network/v2.0/ports/p1", "{\"port\": " PORT "}");
    fake_cloud_can(fixture->cloud, "GET /network/v2.0/ports?device_id=d%201", "{\"ports\": [" PORT "]}");
    fake_cloud_can(fixture->cloud, "POST /network/v2.0/ports", "{\"port\": " PORT "}");
    fake_cloud_can(fixture->cloud, "PUT /network/v2.0/ports/p1", "{\"port\": " PORT "}");
    fake_cloud_can(fixture->cloud, "DELETE /network/v2.0/ports/p1", "204");
    g_assert_true(neutron_show_port(neutron, NULL, "p1", &port, &error));
    g_assert_cmpstr(port->binding_vif_type, ==, "bridge");
    g_assert_cmpuint(port->n_fixed_ips, ==, 1);
    g_assert_cmpstr(port->fixed_ips[0].ip_address, ==, "10.0.0.3");
    g_assert_cmpstr(port->security_groups[0], ==, "g1");
    g_assert_false(port->admin_state_up);
    g_assert_true(nd_json_bool(port->vif_details, "port_filter", false));
    g_assert_cmpint(nd_json_int(port->raw, "extra", 0), ==, 7);
    const char *const query[] = {"device_id", "d 1", NULL};
    g_assert_true(neutron_list_ports(neutron, NULL, query, &list, &error));
    g_assert_cmpuint(list->len, ==, 1);
    g_autoptr(NdJson) attributes = json_object_new_object();
    nd_json_set_string(attributes, "device_id", "d");
    g_assert_true(neutron_create_port(neutron, NULL, attributes, NULL, &error));
    g_assert_true(nd_json_equal(nd_json_object(fixture->cloud->last_body, "port"), attributes));
    g_assert_true(neutron_update_port(neutron, NULL, "p1", attributes, &updated, &error));
    g_assert_true(neutron_delete_port(neutron, NULL, "p1", &error));
    g_assert_no_error(error);
    g_assert_false(neutron_delete_port(neutron, NULL, "p2", &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
    g_assert_cmpstr(rest_error_service_code(error), ==, "NotFound");
}

static void test_lying_neutron(NeutronFixture *fixture, const void *data)
{
    static const char *const lies[] = {
        "[]",
        "{\"port\": []}",
        "{\"port\": {}}",
        "{\"port\": {\"id\": \"p\", \"network_id\": 5}}",
        "{\"port\": {\"id\": \"p\", \"network_id\": \"n\", \"fixed_ips\": {}}}",
        "{\"port\": {\"id\": \"p\", \"network_id\": \"n\", \"fixed_ips\": [{\"ip_address\": \"1\"}, 7]}}",
        "{\"port\": {\"id\": \"p\", \"network_id\": \"n\", \"security_groups\": [null]}}",
        "{\"port\": {\"id\": \"p\", \"network_id\": \"n\", \"binding:vif_details\": []}}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NeutronPort) port = NULL;
        fake_cloud_can(fixture->cloud, "GET /network/v2.0/ports/p", lies[i]);
        g_assert_false(neutron_show_port(fixture->neutron, NULL, "p", &port, &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
        g_assert_null(port);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(NeutronSubnet) subnet = NULL;
    fake_cloud_can(fixture->cloud, "GET /network/v2.0/subnets/s",
                   "{\"subnet\": {\"id\": \"s\", \"network_id\": \"n\", \"cidr\": \"c\", \"ip_version\": 5}}");
    g_assert_false(neutron_show_subnet(fixture->neutron, NULL, "s", &subnet, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
}

/* Many values of one name do not fit into one URL. */
static void test_long_query(NeutronFixture *fixture, const void *data)
{
    g_autoptr(GPtrArray) query = g_ptr_array_new();
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) first = g_string_new("GET /network/v2.0/networks?shared=true");
    g_autoptr(GString) second = g_string_new(first->str);
    g_ptr_array_add(query, (gpointer) "shared");
    g_ptr_array_add(query, (gpointer) "true");
    for (int i = 0; i < 150; i++) {
        char *id = g_strdup_printf("%036d", i);
        g_ptr_array_add(texts, id);
        g_ptr_array_add(query, (gpointer) "id");
        g_ptr_array_add(query, id);
        g_string_append_printf(i < 102 ? first : second, "&id=%s", id);
    }
    g_ptr_array_add(query, NULL);
    fake_cloud_can(fixture->cloud, first->str, "{\"networks\": [{\"id\": \"a\", \"mtu\": 1450, \"provider:segmentation_id\": null}]}");
    fake_cloud_can(fixture->cloud, second->str, "{\"networks\": [{\"id\": \"b\"}]}");
    neutron_list_networks(fixture->neutron, NULL, (const char *const *)query->pdata, &list, &error);
    if (error != NULL)
        g_printerr("asked: %s\n", (char *)fixture->cloud->requests->pdata[0]);
    g_assert_no_error(error);
    g_assert_cmpuint(list->len, ==, 2);
    g_assert_cmpint(((NeutronNetwork *)list->pdata[0])->mtu, ==, 1450);
    g_assert_cmpint(((NeutronNetwork *)list->pdata[0])->provider_segmentation_id, ==, -1);
    g_assert_cmpuint(fixture->cloud->requests->len, ==, 2);
}

static void test_bindings_and_extensions(NeutronFixture *fixture, const void *data)
{
    NeutronClient *neutron = fixture->neutron;
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) binding = NULL, bindings = NULL;
    g_autoptr(NdJson) attributes = json_object_new_object();
    bool has = false;
    nd_json_set_string(attributes, "host", "h");
    fake_cloud_can(fixture->cloud, "POST /network/v2.0/ports/p/bindings", "{\"binding\": {\"host\": \"h\", \"vif_type\": \"ovs\"}}");
    fake_cloud_can(fixture->cloud, "GET /network/v2.0/ports/p/bindings", "{\"bindings\": [{}]}");
    fake_cloud_can(fixture->cloud, "PUT /network/v2.0/ports/p/bindings/h/activate", "{}");
    fake_cloud_can(fixture->cloud, "DELETE /network/v2.0/ports/p/bindings/h", "204");
    fake_cloud_can(fixture->cloud, "GET /network/v2.0/extensions",
                   "{\"extensions\": [{\"alias\": \"binding-extended\"}, {\"alias\": \"qos\"}]}");
    g_assert_true(neutron_create_binding(neutron, NULL, "p", attributes, &binding, &error));
    g_assert_cmpstr(nd_json_string(binding, "vif_type", NULL), ==, "ovs");
    g_assert_true(neutron_list_bindings(neutron, NULL, "p", &bindings, &error));
    g_assert_true(neutron_activate_binding(neutron, NULL, "p", "h", &error));
    g_assert_true(neutron_delete_binding(neutron, NULL, "p", "h", &error));
    g_clear_pointer(&binding, json_object_put);
    g_assert_false(neutron_show_binding(neutron, NULL, "p", "other", &binding, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_NOT_FOUND);
    g_clear_error(&error);
    guint asked = fixture->cloud->requests->len;
    g_assert_true(neutron_has_extension(neutron, NULL, "binding-extended", &has, &error));
    g_assert_true(has);
    g_assert_true(neutron_has_extension(neutron, NULL, "dns-integration", &has, &error));
    g_assert_false(has);
    g_assert_cmpuint(fixture->cloud->requests->len, ==, asked + 1);
}

static void test_other_lists(NeutronFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) ips = NULL, groups = NULL, subnets = NULL;
    fake_cloud_can(fixture->cloud, "GET /network/v2.0/floatingips?port_id=p",
                   "{\"floatingips\": [{\"id\": \"f\", \"floating_ip_address\": \"1.2.3.4\"}]}");
    fake_cloud_can(fixture->cloud, "GET /network/v2.0/security-groups", "{\"security_groups\": [{\"id\": \"g\", \"name\": \"default\"}]}");
    fake_cloud_can(
        fixture->cloud, "GET /network/v2.0/subnets",
        "{\"subnets\": [{\"id\": \"s\", \"network_id\": \"n\", \"cidr\": \"10.0.0.0/24\", \"ip_version\": 4, \"enable_dhcp\": true, "
        "\"dns_nameservers\": [\"8.8.8.8\"], \"host_routes\": []}]}");
    const char *const query[] = {"port_id", "p", NULL};
    g_assert_true(neutron_list_floating_ips(fixture->neutron, NULL, query, &ips, &error));
    g_assert_cmpstr(((NeutronFloatingIp *)ips->pdata[0])->floating_ip_address, ==, "1.2.3.4");
    g_assert_true(neutron_list_security_groups(fixture->neutron, NULL, NULL, &groups, &error));
    g_assert_cmpstr(((NeutronSecurityGroup *)groups->pdata[0])->name, ==, "default");
    g_assert_true(neutron_list_subnets(fixture->neutron, NULL, NULL, &subnets, &error));
    g_assert_true(((NeutronSubnet *)subnets->pdata[0])->enable_dhcp);
    g_assert_null(((NeutronSubnet *)subnets->pdata[0])->gateway_ip);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rest/from-config/clients", test_from_config);
    g_test_add_func("/rest/from-config/timeout", test_timeout);
    g_test_add_func("/rest/from-config/service-user", test_service_user);
#define GLANCE(name, dead_server, function)                                                                                                \
    g_test_add("/rest/glance/" name, GlanceFixture, dead_server, glance_set_up, function, glance_tear_down)
    GLANCE("show", "http://127.0.0.1:1,", test_show_image);
    GLANCE("download", "http://127.0.0.1:1,", test_download);
    GLANCE("download-failures", NULL, test_download_failures);
    GLANCE("full-disk", NULL, test_full_disk);
    GLANCE("update", "http://127.0.0.1:1,", test_update_image);
    GLANCE("upload", "http://127.0.0.1:1,", test_upload);
    GLANCE("list-and-delete", NULL, test_list_and_delete);
#undef GLANCE
#define NEUTRON(name, function) g_test_add("/rest/neutron/" name, NeutronFixture, NULL, neutron_set_up, function, neutron_tear_down)
    NEUTRON("ports", test_ports);
    NEUTRON("lies", test_lying_neutron);
    NEUTRON("long-query", test_long_query);
    NEUTRON("bindings-and-extensions", test_bindings_and_extensions);
    NEUTRON("other-lists", test_other_lists);
#undef NEUTRON
    return g_test_run();
}
