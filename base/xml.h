/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdbool.h>

/*
 * Reading XML with libxml2. Documents and nodes are libxml2's own; use them in one thread at a time. XPath expressions are relative to
 * `node` and know the prefixes nova (http://openstack.org/xmlns/libvirt/nova/1.1) and qemu (http://libvirt.org/schemas/domain/qemu/1.0). A
 * wrong expression is a programming error (g_error).
 */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* Parses a text (length -1: up to its NUL) of at most 16 MiB. Nothing is fetched, a DOCTYPE and entities of its own are refused.
 * Errors: ND_ERROR_PARSE with the line, ND_ERROR_LIMIT. */
xmlDoc *nd_xml_parse(const char *text, gssize length, GError **error);
/* The root element; when `name` is given it must be that: ND_ERROR_PARSE. */
xmlNode *nd_xml_root(xmlDoc *doc, const char *name, GError **error);

/* The string value of the first match, NULL if there is none; caller frees. `node` may be NULL (no match), here and below. */
char *nd_xpath_string(xmlNode *node, const char *expression);
/* True and *value if there is a match that is a decimal integer in range; else false, *value untouched. */
bool nd_xpath_int(xmlNode *node, const char *expression, gint64 *value);
bool nd_xpath_uint(xmlNode *node, const char *expression, guint64 *value);
/* True if there is a match, or a boolean expression holds. */
bool nd_xpath_exists(xmlNode *node, const char *expression);
/* All matching nodes in document order, borrowed from the document; never NULL; free the array with g_ptr_array_unref. */
GPtrArray *nd_xpath_nodes(xmlNode *node, const char *expression);
/* The first matching node or NULL. Borrowed. */
xmlNode *nd_xpath_node(xmlNode *node, const char *expression);
/* The strings of all matches, NULL-terminated; caller frees with g_strfreev. */
char **nd_xpath_strings(xmlNode *node, const char *expression);
/* An attribute of the node itself without XPath, NULL if absent; caller frees. */
char *nd_xml_node_attr(xmlNode *node, const char *name);
/* The node as text (for passing on to libvirt); caller frees. */
char *nd_xml_node_to_string(xmlNode *node);
