/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/config_cli.h"

#include "base/conf_args.h"
#include "base/error.h"

#include <math.h>
#include <stdio.h>

/* The options of a family in each of its sections that are known without reading files. */
static void for_each_option(const NdOptionFamily *family, void (*visit)(const char *group, const NdOption *option, gpointer data),
                            gpointer data)
{
    g_auto(GStrv) groups = g_strsplit(family->groups, " ", -1);
    for (char **group = groups; *group != NULL; group++)
        for (size_t i = 0; i < family->n_options; i++)
            visit(*group, &family->options[i], data);
}

static void print_status(const NdOption *option)
{
    static const char *const words[] = {
        [ND_OPTION_HONOURED] = "honoured", [ND_OPTION_IGNORED] = "no effect", [ND_OPTION_UNSUPPORTED] = "not supported"};
    printf("%s%s%s", words[option->status], option->reason != NULL ? ": " : "", option->reason != NULL ? option->reason : "");
}

/* "  name (type; choices; default x; from Y: z) - help [status]". */
static void print_option(const char *group, const NdOption *option, gpointer unused)
{
    g_autofree char *range = g_strdup("");
    if (option->choices != NULL)
        range = (g_free(range), g_strdup_printf("; one of %s", option->choices));
    else if (option->has_range && isinf(option->maximum))
        range = (g_free(range), g_strdup_printf("; at least %g", option->minimum));
    else if (option->has_range)
        range = (g_free(range), g_strdup_printf("; %g to %g", option->minimum, option->maximum));
    printf("%s.%s\n    %s%s; default %s", group, option->name, nd_option_type_name(option->type), range,
           option->default_value != NULL ? (*option->default_value ? option->default_value : "''") : "none");
    for (size_t i = 0; i < G_N_ELEMENTS(option->later); i++)
        if (option->later[i].value != NULL)
            printf(", from %s on %s", nd_release_name(option->later[i].since), option->later[i].value);
    if (option->deprecated != NULL)
        printf("; formerly %s", option->deprecated);
    printf("%s\n    %s\n    ", option->mutable_ ? "; changes at reload" : "", option->help);
    print_status(option);
    printf("\n");
}

static void list_options(void)
{
    size_t n_families;
    const NdOptionFamily *families = nd_option_families(&n_families);
    for (size_t i = 0; i < n_families; i++)
        for_each_option(&families[i], print_option, NULL);
}

typedef struct {
    const NdConfig *config;
    guint n_bad, n_without_effect;
} Check;

static void check_option(const char *group, const NdOption *option, gpointer data)
{
    Check *check = data;
    if (strchr(group, '*') != NULL || option->status == ND_OPTION_HONOURED || !nd_config_is_set(check->config, group, option->name))
        return;
    g_autofree char *where = nd_config_where(check->config, group, option->name);
    printf("%s: note: [%s] %s: ", where, group, option->name);
    print_status(option);
    printf("\n");
    check->n_without_effect++;
}

static void print_problem(FILE *stream, const NdConfigProblem *problem)
{
    if (problem->file != NULL)
        fprintf(stream, "%s:", problem->file);
    if (problem->line > 0)
        fprintf(stream, "%d:", problem->line);
    fprintf(stream, "%s%s: %s\n", problem->file != NULL ? " " : "", problem->severity == ND_PROBLEM_NOTE ? "note" : "error",
            problem->message);
}

/* Bad values first, then what has no effect; 1 if there is a bad value. */
static int check_config(const NdConfig *config)
{
    Check check = {.config = config};
    const GPtrArray *problems = nd_config_problems(config);
    for (guint i = 0; i < problems->len; i++) {
        const NdConfigProblem *problem = problems->pdata[i];
        check.n_bad += problem->severity != ND_PROBLEM_NOTE;
        print_problem(stdout, problem);
    }
    size_t n_families;
    const NdOptionFamily *families = nd_option_families(&n_families);
    for (size_t i = 0; i < n_families; i++)
        for_each_option(&families[i], check_option, &check);

    const char *const *files = nd_config_all_files(config);
    g_autofree char *names = g_strjoinv(", ", (char **)files);
    printf("%u files read%s%s; %u bad values, %u options set without effect\n", g_strv_length((char **)files), *names ? ": " : "", names,
           check.n_bad, check.n_without_effect);
    return check.n_bad > 0 ? 1 : 0;
}

static int fail(const GError *error)
{
    fprintf(stderr, "novad: %s\n", error->message);
    return g_error_matches(error, ND_ERROR, ND_ERROR_ARGUMENT) ? 2 : 1;
}

/* Handles what prints and ends; false: none of it was asked for. */
static bool print_and_end(const GPtrArray *args, int argc, char **argv, int *status)
{
    *status = 0;
    if (nd_args_have(args, ND_ARG_HELP)) {
        g_autofree char *help = nd_args_help();
        fputs(help, stdout);
        return true;
    }
    if (nd_args_have(args, ND_ARG_VERSION)) {
        printf("novad %s\n", PACKAGE_VERSION);
        return true;
    }
    if (nd_args_have(args, ND_ARG_LIST_OPTIONS)) {
        list_options();
        return true;
    }
    if (nd_args_have(args, ND_ARG_CHECK_CONFIG)) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NdConfig) config = nd_config_load_lenient(argc, argv, &error);
        *status = config != NULL ? check_config(config) : fail(error);
        return true;
    }
    return false;
}

NdCliResult nd_config_cli(int argc, char **argv, NdConfig **config, int *status)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) args = nd_args_parse(argc, argv, &error);
    if (args == NULL) {
        *status = fail(error);
        return ND_CLI_EXIT;
    }
    if (print_and_end(args, argc, argv, status))
        return ND_CLI_EXIT;
    NdConfig *loaded = nd_config_load(argc, argv, &error);
    if (loaded == NULL) {
        *status = fail(error);
        return ND_CLI_EXIT;
    }
    *config = loaded;
    return ND_CLI_RUN;
}
