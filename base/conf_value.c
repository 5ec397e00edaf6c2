/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/conf_value.h"

#include "base/conf_ini.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>

/* Fails with "'value' why" or, for a secret, with "the value why". */
static bool fail(const NdOption *option, const char *text, const char *why, GError **error)
{
    if (option->secret)
        g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "the value %s", why);
    else
        g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "'%s' %s", text, why);
    return false;
}

static bool check_choices(const NdOption *option, const char *text, GError **error)
{
    if (option->choices == NULL)
        return true;
    g_auto(GStrv) choices = g_strsplit(option->choices, ",", -1);
    for (char **choice = choices; *choice != NULL; choice++)
        if (option->ignore_case ? g_ascii_strcasecmp(*choice, text) == 0 : g_str_equal(*choice, text))
            return true;
    g_autofree char *shown = g_strjoinv(", ", choices);
    g_autofree char *why = g_strdup_printf("is none of: %s", shown);
    return fail(option, text, why, error);
}

static bool convert_string(NdConfigValue *value, const char *text, GError **error)
{
    if (value->option->pattern != NULL && !g_regex_match_simple(value->option->pattern, text, 0, 0)) {
        g_autofree char *why = g_strdup_printf("does not match '%s'", value->option->pattern);
        return fail(value->option, text, why, error);
    }
    if (!check_choices(value->option, text, error))
        return false;
    value->string = g_strdup(text);
    return true;
}

static bool convert_boolean(NdConfigValue *value, const char *text, GError **error)
{
    static const char *const words[][2] = {{"false", "true"}, {"0", "1"}, {"off", "on"}, {"no", "yes"}};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        for (int truth = 0; truth < 2; truth++)
            if (g_ascii_strcasecmp(words[i][truth], text) == 0) {
                value->integer = truth;
                return true;
            }
    return fail(value->option, text, "is not a boolean (true, false, yes, no, on, off, 1, 0)", error);
}

/* Python allows single underscores between digits; takes them out. False if one is elsewhere. */
static bool drop_underscores(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '_')
            *to++ = *from;
        else if (from == text || !g_ascii_isdigit(from[-1]) || !g_ascii_isdigit(from[1]))
            return false;
    }
    *to = '\0';
    return true;
}

static bool check_range(const NdOption *option, double number, const char *text, GError **error)
{
    bool is_port = option->type == ND_OPTION_PORT;
    double minimum = option->has_range ? option->minimum : is_port ? 0 : -INFINITY;
    double maximum = option->has_range ? option->maximum : is_port ? G_MAXUINT16 : INFINITY;
    g_autofree char *why = NULL;
    if (number < minimum)
        why = g_strdup_printf("is less than %g", minimum);
    else if (number > maximum)
        why = g_strdup_printf("is more than %g", maximum);
    return why == NULL || fail(option, text, why, error);
}

/* Empty text is no value for numbers. */
static bool convert_integer(NdConfigValue *value, const char *text, GError **error)
{
    g_autofree char *digits = nd_ini_strip(text, -1);
    if (*digits == '\0') {
        value->present = false;
        return true;
    }
    gint64 number = 0;
    const char *unsigned_ = digits + (*digits == '+' || *digits == '-');
    if (!drop_underscores(digits) || *unsigned_ == '\0' || strspn(unsigned_, "0123456789") != strlen(unsigned_) ||
        !g_ascii_string_to_signed(*digits == '+' ? unsigned_ : digits, 10, G_MININT64, G_MAXINT64, &number, NULL))
        return fail(value->option, text, "is not an integer", error);
    value->integer = number;
    if (value->option->choices != NULL) {
        g_autofree char *plain = g_strdup_printf("%" G_GINT64_FORMAT, number);
        return check_choices(value->option, plain, error);
    }
    return check_range(value->option, (double)number, text, error);
}

