/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "virt/disk.h"
#include "virt/disk_info.h"
#include "virt/error.h"
#include "virt/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GIB ((guint64)1 << 30)
#define MIB ((guint64)1 << 20)

bool virt_disk_backend_from_config(const char *images_type, bool use_cow_images, VirtDiskBackend *backend, GError **error)
{
    static const struct {
        const char *type;
        VirtDiskBackend backend;
    } table[] = {{"qcow2", VIRT_DISK_BACKEND_QCOW2}, {"raw", VIRT_DISK_BACKEND_FLAT}, {"flat", VIRT_DISK_BACKEND_FLAT}};
    if (images_type == NULL || strcmp(images_type, "default") == 0) {
        *backend = use_cow_images ? VIRT_DISK_BACKEND_QCOW2 : VIRT_DISK_BACKEND_FLAT;
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(images_type, table[i].type) == 0) {
            *backend = table[i].backend;
            return true;
        }
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_NOT_SUPPORTED, "images_type '%s' is not supported", images_type);
    return false;
}

char *virt_disk_directory(const char *instances_path, const char *uuid)
{
    return g_build_filename(instances_path, uuid, NULL);
}

char *virt_disk_path(const char *instances_path, const char *uuid, const char *name)
{
    return g_build_filename(instances_path, uuid, name, NULL);
}

bool virt_disk_exists(const char *instances_path, const char *uuid)
{
    g_autofree char *directory = virt_disk_directory(instances_path, uuid);
    return g_file_test(directory, G_FILE_TEST_IS_DIR);
}

bool virt_disk_directory_create(const char *instances_path, const char *uuid, GError **error)
{
    g_autofree char *directory = virt_disk_directory(instances_path, uuid), *log = virt_disk_path(instances_path, uuid, "console.log");
    if (!nd_dir_make(directory, 0755, error))
        return false;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd >= 0)
        close(fd);
    else if (errno != EACCES) /* libvirt has taken it over */
        return virt_error_set_errno(error, errno, "create '%s'", log);
    return true;
}

/* --- making disks -------------------------------------------------------------------------------------------------------------------------- */

static bool preallocate(const VirtDiskOptions *options, const char *path, guint64 size, GError **error)
{
    if (!options->preallocate || size == 0)
        return true;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return virt_error_set_errno(error, errno, "open '%s'", path);
    int errnum = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == 0 ? 0 : errno;
    close(fd);
    /* A file system without fallocate: upstream warns and goes on. */
    return errnum == 0 || errnum == EOPNOTSUPP || virt_error_set_errno(error, errnum, "preallocate '%s'", path);
}

/* Disks made before resized base images were given up refer to `<base>_<GiB>`: that file must be there (upstream Qcow2.create_image). */
static bool make_legacy_base(const VirtDiskOptions *options, const char *path, const char *base, const VirtImageInfo *base_info, GError **error)
{
    g_auto(VirtImageInfo) info = {0};
    if (!virt_image_inspect(path, &info, error))
        return false;
    if (info.backing_file == NULL)
        return true;
    g_autofree char *name = g_path_get_basename(info.backing_file);
    const char *mark = strrchr(name, '_');
    guint64 gib;
    if (mark == NULL || !g_ascii_string_to_unsigned(mark + 1, 10, 1, G_MAXINT32, &gib, NULL))
        return true;
    g_autofree char *legacy = g_strdup_printf("%s_%" G_GUINT64_FORMAT, base, gib);
    if (access(legacy, F_OK) == 0)
        return true;
    if (!virt_file_copy(base, legacy, NULL, error))
        return false;
    if (virt_image_resize(legacy, base_info->format, gib * GIB, &options->cache->limits, error))
        return true;
    unlink(legacy);
    return false;
}

static bool grow(const VirtDiskOptions *options, const char *path, const char *format, guint64 size, GError **error)
{
    VirtImageFormat known = strcmp(format, "qcow2") == 0 ? VIRT_IMAGE_QCOW2 : VIRT_IMAGE_RAW;
    return size == 0 || virt_image_resize(path, known, size, &options->cache->limits, error);
}

