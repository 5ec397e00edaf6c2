/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "base/json.h"
#include "rpc/context.h"

/* Casts a method to the compute service of a host, which may be this one: the parts of a move hand the instance on this way (spec/compute-rpc.md
 * section 1), also from a host to itself, so that what was begun is not lost when the daemon stops in between. Takes `args`. */
bool compute_cast(Agent *agent, const RpcContext *context, const char *host, const char *method, NdJson *args /* takes */, GError **error);
