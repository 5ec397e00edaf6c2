/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

/* From a service's JSON object to a C struct by a table, and back to nothing. A member of another type than promised fails the whole
 * object: a peer that lies about one thing is not to be trusted with the rest. Internal to rest/. */
typedef enum {
    REST_FIELD_STRING,   /* char *, NULL when missing or null */
    REST_FIELD_REQUIRED, /* char *, must be there */
    REST_FIELD_INT,      /* gint64, `fallback` when missing or null */
    REST_FIELD_BOOL,     /* bool, `fallback` the same way */
    REST_FIELD_STRINGS,  /* char **, never NULL */
    REST_FIELD_OBJECT,   /* NdJson *, borrowed from the JSON, NULL when missing or null */
    REST_FIELD_ARRAY,    /* the same for an array */
} RestFieldType;

typedef struct {
    const char *key;
    RestFieldType type;
    size_t offset; /* of the member in the struct */
    gint64 fallback;
} RestField;

/* Fills the zeroed struct `out`. `what` names the object in messages ("port"). Errors: REST_ERROR_BAD_ANSWER; then what was filled in is
 * freed. */
bool rest_decode(NdJson *object, const char *what, const RestField *fields, size_t n_fields, void *out, GError **error);
/* Frees what rest_decode allocated in `out`. */
void rest_decode_clear(const RestField *fields, size_t n_fields, void *out);

/* The member that must be there with the type; REST_ERROR_BAD_ANSWER if not. Borrowed. */
bool rest_need(NdJson *object, const char *what, const char *key, enum json_type type, NdJson **member, GError **error);
