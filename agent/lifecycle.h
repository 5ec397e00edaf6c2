/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "virt/connection.h"

/* What libvirt tells by itself; called on the main context's thread with the Agent as user_data, so both only queue work. */

/* A guest changed: its power state is aligned unless [workarounds]handle_virt_lifecycle_events is off. */
void agent_lifecycle_event(const char *uuid, VirtLifecycle lifecycle, int detail, gpointer user_data);
/* The connection to libvirtd came or went: the service record is disabled with an "AUTO: " reason while it is away. */
void agent_lifecycle_connected(bool connected, const char *reason, gpointer user_data);
