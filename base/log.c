/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/log.h"

#include "base/error.h"
#include "base/log_output.h"
#include "base/log_python.h"
#include "base/log_record.h"
#include "base/log_setup.h"
#include "base/time.h"

#include <syslog.h>

/* What this thread works for. */
typedef struct {
    char *request_id, *global_request_id, *user_identity, *instance_uuid;
} Context;

static void context_free(gpointer data)
{
    Context *context = data;
    g_free(context->request_id);
    g_free(context->global_request_id);
    g_free(context->user_identity);
    g_free(context->instance_uuid);
    g_free(context);
}

static GPrivate thread_context = G_PRIVATE_INIT(context_free);

/* Limits how many records are written in a time (rate_limit_*). */
typedef struct {
    gint64 interval_us, start_us;
    guint burst, count;
    NdLogLevel except; /* from this level on there is no limit */
} RateLimit;

/* The log: everything under one lock, so that records do not mix. Levels have a lock of their own, to be looked at without waiting for a
 * slow disk. */
static GMutex output_mutex;
static NdLogOutput output = {.fd = -1, .to_stderr = true};
static NdLogFormat format;
static bool format_is_set;
static RateLimit rate_limit;

static GRWLock levels_lock;
static GHashTable *levels; /* logger name -> NdLogLevel + 1, one more is silent; NULL: none */
static NdLogLevel root_level = ND_LOG_INFO;

static Context *get_context(void)
{
    Context *context = g_private_get(&thread_context);
    if (context == NULL) {
        context = g_new0(Context, 1);
        g_private_set(&thread_context, context);
    }
    return context;
}

static void replace(char **place, const char *value)
{
    char *copy = g_strdup(value);
    g_free(*place);
    *place = copy;
}

void nd_log_set_request(const char *request_id, const char *global_request_id, const char *user_identity)
{
    Context *context = get_context();
    replace(&context->request_id, request_id);
    replace(&context->global_request_id, global_request_id);
    replace(&context->user_identity, user_identity);
}

void nd_log_set_instance(const char *uuid)
{
    replace(&get_context()->instance_uuid, uuid);
}

/* The level of the logger or of the nearest one above it in the dotted names. */
bool nd_log_enabled(NdLogLevel level, const char *logger)
{
    g_rw_lock_reader_lock(&levels_lock);
    NdLogLevel limit = root_level;
    if (levels != NULL) {
        g_autofree char *name = g_strdup(logger != NULL ? logger : "novad");
        for (char *end = name + strlen(name); end != NULL; end = strrchr(name, '.')) {
            *end = '\0';
            guint found = GPOINTER_TO_UINT(g_hash_table_lookup(levels, name));
            if (found > 0) {
                limit = found - 1;
                break;
            }
        }
    }
    g_rw_lock_reader_unlock(&levels_lock);
    return level >= limit;
}

/* True if the record may be written; the first one over the limit is announced. */
static bool within_rate(const NdLogRecord *record)
{
    RateLimit *limit = &rate_limit;
    if (limit->burst == 0 || limit->interval_us == 0 || record->level >= limit->except)
        return true;
    gint64 now = g_get_monotonic_time();
    if (now - limit->start_us > limit->interval_us) {
        limit->start_us = now;
        limit->count = 0;
    }
    limit->count++;
    if (limit->count == limit->burst + 1) {
        g_autofree char *message =
            g_strdup_printf("Logging rate limit: drop after %u records/%d sec", limit->burst, (int)(limit->interval_us / G_USEC_PER_SEC));
        NdLogRecord note = {.level = ND_LOG_ERROR, .logger = record->logger, .time_us = record->time_us, .message = message};
        g_autofree char *text = nd_log_format_record(&format, &note);
        nd_log_output_write(&output, &note, text);
    }
    return limit->count <= limit->burst;
}

static void write_record(NdLogRecord *record)
{
    const Context *context = get_context();
    g_autofree char *masked = nd_log_mask(record->message);
    record->message = masked;
    record->request_id = context->request_id;
    record->global_request_id = context->global_request_id;
    record->user_identity = context->user_identity;
    record->instance_uuid = context->instance_uuid;
    record->time_us = nd_time_now();

    g_mutex_lock(&output_mutex);
    if (!format_is_set) {
        format = nd_log_format_default;
        format_is_set = true;
    }
    if (within_rate(record)) {
        g_autofree char *text = nd_log_format_record(&format, record);
        nd_log_output_write(&output, record, text);
    }
    g_mutex_unlock(&output_mutex);
}

