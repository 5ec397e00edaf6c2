/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/error.h"
#include "base/conf.h"
#include "rpc/client.h"
#include "rpc/conductor.h"
#include "rpc/notifier.h"
#include "rpc/server.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The process' context. Built by agent/startup.c in the order of spec/conductor-rpc.md section 6, then constant except where noted; every
 * member is safe for use from any thread. Types of virt/, rest/ and agent/ are only named here; include the header of what you use.
 */
typedef struct Agent Agent;

typedef struct AgentEvents AgentEvents;       /* agent/external_events.h */
typedef struct AgentJournal AgentJournal;     /* agent/journal.h */
typedef struct AgentLanes AgentLanes;         /* agent/lanes.h */
typedef struct AgentLaneLimit AgentLaneLimit; /* agent/lanes.h */
typedef struct AgentPeriodic AgentPeriodic;   /* agent/periodic.h */
typedef struct AgentService AgentService;     /* agent/service.h */
typedef struct Tracker Tracker;               /* agent/tracker.h */
typedef struct GlanceClient GlanceClient;     /* rest/glance.h */
typedef struct KeystoneAuth KeystoneAuth;     /* rest/keystone.h */
typedef struct NeutronClient NeutronClient;   /* rest/neutron.h */
typedef struct Operation Operation;                   /* agent/operation.h */
typedef struct OperationBackend OperationBackend;
typedef struct PlacementClient PlacementClient; /* rest/placement.h */
typedef struct RestSession RestSession;         /* rest/session.h */
typedef struct VendorDataClient VendorDataClient; /* rest/vendor_data.h */
typedef struct VirtConnection VirtConnection;   /* virt/connection.h */
typedef struct GuestHost GuestHost;             /* agent/guest_config.h */
typedef struct VirtImageCache VirtImageCache;   /* virt/image_cache.h */

typedef enum {
    AGENT_RUNNING,
    AGENT_DRAINING, /* SIGTERM was taken: no new work, what runs may finish within graceful_shutdown_timeout */
    AGENT_PARKING,  /* the time is over: operations end at their next step and stay in the journal, waits are broken off */
} AgentStopping;

struct Agent {
    NdConfig *config;
    char *host; /* [DEFAULT]host */
    char *node; /* hypervisor_hostname: what libvirt calls this machine */
    NdRelease release;      /* of the control plane; atomic, may rise while we run */
    _Atomic gint64 service_version; /* that we registered with; 0 before. Read by libvirt's connection events at any time */

    RpcTransport *transport;
    RpcTransport *notify_transport; /* may be the same */
    RpcClient *client;
    Conductor *conductor;
    RpcServer *server;
    RpcNotifier *notifier;

    PlacementClient *placement;
    GlanceClient *glance;
    NeutronClient *neutron;
    VendorDataClient *vendor_data; /* NULL: [api]vendordata_providers has no services */
    KeystoneAuth *service_user; /* [service_user]send_service_user_token; NULL = off */

    VirtConnection *virt;
    Tracker *tracker;
    GuestHost *guest_host;       /* what all guests of this host share; see agent_guest_host() in agent/host_setup.h */
    VirtImageCache *image_cache; /* <instances_path>/_base */

    AgentLanes *lanes;
    AgentLaneLimit *builds, *snapshots, *live_migrations;
    AgentJournal *journal;
    GPtrArray *undo_later; /* AgentJournalEntry: interrupted operations that could not be undone yet; of the start, then of one periodic task */
    AgentPeriodic *periodic;
    AgentService *service;
    AgentEvents *events;
    const OperationBackend *operation_backend;

    gint stopping; /* AgentStopping, atomic */
};

static inline AgentStopping agent_stopping(Agent *agent)
{
    return (AgentStopping)g_atomic_int_get(&agent->stopping);
}
