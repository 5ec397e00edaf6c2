/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The last `lines` lines of a console's bytes (negative = all, 0 = none) as text: a byte outside of ASCII becomes U+FFFD, as Python's
 * decode('ascii', 'replace') does, and so does NUL. Caller frees. Upstream _tail_log and get_console_output. */
char *console_text(const char *bytes, gsize length, gint64 lines);
