/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/startup.h"

#include "agent/accept.h"
#include "agent/bus.h"
#include "agent/errors.h"
#include "agent/external_events.h"
#include "agent/host_setup.h"
#include "agent/identity.h"
#include "agent/journal.h"
#include "agent/lanes.h"
#include "agent/lifecycle.h"
#include "agent/methods.h"
#include "agent/operation_backend.h"
#include "agent/periodic.h"
#include "agent/periodic_tasks.h"
#include "agent/recovery.h"
#include "agent/service.h"
#include "agent/startup_retry.h"
#include "agent/systemd.h"
#include "agent/tracker.h"
#include "agent/vendor_data.h"
#include "base/log.h"
#include "base/log_setup.h"
#include "objects/objects.h"
#include "rest/from_config.h"
#include "rpc/error.h"
#include "virt/connection.h"
#include "virt/host.h"

#include <string.h>

#define LOGGER "nova.service"
#define QUICK_WORKERS 8
#define PING_TRIES 10
#define PING_TIMEOUT_S 10.0
#define PATIENT_PING_TIMEOUT_S 60.0
#define VIRT_WAIT_MS 5000
#define SERVER_START_WAIT_S 5.0

/* What the steps hand to each other. */
typedef struct {
    RpcContext *context;
    bool service_exists;
    gint64 service_version;
    GPtrArray *message_ids; /* of requests that the earlier run accepted (char *) */
} Startup;

static bool stopped(Agent *agent, GError **error)
{
    if (agent_stopping(agent) == AGENT_RUNNING)
        return false;
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING, "told to stop during the start");
    return true;
}

static bool ping_conductor(Agent *agent, Startup *startup G_GNUC_UNUSED, GError **error)
{
    for (guint tries = 1;; tries++) {
        g_autoptr(GError) failure = NULL;

        if (conductor_ping(agent->conductor, tries <= PING_TRIES ? PING_TIMEOUT_S : PATIENT_PING_TIMEOUT_S, &failure))
            return true;
        if (stopped(agent, error))
            return false;
        nd_warning("nova.conductor.api", "Waiting for nova-conductor (try %u): %s", tries, failure->message);
    }
}

static bool detect_release(Agent *agent, Startup *startup, GError **error)
{
    int down_time = (int)nd_config_int(agent->config, "DEFAULT", "service_down_time");
    NdRelease release;
    gint64 version;
    bool newer;

    if (!conductor_detect_version(agent->conductor, startup->context, down_time, &version, error))
        return false;
    if (!agent_service_release_of(version, &release, &newer)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_START,
                    "the control plane (service version %" G_GINT64_FORMAT ") is older than Zed, which novad does not serve", version);
        return false;
    }
    if (newer)
        nd_warning(LOGGER, "The control plane (service version %" G_GINT64_FORMAT ") is newer than novad knows; serving it as %s", version,
                   nd_release_name(release));
    agent->release = release;
    conductor_set_release(agent->conductor, release);
    nd_config_set_release(agent->config, release);
    nd_info(LOGGER, "The control plane is %s (conductor's service version %" G_GINT64_FORMAT ")", nd_release_name(release), version);
    return true;
}

/* The oldest nova-compute of the cell must not be older than what this release accepts (spec/versions.md section 1). */
static bool check_oldest_compute(Agent *agent, Startup *startup, GError **error)
{
    static const gint64 oldest[] = {
        [ND_RELEASE_ZED] = 61,    [ND_RELEASE_2023_1] = 61, [ND_RELEASE_2023_2] = 66, [ND_RELEASE_2024_1] = 66, [ND_RELEASE_2024_2] = 66,
        [ND_RELEASE_2025_1] = 66, [ND_RELEASE_2025_2] = 68, [ND_RELEASE_2026_1] = 68, [ND_RELEASE_2026_2] = 72,
    };
    gint64 minimum;

    if (!conductor_service_minimum_version(agent->conductor, startup->context, "nova-compute", &minimum, error))
        return false;
    if (minimum == 0 || minimum >= oldest[agent->release])
        return true;
    if (nd_config_bool(agent->config, "workarounds", "disable_compute_service_check_for_ffu")) {
        nd_warning(LOGGER, "The oldest nova-compute has service version %" G_GINT64_FORMAT ", too old for %s", minimum,
                   nd_release_name(agent->release));
        return true;
    }
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_START,
                "the oldest nova-compute of this cell has service version %" G_GINT64_FORMAT ", but %s accepts no older one than %" G_GINT64_FORMAT,
                minimum, nd_release_name(agent->release), oldest[agent->release]);
    return false;
}

static bool find_service(Agent *agent, Startup *startup, GError **error)
{
    return agent_service_lookup(agent->service, startup->context, &startup->service_exists, &startup->service_version, error);
}

