/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#define VIRT_CONNECTION_PRIVATE
#include "virt/connection.h"
#include "virt/connection_private.h"
#include "virt/error.h"

struct VirtWaiter {
    VirtConnection *connection;
    char *uuid;
    GCond arrived;  /* with connection->lock */
    GQueue pending; /* of VirtEvent * */
};

static const char *const lifecycle_names[] = {
    [VIRT_LIFECYCLE_STARTED] = "started",
    [VIRT_LIFECYCLE_STOPPED] = "stopped",
    [VIRT_LIFECYCLE_PAUSED] = "paused",
    [VIRT_LIFECYCLE_RESUMED] = "resumed",
    [VIRT_LIFECYCLE_SUSPENDED] = "suspended",
    [VIRT_LIFECYCLE_POSTCOPY_STARTED] = "post-copy started",
    [VIRT_LIFECYCLE_SUSPENDED_MIGRATED] = "suspended by migration",
    [VIRT_LIFECYCLE_DEFINED] = "defined",
    [VIRT_LIFECYCLE_UNDEFINED] = "undefined",
    [VIRT_LIFECYCLE_CRASHED] = "crashed",
};

const char *virt_lifecycle_name(VirtLifecycle lifecycle)
{
    return (size_t)lifecycle < G_N_ELEMENTS(lifecycle_names) ? lifecycle_names[lifecycle] : "unknown";
}

void virt_event_clear(VirtEvent *event)
{
    g_clear_pointer(&event->device, g_free);
}

static void event_free(VirtEvent *event)
{
    virt_event_clear(event);
    g_free(event);
}

/* Lock held. uuid NULL = for every waiter. */
static void deliver(VirtConnection *connection, const char *uuid, VirtEventKind kind, int code, int detail, const char *device)
{
    for (guint i = 0; i < connection->waiters->len; i++) {
        VirtWaiter *waiter = g_ptr_array_index(connection->waiters, i);
        if (uuid != NULL && strcmp(uuid, waiter->uuid) != 0)
            continue;
        VirtEvent *event = g_new(VirtEvent, 1);
        *event = (VirtEvent){.kind = kind, .code = code, .detail = detail, .device = g_strdup(device)};
        g_queue_push_tail(&waiter->pending, event);
        g_cond_broadcast(&waiter->arrived);
    }
}

void virt_events_connection_lost(VirtConnection *connection)
{
    deliver(connection, NULL, VIRT_EVENT_CONNECTION_LOST, 0, 0, NULL);
}

/* --- a STOPPED that may turn out to be one half of a reboot ------------------------------------------------------------------------ */

typedef struct {
    VirtLink *link;
    char *uuid;
    int detail;
} DelayedStop;

static void delayed_stop_free(gpointer data)
{
    DelayedStop *stop = data;
    virt_link_unref(stop->link);
    g_free(stop->uuid);
    g_free(stop);
}

static gboolean emit_delayed_stop(gpointer data)
{
    DelayedStop *stop = data;
    g_autoptr(GMutexLocker) link_locker = g_mutex_locker_new(&stop->link->lock);
    VirtConnection *connection = stop->link->connection;
    if (connection == NULL)
        return G_SOURCE_REMOVE;
    g_mutex_lock(&connection->lock);
    /* Only if it is still ours: a newer event may have come while the main loop was on its way here. */
    bool still = g_hash_table_lookup(connection->delayed, stop->uuid) == g_main_current_source();
    if (still)
        g_hash_table_remove(connection->delayed, stop->uuid);
    g_mutex_unlock(&connection->lock);
    if (still && connection->options.lifecycle != NULL)
        connection->options.lifecycle(stop->uuid, VIRT_LIFECYCLE_STOPPED, stop->detail, connection->options.user_data);
    return G_SOURCE_REMOVE;
}

/* Lock held. */
static void drop_delayed(VirtConnection *connection, const char *uuid)
{
    GSource *source = g_hash_table_lookup(connection->delayed, uuid);
    if (source == NULL)
        return;
    g_source_destroy(source);
    g_hash_table_remove(connection->delayed, uuid);
}

void virt_events_drop_delayed(VirtConnection *connection)
{
    GHashTableIter iter;
    gpointer source;
    g_hash_table_iter_init(&iter, connection->delayed);
    while (g_hash_table_iter_next(&iter, NULL, &source))
        g_source_destroy(source);
    g_hash_table_remove_all(connection->delayed);
}

