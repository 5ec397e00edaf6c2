/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/log_output.h"

/*
 * The part of Python's logging configuration files (logging.config.fileConfig, option log_config_append) that deployments use: levels of
 * loggers; handlers of the classes StreamHandler, FileHandler and its relatives, SysLogHandler, the journal's, NullHandler; oslo.log's
 * formatters. All loggers' handlers together are our outputs; a logger that has only null handlers is silent.
 */
typedef struct {
    GHashTable *levels; /* logger name -> level + 1; one more than CRITICAL + 1 is silent */
    guint root_level;   /* NdLogLevel, or one more than CRITICAL */
    bool json;
    char *unknown; /* name of a handler class that we do not have, or NULL; stderr stands in for it */
} NdLogPython;

/* Reads the file; sets path, to_stdout, to_stderr, to_syslog, to_journal of `output` (which has none of them yet). Errors: ND_ERROR_CONFIG,
 * ND_ERROR_NOT_FOUND, ND_ERROR_IO. Clear with nd_log_python_clear. */
bool nd_log_python_read(const char *path, NdLogOutput *output, NdLogPython *python, GError **error);
void nd_log_python_clear(NdLogPython *python);
/* "DEBUG", "WARN", a number …; false: no level. */
bool nd_log_parse_level(const char *name, NdLogLevel *level);
