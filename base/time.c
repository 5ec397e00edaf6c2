/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/time.h"

#include "base/error.h"

gint64 nd_time_now(void)
{
    return g_get_real_time();
}

static char *format(gint64 time_us, const char *pattern, const char *suffix, bool micro)
{
    g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format(second, pattern);
    if (micro)
        return g_strdup_printf("%s.%06d%s", text, (int)(time_us % G_USEC_PER_SEC), suffix);
    return g_strconcat(text, suffix, NULL);
}

char *nd_time_format_field(gint64 time_us)
{
    return format(time_us, "%Y-%m-%dT%H:%M:%S", "Z", false);
}

char *nd_time_format_argument(gint64 time_us)
{
    return format(time_us, "%Y-%m-%dT%H:%M:%S", "", true);
}

char *nd_time_format_notification(gint64 time_us)
{
    return format(time_us, "%Y-%m-%d %H:%M:%S", "", true);
}

bool nd_time_parse(const char *text, gint64 *time_us, GError **error)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *iso = g_strdup(text);
    if (iso && strlen(iso) > 10 && iso[10] == ' ')
        iso[10] = 'T';
    g_autoptr(GDateTime) parsed = iso ? g_date_time_new_from_iso8601(iso, utc) : NULL;
    if (parsed == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "'%s' is not a time", text ? text : "(null)");
        return false;
    }
    *time_us = g_date_time_to_unix(parsed) * G_USEC_PER_SEC + g_date_time_get_microsecond(parsed);
    return true;
}
