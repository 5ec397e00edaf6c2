/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/subprocess.h"
#include "virt/disk_ops.h"
#include "virt/error.h"
#include "virt/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INFO_OUTPUT_LIMIT (256 * 1024)
#define GIB ((guint64)1 << 30)

/* qemu-img's failures by what its text says. */
static bool translate(GError *failure, GError **error)
{
    if (strstr(failure->message, "No space left on device") != NULL || strstr(failure->message, "Disk quota exceeded") != NULL)
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_NO_SPACE, failure->message);
    else if (g_error_matches(failure, ND_ERROR, ND_ERROR_CANCELLED))
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_CANCELLED, failure->message);
    else
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_FAILED, failure->message);
    return false;
}

static bool run(const char *const *argv, const VirtImageLimits *limits, GCancellable *cancellable, GError **error)
{
    NdSubprocess process = {.argv = argv, .timeout_s = limits != NULL ? (guint)MAX(limits->timeout_s, 0) : 0, .cancellable = cancellable};
    g_autoptr(GError) failure = NULL;
    return nd_subprocess_run(&process, NULL, &failure) || translate(failure, error);
}

/* QEMU takes "protocol:..." and "json:..." for something else than a file name. */
static bool check_path(const char *path, GError **error)
{
    if (path[0] == '/')
        return true;
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "image path '%s' is not absolute", path);
    return false;
}

/* A comma ends a value in QEMU's option syntax; doubled it stands for itself. */
static char *escape_option(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    return g_strjoinv(",,", parts);
}

bool virt_image_confirm(const char *path, const VirtImageInfo *info, const VirtImageLimits *limits, GError **error)
{
    const char *format = virt_image_format_qemu(info->format);
    const char *argv[] = {"qemu-img", "info", "--force-share", "--output=json", "-f", format, path, NULL};
    NdSubprocess process = {
        .argv = argv,
        .output_limit = INFO_OUTPUT_LIMIT,
        .timeout_s = 300,
        .address_space_limit = limits != NULL ? (guint64)limits->address_space_gib * GIB : 0,
        .cpu_time_limit_s = limits != NULL ? (guint)limits->cpu_time_s : 0,
    };
    g_autoptr(NdSubprocessResult) result = NULL;
    g_autoptr(GError) failure = NULL;
    g_autoptr(NdJson) answer = NULL;
    if (!check_path(path, error))
        return false;
    if (!nd_subprocess_run(&process, &result, &failure)) {
        VirtError code = g_error_matches(failure, ND_ERROR, ND_ERROR_NOT_FOUND) ? VIRT_ERROR_FAILED : VIRT_ERROR_IMAGE_UNACCEPTABLE;
        g_set_error(error, VIRT_ERROR, code, "qemu-img does not read the image: %s", failure->message);
        return false;
    }
    if (!nd_json_parse(result->out, result->out_length, NULL, &answer, &failure)) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "answer of qemu-img info: %s", failure->message);
        return false;
    }
    NdJson *data = nd_json_object(nd_json_object(answer, "format-specific"), "data");
    bool agree = g_strcmp0(nd_json_string(answer, "format", NULL), format) == 0 && nd_json_member(answer, "backing-filename") == NULL &&
        nd_json_member(data, "data-file") == NULL && (guint64)nd_json_int(answer, "virtual-size", -1) == info->virtual_size;
    if (!agree)
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "qemu-img reads the image in another way than its header says (%s, %" G_GUINT64_FORMAT
            " bytes)", format, info->virtual_size);
    return agree;
}

/* Whether O_DIRECT works in the folder of `path`: then qemu-img writes past the page cache. tmpfs has none on older kernels. */
static bool has_direct_io(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    void *block = NULL;
    bool works = posix_memalign(&block, 4096, 4096) == 0;
    if (works) {
        memset(block, 0, 4096);
        works = write(fd, block, 4096) == 4096;
    }
    free(block);
    close(fd);
    return works;
}

bool virt_image_convert(const char *source, VirtImageFormat in_format, const char *destination, VirtImageFormat out_format, bool compress,
    const VirtImageLimits *limits, GCancellable *cancellable, GError **error)
{
    if (!check_path(source, error) || !check_path(destination, error))
        return false;
    const char *argv[14];
    size_t n = 0;
    const char *const fixed[] = {"qemu-img", "convert", "-t", has_direct_io(destination) ? "none" : "writeback", "-O",
        virt_image_format_qemu(out_format), "-f", virt_image_format_qemu(in_format)};
    for (; n < G_N_ELEMENTS(fixed); n++)
        argv[n] = fixed[n];
    if (compress)
        argv[n++] = "-c";
    argv[n++] = source;
    argv[n++] = destination;
    argv[n] = NULL;
    if (!virt_disk_ops_begin(cancellable, error))
        return false;
    bool converted = run(argv, limits, cancellable, error);
    virt_disk_ops_end();
    if (converted)
        return true;
    unlink(destination);
    g_prefix_error(error, "convert '%s' to %s: ", source, virt_image_format_name(out_format));
    return false;
}

