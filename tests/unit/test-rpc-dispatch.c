/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/dispatch.h"
#include "rpc/exception.h"

#include <string.h>

static void test_versions(void)
{
    static const struct {
        const char *have, *want;
        bool good;
    } cases[] = {{"6.5", "6.0", true},    {"6.5", "6.5", true},  {"6.5", "6.6", false}, {"6.5", "5.0", false},  {"6.5", "7.0", false}, {"6.5", "6", true},
                 {"6.5", "6.5.0", true}, {"6.5", "6.5.1", false}, {"6.5", "6.4.9", true}, {"6.5.2", "6.5.1", true}, {"6.5", "", false},    {"6.5", "x", false},
                 {"6.5", "6.x", false},  {"6.5", "6.0.0.0", false}, {"6.5", "-6.0", false}, {"6.5", "6.", false}, {"1.1", "1.0", true}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(rpc_version_compatible(cases[i].have, cases[i].want), ==, cases[i].good);
    }
}

static const char *const args[] = {"instance", "port", "target_state?", NULL}, *const none[] = {NULL};
static const RpcMethod first[] = {{"stop_instance", args}, {"ping", none}}, second[] = {{"ping", NULL}};
static const RpcEndpoint endpoints[] = {{NULL, "6.5", first, 2}, {"baseapi", "1.1", second, 1}, {NULL, "5.13", second, 1}};

static void test_find(void)
{
    const RpcEndpoint *endpoint = NULL;
    g_assert_true(rpc_dispatch_find(endpoints, 3, NULL, "6.0", "stop_instance", &endpoint, NULL) == &first[0]);
    g_assert_true(endpoint == &endpoints[0]);
    g_assert_true(rpc_dispatch_find(endpoints, 3, "baseapi", "1.0", "ping", NULL, NULL) == &second[0]);
    g_assert_true(rpc_dispatch_find(endpoints, 3, NULL, "5.2", "ping", &endpoint, NULL) == &second[0]);
    g_assert_true(endpoint == &endpoints[2]);
    g_autoptr(GError) method = NULL, version = NULL, space = NULL;
    g_assert_null(rpc_dispatch_find(endpoints, 3, NULL, "6.1", "fly", NULL, &method));
    g_assert_error(method, NOVA_EXCEPTION, NOVA_EXC_NO_SUCH_METHOD);
    g_assert_cmpstr(method->message, ==, "Endpoint does not support RPC method fly");
    g_assert_cmpstr(nova_exception_module(method), ==, "oslo_messaging.rpc.dispatcher");
    g_assert_null(rpc_dispatch_find(endpoints, 3, NULL, "6.6", "ping", NULL, &version));
    g_assert_error(version, NOVA_EXCEPTION, NOVA_EXC_UNSUPPORTED_VERSION);
    g_assert_cmpstr(version->message, ==, "Endpoint does not support RPC version 6.6. Attempted method: ping");
    g_assert_null(rpc_dispatch_find(endpoints, 3, "other", "6.0", "ping", NULL, &space));
    g_assert_error(space, NOVA_EXCEPTION, NOVA_EXC_UNSUPPORTED_VERSION);
}

static void check(const RpcMethod *method, const char *text, const char *problem)
{
    g_autoptr(NdJson) given = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(nd_json_parse(text, strlen(text), NULL, &given, NULL));
    g_assert_cmpint(rpc_dispatch_check_args(method, given, &error), ==, problem == NULL);
    if (problem != NULL) {
        g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_TYPE_ERROR);
        g_assert_nonnull(strstr(error->message, problem));
    }
}

static void test_args(void)
{
    check(&first[0], "{\"instance\":1,\"port\":null}", NULL);
    check(&first[0], "{\"instance\":1,\"port\":2,\"target_state\":3}", NULL);
    check(&first[0], "{\"instance\":1}", "'port'");
    check(&first[0], "{\"instance\":1,\"port\":2,\"more\":3}", "'more'");
    check(&first[0], "{\"instance\":1,\"port\":2,\"por\":3}", "'por'");
    check(&first[0], "{\"instance\":1,\"port\":2,\"target_state?\":3}", "'target_state?'");
    check(&first[1], "{}", NULL);
    check(&first[1], "{\"x\":1}", "'x'");
    check(&second[0], "{\"x\":1}", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/dispatch/versions", test_versions);
    g_test_add_func("/rpc/dispatch/find", test_find);
    g_test_add_func("/rpc/dispatch/args", test_args);
    return g_test_run();
}
