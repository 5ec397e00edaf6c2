/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "virt/disk_ops.h"
#include "virt/error.h"
#include "virt/image_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void virt_image_cache_clear(VirtImageCache *cache)
{
    g_clear_pointer(&cache->instances_path, g_free);
    g_clear_pointer(&cache->subdirectory, g_free);
    g_clear_pointer(&cache->vmdk_types, g_strfreev);
}

char *virt_image_cache_name(const char *image_id)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA1, image_id, -1);
}

char *virt_image_cache_path(const VirtImageCache *cache, const char *name)
{
    return g_build_filename(cache->instances_path, cache->subdirectory, name, NULL);
}

NdFileLock *virt_image_cache_lock(const VirtImageCache *cache, const char *name, GCancellable *cancellable, GError **error)
{
    g_autofree char *directory = g_build_filename(cache->instances_path, "locks", NULL);
    g_autofree char *path = nd_file_lock_path(directory, "nova", name);
    return nd_file_lock_take(path, -1, cancellable, error);
}

bool virt_image_cache_touch(const char *path)
{
    return utimensat(AT_FDCWD, path, NULL, 0) == 0;
}

/* Formats that need no conversion when raw is forced. */
static bool is_raw(const VirtImageInfo *info)
{
    return strcmp(virt_image_format_qemu(info->format), "raw") == 0;
}

/* A conversion writes at least what the image takes now. More cannot be known (zeros stay holes), and asking for the virtual size would refuse images that
 * fit. */
static bool check_space(const char *path, const VirtImageInfo *info, GError **error)
{
    NdFileSpace space;
    guint64 allocated;
    if (!nd_file_space(path, &space, error) || !virt_image_allocated(path, &allocated, error))
        return false;
    guint64 needed = MIN(allocated, info->virtual_size);
    if (needed <= space.available)
        return true;
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_NO_SPACE, "no space to convert the image: %" G_GUINT64_FORMAT " bytes needed, %" G_GUINT64_FORMAT " available",
        needed, space.available);
    return false;
}

/* path.part -> path.converted, raw. */
static bool convert_to_raw(const VirtImageCache *cache, const char *part, const char *converted, GCancellable *cancellable, VirtImageInfo *info,
    GError **error)
{
    if (!check_space(part, info, error) ||
        !virt_image_convert(part, info->format, converted, VIRT_IMAGE_RAW, false, &cache->limits, cancellable, error))
        return false;
    g_auto(VirtImageInfo) raw = {0};
    if (!virt_image_inspect(converted, &raw, error))
        return false;
    if (!is_raw(&raw)) { /* an image within the image: the guest's disk would be taken for qcow2 */
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "converted to raw, but format is now %s", virt_image_format_name(raw.format));
        return false;
    }
    virt_image_info_clear(info);
    *info = raw;
    raw = (VirtImageInfo){0};
    return true;
}

static bool sync_file(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return virt_error_set_errno(error, errno, "open '%s'", path);
    bool synced = fdatasync(fd) == 0;
    int errnum = errno;
    close(fd);
    return synced || virt_error_set_errno(error, errnum, "sync '%s'", path);
}

static bool download(const VirtImageRequest *request, const char *part, GError **error)
{
    if (!virt_disk_ops_begin(request->cancellable, error))
        return false;
    bool done = request->download(part, request->user_data, error);
    virt_disk_ops_end();
    if (!done)
        g_prefix_error(error, "download image %s: ", request->image_id);
    return done;
}

/* The operator may allow less than what is safe. */
static bool check_vmdk_type(const VirtImageCache *cache, const VirtImageInfo *info, GError **error)
{
    if (info->format != VIRT_IMAGE_VMDK || cache->vmdk_types == NULL)
        return true;
    if (info->subformat != NULL && g_strv_contains((const char *const *)cache->vmdk_types, info->subformat))
        return true;
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "Invalid VMDK create-type specified: '%s' is not among [compute]vmdk_allowed_types",
        info->subformat != NULL ? info->subformat : "(none)");
    return false;
}

/* Download, check, convert into path; lock held. */
static bool fetch_to(const VirtImageCache *cache, const VirtImageRequest *request, const char *path, const char *part, const char *converted,
    VirtImageInfo *info, GError **error)
{
    if (!download(request, part, error))
        return false;
    const char *ready = part;
    if (!request->plain) {
        if (!virt_image_check(part, request->disk_format, request->max_virtual_size, info, error) || !check_vmdk_type(cache, info, error))
            return false;
        if (!is_raw(info) && !virt_image_confirm(part, info, &cache->limits, error))
            return false;
        if (!is_raw(info) && cache->force_raw_images) {
            if (!convert_to_raw(cache, part, converted, request->cancellable, info, error))
                return false;
            ready = converted;
        }
    }
    return sync_file(ready, error) && nd_file_rename(ready, path, error);
}

static bool fetch(const VirtImageCache *cache, const VirtImageRequest *request, const char *path, GError **error)
{
    g_autofree char *part = g_strconcat(path, ".part", NULL), *converted = g_strconcat(path, ".converted", NULL);
    g_auto(VirtImageInfo) info = {0};
    /* What a crash left of an earlier try. */
    unlink(part);
    unlink(converted);
    bool fetched = fetch_to(cache, request, path, part, converted, &info, error);
    unlink(part);
    unlink(converted);
    return fetched;
}

/* What the cached file is now. Checked each time, as upstream: the rules may have become stricter since it was fetched. */
static bool inspect_cached(const VirtImageCache *cache, const char *path, const VirtImageRequest *request, VirtImageInfo *info, GError **error)
{
    g_auto(VirtImageInfo) found = {0};
    if (!virt_image_inspect(path, &found, error))
        return false;
    if (request->plain)
        found.format = VIRT_IMAGE_RAW;
    else if (found.unsafe != NULL) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT, "cached image '%s' does not pass safety check: %s", path, found.unsafe);
        return false;
    } else if (!check_vmdk_type(cache, &found, error)) {
        return false;
    }
    if (request->max_virtual_size > 0 && found.virtual_size > request->max_virtual_size) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_TOO_SMALL,
            "flavor's disk is too small for requested image: flavor disk is %" G_GUINT64_FORMAT " bytes, image is %" G_GUINT64_FORMAT " bytes",
            request->max_virtual_size, found.virtual_size);
        return false;
    }
    *info = found;
    found = (VirtImageInfo){0};
    return true;
}

static bool make_directory(const VirtImageCache *cache, GError **error)
{
    g_autofree char *directory = g_build_filename(cache->instances_path, cache->subdirectory, NULL);
    return nd_dir_make(directory, 0755, error);
}

bool virt_image_cache_get(const VirtImageCache *cache, const VirtImageRequest *request, char **path, VirtImageInfo *info, GError **error)
{
    g_autofree char *name = virt_image_cache_name(request->image_id), *cached = virt_image_cache_path(cache, name);
    if (!make_directory(cache, error))
        return false;
    if (access(cached, F_OK) < 0) {
        g_autoptr(NdFileLock) lock = virt_image_cache_lock(cache, name, request->cancellable, error);
        if (lock == NULL)
            return false;
        /* Somebody else, here or on another node, may have fetched it while we waited. */
        if (access(cached, F_OK) < 0 && !fetch(cache, request, cached, error))
            return false;
    }
    if (!inspect_cached(cache, cached, request, info, error))
        return false;
    virt_image_cache_touch(cached);
    *path = g_steal_pointer(&cached);
    return true;
}
