/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/options.h"
#include "base/release.h"

#include <glib.h>
#include <stdbool.h>

/*
 * nova.conf, read by oslo.config's rules (spec/config.md sections 4 and 5): command line over environment (OS_<GROUP>__<OPTION>) over files
 * over defaults; the last file wins. (This file is not named config.h because that is autoconf's.)
 *
 * A NdConfig is made once and passed on. Readers are thread safe and never fail: values are converted and checked when the files are
 * read. Asking for an option that base/options_*.c does not list, or with another type than listed there, is a programming error (g_error).
 * Strings and lists that readers return stay valid and unchanged until the NdConfig is freed, over a reload too.
 */
typedef struct NdConfig NdConfig;

typedef enum {
    ND_PROBLEM_NOTE,  /* worth a warning: an old name is used, an option is set that has no effect */
    ND_PROBLEM_VALUE, /* a bad value of an option that novad does not honour: nova-compute would refuse it, novad can run */
    ND_PROBLEM_FATAL, /* a bad value of an option that it honours, a broken or missing file */
} NdConfigSeverity;

/* One finding of reading the configuration. */
typedef struct {
    NdConfigSeverity severity;
    char *file;    /* NULL: command line, environment, or no place */
    int line;      /* from 1; 0: none */
    char *message; /* "[group] name: …" */
} NdConfigProblem;

/* Reads the command line of nova-compute (argv[0] is skipped), the files it names or the default ones ("nova" and "nova-compute" in
 * ~/.nova, ~, /etc/nova, /etc …), their .conf.d directories, and the environment. Fails on unknown arguments, a file that is named and
 * cannot be read, and on the first fatal problem. Errors: ND_ERROR_CONFIG, ND_ERROR_ARGUMENT (command line), ND_ERROR_NOT_FOUND. Free with
 * nd_config_free. */
NdConfig *nd_config_load(int argc, char **argv, GError **error);
/* For tests and tools: the text is taken as the only file, the environment is not read. Fails as nd_config_load does. */
NdConfig *nd_config_new_from_text(const char *text, GError **error);
void nd_config_free(NdConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdConfig, nd_config_free)

/* As nd_config_load, but problems do not fail it: they are collected for nd_config_problems (--check-config). Fails on arguments only. */
NdConfig *nd_config_load_lenient(int argc, char **argv, GError **error);
/* Everything that was found while reading: element NdConfigProblem*. Borrowed. */
const GPtrArray *nd_config_problems(const NdConfig *config);

/* SIGHUP: reads the same files again and takes over the values of mutable options only. changed (may be NULL) gets "group.name" of each. On
 * failure nothing changes. */
bool nd_config_reload(NdConfig *config, char ***changed, GError **error);
/* Defaults of this release from now on (default: Zed); call before the values are used. */
void nd_config_set_release(NdConfig *config, NdRelease release);
NdRelease nd_config_release(const NdConfig *config);
/* Replaces one value, as if it stood on the command line; text is in file syntax. For values that are found out at start-up, and tests. */
bool nd_config_set(NdConfig *config, const char *group, const char *name, const char *text, GError **error);

/* Readers. Text types (string, addresses, URI): NULL when there is no value (Python's None). */
const char *nd_config_string(const NdConfig *config, const char *group, const char *name);
/* Numbers and booleans: 0 and false when there is no value; ask nd_config_has_value first where None matters. */
gint64 nd_config_int(const NdConfig *config, const char *group, const char *name);
double nd_config_float(const NdConfig *config, const char *group, const char *name);
bool nd_config_bool(const NdConfig *config, const char *group, const char *name);
/* Items of a list option, values of a multi-string option: NULL-terminated, never NULL. */
const char *const *nd_config_list(const NdConfig *config, const char *group, const char *name);
const char *const *nd_config_multi(const NdConfig *config, const char *group, const char *name);
/* char* -> char*, never NULL. Borrowed, read only. */
GHashTable *nd_config_dict(const NdConfig *config, const char *group, const char *name);

/* True if the option has a value at all, set or by default (in Python: is not None). */
bool nd_config_has_value(const NdConfig *config, const char *group, const char *name);
/* True if a file, the environment or the command line sets it. */
bool nd_config_is_set(const NdConfig *config, const char *group, const char *name);
/* "FILE:LINE", "environment", "command line" or "default" of the value; for messages; caller frees. */
char *nd_config_where(const NdConfig *config, const char *group, const char *name);

/* Names of the sections that the files have and that start with `prefix` ("" for all), lower case as written first, in order of appearance;
 * caller frees with g_strfreev. For sections that other options make ([mdev_nvidia-35]). */
char **nd_config_groups(const NdConfig *config, const char *prefix);
/* Files that were named by --config-file, or the default ones found; compute_id is looked for beside them (spec/config.md section 4).
 * Borrowed. */
const char *const *nd_config_files(const NdConfig *config);
/* All files read, with those of directories. Borrowed. */
const char *const *nd_config_all_files(const NdConfig *config);

/* The value as text for listings and reports: "****" for secrets, NULL for none; caller
 * frees. */
char *nd_config_value_text(const NdConfig *config, const char *group, const char *name);
