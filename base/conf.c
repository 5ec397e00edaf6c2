/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/conf.h"

#include "base/conf_args.h"
#include "base/conf_eval.h"
#include "base/conf_ini.h"
#include "base/conf_source.h"
#include "base/error.h"

struct NdConfig {
    GMutex mutex;        /* over `values`; the values themselves never change */
    GHashTable *values;  /* "group.name", group normalised -> NdConfigValue */
    GPtrArray *replaced; /* values that readers may still hold strings of */
    GPtrArray *args;     /* NULL with a text */
    GPtrArray *sources;  /* all that were ever read, the first one for options that are not mutable */
    NdConfigView view;
    GPtrArray *problems;
    guint n_file_problems; /* the first ones, about files; the others are about values */
};

static NdConfig *config_new(void)
{
    NdConfig *config = g_new0(NdConfig, 1);
    g_mutex_init(&config->mutex);
    config->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)nd_config_value_free);
    config->replaced = g_ptr_array_new_with_free_func((GDestroyNotify)nd_config_value_free);
    config->sources = g_ptr_array_new_with_free_func((GDestroyNotify)nd_config_sources_free);
    config->problems = g_ptr_array_new_with_free_func((GDestroyNotify)nd_config_problem_free);
    config->view.overrides = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return config;
}

void nd_config_free(NdConfig *config)
{
    if (config == NULL)
        return;
    g_mutex_clear(&config->mutex);
    g_hash_table_unref(config->values);
    g_ptr_array_unref(config->replaced);
    g_ptr_array_unref(config->sources);
    g_clear_pointer(&config->args, g_ptr_array_unref);
    g_ptr_array_unref(config->problems);
    g_hash_table_unref(config->view.overrides);
    g_free(config);
}

static char *value_key(const char *group, const char *name)
{
    g_autofree char *section = nd_ini_normalise_section(group);
    return g_strconcat(section, ".", name, NULL);
}

/* Puts a value in; the one before stays in memory for those who read it. */
static void store(NdConfig *config, const char *group, NdConfigValue *value)
{
    char *key = value_key(group, value->option->name);
    char *old_key = NULL;
    NdConfigValue *old = NULL;
    if (g_hash_table_steal_extended(config->values, key, (gpointer *)&old_key, (gpointer *)&old)) {
        g_free(old_key);
        g_ptr_array_add(config->replaced, old);
    }
    g_hash_table_insert(config->values, key, value);
}

static void report(NdConfig *config, const char *group, const NdOption *option, const NdConfigRaw *raw, const char *why)
{
    if (raw->origin == ND_ORIGIN_DEFAULT)
        return; /* a default is bad only by what it refers to, which is reported in its own place */
    NdConfigSeverity severity = option->status == ND_OPTION_HONOURED ? ND_PROBLEM_FATAL : ND_PROBLEM_VALUE;
    const char *place = raw->origin == ND_ORIGIN_ENVIRONMENT    ? " (environment)"
                        : raw->origin == ND_ORIGIN_COMMAND_LINE ? " (command line)"
                                                                : "";
    nd_config_problem_add(config->problems, severity, raw->origin == ND_ORIGIN_FILE ? raw->file : NULL,
                          raw->origin == ND_ORIGIN_FILE ? raw->line : 0, "[%s] %s%s: %s", group, option->name, place, why);
}

/* The value, or the default when it is bad, which is reported. */
static NdConfigValue *evaluate_or_report(NdConfig *config, const char *group, const NdOption *option)
{
    g_autoptr(GError) error = NULL;
    NdConfigRaw raw;
    NdConfigValue *value = nd_config_evaluate(&config->view, group, option, &raw, &error);
    if (value == NULL)
        report(config, group, option, &raw, error->message);
    else if (raw.old_name != NULL)
        nd_config_problem_add(config->problems, ND_PROBLEM_NOTE, raw.file, raw.line, "%s is an old name of [%s] %s", raw.old_name, group,
                              option->name);
    nd_config_raw_clear(&raw);
    if (value == NULL)
        value = nd_config_value_new(option, NULL, NULL);
    return value;
}

