/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/external_events.h"
#include "agent/guest.h"
#include "agent/lanes.h"
#include "agent/network.h"
#include "agent/method_args.h"
#include "agent/operations.h"
#include "base/log.h"
#include "rpc/exception.h"

#define LOGGER "nova.compute.manager"

/*
 * external_instance_event (spec/compute-rpc.md section 4). Waiting operations are woken at once; what costs calls to Neutron goes to a lane of
 * its own for each instance ("network-<uuid>"), so that it neither waits for the operation that caused the event nor holds a quick worker.
 */
typedef struct {
    Agent *agent;
    RpcContext *context;
    NovaInstance *instance;
    NovaInstanceExternalEvent *event;
} EventJob;

static void event_job_free(gpointer data)
{
    EventJob *job = data;
    nova_instance_external_event_unref(job->event);
    nova_instance_unref(job->instance);
    rpc_context_unref(job->context);
    g_free(job);
}

static void handle_network_changed(EventJob *job)
{
    g_autoptr(GError) error = NULL;
    nd_debug(LOGGER, "Refreshing instance network info cache due to event %s-%s.", job->event->name, job->event->tag);
    if (!network_refresh_port(job->agent, job->context, job->instance, job->event->tag, NULL, &error))
        nd_info(LOGGER, "Failed to process external instance event %s-%s due to: %s", job->event->name, job->event->tag, error->message);
}

/* Neutron has deleted a port: the interface leaves the cache and the guest. */
static void handle_vif_deleted(EventJob *job)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) cached = network_cached(job->instance), left = json_object_new_array();
    NdJson *gone = NULL;
    for (size_t i = 0; i < json_object_array_length(cached); i++) {
        NdJson *vif = json_object_array_get_idx(cached, i);
        if (g_strcmp0(nd_json_string(vif, "id", NULL), job->event->tag) == 0)
            gone = vif;
        else
            json_object_array_add(left, json_object_get(vif));
    }
    if (gone == NULL)
        return;
    nd_info(LOGGER, "Neutron deleted interface %s; detaching it from the instance and deleting it from the info cache", job->event->tag);
    if (!network_store(job->agent, job->context, job->instance, left, &error)) {
        nd_warning(LOGGER, "the info cache cannot be stored: %s", error->message);
        return;
    }
    g_autoptr(Guest) guest = guest_new_to_destroy(job->agent, job->context, job->instance);
    if (!guest_detach_interface(guest, gone, &error))
        nd_warning(LOGGER, "Detach interface failed, port_id=%s, reason: %s", job->event->tag, error->message);
}

static void handle_volume_extended(EventJob *job)
{
    nd_warning(LOGGER, "volume %s was extended, but Cinder volumes are not supported by novad yet", job->event->tag);
}

static void handle_power_update(EventJob *job)
{
    nd_warning(LOGGER, "event power-update %s is not for libvirt hosts and is ignored", job->event->tag);
}

static const struct {
    const char *name;
    void (*handle)(EventJob *job);
} handlers[] = {
    {"network-changed", handle_network_changed},
    {"network-vif-deleted", handle_vif_deleted},
    {"volume-extended", handle_volume_extended},
    {"power-update", handle_power_update},
};

static void run_job(gpointer data)
{
    EventJob *job = data;
    nd_log_set_request(job->context->request_id, job->context->global_request_id, job->context->identity);
    nd_log_set_instance(job->instance->uuid);
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++)
        if (g_str_equal(handlers[i].name, job->event->name))
            handlers[i].handle(job);
    nd_log_set_instance(NULL);
    nd_log_set_request(NULL, NULL, NULL);
}

static bool has_handler(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++)
        if (g_str_equal(handlers[i].name, name))
            return true;
    return false;
}

static NovaInstance *find_instance(GPtrArray *instances, const char *uuid)
{
    for (guint i = 0; i < instances->len; i++) {
        NovaInstance *instance = g_ptr_array_index(instances, i);
        if (g_strcmp0(instance->uuid, uuid) == 0)
            return instance;
    }
    return NULL;
}

static void submit(Operation *operation, NovaInstance *instance, NovaInstanceExternalEvent *event)
{
    EventJob *job = g_new0(EventJob, 1);
    job->agent = operation->agent;
    job->context = rpc_context_ref(operation->context);
    /* Several events of one message may be of the same instance, and each job writes to its own. */
    job->instance = nova_instance_clone(instance);
    job->event = nova_instance_external_event_ref(event);
    g_autofree char *lane = g_strconcat("network-", instance->uuid, NULL);
    if (!agent_lanes_submit(operation->agent->lanes, lane, NULL, run_job, job, event_job_free))
        nd_warning(LOGGER, "event %s of %s comes too late, the service is stopping", event->name, instance->uuid);
}

static bool step_deliver(Operation *operation, GError **error)
{
    GPtrArray *instances = method_args_objects(operation->args, "instances");
    GPtrArray *events = method_args_objects(operation->args, "events");
    for (guint i = 0; i < events->len; i++) {
        NovaInstanceExternalEvent *event = g_ptr_array_index(events, i);
        NovaInstance *instance = find_instance(instances, event->instance_uuid);
        nd_debug(LOGGER, "Received event %s-%s", event->name, event->tag ? event->tag : "");
        if (instance == NULL) {
            nd_warning(LOGGER, "event %s is of instance %s, which is not in the request", event->name, event->instance_uuid);
            continue;
        }
        if (event->name && has_handler(event->name)) {
            submit(operation, instance, event);
            continue;
        }
        if (!agent_events_deliver(operation->agent->events, instance->uuid, event->name, event->tag, event->status))
            nd_warning(LOGGER, "Received unexpected event %s-%s for instance with vm_state %s and task_state %s.", event->name,
                       event->tag ? event->tag : "None", instance->vm_state, instance->task_state ? instance->task_state : "None");
    }
    return true;
}

static const OperationStep steps[] = {{"deliver", NULL, NULL, step_deliver, NULL}};

const OperationSpec operation_external_instance_event = {
    .method = "external_instance_event",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_NO_JOURNAL,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
};