/* Python's float(): decimal, with exponent, inf, nan; but no hexadecimal, which C would take. */
static bool convert_float(NdConfigValue *value, const char *text, GError **error)
{
    g_autofree char *digits = nd_ini_strip(text, -1);
    if (*digits == '\0') {
        value->present = false;
        return true;
    }
    char *end = digits;
    bool ok = drop_underscores(digits) && strpbrk(digits, "xX()") == NULL;
    value->number = ok ? g_ascii_strtod(digits, &end) : 0;
    if (!ok || end == digits || *end != '\0')
        return fail(value->option, text, "is not a number", error);
    return check_range(value->option, value->number, text, error);
}

/* Trailing commas are dropped, others make empty items. (oslo.config joins an item that is not acceptable with the next one; since no
 * choice holds a comma, that never helps.) */
static bool convert_list(NdConfigValue *value, const char *text, GError **error)
{
    g_autofree char *whole = nd_ini_strip(text, -1);
    size_t length = strlen(whole);
    while (length > 0 && whole[length - 1] == ',')
        whole[--length] = '\0';
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit(whole, ",", -1);
    for (char **part = parts; *part != NULL; part++) {
        g_autofree char *item = nd_ini_strip(*part, -1);
        if (!check_choices(value->option, item, error))
            return false;
        g_ptr_array_add(items, g_steal_pointer(&item));
    }
    g_ptr_array_add(items, NULL);
    value->list = (char **)g_ptr_array_free(g_steal_pointer(&items), false);
    return true;
}

static bool convert_dict(NdConfigValue *value, const char *text, GError **error)
{
    g_autoptr(GHashTable) dict = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *whole = nd_ini_strip(text, -1);
    g_auto(GStrv) parts = g_strsplit(whole, ",", -1);
    for (char **part = parts; *part != NULL; part++) {
        char *colon = strchr(*part, ':');
        if (colon == NULL)
            return fail(value->option, text, "is not a list of 'key:value' separated by commas", error);
        g_autofree char *key = nd_ini_strip(*part, colon - *part);
        g_autofree char *item = nd_ini_strip(colon + 1, -1);
        if (*key == '\0')
            return fail(value->option, text, "has an empty key", error);
        if (g_hash_table_contains(dict, key))
            return fail(value->option, text, "has the same key twice", error);
        g_ptr_array_add(order, g_strdup(key));
        g_hash_table_insert(dict, g_steal_pointer(&key), g_steal_pointer(&item));
    }
    g_clear_pointer(&value->dict, g_hash_table_unref);
    g_clear_pointer(&value->pairs, g_ptr_array_unref);
    value->dict = g_steal_pointer(&dict);
    value->pairs = g_steal_pointer(&order);
    return true;
}

static bool is_ip_address(const char *text)
{
    unsigned char buffer[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, buffer) == 1 || inet_pton(AF_INET6, text, buffer) == 1;
}

/* oslo.config's Hostname: at most 253 characters; labels of 1 to 63 letters, digits, hyphens (and underscores), not at the ends a hyphen;
 * the last label must not be a number. One dot at the end is dropped. NULL if it is none. */
static char *as_host_name(const char *text, bool underscore)
{
    size_t length = strlen(text);
    if (length == 0 || length > 253)
        return NULL;
    g_autofree char *name = g_strndup(text, text[length - 1] == '.' ? length - 1 : length);
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    guint n_labels = g_strv_length(labels);
    for (guint i = 0; i < n_labels; i++) {
        const char *label = labels[i];
        size_t size = strlen(label);
        if (size == 0 || size > 63 || label[0] == '-' || label[size - 1] == '-')
            return NULL;
        for (const char *c = label; *c; c++)
            if (!g_ascii_isalnum(*c) && *c != '-' && !(underscore && *c == '_'))
                return NULL;
    }
    if (n_labels == 0)
        return NULL;
    bool has_letter = false;
    for (const char *c = labels[n_labels - 1]; *c; c++)
        has_letter = has_letter || g_ascii_isalpha(*c) || *c == '-';
    return has_letter ? g_steal_pointer(&name) : NULL;
}

