/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor_private.h"

/* Casts to the conductor's compute_task and to the schedulers (spec/conductor-rpc.md sections 1 and 3). */

bool conductor_build_instances(Conductor *conductor, const RpcContext *context, const ConductorRebuild *rebuild, GError **error)
{
    static const RpcTarget target = {.topic = "conductor", .name_space = "compute_task", .version = "1.19"};
    NdJson *args = json_object_new_object(), *instances = json_object_new_array(), *host_lists = json_object_new_array();
    json_object_array_add(instances, nova_object_to_json(rebuild->instance, conductor_release(conductor)));
    json_object_array_add(host_lists, rebuild->host_list);
    nd_json_set(args, "instances", instances);
    nd_json_set(args, "image", rebuild->image);
    nd_json_set(args, "filter_properties", rebuild->filter_properties);
    nd_json_set(args, "admin_password", rebuild->admin_password);
    nd_json_set(args, "injected_files", rebuild->injected_files);
    nd_json_set(args, "requested_networks", rebuild->requested_networks);
    nd_json_set(args, "security_groups", rebuild->security_groups);
    nd_json_set(args, "request_spec", rebuild->request_spec);
    nd_json_set(args, "host_lists", host_lists);
    return rpc_client_cast(conductor_client(conductor), &target, context, "build_instances", args, NULL, error);
}

bool conductor_migrate_server(Conductor *conductor, const RpcContext *context, const ConductorResize *resize, double timeout_s,
                              double call_monitor_s, GError **error)
{
    static const RpcTarget target = {.topic = "conductor", .name_space = "compute_task", .version = "1.20"};
    RpcCallOptions options = {timeout_s, call_monitor_s};
    NdJson *args = json_object_new_object(), *hint = json_object_new_object();
    nd_json_set(hint, "filter_properties", resize->filter_properties);
    nd_json_set(args, "instance", nova_object_to_json(resize->instance, conductor_release(conductor)));
    nd_json_set(args, "scheduler_hint", hint);
    nd_json_set_bool(args, "live", false);
    nd_json_set_bool(args, "rebuild", false);
    nd_json_set(args, "flavor", nova_object_to_json(resize->flavor, conductor_release(conductor)));
    nd_json_set(args, "block_migration", NULL);
    nd_json_set(args, "disk_over_commit", NULL);
    nd_json_set(args, "reservations", NULL);
    nd_json_set_bool(args, "clean_shutdown", true);
    nd_json_set(args, "request_spec", resize->request_spec);
    nd_json_set(args, "host_list", resize->host_list);
    return rpc_client_call(conductor_client(conductor), &target, context, "migrate_server", args, &options, NULL, error);
}

/* Sends a fanout cast to the schedulers. Takes `args`. */
static void tell_schedulers(Conductor *conductor, const RpcContext *context, const char *method, NdJson *args)
{
    static const RpcTarget target = {.topic = "scheduler", .version = "4.2", .fanout = true};
    g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
    rpc_client_cast_async(conductor_client(conductor), &target, elevated, method, args);
}

static NdJson *host_args(const char *host)
{
    NdJson *args = json_object_new_object();
    nd_json_set_string(args, "host_name", host);
    return args;
}

void conductor_scheduler_update_instances(Conductor *conductor, const RpcContext *context, const char *host, NovaInstanceList *instances)
{
    NdJson *args = host_args(host);
    nd_json_set(args, "instance_info", nova_object_to_json(instances, conductor_release(conductor)));
    tell_schedulers(conductor, context, "update_instance_info", args);
}

void conductor_scheduler_delete_instance(Conductor *conductor, const RpcContext *context, const char *host, const char *instance_uuid)
{
    NdJson *args = host_args(host);
    nd_json_set_string(args, "instance_uuid", instance_uuid);
    tell_schedulers(conductor, context, "delete_instance_info", args);
}

void conductor_scheduler_sync_instances(Conductor *conductor, const RpcContext *context, const char *host, const char *const *instance_uuids)
{
    NdJson *args = host_args(host);
    nd_json_set(args, "instance_uuids", nd_json_from_strv(instance_uuids));
    tell_schedulers(conductor, context, "sync_instance_info", args);
}
