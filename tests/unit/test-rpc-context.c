/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/context.h"
#include "rpc/error.h"

#include <string.h>

static NdJson *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    NdJson *value = NULL;
    nd_json_parse(text, strlen(text), NULL, &value, &error);
    g_assert_no_error(error);
    return value;
}

/* The request contexts of a real Zed cloud: read and written again without a difference. */
static void test_golden(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "golden", "rpc", "contexts.json", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_autoptr(NdJson) list = parse(text);
    g_assert_cmpuint(json_object_array_length(list), >=, 3);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        NdJson *message = json_object_array_get_idx(list, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(RpcContext) context = rpc_context_from_message(message, &error);
        g_assert_no_error(error);
        g_autoptr(NdJson) back = json_object_new_object();
        rpc_context_add_to_message(context, back, RPC_CONTEXT_FULL);
        g_assert_true(nd_json_equal(message, back));
    }
}

static void test_admin(void)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin("yes");
    g_autoptr(RpcContext) other = rpc_context_new_admin(NULL);
    g_assert_true(context->is_admin);
    g_assert_null(context->user_id);
    g_assert_null(context->auth_token);
    g_assert_cmpstr(context->read_deleted, ==, "yes");
    g_assert_cmpstr(other->read_deleted, ==, "no");
    g_assert_cmpstr(context->identity, ==, "- - - - -");
    g_assert_true(g_str_has_prefix(context->request_id, "req-"));
    g_assert_cmpstr(context->request_id, !=, other->request_id);
    g_assert_null(context->roles[0]);
}

static void test_copies(void)
{
    g_autoptr(NdJson) message = parse("{\"_context_user_id\":\"u\",\"_context_auth_token\":\"secret\",\"_context_roles\":[\"member\"],"
                                      "\"_context_request_id\":\"req-1\",\"_context_trace_info\":{\"a\":1},\"_context_unknown\":5}");
    g_autoptr(RpcContext) context = rpc_context_from_message(message, NULL);
    g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
    g_autoptr(RpcContext) twice = rpc_context_elevated(elevated);
    g_autoptr(RpcContext) deleted = rpc_context_with_read_deleted(context, "only");
    g_assert_false(context->is_admin);
    g_assert_true(elevated->is_admin);
    g_assert_cmpuint(g_strv_length((char **)elevated->roles), ==, 2);
    g_assert_cmpstr(elevated->roles[1], ==, "admin");
    g_assert_cmpuint(g_strv_length((char **)twice->roles), ==, 2);
    g_assert_cmpstr(elevated->request_id, ==, "req-1");
    g_assert_cmpstr(elevated->auth_token, ==, "secret");
    g_assert_cmpstr(elevated->trace_info, ==, "{\"a\":1}");
    g_assert_cmpstr(deleted->read_deleted, ==, "only");
    g_autoptr(NdJson) redacted = json_object_new_object();
    rpc_context_add_to_message(context, redacted, RPC_CONTEXT_REDACTED);
    g_autofree char *text = nd_json_to_string(redacted);
    g_assert_null(strstr(text, "secret"));
    g_assert_null(nd_json_member(redacted, "_context_service_catalog"));
    g_autoptr(NdJson) full = json_object_new_object();
    rpc_context_add_to_message(context, full, RPC_CONTEXT_FULL);
    g_assert_cmpint(nd_json_int(nd_json_object(full, "_context_trace_info"), "a", 0), ==, 1);
    g_autoptr(RpcContext) same = rpc_context_ref(context);
    g_assert_true(same == context);
}

static void test_short_keys(void)
{
    g_autoptr(NdJson) message = parse("{\"_context_user\":\"u\",\"_context_project\":\"p\"}");
    g_autoptr(RpcContext) context = rpc_context_from_message(message, NULL);
    g_assert_cmpstr(context->user_id, ==, "u");
    g_assert_cmpstr(context->project_id, ==, "p");
    g_assert_cmpstr(context->identity, ==, "u p - - -");
}

static void test_wrong_types(void)
{
    static const char *const texts[] = {"{\"_context_user_id\":1}", "{\"_context_is_admin\":\"yes\"}", "{\"_context_roles\":\"admin\"}",
                                        "{\"_context_roles\":[1]}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(NdJson) message = parse(texts[i]);
        g_autoptr(GError) error = NULL;
        g_assert_null(rpc_context_from_message(message, &error));
        g_assert_error(error, RPC_ERROR, RPC_ERROR_MESSAGE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/context/golden", test_golden);
    g_test_add_func("/rpc/context/admin", test_admin);
    g_test_add_func("/rpc/context/copies", test_copies);
    g_test_add_func("/rpc/context/short-keys", test_short_keys);
    g_test_add_func("/rpc/context/wrong-types", test_wrong_types);
    return g_test_run();
}
