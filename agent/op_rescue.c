/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/image_service.h"
#include "agent/method_args.h"
#include "agent/network.h"
#include "agent/notify.h"
#include "agent/task_state.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/time.h"
#include "objects/objects.h"
#include "rpc/exception.h"

/* rescue_instance, unrescue_instance (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"
#define SHUTDOWN_RETRY_S 10

typedef struct {
    NdJson *vifs;
    NovaImageMeta *image;
} RescueData;

static void rescue_data_free(gpointer pointer)
{
    RescueData *data = pointer;

    json_object_put(data->vifs);
    nova_image_meta_unref(data->image);
    g_free(data);
}

static bool prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    operation->data = g_new0(RescueData, 1);
    return true;
}

/* --- rescue --- */

/* The image asked for, else the one that the server's own was made from, else its own. */
static const char *rescue_image_id(Operation *operation)
{
    const NovaInstance *instance = operation->instance;
    const char *asked = method_args_string(operation->args, "rescue_image_ref");
    const char *base = nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "image_base_image_ref");

    if (asked != NULL && *asked != '\0')
        return asked;
    if (base != NULL && *base != '\0')
        return base;
    nd_warning(LOGGER, "Unable to find a different image to use for rescue VM, using instance's current image");
    return instance->image_ref != NULL ? instance->image_ref : "";
}

static void notify_rescue(Operation *operation, OperationNotifyPhase phase)
{
    RescueData *data = operation->data;
    g_autoptr(NdJson) members = json_object_new_object();
    g_autoptr(NdJson) extra = json_object_new_object();
    NotifyPayloadClass payload = {"InstanceActionRescuePayload", "1.3", members};

    nd_json_set_string(members, "rescue_image_ref", method_args_string(operation->args, "rescue_image_ref"));
    nd_json_set_string(extra, "rescue_image_name", data->image->name != NULL ? data->image->name : "");
    notify_instance_payload(operation->agent, operation->context, operation->instance, "rescue", phase, data->vifs, extra, &payload);
}

static bool gather(Operation *operation, GError **error)
{
    RescueData *data = operation->data;

    nd_info(LOGGER, "Rescuing");
    if (!network_refresh(operation->agent, operation->context, operation->instance, NETWORK_REFRESH_CACHED, &data->vifs, error))
        return false;
    data->image = image_service_meta(operation->agent, operation->context, rescue_image_id(operation), error);
    if (data->image == NULL)
        return false;
    notify_rescue(operation, OPERATION_NOTIFY_START);
    return true;
}

static bool power_off(Operation *operation, GError **error)
{
    Agent *agent = operation->agent;
    bool clean = method_args_bool(operation->args, "clean_shutdown");

    return guest_power_off(agent, operation->instance, guest_shutdown_timeout(agent, operation->instance, clean), SHUTDOWN_RETRY_S, NULL, error);
}

static bool rescue_guest(Operation *operation, GError **error)
{
    RescueData *data = operation->data;
    const char *asked = method_args_string(operation->args, "rescue_password");
    g_autofree char *made = asked == NULL || *asked == '\0' ? nd_password_new((size_t)nd_config_int(operation->agent->config, "DEFAULT", "password_length")) : NULL;
    GuestRescueOptions options = {.image = data->image, .password = made != NULL ? made : asked, .vifs = data->vifs};

    return guest_rescue(operation->agent, operation->context, operation->instance, &options, error);
}

static bool settle_rescue(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_RESCUING, NULL};

    notify_usage_exists(operation->agent, operation->context, operation->instance, NULL, NULL);
    nova_instance_set_launched_at(operation->instance, nd_time_now());
    if (!operation_settle(operation, VM_RESCUED, expected, error))
        return false;
    notify_rescue(operation, OPERATION_NOTIFY_END);
    return true;
}

#define RESCUE_STEP_POWER_OFF 1
#define RESCUE_STEP_RESCUE 2

/* What goes wrong with the guest makes the server ERROR and is told as one class. */
static bool on_rescue_failure(Operation *operation, GError **error)
{
    g_autofree char *reason = NULL;

    if (operation->failed_step != RESCUE_STEP_POWER_OFF && operation->failed_step != RESCUE_STEP_RESCUE)
        return false;
    nd_err(LOGGER, "Error trying to Rescue Instance: %s", (*error)->message);
    instance_set_error(operation->agent, operation->context, operation->instance, false);
    reason = g_strdup_printf("Driver Error: %s", (*error)->message);
    g_clear_error(error);
    nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_RESCUABLE, "instance_id", operation->instance->uuid, "reason", reason, NULL);
    return false;
}

