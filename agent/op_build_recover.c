/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/journal.h"
#include "agent/network.h"
#include "agent/op_build.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "rpc/conductor.h"

#define LOGGER "nova.compute.manager"

/*
 * After a crash: what the build had made on this host is taken back, and the server is in error, as upstream leaves it
 * (spec/conductor-rpc.md section 7), with a fault; also one whose record does not name this host yet, which upstream would leave building for ever.
 */

/* The ports that the user brought; NULL: none was named. */
static NovaNetworkRequestList *remembered_ports(const AgentJournalEntry *entry)
{
    NdJson *json = nd_json_object(entry->data, BUILD_REQUESTED_NETWORKS);
    g_autoptr(GError) error = NULL;
    NovaNetworkRequestList *requested = NULL;

    if (json == NULL)
        return NULL;
    requested = nova_object_from_json_as(json, &nova_network_request_list_spec, NULL, &error);
    if (requested == NULL)
        nd_warning(LOGGER, "The requested networks of an interrupted build cannot be read: %s", error->message);
    return requested;
}

static bool set_error(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error)
{
    g_autoptr(GError) failure = NULL;

    bool told = g_strcmp0(instance->vm_state, VM_ERROR) == 0;

    nova_instance_set_vm_state(instance, VM_ERROR);
    nova_instance_set_task_state(instance, NULL);
    nova_object_dict_set(instance, NOVA_INSTANCE_SYSTEM_METADATA, "network_allocated", "False");
    if (!conductor_instance_save(agent->conductor, context, instance, NULL, error))
        return false;
    if (!told && !conductor_instance_fault_create(agent->conductor, context, instance->uuid, agent->host, 500, INSTANCE_FAULT_INTERRUPTED, "", &failure))
        nd_warning(LOGGER, "Failed to record the instance fault: %s", failure->message);
    return true;
}

/* In error and never launched: set so by the start when this could not be done. */
static bool was_finished(const NovaInstance *instance)
{
    bool never_launched = !nova_object_has(instance, NOVA_INSTANCE_LAUNCHED_AT);

    return g_strcmp0(instance->vm_state, VM_BUILDING) != 0 && !(g_strcmp0(instance->vm_state, VM_ERROR) == 0 && never_launched);
}

bool build_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    g_autoptr(NovaNetworkRequestList) requested = NULL;
    bool rescheduled = nd_json_bool(entry->data, BUILD_RESCHEDULED, false);
    bool elsewhere = rescheduled || (instance->host != NULL && g_strcmp0(instance->host, agent->host) != 0);

    if (!instance->deleted && !elsewhere && was_finished(instance))
        return true;
    /* On shared storage the files may by now be those of the guest that runs on the other host. */
    if (!guest_destroy_leftover(agent, instance->uuid, !elsewhere, error))
        return false;
    if (instance->deleted || elsewhere)
        return true;
    requested = remembered_ports(entry);
    return network_deallocate(agent, context, instance, requested, error) &&
           tracker_delete_allocations(agent->tracker, context, instance->uuid, true, error) && set_error(agent, context, instance, error);
}
