/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/json.h"

/*
 * A small HTTP/1.1 server in the test's own process, on a free loopback port: each connection has a thread, each request is shown to one
 * handler, which says what to answer, or does harm to the connection by hand (slow, endless, broken answers).
 */
typedef struct FakeHttp FakeHttp;

typedef struct {
    char *method, *target; /* target with its query, as sent */
    char *path;            /* without the query */
    GHashTable *headers;   /* lower-case name -> value */
    char *body;            /* NUL-terminated */
    size_t body_length;
    int socket; /* for handlers that write themselves (then fake_http_answer is not called) */
} FakeHttpRequest;

/* Runs on a thread of the server. */
typedef void (*FakeHttpHandler)(FakeHttp *server, const FakeHttpRequest *request, void *user_data);

FakeHttp *fake_http_new(FakeHttpHandler handler, void *user_data);
/* Closes everything and waits for the threads. */
void fake_http_free(FakeHttp *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeHttp, fake_http_free)

/* "http://127.0.0.1:PORT"; owned by the server. */
const char *fake_http_url(FakeHttp *server);
/* How many requests have come. */
int fake_http_count(FakeHttp *server);
/* True while the server is not being freed: for handlers that go on for ever. */
bool fake_http_running(FakeHttp *server);

/* Sends a whole answer. `headers` are lines "Name: value\r\n…" or NULL. */
void fake_http_answer(const FakeHttpRequest *request, int status, const char *headers, const char *body);
/* The same with a JSON body; takes the reference. */
void fake_http_answer_json(const FakeHttpRequest *request, int status, NdJson *body);
/* Sends bytes as they are; false when the peer has gone. */
bool fake_http_write(const FakeHttpRequest *request, const void *data, size_t length);
/* The request's body as JSON (new reference), or NULL. */
NdJson *fake_http_body_json(const FakeHttpRequest *request);
const char *fake_http_header(const FakeHttpRequest *request, const char *lower_name);
