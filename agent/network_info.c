/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/network_info.h"

#include "base/conf.h"
#include "base/log.h"
#include "rpc/conductor.h"

#include <gio/gio.h>
#include <string.h>

#define LOGGER "nova.network.neutron"
#define NIC_NAME_LEN 14 /* nova.network.model: tap, brq names are cut to it */

static NdJson *new_ip(const char *address, const char *type)
{
    NdJson *ip = json_object_new_object();
    nd_json_set_string(ip, "address", address);
    nd_json_set_string(ip, "type", type);
    nd_json_set(ip, "version", address ? json_object_new_int(strchr(address, ':') ? 6 : 4) : NULL);
    nd_json_set(ip, "meta", json_object_new_object());
    return ip;
}

static bool in_subnet(const char *address, const char *cidr)
{
    g_autoptr(GInetAddress) ip = g_inet_address_new_from_string(address);
    g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(cidr, NULL);
    return ip && mask && g_inet_address_mask_matches(mask, ip);
}

static NdJson *new_fixed_ip(const char *address, const char *port_id, const NetworkInfoSource *source)
{
    NdJson *ip = new_ip(address, "fixed");
    NdJson *floating = json_object_new_array();
    for (guint i = 0; i < source->floating_ips->len; i++) {
        const NeutronFloatingIp *fip = g_ptr_array_index(source->floating_ips, i);
        if (g_strcmp0(fip->fixed_ip_address, address) == 0 && g_strcmp0(fip->port_id, port_id) == 0)
            json_object_array_add(floating, new_ip(fip->floating_ip_address, "floating"));
    }
    nd_json_set(ip, "floating_ips", floating);
    return ip;
}

/* The DHCP server's address in a subnet: that of a network:dhcp port, else the gateway if DHCP is on. */
static const char *dhcp_server(const NeutronSubnet *subnet, const GPtrArray *dhcp_ports)
{
    const char *found = NULL;
    for (guint i = 0; i < dhcp_ports->len; i++) {
        const NeutronPort *port = g_ptr_array_index(dhcp_ports, i);
        if (g_strcmp0(port->network_id, subnet->network_id) != 0)
            continue;
        for (size_t j = 0; j < port->n_fixed_ips; j++)
            if (g_strcmp0(port->fixed_ips[j].subnet_id, subnet->id) == 0) {
                found = port->fixed_ips[j].ip_address;
                break;
            }
    }
    return found || !subnet->enable_dhcp ? found : subnet->gateway_ip;
}

static NdJson *new_routes(const NeutronSubnet *subnet)
{
    NdJson *routes = json_object_new_array();
    size_t count = subnet->host_routes ? json_object_array_length(subnet->host_routes) : 0;
    for (size_t i = 0; i < count; i++) {
        NdJson *from = json_object_array_get_idx(subnet->host_routes, i);
        NdJson *route = json_object_new_object();
        nd_json_set_string(route, "cidr", nd_json_string(from, "destination", NULL));
        nd_json_set(route, "gateway", new_ip(nd_json_string(from, "nexthop", NULL), "gateway"));
        nd_json_set(route, "interface", NULL);
        nd_json_set(route, "meta", json_object_new_object());
        json_object_array_add(routes, route);
    }
    return routes;
}

static NdJson *new_subnet(const NeutronSubnet *subnet, const NeutronPort *port, const NetworkInfoSource *source)
{
    NdJson *result = json_object_new_object();
    nd_json_set_string(result, "cidr", subnet->cidr);
    NdJson *dns = json_object_new_array();
    for (char **server = subnet->dns_nameservers; server && *server; server++)
        json_object_array_add(dns, new_ip(*server, "dns"));
    nd_json_set(result, "dns", dns);
    nd_json_set(result, "gateway", new_ip(subnet->gateway_ip, "gateway"));
    NdJson *ips = json_object_new_array();
    for (size_t i = 0; i < port->n_fixed_ips; i++)
        if (in_subnet(port->fixed_ips[i].ip_address, subnet->cidr))
            json_object_array_add(ips, new_fixed_ip(port->fixed_ips[i].ip_address, port->id, source));
    nd_json_set(result, "ips", ips);
    nd_json_set(result, "routes", new_routes(subnet));
    nd_json_set_int(result, "version", strchr(subnet->cidr, ':') ? 6 : 4);
    NdJson *meta = json_object_new_object();
    if (subnet->ipv6_address_mode)
        nd_json_set_string(meta, "ipv6_address_mode", subnet->ipv6_address_mode);
    const char *server = dhcp_server(subnet, source->dhcp_ports);
    if (server)
        nd_json_set_string(meta, "dhcp_server", server);
    nd_json_set(result, "meta", meta);
    return result;
}

