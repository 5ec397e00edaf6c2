/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operation.h"

#include "agent/agent.h"
#include "agent/journal.h"
#include "agent/lanes.h"
#include "base/log.h"

#include <string.h>

#define LOGGER "nova.compute.manager"
#define SLOW_STEP_US (30 * G_USEC_PER_SEC) /* a step that took longer is logged at info */

static const char *none_if_empty(const char *task_state)
{
    return task_state != NULL && task_state[0] != '\0' ? task_state : NULL;
}

/* Puts the operation's name and step in front, for the log; nova exceptions are left alone, their text goes to the caller. */
static void log_failure(Operation *operation, const char *what, const GError *failure)
{
    nd_warning(LOGGER, "%s: %s: %s", operation->spec->method, what, failure->message);
}

Operation *operation_new(Agent *agent, const OperationSpec *spec, RpcContext *context, RpcRequest *request, MethodArgs *args,
                         NovaInstance *instance)
{
    Operation *operation = g_new0(Operation, 1);

    operation->agent = agent;
    operation->spec = spec;
    operation->backend = agent->operation_backend;
    operation->context = context;
    operation->request = request;
    operation->args = args;
    operation->instance = instance;
    operation->step_times_us = g_new(gint64, spec->n_steps);
    for (guint i = 0; i < spec->n_steps; i++)
        operation->step_times_us[i] = -1;
    if (operation->backend->hold != NULL)
        operation->backend->hold(operation);
    return operation;
}

static void end_with_reply(Operation *operation)
{
    operation->ended = true;
    operation->backend->reply(operation, g_steal_pointer(&operation->result));
}

static void end_with_failure(Operation *operation, const GError *failure)
{
    operation->ended = true;
    operation->backend->fail(operation, failure);
}

void operation_adopt(Operation *operation, AgentJournalEntry *entry, bool resumed)
{
    agent_journal_entry_free(operation->journal_entry);
    operation->journal_entry = entry;
    operation->resumed = resumed;
}

/* An entry of an operation that never ran stays: the next start runs it. */
void operation_free(Operation *operation)
{
    if (operation == NULL)
        return;
    if (!operation->ended) {
        g_autoptr(GError) error = g_error_new(AGENT_ERROR, AGENT_ERROR_STOPPING, "%s: the compute service is stopping", operation->spec->method);

        end_with_failure(operation, error);
    }
    if (operation->data != NULL && operation->spec->free_data != NULL)
        operation->spec->free_data(operation->data);
    json_object_put(operation->result);
    agent_journal_entry_free(operation->journal_entry);
    if (operation->backend->release != NULL)
        operation->backend->release(operation);
    g_free(operation->step_times_us);
    g_free(operation);
}

/* Journal. An operation without instance or with OPERATION_NO_JOURNAL has no entry. */

static bool journal_begin(Operation *operation, GError **error)
{
    const char *uuid, *request_id, *project_id;

    if (operation->journal_entry != NULL) {
        operation->journal_entry->phase = AGENT_JOURNAL_RUN;
        return agent_journal_update(operation->agent->journal, operation->journal_entry, error);
    }
    if (operation->agent->journal == NULL || operation->instance == NULL || (operation->spec->flags & OPERATION_NO_JOURNAL) != 0)
        return true;
    operation->backend->identify(operation, &uuid, &request_id, &project_id);
    operation->journal_entry = agent_journal_entry_new(uuid, operation->spec->method, request_id);
    operation->journal_entry->project_id = g_strdup(project_id);
    operation->journal_entry->original_task_state = g_strdup(operation->backend->task_state(operation));
    operation->journal_entry->phase = AGENT_JOURNAL_RUN;
    if (agent_journal_begin(operation->agent->journal, operation->journal_entry, error))
        return true;
    g_clear_pointer(&operation->journal_entry, agent_journal_entry_free);
    return false;
}

static bool journal_step(Operation *operation, AgentJournalPhase phase, const char *step, GError **error)
{
    AgentJournalEntry *entry = operation->journal_entry;

    if (entry == NULL)
        return true;
    entry->phase = phase;
    if (step != entry->step) {
        g_free(entry->step);
        entry->step = g_strdup(step);
    }
    return agent_journal_update(operation->agent->journal, entry, error);
}

/* The journal is no reason to stop putting things right: failures are only logged. */
static void journal_phase(Operation *operation, AgentJournalPhase phase)
{
    g_autoptr(GError) error = NULL;

    if (operation->journal_entry != NULL && !journal_step(operation, phase, operation->journal_entry->step, &error))
        log_failure(operation, "journal", error);
}

static void journal_end(Operation *operation)
{
    g_autoptr(GError) error = NULL;

    if (operation->journal_entry != NULL && !agent_journal_end(operation->agent->journal, operation->journal_entry, &error))
        log_failure(operation, "journal", error);
    g_clear_pointer(&operation->journal_entry, agent_journal_entry_free);
}

/* Steps. */

