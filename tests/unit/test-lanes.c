/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/lanes.h"

#include <string.h>

/* What the jobs of a test do to each other. */
typedef struct {
    GMutex lock;
    GCond changed;
    GString *order; /* one character a finished job */
    guint active;
    guint most_active;
    guint freed;
    bool gate_open;
} Scene;

typedef struct {
    Scene *scene;
    AgentLanes *lanes;
    char mark;
    bool gated;    /* runs until the gate opens */
    bool waits;    /* and calls that a long wait */
} Job;

static void scene_init(Scene *scene)
{
    memset(scene, 0, sizeof *scene);
    g_mutex_init(&scene->lock);
    g_cond_init(&scene->changed);
    scene->order = g_string_new(NULL);
}

static void scene_clear(Scene *scene)
{
    g_mutex_clear(&scene->lock);
    g_cond_clear(&scene->changed);
    g_string_free(scene->order, TRUE);
}

static void run(gpointer data)
{
    Job *job = data;
    Scene *scene = job->scene;

    g_mutex_lock(&scene->lock);
    scene->active++;
    scene->most_active = MAX(scene->most_active, scene->active);
    g_cond_broadcast(&scene->changed);
    if (job->waits) {
        g_mutex_unlock(&scene->lock);
        agent_lanes_wait_begin(job->lanes);
        g_mutex_lock(&scene->lock);
    }
    while (job->gated && !scene->gate_open)
        g_cond_wait(&scene->changed, &scene->lock);
    if (job->waits) {
        g_mutex_unlock(&scene->lock);
        agent_lanes_wait_end(job->lanes);
        g_mutex_lock(&scene->lock);
    }
    scene->active--;
    g_string_append_c(scene->order, job->mark);
    g_cond_broadcast(&scene->changed);
    g_mutex_unlock(&scene->lock);
}

static void free_job(gpointer data)
{
    Job *job = data;
    Scene *scene = job->scene;

    g_mutex_lock(&scene->lock);
    scene->freed++;
    g_cond_broadcast(&scene->changed);
    g_mutex_unlock(&scene->lock);
    g_free(job);
}

static Job *job_new(Scene *scene, AgentLanes *lanes, char mark, bool gated, bool waits)
{
    Job *job = g_new0(Job, 1);

    *job = (Job){scene, lanes, mark, gated, waits};
    return job;
}

static void submit(Scene *scene, AgentLanes *lanes, const char *key, AgentLaneLimit *limit, char mark, bool gated, bool waits)
{
    g_assert_true(agent_lanes_submit(lanes, key, limit, run, job_new(scene, lanes, mark, gated, waits), free_job));
}

/* Waits until `*value` is at least `least`; the test's own time limit is the harness'. */
static void await(Scene *scene, const guint *value, guint least)
{
    gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    g_mutex_lock(&scene->lock);
    while (*value < least)
        g_assert_true(g_cond_wait_until(&scene->changed, &scene->lock, until));
    g_mutex_unlock(&scene->lock);
}

static void open_gate(Scene *scene)
{
    g_mutex_lock(&scene->lock);
    scene->gate_open = true;
    g_cond_broadcast(&scene->changed);
    g_mutex_unlock(&scene->lock);
}

static void test_order_in_lane(void)
{
    AgentLanes *lanes = agent_lanes_new(4, 1);
    Scene scene;

    scene_init(&scene);
    submit(&scene, lanes, "a", NULL, '0', true, false);
    for (char mark = '1'; mark <= '9'; mark++)
        submit(&scene, lanes, "a", NULL, mark, false, false);
    await(&scene, &scene.active, 1);
    g_assert_true(agent_lanes_busy(lanes, "a"));
    g_assert_false(agent_lanes_busy(lanes, "b"));
    open_gate(&scene);
    await(&scene, &scene.freed, 10);
    g_assert_cmpstr(scene.order->str, ==, "0123456789");
    g_assert_cmpuint(scene.most_active, ==, 1);
    g_assert_true(agent_lanes_stop(lanes, 10 * G_USEC_PER_SEC));
    agent_lanes_free(lanes);
    scene_clear(&scene);
}

static void test_parallel_and_bounded(void)
{
    AgentLanes *lanes = agent_lanes_new(3, 1);
    AgentLanesStats stats;
    Scene scene;

    scene_init(&scene);
    for (char key = 'a'; key < 'a' + 8; key++) {
        char text[2] = {key, '\0'};

        submit(&scene, lanes, text, NULL, key, true, false);
    }
    await(&scene, &scene.active, 3);
    agent_lanes_stats(lanes, &stats);
    g_assert_cmpuint(stats.running, ==, 3);
    g_assert_cmpuint(stats.queued, ==, 5);
    open_gate(&scene);
    await(&scene, &scene.freed, 8);
    g_assert_cmpuint(scene.most_active, ==, 3);
    g_assert_true(agent_lanes_stop(lanes, 10 * G_USEC_PER_SEC));
    agent_lanes_free(lanes);
    scene_clear(&scene);
}

