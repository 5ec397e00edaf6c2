/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"

#include "agent/guest_image.h"
#include "agent/guest_internal.h"
#include "agent/serial_ports.h"
#include "base/file.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/disk.h"
#include "virt/error.h"

#include <string.h>

#define LOGGER "nova.virt.libvirt.driver"
#define XML_LIMIT (4 * 1024 * 1024)

static char *unrescue_path(Agent *agent, const char *uuid)
{
    return virt_disk_path(nd_config_string(agent->config, "DEFAULT", "instances_path"), uuid, "unrescue.xml");
}

static const char *first_text(const char *a, const char *b)
{
    return a != NULL && *a != '\0' ? a : b;
}

/* `*.rescue` of the instance's folder; *error gets the first failure, the others are tried all the same. */
static bool remove_rescue_files(Agent *agent, const char *uuid, GError **error)
{
    g_autofree char *folder = virt_disk_directory(nd_config_string(agent->config, "DEFAULT", "instances_path"), uuid);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    const char *name;
    bool good = dir != NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_str_has_suffix(name, ".rescue") && !nd_tree_remove(path, good ? error : NULL))
            good = false;
    }
    return good;
}

/* The definition that the guest has is put aside. A rescue that was begun before has done so already. Its serial ports stay taken, as it will listen on
 * them again. */
static bool keep_definition(Agent *agent, const char *uuid, GError **error)
{
    g_autofree char *path = unrescue_path(agent, uuid);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    g_autofree char *xml = virt_domain_get_xml(agent->virt, uuid, VIRT_XML_INACTIVE, error);
    if (xml == NULL || !nd_file_write(path, xml, strlen(xml), 0644, error))
        return false;
    serial_ports_claim_xml(xml);
    return true;
}

/* The definition that was put aside is the guest's again; it is off. */
static bool restore_definition(Agent *agent, const char *uuid, GError **error)
{
    g_autofree char *path = unrescue_path(agent, uuid);
    g_autofree char *xml = NULL;
    if (!nd_file_read(path, XML_LIMIT, &xml, NULL, error))
        return false;
    serial_ports_release_domain(agent, uuid);
    serial_ports_claim_xml(xml);
    return virt_domain_destroy(agent->virt, uuid, error) && virt_domain_define(agent->virt, xml, error);
}

/* After the guest has its own definition again. */
static bool forget_rescue(Agent *agent, const char *uuid, GError **error)
{
    g_autofree char *path = unrescue_path(agent, uuid);
    return remove_rescue_files(agent, uuid, error) && nd_file_remove(path, error); /* the XML last: while it is there this can be repeated */
}

/* Which image, kernel and ramdisk (upstream driver.py rescue). */
typedef struct {
    const char *image_id;
    bool stable;
    GuestRescue rescue;
} Choice;

static Choice choose(Agent *agent, const NovaInstance *instance, const NovaImageMeta *image)
{
    const NovaImageMetaProps *properties = guest_image_properties(image);
    const char *configured = first_text(nd_config_string(agent->config, "libvirt", "rescue_image_id"), instance->image_ref);
    Choice choice = {
        .image_id = first_text(image->id, configured),
        .stable = properties->hw_rescue_device != NULL || properties->hw_rescue_bus != NULL,
        .rescue =
            {
                .kernel_id = first_text(nd_config_string(agent->config, "libvirt", "rescue_kernel_id"), instance->kernel_id),
                .ramdisk_id = first_text(nd_config_string(agent->config, "libvirt", "rescue_ramdisk_id"), instance->ramdisk_id),
            },
    };
    if (choice.stable)
        choice.rescue.image = image;
    return choice;
}

static bool run_rescue(Agent *agent, const RpcContext *context, NovaInstance *instance, const GuestRescueOptions *options, GError **error)
{
    Choice choice = choose(agent, instance, options->image);
    nd_info(LOGGER, choice.stable ? "Attempting a stable device rescue" : "Attempting rescue");
    GuestParts parts = {.image = choice.stable ? NULL : options->image, .vifs = options->vifs, .rescue = &choice.rescue};
    g_autoptr(Guest) guest = guest_new(agent, context, instance, &parts, error);
    GuestSpawnOptions spawn = {.admin_password = options->password};
    return guest != NULL && guest_create_rescue_disks(guest, choice.image_id, options->image->disk_format, &spawn, error) &&
           virt_domain_destroy(agent->virt, instance->uuid, error) && guest_define(guest, error) && guest_start_and_wait(guest, false, error);
}

/* A guest that libvirt does not know any more, as it is to be: its definition is needed for the way back. */
static bool define_anew(Agent *agent, const RpcContext *context, NovaInstance *instance, NdJson *vifs, GError **error)
{
    GuestParts parts = {.vifs = vifs};
    g_autoptr(Guest) guest = guest_new(agent, context, instance, &parts, error);
    return guest != NULL && guest_define(guest, error);
}

bool guest_rescue(Agent *agent, const RpcContext *context, NovaInstance *instance, const GuestRescueOptions *options, GError **error)
{
    const char *uuid = instance->uuid;
    bool exists;
    if (!virt_domain_exists(agent->virt, uuid, &exists, error) || (!exists && !define_anew(agent, context, instance, options->vifs, error)))
        return false;
    /* Disks of an earlier rescue that was not ended would be taken for this one's. */
    if (!keep_definition(agent, uuid, error) || !remove_rescue_files(agent, uuid, error))
        return false;
    if (run_rescue(agent, context, instance, options, error))
        return true;
    g_autoptr(GError) failure = NULL;
    if (!restore_definition(agent, uuid, &failure) || !forget_rescue(agent, uuid, &failure))
        nd_err(LOGGER, "The guest cannot be given back its own definition: %s", failure->message);
    return false;
}

bool guest_unrescue(Agent *agent, const NovaInstance *instance, GError **error)
{
    return restore_definition(agent, instance->uuid, error) && virt_domain_start(agent->virt, instance->uuid, false, error) &&
           forget_rescue(agent, instance->uuid, error);
}

bool guest_is_rescued(Agent *agent, const NovaInstance *instance)
{
    g_autofree char *path = unrescue_path(agent, instance->uuid);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

bool guest_rescue_take_back(Agent *agent, const NovaInstance *instance, bool running, GError **error)
{
    const char *uuid = instance->uuid;
    if (guest_is_rescued(agent, instance) && (!restore_definition(agent, uuid, error) || !forget_rescue(agent, uuid, error)))
        return false;
    g_autoptr(VirtDomainInfo) info = virt_domain_get_info(agent->virt, uuid, error);
    if (info == NULL)
        return false;
    return !running || info->id >= 0 || virt_domain_start(agent->virt, uuid, false, error);
}