static NdJson *new_subnets(const NeutronPort *port, const NetworkInfoSource *source)
{
    NdJson *subnets = json_object_new_array();
    for (guint i = 0; i < source->subnets->len; i++) {
        const NeutronSubnet *subnet = g_ptr_array_index(source->subnets, i);
        for (size_t j = 0; j < port->n_fixed_ips; j++)
            if (g_strcmp0(port->fixed_ips[j].subnet_id, subnet->id) == 0) {
                json_object_array_add(subnets, new_subnet(subnet, port, source));
                break;
            }
    }
    return subnets;
}

/* What the VIF type says about bridge and OVS id (nova/network/neutron.py, the network part of the model). */
typedef struct {
    char *bridge;
    bool has_ovs_id;
    bool create_bridge;
} BridgeInfo;

static BridgeInfo bridge_info(const NeutronPort *port, const NetworkInfoSource *source)
{
    const char *type = port->binding_vif_type ? port->binding_vif_type : "";
    const char *named = nd_json_string(port->vif_details, "bridge_name", NULL);
    g_autofree char *brq = g_strconcat("brq", port->network_id, NULL);
    bool vhostuser = g_str_equal(type, "vhostuser");
    BridgeInfo info = {0};
    if (g_str_equal(type, "ovs") || g_str_equal(type, "agilio_ovs") ||
        (vhostuser && nd_json_bool(port->vif_details, "vhostuser_ovs_plug", false))) {
        info.bridge = g_strdup(named ? named : source->ovs_bridge);
        info.has_ovs_id = true;
    } else if (g_str_equal(type, "bridge")) {
        info.bridge = g_strdup(named ? named : brq);
        info.create_bridge = true;
    } else if (vhostuser && nd_json_bool(port->vif_details, "vhostuser_fp_plug", false)) {
        info.bridge = g_strdup(named ? named : brq);
    } else if (g_str_equal(type, "dvs")) {
        info.bridge = g_strdup(port->network_id);
        return info;
    }
    if (info.bridge && strlen(info.bridge) > NIC_NAME_LEN)
        info.bridge[NIC_NAME_LEN] = '\0';
    return info;
}

/* The first segment with a physical network, else the network's own provider attributes. */
static const char *physical_network(const NeutronNetwork *network)
{
    NdJson *segments = network ? nd_json_array(network->raw, "segments") : NULL;
    size_t count = segments ? json_object_array_length(segments) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = nd_json_string(json_object_array_get_idx(segments, i), "provider:physical_network", NULL);
        if (name)
            return name;
    }
    return network ? network->provider_physical_network : NULL;
}

static NdJson *new_network(const NeutronPort *port, const NetworkInfoSource *source, const BridgeInfo *bridge)
{
    const NeutronNetwork *network = NULL;
    for (guint i = 0; i < source->networks->len && network == NULL; i++) {
        const NeutronNetwork *candidate = g_ptr_array_index(source->networks, i);
        if (g_strcmp0(candidate->id, port->network_id) == 0)
            network = candidate;
    }
    NdJson *result = json_object_new_object();
    nd_json_set_string(result, "id", port->network_id);
    nd_json_set_string(result, "bridge", bridge->bridge);
    nd_json_set_string(result, "label", network ? network->name : NULL);
    nd_json_set(result, "subnets", new_subnets(port, source));

    static const char *const tunnels[] = {"vxlan", "gre", "geneve", NULL};
    NdJson *meta = json_object_new_object();
    nd_json_set_bool(meta, "injected", source->flat_injected);
    nd_json_set_string(meta, "tenant_id", network ? network->project_id : port->project_id);
    nd_json_set(meta, "mtu", network && network->mtu ? json_object_new_int64(network->mtu) : NULL);
    nd_json_set_string(meta, "physical_network", physical_network(network));
    nd_json_set_bool(meta, "tunneled",
                     network && network->provider_network_type && g_strv_contains(tunnels, network->provider_network_type));
    if (bridge->create_bridge)
        nd_json_set_bool(meta, "should_create_bridge", true);
    nd_json_set(result, "meta", meta);
    return result;
}

