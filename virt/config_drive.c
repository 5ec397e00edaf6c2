/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "virt/config_drive.h"
#include "virt/error.h"
#include "virt/image.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VOLUME_ID "config-2" /* how cloud-init finds it */
#define VFAT_BYTES ((guint64)64 << 20)
#define TOOL_TIMEOUT_S 120

VirtFile *virt_file_new(const char *path, GBytes *content)
{
    VirtFile *file = g_new(VirtFile, 1);
    *file = (VirtFile){.path = g_strdup(path), .content = g_bytes_ref(content)};
    return file;
}

void virt_file_free(VirtFile *file)
{
    if (file == NULL)
        return;
    g_free(file->path);
    g_bytes_unref(file->content);
    g_free(file);
}

/* Relative, with no empty, "." or ".." part. */
static bool check_paths(GPtrArray *files, GError **error)
{
    for (guint i = 0; i < files->len; i++) {
        const VirtFile *file = g_ptr_array_index(files, i);
        g_auto(GStrv) parts = g_strsplit(file->path, "/", -1);
        bool good = parts[0] != NULL;
        for (char **part = parts; *part != NULL; part++)
            good = good && **part != '\0' && strcmp(*part, ".") != 0 && strcmp(*part, "..") != 0;
        if (!good) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "config drive: '%s' is no path within it", file->path);
            return false;
        }
    }
    return true;
}

/* Every folder above a file, each once, parents first. */
static GPtrArray *folders_of(GPtrArray *files)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < files->len; i++) {
        const char *path = ((const VirtFile *)g_ptr_array_index(files, i))->path;
        for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
            char *folder = g_strndup(path, (gsize)(slash - path));
            if (g_hash_table_contains(seen, folder)) {
                g_free(folder);
                continue;
            }
            g_hash_table_add(seen, folder);
            g_ptr_array_add(folders, folder);
        }
    }
    return folders;
}

/* --- ISO 9660 ------------------------------------------------------------------------------------------------------------------------------ */

static bool archive_fail(struct archive *archive, const char *what, GError **error)
{
    int errnum = archive_errno(archive);
    VirtError code = errnum == ENOSPC || errnum == EDQUOT ? VIRT_ERROR_NO_SPACE : VIRT_ERROR_CONFIG_DRIVE;
    const char *text = archive_error_string(archive);
    g_set_error(error, VIRT_ERROR, code, "config drive: %s: %s", what, text != NULL ? text : "unknown error");
    return false;
}

static bool write_entry(struct archive *archive, const char *path, GBytes *content, time_t now, GError **error)
{
    gsize length = 0;
    const void *bytes = content != NULL ? g_bytes_get_data(content, &length) : NULL;
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, content != NULL ? AE_IFREG : AE_IFDIR);
    archive_entry_set_perm(entry, content != NULL ? 0444 : 0555);
    archive_entry_set_size(entry, (la_int64_t)length);
    archive_entry_set_mtime(entry, now, 0);
    archive_entry_set_atime(entry, now, 0);
    archive_entry_set_ctime(entry, now, 0);
    bool written = archive_write_header(archive, entry) == ARCHIVE_OK && (length == 0 || archive_write_data(archive, bytes, length) == (la_ssize_t)length);
    archive_entry_free(entry);
    return written || archive_fail(archive, path, error);
}

static bool set_iso_options(struct archive *archive, const char *publisher, GError **error)
{
    const char *const options[][2] = {{"volume-id", VOLUME_ID}, {"rockridge", "useful"}, {"joliet", "1"}, {"iso-level", "2"}, {"publisher", publisher}};
    if (archive_write_set_format_iso9660(archive) != ARCHIVE_OK)
        return archive_fail(archive, "set format", error);
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i][1] != NULL && archive_write_set_format_option(archive, "iso9660", options[i][0], options[i][1]) != ARCHIVE_OK)
            return archive_fail(archive, options[i][0], error);
    return true;
}

static bool fill_iso(struct archive *archive, int fd, GPtrArray *files, const char *publisher, GError **error)
{
    time_t now = time(NULL);
    g_autoptr(GPtrArray) folders = folders_of(files);
    if (!set_iso_options(archive, publisher, error))
        return false;
    if (archive_write_open_fd(archive, fd) != ARCHIVE_OK)
        return archive_fail(archive, "open", error);
    for (guint i = 0; i < folders->len; i++)
        if (!write_entry(archive, g_ptr_array_index(folders, i), NULL, now, error))
            return false;
    for (guint i = 0; i < files->len; i++) {
        const VirtFile *file = g_ptr_array_index(files, i);
        if (!write_entry(archive, file->path, file->content, now, error))
            return false;
    }
    return archive_write_close(archive) == ARCHIVE_OK || archive_fail(archive, "write", error);
}

/* libarchive brings the volume id and the publisher of the primary volume descriptor into the letters that ISO 9660 allows ("CONFIG_2"); genisoimage, as
 * upstream calls it, does not, and a guest that reads only that descriptor (busybox blkid) would not find the label. ECMA-119 section 8.4. */
