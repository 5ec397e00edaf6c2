/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/image_service.h"
#include "agent/method_args.h"
#include "agent/operations.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/error.h"
#include "virt/image_cache.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/*
 * cache_images: images are fetched before anybody boots from them (POST /os-aggregates/ID/images). nova-conductor asks [image_cache]precache_concurrency
 * hosts at a time, counts the answers and sends the aggregate's notifications; a compute has nothing to do with either. The answer is image id -> "cached"
 * (fetched now), "existing" or "error"; libvirt's driver never says "unsupported" (upstream nova/compute/manager.py, nova/virt/libvirt/driver.py).
 */
#define LOGGER "nova.compute.manager"

/* The kernel and the ramdisk of an image are bytes for QEMU, which nobody converts. */
static bool is_plain(const char *disk_format)
{
    return g_strcmp0(disk_format, "aki") == 0 || g_strcmp0(disk_format, "ari") == 0;
}

static bool fetch(Operation *operation, const char *image_id, bool *fetched, GError **error)
{
    Agent *agent = operation->agent;
    g_autoptr(GlanceImage) image = image_service_show(agent, operation->context, image_id, error);
    g_autofree char *path = NULL;
    g_auto(VirtImageInfo) info = {0};
    ImageDownload download = {agent, operation->context, image_id, NULL, false};

    if (image == NULL)
        return false;
    VirtImageRequest request = {
        .image_id = image_id,
        .disk_format = image->disk_format,
        .plain = is_plain(image->disk_format),
        .download = image_service_download,
        .user_data = &download,
    };
    if (!virt_image_cache_get(agent->image_cache, &request, &path, &info, error))
        return false;
    *fetched = download.begun;
    return true;
}

/* Whether it is there already; then its time is now, so that it stays for who asked. A base that guests run on may be QEMU's, and is in use anyway. */
static bool touch(Operation *operation, const char *image_id, bool *there, GError **error)
{
    g_autofree char *name = virt_image_cache_name(image_id);
    g_autofree char *path = virt_image_cache_path(operation->agent->image_cache, name);

    *there = access(path, F_OK) == 0;
    if (!*there)
        return true;
    nd_info(LOGGER, "Image %s already cached; updating timestamp", image_id);
    return virt_image_cache_touch(path) || errno == EACCES || errno == EPERM || virt_error_set_errno(error, errno, "set the time of '%s'", path);
}

static const char *cache_one(Operation *operation, const char *image_id)
{
    g_autoptr(GError) error = NULL;
    bool there, fetched = false;

    if (touch(operation, image_id, &there, &error)) {
        if (there)
            return "existing";
        nd_info(LOGGER, "Caching image %s by request", image_id);
        if (fetch(operation, image_id, &fetched, &error))
            return fetched ? "cached" : "existing";
    }
    nd_err(LOGGER, "Failed to cache image %s: %s", image_id, error->message);
    return "error";
}

static bool check_ids(NdJson *ids, GError **error)
{
    for (size_t i = 0; i < json_object_array_length(ids); i++)
        if (!json_object_is_type(json_object_array_get_idx(ids, i), json_type_string)) {
            g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "cache_images() argument 'image_ids' has an element that is no string");
            return false;
        }
    return true;
}

/* One after the other, as upstream; what goes wrong with one says nothing about the next. */
static bool cache_all(Operation *operation, GError **error)
{
    NdJson *ids = method_args_json(operation->args, "image_ids"), *results;

    if (!check_ids(ids, error))
        return false;
    nd_info(LOGGER, "Caching %zu image(s) by request", json_object_array_length(ids));
    results = json_object_new_object();
    for (size_t i = 0; i < json_object_array_length(ids); i++) {
        const char *image_id = json_object_get_string(json_object_array_get_idx(ids, i));

        if (operation_stopping(operation)) {
            json_object_put(results);
            g_set_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING, "the compute service is stopping");
            return false;
        }
        nd_json_set_string(results, image_id, cache_one(operation, image_id));
    }
    operation_set_result(operation, results);
    return true;
}

static const OperationStep steps[] = {{"cache", NULL, NULL, cache_all, NULL}};

const OperationSpec operation_cache_images = {
    .method = "cache_images",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_NO_JOURNAL,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
};
