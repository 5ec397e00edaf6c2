/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/connection.h"

#include "base/ids.h"
#include "rpc/error.h"
#include "rpc/transport_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct RpcConnection {
    RpcTransport *transport; /* outlives the thread */
    const RpcConnectionOps *ops;
    gpointer data;
    GThread *thread;
    int wake_fd; /* eventfd */
    gsize max_body;
    /* own thread only */
    guint host_index;
    guint failures; /* connection attempts that failed in a row */
    bool lost_in_use;
    /* shared */
    GMutex lock;
    bool stop;
    RpcConnectionStatus status;
};

static bool stopping(RpcConnection *connection)
{
    g_mutex_lock(&connection->lock);
    bool stop = connection->stop;
    g_mutex_unlock(&connection->lock);
    return stop;
}

void rpc_connection_wake(RpcConnection *connection)
{
    guint64 one = 1;
    /* EAGAIN means the counter is full: the thread is woken anyway. */
    while (write(connection->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void rpc_connection_tell(RpcConnection *connection, RpcEvent event, const char *text, const GError *error)
{
    RpcTransport *transport = connection->transport;
    if (transport->event_func != NULL)
        transport->event_func(event, connection->status.name, text, error, transport->event_data);
}

void rpc_connection_count(RpcConnection *connection, guint in, guint out)
{
    g_mutex_lock(&connection->lock);
    connection->status.messages_in += in;
    connection->status.messages_out += out;
    g_mutex_unlock(&connection->lock);
}

void rpc_connection_set_queued(RpcConnection *connection, gsize queued)
{
    g_mutex_lock(&connection->lock);
    connection->status.queued = queued;
    g_mutex_unlock(&connection->lock);
}

static void set_connected(RpcConnection *connection, bool connected, const char *host)
{
    g_mutex_lock(&connection->lock);
    connection->status.connected = connected;
    connection->status.blocked = false;
    if (host != NULL) {
        g_free(connection->status.host);
        connection->status.host = g_strdup(host);
    }
    g_mutex_unlock(&connection->lock);
}

static void set_blocked(RpcConnection *connection, bool blocked, const char *reason)
{
    g_mutex_lock(&connection->lock);
    connection->status.blocked = blocked;
    g_mutex_unlock(&connection->lock);
    rpc_connection_tell(connection, blocked ? RPC_EVENT_BLOCKED : RPC_EVENT_UNBLOCKED, reason, NULL);
}

RpcConnectionStatus *rpc_connection_status(RpcConnection *connection)
{
    RpcConnectionStatus *copy = g_new(RpcConnectionStatus, 1);
    g_mutex_lock(&connection->lock);
    *copy = connection->status;
    copy->name = g_strdup(connection->status.name);
    copy->host = g_strdup(connection->status.host);
    g_mutex_unlock(&connection->lock);
    return copy;
}

bool rpc_connection_is_blocked(RpcConnection *connection)
{
    g_mutex_lock(&connection->lock);
    bool blocked = connection->status.blocked;
    g_mutex_unlock(&connection->lock);
    return blocked;
}

bool rpc_connection_is_connected(RpcConnection *connection)
{
    g_mutex_lock(&connection->lock);
    bool connected = connection->status.connected;
    g_mutex_unlock(&connection->lock);
    return connected;
}

void rpc_connection_set_max_body(RpcConnection *connection, gsize max_body)
{
    connection->max_body = max_body;
}

/* Milliseconds until a monotonic time, rounded up; -1 for none. */
static int poll_timeout(gint64 deadline)
{
    if (deadline < 0)
        return -1;
    gint64 left = deadline - g_get_monotonic_time();
    return left <= 0 ? 0 : (int)MIN((left + 999) / 1000, G_MAXINT);
}

/* Sleeps until woken, readable (fd may be -1), or the deadline. */
static void wait_for_work(RpcConnection *connection, int fd, gint64 deadline)
{
    struct pollfd fds[] = {{.fd = connection->wake_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    poll(fds, 2, poll_timeout(deadline));
    guint64 count;
    if ((fds[0].revents & POLLIN) && read(connection->wake_fd, &count, sizeof count) < 0) {
        /* Somebody else cannot have read it; nothing to do. */
    }
}

/* How long to wait before the next attempt, microseconds (spec/rpc-wire.md section 6), spread so that a cloud's agents do not come back in step. */
static gint64 backoff_delay(RpcConnection *connection)
{
    const RpcOptions *options = &connection->transport->options;
    guint hosts = connection->transport->url->hosts->len;
    double seconds = 0;
    if (connection->lost_in_use)
        seconds = options->kombu_reconnect_delay * g_random_double_range(0.5, 1.5) + options->kombu_reconnect_splay * g_random_double();
    else if (connection->failures > 0 && connection->failures % hosts == 0) {
        guint round = connection->failures / hosts;
        seconds = MIN(options->rabbit_retry_interval + options->rabbit_retry_backoff * (round - 1), options->rabbit_interval_max);
        seconds *= g_random_double_range(0.5, 1.5);
    }
    connection->lost_in_use = false;
    return (gint64)(seconds * G_USEC_PER_SEC);
}

/* Waits while not connected; queued work that has a deadline is still seen to. */
static void back_off(RpcConnection *connection)
{
    gint64 until = g_get_monotonic_time() + backoff_delay(connection);
    while (!stopping(connection)) {
        connection->ops->run(connection, NULL, connection->data, NULL);
        if (g_get_monotonic_time() >= until)
            return;
        wait_for_work(connection, -1, rpc_earlier(until, connection->ops->deadline(connection->data)));
    }
}

static void next_host(RpcConnection *connection)
{
    guint hosts = connection->transport->url->hosts->len;
    bool shuffle = g_strcmp0(connection->transport->options.kombu_failover_strategy, "shuffle") == 0;
    connection->host_index = shuffle ? (guint)g_random_int_range(0, (gint32)hosts) : (connection->host_index + 1) % hosts;
}

/* One attempt on the current host. */
static RpcLink *connect_once(RpcConnection *connection)
{
    RpcTransport *transport = connection->transport;
    const RpcHost *host = g_ptr_array_index(transport->url->hosts, connection->host_index);
    g_autofree char *address = g_strdup_printf("%s:%d", host->host, host->port);
    g_autofree char *uuid = nd_uuid_new();
    g_autofree char *name = g_strdup_printf("%s:%d:%s", g_get_prgname() ? g_get_prgname() : "novad", getpid(), uuid);
    g_autoptr(GError) error = NULL;
    g_autoptr(RpcLink) link = rpc_link_open(host, transport->url->vhost, &transport->options, name, &error);
    if (link != NULL)
        set_connected(connection, false, address);
    if (link == NULL || !connection->ops->setup(connection, link, connection->data, &error)) {
        connection->failures++;
        next_host(connection);
        rpc_connection_tell(connection, RPC_EVENT_CONNECT_FAILED, address, error);
        return NULL;
    }
    connection->failures = 0;
    set_connected(connection, true, NULL);
    rpc_connection_tell(connection, RPC_EVENT_CONNECTED, address, NULL);
    return g_steal_pointer(&link);
}

static bool handle_event(RpcConnection *connection, RpcLink *link, RpcLinkEvent *event, GError **error)
{
    switch (event->kind) {
    case RPC_LINK_DELIVERY:
    case RPC_LINK_CONFIRM:
        return connection->ops->event(connection, link, event, connection->data, error);
    case RPC_LINK_BLOCKED:
    case RPC_LINK_UNBLOCKED:
        set_blocked(connection, event->kind == RPC_LINK_BLOCKED, event->text);
        return true;
    case RPC_LINK_CANCEL:
        g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "the broker cancelled consumer '%s'", event->text);
        return false;
    case RPC_LINK_LOST:
        g_propagate_error(error, g_steal_pointer(&event->error));
        return false;
    default:
        return true;
    }
}

/* Reads what is there, a bounded number of frames, so that queued work and the stop flag get their turn. *more: something may be left. */
static bool drain(RpcConnection *connection, RpcLink *link, bool *more, GError **error)
{
    enum { FRAMES_A_TURN = 256 };
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        RpcLinkEvent event;
        if (rpc_link_read(link, connection->max_body, &event) == RPC_LINK_NONE) {
            *more = false;
            return true;
        }
        bool good = handle_event(connection, link, &event, error);
        rpc_delivery_free(event.delivery);
        g_free(event.text);
        g_clear_error(&event.error);
        if (!good)
            return false;
    }
    *more = true;
    return true;
}

/* Serves a live link until it is lost or the connection is stopped. False: lost. */
static bool serve(RpcConnection *connection, RpcLink *link, GError **error)
{
    int heartbeat = rpc_link_heartbeat(link), rate = MAX(connection->transport->options.heartbeat_rate, 1);
    gint64 check_every = heartbeat > 0 ? (gint64)heartbeat * G_USEC_PER_SEC / rate / 2 : -1;
    while (!stopping(connection)) {
        bool more = false;
        if (!connection->ops->run(connection, link, connection->data, error) || !drain(connection, link, &more, error))
            return false;
        if (more)
            continue;
        /* Reading may have made work (a return to send again): ask for the deadline only now. */
        gint64 deadline = connection->ops->deadline(connection->data);
        if (check_every >= 0)
            deadline = rpc_earlier(deadline, g_get_monotonic_time() + check_every);
        wait_for_work(connection, rpc_link_fd(link), deadline);
    }
    return true;
}

static gpointer connection_thread(gpointer data)
{
    RpcConnection *connection = data;
    while (!stopping(connection)) {
        g_autoptr(RpcLink) link = connect_once(connection);
        if (link == NULL) {
            back_off(connection);
            continue;
        }
        g_autoptr(GError) error = NULL;
        bool alive = serve(connection, link, &error);
        set_connected(connection, false, NULL);
        if (alive && connection->ops->closing != NULL)
            connection->ops->closing(link, connection->data);
        g_clear_pointer(&link, rpc_link_close);
        if (connection->ops->lost != NULL)
            connection->ops->lost(connection->data, error);
        if (alive)
            break;
        g_mutex_lock(&connection->lock);
        connection->status.reconnects++;
        g_autofree char *address = g_strdup(connection->status.host);
        g_mutex_unlock(&connection->lock);
        rpc_connection_tell(connection, RPC_EVENT_DISCONNECTED, address, error);
        connection->lost_in_use = true;
        next_host(connection);
        back_off(connection);
    }
    return NULL;
}

RpcConnection *rpc_connection_new(RpcTransport *transport, const char *name, const RpcConnectionOps *ops, gpointer data)
{
    RpcConnection *connection = g_new0(RpcConnection, 1);
    connection->transport = transport;
    connection->ops = ops;
    connection->data = data;
    connection->max_body = transport->options.max_body;
    connection->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (connection->wake_fd < 0)
        g_error("no eventfd can be made: %s", g_strerror(errno));
    connection->status.name = g_strdup(name);
    g_mutex_init(&connection->lock);
    return connection;
}

void rpc_connection_launch(RpcConnection *connection)
{
    g_autofree char *name = g_strdup_printf("rpc-%.11s", connection->status.name);
    connection->thread = g_thread_new(name, connection_thread, connection);
}

void rpc_connection_stop(RpcConnection *connection)
{
    g_mutex_lock(&connection->lock);
    connection->stop = true;
    g_mutex_unlock(&connection->lock);
    rpc_connection_wake(connection);
    if (connection->thread != NULL)
        g_thread_join(g_steal_pointer(&connection->thread));
}

void rpc_connection_free(RpcConnection *connection)
{
    if (connection == NULL)
        return;
    rpc_connection_stop(connection);
    close(connection->wake_fd);
    g_free(connection->status.name);
    g_free(connection->status.host);
    g_mutex_clear(&connection->lock);
    g_free(connection);
}
