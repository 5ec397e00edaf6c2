/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest_snapshot.h"

#include "agent/guest_agent.h"
#include "agent/guest_image.h"
#include "agent/lanes.h"
#include "base/file.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/block_job.h"
#include "virt/domain.h"
#include "virt/domain_reader.h"
#include "virt/error.h"
#include "virt/guest_agent.h"
#include "virt/image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define LOGGER "nova.virt.libvirt.driver"

void guest_snapshot_free(GuestSnapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    g_autoptr(GError) error = NULL;
    if (!guest_snapshot_release(snapshot, &error))
        nd_err(LOGGER, "The guest that was saved for a snapshot cannot be restored: %s", error->message);
    g_clear_error(&error);
    if (snapshot->folder != NULL && !nd_tree_remove(snapshot->folder, &error))
        nd_warning(LOGGER, "%s", error->message);
    g_clear_object(&snapshot->cancellable);
    nova_instance_unref(snapshot->instance);
    nova_image_meta_unref(snapshot->image);
    char *texts[] = {snapshot->disk, snapshot->target, snapshot->disk_format, snapshot->format, snapshot->folder, snapshot->file};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(snapshot);
}

static bool not_running(GuestSnapshot *snapshot, GError *failure /* takes */, GError **error)
{
    if (!virt_error_is_no_domain(failure)) {
        g_propagate_error(error, failure);
        return false;
    }
    g_error_free(failure);
    nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_RUNNING, "instance_id", snapshot->instance->uuid, NULL);
    return false;
}

/* The first disk of the domain is the root disk (upstream find_disk). */
static bool find_disk(GuestSnapshot *snapshot, const char *xml, GError **error)
{
    g_autoptr(VirtMachine) machine = virt_domain_read(xml, error);
    if (machine == NULL)
        return false;
    const VirtDisk *disk = machine->disks->len > 0 ? machine->disks->pdata[0] : NULL;
    VirtImageFormat format;
    if (disk == NULL || disk->source_path == NULL || g_strcmp0(disk->source_type, "file") != 0 || disk->target_dev == NULL) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "the root disk is no file");
        return false;
    }
    snapshot->disk = g_strdup(disk->source_path);
    snapshot->target = g_strdup(disk->target_dev);
    snapshot->disk_format = g_strdup(disk->driver_format != NULL ? disk->driver_format : "raw");
    const char *wanted = nd_config_string(snapshot->agent->config, "libvirt", "snapshot_image_format");
    snapshot->format = g_strdup(wanted != NULL && *wanted != '\0' ? wanted : snapshot->disk_format);
    if (virt_image_format_from_name(snapshot->disk_format, &format) && virt_image_format_from_name(snapshot->format, &format))
        return true;
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "no snapshot of a disk of format '%s' can be made", snapshot->disk_format);
    return false;
}

GuestSnapshot *guest_snapshot_new(Agent *agent, NovaInstance *instance, GError **error)
{
    g_autoptr(GuestSnapshot) snapshot = g_new0(GuestSnapshot, 1);
    GError *failure = NULL;
    snapshot->agent = agent;
    snapshot->instance = nova_instance_ref(instance);
    snapshot->image = nova_image_meta_from_instance(instance, error);
    if (snapshot->image == NULL)
        return NULL;
    g_autoptr(VirtDomainInfo) info = virt_domain_get_info(agent->virt, instance->uuid, &failure);
    g_autofree char *xml = info != NULL ? virt_domain_get_xml(agent->virt, instance->uuid, VIRT_XML_LIVE, &failure) : NULL;
    if (xml == NULL) {
        not_running(snapshot, failure, error);
        return NULL;
    }
    if (!find_disk(snapshot, xml, error))
        return NULL;
    bool active = info->id >= 0;
    snapshot->live = active && !nd_config_bool(agent->config, "workarounds", "disable_libvirt_livesnapshot");
    snapshot->hold = active && !snapshot->live;
    snapshot->was_paused = active && info->power_state == VIRT_POWER_PAUSED;
    nd_info(LOGGER, "Beginning %s snapshot process", snapshot->live ? "live" : "cold");
    return g_steal_pointer(&snapshot);
}

bool guest_snapshot_hold(GuestSnapshot *snapshot, GError **error)
{
    const char *uuid = snapshot->instance->uuid;
    VirtConnection *virt = snapshot->agent->virt;
    GError *failure = NULL;
    if (!snapshot->hold)
        return true;
    if (!virt_domain_managed_save(virt, uuid, &failure))
        return not_running(snapshot, failure, error);
    snapshot->saved = true;
    return true;
}

bool guest_snapshot_release(GuestSnapshot *snapshot, GError **error)
{
    if (!snapshot->saved)
        return true;
    if (!virt_domain_start(snapshot->agent->virt, snapshot->instance->uuid, snapshot->was_paused, error))
        return false;
    snapshot->saved = false;
    return true;
}

