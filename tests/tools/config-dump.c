/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config-dump [ARGUMENTS OF NOVAD]: reads the configuration and prints as JSON every option's value, secrets too, and what was found wrong.
 * config-dump --table: prints the table of options as JSON. For tests and tools only.
 */
#include "config.h"

#include "base/conf.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>

typedef struct {
    const NdConfig *config;
    NdJson *out;
} Dump;

static NdJson *member(NdJson *object, const char *key)
{
    NdJson *found = nd_json_object(object, key);
    if (found == NULL) {
        found = json_object_new_object();
        nd_json_set(object, key, found);
    }
    return found;
}

static NdJson *dict_to_json(GHashTable *dict)
{
    NdJson *object = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, dict);
    while (g_hash_table_iter_next(&iter, &key, &value))
        nd_json_set_string(object, key, value);
    return object;
}

static NdJson *number_to_json(double number)
{
    if (isfinite(number))
        return json_object_new_double(number);
    return json_object_new_string(isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
}

static NdJson *value_to_json(const NdConfig *config, const char *group, const NdOption *option)
{
    const char *name = option->name;
    if (option->type == ND_OPTION_MULTI_STRING || option->type == ND_OPTION_MULTI_DICT)
        return nd_json_from_strv(nd_config_multi(config, group, name));
    if (!nd_config_has_value(config, group, name))
        return NULL;
    switch (option->type) {
    case ND_OPTION_BOOLEAN:
        return json_object_new_boolean(nd_config_bool(config, group, name));
    case ND_OPTION_INTEGER:
    case ND_OPTION_PORT:
        return json_object_new_int64(nd_config_int(config, group, name));
    case ND_OPTION_FLOAT:
        return number_to_json(nd_config_float(config, group, name));
    case ND_OPTION_LIST:
        return nd_json_from_strv(nd_config_list(config, group, name));
    case ND_OPTION_DICT:
        return dict_to_json(nd_config_dict(config, group, name));
    default:
        return json_object_new_string(nd_config_string(config, group, name));
    }
}

static void dump_value(const char *group, const NdOption *option, Dump *dump)
{
    nd_json_set(member(dump->out, group), option->name, value_to_json(dump->config, group, option));
}

static void dump_row(const char *group, const NdOption *option, Dump *dump)
{
    static const char *const statuses[] = {"honoured", "ignored", "unsupported"};
    NdJson *row = json_object_new_object();
    nd_json_set_string(row, "type", nd_option_type_name(option->type));
    nd_json_set_string(row, "default", option->default_value);
    nd_json_set_string(row, "help", option->help);
    nd_json_set_string(row, "status", statuses[option->status]);
    nd_json_set_string(row, "reason", option->reason);
    nd_json_set_string(row, "choices", option->choices);
    nd_json_set_string(row, "deprecated", option->deprecated);
    nd_json_set_string(row, "pattern", option->pattern);
    nd_json_set(row, "minimum", option->has_range && isfinite(option->minimum) ? json_object_new_double(option->minimum) : NULL);
    nd_json_set(row, "maximum", option->has_range && isfinite(option->maximum) ? json_object_new_double(option->maximum) : NULL);
    nd_json_set_bool(row, "mutable", option->mutable_);
    nd_json_set_bool(row, "secret", option->secret);
    nd_json_set(member(dump->out, group), option->name, row);
}

static void each_option(Dump *dump, bool patterns, void (*visit)(const char *group, const NdOption *option, Dump *dump))
{
    size_t n_families;
    const NdOptionFamily *families = nd_option_families(&n_families);
    for (size_t f = 0; f < n_families; f++) {
        g_auto(GStrv) groups = g_strsplit(families[f].groups, " ", -1);
        for (char **group = groups; *group != NULL; group++)
            for (size_t i = 0; i < families[f].n_options && (patterns || strchr(*group, '*') == NULL); i++)
                visit(*group, &families[f].options[i], dump);
    }
}

static NdJson *problems_to_json(const NdConfig *config)
{
    NdJson *list = json_object_new_array();
    const GPtrArray *problems = nd_config_problems(config);
    for (guint i = 0; i < problems->len; i++) {
        const NdConfigProblem *problem = problems->pdata[i];
        NdJson *entry = json_object_new_object();
        nd_json_set_int(entry, "severity", problem->severity);
        nd_json_set_string(entry, "file", problem->file);
        nd_json_set_int(entry, "line", problem->line);
        nd_json_set_string(entry, "message", problem->message);
        json_object_array_add(list, entry);
    }
    return list;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) out = json_object_new_object();
    g_autoptr(NdConfig) config = NULL;
    Dump dump = {.out = out};
    if (argc == 2 && g_str_equal(argv[1], "--table")) {
        each_option(&dump, true, dump_row);
    } else {
        config = nd_config_load_lenient(argc, argv, &error);
        if (config == NULL) {
            fprintf(stderr, "%s\n", error->message);
            return 2;
        }
        NdJson *values = json_object_new_object();
        nd_json_set(out, "values", values);
        dump = (Dump){config, values};
        each_option(&dump, false, dump_value);
        nd_json_set(out, "problems", problems_to_json(config));
    }
    g_autofree char *text = nd_json_to_string(out);
    puts(text);
    return 0;
}
