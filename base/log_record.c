/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/log_record.h"

#include "base/json.h"

#include <sys/syscall.h>
#include <unistd.h>

const NdLogFormat nd_log_format_default = {
    .context_format = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(global_request_id)s %(request_id)s %(user_identity)s] "
                      "%(instance)s%(message)s",
    .default_format = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s",
    .debug_suffix = "%(funcName)s %(pathname)s:%(lineno)d",
    .exception_prefix = "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s",
    .identity_format = "%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s",
    .instance_format = "[instance: %(uuid)s] ",
    .date_format = "%Y-%m-%d %H:%M:%S",
};

const char *nd_log_level_name(NdLogLevel level)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
    return names[level];
}

/* A format with the record it is filled from. */
typedef struct {
    const NdLogFormat *format;
    const NdLogRecord *record;
    const char *message;
} Source;

/* __FILE__ is relative to the build folder. */
static const char *source_path(const NdLogRecord *record)
{
    const char *path = record->file != NULL ? record->file : "";
    while (g_str_has_prefix(path, "../"))
        path += 3;
    return path;
}

static char *expand(const char *format, const Source *source);

static char *local_time(const NdLogRecord *record, const char *format)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(record->time_us / G_USEC_PER_SEC);
    char *text = g_date_time_format(time, format);
    return text != NULL ? text : g_strdup("");
}

static char *get_asctime(const Source *source)
{
    return local_time(source->record, source->format->date_format);
}

static char *get_isotime(const Source *source)
{
    g_autofree char *day = local_time(source->record, "%Y-%m-%dT%H:%M:%S");
    g_autofree char *offset = local_time(source->record, "%:z");
    return g_strdup_printf("%s.%06d%s", day, (int)(source->record->time_us % G_USEC_PER_SEC), offset);
}

static char *get_msecs(const Source *source)
{
    return g_strdup_printf("%d", (int)(source->record->time_us % G_USEC_PER_SEC / 1000));
}

static char *get_process(const Source *source)
{
    return g_strdup_printf("%d", (int)getpid());
}

static char *get_thread(const Source *source)
{
    return g_strdup_printf("%ld", syscall(SYS_gettid));
}

static char *get_level(const Source *source)
{
    return g_strdup(nd_log_level_name(source->record->level));
}

static char *get_name(const Source *source)
{
    return g_strdup(source->record->logger);
}

static char *get_message(const Source *source)
{
    return g_strdup(source->message);
}

static char *get_instance(const Source *source)
{
    return source->record->instance_uuid != NULL ? expand(source->format->instance_format, source) : g_strdup("");
}

static char *get_uuid(const Source *source)
{
    return g_strdup(source->record->instance_uuid);
}

static char *get_request_id(const Source *source)
{
    return g_strdup(source->record->request_id);
}

/* Python prints a missing one as None. */
static char *get_global_request_id(const Source *source)
{
    return g_strdup(source->record->global_request_id != NULL ? source->record->global_request_id : "None");
}

static char *get_function(const Source *source)
{
    return g_strdup(source->record->function);
}

static char *get_path(const Source *source)
{
    return g_strdup(source_path(source->record));
}

static char *get_file(const Source *source)
{
    return g_path_get_basename(source_path(source->record));
}

static char *get_line(const Source *source)
{
    return g_strdup_printf("%d", source->record->line);
}

static char *get_identity(const Source *source)
{
    return source->record->user_identity != NULL ? expand(source->format->identity_format, source) : g_strdup("");
}

/* One field of the identity, in the order "user project domain user_domain project_domain". */
static char *identity_field(const Source *source, guint index)
{
    g_auto(GStrv) fields = g_strsplit(source->record->user_identity != NULL ? source->record->user_identity : "", " ", -1);
    return g_strdup(index < g_strv_length(fields) && *fields[index] != '\0' ? fields[index] : "-");
}

static char *get_user(const Source *source)
{
    return identity_field(source, 0);
}

static char *get_project(const Source *source)
{
    return identity_field(source, 1);
}

static char *get_domain(const Source *source)
{
    return identity_field(source, 2);
}

