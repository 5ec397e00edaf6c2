/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/conf.h"

#include <stdio.h>

/* One word of the command line; returns the exit status. argv[0] is the command's name. */
typedef struct {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
} Command;

static int run_config(int argc, char **argv);
static int run_help(int argc, char **argv);
static int run_version(int argc, char **argv);

static const Command commands[] = {
    {"config", "[ARGUMENTS OF novad]  show the options that are set, their values and where they come from", run_config},
    {"help", "show this text", run_help},
    {"version", "show the version", run_version},
};

/* "[section] name = value  # place", secrets hidden. */
static void show_option(const NdConfig *config, const char *group, const NdOption *option)
{
    if (!nd_config_is_set(config, group, option->name))
        return;
    g_autofree char *value = nd_config_value_text(config, group, option->name), *where = nd_config_where(config, group, option->name);
    printf("[%s] %s = %s  # %s\n", group, option->name, value != NULL ? value : "", where);
}

static int run_config(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdConfig) config = nd_config_load_lenient(argc, argv, &error);
    if (config == NULL) {
        fprintf(stderr, "novactl: %s\n", error->message);
        return 2;
    }
    size_t n_families;
    const NdOptionFamily *families = nd_option_families(&n_families);
    for (size_t f = 0; f < n_families; f++) {
        g_auto(GStrv) groups = g_strsplit(families[f].groups, " ", -1);
        for (char **group = groups; *group != NULL; group++)
            for (size_t i = 0; i < families[f].n_options && strchr(*group, '*') == NULL; i++)
                show_option(config, *group, &families[f].options[i]);
    }
    return 0;
}

static int run_help(int argc, char **argv)
{
    printf("Usage: novactl COMMAND [ARGUMENT...]\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    return 0;
}

static int run_version(int argc, char **argv)
{
    printf("novactl %s\n", PACKAGE_VERSION);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    /* the usual spellings */
    if (g_str_equal(name, "-h") || g_str_equal(name, "--help"))
        name = "help";
    else if (g_str_equal(name, "--version"))
        name = "version";
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_str_equal(commands[i].name, name))
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "novactl: no command '%s' (novactl help)\n", name);
    return 2;
}
