/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tells systemd (Type=notify) where we are; does nothing without systemd. sd_notify(3). */
void agent_notify_ready(void);
void agent_notify_stopping(void);
void agent_notify_reloading(void);
/* One line for `systemctl status`. */
void agent_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
