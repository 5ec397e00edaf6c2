/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * The periodic task _run_image_cache_manager_pass (upstream nova/compute/manager.py, nova/virt/imagecache.py): notes this host as a user of its instances
 * folder, asks which instances the hosts have that use the same folder, and has the cache aged (virt/image_cache_clean.h). docs/image-cache.md.
 */
void image_cache_manager_pass(Agent *agent, RpcContext *context);
