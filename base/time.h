/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Wall-clock times in novad are gint64 microseconds since the epoch, UTC; durations and deadlines are microseconds of the monotonic clock.
 */

/* Now, wall clock, microseconds. */
gint64 nd_time_now(void);
/* "YYYY-MM-DDTHH:MM:SSZ": object fields (spec/objects.md section 1); caller frees. */
char *nd_time_format_field(gint64 time_us);
/* "YYYY-MM-DDTHH:MM:SS.ffffff": times as method arguments and in contexts (spec/conductor-rpc.md section 2); caller frees. */
char *nd_time_format_argument(gint64 time_us);
/* "YYYY-MM-DD HH:MM:SS.ffffff": notification timestamps (spec/rpc-wire.md section 10); caller frees. */
char *nd_time_format_notification(gint64 time_us);
/* Reads any of these forms, and ISO 8601 with an offset. Errors: ND_ERROR_PARSE. */
bool nd_time_parse(const char *text, gint64 *time_us, GError **error);
