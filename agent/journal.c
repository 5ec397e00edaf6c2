/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/journal.h"

#include "agent/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

#define JOURNAL_VERSION 1
#define JOURNAL_FILE_LIMIT (1024 * 1024)
#define REQUEST_FILE_LIMIT (256 * 1024 * 1024) /* what the RPC server takes is smaller */
#define ENTRY_SUFFIX ".json"
#define REQUEST_SUFFIX ".request"
#define BAD_SUFFIX ".bad"

static const char *const phase_names[] = {
    [AGENT_JOURNAL_QUEUED] = "queued",
    [AGENT_JOURNAL_RUN] = "run",
    [AGENT_JOURNAL_UNDO] = "undo",
    [AGENT_JOURNAL_FINISH] = "finish",
};

struct AgentJournal {
    char *directory;
    GMutex lock; /* guards next_sequence */
    guint64 next_sequence;
};

AgentJournalEntry *agent_journal_entry_new(const char *instance_uuid, const char *method, const char *request_id)
{
    AgentJournalEntry *entry = g_new0(AgentJournalEntry, 1);

    entry->instance_uuid = g_strdup(instance_uuid);
    entry->method = g_strdup(method);
    entry->request_id = g_strdup(request_id);
    entry->begun_us = nd_time_now();
    return entry;
}

void agent_journal_entry_free(AgentJournalEntry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->instance_uuid);
    g_free(entry->method);
    g_free(entry->request_id);
    g_free(entry->project_id);
    g_free(entry->original_task_state);
    g_free(entry->step);
    g_free(entry->message_id);
    json_object_put(entry->data);
    json_object_put(entry->request);
    g_free(entry);
}

/* "<uuid>.<16 hex digits>.json" -> sequence; false if the name is another. */
static bool parse_name(const char *name, guint64 *sequence)
{
    const char *dot = strchr(name, '.');
    char *end;

    if (dot == NULL || !g_str_has_suffix(name, ENTRY_SUFFIX) || strlen(dot) != strlen(".0123456789abcdef" ENTRY_SUFFIX))
        return false;
    *sequence = g_ascii_strtoull(dot + 1, &end, 16);
    return end == dot + 17;
}

static char *file_path(AgentJournal *journal, const AgentJournalEntry *entry, const char *suffix)
{
    return g_strdup_printf("%s/%s.%016" G_GINT64_MODIFIER "x%s", journal->directory, entry->instance_uuid, entry->sequence, suffix);
}

static bool journal_failed(GError **error, const char *what, GError *cause)
{
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_JOURNAL, "journal: %s: %s", what, cause->message);
    g_error_free(cause);
    return false;
}

/* What a run left that was killed while it wrote or removed an entry: temporary files, and requests whose entry is not there. */
static bool is_rubbish(const char *directory, const char *name)
{
    const char *dot = strchr(name, '.');
    g_autofree char *stem = NULL, *entry = NULL;

    if (dot == NULL || dot - name != 36)
        return false;
    if (strstr(dot, ENTRY_SUFFIX ".") != NULL || strstr(dot, REQUEST_SUFFIX ".") != NULL)
        return !g_str_has_suffix(name, BAD_SUFFIX);
    if (!g_str_has_suffix(name, REQUEST_SUFFIX))
        return false;
    stem = g_strndup(name, strlen(name) - strlen(REQUEST_SUFFIX));
    entry = g_strdup_printf("%s/%s" ENTRY_SUFFIX, directory, stem);
    return !g_file_test(entry, G_FILE_TEST_EXISTS);
}

