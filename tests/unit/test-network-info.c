/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/network_info.h"

/* The fixtures are literals in structs that own their strings elsewhere. */
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"

/* The VIF that a live Zed cloud stored for a port on a linuxbridge network. */
static const char linuxbridge_vif[] =
    "{\"id\":\"c543938d-0b36-422d-a0bf-72e335debfb2\",\"address\":\"fa:16:3e:0f:18:82\",\"network\":{\"id\":\"3f9114b5-6da2-40ad-8a21-27bd90c38def\","
    "\"bridge\":\"brq3f9114b5-6d\",\"label\":\"public\",\"subnets\":[{\"cidr\":\"10.77.0.0/24\",\"dns\":[],\"gateway\":{\"address\":\"10.77.0.1\","
    "\"type\":\"gateway\",\"version\":4,\"meta\":{}},\"ips\":[{\"address\":\"10.77.0.243\",\"type\":\"fixed\",\"version\":4,\"meta\":{},"
    "\"floating_ips\":[]}],\"routes\":[],\"version\":4,\"meta\":{\"dhcp_server\":\"10.77.0.2\"}}],\"meta\":{\"injected\":false,\"tenant_id\":"
    "\"35db5f37657442afa4ebcdf8d9d505e2\",\"mtu\":1500,\"physical_network\":\"physnet1\",\"tunneled\":false,\"should_create_bridge\":true}},"
    "\"type\":\"bridge\",\"details\":{\"connectivity\":\"l2\",\"port_filter\":true,\"bound_drivers\":{\"0\":\"linuxbridge\"}},\"devname\":"
    "\"tapc543938d-0b\",\"ovs_interfaceid\":null,\"qbh_params\":null,\"qbg_params\":null,\"active\":false,\"vnic_type\":\"normal\",\"profile\":{},"
    "\"preserve_on_delete\":false,\"delegate_create\":true,\"meta\":{}}";

typedef struct {
    NeutronFixedIp ips[2], dhcp_ips[1];
    NeutronPort port, dhcp_port;
    NeutronNetwork network;
    NeutronSubnet subnets[2];
    NetworkInfoSource source;
} Fixture;

static NdJson *parse(const char *text)
{
    NdJson *json = NULL;
    g_assert_true(nd_json_parse(text, strlen(text), NULL, &json, NULL));
    return json;
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->ips[0] = (NeutronFixedIp){"subnet-4", "10.77.0.243"};
    f->ips[1] = (NeutronFixedIp){"subnet-6", "fd00::5"};
    f->dhcp_ips[0] = (NeutronFixedIp){"subnet-4", "10.77.0.2"};
    f->port = (NeutronPort){.id = "c543938d-0b36-422d-a0bf-72e335debfb2",
                            .network_id = "3f9114b5-6da2-40ad-8a21-27bd90c38def",
                            .mac_address = "fa:16:3e:0f:18:82",
                            .status = "DOWN",
                            .project_id = "port-project",
                            .admin_state_up = true,
                            .binding_vnic_type = "normal",
                            .binding_vif_type = "bridge",
                            .fixed_ips = f->ips,
                            .n_fixed_ips = 1,
                            .vif_details = parse("{\"connectivity\":\"l2\",\"port_filter\":true,\"bound_drivers\":{\"0\":\"linuxbridge\"}}")};
    f->dhcp_port = (NeutronPort){.id = "d", .network_id = f->port.network_id, .fixed_ips = f->dhcp_ips, .n_fixed_ips = 1};
    f->network = (NeutronNetwork){.id = f->port.network_id,
                                  .name = "public",
                                  .project_id = "35db5f37657442afa4ebcdf8d9d505e2",
                                  .mtu = 1500,
                                  .provider_network_type = "flat",
                                  .provider_physical_network = "physnet1"};
    f->subnets[0] = (NeutronSubnet){.id = "subnet-4",
                                    .network_id = f->port.network_id,
                                    .cidr = "10.77.0.0/24",
                                    .gateway_ip = "10.77.0.1",
                                    .ip_version = 4,
                                    .enable_dhcp = true};
    f->subnets[1] = (NeutronSubnet){
        .id = "subnet-6", .network_id = f->port.network_id, .cidr = "fd00::/64", .ip_version = 6, .ipv6_address_mode = "slaac"};
    GPtrArray *networks = g_ptr_array_new(), *subnets = g_ptr_array_new(), *dhcp = g_ptr_array_new();
    g_ptr_array_add(networks, &f->network);
    g_ptr_array_add(subnets, &f->subnets[0]);
    g_ptr_array_add(subnets, &f->subnets[1]);
    g_ptr_array_add(dhcp, &f->dhcp_port);
    f->source = (NetworkInfoSource){
        .networks = networks, .subnets = subnets, .dhcp_ports = dhcp, .floating_ips = g_ptr_array_new(), .ovs_bridge = "br-int"};
}

