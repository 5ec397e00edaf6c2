/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The journal: what was running when the daemon died. One small file an operation, `<directory>/<instance uuid>.<sequence>.json`,
 * replaced as a whole (temporary file, fsync, rename, fsync of the directory) before each step and removed when the operation has ended.
 * After a crash agent_journal_load gives what was in flight, in the order it was begun.
 *
 * Content: {"version": 1, "instance", "method", "request_id", "project_id", "phase": "queued"|"run"|"undo"|"finish", "step": name of
 * the step begun last, "message_id": of the message it came with, "original_task_state", "begun": time, "data": what the operation itself wants to remember (or null)}.
 *
 * An entry that was begun with a request (a cast that was accepted, agent/dispatch.c) has it in a second file, `<...>.request`, written once and
 * removed with the entry: {"context": _context_* members, "args"}. It is what is run if nothing of it was begun, and it holds what the message
 * held, the user's token and an administrator's password for the guest among it: mode 0600 in a folder of mode 0700.
 */
typedef struct AgentJournal AgentJournal;
typedef struct AgentJournalEntry AgentJournalEntry;

typedef enum { AGENT_JOURNAL_QUEUED, AGENT_JOURNAL_RUN, AGENT_JOURNAL_UNDO, AGENT_JOURNAL_FINISH } AgentJournalPhase;

struct AgentJournalEntry {
    char *instance_uuid;
    char *method;              /* RPC method name */
    char *request_id;
    char *project_id;          /* may be NULL */
    char *original_task_state; /* when the operation began; may be NULL */
    char *step;                /* the step begun last; NULL before the first */
    AgentJournalPhase phase;
    gint64 begun_us;
    NdJson *data;     /* may be NULL */
    char *message_id; /* _unique_id of the message; may be NULL */
    NdJson *request;  /* may be NULL; dropped once it is written, there again after agent_journal_load */
    guint64 sequence;
};

/* Opens (and makes, mode 0700) the directory, and removes half-written files of an earlier run from it. Errors: AGENT_ERROR_JOURNAL. */
AgentJournal *agent_journal_open(const char *directory, GError **error);
void agent_journal_free(AgentJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgentJournal, agent_journal_free)

/* Gives `entry` its sequence number and writes it, and its request. */
bool agent_journal_begin(AgentJournal *journal, AgentJournalEntry *entry, GError **error);
/* Writes `entry` anew (after phase, step or data changed). */
bool agent_journal_update(AgentJournal *journal, const AgentJournalEntry *entry, GError **error);
/* Removes the entry's file. */
bool agent_journal_end(AgentJournal *journal, const AgentJournalEntry *entry, GError **error);

/* Entries left by an earlier process, oldest first (element type AgentJournalEntry, owned by the array). A file that is not readable as an
 * entry is renamed to *.bad and its name added to `bad` (may be NULL; element type char *). */
GPtrArray *agent_journal_load(AgentJournal *journal, GPtrArray *bad, GError **error);

AgentJournalEntry *agent_journal_entry_new(const char *instance_uuid, const char *method, const char *request_id);
void agent_journal_entry_free(AgentJournalEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgentJournalEntry, agent_journal_entry_free)
