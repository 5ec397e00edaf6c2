/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/journal.h"

#include "agent/error.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID_A "11111111-2222-4333-8444-555555555555"
#define UUID_B "aaaaaaaa-2222-4333-8444-555555555555"

static char *new_directory(void)
{
    char *directory = g_dir_make_tmp("novad-journal-XXXXXX", NULL);

    g_assert_nonnull(directory);
    return directory;
}

static void remove_directory(char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        g_remove(path);
    }
    g_rmdir(directory);
    g_free(directory);
}

static guint count_files(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void test_life_of_an_entry(void)
{
    char *directory = new_directory();
    g_autoptr(AgentJournal) journal = agent_journal_open(directory, NULL);
    g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new(UUID_A, "stop_instance", "req-1");
    g_autoptr(GPtrArray) left = NULL;
    const AgentJournalEntry *read;

    g_assert_nonnull(journal);
    entry->project_id = g_strdup("p");
    entry->original_task_state = g_strdup("powering-off");
    g_assert_true(agent_journal_begin(journal, entry, NULL));
    entry->phase = AGENT_JOURNAL_UNDO;
    entry->step = g_strdup("power-off");
    entry->data = json_object_new_object();
    nd_json_set_int(entry->data, "disks", 2);
    g_assert_true(agent_journal_update(journal, entry, NULL));
    g_assert_cmpuint(count_files(directory), ==, 1);

    left = agent_journal_load(journal, NULL, NULL);
    g_assert_cmpuint(left->len, ==, 1);
    read = left->pdata[0];
    g_assert_cmpstr(read->instance_uuid, ==, UUID_A);
    g_assert_cmpstr(read->method, ==, "stop_instance");
    g_assert_cmpstr(read->request_id, ==, "req-1");
    g_assert_cmpstr(read->project_id, ==, "p");
    g_assert_cmpstr(read->original_task_state, ==, "powering-off");
    g_assert_cmpstr(read->step, ==, "power-off");
    g_assert_cmpint(read->phase, ==, AGENT_JOURNAL_UNDO);
    g_assert_cmpint(read->begun_us, ==, entry->begun_us);
    g_assert_cmpint(nd_json_int(read->data, "disks", 0), ==, 2);

    g_assert_true(agent_journal_end(journal, entry, NULL));
    g_assert_cmpuint(count_files(directory), ==, 0);
    remove_directory(directory);
}

/* Entries come back in the order they were begun, also after a restart. */
static void test_order_over_restart(void)
{
    char *directory = new_directory();
    g_autoptr(GPtrArray) left = NULL;
    g_autoptr(AgentJournal) second = NULL;
    static const char *const uuids[] = {UUID_B, UUID_A, UUID_B};

    for (guint i = 0; i < 3; i++) {
        g_autoptr(AgentJournal) journal = agent_journal_open(directory, NULL);
        g_autofree char *request = g_strdup_printf("req-%u", i);
        g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new(uuids[i], "m", request);

        g_assert_true(agent_journal_begin(journal, entry, NULL));
        g_assert_cmpuint(entry->sequence, ==, i + 1);
    }
    second = agent_journal_open(directory, NULL);
    left = agent_journal_load(second, NULL, NULL);
    g_assert_cmpuint(left->len, ==, 3);
    for (guint i = 0; i < 3; i++) {
        g_autofree char *request = g_strdup_printf("req-%u", i);

        g_assert_cmpstr(((AgentJournalEntry *)left->pdata[i])->request_id, ==, request);
        g_assert_cmpstr(((AgentJournalEntry *)left->pdata[i])->instance_uuid, ==, uuids[i]);
    }
    remove_directory(directory);
}

static void test_bad_files_are_put_aside(void)
{
    static const char *const contents[] = {
        "",
        "{",
        "[]",
        "{\"version\":9,\"instance\":\"" UUID_A "\",\"method\":\"m\",\"request_id\":null,\"phase\":\"run\"}",
        "{\"version\":1,\"instance\":\"../../etc/passwd\",\"method\":\"m\",\"request_id\":null,\"phase\":\"run\"}",
        "{\"version\":1,\"instance\":\"" UUID_A "\",\"method\":\"m\",\"request_id\":null,\"phase\":\"dance\"}",
        "{\"version\":1,\"instance\":\"" UUID_A "\",\"method\":7,\"request_id\":null,\"phase\":\"run\"}",
    };
    char *directory = new_directory();
    g_autoptr(AgentJournal) journal = agent_journal_open(directory, NULL);
    g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) left = NULL;
    g_autoptr(GPtrArray) again = NULL;
    g_autofree char *foreign = g_build_filename(directory, "README", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autofree char *path = g_strdup_printf("%s/" UUID_A ".%016x.json", directory, i + 1);

        g_assert_true(g_file_set_contents(path, contents[i], -1, NULL));
    }
    g_assert_true(g_file_set_contents(foreign, "x", -1, NULL));
    left = agent_journal_load(journal, bad, NULL);
    g_assert_cmpuint(left->len, ==, 0);
    g_assert_cmpuint(bad->len, ==, G_N_ELEMENTS(contents));
    g_ptr_array_set_size(bad, 0);
    again = agent_journal_load(journal, bad, NULL);
    g_assert_cmpuint(bad->len, ==, 0);
    g_assert_cmpuint(count_files(directory), ==, G_N_ELEMENTS(contents) + 1);
    remove_directory(directory);
}

