/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/ids.h"
#include "rpc/error.h"
#include "rpc/message.h"

#include <string.h>

static NdJson *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    NdJson *value = NULL;
    nd_json_parse(text, strlen(text), NULL, &value, &error);
    g_assert_no_error(error);
    return value;
}

static bool decode(const char *text, NdJson **message, GError **error)
{
    return rpc_message_decode((const guint8 *)text, strlen(text), NULL, 1 << 20, message, error);
}

static void assert_refused(const char *text, int code, const char *words)
{
    g_autoptr(GError) error = NULL;
    NdJson *message = NULL;
    if (decode(text, &message, &error))
        g_error("'%s' was taken", text);
    g_assert_error(error, RPC_ERROR, code);
    g_assert_nonnull(strstr(error->message, words));
    g_assert_null(message);
}

static void test_envelope(void)
{
    g_autoptr(NdJson) message = parse("{\"method\":\"m\",\"args\":{\"a\":[1,null,\"\\u00e9/\\\"\"]}}");
    g_autoptr(GBytes) body = rpc_message_encode(message);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(body, &size);
    g_autoptr(NdJson) outer = NULL;
    g_assert_true(nd_json_parse((const char *)bytes, size, NULL, &outer, NULL));
    g_assert_cmpstr(nd_json_string(outer, "oslo.version", NULL), ==, "2.0");
    g_assert_cmpint(json_object_get_type(nd_json_member(outer, "oslo.message")), ==, json_type_string);
    g_autoptr(NdJson) back = NULL;
    g_assert_true(rpc_message_decode(bytes, size, NULL, 1 << 20, &back, NULL));
    g_assert_true(nd_json_equal(message, back));
    /* Without envelope. */
    g_autoptr(GBytes) bare = rpc_message_encode_bare(message);
    g_autoptr(NdJson) plain = NULL;
    bytes = g_bytes_get_data(bare, &size);
    g_assert_true(rpc_message_decode(bytes, size, NULL, 1 << 20, &plain, NULL));
    g_assert_true(nd_json_equal(message, plain));
}

static void test_broken(void)
{
    assert_refused("", RPC_ERROR_MESSAGE, "message body");
    assert_refused("{", RPC_ERROR_MESSAGE, "not valid JSON");
    assert_refused("[1]", RPC_ERROR_MESSAGE, "no JSON object");
    assert_refused("\"text\"", RPC_ERROR_MESSAGE, "no JSON object");
    assert_refused("null", RPC_ERROR_MESSAGE, "no JSON object");
    assert_refused("{\"a\": \"\xff\"}", RPC_ERROR_MESSAGE, "not valid JSON");
    assert_refused("{\"oslo.version\":\"2.1\",\"oslo.message\":\"{}\"}", RPC_ERROR_MESSAGE, "'2.1'");
    assert_refused("{\"oslo.version\":\"1.0\",\"oslo.message\":\"{}\"}", RPC_ERROR_MESSAGE, "'1.0'");
    assert_refused("{\"oslo.version\":2.0,\"oslo.message\":\"{}\"}", RPC_ERROR_MESSAGE, "version");
    assert_refused("{\"oslo.version\":\"2.0\",\"oslo.message\":{}}", RPC_ERROR_MESSAGE, "no string");
    assert_refused("{\"oslo.version\":\"2.0\",\"oslo.message\":\"{\"}", RPC_ERROR_MESSAGE, "message:");
    assert_refused("{\"oslo.version\":\"2.0\",\"oslo.message\":\"[]\"}", RPC_ERROR_MESSAGE, "no JSON object");
    assert_refused("{\"oslo.version\":\"2.0\",\"oslo.message\":null}", RPC_ERROR_MESSAGE, "no string");
}

