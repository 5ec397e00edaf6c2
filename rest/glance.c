/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/glance.h"

#include "rest/decode.h"
#include "rest/error.h"
#include "rest/glance_private.h"

#include <string.h>

GlanceClient *glance_client_new(RestService *service, int num_retries)
{
    GlanceClient *client = g_new0(GlanceClient, 1);
    client->references = 1;
    client->service = rest_service_ref(service);
    client->num_retries = num_retries;
    return client;
}

GlanceClient *glance_client_ref(GlanceClient *client)
{
    g_atomic_int_inc(&client->references);
    return client;
}

void glance_client_unref(GlanceClient *client)
{
    if (client == NULL || !g_atomic_int_dec_and_test(&client->references))
        return;
    rest_service_unref(client->service);
    g_free(client);
}

static const RestField image_fields[] = {
    {"id", REST_FIELD_REQUIRED, offsetof(GlanceImage, id), 0},
    {"name", REST_FIELD_STRING, offsetof(GlanceImage, name), 0},
    {"status", REST_FIELD_REQUIRED, offsetof(GlanceImage, status), 0},
    {"disk_format", REST_FIELD_STRING, offsetof(GlanceImage, disk_format), 0},
    {"container_format", REST_FIELD_STRING, offsetof(GlanceImage, container_format), 0},
    {"owner", REST_FIELD_STRING, offsetof(GlanceImage, owner), 0},
    {"visibility", REST_FIELD_STRING, offsetof(GlanceImage, visibility), 0},
    {"size", REST_FIELD_INT, offsetof(GlanceImage, size), -1},
    {"virtual_size", REST_FIELD_INT, offsetof(GlanceImage, virtual_size), -1},
    {"min_disk", REST_FIELD_INT, offsetof(GlanceImage, min_disk), 0},
    {"min_ram", REST_FIELD_INT, offsetof(GlanceImage, min_ram), 0},
    {"checksum", REST_FIELD_STRING, offsetof(GlanceImage, checksum), 0},
    {"os_hash_algo", REST_FIELD_STRING, offsetof(GlanceImage, os_hash_algo), 0},
    {"os_hash_value", REST_FIELD_STRING, offsetof(GlanceImage, os_hash_value), 0},
    {"protected", REST_FIELD_BOOL, offsetof(GlanceImage, is_protected), 0},
    {"created_at", REST_FIELD_STRING, offsetof(GlanceImage, created_at), 0},
    {"updated_at", REST_FIELD_STRING, offsetof(GlanceImage, updated_at), 0},
};

void glance_image_free(GlanceImage *image)
{
    if (image == NULL)
        return;
    rest_decode_clear(image_fields, G_N_ELEMENTS(image_fields), image);
    g_clear_pointer(&image->properties, g_hash_table_unref);
    g_free(image->json);
    g_free(image);
}

/* Members of the image schema that are strings and no properties of the image's maker. */
static bool is_base_member(const char *name)
{
    static const char *const others[] = {"self", "file", "schema", "direct_url", "stores"};
    for (size_t i = 0; i < G_N_ELEMENTS(image_fields); i++)
        if (g_str_equal(image_fields[i].key, name))
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_str_equal(others[i], name))
            return true;
    return false;
}

bool glance_decode_image(NdJson *body, GlanceImage **image, GError **error)
{
    g_autoptr(GlanceImage) decoded = g_new0(GlanceImage, 1);
    if (!rest_decode(body, "image", image_fields, G_N_ELEMENTS(image_fields), decoded, error))
        return false;
    decoded->properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    json_object_object_foreach(body, name, value)
    {
        if (json_object_is_type(value, json_type_string) && !is_base_member(name))
            g_hash_table_replace(decoded->properties, g_strdup(name), g_strdup(json_object_get_string(value)));
    }
    decoded->json = nd_json_to_string(body);
    *image = g_steal_pointer(&decoded);
    return true;
}

bool glance_may_retry(const GError *error)
{
    return error->domain == REST_ERROR &&
           (error->code == REST_ERROR_CONNECT || error->code == REST_ERROR_SERVICE || error->code == REST_ERROR_TIMEOUT);
}

bool glance_show_image(GlanceClient *client, const RestAuth *auth, const char *image_id, GlanceImage **image, GError **error)
{
    g_autofree char *path = rest_path("images", image_id, NULL);
    RestCall call = {.method = "GET", .path = path};
    for (int attempt = 0;; attempt++) {
        g_autoptr(NdJson) body = NULL;
        g_autoptr(GError) failure = NULL;
        if (rest_service_call_json(client->service, auth, &call, &body, &failure))
            return glance_decode_image(body, image, error);
        if (attempt >= client->num_retries || !glance_may_retry(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        rest_wait(NULL, GLANCE_RETRY_DELAY_S);
    }
}
