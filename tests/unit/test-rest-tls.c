/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"
#include "rest/session.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_tls.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Which certificates a session accepts and shows. */

typedef struct {
    const char *host;   /* of the URL; the certificate is for localhost */
    const char *cafile; /* of the test's folder; NULL = the system's store */
    const char *certfile, *keyfile;
    bool insecure, ask_client, works;
} TlsCase;

static const TlsCase cases[] = {
    {"localhost", "ca.pem", NULL, NULL, false, false, true},
    {"localhost", NULL, NULL, NULL, false, false, false}, /* nobody we know signed it */
    {"localhost", "other-ca.pem", NULL, NULL, false, false, false},
    {"127.0.0.1", "ca.pem", NULL, NULL, false, false, false}, /* it is for another name */
    {"127.0.0.1", NULL, NULL, NULL, true, false, true},
    {"localhost", "ca.pem", NULL, NULL, false, true, false}, /* the server wants to see ours */
    {"localhost", "ca.pem", "client.pem", NULL, false, true, true},
    {"localhost", "ca.pem", "server.pem", "client.pem", false, true, false}, /* the key is another's */
};

typedef struct {
    char *folder;
    FakeHttp *server;
} Fixture;

static void answer(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_answer(request, 200, NULL, "{}");
}

static void set_up(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    fixture->folder = g_dir_make_tmp("novad-tls-XXXXXX", &error);
    g_assert_no_error(error);
    fake_tls_make_certificates(fixture->folder, "localhost");
    fixture->server = fake_http_new(answer, NULL);
}

static void tear_down(Fixture *fixture, const void *data)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    fake_http_free(fixture->server);
}

static char *in_folder(const Fixture *fixture, const char *name)
{
    return name != NULL ? g_build_filename(fixture->folder, name, NULL) : NULL;
}

static void test_case(Fixture *fixture, const void *data)
{
    const TlsCase *tls_case = data;
    int plain_port = atoi(strrchr(fake_http_url(fixture->server), ':') + 1);
    g_autoptr(FakeTls) tls = fake_tls_new(fixture->folder, plain_port, tls_case->ask_client);
    g_autofree char *cafile = in_folder(fixture, tls_case->cafile);
    g_autofree char *certfile = in_folder(fixture, tls_case->certfile);
    g_autofree char *keyfile = in_folder(fixture, tls_case->keyfile);
    RestSessionOptions options = {.cafile = cafile, .certfile = certfile, .keyfile = keyfile, .insecure = tls_case->insecure};
    g_autoptr(GError) error = NULL;
    g_autoptr(RestSession) session = rest_session_new(&options, &error);
    g_assert_no_error(error);
    g_autofree char *url = g_strdup_printf("https://%s:%d/x", tls_case->host, fake_tls_port(tls));
    g_autoptr(RestAnswer) got = NULL;
    RestRequest request = {.method = "GET", .url = url};
    bool ok = rest_session_send(session, &request, &got, &error);
    if (tls_case->works) {
        g_assert_no_error(error);
        g_assert_cmpint(got->status, ==, 200);
        return;
    }
    g_assert_false(ok);
    /* A server that refuses our certificate may just close: then it is a lost connection. */
    g_assert_true(g_error_matches(error, REST_ERROR, REST_ERROR_TLS) ||
                  (tls_case->ask_client && g_error_matches(error, REST_ERROR, REST_ERROR_CONNECT)));
    g_assert_cmpint(fake_http_count(fixture->server), ==, 0);
}

/* A plain server where TLS is expected, and the other way round. */
static void test_mixed_up(Fixture *fixture, const void *data)
{
    int plain_port = atoi(strrchr(fake_http_url(fixture->server), ':') + 1);
    static const RestSessionOptions options = {0};
    g_autoptr(RestSession) session = rest_session_new(&options, NULL);
    g_autoptr(FakeTls) tls = fake_tls_new(fixture->folder, plain_port, false);
    g_auto(GStrv) urls = g_new0(char *, 3);
    urls[0] = g_strdup_printf("https://localhost:%d/", plain_port);
    urls[1] = g_strdup_printf("http://localhost:%d/", fake_tls_port(tls));
    for (size_t i = 0; urls[i] != NULL; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(RestAnswer) got = NULL;
        RestRequest request = {.method = "GET", .url = urls[i], .timeout_ms = 10000};
        g_assert_false(rest_session_send(session, &request, &got, &error));
        g_assert_cmpuint(error->domain, ==, REST_ERROR);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN); /* the server's side writes to clients that have turned away */
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/rest/tls/%zu", i);
        g_test_add(path, Fixture, &cases[i], set_up, test_case, tear_down);
    }
    g_test_add("/rest/tls/mixed-up", Fixture, NULL, set_up, test_mixed_up, tear_down);
    return g_test_run();
}
