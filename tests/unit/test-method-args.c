/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/error.h"
#include "agent/method_args.h"
#include "agent/methods.h"
#include "objects/objects.h"

#include <string.h>

static NdJson *parse(const char *text)
{
    NdJson *json = NULL;

    g_assert_true(nd_json_parse(text, strlen(text), NULL, &json, NULL));
    return json;
}

#define EVENT \
    "{\"nova_object.name\":\"InstanceExternalEvent\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.5\"," \
    "\"nova_object.data\":{\"instance_uuid\":\"11111111-2222-4333-8444-555555555555\",\"name\":\"network-changed\",\"status\":\"completed\"," \
    "\"tag\":null}}"

static void test_all_types(void)
{
    g_autoptr(MethodSignature) signature =
        method_signature_new("m", "flag:bool, number:int, text:str?, things:list, map:dict, other:any, one:InstanceExternalEvent, "
                                  "many:[InstanceExternalEvent], late:str?=");
    g_autoptr(NdJson) json = parse("{\"flag\":true,\"number\":-5,\"text\":null,\"things\":[1,2],\"map\":{\"a\":1},\"other\":7,\"one\":" EVENT
                                   ",\"many\":[" EVENT "," EVENT "]}");
    g_autoptr(GError) error = NULL;
    g_autoptr(MethodArgs) args = method_args_parse(signature, json, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(method_signature_n_args(signature), ==, 9);
    g_assert_true(method_signature_arg_is_optional(signature, 8));
    g_clear_pointer(&json, json_object_put); /* nothing may refer to the tree any more */
    g_assert_true(method_args_bool(args, "flag"));
    g_assert_cmpint(method_args_int(args, "number"), ==, -5);
    g_assert_null(method_args_string(args, "text"));
    g_assert_false(method_args_has(args, "text"));
    g_assert_false(method_args_has(args, "late"));
    g_assert_false(method_args_has(args, "no-such"));
    g_assert_true(method_args_has(args, "map"));
    g_assert_cmpuint(json_object_array_length(method_args_json(args, "things")), ==, 2);
    g_assert_cmpint(nd_json_int(method_args_json(args, "map"), "a", 0), ==, 1);
    g_assert_cmpint(json_object_get_int(method_args_json(args, "other")), ==, 7);
    g_assert_cmpstr(((NovaInstanceExternalEvent *)method_args_object(args, "one"))->name, ==, "network-changed");
    g_assert_cmpuint(method_args_objects(args, "many")->len, ==, 2);
}

/* The words are Python's, as callers know them. */
static void test_bad_arguments(void)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"{\"a\":1}", "m() missing 1 required positional argument: 'e'"},
        {"{\"e\":" EVENT ",\"a\":1,\"b\":2}", "m() got an unexpected keyword argument 'b'"},
        {"{\"e\":" EVENT ",\"a\":\"1\"}", "m() argument 'a' must be int"},
        {"{\"e\":" EVENT ",\"a\":1.5}", "m() argument 'a' must be int"},
        {"{\"e\":" EVENT ",\"a\":null}", "m() argument 'a' must be int"},
        {"{\"e\":null,\"a\":1}", "m() argument 'e' must be InstanceExternalEvent"},
        {"{\"e\":[],\"a\":1}", "m() argument 'e' must be InstanceExternalEvent"},
        {"[]", "m() arguments must be a mapping"},
    };
    g_autoptr(MethodSignature) signature = method_signature_new("m", "e:InstanceExternalEvent, a:int");

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NdJson) json = parse(cases[i].json);
        g_autoptr(GError) error = NULL;

        g_assert_null(method_args_parse(signature, json, &error));
        g_assert_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void test_no_arguments(void)
{
    g_autoptr(MethodSignature) signature = method_signature_new("m", "");
    g_autoptr(MethodArgs) args = method_args_parse(signature, NULL, NULL);

    g_assert_nonnull(args);
}

/* Objects that are of another class, another major version, or broken. */
static void test_bad_objects(void)
{
    static const struct {
        const char *json;
        int code;
    } cases[] = {
        {"{\"e\":{}}", OBJECTS_ERROR_NOT_OBJECT},
        {"{\"e\":{\"nova_object.name\":\"Nonsense\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.0\",\"nova_object.data\":{}}}",
         OBJECTS_ERROR_UNKNOWN_CLASS},
        {"{\"e\":{\"nova_object.name\":\"InstanceExternalEvent\",\"nova_object.namespace\":\"cinder\",\"nova_object.version\":\"1.0\","
         "\"nova_object.data\":{}}}",
         OBJECTS_ERROR_FOREIGN},
        {"{\"e\":{\"nova_object.name\":\"InstanceExternalEvent\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"2.0\","
         "\"nova_object.data\":{}}}",
         OBJECTS_ERROR_TOO_NEW},
        {"{\"e\":{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\",\"nova_object.data\":{}}}",
         OBJECTS_ERROR_UNKNOWN_CLASS},
        {"{\"e\":{\"nova_object.name\":\"InstanceExternalEvent\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.0\","
         "\"nova_object.data\":{\"name\":[]}}}",
         OBJECTS_ERROR_BAD_FIELD},
    };
    g_autoptr(MethodSignature) signature = method_signature_new("m", "e:InstanceExternalEvent");

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NdJson) json = parse(cases[i].json);
        g_autoptr(GError) error = NULL;

        g_assert_null(method_args_parse(signature, json, &error));
        g_assert_error(error, OBJECTS_ERROR, cases[i].code);
    }
}

/* Every line of the table is sound, and the endpoint that the RPC server gets says the same. */
static void test_table(void)
{
    const MethodSpec *table;
    const RpcEndpoint *endpoints;
    size_t n_endpoints;
    guint n;

    methods_init();
    table = methods_table(&n);
    endpoints = methods_endpoints(&n_endpoints);
    g_assert_cmpuint(n_endpoints, ==, 1);
    g_assert_cmpuint(endpoints[0].n_methods, ==, n);
    for (guint i = 0; i < n; i++) {
        const MethodSignature *signature = methods_signature(&table[i]);

        g_assert_true(methods_lookup(table[i].name) == &table[i]);
        g_assert_nonnull(table[i].operation);
        g_assert_cmpstr(table[i].operation->method, ==, table[i].name);
        g_assert_cmpuint(table[i].operation->n_steps, >, 0);
        g_assert_cmpstr(endpoints[0].methods[i].name, ==, table[i].name);
        g_assert_cmpuint(g_strv_length((char **)endpoints[0].methods[i].args), ==, method_signature_n_args(signature));
        for (guint j = 0; j < table[i].operation->n_steps; j++)
            g_assert_nonnull(table[i].operation->steps[j].name);
    }
    g_assert_null(methods_lookup("no_such_method"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/method-args/all-types", test_all_types);
    g_test_add_func("/method-args/bad-arguments", test_bad_arguments);
    g_test_add_func("/method-args/no-arguments", test_no_arguments);
    g_test_add_func("/method-args/bad-objects", test_bad_objects);
    g_test_add_func("/method-args/table", test_table);
    return g_test_run();
}
