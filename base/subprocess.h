/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>

/* What to run and under which limits; zeros mean the defaults named here. Everything is borrowed for the call only. */
typedef struct {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH; no shell is involved */
    const char *const *env;  /* "NAME=value" to add to or replace in our environment; LC_ALL=C is always set; NULL: nothing */
    const char *directory;   /* to start in; NULL: ours */
    const void *input;       /* bytes for stdin; NULL: stdin is /dev/null */
    size_t input_length;
    size_t output_limit;         /* of stdout and of stderr each, bytes; 0: 1 MiB. More is read and dropped (`truncated`) */
    guint timeout_s;             /* then the whole process group is killed: ND_ERROR_TIMEOUT; 0: none */
    guint64 address_space_limit; /* RLIMIT_AS, bytes; 0: none. As upstream's prlimit for qemu-img */
    guint cpu_time_limit_s;      /* RLIMIT_CPU, seconds; 0: none */
    GCancellable *cancellable;   /* when cancelled the process group is killed: ND_ERROR_CANCELLED; NULL: none */
    bool privileged;             /* the program gets our ambient capabilities; else it gets none of them */
    bool any_status;             /* every exit status is success, look at the result; else others than 0 are errors */
} NdSubprocess;

typedef struct {
    int status; /* exit status; 128 + number when a signal ended it */
    int signal; /* 0 or the signal's number */
    char *out;  /* stdout, NUL-terminated after out_length bytes */
    size_t out_length;
    char *err; /* stderr */
    size_t err_length;
    bool truncated; /* one of them was over output_limit */
} NdSubprocessResult;

/* Runs the program and waits for its end. The child gets no descriptor of ours beyond 0-2, a process group of its own, default signal
 * handling, and is killed if our process dies. result may be NULL. Errors: ND_ERROR_NOT_FOUND (no such program), ND_ERROR_EXIT_STATUS (with
 * the program's name, status and the end of stderr in the text), ND_ERROR_TIMEOUT, ND_ERROR_CANCELLED, ND_ERROR_IO. */
bool nd_subprocess_run(const NdSubprocess *process, NdSubprocessResult **result, GError **error);
void nd_subprocess_result_free(NdSubprocessResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdSubprocessResult, nd_subprocess_result_free)

/* The common case: run with no limits but `timeout_s`, stdout into *output (may be NULL; caller frees). */
bool nd_subprocess_output(const char *const *argv, guint timeout_s, char **output, GError **error);
