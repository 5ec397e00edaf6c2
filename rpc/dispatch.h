/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/server.h"

/* Which endpoint and method a request means, and whether its arguments fit (spec/rpc-wire.md sections 4.4 and 4.5). */

/* True if a server of version `implemented` ("6.5") serves a request of version `requested`: same major, minor not higher; a third number counts
 * only when the minors are equal. Broken versions are served by nobody. */
bool rpc_version_compatible(const char *implemented, const char *requested);

/* The method that serves the request, or NULL and NOVA_EXC_UNSUPPORTED_VERSION, NOVA_EXC_NO_SUCH_METHOD. *endpoint (may be NULL) is where it was
 * found. */
const RpcMethod *rpc_dispatch_find(const RpcEndpoint *endpoints, size_t count, const char *name_space, const char *version, const char *method,
                                   const RpcEndpoint **endpoint, GError **error);
/* Unknown and missing argument names are NOVA_EXC_TYPE_ERROR, as Python's call would raise. */
bool rpc_dispatch_check_args(const RpcMethod *method, NdJson *args, GError **error);
