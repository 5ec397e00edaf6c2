/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"
#include "rest/session.h"
#include "tests/unit/fake_http.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The session against well-behaved and lying peers: every case ends in an answer or in one clear error, within its limits. */

static RestSession *new_session(int connect_retries, int status_code_retries)
{
    RestSessionOptions options = {
        .connect_retries = connect_retries,
        .connect_retry_delay = 0.01,
        .status_code_retries = status_code_retries,
        .status_code_retry_delay = 0.01,
    };
    g_autoptr(GError) error = NULL;
    RestSession *session = rest_session_new(&options, &error);
    g_assert_no_error(error);
    return session;
}

typedef struct {
    const char *name;
    FakeHttpHandler handler;
    RestError expected; /* when it must fail */
    const char *in_message;
    gint64 timeout_ms;
    size_t body_limit;
} BadPeer;

static void answer_hello(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    g_autoptr(NdJson) sent = fake_http_body_json(request);
    NdJson *body = json_object_new_object();
    nd_json_set_string(body, "method", request->method);
    nd_json_set_string(body, "target", request->target);
    nd_json_set_string(body, "token", fake_http_header(request, "x-auth-token"));
    nd_json_set_string(body, "content_type", fake_http_header(request, "content-type"));
    nd_json_set(body, "sent", g_steal_pointer(&sent));
    g_autoptr(NdJson) owned = body;
    g_autofree char *text = nd_json_to_string(owned);
    fake_http_answer(request, 200, "X-Openstack-Request-Id: req-1\r\nX-Twice: a\r\nX-TWICE:  b \r\n", text);
}

static void test_plain(void)
{
    g_autoptr(FakeHttp) server = fake_http_new(answer_hello, NULL);
    g_autoptr(RestSession) session = new_session(0, 0);
    g_autoptr(GError) error = NULL;
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        bool with_body = methods[i][0] == 'P';
        g_autoptr(NdJson) body = json_object_new_object();
        nd_json_set_string(body, "key", "wört");
        g_autofree char *url = g_strconcat(fake_http_url(server), "/a?b=c%20d", NULL);
        const char *const headers[] = {"X-Auth-Token: secret", NULL};
        RestRequest request = {.method = methods[i], .url = url, .headers = headers, .body = with_body ? body : NULL};
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(NdJson) got = NULL;
        g_assert_true(rest_session_send(session, &request, &answer, &error));
        g_assert_no_error(error);
        g_assert_cmpint(answer->status, ==, 200);
        g_assert_cmpstr(rest_answer_header(answer, "x-openstack-request-id"), ==, "req-1");
        g_assert_cmpstr(rest_answer_header(answer, "x-twice"), ==, "b");
        g_assert_true(rest_answer_json(answer, &got, &error));
        g_assert_cmpstr(nd_json_string(got, "method", NULL), ==, methods[i]);
        g_assert_cmpstr(nd_json_string(got, "target", NULL), ==, "/a?b=c%20d");
        g_assert_cmpstr(nd_json_string(got, "token", NULL), ==, "secret");
        g_assert_true(nd_json_equal(nd_json_member(got, "sent"), with_body ? body : NULL));
        if (with_body)
            g_assert_cmpstr(nd_json_string(got, "content_type", NULL), ==, "application/json");
    }
}

static void answer_error(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_answer(request, g_str_equal(request->path, "/p") ? 409 : 404, "X-Openstack-Request-Id: req-9\r\n", user_data);
}

