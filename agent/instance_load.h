/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "objects/objects.h"

/* Fetches, in one call to the conductor, what describes the guest and is not in the instance as it came: nova-api sends instances without
 * flavor, NUMA topology, PCI devices, CPU model and so on to most methods, and upstream's objects fetch each of them when it is first read
 * (nova.objects.instance, obj_load_attr). Nothing is sent when all are there. Changes that the instance already has are kept. Blocks. */
bool instance_load_for_guest(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error);
