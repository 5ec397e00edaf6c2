/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/conf_source.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>

/* Far more than any real nova.conf; keeps a wrong path (a disk image) from filling the memory. */
#define CONFIG_FILE_LIMIT (16 * 1024 * 1024)

/* The project and the program whose files are looked for. */
static const char *const default_names[] = {"nova", "nova-compute"};

void nd_config_problem_free(NdConfigProblem *problem)
{
    g_free(problem->file);
    g_free(problem->message);
    g_free(problem);
}

void nd_config_problem_add(GPtrArray *problems, NdConfigSeverity severity, const char *file, int line, const char *format, ...)
{
    NdConfigProblem *problem = g_new0(NdConfigProblem, 1);
    problem->severity = severity;
    problem->file = g_strdup(file);
    problem->line = line;
    va_list args;
    va_start(args, format);
    problem->message = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(problems, problem);
}

static void item_free(NdConfigItem *item)
{
    nd_ini_free(item->file);
    g_free(item);
}

static NdConfigSources *sources_new(void)
{
    NdConfigSources *sources = g_new0(NdConfigSources, 1);
    sources->items = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
    sources->named = g_ptr_array_new_with_free_func(g_free);
    sources->files = g_ptr_array_new_with_free_func(g_free);
    return sources;
}

void nd_config_sources_free(NdConfigSources *sources)
{
    if (sources == NULL)
        return;
    g_ptr_array_unref(sources->items);
    g_ptr_array_unref(sources->named);
    g_ptr_array_unref(sources->files);
    g_strfreev(sources->environment);
    g_free(sources);
}

/* "~" and "~/x" become the home folder, the rest is made absolute. (oslo.config knows ~user as well, which nobody writes.) */
static char *fix_path(const char *path)
{
    g_autofree char *expanded = NULL;
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
        expanded = g_build_filename(g_get_home_dir(), path + 1, NULL);
    return g_canonicalize_filename(expanded != NULL ? expanded : path, NULL);
}

static void add_text(NdConfigSources *sources, const char *path, const char *text, size_t length, GPtrArray *problems)
{
    g_autoptr(GError) error = NULL;
    int line = 0;
    NdIniFile *file = nd_ini_parse(path, text, length, &line, &error);
    if (file == NULL) {
        /* The message starts with "path:line: " already. */
        size_t place = strlen(path) + 1 + strcspn(error->message + strlen(path) + 1, ":") + 2;
        nd_config_problem_add(problems, ND_PROBLEM_FATAL, path, line, "%s", error->message + place);
        return;
    }
    NdConfigItem *item = g_new0(NdConfigItem, 1);
    item->file = file;
    g_ptr_array_add(sources->items, item);
    g_ptr_array_add(sources->files, g_strdup(path));
}

static void add_file(NdConfigSources *sources, const char *name, GPtrArray *problems)
{
    g_autofree char *path = fix_path(name);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    size_t length;
    if (nd_file_read(path, CONFIG_FILE_LIMIT, &text, &length, &error))
        add_text(sources, path, text, length, problems);
    else
        nd_config_problem_add(problems, ND_PROBLEM_FATAL, path, 0, "%s", error->message);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All *.conf of a folder by name, hidden ones left out. */
static void add_folder(NdConfigSources *sources, const char *path, GPtrArray *problems)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        if (name[0] != '.' && g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        add_file(sources, names->pdata[i], problems);
}

/* The first place that has `name`, or NULL. */
static char *search_default(const char *name)
{
    const char *snap_common = g_getenv("SNAP_COMMON"), *snap = g_getenv("SNAP");
    char *places[] = {
        g_build_filename(g_get_home_dir(), ".nova", name, NULL),
        g_build_filename(g_get_home_dir(), name, NULL),
        g_build_filename("/etc/nova", name, NULL),
        g_build_filename("/etc", name, NULL),
        snap_common != NULL ? g_build_filename(snap_common, "etc/nova", name, NULL) : NULL,
        snap != NULL ? g_build_filename(snap, "etc/nova", name, NULL) : NULL,
    };
    char *found = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (found == NULL && places[i] != NULL && g_file_test(places[i], G_FILE_TEST_EXISTS))
            found = g_strdup(places[i]);
        g_free(places[i]);
    }
    return found;
}

