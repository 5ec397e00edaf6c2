/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/xml.h"

#include "base/error.h"

#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#define XML_LIMIT (16 * 1024 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlParserCtxt, xmlFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathContext, xmlXPathFreeContext)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathObject, xmlXPathFreeObject)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)

/* libxml2 prints errors to stderr if nobody takes them. */
static void ignore_error(void *user_data, const char *format, ...)
{
}

static void ignore_structured_error(void *user_data, xmlErrorPtr xml_error)
{
}

xmlDoc *nd_xml_parse(const char *text, gssize length, GError **error)
{
    size_t size = length < 0 ? strlen(text) : (size_t)length;
    if (size > XML_LIMIT) {
        g_set_error(error, ND_ERROR, ND_ERROR_LIMIT, "XML of %zu bytes is over the limit of %d", size, XML_LIMIT);
        return NULL;
    }
    g_autoptr(xmlParserCtxt) parser = xmlNewParserCtxt();
    if (parser == NULL)
        g_error("no memory for an XML parser");
    parser->sax->error = ignore_error;
    parser->sax->warning = ignore_error;
    g_autoptr(xmlDoc) doc =
        xmlCtxtReadMemory(parser, text, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc == NULL || !parser->wellFormed) {
        g_autofree char *why = g_strdup(parser->lastError.message ? parser->lastError.message : "no document");
        g_strdelimit(g_strchomp(why), "\n", ' ');
        g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "not valid XML at line %d: %s", parser->lastError.line, why);
        return NULL;
    }
    /* Nothing that we read has one, and its entities could make a small text very large. */
    if (doc->intSubset != NULL || doc->extSubset != NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "XML with a document type declaration is refused");
        return NULL;
    }
    return g_steal_pointer(&doc);
}

xmlNode *nd_xml_root(xmlDoc *doc, const char *name, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    if (root == NULL || (name != NULL && !xmlStrEqual(root->name, (const xmlChar *)name))) {
        g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "XML has root element '%s', not '%s'", root ? (const char *)root->name : "",
                    name ? name : "");
        return NULL;
    }
    return root;
}

static xmlXPathObject *evaluate(xmlNode *node, const char *expression)
{
    static const char *const namespaces[][2] = {
        {"nova", "http://openstack.org/xmlns/libvirt/nova/1.1"},
        {"qemu", "http://libvirt.org/schemas/domain/qemu/1.0"},
    };
    if (node == NULL)
        return NULL;
    g_autoptr(xmlXPathContext) context = xmlXPathNewContext(node->doc);
    if (context == NULL)
        g_error("no memory for XPath");
    context->node = node;
    context->error = ignore_structured_error;
    for (size_t i = 0; i < G_N_ELEMENTS(namespaces); i++)
        xmlXPathRegisterNs(context, (const xmlChar *)namespaces[i][0], (const xmlChar *)namespaces[i][1]);
    xmlXPathObject *object = xmlXPathEval((const xmlChar *)expression, context);
    if (object == NULL)
        g_error("wrong XPath expression '%s'", expression);
    return object;
}

/* libxml2's strings are freed by xmlFree, which another library may have replaced; ours by g_free. */
static char *take_string(xmlChar *text)
{
    char *copy = g_strdup((const char *)text);
    if (text != NULL)
        xmlFree(text);
    return copy;
}

char *nd_xpath_string(xmlNode *node, const char *expression)
{
    g_autoptr(xmlXPathObject) object = evaluate(node, expression);
    if (object == NULL || (object->type == XPATH_NODESET && xmlXPathNodeSetIsEmpty(object->nodesetval)))
        return NULL;
    return take_string(xmlXPathCastToString(object));
}

bool nd_xpath_int(xmlNode *node, const char *expression, gint64 *value)
{
    g_autofree char *text = nd_xpath_string(node, expression);
    return text != NULL && g_ascii_string_to_signed(g_strstrip(text), 10, G_MININT64, G_MAXINT64, value, NULL);
}

bool nd_xpath_uint(xmlNode *node, const char *expression, guint64 *value)
{
    g_autofree char *text = nd_xpath_string(node, expression);
    return text != NULL && g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXUINT64, value, NULL);
}

bool nd_xpath_exists(xmlNode *node, const char *expression)
{
    g_autoptr(xmlXPathObject) object = evaluate(node, expression);
    return object != NULL && xmlXPathCastToBoolean(object);
}

GPtrArray *nd_xpath_nodes(xmlNode *node, const char *expression)
{
    GPtrArray *nodes = g_ptr_array_new();
    g_autoptr(xmlXPathObject) object = evaluate(node, expression);
    if (object == NULL || object->type != XPATH_NODESET || object->nodesetval == NULL)
        return nodes;
    xmlXPathNodeSetSort(object->nodesetval);
    for (int i = 0; i < object->nodesetval->nodeNr; i++)
        g_ptr_array_add(nodes, object->nodesetval->nodeTab[i]);
    return nodes;
}

xmlNode *nd_xpath_node(xmlNode *node, const char *expression)
{
    g_autoptr(GPtrArray) nodes = nd_xpath_nodes(node, expression);
    return nodes->len > 0 ? nodes->pdata[0] : NULL;
}

char **nd_xpath_strings(xmlNode *node, const char *expression)
{
    g_autoptr(GPtrArray) nodes = nd_xpath_nodes(node, expression);
    char **strings = g_new0(char *, nodes->len + 1);
    for (guint i = 0; i < nodes->len; i++)
        strings[i] = take_string(xmlNodeGetContent(nodes->pdata[i]));
    return strings;
}

char *nd_xml_node_attr(xmlNode *node, const char *name)
{
    return node != NULL ? take_string(xmlGetNoNsProp(node, (const xmlChar *)name)) : NULL;
}

char *nd_xml_node_to_string(xmlNode *node)
{
    g_autoptr(xmlBuffer) buffer = xmlBufferCreate();
    if (buffer == NULL || xmlNodeDump(buffer, node->doc, node, 0, 0) < 0)
        g_error("no memory for XML");
    return g_strdup((const char *)xmlBufferContent(buffer));
}
