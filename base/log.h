/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Logging in oslo.log's line format, so that pipelines made for nova-compute keep working (spec/config.md section 6). Only agent/ and the
 * programs log above debug. Logger names are the ones operators grep for: "nova.compute.manager", "nova.virt.libvirt.driver" ...
 */
typedef enum { ND_LOG_DEBUG, ND_LOG_INFO, ND_LOG_WARNING, ND_LOG_ERROR, ND_LOG_CRITICAL } NdLogLevel;

/* Writes one record with this thread's context. Thread safe. A NULL logger means "novad". Passwords in URLs and values that look like
 * tokens or passwords are masked, as a net below the rule that nobody logs them. */
#define nd_log(level, logger, ...) nd_log_at((level), (logger), __FILE__, __LINE__, __func__, __VA_ARGS__)
void nd_log_at(NdLogLevel level, const char *logger, const char *file, int line, const char *function, const char *format, ...)
    G_GNUC_PRINTF(6, 7);
/* True if a record of this level and logger would be written. */
bool nd_log_enabled(NdLogLevel level, const char *logger);

#define nd_debug(logger, ...)                                                                                                              \
    do {                                                                                                                                   \
        if (nd_log_enabled(ND_LOG_DEBUG, (logger)))                                                                                        \
            nd_log(ND_LOG_DEBUG, (logger), __VA_ARGS__);                                                                                   \
    } while (0)
#define nd_info(logger, ...) nd_log(ND_LOG_INFO, (logger), __VA_ARGS__)
#define nd_warning(logger, ...) nd_log(ND_LOG_WARNING, (logger), __VA_ARGS__)
#define nd_err(logger, ...) nd_log(ND_LOG_ERROR, (logger), __VA_ARGS__)
#define nd_critical(logger, ...) nd_log(ND_LOG_CRITICAL, (logger), __VA_ARGS__)

/* The request that this thread works for, put into each of its records; strings are copied, NULLs clear. user_identity is
 * "user project domain user_domain project_domain" (spec/rpc-wire.md section 3.2). */
void nd_log_set_request(const char *request_id, const char *global_request_id, const char *user_identity);
/* The instance that this thread works on ("[instance: UUID] " before the text); NULL clears. */
void nd_log_set_instance(const char *uuid);
