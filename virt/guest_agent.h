/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/connection.h"

/* What is asked of QEMU's agent inside a guest. All block until it answers; errors are LIBVIRT_ERROR (VIR_ERR_AGENT_UNRESPONSIVE: it does not;
 * VIR_ERR_ARGUMENT_UNSUPPORTED: the guest has no channel for it). */

/* Freezes all file systems, or lets them go on; a frozen guest that is frozen again is an error. */
bool virt_agent_freeze(VirtConnection *connection, const char *uuid, GError **error);
bool virt_agent_thaw(VirtConnection *connection, const char *uuid, GError **error);
/* Sets a user's password. */
bool virt_agent_set_password(VirtConnection *connection, const char *uuid, const char *user, const char *password, GError **error);