/* A qcow2 overlay of a file in the cache; the cached file's lock is held while the overlay is made, as with upstream. */
static bool make_overlay(const VirtDiskOptions *options, const char *path, const char *base, const VirtImageInfo *info, guint64 size,
    GCancellable *cancellable, GError **error)
{
    g_autofree char *name = g_path_get_basename(base);
    g_autoptr(NdFileLock) lock = virt_image_cache_lock(options->cache, name, cancellable, error);
    return lock != NULL && virt_image_create_overlay(path, base, info, size, &options->cache->limits, error);
}

static bool make_copy(const VirtDiskOptions *options, const char *path, const char *base, GCancellable *cancellable, GError **error)
{
    g_autofree char *name = g_path_get_basename(base);
    g_autoptr(NdFileLock) lock = virt_image_cache_lock(options->cache, name, cancellable, error);
    return lock != NULL && virt_file_copy(base, path, cancellable, error);
}

/* The disk from a cached file. On failure a disk made here is removed. */
static bool make_disk(const VirtDiskOptions *options, const char *uuid, const char *path, const char *base, const VirtImageInfo *info, guint64 size,
    GCancellable *cancellable, GError **error)
{
    bool qcow2 = options->backend == VIRT_DISK_BACKEND_QCOW2, there = access(path, F_OK) == 0;
    const char *format = qcow2 || info->format == VIRT_IMAGE_QCOW2 ? "qcow2" : "raw";
    if (there && qcow2 && !make_legacy_base(options, path, base, info, error))
        return false;
    bool made = there || (qcow2 ? make_overlay(options, path, base, info, size, cancellable, error) : make_copy(options, path, base, cancellable, error));
    if (made && virt_disk_info_record(options->cache->instances_path, uuid, path, format, error) && grow(options, path, format, size, error) &&
        preallocate(options, path, size, error))
        return true;
    if (made && !there)
        unlink(path);
    return false;
}

bool virt_disk_create_from_image(const VirtDiskOptions *options, const char *uuid, const char *name, const VirtImageRequest *image, guint64 size,
    GError **error)
{
    g_autofree char *path = virt_disk_path(options->cache->instances_path, uuid, name), *base = NULL;
    g_auto(VirtImageInfo) info = {0};
    VirtImageRequest request = *image;
    if (size > 0 && (request.max_virtual_size == 0 || request.max_virtual_size > size))
        request.max_virtual_size = size;
    if (virt_disk_directory_create(options->cache->instances_path, uuid, error) &&
        virt_image_cache_get(options->cache, &request, &base, &info, error) &&
        make_disk(options, uuid, path, base, &info, size, request.cancellable, error))
        return true;
    g_prefix_error(error, "create disk '%s': ", name);
    return false;
}

/* A blank disk of the flat backend is made in place, without the cache. */
static bool make_flat_blank(const VirtDiskOptions *options, const char *uuid, const char *path, const VirtEphemeralRequest *ephemeral, guint64 swap_mib,
    GError **error)
{
    guint64 size = ephemeral != NULL ? ephemeral->size : swap_mib * MIB;
    bool there = access(path, F_OK) == 0;
    if (!there && !(ephemeral != NULL ? virt_ephemeral_make(path, ephemeral, error) : virt_swap_make(path, swap_mib, error)))
        return false;
    if (virt_disk_info_record(options->cache->instances_path, uuid, path, "raw", error) && grow(options, path, "raw", size, error) &&
        preallocate(options, path, size, error))
        return true;
    if (!there)
        unlink(path);
    return false;
}

