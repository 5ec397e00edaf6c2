/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/error.h"

G_DEFINE_QUARK(agent-error, agent_error)