static bool convert_address(NdConfigValue *value, const char *text, GError **error)
{
    NdOptionType type = value->option->type;
    if (type != ND_OPTION_HOSTNAME && is_ip_address(text))
        value->string = g_strdup(text);
    else if (type != ND_OPTION_IP_ADDRESS)
        value->string = as_host_name(text, type == ND_OPTION_HOST_DOMAIN);
    if (value->string != NULL)
        return true;
    return fail(value->option, text, type == ND_OPTION_IP_ADDRESS ? "is not an IP address" : "is not a host name or address", error);
}

/* Only unreserved characters, sub-delims and %XX of RFC 3986, and those in `extra`. */
static bool is_uri_text(const char *text, size_t length, const char *extra)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) && g_ascii_isxdigit(text[i + 2]))
            i += 2;
        else if (c == '%' || !(g_ascii_isalnum(c) || strchr("-._~!$&'()*+,;=", c) != NULL || strchr(extra, c) != NULL))
            return false;
    }
    return true;
}

/* The authority of a URI: [user@]host[:port], the host not empty. */
static bool is_authority(const char *text, size_t length)
{
    const char *end = text + length, *host = text;
    for (const char *c = text; c < end; c++)
        if (*c == '@') {
            if (!is_uri_text(text, (size_t)(c - text), ":"))
                return false;
            host = c + 1;
        }
    const char *host_end = host;
    if (host < end && *host == '[') {
        const char *close = memchr(host, ']', (size_t)(end - host));
        if (close == NULL)
            return false;
        g_autofree char *address = g_strndup(host + 1, (size_t)(close - host) - 1);
        if (strchr(address, ':') == NULL || !is_ip_address(address))
            return false;
        host_end = close + 1;
    } else {
        while (host_end < end && *host_end != ':')
            host_end++;
        if (host_end == host || !is_uri_text(host, (size_t)(host_end - host), ""))
            return false;
    }
    if (host_end == end)
        return true;
    if (*host_end != ':')
        return false;
    for (const char *c = host_end + 1; c < end; c++)
        if (!g_ascii_isdigit(*c))
            return false;
    return true;
}

/* RFC 3986 with a scheme and a host, as oslo.config's URI demands; like it we take any path. */
static bool convert_uri(NdConfigValue *value, const char *text, GError **error)
{
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    if (!g_ascii_isalpha(text[0]) || strncmp(text + scheme, "://", 3) != 0)
        return fail(value->option, text, "is not a URI with a scheme and a host", error);
    const char *authority = text + scheme + 3;
    size_t length = strcspn(authority, "/?#");
    if (!is_authority(authority, length))
        return fail(value->option, text, "is not a valid URI", error);
    if (value->option->schemes != NULL) {
        g_autofree char *name = g_ascii_strdown(text, (gssize)scheme);
        g_auto(GStrv) allowed = g_strsplit(value->option->schemes, ",", -1);
        if (!g_strv_contains((const char *const *)allowed, name))
            return fail(value->option, text, "has a scheme that is not allowed", error);
    }
    value->string = g_strdup(text);
    return true;
}

static bool convert_multi(NdConfigValue *value, const char *const *texts, GError **error)
{
    for (size_t i = 0; value->option->type == ND_OPTION_MULTI_DICT && texts[i] != NULL; i++)
        if (!convert_dict(value, texts[i], error))
            return false;
    value->list = g_strdupv((char **)texts);
    return true;
}

