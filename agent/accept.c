/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/accept.h"

#include "agent/dispatch.h"
#include "agent/methods.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.manager"

/* --- taking a request --- */

typedef struct {
    Agent *agent;
    AgentJournalEntry *entry;
} Accepted;

/* Nobody took it: the message was refused after all, or comes again. */
static void accepted_free(gpointer data)
{
    Accepted *accepted = data;
    g_autoptr(GError) error = NULL;

    if (accepted->entry != NULL && !agent_journal_end(accepted->agent->journal, accepted->entry, &error))
        nd_warning(LOGGER, "%s", error->message);
    agent_journal_entry_free(accepted->entry);
    g_free(accepted);
}

/* The fields of argument `instance`; NULL: there is none that could be journaled. */
static NdJson *instance_fields(NdJson *args)
{
    return nd_json_object(nd_json_object(args, "instance"), "nova_object.data");
}

static AgentJournalEntry *new_entry(RpcRequest *request, NdJson *fields)
{
    const RpcContext *context = rpc_request_context(request);
    AgentJournalEntry *entry = agent_journal_entry_new(nd_json_string(fields, "uuid", ""), rpc_request_method(request), context->request_id);
    NdJson *message = json_object_new_object();

    entry->phase = AGENT_JOURNAL_QUEUED;
    entry->project_id = g_strdup(context->project_id);
    entry->message_id = g_strdup(rpc_request_unique_id(request));
    entry->original_task_state = g_strdup(nd_json_string(fields, "task_state", NULL));
    rpc_context_add_to_message(context, message, RPC_CONTEXT_FULL);
    entry->request = json_object_new_object();
    nd_json_set(entry->request, "context", message);
    nd_json_set(entry->request, "args", json_object_get(rpc_request_args(request)));
    return entry;
}

bool agent_accept(RpcRequest *request, gpointer user_data, GError **error G_GNUC_UNUSED)
{
    Agent *agent = user_data;
    const MethodSpec *method = methods_lookup(rpc_request_method(request));
    NdJson *fields = instance_fields(rpc_request_args(request));
    g_autoptr(AgentJournalEntry) entry = NULL;
    g_autoptr(GError) failure = NULL;
    Accepted *accepted;

    if (agent->journal == NULL || method == NULL || method->kind != METHOD_LANE || (method->operation->flags & OPERATION_NO_JOURNAL) != 0 ||
        fields == NULL || rpc_request_is_call(request))
        return true;
    entry = new_entry(request, fields);
    if (!agent_journal_begin(agent->journal, entry, &failure)) {
        nd_warning(LOGGER, "%s is taken without being journaled: %s", method->name, failure->message);
        return true;
    }
    accepted = g_new0(Accepted, 1);
    accepted->agent = agent;
    accepted->entry = g_steal_pointer(&entry);
    rpc_request_set_data(request, accepted, accepted_free);
    return true;
}

void agent_accept_adopt(RpcRequest *request, Operation *operation)
{
    Accepted *accepted = rpc_request_steal_data(request);

    if (accepted == NULL)
        return;
    operation_adopt(operation, g_steal_pointer(&accepted->entry), false);
    accepted_free(accepted);
}

/* --- after a restart --- */

void agent_accepted_ids(Agent *agent, GPtrArray *ids)
{
    g_autoptr(GPtrArray) entries = agent_journal_load(agent->journal, NULL, NULL);

    for (guint i = 0; entries != NULL && i < entries->len; i++) {
        const AgentJournalEntry *entry = entries->pdata[i];

        if (entry->message_id != NULL)
            g_ptr_array_add(ids, g_strdup(entry->message_id));
    }
}

bool agent_accepted_is_current(const AgentJournalEntry *entry, const NovaInstance *instance)
{
    NdJson *then = instance_fields(nd_json_object(entry->request, "args"));

    /* Moved, reset or being worked on by somebody else since: the request is not meant for what is there now. */
    return instance != NULL && then != NULL && g_strcmp0(instance->host, nd_json_string(then, "host", NULL)) == 0 &&
           g_strcmp0(instance->vm_state, nd_json_string(then, "vm_state", NULL)) == 0 &&
           g_strcmp0(instance->task_state, entry->original_task_state) == 0;
}

static bool still_current(Agent *agent, const RpcContext *context, const AgentJournalEntry *entry, bool *current, GError **error)
{
    static const char *const no_attrs[] = {NULL};
    g_autoptr(GError) failure = NULL;
    g_autoptr(NovaInstance) instance = conductor_instance_get_by_uuid(agent->conductor, context, entry->instance_uuid, no_attrs, &failure);

    if (instance == NULL && !nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    *current = methods_lookup(entry->method) != NULL && agent_accepted_is_current(entry, instance);
    return true;
}

static void resume_one(Agent *agent, AgentJournalEntry *entry /* takes */, bool current)
{
    g_autoptr(AgentJournalEntry) owned = entry;
    g_autoptr(GError) error = NULL;

    nd_log_set_instance(entry->instance_uuid);
    if (current) {
        g_autofree char *method = g_strdup(entry->method);

        nd_info(LOGGER, "%s (request %s) was accepted and not begun: it is run now", method, entry->request_id);
        if (agent_run_accepted(agent, g_steal_pointer(&owned), &error))
            return;
        nd_err(LOGGER, "%s cannot be begun: %s", method, error->message);
        return;
    }
    nd_warning(LOGGER, "%s (request %s) was accepted and not begun, but the instance has changed since: it is not run", entry->method,
               entry->request_id);
    if (!agent_journal_end(agent->journal, entry, &error))
        nd_warning(LOGGER, "%s", error->message);
}


bool agent_accepted_resume(Agent *agent, RpcContext *context, GError **error)
{
    g_autoptr(GPtrArray) entries = agent_journal_load(agent->journal, NULL, error);
    g_autofree bool *current = NULL;

    if (entries == NULL)
        return false;
    for (guint i = entries->len; i-- > 0;)
        if (((AgentJournalEntry *)entries->pdata[i])->phase != AGENT_JOURNAL_QUEUED)
            g_ptr_array_remove_index(entries, i);
    current = g_new0(bool, entries->len + 1);
    for (guint i = 0; i < entries->len; i++)
        if (!still_current(agent, context, entries->pdata[i], &current[i], error))
            return false;
    g_ptr_array_set_free_func(entries, NULL);
    for (guint i = 0; i < entries->len; i++)
        resume_one(agent, entries->pdata[i], current[i]);
    nd_log_set_instance(NULL);
    return true;
}
