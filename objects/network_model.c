/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/network_model.h"

#include "objects/error.h"
#include "objects/generated/instance.h"

#include <string.h>

/* --- text ------------------------------------------------------------------------------------------------------------------------- */

static bool parse_text(const char *text, NdJson **json, GError **error)
{
    g_autoptr(GError) local = NULL;
    if (nd_json_parse(text, strlen(text), NULL, json, &local))
        return true;
    g_set_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NETWORK_INFO, "network_info is no JSON: %s", local->message);
    return false;
}

NovaVif *nova_vif_from_text(const char *text, GError **error)
{
    g_autoptr(NdJson) json = NULL;
    return parse_text(text, &json, error) ? nova_vif_from_json(json, error) : NULL;
}

GPtrArray *nova_network_info_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)nova_vif_free);
}

GPtrArray *nova_network_info_from_text(const char *text, GError **error)
{
    g_autoptr(GPtrArray) vifs = nova_network_info_new();
    g_autoptr(NdJson) json = NULL;
    if (!text || *text == '\0')
        return g_steal_pointer(&vifs);
    if (!parse_text(text, &json, error))
        return NULL;
    if (!json_object_is_type(json, json_type_array)) {
        g_set_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NETWORK_INFO, "network_info is no list");
        return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(json); i++) {
        NovaVif *vif = nova_vif_from_json(json_object_array_get_idx(json, i), error);
        if (!vif)
            return NULL;
        g_ptr_array_add(vifs, vif);
    }
    return g_steal_pointer(&vifs);
}

GPtrArray *nova_network_info_of(const NovaInstance *instance, GError **error)
{
    return nova_network_info_from_text(instance->info_cache ? instance->info_cache->network_info : NULL, error);
}

char *nova_vif_to_text(const NovaVif *vif)
{
    g_autoptr(NdJson) json = nova_vif_to_json(vif);
    return nd_json_to_string(json);
}

char *nova_network_info_to_text(const GPtrArray *vifs)
{
    g_autoptr(NdJson) json = nova_network_info_to_json(vifs);
    return nd_json_to_string(json);
}

/* --- life ---------------------------------------------------------------------------------------------------------------------------- */

NovaIp *nova_ip_new(const char *address, const char *type)
{
    NovaIp *ip = g_new0(NovaIp, 1);
    ip->address = g_strdup(address);
    ip->type = g_strdup(type);
    ip->version = address ? (strchr(address, ':') ? 6 : 4) : 0;
    ip->meta = json_object_new_object();
    return ip;
}

NovaIp *nova_fixed_ip_new(const char *address)
{
    NovaIp *ip = nova_ip_new(address, "fixed");
    ip->floating_ips = g_ptr_array_new_with_free_func((GDestroyNotify)nova_ip_free);
    return ip;
}

NovaRoute *nova_route_new(void)
{
    NovaRoute *route = g_new0(NovaRoute, 1);
    route->meta = json_object_new_object();
    return route;
}

NovaSubnet *nova_subnet_new(const char *cidr)
{
    NovaSubnet *subnet = g_new0(NovaSubnet, 1);
    subnet->cidr = g_strdup(cidr);
    subnet->version = cidr ? (strchr(cidr, ':') ? 6 : 4) : 0;
    subnet->dns = g_ptr_array_new_with_free_func((GDestroyNotify)nova_ip_free);
    subnet->ips = g_ptr_array_new_with_free_func((GDestroyNotify)nova_ip_free);
    subnet->routes = g_ptr_array_new_with_free_func((GDestroyNotify)nova_route_free);
    subnet->meta = json_object_new_object();
    return subnet;
}

NovaNetwork *nova_network_new(void)
{
    NovaNetwork *network = g_new0(NovaNetwork, 1);
    network->subnets = g_ptr_array_new_with_free_func((GDestroyNotify)nova_subnet_free);
    network->meta = json_object_new_object();
    return network;
}

NovaVif *nova_vif_new(void)
{
    NovaVif *vif = g_new0(NovaVif, 1);
    vif->vnic_type = g_strdup("normal");
    vif->details = json_object_new_object();
    vif->meta = json_object_new_object();
    return vif;
}

void nova_ip_free(NovaIp *ip)
{
    if (!ip)
        return;
    g_free(ip->address);
    g_free(ip->type);
    json_object_put(ip->meta);
    g_clear_pointer(&ip->floating_ips, g_ptr_array_unref);
    json_object_put(ip->extra);
    g_free(ip);
}

void nova_route_free(NovaRoute *route)
{
    if (!route)
        return;
    g_free(route->cidr);
    nova_ip_free(route->gateway);
    g_free(route->interface);
    json_object_put(route->meta);
    json_object_put(route->extra);
    g_free(route);
}

void nova_subnet_free(NovaSubnet *subnet)
{
    if (!subnet)
        return;
    g_free(subnet->cidr);
    g_clear_pointer(&subnet->dns, g_ptr_array_unref);
    nova_ip_free(subnet->gateway);
    g_clear_pointer(&subnet->ips, g_ptr_array_unref);
    g_clear_pointer(&subnet->routes, g_ptr_array_unref);
    json_object_put(subnet->meta);
    json_object_put(subnet->extra);
    g_free(subnet);
}

