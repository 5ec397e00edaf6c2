/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of agent/network*.c: nova's network model made from Neutron's answers. */
#include "agent/network_ports.h"

/* Describes the ports `port_ids` of the instance, in this order; ports that Neutron no longer knows are left out. `preserved` lists ports that
 * existed before the instance (may be NULL; those marked so in the cache count too). *vifs is a new JSON list. */
bool network_info_build(NetworkPlan *plan, const char *const *port_ids, const char *const *preserved, NdJson **vifs, GError **error);
/* Ids of the instance's ports in Neutron, ordered by their VirtualInterface records; g_strfreev. */
char **network_info_ordered_ports(NetworkPlan *plan, GError **error);

/* Pure part of the above, for one port; `networks` of NeutronNetwork, `subnets` of NeutronSubnet, `dhcp_ports` and `floating_ips` as listed. A new
 * object (VIF of the network model). `flat_injected` and `ovs_bridge` are options [DEFAULT]flat_injected and [neutron]ovs_bridge. */
typedef struct {
    const GPtrArray *networks, *subnets, *dhcp_ports, *floating_ips;
    bool flat_injected;
    const char *ovs_bridge;
    bool preserve_on_delete;
} NetworkInfoSource;
NdJson *network_info_vif(const NeutronPort *port, const NetworkInfoSource *source);
