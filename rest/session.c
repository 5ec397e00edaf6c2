/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/session.h"

#include "rest/error.h"
#include "rest/transfer.h"

#include <string.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURLU, curl_url_cleanup)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RestTransferResult, rest_transfer_result_clear)

/* Handles that keep their connections between requests. More threads than this at once work too; their handles are just not kept. */
enum { IDLE_HANDLES_MAX = 16 };

struct RestSession {
    gint references;
    RestSessionOptions options;
    GMutex lock; /* guards idle */
    GQueue idle; /* of CURL */
};

void rest_session_options_clear(RestSessionOptions *options)
{
    g_free(options->cafile);
    g_free(options->certfile);
    g_free(options->keyfile);
    *options = (RestSessionOptions){0};
}

/* libcurl wants one call before the first thread uses it. */
static bool ensure_curl(GError **error)
{
    static gsize once;
    static CURLcode result;
    if (g_once_init_enter(&once)) {
        result = curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&once, 1);
    }
    if (result != CURLE_OK)
        return rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL, "libcurl did not start: %s", curl_easy_strerror(result));
    return true;
}

static bool check_readable(const char *option, const char *path, GError **error)
{
    if (path == NULL || *path == '\0' || access(path, R_OK) == 0)
        return true;
    return rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL, "%s '%s' cannot be read", option, path);
}

RestSession *rest_session_new(const RestSessionOptions *options, GError **error)
{
    if (!ensure_curl(error) || !check_readable("cafile", options->cafile, error) || !check_readable("certfile", options->certfile, error) ||
        !check_readable("keyfile", options->keyfile, error))
        return NULL;
    RestSession *session = g_new0(RestSession, 1);
    session->references = 1;
    session->options = *options;
    session->options.cafile = g_strdup(options->cafile);
    session->options.certfile = g_strdup(options->certfile);
    session->options.keyfile = g_strdup(options->keyfile);
    g_mutex_init(&session->lock);
    g_queue_init(&session->idle);
    return session;
}

RestSession *rest_session_ref(RestSession *session)
{
    g_atomic_int_inc(&session->references);
    return session;
}

void rest_session_unref(RestSession *session)
{
    if (session == NULL || !g_atomic_int_dec_and_test(&session->references))
        return;
    g_queue_clear_full(&session->idle, (GDestroyNotify)curl_easy_cleanup);
    g_mutex_clear(&session->lock);
    rest_session_options_clear(&session->options);
    g_free(session);
}

static CURL *take_handle(RestSession *session)
{
    g_mutex_lock(&session->lock);
    CURL *handle = g_queue_pop_head(&session->idle);
    g_mutex_unlock(&session->lock);
    return handle != NULL ? handle : curl_easy_init();
}

static void give_handle(RestSession *session, CURL *handle)
{
    g_autoptr(CURL) surplus = handle;
    g_mutex_lock(&session->lock);
    if (session->idle.length < IDLE_HANDLES_MAX)
        g_queue_push_head(&session->idle, g_steal_pointer(&surplus));
    g_mutex_unlock(&session->lock);
}

bool rest_wait(GCancellable *cancellable, double seconds)
{
    GPollFD fd;
    if (cancellable == NULL || !g_cancellable_make_pollfd(cancellable, &fd)) {
        g_usleep((gulong)(seconds * G_USEC_PER_SEC));
        return true;
    }
    g_poll(&fd, 1, (gint)(seconds * 1000));
    g_cancellable_release_fd(cancellable);
    return !g_cancellable_is_cancelled(cancellable);
}

/* keystoneauth's rule: the fixed delay if one is set, else 0.5 s doubled each time up to 60 s. */
static double retry_delay(double fixed, int attempt)
{
    if (fixed > 0)
        return fixed;
    double delay = 0.5;
    for (int i = 0; i < attempt && delay < 60; i++)
        delay *= 2;
    return MIN(delay, 60);
}

