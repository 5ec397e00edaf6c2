/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/time.h"

#include "base/error.h"

gint64 nd_time_now(void)
{
    return g_get_real_time();
}

/* Years always have four digits (%Y of g_date_time_format has not), and times before the epoch round down. */
static char *format(gint64 time_us, char separator, const char *suffix, bool micro)
{
    gint64 fraction = time_us % G_USEC_PER_SEC;
    if (fraction < 0)
        fraction += G_USEC_PER_SEC;
    g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc((time_us - fraction) / G_USEC_PER_SEC);
    g_autofree char *text = g_strdup_printf("%04d-%02d-%02d%c%02d:%02d:%02d", g_date_time_get_year(second), g_date_time_get_month(second),
                                            g_date_time_get_day_of_month(second), separator, g_date_time_get_hour(second),
                                            g_date_time_get_minute(second), g_date_time_get_second(second));
    if (micro)
        return g_strdup_printf("%s.%06d%s", text, (int)fraction, suffix);
    return g_strconcat(text, suffix, NULL);
}

char *nd_time_format_field(gint64 time_us)
{
    return format(time_us, 'T', "Z", false);
}

char *nd_time_format_argument(gint64 time_us)
{
    return format(time_us, 'T', "", true);
}

char *nd_time_format_notification(gint64 time_us)
{
    return format(time_us, ' ', "", true);
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
