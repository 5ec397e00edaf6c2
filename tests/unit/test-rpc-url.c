/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/error.h"
#include "rpc/transport_private.h"
#include "rpc/url.h"

#include <string.h>

static void assert_host(const RpcUrl *url, guint index, const char *user, const char *password, const char *host, int port)
{
    const RpcHost *got = g_ptr_array_index(url->hosts, index);
    g_assert_cmpstr(got->user, ==, user);
    g_assert_cmpstr(got->password, ==, password);
    g_assert_cmpstr(got->host, ==, host);
    g_assert_cmpint(got->port, ==, port);
}

static void test_plain(void)
{
    g_autoptr(RpcUrl) url = rpc_url_parse("rabbit://u:p@h:1234/v", NULL);
    assert_host(url, 0, "u", "p", "h", 1234);
    g_assert_cmpstr(url->vhost, ==, "v");
    g_autoptr(RpcUrl) empty = rpc_url_parse("rabbit://", NULL);
    assert_host(empty, 0, "guest", "guest", "localhost", 5672);
    g_assert_cmpstr(empty->vhost, ==, "/");
    g_autoptr(RpcUrl) slash = rpc_url_parse("rabbit://h/", NULL);
    g_assert_cmpstr(slash->vhost, ==, "/");
    g_autoptr(RpcUrl) slashes = rpc_url_parse("rabbit://h//", NULL);
    g_assert_cmpstr(slashes->vhost, ==, "/");
    g_autoptr(RpcUrl) kombu = rpc_url_parse("kombu+amqp://h/%2Fx", NULL);
    g_assert_cmpstr(kombu->vhost, ==, "/x");
}

static void test_hosts(void)
{
    g_autoptr(RpcUrl) url = rpc_url_parse("rabbit://a:p%40ss%3A@[::1]:5673,,b@c@h2,h3:7/v?ssl=1&rabbit_quorum_queue=true&", NULL);
    g_assert_cmpuint(url->hosts->len, ==, 3);
    assert_host(url, 0, "a", "p@ss:", "::1", 5673);
    assert_host(url, 1, "b@c", "", "h2", 5672);
    assert_host(url, 2, "guest", "guest", "h3", 7);
    g_assert_cmpuint(url->query->len, ==, 4);
    g_assert_cmpstr(g_ptr_array_index(url->query, 2), ==, "rabbit_quorum_queue");
    g_assert_cmpstr(g_ptr_array_index(url->query, 3), ==, "true");
}

static void test_bad_urls(void)
{
    static const char *const urls[] = {"",           "rabbit:/h",       "amqp1://h/",        "rabbit://u:secret@h:x/", "rabbit://h:0/",
                                       "rabbit://h:70000/", "rabbit://[::1/", "rabbit://[::1]x/",  "rabbit://u%zz:secret@h/", "rabbit://u:secret%zz@h/",
                                       "rabbit://h/%zz", "rabbit://h/?%zz=1", "rabbit://h/?a=%zz"};
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(rpc_url_parse(urls[i], &error));
        g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
        g_assert_null(strstr(error->message, "secret"));
    }
}

static void test_options(void)
{
    g_auto(RpcOptions) options;
    g_auto(RpcOptions) copy;
    rpc_options_init(&options);
    rpc_options_init(&copy);
    g_assert_cmpstr(options.control_exchange, ==, "nova");
    g_assert_cmpstr(options.rabbit_login_method, ==, "AMQPLAIN");
    g_assert_cmpint(options.rabbit_transient_queues_ttl, ==, 1800);
    g_assert_true(options.direct_mandatory_flag);
    g_assert_true(rpc_options_set(&options, "rabbit_quorum_queue", "True", NULL));
    g_assert_true(rpc_options_set(&options, "rabbit_use_ssl", "on", NULL));
    g_assert_true(rpc_options_set(&options, "kombu_ssl_ca_certs", "/ca", NULL));
    g_assert_true(rpc_options_set(&options, "rabbit_quroum_max_memory_bytes", "5000000000", NULL));
    g_assert_true(rpc_options_set(&options, "kombu_reconnect_delay", "0.25", NULL));
    g_assert_true(rpc_options_set(&options, "heartbeat_rate", "3", NULL));
    rpc_options_copy(&options, &copy);
    g_assert_true(copy.rabbit_quorum_queue && copy.ssl);
    g_assert_cmpstr(copy.ssl_ca_file, ==, "/ca");
    g_assert_true(copy.ssl_ca_file != options.ssl_ca_file);
    g_assert_cmpint(copy.rabbit_quorum_max_memory_bytes, ==, G_GINT64_CONSTANT(5000000000));
    g_assert_cmpfloat(copy.kombu_reconnect_delay, ==, 0.25);
    static const char *const bad[][2] = {{"ssl", "maybe"}, {"heartbeat_rate", "x"}, {"heartbeat_rate", "-1"}, {"kombu_reconnect_delay", "1s"},
                                         {"kombu_reconnect_delay", "-1"}, {"no_such", "1"}, {"rabbit_quorum_max_memory_bytes", "many"}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(rpc_options_set(&options, bad[i][0], bad[i][1], &error));
        g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
        g_assert_nonnull(strstr(error->message, bad[i][0]));
    }
}

static void test_transport(void)
{
    static const char *const bad[] = {"nonsense",
                                      "rabbit://h/?no_such=1",
                                      "rabbit://h/?rabbit_ha_queues=1&rabbit_quorum_queue=1",
                                      "rabbit://h/?rabbit_stream_fanout=1",
                                      "rabbit://h/?rabbit_stream_fanout=1&rabbit_qos_prefetch_count=1",
                                      "rabbit://h/?use_queue_manager=1",
                                      "rabbit://h/?rabbit_login_method=KERBEROS",
                                      "rabbit://h/?kombu_failover_strategy=random",
                                      "rabbit://h/?kombu_compression=bz2"};
    g_auto(RpcOptions) options;
    rpc_options_init(&options);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(rpc_transport_new(bad[i], &options, &error));
        g_assert_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT);
    }
    g_autoptr(RpcTransport) transport = rpc_transport_new("rabbit://a,b,c/?rabbit_durable_queues=0", &options, NULL);
    g_assert_null(transport);
    transport = rpc_transport_new("rabbit://a,b,c/?amqp_durable_queues=1", &options, NULL);
    g_assert_true(rpc_transport_options(transport)->amqp_durable_queues);
    g_autoptr(GPtrArray) status = rpc_transport_status(transport);
    g_assert_cmpuint(status->len, ==, 0);
    g_assert_true(rpc_transport_flush(transport, 1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rpc/url/plain", test_plain);
    g_test_add_func("/rpc/url/hosts", test_hosts);
    g_test_add_func("/rpc/url/bad", test_bad_urls);
    g_test_add_func("/rpc/url/options", test_options);
    g_test_add_func("/rpc/url/transport", test_transport);
    return g_test_run();
}
