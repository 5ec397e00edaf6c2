/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/network_data.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <string.h>

/* --- addresses ----------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    int family;
    int bits;   /* 32, 128 */
    int prefix;
    guint8 address[16];
} Cidr;

static bool parse_cidr(const char *text, Cidr *cidr, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", "/", 2);
    *cidr = (Cidr){.family = text != NULL && strchr(text, ':') != NULL ? AF_INET6 : AF_INET};
    cidr->bits = cidr->family == AF_INET ? 32 : 128;
    guint64 prefix = (guint64)cidr->bits;
    if (parts[0] == NULL || inet_pton(cidr->family, parts[0], cidr->address) != 1 ||
        (parts[1] != NULL && !g_ascii_string_to_unsigned(parts[1], 10, 0, (guint64)cidr->bits, &prefix, NULL))) {
        g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "network info: '%s' is no CIDR", text != NULL ? text : "null");
        return false;
    }
    cidr->prefix = (int)prefix;
    return true;
}

typedef enum { NETMASK, NETWORK, BROADCAST } CidrPart;

static char *cidr_text(const Cidr *cidr, CidrPart part)
{
    guint8 bytes[16] = {0};
    for (int i = 0; i < cidr->bits / 8; i++) {
        int covered = CLAMP(cidr->prefix - i * 8, 0, 8);
        guint8 mask = (guint8)(0xff00 >> covered);
        bytes[i] = part == NETMASK ? mask : part == NETWORK ? cidr->address[i] & mask : (guint8)((cidr->address[i] & mask) | (guint8)~mask);
    }
    char text[INET6_ADDRSTRLEN];
    return g_strdup(inet_ntop(cidr->family, bytes, text, sizeof text));
}

/* --- reading the model --------------------------------------------------------------------------------------------------------------------- */

static guint length(NdJson *array)
{
    return array != NULL ? (guint)json_object_array_length(array) : 0;
}

static NdJson *item(NdJson *array, guint i)
{
    return json_object_array_get_idx(array, i);
}

static NdJson *subnets_of(NdJson *vif)
{
    return nd_json_array(nd_json_object(vif, "network"), "subnets");
}

/* A key of the `meta` of a network or subnet; NULL when missing or null. */
static NdJson *meta(NdJson *of, const char *key)
{
    return nd_json_member(nd_json_object(of, "meta"), key);
}

static NdJson *first_subnet(NdJson *vif, int version)
{
    NdJson *subnets = subnets_of(vif);
    for (guint i = 0; i < length(subnets); i++)
        if (nd_json_int(item(subnets, i), "version", 0) == version)
            return item(subnets, i);
    return NULL;
}

static const char *gateway_address(NdJson *subnet)
{
    return nd_json_string(nd_json_object(subnet, "gateway"), "address", NULL);
}

/* The first address of version 4 below `of` by the key: fixed: vif.network.subnets.ips; floating: their floating_ips of any version. */
static const char *first_address(NdJson *network_info, bool floating)
{
    for (guint i = 0; i < length(network_info); i++) {
        NdJson *subnets = subnets_of(item(network_info, i));
        for (guint j = 0; j < length(subnets); j++) {
            NdJson *ips = nd_json_array(item(subnets, j), "ips");
            for (guint k = 0; k < length(ips); k++) {
                NdJson *ip = item(ips, k), *floats = nd_json_array(ip, "floating_ips");
                if (floating && length(floats) > 0)
                    return nd_json_string(item(floats, 0), "address", NULL);
                if (!floating && nd_json_int(ip, "version", 0) == 4)
                    return nd_json_string(ip, "address", NULL);
            }
        }
    }
    return NULL;
}

const char *agent_first_fixed_ipv4(NdJson *network_info)
{
    return first_address(network_info, false);
}

const char *agent_first_floating_ip(NdJson *network_info)
{
    return first_address(network_info, true);
}

/* --- network_data.json --------------------------------------------------------------------------------------------------------------------- */

