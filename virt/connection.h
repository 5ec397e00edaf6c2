/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/*
 * One connection to libvirtd that stays: it is opened in the background, kept alive, re-made with a growing pause after it broke, and hands
 * libvirt's events on. Thread safe: any worker may call any function below.
 *
 * Events are driven by the GLib default main context (libvirt's own default event implementation sits on it since 6.1), so the process
 * must run g_main_loop_run() on the default context in one thread; callbacks run in that thread and must not block nor call libvirt.
 *
 * Locks: VirtConnection.lock covers its fields; it is never held during a libvirt call, nor while a callback runs.
 */
typedef struct VirtConnection VirtConnection;

/* Life-cycle changes as upstream names them (nova.virt.event EVENT_LIFECYCLE_*). */
typedef enum {
    VIRT_LIFECYCLE_STARTED,
    VIRT_LIFECYCLE_STOPPED,
    VIRT_LIFECYCLE_PAUSED,
    VIRT_LIFECYCLE_RESUMED,
    VIRT_LIFECYCLE_SUSPENDED, /* guest put itself to sleep (pm-suspend) */
    VIRT_LIFECYCLE_POSTCOPY_STARTED,
    VIRT_LIFECYCLE_SUSPENDED_MIGRATED, /* paused as the last act of an outgoing migration, failed or not: ask the job (upstream host.py) */
    VIRT_LIFECYCLE_DEFINED,
    VIRT_LIFECYCLE_UNDEFINED,
    VIRT_LIFECYCLE_CRASHED,
} VirtLifecycle;

const char *virt_lifecycle_name(VirtLifecycle lifecycle);

/* A change of one domain; `detail` is libvirt's number (virDomainEventStoppedDetailType ...). A STOPPED is held back for
 * stop_event_delay_ms and dropped if anything newer of that domain comes meanwhile, as upstream does so that a reboot is not taken for a stop
 * (upstream host.py _event_emit_delayed, 15 s). */
typedef void (*VirtLifecycleFunc)(const char *uuid, VirtLifecycle lifecycle, int detail, gpointer user_data);
/* The connection came up (connected true, reason NULL) or was lost / could not be made (reason: text). Called once per change. */
typedef void (*VirtConnectedFunc)(bool connected, const char *reason, gpointer user_data);

typedef struct {
    char *uri;                 /* "qemu:///system" */
    bool read_only;
    int keepalive_interval_s;  /* 5, as libvirt's tools; 0 = none */
    unsigned keepalive_count;  /* 6 */
    unsigned max_calls;        /* calls to libvirt at one time; 0 = 20 (libvirtd's default max_client_requests is 5 a client + queue) */
    unsigned stop_event_delay_ms; /* 15000 */
    unsigned reconnect_min_ms; /* first pause, 1000; doubled with jitter ... */
    unsigned reconnect_max_ms; /* ... up to this, 30000 */
    VirtLifecycleFunc lifecycle;
    VirtConnectedFunc connected;
    gpointer user_data;
} VirtConnectionOptions;

/* Fills in the defaults above; uri: connection_uri if not empty, else by virt_type: kvm, qemu -> "qemu:///system" (upstream driver.py _uri). The
 * uri is a new string to be freed by virt_connection_options_clear(). */
void virt_connection_options_init(VirtConnectionOptions *options, const char *connection_uri, const char *virt_type);
void virt_connection_options_clear(VirtConnectionOptions *options);

/* Registers libvirt's event implementation and silences its default error printer; once a process, before the first connection (later calls do
 * nothing). Errors: LIBVIRT_ERROR. */
bool virt_event_loop_register(GError **error);

/* A connection object with its keeper thread; does not wait for the first connect. Copies the options. */
VirtConnection *virt_connection_new(const VirtConnectionOptions *options);
VirtConnection *virt_connection_ref(VirtConnection *connection);
/* The last unref stops the keeper thread, closes, and frees. Not from a callback. */
void virt_connection_unref(VirtConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtConnection, virt_connection_unref)

/* Waits up to timeout_ms for a working connection; asks the keeper to try at once. Errors: VIRT_ERROR_NOT_CONNECTED with the reason. */
bool virt_connection_wait(VirtConnection *connection, int timeout_ms, GError **error);
bool virt_connection_is_connected(VirtConnection *connection);
const char *virt_connection_uri(VirtConnection *connection);

/*
 * Borrows libvirt's handle for one call (or a few): a new reference of it, counted against max_calls (waits for a free place). Give it back
 * with virt_connection_release(). If the connection is down it is tried at once and waited for up to 5 s. Errors: VIRT_ERROR_NOT_CONNECTED.
 */
virConnectPtr virt_connection_acquire(VirtConnection *connection, GError **error);
void virt_connection_release(VirtConnection *connection, virConnectPtr handle);

/* Waiting for events. A waiter collects the events of one domain from the time it is made. */
typedef enum {
    VIRT_EVENT_LIFECYCLE,            /* code = VirtLifecycle; not delayed */
    VIRT_EVENT_DEVICE_REMOVED,       /* device = alias */
    VIRT_EVENT_DEVICE_REMOVAL_FAILED,
    VIRT_EVENT_BLOCK_JOB,            /* device = target name ("vda"), code = virConnectDomainEventBlockJobStatus, detail = virDomainBlockJobType */
    VIRT_EVENT_CONNECTION_LOST,      /* for every waiter: look again yourself */
} VirtEventKind;

typedef struct {
    VirtEventKind kind;
    int code;
    int detail;
    char *device;
} VirtEvent;

typedef struct VirtWaiter VirtWaiter;
VirtWaiter *virt_waiter_new(VirtConnection *connection, const char *uuid);
void virt_waiter_free(VirtWaiter *waiter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtWaiter, virt_waiter_free)
/* The next event, waiting until the monotonic time deadline_us. *event is cleared by virt_event_clear(). Errors: VIRT_ERROR_TIMEOUT,
 * VIRT_ERROR_CANCELLED (cancellable may be NULL). */
bool virt_waiter_next(VirtWaiter *waiter, gint64 deadline_us, GCancellable *cancellable, VirtEvent *event, GError **error);
void virt_event_clear(VirtEvent *event);
