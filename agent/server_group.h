/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "objects/objects.h"
#include "rpc/context.h"

/* Server groups: the scheduler's affinity decision is looked at again once the instance is claimed here, since two builds may have been
 * scheduled at the same time (nova.compute.manager, _validate_instance_group_policy). */

/* NOVA_EXC_GROUP_AFFINITY_VIOLATION if the group's policy forbids this host. `spec` and `filter_properties` say which group, both may be NULL.
 * Off with [workarounds]disable_group_policy_check_upcall. */
bool server_group_check_policy(Agent *agent, const RpcContext *context, NovaInstance *instance, NovaRequestSpec *spec, NdJson *filter_properties,
                               GError **error);
