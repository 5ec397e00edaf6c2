/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor_private.h"

#include "base/time.h"
#include "rpc/error.h"

/* Service and ComputeNode records; which release the control plane has. */

bool conductor_service_get(Conductor *conductor, const RpcContext *context, const char *host, const char *binary, NovaService **service, GError **error)
{
    NovaObject *object = NULL;
    if (!conductor_class_object(conductor, context, "Service", "get_by_host_and_binary", conductor_args(host, binary, NULL), NULL, NULL, &object, error))
        return false;
    *service = (NovaService *)object;
    return true;
}

NovaService *conductor_service_get_by_compute_host(Conductor *conductor, const RpcContext *context, const char *host, GError **error)
{
    return conductor_class_get(conductor, context, "Service", "get_by_compute_host", conductor_args(host, NULL), NULL, error);
}

bool conductor_service_create(Conductor *conductor, const RpcContext *context, NovaService *service, GError **error)
{
    return conductor_simple_action(conductor, context, service, "create", error);
}

bool conductor_service_save(Conductor *conductor, const RpcContext *context, NovaService *service, GError **error)
{
    return conductor_simple_action(conductor, context, service, "save", error);
}

bool conductor_service_minimum_version(Conductor *conductor, const RpcContext *context, const char *binary, gint64 *version, GError **error)
{
    g_autoptr(NdJson) result = NULL;
    if (!conductor_class_action(conductor, context, "Service", "get_minimum_version", conductor_args(binary, NULL), NULL, &result, error))
        return false;
    if (!json_object_is_type(result, json_type_int)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "Service.get_minimum_version: the result is no number");
        return false;
    }
    *version = json_object_get_int64(result);
    return true;
}

/* The lowest version of the list's records; only of living ones if there is any (spec/versions.md section 5). */
static gint64 oldest_version(const NovaServiceList *list, int service_down_time)
{
    gint64 alive = 0, all = 0, limit = nd_time_now() - (gint64)service_down_time * G_USEC_PER_SEC;
    for (guint i = 0; i < nova_object_list_length(list); i++) {
        const NovaService *service = nova_object_list_get(list, i);
        bool is_alive = !service->forced_down && service->last_seen_up >= limit;
        if (all == 0 || service->version < all)
            all = service->version;
        if (is_alive && (alive == 0 || service->version < alive))
            alive = service->version;
    }
    return alive != 0 ? alive : all;
}

bool conductor_detect_version(Conductor *conductor, const RpcContext *context, int service_down_time, gint64 *version, GError **error)
{
    NdJson *kwargs = json_object_new_object();
    nd_json_set_bool(kwargs, "include_disabled", true);
    g_autoptr(NovaServiceList) list =
        conductor_class_get(conductor, context, "ServiceList", "get_by_binary", conductor_args("nova-conductor", NULL), kwargs, error);
    if (list == NULL)
        return false;
    *version = oldest_version(list, service_down_time);
    return true;
}

bool conductor_release_of_version(gint64 version, NdRelease *release)
{
    /* The highest version of each release; where a number belongs to two, the older one is served (spec/versions.md section 5.3). */
    static const struct {
        gint64 last;
        NdRelease release;
    } table[] = {
        {64, ND_RELEASE_ZED},    {66, ND_RELEASE_2023_1}, {67, ND_RELEASE_2024_1},
        {68, ND_RELEASE_2025_1}, {70, ND_RELEASE_2025_2}, {72, ND_RELEASE_2026_1},
    };
    if (version < table[0].last)
        return false;
    *release = ND_RELEASE_2026_1;
    for (size_t i = G_N_ELEMENTS(table); i > 0; i--)
        if (version <= table[i - 1].last)
            *release = table[i - 1].release;
    return true;
}

NovaComputeNode *conductor_compute_node_get(Conductor *conductor, const RpcContext *context, const char *host, const char *node, GError **error)
{
    return conductor_class_get(conductor, context, "ComputeNode", "get_by_host_and_nodename", conductor_args(host, node, NULL), NULL, error);
}

NovaComputeNode *conductor_compute_node_get_by_uuid(Conductor *conductor, const RpcContext *context, const char *uuid, GError **error)
{
    return conductor_class_get(conductor, context, "ComputeNode", "get_by_uuid", conductor_args(uuid, NULL), NULL, error);
}

NovaComputeNodeList *conductor_compute_node_list_by_host(Conductor *conductor, const RpcContext *context, const char *host, GError **error)
{
    return conductor_class_get(conductor, context, "ComputeNodeList", "get_all_by_host", conductor_args(host, NULL), conductor_list_kwargs(NULL, true),
                               error);
}

NovaComputeNodeList *conductor_compute_node_list_by_uuids(Conductor *conductor, const RpcContext *context, const char *const *uuids, GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, nd_json_from_strv(uuids));
    return conductor_class_get(conductor, context, "ComputeNodeList", "get_all_by_uuids", args, NULL, error);
}

bool conductor_compute_node_create(Conductor *conductor, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    return conductor_simple_action(conductor, context, node, "create", error);
}

bool conductor_compute_node_save(Conductor *conductor, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    return conductor_simple_action(conductor, context, node, "save", error);
}

bool conductor_compute_node_destroy(Conductor *conductor, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    return conductor_simple_action(conductor, context, node, "destroy", error);
}
