/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"
#include "agent/image_service.h"
#include "agent/instance_load.h"
#include "agent/method_args.h"
#include "agent/network.h"
#include "agent/operations.h"
#include "agent/task_state.h"
#include "agent/tracker.h"
#include "base/log.h"
#include "base/time.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

/* unshelve_instance: an offloaded server comes to this host, from the image that shelving made of it (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"

typedef struct {
    NdJson *vifs;
    NovaImageMeta *image_meta;
    TrackerClaim *claim;
    char *image_ref, *key_data; /* the instance's own, while it is spawned with others */
    bool lent;
} UnshelveData;

static void unshelve_data_free(gpointer pointer)
{
    UnshelveData *data = pointer;
    json_object_put(data->vifs);
    nova_image_meta_unref(data->image_meta);
    g_clear_pointer(&data->claim, tracker_claim_free);
    g_free(data->image_ref);
    g_free(data->key_data);
    g_free(data);
}

static bool unshelve_prepare(Operation *operation, GError **error G_GNUC_UNUSED)
{
    operation->data = g_new0(UnshelveData, 1);
    return true;
}

/* The Glance dict of the snapshot; NULL for a server that boots from a volume. */
static NdJson *snapshot_of(Operation *operation)
{
    NdJson *image = method_args_json(operation->args, "image");
    return image != NULL && nd_json_string(image, "id", NULL) != NULL ? image : NULL;
}

static bool step_begin(Operation *operation, GError **error)
{
    UnshelveData *data = operation->data;
    nd_info(LOGGER, "Unshelving");
    if (!instance_load_for_guest(operation->agent, operation->context, operation->instance, error))
        return false;
    operation_notify(operation, "unshelve", OPERATION_NOTIFY_START, NULL);
    if (!operation_save_task_state(operation, TASK_SPAWNING, NULL, error))
        return false;
    if (snapshot_of(operation) == NULL) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "servers with Cinder volumes are not supported yet");
        return false;
    }
    data->image_meta = nova_image_meta_from_dict(snapshot_of(operation), error);
    return data->image_meta != NULL;
}

static bool step_claim(Operation *operation, GError **error)
{
    UnshelveData *data = operation->data;
    data->claim = tracker_claim_instance(operation->agent->tracker, operation->context, operation->instance, error);
    return data->claim != NULL;
}

static void undo_claim(Operation *operation)
{
    UnshelveData *data = operation->data;
    g_autoptr(GError) error = NULL;
    if (data->claim && !tracker_claim_abort(operation->agent->tracker, operation->context, data->claim, operation->instance, &error))
        nd_warning(LOGGER, "the claim of a failed unshelve is not fully taken back: %s", error->message);
}

static bool step_network(Operation *operation, GError **error)
{
    UnshelveData *data = operation->data;
    return network_bind_to_host(operation->agent, operation->context, operation->instance, error) &&
           network_refresh(operation->agent, operation->context, operation->instance, NETWORK_REFRESH_CACHED, &data->vifs, error);
}

/* While it is spawned the instance has the snapshot as its image, and no key that could be injected anew; nobody else sees that, unlike upstream, where it
 * is saved with the claim. */
static void lend(Operation *operation)
{
    UnshelveData *data = operation->data;
    NovaInstance *instance = operation->instance;
    data->image_ref = g_strdup(instance->image_ref);
    data->key_data = g_strdup(instance->key_data);
    data->lent = true;
    nova_instance_set_image_ref(instance, nd_json_string(snapshot_of(operation), "id", NULL));
    nova_instance_set_key_data(instance, NULL);
}

static void give_back(Operation *operation)
{
    UnshelveData *data = operation->data;
    if (!data->lent)
        return;
    data->lent = false;
    nova_instance_set_image_ref(operation->instance, data->image_ref);
    nova_instance_set_key_data(operation->instance, data->key_data);
    nova_object_unmark_changed(operation->instance, NOVA_INSTANCE_IMAGE_REF);
    nova_object_unmark_changed(operation->instance, NOVA_INSTANCE_KEY_DATA);
}

static bool step_spawn(Operation *operation, GError **error)
{
    const UnshelveData *data = operation->data;
    GuestParts parts = {.image = data->image_meta, .vifs = data->vifs};
    GuestSpawnOptions options = {NULL, NULL};
    lend(operation);
    g_autoptr(Guest) guest = guest_new(operation->agent, operation->context, operation->instance, &parts, error);
    bool spawned = guest != NULL && guest_spawn(guest, &options, error);
    give_back(operation);
    return spawned;
}

static void undo_spawn(Operation *operation)
{
    g_autoptr(Guest) guest = guest_new_to_destroy(operation->agent, operation->context, operation->instance);
    g_autoptr(GError) error = NULL;
    if (!guest_destroy(guest, true, &error))
        nd_warning(LOGGER, "what is left of a failed unshelve cannot be removed: %s", error->message);
}

