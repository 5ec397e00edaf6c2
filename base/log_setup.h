/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/log.h"

/* Opens the log that the options ask for (log_file, log_dir, use_journal, use_syslog, use_json, use_stderr, debug, default_log_levels,
 * format strings; spec/config.md section 6) and sends GLib's own messages (g_warning …) there too. Until then records go to stderr from
 * level INFO on. The configuration must live until nd_log_close. `program` names the file in log_dir and the syslog ident ("nova-compute").
 * May be called again after a reload. Fails if the file cannot be opened; the log in use stays. Errors: ND_ERROR_IO and its kind. */
bool nd_log_configure(const NdConfig *config, const char *program, GError **error);
/* Opens the file again, for log rotation by move; it is also done by itself when the file's inode changed. */
void nd_log_reopen(void);
/* Closes everything, back to stderr. */
void nd_log_close(void);
