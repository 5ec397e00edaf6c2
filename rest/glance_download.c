/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"
#include "rest/glance_private.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

/* One attempt at a download. */
typedef struct {
    int fd;
    gint64 done, limit, total; /* limit -1 = none, total -1 = not known */
    EVP_MD_CTX *hash;          /* NULL = nothing to check */
    const GlanceDownloadOptions *options;
} Download;

/* Which hash to check, and against what: os_hash_* wins over the MD5 checksum. An algorithm that is not known is an error, not a pass. */
static bool choose_hash(const GlanceImage *image, const EVP_MD **algorithm, const char **expected, GError **error)
{
    static const struct {
        const char *name;
        const EVP_MD *(*get)(void);
    } known[] = {
        {"sha512", EVP_sha512}, {"sha256", EVP_sha256}, {"sha384", EVP_sha384},
        {"sha224", EVP_sha224}, {"sha1", EVP_sha1},     {"md5", EVP_md5},
    };
    *algorithm = NULL;
    *expected = NULL;
    if (image->os_hash_algo != NULL && image->os_hash_value != NULL) {
        for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
            if (g_ascii_strcasecmp(known[i].name, image->os_hash_algo) == 0)
                *algorithm = known[i].get();
        if (*algorithm == NULL)
            return rest_error_set(error, REST_ERROR_HASH, 0, NULL, NULL, "image '%s' has a hash of unknown algorithm '%s'", image->id,
                                  image->os_hash_algo);
        *expected = image->os_hash_value;
    } else if (image->checksum != NULL) {
        *algorithm = EVP_md5();
        *expected = image->checksum;
    }
    return true;
}

static bool write_all(int fd, const char *data, size_t length, GError **error)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            RestError code = errno == ENOSPC || errno == EDQUOT ? REST_ERROR_NO_SPACE : REST_ERROR_WRITE;
            return rest_error_set(error, code, 0, NULL, NULL, "cannot write the image: %s", g_strerror(errno));
        }
        data += written;
        length -= (size_t)written;
    }
    return true;
}

static bool on_bytes(const void *data, size_t length, void *user_data, GError **error)
{
    Download *download = user_data;
    if (download->limit >= 0 && (gint64)length > download->limit - download->done)
        return rest_error_set(error, REST_ERROR_TOO_LARGE, 0, NULL, NULL, "image is over %" G_GINT64_FORMAT " bytes", download->limit);
    if (!write_all(download->fd, data, length, error))
        return false;
    if (download->hash != NULL)
        EVP_DigestUpdate(download->hash, data, length);
    download->done += (gint64)length;
    if (download->options->progress != NULL)
        download->options->progress(download->done, download->total, download->options->user_data);
    return true;
}

static bool check_result(const GlanceImage *image, Download *download, const char *expected, GError **error)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (image->size >= 0 && download->done != image->size)
        return rest_error_set(error, REST_ERROR_HASH, 0, NULL, NULL,
                              "image '%s': %" G_GINT64_FORMAT " bytes came instead of %" G_GINT64_FORMAT, image->id, download->done,
                              image->size);
    if (download->hash == NULL)
        return true;
    EVP_DigestFinal_ex(download->hash, digest, &length);
    g_autoptr(GString) hex = g_string_new(NULL);
    for (unsigned int i = 0; i < length; i++)
        g_string_append_printf(hex, "%02x", digest[i]);
    if (g_ascii_strcasecmp(hex->str, expected) != 0)
        return rest_error_set(error, REST_ERROR_HASH, 0, NULL, NULL, "image '%s': hash of the bytes is '%s', not '%s'", image->id, hex->str,
                              expected);
    return true;
}

/* To the start; what was there goes, where it can (a device keeps its size). */
static bool rewind_file(int fd, GError **error)
{
    struct stat status;
    if (lseek(fd, 0, SEEK_SET) < 0 || fstat(fd, &status) < 0 || (S_ISREG(status.st_mode) && ftruncate(fd, 0) < 0))
        return rest_error_set(error, REST_ERROR_WRITE, 0, NULL, NULL, "cannot empty the image's file: %s", g_strerror(errno));
    return true;
}

static bool attempt_download(GlanceClient *client, const RestAuth *auth, const GlanceImage *image, const char *path, Download *download,
                             GError **error)
{
    const EVP_MD *algorithm;
    const char *expected;
    if (!choose_hash(image, &algorithm, &expected, error))
        return false;
    if (!rewind_file(download->fd, error))
        return false;
    g_autoptr(EVP_MD_CTX) hash = algorithm != NULL ? EVP_MD_CTX_new() : NULL;
    if (hash != NULL && EVP_DigestInit_ex(hash, algorithm, NULL) != 1)
        return rest_error_set(error, REST_ERROR_HASH, 0, NULL, NULL, "the hash '%s' is not available", EVP_MD_get0_name(algorithm));
    g_autoptr(RestAnswer) answer = NULL;
    download->done = 0;
    download->hash = hash;
    RestCall call = {
        .method = "GET",
        .path = path,
        .timeout_ms = -1,
        .cancellable = download->options->cancellable,
        .on_body = on_bytes,
        .on_body_data = download,
    };
    if (!rest_service_call(client->service, auth, &call, &answer, error))
        return false;
    if (answer->status == 204 && image->size != 0)
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, 204, NULL, NULL, "image '%s' has no data", image->id);
    return check_result(image, download, expected, error);
}

bool glance_download(GlanceClient *client, const RestAuth *auth, const GlanceImage *image, int fd, const GlanceDownloadOptions *options,
                     GError **error)
{
    static const GlanceDownloadOptions none = {0};
    g_autofree char *path = rest_path("images", image->id, "file", NULL);
    Download download = {.fd = fd, .options = options != NULL ? options : &none, .total = image->size};
    download.limit = download.options->max_bytes > 0 ? download.options->max_bytes : image->size;
    for (int attempt = 0;; attempt++) {
        g_autoptr(GError) failure = NULL;
        if (attempt_download(client, auth, image, path, &download, &failure))
            return true;
        if (attempt >= client->num_retries || !glance_may_retry(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (!rest_wait(download.options->cancellable, GLANCE_RETRY_DELAY_S))
            return rest_error_set(error, REST_ERROR_CANCELLED, 0, NULL, NULL, "the download was cancelled");
    }
}