static char *url_part(const char *url, CURLUPart part)
{
    g_autoptr(CURLU) parsed = curl_url();
    char *text = NULL;
    if (parsed == NULL || curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parsed, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return NULL;
    char *copy = g_ascii_strdown(text, -1);
    curl_free(text);
    return copy;
}

static bool same_part(const char *a, const char *b, CURLUPart part)
{
    g_autofree char *of_a = url_part(a, part);
    g_autofree char *of_b = url_part(b, part);
    return of_a != NULL && g_strcmp0(of_a, of_b) == 0;
}

static bool follows_redirect(const char *method, int status)
{
    if (status == 307 || status == 308)
        return true;
    return (status == 301 || status == 302 || status == 303) && (g_str_equal(method, "GET") || g_str_equal(method, "HEAD"));
}

/* One request with its redirects. */
static bool send_following(RestSession *session, const RestRequest *request, const char *body, RestTransferResult *result,
                           RestAnswer **answer, GError **error)
{
    gint64 timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : REST_TIMEOUT_MS;
    RestTransfer transfer = {
        .options = &session->options,
        .request = request,
        .body = body,
        .deadline = timeout_ms > 0 ? g_get_monotonic_time() + timeout_ms * 1000 : 0,
    };
    g_autofree char *url = g_strdup(request->url);
    for (int redirects = 0; redirects <= REST_REDIRECT_LIMIT; redirects++) {
        g_autoptr(RestAnswer) got = NULL;
        transfer.url = url;
        rest_transfer_result_clear(result);
        CURL *handle = take_handle(session);
        if (handle == NULL)
            return rest_error_set(error, REST_ERROR_CONNECT, 0, NULL, NULL, "libcurl gives no handle");
        bool ok = rest_transfer_run(handle, &transfer, result, &got, error);
        give_handle(session, handle);
        if (!ok)
            return false;
        if (result->redirect_url == NULL || !follows_redirect(request->method, got->status)) {
            *answer = g_steal_pointer(&got);
            return true;
        }
        if (!same_part(url, result->redirect_url, CURLUPART_SCHEME))
            return rest_error_set(error, REST_ERROR_REDIRECT, got->status, NULL, NULL, "%s %s: redirect to '%.200s' changes the scheme",
                                  request->method, url, result->redirect_url);
        if (!same_part(url, result->redirect_url, CURLUPART_HOST) || !same_part(url, result->redirect_url, CURLUPART_PORT))
            transfer.without_tokens = true;
        g_free(url);
        url = g_steal_pointer(&result->redirect_url);
    }
    return rest_error_set(error, REST_ERROR_REDIRECT, 0, NULL, NULL, "%s %s: more than %d redirects", request->method, request->url,
                          REST_REDIRECT_LIMIT);
}

bool rest_session_send(RestSession *session, const RestRequest *request, RestAnswer **answer, GError **error)
{
    g_autofree char *body = request->body != NULL ? nd_json_to_string(request->body) : NULL;
    g_autofree char *scheme = g_uri_parse_scheme(request->url);
    if (g_strcmp0(scheme, "http") != 0 && g_strcmp0(scheme, "https") != 0)
        return rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL, "'%.200s' is no http or https URL", request->url);
    int connect_attempt = 0, status_attempt = 0;
    for (;;) {
        g_auto(RestTransferResult) result = {0};
        g_autoptr(RestAnswer) got = NULL;
        g_autoptr(GError) failure = NULL;
        double delay;
        bool ok = send_following(session, request, body, &result, &got, &failure);
        if (!ok && result.retriable && !result.streamed && connect_attempt < session->options.connect_retries)
            delay = retry_delay(session->options.connect_retry_delay, connect_attempt++);
        else if (ok && got->status == 503 && status_attempt < session->options.status_code_retries)
            delay = retry_delay(session->options.status_code_retry_delay, status_attempt++);
        else if (!ok) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        } else {
            *answer = g_steal_pointer(&got);
            return true;
        }
        if (!rest_wait(request->cancellable, delay))
            return rest_error_set(error, REST_ERROR_CANCELLED, 0, NULL, NULL, "%s %s: the request was cancelled", request->method,
                                  request->url);
    }
}
