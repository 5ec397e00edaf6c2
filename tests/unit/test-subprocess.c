/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/subprocess.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHELL(script)                                                                                                                      \
    (const char *const[])                                                                                                                  \
    {                                                                                                                                      \
        "/bin/sh", "-c", (script), NULL                                                                                                    \
    }

static void test_output(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *output = NULL;
    g_assert_true(nd_subprocess_output((const char *const[]){"echo", "a  b", "$HOME;c", NULL}, 10, &output, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(output, ==, "a  b $HOME;c\n");
    g_assert_true(nd_subprocess_output((const char *const[]){"true", NULL}, 0, NULL, &error));
}

static void test_streams(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdSubprocessResult) result = NULL;
    NdSubprocess process = {.argv = SHELL("cat; echo oops >&2; exit 3"), .input = "in\0put", .input_length = 6, .any_status = true};
    g_assert_true(nd_subprocess_run(&process, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpint(result->status, ==, 3);
    g_assert_cmpint(result->signal, ==, 0);
    g_assert_cmpmem(result->out, result->out_length, "in\0put", 6);
    g_assert_cmpstr(result->err, ==, "oops\n");
    g_assert_cmpuint(result->err_length, ==, 5);
    g_assert_false(result->truncated);
    nd_subprocess_result_free(NULL);
}

/* More input than a pipe holds, both ways at once. */
static void test_large_input(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdSubprocessResult) result = NULL;
    size_t length = 3 * 1024 * 1024;
    g_autofree char *input = g_malloc(length);
    memset(input, 'x', length);
    NdSubprocess process = {.argv = (const char *const[]){"cat", NULL}, .input = input, .input_length = length, .output_limit = length};
    g_assert_true(nd_subprocess_run(&process, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(result->out, result->out_length, input, length);
    g_assert_false(result->truncated);
}

static void test_output_limit(void)
{
    g_autoptr(NdSubprocessResult) result = NULL;
    NdSubprocess process = {.argv = SHELL("head -c 500000 /dev/zero; head -c 10 /dev/zero >&2"), .output_limit = 1000};
    g_assert_true(nd_subprocess_run(&process, &result, NULL));
    g_assert_cmpuint(result->out_length, ==, 1000);
    g_assert_cmpuint(result->err_length, ==, 10);
    g_assert_true(result->truncated);
}

/* A program that does not read its input is no error, and SIGPIPE does not end us. */
static void test_input_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *input = g_malloc0(1024 * 1024);
    NdSubprocess process = {.argv = (const char *const[]){"true", NULL}, .input = input, .input_length = 1024 * 1024};
    g_assert_true(nd_subprocess_run(&process, NULL, &error));
    g_assert_no_error(error);
}

static void test_status(void)
{
    g_autoptr(GError) error = NULL;
    NdSubprocess process = {.argv = SHELL("echo first line >&2; echo ' second\tline ' >&2; exit 42")};
    g_assert_false(nd_subprocess_run(&process, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_EXIT_STATUS);
    g_assert_cmpstr(error->message, ==, "'sh' ended with status 42: first line  second line");
    g_clear_error(&error);

    process = (NdSubprocess){.argv = SHELL("kill -SEGV $$")};
    g_assert_false(nd_subprocess_run(&process, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_EXIT_STATUS);
    g_assert_nonnull(strstr(error->message, "signal 11"));
    g_clear_error(&error);

    g_autoptr(NdSubprocessResult) result = NULL;
    process = (NdSubprocess){.argv = SHELL("kill -TERM $$"), .any_status = true};
    g_assert_true(nd_subprocess_run(&process, &result, &error));
    g_assert_cmpint(result->signal, ==, SIGTERM);
    g_assert_cmpint(result->status, ==, 128 + SIGTERM);

    /* Only the end of a long stderr is told. */
    process = (NdSubprocess){.argv = SHELL("head -c 5000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1")};
    g_assert_false(nd_subprocess_run(&process, NULL, &error));
    g_assert_true(g_str_has_suffix(error->message, "end"));
    g_assert_cmpuint(strlen(error->message), <, 600);
}

static void test_not_found(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(nd_subprocess_output((const char *const[]){"novad-no-such-program", NULL}, 0, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);
    NdSubprocess process = {.argv = (const char *const[]){"true", NULL}, .directory = "/nonexistent"};
    g_assert_false(nd_subprocess_run(&process, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);
    /* A file that is executable and no program. */
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("novad-XXXXXX", &path, NULL);
    g_assert_cmpint(write(fd,
                          "\x7f"
                          "ELFbroken",
                          10),
                    ==, 10);
    g_assert_cmpint(fchmod(fd, 0700), ==, 0);
    close(fd);
    g_assert_false(nd_subprocess_output((const char *const[]){path, NULL}, 0, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    unlink(path);
}

/* The grandchild dies with the group: its pipe ends. */
static void test_timeout(void)
{
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();
    NdSubprocess process = {.argv = SHELL("sleep 97 & echo $! >&2; while :; do echo x; done"), .timeout_s = 1};
    g_assert_false(nd_subprocess_run(&process, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_TIMEOUT);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
}

/* A descendant that keeps stdout open is not waited for. */
static void test_daemon(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdSubprocessResult) result = NULL;
    gint64 start = g_get_monotonic_time();
    NdSubprocess process = {.argv = SHELL("sleep 5 & echo done")};
    g_assert_true(nd_subprocess_run(&process, &result, &error));
    g_assert_cmpstr(result->out, ==, "done\n");
    g_assert_cmpint(g_get_monotonic_time() - start, <, 4 * G_USEC_PER_SEC);
}

static gpointer cancel_soon(gpointer cancellable)
{
    g_usleep(50000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void test_cancel(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    NdSubprocess process = {.argv = (const char *const[]){"sleep", "98", NULL}, .cancellable = cancellable};
    GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);
    g_assert_false(nd_subprocess_run(&process, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_CANCELLED);
    g_thread_join(thread);
}

static void test_environment(void)
{
    g_autoptr(NdSubprocessResult) result = NULL;
    g_setenv("NOVAD_TEST_KEPT", "kept", true);
    NdSubprocess process = {
        .argv = SHELL("echo $LC_ALL $NOVAD_TEST_KEPT $A; pwd; cat; ls /proc/self/fd | wc -l"),
        .env = (const char *const[]){"A=1=2", "broken", NULL},
        .directory = "/",
    };
    int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC: a library's */
    g_assert_true(nd_subprocess_run(&process, &result, NULL));
    close(leak);
    g_assert_cmpstr(result->out, ==, "C kept 1=2\n/\n4\n"); /* 0, 1, 2, and ls' own */
}

static void test_limits(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdSubprocessResult) result = NULL;
    NdSubprocess process = {.argv = SHELL("ulimit -v; ulimit -t"), .address_space_limit = 1024 * 1024 * 1024, .cpu_time_limit_s = 30};
    g_assert_true(nd_subprocess_run(&process, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(result->out, ==, "1048576\n30\n");

    process = (NdSubprocess){.argv = SHELL("while :; do :; done"), .cpu_time_limit_s = 1, .timeout_s = 60};
    g_assert_false(nd_subprocess_run(&process, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_EXIT_STATUS);
}

/* Blocked and ignored signals of ours are not the child's. */
static void test_signals(void)
{
    g_autoptr(NdSubprocessResult) result = NULL;
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    NdSubprocess process = {.argv = (const char *const[]){"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL}};
    g_assert_true(nd_subprocess_run(&process, &result, NULL));
    signal(SIGPIPE, before);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    unsigned long long blocked = 1, ignored = 1;
    g_assert_cmpint(sscanf(result->out, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), ==, 2);
    g_assert_cmpuint(blocked, ==, 0);
    /* 32 and 33 are the C library's own, which it lets nobody change; whoever started us may have ignored them. */
    g_assert_cmpuint(ignored & ~(3ULL << 31), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/process/output", test_output);
    g_test_add_func("/process/streams", test_streams);
    g_test_add_func("/process/large-input", test_large_input);
    g_test_add_func("/process/output-limit", test_output_limit);
    g_test_add_func("/process/input-refused", test_input_refused);
    g_test_add_func("/process/status", test_status);
    g_test_add_func("/process/not-found", test_not_found);
    g_test_add_func("/process/timeout", test_timeout);
    g_test_add_func("/process/daemon", test_daemon);
    g_test_add_func("/process/cancel", test_cancel);
    g_test_add_func("/process/environment", test_environment);
    g_test_add_func("/process/limits", test_limits);
    g_test_add_func("/process/signals", test_signals);
    return g_test_run();
}