static void evaluate_group(NdConfig *config, const char *group, const NdOptionFamily *family)
{
    for (size_t i = 0; i < family->n_options; i++)
        store(config, group, evaluate_or_report(config, group, &family->options[i]));
}

/* The sections that the files have. */
static void each_section(const NdConfig *config, void (*visit)(const char *section, gpointer data), gpointer data)
{
    const NdConfigSources *sources = config->view.sources;
    for (guint i = 0; i < sources->items->len; i++) {
        const NdConfigItem *item = sources->items->pdata[i];
        for (guint s = 0; item->file != NULL && s < item->file->sections->len; s++)
            visit(item->file->sections->pdata[s], data);
    }
}

typedef struct {
    const char *prefix;
    GPtrArray *names;
} SectionSearch;

static void collect_section(const char *section, gpointer data)
{
    SectionSearch *search = data;
    if (g_str_has_prefix(section, search->prefix) && !g_ptr_array_find_with_equal_func(search->names, section, g_str_equal, NULL))
        g_ptr_array_add(search->names, g_strdup(section));
}

char **nd_config_groups(const NdConfig *config, const char *prefix)
{
    SectionSearch search = {prefix, g_ptr_array_new()};
    each_section(config, collect_section, &search);
    g_ptr_array_add(search.names, NULL);
    return (char **)g_ptr_array_free(search.names, false);
}

/* A family's group: a name, or "prefix*" for all sections of the files that start so. ("*" alone is for sections that auth_section names,
 * which are evaluated when they are read.) */
static void evaluate_pattern(NdConfig *config, const char *pattern, const NdOptionFamily *family)
{
    size_t length = strlen(pattern);
    if (pattern[length - 1] != '*') {
        evaluate_group(config, pattern, family);
        return;
    }
    if (length == 1)
        return;
    g_autofree char *prefix = g_strndup(pattern, length - 1);
    g_auto(GStrv) groups = nd_config_groups(config, prefix);
    for (char **group = groups; *group != NULL; group++)
        evaluate_group(config, *group, family);
}

/* All options anew; problems with values are collected anew too. */
static void evaluate_all(NdConfig *config)
{
    size_t n_families;
    const NdOptionFamily *families = nd_option_families(&n_families);
    g_ptr_array_set_size(config->problems, (gint)config->n_file_problems);
    for (size_t i = 0; i < n_families; i++) {
        g_auto(GStrv) groups = g_strsplit(families[i].groups, " ", -1);
        for (char **group = groups; *group != NULL; group++)
            evaluate_pattern(config, *group, &families[i]);
    }
}

/* Takes the sources and evaluates. */
static void use_sources(NdConfig *config, NdConfigSources *sources)
{
    g_ptr_array_add(config->sources, sources);
    config->view.sources = config->view.mutable_sources = sources;
    config->n_file_problems = config->problems->len;
    evaluate_all(config);
}

static bool first_fatal(const GPtrArray *problems, GError **error)
{
    for (guint i = 0; i < problems->len; i++) {
        const NdConfigProblem *problem = problems->pdata[i];
        if (problem->severity != ND_PROBLEM_FATAL)
            continue;
        if (problem->file == NULL)
            g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "%s", problem->message);
        else if (problem->line == 0)
            g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "%s: %s", problem->file, problem->message);
        else
            g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "%s:%d: %s", problem->file, problem->line, problem->message);
        return true;
    }
    return false;
}

NdConfig *nd_config_load_lenient(int argc, char **argv, GError **error)
{
    GPtrArray *args = nd_args_parse(argc, argv, error);
    if (args == NULL)
        return NULL;
    NdConfig *config = config_new();
    config->args = args;
    use_sources(config, nd_config_sources_read(args, config->problems));
    return config;
}

NdConfig *nd_config_load(int argc, char **argv, GError **error)
{
    g_autoptr(NdConfig) config = nd_config_load_lenient(argc, argv, error);
    if (config == NULL || first_fatal(config->problems, error))
        return NULL;
    return g_steal_pointer(&config);
}

