/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/startup_retry.h"

#include "agent/external_events.h"
#include "base/log.h"
#include "rest/error.h"
#include "rpc/error.h"
#include "rpc/exception.h"
#include "virt/error.h"

#define LOGGER "nova.service"
#define PAUSE_KEY "start"
#define LONGEST_PAUSE_S 30

/* libvirt's codes for a connection that broke, or a daemon that is not up to it yet. */
static bool libvirt_passes(int code)
{
    static const int codes[] = {
        VIR_ERR_RPC, VIR_ERR_NO_CONNECT, VIR_ERR_INVALID_CONN, VIR_ERR_SYSTEM_ERROR, VIR_ERR_INTERNAL_ERROR, VIR_ERR_OPERATION_TIMEOUT,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

bool agent_start_error_passes(const GError *error)
{
    if (error->domain == RPC_ERROR)
        return error->code != RPC_ERROR_ARGUMENT;
    if (error->domain == NOVA_EXCEPTION) /* what the conductor raised, its database's troubles among it */
        return !nova_exception_matches(error, NOVA_EXC_INVALID_CONFIGURATION) && !nova_exception_matches(error, NOVA_EXC_SERVICE_TOO_OLD) &&
               !nova_exception_matches(error, NOVA_EXC_PROVIDER_CONFIG_EXCEPTION);
    if (error->domain == LIBVIRT_ERROR)
        return libvirt_passes(error->code);
    return error->domain == REST_ERROR || g_error_matches(error, VIRT_ERROR, VIRT_ERROR_NOT_CONNECTED) ||
           g_error_matches(error, VIRT_ERROR, VIRT_ERROR_TIMEOUT) || g_error_matches(error, AGENT_ERROR, AGENT_ERROR_TIMEOUT);
}

gint64 agent_start_pause(guint attempts, double jitter)
{
    double seconds = MIN(1u << MIN(attempts - 1, 5), LONGEST_PAUSE_S);

    return (gint64)(seconds * (0.75 + jitter / 2) * G_USEC_PER_SEC); /* a rack that starts at once does not ask at once */
}

bool agent_start_retry(Agent *agent, const char *what, AgentStartFunc func, gpointer data, GError **error)
{
    for (guint attempts = 1;; attempts++) {
        g_autoptr(GError) failure = NULL;
        gint64 pause_us;

        if (func(agent, data, &failure))
            return true;
        if (agent_stopping(agent) != AGENT_RUNNING || !agent_start_error_passes(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        pause_us = agent_start_pause(attempts, g_random_double());
        nd_warning(LOGGER, "%s failed, trying again in %.1f seconds: %s", what, (double)pause_us / G_USEC_PER_SEC, failure->message);
        if (!agent_events_pause(agent->events, PAUSE_KEY, pause_us, error))
            return false;
    }
}