/* Lock held. */
static void hold_back_stop(VirtConnection *connection, const char *uuid, int detail)
{
    DelayedStop *stop = g_new(DelayedStop, 1);
    *stop = (DelayedStop){.link = virt_link_ref(connection->link), .uuid = g_strdup(uuid), .detail = detail};
    GSource *source = g_timeout_source_new(connection->options.stop_event_delay_ms);
    g_source_set_callback(source, emit_delayed_stop, stop, delayed_stop_free);
    g_hash_table_insert(connection->delayed, g_strdup(uuid), source);
    g_source_attach(source, NULL);
}

/* --- libvirt's callbacks; in the main loop's thread ---------------------------------------------------------------------------------- */

/* What libvirt's life-cycle event means. `counts`: upstream passes it on, and it ends the holding back of an earlier STOPPED. */
static bool translate(int event, int detail, VirtLifecycle *lifecycle, bool *counts)
{
    static const struct {
        int event, detail; /* detail -1: any */
        VirtLifecycle lifecycle;
        bool counts;
    } table[] = {
        {VIR_DOMAIN_EVENT_STARTED, -1, VIRT_LIFECYCLE_STARTED, true},
        {VIR_DOMAIN_EVENT_STOPPED, -1, VIRT_LIFECYCLE_STOPPED, true},
        {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY, VIRT_LIFECYCLE_POSTCOPY_STARTED, true},
        {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED, VIRT_LIFECYCLE_SUSPENDED_MIGRATED, true},
        {VIR_DOMAIN_EVENT_SUSPENDED, -1, VIRT_LIFECYCLE_PAUSED, true},
        {VIR_DOMAIN_EVENT_RESUMED, -1, VIRT_LIFECYCLE_RESUMED, true},
        {VIR_DOMAIN_EVENT_PMSUSPENDED, -1, VIRT_LIFECYCLE_SUSPENDED, false},
        {VIR_DOMAIN_EVENT_DEFINED, -1, VIRT_LIFECYCLE_DEFINED, false},
        {VIR_DOMAIN_EVENT_UNDEFINED, -1, VIRT_LIFECYCLE_UNDEFINED, false},
        {VIR_DOMAIN_EVENT_CRASHED, -1, VIRT_LIFECYCLE_CRASHED, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].event != event || (table[i].detail != -1 && table[i].detail != detail))
            continue;
        *lifecycle = table[i].lifecycle;
        *counts = table[i].counts;
        return true;
    }
    return false;
}

static int on_lifecycle(virConnectPtr handle, virDomainPtr domain, int event, int detail, void *data)
{
    (void)handle;
    VirtLink *link = data;
    VirtLifecycle lifecycle;
    bool counts;
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (!translate(event, detail, &lifecycle, &counts) || virDomainGetUUIDString(domain, uuid) < 0)
        return 0;

    g_autoptr(GMutexLocker) link_locker = g_mutex_locker_new(&link->lock);
    VirtConnection *connection = link->connection;
    if (connection == NULL)
        return 0;
    bool hold = lifecycle == VIRT_LIFECYCLE_STOPPED && connection->options.stop_event_delay_ms > 0;
    g_mutex_lock(&connection->lock);
    deliver(connection, uuid, VIRT_EVENT_LIFECYCLE, (int)lifecycle, detail, NULL);
    if (counts)
        drop_delayed(connection, uuid);
    if (hold && connection->options.lifecycle != NULL)
        hold_back_stop(connection, uuid, detail);
    g_mutex_unlock(&connection->lock);
    if (!hold && connection->options.lifecycle != NULL)
        connection->options.lifecycle(uuid, lifecycle, detail, connection->options.user_data);
    return 0;
}

static void device_event(virDomainPtr domain, const char *device, VirtLink *link, VirtEventKind kind, int code, int detail)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (virDomainGetUUIDString(domain, uuid) < 0)
        return;
    g_autoptr(GMutexLocker) link_locker = g_mutex_locker_new(&link->lock);
    if (link->connection == NULL)
        return;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&link->connection->lock);
    deliver(link->connection, uuid, kind, code, detail, device);
}

static void on_device_removed(virConnectPtr handle, virDomainPtr domain, const char *alias, void *data)
{
    (void)handle;
    device_event(domain, alias, data, VIRT_EVENT_DEVICE_REMOVED, 0, 0);
}

static void on_device_removal_failed(virConnectPtr handle, virDomainPtr domain, const char *alias, void *data)
{
    (void)handle;
    device_event(domain, alias, data, VIRT_EVENT_DEVICE_REMOVAL_FAILED, 0, 0);
}

static void on_block_job(virConnectPtr handle, virDomainPtr domain, const char *target, int type, int status, void *data)
{
    (void)handle;
    device_event(domain, target, data, VIRT_EVENT_BLOCK_JOB, status, type);
}

