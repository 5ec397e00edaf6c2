/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/*
 * Only in builds for ThreadSanitizer: tells it about GLib's locks, queues and reference counts. GLib makes them from futexes and atomics inside a library
 * that is not instrumented, so that without this every use of a GMutex looks like a race. These functions stand before GLib's in the link and call
 * them. Nothing of this is in a normal build.
 */
#if defined(__SANITIZE_THREAD__)

#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

#pragma GCC diagnostic ignored "-Wpedantic" /* dlsym gives an object pointer */

#undef g_once_init_leave

/* The next definition of the function that this macro stands in, looked up once. */
#define REAL(name) \
    static __typeof__(name) *real; \
    if (__atomic_load_n(&real, __ATOMIC_ACQUIRE) == NULL) \
    __atomic_store_n(&real, (__typeof__(name) *)dlsym(RTLD_NEXT, #name), __ATOMIC_RELEASE)

#define LOCKS(name, type) \
    void name(type *lock) \
    { \
        REAL(name); \
        real(lock); \
        __tsan_acquire(lock); \
    }
#define UNLOCKS(name, type) \
    void name(type *lock) \
    { \
        REAL(name); \
        __tsan_release(lock); \
        real(lock); \
    }
#define TRIES(name, type) \
    gboolean name(type *lock) \
    { \
        REAL(name); \
        gboolean got = real(lock); \
        if (got) \
            __tsan_acquire(lock); \
        return got; \
    }

LOCKS(g_mutex_lock, GMutex)
UNLOCKS(g_mutex_unlock, GMutex)
TRIES(g_mutex_trylock, GMutex)
LOCKS(g_rec_mutex_lock, GRecMutex)
UNLOCKS(g_rec_mutex_unlock, GRecMutex)
TRIES(g_rec_mutex_trylock, GRecMutex)
LOCKS(g_rw_lock_reader_lock, GRWLock)
UNLOCKS(g_rw_lock_reader_unlock, GRWLock)
LOCKS(g_rw_lock_writer_lock, GRWLock)
UNLOCKS(g_rw_lock_writer_unlock, GRWLock)

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    REAL(g_cond_wait);
    __tsan_release(mutex);
    real(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    REAL(g_cond_wait_until);
    __tsan_release(mutex);
    gboolean woken = real(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return woken;
}

#define PUSHES(name) \
    void name(GAsyncQueue *queue, gpointer data) \
    { \
        REAL(name); \
        __tsan_release(queue); \
        real(queue, data); \
    }
#define POPS(name) \
    gpointer name(GAsyncQueue *queue) \
    { \
        REAL(name); \
        gpointer data = real(queue); \
        __tsan_acquire(queue); \
        return data; \
    }
PUSHES(g_async_queue_push)
PUSHES(g_async_queue_push_front)
POPS(g_async_queue_pop)
POPS(g_async_queue_try_pop)

gpointer g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout)
{
    REAL(g_async_queue_timeout_pop);
    gpointer data = real(queue, timeout);
    __tsan_acquire(queue);
    return data;
}

/* A last reference that goes sees what was done under the others. */
#define UNREFS(name, type) \
    void name(type *object) \
    { \
        REAL(name); \
        if (object != NULL) { \
            __tsan_release(object); \
            __tsan_acquire(object); \
        } \
        real(object); \
    }
UNREFS(g_bytes_unref, GBytes)
UNREFS(g_ptr_array_unref, GPtrArray)
UNREFS(g_hash_table_unref, GHashTable)

gboolean(g_atomic_ref_count_dec)(gatomicrefcount *count)
{
    REAL(g_atomic_ref_count_dec);
    __tsan_release(count);
    gboolean last = real(count);
    if (last)
        __tsan_acquire(count);
    return last;
}

void(g_once_init_leave)(volatile void *location, gsize result)
{
    REAL(g_once_init_leave);
    __tsan_release((void *)location);
    real(location, result);
}

/* --- thread pools: the item passes from the pusher to the worker --- */

typedef struct {
    GFunc func;
    gpointer user_data;
} PoolFunc;

static void run_item(gpointer data, gpointer user_data)
{
    PoolFunc *pool = user_data;
    __tsan_acquire(data);
    pool->func(data, pool->user_data);
}

GThreadPool *g_thread_pool_new(GFunc func, gpointer user_data, gint max_threads, gboolean exclusive, GError **error)
{
    REAL(g_thread_pool_new);
    PoolFunc *pool = g_new(PoolFunc, 1); /* lives as long as the process: pools are few */
    *pool = (PoolFunc){func, user_data};
    return real(run_item, pool, max_threads, exclusive, error);
}

gboolean g_thread_pool_push(GThreadPool *pool, gpointer data, GError **error)
{
    REAL(g_thread_pool_push);
    __tsan_release(data);
    return real(pool, data, error);
}

#else
/* A translation unit may not be empty. */
typedef int nd_tsan_unused;
#endif
