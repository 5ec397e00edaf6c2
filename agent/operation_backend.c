/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operation_backend.h"

#include "agent/agent.h"
#include "agent/method_args.h"
#include "agent/notify.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#define LOGGER "nova.compute.manager"

static void hold(Operation *operation)
{
    if (operation->context != NULL)
        rpc_context_ref(operation->context);
    if (operation->request != NULL)
        rpc_request_ref(operation->request);
    if (operation->instance != NULL)
        nova_object_ref(operation->instance);
}

static void release(Operation *operation)
{
    nova_object_unref(operation->instance);
    method_args_free(operation->args);
    if (operation->request != NULL)
        rpc_request_unref(operation->request);
    if (operation->context != NULL)
        rpc_context_unref(operation->context);
}

static void identify(Operation *operation, const char **instance_uuid, const char **request_id, const char **project_id)
{
    *instance_uuid = operation->instance->uuid;
    *request_id = operation->context->request_id;
    *project_id = operation->context->project_id;
}

static void enter(Operation *operation)
{
    const RpcContext *context = operation->context;

    nd_log_set_request(context->request_id, context->global_request_id, context->identity);
    nd_log_set_instance(operation->instance != NULL ? operation->instance->uuid : NULL);
}

static void leave(Operation *operation G_GNUC_UNUSED)
{
    nd_log_set_instance(NULL);
    nd_log_set_request(NULL, NULL, NULL);
}

/* Upstream puts Python's traceback here; ours says in which step of which operation it happened. */
static char *failure_details(Operation *operation, const GError *failure)
{
    const OperationSpec *spec = operation->spec;
    const char *step = operation->failed_step < spec->n_steps ? spec->steps[operation->failed_step].name : "";

    return g_strdup_printf("novad: operation %s, step %s, %s (%s %d)\n%s\n", spec->method, step, nova_exception_class(failure),
                           g_quark_to_string(failure->domain), failure->code, failure->message);
}

/* Nova's own exceptions speak for themselves; of others only the class is told to users (spec/compute-rpc.md section 2). */
static const char *public_text(const GError *failure)
{
    return nova_exception_is_nova(failure) ? failure->message : nova_exception_class(failure);
}

static bool event_start(Operation *operation, const char *event, GError **error)
{
    return conductor_action_event_start(operation->agent->conductor, operation->context, operation->instance->uuid, event, operation->agent->host,
                                        error);
}

static bool event_finish(Operation *operation, const char *event, const GError *failure, GError **error)
{
    g_autofree char *details = failure != NULL ? failure_details(operation, failure) : NULL;

    return conductor_action_event_finish(operation->agent->conductor, operation->context, operation->instance->uuid, event,
                                         failure != NULL ? public_text(failure) : NULL, details, error);
}

static bool save(Operation *operation, const char *const *expected_task_states, GError **error)
{
    return conductor_instance_save(operation->agent->conductor, operation->context, operation->instance, expected_task_states, error);
}

static void set_task_state(Operation *operation, const char *task_state)
{
    nova_instance_set_task_state(operation->instance, task_state);
}

static const char *task_state(Operation *operation)
{
    return operation->instance->task_state;
}

static bool is_ours(Operation *operation)
{
    return g_strcmp0(operation->instance->host, operation->agent->host) == 0;
}

static void fault(Operation *operation, const GError *failure)
{
    int number = nova_exception_number(failure);
    g_autofree char *details = number == 500 ? failure_details(operation, failure) : g_strdup("");
    g_autoptr(GError) error = NULL;

    if (operation->instance == NULL)
        return;
    if (!conductor_instance_fault_create(operation->agent->conductor, operation->context, operation->instance->uuid, operation->agent->host, number,
                                         public_text(failure), details, &error))
        nd_warning(LOGGER, "Failed to record the instance fault: %s", error->message);
}

static void notify(Operation *operation, const char *action, OperationNotifyPhase phase, const GError *failure)
{
    if (operation->instance != NULL)
        notify_instance_action(operation->agent, operation->context, operation->instance, action, phase, failure);
}

static void notify_exception_of(Operation *operation, const GError *failure)
{
    notify_exception(operation->agent, operation->context, operation->spec->method, failure);
}

static void migration_error(Operation *operation)
{
    NovaMigration *migration = method_args_object(operation->args, "migration");
    g_autoptr(GError) error = NULL;

    if (migration == NULL)
        return;
    nova_migration_set_status(migration, "error");
    if (!conductor_migration_save(operation->agent->conductor, operation->context, migration, &error))
        nd_warning(LOGGER, "Failed to set migration to error: %s", error->message);
}

static void update_usage(Operation *operation)
{
    g_autoptr(GError) error = NULL;

    if (operation->agent->tracker != NULL &&
        !tracker_instance_update(operation->agent->tracker, operation->context, operation->instance, &error))
        nd_warning(LOGGER, "Failed to update the resource usage: %s", error->message);
}

static void reply(Operation *operation, NdJson *result)
{
    if (operation->request != NULL)
        rpc_request_reply(operation->request, result);
    else
        json_object_put(result);
}

static void fail(Operation *operation, const GError *failure)
{
    if (operation->request != NULL)
        rpc_request_fail(operation->request, failure);
}

const OperationBackend operation_backend = {
    .hold = hold,
    .release = release,
    .identify = identify,
    .enter = enter,
    .leave = leave,
    .event_start = event_start,
    .event_finish = event_finish,
    .save = save,
    .set_task_state = set_task_state,
    .task_state = task_state,
    .is_ours = is_ours,
    .fault = fault,
    .notify = notify,
    .notify_exception = notify_exception_of,
    .migration_error = migration_error,
    .update_usage = update_usage,
    .reply = reply,
    .fail = fail,
    .exception_class = nova_exception_class,
};
