/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor_private.h"

#include "base/ids.h"
#include "rpc/error.h"

/* PCI devices, virtual interfaces, console tokens, server groups. */

NovaPciDeviceList *conductor_pci_list_by_compute_node(Conductor *conductor, const RpcContext *context, gint64 node_id, GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, json_object_new_int64(node_id));
    return conductor_class_get(conductor, context, "PciDeviceList", "get_by_compute_node", args, NULL, error);
}

NovaPciDeviceList *conductor_pci_list_by_instance(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "PciDeviceList", "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, error);
}

bool conductor_vif_create(Conductor *conductor, const RpcContext *context, NovaVirtualInterface *vif, GError **error)
{
    return conductor_simple_action(conductor, context, vif, "create", error);
}

bool conductor_vif_destroy(Conductor *conductor, const RpcContext *context, NovaVirtualInterface *vif, GError **error)
{
    return conductor_simple_action(conductor, context, vif, "destroy", error);
}

bool conductor_vif_get_by_uuid(Conductor *conductor, const RpcContext *context, const char *uuid, NovaVirtualInterface **vif, GError **error)
{
    NovaObject *object = NULL;
    if (!conductor_class_object(conductor, context, "VirtualInterface", "get_by_uuid", conductor_args(uuid, NULL), NULL, NULL, &object, error))
        return false;
    *vif = (NovaVirtualInterface *)object;
    return true;
}

bool conductor_vif_delete_by_instance(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_action(conductor, context, "VirtualInterface", "delete_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, NULL,
                                  error);
}

NovaVirtualInterfaceList *conductor_vif_list(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "VirtualInterfaceList", "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, error);
}

bool conductor_console_token_authorize(Conductor *conductor, const RpcContext *context, NovaConsoleAuthToken *token, int ttl_s, char **token_text,
                                       GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, json_object_new_int(ttl_s));
    g_autoptr(NdJson) value = NULL;
    if (!conductor_object_action(conductor, context, &token->parent, "authorize", args, NULL, &value, error))
        return false;
    if (!json_object_is_type(value, json_type_string)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "ConsoleAuthToken.authorize: the result is no token");
        return false;
    }
    *token_text = g_strdup(json_object_get_string(value));
    return true;
}

bool conductor_console_tokens_clean(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_action(conductor, context, "ConsoleAuthToken", "clean_console_auths_for_instance", conductor_args(instance_uuid, NULL), NULL,
                                  NULL, error);
}

bool conductor_console_tokens_clean_expired(Conductor *conductor, const RpcContext *context, GError **error)
{
    return conductor_class_action(conductor, context, "ConsoleAuthToken", "clean_expired_console_auths", NULL, NULL, NULL, error);
}

NovaInstanceGroup *conductor_group_get_by_instance(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "InstanceGroup", "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, error);
}

NovaInstanceGroup *conductor_group_get_by_hint(Conductor *conductor, const RpcContext *context, const char *hint, GError **error)
{
    const char *method = nd_uuid_is_valid(hint) ? "get_by_uuid" : "get_by_name";
    return conductor_class_get(conductor, context, "InstanceGroup", method, conductor_args(hint, NULL), NULL, error);
}

char **conductor_group_hosts(Conductor *conductor, const RpcContext *context, NovaInstanceGroup *group, const char *const *exclude, GError **error)
{
    NdJson *kwargs = json_object_new_object(), *value = NULL;
    if (exclude != NULL)
        nd_json_set(kwargs, "exclude", nd_json_from_strv(exclude));
    if (!conductor_object_action(conductor, context, &group->parent, "get_hosts", NULL, kwargs, &value, error))
        return NULL;
    return conductor_take_strings(value, "InstanceGroup.get_hosts", error);
}
