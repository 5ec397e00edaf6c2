/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * RpcDispatchFunc: in the receiving thread, decodes the arguments into typed values, drops the JSON tree, and hands the request as an
 * operation to its lane or to the quick workers. What cannot be decoded is answered at once. `user_data` is the Agent.
 */
void agent_dispatch(RpcRequest *request /* takes */, gpointer user_data);

/*
 * The agent calls one of its own methods (start-up, periodic tasks), where upstream calls the function or casts to itself: queued like a request,
 * without anybody to answer. `args` (taken, may be NULL) are the method's arguments but `instance`. The operation works on a copy of instance.
 */
bool agent_run_method(Agent *agent, RpcContext *context, const char *method, NovaInstance *instance, NdJson *args /* takes */, GError **error);
