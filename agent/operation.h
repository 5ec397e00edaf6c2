/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/error.h"
#include "base/json.h"
#include "rpc/context.h"

#include <glib.h>
#include <stdbool.h>

/*
 * An operation is a constant table of named steps; the engine (agent/operation.c) runs it. The engine, and nothing else, holds the
 * instance's lane, starts and finishes the InstanceActionEvent, sends the start/end/error notifications, writes the instance fault,
 * clears task_state after a failure, journals each step, runs the undos in reverse, times the steps and ends the request exactly once.
 * A new operation is a new OperationSpec and its step functions, plus one line in agent/methods.c.
 *
 * Rules for step functions: plain blocking calls; true or an error; safe to run twice; no reply, no event, no fault of their own.
 */
typedef struct Agent Agent;
typedef struct AgentJournalEntry AgentJournalEntry;
typedef struct AgentLaneLimit AgentLaneLimit;
typedef struct MethodArgs MethodArgs;
typedef struct NovaInstance NovaInstance;
typedef struct NovaObject NovaObject;
typedef struct RpcRequest RpcRequest;

typedef struct Operation Operation;
typedef struct OperationSpec OperationSpec;
typedef struct OperationBackend OperationBackend;

typedef bool (*OperationFunc)(Operation *operation, GError **error);
typedef void (*OperationUndo)(Operation *operation);

/* OperationStep.task_state for "set it to null". */
#define OPERATION_TASK_NONE ""
/* In a list of expected task states: null is expected too. */
#define OPERATION_EXPECT_NONE ""

typedef struct {
    const char *name;            /* stable: journal, metrics and tests use it; lower-case with dashes */
    const char *task_state;      /* saved before `run`; NULL = no save, OPERATION_TASK_NONE = set null */
    const char *const *expected; /* NULL-terminated, for that save: expected_task_state; NULL = not checked */
    OperationFunc run;           /* NULL: the step is only its task_state */
    OperationUndo undo;          /* NULL: nothing to undo. Called if this step was begun and it or a later one failed. Cannot fail; logs */
} OperationStep;

/* What the engine does around the steps: spec/compute-rpc.md section 2. In the order they wrap each other, outermost first. */
typedef enum {
    OPERATION_WRAP_EXCEPTION = 1 << 0,      /* WE: exception notifications on failure */
    OPERATION_REVERT_TASK_STATE = 1 << 1,   /* RT: task_state = null on failure, but not on UnexpectedTaskStateError */
    OPERATION_ACTION_EVENT = 1 << 2,        /* EV: InstanceActionEvent `compute_<method>`, or spec->event */
    OPERATION_ERROR_OUT_MIGRATION = 1 << 3, /* EM: argument `migration` gets status "error" on failure */
    OPERATION_INSTANCE_FAULT = 1 << 4,      /* IF: InstanceFault on failure, but not on InstanceNotFound */
    OPERATION_NOTIFY_ERROR = 1 << 5,        /* notification spec->notify with phase error when a step failed */
    OPERATION_NO_JOURNAL = 1 << 6,          /* changes nothing that would have to be put right after a crash */
    OPERATION_STANDARD = OPERATION_WRAP_EXCEPTION | OPERATION_REVERT_TASK_STATE | OPERATION_ACTION_EVENT | OPERATION_INSTANCE_FAULT,
} OperationFlags;

/* What is done at the next start with an operation that the journal says was running: conductor-rpc.md section 7 decides by
 * vm_state and task_state in every case; this adds what the journal knows better. */
typedef enum {
    OPERATION_RECOVER_BY_STATE, /* only init_instance */
    OPERATION_RECOVER_BACK,     /* spec->recover takes back what was begun: the action has failed, unless it was complete */
    OPERATION_RECOVER_UNDO,     /* spec->recover undoes what the journal says was begun, then init_instance */
} OperationRecovery;

struct OperationSpec {
    const char *method; /* RPC method, for logs and the journal */
    const char *event;  /* NULL: "compute_" + method */
    const char *notify; /* action of the start and end notifications ("power_off"); NULL = none, or sent by steps */
    guint flags;        /* OperationFlags */
    const OperationStep *steps;
    guint n_steps;
    /* Optional. Before everything, event_start included: build operation->data, read arguments. Failure fails the request at once. */
    OperationFunc prepare;
    /* Optional. When a request for it arrives, on the dispatching thread and before its turn in the instance's lane: must not wait or fail. */
    void (*arrived)(Operation *operation);
    /* Optional. After the undos, before event, fault and task_state handling: may put another error into *error (to tell the caller
     * or choose the fault), or clear it and return true: then the operation counts as successful. Returns false to stay failed. */
    OperationFunc on_failure;
    /* Optional: result of a call, set with operation_set_result by a step, is null otherwise. */
    GDestroyNotify free_data;
    OperationRecovery recovery;
    bool (*recover)(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error);
};

typedef enum { OPERATION_NOTIFY_START, OPERATION_NOTIFY_END, OPERATION_NOTIFY_FAILED, OPERATION_NOTIFY_SINGLE } OperationNotifyPhase;

