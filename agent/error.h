/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Errors of agent/ that never leave the process under their own name. What nova's callers shall see is set as NOVA_EXCEPTION
 * (rpc/exception.h) where it is known; agent/errors.c maps what is left when a request fails.
 */
typedef enum {
    AGENT_ERROR_FAILED,      /* no better word */
    AGENT_ERROR_ARGUMENT,    /* a request's argument is unknown, missing or of the wrong type: TypeError at the caller */
    AGENT_ERROR_STOPPING,    /* the daemon is going down; the operation is parked, nothing is undone */
    AGENT_ERROR_TIMEOUT,     /* something awaited did not happen in time */
    AGENT_ERROR_UNSUPPORTED, /* not on this host or not in novad: NotImplementedError at the caller */
    AGENT_ERROR_START,       /* the daemon may not start (identity, versions, configuration) */
    AGENT_ERROR_JOURNAL,     /* the journal cannot be written or read */
    AGENT_ERROR_EVENT,       /* an external event arrived with status "failed" */
} AgentError;

#define AGENT_ERROR (agent_error_quark())
GQuark agent_error_quark(void);