static bool make_blank(const VirtDiskOptions *options, const char *uuid, const char *name, const VirtEphemeralRequest *ephemeral, guint64 swap_mib,
    GError **error)
{
    g_autofree char *path = virt_disk_path(options->cache->instances_path, uuid, name), *base = NULL;
    if (!virt_disk_directory_create(options->cache->instances_path, uuid, error))
        return false;
    if (options->backend == VIRT_DISK_BACKEND_FLAT)
        return make_flat_blank(options, uuid, path, ephemeral, swap_mib, error);
    bool cached = ephemeral != NULL ? virt_image_cache_get_ephemeral(options->cache, ephemeral, &base, error)
                                    : virt_image_cache_get_swap(options->cache, swap_mib, &base, error);
    g_auto(VirtImageInfo) info = {.format = VIRT_IMAGE_RAW}; /* made here, as raw; what a file system looks like does not matter */
    return cached && make_disk(options, uuid, path, base, &info, ephemeral != NULL ? ephemeral->size : swap_mib * MIB, NULL, error);
}

bool virt_disk_create_ephemeral(const VirtDiskOptions *options, const char *uuid, const char *name, const VirtEphemeralRequest *request,
    GError **error)
{
    bool made = make_blank(options, uuid, name, request, 0, error);
    if (!made)
        g_prefix_error(error, "create disk '%s': ", name);
    return made;
}

bool virt_disk_create_swap(const VirtDiskOptions *options, const char *uuid, const char *name, guint64 size_mib, GError **error)
{
    bool made = make_blank(options, uuid, name, NULL, size_mib, error);
    if (!made)
        g_prefix_error(error, "create disk '%s': ", name);
    return made;
}

bool virt_disk_create_plain(const VirtDiskOptions *options, const char *uuid, const char *name, const VirtImageRequest *image, GError **error)
{
    VirtDiskOptions flat = *options;
    flat.backend = VIRT_DISK_BACKEND_FLAT;
    VirtImageRequest plain = *image;
    plain.plain = true;
    return virt_disk_create_from_image(&flat, uuid, name, &plain, 0, error);
}

/* --- deleting and measuring ---------------------------------------------------------------------------------------------------------------- */

bool virt_disk_delete(const char *instances_path, const char *uuid, GError **error)
{
    if (*uuid == '\0' || strchr(uuid, '/') != NULL || strcmp(uuid, "..") == 0) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "'%s' is no instance directory", uuid);
        return false;
    }
    g_autofree char *target = virt_disk_directory(instances_path, uuid);
    g_autofree char *resize = g_strconcat(target, "_resize", NULL), *doomed = g_strconcat(target, "_del", NULL);
    /* The rename takes the instance away at once. A leftover of an interrupted delete is in its way, so that goes first; the second round is for a resize that
     * renamed the directory between the two tries. */
    for (int round = 0; round < 2; round++) {
        if (!nd_tree_remove(doomed, error))
            return false;
        if (rename(target, doomed) == 0 || rename(resize, doomed) == 0)
            break;
        if (errno != ENOENT)
            return virt_error_set_errno(error, errno, "rename '%s'", target);
    }
    /* What a resize that ended badly has kept. */
    return nd_tree_remove(doomed, error) && nd_tree_remove(resize, error);
}

bool virt_disk_usage(const char *path, const char *format, VirtDiskUsage *usage, GError **error)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return virt_error_set_errno(error, errno, "stat '%s'", path);
    VirtDiskUsage found = {.format = VIRT_IMAGE_RAW, .virtual_size = (guint64)status.st_size, .allocated = (guint64)status.st_blocks * 512};
    if (strcmp(format, "qcow2") == 0) {
        g_auto(VirtImageInfo) info = {0};
        if (!virt_image_inspect(path, &info, error))
            return false;
        if (info.format != VIRT_IMAGE_QCOW2) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT, "disk '%s' is not qcow2", path);
            return false;
        }
        found.format = VIRT_IMAGE_QCOW2;
        found.virtual_size = info.virtual_size;
        found.over_committed = MAX((gint64)found.virtual_size - (gint64)found.allocated, 0);
    } else
        found.over_committed = (gint64)found.virtual_size - (gint64)found.allocated;
    found.path = g_strdup(path);
    *usage = found;
    return true;
}

void virt_disk_usage_clear(VirtDiskUsage *usage)
{
    g_clear_pointer(&usage->path, g_free);
}
