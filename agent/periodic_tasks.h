/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/* Adds every periodic task (spec/conductor-rpc.md section 8) with its spacing from the configuration. */
void agent_periodic_tasks_add(Agent *agent);
