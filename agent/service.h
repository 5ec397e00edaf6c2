/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * The nova-compute service record and its heartbeat (spec/conductor-rpc.md section 5, spec/versions.md). The heartbeat has a thread of its own,
 * so that nothing that hangs elsewhere makes the service look down.
 */

/* SERVICE_VERSION of a release as its native nova-compute reports it. */
gint64 agent_service_version_of(NdRelease release);
/* The release that a conductor of this service version belongs to (0 = none registered yet: Zed); false below Zed's 64. *newer: above what we know. */
bool agent_service_release_of(gint64 version, NdRelease *release, bool *newer);

AgentService *agent_service_new(Agent *agent);
void agent_service_free(AgentService *service);

/* Finds the record, makes it if there is none (enabled as [DEFAULT]enable_new_services says) or saves a changed version. *created tells.
 * AGENT_ERROR_START if the cell's oldest nova-compute is newer than novad can be. */
bool agent_service_register(AgentService *service, RpcContext *context, bool *created, GError **error);
/* True if a record existed before agent_service_register made one; *version is its version. Asks the conductor. */
bool agent_service_lookup(AgentService *service, RpcContext *context, bool *exists, gint64 *version, GError **error);
/* The record's database id (2023.2+: ComputeNode.service_id); 0 before registration. */
gint64 agent_service_id(AgentService *service);

/* A beat at once, so that an agent that was started again takes new servers at once (upstream's first comes after 5 s), then every report_interval. */
void agent_service_start(AgentService *service);
void agent_service_stop(AgentService *service);

/* The control plane may have been upgraded: detects its release again, raises agent->release and saves the new version. */
void agent_service_check_release(Agent *agent, RpcContext *context);
