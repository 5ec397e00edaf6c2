/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/connection.h"

/* Shared by connection.c and events.c only. */
#ifndef VIRT_CONNECTION_PRIVATE
#error "virt/connection_private.h is for connection.c and events.c"
#endif

/* What libvirt's callbacks and our main-loop sources hold instead of the connection: they may outlive it. Lock order: VirtLink.lock, then
 * VirtConnection.lock. */
typedef struct {
    gint references;
    GMutex lock;                /* held while a callback runs, so that the connection cannot go away under it */
    VirtConnection *connection; /* NULL once the connection is being freed */
} VirtLink;

struct VirtConnection {
    gint references;
    VirtConnectionOptions options;
    VirtLink *link;
    GThread *keeper;
    int event_ids[4]; /* libvirt's numbers of our callbacks on the one handle there is; the keeper's alone */

    GMutex lock; /* covers all below */
    GCond changed;
    virConnectPtr handle; /* NULL while there is no connection */
    virConnectPtr broken; /* lost; to be closed by the keeper */
    char *reason;         /* why there is none */
    bool stopping;
    bool retry_now;
    unsigned attempts; /* finished ones, to see whether one ran since we asked */
    unsigned calls;
    int reported; /* what the connected callback was told last: -1 nothing, 0 down, 1 up */
    GPtrArray *waiters;
    GHashTable *delayed; /* uuid -> GSource of a held back STOPPED */
};

VirtLink *virt_link_ref(VirtLink *link);
void virt_link_unref(gpointer link);
/* Registers for the events of a fresh handle, with the link as user data. */
void virt_events_register(VirtConnection *connection, virConnectPtr handle);
void virt_events_deregister(VirtConnection *connection, virConnectPtr handle);
/* Tells every waiter that the connection was lost; lock held. */
void virt_events_connection_lost(VirtConnection *connection);
/* Drops held back events; lock held. */
void virt_events_drop_delayed(VirtConnection *connection);
/* The handle does not work any more: the keeper shall make another. */
void virt_connection_mark_broken(VirtConnection *connection, virConnectPtr handle, const char *reason);