static NdJson *link_json(NdJson *vif, guint number)
{
    static const char *const shown[] = {"bridge", "dvs", "hw_veb", "hyperv", "ovs", "tap", "vhostuser", "vif", NULL};
    const char *name = nd_json_string(vif, "devname", NULL), *type = nd_json_string(vif, "type", NULL);
    g_autofree char *made = g_strdup_printf("interface%u", number);
    NdJson *link = json_object_new_object(), *subnets = subnets_of(vif), *mtu = meta(nd_json_object(vif, "network"), "mtu");
    /* With DHCP the guest hears the MTU from there. */
    for (guint i = 0; i < length(subnets); i++)
        if (meta(item(subnets, i), "dhcp_server") != NULL)
            mtu = NULL;
    nd_json_set_string(link, "id", name != NULL && *name != '\0' ? name : made);
    nd_json_set_string(link, "vif_id", nd_json_string(vif, "id", NULL));
    nd_json_set_string(link, "type", type != NULL && g_strv_contains(shown, type) ? type : "phy");
    nd_json_set(link, "mtu", json_object_get(mtu));
    nd_json_set_string(link, "ethernet_mac_address", nd_json_string(vif, "address", NULL));
    return link;
}

static NdJson *dns_services(NdJson *subnet)
{
    NdJson *services = json_object_new_array(), *dns = nd_json_array(subnet, "dns");
    for (guint i = 0; i < length(dns); i++) {
        NdJson *service = json_object_new_object();
        nd_json_set_string(service, "type", "dns");
        nd_json_set_string(service, "address", nd_json_string(item(dns, i), "address", NULL));
        json_object_array_add(services, service);
    }
    return services;
}

static NdJson *route_json(const char *network, const char *netmask, const char *gateway)
{
    NdJson *route = json_object_new_object();
    nd_json_set_string(route, "network", network);
    nd_json_set_string(route, "netmask", netmask);
    nd_json_set_string(route, "gateway", gateway);
    return route;
}

static NdJson *routes_json(NdJson *subnet, int version, GError **error)
{
    g_autoptr(NdJson) routes = json_object_new_array();
    const char *gateway = gateway_address(subnet), *any = version == 4 ? "0.0.0.0" : "::";
    if (gateway != NULL && *gateway != '\0')
        json_object_array_add(routes, route_json(any, any, gateway));
    NdJson *more = nd_json_array(subnet, "routes");
    for (guint i = 0; i < length(more); i++) {
        NdJson *route = item(more, i);
        Cidr cidr;
        if (!parse_cidr(nd_json_string(route, "cidr", NULL), &cidr, error))
            return NULL;
        g_autofree char *network = cidr_text(&cidr, NETWORK), *netmask = cidr_text(&cidr, NETMASK);
        json_object_array_add(routes, route_json(network, netmask, gateway_address(route)));
    }
    return g_steal_pointer(&routes);
}

/* "ipv4", "ipv4_dhcp", "ipv6_slaac" ... */
static char *network_type(NdJson *subnet, int version, bool *dhcp)
{
    NdJson *mode = meta(subnet, "ipv6_address_mode");
    *dhcp = mode == NULL && meta(subnet, "dhcp_server") != NULL;
    if (mode != NULL)
        return g_strdup_printf("ipv%d_%s", version, json_object_get_string(mode));
    return g_strdup_printf("ipv%d%s", version, *dhcp ? "_dhcp" : "");
}

static NdJson *network_json(NdJson *vif, NdJson *subnet, int version, guint number, const char *link, GError **error)
{
    bool dhcp;
    g_autofree char *id = g_strdup_printf("network%u", number), *type = network_type(subnet, version, &dhcp);
    const char *network_id = nd_json_string(nd_json_object(vif, "network"), "id", NULL);
    g_autoptr(NdJson) network = json_object_new_object();
    nd_json_set_string(network, "id", id);
    nd_json_set_string(network, "type", type);
    nd_json_set_string(network, "link", link);
    if (dhcp) {
        nd_json_set_string(network, "network_id", network_id);
        return g_steal_pointer(&network);
    }
    Cidr cidr;
    NdJson *routes = parse_cidr(nd_json_string(subnet, "cidr", NULL), &cidr, error) ? routes_json(subnet, version, error) : NULL;
    if (routes == NULL)
        return NULL;
    g_autofree char *netmask = cidr_text(&cidr, NETMASK);
    nd_json_set_string(network, "ip_address", nd_json_string(item(nd_json_array(subnet, "ips"), 0), "address", NULL));
    nd_json_set_string(network, "netmask", netmask);
    nd_json_set(network, "routes", routes);
    nd_json_set_string(network, "network_id", network_id);
    nd_json_set(network, "services", dns_services(subnet));
    return g_steal_pointer(&network);
}

static void add_new_services(NdJson *services, NdJson *subnet)
{
    g_autoptr(NdJson) found = dns_services(subnet);
    guint before = length(services);
    for (guint i = 0; i < length(found); i++) {
        bool known = false;
        for (guint j = 0; j < before && !known; j++) /* only against those of other subnets, as upstream */
            known = nd_json_equal(item(services, j), item(found, i));
        if (!known)
            json_object_array_add(services, json_object_get(item(found, i)));
    }
}

