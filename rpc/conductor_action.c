/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor_private.h"

#include <string.h>

/* Instance actions, their events, and faults. */

enum { FAULT_MESSAGE_BYTES = 255 };

static NdJson *no_result_wanted(void)
{
    NdJson *kwargs = json_object_new_object();
    nd_json_set_bool(kwargs, "want_result", false);
    return kwargs;
}

bool conductor_action_event_start(Conductor *conductor, const RpcContext *context, const char *instance_uuid, const char *event, const char *host,
                                  GError **error)
{
    NdJson *kwargs = no_result_wanted();
    nd_json_set_string(kwargs, "host", host);
    return conductor_class_action(conductor, context, "InstanceActionEvent", "event_start", conductor_args(instance_uuid, event, NULL), kwargs, NULL,
                                  error);
}

bool conductor_action_event_finish(Conductor *conductor, const RpcContext *context, const char *instance_uuid, const char *event, const char *exc_val,
                                   const char *exc_tb, GError **error)
{
    NdJson *kwargs = no_result_wanted();
    nd_json_set_string(kwargs, "exc_val", exc_val);
    nd_json_set_string(kwargs, "exc_tb", exc_tb);
    return conductor_class_action(conductor, context, "InstanceActionEvent", "event_finish_with_failure", conductor_args(instance_uuid, event, NULL),
                                  kwargs, NULL, error);
}

bool conductor_action_start(Conductor *conductor, const RpcContext *context, const char *instance_uuid, const char *action, GError **error)
{
    return conductor_class_action(conductor, context, "InstanceAction", "action_start", conductor_args(instance_uuid, action, NULL), no_result_wanted(),
                                  NULL, error);
}

/* The first bytes of a text, not cutting a UTF-8 character; caller frees. */
static char *cut_utf8(const char *text, size_t bytes)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    size_t length = MIN(strlen(valid), bytes);
    while (length > 0 && ((guchar)valid[length] & 0xC0) == 0x80)
        length--;
    return g_strndup(valid, length);
}

bool conductor_instance_fault_create(Conductor *conductor, const RpcContext *context, const char *instance_uuid, const char *host, int code,
                                     const char *message, const char *details, GError **error)
{
    g_autoptr(NovaInstanceFault) fault = nova_instance_fault_new();
    g_autofree char *cut = cut_utf8(message, FAULT_MESSAGE_BYTES);
    nova_instance_fault_set_host(fault, host);
    nova_instance_fault_set_instance_uuid(fault, instance_uuid);
    nova_instance_fault_set_code(fault, code);
    nova_instance_fault_set_message(fault, cut);
    nova_instance_fault_set_details(fault, details ? details : "");
    return conductor_simple_action(conductor, context, fault, "create", error);
}
