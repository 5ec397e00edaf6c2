/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/xml.h"
#include "base/xml_writer.h"

static void test_disk(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdXmlElement) disk = nd_xml_new("disk");
    nd_xml_attr(disk, "type", "file");
    nd_xml_add_attrs(disk, "driver", "name", "qemu", "cache", NULL, NULL);
    NdXmlElement *source = nd_xml_add(disk, "source");
    nd_xml_attrf(source, "file", "/x/%d", 7);
    nd_xml_add_attrs(disk, "target", "dev", "vda", "bus", "virtio", NULL);
    g_assert_nonnull(nd_xml_add_text(disk, "serial", "s"));
    g_assert_null(nd_xml_add_text(disk, "absent", NULL));
    nd_xml_add_textf(disk, "n", "%s-%d", "a", 1);
    nd_xml_add(disk, "readonly");
    nd_xml_attr(disk, "device", "disk"); /* after children */
    nd_xml_attr(disk, "absent", NULL);
    nd_xml_attr(disk, "type", "block"); /* replaces, keeps its place */
    nd_xml_attr_int(disk, "size", -5);
    nd_xml_attr_yes_no(disk, "shared", true);
    nd_xml_attr_yes_no(disk, "private", false);
    g_autofree char *text = nd_xml_to_string(disk, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==,
                    "<disk type=\"block\" device=\"disk\" size=\"-5\" shared=\"yes\" private=\"no\">\n"
                    "  <driver name=\"qemu\"/>\n"
                    "  <source file=\"/x/7\"/>\n"
                    "  <target dev=\"vda\" bus=\"virtio\"/>\n"
                    "  <serial>s</serial>\n"
                    "  <n>a-1</n>\n"
                    "  <readonly/>\n"
                    "</disk>\n");
}

/* What goes in comes out of a parser, whatever it is. */
static void test_escape(void)
{
    static const char nasty[] = "<&>\"' \t\n\r ]]> \xc3\xa4 \xf0\x9f\x90\x8d &amp;";
    g_autoptr(GError) error = NULL;
    g_autoptr(NdXmlElement) root = nd_xml_new("nova:root");
    nd_xml_attr(root, "xmlns:nova", "http://openstack.org/xmlns/libvirt/nova/1.1");
    nd_xml_attr(root, "a", nasty);
    nd_xml_add_text(root, "nova:t", nasty);
    g_autofree char *text = nd_xml_to_string(root, &error);
    g_assert_no_error(error);
    g_autoptr(xmlDoc) doc = nd_xml_parse(text, -1, &error);
    g_assert_no_error(error);
    xmlNode *node = nd_xml_root(doc, "root", &error);
    g_autofree char *attribute = nd_xml_node_attr(node, "a");
    g_assert_cmpstr(attribute, ==, nasty);
    g_autofree char *content = nd_xpath_string(node, "nova:t");
    g_assert_cmpstr(content, ==, nasty);
}

static void test_invalid(void)
{
    static const char *const bad[] = {"\x01", "a\xff", "\xef\xbf\xbe", "\x1b[31m"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL, error2 = NULL;
        g_autoptr(NdXmlElement) root = nd_xml_new("r");
        nd_xml_add_text(root, "child", bad[i]);
        g_assert_null(nd_xml_to_string(root, &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_ARGUMENT);
        g_assert_nonnull(strstr(error->message, "'child'"));
        g_autoptr(NdXmlElement) other = nd_xml_new("r");
        nd_xml_attr(other, "key", bad[i]);
        g_assert_null(nd_xml_to_string(other, &error2));
        g_assert_error(error2, ND_ERROR, ND_ERROR_ARGUMENT);
        g_assert_nonnull(strstr(error2->message, "'key'"));
    }
}

static void test_empty(void)
{
    g_autoptr(NdXmlElement) root = nd_xml_new("r");
    NdXmlElement *empty = nd_xml_add(root, "empty");
    g_assert_true(nd_xml_is_empty(empty));
    nd_xml_drop_if_empty(root, empty);
    NdXmlElement *full = nd_xml_add(root, "full");
    nd_xml_attr(full, "a", "");
    g_assert_false(nd_xml_is_empty(full));
    nd_xml_drop_if_empty(root, full);
    NdXmlElement *worded = nd_xml_add(root, "worded");
    nd_xml_text(worded, "");
    nd_xml_text(worded, NULL);
    g_assert_true(nd_xml_is_empty(worded));
    nd_xml_text(worded, "x");
    nd_xml_drop_if_empty(root, worded);
    nd_xml_drop_if_empty(worded, full); /* not its child */
    nd_xml_adopt(root, NULL);
    NdXmlElement *child = nd_xml_new("adopted");
    nd_xml_adopt(root, child);
    g_autofree char *text = nd_xml_to_string(root, NULL);
    g_assert_cmpstr(text, ==, "<r>\n  <full a=\"\"/>\n  <worded>x</worded>\n  <adopted/>\n</r>\n");
    nd_xml_free(NULL);
}

/* Text and elements mixed: no white space is added. */
static void test_mixed(void)
{
    g_autoptr(NdXmlElement) root = nd_xml_new("r");
    nd_xml_text(root, "a");
    nd_xml_add_text(root, "b", "c");
    nd_xml_text(root, "d");
    g_autofree char *text = nd_xml_to_string(root, NULL);
    g_assert_cmpstr(text, ==, "<r>a<b>c</b>d</r>\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-writer/disk", test_disk);
    g_test_add_func("/xml-writer/escape", test_escape);
    g_test_add_func("/xml-writer/invalid", test_invalid);
    g_test_add_func("/xml-writer/empty", test_empty);
    g_test_add_func("/xml-writer/mixed", test_mixed);
    return g_test_run();
}
