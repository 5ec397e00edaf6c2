/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * The periodic task _instance_usage_audit (upstream nova/compute/manager.py), with [DEFAULT]instance_usage_audit on: once for each completed period of
 * instance_usage_audit_period, an `exists` notification of every instance that was on this host in it, deleted ones too. The conductor's task log says which
 * periods are done; GET /os-instance_usage_audit_log shows it.
 */
void usage_audit(Agent *agent, RpcContext *context);
