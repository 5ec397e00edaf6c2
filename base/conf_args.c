/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/conf_args.h"

#include "base/error.h"

/* A spelling of the command line. */
typedef struct {
    const char *spelling; /* without "--" */
    NdArgKind kind;
    const char *name;  /* of the option, for ND_ARG_OPTION */
    const char *value; /* that the spelling stands for; NULL: it takes one (with ND_ARG_OPTION, _FILE and _DIR) */
    const char *group; /* NULL: DEFAULT */
    const char *help;  /* NULL: an old spelling, not shown */
} Spelling;

static const Spelling spellings[] = {
    {"help", ND_ARG_HELP, .help = "show this text"},
    {"version", ND_ARG_VERSION, .help = "show the version"},
    {"check-config", ND_ARG_CHECK_CONFIG, .help = "read the configuration, report bad values and options without effect, and end"},
    {"list-options", ND_ARG_LIST_OPTIONS, .help = "list every known option with type, default and status, and end"},
    {"config-file", ND_ARG_CONFIG_FILE, .help = "read this file instead of the default ones; may be repeated"},
    {"config-dir", ND_ARG_CONFIG_DIR, .help = "read this folder's *.conf instead of the default ones; may be repeated"},
    {"debug", ND_ARG_OPTION, "debug", "true", .help = "log debug records (also -d)"},
    {"nodebug", ND_ARG_OPTION, "debug", "false", .help = "do not"},
    {"log-config-append", ND_ARG_OPTION, "log_config_append", .help = "Python logging configuration file"},
    {"log-config", ND_ARG_OPTION, "log_config_append"},
    {"log-date-format", ND_ARG_OPTION, "log_date_format", .help = "date format of log lines"},
    {"log-file", ND_ARG_OPTION, "log_file", .help = "log to this file"},
    {"logfile", ND_ARG_OPTION, "log_file"},
    {"log-dir", ND_ARG_OPTION, "log_dir", .help = "folder of the log file"},
    {"logdir", ND_ARG_OPTION, "log_dir"},
    {"watch-log-file", ND_ARG_OPTION, "watch_log_file", "true", .help = "open the log again when it was moved (always done)"},
    {"nowatch-log-file", ND_ARG_OPTION, "watch_log_file", "false", .help = "accepted"},
    {"use-syslog", ND_ARG_OPTION, "use_syslog", "true", .help = "log to syslog"},
    {"nouse-syslog", ND_ARG_OPTION, "use_syslog", "false", .help = "do not"},
    {"syslog-log-facility", ND_ARG_OPTION, "syslog_log_facility", .help = "syslog facility"},
    {"use-journal", ND_ARG_OPTION, "use_journal", "true", .help = "log to systemd's journal"},
    {"nouse-journal", ND_ARG_OPTION, "use_journal", "false", .help = "do not"},
    {"use-json", ND_ARG_OPTION, "use_json", "true", .help = "log JSON objects"},
    {"nouse-json", ND_ARG_OPTION, "use_json", "false", .help = "do not"},
    {"remote-debug-host", ND_ARG_OPTION, "host", .group = "remote_debug", .help = "accepted, no effect"},
    {"remote-debug-port", ND_ARG_OPTION, "port", .group = "remote_debug", .help = "accepted, no effect"},
};

static bool takes_value(const Spelling *spelling)
{
    return spelling->value == NULL &&
           (spelling->kind == ND_ARG_OPTION || spelling->kind == ND_ARG_CONFIG_FILE || spelling->kind == ND_ARG_CONFIG_DIR);
}

static void arg_free(NdArg *arg)
{
    g_free(arg->value);
    g_free(arg);
}

static bool wrong(GError **error, const char *argument, const char *why)
{
    g_set_error(error, ND_ERROR, ND_ERROR_ARGUMENT, "argument '%s': %s", argument, why);
    return false;
}

/* The spelling of a name without dashes in front and value behind; a unique beginning is enough. */
static const Spelling *find_spelling(const char *argument, size_t length, GError **error)
{
    g_autofree char *name = g_strdelimit(g_strndup(argument, length), "_", '-');
    const Spelling *found = NULL;
    guint n_found = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++) {
        if (g_str_equal(spellings[i].spelling, name))
            return &spellings[i];
        if (g_str_has_prefix(spellings[i].spelling, name)) {
            found = &spellings[i];
            n_found++;
        }
    }
    if (n_found == 1 && length > 0)
        return found;
    wrong(error, argument, n_found > 1 ? "could be one of several" : "unknown");
    return NULL;
}

/* Parses argv[*i], and takes its value from the next one if needed. */
static bool parse_one(int argc, char **argv, int *i, GPtrArray *args, GError **error)
{
    const char *argument = argv[*i];
    const char *equal = NULL;
    const Spelling *spelling;
    if (g_str_equal(argument, "-d") || g_str_equal(argument, "-h")) {
        spelling = find_spelling(argument[1] == 'd' ? "debug" : "help", argument[1] == 'd' ? 5 : 4, error);
    } else if (g_str_has_prefix(argument, "--")) {
        equal = strchr(argument, '=');
        spelling = find_spelling(argument + 2, equal != NULL ? (size_t)(equal - argument) - 2 : strlen(argument + 2), error);
    } else {
        return wrong(error, argument, "unknown");
    }
    if (spelling == NULL)
        return false;

    const char *value = spelling->value;
    if (!takes_value(spelling)) {
        if (equal != NULL)
            return wrong(error, argument, "takes no value");
    } else if (equal != NULL) {
        value = equal + 1;
    } else {
        if (*i + 1 >= argc || argv[*i + 1][0] == '-')
            return wrong(error, argument, "needs a value");
        value = argv[++*i];
    }
    NdArg *arg = g_new0(NdArg, 1);
    *arg = (NdArg){spelling->kind, spelling->group ? spelling->group : "DEFAULT", spelling->name, g_strdup(value)};
    g_ptr_array_add(args, arg);
    return true;
}

GPtrArray *nd_args_parse(int argc, char **argv, GError **error)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func((GDestroyNotify)arg_free);
    for (int i = 1; i < argc; i++)
        if (!parse_one(argc, argv, &i, args, error))
            return NULL;
    return g_steal_pointer(&args);
}

bool nd_args_have(const GPtrArray *args, NdArgKind kind)
{
    for (guint i = 0; i < args->len; i++)
        if (((const NdArg *)args->pdata[i])->kind == kind)
            return true;
    return false;
}

char *nd_args_help(void)
{
    g_autoptr(GString) text = g_string_new("Usage: novad [ARGUMENT...]\n"
                                           "OpenStack compute agent for libvirt/KVM; reads nova.conf as nova-compute does.\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++) {
        const Spelling *spelling = &spellings[i];
        if (spelling->help == NULL)
            continue;
        g_autofree char *left = g_strconcat("--", spelling->spelling, takes_value(spelling) ? " VALUE" : "", NULL);
        g_string_append_printf(text, "  %-28s %s\n", left, spelling->help);
    }
    return g_string_free(g_steal_pointer(&text), false);
}