static char *get_user_domain(const Source *source)
{
    return identity_field(source, 3);
}

static char *get_project_domain(const Source *source)
{
    return identity_field(source, 4);
}

static char *get_dash(const Source *source)
{
    return g_strdup("-");
}

/* What may stand in %(…)s; other names give nothing ("color", "resource" …). */
static const struct {
    const char *key;
    char *(*get)(const Source *source);
} keys[] = {
    {"asctime", get_asctime},
    {"isotime", get_isotime},
    {"msecs", get_msecs},
    {"process", get_process},
    {"thread", get_thread},
    {"levelname", get_level},
    {"name", get_name},
    {"message", get_message},
    {"instance", get_instance},
    {"uuid", get_uuid},
    {"request_id", get_request_id},
    {"global_request_id", get_global_request_id},
    {"user_identity", get_identity},
    {"user", get_user},
    {"user_id", get_user},
    {"project", get_project},
    {"project_id", get_project},
    {"tenant", get_project},
    {"domain", get_domain},
    {"system_scope", get_dash},
    {"user_domain", get_user_domain},
    {"project_domain", get_project_domain},
    {"funcName", get_function},
    {"pathname", get_path},
    {"filename", get_file},
    {"module", get_file},
    {"lineno", get_line},
};

static char *key_value(const char *key, const Source *source)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (g_str_equal(keys[i].key, key)) {
            char *value = keys[i].get(source);
            return value != NULL ? value : g_strdup("");
        }
    return g_strdup("");
}

/* Appends with Python's conversion "[-0][width]": `spec` is the text between ")" and the type letter. */
static void append_padded(GString *out, const char *value, const char *spec)
{
    bool left = strchr(spec, '-') != NULL;
    const char *digits = spec + strspn(spec, "-+ #0");
    char fill = !left && memchr(spec, '0', (size_t)(digits - spec)) != NULL ? '0' : ' ';
    guint64 width = MIN(g_ascii_strtoull(digits, NULL, 10), 200);
    size_t length = strlen(value);
    for (size_t i = length; !left && i < width; i++)
        g_string_append_c(out, fill);
    g_string_append(out, value);
    for (size_t i = length; left && i < width; i++)
        g_string_append_c(out, ' ');
}

/* "%(key)conversion" at `text`: its length, 0 if there is none. */
static size_t conversion_length(const char *text, char **key, char **spec)
{
    const char *close = text[1] == '(' ? strchr(text, ')') : NULL;
    if (close == NULL)
        return 0;
    size_t spec_length = strspn(close + 1, "-+ #0123456789.");
    if (strchr("sdifr", close[1 + spec_length]) == NULL || close[1 + spec_length] == '\0')
        return 0;
    *key = g_strndup(text + 2, (size_t)(close - text) - 2);
    *spec = g_strndup(close + 1, spec_length);
    return (size_t)(close - text) + 2 + spec_length;
}

/* Python's "%" formatting with a dictionary. */
static char *expand(const char *format, const Source *source)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *c = format; *c;) {
        g_autofree char *key = NULL, *spec = NULL;
        size_t length;
        if (c[0] == '%' && c[1] == '%') {
            g_string_append_c(out, '%');
            c += 2;
        } else if (*c == '%' && (length = conversion_length(c, &key, &spec)) > 0) {
            g_autofree char *value = key_value(key, source);
            append_padded(out, value, spec);
            c += length;
        } else {
            g_string_append_c(out, *c++);
        }
    }
    return g_string_free(g_steal_pointer(&out), false);
}

static char *format_text(const NdLogFormat *format, const NdLogRecord *record)
{
    g_auto(GStrv) lines = g_strsplit(record->message, "\n", -1);
    Source source = {format, record, lines[0] != NULL ? lines[0] : ""};
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *first = expand(record->request_id != NULL ? format->context_format : format->default_format, &source);
    g_string_append(out, first);
    if (record->level == ND_LOG_DEBUG && format->debug_suffix != NULL && *format->debug_suffix) {
        g_autofree char *suffix = expand(format->debug_suffix, &source);
        g_string_append_printf(out, " %s", suffix);
    }
    g_string_append_c(out, '\n');
    /* Further lines of an error stand where a traceback would; those of other records (an XML text in debug) follow as they are. */
    g_autofree char *prefix = record->level >= ND_LOG_ERROR ? expand(format->exception_prefix, &source) : g_strdup("");
    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
        if (*lines[i] != '\0')
            g_string_append_printf(out, "%s%s\n", prefix, lines[i]);
    return g_string_free(g_steal_pointer(&out), false);
}