/* A request is kept beside its entry and goes with it. */
static void test_request(void)
{
    char *directory = new_directory();
    g_autoptr(AgentJournal) journal = agent_journal_open(directory, NULL);
    g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new(UUID_A, "stop_instance", "req-1");
    g_autoptr(GPtrArray) left = NULL;
    const AgentJournalEntry *read;

    entry->phase = AGENT_JOURNAL_QUEUED;
    entry->message_id = g_strdup("m1");
    entry->request = json_object_new_object();
    nd_json_set_string(entry->request, "args", "x");
    g_assert_true(agent_journal_begin(journal, entry, NULL));
    g_assert_null(entry->request);
    entry->phase = AGENT_JOURNAL_RUN;
    g_assert_true(agent_journal_update(journal, entry, NULL));
    left = agent_journal_load(journal, NULL, NULL);
    g_assert_cmpuint(left->len, ==, 1);
    read = left->pdata[0];
    g_assert_cmpstr(read->message_id, ==, "m1");
    g_assert_cmpstr(nd_json_string(read->request, "args", NULL), ==, "x");
    g_assert_true(agent_journal_end(journal, entry, NULL));
    g_assert_cmpuint(count_files(directory), ==, 0);
    remove_directory(directory);
}

/* Files of a run that was killed while it wrote. */
static void test_rubbish(void)
{
    static const struct {
        const char *name;
        bool stays;
    } cases[] = {
        {UUID_A ".0000000000000001.json.AB12cd", false},    {UUID_A ".0000000000000002.request.AB12cd", false},
        {UUID_A ".0000000000000003.request", false},        {UUID_B ".0000000000000004.json", true},
        {UUID_B ".0000000000000004.request", true},         {UUID_A ".0000000000000005.json.bad", true},
        {"README", true},
    };
    char *directory = new_directory();
    g_autoptr(AgentJournal) journal = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(directory, cases[i].name, NULL);

        g_assert_true(g_file_set_contents(path, "{}", -1, NULL));
    }
    journal = agent_journal_open(directory, NULL);
    g_assert_nonnull(journal);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(directory, cases[i].name, NULL);

        g_test_message("%s", cases[i].name);
        g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS) == cases[i].stays);
    }
    remove_directory(directory);
}

static void test_bad_instance(void)
{
    char *directory = new_directory();
    g_autoptr(AgentJournal) journal = agent_journal_open(directory, NULL);
    g_autoptr(AgentJournalEntry) entry = agent_journal_entry_new("../x", "m", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(agent_journal_begin(journal, entry, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_JOURNAL);
    g_assert_cmpuint(count_files(directory), ==, 0);
    remove_directory(directory);
}

static void test_no_folder(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(agent_journal_open("/proc/novad/journal", &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_JOURNAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journal/life-of-an-entry", test_life_of_an_entry);
    g_test_add_func("/journal/order-over-restart", test_order_over_restart);
    g_test_add_func("/journal/bad-files-are-put-aside", test_bad_files_are_put_aside);
    g_test_add_func("/journal/request", test_request);
    g_test_add_func("/journal/rubbish", test_rubbish);
    g_test_add_func("/journal/bad-instance", test_bad_instance);
    g_test_add_func("/journal/no-folder", test_no_folder);
    return g_test_run();
}
