/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify.h"

#include "agent/notify_payload.h"
#include "base/log.h"
#include "rest/keystone.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.manager"

/* Legacy suffixes whose versioned action has another name (spec/rpc-wire.md section 10). */
static const struct {
    const char *legacy, *versioned;
} renamed[] = {
    {"resize.prep", "resize_prep"},
    {"finish_resize", "resize_finish"},
    {"resize.confirm", "resize_confirm"},
    {"resize.revert", "resize_revert"},
    {"live_migration.pre", "live_migration_pre"},
    {"live_migration._post", "live_migration_post"},
    {"live_migration.post.dest", "live_migration_post_dest"},
    {"live_migration._rollback", "live_migration_rollback"},
    {"live_migration.rollback.dest", "live_migration_rollback_dest"},
    {"live.migration.abort", "live_migration_abort"},
    {"live.migration.force.complete", "live_migration_force_complete"},
    {"volume.attach", "volume_attach"},
    {"volume.detach", "volume_detach"},
};

/* Sent in one form only. */
static const char *const legacy_only[] = {"create_ip", "delete_ip"};
static const char *const versioned_only[] = {"volume_swap", "interface_attach", "interface_detach"};

static const char *const phase_names[] = {
    [OPERATION_NOTIFY_START] = "start",
    [OPERATION_NOTIFY_END] = "end",
    [OPERATION_NOTIFY_FAILED] = "error",
    [OPERATION_NOTIFY_SINGLE] = NULL,
};

static const char *versioned_action(const char *legacy)
{
    for (size_t i = 0; i < G_N_ELEMENTS(renamed); i++)
        if (strcmp(renamed[i].legacy, legacy) == 0)
            return renamed[i].versioned;
    return legacy;
}

static bool is_in(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static char *event_type(const char *prefix, const char *action, OperationNotifyPhase phase)
{
    const char *name = phase_names[phase];

    return g_strconcat(prefix, action, name != NULL ? "." : "", name, NULL);
}

/* <image endpoint>/images/<id> with the user's catalog, as upstream; without a catalog only the id. */
char *notify_image_url(Agent *agent, const RpcContext *context, const char *image_id)
{
    const char *const *servers = nd_config_list(agent->config, "glance", "api_servers");
    KeystoneEndpointFilter filter = {.service_type = "image", .interfaces = nd_config_list(agent->config, "glance", "valid_interfaces"),
                                     .region_name = nd_config_string(agent->config, "glance", "region_name")};
    const char *image = image_id != NULL ? image_id : "";
    g_autoptr(NdJson) catalog = NULL;
    g_autofree char *url = NULL;

    if (servers[0] != NULL)
        return g_strdup_printf("%s/images/%s", servers[0], image);
    if (nd_json_parse(context->service_catalog, strlen(context->service_catalog), NULL, &catalog, NULL) && catalog != NULL)
        url = keystone_catalog_find(catalog, &filter);
    if (url == NULL)
        return g_strdup(image_id);
    return g_strdup_printf("%s/images/%s", url, image);
}

static void emit_legacy(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *action, OperationNotifyPhase phase,
                        const GError *failure, NdJson *network_info, NdJson *extra)
{
    g_autofree char *url = notify_image_url(agent, context, instance->image_ref);
    g_autofree char *event = event_type("compute.instance.", action, phase);

    rpc_notifier_emit(agent->notifier, context, phase == OPERATION_NOTIFY_FAILED ? RPC_NOTIFY_ERROR : RPC_NOTIFY_INFO, event,
                      notify_legacy_payload(instance, url, network_info, extra, failure));
}

/* instance_name_template % the instance's id in hex, upstream's Instance.name. */
static char *instance_name(Agent *agent, const NovaInstance *instance)
{
    const char *template = nd_config_string(agent->config, "DEFAULT", "instance_name_template");

    if (g_strcmp0(template, "instance-%08x") == 0)
        return g_strdup_printf("instance-%08" G_GINT64_MODIFIER "x", instance->id);
    return g_strdup(instance->uuid);
}

static void emit_versioned(Agent *agent, const RpcContext *context, const NotifyDetails *details)
{
    g_autofree char *event = event_type("instance.", versioned_action(details->action), details->phase);
    g_autofree char *name = instance_name(agent, details->instance);
    g_autoptr(NovaBlockDeviceMappingList) bdms = NULL;

    if (nd_config_bool(agent->config, "notifications", "bdms_in_notifications"))
        bdms = conductor_bdm_list(agent->conductor, context, details->instance->uuid, NULL);
    rpc_notifier_emit_versioned(agent->notifier, context, details->phase == OPERATION_NOTIFY_FAILED ? RPC_NOTIFY_ERROR : RPC_NOTIFY_INFO, event,
                                notify_versioned_payload(context, details->instance, strcmp(details->action, "create") == 0, name, bdms,
                                                         details->payload_class, details->failure));
}

void notify_instance_details(Agent *agent, const RpcContext *context, const NotifyDetails *details)
{
    if (agent->notifier == NULL)
        return;
    if (rpc_notifier_wants_legacy(agent->notifier) && !is_in(versioned_only, G_N_ELEMENTS(versioned_only), details->action))
        emit_legacy(agent, context, details->instance, details->action, details->phase, details->failure, details->network_info, details->extra);
    if (rpc_notifier_wants_versioned(agent->notifier) && !is_in(legacy_only, G_N_ELEMENTS(legacy_only), details->action))
        emit_versioned(agent, context, details);
}

void notify_instance_usage(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *action, OperationNotifyPhase phase,
                           const GError *failure, NdJson *network_info, NdJson *extra)
{
    NotifyDetails details = {instance, action, phase, failure, network_info, extra, NULL};

    notify_instance_details(agent, context, &details);
}

void notify_instance_payload(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *action, OperationNotifyPhase phase,
                             NdJson *network_info, NdJson *extra, const NotifyPayloadClass *payload_class)
{
    NotifyDetails details = {instance, action, phase, NULL, network_info, extra, payload_class};

    notify_instance_details(agent, context, &details);
}

void notify_instance_action(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *action, OperationNotifyPhase phase,
                            const GError *failure)
{
    notify_instance_usage(agent, context, instance, action, phase, failure, NULL, NULL);
}

void notify_exception(Agent *agent, const RpcContext *context, const char *method, const GError *failure)
{
    if (agent->notifier == NULL)
        return;
    if (rpc_notifier_wants_legacy(agent->notifier)) {
        NdJson *payload = json_object_new_object();

        nd_json_set_string(payload, "exception", failure->message);
        nd_json_set(payload, "args", json_object_new_object());
        rpc_notifier_emit(agent->notifier, context, RPC_NOTIFY_ERROR, method, payload);
    }
    if (rpc_notifier_wants_versioned(agent->notifier))
        rpc_notifier_emit_versioned(agent->notifier, context, RPC_NOTIFY_ERROR, "compute.exception", notify_exception_payload(method, failure));
}
