/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

typedef struct NovaInstance NovaInstance;

/*
 * What an earlier run left behind is put right before new requests are taken (spec/conductor-rpc.md section 7, upstream _init_instance). What the
 * database says decides; the journal of the earlier run closes the action events of operations that were interrupted.
 */

/* The action for one instance: pure, for tests. */
typedef enum {
    RECOVER_SKIP,            /* nothing to do */
    RECOVER_FINISH_DELETION, /* deleted in the database: remove what is left */
    RECOVER_ERROR,           /* was being built or rebuilt: vm_state error */
    RECOVER_CLEAR_TASK,      /* task_state null, then as usual */
    RECOVER_DELETE,          /* delete again */
    RECOVER_REBOOT_SOFT,
    RECOVER_REBOOT_HARD,
    RECOVER_RUNNING,         /* task_state null, vm_state active, then as usual */
    RECOVER_UNPAUSE,
    RECOVER_STOP,
    RECOVER_START,
    RECOVER_MIGRATING,       /* live migration is over: Migration error, task_state null, then as usual */
    RECOVER_PLUG,            /* as usual: interfaces plugged; resumed if it ran and resume_guests_state_on_host_boot */
} RecoveryAction;
RecoveryAction recovery_action(const char *host, const NovaInstance *instance, gint64 power_state);

/* Every instance of this host, then those that were being built for it. Only failures of the conductor end it. */
bool agent_recover_instances(Agent *agent, RpcContext *context, GError **error);