/* Unlike upstream, which ends here, we wait: libvirtd may come later, and the heartbeat is not sent before. */
static bool connect_libvirt(Agent *agent, Startup *startup G_GNUC_UNUSED, GError **error)
{
    bool told = false;

    for (;;) {
        g_autoptr(GError) failure = NULL;

        if (virt_connection_wait(agent->virt, VIRT_WAIT_MS, &failure))
            return true;
        if (stopped(agent, error))
            return false;
        if (!told)
            nd_warning("nova.virt.libvirt.host", "Waiting for libvirt: %s", failure->message);
        told = true;
    }
}

static bool find_node_name(Agent *agent, Startup *startup G_GNUC_UNUSED, GError **error)
{
    virConnectPtr handle = virt_connection_acquire(agent->virt, error);
    char *name;

    if (handle == NULL)
        return false;
    name = virConnectGetHostname(handle);
    virt_connection_release(agent->virt, handle);
    if (name == NULL) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_START, "libvirt does not know the host's name");
        return false;
    }
    agent->node = g_strdup(name);
    free(name);
    return true;
}

static bool set_up_guest_host(Agent *agent, Startup *startup G_GNUC_UNUSED, GError **error)
{
    return agent_host_setup(agent, error);
}

static bool establish_identity(Agent *agent, Startup *startup, GError **error)
{
    g_autofree char *uuid = NULL;

    if (!agent_identity_establish(agent, startup->context, startup->service_exists, startup->service_version, &uuid, error))
        return false;
    agent->tracker = tracker_new_for_agent(agent, error);
    if (agent->tracker == NULL)
        return false;
    if (uuid != NULL)
        tracker_set_node_uuid(agent->tracker, uuid);
    return true;
}

static bool recover(Agent *agent, Startup *startup, GError **error)
{
    agent_accepted_ids(agent, startup->message_ids);
    return agent_recover_instances(agent, startup->context, error);
}

static bool resume_accepted(Agent *agent, Startup *startup, GError **error)
{
    return agent_accepted_resume(agent, startup->context, error);
}

static bool register_service(Agent *agent, Startup *startup, GError **error)
{
    bool created;

    if (!agent_service_register(agent->service, startup->context, &created, error))
        return false;
    if (created)
        nd_info(LOGGER, "Created the service record of %s", agent->host);
    return true;
}

