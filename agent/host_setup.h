/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/* What all guests of this host share: libvirt's capabilities, identification of the host, the image cache. */

/* Asks libvirt (the connection must be up) and fills agent->guest_host and image_cache. Errors: LIBVIRT_ERROR, VIRT_ERROR, ND_ERROR_CONFIG. */
bool agent_host_setup(Agent *agent, GError **error);
/* libvirt has come back: if it says something else than before (it or QEMU was upgraded), guests that are made from now on are made by that. Failures
 * are logged; what was known stays. One thread at a time (the lane of connection events). */
void agent_host_reread(Agent *agent);
/* What guests are made by now: a new reference, which stays the same while it is held; NULL before agent_host_setup. */
GuestHost *agent_guest_host(Agent *agent);
void agent_host_clear(Agent *agent);
