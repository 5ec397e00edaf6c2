/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/image_service.h"

#include "agent/network_ports.h"
#include "base/log.h"
#include "rest/error.h"
#include "rest/keystone.h"
#include "rpc/exception.h"
#include "virt/disk_ops.h"
#include "virt/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOGGER "nova.image.glance"

/* What upstream's GlanceClientWrapper tries again, and then gives up. */
static bool is_away(const GError *failure)
{
    return g_error_matches(failure, REST_ERROR, REST_ERROR_CONNECT) || g_error_matches(failure, REST_ERROR, REST_ERROR_TIMEOUT) ||
           (g_error_matches(failure, REST_ERROR, REST_ERROR_SERVICE) && rest_error_status(failure) == 503);
}

bool image_service_name_failure(const char *image_id, GError *failure, GError **error)
{
    static const struct {
        RestError rest;
        NovaExceptionCode exception;
        const char *text_key;
    } map[] = {
        {REST_ERROR_NOT_FOUND, NOVA_EXC_IMAGE_NOT_FOUND, NULL},
        {REST_ERROR_FORBIDDEN, NOVA_EXC_IMAGE_NOT_AUTHORIZED, NULL},
        {REST_ERROR_AUTH, NOVA_EXC_IMAGE_NOT_AUTHORIZED, NULL},
        {REST_ERROR_BAD_REQUEST, NOVA_EXC_IMAGE_BAD_REQUEST, "response"},
        {REST_ERROR_OVER_LIMIT, NOVA_EXC_IMAGE_QUOTA_EXCEEDED, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(map); i++) {
        if (!g_error_matches(failure, REST_ERROR, map[i].rest))
            continue;
        nova_exception_set(error, map[i].exception, "image_id", image_id, map[i].text_key, failure->message, NULL);
        g_error_free(failure);
        return false;
    }
    if (is_away(failure)) {
        nova_exception_set(error, NOVA_EXC_GLANCE_CONNECTION_FAILED, "server", "glance", "reason", failure->message, NULL);
        g_error_free(failure);
        return false;
    }
    g_propagate_prefixed_error(error, failure, "image '%s': ", image_id);
    return false;
}

GlanceImage *image_service_show(Agent *agent, const RpcContext *context, const char *image_id, GError **error)
{
    g_autoptr(RestAuth) auth = network_user_auth(agent, context);
    GError *failure = NULL;
    GlanceImage *image = NULL;
    if (glance_show_image(agent->glance, auth, image_id, &image, &failure))
        return image;
    image_service_name_failure(image_id, failure, error);
    return NULL;
}

/* The image as nova's dict: its own members, the others in "properties" (upstream _extract_attributes_v2). */
static NdJson *image_dict(const GlanceImage *image)
{
    const struct {
        const char *key, *value;
    } texts[] = {
        {"id", image->id},           {"name", image->name},
        {"status", image->status},   {"disk_format", image->disk_format},
        {"owner", image->owner},     {"container_format", image->container_format},
        {"checksum", image->checksum},
    };
    NdJson *dict = json_object_new_object();
    NdJson *properties = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        nd_json_set_string(dict, texts[i].key, texts[i].value);
    nd_json_set_int(dict, "size", MAX(image->size, 0));
    nd_json_set_int(dict, "min_disk", image->min_disk);
    nd_json_set_int(dict, "min_ram", image->min_ram);
    g_hash_table_iter_init(&iter, image->properties);
    while (g_hash_table_iter_next(&iter, &key, &value))
        nd_json_set_string(properties, key, value);
    nd_json_set(dict, "properties", properties);
    return dict;
}

NovaImageMeta *image_service_meta(Agent *agent, const RpcContext *context, const char *image_id, GError **error)
{
    g_autoptr(GlanceImage) image = image_service_show(agent, context, image_id, error);
    if (image == NULL)
        return NULL;
    g_autoptr(NdJson) dict = image_dict(image);
    return nova_image_meta_from_dict(dict, error);
}

bool image_service_update(Agent *agent, const RpcContext *context, const char *image_id, NdJson *members, GError **error)
{
    g_autoptr(RestAuth) auth = network_user_auth(agent, context);
    GError *failure = NULL;
    return glance_update_image(agent->glance, auth, image_id, members, &failure) || image_service_name_failure(image_id, failure, error);
}

bool image_service_upload(Agent *agent, const RpcContext *context, const char *image_id, const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(RestAuth) auth = network_user_auth(agent, context);
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return virt_error_set_errno(error, errno, "open '%s'", path);
    GError *failure = NULL;
    if (fstat(fd, &status) != 0) {
        virt_error_set_errno(error, errno, "look at '%s'", path);
        close(fd);
        return false;
    }
    if (!virt_disk_ops_begin(cancellable, error)) {
        close(fd);
        return false;
    }
    bool done = glance_upload(agent->glance, auth, image_id, fd, status.st_size, cancellable, &failure);
    virt_disk_ops_end();
    close(fd);
    return done || image_service_name_failure(image_id, failure, error);
}

bool image_service_delete(Agent *agent, const RpcContext *context, const char *image_id, GError **error)
{
    g_autoptr(RestAuth) auth = network_user_auth(agent, context);
    GError *failure = NULL;
    if (glance_delete_image(agent->glance, auth, image_id, &failure))
        return true;
    if (!g_error_matches(failure, REST_ERROR, REST_ERROR_CONFLICT))
        return image_service_name_failure(image_id, failure, error);
    nova_exception_set_text(error, NOVA_EXC_IMAGE_DELETE_CONFLICT, failure->message, "reason", failure->message, NULL);
    g_error_free(failure);
    return false;
}

void image_service_discard(Agent *agent, const RpcContext *context, const char *image_id)
{
    g_autoptr(GError) error = NULL;
    nd_debug(LOGGER, "Cleaning up image %s", image_id);
    if (!image_service_delete(agent, context, image_id, &error) && !nova_exception_matches(error, NOVA_EXC_IMAGE_NOT_FOUND))
        nd_warning(LOGGER, "Error while trying to clean up image %s: %s", image_id, error->message);
}

void image_service_discard_unless_active(Agent *agent, const RpcContext *context, const char *image_id)
{
    g_autoptr(GlanceImage) image = image_service_show(agent, context, image_id, NULL);
    if (image != NULL && g_strcmp0(image->status, "active") != 0)
        image_service_discard(agent, context, image_id);
}

/* --- downloads --- */

/* As a build names what is wrong with an image's bytes. */
static void name_download_failure(const char *image_id, GError *failure /* takes */, GError **error)
{
    bool no_data = g_error_matches(failure, REST_ERROR, REST_ERROR_BAD_ANSWER) && rest_error_status(failure) == 204;
    if (g_error_matches(failure, REST_ERROR, REST_ERROR_HASH) || g_error_matches(failure, REST_ERROR, REST_ERROR_TOO_LARGE) || no_data) {
        nova_exception_set(error, NOVA_EXC_IMAGE_UNACCEPTABLE, "image_id", image_id, "reason", failure->message, NULL);
        g_error_free(failure);
    } else {
        image_service_name_failure(image_id, failure, error);
    }
}

static bool download_to_fd(const ImageDownload *download, int fd, GError **error)
{
    g_autoptr(RestAuth) auth = network_user_auth(download->agent, download->context);
    g_autoptr(GlanceImage) image = NULL;
    GlanceDownloadOptions options = {.cancellable = download->cancellable};
    if (!glance_show_image(download->agent->glance, auth, download->image_id, &image, error))
        return false;
    if (g_strcmp0(image->status, "active") != 0) {
        nova_exception_set(error, NOVA_EXC_IMAGE_NOT_ACTIVE, "image_id", download->image_id, NULL);
        return false;
    }
    return glance_download(download->agent->glance, auth, image, fd, &options, error);
}

bool image_service_download(const char *path, gpointer data, GError **error)
{
    ImageDownload *download = data;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return virt_error_set_errno(error, errno, "open '%s'", path);
    GError *failure = NULL;
    download->begun = true;
    bool done = download_to_fd(download, fd, &failure);
    if (close(fd) != 0 && done) {
        done = false;
        virt_error_set_errno(&failure, errno, "close '%s'", path);
    }
    if (done)
        return true;
    unlink(path);
    if (failure->domain == REST_ERROR)
        name_download_failure(download->image_id, failure, error);
    else
        g_propagate_error(error, failure);
    return false;
}
