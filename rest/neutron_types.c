/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/neutron_types.h"

#include "rest/error.h"

/* Zeroes what the table allocated, and gives the JSON back. */
static void free_resource(const NeutronType *type, void *resource)
{
    rest_decode_clear(type->fields, type->n_fields, resource);
    json_object_put(*(NdJson **)((char *)resource + type->raw_offset));
    g_free(resource);
}

bool neutron_decode(const NeutronType *type, NdJson *object, void **out, GError **error)
{
    void *resource = g_malloc0(type->size);
    if (!rest_decode(object, type->singular, type->fields, type->n_fields, resource, error)) {
        g_free(resource);
        return false;
    }
    *(NdJson **)((char *)resource + type->raw_offset) = json_object_get(object);
    if (type->finish != NULL && !type->finish(object, resource, error)) {
        type->free(resource);
        return false;
    }
    *out = resource;
    return true;
}

static const RestField port_fields[] = {
    {"id", REST_FIELD_REQUIRED, offsetof(NeutronPort, id), 0},
    {"name", REST_FIELD_STRING, offsetof(NeutronPort, name), 0},
    {"network_id", REST_FIELD_REQUIRED, offsetof(NeutronPort, network_id), 0},
    {"mac_address", REST_FIELD_STRING, offsetof(NeutronPort, mac_address), 0},
    {"status", REST_FIELD_STRING, offsetof(NeutronPort, status), 0},
    {"project_id", REST_FIELD_STRING, offsetof(NeutronPort, project_id), 0},
    {"device_id", REST_FIELD_STRING, offsetof(NeutronPort, device_id), 0},
    {"device_owner", REST_FIELD_STRING, offsetof(NeutronPort, device_owner), 0},
    {"admin_state_up", REST_FIELD_BOOL, offsetof(NeutronPort, admin_state_up), 1},
    {"binding:host_id", REST_FIELD_STRING, offsetof(NeutronPort, binding_host_id), 0},
    {"binding:vnic_type", REST_FIELD_STRING, offsetof(NeutronPort, binding_vnic_type), 0},
    {"binding:vif_type", REST_FIELD_STRING, offsetof(NeutronPort, binding_vif_type), 0},
    {"binding:vif_details", REST_FIELD_OBJECT, offsetof(NeutronPort, vif_details), 0},
    {"binding:profile", REST_FIELD_OBJECT, offsetof(NeutronPort, profile), 0},
    {"security_groups", REST_FIELD_STRINGS, offsetof(NeutronPort, security_groups), 0},
};

static const RestField fixed_ip_fields[] = {
    {"subnet_id", REST_FIELD_STRING, offsetof(NeutronFixedIp, subnet_id), 0},
    {"ip_address", REST_FIELD_REQUIRED, offsetof(NeutronFixedIp, ip_address), 0},
};

static bool finish_port(NdJson *object, void *out, GError **error)
{
    NeutronPort *port = out;
    NdJson *array = nd_json_member(object, "fixed_ips");
    if (array == NULL)
        return true;
    if (!rest_need(object, "port", "fixed_ips", json_type_array, &array, error))
        return false;
    size_t count = json_object_array_length(array);
    port->fixed_ips = g_new0(NeutronFixedIp, count);
    for (size_t i = 0; i < count; i++) {
        if (!rest_decode(json_object_array_get_idx(array, i), "fixed IP", fixed_ip_fields, G_N_ELEMENTS(fixed_ip_fields),
                         &port->fixed_ips[i], error))
            return false;
        port->n_fixed_ips++;
    }
    return true;
}

void neutron_port_free(NeutronPort *port)
{
    if (port == NULL)
        return;
    for (size_t i = 0; i < port->n_fixed_ips; i++)
        rest_decode_clear(fixed_ip_fields, G_N_ELEMENTS(fixed_ip_fields), &port->fixed_ips[i]);
    g_free(port->fixed_ips);
    free_resource(&neutron_type_port, port);
}

const NeutronType neutron_type_port = {
    .singular = "port",
    .plural = "ports",
    .path = "ports",
    .fields = port_fields,
    .n_fields = G_N_ELEMENTS(port_fields),
    .size = sizeof(NeutronPort),
    .raw_offset = offsetof(NeutronPort, raw),
    .finish = finish_port,
    .free = (GDestroyNotify)neutron_port_free,
};

static const RestField network_fields[] = {
    {"id", REST_FIELD_REQUIRED, offsetof(NeutronNetwork, id), 0},
    {"name", REST_FIELD_STRING, offsetof(NeutronNetwork, name), 0},
    {"project_id", REST_FIELD_STRING, offsetof(NeutronNetwork, project_id), 0},
    {"status", REST_FIELD_STRING, offsetof(NeutronNetwork, status), 0},
    {"mtu", REST_FIELD_INT, offsetof(NeutronNetwork, mtu), 0},
    {"shared", REST_FIELD_BOOL, offsetof(NeutronNetwork, shared), 0},
    {"router:external", REST_FIELD_BOOL, offsetof(NeutronNetwork, external), 0},
    {"admin_state_up", REST_FIELD_BOOL, offsetof(NeutronNetwork, admin_state_up), 1},
    {"subnets", REST_FIELD_STRINGS, offsetof(NeutronNetwork, subnets), 0},
    {"provider:network_type", REST_FIELD_STRING, offsetof(NeutronNetwork, provider_network_type), 0},
    {"provider:physical_network", REST_FIELD_STRING, offsetof(NeutronNetwork, provider_physical_network), 0},
    {"provider:segmentation_id", REST_FIELD_INT, offsetof(NeutronNetwork, provider_segmentation_id), -1},
};