static void tear_down(Fixture *f, gconstpointer data)
{
    json_object_put(f->port.vif_details);
    g_ptr_array_unref((GPtrArray *)f->source.networks);
    g_ptr_array_unref((GPtrArray *)f->source.subnets);
    g_ptr_array_unref((GPtrArray *)f->source.dhcp_ports);
    g_ptr_array_unref((GPtrArray *)f->source.floating_ips);
}

static void test_linuxbridge(Fixture *f, gconstpointer data)
{
    g_autoptr(NdJson) expected = parse(linuxbridge_vif);
    g_autoptr(NdJson) vif = network_info_vif(&f->port, &f->source);
    if (!nd_json_equal(vif, expected))
        g_error("differs: %s", json_object_to_json_string(vif));
}

static void test_ovs(Fixture *f, gconstpointer data)
{
    f->port.binding_vif_type = "ovs";
    f->port.status = "ACTIVE";
    f->network.provider_network_type = "vxlan";
    g_autoptr(NdJson) vif = network_info_vif(&f->port, &f->source);
    NdJson *network = nd_json_object(vif, "network");
    g_assert_cmpstr(nd_json_string(network, "bridge", NULL), ==, "br-int");
    g_assert_cmpstr(nd_json_string(vif, "ovs_interfaceid", NULL), ==, f->port.id);
    g_assert_true(nd_json_bool(vif, "active", false));
    g_assert_true(nd_json_bool(nd_json_object(network, "meta"), "tunneled", false));
    g_assert_null(nd_json_member(nd_json_object(network, "meta"), "should_create_bridge"));
}

static void test_two_subnets_and_floating(Fixture *f, gconstpointer data)
{
    f->port.n_fixed_ips = 2;
    NeutronFloatingIp floating = {.floating_ip_address = "192.0.2.9", .fixed_ip_address = "10.77.0.243", .port_id = f->port.id};
    NeutronFloatingIp other = {.floating_ip_address = "192.0.2.8", .fixed_ip_address = "10.77.0.243", .port_id = "another"};
    g_ptr_array_add((GPtrArray *)f->source.floating_ips, &floating);
    g_ptr_array_add((GPtrArray *)f->source.floating_ips, &other);
    g_autoptr(NdJson) vif = network_info_vif(&f->port, &f->source);
    NdJson *subnets = nd_json_array(nd_json_object(vif, "network"), "subnets");
    g_assert_cmpint(json_object_array_length(subnets), ==, 2);
    NdJson *four = json_object_array_get_idx(subnets, 0), *six = json_object_array_get_idx(subnets, 1);
    NdJson *ip = json_object_array_get_idx(nd_json_array(four, "ips"), 0);
    g_assert_cmpint(json_object_array_length(nd_json_array(ip, "floating_ips")), ==, 1);
    g_assert_cmpint(nd_json_int(six, "version", 0), ==, 6);
    g_assert_cmpstr(nd_json_string(nd_json_object(six, "meta"), "ipv6_address_mode", NULL), ==, "slaac");
    g_assert_null(nd_json_member(nd_json_object(six, "gateway"), "address"));
    g_assert_cmpint(json_object_array_length(nd_json_array(six, "ips")), ==, 1);
}

/* A network that Neutron does not list: the port's project stands in, as upstream does. */
static void test_unknown_network(Fixture *f, gconstpointer data)
{
    f->network.id = "something-else";
    g_autoptr(NdJson) vif = network_info_vif(&f->port, &f->source);
    NdJson *network = nd_json_object(vif, "network");
    g_assert_null(nd_json_member(network, "label"));
    g_assert_cmpstr(nd_json_string(nd_json_object(network, "meta"), "tenant_id", NULL), ==, "port-project");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/network-info/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("linuxbridge", test_linuxbridge);
    ADD("ovs", test_ovs);
    ADD("two-subnets-and-floating", test_two_subnets_and_floating);
    ADD("unknown-network", test_unknown_network);
    return g_test_run();
}
