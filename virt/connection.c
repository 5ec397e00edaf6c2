/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#define VIRT_CONNECTION_PRIVATE
#include "virt/connection.h"
#include "virt/connection_private.h"
#include "virt/error.h"

#define ACQUIRE_WAIT_MS 5000

static void ignore_error(void *data, virErrorPtr error)
{
    (void)data;
    (void)error;
}

bool virt_event_loop_register(GError **error)
{
    static GMutex once;
    static bool done;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&once);
    if (done)
        return true;
    if (virInitialize() < 0)
        return virt_error_set_libvirt(error, "initialise libvirt");
    virSetErrorFunc(NULL, ignore_error);
    if (virEventRegisterDefaultImpl() < 0)
        return virt_error_set_libvirt(error, "register libvirt's event loop");
    done = true;
    return true;
}

void virt_connection_options_init(VirtConnectionOptions *options, const char *connection_uri, const char *virt_type)
{
    static const struct {
        const char *type, *uri;
    } uris[] = {{"kvm", "qemu:///system"}, {"qemu", "qemu:///system"}, {"lxc", "lxc:///"}, {"parallels", "parallels:///system"}};
    const char *uri = "qemu:///system";
    for (size_t i = 0; i < G_N_ELEMENTS(uris); i++)
        if (g_strcmp0(virt_type, uris[i].type) == 0)
            uri = uris[i].uri;
    *options = (VirtConnectionOptions){
        .uri = g_strdup(connection_uri != NULL && *connection_uri != '\0' ? connection_uri : uri),
        .keepalive_interval_s = 5,
        .keepalive_count = 6,
        .max_calls = 20,
        .stop_event_delay_ms = 15000,
        .reconnect_min_ms = 1000,
        .reconnect_max_ms = 30000,
    };
}

void virt_connection_options_clear(VirtConnectionOptions *options)
{
    g_clear_pointer(&options->uri, g_free);
}

VirtLink *virt_link_ref(VirtLink *link)
{
    g_atomic_int_inc(&link->references);
    return link;
}

void virt_link_unref(gpointer data)
{
    VirtLink *link = data;
    if (!g_atomic_int_dec_and_test(&link->references))
        return;
    g_mutex_clear(&link->lock);
    g_free(link);
}

/* In the main loop: reports the state there is now, if it is another than was reported last. */
static gboolean report_state(gpointer data)
{
    VirtLink *link = data;
    g_autoptr(GMutexLocker) link_locker = g_mutex_locker_new(&link->lock);
    VirtConnection *connection = link->connection;
    if (connection == NULL)
        return G_SOURCE_REMOVE;
    g_mutex_lock(&connection->lock);
    int state = connection->handle != NULL;
    bool changed = state != connection->reported;
    connection->reported = state;
    g_autofree char *reason = state ? NULL : g_strdup(connection->reason);
    g_mutex_unlock(&connection->lock);
    if (changed && connection->options.connected != NULL)
        connection->options.connected(state, reason, connection->options.user_data);
    return G_SOURCE_REMOVE;
}

static void queue_report(VirtConnection *connection)
{
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, report_state, virt_link_ref(connection->link), virt_link_unref);
    g_source_attach(source, NULL);
}

void virt_connection_mark_broken(VirtConnection *connection, virConnectPtr handle, const char *reason)
{
    g_mutex_lock(&connection->lock);
    bool ours = connection->handle != NULL && connection->handle == handle;
    if (ours) {
        connection->broken = g_steal_pointer(&connection->handle);
        g_free(connection->reason);
        connection->reason = g_strdup(reason);
        virt_events_connection_lost(connection);
        g_cond_broadcast(&connection->changed);
    }
    g_mutex_unlock(&connection->lock);
    if (ours)
        queue_report(connection);
}

/* libvirt's client reads auth.conf by itself; what it still asks for a person would have to type. */
static int refuse_credentials(virConnectCredentialPtr credentials, unsigned count, void *data)
{
    (void)credentials;
    (void)data;
    return count == 0 ? 0 : -1;
}

static virConnectPtr open_handle(VirtConnection *connection, char **reason)
{
    int types[] = {VIR_CRED_AUTHNAME, VIR_CRED_ECHOPROMPT, VIR_CRED_REALM, VIR_CRED_PASSPHRASE, VIR_CRED_NOECHOPROMPT, VIR_CRED_EXTERNAL};
    virConnectAuth auth = {.credtype = types, .ncredtype = G_N_ELEMENTS(types), .cb = refuse_credentials};
    const VirtConnectionOptions *options = &connection->options;
    virConnectPtr handle = virConnectOpenAuth(options->uri, &auth, options->read_only ? VIR_CONNECT_RO : 0);
    if (handle == NULL) {
        g_autoptr(GError) error = NULL;
        virt_error_set_libvirt(&error, "connect to %s", options->uri);
        *reason = g_strdup(error->message);
        return NULL;
    }
    virt_events_register(connection, handle);
    if (options->keepalive_interval_s > 0)
        virConnectSetKeepAlive(handle, options->keepalive_interval_s, options->keepalive_count);
    return handle;
}

static void close_handle(VirtConnection *connection, virConnectPtr handle)
{
    virt_events_deregister(connection, handle);
    virConnectClose(handle);
}

/* One attempt; lock held, given up meanwhile. */
static bool try_connect(VirtConnection *connection)
{
    connection->retry_now = false;
    g_mutex_unlock(&connection->lock);
    g_autofree char *reason = NULL;
    virConnectPtr handle = open_handle(connection, &reason);
    g_mutex_lock(&connection->lock);
    connection->attempts++;
    connection->handle = handle;
    if (handle == NULL) {
        g_free(connection->reason);
        connection->reason = g_steal_pointer(&reason);
    }
    g_cond_broadcast(&connection->changed);
    queue_report(connection);
    return handle != NULL;
}

