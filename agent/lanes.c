/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/lanes.h"

#define IDLE_TIMEOUT_US (60 * G_USEC_PER_SEC) /* an idle worker thread ends after this */
#define THREADS_PER_WORKER 8                  /* long waits may make so many threads for each worker, not more */

typedef struct {
    char *key;
    GQueue jobs; /* Job *; the head is the running one while `running` */
    bool running;
} Lane;

typedef struct {
    AgentLaneFunc run;
    gpointer data;
    GDestroyNotify free_data;
    AgentLaneLimit *limit;
} Job;

struct AgentLaneLimit {
    guint max;
    guint in_use;
    GQueue waiting; /* Lane * whose head job waits for this limit */
};

/* `lock` guards every field below it; nothing is called with it held but GLib. */
struct AgentLanes {
    guint workers;
    guint quick_workers;
    GMutex lock;
    GCond work;       /* an ordinary worker may have something to do */
    GCond quick_work; /* a quick worker may */
    GCond ended;      /* a job or thread ended */
    GHashTable *lanes; /* key -> Lane, owned; a lane exists while it has jobs */
    GQueue ready;      /* Lane * whose head job may run; its limit is already counted */
    GQueue quick;      /* Job * */
    GPtrArray *limits;
    guint running, waiting, quick_running;
    guint threads, idle, quick_threads, quick_idle;
    bool stopping;
};

/* What wait_begin and _end need to know about the calling thread. */
typedef struct {
    AgentLanes *lanes;
    guint depth;
} Worker;

static GPrivate current_worker;

static void start_worker(AgentLanes *lanes);

static void job_free(Job *job)
{
    if (job->free_data != NULL)
        job->free_data(job->data);
    g_free(job);
}

static Job *job_new(AgentLaneLimit *limit, AgentLaneFunc run, gpointer data, GDestroyNotify free_data)
{
    Job *job = g_new0(Job, 1);

    job->run = run;
    job->data = data;
    job->free_data = free_data;
    job->limit = limit;
    return job;
}

static void lane_free(Lane *lane)
{
    g_free(lane->key);
    g_free(lane);
}

AgentLanes *agent_lanes_new(guint workers, guint quick_workers)
{
    AgentLanes *lanes = g_new0(AgentLanes, 1);

    lanes->workers = MAX(workers, 1);
    lanes->quick_workers = MAX(quick_workers, 1);
    g_mutex_init(&lanes->lock);
    g_cond_init(&lanes->work);
    g_cond_init(&lanes->quick_work);
    g_cond_init(&lanes->ended);
    lanes->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)lane_free);
    g_queue_init(&lanes->ready);
    g_queue_init(&lanes->quick);
    lanes->limits = g_ptr_array_new_with_free_func(g_free);
    return lanes;
}

void agent_lanes_free(AgentLanes *lanes)
{
    if (lanes == NULL)
        return;
    g_hash_table_unref(lanes->lanes);
    g_ptr_array_unref(lanes->limits);
    g_mutex_clear(&lanes->lock);
    g_cond_clear(&lanes->work);
    g_cond_clear(&lanes->quick_work);
    g_cond_clear(&lanes->ended);
    g_free(lanes);
}

AgentLaneLimit *agent_lanes_add_limit(AgentLanes *lanes, guint max)
{
    AgentLaneLimit *limit = g_new0(AgentLaneLimit, 1);

    limit->max = max;
    g_queue_init(&limit->waiting);
    g_mutex_lock(&lanes->lock);
    g_ptr_array_add(lanes->limits, limit);
    g_mutex_unlock(&lanes->lock);
    return limit;
}

/* One more lane is ready: wake an idle worker or start one. Lock held. */
static void kick(AgentLanes *lanes)
{
    if (g_queue_is_empty(&lanes->ready) || lanes->running >= lanes->workers)
        return;
    if (lanes->idle > 0)
        g_cond_signal(&lanes->work);
    else if (lanes->threads < lanes->workers * THREADS_PER_WORKER)
        start_worker(lanes);
}

/* The lane's head job may run, or waits for its limit. Lock held. */
static void lane_schedule(AgentLanes *lanes, Lane *lane)
{
    Job *job = g_queue_peek_head(&lane->jobs);

    if (job->limit != NULL && job->limit->max > 0) {
        if (job->limit->in_use >= job->limit->max) {
            g_queue_push_tail(&job->limit->waiting, lane);
            return;
        }
        job->limit->in_use++;
    }
    g_queue_push_tail(&lanes->ready, lane);
    kick(lanes);
}

/* A job that counted against `limit` has ended: the next lane waiting for it may go. Lock held. */
static void limit_release(AgentLanes *lanes, AgentLaneLimit *limit)
{
    Lane *next;

    if (limit == NULL || limit->max == 0)
        return;
    limit->in_use--;
    next = g_queue_pop_head(&limit->waiting);
    if (next != NULL)
        lane_schedule(lanes, next);
}