NdConfig *nd_config_new_from_text(const char *text, GError **error)
{
    g_autoptr(NdConfig) config = config_new();
    use_sources(config, nd_config_sources_from_text(text, config->problems));
    if (first_fatal(config->problems, error))
        return NULL;
    return g_steal_pointer(&config);
}

const GPtrArray *nd_config_problems(const NdConfig *config)
{
    return config->problems;
}

/* The value as stored or, for sections that no file has, evaluated now. A wrong question is a mistake in the code. */
static const NdConfigValue *lookup(const NdConfig *const_config, const char *group, const char *name)
{
    NdConfig *config = (NdConfig *)const_config; /* the mutex and the store of values change, nothing that a caller sees */
    g_autofree char *key = value_key(group, name);
    g_mutex_lock(&config->mutex);
    const NdConfigValue *value = g_hash_table_lookup(config->values, key);
    if (value == NULL) {
        const NdOption *option = nd_option_find(group, name);
        if (option == NULL)
            g_error("the option [%s] %s is not in the table of options", group, name);
        store(config, group, evaluate_or_report(config, group, option));
        value = g_hash_table_lookup(config->values, key);
    }
    g_mutex_unlock(&config->mutex);
    return value;
}

#define TYPE(type) (1u << ND_OPTION_##type)
#define TEXT_TYPES (TYPE(STRING) | TYPE(IP_ADDRESS) | TYPE(HOST_ADDRESS) | TYPE(HOST_DOMAIN) | TYPE(HOSTNAME) | TYPE(URI))

static const NdConfigValue *lookup_typed(const NdConfig *config, const char *group, const char *name, unsigned types)
{
    const NdConfigValue *value = lookup(config, group, name);
    if ((types & (1u << value->option->type)) == 0)
        g_error("the option [%s] %s is of type %s, not what the code takes it for", group, name, nd_option_type_name(value->option->type));
    return value;
}

const char *nd_config_string(const NdConfig *config, const char *group, const char *name)
{
    return lookup_typed(config, group, name, TEXT_TYPES)->string;
}

gint64 nd_config_int(const NdConfig *config, const char *group, const char *name)
{
    return lookup_typed(config, group, name, TYPE(INTEGER) | TYPE(PORT))->integer;
}

double nd_config_float(const NdConfig *config, const char *group, const char *name)
{
    return lookup_typed(config, group, name, TYPE(FLOAT))->number;
}

bool nd_config_bool(const NdConfig *config, const char *group, const char *name)
{
    return lookup_typed(config, group, name, TYPE(BOOLEAN))->integer != 0;
}

const char *const *nd_config_list(const NdConfig *config, const char *group, const char *name)
{
    return (const char *const *)lookup_typed(config, group, name, TYPE(LIST))->list;
}

const char *const *nd_config_multi(const NdConfig *config, const char *group, const char *name)
{
    return (const char *const *)lookup_typed(config, group, name, TYPE(MULTI_STRING) | TYPE(MULTI_DICT))->list;
}

GHashTable *nd_config_dict(const NdConfig *config, const char *group, const char *name)
{
    return lookup_typed(config, group, name, TYPE(DICT))->dict;
}

bool nd_config_has_value(const NdConfig *config, const char *group, const char *name)
{
    return lookup(config, group, name)->present;
}

bool nd_config_is_set(const NdConfig *config, const char *group, const char *name)
{
    return lookup(config, group, name)->origin != ND_ORIGIN_DEFAULT;
}

char *nd_config_where(const NdConfig *config, const char *group, const char *name)
{
    static const char *const origins[] = {
        [ND_ORIGIN_DEFAULT] = "default",          [ND_ORIGIN_FILE] = "file",
        [ND_ORIGIN_ENVIRONMENT] = "environment",  [ND_ORIGIN_COMMAND_LINE] = "command line",
        [ND_ORIGIN_OVERRIDE] = "set at run time",
    };
    const NdConfigValue *value = lookup(config, group, name);
    return value->origin == ND_ORIGIN_FILE ? g_strdup_printf("%s:%d", value->file, value->line) : g_strdup(origins[value->origin]);
}

