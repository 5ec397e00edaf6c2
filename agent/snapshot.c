/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/snapshot.h"

#include "agent/agent.h"
#include "agent/guest_snapshot.h"
#include "agent/image_service.h"
#include "agent/journal.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "rpc/exception.h"

#define LOGGER "nova.virt.libvirt.driver"

const SnapshotStates snapshot_states = {TASK_IMAGE_SNAPSHOT, TASK_IMAGE_PENDING_UPLOAD, TASK_IMAGE_UPLOADING};

static bool go_on(Operation *operation, const char *from, const char *to, GError **error)
{
    const char *const expected[] = {from, NULL};

    return operation_save_task_state(operation, to, expected, error);
}

/* Upstream tries to have the storage backend make the image at first, which local files cannot, and goes back: callers see the states. */
static bool announce(Operation *operation, const SnapshotStates *states, GError **error)
{
    return go_on(operation, states->begun, states->pending, error) && go_on(operation, states->pending, states->uploading, error) &&
           go_on(operation, states->uploading, states->pending, error);
}

/* The copy, with the guest as it was before again at the end. */
static bool extract(GuestSnapshot *snapshot, GError **error)
{
    bool done = guest_snapshot_extract(snapshot, error);

    return guest_snapshot_release(snapshot, done ? error : NULL) && done;
}

static bool upload(Operation *operation, GuestSnapshot *snapshot, const char *image_id, const char *name, GError **error)
{
    g_autoptr(NdJson) members = guest_snapshot_members(snapshot, name);
    bool done;

    if (!image_service_update(operation->agent, operation->context, image_id, members, error))
        return false;
    operation_wait_begin(operation);
    done = image_service_upload(operation->agent, operation->context, image_id, snapshot->file, error);
    operation_wait_end(operation);
    if (done)
        nd_info(LOGGER, "Snapshot image upload complete");
    return done;
}

bool snapshot_take(Operation *operation, const char *image_id, const SnapshotStates *states, GError **error)
{
    g_autoptr(GuestSnapshot) snapshot = guest_snapshot_new(operation->agent, operation->instance, error);
    g_autoptr(GlanceImage) image = NULL;

    if (snapshot == NULL)
        return false;
    image = image_service_show(operation->agent, operation->context, image_id, error);
    if (image == NULL || !guest_snapshot_prepare(snapshot, error) || !operation_remember(operation, guest_snapshot_journal(snapshot), error))
        return false;
    return guest_snapshot_hold(snapshot, error) && announce(operation, states, error) && extract(snapshot, error) &&
           go_on(operation, states->pending, states->uploading, error) && upload(operation, snapshot, image_id, image->name, error);
}

bool snapshot_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error)
{
    static const char *const tasks[] = {TASK_IMAGE_SNAPSHOT_PENDING, TASK_IMAGE_SNAPSHOT, TASK_IMAGE_BACKUP, TASK_IMAGE_PENDING_UPLOAD,
                                        TASK_IMAGE_UPLOADING, NULL};
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);

    if (entry->data != NULL && !guest_snapshot_recover(agent, instance->uuid, entry->data, error))
        return false;
    if (instance->deleted || g_strcmp0(instance->host, agent->host) != 0 || !state_is_one_of(instance->task_state, tasks))
        return true;
    nova_instance_set_task_state(instance, NULL);
    return conductor_instance_save(agent->conductor, context, instance, NULL, error);
}
