/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/fake_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct FakeHttp {
    FakeHttpHandler handler;
    void *user_data;
    int listener;
    char *url;
    gint running, count; /* atomic */
    GThread *acceptor;
    GMutex lock;        /* guards the two */
    GPtrArray *threads; /* of GThread, one a connection */
    GArray *sockets;    /* of int, open connections */
};

typedef struct {
    FakeHttp *server;
    int socket;
} Connection;

static void request_clear(FakeHttpRequest *request)
{
    g_free(request->method);
    g_free(request->target);
    g_free(request->path);
    g_clear_pointer(&request->headers, g_hash_table_unref);
    g_free(request->body);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FakeHttpRequest, request_clear)

/* Reads until `buffer` holds the end of the headers; the offset of what follows, 0 at the end of the connection. */
static size_t read_head(int fd, GByteArray *buffer)
{
    for (;;) {
        const char *end = buffer->len >= 4 ? memmem(buffer->data, buffer->len, "\r\n\r\n", 4) : NULL;
        if (end != NULL)
            return (size_t)(end - (const char *)buffer->data) + 4;
        guint8 chunk[4096];
        ssize_t got = recv(fd, chunk, sizeof chunk, 0);
        if (got <= 0 || buffer->len > 1024 * 1024)
            return 0;
        g_byte_array_append(buffer, chunk, (guint)got);
    }
}

static void parse_head(const char *head, FakeHttpRequest *request)
{
    g_auto(GStrv) lines = g_strsplit(head, "\r\n", -1);
    g_auto(GStrv) words = g_strsplit(lines[0], " ", 3);
    g_assert_cmpuint(g_strv_length(words), ==, 3);
    request->method = g_strdup(words[0]);
    request->target = g_strdup(words[1]);
    request->path = g_strndup(words[1], strcspn(words[1], "?"));
    request->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (char **line = lines + 1; *line != NULL && **line != '\0'; line++) {
        char *colon = strchr(*line, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        g_hash_table_replace(request->headers, g_ascii_strdown(*line, -1), g_strdup(g_strstrip(colon + 1)));
    }
}

/* One request; false when the connection has ended. What came after it stays in `buffer`. */
static bool serve_one(FakeHttp *server, int fd, GByteArray *buffer)
{
    g_auto(FakeHttpRequest) request = {.socket = fd};
    size_t head_length = read_head(fd, buffer);
    if (head_length == 0)
        return false;
    g_autofree char *head = g_strndup((const char *)buffer->data, head_length);
    parse_head(head, &request);
    const char *length_text = fake_http_header(&request, "content-length");
    request.body_length = length_text != NULL ? (size_t)g_ascii_strtoull(length_text, NULL, 10) : 0;
    while (buffer->len < head_length + request.body_length) {
        guint8 chunk[4096];
        ssize_t got = recv(fd, chunk, sizeof chunk, 0);
        if (got <= 0)
            return false;
        g_byte_array_append(buffer, chunk, (guint)got);
    }
    request.body = g_strndup((const char *)buffer->data + head_length, request.body_length);
    g_byte_array_remove_range(buffer, 0, (guint)(head_length + request.body_length));
    g_atomic_int_inc(&server->count);
    server->handler(server, &request, server->user_data);
    return true;
}

static void *connection_main(void *data)
{
    g_autofree Connection *connection = data;
    FakeHttp *server = connection->server;
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    while (fake_http_running(server) && serve_one(server, connection->socket, buffer))
        ;
    g_mutex_lock(&server->lock);
    for (guint i = 0; i < server->sockets->len; i++)
        if (g_array_index(server->sockets, int, i) == connection->socket) {
            g_array_remove_index_fast(server->sockets, i);
            break;
        }
    close(connection->socket);
    g_mutex_unlock(&server->lock);
    return NULL;
}

static void *acceptor_main(void *data)
{
    FakeHttp *server = data;
    while (fake_http_running(server)) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            break;
        Connection *connection = g_new0(Connection, 1);
        *connection = (Connection){server, fd};
        g_mutex_lock(&server->lock);
        g_array_append_val(server->sockets, fd);
        g_ptr_array_add(server->threads, g_thread_new("fake-http", connection_main, connection));
        g_mutex_unlock(&server->lock);
    }
    return NULL;
}

FakeHttp *fake_http_new(FakeHttpHandler handler, void *user_data)
{
    FakeHttp *server = g_new0(FakeHttp, 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->handler = handler;
    server->user_data = user_data;
    server->running = 1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(server->listener, >=, 0);
    g_assert_cmpint(bind(server->listener, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(listen(server->listener, 64), ==, 0);
    g_assert_cmpint(getsockname(server->listener, (struct sockaddr *)&address, &length), ==, 0);
    server->url = g_strdup_printf("http://127.0.0.1:%u", ntohs(address.sin_port));
    g_mutex_init(&server->lock);
    server->threads = g_ptr_array_new();
    server->sockets = g_array_new(FALSE, FALSE, sizeof(int));
    /* No proxy of the environment between the test and its own server. */
    if (g_strcmp0(g_getenv("no_proxy"), "*") != 0)
        g_setenv("no_proxy", "*", TRUE);
    server->acceptor = g_thread_new("fake-http-accept", acceptor_main, server);
    return server;
}

void fake_http_free(FakeHttp *server)
{
    if (server == NULL)
        return;
    g_atomic_int_set(&server->running, 0);
    shutdown(server->listener, SHUT_RDWR);
    g_thread_join(server->acceptor);
    close(server->listener);
    g_mutex_lock(&server->lock);
    for (guint i = 0; i < server->sockets->len; i++)
        shutdown(g_array_index(server->sockets, int, i), SHUT_RDWR);
    g_mutex_unlock(&server->lock);
    for (guint i = 0; i < server->threads->len; i++)
        g_thread_join(server->threads->pdata[i]);
    g_ptr_array_unref(server->threads);
    g_array_unref(server->sockets);
    g_mutex_clear(&server->lock);
    g_free(server->url);
    g_free(server);
}

const char *fake_http_url(FakeHttp *server)
{
    return server->url;
}

int fake_http_count(FakeHttp *server)
{
    return g_atomic_int_get(&server->count);
}

bool fake_http_running(FakeHttp *server)
{
    return g_atomic_int_get(&server->running) != 0;
}

bool fake_http_write(const FakeHttpRequest *request, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t sent = send(request->socket, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

void fake_http_answer(const FakeHttpRequest *request, int status, const char *headers, const char *body)
{
    size_t length = body != NULL ? strlen(body) : 0;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "HTTP/1.1 %d Some Words\r\n%s", status, headers != NULL ? headers : "");
    if (status != 204)
        g_string_append_printf(text, "Content-Length: %zu\r\n", length);
    g_string_append(text, "\r\n");
    if (body != NULL && status != 204 && !g_str_equal(request->method, "HEAD"))
        g_string_append(text, body);
    fake_http_write(request, text->str, text->len);
}

void fake_http_answer_json(const FakeHttpRequest *request, int status, NdJson *body)
{
    g_autoptr(NdJson) owned = body;
    g_autofree char *text = nd_json_to_string(owned);
    fake_http_answer(request, status, "Content-Type: application/json\r\n", text);
}

NdJson *fake_http_body_json(const FakeHttpRequest *request)
{
    NdJson *value = NULL;
    nd_json_parse(request->body, request->body_length, NULL, &value, NULL);
    return value;
}

const char *fake_http_header(const FakeHttpRequest *request, const char *lower_name)
{
    return g_hash_table_lookup(request->headers, lower_name);
}