char *nd_config_value_text(const NdConfig *config, const char *group, const char *name)
{
    const NdConfigValue *value = lookup(config, group, name);
    if (!value->present)
        return NULL;
    return value->option->secret ? g_strdup("****") : nd_config_value_to_text(value);
}

const char *const *nd_config_files(const NdConfig *config)
{
    return (const char *const *)config->view.sources->named->pdata;
}

const char *const *nd_config_all_files(const NdConfig *config)
{
    return (const char *const *)config->view.sources->files->pdata;
}

NdRelease nd_config_release(const NdConfig *config)
{
    return config->view.release;
}

void nd_config_set_release(NdConfig *config, NdRelease release)
{
    g_mutex_lock(&config->mutex);
    config->view.release = release;
    evaluate_all(config);
    g_mutex_unlock(&config->mutex);
}

bool nd_config_set(NdConfig *config, const char *group, const char *name, const char *text, GError **error)
{
    const NdOption *option = nd_option_find(group, name);
    if (option == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_NOT_FOUND, "no option '%s' in section '%s'", name, group);
        return false;
    }
    g_mutex_lock(&config->mutex);
    char *key = g_strconcat(group, ".", option->name, NULL);
    g_autofree char *before = g_strdup(g_hash_table_lookup(config->view.overrides, key));
    g_hash_table_insert(config->view.overrides, key, g_strdup(text));
    NdConfigRaw raw;
    g_autoptr(NdConfigValue) value = nd_config_evaluate(&config->view, group, option, &raw, error);
    nd_config_raw_clear(&raw);
    bool ok = value != NULL;
    if (!ok) {
        g_prefix_error(error, "[%s] %s: ", group, option->name);
        if (before != NULL)
            g_hash_table_insert(config->view.overrides, g_strconcat(group, ".", option->name, NULL), g_steal_pointer(&before));
        else
            g_hash_table_remove(config->view.overrides, key);
    }
    if (ok)
        evaluate_all(config); /* others may refer to it */
    g_mutex_unlock(&config->mutex);
    return ok;
}

/* Evaluates the mutable options of the new sources into `config`, noting the changed ones. */
static void take_mutable(NdConfig *config, GPtrArray *changed)
{
    GHashTableIter iter;
    gpointer key, data;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_iter_init(&iter, config->values);
    while (g_hash_table_iter_next(&iter, &key, &data))
        if (((NdConfigValue *)data)->option->mutable_)
            g_ptr_array_add(keys, g_strdup(key));

    for (guint i = 0; i < keys->len; i++) {
        const NdConfigValue *old = g_hash_table_lookup(config->values, keys->pdata[i]);
        g_autofree char *group = g_strndup(keys->pdata[i], strlen(keys->pdata[i]) - strlen(old->option->name) - 1);
        NdConfigValue *value = evaluate_or_report(config, group, old->option);
        g_autofree char *old_text = nd_config_value_to_text(old), *new_text = nd_config_value_to_text(value);
        if (!g_str_equal(old_text, new_text) || old->present != value->present)
            g_ptr_array_add(changed, g_strdup(keys->pdata[i]));
        store(config, group, value);
    }
}

bool nd_config_reload(NdConfig *config, char ***changed, GError **error)
{
    if (config->args == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_ARGUMENT, "the configuration was made from a text, there is nothing to read again");
        return false;
    }
    /* A whole second configuration, so that a mistake in the files changes nothing. */
    g_autoptr(NdConfig) fresh = config_new();
    fresh->view.release = config->view.release;
    use_sources(fresh, nd_config_sources_read(config->args, fresh->problems));
    if (first_fatal(fresh->problems, error))
        return false;

    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_mutex_lock(&config->mutex);
    NdConfigSources *sources = g_ptr_array_steal_index(fresh->sources, 0);
    g_ptr_array_add(config->sources, sources);
    config->view.mutable_sources = sources;
    take_mutable(config, names);
    g_mutex_unlock(&config->mutex);
    g_ptr_array_add(names, NULL);
    if (changed != NULL)
        *changed = (char **)g_ptr_array_free(g_steal_pointer(&names), false);
    return true;
}
