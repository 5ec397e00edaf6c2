/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker.h"

#include "agent/tracker_private.h"

/* The tracker's backend of the running process: the conductor and libvirt of the Agent. */

static NovaComputeNode *node_get(void *data, const RpcContext *context, const char *host, const char *node, GError **error)
{
    return conductor_compute_node_get(((Agent *)data)->conductor, context, host, node, error);
}

static NovaComputeNode *node_get_by_uuid(void *data, const RpcContext *context, const char *uuid, GError **error)
{
    return conductor_compute_node_get_by_uuid(((Agent *)data)->conductor, context, uuid, error);
}

static bool node_create(void *data, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    return conductor_compute_node_create(((Agent *)data)->conductor, context, node, error);
}

static bool node_save(void *data, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    return conductor_compute_node_save(((Agent *)data)->conductor, context, node, error);
}

static NovaInstanceList *instances(void *data, const RpcContext *context, const char *host, const char *node, const char *const *attrs,
                                   GError **error)
{
    return conductor_instance_list_by_host_and_node(((Agent *)data)->conductor, context, host, node, attrs, error);
}

static NovaInstance *instance_get(void *data, const RpcContext *context, const char *uuid, const char *const *attrs, GError **error)
{
    return conductor_instance_get_by_uuid(((Agent *)data)->conductor, context, uuid, attrs, error);
}

static bool instance_save(void *data, const RpcContext *context, NovaInstance *instance, GError **error)
{
    return conductor_instance_save(((Agent *)data)->conductor, context, instance, NULL, error);
}

static NovaMigrationList *migrations(void *data, const RpcContext *context, const char *host, const char *node, GError **error)
{
    return conductor_migration_list_in_progress_and_error(((Agent *)data)->conductor, context, host, node, error);
}

static bool migration_save(void *data, const RpcContext *context, NovaMigration *migration, GError **error)
{
    return conductor_migration_save(((Agent *)data)->conductor, context, migration, error);
}

static NovaService *service_get(void *data, const RpcContext *context, const char *host, GError **error)
{
    return conductor_service_get_by_compute_host(((Agent *)data)->conductor, context, host, error);
}

static NovaBlockDeviceMappingList *bdm_list(void *data, const RpcContext *context, const char *uuid, GError **error)
{
    return conductor_bdm_list(((Agent *)data)->conductor, context, uuid, error);
}

/* Strings stay those of the configuration. */
static VirtHostOptions host_options(const NdConfig *config)
{
    return (VirtHostOptions){
        .virt_type = nd_config_string(config, "libvirt", "virt_type"),
        .cpu_mode = nd_config_string(config, "libvirt", "cpu_mode"),
        .cpu_models = nd_config_list(config, "libvirt", "cpu_models"),
        .cpu_model_extra_flags = nd_config_list(config, "libvirt", "cpu_model_extra_flags"),
        .images_type = nd_config_string(config, "libvirt", "images_type"),
        .force_raw_images = nd_config_bool(config, "DEFAULT", "force_raw_images"),
        .image_type_exclude_list = nd_config_list(config, "compute", "image_type_exclude_list"),
        .swtpm_enabled = nd_config_bool(config, "libvirt", "swtpm_enabled"),
        .file_backed_memory_mib = (int)nd_config_int(config, "libvirt", "file_backed_memory"),
        .instances_path = nd_config_string(config, "DEFAULT", "instances_path"),
        .hw_machine_type = nd_config_list(config, "libvirt", "hw_machine_type"),
        .cpu_shared_set_text = nd_config_string(config, "compute", "cpu_shared_set"),
        .cpu_dedicated_set_text = nd_config_string(config, "compute", "cpu_dedicated_set"),
        .vcpu_pin_set_text = nd_config_string(config, "DEFAULT", "vcpu_pin_set"),
    };
}

static VirtHostFacts *host_facts(void *data, GError **error)
{
    Agent *agent = data;
    VirtHostOptions options = host_options(agent->config);
    return virt_host_facts(agent->virt, &options, error);
}

static GHashTable *host_traits(void *data, GError **error)
{
    Agent *agent = data;
    VirtHostOptions options = host_options(agent->config);
    return virt_host_traits(agent->virt, &options, error);
}

static void scheduler_update(void *data, const RpcContext *context, const char *host, NovaInstanceList *list)
{
    conductor_scheduler_update_instances(((Agent *)data)->conductor, context, host, list);
}

static void scheduler_delete(void *data, const RpcContext *context, const char *host, const char *uuid)
{
    conductor_scheduler_delete_instance(((Agent *)data)->conductor, context, host, uuid);
}

static void scheduler_sync(void *data, const RpcContext *context, const char *host, const char *const *uuids)
{
    conductor_scheduler_sync_instances(((Agent *)data)->conductor, context, host, uuids);
}

static const TrackerBackend agent_backend = {
    .node_get = node_get,
    .node_get_by_uuid = node_get_by_uuid,
    .node_create = node_create,
    .node_save = node_save,
    .instances = instances,
    .instance_get = instance_get,
    .instance_save = instance_save,
    .migrations = migrations,
    .migration_save = migration_save,
    .service_get = service_get,
    .bdm_list = bdm_list,
    .host_facts = host_facts,
    .host_traits = host_traits,
    .scheduler_update = scheduler_update,
    .scheduler_delete = scheduler_delete,
    .scheduler_sync = scheduler_sync,
};

Tracker *tracker_new_for_agent(Agent *agent, GError **error)
{
    return tracker_new(agent->config, agent->host, agent->node, agent->placement, &agent_backend, agent, error);
}
