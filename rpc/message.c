/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/message.h"

#include "base/ids.h"
#include "rpc/error.h"

#include <string.h>
#include <zlib.h>

#define ENVELOPE_VERSION "2.0"

/* JSON text of a value, valid UTF-8 whatever its strings hold. */
static char *valid_text(NdJson *value)
{
    char *text = nd_json_to_string(value);
    if (g_utf8_validate(text, -1, NULL))
        return text;
    char *valid = g_utf8_make_valid(text, -1);
    g_free(text);
    return valid;
}

GBytes *rpc_message_encode(NdJson *message)
{
    g_autofree char *inner = valid_text(message);
    g_autoptr(NdJson) envelope = json_object_new_object();
    nd_json_set_string(envelope, "oslo.version", ENVELOPE_VERSION);
    nd_json_set_string(envelope, "oslo.message", inner);
    char *text = nd_json_to_string(envelope);
    return g_bytes_new_take(text, strlen(text));
}

GBytes *rpc_message_encode_bare(NdJson *message)
{
    char *text = valid_text(message);
    return g_bytes_new_take(text, strlen(text));
}

GBytes *rpc_message_reply(const char *msg_id, NdJson *result, const char *failure, bool ending)
{
    g_autoptr(NdJson) message = json_object_new_object();
    g_autofree char *unique_id = nd_uuid_new_hex();
    nd_json_set(message, "result", result);
    nd_json_set_string(message, "failure", failure);
    nd_json_set_bool(message, "ending", ending);
    nd_json_set_string(message, "_msg_id", msg_id);
    nd_json_set_string(message, "_unique_id", unique_id);
    return rpc_message_encode(message);
}

/* True if the text has no more JSON values than allowed: each but the first follows one of these characters outside a string. */
static bool few_values(const char *text, gsize length)
{
    gsize values = 0;
    bool in_string = false;
    for (gsize i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if ((c == ',' || c == '[' || c == '{' || c == ':') && ++values > RPC_MESSAGE_VALUES) {
            return false;
        }
    }
    return true;
}

static bool parse(const char *text, gsize length, gsize max_bytes, const char *what, NdJson **value, GError **error)
{
    g_autoptr(GError) why = NULL;
    NdJsonLimits limits = {.max_bytes = max_bytes, .max_depth = RPC_MESSAGE_DEPTH};
    if (!few_values(text, length)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_LIMIT, "%s has more than %d JSON values", what, RPC_MESSAGE_VALUES);
        return false;
    }
    if (nd_json_parse(text, length, &limits, value, &why))
        return true;
    g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "%s: %s", what, why->message);
    return false;
}

/* Inflates zlib's format up to a limit. */
static GByteArray *inflate_body(const guint8 *body, gsize length, gsize max_body, GError **error)
{
    z_stream stream = {.next_in = (guint8 *)body, .avail_in = (uInt)length};
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint8 part[16384];
    if (inflateInit(&stream) != Z_OK) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_FAILED, "zlib cannot start");
        return NULL;
    }
    int status = Z_OK;
    while (status == Z_OK && out->len <= max_body) {
        stream.next_out = part;
        stream.avail_out = sizeof part;
        status = inflate(&stream, Z_NO_FLUSH);
        if (status == Z_OK || status == Z_STREAM_END)
            g_byte_array_append(out, part, (guint)(sizeof part - stream.avail_out));
    }
    inflateEnd(&stream);
    if (out->len > max_body) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_LIMIT, "message is over %" G_GSIZE_FORMAT " bytes once decompressed", max_body);
        return NULL;
    }
    if (status != Z_STREAM_END) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "message cannot be decompressed");
        return NULL;
    }
    return g_steal_pointer(&out);
}

GBytes *rpc_message_deflate(GBytes *body)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(body, &size);
    uLongf length = compressBound((uLong)size);
    guint8 *out = g_malloc(length);
    if (compress(out, &length, data, (uLong)size) != Z_OK)
        g_error("zlib cannot compress %" G_GSIZE_FORMAT " bytes", size);
    return g_bytes_new_take(out, length);
}

/* Takes the envelope off; a body without one is the message itself. */
static bool open_envelope(NdJson *outer, gsize max_body, NdJson **message, GError **error)
{
    NdJson *version = NULL, *inner = NULL;
    bool wrapped = json_object_is_type(outer, json_type_object) && json_object_object_get_ex(outer, "oslo.version", &version) &&
                   json_object_object_get_ex(outer, "oslo.message", &inner);
    if (!wrapped) {
        *message = json_object_get(outer);
        return true;
    }
    const char *text = json_object_is_type(version, json_type_string) ? json_object_get_string(version) : "";
    if (!g_str_equal(text, ENVELOPE_VERSION)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "envelope of version '%.16s' is not supported", text);
        return false;
    }
    if (!json_object_is_type(inner, json_type_string)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "'oslo.message' of the envelope is no string");
        return false;
    }
    return parse(json_object_get_string(inner), (gsize)json_object_get_string_len(inner), max_body, "message", message, error);
}

bool rpc_message_decode(const guint8 *body, gsize length, const char *compression, gsize max_body, NdJson **message, GError **error)
{
    g_autoptr(GByteArray) inflated = NULL;
    if (compression != NULL) {
        if (!g_str_equal(compression, "application/x-gzip")) {
            g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "compression '%.32s' is not supported", compression);
            return false;
        }
        inflated = inflate_body(body, length, max_body, error);
        if (inflated == NULL)
            return false;
        body = inflated->data;
        length = inflated->len;
    }
    g_autoptr(NdJson) outer = NULL;
    g_autoptr(NdJson) inner = NULL;
    if (!parse(length > 0 ? (const char *)body : "", length, max_body, "message body", &outer, error) ||
        !open_envelope(outer, max_body, &inner, error))
        return false;
    if (!json_object_is_type(inner, json_type_object)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "message is no JSON object");
        return false;
    }
    *message = g_steal_pointer(&inner);
    return true;
}

static bool is_id_char(guint8 c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '.' || c == ':' || c == '-';
}

/* Length of `\"` at `at` if its backslash is not escaped itself, else 0. */
static gsize escaped_quote(const guint8 *bytes, gsize length, gsize at)
{
    bool here = at + 2 <= length && bytes[at] == '\\' && bytes[at + 1] == '"';
    return here && (at == 0 || bytes[at - 1] != '\\') ? 2 : 0;
}

/* The value after a key that ends at `at`, or NULL. */
static char *scan_value(const guint8 *bytes, gsize length, gsize at)
{
    gsize quote = escaped_quote(bytes, length, at);
    at += quote;
    if (quote == 0 || at >= length || bytes[at] != ':')
        return NULL;
    for (at++; at < length && bytes[at] == ' '; at++) {
    }
    quote = escaped_quote(bytes, length, at);
    gsize start = at + quote, end = start;
    while (end < length && is_id_char(bytes[end]))
        end++;
    bool good = quote != 0 && end > start && escaped_quote(bytes, length, end) != 0;
    return good ? g_strndup((const char *)bytes + start, end - start) : NULL;
}

char *rpc_message_scan(const guint8 *bytes, gsize length, const char *key)
{
    char *found = NULL;
    gsize key_length = strlen(key);
    const guint8 *hit;
    for (gsize at = 0; at < length && (hit = memmem(bytes + at, length - at, key, key_length)) != NULL; at++) {
        at = (gsize)(hit - bytes);
        if (at < 2 || escaped_quote(bytes, length, at - 2) == 0)
            continue;
        char *value = scan_value(bytes, length, at + key_length);
        if (value != NULL) {
            g_free(found);
            found = value;
        }
    }
    return found;
}
