/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"

/*
 * The TCP ports of guests' serial consoles (upstream nova/console/serial.py): which of [serial_console]port_range are given to guests. The list is of
 * this process; that ports of guests from before a restart are in use is found out by trying to bind them.
 */
typedef struct {
    Agent *agent;
    GPtrArray *taken; /* "host:port" of what was acquired through this; new and empty at first */
} SerialPorts;

/* A free port of the range on `host`, which is taken from now on; 0 and SocketPortRangeExhaustedException if there is none. GuestSerialPortFunc, with
 * a SerialPorts as user_data. */
guint serial_ports_acquire(gpointer user_data, const char *host, GError **error);
/* Gives back all that was acquired through it: the guest did not come to be. */
void serial_ports_abandon(SerialPorts *ports);

/* Takes the ports that a domain's XML has, or gives them back. */
void serial_ports_claim_xml(const char *domain_xml);
void serial_ports_release_xml(const char *domain_xml);
/* Gives back those of the domain as it is now; one that does not exist has none. */
void serial_ports_release_domain(Agent *agent, const char *uuid);
