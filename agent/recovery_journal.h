/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "agent/journal.h"
#include "agent/methods.h"

typedef struct NovaInstance NovaInstance;

/*
 * The journal of the run before, at start: what was interrupted and what was accepted but not begun. Operations that know themselves what to take
 * back (OPERATION_RECOVER_UNDO) are undone here; of the others agent/recovery.c takes the entry when it comes to the instance.
 */
typedef struct RecoveryJournal RecoveryJournal;

/* Reads the journal, undoes. Failures are logged; an undo that failed keeps its entry, and is tried again by recovery_undo_again or the next start. */
RecoveryJournal *recovery_journal_read(Agent *agent);
/* Entries still held are left as they are, in the journal. */
void recovery_journal_free(RecoveryJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecoveryJournal, recovery_journal_free)

/* A periodic task: what could not be undone at start. */
void recovery_undo_again(Agent *agent, RpcContext *context);

/* The operation of this instance that was interrupted; NULL if none. Borrowed. */
const AgentJournalEntry *recovery_journal_interrupted(RecoveryJournal *journal, const char *instance_uuid);
/* The same, taken from the journal's hands; the file stays. */
AgentJournalEntry *recovery_journal_steal(RecoveryJournal *journal, const char *instance_uuid);
/* True if a request for this instance was accepted and not begun. */
bool recovery_journal_is_queued(RecoveryJournal *journal, const char *instance_uuid);
/* Adds the instances with such requests to a set of uuids (char *, freed by it). */
void recovery_journal_add_queued(RecoveryJournal *journal, GHashTable *uuids);
/* What was interrupted is over: its action event is finished (as failed unless `succeeded`), the entry removed. Nothing if there is none. */
void recovery_journal_close(RecoveryJournal *journal, const char *instance_uuid, bool succeeded);
/* Closes what was interrupted of instances that are not this host's any more. */
void recovery_journal_close_rest(RecoveryJournal *journal);

/* For tests: true if an interrupted operation had done all its work when it was interrupted, as the instance's states tell. */
bool recovery_journal_was_complete(const AgentJournalEntry *entry, const OperationSpec *spec, const NovaInstance *instance);
/* The context of the request, without the user's token, which may be old by now. */
RpcContext *recovery_journal_context(const AgentJournalEntry *entry);
