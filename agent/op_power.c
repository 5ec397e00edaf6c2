/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/image_service.h"
#include "agent/method_args.h"
#include "agent/network.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

/* stop_instance, start_instance, reboot_instance (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"
#define SHUTDOWN_RETRY_S 10 /* upstream's CONF.compute.shutdown_retry_interval: the ACPI request is repeated */

/* --- stop --- */

typedef struct {
    bool was_off; /* another operation may have cleared the task state already */
} StopData;

static bool stop_prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    operation->data = g_new0(StopData, 1);
    return true;
}

static bool stop_power_off(Operation *operation, GError **error)
{
    StopData *data = operation->data;
    Agent *agent = operation->agent;
    bool clean = method_args_bool(operation->args, "clean_shutdown");

    switch (guest_power_state(agent, operation->instance, NULL)) {
    case VIRT_POWER_NOSTATE:
    case VIRT_POWER_SHUTDOWN:
    case VIRT_POWER_CRASHED:
        nd_info(LOGGER, "Instance is already powered off in the hypervisor when stop is called.");
        data->was_off = true;
        break;
    default:
        break;
    }
    return guest_power_off(agent, operation->instance, guest_shutdown_timeout(agent, operation->instance, clean), SHUTDOWN_RETRY_S, NULL, error);
}

static bool stop_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_POWERING_OFF, NULL};
    static const char *const expected_off[] = {TASK_POWERING_OFF, OPERATION_EXPECT_NONE, NULL};
    const StopData *data = operation->data;

    return operation_settle(operation, VM_STOPPED, data->was_off ? expected_off : expected, error);
}

static const OperationStep stop_steps[] = {
    {"power-off", NULL, NULL, stop_power_off, NULL},
    {"settle", NULL, NULL, stop_settle, NULL},
};

const OperationSpec operation_stop_instance = {
    .method = "stop_instance",
    .notify = "power_off",
    .flags = OPERATION_STANDARD,
    .steps = stop_steps,
    .n_steps = G_N_ELEMENTS(stop_steps),
    .prepare = stop_prepare,
    .free_data = g_free,
};

/* --- start --- */

static const char *const shelved_keys[] = {"shelved_at", "shelved_image_id", "shelved_host"};

static bool start_power_on(Operation *operation, GError **error)
{
    g_autoptr(Guest) guest = guest_new_refreshed(operation->agent, operation->context, operation->instance, error);

    return guest != NULL && guest_power_on(guest, error);
}

/* The image of a server that was shelved and had not left this host: it has done its service, also when it cannot be deleted. */
static void delete_shelved_image(Operation *operation)
{
    const char *image_id = nova_object_dict_get(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, "shelved_image_id");
    g_autoptr(GError) failure = NULL;

    if (image_id != NULL && !image_service_delete(operation->agent, operation->context, image_id, &failure))
        nd_warning(LOGGER, "Failed to delete snapshot from shelved instance (%s): %s", image_id, failure->message);
}

static bool start_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_POWERING_ON, NULL};

    delete_shelved_image(operation);
    for (guint i = 0; i < G_N_ELEMENTS(shelved_keys); i++)
        if (nova_object_dict_get(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, shelved_keys[i]) != NULL)
            nova_object_dict_remove(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, shelved_keys[i]);
    return operation_settle(operation, VM_ACTIVE, expected, error);
}

static const OperationStep start_steps[] = {
    {"power-on", NULL, NULL, start_power_on, NULL},
    {"settle", NULL, NULL, start_settle, NULL},
};

const OperationSpec operation_start_instance = {
    .method = "start_instance",
    .notify = "power_on",
    .flags = OPERATION_STANDARD,
    .steps = start_steps,
    .n_steps = G_N_ELEMENTS(start_steps),
};

/* --- reboot --- */

static const struct {
    const char *type, *pending, *started;
    const char *expected[4];
    const char *expect_pending[2];
} reboots[] = {
    {"SOFT", TASK_REBOOT_PENDING, TASK_REBOOT_STARTED, {TASK_REBOOTING, TASK_REBOOT_PENDING, TASK_REBOOT_STARTED, NULL}, {TASK_REBOOT_PENDING, NULL}},
    {"HARD",
     TASK_REBOOT_PENDING_HARD,
     TASK_REBOOT_STARTED_HARD,
     {TASK_REBOOTING_HARD, TASK_REBOOT_PENDING_HARD, TASK_REBOOT_STARTED_HARD, NULL},
     {TASK_REBOOT_PENDING_HARD, NULL}},
};

