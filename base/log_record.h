/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/log.h"

/* One record on its way to the outputs. */
typedef struct {
    NdLogLevel level;
    const char *logger;
    const char *file, *function;
    int line;
    gint64 time_us;
    const char *message;
    const char *request_id, *global_request_id, *user_identity, *instance_uuid; /* NULL: none */
} NdLogRecord;

/* The format options; strings are the configuration's. */
typedef struct {
    const char *context_format, *default_format, *debug_suffix, *exception_prefix, *identity_format, *instance_format, *date_format;
    bool json;
} NdLogFormat;

/* "DEBUG" …; static. */
const char *nd_log_level_name(NdLogLevel level);
/* The formats of nova's defaults, for the time before there is a configuration. */
extern const NdLogFormat nd_log_format_default;
/* The record as text with a newline at its end: oslo.log's ContextFormatter or, with `json`, its JSONFormatter. Further lines of the
 * message start with the exception prefix. Caller frees. */
char *nd_log_format_record(const NdLogFormat *format, const NdLogRecord *record);
/* The message with passwords and tokens masked; caller frees. */
char *nd_log_mask(const char *message);
