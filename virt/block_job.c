/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/block_job.h"

#include "virt/domain_private.h"
#include "virt/error.h"

#include <string.h>

/* Without an event for so long libvirt is asked how far the job is: an event may have been lost with a connection. */
#define LOOK_AGAIN_US (10 * G_USEC_PER_SEC)

static bool start_copy(VirtConnection *connection, const char *uuid, const char *target, const char *path, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    g_autofree char *escaped = g_markup_escape_text(path, -1);
    g_autofree char *xml = g_strdup_printf("<disk type='file'><source file='%s'/><driver name='qemu' type='qcow2'/></disk>", escaped);
    unsigned flags = VIR_DOMAIN_BLOCK_COPY_SHALLOW | VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB;
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    if (virDomainBlockCopy(ref.domain, target, xml, NULL, 0, flags) < 0)
        return virt_error_set_libvirt(error, "copy disk '%s'", target);
    return true;
}

typedef enum { COPY_RUNS, COPY_READY, COPY_BROKEN } CopyState;

/* How far the job is, by the domain's XML: <mirror ready='yes'> of the disk (libvirt's own word; the numbers of the job may be equal too early). */
static bool look(VirtConnection *connection, const char *uuid, const char *target, CopyState *state, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    virDomainBlockJobInfo info;
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    int found = virDomainGetBlockJobInfo(ref.domain, target, &info, 0);
    if (found < 0)
        return virt_error_set_libvirt(error, "get the block job of disk '%s'", target);
    *state = found == 0 ? COPY_BROKEN : COPY_RUNS;
    if (found == 0)
        return true;
    char *xml = virDomainGetXMLDesc(ref.domain, 0);
    if (xml == NULL)
        return virt_error_set_libvirt(error, "get XML of domain");
    VirtDeviceMatch match = {.element = "disk", .target_dev = target};
    g_autofree char *disk = virt_device_find(xml, &match, NULL);
    free(xml);
    const char *mirror = disk != NULL ? strstr(disk, "<mirror ") : NULL;
    const char *end = mirror != NULL ? strchr(mirror, '>') : NULL;
    const char *ready = mirror != NULL ? strstr(mirror, "ready=\"yes\"") : NULL;
    if (ready != NULL && ready < end)
        *state = COPY_READY;
    return true;
}

/* What an event says of our job; COPY_RUNS: nothing new. *ask: look yourself. */
static CopyState state_of_event(const VirtEvent *event, const char *target, bool *ask)
{
    /* The end of an earlier job may be told as late as now, so that only libvirt knows whether ours has ended. */
    bool ours = event->kind == VIRT_EVENT_BLOCK_JOB && g_strcmp0(event->device, target) == 0;
    *ask = event->kind == VIRT_EVENT_CONNECTION_LOST || (ours && event->code != VIR_DOMAIN_BLOCK_JOB_READY);
    if (event->kind == VIRT_EVENT_LIFECYCLE)
        return event->code == VIRT_LIFECYCLE_STOPPED || event->code == VIRT_LIFECYCLE_CRASHED ? COPY_BROKEN : COPY_RUNS;
    return ours && event->code == VIR_DOMAIN_BLOCK_JOB_READY ? COPY_READY : COPY_RUNS;
}

static bool wait_ready(VirtConnection *connection, VirtWaiter *waiter, const char *uuid, const char *target, GCancellable *cancellable, GError **error)
{
    CopyState state = COPY_RUNS;
    while (state == COPY_RUNS) {
        VirtEvent event = {0};
        g_autoptr(GError) local = NULL;
        bool ask = true;
        if (virt_waiter_next(waiter, g_get_monotonic_time() + LOOK_AGAIN_US, cancellable, &event, &local)) {
            state = state_of_event(&event, target, &ask);
            virt_event_clear(&event);
        } else if (!g_error_matches(local, VIRT_ERROR, VIRT_ERROR_TIMEOUT)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (ask && !look(connection, uuid, target, &state, error))
            return false;
    }
    if (state == COPY_BROKEN)
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_FAILED, "the copy of disk '%s' broke off", target);
    return state == COPY_READY;
}

bool virt_block_copy(VirtConnection *connection, const char *uuid, const char *target, const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(VirtWaiter) waiter = virt_waiter_new(connection, uuid);
    if (!start_copy(connection, uuid, target, path, error))
        return false;
    if (wait_ready(connection, waiter, uuid, target, cancellable, error))
        return true;
    virt_block_job_abort(connection, uuid, target, NULL);
    return false;
}

bool virt_block_job_abort(VirtConnection *connection, const char *uuid, const char *target, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    g_autoptr(GError) local = NULL;
    if (virt_domain_ref_open(&ref, connection, uuid, &local)) {
        if (virDomainBlockJobAbort(ref.domain, target, 0) == 0)
            return true;
        virt_error_set_libvirt(&local, "end the block job of disk '%s'", target);
    }
    virDomainBlockJobInfo info;
    bool none = virt_error_is_no_domain(local) || virt_error_is_libvirt(local, VIR_ERR_OPERATION_INVALID) ||
        (ref.domain != NULL && virDomainGetBlockJobInfo(ref.domain, target, &info, 0) == 0);
    virResetLastError();
    if (!none)
        g_propagate_error(error, g_steal_pointer(&local));
    return none;
}