static void on_close(virConnectPtr handle, int reason, void *data)
{
    static const char *const reasons[] = {
        [VIR_CONNECT_CLOSE_REASON_ERROR] = "connection to libvirt lost: I/O error",
        [VIR_CONNECT_CLOSE_REASON_EOF] = "connection to libvirt lost: closed by libvirtd",
        [VIR_CONNECT_CLOSE_REASON_KEEPALIVE] = "connection to libvirt lost: keepalive timed out",
        [VIR_CONNECT_CLOSE_REASON_CLIENT] = "connection to libvirt lost: closed here",
    };
    VirtLink *link = data;
    g_autoptr(GMutexLocker) link_locker = g_mutex_locker_new(&link->lock);
    if (link->connection == NULL)
        return;
    const char *text = (size_t)reason < G_N_ELEMENTS(reasons) ? reasons[reason] : "connection to libvirt lost";
    virt_connection_mark_broken(link->connection, handle, text);
}

void virt_events_register(VirtConnection *connection, virConnectPtr handle)
{
    static const struct {
        int id;
        virConnectDomainEventGenericCallback callback;
    } events[] = {
        {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removed)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removal_failed)},
        {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK(on_block_job)},
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(events) == G_N_ELEMENTS(connection->event_ids));
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        int id = virConnectDomainEventRegisterAny(
            handle, NULL, events[i].id, events[i].callback, virt_link_ref(connection->link), virt_link_unref);
        if (id < 0) /* libvirt took nothing over; a driver without this event still works, waits then end at their deadline */
            virt_link_unref(connection->link);
        connection->event_ids[i] = id;
    }
    /* No reference here: a driver without this callback says yes and never frees its data, and after unregistering none is running any more (libvirt holds
     * the callback's lock while it runs). */
    virConnectRegisterCloseCallback(handle, on_close, connection->link, NULL);
    virResetLastError();
}

void virt_events_deregister(VirtConnection *connection, virConnectPtr handle)
{
    for (size_t i = 0; i < G_N_ELEMENTS(connection->event_ids); i++)
        if (connection->event_ids[i] >= 0)
            virConnectDomainEventDeregisterAny(handle, connection->event_ids[i]);
    virConnectUnregisterCloseCallback(handle, on_close);
    virResetLastError();
}

/* --- waiters --------------------------------------------------------------------------------------------------------------------------- */

VirtWaiter *virt_waiter_new(VirtConnection *connection, const char *uuid)
{
    VirtWaiter *waiter = g_new0(VirtWaiter, 1);
    waiter->connection = virt_connection_ref(connection);
    waiter->uuid = g_ascii_strdown(uuid, -1);
    g_cond_init(&waiter->arrived);
    g_queue_init(&waiter->pending);
    g_mutex_lock(&connection->lock);
    g_ptr_array_add(connection->waiters, waiter);
    g_mutex_unlock(&connection->lock);
    return waiter;
}

void virt_waiter_free(VirtWaiter *waiter)
{
    if (waiter == NULL)
        return;
    g_mutex_lock(&waiter->connection->lock);
    g_ptr_array_remove_fast(waiter->connection->waiters, waiter);
    g_mutex_unlock(&waiter->connection->lock);
    g_queue_clear_full(&waiter->pending, (GDestroyNotify)event_free);
    g_cond_clear(&waiter->arrived);
    virt_connection_unref(waiter->connection);
    g_free(waiter->uuid);
    g_free(waiter);
}

static void wake_waiter(GCancellable *cancellable, gpointer data)
{
    (void)cancellable;
    VirtWaiter *waiter = data;
    g_mutex_lock(&waiter->connection->lock);
    g_cond_broadcast(&waiter->arrived);
    g_mutex_unlock(&waiter->connection->lock);
}

bool virt_waiter_next(VirtWaiter *waiter, gint64 deadline_us, GCancellable *cancellable, VirtEvent *event, GError **error)
{
    gulong handler = cancellable != NULL ? g_cancellable_connect(cancellable, G_CALLBACK(wake_waiter), waiter, NULL) : 0;
    bool in_time = true;
    g_mutex_lock(&waiter->connection->lock);
    while (g_queue_is_empty(&waiter->pending) && in_time && !g_cancellable_is_cancelled(cancellable))
        in_time = g_cond_wait_until(&waiter->arrived, &waiter->connection->lock, deadline_us);
    g_autofree VirtEvent *first = g_queue_pop_head(&waiter->pending);
    g_mutex_unlock(&waiter->connection->lock);
    g_cancellable_disconnect(cancellable, handler);

    if (first != NULL) {
        *event = *first;
        return true;
    }
    if (g_cancellable_is_cancelled(cancellable))
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_CANCELLED, "cancelled");
    else
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_TIMEOUT, "timed out waiting for an event");
    return false;
}
