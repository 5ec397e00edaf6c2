/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* One thing that the command line says, in its order. */
typedef enum {
    ND_ARG_CONFIG_FILE,  /* value: path */
    ND_ARG_CONFIG_DIR,   /* value: path */
    ND_ARG_OPTION,       /* value of the option `name` of [DEFAULT] or, with `group`, of another section */
    ND_ARG_HELP,         /* */
    ND_ARG_VERSION,      /* */
    ND_ARG_LIST_OPTIONS, /* ours */
    ND_ARG_CHECK_CONFIG, /* ours */
} NdArgKind;

typedef struct {
    NdArgKind kind;
    const char *group; /* static */
    const char *name;  /* static, with underscores */
    char *value;       /* NULL for kinds without one */
} NdArg;

/* Parses nova-compute's command line (spec/config.md section 4) and our additions; argv[0] is skipped. Names may be written with
 * underscores and shortened as long as they are unique. Returns an array of NdArg. Errors: ND_ERROR_ARGUMENT. */
GPtrArray *nd_args_parse(int argc, char **argv, GError **error);
/* True if there is an argument of the kind. */
bool nd_args_have(const GPtrArray *args, NdArgKind kind);
/* The text of --help, ending in a newline; caller frees. */
char *nd_args_help(void);
