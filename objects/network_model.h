/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "objects/generated/types.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The network model: what InstanceInfoCache.network_info holds as JSON text (spec/objects.md section 1; upstream nova.network.model). A
 * network_info is a GPtrArray of NovaVif that frees its elements. Everything is a plain tree owned by its VIF; strings may be NULL (null on
 * the wire). `details`, `profile` and `meta` stay JSON objects, as their keys are the network backends' own; read them with
 * nd_json_string() and the like. Keys that the model does not know are kept in `extra` and written back.
 *
 * A tree belongs to one thread at a time: the JSON inside it is not reference counted atomically.
 */

typedef struct {
    char *address;
    char *type;  /* "fixed", "floating", "gateway", "dns" … */
    int version; /* 4, 6; 0 = null on the wire */
    NdJson *meta;
    GPtrArray *floating_ips; /* of NovaIp; NULL: this is no fixed IP and has no such key */
    NdJson *extra;
} NovaIp;

typedef struct {
    char *cidr;
    NovaIp *gateway;
    char *interface;
    NdJson *meta;
    NdJson *extra;
} NovaRoute;

typedef struct {
    char *cidr;
    GPtrArray *dns; /* of NovaIp */
    NovaIp *gateway;
    GPtrArray *ips;    /* of NovaIp, fixed */
    GPtrArray *routes; /* of NovaRoute */
    int version;
    NdJson *meta; /* dhcp_server, … */
    NdJson *extra;
} NovaSubnet;

typedef struct {
    char *id;
    char *bridge;
    char *label;
    GPtrArray *subnets; /* of NovaSubnet */
    NdJson *meta;       /* injected, tenant_id, mtu, physical_network, tunneled, should_create_bridge, … */
    NdJson *extra;
} NovaNetwork;

typedef struct {
    char *id;      /* the port's uuid */
    char *address; /* MAC */
    NovaNetwork *network;
    char *type; /* vif_type: "bridge", "ovs", … */
    NdJson *details;
    char *devname;
    char *ovs_interfaceid;
    NdJson *qbh_params; /* NULL = null */
    NdJson *qbg_params; /* NULL = null */
    bool active;
    char *vnic_type; /* "normal" when new */
    NdJson *profile; /* NULL = null */
    bool preserve_on_delete;
    bool delegate_create;
    NdJson *meta;
    NdJson *extra;
} NovaVif;

/* New parts, as upstream's constructors make them. An IP's version is found from its address; type NULL = null. The caller frees with the
 * matching free function, or hands it to the tree. */
NovaVif *nova_vif_new(void);
NovaNetwork *nova_network_new(void);
NovaSubnet *nova_subnet_new(const char *cidr);
NovaRoute *nova_route_new(void);
NovaIp *nova_ip_new(const char *address, const char *type);
NovaIp *nova_fixed_ip_new(const char *address); /* type "fixed", no floating IPs */

/* NULL is allowed. */
void nova_vif_free(NovaVif *vif);
void nova_network_free(NovaNetwork *network);
void nova_subnet_free(NovaSubnet *subnet);
void nova_route_free(NovaRoute *route);
void nova_ip_free(NovaIp *ip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NovaVif, nova_vif_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NovaNetwork, nova_network_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NovaSubnet, nova_subnet_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NovaRoute, nova_route_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NovaIp, nova_ip_free)

/* One VIF from and to JSON; the JSON is copied. Errors: OBJECTS_ERROR_NETWORK_INFO, naming the path. */
NovaVif *nova_vif_from_json(NdJson *json, GError **error);
NdJson *nova_vif_to_json(const NovaVif *vif);
/* The text form of VIFMigrateData.source_vif. */
NovaVif *nova_vif_from_text(const char *text, GError **error);
char *nova_vif_to_text(const NovaVif *vif);
NovaVif *nova_vif_clone(const NovaVif *vif);

/* An empty network_info. */
GPtrArray *nova_network_info_new(void);
/* Reads the text; NULL and "" give an empty one. Caller unrefs with g_ptr_array_unref. Errors: OBJECTS_ERROR_NETWORK_INFO. */
GPtrArray *nova_network_info_from_text(const char *text, GError **error);
/* The text as InstanceInfoCache.network_info has it; caller frees. */
char *nova_network_info_to_text(const GPtrArray *vifs);
NdJson *nova_network_info_to_json(const GPtrArray *vifs);
GPtrArray *nova_network_info_clone(const GPtrArray *vifs);
/* That of an instance; an empty one if the instance has no info cache. */
GPtrArray *nova_network_info_of(const NovaInstance *instance, GError **error);

/* The VIF with that port id / MAC (any case), borrowed; NULL if there is none. */
NovaVif *nova_network_info_find(const GPtrArray *vifs, const char *id);
NovaVif *nova_network_info_find_by_address(const GPtrArray *vifs, const char *mac);
/* Fixed IPs of a VIF (of all subnets), borrowed; caller frees the array only. */
GPtrArray *nova_vif_fixed_ips(const NovaVif *vif);
/* Fixed IPs of all VIFs. */
GPtrArray *nova_network_info_fixed_ips(const GPtrArray *vifs);
/* True if both say the same (meta does not count, as in upstream's comparison). */
bool nova_vif_equal(const NovaVif *a, const NovaVif *b);

/* network.meta mtu, 0 if not given. */
int nova_vif_mtu(const NovaVif *vif);
/* network.meta physical_network, else details physical_network, else NULL; borrowed. */
const char *nova_vif_physical_network(const NovaVif *vif);
/* details ovs_hybrid_plug: network-vif-plugged comes when the interface is plugged, also in a live migration. */
bool nova_vif_is_hybrid_plug(const NovaVif *vif);
/* details port_filter: Neutron filters the traffic itself. */
bool nova_vif_is_port_filter(const NovaVif *vif);
/* profile allocation: the port has resources in Placement. */
bool nova_vif_has_allocation(const NovaVif *vif);
/* The address of the DHCP server in a subnet's meta, or NULL; borrowed. */
const char *nova_subnet_dhcp_server(const NovaSubnet *subnet);
