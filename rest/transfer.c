/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/transfer.h"

#include "rest/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct curl_slist curl_slist;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(curl_slist, curl_slist_free_all)

/* State that curl's callbacks see. */
typedef struct {
    const RestTransfer *transfer;
    RestTransferResult *result;
    GByteArray *body;
    GHashTable *headers;
    size_t header_bytes, body_limit;
    gint64 sent; /* bytes of the upload */
    gint64 moved_at;     /* monotonic: when a byte last came or went; our own callbacks' time is not the peer's */
    curl_off_t moved;    /* bytes both ways */
    bool answered;       /* a byte came or went */
    int status;    /* of the header block being read, 0 before its first line */
    GError *error; /* set by a callback that ends the transfer */
} Progress;

static void progress_clear(Progress *progress)
{
    g_clear_pointer(&progress->body, g_byte_array_unref);
    g_clear_pointer(&progress->headers, g_hash_table_unref);
    g_clear_error(&progress->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Progress, progress_clear)

void rest_transfer_result_clear(RestTransferResult *result)
{
    g_clear_pointer(&result->redirect_url, g_free);
    *result = (RestTransferResult){0};
}

static void moved(Progress *progress)
{
    progress->moved_at = g_get_monotonic_time();
    progress->answered = true;
}

static size_t on_header(char *line, size_t size, size_t count, void *user_data)
{
    Progress *progress = user_data;
    size_t length = size * count;
    moved(progress);
    progress->header_bytes += length;
    if (progress->header_bytes > REST_HEADER_LIMIT) {
        rest_error_set(&progress->error, REST_ERROR_TOO_LARGE, 0, NULL, NULL, "headers of the answer are over %d bytes", REST_HEADER_LIMIT);
        return 0;
    }
    g_autofree char *text = g_strndup(line, length);
    g_strchomp(text);
    if (g_ascii_strncasecmp(text, "HTTP/", 5) == 0) {
        const char *space = strchr(text, ' ');
        progress->status = space != NULL ? (int)g_ascii_strtoll(space + 1, NULL, 10) : 0;
        g_hash_table_remove_all(progress->headers);
        return length;
    }
    char *colon = strchr(text, ':');
    if (colon != NULL) {
        *colon = '\0';
        g_hash_table_replace(progress->headers, g_ascii_strdown(text, -1), g_strdup(g_strstrip(colon + 1)));
    }
    return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *user_data)
{
    Progress *progress = user_data;
    const RestRequest *request = progress->transfer->request;
    size_t length = size * count;
    if (request->on_body != NULL && progress->status >= 200 && progress->status < 300) {
        progress->result->streamed = true;
        bool taken = request->on_body(data, length, request->on_body_data, &progress->error);
        moved(progress);
        return taken ? length : 0;
    }
    if (progress->body->len + length > progress->body_limit) {
        rest_error_set(&progress->error, REST_ERROR_TOO_LARGE, progress->status, NULL, NULL, "answer is over %zu bytes",
                       progress->body_limit);
        return 0;
    }
    g_byte_array_append(progress->body, (const guint8 *)data, (guint)length);
    moved(progress);
    return length;
}

/* The upload's next bytes. A file that has become shorter is an error, as the server waits for all that was promised. */
static size_t on_read(char *buffer, size_t size, size_t count, void *user_data)
{
    Progress *progress = user_data;
    const RestUpload *upload = progress->transfer->request->upload;
    size_t wanted = (size_t)MIN((gint64)(size * count), upload->size - progress->sent);
    ssize_t got;
    do
        got = wanted > 0 ? pread(upload->fd, buffer, wanted, (off_t)progress->sent) : 0;
    while (got < 0 && errno == EINTR);
    if (got < 0 || (got == 0 && wanted > 0)) {
        rest_error_set(&progress->error, REST_ERROR_READ, 0, NULL, NULL, "cannot read the file that is sent: %s",
                       got < 0 ? g_strerror(errno) : "it has become shorter");
        return CURL_READFUNC_ABORT;
    }
    progress->sent += got;
    moved(progress);
    return (size_t)got;
}

/* libcurl goes back to the start when it has to send again on a fresh connection. */
static int on_seek(void *user_data, curl_off_t offset, int origin)
{
    Progress *progress = user_data;
    if (origin != SEEK_SET || offset < 0 || offset > progress->transfer->request->upload->size)
        return CURL_SEEKFUNC_FAIL;
    progress->sent = offset;
    return CURL_SEEKFUNC_OK;
}

static gint64 stall_timeout_ms(const RestSessionOptions *options)
{
    return options->stall_timeout_ms > 0 ? options->stall_timeout_ms : REST_STALL_TIMEOUT_MS;
}

static gint64 connect_timeout_ms(const RestSessionOptions *options)
{
    gint64 otherwise = options->stall_timeout_ms > 0 ? options->stall_timeout_ms : REST_CONNECT_TIMEOUT_MS;
    return options->connect_timeout_ms > 0 ? options->connect_timeout_ms : otherwise;
}

/* libcurl calls it at least once a second. */
static int on_progress(void *user_data, curl_off_t download_total, curl_off_t downloaded, curl_off_t upload_total, curl_off_t uploaded)
{
    Progress *progress = user_data;
    if (downloaded + uploaded != progress->moved) {
        progress->moved = downloaded + uploaded;
        moved(progress);
    }
    if (progress->error != NULL)
        return 1;
    if (g_cancellable_is_cancelled(progress->transfer->request->cancellable)) {
        rest_error_set(&progress->error, REST_ERROR_CANCELLED, 0, NULL, NULL, "the request was cancelled");
        return 1;
    }
    gint64 limit_ms = stall_timeout_ms(progress->transfer->options);
    if (!progress->answered) /* the connection may still be under way */
        limit_ms += connect_timeout_ms(progress->transfer->options);
    if (g_get_monotonic_time() - progress->moved_at < limit_ms * 1000)
        return 0;
    rest_error_set(&progress->error, REST_ERROR_TIMEOUT, 0, NULL, NULL, "nothing came for %.1f seconds", (double)limit_ms / 1000);
    return 1;
}

/* libcurl's results as ours; what is not listed is a broken connection. */
static RestError error_code_of(CURLcode code)
{
    static const struct {
        CURLcode curl;
        RestError code;
    } map[] = {
        {CURLE_OPERATION_TIMEDOUT, REST_ERROR_TIMEOUT},
        {CURLE_SSL_CONNECT_ERROR, REST_ERROR_TLS},
        {CURLE_SSL_CERTPROBLEM, REST_ERROR_TLS},
        {CURLE_SSL_CIPHER, REST_ERROR_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, REST_ERROR_TLS},
        {CURLE_SSL_CACERT_BADFILE, REST_ERROR_TLS},
        {CURLE_SSL_ISSUER_ERROR, REST_ERROR_TLS},
        {CURLE_SSL_SHUTDOWN_FAILED, REST_ERROR_TLS},
        {CURLE_UNSUPPORTED_PROTOCOL, REST_ERROR_BAD_ANSWER}, /* HTTP/0.9; the scheme was checked before */
        {CURLE_URL_MALFORMAT, REST_ERROR_CONFIG},
        {CURLE_WEIRD_SERVER_REPLY, REST_ERROR_BAD_ANSWER},
        {CURLE_HTTP2, REST_ERROR_BAD_ANSWER},
        {CURLE_BAD_CONTENT_ENCODING, REST_ERROR_BAD_ANSWER},
        {CURLE_BAD_FUNCTION_ARGUMENT, REST_ERROR_BAD_ANSWER},
        {CURLE_FILESIZE_EXCEEDED, REST_ERROR_TOO_LARGE},
        {CURLE_OUT_OF_MEMORY, REST_ERROR_TOO_LARGE}, /* a header line over libcurl's own limit */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(map); i++)
        if (map[i].curl == code)
            return map[i].code;
    return REST_ERROR_CONNECT;
}

static bool is_token_header(const char *line)
{
    static const char *const names[] = {"X-Auth-Token:", "X-Service-Token:", "X-Subject-Token:"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* The request's header lines; a line break inside one would let its value write further headers. */
static bool make_header_list(const RestTransfer *transfer, curl_slist **list, GError **error)
{
    g_autoptr(curl_slist) lines = curl_slist_append(NULL, "Expect:");
    lines = curl_slist_append(lines, "Accept: application/json, */*;q=0.5");
    const char *content_type = transfer->request->content_type != NULL ? transfer->request->content_type : "application/json";
    if (transfer->body != NULL || transfer->request->upload != NULL) {
        g_autofree char *line = g_strconcat("Content-Type: ", content_type, NULL);
        lines = curl_slist_append(lines, line);
    }
    for (const char *const *line = transfer->request->headers; line != NULL && *line != NULL; line++) {
        if (strpbrk(*line, "\r\n") != NULL)
            return rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL, "a request header holds a line break");
        if (!(transfer->without_tokens && is_token_header(*line)))
            lines = curl_slist_append(lines, *line);
    }
    *list = g_steal_pointer(&lines);
    return true;
}

static void set_protocols(CURL *handle)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

static void set_tls(CURL *handle, const RestSessionOptions *options)
{
    if (options->cafile != NULL && *options->cafile != '\0')
        curl_easy_setopt(handle, g_file_test(options->cafile, G_FILE_TEST_IS_DIR) ? CURLOPT_CAPATH : CURLOPT_CAINFO, options->cafile);
    if (options->certfile != NULL && *options->certfile != '\0') {
        curl_easy_setopt(handle, CURLOPT_SSLCERT, options->certfile);
        curl_easy_setopt(handle, CURLOPT_SSLKEY,
                         options->keyfile != NULL && *options->keyfile != '\0' ? options->keyfile : options->certfile);
    }
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
}

static void set_method(CURL *handle, const RestTransfer *transfer)
{
    const char *method = transfer->request->method;
    if (transfer->request->upload != NULL) {
        curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->request->upload->size);
    } else if (transfer->body != NULL) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(transfer->body));
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, transfer->body);
    } else if (g_str_equal(method, "POST") || g_str_equal(method, "PUT")) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, "");
    }
    if (g_str_equal(method, "HEAD"))
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
}

