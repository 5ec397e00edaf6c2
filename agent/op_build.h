/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between agent/op_build.c (the steps) and agent/op_build_failure.c (what becomes of a build that failed). */
#include "agent/guest.h"
#include "agent/method_args.h"
#include "agent/operation.h"
#include "agent/tracker.h"

typedef struct {
    NdJson *image;                           /* borrowed: the Glance dict of the request */
    NovaImageMeta *image_meta;
    NovaNetworkRequestList *requested;       /* borrowed, may be NULL */
    NovaBlockDeviceMappingList *mappings;    /* ref */
    NdJson *vifs;                            /* allocated */
    Guest *guest;
    TrackerClaim *claim;
    bool dirty;     /* the guest of a failed spawn could not be removed: no other host may build it */
} BuildData;

/* Members of the journal's data of a build: the request's networks, if it names ports; true once it is another host's. */
#define BUILD_REQUESTED_NETWORKS "requested_networks"
#define BUILD_RESCHEDULED "rescheduled"

/* OperationSpec.recover of a build (agent/op_build_recover.c). */
bool build_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error);
/* OperationSpec.on_failure of a build. */
bool build_on_failure(Operation *operation, GError **error);
/* Placement's allocations of the instance are dropped: it will not run here. */
void build_delete_allocations(Operation *operation);
