/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"

static NdJson *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    NdJson *json = NULL;
    g_assert_true(nd_json_parse(text, strlen(text), NULL, &json, &error));
    g_assert_no_error(error);
    return json;
}

/* json-c takes single quotes and NaN even when it is strict; Python takes NaN too. */
static void test_parse(void)
{
    static const char *const good[] = {"{}", " [1, 2] \n", "null", "\"\xc3\xa4\"", "-1.5e3", "true", "{\"a\":{\"b\":[null]}}"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(NdJson) json = parse(good[i]);
        g_assert_cmpint(json == NULL, ==, g_str_equal(good[i], "null"));
    }
    static const char *const bad[] = {"",   "{",  "{a:1}", "[1,]", "nul",     "\"\xff\"", "1 2",     "{} x", "[1}", "{\"a\" 1}", "\"a",
                                      "+1", "01", "'x'",   "tru",  "\"\\q\"", "[",        "/* */ 1", "\t",   "1e",  "--1"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        NdJson *json = (NdJson *)1;
        if (nd_json_parse(bad[i], strlen(bad[i]), NULL, &json, &error))
            g_error("'%s' is taken", bad[i]);
        g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
        g_assert_true(json == (NdJson *)1);
    }
}

static void test_limits(void)
{
    g_autoptr(GError) error = NULL;
    NdJson *json = NULL;
    g_assert_false(nd_json_parse("[1,2,3]", 7, &(NdJsonLimits){.max_bytes = 6}, &json, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_LIMIT);
    g_clear_error(&error);
    g_assert_false(nd_json_parse("[[[[1]]]]", 9, &(NdJsonLimits){.max_depth = 3}, &json, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_LIMIT);
    g_clear_error(&error);
    g_assert_false(nd_json_parse("1\0", 2, NULL, &json, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
    g_clear_error(&error);
    g_assert_false(nd_json_parse("1", 1, &(NdJsonLimits){.max_depth = -1}, &json, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_ARGUMENT);
    g_assert_true(nd_json_parse("[1]xyz", 3, NULL, &json, NULL)); /* only `length` bytes count */
    json_object_put(json);
}

static void test_getters(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) json = parse("{\"s\": \"x\", \"i\": 5, \"b\": true, \"a\": [1], \"o\": {\"k\": 1}, \"n\": null, \"d\": 1.5}");
    const char *text = NULL;
    gint64 number = 0;
    bool truth = false;
    NdJson *member = NULL;
    g_assert_true(nd_json_get_string(json, "s", &text, &error));
    g_assert_cmpstr(text, ==, "x");
    g_assert_true(nd_json_get_int(json, "i", &number, &error));
    g_assert_cmpint(number, ==, 5);
    g_assert_true(nd_json_get_bool(json, "b", &truth, &error));
    g_assert_true(truth);
    g_assert_true(nd_json_get_array(json, "a", &member, &error));
    g_assert_true(nd_json_get_object(json, "o", &member, &error));

    g_assert_false(nd_json_get_string(json, "i", &text, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_TYPE);
    g_clear_error(&error);
    g_assert_false(nd_json_get_int(json, "none", &number, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_MISSING);
    g_clear_error(&error);
    g_assert_false(nd_json_get_bool(json, "n", &truth, NULL));
    g_assert_false(nd_json_get_array(json, "o", &member, NULL));
    g_assert_false(nd_json_get_object(json, "a", &member, NULL));
    g_assert_false(nd_json_get_object(NULL, "a", &member, NULL));

    g_assert_true(nd_json_get_string_opt(json, "n", "f", &text, NULL));
    g_assert_cmpstr(text, ==, "f");
    g_assert_true(nd_json_get_string_opt(json, "s", "f", &text, NULL));
    g_assert_cmpstr(text, ==, "x");
    g_assert_false(nd_json_get_string_opt(json, "i", "f", &text, NULL));
    g_assert_true(nd_json_get_int_opt(json, "none", 9, &number, NULL));
    g_assert_cmpint(number, ==, 9);
    g_assert_true(nd_json_get_int_opt(json, "i", 9, &number, NULL));
    g_assert_cmpint(number, ==, 5);
    g_assert_true(nd_json_get_bool_opt(json, "none", true, &truth, NULL));
    g_assert_true(truth);
    g_assert_false(nd_json_get_bool_opt(json, "s", true, &truth, NULL));
}

static void test_lenient(void)
{
    g_autoptr(NdJson) json = parse("{\"s\": \"x\", \"i\": 5, \"b\": true, \"a\": [1], \"o\": {\"k\": 1}, \"d\": 1.5}");
    g_assert_cmpstr(nd_json_string(json, "s", "f"), ==, "x");
    g_assert_cmpstr(nd_json_string(json, "i", "f"), ==, "f");
    g_assert_cmpint(nd_json_int(json, "i", 1), ==, 5);
    g_assert_cmpint(nd_json_int(json, "s", 1), ==, 1);
    g_assert_true(nd_json_bool(json, "b", false));
    g_assert_true(nd_json_bool(json, "s", true));
    g_assert_cmpfloat(nd_json_double(json, "d", 0), ==, 1.5);
    g_assert_cmpfloat(nd_json_double(json, "i", 0), ==, 5);
    g_assert_cmpfloat(nd_json_double(json, "s", 2), ==, 2);
    g_assert_nonnull(nd_json_array(json, "a"));
    g_assert_null(nd_json_array(json, "o"));
    g_assert_nonnull(nd_json_object(json, "o"));
    g_assert_null(nd_json_object(json, "a"));
    g_assert_null(nd_json_member(NULL, "a"));
    g_assert_null(nd_json_member(nd_json_array(json, "a"), "a"));
}

static void test_setters(void)
{
    g_autoptr(NdJson) json = json_object_new_object();
    g_autoptr(NdJson) list = nd_json_from_strv((const char *const[]){"a/b", "c", NULL});
    nd_json_set_string(json, "s", "/\"");
    nd_json_set_string(json, "n", NULL);
    nd_json_set_int(json, "i", G_MAXINT64);
    nd_json_set_bool(json, "b", false);
    nd_json_set_double(json, "d", 0.5);
    nd_json_set(json, "l", json_object_get(list));
    g_autofree char *text = nd_json_to_string(json);
    g_assert_cmpstr(text, ==, "{\"s\":\"/\\\"\",\"n\":null,\"i\":9223372036854775807,\"b\":false,\"d\":0.5,\"l\":[\"a/b\",\"c\"]}");
    g_auto(GStrv) back = nd_json_to_strv(list, NULL);
    g_assert_cmpuint(g_strv_length(back), ==, 2);
    g_autoptr(NdJson) none = nd_json_from_strv(NULL);
    g_assert_cmpuint(json_object_array_length(none), ==, 0);
    g_auto(GStrv) empty = nd_json_to_strv(NULL, NULL);
    g_assert_null(empty[0]);
    g_autoptr(NdJson) mixed = parse("[\"a\", 1]");
    g_autoptr(GError) error = NULL;
    g_assert_null(nd_json_to_strv(mixed, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_TYPE);
}

static void test_equal(void)
{
    g_autoptr(NdJson) a = parse("{\"a\": 1, \"b\": [1, 2]}"), b = parse("{\"b\": [1, 2], \"a\": 1}"),
                      c = parse("{\"b\": [2, 1], \"a\": 1}");
    g_assert_true(nd_json_equal(a, b));
    g_assert_false(nd_json_equal(a, c));
    g_assert_false(nd_json_equal(a, NULL));
    g_assert_true(nd_json_equal(NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/parse", test_parse);
    g_test_add_func("/json/limits", test_limits);
    g_test_add_func("/json/getters", test_getters);
    g_test_add_func("/json/lenient", test_lenient);
    g_test_add_func("/json/setters", test_setters);
    g_test_add_func("/json/equal", test_equal);
    return g_test_run();
}