/* False if the deadline has passed. */
static bool set_deadlines(CURL *handle, const RestTransfer *transfer)
{
    if (transfer->deadline != 0) {
        gint64 left_ms = (transfer->deadline - g_get_monotonic_time()) / 1000;
        if (left_ms <= 0)
            return false;
        curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)left_ms);
    }
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_timeout_ms(transfer->options));
    return true;
}

static void set_callbacks(CURL *handle, Progress *progress)
{
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, progress);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, progress);
    if (progress->transfer->request->upload != NULL) {
        curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(handle, CURLOPT_READDATA, progress);
        curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(handle, CURLOPT_SEEKDATA, progress);
    }
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, progress);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

static bool transfer_failed(Progress *progress, CURLcode code, const char *text, GError **error)
{
    const RestTransfer *transfer = progress->transfer;
    if (progress->error != NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&progress->error), "%s %s: ", transfer->request->method, transfer->url);
        return false;
    }
    RestError ours = error_code_of(code);
    progress->result->retriable = ours == REST_ERROR_CONNECT;
    return rest_error_set(error, ours, 0, NULL, NULL, "%s %s: %s", transfer->request->method, transfer->url,
                          *text != '\0' ? text : curl_easy_strerror(code));
}

static RestAnswer *make_answer(CURL *handle, Progress *progress)
{
    RestAnswer *answer = g_new0(RestAnswer, 1);
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    answer->body = g_byte_array_free_to_bytes(g_steal_pointer(&progress->body));
    answer->headers = g_steal_pointer(&progress->headers);
    answer->url = g_strdup(progress->transfer->url);
    const char *redirect = NULL;
    curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &redirect);
    progress->result->redirect_url = g_strdup(redirect);
    return answer;
}