static bool convert(NdConfigValue *value, const char *const *texts, GError **error)
{
    static bool (*const converters[])(NdConfigValue *, const char *, GError **) = {
        [ND_OPTION_STRING] = convert_string,       [ND_OPTION_BOOLEAN] = convert_boolean,    [ND_OPTION_INTEGER] = convert_integer,
        [ND_OPTION_PORT] = convert_integer,        [ND_OPTION_FLOAT] = convert_float,        [ND_OPTION_LIST] = convert_list,
        [ND_OPTION_DICT] = convert_dict,           [ND_OPTION_IP_ADDRESS] = convert_address, [ND_OPTION_HOST_ADDRESS] = convert_address,
        [ND_OPTION_HOST_DOMAIN] = convert_address, [ND_OPTION_HOSTNAME] = convert_address,   [ND_OPTION_URI] = convert_uri,
    };
    NdOptionType type = value->option->type;
    if (type == ND_OPTION_MULTI_STRING || type == ND_OPTION_MULTI_DICT)
        return convert_multi(value, texts, error);
    return converters[type](value, texts[0], error);
}

NdConfigValue *nd_config_value_new(const NdOption *option, const char *const *texts, GError **error)
{
    g_autoptr(NdConfigValue) value = g_new0(NdConfigValue, 1);
    value->option = option;
    value->present = texts != NULL;
    if (texts != NULL && !convert(value, texts, error))
        return NULL;
    bool is_list = option->type == ND_OPTION_LIST || option->type == ND_OPTION_MULTI_STRING || option->type == ND_OPTION_MULTI_DICT;
    if (is_list && value->list == NULL)
        value->list = g_new0(char *, 1);
    if (option->type == ND_OPTION_DICT && value->dict == NULL) {
        value->dict = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        value->pairs = g_ptr_array_new_with_free_func(g_free);
    }
    return g_steal_pointer(&value);
}

void nd_config_value_free(NdConfigValue *value)
{
    if (value == NULL)
        return;
    g_free(value->file);
    g_free(value->string);
    g_strfreev(value->list);
    g_clear_pointer(&value->dict, g_hash_table_unref);
    g_clear_pointer(&value->pairs, g_ptr_array_unref);
    g_free(value);
}

char *nd_config_format_double(double number)
{
    if (isnan(number))
        return g_strdup("nan");
    if (isinf(number))
        return g_strdup(number < 0 ? "-inf" : "inf");
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    for (int digits = 15; digits <= 17; digits++) {
        g_autofree char *format = g_strdup_printf("%%.%dg", digits);
        g_ascii_formatd(text, sizeof(text), format, number);
        if (g_ascii_strtod(text, NULL) == number)
            break;
    }
    return g_strconcat(text, strpbrk(text, ".e") == NULL ? ".0" : "", NULL);
}

static char *list_to_text(char **items)
{
    g_autoptr(GString) text = g_string_new("[");
    for (char **item = items; *item != NULL; item++)
        g_string_append_printf(text, "%s'%s'", item == items ? "" : ", ", *item);
    g_string_append_c(text, ']');
    return g_string_free(g_steal_pointer(&text), false);
}

static char *dict_to_text(const NdConfigValue *value)
{
    g_autoptr(GString) text = g_string_new("{");
    for (guint i = 0; i < value->pairs->len; i++) {
        const char *key = value->pairs->pdata[i];
        const char *item = g_hash_table_lookup(value->dict, key);
        g_string_append_printf(text, "%s'%s': '%s'", i == 0 ? "" : ", ", key, item);
    }
    g_string_append_c(text, '}');
    return g_string_free(g_steal_pointer(&text), false);
}

char *nd_config_value_to_text(const NdConfigValue *value)
{
    if (!value->present)
        return g_strdup("");
    switch (value->option->type) {
    case ND_OPTION_BOOLEAN:
        return g_strdup(value->integer ? "True" : "False");
    case ND_OPTION_INTEGER:
    case ND_OPTION_PORT:
        return g_strdup_printf("%" G_GINT64_FORMAT, value->integer);
    case ND_OPTION_FLOAT:
        return nd_config_format_double(value->number);
    case ND_OPTION_LIST:
    case ND_OPTION_MULTI_STRING:
    case ND_OPTION_MULTI_DICT:
        return list_to_text(value->list);
    case ND_OPTION_DICT:
        return dict_to_text(value);
    default:
        return g_strdup(value->string);
    }
}