AgentJournal *agent_journal_open(const char *directory, GError **error)
{
    g_autoptr(AgentJournal) journal = g_new0(AgentJournal, 1);
    g_autoptr(GDir) dir = NULL;
    GError *cause = NULL;
    const char *name;

    journal->directory = g_strdup(directory);
    g_mutex_init(&journal->lock);
    journal->next_sequence = 1;
    if (!nd_dir_make(directory, 0700, &cause)) {
        journal_failed(error, "make the folder", cause);
        return NULL;
    }
    dir = g_dir_open(directory, 0, &cause);
    if (dir == NULL) {
        journal_failed(error, "read the folder", cause);
        return NULL;
    }
    while ((name = g_dir_read_name(dir)) != NULL) {
        guint64 sequence;

        if (parse_name(name, &sequence) && sequence >= journal->next_sequence)
            journal->next_sequence = sequence + 1;
        if (is_rubbish(directory, name)) {
            g_autofree char *path = g_build_filename(directory, name, NULL);

            nd_file_remove(path, NULL);
        }
    }
    return g_steal_pointer(&journal);
}

void agent_journal_free(AgentJournal *journal)
{
    if (journal == NULL)
        return;
    g_mutex_clear(&journal->lock);
    g_free(journal->directory);
    g_free(journal);
}

static bool write_request(AgentJournal *journal, const AgentJournalEntry *entry, GError **error)
{
    g_autofree char *path = file_path(journal, entry, REQUEST_SUFFIX);
    g_autofree char *text = nd_json_to_string(entry->request);
    GError *cause = NULL;

    return nd_file_write(path, text, strlen(text), 0600, &cause) || journal_failed(error, "write the request", cause);
}

bool agent_journal_begin(AgentJournal *journal, AgentJournalEntry *entry, GError **error)
{
    if (!nd_uuid_is_valid(entry->instance_uuid)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_JOURNAL, "journal: \"%s\" is no instance uuid", entry->instance_uuid);
        return false;
    }
    g_mutex_lock(&journal->lock);
    entry->sequence = journal->next_sequence++;
    g_mutex_unlock(&journal->lock);
    if (entry->request != NULL && !write_request(journal, entry, error))
        return false;
    g_clear_pointer(&entry->request, json_object_put);
    return agent_journal_update(journal, entry, error);
}

bool agent_journal_update(AgentJournal *journal, const AgentJournalEntry *entry, GError **error)
{
    g_autoptr(NdJson) json = json_object_new_object();
    g_autofree char *path = file_path(journal, entry, ENTRY_SUFFIX);
    g_autofree char *text = NULL;
    GError *cause = NULL;

    nd_json_set_int(json, "version", JOURNAL_VERSION);
    nd_json_set_string(json, "instance", entry->instance_uuid);
    nd_json_set_string(json, "method", entry->method);
    nd_json_set_string(json, "request_id", entry->request_id);
    nd_json_set_string(json, "project_id", entry->project_id);
    nd_json_set_string(json, "message_id", entry->message_id);
    nd_json_set_string(json, "phase", phase_names[entry->phase]);
    nd_json_set_string(json, "step", entry->step);
    nd_json_set_string(json, "original_task_state", entry->original_task_state);
    nd_json_set_int(json, "begun", entry->begun_us);
    nd_json_set(json, "data", json_object_get(entry->data));
    text = nd_json_to_string(json);
    if (!nd_file_write(path, text, strlen(text), 0600, &cause))
        return journal_failed(error, "write", cause);
    return true;
}

bool agent_journal_end(AgentJournal *journal, const AgentJournalEntry *entry, GError **error)
{
    g_autofree char *path = file_path(journal, entry, ENTRY_SUFFIX);
    g_autofree char *request = file_path(journal, entry, REQUEST_SUFFIX);
    GError *cause = NULL;

    if (!nd_file_remove(path, &cause) || !nd_file_remove(request, &cause) || !nd_dir_sync(journal->directory, &cause))
        return journal_failed(error, "remove", cause);
    return true;
}

static bool parse_phase(const char *text, AgentJournalPhase *phase)
{
    for (guint i = 0; i < G_N_ELEMENTS(phase_names); i++)
        if (strcmp(phase_names[i], text) == 0) {
            *phase = i;
            return true;
        }
    return false;
}

