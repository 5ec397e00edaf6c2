/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How errors of every folder look to nova's callers: registers the tables (rpc_exception_map_domain). Once at start, before other threads. */
void agent_errors_init(void);
