/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/subprocess.h"

#include <sys/wait.h>
#include <unistd.h>

static char *folder;

static char *lock_file(const char *name)
{
    g_autofree char *locks = g_build_filename(folder, "locks", NULL); /* made by the lock */
    return nd_file_lock_path(locks, "nova", name);
}

static void test_path(void)
{
    g_autofree char *a = nd_file_lock_path("/l", "nova", "storage/x"), *b = nd_file_lock_path("/l", "nova-", "y"),
                    *c = nd_file_lock_path("/l", NULL, "z");
    g_assert_cmpstr(a, ==, "/l/nova-storage_x");
    g_assert_cmpstr(b, ==, "/l/nova-y");
    g_assert_cmpstr(c, ==, "/l/z");
}

static void test_exclusive(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = lock_file("a");
    NdFileLock *first = nd_file_lock_take(path, 0, NULL, &error);
    g_assert_no_error(error);
    g_assert_null(nd_file_lock_take(path, 0, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_TIMEOUT);
    g_clear_error(&error);
    gint64 start = g_get_monotonic_time();
    g_assert_null(nd_file_lock_take(path, 50000, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_TIMEOUT);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 50000);
    g_clear_error(&error);
    nd_file_lock_release(first);
    g_autoptr(NdFileLock) second = nd_file_lock_take(path, -1, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    nd_file_lock_release(NULL);
}

static gpointer cancel_soon(gpointer cancellable)
{
    g_usleep(30000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void test_cancel(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = lock_file("b");
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(NdFileLock) held = nd_file_lock_take(path, 0, cancellable, &error);
    g_assert_nonnull(held);
    GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);
    g_assert_null(nd_file_lock_take(path, -1, cancellable, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_CANCELLED);
    g_thread_join(thread);
}

typedef struct {
    const char *path;
    int *inside;
    int *most;
} Race;

/* Threads of one process exclude each other. */
static gpointer race(gpointer data)
{
    Race *shared = data;
    for (int i = 0; i < 50; i++) {
        g_autoptr(NdFileLock) lock = nd_file_lock_take(shared->path, -1, NULL, NULL);
        g_assert_nonnull(lock);
        int now = g_atomic_int_add(shared->inside, 1) + 1;
        if (now > 1)
            g_atomic_int_set(shared->most, now);
        g_thread_yield();
        g_atomic_int_add(shared->inside, -1);
    }
    return NULL;
}

static void test_threads(void)
{
    g_autofree char *path = lock_file("c");
    int inside = 0, most = 1;
    Race shared = {path, &inside, &most};
    GThread *threads[4];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("race", race, &shared);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(most, ==, 1);
}

static void test_unusable(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(nd_file_lock_take(folder, 0, NULL, &error)); /* a folder */
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    g_clear_error(&error);
    g_assert_null(nd_file_lock_take("/proc/none/x", 0, NULL, &error));
    g_assert_nonnull(error);
}

static gpointer take_when_free(gpointer path)
{
    return nd_file_lock_take(path, -1, NULL, NULL);
}

/* Who waits for a lock whose file is removed gets the lock of the new file, not of one without a name: a third cannot have both. */
static void test_removed(void)
{
    g_autofree char *path = lock_file("gone");
    NdFileLock *first = nd_file_lock_take(path, 0, NULL, NULL), *second;
    GThread *waiter;

    g_assert_nonnull(first);
    nd_file_lock_remove(first);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    first = nd_file_lock_take(path, 0, NULL, NULL);
    g_assert_nonnull(first);
    waiter = g_thread_new("waiter", take_when_free, path);
    nd_file_lock_remove(first);
    second = g_thread_join(waiter);
    g_assert_nonnull(second);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_null(nd_file_lock_take(path, 0, NULL, NULL));
    nd_file_lock_release(second);
}

/* The same between processes: another one holds the file while we wait at it, and takes it away. */
static void test_removed_by_another(void)
{
    static const char script[] = "import fcntl, os, sys\nf = open(sys.argv[1], 'a')\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint('ready', flush=True)\n"
                                 "sys.stdin.read(1)\nos.unlink(sys.argv[1])\n";
    g_autofree char *path = lock_file("gone2"), *python = g_find_program_in_path("python3");
    GSubprocess *child;
    NdFileLock *lock;
    GThread *waiter;
    char ready[8];

    if (python == NULL) {
        g_test_skip("no python3");
        return;
    }
    nd_file_lock_release(nd_file_lock_take(path, 0, NULL, NULL));
    child = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, python, "-c", script, path, NULL);
    g_assert_cmpint(g_input_stream_read(g_subprocess_get_stdout_pipe(child), ready, sizeof ready, NULL, NULL), >, 0);
    g_assert_null(nd_file_lock_take(path, 0, NULL, NULL));
    waiter = g_thread_new("waiter", take_when_free, path);
    g_assert_cmpint(g_output_stream_write(g_subprocess_get_stdin_pipe(child), "x", 1, NULL, NULL), ==, 1);
    lock = g_thread_join(waiter);
    g_assert_nonnull(lock);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    nd_file_lock_release(lock);
    g_subprocess_wait(child, NULL, NULL);
    g_object_unref(child);
}

/* Whether Python gets the lock: classic fcntl.lockf as fasteners takes it, or fasteners itself. */
static void check_python(const char *program, const char *path)
{
    g_autoptr(GError) error = NULL;
    const char *argv[] = {"/usr/bin/python3", "-c", program, path, NULL};
    g_autofree char *held_out = NULL, *free_out = NULL;
    g_autoptr(NdFileLock) lock = nd_file_lock_take(path, 0, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(nd_subprocess_output(argv, 30, &held_out, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(held_out, ==, "busy\n");
    g_clear_pointer(&lock, nd_file_lock_release);
    g_assert_true(nd_subprocess_output(argv, 30, &free_out, &error));
    g_assert_cmpstr(free_out, ==, "taken\n");
}

static void test_lockf(void)
{
    g_autofree char *path = lock_file("d");
    if (!g_file_test("/usr/bin/python3", G_FILE_TEST_IS_EXECUTABLE)) {
        g_test_skip("no Python");
        return;
    }
    check_python("import fcntl, sys\n"
                 "f = open(sys.argv[1], 'a')\n"
                 "try:\n"
                 "    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
                 "    print('taken')\n"
                 "except OSError:\n"
                 "    print('busy')\n",
                 path);
}

static void test_fasteners(void)
{
    const char *probe[] = {"/usr/bin/python3", "-c", "import fasteners", NULL};
    g_autofree char *path = lock_file("e");
    if (!nd_subprocess_output(probe, 30, NULL, NULL)) {
        g_test_skip("no python3-fasteners");
        return;
    }
    check_python("import fasteners, sys\n"
                 "print('taken' if fasteners.InterProcessLock(sys.argv[1]).acquire(blocking=False) else 'busy')\n",
                 path);
}

/* The other way: Python holds it, we wait. */
static void test_python_holds(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = lock_file("f");
    if (!g_file_test("/usr/bin/python3", G_FILE_TEST_IS_EXECUTABLE)) {
        g_test_skip("no Python");
        return;
    }
    g_autoptr(NdFileLock) make = nd_file_lock_take(path, 0, NULL, NULL);
    g_clear_pointer(&make, nd_file_lock_release);
    const char *program =
        "import fcntl, sys\nf = open(sys.argv[1], 'a')\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint('ready', flush=True)\nsys.stdin.read()\n";
    char *argv[] = {(char *)"/usr/bin/python3", (char *)"-c", (char *)program, path, NULL};
    GPid python;
    int to, from;
    char buffer[16];
    g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &python, &to, &from, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(read(from, buffer, sizeof(buffer)), >, 0);
    g_assert_null(nd_file_lock_take(path, 20000, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_TIMEOUT);
    g_clear_error(&error);
    g_assert_cmpint(close(to), ==, 0);
    g_autoptr(NdFileLock) ours = nd_file_lock_take(path, -1, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(waitpid(python, NULL, 0), ==, python);
    close(from);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("novad-lock-XXXXXX", NULL);
    g_test_add_func("/lock/path", test_path);
    g_test_add_func("/lock/exclusive", test_exclusive);
    g_test_add_func("/lock/removed", test_removed);
    g_test_add_func("/lock/removed-by-another", test_removed_by_another);
    g_test_add_func("/lock/cancel", test_cancel);
    g_test_add_func("/lock/threads", test_threads);
    g_test_add_func("/lock/unusable", test_unusable);
    g_test_add_func("/lock/lockf", test_lockf);
    g_test_add_func("/lock/fasteners", test_fasteners);
    g_test_add_func("/lock/python-holds", test_python_holds);
    int status = g_test_run();
    nd_tree_remove(folder, NULL);
    g_free(folder);
    return status;
}
