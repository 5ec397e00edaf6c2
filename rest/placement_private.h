/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/placement.h"

/* Shared by placement.c and placement_allocations.c. */
struct PlacementClient {
    gint references;
    RestService *service;
};

/* 1.28: provider and consumer generations, nested providers, answers to POST. Any Placement since Rocky has it. */
#define PLACEMENT_MICROVERSION "1.28"
/* 1.38: consumer types. */
#define PLACEMENT_MICROVERSION_CONSUMER_TYPE "1.38"

/* A call at PLACEMENT_MICROVERSION; `value` may be NULL (the answer's body is not read). `body` is borrowed. */
bool placement_call(PlacementClient *client, const RestAuth *auth, const char *method, const char *path, const char *const *query,
                    NdJson *body, NdJson **value, GError **error);

/* {"VCPU": 1, …} as char * -> gint64 *; REST_ERROR_BAD_ANSWER on anything but whole numbers. */
bool placement_decode_amounts(NdJson *object, const char *what, GHashTable **amounts, GError **error);
GHashTable *placement_amounts_new(void);
