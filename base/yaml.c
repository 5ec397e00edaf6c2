/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/yaml.h"

#include "base/error.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_LIMIT = 32, VALUE_LIMIT = 100000 };

typedef struct {
    yaml_document_t *document;
    int values;
} Reader;

static bool fail_at(const yaml_mark_t *mark, const char *what, GError **error)
{
    g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "%s at line %zu, column %zu", what, mark->line + 1, mark->column + 1);
    return false;
}

static bool is_one_of(const char *text, const char *const *words)
{
    return g_strv_contains(words, text);
}

/* Decimal, 0x… and 0…, with underscores between the digits. */
static bool parse_integer(const char *text, gint64 *number)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (!g_ascii_isdigit(*digits))
        return false;
    g_autoptr(GString) plain = g_string_new(text);
    g_string_replace(plain, "_", "", 0);
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'), octal = !hex && digits[0] == '0' && digits[1] != '\0';
    char *end;
    errno = 0;
    *number = g_ascii_strtoll(plain->str, &end, hex ? 16 : octal ? 8 : 10);
    return *end == '\0' && errno == 0;
}

static bool parse_float(const char *text, double *number)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (strchr(text, '.') == NULL || !(g_ascii_isdigit(*digits) || (*digits == '.' && g_ascii_isdigit(digits[1]))) ||
        strspn(digits, G_CSET_DIGITS ".eE+-_") != strlen(digits))
        return false;
    g_autoptr(GString) plain = g_string_new(text);
    g_string_replace(plain, "_", "", 0);
    char *end;
    *number = g_ascii_strtod(plain->str, &end);
    return *end == '\0' && isfinite(*number);
}

static NdJson *plain_scalar(const char *text)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
    static const char *const no[] = {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL};
    gint64 integer;
    double number;
    if (is_one_of(text, nothing))
        return NULL;
    if (is_one_of(text, yes) || is_one_of(text, no))
        return json_object_new_boolean(is_one_of(text, yes));
    if (parse_integer(text, &integer))
        return json_object_new_int64(integer);
    if (parse_float(text, &number))
        return json_object_new_double(number);
    return json_object_new_string(text);
}

static bool read_scalar(const yaml_node_t *node, NdJson **value, GError **error)
{
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length)
        return fail_at(&node->start_mark, "text with a NUL", error);
    bool is_text = g_strcmp0((const char *)node->tag, YAML_STR_TAG) == 0 && node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    *value = is_text ? json_object_new_string(text) : plain_scalar(text);
    return true;
}

static bool read_node(Reader *reader, int index, int depth, NdJson **value, GError **error);

static bool read_sequence(Reader *reader, const yaml_node_t *node, int depth, NdJson **value, GError **error)
{
    g_autoptr(NdJson) array = json_object_new_array();
    for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        NdJson *element = NULL;
        if (!read_node(reader, *item, depth, &element, error))
            return false;
        json_object_array_add(array, element);
    }
    *value = g_steal_pointer(&array);
    return true;
}

static bool read_mapping(Reader *reader, const yaml_node_t *node, int depth, NdJson **value, GError **error)
{
    g_autoptr(NdJson) object = json_object_new_object();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        g_autoptr(NdJson) name = NULL;
        NdJson *member = NULL;
        if (key->type != YAML_SCALAR_NODE || !read_scalar(key, &name, error) || !json_object_is_type(name, json_type_string)) {
            g_clear_error(error);
            return fail_at(&key->start_mark, "a key that is no string", error);
        }
        if (strcmp(json_object_get_string(name), "<<") == 0)
            return fail_at(&key->start_mark, "merge keys are not taken", error);
        if (!read_node(reader, pair->value, depth, &member, error))
            return false;
        json_object_object_add(object, json_object_get_string(name), member);
    }
    *value = g_steal_pointer(&object);
    return true;
}

static bool read_node(Reader *reader, int index, int depth, NdJson **value, GError **error)
{
    const yaml_node_t *node = yaml_document_get_node(reader->document, index);
    if (depth > DEPTH_LIMIT || ++reader->values > VALUE_LIMIT) {
        g_set_error_literal(error, ND_ERROR, ND_ERROR_LIMIT, depth > DEPTH_LIMIT ? "nested too deep" : "too many values");
        return false;
    }
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return read_scalar(node, value, error);
    case YAML_SEQUENCE_NODE:
        return read_sequence(reader, node, depth + 1, value, error);
    case YAML_MAPPING_NODE:
        return read_mapping(reader, node, depth + 1, value, error);
    case YAML_NO_NODE:
        break;
    }
    return fail_at(&node->start_mark, "no value", error);
}

static bool load(yaml_parser_t *parser, yaml_document_t *document, GError **error)
{
    if (yaml_parser_load(parser, document))
        return true;
    return fail_at(&parser->problem_mark, parser->problem != NULL ? parser->problem : "not valid YAML", error);
}

bool nd_yaml_parse(const char *text, size_t length, NdJson **value, GError **error)
{
    yaml_parser_t parser;
    yaml_document_t document, more;
    if (!yaml_parser_initialize(&parser)) {
        g_set_error_literal(error, ND_ERROR, ND_ERROR_FAILED, "no memory to read YAML");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    bool done = load(&parser, &document, error);
    if (done) {
        Reader reader = {.document = &document};
        NdJson *read = NULL;
        done = yaml_document_get_root_node(&document) == NULL || read_node(&reader, 1, 0, &read, error);
        if (done && load(&parser, &more, error)) {
            bool alone = yaml_document_get_root_node(&more) == NULL;
            done = alone || fail_at(&more.start_mark, "a second document", error);
            yaml_document_delete(&more);
        } else {
            done = false;
        }
        if (done)
            *value = read;
        else
            json_object_put(read);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return done;
}
