/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/* The message bus as nova.conf describes it. */

/* [DEFAULT]transport_url with [oslo_messaging_rabbit]; connection events go to the log. Errors: RPC_ERROR_ARGUMENT. */
RpcTransport *agent_bus_new(const NdConfig *config, GError **error);
/* The notifier of [oslo_messaging_notifications] and [notifications]; *transport is the second bus if it has one of its own, else a reference
 * of `bus`. *notifier is NULL if notifications are off. */
bool agent_bus_notifier(const NdConfig *config, const char *host, RpcTransport *bus, RpcTransport **transport, RpcNotifier **notifier, GError **error);
/* The server of topics compute and compute-alt with agent_dispatch behind it; not started. */
RpcServer *agent_bus_server(Agent *agent, GError **error);