static bool run_step(Operation *operation, const OperationStep *step, GError **error)
{
    gint64 begun = g_get_monotonic_time();
    gint64 *spent = &operation->step_times_us[operation->step_index];
    bool done;

    if (operation_stopping(operation)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING, "the compute service is stopping");
        return false;
    }
    if (!journal_step(operation, AGENT_JOURNAL_RUN, step->name, error))
        return false;
    done = (step->task_state == NULL || operation_save_task_state(operation, step->task_state, step->expected, error)) &&
           (step->run == NULL || step->run(operation, error));
    *spent = g_get_monotonic_time() - begun;
    if (*spent > SLOW_STEP_US)
        nd_info(LOGGER, "%s: step %s took %.1f seconds", operation->spec->method, step->name, (double)*spent / G_USEC_PER_SEC);
    else
        nd_debug(LOGGER, "%s: step %s took %.3f seconds", operation->spec->method, step->name, (double)*spent / G_USEC_PER_SEC);
    return done;
}

static bool run_steps(Operation *operation, GError **error)
{
    for (guint i = 0; i < operation->spec->n_steps && !operation->finish_early; i++) {
        operation->step_index = i;
        if (!run_step(operation, &operation->spec->steps[i], error))
            return false;
    }
    return true;
}

/* Broken off because the daemon goes down. The same error at another time (a waiter was cancelled by a delete) is an ordinary failure. */
static bool is_parked(Operation *operation, const GError *failure)
{
    return operation_stopping(operation) && g_error_matches(failure, AGENT_ERROR, AGENT_ERROR_STOPPING);
}

/* The step that failed and those before it, last first. */
static void undo_steps(Operation *operation)
{
    operation->failed_step = operation->step_index;
    journal_phase(operation, AGENT_JOURNAL_UNDO);
    for (guint i = operation->step_index + 1; i-- > 0;) {
        const OperationStep *step = &operation->spec->steps[i];

        operation->step_index = i;
        if (step->undo == NULL)
            continue;
        nd_debug(LOGGER, "%s: undo step %s", operation->spec->method, step->name);
        step->undo(operation);
    }
}

static char *event_name(Operation *operation)
{
    return operation->spec->event != NULL ? g_strdup(operation->spec->event) : g_strconcat("compute_", operation->spec->method, NULL);
}

/* Everything within the decorators: notifications, steps, undo, recovery. */
static bool run_body(Operation *operation, GError **error)
{
    const OperationSpec *spec = operation->spec;
    g_autoptr(GError) failure = NULL;

    operation->body_begun = true;
    if (spec->notify != NULL)
        operation_notify(operation, spec->notify, OPERATION_NOTIFY_START, NULL);
    if (run_steps(operation, &failure)) {
        if (spec->notify != NULL && !operation->finish_early)
            operation_notify(operation, spec->notify, OPERATION_NOTIFY_END, NULL);
        return true;
    }
    if (is_parked(operation, failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    undo_steps(operation);
    if (spec->notify != NULL && (spec->flags & OPERATION_NOTIFY_ERROR) != 0)
        operation_notify(operation, spec->notify, OPERATION_NOTIFY_FAILED, failure);
    if (spec->on_failure != NULL && spec->on_failure(operation, &failure))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool has_class(Operation *operation, const GError *failure, const char *class_name)
{
    const char *actual = operation->backend->exception_class(failure);

    return actual != NULL && strcmp(actual, class_name) == 0;
}

/* reverts_task_state: what preempted us owns the task state. */
static void revert_task_state(Operation *operation, const GError *failure)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *original = NULL;

    if (has_class(operation, failure, "UnexpectedTaskStateError") || has_class(operation, failure, "UnexpectedDeletingTaskStateError")) {
        nd_info(LOGGER, "Task possibly preempted: %s", failure->message);
        return;
    }
    original = g_strdup(operation->backend->task_state(operation));
    operation->backend->set_task_state(operation, NULL);
    if (!operation->backend->save(operation, NULL, &error)) {
        if (!has_class(operation, error, "InstanceNotFound"))
            nd_warning(LOGGER, "Failed to revert task state for instance. Error: %s", error->message);
        return;
    }
    if (operation->backend->is_ours(operation))
        operation->backend->update_usage(operation);
    nd_info(LOGGER, "Successfully reverted task state from %s on failure for instance.", original != NULL ? original : "None");
}

static void finish_event(Operation *operation, const char *event, const GError *failure)
{
    g_autoptr(GError) error = NULL;

    if (!operation->backend->event_finish(operation, event, failure, &error))
        log_failure(operation, "finish the action event", error);
}

/* The decorators' work after a failure, innermost first. `event` is NULL if none was started. */
static void settle_failure(Operation *operation, const char *event, const GError *failure)
{
    guint flags = operation->spec->flags;

    if ((flags & OPERATION_INSTANCE_FAULT) != 0 && operation->body_begun && !has_class(operation, failure, "InstanceNotFound"))
        operation->backend->fault(operation, failure);
    if ((flags & OPERATION_ERROR_OUT_MIGRATION) != 0 && operation->body_begun)
        operation->backend->migration_error(operation);
    if (event != NULL)
        finish_event(operation, event, failure);
    if ((flags & OPERATION_REVERT_TASK_STATE) != 0)
        revert_task_state(operation, failure);
    if ((flags & OPERATION_WRAP_EXCEPTION) != 0)
        operation->backend->notify_exception(operation, failure);
}

static bool run_decorated(Operation *operation, char **event, GError **error)
{
    const OperationSpec *spec = operation->spec;

    if (spec->prepare != NULL && !spec->prepare(operation, error))
        return false;
    if (!journal_begin(operation, error))
        return false;
    if ((spec->flags & OPERATION_ACTION_EVENT) != 0) {
        g_autofree char *name = event_name(operation);

        if (!operation->resumed && !operation->backend->event_start(operation, name, error))
            return false;
        *event = g_steal_pointer(&name);
    }
    return run_body(operation, error);
}

/* The daemon goes down: the entry stays in the journal and says where the next start finds the work. */
static void park(Operation *operation, const GError *failure)
{
    nd_warning(LOGGER, "%s: interrupted by shutdown in step %s", operation->spec->method,
               operation->journal_entry != NULL && operation->journal_entry->step != NULL ? operation->journal_entry->step : "(none)");
    g_clear_pointer(&operation->journal_entry, agent_journal_entry_free);
    end_with_failure(operation, failure);
}

/* What the journal has as accepted is begun by the next start, if this one is over. */
static bool may_begin(Operation *operation, GError **error)
{
    if (operation->journal_entry == NULL || !operation_stopping(operation))
        return true;
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING, "the compute service is stopping");
    return false;
}

bool operation_run(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *event = NULL;
    bool done;

    operation->begun_us = g_get_monotonic_time();
    operation->backend->enter(operation);
    done = may_begin(operation, &failure) && run_decorated(operation, &event, &failure);
    if (!done && is_parked(operation, failure)) {
        park(operation, failure);
    } else if (!done) {
        nd_err(LOGGER, "%s failed: %s", operation->spec->method, failure->message);
        journal_phase(operation, AGENT_JOURNAL_FINISH);
        settle_failure(operation, event, failure);
        journal_end(operation);
        end_with_failure(operation, failure);
    } else {
        if (event != NULL) {
            journal_phase(operation, AGENT_JOURNAL_FINISH);
            finish_event(operation, event, NULL);
        }
        journal_end(operation);
        end_with_reply(operation);
    }
    operation->backend->leave(operation);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&failure));
    return done;
}

