/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * From the configuration to a serving compute node, in upstream's order (spec/conductor-rpc.md section 6), and back. Both block and must not run on
 * the main context's thread, which has to run meanwhile (libvirt's events).
 */

/* Makes the parts that need no outside: bus, clients, lanes, journal. Errors: whatever is wrong with the configuration. */
Agent *agent_new(NdConfig *config /* takes */, GError **error);
/* Everything else, until the RPC server consumes. Waits for the conductor and libvirt as long as it takes; AGENT_ERROR_STOPPING if
 * agent->stopping is set meanwhile, AGENT_ERROR_START if this host may not serve. */
bool agent_start(Agent *agent, GError **error);
/* The graceful stop: no new requests, then up to [DEFAULT]graceful_shutdown_timeout for what runs, then the rest is parked. False if some
 * worker did not end; then agent_free must not be called. Any time after agent_new, also while agent_start runs in another thread. */
bool agent_stop(Agent *agent);
void agent_free(Agent *agent);
/* SIGHUP: takes over mutable options, opens the log anew. */
void agent_reload(Agent *agent);
