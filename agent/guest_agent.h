/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "objects/image_meta.h"
#include "objects/objects.h"

/* What is done with the help of QEMU's agent in the guest (upstream driver.py quiesce, set_admin_password). */

/* Whether the image says that its guests have the agent (hw_qemu_guest_agent). Errors: QemuGuestAgentNotEnabled. */
bool guest_agent_enabled(const NovaImageMeta *image, GError **error);
/* Freezes the guest's file systems, or lets them go on. Errors: QemuGuestAgentNotEnabled, InstanceNotFound, InternalError. */
bool guest_agent_quiesce(Agent *agent, const NovaInstance *instance, const NovaImageMeta *image, bool freeze, GError **error);
/* Sets the password of the image's admin user, and puts it, encrypted with the instance's RSA key if it has one, into its system_metadata, where the
 * metadata service gives it; the caller saves. Errors: QemuGuestAgentNotEnabled, InstanceNotFound, NotImplementedError (the agent does not answer),
 * InternalError. */
bool guest_agent_set_password(Agent *agent, NovaInstance *instance, const NovaImageMeta *image, const char *password, GError **error);
/* `password` encrypted with an "ssh-rsa AAAA… comment" key (PKCS #1 v1.5), in Base64; NULL if the key is none of those. */
char *guest_agent_encrypt(const char *ssh_key, const char *password);