static void run_job(gpointer data)
{
    operation_run(data, NULL);
}

static void free_job(gpointer data)
{
    operation_free(data);
}

void operation_submit(Operation *operation, AgentLaneLimit *limit)
{
    const char *uuid = "", *request_id, *project_id;

    if (operation->instance != NULL)
        operation->backend->identify(operation, &uuid, &request_id, &project_id);
    else if (operation->context != NULL && operation->context->request_id != NULL)
        uuid = operation->context->request_id; /* beside those of other requests */
    agent_lanes_submit(operation->agent->lanes, uuid, limit, run_job, operation, free_job);
}

/* For steps. */

bool operation_save(Operation *operation, const char *const *expected_task_states, GError **error)
{
    return operation->backend->save(operation, expected_task_states, error);
}

bool operation_save_task_state(Operation *operation, const char *task_state, const char *const *expected_task_states, GError **error)
{
    operation->backend->set_task_state(operation, none_if_empty(task_state));
    return operation->backend->save(operation, expected_task_states, error);
}

void operation_notify(Operation *operation, const char *action, OperationNotifyPhase phase, const GError *failure)
{
    operation->backend->notify(operation, action, phase, failure);
}

void operation_finish_early(Operation *operation)
{
    operation->finish_early = true;
}

void operation_set_result(Operation *operation, NdJson *result)
{
    json_object_put(operation->result);
    operation->result = result;
}

bool operation_remember(Operation *operation, NdJson *data, GError **error)
{
    g_autoptr(NdJson) owned = data;

    if (operation->journal_entry == NULL)
        return true;
    json_object_put(operation->journal_entry->data);
    operation->journal_entry->data = g_steal_pointer(&owned);
    return agent_journal_update(operation->agent->journal, operation->journal_entry, error);
}

bool operation_stopping(Operation *operation)
{
    return agent_stopping(operation->agent) >= AGENT_PARKING;
}

void operation_wait_begin(Operation *operation)
{
    if (operation->agent->lanes != NULL)
        agent_lanes_wait_begin(operation->agent->lanes);
}

void operation_wait_end(Operation *operation)
{
    if (operation->agent->lanes != NULL)
        agent_lanes_wait_end(operation->agent->lanes);
}

void operation_record_fault(Operation *operation, const GError *failure)
{
    log_failure(operation, "went wrong", failure);
    operation->backend->fault(operation, failure);
}