void nova_network_free(NovaNetwork *network)
{
    if (!network)
        return;
    g_free(network->id);
    g_free(network->bridge);
    g_free(network->label);
    g_clear_pointer(&network->subnets, g_ptr_array_unref);
    json_object_put(network->meta);
    json_object_put(network->extra);
    g_free(network);
}

void nova_vif_free(NovaVif *vif)
{
    if (!vif)
        return;
    g_free(vif->id);
    g_free(vif->address);
    nova_network_free(vif->network);
    g_free(vif->type);
    json_object_put(vif->details);
    g_free(vif->devname);
    g_free(vif->ovs_interfaceid);
    json_object_put(vif->qbh_params);
    json_object_put(vif->qbg_params);
    g_free(vif->vnic_type);
    json_object_put(vif->profile);
    json_object_put(vif->meta);
    json_object_put(vif->extra);
    g_free(vif);
}

NovaVif *nova_vif_clone(const NovaVif *vif)
{
    g_autoptr(NdJson) json = nova_vif_to_json(vif);
    g_autoptr(GError) error = NULL;
    NovaVif *copy = nova_vif_from_json(json, &error);
    if (!copy)
        g_error("a VIF that was written cannot be read: %s", error->message);
    return copy;
}

GPtrArray *nova_network_info_clone(const GPtrArray *vifs)
{
    GPtrArray *copy = nova_network_info_new();
    for (guint i = 0; i < vifs->len; i++)
        g_ptr_array_add(copy, nova_vif_clone(vifs->pdata[i]));
    return copy;
}

/* --- questions ----------------------------------------------------------------------------------------------------------------------- */

NovaVif *nova_network_info_find(const GPtrArray *vifs, const char *id)
{
    for (guint i = 0; i < vifs->len; i++) {
        NovaVif *vif = vifs->pdata[i];
        if (g_strcmp0(vif->id, id) == 0)
            return vif;
    }
    return NULL;
}

NovaVif *nova_network_info_find_by_address(const GPtrArray *vifs, const char *mac)
{
    for (guint i = 0; i < vifs->len; i++) {
        NovaVif *vif = vifs->pdata[i];
        if (vif->address && mac && g_ascii_strcasecmp(vif->address, mac) == 0)
            return vif;
    }
    return NULL;
}

static void add_fixed_ips(const NovaVif *vif, GPtrArray *ips)
{
    for (guint i = 0; vif->network && i < vif->network->subnets->len; i++) {
        const NovaSubnet *subnet = vif->network->subnets->pdata[i];
        for (guint k = 0; k < subnet->ips->len; k++)
            g_ptr_array_add(ips, subnet->ips->pdata[k]);
    }
}

GPtrArray *nova_vif_fixed_ips(const NovaVif *vif)
{
    GPtrArray *ips = g_ptr_array_new();
    add_fixed_ips(vif, ips);
    return ips;
}

GPtrArray *nova_network_info_fixed_ips(const GPtrArray *vifs)
{
    GPtrArray *ips = g_ptr_array_new();
    for (guint i = 0; i < vifs->len; i++)
        add_fixed_ips(vifs->pdata[i], ips);
    return ips;
}

/* The JSON without each part's meta. */
static void drop_meta(NdJson *json)
{
    static const char *const parts[] = {"network", "subnets", "ips", "dns", "routes", "gateway", "floating_ips", NULL};
    if (json_object_is_type(json, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(json); i++)
            drop_meta(json_object_array_get_idx(json, i));
        return;
    }
    if (!json_object_is_type(json, json_type_object))
        return;
    json_object_object_del(json, "meta");
    for (const char *const *key = parts; *key; key++)
        drop_meta(nd_json_member(json, *key));
}

bool nova_vif_equal(const NovaVif *a, const NovaVif *b)
{
    g_autoptr(NdJson) x = nova_vif_to_json(a);
    g_autoptr(NdJson) y = nova_vif_to_json(b);
    drop_meta(x);
    drop_meta(y);
    return nd_json_equal(x, y);
}

int nova_vif_mtu(const NovaVif *vif)
{
    return vif->network ? (int)CLAMP(nd_json_int(vif->network->meta, "mtu", 0), 0, 65535) : 0;
}

const char *nova_vif_physical_network(const NovaVif *vif)
{
    const char *name = vif->network ? nd_json_string(vif->network->meta, "physical_network", "") : "";
    return *name ? name : nd_json_string(vif->details, "physical_network", NULL);
}

bool nova_vif_is_hybrid_plug(const NovaVif *vif)
{
    return nd_json_bool(vif->details, "ovs_hybrid_plug", false);
}

bool nova_vif_is_port_filter(const NovaVif *vif)
{
    return nd_json_bool(vif->details, "port_filter", false);
}

/* Python's truth of a value. */
static bool is_true(NdJson *value)
{
    switch (json_object_get_type(value)) {
    case json_type_object:
        return json_object_object_length(value) > 0;
    case json_type_array:
        return json_object_array_length(value) > 0;
    case json_type_string:
        return json_object_get_string_len(value) > 0;
    default:
        return json_object_get_boolean(value);
    }
}

bool nova_vif_has_allocation(const NovaVif *vif)
{
    return is_true(nd_json_member(vif->profile, "allocation"));
}

const char *nova_subnet_dhcp_server(const NovaSubnet *subnet)
{
    return nd_json_string(subnet->meta, "dhcp_server", NULL);
}
