/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "rpc/context.h"

/* Periodic tasks that end what users have begun and left (AgentPeriodicFunc). */

/* _poll_unconfirmed_resizes: resizes that nobody has confirmed for [DEFAULT]resize_confirm_window seconds. */
void periodic_confirm_resizes(Agent *agent, RpcContext *context);
/* _poll_shelved_instances: servers that have been shelved on this host for [DEFAULT]shelved_offload_time seconds leave it. */
void periodic_offload_shelved(Agent *agent, RpcContext *context);