static void add_defaults(NdConfigSources *sources, bool want_files, bool want_folders, GPtrArray *problems)
{
    for (size_t i = 0; want_files && i < G_N_ELEMENTS(default_names); i++) {
        g_autofree char *name = g_strconcat(default_names[i], ".conf", NULL);
        char *path = search_default(name);
        if (path == NULL)
            continue;
        add_file(sources, path, problems);
        g_ptr_array_add(sources->named, path);
    }
    for (size_t i = 0; want_folders && i < G_N_ELEMENTS(default_names); i++) {
        g_autofree char *name = g_strconcat(default_names[i], ".conf.d", NULL);
        g_autofree char *path = search_default(name);
        if (path != NULL)
            add_folder(sources, path, problems);
    }
}

static void add_arg(NdConfigSources *sources, const NdArg *arg, GPtrArray *problems)
{
    if (arg->kind == ND_ARG_CONFIG_FILE) {
        add_file(sources, arg->value, problems);
        g_ptr_array_add(sources->named, fix_path(arg->value));
    } else if (arg->kind == ND_ARG_CONFIG_DIR) {
        g_autofree char *path = fix_path(arg->value);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            add_folder(sources, path, problems);
        else
            nd_config_problem_add(problems, ND_PROBLEM_FATAL, path, 0, "no such folder");
    } else if (arg->kind == ND_ARG_OPTION) {
        NdConfigItem *item = g_new0(NdConfigItem, 1);
        item->arg = arg;
        g_ptr_array_add(sources->items, item);
    }
}

NdConfigSources *nd_config_sources_read(const GPtrArray *args, GPtrArray *problems)
{
    NdConfigSources *sources = sources_new();
    sources->environment = g_get_environ();
    add_defaults(sources, !nd_args_have(args, ND_ARG_CONFIG_FILE), !nd_args_have(args, ND_ARG_CONFIG_DIR), problems);
    for (guint i = 0; i < args->len; i++)
        add_arg(sources, args->pdata[i], problems);
    g_ptr_array_add(sources->named, NULL);
    g_ptr_array_add(sources->files, NULL);
    return sources;
}

NdConfigSources *nd_config_sources_from_text(const char *text, GPtrArray *problems)
{
    NdConfigSources *sources = sources_new();
    add_text(sources, "text", text, strlen(text), problems);
    g_ptr_array_add(sources->named, NULL);
    g_ptr_array_add(sources->files, NULL);
    return sources;
}

/* The places of an option: its own, then the deprecated ones; pairs of group and name. */
static char **option_places(const char *group, const NdOption *option)
{
    g_autoptr(GPtrArray) places = g_ptr_array_new();
    g_ptr_array_add(places, nd_ini_normalise_section(group));
    g_ptr_array_add(places, g_strdup(option->name));
    g_auto(GStrv) old = g_strsplit(option->deprecated != NULL ? option->deprecated : "", " ", -1);
    for (char **place = old; *place != NULL; place++) {
        /* "group.name", or "name" for the option's own group */
        char *dot = strchr(*place, '.');
        g_autofree char *old_group = dot != NULL ? g_strndup(*place, (size_t)(dot - *place)) : g_strdup(group);
        g_ptr_array_add(places, nd_ini_normalise_section(old_group));
        g_ptr_array_add(places, g_strdup(dot != NULL ? dot + 1 : *place));
    }
    g_ptr_array_add(places, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&places), false);
}

