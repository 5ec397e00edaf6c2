/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "objects/objects.h"
#include "rpc/context.h"

/*
 * What notifications about instances carry: pure functions of the objects (upstream nova/notifications/base.py info_from_instance and
 * nova/notifications/objects). All return new references.
 */

/* The flat legacy payload. image_ref_url may be NULL. network_info (a VIF list) and extra members are borrowed and may be NULL; failure adds
 * exception, message and code. */
NdJson *notify_legacy_payload(const NovaInstance *instance, const char *image_ref_url, NdJson *network_info, NdJson *extra, const GError *failure);
/* A payload class that adds members to InstanceActionPayload; both borrowed. */
typedef struct {
    const char *name, *version;
    NdJson *members;
} NotifyPayloadClass;
/* InstanceActionPayload, or the class given (NULL none), or InstanceCreatePayload for action "create" (instance_name is the domain's name then). bdms: NULL = not included
 * ([notifications]bdms_in_notifications is off). */
NdJson *notify_versioned_payload(const RpcContext *context, const NovaInstance *instance, bool create, const char *instance_name,
                                 const NovaBlockDeviceMappingList *bdms, const NotifyPayloadClass *payload_class, const GError *failure);
/* FlavorPayload; NULL for NULL. */
NdJson *notify_flavor_payload(const NovaFlavor *flavor);
/* A nova_object of a notification around `data`, which is taken. */
NdJson *notify_payload_object(const char *name, const char *version, NdJson *data);
/* ExceptionPayload. */
NdJson *notify_exception_payload(const char *function, const GError *failure);
