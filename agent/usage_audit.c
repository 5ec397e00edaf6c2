/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/usage_audit.h"

#include "agent/notify.h"
#include "base/log.h"
#include "base/time.h"
#include "objects/objects.h"

#define LOGGER "nova.compute.manager"
#define TASK_NAME "instance_usage_audit"

/* A period, and its record. */
typedef struct {
    Agent *agent;
    RpcContext *context;
    gint64 begin, end;
    NovaInstanceList *instances;
    NovaTaskLog *log;
} Audit;

static void audit_clear(Audit *audit)
{
    g_clear_pointer(&audit->instances, nova_instance_list_unref);
    g_clear_pointer(&audit->log, nova_task_log_unref);
}

/* *due: no host of our name has begun it. */
static bool find_period(Audit *audit, bool *due, GError **error)
{
    Agent *agent = audit->agent;
    g_autoptr(NovaTaskLog) before = NULL;

    if (!notify_audit_period(nd_config_string(agent->config, "DEFAULT", "instance_usage_audit_period"), nd_time_now(), &audit->begin, &audit->end, error) ||
        !conductor_task_log_get(agent->conductor, audit->context, TASK_NAME, audit->begin, audit->end, agent->host, &before, error))
        return false;
    *due = before == NULL;
    return true;
}

static bool list_instances(Audit *audit, GError **error)
{
    static const char *const attrs[] = {"system_metadata", "info_cache", "metadata", "flavor", NULL};

    audit->instances = conductor_instance_list_active(audit->agent->conductor, audit->context, audit->begin, audit->end, audit->agent->host, attrs, error);
    return audit->instances != NULL;
}

/* Fails if another has begun it meanwhile (TaskAlreadyRunning). */
static bool begin_task(Audit *audit, GError **error)
{
    audit->log = nova_task_log_new();
    nova_task_log_set_task_name(audit->log, TASK_NAME);
    nova_task_log_set_period_beginning(audit->log, audit->begin);
    nova_task_log_set_period_ending(audit->log, audit->end);
    nova_task_log_set_host(audit->log, audit->agent->host);
    nova_task_log_set_task_items(audit->log, nova_object_list_length(audit->instances));
    nova_task_log_set_message(audit->log, "Instance usage audit started...");
    return conductor_task_log_begin(audit->agent->conductor, audit->context, audit->log, error);
}

static void notify_all(Audit *audit)
{
    for (guint i = 0; i < nova_object_list_length(audit->instances); i++) {
        NovaInstance *instance = nova_object_list_get(audit->instances, i);

        nd_log_set_instance(instance->uuid);
        notify_usage_exists_in(audit->agent, audit->context, instance, audit->begin, audit->end);
    }
    nd_log_set_instance(NULL);
}

/* Notifications are sent without waiting, so that none is known to have failed. */
static bool end_task(Audit *audit, gint64 begun_us, GError **error)
{
    g_autofree char *message = g_strdup_printf("Instance usage audit ran for host %s, %u instances in %.6f seconds.", audit->agent->host,
                                               nova_object_list_length(audit->instances), (double)(g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC);

    nova_task_log_set_errors(audit->log, 0);
    nova_task_log_set_message(audit->log, message);
    return conductor_task_log_end(audit->agent->conductor, audit->context, audit->log, error);
}

static bool run(Audit *audit, GError **error)
{
    g_autofree char *begin = NULL, *end = NULL;
    gint64 begun_us;
    bool due;

    if (!find_period(audit, &due, error))
        return false;
    if (!due)
        return true;
    if (!list_instances(audit, error))
        return false;
    begin = nd_time_format_field(audit->begin);
    end = nd_time_format_field(audit->end);
    nd_info(LOGGER, "Running instance usage audit for host %s from %s to %s. %u instances.", audit->agent->host, begin, end,
            nova_object_list_length(audit->instances));
    begun_us = g_get_monotonic_time();
    if (!begin_task(audit, error))
        return false;
    notify_all(audit);
    return end_task(audit, begun_us, error);
}

void usage_audit(Agent *agent, RpcContext *context)
{
    Audit audit = {.agent = agent, .context = context};
    g_autoptr(GError) error = NULL;

    if (!nd_config_bool(agent->config, "DEFAULT", "instance_usage_audit"))
        return;
    if (!run(&audit, &error))
        nd_err(LOGGER, "The instance usage audit failed: %s", error->message);
    audit_clear(&audit);
}
