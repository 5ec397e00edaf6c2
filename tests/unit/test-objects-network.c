/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/network_model.h"
#include "objects/objects.h"

#include <string.h>

/* The network model. */

static NdJson *json(const char *text)
{
    NdJson *value = NULL;
    g_autoptr(GError) error = NULL;
    nd_json_parse(text, strlen(text), NULL, &value, &error);
    g_assert_no_error(error);
    return value;
}

/* Each network_info of the golden objects comes back as it was. */
static void test_golden(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "golden", "objects", "zed-life.jsonl", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    guint seen = 0;
    for (char **line = lines; *line; line++) {
        g_autoptr(NdJson) object = json(*line);
        const char *info = nd_json_string(nd_json_object(object, "nova_object.data"), "network_info", NULL);
        if (!info)
            continue;
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) vifs = nova_network_info_from_text(info, &error);
        g_assert_no_error(error);
        g_autofree char *again = nova_network_info_to_text(vifs);
        g_autoptr(NdJson) before = json(info);
        g_autoptr(NdJson) after = json(again);
        g_assert_true(nd_json_equal(before, after));
        seen += vifs->len;
    }
    g_assert_cmpuint(seen, >, 0);
}

/* What upstream's constructors fill in, and keys nobody knows. */
static void test_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaVif) bare = nova_vif_from_text("{\"later\":[1],\"network\":{}}", &error);
    g_assert_no_error(error);
    g_autofree char *text = nova_vif_to_text(bare);
    g_assert_cmpstr(text, ==,
                    "{\"id\":null,\"address\":null,\"network\":null,\"type\":null,\"details\":{},\"devname\":null,\"ovs_interfaceid\":null,"
                    "\"qbh_params\":null,\"qbg_params\":null,\"active\":false,\"vnic_type\":\"normal\",\"profile\":null,"
                    "\"preserve_on_delete\":false,\"delegate_create\":false,\"meta\":{},\"later\":[1]}");
    g_autoptr(NovaVif) vif = nova_vif_from_text("{\"vnic_type\":null,\"network\":{\"subnets\":[{\"cidr\":\"fd00::/"
                                                "64\",\"x\":1,\"ips\":[{\"address\":\"fd00::2\",\"y\":2},null],\"dns\":"
                                                "[{\"address\":\"8.8.8.8\",\"z\":{}}],\"routes\":[{\"cidr\":\"10.0.0.0/"
                                                "8\",\"gateway\":{\"address\":\"10.0.0.1\"},\"w\":0}]}],\"v\":1}}",
                                                &error);
    g_assert_no_error(error);
    g_assert_null(vif->vnic_type);
    const NovaSubnet *subnet = vif->network->subnets->pdata[0];
    g_assert_cmpint(subnet->version, ==, 6);
    g_assert_cmpuint(subnet->ips->len, ==, 1);
    const NovaIp *ip = subnet->ips->pdata[0];
    g_assert_cmpstr(ip->type, ==, "fixed");
    g_assert_cmpint(ip->version, ==, 6);
    const NovaRoute *route = subnet->routes->pdata[0];
    g_assert_cmpint(route->gateway->version, ==, 4);
    g_autofree char *full = nova_vif_to_text(vif);
    static const char *const kept[] = {"\"x\":1", "\"y\":2", "\"z\":{}", "\"w\":0", "\"v\":1"};
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        g_assert_nonnull(strstr(full, kept[i]));
}

static NovaVif *example(void)
{
    NovaVif *vif = nova_vif_new();
    vif->id = g_strdup("c543938d-0b36-422d-a0bf-72e335debfb2");
    vif->address = g_strdup("fa:16:3e:0f:18:82");
    vif->network = nova_network_new();
    nd_json_set_int(vif->network->meta, "mtu", 1450);
    NovaSubnet *subnet = nova_subnet_new("10.0.0.0/24");
    subnet->gateway = nova_ip_new("10.0.0.1", "gateway");
    nd_json_set_string(subnet->meta, "dhcp_server", "10.0.0.2");
    NovaIp *ip = nova_fixed_ip_new("10.0.0.5");
    g_ptr_array_add(ip->floating_ips, nova_ip_new("192.0.2.5", "floating"));
    g_ptr_array_add(subnet->ips, ip);
    NovaRoute *route = nova_route_new();
    route->cidr = g_strdup("10.1.0.0/16");
    g_ptr_array_add(subnet->routes, route);
    g_ptr_array_add(vif->network->subnets, subnet);
    g_ptr_array_add(vif->network->subnets, nova_subnet_new(NULL));
    return vif;
}

