/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/service.h"

#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.servicegroup.drivers.db"
#define SERVICE_LOGGER "nova.service"
#define BINARY "nova-compute"
#define TOPIC "compute"

/* spec/versions.md section 1: what a native nova-compute of each release reports; those not listed report what the one before does. */
static const struct {
    NdRelease release;
    gint64 reports;
} versions[] = {
    {ND_RELEASE_ZED, 64},    {ND_RELEASE_2023_1, 66}, {ND_RELEASE_2024_1, 67},
    {ND_RELEASE_2025_1, 68}, {ND_RELEASE_2025_2, 70}, {ND_RELEASE_2026_1, 72},
};

/* `lock` guards record, running and failing; it is not held during a call. The record itself is used by one thread at a time: startup until
 * agent_service_start, then the heartbeat's. */
struct AgentService {
    Agent *agent;
    NovaService *record;
    GThread *thread;
    GMutex lock;
    GCond wake;
    bool running;
    gint64 wanted_version; /* to be saved with the next beat; 0 = none */
    gint64 id;
};

gint64 agent_service_version_of(NdRelease release)
{
    gint64 version = versions[0].reports;

    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++)
        if (versions[i].release <= release)
            version = versions[i].reports;
    return version;
}

bool agent_service_release_of(gint64 version, NdRelease *release, bool *newer)
{
    *newer = version > versions[G_N_ELEMENTS(versions) - 1].reports;
    *release = ND_RELEASE_ZED;
    return version == 0 || conductor_release_of_version(version, release);
}

AgentService *agent_service_new(Agent *agent)
{
    AgentService *service = g_new0(AgentService, 1);

    service->agent = agent;
    g_mutex_init(&service->lock);
    g_cond_init(&service->wake);
    return service;
}

void agent_service_free(AgentService *service)
{
    if (service == NULL)
        return;
    nova_object_unref(service->record);
    g_mutex_clear(&service->lock);
    g_cond_clear(&service->wake);
    g_free(service);
}

gint64 agent_service_id(AgentService *service)
{
    return service->id;
}

bool agent_service_lookup(AgentService *service, RpcContext *context, bool *exists, gint64 *version, GError **error)
{
    g_autoptr(NovaService) record = NULL;

    if (!conductor_service_get(service->agent->conductor, context, service->agent->host, BINARY, &record, error))
        return false;
    *exists = record != NULL;
    *version = record != NULL ? record->version : 0;
    return true;
}

/* Not below the cell's minimum (the conductor would refuse us) and not above what we implement (spec/versions.md section 7.2). */
static bool choose_version(AgentService *service, RpcContext *context, gint64 *version, GError **error)
{
    Agent *agent = service->agent;
    gint64 newest = versions[G_N_ELEMENTS(versions) - 1].reports;
    gint64 minimum;

    if (!conductor_service_minimum_version(agent->conductor, context, BINARY, &minimum, error))
        return false;
    *version = MAX(agent_service_version_of(agent->release), minimum);
    if (*version <= newest)
        return true;
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_START,
                "the oldest nova-compute of this cell has service version %" G_GINT64_FORMAT ", newer than the %" G_GINT64_FORMAT
                " that novad can be",
                minimum, newest);
    return false;
}

static NovaService *new_record(Agent *agent, gint64 version)
{
    NovaService *record = nova_service_new();

    nova_service_set_host(record, agent->host);
    nova_service_set_binary(record, BINARY);
    nova_service_set_topic(record, TOPIC);
    nova_service_set_report_count(record, 0);
    nova_service_set_version(record, version);
    if (!nd_config_bool(agent->config, "DEFAULT", "enable_new_services")) {
        nova_service_set_disabled(record, true);
        nova_service_set_disabled_reason(record, "New compute service disabled due to config option.");
    }
    return record;
}

