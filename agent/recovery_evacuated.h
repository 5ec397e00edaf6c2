/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * What happened to this host's instances while it was away (spec/conductor-rpc.md section 6, steps 10 and 11).
 */

/* Instances that were evacuated from here: their guests are destroyed (the files stay where the other host sees them, too), their allocations here
 * removed, their migrations completed. Returns the set of their uuids, which nothing else at start may touch. NULL: the conductor or libvirt could
 * not be asked; what was done for single instances by then stays done, and failures of single instances are logged only. */
GHashTable *recovery_destroy_evacuated(Agent *agent, RpcContext *context, GError **error);

/* Instances in state building that have allocations here, but no host yet, and that nobody builds: they become ERROR. `handled` is the set of
 * uuids that were dealt with. Failures are logged. */
void recovery_error_out_unclaimed(Agent *agent, RpcContext *context, GHashTable *handled);

/* For tests: how an evacuated instance is treated. */
typedef enum {
    EVACUATED_SKIP,    /* not evacuated after all: it is here, by its record */
    EVACUATED_RECORDS, /* nothing here but the allocation */
    EVACUATED_DESTROY, /* its guest is still here */
} EvacuatedAction;
/* instance NULL: deleted. is_local: libvirt has its domain. */
EvacuatedAction recovery_evacuated_action(const char *host, const NovaInstance *instance, const char *migration_status, bool is_local);