static AgentJournalEntry *parse_entry(const char *text, size_t length, GError **error)
{
    g_autoptr(AgentJournalEntry) entry = NULL;
    g_autoptr(NdJson) json = NULL;
    const char *instance, *method, *request_id, *phase, *value;
    gint64 version;

    if (!nd_json_parse(text, length, NULL, &json, error) || !nd_json_get_int(json, "version", &version, error) ||
        !nd_json_get_string(json, "instance", &instance, error) || !nd_json_get_string(json, "method", &method, error) ||
        !nd_json_get_string_opt(json, "request_id", NULL, &request_id, error) || !nd_json_get_string(json, "phase", &phase, error))
        return NULL;
    entry = agent_journal_entry_new(instance, method, request_id);
    if (version != JOURNAL_VERSION || !nd_uuid_is_valid(instance) || !parse_phase(phase, &entry->phase)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_JOURNAL, "not an entry of version %d", JOURNAL_VERSION);
        return NULL;
    }
    if (!nd_json_get_string_opt(json, "project_id", NULL, &value, error))
        return NULL;
    entry->project_id = g_strdup(value);
    if (!nd_json_get_string_opt(json, "message_id", NULL, &value, error))
        return NULL;
    entry->message_id = g_strdup(value);
    if (!nd_json_get_string_opt(json, "step", NULL, &value, error))
        return NULL;
    entry->step = g_strdup(value);
    if (!nd_json_get_string_opt(json, "original_task_state", NULL, &value, error))
        return NULL;
    entry->original_task_state = g_strdup(value);
    if (!nd_json_get_int_opt(json, "begun", 0, &entry->begun_us, error))
        return NULL;
    entry->data = json_object_get(nd_json_member(json, "data"));
    return g_steal_pointer(&entry);
}

static int compare_sequence(gconstpointer a, gconstpointer b)
{
    const AgentJournalEntry *first = *(AgentJournalEntry *const *)a;
    const AgentJournalEntry *second = *(AgentJournalEntry *const *)b;

    return (first->sequence > second->sequence) - (first->sequence < second->sequence);
}

/* NULL stays where there is none, or none that can be read. */
static void read_request(AgentJournal *journal, AgentJournalEntry *entry)
{
    g_autofree char *path = file_path(journal, entry, REQUEST_SUFFIX);
    g_autofree char *text = NULL;
    size_t length;

    if (nd_file_read(path, REQUEST_FILE_LIMIT, &text, &length, NULL))
        nd_json_parse(text, length, NULL, &entry->request, NULL);
}

/* Reads one file; a bad one is put aside. */
static AgentJournalEntry *load_file(AgentJournal *journal, const char *name, guint64 sequence, GPtrArray *bad)
{
    g_autofree char *path = g_build_filename(journal->directory, name, NULL);
    g_autofree char *aside = g_strconcat(path, BAD_SUFFIX, NULL);
    g_autofree char *text = NULL;
    AgentJournalEntry *entry;
    size_t length;

    if (nd_file_read(path, JOURNAL_FILE_LIMIT, &text, &length, NULL)) {
        entry = parse_entry(text, length, NULL);
        if (entry != NULL) {
            entry->sequence = sequence;
            read_request(journal, entry);
            return entry;
        }
    }
    if (nd_file_rename(path, aside, NULL) && bad != NULL)
        g_ptr_array_add(bad, g_strdup(name));
    return NULL;
}

GPtrArray *agent_journal_load(AgentJournal *journal, GPtrArray *bad, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify)agent_journal_entry_free);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = NULL;
    GError *cause = NULL;
    const char *name;

    dir = g_dir_open(journal->directory, 0, &cause);
    if (dir == NULL) {
        journal_failed(error, "read the folder", cause);
        return NULL;
    }
    while ((name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    for (guint i = 0; i < names->len; i++) {
        guint64 sequence;
        AgentJournalEntry *entry;

        if (!parse_name(names->pdata[i], &sequence))
            continue;
        entry = load_file(journal, names->pdata[i], sequence, bad);
        if (entry != NULL)
            g_ptr_array_add(entries, entry);
    }
    g_ptr_array_sort(entries, compare_sequence);
    return g_steal_pointer(&entries);
}