/* After a crash: a rescue that was not complete is taken back. */
static bool recover_rescue(Agent *agent, const AgentJournalEntry *entry G_GNUC_UNUSED, NovaInstance *instance, GError **error)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);

    if (instance->deleted || g_strcmp0(instance->host, agent->host) != 0 || g_strcmp0(instance->task_state, TASK_RESCUING) != 0)
        return true;
    if (!guest_rescue_take_back(agent, instance, g_strcmp0(instance->vm_state, VM_ACTIVE) == 0, error))
        return false;
    nova_instance_set_task_state(instance, NULL);
    return conductor_instance_save(agent->conductor, context, instance, NULL, error);
}

static const OperationStep rescue_steps[] = {
    {"gather", NULL, NULL, gather, NULL},
    [RESCUE_STEP_POWER_OFF] = {"power-off", NULL, NULL, power_off, NULL},
    [RESCUE_STEP_RESCUE] = {"rescue", NULL, NULL, rescue_guest, NULL},
    {"settle", NULL, NULL, settle_rescue, NULL},
};

const OperationSpec operation_rescue_instance = {
    .method = "rescue_instance",
    .flags = OPERATION_STANDARD,
    .steps = rescue_steps,
    .n_steps = G_N_ELEMENTS(rescue_steps),
    .prepare = prepare,
    .on_failure = on_rescue_failure,
    .recovery = OPERATION_RECOVER_BACK,
    .recover = recover_rescue,
    .free_data = rescue_data_free,
};

/* --- unrescue --- */

static void notify_unrescue(Operation *operation, OperationNotifyPhase phase)
{
    const RescueData *data = operation->data;

    notify_instance_usage(operation->agent, operation->context, operation->instance, "unrescue", phase, NULL, data->vifs, NULL);
}

static bool begin_unrescue(Operation *operation, GError **error)
{
    RescueData *data = operation->data;

    nd_info(LOGGER, "Unrescuing");
    if (!network_refresh(operation->agent, operation->context, operation->instance, NETWORK_REFRESH_CACHED, &data->vifs, error))
        return false;
    notify_unrescue(operation, OPERATION_NOTIFY_START);
    return true;
}

static bool unrescue_guest(Operation *operation, GError **error)
{
    return guest_unrescue(operation->agent, operation->instance, error);
}

static bool settle_unrescue(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_UNRESCUING, NULL};

    if (!operation_settle(operation, VM_ACTIVE, expected, error))
        return false;
    notify_unrescue(operation, OPERATION_NOTIFY_END);
    return true;
}

#define UNRESCUE_STEP_GUEST 1

static bool on_unrescue_failure(Operation *operation, GError **error)
{
    if (operation->failed_step == UNRESCUE_STEP_GUEST)
        operation_error_out(operation, VM_ACTIVE, *error);
    return false;
}

/* After a crash: it is finished. */
static bool recover_unrescue(Agent *agent, const AgentJournalEntry *entry G_GNUC_UNUSED, NovaInstance *instance, GError **error)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);

    if (instance->deleted || g_strcmp0(instance->host, agent->host) != 0 || g_strcmp0(instance->task_state, TASK_UNRESCUING) != 0)
        return true;
    if (guest_is_rescued(agent, instance) && !guest_unrescue(agent, instance, error))
        return false;
    nova_instance_set_vm_state(instance, VM_ACTIVE);
    nova_instance_set_task_state(instance, NULL);
    nova_instance_set_power_state(instance, guest_power_state(agent, instance, NULL));
    return conductor_instance_save(agent->conductor, context, instance, NULL, error);
}

static const OperationStep unrescue_steps[] = {
    {"begin", NULL, NULL, begin_unrescue, NULL},
    [UNRESCUE_STEP_GUEST] = {"unrescue", NULL, NULL, unrescue_guest, NULL},
    {"settle", NULL, NULL, settle_unrescue, NULL},
};

const OperationSpec operation_unrescue_instance = {
    .method = "unrescue_instance",
    .flags = OPERATION_STANDARD,
    .steps = unrescue_steps,
    .n_steps = G_N_ELEMENTS(unrescue_steps),
    .prepare = prepare,
    .on_failure = on_unrescue_failure,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = recover_unrescue,
    .free_data = rescue_data_free,
};