bool virt_image_create_overlay(const char *path, const char *backing, const VirtImageInfo *backing_info, guint64 size,
    const VirtImageLimits *limits, GError **error)
{
    if (!check_path(path, error) || !check_path(backing, error))
        return false;
    g_autofree char *escaped = escape_option(backing), *size_text = size > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, size) : NULL;
    g_autoptr(GString) options = g_string_new(NULL);
    g_string_printf(options, "backing_file=%s,backing_fmt=%s", escaped, virt_image_format_qemu(backing_info->format));
    if (backing_info->cluster_size > 0)
        g_string_append_printf(options, ",cluster_size=%" G_GUINT64_FORMAT, backing_info->cluster_size);
    const char *argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", "-o", options->str, path, size_text, NULL};
    if (run(argv, limits, NULL, error))
        return true;
    unlink(path);
    g_prefix_error(error, "create overlay '%s' of '%s': ", path, backing);
    return false;
}

static bool create_raw(const char *path, guint64 size, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return virt_error_set_errno(error, errno, "create image '%s'", path);
    bool sized = ftruncate(fd, (off_t)size) == 0;
    int errnum = errno;
    close(fd);
    if (sized)
        return true;
    unlink(path);
    return virt_error_set_errno(error, errnum, "set size of image '%s'", path);
}

bool virt_image_create(const char *path, VirtImageFormat format, guint64 size, const VirtImageLimits *limits, GError **error)
{
    if (format == VIRT_IMAGE_RAW)
        return create_raw(path, size, error);
    if (!check_path(path, error))
        return false;
    g_autofree char *size_text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    const char *argv[] = {"qemu-img", "create", "-q", "-f", virt_image_format_qemu(format), path, size_text, NULL};
    if (run(argv, limits, NULL, error))
        return true;
    unlink(path);
    g_prefix_error(error, "create image '%s': ", path);
    return false;
}

bool virt_image_resize(const char *path, VirtImageFormat format, guint64 size, const VirtImageLimits *limits, GError **error)
{
    const char *qemu = virt_image_format_qemu(format);
    if (strcmp(qemu, "raw") == 0) {
        struct stat status;
        if (stat(path, &status) < 0)
            return virt_error_set_errno(error, errno, "stat image '%s'", path);
        if ((guint64)status.st_size < size && truncate(path, (off_t)size) < 0)
            return virt_error_set_errno(error, errno, "grow image '%s'", path);
        return true;
    }
    g_auto(VirtImageInfo) info = {0};
    if (!check_path(path, error) || !virt_image_inspect(path, &info, error))
        return false;
    if (info.format != format) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT, "disk '%s' is %s, not %s", path, virt_image_format_name(info.format),
            virt_image_format_name(format));
        return false;
    }
    if (info.virtual_size >= size)
        return true;
    g_autofree char *size_text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    const char *argv[] = {"qemu-img", "resize", "-q", "-f", qemu, path, size_text, NULL};
    if (run(argv, limits, NULL, error))
        return true;
    g_prefix_error(error, "grow image '%s': ", path);
    return false;
}

bool virt_image_rebase(const char *path, const char *backing, VirtImageFormat backing_format, bool unsafe_mode, const VirtImageLimits *limits,
    GCancellable *cancellable, GError **error)
{
    if (!check_path(path, error) || (backing != NULL && !check_path(backing, error)))
        return false;
    const char *argv[14];
    size_t n = 0;
    const char *const fixed[] = {"qemu-img", "rebase", "-q", "-f", "qcow2", "-b", backing != NULL ? backing : ""};
    for (; n < G_N_ELEMENTS(fixed); n++)
        argv[n] = fixed[n];
    if (backing != NULL) {
        argv[n++] = "-F";
        argv[n++] = virt_image_format_qemu(backing_format);
    }
    if (unsafe_mode)
        argv[n++] = "-u";
    argv[n++] = path;
    argv[n] = NULL;
    if (run(argv, limits, cancellable, error))
        return true;
    g_prefix_error(error, "rebase image '%s': ", path);
    return false;
}

bool virt_image_allocated(const char *path, guint64 *bytes, GError **error)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return virt_error_set_errno(error, errno, "stat '%s'", path);
    *bytes = (guint64)status.st_blocks * 512;
    return true;
}
