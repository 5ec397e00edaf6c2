/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/systemd.h"

#include <glib.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#else
#define sd_notify(unset, state) ((void)(unset), (void)(state))
#endif

void agent_notify_ready(void)
{
    sd_notify(0, "READY=1\nSTATUS=Serving");
}

void agent_notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
}

void agent_notify_reloading(void)
{
    g_autofree char *state = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());

    sd_notify(0, state);
}

void agent_notify_status(const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *state = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    state = g_strconcat("STATUS=", text, NULL);
    sd_notify(0, state);
}