NdJson *network_info_vif(const NeutronPort *port, const NetworkInfoSource *source)
{
    BridgeInfo bridge = bridge_info(port, source);
    g_autofree char *tap = g_strconcat("tap", port->id, NULL);
    if (strlen(tap) > NIC_NAME_LEN)
        tap[NIC_NAME_LEN] = '\0';

    NdJson *vif = json_object_new_object();
    nd_json_set_string(vif, "id", port->id);
    nd_json_set_string(vif, "address", port->mac_address);
    nd_json_set(vif, "network", new_network(port, source, &bridge));
    nd_json_set_string(vif, "type", port->binding_vif_type);
    nd_json_set(vif, "details", port->vif_details ? json_object_get(port->vif_details) : json_object_new_object());
    nd_json_set_string(vif, "devname", tap);
    nd_json_set_string(vif, "ovs_interfaceid", bridge.has_ovs_id ? port->id : NULL);
    nd_json_set(vif, "qbh_params", NULL);
    nd_json_set(vif, "qbg_params", NULL);
    nd_json_set_bool(vif, "active", !port->admin_state_up || g_strcmp0(port->status, "ACTIVE") == 0);
    nd_json_set_string(vif, "vnic_type", port->binding_vnic_type ? port->binding_vnic_type : "normal");
    nd_json_set(vif, "profile", port->profile ? json_object_get(port->profile) : json_object_new_object());
    nd_json_set_bool(vif, "preserve_on_delete", source->preserve_on_delete);
    nd_json_set_bool(vif, "delegate_create", true);
    nd_json_set(vif, "meta", json_object_new_object());
    g_free(bridge.bridge);
    return vif;
}

static bool listed(const char *const *list, const char *text)
{
    return list && text && g_strv_contains(list, text);
}

/* Adds `name, value` to a query unless the value is there already. */
static void query_add_unique(GPtrArray *query, const char *name, const char *value)
{
    for (guint i = 1; i < query->len; i += 2)
        if (g_str_equal(g_ptr_array_index(query, i), value))
            return;
    g_ptr_array_add(query, (gpointer)name);
    g_ptr_array_add(query, (gpointer)value);
}