static bool write_names(int fd, const char *publisher, GError **error)
{
    enum { DESCRIPTOR = 16 * 2048, VOLUME = 40, VOLUME_LENGTH = 32, PUBLISHER = 318, PUBLISHER_LENGTH = 128, LENGTH = PUBLISHER + PUBLISHER_LENGTH };
    char bytes[LENGTH];
    if (pread(fd, bytes, LENGTH, DESCRIPTOR) != LENGTH || memcmp(bytes, "\1CD001", 6) != 0) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_CONFIG_DRIVE, "config drive: the volume descriptor is not where it belongs");
        return false;
    }
    memset(bytes + VOLUME, ' ', VOLUME_LENGTH);
    memcpy(bytes + VOLUME, VOLUME_ID, strlen(VOLUME_ID));
    if (publisher != NULL) {
        memset(bytes + PUBLISHER, ' ', PUBLISHER_LENGTH);
        memcpy(bytes + PUBLISHER, publisher, MIN(strlen(publisher), (size_t)PUBLISHER_LENGTH));
    }
    if (pwrite(fd, bytes, LENGTH, DESCRIPTOR) == LENGTH)
        return true;
    return virt_error_set_errno(error, errno, "config drive: write the volume descriptor");
}

static bool write_iso(const char *path, GPtrArray *files, const char *publisher, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return virt_error_set_errno(error, errno, "create '%s'", path);
    struct archive *archive = archive_write_new();
    bool written = fill_iso(archive, fd, files, publisher, error);
    archive_write_free(archive);
    written = written && write_names(fd, publisher, error);
    if (written && fdatasync(fd) < 0)
        written = virt_error_set_errno(error, errno, "sync '%s'", path);
    close(fd);
    return written;
}

/* --- VFAT ---------------------------------------------------------------------------------------------------------------------------------- */

static bool run_tool(const char *const *argv, GError **error)
{
    const char *const env[] = {"MTOOLS_SKIP_CHECK=1", "MTOOLSRC=/dev/null", NULL};
    NdSubprocess process = {.argv = argv, .env = env, .timeout_s = TOOL_TIMEOUT_S};
    g_autoptr(GError) failure = NULL;
    if (nd_subprocess_run(&process, NULL, &failure))
        return true;
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_CONFIG_DRIVE, "config drive: %s", failure->message);
    return false;
}

/* The files as they shall be, in a folder of the host; only we may look into it, as there may be a password. */
static bool write_tree(const char *root, GPtrArray *files, GError **error)
{
    g_autoptr(GPtrArray) folders = folders_of(files);
    for (guint i = 0; i < folders->len; i++) {
        g_autofree char *folder = g_build_filename(root, g_ptr_array_index(folders, i), NULL);
        if (!nd_dir_make(folder, 0700, error))
            return false;
    }
    for (guint i = 0; i < files->len; i++) {
        const VirtFile *file = g_ptr_array_index(files, i);
        g_autofree char *path = g_build_filename(root, file->path, NULL);
        gsize length;
        const void *bytes = g_bytes_get_data(file->content, &length);
        if (!nd_file_write(path, bytes, length, 0600, error))
            return false;
    }
    return true;
}

static bool copy_tree(const char *image, const char *root, GError **error)
{
    g_autoptr(GDir) directory = g_dir_open(root, 0, NULL);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    static const char *const fixed[] = {"mcopy", "-s", "-Q", "-i"};
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_ptr_array_add(argv, g_strdup(fixed[i]));
    g_ptr_array_add(argv, g_strdup(image));
    guint before = argv->len;
    for (const char *name = directory != NULL ? g_dir_read_name(directory) : NULL; name != NULL; name = g_dir_read_name(directory))
        g_ptr_array_add(argv, g_build_filename(root, name, NULL));
    if (argv->len == before)
        return true;
    g_ptr_array_add(argv, g_strdup("::/"));
    g_ptr_array_add(argv, NULL);
    return run_tool((const char *const *)argv->pdata, error);
}

static bool fill_vfat(const char *path, const char *root, GPtrArray *files, GError **error)
{
    const char *const format[] = {"mkfs.vfat", "-n", VOLUME_ID, path, NULL};
    return virt_image_create(path, VIRT_IMAGE_RAW, VFAT_BYTES, NULL, error) && run_tool(format, error) && write_tree(root, files, error) &&
        copy_tree(path, root, error);
}

static bool write_vfat(const char *path, GPtrArray *files, GError **error)
{
    g_autofree char *root = g_strconcat(path, ".d", NULL);
    if (!nd_tree_remove(root, error) || !nd_dir_make(root, 0700, error))
        return false;
    bool written = fill_vfat(path, root, files, error);
    nd_tree_remove(root, NULL);
    return written;
}

bool virt_config_drive_write(const char *path, VirtConfigDriveFormat format, GPtrArray *files, const char *publisher, GError **error)
{
    if (!check_paths(files, error))
        return false;
    g_autofree char *temporary = g_strconcat(path, ".tmp", NULL);
    unlink(temporary); /* of an earlier try */
    bool written = format == VIRT_CONFIG_DRIVE_VFAT ? write_vfat(temporary, files, error) : write_iso(temporary, files, publisher, error);
    if (written && nd_file_rename(temporary, path, error))
        return true;
    unlink(temporary);
    return false;
}
