/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/task_state.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.manager"

bool state_is_one_of(const char *word, const char *const *list)
{
    return word != NULL && g_strv_contains(list, word);
}

void operation_refresh_power_state(Operation *operation)
{
    nova_instance_set_power_state(operation->instance, guest_power_state(operation->agent, operation->instance, NULL));
}

static void update_usage(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    g_autoptr(GError) error = NULL;

    if (agent->tracker != NULL && !tracker_instance_update(agent->tracker, context, instance, &error))
        nd_warning(LOGGER, "Failed to update the resource usage: %s", error->message);
}

bool operation_settle(Operation *operation, const char *vm_state, const char *const *expected_task_states, GError **error)
{
    operation_refresh_power_state(operation);
    nova_instance_set_vm_state(operation->instance, vm_state);
    if (!operation_save_task_state(operation, OPERATION_TASK_NONE, expected_task_states, error))
        return false;
    update_usage(operation->agent, operation->context, operation->instance);
    return true;
}

void instance_set_error(Agent *agent, const RpcContext *context, NovaInstance *instance, bool clear_task)
{
    g_autoptr(GError) error = NULL;

    nova_instance_set_vm_state(instance, VM_ERROR);
    if (clear_task)
        nova_instance_set_task_state(instance, NULL);
    if (!conductor_instance_save(agent->conductor, context, instance, NULL, &error)) {
        if (!nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND))
            nd_err(LOGGER, "Failed to set the instance to error: %s", error->message);
        return;
    }
    update_usage(agent, context, instance);
}

void instance_set_build_error(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    g_autoptr(GError) error = NULL;

    instance_set_error(agent, context, instance, true);
    if (!conductor_instance_fault_create(agent->conductor, context, instance->uuid, agent->host, 500, INSTANCE_FAULT_INTERRUPTED, "", &error))
        nd_warning(LOGGER, "Failed to record the instance fault: %s", error->message);
}

void operation_give_back(Operation *operation, const char *vm_state, const GError *failure)
{
    g_autoptr(GError) error = NULL;

    nd_info(LOGGER, "Setting instance back to %s after: %s", vm_state, failure->message);
    nova_instance_set_vm_state(operation->instance, vm_state);
    nova_instance_set_task_state(operation->instance, NULL);
    if (!conductor_instance_save(operation->agent->conductor, operation->context, operation->instance, NULL, &error)) {
        nd_warning(LOGGER, "Failed to give the instance its state back: %s", error->message);
        return;
    }
    update_usage(operation->agent, operation->context, operation->instance);
}

void operation_error_out(Operation *operation, const char *vm_state, const GError *failure)
{
    if (nova_exception_matches(failure, NOVA_EXC_NOT_IMPLEMENTED_ERROR) ||
        strcmp(nova_exception_class(failure), "NotImplementedError") == 0) {
        operation_give_back(operation, vm_state, failure);
        return;
    }
    nd_err(LOGGER, "Setting instance vm_state to ERROR");
    instance_set_error(operation->agent, operation->context, operation->instance, false);
}

void instance_leave_host(NovaInstance *instance)
{
    nova_instance_set_host(instance, NULL);
    nova_instance_set_node(instance, NULL);
    if (nova_object_is_set(instance, NOVA_INSTANCE_COMPUTE_ID))
        nova_object_set_null(instance, NOVA_INSTANCE_COMPUTE_ID);
    nova_instance_set_launched_on(instance, NULL);
    nova_instance_set_availability_zone(instance, NULL);
}
