/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/log_record.h"

/* Where records go; one at a time, the caller holds a lock. */
typedef struct {
    char *path;           /* log file, NULL: none */
    int fd;               /* of it */
    guint64 rotate_bytes; /* start a new file at this size; 0: never */
    guint rotate_count;   /* old files to keep */
    bool to_stdout, to_stderr, to_journal, to_syslog;
    int facility; /* of syslog and the journal */
    char *ident;
} NdLogOutput;

/* Opens path, if there is one, and syslog. Errors: ND_ERROR_IO and its kind. */
bool nd_log_output_open(NdLogOutput *output, GError **error);
/* Opens the file again; keeps the old one if that fails. */
void nd_log_output_reopen(NdLogOutput *output);
void nd_log_output_clear(NdLogOutput *output);
/* Writes the record; `text` is its formatted form. */
void nd_log_output_write(NdLogOutput *output, const NdLogRecord *record, const char *text);
/* LOG_USER … from "LOG_LOCAL0", "local0", "daemon"; -1: no such name. */
int nd_log_facility(const char *name);
