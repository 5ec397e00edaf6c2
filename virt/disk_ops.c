/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/disk_ops.h"

#include "virt/error.h"

static GMutex lock;
static GCond changed;
static unsigned limit; /* 0: none */
static unsigned running;

void virt_disk_ops_set_limit(unsigned new_limit)
{
    g_mutex_lock(&lock);
    limit = new_limit;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

/* With the lock, so that a waiter cannot miss it between its look at the cancellable and its wait. */
static void on_cancelled(GCancellable *cancellable, gpointer data)
{
    (void)cancellable;
    (void)data;
    g_mutex_lock(&lock);
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

bool virt_disk_ops_begin(GCancellable *cancellable, GError **error)
{
    gulong handler = cancellable != NULL ? g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), NULL, NULL) : 0;
    g_mutex_lock(&lock);
    while (limit > 0 && running >= limit && !g_cancellable_is_cancelled(cancellable))
        g_cond_wait(&changed, &lock);
    bool begun = !g_cancellable_is_cancelled(cancellable);
    if (begun)
        running++;
    g_mutex_unlock(&lock);
    g_cancellable_disconnect(cancellable, handler); /* not under the lock: it waits for a callback that runs */
    if (!begun)
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_CANCELLED, "cancelled before the disk operation had its turn");
    return begun;
}

void virt_disk_ops_end(void)
{
    g_mutex_lock(&lock);
    running--;
    g_cond_signal(&changed);
    g_mutex_unlock(&lock);
}
