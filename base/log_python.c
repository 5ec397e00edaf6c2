/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/log_python.h"

#include "base/conf_ini.h"
#include "base/error.h"
#include "base/file.h"

#define SILENT (ND_LOG_CRITICAL + 1)

bool nd_log_parse_level(const char *name, NdLogLevel *level)
{
    static const struct {
        const char *name;
        int number;
        NdLogLevel level;
    } names[] = {
        {"NOTSET", 0, ND_LOG_DEBUG},    {"TRACE", 5, ND_LOG_DEBUG},        {"DEBUG", 10, ND_LOG_DEBUG},     {"INFO", 20, ND_LOG_INFO},
        {"AUDIT", 21, ND_LOG_INFO},     {"WARN", 30, ND_LOG_WARNING},      {"WARNING", 30, ND_LOG_WARNING}, {"ERROR", 40, ND_LOG_ERROR},
        {"FATAL", 50, ND_LOG_CRITICAL}, {"CRITICAL", 50, ND_LOG_CRITICAL},
    };
    gint64 number;
    bool is_number = g_ascii_string_to_signed(name, 10, 0, 1000, &number, NULL);
    bool found = false;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (is_number ? number >= names[i].number : g_str_equal(names[i].name, name)) {
            *level = names[i].level;
            found = true;
        }
    return found;
}

/* The last value of a key, NULL if there is none; borrowed. Sections of this format are found without case too, which hurts nobody. */
static const char *get(const NdIniFile *file, const char *prefix, const char *name, const char *key)
{
    g_autofree char *joined = g_strconcat(prefix, name, NULL);
    g_autofree char *section = nd_ini_normalise_section(joined);
    const GPtrArray *values = nd_ini_values(file, section, key);
    return values != NULL ? ((const NdIniEntry *)values->pdata[values->len - 1])->value : NULL;
}

/* The first quoted word of a handler's args=('/var/log/x', 'a'). */
static char *first_string(const char *args)
{
    const char *quote = args != NULL ? strpbrk(args, "'\"") : NULL;
    const char *end = quote != NULL ? strchr(quote + 1, *quote) : NULL;
    return end != NULL ? g_strndup(quote + 1, (size_t)(end - quote) - 1) : NULL;
}

/* What handler classes do; a class is known by the end of its name. */
typedef enum { SINK_STREAM, SINK_FILE, SINK_SYSLOG, SINK_JOURNAL, SINK_NULL } Sink;

static const struct {
    const char *suffix;
    Sink sink;
} classes[] = {
    {"NullHandler", SINK_NULL},        {"StreamHandler", SINK_STREAM},     {"ColorHandler", SINK_STREAM},
    {"WatchedFileHandler", SINK_FILE}, {"FileHandler", SINK_FILE},         {"OSSysLogHandler", SINK_SYSLOG},
    {"SysLogHandler", SINK_SYSLOG},    {"OSJournalHandler", SINK_JOURNAL}, {"JournalHandler", SINK_JOURNAL},
};

static void use_sink(Sink sink, const char *args, NdLogOutput *output)
{
    switch (sink) {
    case SINK_STREAM:
        if (args != NULL && strstr(args, "stdout") != NULL)
            output->to_stdout = true;
        else
            output->to_stderr = true;
        break;
    case SINK_FILE:
        if (output->path == NULL)
            output->path = first_string(args);
        break;
    case SINK_SYSLOG:
        output->to_syslog = true;
        break;
    case SINK_JOURNAL:
        output->to_journal = true;
        break;
    case SINK_NULL:
        break;
    }
}

/* Takes one handler; true if it writes anything. */
static bool use_handler(const NdIniFile *file, const char *name, NdLogOutput *output, NdLogPython *python)
{
    const char *class = get(file, "handler_", name, "class");
    const char *args = get(file, "handler_", name, "args");
    const char *formatter = get(file, "handler_", name, "formatter");
    const char *formatter_class = formatter != NULL ? get(file, "formatter_", formatter, "class") : NULL;
    if (class == NULL)
        return false;
    if (formatter_class != NULL && g_str_has_suffix(formatter_class, "JSONFormatter"))
        python->json = true;
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (g_str_has_suffix(class, classes[i].suffix)) {
            use_sink(classes[i].sink, args, output);
            return classes[i].sink != SINK_NULL;
        }
    if (python->unknown == NULL)
        python->unknown = g_strdup(class);
    output->to_stderr = true;
    return true;
}

/* The level of a logger whose section is [logger_<name>]; its handlers become outputs. */
static guint read_logger(const NdIniFile *file, const char *name, NdLogOutput *output, NdLogPython *python)
{
    const char *handlers = get(file, "logger_", name, "handlers");
    const char *level_name = get(file, "logger_", name, "level");
    NdLogLevel level = ND_LOG_WARNING; /* Python's own default of the root */
    if (level_name != NULL)
        nd_log_parse_level(level_name, &level);
    g_auto(GStrv) names = g_strsplit(handlers != NULL ? handlers : "", ",", -1);
    bool any = false, writes = false;
    for (char **handler = names; *handler != NULL; handler++) {
        g_strstrip(*handler);
        any = any || **handler != '\0';
        writes = (**handler != '\0' && use_handler(file, *handler, output, python)) || writes;
    }
    return any && !writes ? SILENT : level;
}

static void read_loggers(const NdIniFile *file, NdLogOutput *output, NdLogPython *python)
{
    const char *keys = get(file, "loggers", "", "keys");
    g_auto(GStrv) names = g_strsplit(keys != NULL ? keys : "", ",", -1);
    for (char **name = names; *name != NULL; name++) {
        g_strstrip(*name);
        guint level = read_logger(file, *name, output, python);
        const char *qualified = get(file, "logger_", *name, "qualname");
        if (g_str_equal(*name, "root"))
            python->root_level = level;
        else
            g_hash_table_insert(python->levels, g_strdup(qualified != NULL ? qualified : *name), GUINT_TO_POINTER(level + 1));
    }
}

bool nd_log_python_read(const char *path, NdLogOutput *output, NdLogPython *python, GError **error)
{
    g_autofree char *text = NULL;
    size_t length;
    if (!nd_file_read(path, 0, &text, &length, error))
        return false;
    g_autoptr(NdIniFile) file = nd_ini_parse(path, text, length, NULL, error);
    if (file == NULL)
        return false;
    if (get(file, "loggers", "", "keys") == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "'%s' has no [loggers] keys, it is no logging configuration", path);
        return false;
    }
    *python = (NdLogPython){.levels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), .root_level = ND_LOG_WARNING};
    read_loggers(file, output, python);
    return true;
}

void nd_log_python_clear(NdLogPython *python)
{
    g_clear_pointer(&python->levels, g_hash_table_unref);
    g_clear_pointer(&python->unknown, g_free);
}
