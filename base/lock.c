/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/lock.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * fasteners takes classic fcntl locks, which belong to a process. Ours are Linux' open-file-description locks: they conflict with classic
 * ones of other processes, and they belong to one descriptor, so threads exclude each other and closing another descriptor of the file
 * loses nothing.
 */
struct NdFileLock {
    int fd;
};

/* Between tries when a time limit or a cancellable must be watched; the kernel tells nobody when a lock gets free. fasteners sleeps 10 ms
 * to 100 ms as well. */
#define RETRY_FIRST_MS 10
#define RETRY_MOST_MS 100

char *nd_file_lock_path(const char *directory, const char *prefix, const char *name)
{
    g_autofree char *flat = g_strdelimit(g_strdup(name), "/", '_');
    if (prefix == NULL || *prefix == '\0')
        return g_build_filename(directory, flat, NULL);
    g_autofree char *file = g_strconcat(prefix, g_str_has_suffix(prefix, "-") ? "" : "-", flat, NULL);
    return g_build_filename(directory, file, NULL);
}

static int open_lock_file(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 && errno == ENOENT) {
        g_autofree char *directory = g_path_get_dirname(path);
        if (!nd_dir_make(directory, 0755, error))
            return -1;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    }
    if (fd < 0)
        nd_error_set_errno(error, errno, "open lock file '%s'", path);
    return fd;
}

/* One try, or a wait without end. 1: taken, 0: somebody else has it, -1: errno. */
static int try_lock(int fd, bool wait)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int status;
    do
        status = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
    while (status < 0 && errno == EINTR);
    if (status == 0)
        return 1;
    return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

/* Tries until the deadline (negative: none). */
static bool wait_for_lock(int fd, const char *path, gint64 timeout_us, GCancellable *cancellable, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + timeout_us;
    GPollFD cancel_fd = {.fd = -1};
    guint n_fds = g_cancellable_make_pollfd(cancellable, &cancel_fd) ? 1 : 0;
    int status, delay_ms = RETRY_FIRST_MS;
    bool cancelled, late = false;

    for (;;) {
        status = try_lock(fd, timeout_us < 0 && cancellable == NULL);
        cancelled = g_cancellable_is_cancelled(cancellable);
        late = timeout_us >= 0 && g_get_monotonic_time() >= deadline;
        if (status != 0 || cancelled || late)
            break;
        g_poll(&cancel_fd, n_fds, delay_ms);
        delay_ms = MIN(delay_ms * 2, RETRY_MOST_MS);
    }
    if (n_fds > 0)
        g_cancellable_release_fd(cancellable);
    if (status == 1)
        return true;
    if (status < 0)
        return nd_error_set_errno(error, errno, "lock file '%s'", path);
    if (cancelled)
        g_set_error(error, ND_ERROR, ND_ERROR_CANCELLED, "waiting for lock '%s' was cancelled", path);
    else
        g_set_error(error, ND_ERROR, ND_ERROR_TIMEOUT, "lock '%s' is held by another process or thread", path);
    return false;
}

NdFileLock *nd_file_lock_take(const char *path, gint64 timeout_us, GCancellable *cancellable, GError **error)
{
    int fd = open_lock_file(path, error);
    if (fd < 0)
        return NULL;
    if (!wait_for_lock(fd, path, timeout_us, cancellable, error)) {
        close(fd);
        return NULL;
    }
    NdFileLock *lock = g_new(NdFileLock, 1);
    lock->fd = fd;
    return lock;
}

void nd_file_lock_release(NdFileLock *lock)
{
    if (lock == NULL)
        return;
    close(lock->fd);
    g_free(lock);
}