/* Most failures of the first audit are not the end: the next one may work (Placement may be away). */
static bool first_audit(Agent *agent, Startup *startup, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(NovaComputeNode) node = NULL;

    if (!tracker_audit(agent->tracker, startup->context, true, &failure)) {
        if (g_error_matches(failure, AGENT_ERROR, AGENT_ERROR_START)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        nd_err("nova.compute.manager", "Error updating resources for node %s: %s", agent->node, failure->message);
    }
    node = tracker_compute_node(agent->tracker);
    if (node != NULL && agent->release < ND_RELEASE_2023_1 && node->uuid != NULL)
        agent_identity_keep(agent, node->uuid);
    return true;
}

static bool serve(Agent *agent, Startup *startup, GError **error)
{
    g_clear_pointer(&agent->server, rpc_server_unref); /* of an attempt before */
    agent->server = agent_bus_server(agent, error);
    if (agent->server == NULL)
        return false;
    for (guint i = 0; i < startup->message_ids->len; i++)
        rpc_server_remember(agent->server, startup->message_ids->pdata[i]);
    for (;;) {
        g_autoptr(GError) failure = NULL;

        if (rpc_server_start(agent->server, SERVER_START_WAIT_S, &failure))
            return true;
        if (!g_error_matches(failure, RPC_ERROR, RPC_ERROR_TIMEOUT)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (stopped(agent, error))
            return false;
        nd_warning(LOGGER, "Waiting for the message bus: %s", failure->message);
    }
}

static bool begin_upkeep(Agent *agent, Startup *startup G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    agent_service_start(agent->service);
    agent_periodic_tasks_add(agent);
    agent_periodic_start(agent->periodic);
    return true;
}

/* spec/conductor-rpc.md section 6; the texts are what systemctl shows. Every step may be run again after it failed. */
typedef struct {
    const char *what;
    bool (*run)(Agent *agent, Startup *startup, GError **error);
} StartupStep;

static const StartupStep startup_steps[] = {
    {"Waiting for nova-conductor", ping_conductor},
    {"Asking for the control plane's release", detect_release},
    {"Checking the oldest nova-compute", check_oldest_compute},
    {"Looking for the service record", find_service},
    {"Connecting to libvirt", connect_libvirt},
    {"Asking libvirt for the host's name", find_node_name},
    {"Reading libvirt's capabilities", set_up_guest_host},
    {"Establishing the node's identity", establish_identity},
    {"Putting instances right", recover},
    {"Registering the service", register_service},
    {"Auditing the host's resources", first_audit},
    {"Resuming requests accepted before", resume_accepted},
    {"Starting the RPC server", serve},
    {"Starting heartbeat and periodic tasks", begin_upkeep},
};

typedef struct {
    const StartupStep *step;
    Startup *startup;
} StepRun;

static bool run_step(Agent *agent, gpointer data, GError **error)
{
    const StepRun *run = data;

    return run->step->run(agent, run->startup, error);
}

bool agent_start(Agent *agent, GError **error)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(GPtrArray) message_ids = g_ptr_array_new_with_free_func(g_free);
    Startup startup = {.context = context, .message_ids = message_ids};
    gint64 begun = g_get_monotonic_time();

    nd_log_set_request(context->request_id, NULL, context->identity);
    nd_info(LOGGER, "Starting compute node (novad %s) on %s", PACKAGE_VERSION, agent->host);
    for (size_t i = 0; i < G_N_ELEMENTS(startup_steps); i++) {
        StepRun run = {&startup_steps[i], &startup};

        if (stopped(agent, error))
            return false;
        agent_notify_status("%s", startup_steps[i].what);
        nd_debug(LOGGER, "%s", startup_steps[i].what);
        if (!agent_start_retry(agent, startup_steps[i].what, run_step, &run, error)) {
            g_prefix_error(error, "%s: ", startup_steps[i].what);
            return false;
        }
    }
    nd_info(LOGGER, "Serving after %.2f seconds", (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC);
    nd_log_set_request(NULL, NULL, NULL);
    agent_notify_ready();
    return true;
}

static bool make_rest_clients(Agent *agent, GError **error)
{
    agent->placement = placement_client_from_config(agent->config, error);
    if (agent->placement == NULL)
        return false;
    agent->neutron = neutron_client_from_config(agent->config, error);
    if (agent->neutron == NULL)
        return false;
    if (agent_vendor_data_is_dynamic(agent->config) && !vendor_data_client_from_config(agent->config, &agent->vendor_data, error))
        return false;
    agent->glance = glance_client_from_config(agent->config, error);
    return agent->glance != NULL && service_user_from_config(agent->config, &agent->service_user, error);
}

static bool make_bus(Agent *agent, GError **error)
{
    agent->transport = agent_bus_new(agent->config, error);
    if (agent->transport == NULL ||
        !agent_bus_notifier(agent->config, agent->host, agent->transport, &agent->notify_transport, &agent->notifier, error))
        return false;
    agent->client = rpc_client_new(agent->transport);
    agent->conductor = conductor_new(agent->client);
    return true;
}

static bool make_virt(Agent *agent, GError **error)
{
    VirtConnectionOptions options;

    if (!virt_event_loop_register(error))
        return false;
    virt_connection_options_init(&options, nd_config_string(agent->config, "libvirt", "connection_uri"),
                                 nd_config_string(agent->config, "libvirt", "virt_type"));
    options.lifecycle = agent_lifecycle_event;
    options.connected = agent_lifecycle_connected;
    options.user_data = agent;
    agent->virt = virt_connection_new(&options);
    virt_connection_options_clear(&options);
    return true;
}

static bool make_workers(Agent *agent, GError **error)
{
    const NdConfig *config = agent->config;
    g_autofree char *journal = g_build_filename(nd_config_string(config, "DEFAULT", "state_path"), "novad", "journal", NULL);

    agent->lanes = agent_lanes_new((guint)nd_config_int(config, "DEFAULT", "executor_thread_pool_size"), QUICK_WORKERS);
    agent->builds = agent_lanes_add_limit(agent->lanes, (guint)nd_config_int(config, "DEFAULT", "max_concurrent_builds"));
    agent->snapshots = agent_lanes_add_limit(agent->lanes, (guint)nd_config_int(config, "DEFAULT", "max_concurrent_snapshots"));
    agent->live_migrations = agent_lanes_add_limit(agent->lanes, (guint)nd_config_int(config, "DEFAULT", "max_concurrent_live_migrations"));
    agent->periodic = agent_periodic_new(agent);
    agent->service = agent_service_new(agent);
    agent->events = agent_events_new();
    agent->journal = agent_journal_open(journal, error);
    return agent->journal != NULL;
}

Agent *agent_new(NdConfig *config, GError **error)
{
    Agent *agent = g_new0(Agent, 1);

    agent->config = config;
    agent->host = g_strdup(nd_config_string(config, "DEFAULT", "host"));
    agent->operation_backend = &operation_backend;
    agent_errors_init();
    methods_init();
    if (make_workers(agent, error) && make_bus(agent, error) && make_rest_clients(agent, error) && make_virt(agent, error))
        return agent;
    if (agent->lanes != NULL)
        agent_lanes_stop(agent->lanes, -1);
    agent_free(agent);
    return NULL;
}

void agent_reload(Agent *agent)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) changed = NULL;

    agent_notify_reloading();
    if (!nd_config_reload(agent->config, &changed, &error)) {
        nd_err(LOGGER, "The configuration was not reloaded: %s", error->message);
    } else {
        g_autofree char *names = g_strjoinv(" ", changed);

        nd_info(LOGGER, "Configuration reloaded; changed: %s", names[0] != '\0' ? names : "nothing");
        if (!nd_log_configure(agent->config, "nova-compute", &error))
            nd_err(LOGGER, "The log was not changed: %s", error->message);
    }
    agent_notify_ready();
}
