/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>

/*
 * Helpers over json-c. A json_object is never shared between threads (json-c's counts are not atomic as packaged); decode it in the
 * thread that parsed it. json-c's getters convert silently, so the ones here check the type first.
 */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_object, json_object_put)
typedef json_object NdJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdJson, json_object_put)

typedef struct {
    size_t max_bytes; /* of text; 0 = no limit */
    int max_depth;    /* of nesting; 0 = ND_JSON_DEPTH_DEFAULT */
} NdJsonLimits;

#define ND_JSON_DEPTH_DEFAULT 64

/* Parses `length` bytes (not necessarily NUL-terminated) as one strict UTF-8 JSON text. *result is a new reference (NULL for the JSON text
 * `null`, which is no error). limits may be NULL. Errors: ND_ERROR_LIMIT, ND_ERROR_PARSE. RFC 8259. */
bool nd_json_parse(const char *text, size_t length, const NdJsonLimits *limits, NdJson **result, GError **error);

/* Text of `object` without white space, slashes not escaped; caller frees. */
char *nd_json_to_string(NdJson *object);

/* Getters of an object's member. `object` may be NULL or no JSON object: then the member is missing. The `_opt` forms treat missing and
 * null as "absent": they return true and leave *value at the default given. The others fail with ND_ERROR_MISSING. A wrong type is
 * ND_ERROR_TYPE. Strings and objects are borrowed from `object`. */
bool nd_json_get_string(NdJson *object, const char *key, const char **value, GError **error);
bool nd_json_get_int(NdJson *object, const char *key, gint64 *value, GError **error);
bool nd_json_get_bool(NdJson *object, const char *key, bool *value, GError **error);
bool nd_json_get_array(NdJson *object, const char *key, NdJson **value, GError **error);
bool nd_json_get_object(NdJson *object, const char *key, NdJson **value, GError **error);
bool nd_json_get_string_opt(NdJson *object, const char *key, const char *fallback, const char **value, GError **error);
bool nd_json_get_int_opt(NdJson *object, const char *key, gint64 fallback, gint64 *value, GError **error);
bool nd_json_get_bool_opt(NdJson *object, const char *key, bool fallback, bool *value, GError **error);

/* Lenient forms for answers of other services: the member if it has the type, else the fallback; never fail. */
const char *nd_json_string(NdJson *object, const char *key, const char *fallback);
gint64 nd_json_int(NdJson *object, const char *key, gint64 fallback);
bool nd_json_bool(NdJson *object, const char *key, bool fallback);
double nd_json_double(NdJson *object, const char *key, double fallback);
/* The member of any type, or NULL (missing, null, or object is not one). Borrowed. */
NdJson *nd_json_member(NdJson *object, const char *key);
/* The member if it is an array / an object, else NULL. Borrowed. */
NdJson *nd_json_array(NdJson *object, const char *key);
NdJson *nd_json_object(NdJson *object, const char *key);

/* Setters; `value` NULL adds null. Keys are copied. */
void nd_json_set_string(NdJson *object, const char *key, const char *value);
void nd_json_set_int(NdJson *object, const char *key, gint64 value);
void nd_json_set_bool(NdJson *object, const char *key, bool value);
void nd_json_set_double(NdJson *object, const char *key, double value);
/* Takes the reference of `value` (NULL = null). */
void nd_json_set(NdJson *object, const char *key, NdJson *value);
/* A new array of the strings of a NULL-terminated list (NULL = empty). */
NdJson *nd_json_from_strv(const char *const *list);
/* A new NULL-terminated list of the strings of an array; NULL and ND_ERROR_TYPE if an element is no string. */
char **nd_json_to_strv(NdJson *array, GError **error);
/* Deep equality: key order does not matter, array order does. NULL equals NULL (JSON null). */
bool nd_json_equal(NdJson *a, NdJson *b);
