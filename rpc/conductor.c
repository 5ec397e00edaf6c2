/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor.h"

#include "rpc/conductor_private.h"
#include "rpc/error.h"

#include <stdarg.h>

struct Conductor {
    gatomicrefcount ref_count;
    RpcClient *client;
    gint release; /* atomic NdRelease */
};

static const RpcTarget conductor_target = {.topic = "conductor", .version = "3.0"};

Conductor *conductor_new(RpcClient *client)
{
    Conductor *conductor = g_new0(Conductor, 1);
    g_atomic_ref_count_init(&conductor->ref_count);
    conductor->client = rpc_client_ref(client);
    conductor->release = ND_RELEASE_ZED;
    return conductor;
}

Conductor *conductor_ref(Conductor *conductor)
{
    g_atomic_ref_count_inc(&conductor->ref_count);
    return conductor;
}

void conductor_unref(Conductor *conductor)
{
    if (conductor == NULL || !g_atomic_ref_count_dec(&conductor->ref_count))
        return;
    rpc_client_unref(conductor->client);
    g_free(conductor);
}

RpcClient *conductor_client(Conductor *conductor)
{
    return conductor->client;
}

void conductor_set_release(Conductor *conductor, NdRelease release)
{
    g_atomic_int_set(&conductor->release, (gint)release);
}

NdRelease conductor_release(Conductor *conductor)
{
    return (NdRelease)g_atomic_int_get(&conductor->release);
}

/* --- helpers of the families --- */

NdJson *conductor_args(const char *first, ...)
{
    NdJson *args = json_object_new_array();
    va_list list;
    va_start(list, first);
    for (const char *text = first; text != NULL; text = va_arg(list, const char *))
        json_object_array_add(args, json_object_new_string(text));
    va_end(list);
    return args;
}

NdJson *conductor_list_kwargs(const char *const *expected_attrs, bool use_slave)
{
    NdJson *kwargs = json_object_new_object();
    if (expected_attrs != NULL)
        nd_json_set(kwargs, "expected_attrs", nd_json_from_strv(expected_attrs));
    if (use_slave)
        nd_json_set_bool(kwargs, "use_slave", true);
    return kwargs;
}

void *conductor_class_get_as(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                             const char *returns, GError **error)
{
    NovaObject *object = NULL;
    if (!conductor_class_object(conductor, context, class_name, method, args, kwargs, returns, &object, error))
        return NULL;
    if (object == NULL)
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "%s.%s: the conductor returned nothing", class_name, method);
    return object;
}

void *conductor_class_get(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                          GError **error)
{
    return conductor_class_get_as(conductor, context, class_name, method, args, kwargs, NULL, error);
}

bool conductor_simple_action(Conductor *conductor, const RpcContext *context, void *object, const char *method, GError **error)
{
    return conductor_object_action(conductor, context, object, method, NULL, NULL, NULL, error);
}

char **conductor_take_strings(NdJson *result, const char *what, GError **error)
{
    g_autoptr(NdJson) owned = result;
    g_autoptr(GError) why = NULL;
    char **list = json_object_is_type(owned, json_type_array) ? nd_json_to_strv(owned, &why) : NULL;
    if (list == NULL)
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "%s: the result is no list of strings", what);
    return list;
}

/* --- the calls --- */

/* Takes apart [updates, value] and writes the updates into the object. */
static bool take_updates(NovaObject *object, NdJson *reply, const char *method, NdJson **value, GError **error)
{
    bool pair = json_object_is_type(reply, json_type_array) && json_object_array_length(reply) == 2;
    NdJson *updates = pair ? json_object_array_get_idx(reply, 0) : NULL;
    if (!json_object_is_type(updates, json_type_object)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "%s.%s: the reply is no pair of updates and value", nova_object_name(object), method);
        return false;
    }
    if (!nova_object_apply_updates(object, updates, NULL, error)) {
        g_prefix_error(error, "%s.%s: ", nova_object_name(object), method);
        return false;
    }
    if (value != NULL)
        *value = json_object_get(json_object_array_get_idx(reply, 1));
    return true;
}

bool conductor_object_action(Conductor *conductor, const RpcContext *context, NovaObject *object, const char *method, NdJson *args, NdJson *kwargs,
                             NdJson **value, GError **error)
{
    NdRelease release = conductor_release(conductor);
    bool save = g_str_equal(method, "save");
    NdJson *message = json_object_new_object();
    nd_json_set(message, "objinst", save ? nova_object_to_json_for_save(object, release) : nova_object_to_json(object, release));
    nd_json_set_string(message, "objmethod", method);
    nd_json_set(message, "args", args ? args : json_object_new_array());
    nd_json_set(message, "kwargs", kwargs ? kwargs : json_object_new_object());
    g_autoptr(NdJson) reply = NULL;
    return rpc_client_call(conductor->client, &conductor_target, context, "object_action", message, NULL, &reply, error) &&
           take_updates(object, reply, method, value, error);
}

bool conductor_class_action(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                            NdJson **result, GError **error)
{
    g_autoptr(NdJson) manifest = nova_manifest(conductor_release(conductor), class_name);
    if (manifest == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "release %s has no object class '%s'", nd_release_name(conductor_release(conductor)), class_name);
        json_object_put(args);
        json_object_put(kwargs);
        return false;
    }
    NdJson *message = json_object_new_object();
    nd_json_set_string(message, "objname", class_name);
    nd_json_set_string(message, "objmethod", method);
    nd_json_set(message, "object_versions", g_steal_pointer(&manifest));
    nd_json_set(message, "args", args ? args : json_object_new_array());
    nd_json_set(message, "kwargs", kwargs ? kwargs : json_object_new_object());
    return rpc_client_call(conductor->client, &conductor_target, context, "object_class_action_versions", message, NULL, result, error);
}

bool conductor_class_object(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                            const char *returns, NovaObject **object, GError **error)
{
    g_autoptr(NdJson) result = NULL;
    if (!conductor_class_action(conductor, context, class_name, method, args, kwargs, &result, error))
        return false;
    *object = NULL;
    if (result == NULL)
        return true;
    const NovaObjectSpec *spec = nova_spec_find(returns ? returns : class_name);
    *object = spec ? nova_object_from_json_as(result, spec, NULL, error) : nova_object_from_json(result, NULL, error);
    if (*object == NULL)
        g_prefix_error(error, "%s.%s: ", class_name, method);
    return *object != NULL;
}

bool conductor_ping(Conductor *conductor, double timeout_s, GError **error)
{
    static const RpcTarget target = {.topic = "conductor", .name_space = "baseapi", .version = "1.0"};
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    NdJson *args = json_object_new_object();
    nd_json_set_string(args, "arg", "x");
    RpcCallOptions options = {.timeout_s = timeout_s};
    return rpc_client_call(conductor->client, &target, context, "ping", args, &options, NULL, error);
}
