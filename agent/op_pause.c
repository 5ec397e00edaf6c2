/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"
#include "virt/error.h"

/* pause, unpause, suspend, resume (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"
#define OLD_VM_STATE "old_vm_state"

/* libvirt's "no such domain" in upstream's words. */
static bool not_found_as_instance(Operation *operation, GError **error)
{
    if (!virt_error_is_no_domain(*error))
        return false;
    g_clear_error(error);
    nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", operation->instance->uuid, NULL);
    return false;
}

/* --- pause, unpause --- */

static bool pause_guest(Operation *operation, GError **error)
{
    nd_info(LOGGER, "Pausing");
    return virt_domain_suspend(operation->agent->virt, operation->instance->uuid, error) || not_found_as_instance(operation, error);
}

static bool pause_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_PAUSING, NULL};

    return operation_settle(operation, VM_PAUSED, expected, error);
}

static const OperationStep pause_steps[] = {
    {"pause", NULL, NULL, pause_guest, NULL},
    {"settle", NULL, NULL, pause_settle, NULL},
};

const OperationSpec operation_pause_instance = {
    .method = "pause_instance",
    .notify = "pause",
    .flags = OPERATION_STANDARD,
    .steps = pause_steps,
    .n_steps = G_N_ELEMENTS(pause_steps),
};

static bool unpause_guest(Operation *operation, GError **error)
{
    nd_info(LOGGER, "Unpausing");
    if (!virt_domain_resume(operation->agent->virt, operation->instance->uuid, error))
        return not_found_as_instance(operation, error);
    virt_domain_sync_time(operation->agent->virt, operation->instance->uuid);
    return true;
}

static bool unpause_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_UNPAUSING, NULL};

    return operation_settle(operation, VM_ACTIVE, expected, error);
}

static const OperationStep unpause_steps[] = {
    {"unpause", NULL, NULL, unpause_guest, NULL},
    {"settle", NULL, NULL, unpause_settle, NULL},
};

const OperationSpec operation_unpause_instance = {
    .method = "unpause_instance",
    .notify = "unpause",
    .flags = OPERATION_STANDARD,
    .steps = unpause_steps,
    .n_steps = G_N_ELEMENTS(unpause_steps),
};

/* --- suspend, resume --- */

typedef struct {
    char *vm_state;       /* to give back when the hypervisor cannot do it */
    OperationFunc driver; /* the step whose failure makes the server ERROR: upstream covers the driver's work only */
    Guest *guest;         /* of resume */
} SuspendData;

static void suspend_data_free(gpointer pointer)
{
    SuspendData *data = pointer;

    guest_free(data->guest);
    g_free(data->vm_state);
    g_free(data);
}

static bool prepare(Operation *operation, OperationFunc driver)
{
    SuspendData *data = g_new0(SuspendData, 1);

    data->vm_state = g_strdup(operation->instance->vm_state);
    data->driver = driver;
    operation->data = data;
    return true;
}

static bool error_out_to_vm_state(Operation *operation, GError **error)
{
    const SuspendData *data = operation->data;

    if (operation->spec->steps[operation->failed_step].run == data->driver)
        operation_error_out(operation, data->vm_state, *error);
    return false;
}

static bool suspend_guest(Operation *operation, GError **error)
{
    nova_object_dict_set(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, OLD_VM_STATE, operation->instance->vm_state);
    return virt_domain_managed_save(operation->agent->virt, operation->instance->uuid, error) || not_found_as_instance(operation, error);
}

static bool suspend_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_SUSPENDING, NULL};

    return operation_settle(operation, VM_SUSPENDED, expected, error);
}

static bool suspend_prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    return prepare(operation, suspend_guest);
}

static const OperationStep suspend_steps[] = {
    {"suspend", NULL, NULL, suspend_guest, NULL},
    {"settle", NULL, NULL, suspend_settle, NULL},
};

const OperationSpec operation_suspend_instance = {
    .method = "suspend_instance",
    .notify = "suspend",
    .flags = OPERATION_STANDARD,
    .steps = suspend_steps,
    .n_steps = G_N_ELEMENTS(suspend_steps),
    .prepare = suspend_prepare,
    .on_failure = error_out_to_vm_state,
    .free_data = suspend_data_free,
};

static bool resume_gather(Operation *operation, GError **error)
{
    SuspendData *data = operation->data;

    nd_info(LOGGER, "Resuming");
    g_clear_pointer(&data->guest, guest_free);
    data->guest = guest_new_refreshed(operation->agent, operation->context, operation->instance, error);
    return data->guest != NULL;
}

static bool resume_guest(Operation *operation, GError **error)
{
    SuspendData *data = operation->data;

    return guest_resume_saved(data->guest, error);
}

static bool resume_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_RESUMING, NULL};
    g_autofree char *vm_state = g_strdup(nova_object_dict_get(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, OLD_VM_STATE));

    if (vm_state != NULL)
        nova_object_dict_remove(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, OLD_VM_STATE);
    return operation_settle(operation, vm_state != NULL ? vm_state : VM_ACTIVE, expected, error);
}

static bool resume_prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    return prepare(operation, resume_guest);
}

static const OperationStep resume_steps[] = {
    {"gather", NULL, NULL, resume_gather, NULL},
    {"resume", NULL, NULL, resume_guest, NULL},
    {"settle", NULL, NULL, resume_settle, NULL},
};

const OperationSpec operation_resume_instance = {
    .method = "resume_instance",
    .notify = "resume",
    .flags = OPERATION_STANDARD,
    .steps = resume_steps,
    .n_steps = G_N_ELEMENTS(resume_steps),
    .prepare = resume_prepare,
    .on_failure = error_out_to_vm_state,
    .free_data = suspend_data_free,
};
