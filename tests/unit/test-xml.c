/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/xml.h"

static const char sample[] =
    "<domain type='kvm' id='7'><name>n &lt;1&gt;</name><memory unit='KiB'> 524288 </memory><max>18446744073709551615</max>"
    "<devices><disk dev='vda'/><disk dev='vdb'/></devices>"
    "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'><nova:name>web</nova:name>"
    "</nova:instance></metadata></domain>";

static void test_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = nd_xml_parse(sample, -1, &error);
    g_assert_no_error(error);
    xmlNode *root = nd_xml_root(doc, "domain", &error);
    g_assert_no_error(error);

    g_autofree char *name = nd_xpath_string(root, "name");
    g_assert_cmpstr(name, ==, "n <1>");
    g_autofree char *type = nd_xpath_string(root, "@type");
    g_assert_cmpstr(type, ==, "kvm");
    g_autofree char *computed = nd_xpath_string(root, "concat(@type, '-', count(devices/disk))");
    g_assert_cmpstr(computed, ==, "kvm-2");
    g_autofree char *nova = nd_xpath_string(root, "metadata/nova:instance/nova:name");
    g_assert_cmpstr(nova, ==, "web");
    g_assert_null(nd_xpath_string(root, "nothing"));
    g_assert_null(nd_xpath_string(NULL, "name"));

    gint64 memory = -1, untouched = 5;
    g_assert_true(nd_xpath_int(root, "memory", &memory));
    g_assert_cmpint(memory, ==, 524288);
    g_assert_false(nd_xpath_int(root, "name", &untouched));
    g_assert_false(nd_xpath_int(root, "max", &untouched));
    g_assert_false(nd_xpath_int(root, "nothing", &untouched));
    g_assert_cmpint(untouched, ==, 5);
    guint64 max;
    g_assert_true(nd_xpath_uint(root, "max", &max));
    g_assert_cmpuint(max, ==, G_MAXUINT64);
    g_assert_false(nd_xpath_uint(root, "nothing", &max));

    g_assert_true(nd_xpath_exists(root, "devices/disk"));
    g_assert_false(nd_xpath_exists(root, "devices/nic"));
    g_assert_true(nd_xpath_exists(root, "count(devices/disk) = 2"));
    g_assert_false(nd_xpath_exists(NULL, "x"));
}

static void test_nodes(void)
{
    g_autoptr(xmlDoc) doc = nd_xml_parse(sample, -1, NULL);
    xmlNode *root = nd_xml_root(doc, NULL, NULL);
    g_autoptr(GPtrArray) disks = nd_xpath_nodes(root, "devices/disk");
    g_assert_cmpuint(disks->len, ==, 2);
    g_autofree char *second = nd_xml_node_attr(disks->pdata[1], "dev");
    g_assert_cmpstr(second, ==, "vdb");
    g_assert_null(nd_xml_node_attr(disks->pdata[1], "none"));
    g_assert_null(nd_xml_node_attr(NULL, "dev"));
    g_autofree char *text = nd_xml_node_to_string(disks->pdata[0]);
    g_assert_cmpstr(text, ==, "<disk dev=\"vda\"/>");
    g_auto(GStrv) names = nd_xpath_strings(root, "devices/disk/@dev");
    g_assert_cmpuint(g_strv_length(names), ==, 2);
    g_assert_cmpstr(names[0], ==, "vda");
    g_assert_null(nd_xpath_node(root, "devices/nic"));
    g_assert_true(nd_xpath_node(root, "devices/disk") == disks->pdata[0]);
    g_autoptr(GPtrArray) none = nd_xpath_nodes(root, "1 + 1");
    g_assert_cmpuint(none->len, ==, 0);
}

static void test_bad(void)
{
    static const char *const texts[] = {
        "",
        "x",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a>\x01</a>",
        "<a>&undefined;</a>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM 'http://192.0.2.1/x.dtd'><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(nd_xml_parse(texts[i], -1, &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
        g_assert_null(strchr(error->message, '\n'));
    }
    /* A thousand million laughs stay a few bytes. */
    g_autoptr(GString) bomb = g_string_new("<!DOCTYPE a [<!ENTITY x0 'ha'>");
    for (int i = 1; i < 10; i++)
        g_string_append_printf(bomb, "<!ENTITY x%d '&x%d;&x%d;&x%d;&x%d;&x%d;&x%d;&x%d;&x%d;'>", i, i - 1, i - 1, i - 1, i - 1, i - 1,
                               i - 1, i - 1, i - 1);
    g_string_append(bomb, "]><a>&x9;</a>");
    g_autoptr(GError) error = NULL;
    g_assert_null(nd_xml_parse(bomb->str, (gssize)bomb->len, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
}

static void test_limit(void)
{
    g_autoptr(GError) error = NULL;
    size_t length = 17 * 1024 * 1024;
    g_autofree char *text = g_malloc(length);
    memset(text, ' ', length);
    g_assert_null(nd_xml_parse(text, (gssize)length, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_LIMIT);
    g_clear_error(&error);
    /* libxml2's own limit of depth */
    g_autoptr(GString) deep = g_string_new(NULL);
    for (int i = 0; i < 100000; i++)
        g_string_append(deep, "<a>");
    g_assert_null(nd_xml_parse(deep->str, -1, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
}

static void test_root(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = nd_xml_parse("<a/>", -1, NULL);
    g_assert_null(nd_xml_root(doc, "b", &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
}

static void test_wrong_expression(void)
{
    if (g_test_subprocess()) {
        g_autoptr(xmlDoc) doc = nd_xml_parse("<a/>", -1, NULL);
        nd_xpath_exists(nd_xml_root(doc, NULL, NULL), "]]");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*wrong XPath expression*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml/read", test_read);
    g_test_add_func("/xml/nodes", test_nodes);
    g_test_add_func("/xml/bad", test_bad);
    g_test_add_func("/xml/limit", test_limit);
    g_test_add_func("/xml/root", test_root);
    g_test_add_func("/xml/wrong-expression", test_wrong_expression);
    return g_test_run();
}
