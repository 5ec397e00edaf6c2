/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/method_args.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "virt/host.h"

/* Methods about the host itself (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"

static bool get_host_uptime(Operation *operation, GError **error)
{
    g_autofree char *text = virt_host_uptime(error);

    if (text == NULL)
        return false;
    operation_set_result(operation, json_object_new_string(text));
    return true;
}

static const OperationStep uptime_steps[] = {{"read", NULL, NULL, get_host_uptime, NULL}};

const OperationSpec operation_get_host_uptime = {
    .method = "get_host_uptime",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_NO_JOURNAL,
    .steps = uptime_steps,
    .n_steps = G_N_ELEMENTS(uptime_steps),
};

/* The answer does not depend on Placement: the periodic audit mends the trait. */
static bool set_host_enabled(Operation *operation, GError **error G_GNUC_UNUSED)
{
    bool enabled = method_args_bool(operation->args, "enabled");
    g_autoptr(GError) failure = NULL;

    if (!tracker_set_host_enabled(operation->agent->tracker, operation->context, enabled, &failure))
        nd_warning(LOGGER, "An error occurred while updating the COMPUTE_STATUS_DISABLED trait: %s", failure->message);
    operation_set_result(operation, json_object_new_string(enabled ? "enabled" : "disabled"));
    return true;
}

static const OperationStep enable_steps[] = {{"set-trait", NULL, NULL, set_host_enabled, NULL}};

const OperationSpec operation_set_host_enabled = {
    .method = "set_host_enabled",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_NO_JOURNAL,
    .steps = enable_steps,
    .n_steps = G_N_ELEMENTS(enable_steps),
};

/* As upstream's libvirt driver, which has neither. */
static bool refuse(Operation *operation, GError **error)
{
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "%s is not supported by libvirt hosts", operation->spec->method);
    return false;
}

static const OperationStep refuse_steps[] = {{"refuse", NULL, NULL, refuse, NULL}};

const OperationSpec operation_host_power_action = {
    .method = "host_power_action",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_NO_JOURNAL,
    .steps = refuse_steps,
    .n_steps = G_N_ELEMENTS(refuse_steps),
};

const OperationSpec operation_host_maintenance_mode = {
    .method = "host_maintenance_mode",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_NO_JOURNAL,
    .steps = refuse_steps,
    .n_steps = G_N_ELEMENTS(refuse_steps),
};
