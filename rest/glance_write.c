/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"
#include "rest/glance_private.h"

#include <string.h>

#define PATCH_TYPE "application/openstack-images-v2.1-json-patch"
#define IMAGES_MAX 10000 /* of one listing: a service whose pages never end must not fill the memory */

/* The call, tried again while the service cannot be reached or fails. Answers that are not needed: value NULL. */
static bool call_service(GlanceClient *client, const RestAuth *auth, const RestCall *call, NdJson **value, GError **error)
{
    for (int attempt = 0;; attempt++) {
        g_autoptr(GError) failure = NULL;
        bool done = value != NULL ? rest_service_call_json(client->service, auth, call, value, &failure)
                                  : rest_service_call(client->service, auth, call, NULL, &failure);
        if (done)
            return true;
        if (attempt >= client->num_retries || !glance_may_retry(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (!rest_wait(call->cancellable, GLANCE_RETRY_DELAY_S))
            return rest_error_set(error, REST_ERROR_CANCELLED, 0, NULL, NULL, "%s %s was cancelled", call->method, call->path);
    }
}

/* RFC 6901: "~" and "/" of a name. */
static char *pointer_to(const char *name)
{
    g_autoptr(GString) path = g_string_new("/");
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '~')
            g_string_append(path, "~0");
        else if (*c == '/')
            g_string_append(path, "~1");
        else
            g_string_append_c(path, *c);
    }
    return g_strdup(path->str);
}

bool glance_update_image(GlanceClient *client, const RestAuth *auth, const char *image_id, NdJson *members, GError **error)
{
    g_autoptr(NdJson) patch = json_object_new_array();
    g_autofree char *path = rest_path("images", image_id, NULL);
    json_object_object_foreach(members, name, value)
    {
        NdJson *change = json_object_new_object();
        g_autofree char *pointer = pointer_to(name);
        nd_json_set_string(change, "op", "add"); /* of a member that is there already: replaces it */
        nd_json_set_string(change, "path", pointer);
        nd_json_set(change, "value", json_object_get(value));
        json_object_array_add(patch, change);
    }
    RestCall call = {.method = "PATCH", .path = path, .body = patch, .content_type = PATCH_TYPE};
    return call_service(client, auth, &call, NULL, error);
}

bool glance_upload(GlanceClient *client, const RestAuth *auth, const char *image_id, int fd, gint64 size, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = rest_path("images", image_id, "file", NULL);
    RestUpload upload = {.fd = fd, .size = size};
    RestCall call = {
        .method = "PUT",
        .path = path,
        .upload = &upload,
        .content_type = "application/octet-stream",
        .timeout_ms = -1,
        .cancellable = cancellable,
    };
    return call_service(client, auth, &call, NULL, error);
}

bool glance_delete_image(GlanceClient *client, const RestAuth *auth, const char *image_id, GError **error)
{
    g_autofree char *path = rest_path("images", image_id, NULL);
    RestCall call = {.method = "DELETE", .path = path};
    return call_service(client, auth, &call, NULL, error);
}

/* Adds a page's images. *marker: where the next page begins, NULL if there is none. */
static bool add_page(NdJson *body, GPtrArray *images, char **marker, GError **error)
{
    NdJson *list = nd_json_array(body, "images");
    g_clear_pointer(marker, g_free);
    if (list == NULL)
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "the list of images has no member 'images'");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        GlanceImage *image = NULL;
        if (!glance_decode_image(json_object_array_get_idx(list, i), &image, error))
            return false;
        g_ptr_array_add(images, image);
    }
    if (nd_json_string(body, "next", NULL) != NULL && json_object_array_length(list) > 0)
        *marker = g_strdup(((GlanceImage *)images->pdata[images->len - 1])->id);
    return true;
}

GPtrArray *glance_list_images(GlanceClient *client, const RestAuth *auth, const char *const *query, GError **error)
{
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func((GDestroyNotify)glance_image_free);
    g_autofree char *marker = NULL;
    do {
        g_autoptr(GPtrArray) parameters = g_ptr_array_new();
        g_autoptr(NdJson) body = NULL;
        for (const char *const *word = query; word != NULL && *word != NULL; word++)
            g_ptr_array_add(parameters, (gpointer)*word);
        if (marker != NULL) {
            g_ptr_array_add(parameters, (gpointer) "marker");
            g_ptr_array_add(parameters, marker);
        }
        g_ptr_array_add(parameters, NULL);
        RestCall call = {.method = "GET", .path = "/images", .query = (const char *const *)parameters->pdata};
        if (!call_service(client, auth, &call, &body, error) || !add_page(body, images, &marker, error))
            return NULL;
    } while (marker != NULL && images->len < IMAGES_MAX);
    return g_steal_pointer(&images);
}
