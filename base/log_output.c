/* SPDX-License-Identifier: Apache-2.0 */
#define SYSLOG_NAMES /* facilitynames[] */
#include <config.h>

#include "base/log_output.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#endif

static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR, LOG_CRIT};

int nd_log_facility(const char *name)
{
    const char *bare = g_ascii_strncasecmp(name, "LOG_", 4) == 0 ? name + 4 : name;
    for (const CODE *code = facilitynames; code->c_name != NULL; code++)
        if (g_ascii_strcasecmp(code->c_name, bare) == 0)
            return code->c_val;
    return -1;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

bool nd_log_output_open(NdLogOutput *output, GError **error)
{
    output->fd = -1;
    if (output->path != NULL) {
        output->fd = open_file(output->path);
        if (output->fd < 0)
            return nd_error_set_errno(error, errno, "open log '%s'", output->path);
    }
    if (output->to_syslog)
        openlog(output->ident, LOG_PID, output->facility);
    return true;
}

void nd_log_output_reopen(NdLogOutput *output)
{
    int fd = output->path != NULL ? open_file(output->path) : -1;
    if (fd < 0)
        return;
    close(output->fd);
    output->fd = fd;
}

void nd_log_output_clear(NdLogOutput *output)
{
    if (output->path != NULL && output->fd >= 0)
        close(output->fd);
    if (output->to_syslog)
        closelog();
    g_free(output->path);
    g_free(output->ident);
    *output = (NdLogOutput){.fd = -1};
}

/* Nothing can be done about a log that cannot be written. */
static void write_text(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        left -= (size_t)n;
    }
}

/* path.(n-1) becomes path.n …, path becomes path.1, as Python's RotatingFileHandler does. */
static void rotate(NdLogOutput *output)
{
    for (guint i = output->rotate_count; i > 0; i--) {
        g_autofree char *to = g_strdup_printf("%s.%u", output->path, i);
        g_autofree char *from = i > 1 ? g_strdup_printf("%s.%u", output->path, i - 1) : g_strdup(output->path);
        ssize_t ignored G_GNUC_UNUSED = rename(from, to);
    }
    if (output->rotate_count == 0)
        unlink(output->path);
    nd_log_output_reopen(output);
}

static void write_file(NdLogOutput *output, const char *text)
{
    struct stat ours, there;
    bool moved =
        stat(output->path, &there) != 0 || fstat(output->fd, &ours) != 0 || there.st_ino != ours.st_ino || there.st_dev != ours.st_dev;
    if (moved)
        nd_log_output_reopen(output);
    else if (output->rotate_bytes > 0 && (guint64)ours.st_size + strlen(text) > output->rotate_bytes)
        rotate(output);
    write_text(output->fd, text);
}

#ifdef HAVE_SYSTEMD
static void add_field(GPtrArray *fields, const char *name, const char *value)
{
    if (value != NULL)
        g_ptr_array_add(fields, g_strconcat(name, "=", value, NULL));
}

/* The fields that oslo.log's journal handler sends, and ours for the instance. */
static void write_journal(const NdLogOutput *output, const NdLogRecord *record, const char *text)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = g_strchomp(g_strdup(text));
    g_autofree char *priority = g_strdup_printf("%d", priorities[record->level]);
    g_autofree char *facility = g_strdup_printf("%d", output->facility >> 3);
    g_autofree char *line = g_strdup_printf("%d", record->line);
    add_field(fields, "MESSAGE", message);
    add_field(fields, "PRIORITY", priority);
    add_field(fields, "SYSLOG_FACILITY", facility);
    add_field(fields, "SYSLOG_IDENTIFIER", output->ident);
    add_field(fields, "LOGGER_NAME", record->logger);
    add_field(fields, "LOGGER_LEVEL", nd_log_level_name(record->level));
    add_field(fields, "CODE_FILE", record->file);
    add_field(fields, "CODE_LINE", line);
    add_field(fields, "CODE_FUNC", record->function);
    add_field(fields, "REQUEST_ID", record->request_id);
    add_field(fields, "GLOBAL_REQUEST_ID", record->global_request_id);
    add_field(fields, "INSTANCE_UUID", record->instance_uuid);
    g_autofree struct iovec *vectors = g_new(struct iovec, fields->len);
    for (guint i = 0; i < fields->len; i++)
        vectors[i] = (struct iovec){fields->pdata[i], strlen(fields->pdata[i])};
    sd_journal_sendv(vectors, (int)fields->len);
}
#endif

void nd_log_output_write(NdLogOutput *output, const NdLogRecord *record, const char *text)
{
    if (output->path != NULL)
        write_file(output, text);
    if (output->to_stdout)
        write_text(STDOUT_FILENO, text);
    if (output->to_stderr)
        write_text(STDERR_FILENO, text);
    if (output->to_syslog)
        syslog(output->facility | priorities[record->level], "%.*s", (int)strcspn(text, "\n"), text);
#ifdef HAVE_SYSTEMD
    if (output->to_journal)
        write_journal(output, record, text);
#endif
}
