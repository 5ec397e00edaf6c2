/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/network.h"
#include "agent/notify.h"
#include "agent/op_build.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"
#include "virt/error.h"

#define LOGGER "nova.compute.manager"

/*
 * What becomes of a build that failed (spec/compute-rpc.md section 4, build_and_run_instance 6). The steps' undos have run: nothing of the instance
 * is left on this host. Every path ends here as success of the request, as in upstream, whose handler keeps the exception.
 */
typedef enum {
    BUILD_GONE,              /* the user deleted it */
    BUILD_ABORT,             /* no other host would do better */
    BUILD_RESCHEDULE,        /* another host may */
    BUILD_RESCHEDULE_POLICY, /* the same, and it is no fault of this host */
} BuildOutcome;

static const struct {
    NovaExceptionCode exception;
    BuildOutcome outcome;
    const char *reason; /* NULL: the exception's own text */
} outcomes[] = {
    {NOVA_EXC_INSTANCE_NOT_FOUND, BUILD_GONE, NULL},
    {NOVA_EXC_UNEXPECTED_DELETING_TASK_STATE_ERROR, BUILD_GONE, NULL},
    {NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE, BUILD_RESCHEDULE, NULL},
    {NOVA_EXC_GROUP_AFFINITY_VIOLATION, BUILD_RESCHEDULE_POLICY, NULL},
    {NOVA_EXC_RESCHEDULED_BY_POLICY_EXCEPTION, BUILD_RESCHEDULE_POLICY, NULL},
    {NOVA_EXC_BUILD_ABORT_EXCEPTION, BUILD_ABORT, NULL},
    {NOVA_EXC_NO_MORE_FIXED_IPS, BUILD_ABORT, "Failed to allocate the network(s) with error %s, not rescheduling."},
    {NOVA_EXC_EXTERNAL_NETWORK_ATTACH_FORBIDDEN, BUILD_ABORT, "Failed to allocate the network(s), not rescheduling."},
    {NOVA_EXC_VIRTUAL_INTERFACE_CREATE_EXCEPTION, BUILD_ABORT, "Failed to allocate the network(s), not rescheduling."},
    {NOVA_EXC_FIXED_IP_INVALID_ON_HOST, BUILD_ABORT, "Failed to allocate the network(s), not rescheduling."},
    {NOVA_EXC_UNABLE_TO_AUTO_ALLOCATE_NETWORK, BUILD_ABORT, "Failed to allocate the network(s), not rescheduling."},
    {NOVA_EXC_FLAVOR_DISK_TOO_SMALL, BUILD_ABORT, NULL},
    {NOVA_EXC_FLAVOR_MEMORY_TOO_SMALL, BUILD_ABORT, NULL},
    {NOVA_EXC_IMAGE_NOT_ACTIVE, BUILD_ABORT, NULL},
    {NOVA_EXC_IMAGE_UNACCEPTABLE, BUILD_ABORT, NULL},
    {NOVA_EXC_INVALID_DISK_INFO, BUILD_ABORT, NULL},
    {NOVA_EXC_INVALID_DISK_FORMAT, BUILD_ABORT, NULL},
    {NOVA_EXC_INVALID_INPUT, BUILD_ABORT, NULL},
    {NOVA_EXC_INVALID_BDM, BUILD_ABORT, NULL},
};

/* The outcome and the reason told to the user (caller frees). What goes wrong unexpectedly in these steps may go well on another host. */
static BuildOutcome classify(Operation *operation, const GError *failure, char **reason)
{
    static const char *const elsewhere[] = {"claim", "group-policy", "spawn", NULL};
    const BuildData *data = operation->data;
    const char *step = operation->failed_step < operation->spec->n_steps ? operation->spec->steps[operation->failed_step].name : "";
    for (size_t i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        if (!nova_exception_matches(failure, outcomes[i].exception))
            continue;
        /* One of the reasons has a place for the text; the others ignore it. */
        if (outcomes[i].reason && strstr(outcomes[i].reason, "%s"))
            *reason = g_strdup_printf("Failed to allocate the network(s) with error %s, not rescheduling.", failure->message);
        else
            *reason = g_strdup(outcomes[i].reason ? outcomes[i].reason : failure->message);
        return outcomes[i].outcome;
    }
    if (state_is_one_of(step, elsewhere) && !data->dirty) {
        *reason = g_strdup(failure->message);
        return BUILD_RESCHEDULE;
    }
    if (g_str_equal(step, "network"))
        *reason = g_strdup("Failed to allocate the network(s), not rescheduling.");
    else if (g_str_equal(step, "block-devices"))
        *reason = g_strdup("Failure prepping block device.");
    else
        *reason = g_strdup(failure->message);
    return BUILD_ABORT;
}

void build_delete_allocations(Operation *operation)
{
    g_autoptr(GError) error = NULL;
    if (!tracker_delete_allocations(operation->agent->tracker, operation->context, operation->instance->uuid, true, &error))
        nd_err(LOGGER, "allocations of the instance cannot be deleted: %s", error->message);
}

