/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

typedef struct NovaInstance NovaInstance;

/*
 * What an earlier run left behind is put right before new requests are taken (spec/conductor-rpc.md section 7, upstream _init_instance). What the
 * database says decides; where upstream cannot know whether somebody still works on an instance, the journal of the earlier run tells
 * (agent/recovery_journal.c), so that no task state is left that nobody works on.
 */

/* The action for one instance: pure, for tests. */
typedef enum {
    RECOVER_SKIP,            /* nothing to do */
    RECOVER_ERROR,           /* was being built or rebuilt: vm_state error */
    RECOVER_CLEAR_TASK,      /* task_state null, then as usual */
    RECOVER_DELETE,          /* delete again: it was being deleted, or what is left of it */
    RECOVER_REBOOT_SOFT,
    RECOVER_REBOOT_HARD,
    RECOVER_RUNNING,         /* task_state null, vm_state active, then as usual */
    RECOVER_UNPAUSE,
    RECOVER_PAUSED,    /* it is: task_state null, vm_state paused */
    RECOVER_SUSPEND,
    RECOVER_SUSPENDED, /* it is, if its memory was saved: task_state null, vm_state suspended */
    RECOVER_RESUME,
    RECOVER_STOP,
    RECOVER_START,
    RECOVER_MIGRATING,       /* live migration is over: Migration error, task_state null, then as usual */
    RECOVER_PLUG,            /* as usual: interfaces plugged; resumed if it ran and resume_guests_state_on_host_boot */
} RecoveryAction;
/* What the journal knows of the instance. */
typedef enum {
    RECOVERY_NOTHING_KNOWN,
    RECOVERY_QUEUED,      /* a request for it was accepted and not begun; it is run later */
    RECOVERY_INTERRUPTED, /* an operation on it was interrupted: nobody else owns its task state */
} RecoveryKnown;
RecoveryAction recovery_action(const char *host, const NovaInstance *instance, gint64 power_state, RecoveryKnown known);

/* What was evacuated, every instance of this host, then those that were being built for it. Fails only when the conductor cannot list them;
 * nothing was begun then that a second call would begin again. */
bool agent_recover_instances(Agent *agent, RpcContext *context, GError **error);
