/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/service.h"

/*
 * Neutron v2.0. `auth` NULL = [neutron]'s own (admin) credentials, else the user's token. Fields that have no member here are in `raw`, the
 * JSON object as answered (borrowed, owned by the struct; json-c objects are for one thread at a time).
 * Source: Networking API v2; what nova calls: nova.network.neutron.
 */
typedef struct NeutronClient NeutronClient;
/* Refs the service. extension_sync_interval: seconds for which the extension list is kept. */
NeutronClient *neutron_client_new(RestService *service, int extension_sync_interval);
NeutronClient *neutron_client_ref(NeutronClient *client);
void neutron_client_unref(NeutronClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NeutronClient, neutron_client_unref)

typedef struct {
    char *subnet_id, *ip_address;
} NeutronFixedIp;

typedef struct {
    char *id, *name, *network_id, *mac_address, *status, *project_id, *device_id, *device_owner;
    bool admin_state_up;
    char *binding_host_id, *binding_vnic_type, *binding_vif_type; /* NULL = not shown to us */
    NeutronFixedIp *fixed_ips;
    size_t n_fixed_ips;
    char **security_groups;        /* ids */
    NdJson *vif_details, *profile; /* borrowed from raw; NULL = none */
    NdJson *raw;
} NeutronPort;
void neutron_port_free(NeutronPort *port);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NeutronPort, neutron_port_free)

typedef struct {
    char *id, *name, *project_id, *status;
    gint64 mtu; /* 0 = not known */
    bool shared, external, admin_state_up;
    char **subnets;                                          /* ids */
    char *provider_network_type, *provider_physical_network; /* NULL = not shown to us, or none */
    gint64 provider_segmentation_id;                         /* -1 = none */
    NdJson *raw;
} NeutronNetwork;
void neutron_network_free(NeutronNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NeutronNetwork, neutron_network_free)

typedef struct {
    char *id, *name, *network_id, *cidr, *gateway_ip, *project_id; /* gateway_ip NULL = none */
    int ip_version;
    bool enable_dhcp;
    char *ipv6_address_mode, *ipv6_ra_mode; /* NULL = none */
    char **dns_nameservers;
    NdJson *host_routes; /* array of {destination, nexthop}; borrowed from raw */
    NdJson *raw;
} NeutronSubnet;
void neutron_subnet_free(NeutronSubnet *subnet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NeutronSubnet, neutron_subnet_free)

typedef struct {
    char *id, *floating_ip_address, *fixed_ip_address, *port_id, *floating_network_id, *router_id, *status;
    NdJson *raw;
} NeutronFloatingIp;
void neutron_floating_ip_free(NeutronFloatingIp *ip);

typedef struct {
    char *id, *name, *project_id, *description;
    NdJson *raw;
} NeutronSecurityGroup;
void neutron_security_group_free(NeutronSecurityGroup *group);

/* Lists: `query` is name, value, …, NULL ("device_id", uuid, NULL); a name may come several times (any of the values); a query too long for
 * one URL because of a repeated name is split. *list: GPtrArray of the struct, with free function. */
bool neutron_list_ports(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error);
bool neutron_list_networks(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error);
bool neutron_list_subnets(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error);
bool neutron_list_floating_ips(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error);
bool neutron_list_security_groups(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error);

bool neutron_show_port(NeutronClient *client, const RestAuth *auth, const char *id, NeutronPort **port, GError **error);
bool neutron_show_network(NeutronClient *client, const RestAuth *auth, const char *id, NeutronNetwork **network, GError **error);
bool neutron_show_subnet(NeutronClient *client, const RestAuth *auth, const char *id, NeutronSubnet **subnet, GError **error);

/* `attributes` is the inside of {"port": …}; borrowed. port may be NULL. Service codes to look at: "IpAddressInUse", "MacAddressInUse",
 * "OverQuota", "NoMoreFixedIps" / "IpAddressGenerationFailure", "PortBindingFailed"... */
bool neutron_create_port(NeutronClient *client, const RestAuth *auth, NdJson *attributes, NeutronPort **port, GError **error);
bool neutron_update_port(NeutronClient *client, const RestAuth *auth, const char *id, NdJson *attributes, NeutronPort **port,
                         GError **error);
/* A port that is gone is REST_ERROR_NOT_FOUND. */
bool neutron_delete_port(NeutronClient *client, const RestAuth *auth, const char *id, GError **error);

/* Bindings of the extension "binding-extended". *binding: JSON object {host, vif_type, vif_details, vnic_type, profile, status}, new
 * reference. */
bool neutron_list_bindings(NeutronClient *client, const RestAuth *auth, const char *port_id, NdJson **bindings, GError **error);
bool neutron_show_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, const char *host, NdJson **binding,
                          GError **error);
bool neutron_create_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, NdJson *attributes, NdJson **binding,
                            GError **error);
bool neutron_activate_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, const char *host, GError **error);
bool neutron_delete_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, const char *host, GError **error);

/* Whether Neutron has the extension (alias, "binding-extended", "dns-integration", "port-resource-request"); the list is cached. */
bool neutron_has_extension(NeutronClient *client, const RestAuth *auth, const char *alias, bool *has, GError **error);