void nd_log_at(NdLogLevel level, const char *logger, const char *file, int line, const char *function, const char *text_format, ...)
{
    if (logger == NULL)
        logger = "novad";
    if (!nd_log_enabled(level, logger))
        return;
    va_list args;
    va_start(args, text_format);
    g_autofree char *message = g_strdup_vprintf(text_format, args);
    va_end(args);
    NdLogRecord record = {.level = level, .logger = logger, .file = file, .line = line, .function = function, .message = message};
    write_record(&record);
}

/* GLib's own records, and those of libraries that use it. */
static GLogWriterOutput write_glib(GLogLevelFlags flags, const GLogField *fields, gsize n_fields, gpointer unused)
{
    const char *message = NULL, *domain = NULL;
    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].key, "MESSAGE"))
            message = fields[i].value;
        else if (g_str_equal(fields[i].key, "GLIB_DOMAIN"))
            domain = fields[i].value;
    }
    NdLogLevel level = flags & G_LOG_LEVEL_ERROR                          ? ND_LOG_CRITICAL
                       : flags & G_LOG_LEVEL_CRITICAL                     ? ND_LOG_ERROR
                       : flags & G_LOG_LEVEL_WARNING                      ? ND_LOG_WARNING
                       : flags & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO) ? ND_LOG_INFO
                                                                          : ND_LOG_DEBUG;
    g_autofree char *logger = g_ascii_strdown(domain != NULL ? domain : "glib", -1);
    nd_log_at(level, logger, NULL, 0, NULL, "%s", message != NULL ? message : "");
    return G_LOG_WRITER_HANDLED;
}

static GHashTable *read_levels(const NdConfig *config)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const char *const *pair = nd_config_list(config, "DEFAULT", "default_log_levels"); *pair != NULL; pair++) {
        const char *equal = strchr(*pair, '=');
        NdLogLevel level;
        if (equal != NULL && nd_log_parse_level(equal + 1, &level))
            g_hash_table_insert(table, g_strndup(*pair, (size_t)(equal - *pair)), GUINT_TO_POINTER(level + 1));
    }
    return table;
}

/* log_file, in log_dir if that is given; only log_dir: "<program>.log" there. */
static char *log_path(const NdConfig *config, const char *program)
{
    const char *file = nd_config_string(config, "DEFAULT", "log_file");
    const char *directory = nd_config_string(config, "DEFAULT", "log_dir");
    bool has_file = file != NULL && *file, has_directory = directory != NULL && *directory;
    if (has_file)
        return has_directory && !g_path_is_absolute(file) ? g_build_filename(directory, file, NULL) : g_strdup(file);
    if (!has_directory)
        return NULL;
    g_autofree char *name = g_strconcat(program, ".log", NULL);
    return g_build_filename(directory, name, NULL);
}

/* Outputs by the options, without those of log_config_append. */
static void read_own_outputs(const NdConfig *config, const char *program, NdLogOutput *wanted)
{
    wanted->path = log_path(config, program);
    wanted->to_stderr = nd_config_bool(config, "DEFAULT", "use_stderr");
    wanted->to_journal = nd_config_bool(config, "DEFAULT", "use_journal");
    wanted->to_syslog = nd_config_bool(config, "DEFAULT", "use_syslog");
    if (g_ascii_strcasecmp(nd_config_string(config, "DEFAULT", "log_rotation_type"), "size") == 0) {
        wanted->rotate_bytes = (guint64)MAX(nd_config_int(config, "DEFAULT", "max_logfile_size_mb"), 0) * 1024 * 1024;
        wanted->rotate_count = (guint)CLAMP(nd_config_int(config, "DEFAULT", "max_logfile_count"), 0, 1000);
    }
    wanted->to_stdout = wanted->path == NULL && !wanted->to_stderr && !wanted->to_journal;
}

/* What is to be put in place of the log in use. */
typedef struct {
    NdLogOutput output;
    NdLogFormat format;
    GHashTable *levels;
    NdLogLevel root_level;
    char *unknown; /* handler class of log_config_append that we do not have */
} Setup;

