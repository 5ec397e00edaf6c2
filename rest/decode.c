/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/decode.h"

#include "rest/error.h"

static bool wrong_type(const char *what, const char *key, NdJson *found, const char *wanted, GError **error)
{
    return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "%s: '%s' is %s, not %s", what, key,
                          json_type_to_name(json_object_get_type(found)), wanted);
}

bool rest_need(NdJson *object, const char *what, const char *key, enum json_type type, NdJson **member, GError **error)
{
    NdJson *found = nd_json_member(object, key);
    if (found == NULL)
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "%s: '%s' is missing", what, key);
    if (!json_object_is_type(found, type))
        return wrong_type(what, key, found, json_type_to_name(type), error);
    *member = found;
    return true;
}

static bool decode_field(NdJson *object, const char *what, const RestField *field, void *out, GError **error)
{
    static const enum json_type types[] = {
        [REST_FIELD_STRING] = json_type_string, [REST_FIELD_REQUIRED] = json_type_string, [REST_FIELD_INT] = json_type_int,
        [REST_FIELD_BOOL] = json_type_boolean,  [REST_FIELD_STRINGS] = json_type_array,   [REST_FIELD_OBJECT] = json_type_object,
        [REST_FIELD_ARRAY] = json_type_array,
    };
    void *member = (char *)out + field->offset;
    NdJson *value = nd_json_member(object, field->key);
    g_autoptr(GError) failure = NULL;
    if (value == NULL && field->type == REST_FIELD_REQUIRED)
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "%s: '%s' is missing", what, field->key);
    if (value != NULL && !json_object_is_type(value, types[field->type]))
        return wrong_type(what, field->key, value, json_type_to_name(types[field->type]), error);
    switch (field->type) {
    case REST_FIELD_STRING:
    case REST_FIELD_REQUIRED:
        *(char **)member = g_strdup(value != NULL ? json_object_get_string(value) : NULL);
        return true;
    case REST_FIELD_INT:
        *(gint64 *)member = value != NULL ? json_object_get_int64(value) : field->fallback;
        return true;
    case REST_FIELD_BOOL:
        *(bool *)member = value != NULL ? json_object_get_boolean(value) : field->fallback != 0;
        return true;
    case REST_FIELD_STRINGS:
        *(char ***)member = value != NULL ? nd_json_to_strv(value, &failure) : g_new0(char *, 1);
        return *(char ***)member != NULL ||
               rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "%s: '%s': %s", what, field->key, failure->message);
    case REST_FIELD_OBJECT:
    case REST_FIELD_ARRAY:
        *(NdJson **)member = value;
        return true;
    }
    return false;
}

bool rest_decode(NdJson *object, const char *what, const RestField *fields, size_t n_fields, void *out, GError **error)
{
    if (!json_object_is_type(object, json_type_object))
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "%s is no JSON object", what);
    for (size_t i = 0; i < n_fields; i++)
        if (!decode_field(object, what, &fields[i], out, error)) {
            rest_decode_clear(fields, n_fields, out);
            return false;
        }
    return true;
}

void rest_decode_clear(const RestField *fields, size_t n_fields, void *out)
{
    for (size_t i = 0; i < n_fields; i++) {
        void *member = (char *)out + fields[i].offset;
        switch (fields[i].type) {
        case REST_FIELD_STRING:
        case REST_FIELD_REQUIRED:
            g_clear_pointer((char **)member, g_free);
            break;
        case REST_FIELD_STRINGS:
            g_clear_pointer((char ***)member, g_strfreev);
            break;
        case REST_FIELD_OBJECT:
        case REST_FIELD_ARRAY:
            *(NdJson **)member = NULL;
            break;
        case REST_FIELD_INT:
        case REST_FIELD_BOOL:
            break;
        }
    }
}