static void test_limits(void)
{
    GString *deep = g_string_new("{\"a\":");
    for (int i = 0; i < 100; i++)
        g_string_append_c(deep, '[');
    for (int i = 0; i < 100; i++)
        g_string_append_c(deep, ']');
    g_string_append_c(deep, '}');
    assert_refused(deep->str, RPC_ERROR_MESSAGE, "");
    g_string_free(deep, TRUE);
    /* Many tiny values: refused before any is made. */
    GString *many = g_string_new("{\"a\":[0");
    for (int i = 0; i < RPC_MESSAGE_VALUES; i++)
        g_string_append(many, ",0");
    g_string_append(many, "]}");
    g_autoptr(GError) error = NULL;
    NdJson *message = NULL;
    g_assert_false(rpc_message_decode((const guint8 *)many->str, many->len, NULL, many->len, &message, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_LIMIT);
    g_string_free(many, TRUE);
    /* The same characters inside a string are no values. */
    GString *text = g_string_new("{\"a\":\"");
    for (int i = 0; i < RPC_MESSAGE_VALUES; i++)
        g_string_append(text, ",[");
    g_string_append(text, "\\\",,\"}");
    g_autoptr(NdJson) good = NULL;
    g_assert_true(rpc_message_decode((const guint8 *)text->str, text->len, NULL, text->len, &good, NULL));
    g_string_free(text, TRUE);
}

static void test_compression(void)
{
    g_autoptr(NdJson) message = parse("{\"method\":\"m\"}");
    g_autoptr(GBytes) body = rpc_message_encode(message);
    g_autoptr(GBytes) packed = rpc_message_deflate(body);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(packed, &size);
    g_autoptr(NdJson) back = NULL;
    g_assert_true(rpc_message_decode(bytes, size, "application/x-gzip", 1 << 20, &back, NULL));
    g_assert_true(nd_json_equal(message, back));
    g_autoptr(GError) unknown = NULL;
    NdJson *none = NULL;
    g_assert_false(rpc_message_decode(bytes, size, "application/x-bz2", 1 << 20, &none, &unknown));
    g_assert_error(unknown, RPC_ERROR, RPC_ERROR_MESSAGE);
    g_autoptr(GError) cut = NULL;
    g_assert_false(rpc_message_decode(bytes, size / 2, "application/x-gzip", 1 << 20, &none, &cut));
    g_assert_error(cut, RPC_ERROR, RPC_ERROR_MESSAGE);
    /* A bomb stops at the limit. */
    gsize zeros = 8 << 20;
    g_autoptr(GBytes) big = g_bytes_new_take(g_malloc0(zeros), zeros);
    g_autoptr(GBytes) bomb = rpc_message_deflate(big);
    bytes = g_bytes_get_data(bomb, &size);
    g_autoptr(GError) error = NULL;
    g_assert_false(rpc_message_decode(bytes, size, "application/x-gzip", 1 << 20, &none, &error));
    g_assert_error(error, RPC_ERROR, RPC_ERROR_LIMIT);
}

static void test_reply(void)
{
    g_autoptr(GBytes) body = rpc_message_reply("m1", json_object_new_int(7), NULL, true);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(body, &size);
    g_autoptr(NdJson) message = NULL;
    g_assert_true(rpc_message_decode(bytes, size, NULL, 1 << 20, &message, NULL));
    g_assert_cmpint(nd_json_int(message, "result", 0), ==, 7);
    g_assert_true(json_object_object_get_ex(message, "failure", NULL));
    g_assert_null(nd_json_member(message, "failure"));
    g_assert_true(nd_json_bool(message, "ending", false));
    g_assert_cmpstr(nd_json_string(message, "_msg_id", NULL), ==, "m1");
    g_assert_cmpuint(strlen(nd_json_string(message, "_unique_id", "")), ==, 32);
    g_assert_cmpint(json_object_object_length(message), ==, 5);
}

static void assert_scan(const char *text, const char *expected)
{
    g_autofree char *found = rpc_message_scan((const guint8 *)text, strlen(text), "_reply_q");
    g_assert_cmpstr(found, ==, expected);
}

static void test_scan(void)
{
    assert_scan("{\\\"_reply_q\\\": \\\"reply_1\\\", \\\"x\\\": 1}", "reply_1");
    assert_scan("{\\\"_reply_q\\\":\\\"reply_h:p:1\\\"}", "reply_h:p:1");
    assert_scan("\\\"_reply_q\\\": \\\"reply_1\\\" \\\"_reply_q\\\": \\\"reply_2\\\"", "reply_2");
    /* A tenant's text is escaped once more and must not pose as a key. */
    assert_scan("\\\\\\\"_reply_q\\\\\\\": \\\\\\\"reply_evil\\\\\\\"", NULL);
    assert_scan("\\\"_reply_q\\\": \\\"reply_1\\\", \\\"y\\\": \\\"\\\\\\\"_reply_q\\\\\\\": \\\\\\\"evil\\\\\\\"\\\"", "reply_1");
    assert_scan("\\\"_reply_q\\\": null", NULL);
    assert_scan("\\\"_reply_q\\\": \\\"a b\\\"", NULL);
    assert_scan("\\\"_reply_q\\\": \\\"cut", NULL);
    assert_scan("\\\"_reply_q\\\"", NULL);
    assert_scan("\\\"_reply_q", NULL);
    assert_scan("_reply_q", NULL);
    assert_scan("", NULL);
}

static void test_utf8(void)
{
    g_autoptr(NdJson) message = json_object_new_object();
    json_object_object_add(message, "a", json_object_new_string("caf\xc3\xa9 \xff"));
    g_autoptr(GBytes) body = rpc_message_encode(message);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(body, &size);
    g_autoptr(NdJson) back = NULL;
    g_assert_true(rpc_message_decode(bytes, size, NULL, 1 << 20, &back, NULL));
    g_assert_cmpstr(nd_json_string(back, "a", NULL), ==, "caf\xc3\xa9 \xef\xbf\xbd");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/message/envelope", test_envelope);
    g_test_add_func("/rpc/message/broken", test_broken);
    g_test_add_func("/rpc/message/limits", test_limits);
    g_test_add_func("/rpc/message/compression", test_compression);
    g_test_add_func("/rpc/message/reply", test_reply);
    g_test_add_func("/rpc/message/scan", test_scan);
    g_test_add_func("/rpc/message/utf8", test_utf8);
    return g_test_run();
}
