/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/time.h"
#include "rpc/conductor_private.h"

/* Records of tasks that run once a period, and the instances of a period. */

bool conductor_task_log_get(Conductor *conductor, const RpcContext *context, const char *task_name, gint64 begin, gint64 end, const char *host,
                            NovaTaskLog **log, GError **error)
{
    g_autofree char *begin_text = nd_time_format_argument(begin), *end_text = nd_time_format_argument(end);
    NovaObject *object = NULL;
    if (!conductor_class_object(conductor, context, "TaskLog", "get", conductor_args(task_name, begin_text, end_text, host, NULL), NULL, NULL, &object,
                                error))
        return false;
    *log = NOVA_TASK_LOG(object);
    return true;
}

bool conductor_task_log_begin(Conductor *conductor, const RpcContext *context, NovaTaskLog *log, GError **error)
{
    return conductor_simple_action(conductor, context, log, "begin_task", error);
}

bool conductor_task_log_end(Conductor *conductor, const RpcContext *context, NovaTaskLog *log, GError **error)
{
    return conductor_simple_action(conductor, context, log, "end_task", error);
}

NovaInstanceList *conductor_instance_list_active(Conductor *conductor, const RpcContext *context, gint64 begin, gint64 end, const char *host,
                                                 const char *const *expected_attrs, GError **error)
{
    g_autofree char *begin_text = nd_time_format_field(begin), *end_text = nd_time_format_field(end);
    NdJson *args = conductor_args(begin_text, end_text, NULL), *kwargs = json_object_new_object();
    json_object_array_add(args, NULL); /* of any project */
    json_object_array_add(args, json_object_new_string(host));
    json_object_array_add(args, nd_json_from_strv(expected_attrs));
    nd_json_set_bool(kwargs, "use_slave", true);
    nd_json_set(kwargs, "limit", NULL);
    nd_json_set(kwargs, "marker", NULL);
    return conductor_class_get(conductor, context, "InstanceList", "_get_active_by_window_joined", args, kwargs, error);
}
