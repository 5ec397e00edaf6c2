/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * RpcDispatchFunc: in the receiving thread, decodes the arguments into typed values, drops the JSON tree, and hands the request as an
 * operation to its lane or to the quick workers. What cannot be decoded is answered at once. `user_data` is the Agent.
 */
void agent_dispatch(RpcRequest *request /* takes */, gpointer user_data);
