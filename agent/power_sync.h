/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

typedef struct NovaInstance NovaInstance;

/*
 * Aligning the database's idea of an instance's power with libvirt's (upstream _sync_instance_power_state). power_state always follows libvirt;
 * whether the instance is then stopped through its own API call is decided by a table of (vm_state, power_state).
 */

/* What is to be done: pure, for tests. */
typedef enum {
    POWER_SYNC_NOTHING,
    POWER_SYNC_WARN,        /* something else changed it; only logged */
    POWER_SYNC_STOP,        /* the guest went down by itself: the stop API, which needs vm_state active or error */
    POWER_SYNC_FORCE_STOP,  /* whatever the vm_state: it runs and should not */
} PowerSyncAction;
PowerSyncAction power_sync_action(const char *vm_state, gint64 power_state, const char **reason);

/* For one instance, in its lane. `power_state` as libvirt reported. */
void power_sync_instance(Agent *agent, RpcContext *context, NovaInstance *instance, gint64 power_state);
/* _sync_power_states: every instance of this host, each in its lane. */
void power_sync_all(Agent *agent, RpcContext *context);
/* An instance of which libvirt told a change: reads it and aligns it, in its lane. `expected_power_state`: what the event means; if libvirt has
 * moved on meanwhile nothing is done. */
void power_sync_after_event(Agent *agent, const char *uuid, gint64 expected_power_state);
