/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/session.h"

#include <curl/curl.h>

/* One HTTP exchange on one libcurl handle; rest/session.c puts retries and redirects around it. Internal to rest/. */
typedef struct {
    const RestSessionOptions *options;
    const RestRequest *request;
    const char *url;
    const char *body;    /* serialised JSON, or NULL */
    bool without_tokens; /* the request left the host that its tokens were meant for */
    gint64 deadline;     /* monotonic microseconds; 0 = none */
} RestTransfer;

/* What came of it, beside the answer. */
typedef struct {
    char *redirect_url; /* absolute, when the answer is a redirect */
    bool retriable;     /* the failure was one of the connection */
    bool streamed;      /* on_body has been called */
} RestTransferResult;
void rest_transfer_result_clear(RestTransferResult *result);

/* Runs the exchange; `handle` is reset first. *result is filled in on failure as well. Errors as of rest_session_send. */
bool rest_transfer_run(CURL *handle, const RestTransfer *transfer, RestTransferResult *result, RestAnswer **answer, GError **error);