static void note_file(NdConfigRaw *raw, char **places, size_t place, const NdIniFile *file, const NdIniEntry *entry)
{
    raw->origin = ND_ORIGIN_FILE;
    raw->file = file->path;
    raw->line = entry->line;
    g_clear_pointer(&raw->old_name, g_free);
    if (place > 0)
        raw->old_name = g_strdup_printf("[%s] %s", places[2 * place], places[2 * place + 1]);
}

/* Each later file wins, in one file the option's own name, of repeated keys the last. */
static void find_single(const NdIniFile *file, char **places, NdConfigRaw *raw)
{
    for (size_t place = 0; places[2 * place] != NULL; place++) {
        const GPtrArray *values = nd_ini_values(file, places[2 * place], places[2 * place + 1]);
        if (values == NULL)
            continue;
        NdIniEntry *entry = values->pdata[values->len - 1];
        g_ptr_array_set_size(raw->texts, 0);
        g_ptr_array_add(raw->texts, entry->value);
        note_file(raw, places, place, file, entry);
        return;
    }
}

/* All values count; of one file, those of old names come first. */
static void find_multi(const NdIniFile *file, char **places, NdConfigRaw *raw)
{
    for (size_t place = g_strv_length(places) / 2; place-- > 0;) {
        const GPtrArray *values = nd_ini_values(file, places[2 * place], places[2 * place + 1]);
        for (guint i = 0; values != NULL && i < values->len; i++) {
            NdIniEntry *entry = values->pdata[i];
            g_ptr_array_add(raw->texts, entry->value);
            note_file(raw, places, place, file, entry);
        }
    }
}

/* OS_<GROUP>__<NAME>, upper case; deprecated names have none. */
static const char *find_environment(const NdConfigSources *sources, const char *group, const NdOption *option)
{
    if (sources->environment == NULL)
        return NULL;
    g_autofree char *name = g_strdup_printf("OS_%s__%s", group, option->name);
    g_autofree char *upper = g_ascii_strup(name, -1);
    return g_environ_getenv(sources->environment, upper);
}

void nd_config_sources_find(const NdConfigSources *sources, const char *group, const NdOption *option, NdConfigRaw *raw)
{
    bool multi = option->type == ND_OPTION_MULTI_STRING || option->type == ND_OPTION_MULTI_DICT;
    bool in_file = false;
    g_auto(GStrv) places = option_places(group, option);
    *raw = (NdConfigRaw){.texts = g_ptr_array_new()};

    for (guint i = 0; i < sources->items->len; i++) {
        const NdConfigItem *item = sources->items->pdata[i];
        if (item->file != NULL) {
            (multi ? find_multi : find_single)(item->file, places, raw);
            in_file = in_file || raw->texts->len > 0;
        } else if (g_str_equal(item->arg->group, group) && g_str_equal(item->arg->name, option->name)) {
            g_ptr_array_set_size(raw->texts, 0);
            g_ptr_array_add(raw->texts, item->arg->value);
            raw->origin = ND_ORIGIN_COMMAND_LINE;
        }
    }
    /* oslo.config's order is command line, environment, files; but the command line's value is only known as such when no file sets the
     * option. */
    const char *environment = find_environment(sources, group, option);
    if (environment != NULL && (raw->origin != ND_ORIGIN_COMMAND_LINE || in_file)) {
        g_ptr_array_set_size(raw->texts, 0);
        g_ptr_array_add(raw->texts, (char *)environment);
        raw->origin = ND_ORIGIN_ENVIRONMENT;
        g_clear_pointer(&raw->old_name, g_free);
    }
    if (raw->texts->len == 0)
        g_clear_pointer(&raw->texts, g_ptr_array_unref);
    else
        g_ptr_array_add(raw->texts, NULL);
}

void nd_config_raw_clear(NdConfigRaw *raw)
{
    g_clear_pointer(&raw->texts, g_ptr_array_unref);
    g_clear_pointer(&raw->old_name, g_free);
}
