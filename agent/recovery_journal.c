/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/recovery_journal.h"

#include "agent/lanes.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.manager"

struct RecoveryJournal {
    Agent *agent;
    GHashTable *interrupted; /* instance uuid -> AgentJournalEntry */
    GHashTable *queued;      /* set of instance uuids */
};

RpcContext *recovery_journal_context(const AgentJournalEntry *entry)
{
    g_autoptr(NdJson) message = json_object_new_object();
    RpcContext *context;

    nd_json_set_string(message, "_context_request_id", entry->request_id);
    nd_json_set_string(message, "_context_project_id", entry->project_id);
    nd_json_set_bool(message, "_context_is_admin", true);
    context = rpc_context_from_message(message, NULL);
    return context != NULL ? context : rpc_context_new_admin(NULL);
}

bool recovery_journal_was_complete(const AgentJournalEntry *entry, const OperationSpec *spec, const NovaInstance *instance)
{
    return entry->phase != AGENT_JOURNAL_UNDO && spec->n_steps > 0 && g_strcmp0(entry->step, spec->steps[spec->n_steps - 1].name) == 0 &&
           instance->task_state == NULL && g_strcmp0(instance->vm_state, VM_ERROR) != 0;
}

/* The user's action must not look as if it was still going on. */
static void close_entry(Agent *agent, const AgentJournalEntry *entry, bool succeeded)
{
    const MethodSpec *method = methods_lookup(entry->method);
    g_autoptr(RpcContext) context = recovery_journal_context(entry);
    g_autofree char *own_event = g_strconcat("compute_", entry->method, NULL);
    const char *event = method != NULL && method->operation->event != NULL ? method->operation->event : own_event;
    g_autoptr(GError) error = NULL;

    if (method != NULL && (method->operation->flags & OPERATION_ACTION_EVENT) != 0 &&
        !conductor_action_event_finish(agent->conductor, context, entry->instance_uuid, event,
                                       succeeded ? NULL : "The compute service was restarted.", NULL, &error))
        nd_debug(LOGGER, "The event %s cannot be finished: %s", event, error->message);
    g_clear_error(&error);
    if (!agent_journal_end(agent->journal, entry, &error))
        nd_warning(LOGGER, "%s", error->message);
}

/* What the operation itself knows to take back, beyond what the instance's states tell. An instance that the database does not have any more is
 * given by its uuid alone, deleted. */
static bool undo(Agent *agent, const AgentJournalEntry *entry, const OperationSpec *spec)
{
    static const char *const attrs[] = {"info_cache", "metadata", "system_metadata", "flavor", NULL};
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GError) error = NULL;
    bool complete;
    g_autoptr(NovaInstance) instance = conductor_instance_get_by_uuid(agent->conductor, context, entry->instance_uuid, attrs, &error);

    if (instance == NULL && nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND)) {
        g_clear_error(&error);
        instance = nova_instance_new();
        nova_instance_set_uuid(instance, entry->instance_uuid);
        nova_instance_set_deleted(instance, true);
    }
    complete = instance != NULL && recovery_journal_was_complete(entry, spec, instance);
    if (instance == NULL || !spec->recover(agent, entry, instance, &error)) {
        nd_warning(LOGGER, "%s could not be undone, that is tried again later: %s", entry->method, error->message);
        return false;
    }
    close_entry(agent, entry, (complete || spec->recovery == OPERATION_RECOVER_UNDO) && !instance->deleted &&
                                  g_strcmp0(instance->vm_state, VM_ERROR) != 0);
    return true;
}

static void free_entry(gpointer data)
{
    agent_journal_entry_free(data);
}

static void undo_later(Agent *agent, AgentJournalEntry *entry /* takes */)
{
    if (agent->undo_later == NULL)
        agent->undo_later = g_ptr_array_new_with_free_func(free_entry);
    for (guint i = 0; i < agent->undo_later->len; i++) {
        if (((AgentJournalEntry *)agent->undo_later->pdata[i])->sequence != entry->sequence)
            continue;
        agent_journal_entry_free(entry); /* the start was tried again */
        return;
    }
    g_ptr_array_add(agent->undo_later, entry);
}

