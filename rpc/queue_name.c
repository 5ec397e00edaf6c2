/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/ids.h"
#include "base/lock.h"
#include "rpc/error.h"
#include "rpc/topology.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Names of reply and fanout queues. With use_queue_manager they are "prefix_<hostname>:<processname>:<n>", the same again after a restart, counted in a
 * file that all processes of that name share (spec/rpc-wire.md section 2).
 */

enum { START_TIME_FIELD = 22, LOCK_TIMEOUT_S = 30 };

/* Field 22 of /proc/PID/stat: when the process started; caller frees, NULL if it is gone. */
static char *start_time(gint64 pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    /* The second field is the program's name in parentheses, which may hold spaces. */
    const char *rest = strrchr(text, ')');
    g_auto(GStrv) fields = g_strsplit(rest ? rest + 1 : "", " ", -1);
    guint index = START_TIME_FIELD - 2;
    return g_strv_length(fields) > index ? g_strdup(fields[index]) : NULL;
}

/* The next number from the counter file "pgid:counter:starttime". */
static bool next_number(const char *path, guint64 *number, GError **error)
{
    gint64 group = getpgrp();
    g_autofree char *started = start_time(group);
    if (started == NULL)
        started = start_time(getpid());
    g_autofree char *text = NULL;
    guint64 last = 0;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        g_auto(GStrv) parts = g_strsplit(g_strstrip(text), ":", -1);
        g_autofree char *own = g_strdup_printf("%" G_GINT64_FORMAT, group);
        bool same = g_strv_length(parts) == 3 && g_str_equal(parts[0], own) && g_strcmp0(parts[2], started) == 0;
        if (!same || !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXINT32, &last, NULL))
            last = 0;
    }
    g_autofree char *line = g_strdup_printf("%" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT ":%s\n", group, last + 1, started ? started : "0");
    if (!g_file_set_contents(path, line, -1, error))
        return false;
    *number = last + 1;
    return true;
}

char *rpc_queue_name(const RpcOptions *options, const char *prefix, GError **error)
{
    if (!options->use_queue_manager) {
        g_autofree char *id = nd_uuid_new_hex();
        return g_strconcat(prefix, "_", id, NULL);
    }
    g_autofree char *who = g_strdup_printf("%s_%s", options->hostname, options->processname);
    g_autofree char *lock_name = g_strdup_printf("oslo_read_shm_%s", who);
    g_autofree char *lock_path = nd_file_lock_path(options->lock_path ? options->lock_path : g_get_tmp_dir(), NULL, lock_name);
    g_autofree char *path = g_strdup_printf("/dev/shm/%s_qmanager", who);
    guint64 number = 0;
    g_autoptr(NdFileLock) lock = nd_file_lock_take(lock_path, (gint64)LOCK_TIMEOUT_S * G_USEC_PER_SEC, NULL, error);
    if (lock == NULL || !next_number(path, &number, error)) {
        g_prefix_error(error, "queue manager: ");
        return NULL;
    }
    return g_strdup_printf("%s_%s:%s:%" G_GUINT64_FORMAT, prefix, options->hostname, options->processname, number);
}
