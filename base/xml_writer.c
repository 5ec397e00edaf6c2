/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/xml_writer.h"

#include "base/error.h"

/* A child is an element or a piece of text. */
typedef struct {
    NdXmlElement *element;
    char *text;
} Child;

typedef struct {
    char *name;
    char *value;
} Attribute;

struct NdXmlElement {
    char *name;
    GArray *attributes; /* of Attribute */
    GArray *children;   /* of Child */
};

static void attribute_clear(Attribute *attribute)
{
    g_free(attribute->name);
    g_free(attribute->value);
}

static void child_clear(Child *child)
{
    nd_xml_free(child->element);
    g_free(child->text);
}

/* Names are constants of the program: a wrong one is a mistake in the code. */
static void check_name(const char *name)
{
    g_assert(g_ascii_isalpha(name[0]) || name[0] == '_');
    for (const char *c = name; *c; c++)
        g_assert(g_ascii_isalnum(*c) || strchr("_-.:", *c) != NULL);
}

NdXmlElement *nd_xml_new(const char *name)
{
    check_name(name);
    NdXmlElement *element = g_new0(NdXmlElement, 1);
    element->name = g_strdup(name);
    element->attributes = g_array_new(false, false, sizeof(Attribute));
    g_array_set_clear_func(element->attributes, (GDestroyNotify)attribute_clear);
    element->children = g_array_new(false, false, sizeof(Child));
    g_array_set_clear_func(element->children, (GDestroyNotify)child_clear);
    return element;
}

void nd_xml_free(NdXmlElement *element)
{
    if (element == NULL)
        return;
    g_free(element->name);
    g_array_unref(element->attributes);
    g_array_unref(element->children);
    g_free(element);
}

void nd_xml_adopt(NdXmlElement *parent, NdXmlElement *child)
{
    if (child == NULL)
        return;
    g_assert(child != parent);
    Child entry = {.element = child};
    g_array_append_val(parent->children, entry);
}

NdXmlElement *nd_xml_add(NdXmlElement *parent, const char *name)
{
    NdXmlElement *child = nd_xml_new(name);
    nd_xml_adopt(parent, child);
    return child;
}

NdXmlElement *nd_xml_add_attrs(NdXmlElement *parent, const char *name, ...)
{
    NdXmlElement *child = nd_xml_add(parent, name);
    va_list args;
    va_start(args, name);
    for (const char *key = va_arg(args, const char *); key != NULL; key = va_arg(args, const char *))
        nd_xml_attr(child, key, va_arg(args, const char *));
    va_end(args);
    return child;
}

NdXmlElement *nd_xml_add_text(NdXmlElement *parent, const char *name, const char *text)
{
    if (text == NULL)
        return NULL;
    NdXmlElement *child = nd_xml_add(parent, name);
    nd_xml_text(child, text);
    return child;
}

NdXmlElement *nd_xml_add_textf(NdXmlElement *parent, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return nd_xml_add_text(parent, name, text);
}

void nd_xml_attr(NdXmlElement *element, const char *name, const char *value)
{
    if (value == NULL)
        return;
    check_name(name);
    for (guint i = 0; i < element->attributes->len; i++) {
        Attribute *attribute = &g_array_index(element->attributes, Attribute, i);
        if (g_str_equal(attribute->name, name)) {
            g_free(attribute->value);
            attribute->value = g_strdup(value);
            return;
        }
    }
    Attribute attribute = {.name = g_strdup(name), .value = g_strdup(value)};
    g_array_append_val(element->attributes, attribute);
}

void nd_xml_attrf(NdXmlElement *element, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *value = g_strdup_vprintf(format, args);
    va_end(args);
    nd_xml_attr(element, name, value);
}

void nd_xml_attr_int(NdXmlElement *element, const char *name, gint64 value)
{
    nd_xml_attrf(element, name, "%" G_GINT64_FORMAT, value);
}

void nd_xml_attr_yes_no(NdXmlElement *element, const char *name, bool value)
{
    nd_xml_attr(element, name, value ? "yes" : "no");
}

