/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "rpc/error.h"
#include "rpc/exception.h"

#include <string.h>

static void test_set(void)
{
    g_autoptr(GError) error = NULL;
    nova_exception_set(&error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", "U", NULL);
    g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_INSTANCE_NOT_FOUND);
    g_assert_cmpstr(error->message, ==, "Instance U could not be found.");
    g_assert_cmpstr(nova_exception_class(error), ==, "InstanceNotFound");
    g_assert_cmpstr(nova_exception_module(error), ==, "nova.exception");
    g_assert_cmpint(nova_exception_number(error), ==, 404);
    g_assert_cmpstr(nova_exception_kwarg(error, "instance_id"), ==, "U");
    g_assert_null(nova_exception_kwarg(error, "other"));
    g_assert_true(nova_exception_is_nova(error));
    g_autoptr(GError) copy = g_error_copy(error);
    g_assert_cmpstr(nova_exception_kwarg(copy, "instance_id"), ==, "U");
    nova_exception_set(NULL, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", "U", NULL);
    nova_exception_set_text(NULL, NOVA_EXC_INSTANCE_NOT_FOUND, "x", NULL);
}

static void test_texts(void)
{
    g_autoptr(GError) no_template = NULL;
    nova_exception_set(&no_template, NOVA_EXC_KEY_PAIR_EXISTS, "key_name", "k", "also", NULL, NULL);
    g_assert_cmpstr(no_template->message, ==, "Key pair exists: also 'None', key_name 'k'");
    g_autoptr(GError) missing = NULL;
    nova_exception_set(&missing, NOVA_EXC_VOLUME_ATTACH_FAILED, "reason", "no path", NULL);
    g_assert_cmpstr(missing->message, ==, "volume volume_id cannot be attached: no path");
    g_autoptr(GError) own = NULL;
    nova_exception_set_text(&own, NOVA_EXC_INSTANCE_DEPLOY_FAILURE, "own %(text)s", "reason", "r", NULL);
    g_assert_cmpstr(own->message, ==, "own %(text)s");
}

static void test_matches(void)
{
    g_autoptr(GError) deleting = NULL, other = g_error_new_literal(ND_ERROR, ND_ERROR_FAILED, "x");
    nova_exception_set_text(&deleting, NOVA_EXC_UNEXPECTED_DELETING_TASK_STATE_ERROR, "t", NULL);
    g_assert_true(nova_exception_matches(deleting, NOVA_EXC_UNEXPECTED_DELETING_TASK_STATE_ERROR));
    g_assert_true(nova_exception_matches(deleting, NOVA_EXC_UNEXPECTED_TASK_STATE_ERROR));
    g_assert_true(nova_exception_matches(deleting, NOVA_EXC_NOVA_EXCEPTION));
    g_assert_false(nova_exception_matches(deleting, NOVA_EXC_INSTANCE_NOT_FOUND));
    g_assert_false(nova_exception_matches(other, NOVA_EXC_NOVA_EXCEPTION));
    g_assert_false(nova_exception_matches(NULL, NOVA_EXC_NOVA_EXCEPTION));
    g_assert_cmpint(nova_exception_number(other), ==, 500);
    g_assert_null(nova_exception_kwarg(other, "x"));
}

static void test_map(void)
{
    static const RpcExceptionMap map[] = {{ND_ERROR_NOT_FOUND, NOVA_EXC_FILE_NOT_FOUND, "file_path"},
                                          {ND_ERROR_NO_SPACE, NOVA_EXC_INSTANCE_DEPLOY_FAILURE, NULL}};
    rpc_exception_map_domain(ND_ERROR, map, G_N_ELEMENTS(map));
    g_autoptr(GError) found = g_error_new_literal(ND_ERROR, ND_ERROR_NOT_FOUND, "/x");
    g_autoptr(GError) mapped = nova_exception_from_error(found);
    g_assert_error(mapped, NOVA_EXCEPTION, NOVA_EXC_FILE_NOT_FOUND);
    g_assert_cmpstr(nova_exception_kwarg(mapped, "file_path"), ==, "/x");
    g_assert_cmpint(nova_exception_number(found), ==, 404);
    g_autoptr(GError) full = g_error_new_literal(ND_ERROR, ND_ERROR_NO_SPACE, "disk is full");
    g_autoptr(GError) plain = nova_exception_from_error(full);
    g_assert_error(plain, NOVA_EXCEPTION, NOVA_EXC_INSTANCE_DEPLOY_FAILURE);
    g_assert_cmpstr(plain->message, ==, "disk is full");
    g_autoptr(GError) unmapped = g_error_new_literal(ND_ERROR, ND_ERROR_IO, "io");
    g_assert_cmpstr(nova_exception_class(unmapped), ==, "NovaException");
    g_autoptr(GError) timeout = g_error_new_literal(RPC_ERROR, RPC_ERROR_TIMEOUT, "late");
    g_assert_cmpstr(nova_exception_class(timeout), ==, "MessagingTimeout");
    g_assert_false(nova_exception_is_nova(timeout));
    g_autoptr(GError) same = nova_exception_from_error(mapped);
    g_assert_error(same, NOVA_EXCEPTION, NOVA_EXC_FILE_NOT_FOUND);
}

static NdJson *failure_of(const GError *error)
{
    g_autofree char *text = rpc_failure_encode(error);
    NdJson *failure = NULL;
    g_assert_true(nd_json_parse(text, strlen(text), NULL, &failure, NULL));
    return failure;
}

static void test_encode(void)
{
    g_autoptr(GError) error = NULL;
    nova_exception_set(&error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", "U", NULL);
    g_autoptr(NdJson) failure = failure_of(error);
    /* As upstream's: spec/rpc-wire.md section 3.3. */
    const char *expected = "{\"class\":\"InstanceNotFound\",\"module\":\"nova.exception\",\"message\":\"Instance U could not be found.\",\"tb\":[],"
                           "\"args\":[],\"kwargs\":{\"instance_id\":\"U\",\"code\":404}}";
    g_autoptr(NdJson) wanted = NULL;
    g_assert_true(nd_json_parse(expected, strlen(expected), NULL, &wanted, NULL));
    g_assert_true(nd_json_equal(failure, wanted));
    /* An own text goes along; so does that of a template that lacks an argument. Integers are numbers. */
    g_autoptr(GError) own = NULL, incomplete = NULL, limit = NULL;
    nova_exception_set_text(&own, NOVA_EXC_INSTANCE_NOT_FOUND, "not here", "instance_id", "U", NULL);
    g_autoptr(NdJson) own_failure = failure_of(own);
    g_assert_cmpstr(json_object_get_string(json_object_array_get_idx(nd_json_array(own_failure, "args"), 0)), ==, "not here");
    nova_exception_set(&incomplete, NOVA_EXC_INSTANCE_NOT_FOUND, "other", "U", NULL);
    g_autoptr(NdJson) incomplete_failure = failure_of(incomplete);
    g_assert_cmpuint(json_object_array_length(nd_json_array(incomplete_failure, "args")), ==, 1);
    nova_exception_set(&limit, NOVA_EXC_TOO_MANY_DISK_DEVICES, "maximum", "26", "other", "026", NULL);
    g_autoptr(NdJson) limit_failure = failure_of(limit);
    g_assert_cmpint(nd_json_int(nd_json_object(limit_failure, "kwargs"), "maximum", 0), ==, 26);
    g_assert_cmpstr(nd_json_string(nd_json_object(limit_failure, "kwargs"), "other", NULL), ==, "026");
    g_assert_cmpuint(json_object_array_length(nd_json_array(limit_failure, "args")), ==, 0);
    g_autoptr(GError) builtin = NULL;
    nova_exception_set_text(&builtin, NOVA_EXC_TYPE_ERROR, "m() got", "x", "y", NULL);
    g_autoptr(NdJson) second = failure_of(builtin);
    g_assert_cmpstr(nd_json_string(second, "module", NULL), ==, "builtins");
    g_assert_cmpint(json_object_object_length(nd_json_object(second, "kwargs")), ==, 0);
    g_autoptr(GError) bytes = NULL;
    nova_exception_set(&bytes, NOVA_EXC_RESIZE_ERROR, "reason", "\xff", NULL);
    g_autoptr(NdJson) third = failure_of(bytes);
    g_assert_cmpstr(nd_json_string(nd_json_object(third, "kwargs"), "reason", NULL), ==, "\xef\xbf\xbd");
}

static void decode(const char *text, GError **error)
{
    g_assert_false(rpc_failure_decode(text, error));
}

static void test_decode(void)
{
    g_autoptr(GError) known = NULL, remote = NULL, suffix = NULL, module = NULL, broken = NULL, no_class = NULL, array = NULL;
    decode("{\"class\":\"UnexpectedTaskStateError\",\"module\":\"nova.exception\",\"message\":\"Conflict\",\"args\":[],"
           "\"kwargs\":{\"instance_uuid\":\"U\",\"expected\":{\"task_state\":[null]},\"actual\":null,\"code\":500}}",
           &known);
    g_assert_error(known, NOVA_EXCEPTION, NOVA_EXC_UNEXPECTED_TASK_STATE_ERROR);
    g_assert_cmpstr(known->message, ==, "Conflict");
    g_assert_cmpstr(nova_exception_kwarg(known, "instance_uuid"), ==, "U");
    g_assert_cmpstr(nova_exception_kwarg(known, "expected"), ==, "{\"task_state\":[null]}");
    g_assert_null(nova_exception_kwarg(known, "actual"));
    decode("{\"class\":\"DBDeadlock\",\"module\":\"oslo_db.exception\",\"message\":\"m\"}", &remote);
    g_assert_error(remote, RPC_ERROR, RPC_ERROR_REMOTE);
    g_assert_cmpstr(rpc_error_remote_class(remote), ==, "DBDeadlock");
    g_assert_cmpstr(rpc_error_remote_module(remote), ==, "oslo_db.exception");
    g_autoptr(GError) copy = g_error_copy(remote);
    g_assert_cmpstr(rpc_error_remote_class(copy), ==, "DBDeadlock");
    g_assert_null(rpc_error_remote_class(known));
    g_assert_null(rpc_error_remote_module(known));
    decode("{\"class\":\"KeyError_Remote\",\"module\":\"exceptions_Remote\",\"message\":\"k\"}", &suffix);
    g_assert_error(suffix, NOVA_EXCEPTION, NOVA_EXC_KEY_ERROR);
    /* The same class name of another module is another class. */
    decode("{\"class\":\"InstanceNotFound\",\"module\":\"evil\",\"message\":\"k\"}", &module);
    g_assert_error(module, RPC_ERROR, RPC_ERROR_REMOTE);
    decode("{", &broken);
    g_assert_error(broken, RPC_ERROR, RPC_ERROR_MESSAGE);
    decode("{\"module\":\"x\"}", &no_class);
    g_assert_error(no_class, RPC_ERROR, RPC_ERROR_MESSAGE);
    decode("[]", &array);
    g_assert_error(array, RPC_ERROR, RPC_ERROR_MESSAGE);
    decode("{\"class\":\"InstanceNotFound\",\"module\":\"nova.exception\"}", NULL);
    rpc_error_set_remote(NULL, "a", "b", "c");
}

/* Every row can be made, named and read back. */
static void test_table(void)
{
    for (int code = 0; code < NOVA_EXC_COUNT; code++) {
        g_autoptr(GError) error = NULL, back = NULL;
        nova_exception_set(&error, (NovaExceptionCode)code, "reason", "r", NULL);
        g_autofree char *text = rpc_failure_encode(error);
        decode(text, &back);
        g_assert_error(back, NOVA_EXCEPTION, code);
        g_assert_cmpstr(back->message, ==, error->message);
        g_assert_cmpuint(strlen(error->message), >, 0);
        g_assert_null(strstr(error->message, "%("));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/exception/set", test_set);
    g_test_add_func("/rpc/exception/texts", test_texts);
    g_test_add_func("/rpc/exception/matches", test_matches);
    g_test_add_func("/rpc/exception/map", test_map);
    g_test_add_func("/rpc/exception/encode", test_encode);
    g_test_add_func("/rpc/exception/decode", test_decode);
    g_test_add_func("/rpc/exception/table", test_table);
    return g_test_run();
}