void recovery_undo_again(Agent *agent, RpcContext *context G_GNUC_UNUSED)
{
    for (guint i = agent->undo_later != NULL ? agent->undo_later->len : 0; i-- > 0;) {
        const AgentJournalEntry *entry = agent->undo_later->pdata[i];

        nd_log_set_instance(entry->instance_uuid);
        if (!agent_lanes_busy(agent->lanes, entry->instance_uuid) && undo(agent, entry, methods_lookup(entry->method)->operation))
            g_ptr_array_remove_index(agent->undo_later, i);
    }
    nd_log_set_instance(NULL);
}

static void sort_entry(RecoveryJournal *journal, AgentJournalEntry *entry /* takes */)
{
    const MethodSpec *method = methods_lookup(entry->method);
    g_autoptr(AgentJournalEntry) owned = entry;

    nd_log_set_instance(entry->instance_uuid);
    if (entry->phase == AGENT_JOURNAL_QUEUED) {
        g_hash_table_add(journal->queued, g_strdup(entry->instance_uuid));
        return;
    }
    nd_warning(LOGGER, "%s (request %s) was interrupted in step %s", entry->method, entry->request_id,
               entry->step != NULL ? entry->step : "(none)");
    if (method != NULL && method->operation->recovery != OPERATION_RECOVER_BY_STATE) {
        if (!undo(journal->agent, entry, method->operation) && method->operation->recovery == OPERATION_RECOVER_UNDO)
            undo_later(journal->agent, g_steal_pointer(&owned));
    } else if (g_hash_table_contains(journal->interrupted, entry->instance_uuid)) { /* part of another operation, or one that could not be removed */
        close_entry(journal->agent, entry, false);
    } else {
        g_hash_table_insert(journal->interrupted, g_strdup(entry->instance_uuid), g_steal_pointer(&owned));
    }
}

RecoveryJournal *recovery_journal_read(Agent *agent)
{
    RecoveryJournal *journal = g_new0(RecoveryJournal, 1);
    g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = agent_journal_load(agent->journal, bad, &error);

    journal->agent = agent;
    journal->interrupted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_entry);
    journal->queued = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < bad->len; i++)
        nd_warning(LOGGER, "Unreadable journal entry %s was put aside", (const char *)bad->pdata[i]);
    if (entries == NULL) {
        nd_err(LOGGER, "%s", error->message);
        return journal;
    }
    g_ptr_array_set_free_func(entries, NULL);
    for (guint i = 0; i < entries->len; i++)
        sort_entry(journal, entries->pdata[i]);
    nd_log_set_instance(NULL);
    return journal;
}

void recovery_journal_free(RecoveryJournal *journal)
{
    if (journal == NULL)
        return;
    g_hash_table_unref(journal->interrupted);
    g_hash_table_unref(journal->queued);
    g_free(journal);
}

const AgentJournalEntry *recovery_journal_interrupted(RecoveryJournal *journal, const char *instance_uuid)
{
    return g_hash_table_lookup(journal->interrupted, instance_uuid);
}

AgentJournalEntry *recovery_journal_steal(RecoveryJournal *journal, const char *instance_uuid)
{
    gpointer key = NULL, entry = NULL;

    if (!g_hash_table_steal_extended(journal->interrupted, instance_uuid, &key, &entry))
        return NULL;
    g_free(key);
    return entry;
}

bool recovery_journal_is_queued(RecoveryJournal *journal, const char *instance_uuid)
{
    return g_hash_table_contains(journal->queued, instance_uuid);
}

void recovery_journal_add_queued(RecoveryJournal *journal, GHashTable *uuids)
{
    GHashTableIter iter;
    gpointer uuid;

    for (g_hash_table_iter_init(&iter, journal->queued); g_hash_table_iter_next(&iter, &uuid, NULL);)
        g_hash_table_add(uuids, g_strdup(uuid));
}

void recovery_journal_close(RecoveryJournal *journal, const char *instance_uuid, bool succeeded)
{
    g_autoptr(AgentJournalEntry) entry = recovery_journal_steal(journal, instance_uuid);

    if (entry != NULL)
        close_entry(journal->agent, entry, succeeded);
}

void recovery_journal_close_rest(RecoveryJournal *journal)
{
    GHashTableIter iter;
    gpointer entry;

    /* What was being deleted is gone: that is what was asked for. */
    for (g_hash_table_iter_init(&iter, journal->interrupted); g_hash_table_iter_next(&iter, NULL, &entry); g_hash_table_iter_remove(&iter))
        close_entry(journal->agent, entry, g_strcmp0(((AgentJournalEntry *)entry)->method, "terminate_instance") == 0);
}
