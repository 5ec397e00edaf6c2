/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/lifecycle.h"

#include "agent/host_setup.h"
#include "agent/lanes.h"
#include "agent/power_sync.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "objects/objects.h"
#include "virt/domain.h"

#include <string.h>

#define LOGGER "nova.virt.libvirt.driver"
#define EVENT_LOGGER "nova.compute.manager"
#define CONNECTION_LANE "libvirt-connection"
#define AUTO_PREFIX "AUTO: " /* upstream's mark of reasons that nova-compute may clear again itself */

/* Power state that an event means (upstream handle_lifecycle_event); those not listed say nothing about it. */
static const struct {
    VirtLifecycle lifecycle;
    VirtPowerState power_state;
} meanings[] = {
    {VIRT_LIFECYCLE_STOPPED, VIRT_POWER_SHUTDOWN},
    {VIRT_LIFECYCLE_STARTED, VIRT_POWER_RUNNING},
    {VIRT_LIFECYCLE_PAUSED, VIRT_POWER_PAUSED},
    {VIRT_LIFECYCLE_POSTCOPY_STARTED, VIRT_POWER_PAUSED},
    {VIRT_LIFECYCLE_SUSPENDED_MIGRATED, VIRT_POWER_PAUSED},
    {VIRT_LIFECYCLE_RESUMED, VIRT_POWER_RUNNING},
    {VIRT_LIFECYCLE_SUSPENDED, VIRT_POWER_SUSPENDED},
    {VIRT_LIFECYCLE_CRASHED, VIRT_POWER_CRASHED},
};

void agent_lifecycle_event(const char *uuid, VirtLifecycle lifecycle, int detail G_GNUC_UNUSED, gpointer user_data)
{
    Agent *agent = user_data;

    if (!nd_config_bool(agent->config, "workarounds", "handle_virt_lifecycle_events"))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (meanings[i].lifecycle == lifecycle) {
            nd_log_set_instance(uuid);
            nd_info(EVENT_LOGGER, "VM %s (Lifecycle Event)", virt_lifecycle_name(lifecycle));
            nd_log_set_instance(NULL);
            power_sync_after_event(agent, uuid, meanings[i].power_state);
            return;
        }
}

typedef struct {
    Agent *agent;
    char *reason; /* NULL: connected */
} ConnectionJob;

static void connection_job_free(gpointer data)
{
    ConnectionJob *job = data;

    g_free(job->reason);
    g_free(job);
}

/* Only a record that we disabled ourselves is enabled again. */
static bool set_disabled(Agent *agent, const RpcContext *context, const char *reason, GError **error)
{
    g_autoptr(NovaService) service = conductor_service_get_by_compute_host(agent->conductor, context, agent->host, error);
    g_autofree char *text = NULL;

    if (service == NULL)
        return false;
    if (service->disabled == (reason != NULL))
        return true;
    if (reason == NULL && service->disabled_reason != NULL && !g_str_has_prefix(service->disabled_reason, AUTO_PREFIX))
        return true;
    text = reason != NULL ? g_strconcat(AUTO_PREFIX, reason, NULL) : NULL;
    nova_service_set_disabled(service, reason != NULL);
    nova_service_set_disabled_reason(service, text);
    return conductor_service_save(agent->conductor, context, service, error) &&
           (agent->tracker == NULL || tracker_set_host_enabled(agent->tracker, context, reason == NULL, error));
}

static void connection_job_run(gpointer data)
{
    const ConnectionJob *job = data;
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GError) error = NULL;

    nd_log_set_request(context->request_id, NULL, context->identity);
    if (job->reason == NULL)
        agent_host_reread(job->agent);
    if (!set_disabled(job->agent, context, job->reason, &error))
        nd_warning(LOGGER, "Cannot update service status on host \"%s\" due to: %s", job->agent->host, error->message);
    nd_log_set_request(NULL, NULL, NULL);
}

void agent_lifecycle_connected(bool connected, const char *reason, gpointer user_data)
{
    Agent *agent = user_data;
    ConnectionJob *job;

    if (connected)
        nd_info(LOGGER, "Connection event '1' reason 'None'");
    else
        nd_err(LOGGER, "Connection to libvirt lost: %s", reason);
    if (agent->service_version == 0)
        return; /* there is no service record of ours yet; the start waits for libvirt itself */
    job = g_new0(ConnectionJob, 1);
    job->agent = agent;
    job->reason = connected ? NULL : g_strdup_printf("Connection to libvirt lost: %s", reason);
    agent_lanes_submit(agent->lanes, CONNECTION_LANE, NULL, connection_job_run, job, connection_job_free);
}
