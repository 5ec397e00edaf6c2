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
/* wrap_exception: legacy event named `method`, versioned compute.exception. */
void notify_exception(Agent *agent, const RpcContext *context, const char *method, const GError *failure);