typedef struct {
    NdJson *links, *networks, *services;
} NetworkData;

static bool add_vif(NdJson *vif, guint number, const NetworkData *data, GError **error)
{
    static const int versions[] = {4, 6};
    NdJson *link = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        NdJson *subnet = first_subnet(vif, versions[i]);
        if (subnet != NULL && link == NULL) {
            link = link_json(vif, number);
            json_object_array_add(data->links, link);
        }
        if (length(nd_json_array(subnet, "ips")) == 0)
            continue;
        NdJson *network = network_json(vif, subnet, versions[i], length(data->networks), nd_json_string(link, "id", NULL), error);
        if (network == NULL)
            return false;
        json_object_array_add(data->networks, network);
        add_new_services(data->services, subnet);
    }
    return true;
}

NdJson *agent_network_data(NdJson *network_info, GError **error)
{
    g_autoptr(NdJson) answer = json_object_new_object();
    if (length(network_info) == 0)
        return g_steal_pointer(&answer);
    NetworkData data = {json_object_new_array(), json_object_new_array(), json_object_new_array()};
    nd_json_set(answer, "links", data.links);
    nd_json_set(answer, "networks", data.networks);
    nd_json_set(answer, "services", data.services);
    guint number = 0;
    for (guint i = 0; i < length(network_info); i++) {
        NdJson *vif = item(network_info, i);
        if (length(subnets_of(vif)) > 0 && !add_vif(vif, number++, &data, error))
            return NULL;
    }
    return g_steal_pointer(&answer);
}

/* --- /etc/network/interfaces --------------------------------------------------------------------------------------------------------------- */

static void append_line(GString *text, const char *key, const char *value)
{
    if (value != NULL && *value != '\0')
        g_string_append_printf(text, "    %s %s\n", key, value);
}

static char *dns_text(NdJson *subnet)
{
    NdJson *dns = nd_json_array(subnet, "dns");
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < length(dns); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", nd_json_string(item(dns, i), "address", ""));
    return g_string_free(text, FALSE);
}

static bool append_stanza(GString *text, NdJson *vif, NdJson *subnet, int version, guint number, GError **error)
{
    NdJson *ips = nd_json_array(subnet, "ips");
    Cidr cidr;
    if (length(ips) == 0)
        return true;
    if (!parse_cidr(nd_json_string(subnet, "cidr", NULL), &cidr, error))
        return false;
    g_autofree char *dotted = cidr_text(&cidr, NETMASK), *prefix = g_strdup_printf("%d", cidr.prefix), *broadcast = cidr_text(&cidr, BROADCAST);
    g_autofree char *dns = dns_text(subnet);
    g_string_append_printf(text, "iface eth%u inet%s static\n", number, version == 4 ? "" : "6");
    append_line(text, "hwaddress ether", nd_json_string(vif, "address", NULL));
    append_line(text, "address", nd_json_string(item(ips, 0), "address", NULL));
    append_line(text, "netmask", version == 4 ? dotted : prefix);
    append_line(text, "broadcast", version == 4 ? broadcast : NULL);
    append_line(text, "gateway", gateway_address(subnet));
    append_line(text, "dns-nameservers", dns);
    return true;
}

bool agent_network_interfaces_text(NdJson *network_info, char **result, GError **error)
{
    g_autoptr(GString) text = g_string_new("# Injected by Nova on instance boot\n#\n"
                                           "# This file describes the network interfaces available on your system\n"
                                           "# and how to activate them. For more information, see interfaces(5).\n\n"
                                           "# The loopback network interface\nauto lo\niface lo inet loopback\n");
    guint number = 0, written = 0;
    for (guint i = 0; i < length(network_info); i++) {
        NdJson *vif = item(network_info, i);
        if (length(subnets_of(vif)) == 0)
            continue;
        guint this = number++;
        NdJson *v4 = first_subnet(vif, 4), *v6 = first_subnet(vif, 6);
        if (!nd_json_bool(nd_json_object(nd_json_object(vif, "network"), "meta"), "injected", false) || meta(v4, "dhcp_server") != NULL ||
            meta(v6, "dhcp_server") != NULL)
            continue;
        g_string_append_printf(text, "\nauto eth%u\n", this);
        if (!append_stanza(text, vif, v4, 4, this, error) || !append_stanza(text, vif, v6, 6, this, error))
            return false;
        written++;
    }
    *result = written > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
    return true;
}