bool agent_service_register(AgentService *service, RpcContext *context, bool *created, GError **error)
{
    Agent *agent = service->agent;
    g_autoptr(NovaService) record = NULL;
    gint64 version;

    *created = false;
    if (!choose_version(service, context, &version, error) ||
        !conductor_service_get(agent->conductor, context, agent->host, BINARY, &record, error))
        return false;
    if (record == NULL) {
        record = new_record(agent, version);
        if (!conductor_service_create(agent->conductor, context, record, error)) {
            g_prefix_error(error, "make the service record: ");
            return false;
        }
        *created = true;
    } else if (record->version != version) {
        nova_service_set_version(record, version);
        if (!conductor_service_save(agent->conductor, context, record, error)) {
            g_prefix_error(error, "save the service version: ");
            return false;
        }
    }
    agent->service_version = version;
    service->id = record->id;
    nova_object_reset_changes(record);
    service->record = g_steal_pointer(&record);
    return true;
}

/* One heartbeat. The database takes the time when report_count grows. */
static void beat(AgentService *service, bool *failing)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GError) error = NULL;
    NovaService *record = service->record;
    gint64 version;

    g_mutex_lock(&service->lock);
    version = service->wanted_version;
    service->wanted_version = 0;
    g_mutex_unlock(&service->lock);
    if (version != 0)
        nova_service_set_version(record, version);
    nova_service_set_report_count(record, record->report_count + 1);
    if (conductor_service_save(service->agent->conductor, context, record, &error)) {
        if (*failing)
            nd_info(LOGGER, "Recovered from being unable to report status.");
        *failing = false;
        return;
    }
    if (!*failing || nova_exception_matches(error, NOVA_EXC_SERVICE_NOT_FOUND))
        nd_warning(LOGGER, "Lost connection to nova-conductor for reporting service status: %s", error->message);
    *failing = true;
}

static gpointer heartbeat_main(gpointer data)
{
    AgentService *service = data;
    gint64 interval_us = nd_config_int(service->agent->config, "DEFAULT", "report_interval") * G_USEC_PER_SEC;
    gint64 next_us = g_get_monotonic_time();
    bool failing = false;

    if (interval_us <= 0)
        interval_us = 10 * G_USEC_PER_SEC;
    g_mutex_lock(&service->lock);
    while (service->running) {
        if (g_cond_wait_until(&service->wake, &service->lock, next_us))
            continue;
        g_mutex_unlock(&service->lock);
        beat(service, &failing);
        next_us = MAX(next_us + interval_us, g_get_monotonic_time());
        g_mutex_lock(&service->lock);
    }
    g_mutex_unlock(&service->lock);
    return NULL;
}

void agent_service_start(AgentService *service)
{
    service->running = true;
    service->thread = g_thread_new("heartbeat", heartbeat_main, service);
}

void agent_service_stop(AgentService *service)
{
    g_mutex_lock(&service->lock);
    service->running = false;
    g_cond_signal(&service->wake);
    g_mutex_unlock(&service->lock);
    if (service->thread != NULL)
        g_thread_join(g_steal_pointer(&service->thread));
}

void agent_service_check_release(Agent *agent, RpcContext *context)
{
    g_autoptr(GError) error = NULL;
    NdRelease release;
    gint64 version;
    bool newer;

    if (!conductor_detect_version(agent->conductor, context, (int)nd_config_int(agent->config, "DEFAULT", "service_down_time"), &version, &error)) {
        nd_warning(SERVICE_LOGGER, "Failed to ask for the control plane's release: %s", error->message);
        return;
    }
    if (version == 0 || !agent_service_release_of(version, &release, &newer) || release <= agent->release)
        return;
    nd_info(SERVICE_LOGGER, "The control plane was upgraded to %s", nd_release_name(release));
    agent->release = release;
    conductor_set_release(agent->conductor, release);
    if (agent_service_version_of(release) <= agent->service_version)
        return;
    agent->service_version = agent_service_version_of(release);
    g_mutex_lock(&agent->service->lock);
    agent->service->wanted_version = agent->service_version;
    g_mutex_unlock(&agent->service->lock);
}