static const char *const shelved_keys[] = {"shelved_at", "shelved_image_id", "shelved_host"};

/* What says that the server is shelved; it goes with the save that ends the unshelve. */
typedef struct {
    char *values[G_N_ELEMENTS(shelved_keys)];
    gint64 power_state;
} Shelved;

static void take_shelved(NovaInstance *instance, Shelved *shelved)
{
    shelved->power_state = instance->power_state;
    for (gsize i = 0; i < G_N_ELEMENTS(shelved_keys); i++) {
        shelved->values[i] = g_strdup(nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, shelved_keys[i]));
        nova_object_dict_remove(instance, NOVA_INSTANCE_SYSTEM_METADATA, shelved_keys[i]);
    }
}

/* What is saved after a failure must not say that it was unshelved. */
static void put_shelved(NovaInstance *instance, const Shelved *shelved)
{
    nova_instance_set_power_state(instance, shelved->power_state);
    nova_instance_set_vm_state(instance, VM_SHELVED_OFFLOADED);
    for (gsize i = 0; i < G_N_ELEMENTS(shelved_keys); i++)
        if (shelved->values[i] != NULL)
            nova_object_dict_set(instance, NOVA_INSTANCE_SYSTEM_METADATA, shelved_keys[i], shelved->values[i]);
}

static void shelved_clear(Shelved *shelved)
{
    for (gsize i = 0; i < G_N_ELEMENTS(shelved_keys); i++)
        g_free(shelved->values[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shelved, shelved_clear)

static bool step_settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_SPAWNING, NULL};
    NovaInstance *instance = operation->instance;
    g_auto(Shelved) shelved = {0};
    take_shelved(instance, &shelved);
    if (guest_needs_config_drive(operation->agent->config, instance) && (instance->config_drive == NULL || *instance->config_drive == '\0'))
        nova_instance_set_config_drive(instance, "True");
    nova_instance_set_launched_at(instance, nd_time_now());
    operation_refresh_power_state(operation);
    nova_instance_set_vm_state(instance, VM_ACTIVE);
    if (operation_save_task_state(operation, OPERATION_TASK_NONE, expected, error))
        return true;
    put_shelved(instance, &shelved);
    return false;
}

/* The snapshot has done its service, also when it cannot be deleted. */
static bool step_announce(Operation *operation, GError **error G_GNUC_UNUSED)
{
    const char *image_id = nd_json_string(snapshot_of(operation), "id", NULL);
    g_autoptr(GError) failure = NULL;
    if (!image_service_delete(operation->agent, operation->context, image_id, &failure))
        nd_warning(LOGGER, "Failed to delete snapshot from shelved instance (%s): %s", image_id, failure->message);
    tracker_scheduler_update(operation->agent->tracker, operation->context, operation->instance);
    operation_notify(operation, "unshelve", OPERATION_NOTIFY_END, NULL);
    return true;
}

/* The scheduler's allocations go, and the server belongs to no host: another unshelve may choose one. */
static bool unshelve_failed(Operation *operation, GError **error G_GNUC_UNUSED)
{
    g_autoptr(GError) failure = NULL;
    if (!tracker_delete_allocations(operation->agent->tracker, operation->context, operation->instance->uuid, true, &failure))
        nd_err(LOGGER, "allocations of the instance cannot be deleted: %s", failure->message);
    instance_leave_host(operation->instance);
    return false;
}

static const OperationStep steps[] = {
    {"begin", NULL, NULL, step_begin, NULL},     {"claim", NULL, NULL, step_claim, undo_claim},
    {"network", NULL, NULL, step_network, NULL}, {"spawn", NULL, NULL, step_spawn, undo_spawn},
    {"settle", NULL, NULL, step_settle, NULL},   {"announce", NULL, NULL, step_announce, NULL},
};

/* After a crash in the middle the server is offloaded again: what came here goes, the snapshot is still there. */
static bool recover(Agent *agent, const AgentJournalEntry *entry G_GNUC_UNUSED, NovaInstance *instance, GError **error)
{
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);
    if (!instance->deleted && g_strcmp0(instance->vm_state, VM_SHELVED_OFFLOADED) != 0)
        return true; /* it was finished */
    bool elsewhere = instance->host != NULL && g_strcmp0(instance->host, agent->host) != 0;
    if (elsewhere)
        return true;
    if (!guest_destroy_leftover(agent, instance->uuid, true, error))
        return false;
    if (instance->deleted)
        return true;
    if (!tracker_delete_allocations(agent->tracker, context, instance->uuid, true, error))
        return false;
    instance_leave_host(instance);
    nova_instance_set_task_state(instance, NULL);
    return conductor_instance_save(agent->conductor, context, instance, NULL, error);
}

const OperationSpec operation_unshelve_instance = {
    .method = "unshelve_instance",
    .flags = OPERATION_STANDARD,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
    .prepare = unshelve_prepare,
    .on_failure = unshelve_failed,
    .free_data = unshelve_data_free,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = recover,
};
