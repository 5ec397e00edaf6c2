/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/fake_tls.h"
#include "tests/unit/rpc_fixture.h"

#include <glib/gstdio.h>
#include <signal.h>

/* TLS to the broker: whom we trust, and who trusts us (spec/rpc-wire.md section 8). */

static char *directory;

/* Calls through a TLS port with these options ("@" in them stands for the folder of the certificates). */
static bool call(const char *host, const char *query, bool ask_client, const char *name, double timeout_s, RpcFixture **kept)
{
    RpcFixture *fixture = *kept = rpc_fixture_new(NULL);
    fake_tls_make_certificates(directory, name);
    g_autoptr(FakeTls) tls = fake_tls_new(directory, fake_broker_port(fixture->broker), ask_client);
    g_auto(GStrv) parts = g_strsplit(query, "@", -1);
    g_autofree char *options = g_strjoinv(directory, parts);
    g_autofree char *url = g_strdup_printf("rabbit://u:p@%s:%d/vh?ssl=1&%s", host, fake_tls_port(tls), options);
    g_autoptr(RpcTransport) transport = rpc_fixture_transport(fixture, url);
    g_autoptr(RpcEcho) echo = rpc_echo_new(fixture->transport, "compute");
    g_autoptr(RpcClient) client = rpc_client_new(transport);
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(NdJson) result = NULL;
    RpcTarget target = {.topic = "compute", .version = "6.0"};
    NdJson *args = json_object_new_object();
    /* More than one TLS record each way. */
    g_autofree char *text = g_strnfill(100000, 't');
    nd_json_set_string(args, "arg", text);
    RpcCallOptions call_options = {.timeout_s = timeout_s};
    g_autoptr(GError) error = NULL;
    bool good = rpc_client_call(client, &target, context, "echo", args, &call_options, &result, &error);
    g_assert_true(!good || json_object_get_string_len(result) == 100000);
    rpc_transport_stop(transport);
    return good;
}

static void works(const char *host, const char *query, bool ask_client, const char *name)
{
    g_autoptr(RpcFixture) fixture = NULL;
    g_assert_true(call(host, query, ask_client, name, 10, &fixture));
}

static void fails(const char *host, const char *query, bool ask_client, const char *name, const char *words)
{
    g_autoptr(RpcFixture) fixture = NULL;
    g_assert_false(call(host, query, ask_client, name, 1, &fixture));
    g_assert_true(rpc_fixture_count_events(fixture, words) >= 1);
}

static void test_ca(void)
{
    works("localhost", "ssl_ca_file=@/ca.pem", false, "localhost");
    fails("localhost", "ssl_ca_file=@/other-ca.pem", false, "localhost", "SSL peer cert verification failed");
}

static void test_no_ca(void)
{
    /* The system's authorities do not know ours. */
    fails("localhost", "ssl_ca_file=", false, "localhost", "SSL peer cert verification failed");
}

static void test_files(void)
{
    fails("localhost", "ssl_ca_file=@/missing.pem", false, "localhost", "ssl_ca_file '");
    fails("localhost", "ssl_ca_file=@/ca.pem&ssl_cert_file=@/missing.pem", false, "localhost", "ssl_cert_file '");
    fails("localhost", "ssl_ca_file=@/ca.pem&ssl_version=SSLv2", false, "localhost", "ssl_version 'SSLv2' is not supported");
}

static void test_hostname(void)
{
    /* Upstream before oslo.messaging 18.1 does not look at the name; with the option on it must fit. */
    works("localhost", "ssl_ca_file=@/ca.pem", false, "other.example");
    fails("localhost", "ssl_ca_file=@/ca.pem&ssl_enforce_hostname_verification=1", false, "other.example", "SSL");
    works("localhost", "ssl_ca_file=@/ca.pem&ssl_enforce_hostname_verification=1", false, "localhost");
}

static void test_client_certificate(void)
{
    works("localhost", "ssl_ca_file=@/ca.pem&ssl_cert_file=@/client.pem&ssl_key_file=@/client.pem", true, "localhost");
    works("localhost", "ssl_ca_file=@/ca.pem&ssl_cert_file=@/client.pem", true, "localhost");
    fails("localhost", "ssl_ca_file=@/ca.pem", true, "localhost", "connect-failed");
}

static void test_versions(void)
{
    works("localhost", "ssl_ca_file=@/ca.pem&ssl_version=TLSv1_2", false, "localhost");
    works("localhost", "ssl_ca_file=@/ca.pem&ssl_version=SSLv23", false, "localhost");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    directory = g_dir_make_tmp("novad-tls-XXXXXX", NULL);
    g_test_add_func("/rpc/tls/ca", test_ca);
    g_test_add_func("/rpc/tls/no-ca", test_no_ca);
    g_test_add_func("/rpc/tls/files", test_files);
    g_test_add_func("/rpc/tls/hostname", test_hostname);
    g_test_add_func("/rpc/tls/client-certificate", test_client_certificate);
    g_test_add_func("/rpc/tls/versions", test_versions);
    int status = g_test_run();
    static const char *const files[] = {"ca.pem", "server.pem", "client.pem", "other-ca.pem"};
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(directory, files[i], NULL);
        g_unlink(path);
    }
    g_rmdir(directory);
    g_free(directory);
    return status;
}
