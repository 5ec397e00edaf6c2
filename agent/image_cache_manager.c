/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/image_cache_manager.h"

#include "base/log.h"
#include "base/time.h"
#include "objects/objects.h"
#include "virt/disk.h"
#include "virt/image_blank.h"
#include "virt/image_cache_clean.h"
#include "virt/storage_users.h"

#include <string.h>

#define LOGGER "nova.virt.libvirt.imagecache"
#define GIB ((guint64)1 << 30)

/* What the instances of all hosts that share the storage use, and what the pass has told so far. */
typedef struct {
    Agent *agent;
    GHashTable *image_ids; /* set of char * */
    GHashTable *blanks;    /* set of char * */
    GPtrArray *active;     /* char *: paths */
    GPtrArray *unused;     /* the same */
    bool announced;
} Pass;

static void pass_clear(Pass *pass)
{
    g_hash_table_unref(pass->image_ids);
    g_hash_table_unref(pass->blanks);
    g_ptr_array_unref(pass->active);
    g_ptr_array_unref(pass->unused);
}

/* --- what instances use --- */

static void add_image(Pass *pass, const char *image_id)
{
    if (image_id != NULL && *image_id != '\0')
        g_hash_table_add(pass->image_ids, g_strdup(image_id));
}

static void add_ephemeral(Pass *pass, const NovaInstance *instance, gint64 size_gb)
{
    const NdConfig *config = pass->agent->config;
    VirtEphemeralRequest request = {
        .size = (guint64)size_gb * GIB,
        .os_type = instance->os_type,
        .default_format = nd_config_string(config, "DEFAULT", "default_ephemeral_format"),
        .virt_mkfs = nd_config_multi(config, "DEFAULT", "virt_mkfs"),
    };

    if (size_gb > 0)
        g_hash_table_add(pass->blanks, virt_ephemeral_name(&request));
}

static void add_instance(Pass *pass, const NovaInstance *instance)
{
    add_image(pass, instance->image_ref);
    add_image(pass, instance->kernel_id);
    add_image(pass, instance->ramdisk_id);
    add_ephemeral(pass, instance, instance->ephemeral_gb); /* a flavor's, where no mapping stands for it */
}

static void add_mapping(Pass *pass, const NovaInstance *instance, const NovaBlockDeviceMapping *mapping)
{
    if (g_strcmp0(mapping->source_type, "blank") != 0 || g_strcmp0(mapping->destination_type, "local") != 0)
        return;
    if (g_strcmp0(mapping->guest_format, "swap") != 0)
        add_ephemeral(pass, instance, mapping->volume_size);
    else if (mapping->volume_size > 0)
        g_hash_table_add(pass->blanks, virt_swap_name((guint64)mapping->volume_size));
}

static bool add_mappings(Pass *pass, RpcContext *context, NovaInstanceList *instances, GError **error)
{
    g_autoptr(GHashTable) by_uuid = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) uuids = g_ptr_array_new();
    g_autoptr(NovaBlockDeviceMappingList) mappings = NULL;

    for (guint i = 0; i < nova_object_list_length(instances); i++) {
        NovaInstance *instance = nova_object_list_get(instances, i);

        g_hash_table_insert(by_uuid, instance->uuid, instance);
        g_ptr_array_add(uuids, instance->uuid);
    }
    if (uuids->len == 0)
        return true;
    g_ptr_array_add(uuids, NULL);
    mappings = conductor_bdm_list_multi(pass->agent->conductor, context, (const char *const *)uuids->pdata, error);
    if (mappings == NULL)
        return false;
    for (guint i = 0; i < nova_object_list_length(mappings); i++) {
        const NovaBlockDeviceMapping *mapping = nova_object_list_get(mappings, i);
        const NovaInstance *instance = mapping->instance_uuid != NULL ? g_hash_table_lookup(by_uuid, mapping->instance_uuid) : NULL;

        if (instance != NULL)
            add_mapping(pass, instance, mapping);
    }
    return true;
}

/* Instances of all hosts in `hosts`, soft-deleted ones too: their disks are still there. */
static bool ask_conductor(Pass *pass, RpcContext *context, char **hosts, GError **error)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(NovaInstanceList) instances = NULL;
    NdJson *filters = json_object_new_object();

    nd_json_set_bool(filters, "deleted", false);
    nd_json_set_bool(filters, "soft_deleted", true);
    nd_json_set(filters, "host", nd_json_from_strv((const char *const *)hosts));
    instances = conductor_instance_list_by_filters(pass->agent->conductor, context, filters, no_attrs, true, error);
    if (instances == NULL)
        return false;
    for (guint i = 0; i < nova_object_list_length(instances); i++)
        add_instance(pass, nova_object_list_get(instances, i));
    return add_mappings(pass, context, instances, error);
}

