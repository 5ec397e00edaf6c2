/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/conf_args.h"
#include "base/conf_ini.h"
#include "base/conf_value.h"

/* Everything that values come from, in the order in which later ones win. */
typedef struct {
    GPtrArray *items;  /* of NdConfigItem */
    GStrv environment; /* NULL: none is looked at */
    GPtrArray *named;  /* char *: files of --config-file, or default ones; NULL-terminated */
    GPtrArray *files;  /* char *: all files read; NULL-terminated */
} NdConfigSources;

/* A file, or an argument that sets an option. */
typedef struct {
    NdIniFile *file;
    const NdArg *arg; /* borrowed */
} NdConfigItem;

/* What the sources say about an option. */
typedef struct {
    GPtrArray *texts; /* borrowed char *, NULL-terminated; NULL: nothing */
    NdConfigOrigin origin;
    const char *file;
    int line;
    char *old_name; /* "[group] name" of the deprecated place it stood at, or NULL; owned */
} NdConfigRaw;

/* Reads the files that args and the defaults ask for. Broken and missing files become fatal problems in `problems` (of NdConfigProblem).
 * `args` must outlive the result. */
NdConfigSources *nd_config_sources_read(const GPtrArray *args, GPtrArray *problems);
/* The text as the only file, no environment. */
NdConfigSources *nd_config_sources_from_text(const char *text, GPtrArray *problems);
void nd_config_sources_free(NdConfigSources *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdConfigSources, nd_config_sources_free)

/* Looks an option up under its own and its deprecated names. */
void nd_config_sources_find(const NdConfigSources *sources, const char *group, const NdOption *option, NdConfigRaw *raw);
void nd_config_raw_clear(NdConfigRaw *raw);

void nd_config_problem_free(NdConfigProblem *problem);
/* Adds a problem; file and line may be NULL and 0. */
void nd_config_problem_add(GPtrArray *problems, NdConfigSeverity severity, const char *file, int line, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
