/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "agent/notify_payload.h"
#include "agent/operation.h"

/*
 * Notifications about instances, in both of upstream's forms (spec/rpc-wire.md section 10): legacy `compute.instance.<action>.<phase>` and versioned
 * `instance.<action>.<phase>`. Off unless [oslo_messaging_notifications]driver says otherwise; nothing here fails or blocks.
 */

/* `action` by its legacy suffix ("power_off", "resize.prep", "live_migration._post"); the versioned name follows from a table. failure only with
 * OPERATION_NOTIFY_FAILED. */
void notify_instance_action(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *action, OperationNotifyPhase phase,
                            const GError *failure);
/* The same with the ports of `network_info` (a VIF list) and further members for the legacy payload (both borrowed, may be NULL), as create.end has. */
void notify_instance_usage(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *action, OperationNotifyPhase phase,
                           const GError *failure, NdJson *network_info, NdJson *extra);
/* The same with a class of its own for the versioned payload ("snapshot", "rescue"). */
void notify_instance_payload(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *action, OperationNotifyPhase phase,
                             NdJson *network_info, NdJson *extra, const NotifyPayloadClass *payload_class);
/* All at once: also a failure whose payload has a class of its own. Everything is borrowed and may be NULL but the action and the instance. */
typedef struct {
    NovaInstance *instance;
    const char *action;
    OperationNotifyPhase phase;
    const GError *failure;
    NdJson *network_info, *extra;
    const NotifyPayloadClass *payload_class;
} NotifyDetails;
void notify_instance_details(Agent *agent, const RpcContext *context, const NotifyDetails *details);
/* `exists` of the current audit period, which upstream sends before rescue, rebuild, resize and shelve (notify_usage_exists). system_metadata and
 * extra (further members of the legacy payload) may be NULL: the instance's own, none. */
void notify_usage_exists(Agent *agent, const RpcContext *context, NovaInstance *instance, NdJson *system_metadata, NdJson *extra);
/* The same of a period that is over, with the instance's own system_metadata: for the usage audit. */
void notify_usage_exists_in(Agent *agent, const RpcContext *context, NovaInstance *instance, gint64 begin, gint64 end);
/* The most recently completed audit period before `now` (Unix microseconds), by the words of [DEFAULT]instance_usage_audit_period ("month",
 * "day@18"); what it does not understand is ND_ERROR_CONFIG. Pure. */
bool notify_audit_period(const char *unit, gint64 now, gint64 *begin, gint64 *end, GError **error);
/* What legacy payloads call image_ref_url, of any image (NULL: of none): new text. */
char *notify_image_url(Agent *agent, const RpcContext *context, const char *image_id);
/* wrap_exception: legacy event named `method`, versioned compute.exception. */
void notify_exception(Agent *agent, const RpcContext *context, const char *method, const GError *failure);