static bool list_floating_ips(NetworkPlan *plan, const GPtrArray *ports, GPtrArray **list, GError **error)
{
    g_autoptr(GPtrArray) query = g_ptr_array_new();
    for (guint i = 0; i < ports->len; i++) {
        const NeutronPort *port = g_ptr_array_index(ports, i);
        if (port->n_fixed_ips > 0)
            query_add_unique(query, "port_id", port->id);
    }
    if (query->len == 0) {
        *list = g_ptr_array_new();
        return true;
    }
    g_ptr_array_add(query, NULL);
    g_autoptr(GError) local = NULL;
    if (neutron_list_floating_ips(plan->agent->neutron, plan->admin, (const char *const *)query->pdata, list, &local))
        return true;
    /* A Neutron without routers has no floating IPs. */
    if (g_error_matches(local, REST_ERROR, REST_ERROR_NOT_FOUND)) {
        *list = g_ptr_array_new();
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

static bool list_subnets(NetworkPlan *plan, const GPtrArray *ports, GPtrArray **subnets, GPtrArray **dhcp_ports, GError **error)
{
    g_autoptr(GPtrArray) query = g_ptr_array_new();
    for (guint i = 0; i < ports->len; i++) {
        const NeutronPort *port = g_ptr_array_index(ports, i);
        for (size_t j = 0; j < port->n_fixed_ips; j++)
            query_add_unique(query, "id", port->fixed_ips[j].subnet_id);
    }
    if (query->len == 0) {
        *subnets = g_ptr_array_new();
        *dhcp_ports = g_ptr_array_new();
        return true;
    }
    g_ptr_array_add(query, NULL);
    g_autoptr(GPtrArray) found = NULL;
    if (!neutron_list_subnets(plan->agent->neutron, plan->admin, (const char *const *)query->pdata, &found, error))
        return false;
    g_autoptr(GPtrArray) dhcp_query = g_ptr_array_new();
    for (guint i = 0; i < found->len; i++)
        query_add_unique(dhcp_query, "network_id", ((NeutronSubnet *)g_ptr_array_index(found, i))->network_id);
    g_ptr_array_add(dhcp_query, (gpointer) "device_owner");
    g_ptr_array_add(dhcp_query, (gpointer) "network:dhcp");
    g_ptr_array_add(dhcp_query, NULL);
    if (!neutron_list_ports(plan->agent->neutron, plan->admin, (const char *const *)dhcp_query->pdata, dhcp_ports, error))
        return false;
    *subnets = g_steal_pointer(&found);
    return true;
}

static bool list_networks(NetworkPlan *plan, const GPtrArray *ports, GPtrArray **networks, GError **error)
{
    g_autoptr(GPtrArray) query = g_ptr_array_new();
    for (guint i = 0; i < ports->len; i++)
        query_add_unique(query, "id", ((NeutronPort *)g_ptr_array_index(ports, i))->network_id);
    g_ptr_array_add(query, NULL);
    return neutron_list_networks(plan->agent->neutron, plan->admin, (const char *const *)query->pdata, networks, error);
}

static bool list_instance_ports(NetworkPlan *plan, GPtrArray **ports, GError **error)
{
    const char *const query[] = {"tenant_id", plan->instance->project_id, "device_id", plan->instance->uuid, NULL};
    return neutron_list_ports(plan->agent->neutron, plan->admin, query, ports, error);
}

static void preserved_add_cached(const NovaInstance *instance, GHashTable *preserved)
{
    g_autoptr(NdJson) cached = network_cached(instance);
    for (size_t i = 0; i < json_object_array_length(cached); i++) {
        NdJson *vif = json_object_array_get_idx(cached, i);
        if (nd_json_bool(vif, "preserve_on_delete", false))
            g_hash_table_add(preserved, g_strdup(nd_json_string(vif, "id", "")));
    }
}

bool network_info_build(NetworkPlan *plan, const char *const *port_ids, const char *const *preserved, NdJson **vifs, GError **error)
{
    g_autoptr(GPtrArray) all = NULL, networks = NULL, subnets = NULL, dhcp_ports = NULL, floating_ips = NULL;
    if (!list_instance_ports(plan, &all, error))
        return false;
    g_autoptr(GPtrArray) ports = g_ptr_array_new();
    for (const char *const *id = port_ids; id && *id; id++) {
        bool found = false;
        for (guint i = 0; i < all->len && !found; i++) {
            NeutronPort *port = g_ptr_array_index(all, i);
            found = g_str_equal(port->id, *id);
            if (found)
                g_ptr_array_add(ports, port);
        }
        if (!found)
            nd_info(LOGGER, "Port %s from network info_cache is no longer associated with instance in Neutron. Removing from network info_cache.",
                    *id);
    }
    *vifs = json_object_new_array();
    if (ports->len == 0)
        return true;
    if (!list_networks(plan, ports, &networks, error) || !list_subnets(plan, ports, &subnets, &dhcp_ports, error) ||
        !list_floating_ips(plan, ports, &floating_ips, error)) {
        g_clear_pointer(vifs, json_object_put);
        return false;
    }
    g_autoptr(GHashTable) before = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    preserved_add_cached(plan->instance, before);
    for (guint i = 0; i < ports->len; i++) {
        NeutronPort *port = g_ptr_array_index(ports, i);
        NetworkInfoSource source = {
            .networks = networks,
            .subnets = subnets,
            .dhcp_ports = dhcp_ports,
            .floating_ips = floating_ips,
            .flat_injected = nd_config_bool(plan->agent->config, "DEFAULT", "flat_injected"),
            .ovs_bridge = nd_config_string(plan->agent->config, "neutron", "ovs_bridge"),
            .preserve_on_delete = listed(preserved, port->id) || g_hash_table_contains(before, port->id),
        };
        json_object_array_add(*vifs, network_info_vif(port, &source));
    }
    return true;
}

static gint by_record(gconstpointer a, gconstpointer b, gpointer data)
{
    GHashTable *order = data;
    gint64 left = GPOINTER_TO_INT(g_hash_table_lookup(order, *(char *const *)a));
    gint64 right = GPOINTER_TO_INT(g_hash_table_lookup(order, *(char *const *)b));
    return left < right ? -1 : left > right;
}

char **network_info_ordered_ports(NetworkPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) ports = NULL;
    if (!list_instance_ports(plan, &ports, error))
        return NULL;
    g_autoptr(NovaVirtualInterfaceList) records =
        conductor_vif_list(plan->agent->conductor, plan->context, plan->instance->uuid, error);
    if (records == NULL)
        return NULL;
    /* Ports without a record come last, as Neutron lists them: their number is above any record's. */
    g_autoptr(GHashTable) order = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < ports->len; i++) {
        char *id = g_strdup(((NeutronPort *)g_ptr_array_index(ports, i))->id);
        g_ptr_array_add(ids, id);
        g_hash_table_insert(order, id, GINT_TO_POINTER(G_MAXINT / 2 + (int)i));
        for (guint j = 0; j < nova_object_list_length(records); j++) {
            NovaVirtualInterface *record = nova_object_list_get(records, j);
            if (g_strcmp0(record->uuid, id) == 0)
                g_hash_table_insert(order, id, GINT_TO_POINTER((int)record->id));
        }
    }
    g_ptr_array_sort_with_data(ids, by_record, order);
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
}