/* Runs the head job of a lane. Lock held at entry and exit, not in between. */
static void run_lane_job(AgentLanes *lanes, Lane *lane, Worker *worker)
{
    Job *job = g_queue_peek_head(&lane->jobs);
    AgentLaneLimit *limit = job->limit;

    lane->running = true;
    lanes->running++;
    g_mutex_unlock(&lanes->lock);
    job->run(job->data);
    while (worker->depth > 0) /* a job that forgot an _end must not be counted as waiting for ever */
        agent_lanes_wait_end(lanes);
    job_free(job);
    g_mutex_lock(&lanes->lock);

    lanes->running--;
    lane->running = false;
    g_queue_pop_head(&lane->jobs);
    limit_release(lanes, limit);
    if (g_queue_is_empty(&lane->jobs))
        g_hash_table_remove(lanes->lanes, lane->key);
    else
        lane_schedule(lanes, lane);
    g_cond_broadcast(&lanes->ended);
}

static gpointer worker_main(gpointer data)
{
    AgentLanes *lanes = data;
    Worker worker = {lanes, 0};

    g_private_set(&current_worker, &worker);
    g_mutex_lock(&lanes->lock);
    for (;;) {
        gint64 until = g_get_monotonic_time() + IDLE_TIMEOUT_US;
        bool timed_out = false;

        while (!lanes->stopping && !timed_out && (g_queue_is_empty(&lanes->ready) || lanes->running >= lanes->workers)) {
            lanes->idle++;
            timed_out = !g_cond_wait_until(&lanes->work, &lanes->lock, until);
            lanes->idle--;
        }
        if (g_queue_is_empty(&lanes->ready) || lanes->running >= lanes->workers)
            break; /* stopping or idle for long; nothing is lost, kick() starts threads when needed */
        run_lane_job(lanes, g_queue_pop_head(&lanes->ready), &worker);
    }
    lanes->threads--;
    kick(lanes);
    g_cond_broadcast(&lanes->ended);
    g_mutex_unlock(&lanes->lock);
    return NULL;
}

static gpointer quick_main(gpointer data)
{
    AgentLanes *lanes = data;

    g_mutex_lock(&lanes->lock);
    for (;;) {
        gint64 until = g_get_monotonic_time() + IDLE_TIMEOUT_US;
        bool timed_out = false;
        Job *job;

        while (!lanes->stopping && !timed_out && g_queue_is_empty(&lanes->quick)) {
            lanes->quick_idle++;
            timed_out = !g_cond_wait_until(&lanes->quick_work, &lanes->lock, until);
            lanes->quick_idle--;
        }
        job = g_queue_pop_head(&lanes->quick);
        if (job == NULL)
            break;
        lanes->quick_running++;
        g_mutex_unlock(&lanes->lock);
        job->run(job->data);
        job_free(job);
        g_mutex_lock(&lanes->lock);
        lanes->quick_running--;
        g_cond_broadcast(&lanes->ended);
    }
    lanes->quick_threads--;
    g_cond_broadcast(&lanes->ended);
    g_mutex_unlock(&lanes->lock);
    return NULL;
}

/* Lock held. */
static void start_worker(AgentLanes *lanes)
{
    lanes->threads++;
    g_thread_unref(g_thread_new("worker", worker_main, lanes));
}

bool agent_lanes_submit(AgentLanes *lanes, const char *key, AgentLaneLimit *limit, AgentLaneFunc run, gpointer data, GDestroyNotify free_data)
{
    Job *job = job_new(limit, run, data, free_data);
    Lane *lane;

    g_mutex_lock(&lanes->lock);
    if (lanes->stopping) {
        g_mutex_unlock(&lanes->lock);
        job_free(job);
        return false;
    }
    lane = g_hash_table_lookup(lanes->lanes, key);
    if (lane == NULL) {
        lane = g_new0(Lane, 1);
        lane->key = g_strdup(key);
        g_queue_init(&lane->jobs);
        g_hash_table_insert(lanes->lanes, lane->key, lane);
    }
    g_queue_push_tail(&lane->jobs, job);
    if (lane->jobs.length == 1)
        lane_schedule(lanes, lane);
    g_mutex_unlock(&lanes->lock);
    return true;
}

bool agent_lanes_submit_quick(AgentLanes *lanes, AgentLaneFunc run, gpointer data, GDestroyNotify free_data)
{
    Job *job = job_new(NULL, run, data, free_data);

    g_mutex_lock(&lanes->lock);
    if (lanes->stopping) {
        g_mutex_unlock(&lanes->lock);
        job_free(job);
        return false;
    }
    g_queue_push_tail(&lanes->quick, job);
    if (lanes->quick_idle >= lanes->quick.length) {
        g_cond_signal(&lanes->quick_work);
    } else if (lanes->quick_threads < lanes->quick_workers) {
        lanes->quick_threads++;
        g_thread_unref(g_thread_new("quick", quick_main, lanes));
    }
    g_mutex_unlock(&lanes->lock);
    return true;
}

