/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor_private.h"

/* Block device mappings. */

NovaBlockDeviceMappingList *conductor_bdm_list(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "BlockDeviceMappingList", "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, error);
}

NovaBlockDeviceMappingList *conductor_bdm_list_multi(Conductor *conductor, const RpcContext *context, const char *const *instance_uuids, GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, nd_json_from_strv(instance_uuids));
    return conductor_class_get(conductor, context, "BlockDeviceMappingList", "get_by_instance_uuids", args, NULL, error);
}

NovaBlockDeviceMapping *conductor_bdm_get_by_volume(Conductor *conductor, const RpcContext *context, const char *volume_id, const char *instance_uuid,
                                                    GError **error)
{
    return conductor_class_get(conductor, context, "BlockDeviceMapping", "get_by_volume_and_instance", conductor_args(volume_id, instance_uuid, NULL),
                               NULL, error);
}

bool conductor_bdm_save(Conductor *conductor, const RpcContext *context, NovaBlockDeviceMapping *bdm, GError **error)
{
    return conductor_simple_action(conductor, context, bdm, "save", error);
}

bool conductor_bdm_create(Conductor *conductor, const RpcContext *context, NovaBlockDeviceMapping *bdm, GError **error)
{
    return conductor_simple_action(conductor, context, bdm, "create", error);
}

bool conductor_bdm_destroy(Conductor *conductor, const RpcContext *context, NovaBlockDeviceMapping *bdm, GError **error)
{
    return conductor_simple_action(conductor, context, bdm, "destroy", error);
}
