/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/json.h"

#include "base/error.h"

#include <limits.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_tokener, json_tokener_free)

bool nd_json_parse(const char *text, size_t length, const NdJsonLimits *limits, NdJson **result, GError **error)
{
    size_t max_bytes = limits && limits->max_bytes ? limits->max_bytes : INT_MAX - 1;
    int max_depth = limits && limits->max_depth ? limits->max_depth : ND_JSON_DEPTH_DEFAULT;
    if (length > max_bytes) {
        g_set_error(error, ND_ERROR, ND_ERROR_LIMIT, "JSON text of %zu bytes is over the limit of %zu", length, max_bytes);
        return false;
    }
    if (memchr(text, '\0', length) != NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "JSON text holds a NUL byte");
        return false;
    }
    g_autoptr(json_tokener) tokener = max_depth > 0 ? json_tokener_new_ex(max_depth) : NULL;
    if (tokener == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_ARGUMENT, "JSON depth limit '%d' is not possible", max_depth);
        return false;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    g_autofree char *terminated = g_strndup(text, length);
    g_autoptr(NdJson) parsed = json_tokener_parse_ex(tokener, terminated, (int)length + 1);
    enum json_tokener_error status = json_tokener_get_error(tokener);
    if (status != json_tokener_success) {
        NdError code = status == json_tokener_error_depth ? ND_ERROR_LIMIT : ND_ERROR_PARSE;
        const char *why = status == json_tokener_continue ? "text ends too early" : json_tokener_error_desc(status);
        g_set_error(error, ND_ERROR, code, "not valid JSON at byte %zu: %s", json_tokener_get_parse_end(tokener), why);
        return false;
    }
    for (size_t i = json_tokener_get_parse_end(tokener); i < length; i++)
        if (strchr(" \t\r\n", terminated[i]) == NULL) {
            g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "not valid JSON at byte %zu: text after the value", i);
            return false;
        }
    *result = g_steal_pointer(&parsed);
    return true;
}

char *nd_json_to_string(NdJson *object)
{
    return g_strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

NdJson *nd_json_member(NdJson *object, const char *key)
{
    NdJson *value = NULL;
    if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &value))
        return NULL;
    return value;
}

/* The member when it has the type; sets MISSING or TYPE otherwise. */
static bool member_of_type(NdJson *object, const char *key, enum json_type type, NdJson **value, GError **error)
{
    NdJson *found = nd_json_member(object, key);
    if (found == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_MISSING, "'%s' is missing", key);
        return false;
    }
    if (!json_object_is_type(found, type)) {
        g_set_error(error, ND_ERROR, ND_ERROR_TYPE, "'%s' is %s, not %s", key, json_type_to_name(json_object_get_type(found)),
                    json_type_to_name(type));
        return false;
    }
    *value = found;
    return true;
}

bool nd_json_get_string(NdJson *object, const char *key, const char **value, GError **error)
{
    NdJson *found;
    if (!member_of_type(object, key, json_type_string, &found, error))
        return false;
    *value = json_object_get_string(found);
    return true;
}

bool nd_json_get_int(NdJson *object, const char *key, gint64 *value, GError **error)
{
    NdJson *found;
    if (!member_of_type(object, key, json_type_int, &found, error))
        return false;
    *value = json_object_get_int64(found);
    return true;
}

bool nd_json_get_bool(NdJson *object, const char *key, bool *value, GError **error)
{
    NdJson *found;
    if (!member_of_type(object, key, json_type_boolean, &found, error))
        return false;
    *value = json_object_get_boolean(found);
    return true;
}

bool nd_json_get_array(NdJson *object, const char *key, NdJson **value, GError **error)
{
    return member_of_type(object, key, json_type_array, value, error);
}

bool nd_json_get_object(NdJson *object, const char *key, NdJson **value, GError **error)
{
    return member_of_type(object, key, json_type_object, value, error);
}

bool nd_json_get_string_opt(NdJson *object, const char *key, const char *fallback, const char **value, GError **error)
{
    if (nd_json_member(object, key))
        return nd_json_get_string(object, key, value, error);
    *value = fallback;
    return true;
}

bool nd_json_get_int_opt(NdJson *object, const char *key, gint64 fallback, gint64 *value, GError **error)
{
    if (nd_json_member(object, key))
        return nd_json_get_int(object, key, value, error);
    *value = fallback;
    return true;
}

bool nd_json_get_bool_opt(NdJson *object, const char *key, bool fallback, bool *value, GError **error)
{
    if (nd_json_member(object, key))
        return nd_json_get_bool(object, key, value, error);
    *value = fallback;
    return true;
}

const char *nd_json_string(NdJson *object, const char *key, const char *fallback)
{
    NdJson *found = nd_json_member(object, key);
    return json_object_is_type(found, json_type_string) ? json_object_get_string(found) : fallback;
}

gint64 nd_json_int(NdJson *object, const char *key, gint64 fallback)
{
    NdJson *found = nd_json_member(object, key);
    return json_object_is_type(found, json_type_int) ? json_object_get_int64(found) : fallback;
}

bool nd_json_bool(NdJson *object, const char *key, bool fallback)
{
    NdJson *found = nd_json_member(object, key);
    return json_object_is_type(found, json_type_boolean) ? (bool)json_object_get_boolean(found) : fallback;
}

double nd_json_double(NdJson *object, const char *key, double fallback)
{
    NdJson *found = nd_json_member(object, key);
    bool number = json_object_is_type(found, json_type_double) || json_object_is_type(found, json_type_int);
    return number ? json_object_get_double(found) : fallback;
}

NdJson *nd_json_array(NdJson *object, const char *key)
{
    NdJson *found = nd_json_member(object, key);
    return json_object_is_type(found, json_type_array) ? found : NULL;
}

NdJson *nd_json_object(NdJson *object, const char *key)
{
    NdJson *found = nd_json_member(object, key);
    return json_object_is_type(found, json_type_object) ? found : NULL;
}

void nd_json_set(NdJson *object, const char *key, NdJson *value)
{
    json_object_object_add(object, key, value);
}

void nd_json_set_string(NdJson *object, const char *key, const char *value)
{
    json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

void nd_json_set_int(NdJson *object, const char *key, gint64 value)
{
    json_object_object_add(object, key, json_object_new_int64(value));
}

void nd_json_set_bool(NdJson *object, const char *key, bool value)
{
    json_object_object_add(object, key, json_object_new_boolean(value));
}

void nd_json_set_double(NdJson *object, const char *key, double value)
{
    json_object_object_add(object, key, json_object_new_double(value));
}

NdJson *nd_json_from_strv(const char *const *list)
{
    NdJson *array = json_object_new_array();
    for (; list && *list; list++)
        json_object_array_add(array, json_object_new_string(*list));
    return array;
}

char **nd_json_to_strv(NdJson *array, GError **error)
{
    size_t count = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < count; i++) {
        NdJson *item = json_object_array_get_idx(array, i);
        if (!json_object_is_type(item, json_type_string)) {
            g_set_error(error, ND_ERROR, ND_ERROR_TYPE, "element %zu is no string", i);
            return NULL;
        }
        g_ptr_array_add(list, g_strdup(json_object_get_string(item)));
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

bool nd_json_equal(NdJson *a, NdJson *b)
{
    return json_object_equal(a, b);
}
