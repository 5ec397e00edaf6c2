/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, ids and times. */
#include "config.h"

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"

#include <errno.h>

static void test_errno(void)
{
    static const struct {
        int errnum;
        NdError code;
    } cases[] = {{ENOSPC, ND_ERROR_NO_SPACE}, {EDQUOT, ND_ERROR_NO_SPACE},   {ENOENT, ND_ERROR_NOT_FOUND},
                 {EEXIST, ND_ERROR_EXISTS},   {ETIMEDOUT, ND_ERROR_TIMEOUT}, {EPERM, ND_ERROR_IO}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(nd_error_set_errno(&error, cases[i].errnum, "open '%s'", "x"));
        g_assert_error(error, ND_ERROR, (int)cases[i].code);
        g_assert_true(g_str_has_prefix(error->message, "open 'x': "));
    }
    g_assert_false(nd_error_set_errno(NULL, EPERM, "nobody listens"));
}

static void test_ids(void)
{
    g_autofree char *uuid = nd_uuid_new(), *other = nd_uuid_new(), *hex = nd_uuid_new_hex(), *request = nd_request_id_new();
    g_assert_true(g_regex_match_simple("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", uuid, 0, 0));
    g_assert_cmpstr(uuid, !=, other);
    g_assert_true(g_regex_match_simple("^[0-9a-f]{32}$", hex, 0, 0));
    g_assert_true(g_str_has_prefix(request, "req-"));
    g_assert_true(nd_uuid_is_valid(request + 4));
    g_assert_true(nd_uuid_is_valid("AAAAAAAA-bbbb-4ccc-8ddd-EEEEEEEEEEEE"));
    static const char *const bad[] = {"",
                                      "x",
                                      "AAAAAAAA-bbbb-4ccc-8ddd-EEEEEEEEEEE",
                                      "AAAAAAAA-bbbb-4ccc-8ddd-EEEEEEEEEEEEE",
                                      "AAAAAAAAbbbb4ccc8dddEEEEEEEEEEEE",
                                      "../../../../../../../../../etc/passwd"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(nd_uuid_is_valid(bad[i]));
}

static void test_times(void)
{
    gint64 time = 1700000000123456;
    g_autofree char *field = nd_time_format_field(time), *argument = nd_time_format_argument(time),
                    *notification = nd_time_format_notification(time);
    g_assert_cmpstr(field, ==, "2023-11-14T22:13:20Z");
    g_assert_cmpstr(argument, ==, "2023-11-14T22:13:20.123456");
    g_assert_cmpstr(notification, ==, "2023-11-14 22:13:20.123456");
    g_autofree char *before = nd_time_format_argument(-1);
    g_assert_cmpstr(before, ==, "1969-12-31T23:59:59.999999");
    g_assert_cmpint(nd_time_now(), >, time);

    static const struct {
        const char *text;
        gint64 time;
    } cases[] = {
        {"2023-11-14T22:13:20Z", 1700000000000000},       {"2023-11-14T22:13:20.123456", 1700000000123456},
        {"2023-11-14 22:13:20.123456", 1700000000123456}, {"2023-11-14T22:13:20+00:00", 1700000000000000},
        {"2023-11-15T00:13:20+02:00", 1700000000000000},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 parsed = 0;
        g_assert_true(nd_time_parse(cases[i].text, &parsed, NULL));
        g_assert_cmpint(parsed, ==, cases[i].time);
    }
    static const char *const bad[] = {"", "x", "2023-13-01T00:00:00Z", "2023-11-14", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        gint64 untouched = 7;
        g_assert_false(nd_time_parse(bad[i], &untouched, &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
        g_assert_cmpint(untouched, ==, 7);
    }
}

static void test_passwords(void)
{
    for (size_t length = 0; length < 40; length++) {
        g_autofree char *one = nd_password_new(length), *other = nd_password_new(length);
        g_assert_cmpuint(strlen(one), ==, length);
        g_assert_true(g_regex_match_simple("^[2-9A-HJ-NP-Za-km-z]*$", one, 0, 0));
        if (length >= 12)
            g_assert_cmpstr(one, !=, other);
        for (size_t i = 0; length >= 3 && i < 3; i++)
            g_assert_nonnull(strpbrk(one, i == 0 ? "23456789" : i == 1 ? "ABCDEFGHJKLMNPQRSTUVWXYZ" : "abcdefghijkmnopqrstuvwxyz"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basics/errno", test_errno);
    g_test_add_func("/basics/ids", test_ids);
    g_test_add_func("/basics/passwords", test_passwords);
    g_test_add_func("/basics/times", test_times);
    return g_test_run();
}