static NdLogFormat read_format(const NdConfig *config)
{
    return (NdLogFormat){
        .context_format = nd_config_string(config, "DEFAULT", "logging_context_format_string"),
        .default_format = nd_config_string(config, "DEFAULT", "logging_default_format_string"),
        .debug_suffix = nd_config_string(config, "DEFAULT", "logging_debug_format_suffix"),
        .exception_prefix = nd_config_string(config, "DEFAULT", "logging_exception_prefix"),
        .identity_format = nd_config_string(config, "DEFAULT", "logging_user_identity_format"),
        .instance_format = nd_config_string(config, "DEFAULT", "instance_uuid_format"),
        .date_format = nd_config_string(config, "DEFAULT", "log_date_format"),
        .json = nd_config_bool(config, "DEFAULT", "use_json"),
    };
}

static RateLimit read_rate_limit(const NdConfig *config)
{
    RateLimit limit = {
        .interval_us = MAX(nd_config_int(config, "DEFAULT", "rate_limit_interval"), 0) * G_USEC_PER_SEC,
        .burst = (guint)CLAMP(nd_config_int(config, "DEFAULT", "rate_limit_burst"), 0, G_MAXINT),
        .except = ND_LOG_CRITICAL,
    };
    nd_log_parse_level(nd_config_string(config, "DEFAULT", "rate_limit_except_level"), &limit.except);
    return limit;
}

static void use_levels(GHashTable *table, NdLogLevel root)
{
    g_rw_lock_writer_lock(&levels_lock);
    GHashTable *old = levels;
    levels = table;
    root_level = root;
    g_rw_lock_writer_unlock(&levels_lock);
    if (old != NULL)
        g_hash_table_unref(old);
}

/* The options, or with log_config_append that file, as oslo.log does: then most other options do not count. */
static bool read_setup(const NdConfig *config, const char *program, Setup *setup, GError **error)
{
    const char *append = nd_config_string(config, "DEFAULT", "log_config_append");
    int facility = nd_log_facility(nd_config_string(config, "DEFAULT", "syslog_log_facility"));
    setup->output = (NdLogOutput){.fd = -1, .facility = facility >= 0 ? facility : LOG_USER, .ident = g_strdup(program)};
    setup->format = read_format(config);
    if (append == NULL || *append == '\0') {
        read_own_outputs(config, program, &setup->output);
        setup->levels = read_levels(config);
        setup->root_level = nd_config_bool(config, "DEFAULT", "debug") ? ND_LOG_DEBUG : ND_LOG_INFO;
        return true;
    }
    NdLogPython python = {0};
    if (!nd_log_python_read(append, &setup->output, &python, error)) {
        g_prefix_error(error, "log_config_append: ");
        return false;
    }
    setup->format.json = python.json;
    setup->levels = g_steal_pointer(&python.levels);
    setup->root_level = (NdLogLevel)python.root_level;
    setup->unknown = g_steal_pointer(&python.unknown);
    nd_log_python_clear(&python);
    return true;
}

/* GLib takes a writer once in a process' life. */
static void take_glib_records(void)
{
    static gsize glib_is_ours = 0;
    if (g_once_init_enter(&glib_is_ours)) {
        g_log_set_writer_func(write_glib, NULL, NULL);
        g_once_init_leave(&glib_is_ours, 1);
    }
}

bool nd_log_configure(const NdConfig *config, const char *program, GError **error)
{
    Setup setup = {0};
    if (!read_setup(config, program, &setup, error) || !nd_log_output_open(&setup.output, error)) {
        nd_log_output_clear(&setup.output);
        g_clear_pointer(&setup.levels, g_hash_table_unref);
        g_free(setup.unknown);
        return false;
    }
    g_mutex_lock(&output_mutex);
    nd_log_output_clear(&output);
    output = setup.output;
    format = setup.format;
    format_is_set = true;
    rate_limit = read_rate_limit(config);
    g_mutex_unlock(&output_mutex);
    use_levels(setup.levels, setup.root_level);
    take_glib_records();
    if (setup.unknown != NULL)
        nd_warning("novad", "log_config_append: there is no handler '%s' here, its records go to stderr", setup.unknown);
    g_free(setup.unknown);
    return true;
}

void nd_log_reopen(void)
{
    g_mutex_lock(&output_mutex);
    nd_log_output_reopen(&output);
    g_mutex_unlock(&output_mutex);
}

void nd_log_close(void)
{
    g_mutex_lock(&output_mutex);
    nd_log_output_clear(&output);
    output.to_stderr = true;
    format = nd_log_format_default;
    rate_limit = (RateLimit){0};
    g_mutex_unlock(&output_mutex);
    use_levels(NULL, ND_LOG_INFO);
}
