/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/* What all guests of this host share: libvirt's capabilities, identification of the host, the image cache. */

/* Asks libvirt (the connection must be up) and fills agent->capabilities, guest_host and image_cache. Errors: LIBVIRT_ERROR, VIRT_ERROR, ND_ERROR_CONFIG. */
bool agent_host_setup(Agent *agent, GError **error);
void agent_host_clear(Agent *agent);
