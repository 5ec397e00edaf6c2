/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/domain_private.h"
#include "virt/error.h"

#define DESTROY_ATTEMPTS 3     /* of a QEMU that does not die: it sits in uninterruptible I/O; libvirt itself waits 15 to 30 s each time */
#define DESTROY_JOB_ATTEMPTS 6 /* while another job holds the domain: libvirt waits 30 s for it each time */
#define DESTROY_RESTARTS 5     /* of a domain that somebody starts again meanwhile */

static bool is_down(int state)
{
    VirtPowerState power = virt_power_state_from_libvirt(state);
    return power == VIRT_POWER_SHUTDOWN || power == VIRT_POWER_CRASHED;
}

/* *down: the domain is off or gone. */
static bool look(VirtConnection *connection, const char *uuid, bool *down, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    g_autoptr(GError) local = NULL;
    int state;
    if (virt_domain_ref_open(&ref, connection, uuid, &local) && virt_domain_ref_state(&ref, &state, &local)) {
        *down = is_down(state);
        return true;
    }
    if (virt_error_is_no_domain(local)) {
        *down = true;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

/* Presses the power button. Failures are ignored as upstream does: the guest may just be going down, and the wait tells. */
static void press_button(VirtConnection *connection, const char *uuid)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, NULL))
        return;
    virDomainShutdown(ref.domain);
    virResetLastError();
}

/* Waits until `until` or an event that may mean the domain is off; every other event is passed over. */
static bool wait_for_stop(VirtWaiter *waiter, gint64 until, GCancellable *cancellable, GError **error)
{
    for (;;) {
        g_autoptr(GError) local = NULL;
        VirtEvent event = {0};
        if (!virt_waiter_next(waiter, until, cancellable, &event, &local)) {
            if (g_error_matches(local, VIRT_ERROR, VIRT_ERROR_TIMEOUT))
                return true;
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        bool stop = event.kind == VIRT_EVENT_CONNECTION_LOST ||
            (event.kind == VIRT_EVENT_LIFECYCLE && (event.code == VIRT_LIFECYCLE_STOPPED || event.code == VIRT_LIFECYCLE_CRASHED));
        virt_event_clear(&event);
        if (stop)
            return true;
    }
}

bool virt_domain_shutdown(VirtConnection *connection, const char *uuid, int timeout_s, int retry_interval_s, GCancellable *cancellable,
    bool *clean, GError **error)
{
    g_autoptr(VirtWaiter) waiter = virt_waiter_new(connection, uuid);
    bool down = false;
    if (!look(connection, uuid, &down, error)) {
        g_prefix_error(error, "shut down domain: ");
        return false;
    }
    gint64 deadline = g_get_monotonic_time() + timeout_s * G_USEC_PER_SEC;
    gint64 retry_us = MAX(retry_interval_s, 1) * G_USEC_PER_SEC;
    while (!down && timeout_s > 0 && g_get_monotonic_time() < deadline) {
        press_button(connection, uuid);
        if (!wait_for_stop(waiter, MIN(g_get_monotonic_time() + retry_us, deadline), cancellable, error) ||
            !look(connection, uuid, &down, error)) {
            g_prefix_error(error, "shut down domain %s: ", uuid);
            return false;
        }
    }
    *clean = down;
    return true;
}

/* One virDomainDestroy() and what its outcome means. *done: the domain is off. */
static bool destroy_once(VirtConnection *connection, const char *uuid, bool *done, GError **error)
{
    *done = false;
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    int id = (int)virDomainGetID(ref.domain);
    g_autoptr(GError) local = NULL;
    if (virDomainDestroy(ref.domain) < 0)
        virt_error_set_libvirt(&local, "destroy domain %s", uuid);
    int state;
    g_autoptr(GError) state_error = NULL;
    if (!virt_domain_ref_state(&ref, &state, &state_error)) {
        g_propagate_error(error, local != NULL ? g_steal_pointer(&local) : g_steal_pointer(&state_error));
        return false;
    }
    if (is_down(state)) {
        *done = true;
        return true;
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    /* It runs although it was destroyed: under another id it was started again (upstream bug 1111213), so the caller goes round again. */
    if ((int)virDomainGetID(ref.domain) == id)
        return g_set_error(error, LIBVIRT_ERROR, VIR_ERR_OPERATION_TIMEOUT, "destroy domain %s: it is still there", uuid), false;
    return true;
}

bool virt_domain_destroy(VirtConnection *connection, const char *uuid, GError **error)
{
    int hard = 0, busy = 0;
    for (int restarts = 0; restarts < DESTROY_RESTARTS;) {
        g_autoptr(GError) local = NULL;
        bool done;
        if (destroy_once(connection, uuid, &done, &local)) {
            if (done)
                return true;
            restarts++;
            continue;
        }
        if (virt_error_is_no_domain(local))
            return true;
        bool again = (virt_error_is_libvirt(local, VIR_ERR_SYSTEM_ERROR) && ++hard < DESTROY_ATTEMPTS) ||
            (virt_error_is_libvirt(local, VIR_ERR_OPERATION_TIMEOUT) && ++busy < DESTROY_JOB_ATTEMPTS);
        if (!again) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_TIMEOUT, "destroy domain %s: it was started again %d times", uuid, DESTROY_RESTARTS);
    return false;
}