static void test_questions(void)
{
    g_autoptr(GPtrArray) vifs = nova_network_info_new();
    NovaVif *vif = example();
    g_ptr_array_add(vifs, vif);
    g_ptr_array_add(vifs, nova_vif_new());
    const NovaVif *bare = vifs->pdata[1];
    g_assert_true(nova_network_info_find(vifs, vif->id) == vif);
    g_assert_null(nova_network_info_find(vifs, "other"));
    g_assert_true(nova_network_info_find_by_address(vifs, "FA:16:3E:0F:18:82") == vif);
    g_assert_null(nova_network_info_find_by_address(vifs, "00:00:00:00:00:00"));
    g_autoptr(GPtrArray) ips = nova_network_info_fixed_ips(vifs);
    g_assert_cmpuint(ips->len, ==, 1);
    g_autoptr(GPtrArray) none = nova_vif_fixed_ips(bare);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpint(nova_vif_mtu(vif), ==, 1450);
    g_assert_cmpint(nova_vif_mtu(bare), ==, 0);
    g_assert_cmpstr(nova_subnet_dhcp_server(vif->network->subnets->pdata[0]), ==, "10.0.0.2");

    g_assert_null(nova_vif_physical_network(vif));
    nd_json_set_string(vif->details, "physical_network", "physnet2");
    g_assert_cmpstr(nova_vif_physical_network(vif), ==, "physnet2");
    nd_json_set_string(vif->network->meta, "physical_network", "physnet1");
    g_assert_cmpstr(nova_vif_physical_network(vif), ==, "physnet1");
    g_assert_null(nova_vif_physical_network(bare));
    g_assert_false(nova_vif_is_hybrid_plug(vif));
    nd_json_set_bool(vif->details, "ovs_hybrid_plug", true);
    g_assert_true(nova_vif_is_hybrid_plug(vif));
    nd_json_set_bool(vif->details, "port_filter", true);
    g_assert_true(nova_vif_is_port_filter(vif));

    static const struct {
        const char *profile;
        bool allocated;
    } profiles[] = {{"{}", false},
                    {"{\"allocation\":null}", false},
                    {"{\"allocation\":{}}", false},
                    {"{\"allocation\":[]}", false},
                    {"{\"allocation\":\"\"}", false},
                    {"{\"allocation\":{\"a\":\"b\"}}", true},
                    {"{\"allocation\":\"x\"}", true},
                    {"{\"allocation\":[1]}", true}};
    g_assert_false(nova_vif_has_allocation(vif));
    for (guint i = 0; i < G_N_ELEMENTS(profiles); i++) {
        json_object_put(vif->profile);
        vif->profile = json(profiles[i].profile);
        g_assert_cmpint(nova_vif_has_allocation(vif), ==, profiles[i].allocated);
    }
}

static void test_equal(void)
{
    g_autoptr(NovaVif) a = example();
    g_autoptr(NovaVif) b = nova_vif_clone(a);
    g_assert_true(nova_vif_equal(a, b));
    nd_json_set_int(b->network->meta, "mtu", 9000); /* meta does not count */
    g_assert_true(nova_vif_equal(a, b));
    b->active = true;
    g_assert_false(nova_vif_equal(a, b));
    g_autoptr(GPtrArray) vifs = nova_network_info_new();
    g_ptr_array_add(vifs, nova_vif_clone(a));
    g_autoptr(GPtrArray) copy = nova_network_info_clone(vifs);
    g_assert_true(nova_vif_equal(vifs->pdata[0], copy->pdata[0]));
}

static void test_instance(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    g_autoptr(GPtrArray) none = nova_network_info_of(inst, NULL);
    g_assert_cmpuint(none->len, ==, 0);
    g_autoptr(NovaInstanceInfoCache) cache = nova_instance_info_cache_new();
    nova_instance_info_cache_set_network_info(cache, "[{\"id\":\"1\"}]");
    nova_instance_set_info_cache(inst, cache);
    g_autoptr(GPtrArray) one = nova_network_info_of(inst, NULL);
    g_assert_cmpuint(one->len, ==, 1);
}

static void test_refused(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"{}", "network_info is no list"},
        {"[1]", "a VIF in network_info is no dict"},
        {"[null]", "a VIF in network_info is no dict"},
        {"[{\"id\":5}]", "'id' of a VIF in network_info is no text"},
        {"[{\"id\":\"a\\u0000b\"}]", "'id' of a VIF in network_info is no text"},
        {"[{\"active\":\"yes\"}]", "'active' of a VIF in network_info is no boolean"},
        {"[{\"details\":[]}]", "'details' of a VIF in network_info is no dict"},
        {"[{\"meta\":5}]", "'meta' of a VIF in network_info is no dict"},
        {"[{\"network\":5}]", "a network in network_info is no dict"},
        {"[{\"network\":{\"subnets\":{}}}]", "'subnets' of a network in network_info is no list"},
        {"[{\"network\":{\"subnets\":[5]}}]", "a subnet in network_info is no dict"},
        {"[{\"network\":{\"subnets\":[{\"version\":\"4\"}]}}]", "'version' of a subnet in network_info is no integer"},
        {"[{\"network\":{\"subnets\":[{\"ips\":[{\"address\":[]}]}]}}]", "'address' of an IP in network_info is no text"},
        {"[{\"network\":{\"subnets\":[{\"ips\":[{\"floating_ips\":5}]}]}}]", "'floating_ips' of a fixed IP in network_info is no list"},
        {"[{\"network\":{\"subnets\":[{\"gateway\":[]}]}}]", "an IP in network_info is no dict"},
        {"[{\"network\":{\"subnets\":[{\"routes\":[{\"gateway\":5}]}]}}]", "an IP in network_info is no dict"},
        {"[{\"network\":{\"subnets\":[{\"routes\":[5]}]}}]", "a route in network_info is no dict"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(nova_network_info_from_text(cases[i].text, &error));
        g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NETWORK_INFO);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(nova_network_info_from_text("[", &error));
    g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NETWORK_INFO);
    g_assert_null(nova_vif_from_text("{", NULL));
    g_autoptr(GPtrArray) empty = nova_network_info_from_text("", NULL);
    g_assert_cmpuint(empty->len, ==, 0);
    nova_vif_free(NULL);
    nova_route_free(NULL);
    nova_subnet_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/objects/network/golden", test_golden);
    g_test_add_func("/objects/network/defaults", test_defaults);
    g_test_add_func("/objects/network/questions", test_questions);
    g_test_add_func("/objects/network/equal", test_equal);
    g_test_add_func("/objects/network/instance", test_instance);
    g_test_add_func("/objects/network/refused", test_refused);
    return g_test_run();
}