/* --- the copy --- */

bool guest_snapshot_prepare(GuestSnapshot *snapshot, GError **error)
{
    const char *parent = nd_config_string(snapshot->agent->config, "libvirt", "snapshots_directory");
    if (!nd_dir_make(parent, 0755, error))
        return false;
    g_autofree char *folder = g_build_filename(parent, "tmpXXXXXX", NULL);
    if (g_mkdtemp_full(folder, 0700) == NULL)
        return virt_error_set_errno(error, errno, "make a folder in '%s'", parent);
    snapshot->folder = g_steal_pointer(&folder);
    if (snapshot->live && chmod(snapshot->folder, 0701) != 0) /* QEMU has to come through */
        return virt_error_set_errno(error, errno, "chmod '%s'", snapshot->folder);
    g_autofree char *name = g_uuid_string_random();
    g_autoptr(GString) plain = g_string_new(name);
    g_string_replace(plain, "-", "", 0);
    snapshot->file = g_build_filename(snapshot->folder, plain->str, NULL);
    return true;
}

/* To the format that Glance gets; only what was qcow2 is compressed, as upstream does. */
static bool convert(GuestSnapshot *snapshot, const char *source, const char *source_format, GError **error)
{
    VirtImageFormat in, out;
    bool compress = strcmp(source_format, "qcow2") == 0 && strcmp(snapshot->format, "qcow2") == 0 &&
        nd_config_bool(snapshot->agent->config, "libvirt", "snapshot_compression");
    if (!virt_image_format_from_name(source_format, &in) || !virt_image_format_from_name(snapshot->format, &out)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "image format '%s' is not known", source_format);
        return false;
    }
    return virt_image_convert(source, in, snapshot->file, out, compress, NULL, snapshot->cancellable, error);
}

/* How the backing file is read: as the overlay's header says, which was written by us, else as its own content says. */
static bool backing_info(const VirtImageInfo *overlay, VirtImageInfo *backing, GError **error)
{
    VirtImageFormat recorded;
    if (!virt_image_inspect(overlay->backing_file, backing, error))
        return false;
    if (overlay->backing_format != NULL && virt_image_format_from_name(overlay->backing_format, &recorded) && recorded == VIRT_IMAGE_RAW) {
        virt_image_info_clear(backing);
        *backing = (VirtImageInfo){.format = VIRT_IMAGE_RAW};
        return true;
    }
    if (backing->unsafe == NULL && !backing->has_backing_file)
        return true;
    nova_exception_set(error, NOVA_EXC_INVALID_DISK_INFO, "reason", "the base image is not safe", NULL);
    return false;
}

/* The file that QEMU copies the disk's own layer into: it stands on the same backing file. */
static bool create_delta(const GuestSnapshot *snapshot, const char *delta, GError **error)
{
    struct stat status;
    if (strcmp(snapshot->disk_format, "qcow2") != 0) {
        if (stat(snapshot->disk, &status) != 0)
            return virt_error_set_errno(error, errno, "look at '%s'", snapshot->disk);
        return virt_image_create(delta, VIRT_IMAGE_QCOW2, (guint64)status.st_size, NULL, error);
    }
    g_auto(VirtImageInfo) overlay = {0};
    g_auto(VirtImageInfo) backing = {0};
    if (!virt_image_inspect(snapshot->disk, &overlay, error))
        return false;
    if (overlay.backing_file == NULL)
        return virt_image_create(delta, VIRT_IMAGE_QCOW2, overlay.virtual_size, NULL, error);
    return backing_info(&overlay, &backing, error) &&
        virt_image_create_overlay(delta, overlay.backing_file, &backing, overlay.virtual_size, NULL, error);
}

