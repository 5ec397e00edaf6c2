/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of agent/network*.c: ports of one instance. */
#include "agent/network.h"
#include "rest/error.h"
#include "rest/neutron.h"

/* One requested interface on its way to a bound port. */
typedef struct {
    NovaNetworkRequest *request; /* ref */
    NeutronPort *existing;       /* the port that the user named, or NULL */
    NeutronNetwork *network;     /* borrowed from NetworkPlan.networks; NULL = not visible */
    char *port_id;               /* of the named or the made port */
    bool created;                /* made by us */
    bool recorded;               /* a VirtualInterface record exists */
} NetworkPlanEntry;

typedef struct {
    Agent *agent;
    const RpcContext *context;
    NovaInstance *instance;
    RestAuth *user, *admin;
    GPtrArray *entries;  /* NetworkPlanEntry */
    GPtrArray *networks; /* NeutronNetwork */
} NetworkPlan;

NetworkPlan *network_plan_new(Agent *agent, const RpcContext *context, NovaInstance *instance);
void network_plan_free(NetworkPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkPlan, network_plan_free)

/* Reads and checks what the user asked for; fills entries and networks. */
bool network_plan_validate(NetworkPlan *plan, NovaNetworkRequestList *requested, GError **error);
/* Makes missing ports, binds all, writes VirtualInterface records. Undoes its own work on failure. */
bool network_plan_create_ports(NetworkPlan *plan, NdJson *security_groups, GError **error);
/* What that made is deleted, and what the user brought is given back; failures are logged. */
void network_plan_undo(NetworkPlan *plan);

/* Clears device, host and binding details of ports that are not ours to delete. Failures are logged: the other ports go on. */
void network_unbind_ports(NetworkPlan *plan, const char *const *port_ids);
/* Deletes ports; a missing one is fine. The first failure is reported after all were tried. */
bool network_delete_ports(NetworkPlan *plan, const char *const *port_ids, GError **error);
/* In whose name calls for this context go: the user's token, or our own if the context has none. */
RestAuth *network_user_auth(Agent *agent, const RpcContext *context);
