/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

/* What a guest is told of its networks, from a VIF list as in the info cache (upstream nova/virt/netutils.py). */

/* network_data.json: {links, networks, services}; an empty object when there is no VIF. A new object. Errors: ND_ERROR_PARSE (an address or CIDR that is none). */
NdJson *agent_network_data(NdJson *network_info, GError **error);
/* The text of /etc/network/interfaces for networks that are injected ([DEFAULT]flat_injected) and have no DHCP, as nova's default template renders it; *text NULL
 * when there are none. */
bool agent_network_interfaces_text(NdJson *network_info, char **text, GError **error);
/* The first fixed and the first floating IPv4 address, borrowed, NULL none. */
const char *agent_first_fixed_ipv4(NdJson *network_info);
const char *agent_first_floating_ip(NdJson *network_info);