static NdJson *json_context(const NdLogRecord *record, const Source *source)
{
    static const char *const fields[] = {"user", "project", "domain", "user_domain", "project_domain"};
    NdJson *context = json_object_new_object();
    if (record->request_id == NULL)
        return context;
    nd_json_set_string(context, "request_id", record->request_id);
    nd_json_set_string(context, "global_request_id", record->global_request_id);
    nd_json_set_string(context, "user_identity", record->user_identity);
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *value = key_value(fields[i], source);
        nd_json_set_string(context, fields[i], g_str_equal(value, "-") ? NULL : value);
    }
    return context;
}

static char *format_json(const NdLogFormat *format, const NdLogRecord *record)
{
    static const int python_levels[] = {10, 20, 30, 40, 50};
    Source source = {format, record, record->message};
    g_autoptr(NdJson) line = json_object_new_object();
    g_autofree char *asctime = get_asctime(&source), *file = get_file(&source);
    nd_json_set_string(line, "message", record->message);
    nd_json_set_string(line, "asctime", asctime);
    nd_json_set_string(line, "name", record->logger);
    nd_json_set_string(line, "msg", record->message);
    nd_json_set(line, "args", json_object_new_array());
    nd_json_set_string(line, "levelname", nd_log_level_name(record->level));
    nd_json_set_int(line, "levelno", python_levels[record->level]);
    nd_json_set_string(line, "pathname", source_path(record));
    nd_json_set_string(line, "filename", file);
    nd_json_set_string(line, "module", file);
    nd_json_set_int(line, "lineno", record->line);
    nd_json_set_string(line, "funcname", record->function);
    nd_json_set_double(line, "created", (double)record->time_us / G_USEC_PER_SEC);
    nd_json_set_double(line, "msecs", (double)(record->time_us % G_USEC_PER_SEC) / 1000);
    nd_json_set_int(line, "thread", syscall(SYS_gettid));
    nd_json_set_string(line, "process_name", "MainProcess");
    nd_json_set_int(line, "process", getpid());
    nd_json_set(line, "traceback", NULL);
    nd_json_set_string(line, "hostname", g_get_host_name());
    nd_json_set_string(line, "error_summary", "");
    nd_json_set(line, "context", json_context(record, &source));
    NdJson *extra = json_object_new_object();
    if (record->instance_uuid != NULL)
        nd_json_set_string(extra, "instance_uuid", record->instance_uuid);
    nd_json_set(line, "extra", extra);
    g_autofree char *text = nd_json_to_string(line);
    return g_strconcat(text, "\n", NULL);
}

char *nd_log_format_record(const NdLogFormat *format, const NdLogRecord *record)
{
    return format->json ? format_json(format, record) : format_text(format, record);
}

/* The password of a URL; values after words that name secrets. */
static gpointer make_mask(gpointer unused)
{
    return g_regex_new("((?:://|,)[^/\\s:@,]*:)[^@/\\s]+?(?=@)"
                       "|((?:auth_token|admin_?pass|new_pass|password|secret|x-auth-token|x-service-token)['\"]?\\s*[:=]\\s*)"
                       "(?:\"[^\"]*\"?|'[^']*'?|[^\\s,}'\"]+)",
                       G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, NULL);
}

char *nd_log_mask(const char *message)
{
    static GOnce once = G_ONCE_INIT;
    g_autofree char *valid = g_utf8_make_valid(message, -1);
    char *masked = g_regex_replace(g_once(&once, make_mask, NULL), valid, -1, 0, "\\1\\2***", 0, NULL);
    return masked != NULL ? masked : g_strdup("(a message that could not be checked for secrets)");
}
