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
    bool in_spawn;  /* the failure is one of the driver: worth another host */
} BuildData;

/* OperationSpec.on_failure of a build. */
bool build_on_failure(Operation *operation, GError **error);
/* Placement's allocations of the instance are dropped: it will not run here. */
void build_delete_allocations(Operation *operation);
