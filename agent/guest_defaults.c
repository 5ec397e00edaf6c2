/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"

#include "agent/guest_config.h"
#include "agent/host_setup.h"
#include "virt/domain_reader.h"
#include "virt/error.h"

bool guest_register_defaults(Agent *agent, const RpcContext *context, NovaInstance *instance, bool *registered, GError **error)
{
    g_autoptr(GError) failure = NULL;
    *registered = false;
    if (guest_config_has_defaults(instance))
        return true;
    g_autofree char *xml = virt_domain_get_xml(agent->virt, instance->uuid, VIRT_XML_INACTIVE, &failure);
    if (virt_error_is_no_domain(failure))
        return true; /* its next definition will do it */
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    g_autoptr(VirtMachine) machine = virt_domain_read(xml, error);
    g_autoptr(Guest) guest = machine != NULL ? guest_new(agent, context, instance, NULL, error) : NULL;
    if (guest == NULL)
        return false;
    *registered = guest_config_register_defaults(agent_guest_host(agent), instance, guest->image, guest->disks, machine);
    return true;
}