void nd_xml_text(NdXmlElement *element, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    Child entry = {.text = g_strdup(text)};
    g_array_append_val(element->children, entry);
}

bool nd_xml_is_empty(const NdXmlElement *element)
{
    return element->attributes->len == 0 && element->children->len == 0;
}

void nd_xml_drop_if_empty(NdXmlElement *parent, NdXmlElement *child)
{
    guint count = parent->children->len;
    if (count == 0 || g_array_index(parent->children, Child, count - 1).element != child || !nd_xml_is_empty(child))
        return;
    g_array_set_size(parent->children, count - 1);
}

/* XML 1.0 section 2.2: Char, less what UTF-8 validation refuses already. */
static bool is_xml_char(gunichar c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xFFFE && c != 0xFFFF);
}

/* Escapes for text; in attributes the quote and white space other than the blank too, so that a parser's normalising keeps them. A carriage
 * return would be read as a newline, so it is always a reference. */
static const char *escape_of(char c, bool attribute)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    case '"':
        return attribute ? "&quot;" : NULL;
    case '\n':
        return attribute ? "&#10;" : NULL;
    case '\t':
        return attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static bool append_escaped(GString *out, const char *text, bool attribute)
{
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        if (!is_xml_char(g_utf8_get_char(c)))
            return false;
        const char *escape = escape_of(*c, attribute);
        if (escape != NULL)
            g_string_append(out, escape);
        else
            g_string_append_len(out, c, g_utf8_next_char(c) - c);
    }
    return true;
}

static void append_indent(GString *out, guint depth)
{
    for (guint i = 0; i < depth; i++)
        g_string_append(out, "  ");
}

static bool append_element(GString *out, const NdXmlElement *element, guint depth, GError **error);

/* The start tag without its end. */
static bool append_start(GString *out, const NdXmlElement *element, GError **error)
{
    g_string_append_printf(out, "<%s", element->name);
    for (guint i = 0; i < element->attributes->len; i++) {
        const Attribute *attribute = &g_array_index(element->attributes, Attribute, i);
        g_string_append_printf(out, " %s=\"", attribute->name);
        if (!append_escaped(out, attribute->value, true)) {
            g_set_error(error, ND_ERROR, ND_ERROR_ARGUMENT, "attribute '%s' of element '%s' has characters that XML does not allow",
                        attribute->name, element->name);
            return false;
        }
        g_string_append_c(out, '"');
    }
    return true;
}

/* Children one a line, unless there is text among them: white space counts then. */
static bool append_children(GString *out, const NdXmlElement *element, guint depth, GError **error)
{
    bool inline_ = false;
    for (guint i = 0; i < element->children->len; i++)
        inline_ = inline_ || g_array_index(element->children, Child, i).text != NULL;

    for (guint i = 0; i < element->children->len; i++) {
        const Child *child = &g_array_index(element->children, Child, i);
        if (child->text != NULL) {
            if (append_escaped(out, child->text, false))
                continue;
            g_set_error(error, ND_ERROR, ND_ERROR_ARGUMENT, "text of element '%s' has characters that XML does not allow", element->name);
            return false;
        }
        if (!inline_) {
            g_string_append_c(out, '\n');
            append_indent(out, depth + 1);
        }
        if (!append_element(out, child->element, depth + 1, error))
            return false;
    }
    if (!inline_) {
        g_string_append_c(out, '\n');
        append_indent(out, depth);
    }
    return true;
}

static bool append_element(GString *out, const NdXmlElement *element, guint depth, GError **error)
{
    if (!append_start(out, element, error))
        return false;
    if (element->children->len == 0) {
        g_string_append(out, "/>");
        return true;
    }
    g_string_append_c(out, '>');
    if (!append_children(out, element, depth, error))
        return false;
    g_string_append_printf(out, "</%s>", element->name);
    return true;
}

char *nd_xml_to_string(const NdXmlElement *element, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (!append_element(out, element, 0, error))
        return NULL;
    g_string_append_c(out, '\n');
    return g_string_free(g_steal_pointer(&out), false);
}
