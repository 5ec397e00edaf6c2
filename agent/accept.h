/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "agent/journal.h"
#include "agent/operation.h"

/*
 * Accepted means kept: a cast for an instance is in the journal, with all its arguments, before it is acknowledged to the broker. If the process
 * ends before the operation has begun, the next start runs it. A call is not kept: its caller waits for the answer and is told that none came.
 */

/* RpcAcceptFunc; `user_data` is the Agent. A journal that cannot be written does not refuse the request: the operation will say so, with a fault. */
bool agent_accept(RpcRequest *request, gpointer user_data, GError **error);
/* Gives the operation the entry of its request, if there is one. */
void agent_accept_adopt(RpcRequest *request, Operation *operation);

/* At start: adds the message ids of what the journal holds (char *, duplicates possible). */
void agent_accepted_ids(Agent *agent, GPtrArray *ids);
/* At start, before requests are taken: queues what was accepted and not begun, in its order, if the instance is still as it was then. Fails only when
 * the conductor cannot be asked; nothing is queued then. */
bool agent_accepted_resume(Agent *agent, RpcContext *context, GError **error);

/* For tests: true if a request that was accepted is still to be run, now that the instance is so (NULL: deleted). */
bool agent_accepted_is_current(const AgentJournalEntry *entry, const NovaInstance *instance);
