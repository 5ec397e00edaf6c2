/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Network links of this host by rtnetlink (rtnetlink(7)); in the network namespace of the calling thread. Errors: VIRT_ERROR_VIF with the kernel's reason. */

/* The number of a link, 0 = there is none. */
unsigned virt_link_index(const char *name);
/* Makes a bridge as os-vif does: forward delay 0, no STP, no multicast snooping. One that is there already is left as it is: *created tells. */
bool virt_link_create_bridge(const char *name, bool *created, GError **error);
/* The same, for one port of a guest: it forgets no address in a live migration (ageing time 0). */
bool virt_link_create_port_bridge(const char *name, bool *created, GError **error);
/* Makes a pair of links of which each gets what is sent on the other. */
bool virt_link_create_veth(const char *name, const char *peer, GError **error);
bool virt_link_set_promiscuous(const char *name, GError **error);
bool virt_link_set_up(const char *name, GError **error);
bool virt_link_set_mtu(const char *name, unsigned mtu, GError **error);
/* Puts a link into a bridge. */
bool virt_link_set_master(const char *name, const char *bridge, GError **error);
/* 6 bytes "aa:bb:cc:dd:ee:ff". */
bool virt_link_set_address(const char *name, const char *mac, GError **error);
/* Removes a link; one that is not there is fine. */
bool virt_link_delete(const char *name, GError **error);
/* Makes a persistent tap device owned by us, as privsep's create_tap_dev; one that is there already is fine. */
bool virt_link_create_tap(const char *name, bool multi_queue, GError **error);
