/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify.h"

#include "agent/notify_payload.h"
#include "base/error.h"
#include "base/log.h"
#include "base/time.h"

#include <string.h>

/* The `exists` notification: who has what at the moment, for billing (upstream nova/compute/utils.py notify_usage_exists). */

#define LOGGER "nova.compute.manager"

static const struct {
    const char *unit;
    int months, hours; /* its length */
    int first, last;   /* values of the part behind "@" */
} units[] = {
    {"month", 1, 0, 1, 31},
    {"year", 12, 0, 1, 12},
    {"day", 0, 24, 0, 23},
    {"hour", 0, 1, 0, 59},
};

/* The start of the unit that `now` is in, with the offset: a day of the month, a month of the year, an hour of the day, a minute of the hour. */
static GDateTime *start_of_unit(const char *unit, GDateTime *now, int offset)
{
    int year = g_date_time_get_year(now), month = g_date_time_get_month(now), day = g_date_time_get_day_of_month(now);

    if (strcmp(unit, "year") == 0)
        return g_date_time_new_utc(year, offset, 1, 0, 0, 0);
    if (strcmp(unit, "month") == 0)
        return g_date_time_new_utc(year, month, offset, 0, 0, 0); /* NULL: the month is shorter */
    if (strcmp(unit, "day") == 0)
        return g_date_time_new_utc(year, month, day, offset, 0, 0);
    return g_date_time_new_utc(year, month, day, g_date_time_get_hour(now), offset, 0);
}

static GDateTime *one_before(GDateTime *time, size_t unit)
{
    g_autoptr(GDateTime) months = g_date_time_add_months(time, -units[unit].months);

    return g_date_time_add_hours(months, -units[unit].hours);
}

static gint64 microseconds(GDateTime *time)
{
    return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

static bool parse_unit(const char *text, size_t *unit, int *offset, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", 2);
    gint64 value = 0;

    for (*unit = 0; *unit < G_N_ELEMENTS(units); (*unit)++)
        if (g_strcmp0(parts[0], units[*unit].unit) == 0) {
            if (parts[1] != NULL && !g_ascii_string_to_signed(parts[1], 10, 0, units[*unit].last, &value, NULL))
                break;
            *offset = MAX((int)value, units[*unit].first);
            return true;
        }
    g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "[DEFAULT]instance_usage_audit_period: '%s' is no period", text);
    return false;
}

bool notify_audit_period(const char *text, gint64 now_us, gint64 *begin, gint64 *end, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(now_us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) last = NULL;
    g_autoptr(GDateTime) first = NULL;
    size_t unit;
    int offset;

    if (!parse_unit(text, &unit, &offset, error))
        return false;
    last = start_of_unit(units[unit].unit, now, offset);
    if (last == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "[DEFAULT]instance_usage_audit_period: '%s' does not exist in this month", text);
        return false;
    }
    if (microseconds(last) >= now_us) {
        GDateTime *earlier = one_before(last, unit);

        g_date_time_unref(last);
        last = earlier;
    }
    first = one_before(last, unit);
    *begin = microseconds(first);
    *end = microseconds(last);
    return true;
}

static void add_members(NdJson *to, NdJson *from)
{
    json_object_object_foreach(from, key, value)
        nd_json_set(to, key, json_object_get(value));
}

static void add_image_meta(NdJson *extra, NdJson *system_metadata)
{
    NdJson *meta = json_object_new_object();

    json_object_object_foreach(system_metadata, key, value)
        if (g_str_has_prefix(key, "image_"))
            nd_json_set(meta, key + strlen("image_"), json_object_get(value));
    nd_json_set(extra, "image_meta", meta);
}

static NdJson *audit_payload(gint64 begin, gint64 end)
{
    NdJson *data = json_object_new_object();
    g_autofree char *begin_text = nd_time_format_field(begin);
    g_autofree char *end_text = nd_time_format_field(end);

    nd_json_set_string(data, "audit_period_beginning", begin_text);
    nd_json_set_string(data, "audit_period_ending", end_text);
    return notify_payload_object("AuditPeriodPayload", "1.0", data);
}

/* Python's str() of a datetime without zone; the fraction is left out when it is zero. */
static char *python_time(gint64 time_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%d %H:%M:%S");
    int fraction = (int)(time_us % G_USEC_PER_SEC);

    return fraction != 0 ? g_strdup_printf("%s.%06d", seconds, fraction) : g_strdup(seconds);
}

static void notify_exists(Agent *agent, const RpcContext *context, NovaInstance *instance, gint64 begin, gint64 end, NdJson *legacy)
{
    g_autoptr(NdJson) members = json_object_new_object();
    g_autofree char *beginning = python_time(begin);
    g_autofree char *ending = python_time(end);
    NotifyPayloadClass payload = {"InstanceExistsPayload", "2.0", members};
    NotifyDetails details = {
        .action = "exists",
        .phase = OPERATION_NOTIFY_SINGLE,
        .extra = legacy,
        .payload_class = &payload,
        .instance = instance,
    };

    nd_json_set_string(legacy, "audit_period_beginning", beginning);
    nd_json_set_string(legacy, "audit_period_ending", ending);
    nd_json_set(members, "audit_period", audit_payload(begin, end));
    notify_instance_details(agent, context, &details);
}

void notify_usage_exists(Agent *agent, const RpcContext *context, NovaInstance *instance, NdJson *system_metadata, NdJson *extra)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) legacy = json_object_new_object();
    gint64 now = nd_time_now(), begin, end;

    if (agent->notifier == NULL)
        return;
    if (!notify_audit_period(nd_config_string(agent->config, "DEFAULT", "instance_usage_audit_period"), now, &begin, &end, &error)) {
        nd_warning(LOGGER, "no exists notification: %s", error->message);
        return;
    }
    if (system_metadata != NULL)
        add_image_meta(legacy, system_metadata);
    if (extra != NULL)
        add_members(legacy, extra);
    notify_exists(agent, context, instance, end, now, legacy);
}

void notify_usage_exists_in(Agent *agent, const RpcContext *context, NovaInstance *instance, gint64 begin, gint64 end)
{
    g_autoptr(NdJson) legacy = json_object_new_object();

    if (agent->notifier != NULL)
        notify_exists(agent, context, instance, begin, end, legacy);
}