static void test_error_bodies(void)
{
    static const struct {
        const char *path, *body, *code, *message;
        RestError expected;
    } cases[] = {
        {"/p",
         "{\"errors\": [{\"status\": 409, \"title\": \"Conflict\", \"detail\": \"generation\\nis old\", \"code\": "
         "\"placement.concurrent_update\"}]}",
         "placement.concurrent_update", "HTTP 409: generation is old", REST_ERROR_CONFLICT_GENERATION},
        {"/p", "{\"errors\": [{\"detail\": \"in use\", \"code\": \"placement.inventory.inuse\"}]}", "placement.inventory.inuse",
         "HTTP 409: in use", REST_ERROR_CONFLICT},
        {"/n", "{\"NeutronError\": {\"type\": \"PortNotFound\", \"message\": \"Port x could not be found.\", \"detail\": \"\"}}",
         "PortNotFound", "HTTP 404: Port x could not be found.", REST_ERROR_NOT_FOUND},
        {"/k", "{\"error\": {\"code\": 404, \"message\": \"nobody\", \"title\": \"Not Found\"}}", NULL, "HTTP 404: nobody",
         REST_ERROR_NOT_FOUND},
        {"/g",
         "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404</h1>\n  No image\x01 \xff found\n</body></html>",
         NULL, "HTTP 404: 404 Not Found 404 No image \xef\xbf\xbd found", REST_ERROR_NOT_FOUND},
        {"/e", "", NULL, "HTTP 404", REST_ERROR_NOT_FOUND},
        {"/t", "{\"errors\": {\"a\": 1}, \"error\": [], \"NeutronError\": 7}", NULL, "HTTP 404", REST_ERROR_NOT_FOUND},
    };
    g_autoptr(RestSession) session = new_session(0, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeHttp) server = fake_http_new(answer_error, (void *)cases[i].body);
        g_autofree char *url = g_strconcat(fake_http_url(server), cases[i].path, NULL);
        RestRequest request = {.method = "GET", .url = url};
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(GError) error = NULL;
        g_assert_true(rest_session_send(session, &request, &answer, &error));
        g_assert_false(rest_answer_set_error(answer, "GET", &error));
        g_assert_error(error, REST_ERROR, (int)cases[i].expected);
        g_assert_cmpstr(rest_error_service_code(error), ==, cases[i].code);
        g_assert_cmpstr(rest_error_request_id(error), ==, "req-9");
        g_assert_nonnull(strstr(error->message, cases[i].message));
        g_autoptr(GError) copy = g_error_copy(error);
        g_assert_cmpint(rest_error_status(copy), ==, answer->status);
        g_assert_cmpstr(rest_error_service_code(copy), ==, cases[i].code);
    }
}

static void endless_body(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    char block[4096];
    memset(block, 'x', sizeof block);
    fake_http_write(request, "HTTP/1.1 200 OK\r\n\r\n", 19);
    while (fake_http_running(server) && fake_http_write(request, block, sizeof block))
        ;
}

static void slow_drip(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_write(request, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 41);
    while (fake_http_running(server) && fake_http_write(request, "x", 1))
        g_usleep(20 * 1000);
}

static void silent(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    char byte;
    while (fake_http_running(server) && read(request->socket, &byte, 1) > 0)
        ;
}

static void endless_headers(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_write(request, "HTTP/1.1 200 OK\r\n", 17);
    while (fake_http_running(server) && fake_http_write(request, "X-More: and more\r\n", 18))
        ;
}

static void endless_header_line(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_write(request, "HTTP/1.1 200 OK\r\nX-Long: ", 25);
    while (fake_http_running(server) && fake_http_write(request, "xxxxxxxxxxxxxxxx", 16))
        ;
}