/* Whether the guest can be made quiet; that it cannot is only a failure if the image demands it. */
static bool check_quiesce(const GuestSnapshot *snapshot, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (guest_agent_enabled(snapshot->image, &failure))
        return true;
    if (guest_image_properties(snapshot->image)->os_require_quiesce) {
        nd_err(LOGGER, "Quiescing instance failed but image property \"os_require_quiesce\" is set: %s.", failure->message);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    nd_info(LOGGER, "Quiescing instance not available: %s.", failure->message);
    return true;
}

/* The copy is complete and follows the disk: it is cut off, with the guest's file systems quiet for that moment if that can be had. */
static bool cut_off(GuestSnapshot *snapshot, GError **error)
{
    Agent *agent = snapshot->agent;
    g_autoptr(GError) failure = NULL;
    bool quiet = guest_agent_quiesce(agent, snapshot->instance, snapshot->image, true, &failure);
    if (!quiet)
        nd_info(LOGGER, "Skipping quiescing instance: %s.", failure->message);
    bool done = virt_block_job_abort(agent->virt, snapshot->instance->uuid, snapshot->target, error);
    if (!quiet)
        return done;
    return guest_agent_quiesce(agent, snapshot->instance, snapshot->image, false, done ? error : NULL) && done;
}

static bool copy_live(GuestSnapshot *snapshot, const char *delta, GError **error)
{
    Agent *agent = snapshot->agent;
    const char *uuid = snapshot->instance->uuid;
    /* What an earlier attempt may have left behind. */
    virt_block_job_abort(agent->virt, uuid, snapshot->target, NULL);
    if (!create_delta(snapshot, delta, error) || !check_quiesce(snapshot, error))
        return false;
    agent_lanes_wait_begin(agent->lanes);
    bool copied = virt_block_copy(agent->virt, uuid, snapshot->target, delta, snapshot->cancellable, error);
    agent_lanes_wait_end(agent->lanes);
    return copied && cut_off(snapshot, error);
}

static bool extract_live(GuestSnapshot *snapshot, GError **error)
{
    g_autofree char *delta = g_strconcat(snapshot->file, ".delta", NULL);
    if (!copy_live(snapshot, delta, error) || !convert(snapshot, delta, "qcow2", error))
        return false;
    /* Its place is not needed while the image is sent. */
    return nd_file_remove(delta, error);
}

bool guest_snapshot_extract(GuestSnapshot *snapshot, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (snapshot->live ? extract_live(snapshot, &failure) : convert(snapshot, snapshot->disk, snapshot->disk_format, &failure)) {
        nd_info(LOGGER, "Snapshot extracted, beginning image upload");
        return true;
    }
    if (virt_error_is_no_domain(failure)) {
        nd_info(LOGGER, "Instance disappeared while taking snapshot of it: %s", failure->message);
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", snapshot->instance->uuid, NULL);
        return false;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- what is said of it --- */

/* Null stays null; "" and "none" are left out (upstream _convert_to_v2). */
static void set_image_ref(NdJson *members, const char *key, const char *id)
{
    g_autofree char *text = g_strdup(id);
    if (text != NULL)
        g_strstrip(text);
    if (text == NULL || (*text != '\0' && g_ascii_strcasecmp(text, "none") != 0))
        nd_json_set_string(members, key, id);
}

NdJson *guest_snapshot_members(const GuestSnapshot *snapshot, const char *name)
{
    const NovaInstance *instance = snapshot->instance;
    bool ami = g_strcmp0(snapshot->image->disk_format, "ami") == 0; /* Glance wants both formats to be ami */
    bool container = nova_object_is_set(snapshot->image, NOVA_IMAGE_META_CONTAINER_FORMAT);
    NdJson *members = json_object_new_object();
    nd_json_set_string(members, "name", name);
    set_image_ref(members, "kernel_id", instance->kernel_id);
    nd_json_set_string(members, "image_location", "snapshot");
    nd_json_set_string(members, "image_state", "available");
    nd_json_set_string(members, "owner_id", instance->project_id);
    set_image_ref(members, "ramdisk_id", instance->ramdisk_id);
    if (instance->os_type != NULL && *instance->os_type != '\0')
        nd_json_set_string(members, "os_type", instance->os_type);
    nd_json_set_string(members, "disk_format", ami ? "ami" : snapshot->format);
    nd_json_set_string(members, "container_format", container ? snapshot->image->container_format : "bare");
    return members;
}

/* --- after a crash --- */

NdJson *guest_snapshot_journal(const GuestSnapshot *snapshot)
{
    NdJson *data = json_object_new_object();
    nd_json_set_string(data, "target", snapshot->live ? snapshot->target : NULL);
    nd_json_set_bool(data, "restore", snapshot->hold);
    nd_json_set_bool(data, "thaw", snapshot->live && guest_agent_enabled(snapshot->image, NULL));
    nd_json_set_bool(data, "paused", snapshot->was_paused);
    nd_json_set_string(data, "folder", snapshot->folder);
    return data;
}

bool guest_snapshot_recover(Agent *agent, const char *uuid, NdJson *data, bool is_up, GError **error)
{
    const char *target = nd_json_string(data, "target", NULL);
    const char *folder = nd_json_string(data, "folder", NULL);
    if (nd_json_bool(data, "thaw", false))
        virt_agent_thaw(agent->virt, uuid, NULL); /* most times it is not frozen, which is an error of the agent's */
    bool saved = false;
    if (target != NULL && !virt_block_job_abort(agent->virt, uuid, target, error))
        return false;
    if (is_up && nd_json_bool(data, "restore", false)) {
        g_autoptr(GError) failure = NULL;
        if (!virt_domain_has_managed_save(agent->virt, uuid, &saved, &failure) && !virt_error_is_no_domain(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (saved && !virt_domain_start(agent->virt, uuid, nd_json_bool(data, "paused", false), error))
            return false;
    }
    return folder == NULL || nd_tree_remove(folder, error);
}