/* Index into reboots; upstream takes everything that is not SOFT for HARD. */
static guint reboot_kind(Operation *operation)
{
    return strcmp(method_args_string(operation->args, "reboot_type"), "SOFT") == 0 ? 0 : 1;
}

typedef struct {
    Guest *guest;
    char *vm_state; /* afterwards */
} RebootData;

static void reboot_data_free(gpointer data)
{
    RebootData *reboot = data;

    g_clear_pointer(&reboot->guest, guest_free);
    g_free(reboot->vm_state);
    g_free(reboot);
}

static bool reboot_prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    RebootData *data = g_new0(RebootData, 1);

    data->vm_state = g_strdup(g_strcmp0(operation->instance->vm_state, VM_RESCUED) == 0 ? VM_RESCUED : VM_ACTIVE);
    operation->data = data;
    /* Saved by the second step; upstream's start notification tells it already. */
    nova_instance_set_task_state(operation->instance, reboots[reboot_kind(operation)].pending);
    nd_info(LOGGER, "Rebooting instance");
    return true;
}

static bool reboot_gather(Operation *operation, GError **error)
{
    RebootData *data = operation->data;

    g_clear_pointer(&data->guest, guest_free);
    data->guest = guest_new_refreshed(operation->agent, operation->context, operation->instance, error);
    return data->guest != NULL;
}

static bool reboot_acknowledge(Operation *operation, GError **error)
{
    guint kind = reboot_kind(operation);

    operation_refresh_power_state(operation);
    if (!operation_save_task_state(operation, reboots[kind].pending, reboots[kind].expected, error))
        return false;
    if (operation->instance->power_state != VIRT_POWER_RUNNING)
        nd_warning(LOGGER, "trying to reboot a non-running instance: (state: %" G_GINT64_FORMAT " expected: %d)", operation->instance->power_state,
                   VIRT_POWER_RUNNING);
    return operation_save_task_state(operation, reboots[kind].started, reboots[kind].expect_pending, error);
}

static bool reboot_guest(Operation *operation, GError **error)
{
    RebootData *data = operation->data;
    bool done = false;

    if (reboot_kind(operation) == 0) {
        g_autoptr(GError) failure = NULL;

        if (!guest_soft_reboot(data->guest, &done, &failure))
            nd_warning("nova.virt.libvirt.driver", "Failed to soft reboot instance, trying hard reboot: %s", failure->message);
        if (done)
            return true;
    }
    return guest_hard_reboot(data->guest, error);
}

/* A guest that runs all the same is no failure: it is told by a fault and the error notification. */
static bool reboot_run(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (reboot_guest(operation, &failure))
        return true;
    if (guest_power_state(operation->agent, operation->instance, NULL) == VIRT_POWER_RUNNING) {
        nd_warning(LOGGER, "Reboot failed but instance is running");
        operation_record_fault(operation, failure);
        operation_notify(operation, "reboot", OPERATION_NOTIFY_FAILED, failure);
        return true;
    }
    nd_err(LOGGER, "Cannot reboot instance: %s", failure->message);
    instance_set_error(operation->agent, operation->context, operation->instance, false);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool reboot_settle(Operation *operation, GError **error)
{
    const RebootData *data = operation->data;
    g_autoptr(GError) failure = NULL;

    if (operation_settle(operation, data->vm_state, NULL, &failure))
        return true;
    if (nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        nd_warning(LOGGER, "Instance disappeared during reboot");
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static const OperationStep reboot_steps[] = {
    {"gather", NULL, NULL, reboot_gather, NULL},
    {"acknowledge", NULL, NULL, reboot_acknowledge, NULL},
    {"reboot", NULL, NULL, reboot_run, NULL},
    {"settle", NULL, NULL, reboot_settle, NULL},
};

const OperationSpec operation_reboot_instance = {
    .method = "reboot_instance",
    .notify = "reboot",
    .flags = OPERATION_STANDARD,
    .steps = reboot_steps,
    .n_steps = G_N_ELEMENTS(reboot_steps),
    .prepare = reboot_prepare,
    .free_data = reboot_data_free,
};
