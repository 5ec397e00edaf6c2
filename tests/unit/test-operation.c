/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/journal.h"
#include "agent/operation.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"

/* The engine is tested against a backend that writes down what it is asked to do. */
typedef struct {
    GString *log;             /* "event_start(x) save(powering-off) ..." */
    char *task_state;
    const char *fail_step;    /* this step fails ... */
    const char *fail_class;   /* ... with this exception class */
    const char *fail_save;    /* saving this task state fails with UnexpectedTaskStateError */
    bool fail_event_start;
    bool finish_early;
    bool recover;
    int stop_in_step;         /* index of the step that begins the parking; -1 = none */
    guint replies, failures;
    char *directory;
    char *seen_in_journal;    /* "step:phase " pairs read back from the file in each step and undo */
    Agent agent;
} Scene;

static Scene scene;

GQuark test_error_quark(void);
G_DEFINE_QUARK(test-error, test_error)

static void note(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void note(const char *format, ...)
{
    va_list args;

    if (scene.log->len > 0)
        g_string_append_c(scene.log, ' ');
    va_start(args, format);
    g_string_append_vprintf(scene.log, format, args);
    va_end(args);
}

static void identify(Operation *operation G_GNUC_UNUSED, const char **instance_uuid, const char **request_id, const char **project_id)
{
    *instance_uuid = UUID;
    *request_id = "req-1";
    *project_id = NULL;
}

static void nothing(Operation *operation G_GNUC_UNUSED)
{
}

static bool event_start(Operation *operation G_GNUC_UNUSED, const char *event, GError **error)
{
    if (scene.fail_event_start) {
        g_set_error(error, test_error_quark(), 0, "InstanceActionNotFound");
        return false;
    }
    note("start(%s)", event);
    return true;
}

static bool event_finish(Operation *operation G_GNUC_UNUSED, const char *event, const GError *failure, GError **error G_GNUC_UNUSED)
{
    note("finish(%s,%s)", event, failure != NULL ? failure->message : "ok");
    return true;
}

static bool save(Operation *operation G_GNUC_UNUSED, const char *const *expected, GError **error)
{
    g_autofree char *text = expected != NULL ? g_strjoinv("|", (char **)expected) : g_strdup("*");

    if (scene.fail_save != NULL && g_strcmp0(scene.task_state, scene.fail_save) == 0) {
        g_set_error(error, test_error_quark(), 0, "UnexpectedTaskStateError");
        return false;
    }
    note("save(%s,%s)", scene.task_state != NULL ? scene.task_state : "null", text);
    return true;
}

static void set_task_state(Operation *operation G_GNUC_UNUSED, const char *task_state)
{
    g_free(scene.task_state);
    scene.task_state = g_strdup(task_state);
}

static const char *task_state(Operation *operation G_GNUC_UNUSED)
{
    return scene.task_state;
}

static bool is_ours(Operation *operation G_GNUC_UNUSED)
{
    return true;
}

static void fault(Operation *operation G_GNUC_UNUSED, const GError *failure)
{
    note("fault(%s)", failure->message);
}

static void notify(Operation *operation G_GNUC_UNUSED, const char *action, OperationNotifyPhase phase, const GError *failure)
{
    static const char *const names[] = {"start", "end", "error", "single"};

    note("notify(%s.%s%s%s)", action, names[phase], failure != NULL ? "," : "", failure != NULL ? failure->message : "");
}

static void notify_exception(Operation *operation G_GNUC_UNUSED, const GError *failure)
{
    note("exception(%s)", failure->message);
}

static void migration_error(Operation *operation G_GNUC_UNUSED)
{
    note("migration-error");
}

static void update_usage(Operation *operation G_GNUC_UNUSED)
{
    note("usage");
}

static void reply(Operation *operation G_GNUC_UNUSED, NdJson *result)
{
    g_autofree char *text = nd_json_to_string(result);

    note("reply(%s)", text);
    scene.replies++;
    json_object_put(result);
}

static void fail(Operation *operation G_GNUC_UNUSED, const GError *failure)
{
    note("fail(%s)", failure->message);
    scene.failures++;
}

static const char *exception_class(const GError *failure)
{
    return failure->domain == test_error_quark() ? failure->message : NULL;
}

static const OperationBackend backend = {
    .enter = nothing, .leave = nothing, .identify = identify, .event_start = event_start, .event_finish = event_finish, .save = save,
    .set_task_state = set_task_state, .task_state = task_state, .is_ours = is_ours, .fault = fault, .notify = notify,
    .notify_exception = notify_exception, .migration_error = migration_error, .update_usage = update_usage, .reply = reply, .fail = fail,
    .exception_class = exception_class,
};

/* What a restart would find now. */
static void read_journal(void)
{
    static const char *const phases[] = {"queued", "run", "undo", "finish"};
    g_autoptr(GPtrArray) entries = NULL;
    g_autofree char *old = scene.seen_in_journal;
    const AgentJournalEntry *entry;

    if (scene.agent.journal == NULL)
        return;
    entries = agent_journal_load(scene.agent.journal, NULL, NULL);
    g_assert_cmpuint(entries->len, ==, 1);
    entry = entries->pdata[0];
    scene.seen_in_journal = g_strdup_printf("%s%s:%s ", old != NULL ? old : "", entry->step, phases[entry->phase]);
}

static bool step(Operation *operation, const char *name, GError **error)
{
    note("do(%s)", name);
    read_journal();
    if (scene.stop_in_step == (int)operation->step_index)
        g_atomic_int_set(&scene.agent.stopping, AGENT_PARKING);
    if (scene.finish_early)
        operation_finish_early(operation);
    if (g_strcmp0(scene.fail_step, name) == 0) {
        g_set_error(error, test_error_quark(), 0, "%s", scene.fail_class);
        return false;
    }
    return true;
}

static bool first(Operation *operation, GError **error)
{
    return step(operation, "first", error);
}

static bool second(Operation *operation, GError **error)
{
    operation_set_result(operation, json_object_new_int(7));
    return step(operation, "second", error);
}

static bool third(Operation *operation, GError **error)
{
    return step(operation, "third", error);
}

static void undo_first(Operation *operation G_GNUC_UNUSED)
{
    note("undo(first)");
    read_journal();
}

static void undo_third(Operation *operation G_GNUC_UNUSED)
{
    note("undo(third)");
    read_journal();
}

static bool on_failure(Operation *operation G_GNUC_UNUSED, GError **error)
{
    note("on-failure(%s)", (*error)->message);
    if (scene.recover)
        g_clear_error(error);
    return scene.recover;
}

static const char *const expect_off[] = {"powering-off", OPERATION_EXPECT_NONE, NULL};
static const OperationStep steps[] = {
    {"first", NULL, NULL, first, undo_first},
    {"second", "working", expect_off, second, NULL},
    {"third", OPERATION_TASK_NONE, NULL, third, undo_third},
};

static const OperationSpec spec = {
    .method = "stop_instance",
    .notify = "power_off",
    .flags = OPERATION_STANDARD | OPERATION_NOTIFY_ERROR,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
    .on_failure = on_failure,
};

static void scene_begin(bool with_journal)
{
    memset(&scene, 0, sizeof scene);
    scene.log = g_string_new(NULL);
    scene.task_state = g_strdup("powering-off");
    scene.fail_class = "InstancePowerOffFailure";
    scene.stop_in_step = -1;
    scene.agent.operation_backend = &backend;
    if (with_journal) {
        scene.directory = g_dir_make_tmp("novad-operation-XXXXXX", NULL);
        scene.agent.journal = agent_journal_open(scene.directory, NULL);
        g_assert_nonnull(scene.agent.journal);
    }
}

static void scene_end(void)
{
    g_assert_cmpuint(scene.replies + scene.failures, ==, 1);
    g_string_free(scene.log, TRUE);
    g_free(scene.task_state);
    g_free(scene.seen_in_journal);
    if (scene.directory != NULL) {
        agent_journal_free(scene.agent.journal);
        g_assert_cmpint(g_rmdir(scene.directory), ==, 0);
        g_free(scene.directory);
    }
}

/* The engine never looks into the instance itself, so any pointer will do. */
static bool run(const OperationSpec *which)
{
    g_autoptr(Operation) operation = operation_new(&scene.agent, which, NULL, NULL, NULL, (NovaInstance *)&scene);
    g_autoptr(GError) error = NULL;
    bool done = operation_run(operation, &error);

    g_assert_true(done == (error == NULL));
    return done;
}

static void test_success(void)
{
    scene_begin(true);
    g_assert_true(run(&spec));
    g_assert_cmpstr(scene.log->str, ==,
                    "start(compute_stop_instance) notify(power_off.start) do(first) save(working,powering-off|) do(second) "
                    "save(null,*) do(third) notify(power_off.end) finish(compute_stop_instance,ok) reply(7)");
    g_assert_cmpstr(scene.seen_in_journal, ==, "first:run second:run third:run ");
    scene_end();
}

/* A failure at each step: the undos of that step and those before it, last first, then the decorators from inside out. */
static void test_failure_at_each_step(void)
{
    static const struct {
        const char *step, *did, *undid, *journal;
    } cases[] = {
        {"first", "do(first)", "undo(first)", "first:run first:undo "},
        {"second", "do(first) save(working,powering-off|) do(second)", "undo(first)", "first:run second:run second:undo "},
        {"third", "do(first) save(working,powering-off|) do(second) save(null,*) do(third)", "undo(third) undo(first)",
         "first:run second:run third:run third:undo third:undo "},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *expected = g_strdup_printf(
            "start(compute_stop_instance) notify(power_off.start) %s %s notify(power_off.error,InstancePowerOffFailure) "
            "on-failure(InstancePowerOffFailure) fault(InstancePowerOffFailure) finish(compute_stop_instance,InstancePowerOffFailure) "
            "save(null,*) usage exception(InstancePowerOffFailure) fail(InstancePowerOffFailure)",
            cases[i].did, cases[i].undid);

        scene_begin(true);
        scene.fail_step = cases[i].step;
        g_assert_false(run(&spec));
        g_assert_cmpstr(scene.log->str, ==, expected);
        g_assert_cmpstr(scene.seen_in_journal, ==, cases[i].journal);
        scene_end();
    }
}

/* UnexpectedTaskStateError: somebody else owns the task state now. */
static void test_preempted(void)
{
    scene_begin(false);
    scene.fail_save = "working";
    g_assert_false(run(&spec));
    g_assert_nonnull(strstr(scene.log->str, "fault(UnexpectedTaskStateError)"));
    g_assert_null(strstr(scene.log->str, "save(null"));
    g_assert_null(strstr(scene.log->str, "usage"));
    g_assert_nonnull(strstr(scene.log->str, "undo(first)"));
    scene_end();
}

static void test_no_fault_for_a_missing_instance(void)
{
    scene_begin(false);
    scene.fail_step = "second";
    scene.fail_class = "InstanceNotFound";
    g_assert_false(run(&spec));
    g_assert_null(strstr(scene.log->str, "fault("));
    g_assert_nonnull(strstr(scene.log->str, "finish(compute_stop_instance,InstanceNotFound)"));
    scene_end();
}

static void test_recovered(void)
{
    scene_begin(true);
    scene.fail_step = "second";
    scene.recover = true;
    g_assert_true(run(&spec));
    g_assert_null(strstr(scene.log->str, "fault("));
    g_assert_true(g_str_has_suffix(scene.log->str, "finish(compute_stop_instance,ok) reply(7)"));
    scene_end();
}

static void test_event_start_fails(void)
{
    scene_begin(true);
    scene.fail_event_start = true;
    g_assert_false(run(&spec));
    g_assert_cmpstr(scene.log->str, ==, "save(null,*) usage exception(InstanceActionNotFound) fail(InstanceActionNotFound)");
    scene_end();
}

static void test_finish_early(void)
{
    scene_begin(true);
    scene.finish_early = true;
    g_assert_true(run(&spec));
    g_assert_cmpstr(scene.log->str, ==,
                    "start(compute_stop_instance) notify(power_off.start) do(first) finish(compute_stop_instance,ok) reply(null)");
    scene_end();
}

static void test_migration_error(void)
{
    OperationSpec moving = spec;

    moving.flags = OPERATION_ACTION_EVENT | OPERATION_ERROR_OUT_MIGRATION | OPERATION_INSTANCE_FAULT;
    moving.event = "compute__another_name";
    moving.notify = NULL;
    moving.on_failure = NULL;
    scene_begin(false);
    scene.fail_step = "first";
    g_assert_false(run(&moving));
    g_assert_cmpstr(scene.log->str, ==,
                    "start(compute__another_name) do(first) undo(first) fault(InstancePowerOffFailure) migration-error "
                    "finish(compute__another_name,InstancePowerOffFailure) fail(InstancePowerOffFailure)");
    scene_end();
}

static AgentJournalEntry *accepted_entry(AgentJournalPhase phase, const char *at_step)
{
    AgentJournalEntry *entry = agent_journal_entry_new(UUID, "stop_instance", "req-1");

    entry->phase = phase;
    entry->step = g_strdup(at_step);
    g_assert_true(agent_journal_begin(scene.agent.journal, entry, NULL));
    return entry;
}

/* A request that is in the journal already goes on with that entry. */
static void test_adopted(void)
{
    g_autoptr(Operation) operation = NULL;

    scene_begin(true);
    operation = operation_new(&scene.agent, &spec, NULL, NULL, NULL, (NovaInstance *)&scene);
    operation_adopt(operation, accepted_entry(AGENT_JOURNAL_QUEUED, NULL), false);
    g_assert_true(operation_run(operation, NULL));
    g_assert_true(g_str_has_prefix(scene.log->str, "start(compute_stop_instance) notify(power_off.start) do(first)"));
    g_assert_cmpstr(scene.seen_in_journal, ==, "first:run second:run third:run ");
    g_clear_pointer(&operation, operation_free);
    scene_end();
}

/* What an earlier run was interrupted in has its action event. */
static void test_resumed(void)
{
    g_autoptr(Operation) operation = NULL;

    scene_begin(true);
    operation = operation_new(&scene.agent, &spec, NULL, NULL, NULL, (NovaInstance *)&scene);
    operation_adopt(operation, accepted_entry(AGENT_JOURNAL_RUN, "second"), true);
    g_assert_true(operation_run(operation, NULL));
    g_assert_true(g_str_has_prefix(scene.log->str, "notify(power_off.start) do(first)"));
    g_assert_true(g_str_has_suffix(scene.log->str, "finish(compute_stop_instance,ok) reply(7)"));
    g_clear_pointer(&operation, operation_free);
    scene_end();
}

/* An accepted request whose turn comes too late, or never, stays as it was. */
static void test_accepted_and_not_begun(void)
{
    for (int i = 0; i < 2; i++) {
        g_autoptr(Operation) operation = NULL;
        g_autoptr(GPtrArray) left = NULL;
        const AgentJournalEntry *entry;

        scene_begin(true);
        operation = operation_new(&scene.agent, &spec, NULL, NULL, NULL, (NovaInstance *)&scene);
        operation_adopt(operation, accepted_entry(AGENT_JOURNAL_QUEUED, NULL), false);
        if (i == 0) {
            g_atomic_int_set(&scene.agent.stopping, AGENT_PARKING);
            g_assert_false(operation_run(operation, NULL));
        }
        g_clear_pointer(&operation, operation_free);
        g_assert_null(strstr(scene.log->str, "start("));
        left = agent_journal_load(scene.agent.journal, NULL, NULL);
        g_assert_cmpuint(left->len, ==, 1);
        entry = left->pdata[0];
        g_assert_cmpint(entry->phase, ==, AGENT_JOURNAL_QUEUED);
        g_assert_true(agent_journal_end(scene.agent.journal, entry, NULL));
        scene_end();
    }
}

/* When the time to stop is over the next step does not begin, nothing is undone, and the journal keeps the place. */
static void test_parked(void)
{
    for (int i = 0; i < 2; i++) {
        g_autoptr(GPtrArray) left = NULL;

        scene_begin(true);
        scene.stop_in_step = i;
        g_assert_false(run(&spec));
        g_assert_null(strstr(scene.log->str, "undo"));
        g_assert_null(strstr(scene.log->str, "finish("));
        g_assert_null(strstr(scene.log->str, "fault("));
        left = agent_journal_load(scene.agent.journal, NULL, NULL);
        g_assert_cmpuint(left->len, ==, 1);
        g_assert_cmpstr(((AgentJournalEntry *)left->pdata[0])->step, ==, steps[i].name);
        g_assert_true(agent_journal_end(scene.agent.journal, left->pdata[0], NULL));
        scene_end();
    }
}

/* Freed without being run (the lane was dropped): the caller still gets its one answer. */
static void test_never_run(void)
{
    scene_begin(true);
    operation_free(operation_new(&scene.agent, &spec, NULL, NULL, NULL, (NovaInstance *)&scene));
    g_assert_cmpuint(scene.failures, ==, 1);
    scene_end();
}

static bool remember(Operation *operation, GError **error)
{
    NdJson *data = json_object_new_object();
    g_autoptr(GPtrArray) entries = NULL;

    nd_json_set_string(data, "port", "p1");
    if (!operation_remember(operation, data, error))
        return false;
    entries = agent_journal_load(scene.agent.journal, NULL, NULL);
    g_assert_cmpstr(nd_json_string(((AgentJournalEntry *)entries->pdata[0])->data, "port", NULL), ==, "p1");
    return true;
}

static void test_remember(void)
{
    static const OperationStep remember_steps[] = {{"remember", NULL, NULL, remember, NULL}};
    static const OperationSpec remember_spec = {.method = "x", .steps = remember_steps, .n_steps = 1};

    scene_begin(true);
    g_assert_true(run(&remember_spec));
    g_assert_cmpstr(scene.log->str, ==, "reply(null)");
    scene_end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/operation/success", test_success);
    g_test_add_func("/operation/failure-at-each-step", test_failure_at_each_step);
    g_test_add_func("/operation/preempted", test_preempted);
    g_test_add_func("/operation/no-fault-for-a-missing-instance", test_no_fault_for_a_missing_instance);
    g_test_add_func("/operation/recovered", test_recovered);
    g_test_add_func("/operation/event-start-fails", test_event_start_fails);
    g_test_add_func("/operation/finish-early", test_finish_early);
    g_test_add_func("/operation/migration-error", test_migration_error);
    g_test_add_func("/operation/adopted", test_adopted);
    g_test_add_func("/operation/resumed", test_resumed);
    g_test_add_func("/operation/accepted-and-not-begun", test_accepted_and_not_begun);
    g_test_add_func("/operation/parked", test_parked);
    g_test_add_func("/operation/never-run", test_never_run);
    g_test_add_func("/operation/remember", test_remember);
    return g_test_run();
}
