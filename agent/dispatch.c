/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dispatch.h"

#include "agent/accept.h"
#include "agent/journal.h"
#include "agent/lanes.h"
#include "agent/methods.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.manager"

static AgentLaneLimit *limit_of(Agent *agent, const MethodSpec *method)
{
    switch (method->limit) {
    case METHOD_BUILDS:
        return agent->builds;
    case METHOD_SNAPSHOTS:
        return agent->snapshots;
    case METHOD_LIVE_MIGRATIONS:
        return agent->live_migrations;
    case METHOD_UNLIMITED:
        break;
    }
    return NULL;
}

static NovaInstance *instance_of(const MethodSpec *method, const MethodArgs *args)
{
    const MethodSignature *signature = methods_signature(method);

    for (guint i = 0; i < method_signature_n_args(signature); i++)
        if (strcmp(method_signature_arg_name(signature, i), "instance") == 0)
            return NOVA_INSTANCE(method_args_object(args, "instance"));
    return NULL;
}

static void run_quick(gpointer data)
{
    operation_run(data, NULL);
}

static void free_quick(gpointer data)
{
    operation_free(data);
}

/* A request that cannot even begin: the caller is told, and the log, as nobody is told of a cast. */
static void refuse(RpcRequest *request, const GError *error)
{
    const RpcContext *context = rpc_request_context(request);

    nd_log_set_request(context->request_id, context->global_request_id, context->identity);
    nd_err(LOGGER, "Exception during message handling: %s %s: %s", rpc_request_method(request), nova_exception_class(error), error->message);
    nd_log_set_request(NULL, NULL, NULL);
    rpc_request_fail(request, error);
}

static Operation *decode(Agent *agent, RpcRequest *request, const MethodSpec *method, GError **error)
{
    g_autoptr(MethodArgs) args = method_args_parse(methods_signature(method), rpc_request_args(request), error);
    NovaInstance *instance;

    rpc_request_free_args(request);
    if (args == NULL)
        return NULL;
    instance = instance_of(method, args);
    if (instance != NULL && instance->uuid == NULL) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "%s() argument 'instance' has no uuid", method->name);
        return NULL;
    }
    return operation_new(agent, method->operation, rpc_request_context(request), request, g_steal_pointer(&args), instance);
}

void agent_dispatch(RpcRequest *request, gpointer user_data)
{
    Agent *agent = user_data;
    g_autoptr(RpcRequest) owned = request;
    g_autoptr(GError) error = NULL;
    const MethodSpec *method = methods_lookup(rpc_request_method(request));
    Operation *operation;

    if (method == NULL) { /* the server checks against the same table */
        nova_exception_set_text(&error, NOVA_EXC_NO_SUCH_METHOD, "Endpoint does not support RPC method", NULL);
        refuse(request, error);
        return;
    }
    operation = decode(agent, request, method, &error);
    if (operation == NULL) {
        refuse(request, error);
        return;
    }
    agent_accept_adopt(request, operation);
    if (operation->spec->arrived != NULL)
        operation->spec->arrived(operation);
    if (method->kind == METHOD_QUICK || (method->kind == METHOD_LANE && operation->instance == NULL))
        agent_lanes_submit_quick(agent->lanes, run_quick, operation, free_quick);
    else
        operation_submit(operation, limit_of(agent, method));
}

/* An operation without a request, on a copy of `instance`. */
static Operation *own_operation(Agent *agent, const MethodSpec *method, RpcContext *context, NovaInstance *instance, NdJson *args /* takes */,
                                GError **error)
{
    g_autoptr(NdJson) json = args != NULL ? args : json_object_new_object();
    g_autoptr(MethodArgs) parsed = NULL;
    NovaInstance *copy;

    nd_json_set(json, "instance", nova_object_to_json(instance, NOVA_UNCLAMPED));
    parsed = method_args_parse(methods_signature(method), json, error);
    if (parsed == NULL)
        return NULL;
    copy = method_args_object(parsed, "instance");
    return operation_new(agent, method->operation, context, NULL, g_steal_pointer(&parsed), copy);
}

bool agent_run_accepted(Agent *agent, AgentJournalEntry *entry, GError **error)
{
    g_autoptr(AgentJournalEntry) owned = entry;
    const MethodSpec *method = methods_lookup(entry->method);
    g_autoptr(MethodArgs) args = NULL;
    g_autoptr(RpcContext) context = rpc_context_from_message(nd_json_object(entry->request, "context"), error);
    Operation *operation;

    if (context == NULL)
        return false;
    args = method_args_parse(methods_signature(method), nd_json_object(entry->request, "args"), error);
    if (args == NULL)
        return false;
    operation = operation_new(agent, method->operation, context, NULL, args, instance_of(method, args));
    g_steal_pointer(&args);
    g_clear_pointer(&entry->request, json_object_put);
    operation_adopt(operation, g_steal_pointer(&owned), false);
    operation_submit(operation, limit_of(agent, method));
    return true;
}

bool agent_run_method(Agent *agent, RpcContext *context, const char *name, NovaInstance *instance, NdJson *args, GError **error)
{
    const MethodSpec *method = methods_lookup(name);
    Operation *operation = own_operation(agent, method, context, instance, args, error);

    if (operation == NULL)
        return false;
    operation_submit(operation, limit_of(agent, method));
    return true;
}

bool agent_resume_method(Agent *agent, RpcContext *context, AgentJournalEntry *entry, NovaInstance *instance, NdJson *args, GError **error)
{
    const MethodSpec *method = methods_lookup(entry->method);
    Operation *operation = own_operation(agent, method, context, instance, args, error);

    if (operation == NULL) {
        agent_journal_entry_free(entry);
        return false;
    }
    operation_adopt(operation, entry, true);
    operation_submit(operation, limit_of(agent, method));
    return true;
}

bool agent_run_within(Operation *outer, const char *name, NdJson *args, GError **error)
{
    g_autoptr(NdJson) json = args != NULL ? args : json_object_new_object();
    const MethodSpec *method = methods_lookup(name);
    g_autoptr(MethodArgs) parsed = NULL;
    bool done;

    nd_json_set(json, "instance", nova_object_to_json(outer->instance, NOVA_UNCLAMPED));
    parsed = method_args_parse(methods_signature(method), json, error);
    if (parsed == NULL)
        return false;
    g_autoptr(Operation) inner = operation_new(outer->agent, method->operation, outer->context, NULL, g_steal_pointer(&parsed), outer->instance);
    done = operation_run(inner, error);
    outer->backend->enter(outer);
    return done;
}