/* Half the pause plus a random half: computes of one rack do not come back in step. */
static gint64 jittered_us(unsigned pause_ms)
{
    return (gint64)pause_ms * 500 + g_random_int_range(0, (gint32)MAX(pause_ms, 1)) * (gint64)500;
}

static gpointer keeper_main(gpointer data)
{
    VirtConnection *connection = data;
    unsigned pause_ms = connection->options.reconnect_min_ms;
    g_mutex_lock(&connection->lock);
    while (!connection->stopping) {
        if (connection->broken != NULL) {
            virConnectPtr broken = g_steal_pointer(&connection->broken);
            g_mutex_unlock(&connection->lock);
            close_handle(connection, broken);
            g_mutex_lock(&connection->lock);
            continue;
        }
        if (connection->handle != NULL) {
            pause_ms = connection->options.reconnect_min_ms;
            g_cond_wait(&connection->changed, &connection->lock);
            continue;
        }
        if (try_connect(connection))
            continue;
        gint64 until = g_get_monotonic_time() + jittered_us(pause_ms);
        pause_ms = MIN(pause_ms * 2, connection->options.reconnect_max_ms);
        while (!connection->stopping && !connection->retry_now)
            if (!g_cond_wait_until(&connection->changed, &connection->lock, until))
                break;
    }
    g_mutex_unlock(&connection->lock);
    return NULL;
}

VirtConnection *virt_connection_new(const VirtConnectionOptions *options)
{
    VirtConnection *connection = g_new0(VirtConnection, 1);
    connection->references = 1;
    connection->options = *options;
    connection->options.uri = g_strdup(options->uri);
    if (connection->options.max_calls == 0)
        connection->options.max_calls = 20;
    connection->reported = -1;
    connection->reason = g_strdup("not connected yet");
    connection->waiters = g_ptr_array_new();
    connection->delayed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_source_unref);
    g_mutex_init(&connection->lock);
    g_cond_init(&connection->changed);
    connection->link = g_new0(VirtLink, 1);
    connection->link->references = 1;
    connection->link->connection = connection;
    g_mutex_init(&connection->link->lock);
    connection->keeper = g_thread_new("virt-keeper", keeper_main, connection);
    return connection;
}

VirtConnection *virt_connection_ref(VirtConnection *connection)
{
    g_atomic_int_inc(&connection->references);
    return connection;
}

void virt_connection_unref(VirtConnection *connection)
{
    if (connection == NULL || !g_atomic_int_dec_and_test(&connection->references))
        return;
    g_mutex_lock(&connection->lock);
    connection->stopping = true;
    g_cond_broadcast(&connection->changed);
    g_mutex_unlock(&connection->lock);
    g_thread_join(connection->keeper);

    g_mutex_lock(&connection->link->lock);
    connection->link->connection = NULL;
    g_mutex_unlock(&connection->link->lock);

    if (connection->broken != NULL)
        close_handle(connection, connection->broken);
    if (connection->handle != NULL)
        close_handle(connection, connection->handle);
    virt_events_drop_delayed(connection);
    g_hash_table_unref(connection->delayed);
    g_ptr_array_unref(connection->waiters);
    virt_link_unref(connection->link);
    virt_connection_options_clear(&connection->options);
    g_free(connection->reason);
    g_mutex_clear(&connection->lock);
    g_cond_clear(&connection->changed);
    g_free(connection);
}

/* Lock held. Asks for an attempt now and waits for its end. */
static bool wait_connected(VirtConnection *connection, gint64 deadline, GError **error)
{
    unsigned before = connection->attempts;
    bool asked = false;
    while (connection->handle == NULL) {
        if (!asked) {
            connection->retry_now = true;
            g_cond_broadcast(&connection->changed);
            asked = true;
        }
        bool in_time = g_cond_wait_until(&connection->changed, &connection->lock, deadline);
        if (connection->handle == NULL && (!in_time || connection->attempts > before + 1)) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_NOT_CONNECTED, "no connection to libvirt: %s", connection->reason);
            return false;
        }
    }
    return true;
}

bool virt_connection_wait(VirtConnection *connection, int timeout_ms, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&connection->lock);
    while (connection->handle == NULL) {
        g_autoptr(GError) local = NULL;
        if (wait_connected(connection, deadline, &local))
            break;
        if (g_get_monotonic_time() >= deadline) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    return true;
}

bool virt_connection_is_connected(VirtConnection *connection)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&connection->lock);
    return connection->handle != NULL;
}

const char *virt_connection_uri(VirtConnection *connection)
{
    return connection->options.uri;
}

virConnectPtr virt_connection_acquire(VirtConnection *connection, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + ACQUIRE_WAIT_MS * (gint64)1000;
    for (;;) {
        g_mutex_lock(&connection->lock);
        while (connection->calls >= connection->options.max_calls)
            g_cond_wait(&connection->changed, &connection->lock);
        if (!wait_connected(connection, deadline, error)) {
            g_mutex_unlock(&connection->lock);
            return NULL;
        }
        virConnectPtr handle = connection->handle;
        virConnectRef(handle); /* counts only; makes no call */
        connection->calls++;
        g_mutex_unlock(&connection->lock);
        if (virConnectIsAlive(handle) != 0)
            return handle;
        virt_connection_mark_broken(connection, handle, "connection is not alive");
        virt_connection_release(connection, handle);
    }
}

void virt_connection_release(VirtConnection *connection, virConnectPtr handle)
{
    virConnectClose(handle);
    g_mutex_lock(&connection->lock);
    connection->calls--;
    g_cond_broadcast(&connection->changed);
    g_mutex_unlock(&connection->lock);
}
