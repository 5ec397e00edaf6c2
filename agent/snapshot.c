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

#include <string.h>

#define LOGGER "nova.virt.libvirt.driver"

const SnapshotStates snapshot_states = {TASK_IMAGE_SNAPSHOT, TASK_IMAGE_PENDING_UPLOAD, TASK_IMAGE_UPLOADING};

/* --- breaking off --- */

static GMutex lock;
static GHashTable *under_way; /* instance uuid -> GCancellable; under the lock */

static GCancellable *begin(const char *uuid)
{
    GCancellable *cancellable = g_cancellable_new();

    g_mutex_lock(&lock);
    if (under_way == NULL)
        under_way = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    g_hash_table_replace(under_way, g_strdup(uuid), g_object_ref(cancellable));
    g_mutex_unlock(&lock);
    return cancellable;
}

static void end(const char *uuid)
{
    g_mutex_lock(&lock);
    g_hash_table_remove(under_way, uuid);
    g_mutex_unlock(&lock);
}

void snapshot_break_off(const char *instance_uuid)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_object_unref);
    GHashTableIter iter;
    gpointer uuid, cancellable;

    g_mutex_lock(&lock);
    if (under_way != NULL)
        for (g_hash_table_iter_init(&iter, under_way); g_hash_table_iter_next(&iter, &uuid, &cancellable);)
            if (instance_uuid == NULL || strcmp(uuid, instance_uuid) == 0)
                g_ptr_array_add(found, g_object_ref(cancellable));
    g_mutex_unlock(&lock);
    for (guint i = 0; i < found->len; i++)
        g_cancellable_cancel(found->pdata[i]);
}

/* What a failure is called after it was broken off. */
static void name_break(Operation *operation, GError **error)
{
    g_clear_error(error);
    if (operation_stopping(operation))
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_STOPPING, "the compute service is stopping");
    else
        nova_exception_set_text(error, NOVA_EXC_UNEXPECTED_DELETING_TASK_STATE_ERROR, "the snapshot was broken off, as the instance is to be deleted", NULL);
}

/* --- the snapshot --- */

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
    done = image_service_upload(operation->agent, operation->context, image_id, snapshot->file, snapshot->cancellable, error);
    operation_wait_end(operation);
    if (done)
        nd_info(LOGGER, "Snapshot image upload complete");
    return done;
}

static bool take(Operation *operation, const char *image_id, const SnapshotStates *states, GCancellable *cancellable, GError **error)
{
    g_autoptr(GuestSnapshot) snapshot = guest_snapshot_new(operation->agent, operation->instance, error);
    g_autoptr(GlanceImage) image = NULL;

    if (snapshot == NULL)
        return false;
    snapshot->cancellable = g_object_ref(cancellable);
    image = image_service_show(operation->agent, operation->context, image_id, error);
    if (image == NULL || !guest_snapshot_prepare(snapshot, error) || !operation_remember(operation, guest_snapshot_journal(snapshot), error))
        return false;
    return guest_snapshot_hold(snapshot, error) && announce(operation, states, error) && extract(snapshot, error) &&
           go_on(operation, states->pending, states->uploading, error) && upload(operation, snapshot, image_id, image->name, error);
}

bool snapshot_take(Operation *operation, const char *image_id, const SnapshotStates *states, GError **error)
{
    g_autoptr(GCancellable) cancellable = begin(operation->instance->uuid);
    bool done = take(operation, image_id, states, cancellable, error);

    end(operation->instance->uuid);
    if (!done && g_cancellable_is_cancelled(cancellable))
        name_break(operation, error);
    return done;
}

bool snapshot_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error)
{
    static const char *const tasks[] = {TASK_IMAGE_SNAPSHOT_PENDING, TASK_IMAGE_SNAPSHOT, TASK_IMAGE_BACKUP, TASK_IMAGE_PENDING_UPLOAD,
                                        TASK_IMAGE_UPLOADING, TASK_SHELVING, TASK_SHELVING_IMAGE_PENDING_UPLOAD,
                                        TASK_SHELVING_IMAGE_UPLOADING, NULL};
    static const char *const up[] = {VM_ACTIVE, VM_PAUSED, NULL};
    g_autoptr(RpcContext) context = rpc_context_new_admin(NULL);

    if (entry->data != NULL && !guest_snapshot_recover(agent, instance->uuid, entry->data, state_is_one_of(instance->vm_state, up), error))
        return false;
    if (instance->deleted || g_strcmp0(instance->host, agent->host) != 0 || !state_is_one_of(instance->task_state, tasks))
        return true;
    nova_instance_set_task_state(instance, NULL);
    return conductor_instance_save(agent->conductor, context, instance, NULL, error);
}
