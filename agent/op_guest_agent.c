/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/guest_agent.h"
#include "agent/method_args.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

/* quiesce_instance, unquiesce_instance, set_admin_password: what QEMU's agent in the guest does (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"

static bool set_quiet(Operation *operation, bool quiet, GError **error)
{
    g_autoptr(NovaImageMeta) image = nova_image_meta_from_instance(operation->instance, error);

    return image != NULL && guest_agent_quiesce(operation->agent, operation->instance, image, quiet, error);
}

static bool freeze(Operation *operation, GError **error)
{
    return set_quiet(operation, true, error);
}

/* The argument `mapping` names volume snapshots to wait for. A guest must not stay frozen because they cannot be looked at. */
static bool thaw(Operation *operation, GError **error)
{
    NdJson *mapping = method_args_json(operation->args, "mapping");
    size_t n = json_object_is_type(mapping, json_type_array) ? json_object_array_length(mapping) : 0;

    for (size_t i = 0; i < n; i++)
        if (g_strcmp0(nd_json_string(json_object_array_get_idx(mapping, i), "source_type", NULL), "snapshot") == 0)
            nd_warning(LOGGER, "Volume snapshot %s is not waited for: no volume service is used",
                       nd_json_string(json_object_array_get_idx(mapping, i), "snapshot_id", ""));
    return set_quiet(operation, false, error);
}

static const OperationStep quiesce_steps[] = {{"freeze", NULL, NULL, freeze, NULL}};
static const OperationStep unquiesce_steps[] = {{"thaw", NULL, NULL, thaw, NULL}};

const OperationSpec operation_quiesce_instance = {
    .method = "quiesce_instance",
    .flags = OPERATION_WRAP_EXCEPTION,
    .steps = quiesce_steps,
    .n_steps = G_N_ELEMENTS(quiesce_steps),
};

const OperationSpec operation_unquiesce_instance = {
    .method = "unquiesce_instance",
    .flags = OPERATION_WRAP_EXCEPTION,
    .steps = unquiesce_steps,
    .n_steps = G_N_ELEMENTS(unquiesce_steps),
};

/* --- set_admin_password --- */

static const char *const expect_updating[] = {TASK_UPDATING_PASSWORD, NULL};

static void set_failed(Operation *operation, const char *reason, GError **error)
{
    nova_exception_set(error, NOVA_EXC_INSTANCE_PASSWORD_SET_FAILED, "instance", operation->instance->uuid, "reason", reason, NULL);
}

static bool check_running(Operation *operation, GError **error)
{
    g_autofree char *reason = NULL;

    if (guest_power_state(operation->agent, operation->instance, NULL) == VIRT_POWER_RUNNING)
        return true;
    if (!operation_save_task_state(operation, OPERATION_TASK_NONE, expect_updating, error))
        return false;
    reason = g_strdup_printf("instance %s is not running", operation->instance->uuid);
    set_failed(operation, reason, error);
    return false;
}

static bool set_password(Operation *operation, GError **error)
{
    g_autoptr(NovaImageMeta) image = nova_image_meta_from_instance(operation->instance, error);

    if (image == NULL || !guest_agent_set_password(operation->agent, operation->instance, image, method_args_string(operation->args, "new_pass"), error))
        return false;
    nd_info(LOGGER, "Admin password set");
    return true;
}

static bool settle_password(Operation *operation, GError **error)
{
    return operation_save_task_state(operation, OPERATION_TASK_NONE, expect_updating, error);
}

/* These reach the caller; of others only that it went wrong, as their text might hold the password. */
static bool on_password_failure(Operation *operation, GError **error)
{
    static const NovaExceptionCode told[] = {NOVA_EXC_INSTANCE_PASSWORD_SET_FAILED, NOVA_EXC_INSTANCE_AGENT_NOT_ENABLED,
                                             NOVA_EXC_SET_ADMIN_PASSWD_NOT_SUPPORTED, NOVA_EXC_NOT_IMPLEMENTED_ERROR,
                                             NOVA_EXC_UNEXPECTED_TASK_STATE_ERROR};

    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        if (nova_exception_matches(*error, told[i]))
            return false;
    nd_err(LOGGER, "set_admin_password failed: %s", (*error)->message);
    g_clear_error(error);
    set_failed(operation, "error setting admin password", error);
    return false;
}

static const OperationStep password_steps[] = {
    {"check", NULL, NULL, check_running, NULL},
    {"set", NULL, NULL, set_password, NULL},
    {"settle", NULL, NULL, settle_password, NULL},
};

const OperationSpec operation_set_admin_password = {
    .method = "set_admin_password",
    .flags = OPERATION_STANDARD,
    .steps = password_steps,
    .n_steps = G_N_ELEMENTS(password_steps),
    .on_failure = on_password_failure,
};
