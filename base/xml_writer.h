/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Writing XML: an element has a buffer of attributes and one of children, both in the order of the calls (but attributes may come after
 * children). Everything is escaped here, there is no way to put raw text in. Output is indented by two spaces; an element without children
 * closes itself. Usage:
 *
 *   g_autoptr(NdXmlElement) disk = nd_xml_new("disk");
 *   nd_xml_attr(disk, "type", "file");
 *   NdXmlElement *source = nd_xml_add(disk, "source");          // belongs to disk
 *   nd_xml_attr(source, "file", path);
 *   nd_xml_add_attrs(disk, "target", "dev", "vda", "bus", "virtio", NULL);
 *   nd_xml_add_text(disk, "serial", uuid);
 *   char *text = nd_xml_to_string(disk, error);
 */
typedef struct NdXmlElement NdXmlElement;

/* A root element; free with nd_xml_free. Names are constants of the program and not checked beyond an assertion; "nova:name" is a name. */
NdXmlElement *nd_xml_new(const char *name);
void nd_xml_free(NdXmlElement *element);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdXmlElement, nd_xml_free)

/* A new last child, owned by the parent. */
NdXmlElement *nd_xml_add(NdXmlElement *parent, const char *name);
/* A child with attributes: pairs of name and value, ended by NULL as a name. A NULL value leaves its attribute out. */
NdXmlElement *nd_xml_add_attrs(NdXmlElement *parent, const char *name, ...) G_GNUC_NULL_TERMINATED;
/* A child with text; a NULL text adds nothing and gives NULL. */
NdXmlElement *nd_xml_add_text(NdXmlElement *parent, const char *name, const char *text);
NdXmlElement *nd_xml_add_textf(NdXmlElement *parent, const char *name, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Makes `child`, a root until now, the last child of parent, which takes it over; NULL does nothing. */
void nd_xml_adopt(NdXmlElement *parent, NdXmlElement *child);

/* Attributes. A NULL value adds nothing. Setting a name again replaces its value. */
void nd_xml_attr(NdXmlElement *element, const char *name, const char *value);
void nd_xml_attrf(NdXmlElement *element, const char *name, const char *format, ...) G_GNUC_PRINTF(3, 4);
void nd_xml_attr_int(NdXmlElement *element, const char *name, gint64 value);
/* "yes" or "no". */
void nd_xml_attr_yes_no(NdXmlElement *element, const char *name, bool value);
/* Text inside the element, after what is there. */
void nd_xml_text(NdXmlElement *element, const char *text);

/* True if it has neither attributes nor children nor text. */
bool nd_xml_is_empty(const NdXmlElement *element);
/* Takes the parent's last child off again if it is empty (virXMLFormatElement's rule). */
void nd_xml_drop_if_empty(NdXmlElement *parent, NdXmlElement *child);

/* The text, ending in a newline, without an XML declaration; caller frees. Fails with ND_ERROR_ARGUMENT, naming the element, if some text
 * or value is not UTF-8 or holds characters that XML 1.0 forbids. */
char *nd_xml_to_string(const NdXmlElement *element, GError **error);
