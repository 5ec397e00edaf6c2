/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "objects/objects.h"
#include "rpc/context.h"

/*
 * An instance's networking as Neutron sees it: ports, their bindings to this host, and the network info that is kept in the instance's info
 * cache. The order of calls and whose token each carries follow nova/network/neutron.py: ports are made and listed for the user with the
 * user's token, bound and described with [neutron]'s own. Functions block; errors are NOVA_EXCEPTION where nova has a class, else REST_ERROR.
 *
 * `vifs` is always the JSON list of nova's network model (spec/objects.md, InstanceInfoCache.network_info).
 */

/* Makes or takes the requested ports, binds them to this host, records VirtualInterfaces and fills the info cache. `requested` NULL or empty =
 * the project's only network. `security_groups` is a JSON list of names or ids (may be NULL). On failure ports made here are deleted, taken
 * ones released, records removed. *vifs (new reference) has the instance's ports in requested order. */
bool network_allocate(Agent *agent, const RpcContext *context, NovaInstance *instance, NovaNetworkRequestList *requested,
                      NdJson *security_groups, NdJson **vifs, GError **error);
/* Releases the ports that existed before (those of `requested`, which may be NULL, and preserve_on_delete ones), deletes the others, removes the
 * VirtualInterface records and empties the info cache. */
bool network_deallocate(Agent *agent, const RpcContext *context, NovaInstance *instance, NovaNetworkRequestList *requested, GError **error);
/* Detaches one port: released or deleted as above. *vifs (may be NULL) gets what is left. */
bool network_deallocate_port(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *port_id, NdJson **vifs, GError **error);

/* Binds ports that are on another host, or none, to this one (a build that was re-scheduled here: system_metadata network_allocated). */
bool network_bind_to_host(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error);

typedef enum {
    NETWORK_REFRESH_CACHED, /* the ports that the cache lists */
    NETWORK_REFRESH_FORCE,  /* the ports that Neutron lists (ordered as the VirtualInterface records) */
} NetworkRefresh;
/* Reads Neutron and stores the info cache. *vifs may be NULL. */
bool network_refresh(Agent *agent, const RpcContext *context, NovaInstance *instance, NetworkRefresh how, NdJson **vifs, GError **error);
/* The same for one port, the others as cached ("network-changed" event). */
bool network_refresh_port(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *port_id, NdJson **vifs, GError **error);
/* Stores `vifs` (borrowed) as the info cache. A deleted instance is left alone. */
bool network_store(Agent *agent, const RpcContext *context, NovaInstance *instance, NdJson *vifs, GError **error);
/* What the instance's info cache holds: a new list, empty if there is no cache. */
NdJson *network_cached(const NovaInstance *instance);

/* add_fixed_ip_to_instance, remove_fixed_ip_from_instance. NOVA_EXC_NETWORK_NOT_FOUND_FOR_INSTANCE, NOVA_EXC_FIXED_IP_NOT_FOUND_FOR_INSTANCE. */
bool network_add_fixed_ip(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *network_id, GError **error);
bool network_remove_fixed_ip(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *address, GError **error);

/* True if the request says that no network is wanted ("none"). NULL: false. */
bool network_request_is_none(NovaNetworkRequestList *requested);
/* True if it asks for an automatically made network ("auto"). */
bool network_request_is_auto(NovaNetworkRequestList *requested);