struct Operation {
    Agent *agent;
    const OperationSpec *spec;
    RpcContext *context;    /* the request's */
    RpcRequest *request;    /* NULL for work that the agent itself started */
    MethodArgs *args;       /* NULL without request */
    NovaInstance *instance; /* argument `instance`; NULL for methods without */
    gpointer data;          /* the operation's own, freed with spec->free_data */

    /* The engine's own; steps only read them. */
    const OperationBackend *backend;
    AgentJournalEntry *journal_entry;
    NdJson *result;
    guint step_index;  /* of the step that runs or is undone */
    guint failed_step; /* index of the step that failed, for on_failure; 0 if none */
    bool finish_early;
    bool body_begun;
    bool resumed; /* an earlier run began it: its action event is there already */
    gint64 begun_us;       /* monotonic */
    gint64 *step_times_us; /* n_steps durations, monotonic microseconds; -1 = not run */
    bool ended;            /* replied or failed */
};

/*
 * What the engine needs from the outside; tests put recorders here. The real one (agent/operation_backend.c) talks to the conductor, the
 * notifier, the tracker and the request.
 */
struct OperationBackend {
    /* Take and drop references of context, request, instance and args; NULL in tests. */
    void (*hold)(Operation *operation);
    void (*release)(Operation *operation);
    /* For the journal and the lane; borrowed strings. Only called when there is an instance. */
    void (*identify)(Operation *operation, const char **instance_uuid, const char **request_id, const char **project_id);
    /* The calling thread works for this operation from now on / no more (log identity). */
    void (*enter)(Operation *operation);
    void (*leave)(Operation *operation);
    bool (*event_start)(Operation *operation, const char *event, GError **error);
    bool (*event_finish)(Operation *operation, const char *event, const GError *failure, GError **error);
    /* Instance.save of what has changed; expected_task_states as in OperationStep. */
    bool (*save)(Operation *operation, const char *const *expected_task_states, GError **error);
    /* Sets instance.task_state (NULL = null) without saving. */
    void (*set_task_state)(Operation *operation, const char *task_state);
    const char *(*task_state)(Operation *operation);
    bool (*is_ours)(Operation *operation); /* instance.host is this host */
    void (*fault)(Operation *operation, const GError *failure);
    void (*notify)(Operation *operation, const char *action, OperationNotifyPhase phase, const GError *failure);
    void (*notify_exception)(Operation *operation, const GError *failure);
    void (*migration_error)(Operation *operation);
    void (*update_usage)(Operation *operation); /* the resource tracker */
    /* End the request, if there is one; called exactly once in all. reply takes the result. */
    void (*reply)(Operation *operation, NdJson *result);
    void (*fail)(Operation *operation, const GError *failure);
    /* NOVA_EXCEPTION class of an error after mapping ("UnexpectedTaskStateError"), for the rules above. */
    const char *(*exception_class)(const GError *failure);
};

/* Makes an operation; takes refs of context, request and instance and owns args. Any of request, args, instance may be NULL. */
Operation *operation_new(Agent *agent, const OperationSpec *spec, RpcContext *context, RpcRequest *request, MethodArgs *args /* takes */,
                         NovaInstance *instance);
/* Runs it to its end in this thread: everything including the reply. True if it succeeded (or was recovered); *error otherwise. */
bool operation_run(Operation *operation, GError **error);
/* If the request has not ended yet it is failed (AGENT_ERROR_STOPPING). */
void operation_free(Operation *operation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Operation, operation_free)

/* The journal has it already (takes the entry). resumed: an earlier run was interrupted in it, which therefore has begun its action event;
 * else it was accepted and not begun. */
void operation_adopt(Operation *operation, AgentJournalEntry *entry /* takes */, bool resumed);
/* Queues it in the instance's lane, without instance in one of the request's own (operation is taken; failed and freed if the daemon is stopping). `limit` is one of agent->limits or NULL. */
void operation_submit(Operation *operation /* takes */, AgentLaneLimit *limit);

/* For steps. */

/* Saves the instance's changes; expected_task_states is a list as in OperationStep, NULL = not checked. */
bool operation_save(Operation *operation, const char *const *expected_task_states, GError **error);
/* Sets task_state (NULL or OPERATION_TASK_NONE = null) and saves. */
bool operation_save_task_state(Operation *operation, const char *task_state, const char *const *expected_task_states, GError **error);
/* An additional notification ("shutdown", "resize.prep"); failures are logged only. */
void operation_notify(Operation *operation, const char *action, OperationNotifyPhase phase, const GError *failure);
/* The rest of the steps is left out and the operation succeeds without its end notification. For "the instance is gone". */
void operation_finish_early(Operation *operation);
/* The result of a call; takes the reference. */
void operation_set_result(Operation *operation, NdJson *result);
/* Remembers `data` in the journal entry at once (takes the reference). Failure of the journal fails the operation. */
bool operation_remember(Operation *operation, NdJson *data, GError **error);
/* True once the daemon must go down at once (AGENT_PARKING): a step that waits returns AGENT_ERROR_STOPPING. */
bool operation_stopping(Operation *operation);
/* Brackets of a long wait for something outside, see agent/lanes.h. */
void operation_wait_begin(Operation *operation);
void operation_wait_end(Operation *operation);
/* Writes a fault and a log line without failing the operation (reboot: the driver failed, the guest runs). */
void operation_record_fault(Operation *operation, const GError *failure);