/* --- what is told --- */

static void announce_list(const char *what, GPtrArray *paths)
{
    g_autofree char *text = NULL;

    if (paths->len == 0)
        return;
    g_ptr_array_add(paths, NULL);
    text = g_strjoinv(" ", (char **)paths->pdata);
    nd_info(LOGGER, "%s base files: %s", what, text);
}

/* Both lists, when they are complete. */
static void announce(Pass *pass)
{
    if (pass->announced)
        return;
    pass->announced = true;
    announce_list("Active", pass->active);
    announce_list("Removable", pass->unused);
}

/* Where disks are overlays, an instance's blank disk stands on a file of that name. */
static void tell_missing(Pass *pass, const char *name)
{
    const NdConfig *config = pass->agent->config;
    VirtDiskBackend backend;

    if (virt_disk_backend_from_config(nd_config_string(config, "libvirt", "images_type"), nd_config_bool(config, "DEFAULT", "use_cow_images"), &backend,
                                      NULL) &&
        backend == VIRT_DISK_BACKEND_QCOW2)
        nd_warning(LOGGER, "%s is used by an instance, but not in the cache", name);
}

static void tell(VirtCacheEvent event, const char *path, const char *detail, gpointer user_data)
{
    Pass *pass = user_data;

    if (event == VIRT_CACHE_IN_USE || event == VIRT_CACHE_BACKING)
        g_ptr_array_add(pass->active, g_strdup(path));
    else if (event == VIRT_CACHE_UNUSED)
        g_ptr_array_add(pass->unused, g_strdup(path));
    else if (event != VIRT_CACHE_MISSING)
        announce(pass);
    switch (event) {
    case VIRT_CACHE_IN_USE:
        nd_info(LOGGER, "image %s at (%s): checking", detail != NULL ? detail : "none", path);
        break;
    case VIRT_CACHE_BACKING:
        nd_warning(LOGGER, "Disk %s is using a backing file %s which no instance of the hosts here accounts for", detail, path);
        break;
    case VIRT_CACHE_UNUSED:
        nd_warning(LOGGER, "Unknown base file: %s", path);
        break;
    case VIRT_CACHE_YOUNG:
        nd_info(LOGGER, "Base, swap or ephemeral file too young to remove: %s", path);
        break;
    case VIRT_CACHE_LOCKED:
        nd_info(LOGGER, "Base, swap or ephemeral file is locked, so in use: %s", path);
        break;
    case VIRT_CACHE_REMOVED:
        nd_info(LOGGER, "Removing base, swap or ephemeral file: %s", path);
        break;
    case VIRT_CACHE_KEPT:
        nd_err(LOGGER, "Failed to remove %s, error was %s", path, detail);
        break;
    case VIRT_CACHE_MISSING:
        tell_missing(pass, path);
        break;
    }
}

/* --- the task --- */

static bool find_users(Agent *agent, gint64 now, char ***hosts, GError **error)
{
    bool spoiled;

    if (!virt_storage_register(agent->image_cache->instances_path, agent->host, now, hosts, &spoiled, error))
        return false;
    if (spoiled)
        nd_warning(LOGGER, "Cannot decode JSON from %s/compute_nodes", agent->image_cache->instances_path);
    return true;
}

static bool run_pass(Pass *pass, RpcContext *context, GError **error)
{
    Agent *agent = pass->agent;
    g_auto(GStrv) hosts = NULL;
    VirtCachePass options = {
        .image_ids = pass->image_ids,
        .blanks = pass->blanks,
        .remove = nd_config_bool(agent->config, "image_cache", "remove_unused_base_images"),
        .original_age_s = nd_config_int(agent->config, "image_cache", "remove_unused_original_minimum_age_seconds"),
        .resized_age_s = nd_config_int(agent->config, "image_cache", "remove_unused_resized_minimum_age_seconds"),
        .began_us = nd_time_now(),
        .report = tell,
        .user_data = pass,
    };

    if (!find_users(agent, options.began_us, &hosts, error) || !ask_conductor(pass, context, hosts, error) ||
        !virt_image_cache_clean(agent->image_cache, &options, error))
        return false;
    announce(pass);
    return true;
}

void image_cache_manager_pass(Agent *agent, RpcContext *context)
{
    g_autoptr(GError) error = NULL;
    Pass pass = {
        .agent = agent,
        .image_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .blanks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .active = g_ptr_array_new_with_free_func(g_free),
        .unused = g_ptr_array_new_with_free_func(g_free),
    };

    if (run_pass(&pass, context, &error))
        nd_debug(LOGGER, "Verification complete");
    else
        nd_err(LOGGER, "The image cache is left as it is: %s", error->message);
    pass_clear(&pass);
}
