/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"
#include "agent/serial_ports.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/disk.h"
#include "virt/error.h"

#define LOGGER "nova.virt.libvirt.driver"
#define XML_LIMIT (4 * 1024 * 1024)

static bool destroy_domain(Agent *agent, const char *uuid, bool keep_nvram, GError **error)
{
    g_autoptr(GError) failure = NULL;
    serial_ports_release_domain(agent, uuid);
    if (virt_domain_destroy(agent->virt, uuid, &failure))
        return virt_domain_undefine(agent->virt, uuid, keep_nvram, keep_nvram, error);
    if (g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_TIMEOUT)) {
        nova_exception_set(error, NOVA_EXC_INSTANCE_POWER_OFF_FAILURE, "reason", failure->message, NULL);
        return false;
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&failure), "destroy the domain: ");
    return false;
}

static bool delete_folder(Agent *agent, const char *uuid, GError **error)
{
    const char *instances_path = nd_config_string(agent->config, "DEFAULT", "instances_path");
    g_autofree char *kept = virt_disk_path(instances_path, uuid, "unrescue.xml"), *xml = NULL;
    if (nd_file_read(kept, XML_LIMIT, &xml, NULL, NULL)) /* a rescued guest's own ports */
        serial_ports_release_xml(xml);
    if (!virt_disk_delete(instances_path, uuid, error)) {
        g_prefix_error(error, "delete the instance's files: ");
        return false;
    }
    return true;
}

bool guest_destroy(Guest *guest, bool delete_files, GError **error)
{
    const char *uuid = guest->instance->uuid;
    /* A guest that comes back (hard reboot) keeps its firmware variables and TPM state. */
    if (!destroy_domain(guest->agent, uuid, !delete_files, error))
        return false;
    guest_unplug_interfaces(guest);
    if (!delete_files)
        return true;
    nd_info(LOGGER, "Deleting instance files");
    return delete_folder(guest->agent, uuid, error);
}

bool guest_destroy_leftover(Agent *agent, const char *uuid, bool delete_files, GError **error)
{
    return destroy_domain(agent, uuid, !delete_files, error) && (!delete_files || delete_folder(agent, uuid, error));
}