void neutron_network_free(NeutronNetwork *network)
{
    if (network != NULL)
        free_resource(&neutron_type_network, network);
}

const NeutronType neutron_type_network = {
    .singular = "network",
    .plural = "networks",
    .path = "networks",
    .fields = network_fields,
    .n_fields = G_N_ELEMENTS(network_fields),
    .size = sizeof(NeutronNetwork),
    .raw_offset = offsetof(NeutronNetwork, raw),
    .free = (GDestroyNotify)neutron_network_free,
};

static const RestField subnet_fields[] = {
    {"id", REST_FIELD_REQUIRED, offsetof(NeutronSubnet, id), 0},
    {"name", REST_FIELD_STRING, offsetof(NeutronSubnet, name), 0},
    {"network_id", REST_FIELD_REQUIRED, offsetof(NeutronSubnet, network_id), 0},
    {"cidr", REST_FIELD_REQUIRED, offsetof(NeutronSubnet, cidr), 0},
    {"gateway_ip", REST_FIELD_STRING, offsetof(NeutronSubnet, gateway_ip), 0},
    {"project_id", REST_FIELD_STRING, offsetof(NeutronSubnet, project_id), 0},
    {"enable_dhcp", REST_FIELD_BOOL, offsetof(NeutronSubnet, enable_dhcp), 0},
    {"ipv6_address_mode", REST_FIELD_STRING, offsetof(NeutronSubnet, ipv6_address_mode), 0},
    {"ipv6_ra_mode", REST_FIELD_STRING, offsetof(NeutronSubnet, ipv6_ra_mode), 0},
    {"dns_nameservers", REST_FIELD_STRINGS, offsetof(NeutronSubnet, dns_nameservers), 0},
    {"host_routes", REST_FIELD_ARRAY, offsetof(NeutronSubnet, host_routes), 0},
};

static bool finish_subnet(NdJson *object, void *out, GError **error)
{
    NeutronSubnet *subnet = out;
    NdJson *version;
    if (!rest_need(object, "subnet", "ip_version", json_type_int, &version, error))
        return false;
    subnet->ip_version = json_object_get_int(version);
    if (subnet->ip_version != 4 && subnet->ip_version != 6)
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "subnet: 'ip_version' is %d", subnet->ip_version);
    return true;
}

void neutron_subnet_free(NeutronSubnet *subnet)
{
    if (subnet != NULL)
        free_resource(&neutron_type_subnet, subnet);
}

const NeutronType neutron_type_subnet = {
    .singular = "subnet",
    .plural = "subnets",
    .path = "subnets",
    .fields = subnet_fields,
    .n_fields = G_N_ELEMENTS(subnet_fields),
    .size = sizeof(NeutronSubnet),
    .raw_offset = offsetof(NeutronSubnet, raw),
    .finish = finish_subnet,
    .free = (GDestroyNotify)neutron_subnet_free,
};

static const RestField floating_ip_fields[] = {
    {"id", REST_FIELD_REQUIRED, offsetof(NeutronFloatingIp, id), 0},
    {"floating_ip_address", REST_FIELD_REQUIRED, offsetof(NeutronFloatingIp, floating_ip_address), 0},
    {"fixed_ip_address", REST_FIELD_STRING, offsetof(NeutronFloatingIp, fixed_ip_address), 0},
    {"port_id", REST_FIELD_STRING, offsetof(NeutronFloatingIp, port_id), 0},
    {"floating_network_id", REST_FIELD_STRING, offsetof(NeutronFloatingIp, floating_network_id), 0},
    {"router_id", REST_FIELD_STRING, offsetof(NeutronFloatingIp, router_id), 0},
    {"status", REST_FIELD_STRING, offsetof(NeutronFloatingIp, status), 0},
};

void neutron_floating_ip_free(NeutronFloatingIp *ip)
{
    if (ip != NULL)
        free_resource(&neutron_type_floating_ip, ip);
}

const NeutronType neutron_type_floating_ip = {
    .singular = "floatingip",
    .plural = "floatingips",
    .path = "floatingips",
    .fields = floating_ip_fields,
    .n_fields = G_N_ELEMENTS(floating_ip_fields),
    .size = sizeof(NeutronFloatingIp),
    .raw_offset = offsetof(NeutronFloatingIp, raw),
    .free = (GDestroyNotify)neutron_floating_ip_free,
};

static const RestField security_group_fields[] = {
    {"id", REST_FIELD_REQUIRED, offsetof(NeutronSecurityGroup, id), 0},
    {"name", REST_FIELD_STRING, offsetof(NeutronSecurityGroup, name), 0},
    {"project_id", REST_FIELD_STRING, offsetof(NeutronSecurityGroup, project_id), 0},
    {"description", REST_FIELD_STRING, offsetof(NeutronSecurityGroup, description), 0},
};

void neutron_security_group_free(NeutronSecurityGroup *group)
{
    if (group != NULL)
        free_resource(&neutron_type_security_group, group);
}

const NeutronType neutron_type_security_group = {
    .singular = "security_group",
    .plural = "security_groups",
    .path = "security-groups",
    .fields = security_group_fields,
    .n_fields = G_N_ELEMENTS(security_group_fields),
    .size = sizeof(NeutronSecurityGroup),
    .raw_offset = offsetof(NeutronSecurityGroup, raw),
    .free = (GDestroyNotify)neutron_security_group_free,
};