bool rest_transfer_run(CURL *handle, const RestTransfer *transfer, RestTransferResult *result, RestAnswer **answer, GError **error)
{
    char text[CURL_ERROR_SIZE] = "";
    g_auto(Progress) progress = {
        .transfer = transfer,
        .result = result,
        .body = g_byte_array_new(),
        .headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .moved_at = g_get_monotonic_time(),
        .body_limit = transfer->request->body_limit != 0 ? transfer->request->body_limit : REST_BODY_LIMIT,
    };
    g_autoptr(curl_slist) headers = NULL;
    if (!make_header_list(transfer, &headers, error))
        return false;
    if (g_cancellable_is_cancelled(transfer->request->cancellable))
        return rest_error_set(error, REST_ERROR_CANCELLED, 0, NULL, NULL, "%s %s: the request was cancelled", transfer->request->method,
                              transfer->url);
    curl_easy_reset(handle);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_URL, transfer->url);
    set_protocols(handle);
    set_tls(handle, transfer->options);
    set_method(handle, transfer);
    set_callbacks(handle, &progress);
    if (!set_deadlines(handle, transfer))
        return rest_error_set(error, REST_ERROR_TIMEOUT, 0, NULL, NULL, "%s %s: deadline passed", transfer->request->method, transfer->url);
    CURLcode code = curl_easy_perform(handle);
    bool ok = code == CURLE_OK;
    if (ok)
        *answer = make_answer(handle, &progress);
    else
        transfer_failed(&progress, code, text, error);
    /* What the options point to ends with this call. */
    curl_easy_reset(handle);
    return ok;
}
