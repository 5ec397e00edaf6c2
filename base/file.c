/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/file.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define READ_LIMIT_DEFAULT (1024 * 1024)
/* Folders below each other in one tree to remove: each level costs a descriptor and some stack. */
#define TREE_DEPTH_LIMIT 200

/* A descriptor that closes itself at the end of its scope. */
static void auto_fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define auto_fd __attribute__((cleanup(auto_fd_close))) int

bool nd_dir_sync(const char *path, GError **error)
{
    auto_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return nd_error_set_errno(error, errno, "open folder '%s'", path);
    if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
        return nd_error_set_errno(error, errno, "sync folder '%s'", path);
    return true;
}

static bool sync_parent(const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    return nd_dir_sync(directory, error);
}

/* Writes and syncs; errno tells the failure. */
static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        length -= (size_t)n;
    }
    return fsync(fd) == 0;
}

bool nd_file_write(const char *path, const void *data, size_t length, mode_t mode, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    auto_fd fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return nd_error_set_errno(error, errno, "make a file beside '%s'", path);
    if (!write_all(fd, data, length) || fchmod(fd, mode) != 0 || rename(temporary, path) != 0) {
        int errnum = errno;
        g_unlink(temporary);
        return nd_error_set_errno(error, errnum, "write '%s'", path);
    }
    return sync_parent(path, error);
}

bool nd_file_read(const char *path, size_t limit, char **data, size_t *length, GError **error)
{
    if (limit == 0)
        limit = READ_LIMIT_DEFAULT;
    auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0)
        return nd_error_set_errno(error, errno, "open '%s'", path);
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, ND_ERROR, ND_ERROR_IO, "'%s' is not a regular file", path);
        return false;
    }
    /* The size of /proc and /sys files is not known before, so read until the end. */
    g_autoptr(GString) content = g_string_new(NULL);
    char buffer[16384];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return nd_error_set_errno(error, errno, "read '%s'", path);
        if (n == 0)
            break;
        g_string_append_len(content, buffer, n);
        if (content->len > limit) {
            g_set_error(error, ND_ERROR, ND_ERROR_LIMIT, "'%s' is over the limit of %zu bytes", path, limit);
            return false;
        }
    }
    if (length != NULL)
        *length = content->len;
    *data = g_string_free(g_steal_pointer(&content), false);
    return true;
}

bool nd_dir_make(const char *path, mode_t mode, GError **error)
{
    if (g_mkdir_with_parents(path, (int)mode) != 0)
        return nd_error_set_errno(error, errno, "make folder '%s'", path);
    return true;
}

bool nd_file_remove(const char *path, GError **error)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return nd_error_set_errno(error, errno, "remove '%s'", path);
    return true;
}

bool nd_file_rename(const char *from, const char *to, GError **error)
{
    if (rename(from, to) != 0)
        return nd_error_set_errno(error, errno, "rename '%s' to '%s'", from, to);
    return sync_parent(to, error);
}

static bool remove_at(int parent, const char *name, const char *path, dev_t device, int depth, GError **error);

/* Empties the open folder, whose descriptor it takes. */
static bool empty_folder(int fd, const char *path, dev_t device, int depth, GError **error)
{
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        int errnum = errno;
        close(fd);
        return nd_error_set_errno(error, errnum, "open folder '%s'", path);
    }
    bool ok = true;
    for (struct dirent *entry = readdir(folder); ok && entry != NULL; entry = readdir(folder)) {
        if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, ".."))
            continue;
        g_autofree char *child = g_build_filename(path, entry->d_name, NULL);
        ok = remove_at(fd, entry->d_name, child, device, depth + 1, error);
    }
    closedir(folder);
    return ok;
}

/* `path` is for messages only: everything goes by descriptor, so nobody can put a link in the way. */
static bool remove_at(int parent, const char *name, const char *path, dev_t device, int depth, GError **error)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return nd_error_set_errno(error, errno, "remove '%s'", path);

    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    if (fd < 0)
        return errno == ENOENT || nd_error_set_errno(error, errno, "open folder '%s'", path);
    if (fstat(fd, &info) != 0 || info.st_dev != device || depth > TREE_DEPTH_LIMIT) {
        close(fd);
        g_set_error(error, ND_ERROR, ND_ERROR_IO, "folder '%s' is on another file system or too deep to remove", path);
        return false;
    }
    if (!empty_folder(fd, path, device, depth, error))
        return false;
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return nd_error_set_errno(error, errno, "remove folder '%s'", path);
    return true;
}

bool nd_tree_remove(const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    if (g_str_equal(name, ".") || g_str_equal(name, "..") || g_str_equal(name, "/")) {
        g_set_error(error, ND_ERROR, ND_ERROR_ARGUMENT, "refusing to remove '%s'", path);
        return false;
    }
    auto_fd parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT || nd_error_set_errno(error, errno, "open folder '%s'", directory);
    struct stat info;
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || nd_error_set_errno(error, errno, "look at '%s'", path);
    return remove_at(parent, name, path, info.st_dev, 0, error);
}

bool nd_file_space(const char *path, NdFileSpace *space, GError **error)
{
    struct statvfs info;
    if (statvfs(path, &info) != 0)
        return nd_error_set_errno(error, errno, "file system of '%s'", path);
    *space = (NdFileSpace){
        .total = (guint64)info.f_blocks * info.f_frsize,
        .free = (guint64)info.f_bfree * info.f_frsize,
        .available = (guint64)info.f_bavail * info.f_frsize,
    };
    return true;
}
