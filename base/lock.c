/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/lock.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * fasteners takes classic fcntl locks, which belong to a process. Ours are Linux' open-file-description locks: they conflict with classic
 * ones of other processes, and they belong to one descriptor, so that closing another descriptor of the file loses nothing. Threads of
 * this process queue at a gate before they try the file: there a waiter is woken when its turn comes.
 */
struct NdFileLock {
    int fd;
    char *path;
};

static struct {
    GMutex mutex;
    GCond changed;
    GHashTable *held; /* paths that a thread of this process holds, or tries */
} gate;

/* Between tries of a file that another process has locked; the kernel tells nobody when a lock gets free without blocking the thread
 * beyond time limit and cancellable. fasteners sleeps 10 ms to 100 ms as well. */
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

/* 1: taken, 0: somebody else has it, -1: errno. */
static int try_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 1;
    return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

static bool fail_waiting(const char *path, bool cancelled, GError **error)
{
    if (cancelled)
        g_set_error(error, ND_ERROR, ND_ERROR_CANCELLED, "waiting for lock '%s' was cancelled", path);
    else
        g_set_error(error, ND_ERROR, ND_ERROR_TIMEOUT, "lock '%s' is held by another process or thread", path);
    return false;
}

static void wake_waiters(GCancellable *cancellable G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    g_mutex_lock(&gate.mutex);
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.mutex);
}

static void leave_gate(const char *path)
{
    g_mutex_lock(&gate.mutex);
    g_hash_table_remove(gate.held, path);
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.mutex);
}

/* Waits until no other thread of this process has the path; it is this thread's then. deadline: monotonic, G_MAXINT64 for none. */
static bool enter_gate(const char *path, gint64 deadline, GCancellable *cancellable, GError **error)
{
    gulong handler = cancellable != NULL ? g_cancellable_connect(cancellable, G_CALLBACK(wake_waiters), NULL, NULL) : 0;
    bool late = false, cancelled;

    g_mutex_lock(&gate.mutex);
    if (gate.held == NULL)
        gate.held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    while (!(cancelled = g_cancellable_is_cancelled(cancellable)) && !late && g_hash_table_contains(gate.held, path)) {
        if (deadline == G_MAXINT64)
            g_cond_wait(&gate.changed, &gate.mutex);
        else
            late = !g_cond_wait_until(&gate.changed, &gate.mutex, deadline);
    }
    bool entered = !cancelled && !g_hash_table_contains(gate.held, path);
    if (entered)
        g_hash_table_add(gate.held, g_strdup(path));
    g_mutex_unlock(&gate.mutex);
    g_cancellable_disconnect(cancellable, handler);
    return entered || fail_waiting(path, cancelled, error);
}

/* Tries until the deadline. */
static bool wait_for_lock(int fd, const char *path, gint64 deadline, GCancellable *cancellable, GError **error)
{
    GPollFD cancel_fd = {.fd = -1};
    guint n_fds = g_cancellable_make_pollfd(cancellable, &cancel_fd) ? 1 : 0;
    int status, delay_ms = RETRY_FIRST_MS;
    bool cancelled;

    for (;;) {
        status = try_lock(fd);
        cancelled = g_cancellable_is_cancelled(cancellable);
        if (status != 0 || cancelled || g_get_monotonic_time() >= deadline)
            break;
        g_poll(&cancel_fd, n_fds, delay_ms);
        delay_ms = MIN(delay_ms * 2, RETRY_MOST_MS);
    }
    if (n_fds > 0)
        g_cancellable_release_fd(cancellable);
    if (status < 0)
        return nd_error_set_errno(error, errno, "lock file '%s'", path);
    return status == 1 || fail_waiting(path, cancelled, error);
}

/* Whether the descriptor is still the file of that name: while we waited it may have been removed by its holder. */
static bool is_current(int fd, const char *path)
{
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* The locked file, -1 on failure. */
static int open_locked(const char *path, gint64 deadline, GCancellable *cancellable, GError **error)
{
    for (;;) {
        int fd = open_lock_file(path, error);
        if (fd < 0)
            return -1;
        bool locked = wait_for_lock(fd, path, deadline, cancellable, error);
        if (locked && is_current(fd, path))
            return fd;
        close(fd);
        if (!locked)
            return -1;
    }
}

NdFileLock *nd_file_lock_take(const char *path, gint64 timeout_us, GCancellable *cancellable, GError **error)
{
    gint64 deadline = timeout_us < 0 ? G_MAXINT64 : g_get_monotonic_time() + timeout_us;
    if (!enter_gate(path, deadline, cancellable, error))
        return NULL;
    int fd = open_locked(path, deadline, cancellable, error);
    if (fd < 0) {
        leave_gate(path);
        return NULL;
    }
    NdFileLock *lock = g_new(NdFileLock, 1);
    *lock = (NdFileLock){fd, g_strdup(path)};
    return lock;
}

void nd_file_lock_release(NdFileLock *lock)
{
    if (lock == NULL)
        return;
    close(lock->fd);
    leave_gate(lock->path);
    g_free(lock->path);
    g_free(lock);
}

void nd_file_lock_remove(NdFileLock *lock)
{
    if (lock != NULL)
        unlink(lock->path);
    nd_file_lock_release(lock);
}
