/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "agent/journal.h"

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
/* The same for an operation that an earlier run was interrupted in; `entry` (taken) is what the journal has of it and goes on with it. */
bool agent_resume_method(Agent *agent, RpcContext *context, AgentJournalEntry *entry /* takes */, NovaInstance *instance, NdJson *args /* takes */,
                         GError **error);
/* A request that an earlier run accepted and did not begin (takes the entry, whose file stays if this fails). */
bool agent_run_accepted(Agent *agent, AgentJournalEntry *entry /* takes */, GError **error);
/* The same at once, in the thread, the lane and the name of the operation that calls it, on its own instance: where upstream calls one method from
 * within another (a rebuild that stops the server again). It has its own action event, faults and notifications. */
bool agent_run_within(Operation *outer, const char *method, NdJson *args /* takes */, GError **error);
