/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify.h"
#include "base/error.h"
#include "base/time.h"

/* The same moments and periods given to upstream's nova.utils.last_completed_audit_period make this table. */
static void test_periods(void)
{
    static const struct {
        const char *now, *unit, *begin, *end;
    } cases[] = {
        {"2026-11-23T01:40:06Z", "month", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"},
        {"2026-11-23T01:40:06Z", "month@25", "2026-09-25T00:00:00Z", "2026-10-25T00:00:00Z"},
        {"2026-01-05T01:40:06Z", "month", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"},
        {"2026-11-23T01:40:06Z", "year", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
        {"2026-02-23T01:40:06Z", "year@3", "2024-03-01T00:00:00Z", "2025-03-01T00:00:00Z"},
        {"2026-11-23T01:40:06Z", "day", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
        {"2026-11-23T01:40:06Z", "day@18", "2026-11-21T18:00:00Z", "2026-11-22T18:00:00Z"},
        {"2026-11-23T01:40:06Z", "hour", "2026-11-23T00:00:00Z", "2026-11-23T01:00:00Z"},
        {"2026-11-23T01:40:06Z", "hour@45", "2026-11-22T23:45:00Z", "2026-11-23T00:45:00Z"},
        {"2026-11-23T00:00:00Z", "day", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"}, /* not over yet in its first instant */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        gint64 now, begin, end;

        g_assert_true(nd_time_parse(cases[i].now, &now, NULL));
        g_assert_true(notify_audit_period(cases[i].unit, now, &begin, &end, &error));
        g_assert_no_error(error);
        g_autofree char *begin_text = nd_time_format_field(begin);
        g_autofree char *end_text = nd_time_format_field(end);
        g_assert_cmpstr(begin_text, ==, cases[i].begin);
        g_assert_cmpstr(end_text, ==, cases[i].end);
    }
}

static void test_no_periods(void)
{
    static const char *const bad[] = {"", "week", "day@24", "month@x", "day@"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        gint64 begin, end;

        g_assert_false(notify_audit_period(bad[i], nd_time_now(), &begin, &end, &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_CONFIG);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audit-period/periods", test_periods);
    g_test_add_func("/audit-period/bad", test_no_periods);
    return g_test_run();
}
