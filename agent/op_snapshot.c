/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/image_service.h"
#include "agent/method_args.h"
#include "agent/network_ports.h"
#include "agent/notify.h"
#include "agent/snapshot.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"

/* snapshot_instance, backup_instance (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"

static const SnapshotStates backup_states = {TASK_IMAGE_BACKUP, TASK_IMAGE_PENDING_UPLOAD, TASK_IMAGE_UPLOADING};

static const char *image_id(Operation *operation)
{
    return method_args_string(operation->args, "image_id");
}

static void notify(Operation *operation, OperationNotifyPhase phase)
{
    g_autoptr(NdJson) members = json_object_new_object();
    NotifyPayloadClass payload = {"InstanceActionSnapshotPayload", "1.9", members};

    nd_json_set_string(members, "snapshot_image_id", image_id(operation));
    notify_instance_payload(operation->agent, operation->context, operation->instance, "snapshot", phase, NULL, NULL, &payload);
}

static bool announce(Operation *operation, GError **error)
{
    operation_refresh_power_state(operation);
    if (!operation_save(operation, NULL, error))
        return false;
    nd_info(LOGGER, "instance snapshotting");
    if (operation->instance->power_state != VIRT_POWER_RUNNING)
        nd_warning(LOGGER, "trying to snapshot a non-running instance: (state: %" G_GINT64_FORMAT " expected: %d)", operation->instance->power_state,
                   VIRT_POWER_RUNNING);
    notify(operation, OPERATION_NOTIFY_START);
    return true;
}

static bool take_snapshot(Operation *operation, GError **error)
{
    gint64 begun = g_get_monotonic_time();

    if (!snapshot_take(operation, image_id(operation), &snapshot_states, error))
        return false;
    nd_info(LOGGER, "Took %.2f seconds to snapshot the instance on the hypervisor.", (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC);
    return true;
}

static bool take_backup(Operation *operation, GError **error)
{
    return snapshot_take(operation, image_id(operation), &backup_states, error);
}

static bool settle(Operation *operation, GError **error)
{
    static const char *const expected[] = {TASK_IMAGE_UPLOADING, NULL};

    if (!operation_save_task_state(operation, OPERATION_TASK_NONE, expected, error))
        return false;
    notify(operation, OPERATION_NOTIFY_END);
    return true;
}

static bool is_preempted(const GError *failure)
{
    return nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND) || nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_RUNNING) ||
           nova_exception_matches(failure, NOVA_EXC_UNEXPECTED_DELETING_TASK_STATE_ERROR);
}

/* A server that a delete has overtaken is no failure, nor an image that somebody deleted meanwhile; anything else takes the image along. */
static bool on_failure(Operation *operation, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (is_preempted(*error)) {
        nd_info(LOGGER, "Instance disappeared during snapshot: %s", (*error)->message);
        image_service_discard_unless_active(operation->agent, operation->context, image_id(operation));
        /* One that is not being deleted is there for further actions. Upstream leaves it its task state. */
        if (nova_exception_matches(*error, NOVA_EXC_INSTANCE_NOT_RUNNING) && !operation_save_task_state(operation, OPERATION_TASK_NONE, NULL, &failure))
            nd_info(LOGGER, "%s", failure->message);
        g_clear_error(error);
        return true;
    }
    if (nova_exception_matches(*error, NOVA_EXC_IMAGE_NOT_FOUND)) {
        nd_warning(LOGGER, "Image not found during snapshot");
        if (operation_save_task_state(operation, OPERATION_TASK_NONE, NULL, &failure)) {
            g_clear_error(error);
            return true;
        }
        nd_warning(LOGGER, "%s", failure->message);
    }
    image_service_discard(operation->agent, operation->context, image_id(operation));
    return false;
}

static const char *const expect_pending[] = {TASK_IMAGE_SNAPSHOT_PENDING, NULL};

static const OperationStep snapshot_steps[] = {
    {"begin", TASK_IMAGE_SNAPSHOT, expect_pending, NULL, NULL},
    {"announce", NULL, NULL, announce, NULL},
    {"take", NULL, NULL, take_snapshot, NULL},
    {"settle", NULL, NULL, settle, NULL},
};

const OperationSpec operation_snapshot_instance = {
    .method = "snapshot_instance",
    .flags = OPERATION_STANDARD,
    .steps = snapshot_steps,
    .n_steps = G_N_ELEMENTS(snapshot_steps),
    .on_failure = on_failure,
    .recovery = OPERATION_RECOVER_BACK,
    .recover = snapshot_recover,
};

/* --- backup --- */

/* Deletes the oldest backups of this kind beyond the number that is kept; one that cannot be deleted stays. */
static bool rotate(Operation *operation, GError **error)
{
    Agent *agent = operation->agent;
    const char *const query[] = {"image_type", "backup", "backup_type", method_args_string(operation->args, "backup_type"),
                                 "instance_uuid", operation->instance->uuid, "sort_key", "created_at", "sort_dir", "desc", NULL};
    gint64 keep = MAX(method_args_int(operation->args, "rotation"), 0);
    g_autoptr(RestAuth) auth = network_user_auth(agent, operation->context);
    g_autoptr(GPtrArray) images = glance_list_images(agent->glance, auth, query, error);

    if (images == NULL) {
        operation_record_fault(operation, *error);
        return false;
    }
    nd_debug(LOGGER, "Found %u images (rotation: %" G_GINT64_FORMAT ")", images->len, keep);
    for (guint i = images->len; (gint64)i > keep; i--) {
        const GlanceImage *image = images->pdata[i - 1];
        g_autoptr(GError) failure = NULL;

        if (!image_service_delete(agent, operation->context, image->id, &failure))
            nd_info(LOGGER, "Failed to delete image %s during deleting excess backups. Continuing for next image.. %s", image->id, failure->message);
    }
    return true;
}

static bool on_backup_failure(Operation *operation, GError **error)
{
    if (operation->failed_step < 3) /* the new image is complete before the old ones are rotated out */
        return on_failure(operation, error);
    return false;
}

static const OperationStep backup_steps[] = {
    {"announce", NULL, NULL, announce, NULL},
    {"take", NULL, NULL, take_backup, NULL},
    {"settle", NULL, NULL, settle, NULL},
    {"rotate", NULL, NULL, rotate, NULL},
};

const OperationSpec operation_backup_instance = {
    .method = "backup_instance",
    .flags = OPERATION_STANDARD,
    .steps = backup_steps,
    .n_steps = G_N_ELEMENTS(backup_steps),
    .on_failure = on_backup_failure,
    .recovery = OPERATION_RECOVER_BACK,
    .recover = snapshot_recover,
};