static void endless_interim(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    while (fake_http_running(server) && fake_http_write(request, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        ;
}

static void redirect_loop(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_answer(request, 302, "Location: /again\r\n", "");
}

static void redirect_scheme(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_answer(request, 302, "Location: https://127.0.0.1:1/\r\n", "");
}

static void redirect_file(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_answer(request, 302, "Location: file:///etc/passwd\r\n", "");
}

static void hang_up(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_write(request, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort", 46);
    shutdown(request->socket, SHUT_RDWR);
}

static void not_http(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_write(request, "220 mail.example ESMTP\r\n", 24);
    shutdown(request->socket, SHUT_RDWR);
}

static const BadPeer bad_peers[] = {
    {"endless-body", endless_body, REST_ERROR_TOO_LARGE, "over 100000 bytes", 0, 100000},
    {"slow-drip", slow_drip, REST_ERROR_TIMEOUT, NULL, 300, 0},
    {"silent", silent, REST_ERROR_TIMEOUT, NULL, 300, 0},
    {"endless-headers", endless_headers, REST_ERROR_TOO_LARGE, "headers", 0, 0},
    {"endless-header-line", endless_header_line, REST_ERROR_TOO_LARGE, NULL, 0, 0},
    {"endless-interim", endless_interim, REST_ERROR_TOO_LARGE, "headers", 0, 0},
    {"redirect-loop", redirect_loop, REST_ERROR_REDIRECT, "more than 5 redirects", 0, 0},
    {"redirect-scheme", redirect_scheme, REST_ERROR_REDIRECT, "changes the scheme", 0, 0},
    {"redirect-file", redirect_file, REST_ERROR_REDIRECT, "changes the scheme", 0, 0},
    {"hang-up", hang_up, REST_ERROR_CONNECT, NULL, 0, 0},
    {"not-http", not_http, REST_ERROR_BAD_ANSWER, NULL, 0, 0},
};

static void test_bad_peer(const void *data)
{
    const BadPeer *peer = data;
    g_autoptr(FakeHttp) server = fake_http_new(peer->handler, NULL);
    g_autoptr(RestSession) session = new_session(0, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(RestAnswer) answer = NULL;
    RestRequest request = {.method = "GET", .url = fake_http_url(server), .timeout_ms = peer->timeout_ms, .body_limit = peer->body_limit};
    gint64 start = g_get_monotonic_time();
    g_assert_false(rest_session_send(session, &request, &answer, &error));
    g_assert_error(error, REST_ERROR, (int)peer->expected);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    g_assert_null(answer);
    if (peer->in_message != NULL)
        g_assert_nonnull(strstr(error->message, peer->in_message));
    g_assert_null(strchr(error->message, '\n'));
}

/* The option `timeout`: no byte for so long ends a request, whatever its own deadline; a slow answer does not. */
static void test_stall(void)
{
    static const struct {
        FakeHttpHandler handler;
        gint64 stall_ms;
        bool stalled;
    } cases[] = {{silent, 100, true}, {slow_drip, 1000, false}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeHttp) server = fake_http_new(cases[i].handler, NULL);
        RestSessionOptions options = {.connect_timeout_ms = 100, .stall_timeout_ms = cases[i].stall_ms};
        g_autoptr(GError) error = NULL;
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(RestSession) session = rest_session_new(&options, &error);
        RestRequest request = {.method = "GET", .url = fake_http_url(server), .timeout_ms = cases[i].stalled ? -1 : 2500};
        gint64 start = g_get_monotonic_time();
        g_assert_false(rest_session_send(session, &request, &answer, &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_TIMEOUT);
        g_assert_true((strstr(error->message, "nothing came") != NULL) == cases[i].stalled);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    }
}

static void test_bad_json(void)
{
    static const char *const bodies[] = {"", "{", "[1,]", "{\"a\": \"\xff\"}", "nonsense"};
    g_autoptr(RestSession) session = new_session(0, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(FakeHttp) server = fake_http_new(answer_error, (void *)bodies[i]);
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(NdJson) value = NULL;
        g_autoptr(GError) error = NULL;
        RestRequest request = {.method = "GET", .url = fake_http_url(server)};
        g_assert_true(rest_session_send(session, &request, &answer, &error));
        g_assert_false(rest_answer_json(answer, &value, &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
    }
    g_autofree char *deep = g_strnfill(100000, '[');
    g_autoptr(FakeHttp) server = fake_http_new(answer_error, deep);
    g_autoptr(RestAnswer) answer = NULL;
    g_autoptr(NdJson) value = NULL;
    g_autoptr(GError) error = NULL;
    RestRequest request = {.method = "GET", .url = fake_http_url(server)};
    g_assert_true(rest_session_send(session, &request, &answer, &error));
    g_assert_false(rest_answer_json(answer, &value, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_BAD_ANSWER);
}

/* 503 the first two times. */
static void busy_at_first(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    fake_http_answer(request, fake_http_count(server) <= 2 ? 503 : 200, NULL, "{}");
}

static void test_status_retries(void)
{
    static const struct {
        int retries, expected_status, expected_count;
    } cases[] = {{0, 503, 1}, {1, 503, 2}, {2, 200, 3}, {5, 200, 3}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FakeHttp) server = fake_http_new(busy_at_first, NULL);
        g_autoptr(RestSession) session = new_session(0, cases[i].retries);
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(GError) error = NULL;
        RestRequest request = {.method = "POST", .url = fake_http_url(server)};
        g_assert_true(rest_session_send(session, &request, &answer, &error));
        g_assert_cmpint(answer->status, ==, cases[i].expected_status);
        g_assert_cmpint(fake_http_count(server), ==, cases[i].expected_count);
    }
}

/* Breaks the connection the first two times. */
static void broken_at_first(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    if (fake_http_count(server) <= 2)
        hang_up(server, request, user_data);
    else
        fake_http_answer(request, 200, NULL, "{}");
}

static void test_connect_retries(void)
{
    for (int retries = 0; retries < 4; retries++) {
        g_autoptr(FakeHttp) server = fake_http_new(broken_at_first, NULL);
        g_autoptr(RestSession) session = new_session(retries, 0);
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(GError) error = NULL;
        RestRequest request = {.method = "GET", .url = fake_http_url(server)};
        g_assert_true(rest_session_send(session, &request, &answer, &error) == (retries >= 2));
        g_assert_cmpint(fake_http_count(server), ==, MIN(retries + 1, 3));
        if (retries < 2)
            g_assert_error(error, REST_ERROR, REST_ERROR_CONNECT);
    }
}

static void test_nobody_there(void)
{
    g_autoptr(FakeHttp) server = fake_http_new(answer_hello, NULL);
    g_autofree char *url = g_strdup(fake_http_url(server));
    g_clear_pointer(&server, fake_http_free);
    static const struct {
        const char *url;
        RestError expected;
    } others[] = {{NULL, REST_ERROR_CONNECT},
                  {"ftp://127.0.0.1/", REST_ERROR_CONFIG},
                  {"nonsense", REST_ERROR_CONFIG},
                  {"http://", REST_ERROR_CONFIG}};
    g_autoptr(RestSession) session = new_session(1, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(GError) error = NULL;
        RestRequest request = {.method = "GET", .url = others[i].url != NULL ? others[i].url : url};
        g_assert_false(rest_session_send(session, &request, &answer, &error));
        g_assert_error(error, REST_ERROR, (int)others[i].expected);
    }
}

static void test_header_injection(void)
{
    g_autoptr(FakeHttp) server = fake_http_new(answer_hello, NULL);
    g_autoptr(RestSession) session = new_session(0, 0);
    g_autoptr(RestAnswer) answer = NULL;
    g_autoptr(GError) error = NULL;
    const char *const headers[] = {"X-Auth-Token: a\r\nX-Roles: admin", NULL};
    RestRequest request = {.method = "GET", .url = fake_http_url(server), .headers = headers};
    g_assert_false(rest_session_send(session, &request, &answer, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CONFIG);
    g_assert_cmpint(fake_http_count(server), ==, 0);
}

static void redirect_to_data(FakeHttp *server, const FakeHttpRequest *request, void *user_data)
{
    if (g_str_equal(request->path, "/from")) {
        g_autofree char *header = g_strdup_printf("Location: %s/to\r\n", user_data != NULL ? (char *)user_data : "");
        fake_http_answer(request, 301, header, "");
    } else {
        answer_hello(server, request, NULL);
    }
}

/* Tokens follow a redirect on the same host and port only. */
static void test_redirect_tokens(void)
{
    g_autoptr(FakeHttp) other = fake_http_new(answer_hello, NULL);
    g_autoptr(RestSession) session = new_session(0, 0);
    for (int cross = 0; cross < 2; cross++) {
        g_autoptr(FakeHttp) server = fake_http_new(redirect_to_data, cross ? (void *)fake_http_url(other) : NULL);
        g_autofree char *url = g_strconcat(fake_http_url(server), "/from", NULL);
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(NdJson) got = NULL;
        g_autoptr(GError) error = NULL;
        const char *const headers[] = {"X-Auth-Token: secret", NULL};
        RestRequest request = {.method = "GET", .url = url, .headers = headers};
        g_assert_true(rest_session_send(session, &request, &answer, &error));
        g_assert_no_error(error);
        g_assert_true(rest_answer_json(answer, &got, &error));
        g_assert_cmpstr(nd_json_string(got, "target", NULL), ==, "/to");
        g_assert_cmpstr(nd_json_string(got, "token", NULL), ==, cross ? NULL : "secret");
        /* A POST is not sent again as something else. */
        g_clear_pointer(&answer, rest_answer_free);
        request.method = "POST";
        g_assert_true(rest_session_send(session, &request, &answer, &error));
        g_assert_cmpint(answer->status, ==, 301);
    }
}

static void *cancel_soon(void *data)
{
    g_usleep(100 * 1000);
    g_cancellable_cancel(data);
    return NULL;
}

static void test_cancel(void)
{
    static const FakeHttpHandler handlers[] = {slow_drip, silent, busy_at_first};
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
        g_autoptr(FakeHttp) server = fake_http_new(handlers[i], NULL);
        RestSessionOptions options = {.status_code_retries = 9, .status_code_retry_delay = 30};
        g_autoptr(RestSession) session = rest_session_new(&options, NULL);
        g_autoptr(GCancellable) cancellable = g_cancellable_new();
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(GError) error = NULL;
        gint64 start = g_get_monotonic_time();
        GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);
        RestRequest request = {.method = "GET", .url = fake_http_url(server), .cancellable = cancellable};
        g_assert_false(rest_session_send(session, &request, &answer, &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_CANCELLED);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 10 * G_USEC_PER_SEC);
        g_thread_join(thread);
    }
}

static void *many_requests(void *data)
{
    void **arguments = data;
    for (int i = 0; i < 25; i++) {
        g_autoptr(RestAnswer) answer = NULL;
        g_autoptr(GError) error = NULL;
        RestRequest request = {.method = "GET", .url = arguments[1]};
        g_assert_true(rest_session_send(arguments[0], &request, &answer, &error));
        g_assert_cmpint(answer->status, ==, 200);
    }
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(FakeHttp) server = fake_http_new(answer_hello, NULL);
    g_autoptr(RestSession) session = new_session(0, 0);
    void *arguments[] = {session, (void *)fake_http_url(server)};
    GThread *threads[8];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("client", many_requests, arguments);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(fake_http_count(server), ==, 200);
}

static void test_bad_files(void)
{
    static char missing[] = "/nonexistent/file.pem";
    RestSessionOptions options[] = {{.cafile = missing}, {.certfile = missing}, {.keyfile = missing}};
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(rest_session_new(&options[i], &error));
        g_assert_error(error, REST_ERROR, REST_ERROR_CONFIG);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rest/session/plain", test_plain);
    g_test_add_func("/rest/session/error-bodies", test_error_bodies);
    g_test_add_func("/rest/session/stall", test_stall);
    g_test_add_func("/rest/session/bad-json", test_bad_json);
    g_test_add_func("/rest/session/status-retries", test_status_retries);
    g_test_add_func("/rest/session/connect-retries", test_connect_retries);
    g_test_add_func("/rest/session/nobody-there", test_nobody_there);
    g_test_add_func("/rest/session/header-injection", test_header_injection);
    g_test_add_func("/rest/session/redirect-tokens", test_redirect_tokens);
    g_test_add_func("/rest/session/cancel", test_cancel);
    g_test_add_func("/rest/session/threads", test_threads);
    g_test_add_func("/rest/session/bad-files", test_bad_files);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_peers); i++) {
        g_autofree char *path = g_strconcat("/rest/session/peer/", bad_peers[i].name, NULL);
        g_test_add_data_func(path, &bad_peers[i], test_bad_peer);
    }
    return g_test_run();
}
