/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * What is tried again while the daemon starts. Upstream ends when the conductor, the message bus or libvirt fails it during start, and leaves it to
 * systemd to begin anew; novad keeps its place and asks again, after 1, 2, 4 ... 30 s, until it works or it is told to stop. What waiting cannot
 * mend (identity, versions, configuration, this machine's files) still ends the start.
 */

/* True if the error may pass by itself: the message bus, conductor, REST services, or libvirt away. */
bool agent_start_error_passes(const GError *error);
/* Pause after that many attempts (1 = the first failed), microseconds; `jitter` is within 0 and 1. */
gint64 agent_start_pause(guint attempts, double jitter);

typedef bool (*AgentStartFunc)(Agent *agent, gpointer data, GError **error);
/* Runs `func` until it succeeds, fails with an error that does not pass, or the daemon is told to stop (AGENT_ERROR_STOPPING). `what` is for the log. */
bool agent_start_retry(Agent *agent, const char *what, AgentStartFunc func, gpointer data, GError **error);
