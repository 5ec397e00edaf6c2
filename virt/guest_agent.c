/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/guest_agent.h"

#include "virt/domain_private.h"
#include "virt/error.h"

bool virt_agent_freeze(VirtConnection *connection, const char *uuid, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    return virDomainFSFreeze(ref.domain, NULL, 0, 0) >= 0 || virt_error_set_libvirt(error, "freeze the guest's file systems");
}

bool virt_agent_thaw(VirtConnection *connection, const char *uuid, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    return virDomainFSThaw(ref.domain, NULL, 0, 0) >= 0 || virt_error_set_libvirt(error, "thaw the guest's file systems");
}

bool virt_agent_set_password(VirtConnection *connection, const char *uuid, const char *user, const char *password, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    return virDomainSetUserPassword(ref.domain, user, password, 0) == 0 || virt_error_set_libvirt(error, "set the password of '%s'", user);
}
