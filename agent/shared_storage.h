/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

typedef struct NovaInstance NovaInstance;

/* Whether another host sees the same files of an instance: a file is made in its folder here, and that host is asked for it by
 * check_instance_shared_storage. True as well if it cannot be asked (upstream _is_instance_storage_shared): files are kept when in doubt. */
bool shared_storage_check(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *host);