static void fail_server(Operation *operation, const GError *fault)
{
    g_autoptr(GError) error = NULL;
    operation_record_fault(operation, fault);
    instance_leave_host(operation->instance);
    nova_instance_set_vm_state(operation->instance, "error");
    if (!operation_save_task_state(operation, OPERATION_TASK_NONE, NULL, &error) && !nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND))
        nd_err(LOGGER, "the instance cannot be set to error: %s", error->message);
    build_delete_allocations(operation);
}

static NdJson *argument_json(Operation *operation, const char *name)
{
    NdJson *value = method_args_json(operation->args, name);
    return value ? json_object_get(value) : NULL;
}

static NdJson *argument_object_json(Operation *operation, const char *name)
{
    NovaObject *object = method_args_object(operation->args, name);
    return object ? nova_object_to_json(object, operation->agent->release) : NULL;
}

/* filter_properties as they came, with what the next scheduling round logs as the cause. */
static NdJson *retry_properties(Operation *operation, const char *reason)
{
    NdJson *properties = argument_json(operation, "filter_properties");
    NdJson *retry = nd_json_object(properties, "retry");
    NdJson *text = json_object_new_array();
    json_object_array_add(text, json_object_new_string(reason));
    nd_json_set(retry, "exc", text);
    nd_json_set_string(retry, "exc_reason", reason);
    return properties;
}

static void reschedule(Operation *operation, const char *reason)
{
    g_autoptr(GError) error = NULL;
    instance_leave_host(operation->instance);
    if (!operation_save_task_state(operation, "scheduling", NULL, &error)) {
        nd_err(LOGGER, "the instance cannot be re-scheduled: %s", error->message);
        return;
    }
    build_delete_allocations(operation);
    /* From here on a crash must not take back what may already be another host's. */
    NdJson *handed_over = json_object_new_object();
    nd_json_set_bool(handed_over, BUILD_RESCHEDULED, true);
    g_clear_error(&error);
    if (!operation_remember(operation, handed_over, &error))
        nd_warning(LOGGER, "%s", error->message);
    g_clear_error(&error);
    const char *password = method_args_string(operation->args, "admin_password");
    ConductorRebuild request = {
        .instance = operation->instance,
        .image = argument_json(operation, "image"),
        .filter_properties = retry_properties(operation, reason),
        .admin_password = password ? json_object_new_string(password) : NULL,
        .injected_files = argument_json(operation, "injected_files"),
        .requested_networks = argument_object_json(operation, "requested_networks"),
        .security_groups = argument_json(operation, "security_groups"),
        .request_spec = argument_object_json(operation, "request_spec"),
        .host_list = argument_json(operation, "host_list"),
    };
    if (!conductor_build_instances(operation->agent->conductor, operation->context, &request, &error))
        nd_err(LOGGER, "the conductor cannot be asked to re-schedule the instance: %s", error->message);
}

static bool has_retry(Operation *operation)
{
    NdJson *retry = nd_json_object(method_args_json(operation->args, "filter_properties"), "retry");
    return retry != NULL && json_object_object_length(retry) > 0;
}

bool build_on_failure(Operation *operation, GError **error)
{
    /* The daemon goes down: the journal keeps the build, nothing is decided now. */
    if (g_error_matches(*error, AGENT_ERROR, AGENT_ERROR_STOPPING))
        return false;
    g_autofree char *reason = NULL;
    BuildOutcome outcome = classify(operation, *error, &reason);
    nd_warning(LOGGER, "build failed in step '%s': %s", operation->spec->steps[MIN(operation->failed_step, operation->spec->n_steps - 1)].name,
               (*error)->message);
    notify_instance_usage(operation->agent, operation->context, operation->instance, "create", OPERATION_NOTIFY_FAILED, *error, NULL, NULL);
    /* The number itself is of no interest to upstream's agent either: it only turns the counting on. nova-scheduler weighs the count. */
    bool counted = nd_config_int(operation->agent->config, "compute", "consecutive_build_service_disable_threshold") != 0;
    if (counted && outcome != BUILD_RESCHEDULE_POLICY)
        tracker_build_failed(operation->agent->tracker);

    g_autoptr(GError) fault = NULL;
    switch (outcome) {
    case BUILD_GONE:
        nd_debug(LOGGER, "Instance disappeared during build.");
        build_delete_allocations(operation);
        break;
    case BUILD_ABORT:
        nova_exception_set(&fault, NOVA_EXC_BUILD_ABORT_EXCEPTION, "instance_uuid", operation->instance->uuid, "reason", reason, NULL);
        fail_server(operation, nova_exception_matches(*error, NOVA_EXC_BUILD_ABORT_EXCEPTION) ? *error : fault);
        break;
    case BUILD_RESCHEDULE:
    case BUILD_RESCHEDULE_POLICY:
        if (has_retry(operation)) {
            reschedule(operation, reason);
            break;
        }
        nd_debug(LOGGER, "Retry info not present, will not reschedule");
        nova_exception_set_text(&fault,
                                outcome == BUILD_RESCHEDULE ? NOVA_EXC_RESCHEDULED_EXCEPTION : NOVA_EXC_RESCHEDULED_BY_POLICY_EXCEPTION, reason,
                                "instance_uuid", operation->instance->uuid, "reason", reason, NULL);
        fail_server(operation, fault);
        break;
    }
    g_clear_error(error);
    return true;
}
