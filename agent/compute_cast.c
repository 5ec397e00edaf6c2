/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/compute_cast.h"

/* What all releases from Zed on accept for these methods. */
#define LOWEST_VERSION "6.0"

bool compute_cast(Agent *agent, const RpcContext *context, const char *host, const char *method, NdJson *args, GError **error)
{
    RpcTarget target = {.topic = "compute", .server = host, .version = LOWEST_VERSION};
    if (rpc_client_cast(agent->client, &target, context, method, args, NULL, error))
        return true;
    g_prefix_error(error, "%s on host '%s': ", method, host);
    return false;
}
