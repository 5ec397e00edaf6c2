/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * Node identity: the uuid in the file compute_id names this host's ComputeNode from release 2023.1 on (spec/versions.md section 6). It guards
 * against a changed host name and a lost state folder.
 */

/* The uuid of the compute_id files beside the configuration files and in state_path: *uuid NULL if there is none. AGENT_ERROR_START if one is
 * unreadable as a uuid or two differ. */
bool agent_identity_read(const NdConfig *config, char **uuid, GError **error);
/* Writes state_path/compute_id; an existing file is an error. */
bool agent_identity_write(const NdConfig *config, const char *uuid, GError **error);
/* Before the first audit. Releases from 2023.1: finds, takes over or makes the identity; *uuid is what the ComputeNode must have. Zed: *uuid NULL.
 * Refuses (AGENT_ERROR_START) where upstream does: record of version >= 65 without file, no single ComputeNode to take over, and from 2024.1 a
 * host without record that has domains. */
bool agent_identity_establish(Agent *agent, RpcContext *context, bool service_exists, gint64 service_version, char **uuid, GError **error);
/* After the first audit with Zed rules: keeps the ComputeNode's uuid for the day the control plane is upgraded. Failures are logged. */
void agent_identity_keep(Agent *agent, const char *node_uuid);
