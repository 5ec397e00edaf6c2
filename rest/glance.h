/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/service.h"

/* Image service v2. Called with the user's token, or with [glance]'s own credentials where the section has some. Source: Image API v2. */
typedef struct GlanceClient GlanceClient;
/* Refs the service. num_retries ([glance]num_retries): further attempts on connection failures and 5xx, at the next of api_servers. */
GlanceClient *glance_client_new(RestService *service, int num_retries);
GlanceClient *glance_client_ref(GlanceClient *client);
void glance_client_unref(GlanceClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GlanceClient, glance_client_unref)

typedef struct {
    char *id, *name, *status, *disk_format, *container_format, *owner, *visibility;
    gint64 size, virtual_size; /* bytes; -1 = not known */
    gint64 min_disk, min_ram;  /* GiB, MiB */
    char *checksum;            /* MD5, or NULL */
    char *os_hash_algo, *os_hash_value;
    bool is_protected;
    char *created_at, *updated_at; /* as sent */
    GHashTable *properties;        /* char * -> char *: all other string members (hw_*, os_* …) */
    char *json;                    /* the whole answer, for what is not above (locations, tags …) */
} GlanceImage;
void glance_image_free(GlanceImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GlanceImage, glance_image_free)

/* Errors: REST_ERROR_NOT_FOUND, REST_ERROR_FORBIDDEN, REST_ERROR_AUTH, REST_ERROR_BAD_ANSWER ... */
bool glance_show_image(GlanceClient *client, const RestAuth *auth, const char *image_id, GlanceImage **image, GError **error);

typedef struct {
    gint64 max_bytes; /* 0 = image->size when known; a larger download is REST_ERROR_TOO_LARGE */
    void (*progress)(gint64 done, gint64 total, void *user_data); /* from the calling thread; total -1 = not known; NULL = none */
    void *user_data;
    GCancellable *cancellable;
} GlanceDownloadOptions;

/* Writes the image's bytes at the start of `fd` (a file, truncated first and again before a retry; or a device) and checks os_hash_value
 * with os_hash_algo (md5, sha1, sha224, sha256, sha384, sha512), else the MD5 checksum; and the size. Not synced. On failure the file's
 * content is undefined. options may be NULL. Errors: REST_ERROR_HASH (hash differs or algorithm not known), TOO_LARGE, WRITE, NO_SPACE,
 * CANCELLED, and those of a call. */
bool glance_download(GlanceClient *client, const RestAuth *auth, const GlanceImage *image, int fd, const GlanceDownloadOptions *options,
                     GError **error);

/* --- writing (glance_write.c): snapshots --- */

/* Sets members of an image, its own (name, disk_format …) and properties alike: `members` (borrowed) is an object of name -> string, number or null.
 * What is not named stays. Errors as of glance_show_image. */
bool glance_update_image(GlanceClient *client, const RestAuth *auth, const char *image_id, NdJson *members, GError **error);
/* Streams `size` bytes of `fd` from its start as the data of a queued image. Errors: REST_ERROR_READ, CANCELLED, OVER_LIMIT (quota), CONFLICT (not queued) … */
bool glance_upload(GlanceClient *client, const RestAuth *auth, const char *image_id, int fd, gint64 size, GCancellable *cancellable, GError **error);
/* Errors: REST_ERROR_NOT_FOUND, FORBIDDEN (protected), CONFLICT (in use) … */
bool glance_delete_image(GlanceClient *client, const RestAuth *auth, const char *image_id, GError **error);
/* All images that the query gives (name, value, …, NULL: filters, sort_key, sort_dir), over all pages: new array of GlanceImage *. */
GPtrArray *glance_list_images(GlanceClient *client, const RestAuth *auth, const char *const *query, GError **error);