void agent_lanes_wait_begin(AgentLanes *lanes)
{
    Worker *worker = g_private_get(&current_worker);

    if (worker == NULL || worker->lanes != lanes || worker->depth++ > 0)
        return;
    g_mutex_lock(&lanes->lock);
    lanes->running--;
    lanes->waiting++;
    kick(lanes);
    g_mutex_unlock(&lanes->lock);
}

void agent_lanes_wait_end(AgentLanes *lanes)
{
    Worker *worker = g_private_get(&current_worker);

    if (worker == NULL || worker->lanes != lanes || worker->depth == 0 || --worker->depth > 0)
        return;
    g_mutex_lock(&lanes->lock);
    lanes->waiting--;
    lanes->running++; /* may be over `workers` for a while; no new job starts until it is below again */
    g_mutex_unlock(&lanes->lock);
}

bool agent_lanes_busy(AgentLanes *lanes, const char *key)
{
    bool busy;

    g_mutex_lock(&lanes->lock);
    busy = g_hash_table_contains(lanes->lanes, key);
    g_mutex_unlock(&lanes->lock);
    return busy;
}

/* Jobs of all lanes that wait behind a head job or for their turn. Lock held. */
static guint count_queued(AgentLanes *lanes)
{
    GHashTableIter iter;
    gpointer value;
    guint queued = lanes->quick.length;

    g_hash_table_iter_init(&iter, lanes->lanes);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Lane *lane = value;

        queued += lane->jobs.length - (lane->running ? 1 : 0);
    }
    return queued;
}

void agent_lanes_stats(AgentLanes *lanes, AgentLanesStats *stats)
{
    g_mutex_lock(&lanes->lock);
    stats->queued = count_queued(lanes);
    stats->running = lanes->running + lanes->quick_running;
    stats->waiting = lanes->waiting;
    stats->threads = lanes->threads + lanes->quick_threads;
    g_mutex_unlock(&lanes->lock);
}

/* Takes every job that has not begun out of the queues. Lock held. */
static void take_queued(AgentLanes *lanes, GQueue *dropped)
{
    GHashTableIter iter;
    gpointer value;
    Job *job;

    while ((job = g_queue_pop_head(&lanes->quick)) != NULL)
        g_queue_push_tail(dropped, job);
    g_queue_clear(&lanes->ready);
    for (guint i = 0; i < lanes->limits->len; i++)
        g_queue_clear(&((AgentLaneLimit *)lanes->limits->pdata[i])->waiting);
    g_hash_table_iter_init(&iter, lanes->lanes);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Lane *lane = value;

        while (lane->jobs.length > (lane->running ? 1U : 0U))
            g_queue_push_tail(dropped, g_queue_pop_tail(&lane->jobs));
        if (!lane->running)
            g_hash_table_iter_remove(&iter);
    }
}

static bool is_idle(AgentLanes *lanes)
{
    return g_hash_table_size(lanes->lanes) == 0 && g_queue_is_empty(&lanes->quick) && lanes->quick_running == 0;
}

bool agent_lanes_drain(AgentLanes *lanes, gint64 timeout_us)
{
    gint64 until = g_get_monotonic_time() + timeout_us;
    bool idle;

    g_mutex_lock(&lanes->lock);
    while (!is_idle(lanes)) {
        if (timeout_us < 0)
            g_cond_wait(&lanes->ended, &lanes->lock);
        else if (!g_cond_wait_until(&lanes->ended, &lanes->lock, until))
            break;
    }
    idle = is_idle(lanes);
    g_mutex_unlock(&lanes->lock);
    return idle;
}

bool agent_lanes_stop(AgentLanes *lanes, gint64 timeout_us)
{
    gint64 until = g_get_monotonic_time() + timeout_us;
    GQueue dropped = G_QUEUE_INIT;
    bool ended;
    Job *job;

    g_mutex_lock(&lanes->lock);
    lanes->stopping = true;
    take_queued(lanes, &dropped);
    g_cond_broadcast(&lanes->work);
    g_cond_broadcast(&lanes->quick_work);
    g_mutex_unlock(&lanes->lock);
    while ((job = g_queue_pop_head(&dropped)) != NULL)
        job_free(job);

    g_mutex_lock(&lanes->lock);
    while (lanes->threads + lanes->quick_threads > 0)
        if (!g_cond_wait_until(&lanes->ended, &lanes->lock, until))
            break;
    ended = lanes->threads + lanes->quick_threads == 0;
    g_mutex_unlock(&lanes->lock);
    return ended;
}
