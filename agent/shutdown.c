/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/startup.h"

#include "agent/external_events.h"
#include "agent/host_setup.h"
#include "agent/journal.h"
#include "agent/lanes.h"
#include "agent/periodic.h"
#include "agent/service.h"
#include "agent/snapshot.h"
#include "agent/systemd.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "rest/glance.h"
#include "rest/neutron.h"
#include "rest/placement.h"
#include "rest/vendor_data.h"
#include "virt/connection.h"

#define LOGGER "nova.service"
#define PARK_TIME_US (5 * G_USEC_PER_SEC) /* the end of the budget, for operations to park themselves and the bus to be flushed */
#define FLUSH_TIME_S 2.0

/* What runs may finish; 0 means without end, as in oslo.service. */
static bool drain(Agent *agent)
{
    gint64 budget_us = nd_config_int(agent->config, "DEFAULT", "graceful_shutdown_timeout") * G_USEC_PER_SEC;
    AgentLanesStats stats;

    agent_lanes_stats(agent->lanes, &stats);
    if (stats.running + stats.waiting + stats.queued > 0)
        nd_info(LOGGER, "Stopping: %u operations run, %u wait", stats.running + stats.waiting, stats.queued);
    if (agent_lanes_drain(agent->lanes, budget_us <= 0 ? -1 : MAX(budget_us - PARK_TIME_US, 0)))
        return true;
    agent_lanes_stats(agent->lanes, &stats);
    nd_warning(LOGGER, "%u operations are still running, %u have not begun; they are parked until the next start", stats.running + stats.waiting,
               stats.queued);
    return false;
}

bool agent_stop(Agent *agent)
{
    bool ended;

    agent_notify_stopping();
    g_atomic_int_set(&agent->stopping, AGENT_DRAINING);
    agent_periodic_stop(agent->periodic);
    if (agent->server != NULL)
        rpc_server_stop(agent->server, NULL);
    drain(agent);
    g_atomic_int_set(&agent->stopping, AGENT_PARKING);
    agent_events_cancel(agent->events, NULL);
    snapshot_break_off(NULL);
    ended = agent_lanes_stop(agent->lanes, PARK_TIME_US);
    agent_service_stop(agent->service);
    if (!rpc_transport_flush(agent->transport, FLUSH_TIME_S))
        nd_warning(LOGGER, "Some messages could not be sent before the end");
    rpc_transport_stop(agent->transport);
    if (agent->notify_transport != NULL && agent->notify_transport != agent->transport)
        rpc_transport_stop(agent->notify_transport);
    return ended;
}

void agent_free(Agent *agent)
{
    if (agent == NULL)
        return;
    g_clear_pointer(&agent->server, rpc_server_unref);
    g_clear_pointer(&agent->virt, virt_connection_unref);
    g_clear_pointer(&agent->tracker, tracker_free);
    agent_host_clear(agent);
    g_clear_pointer(&agent->periodic, agent_periodic_free);
    g_clear_pointer(&agent->service, agent_service_free);
    g_clear_pointer(&agent->lanes, agent_lanes_free);
    g_clear_pointer(&agent->undo_later, g_ptr_array_unref);
    g_clear_pointer(&agent->journal, agent_journal_free);
    g_clear_pointer(&agent->events, agent_events_free);
    g_clear_pointer(&agent->placement, placement_client_unref);
    g_clear_pointer(&agent->neutron, neutron_client_unref);
    g_clear_pointer(&agent->vendor_data, vendor_data_client_free);
    g_clear_pointer(&agent->glance, glance_client_unref);
    g_clear_pointer(&agent->service_user, keystone_auth_unref);
    g_clear_pointer(&agent->notifier, rpc_notifier_unref);
    g_clear_pointer(&agent->conductor, conductor_unref);
    g_clear_pointer(&agent->client, rpc_client_unref);
    g_clear_pointer(&agent->notify_transport, rpc_transport_unref);
    g_clear_pointer(&agent->transport, rpc_transport_unref);
    nd_config_free(agent->config);
    g_free(agent->node);
    g_free(agent->host);
    g_free(agent);
}
