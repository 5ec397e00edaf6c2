/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor_private.h"

/* Instances, their info caches and what hangs on them (spec/conductor-rpc.md section 2). */

NovaInstance *conductor_instance_get_by_uuid(Conductor *conductor, const RpcContext *context, const char *uuid, const char *const *expected_attrs,
                                             GError **error)
{
    return conductor_class_get(conductor, context, "Instance", "get_by_uuid", conductor_args(uuid, NULL), conductor_list_kwargs(expected_attrs, false),
                               error);
}

/* States as arguments: "" is None. */
static NdJson *states_to_json(const char *const *states)
{
    NdJson *list = json_object_new_array();
    for (; *states != NULL; states++)
        json_object_array_add(list, **states != '\0' ? json_object_new_string(*states) : NULL);
    return list;
}

bool conductor_instance_save_full(Conductor *conductor, const RpcContext *context, NovaInstance *instance, const char *const *expected_task_states,
                                  const char *const *expected_vm_states, bool admin_state_reset, GError **error)
{
    if (!nova_object_has_changes(instance) && expected_task_states == NULL && expected_vm_states == NULL)
        return true;
    NdJson *kwargs = json_object_new_object();
    if (expected_task_states != NULL)
        nd_json_set(kwargs, "expected_task_state", states_to_json(expected_task_states));
    if (expected_vm_states != NULL)
        nd_json_set(kwargs, "expected_vm_state", states_to_json(expected_vm_states));
    if (admin_state_reset)
        nd_json_set_bool(kwargs, "admin_state_reset", true);
    return conductor_object_action(conductor, context, &instance->parent, "save", NULL, kwargs, NULL, error);
}

bool conductor_instance_save(Conductor *conductor, const RpcContext *context, NovaInstance *instance, const char *const *expected_task_states,
                             GError **error)
{
    return conductor_instance_save_full(conductor, context, instance, expected_task_states, NULL, false, error);
}

bool conductor_instance_refresh(Conductor *conductor, const RpcContext *context, NovaInstance *instance, GError **error)
{
    return conductor_simple_action(conductor, context, instance, "refresh", error);
}

bool conductor_instance_destroy(Conductor *conductor, const RpcContext *context, NovaInstance *instance, GError **error)
{
    return conductor_simple_action(conductor, context, instance, "destroy", error);
}

bool conductor_instance_drop_migration_context(Conductor *conductor, const RpcContext *context, NovaInstance *instance, GError **error)
{
    return conductor_simple_action(conductor, context, instance, "drop_migration_context", error);
}

NovaInstanceList *conductor_instance_list_by_host(Conductor *conductor, const RpcContext *context, const char *host, const char *const *expected_attrs,
                                                  bool use_slave, GError **error)
{
    return conductor_class_get(conductor, context, "InstanceList", "get_by_host", conductor_args(host, NULL),
                               conductor_list_kwargs(expected_attrs, use_slave), error);
}

NovaInstanceList *conductor_instance_list_by_host_and_node(Conductor *conductor, const RpcContext *context, const char *host, const char *node,
                                                           const char *const *expected_attrs, GError **error)
{
    return conductor_class_get(conductor, context, "InstanceList", "get_by_host_and_node", conductor_args(host, node, NULL),
                               conductor_list_kwargs(expected_attrs, false), error);
}

NovaInstanceList *conductor_instance_list_by_filters(Conductor *conductor, const RpcContext *context, NdJson *filters, const char *const *expected_attrs,
                                                     bool use_slave, GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, filters);
    return conductor_class_get(conductor, context, "InstanceList", "get_by_filters", args, conductor_list_kwargs(expected_attrs, use_slave), error);
}

char **conductor_instance_uuids_by_host(Conductor *conductor, const RpcContext *context, const char *host, GError **error)
{
    NdJson *result = NULL;
    if (!conductor_class_action(conductor, context, "InstanceList", "get_uuids_by_host", conductor_args(host, NULL), NULL, &result, error))
        return NULL;
    return conductor_take_strings(result, "InstanceList.get_uuids_by_host", error);
}

bool conductor_info_cache_save(Conductor *conductor, const RpcContext *context, NovaInstanceInfoCache *cache, GError **error)
{
    return conductor_simple_action(conductor, context, cache, "save", error);
}

bool conductor_info_cache_refresh(Conductor *conductor, const RpcContext *context, NovaInstanceInfoCache *cache, GError **error)
{
    return conductor_simple_action(conductor, context, cache, "refresh", error);
}

NovaInstanceInfoCache *conductor_info_cache_get(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "InstanceInfoCache", "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, error);
}

NovaEC2Ids *conductor_ec2_ids_get(Conductor *conductor, const RpcContext *context, NovaInstance *instance, GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, nova_object_to_json(instance, conductor_release(conductor)));
    return conductor_class_get(conductor, context, "EC2Ids", "get_by_instance", args, NULL, error);
}

NovaTagList *conductor_tag_list(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "TagList", "get_by_resource_id", conductor_args(instance_uuid, NULL), NULL, error);
}

bool conductor_get_by_instance_uuid(Conductor *conductor, const RpcContext *context, const char *class_name, const char *instance_uuid,
                                    NovaObject **object, GError **error)
{
    return conductor_class_object(conductor, context, class_name, "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, NULL, object, error);
}

NovaKeyPairList *conductor_key_pair_list(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "KeyPairList", "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, error);
}