/* All ordinary workers hang; quick jobs are answered all the same. */
static void test_quick_beside_busy(void)
{
    AgentLanes *lanes = agent_lanes_new(1, 2);
    Scene scene;

    scene_init(&scene);
    submit(&scene, lanes, "a", NULL, 'a', true, false);
    submit(&scene, lanes, "b", NULL, 'b', true, false);
    await(&scene, &scene.active, 1);
    g_assert_true(agent_lanes_submit_quick(lanes, run, job_new(&scene, lanes, 'q', false, false), free_job));
    await(&scene, &scene.freed, 1);
    g_assert_cmpstr(scene.order->str, ==, "q");
    open_gate(&scene);
    await(&scene, &scene.freed, 3);
    g_assert_true(agent_lanes_stop(lanes, 10 * G_USEC_PER_SEC));
    agent_lanes_free(lanes);
    scene_clear(&scene);
}

/* A job in a long wait gives its place to another. */
static void test_long_wait_frees_worker(void)
{
    AgentLanes *lanes = agent_lanes_new(1, 1);
    AgentLanesStats stats;
    Scene scene;

    scene_init(&scene);
    submit(&scene, lanes, "a", NULL, 'a', true, true);
    submit(&scene, lanes, "b", NULL, 'b', false, false);
    await(&scene, &scene.freed, 1);
    g_assert_cmpstr(scene.order->str, ==, "b");
    agent_lanes_stats(lanes, &stats);
    g_assert_cmpuint(stats.waiting, ==, 1);
    open_gate(&scene);
    await(&scene, &scene.freed, 2);
    g_assert_true(agent_lanes_stop(lanes, 10 * G_USEC_PER_SEC));
    agent_lanes_free(lanes);
    scene_clear(&scene);
}

/* Jobs over a limit hold no worker: others pass them. */
static void test_limit(void)
{
    AgentLanes *lanes = agent_lanes_new(3, 1);
    AgentLaneLimit *limit = agent_lanes_add_limit(lanes, 1);
    Scene scene;

    scene_init(&scene);
    submit(&scene, lanes, "a", limit, 'a', true, false);
    submit(&scene, lanes, "b", limit, 'b', false, false);
    submit(&scene, lanes, "c", limit, 'c', false, false);
    submit(&scene, lanes, "c", NULL, 'd', false, false);
    submit(&scene, lanes, "e", NULL, 'e', false, false);
    await(&scene, &scene.freed, 1);
    g_assert_cmpstr(scene.order->str, ==, "e");
    open_gate(&scene);
    await(&scene, &scene.freed, 5);
    g_assert_true(g_str_has_prefix(scene.order->str, "ea"));
    g_assert_true(strchr(scene.order->str, 'c') < strchr(scene.order->str, 'd'));
    g_assert_true(agent_lanes_stop(lanes, 10 * G_USEC_PER_SEC));
    agent_lanes_free(lanes);
    scene_clear(&scene);
}

static void test_stop_drops_queued(void)
{
    AgentLanes *lanes = agent_lanes_new(1, 1);
    AgentLaneLimit *limit = agent_lanes_add_limit(lanes, 1);
    Scene scene;

    scene_init(&scene);
    submit(&scene, lanes, "a", limit, 'a', true, false);
    await(&scene, &scene.active, 1);
    submit(&scene, lanes, "a", NULL, 'b', false, false);
    submit(&scene, lanes, "c", limit, 'c', false, false);
    submit(&scene, lanes, "d", NULL, 'd', false, false);
    g_assert_false(agent_lanes_stop(lanes, 0));
    g_assert_cmpuint(scene.freed, ==, 3);
    g_assert_false(agent_lanes_submit(lanes, "e", NULL, run, job_new(&scene, lanes, 'e', false, false), free_job));
    g_assert_cmpuint(scene.freed, ==, 4);
    open_gate(&scene);
    g_assert_true(agent_lanes_stop(lanes, 10 * G_USEC_PER_SEC));
    g_assert_cmpstr(scene.order->str, ==, "a");
    g_assert_cmpuint(scene.freed, ==, 5);
    agent_lanes_free(lanes);
    scene_clear(&scene);
}

/* Many short jobs of many lanes: each lane in order, nothing lost. */
static void test_many(void)
{
    AgentLanes *lanes = agent_lanes_new(8, 2);
    AgentLaneLimit *limit = agent_lanes_add_limit(lanes, 2);
    Scene scene;

    scene_init(&scene);
    for (int round = 0; round < 50; round++)
        for (char key = 'a'; key <= 'z'; key++) {
            char text[2] = {key, '\0'};

            submit(&scene, lanes, text, round % 3 == 0 ? limit : NULL, key, false, round % 7 == 0);
        }
    await(&scene, &scene.freed, 50 * 26);
    g_assert_cmpuint(scene.order->len, ==, 50 * 26);
    g_assert_true(agent_lanes_stop(lanes, 10 * G_USEC_PER_SEC));
    agent_lanes_free(lanes);
    scene_clear(&scene);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lanes/order-in-lane", test_order_in_lane);
    g_test_add_func("/lanes/parallel-and-bounded", test_parallel_and_bounded);
    g_test_add_func("/lanes/quick-beside-busy", test_quick_beside_busy);
    g_test_add_func("/lanes/long-wait-frees-worker", test_long_wait_frees_worker);
    g_test_add_func("/lanes/limit", test_limit);
    g_test_add_func("/lanes/stop-drops-queued", test_stop_drops_queued);
    g_test_add_func("/lanes/many", test_many);
    return g_test_run();
}
