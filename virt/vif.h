/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virt/ovs.h"

/*
 * The host's side of a network interface (os-vif's linux_bridge and ovs plug-ins, upstream nova/virt/libvirt/vif.py;
 * spec/ecosystem.md section 6), by netlink and sysfs: no subprocess. Needs CAP_NET_ADMIN.
 */
typedef struct {
    const char *type;        /* vif["type"]: "bridge", "ovs", "tap", "unbound", "binding_failed" ... */
    const char *vif_id;      /* port uuid */
    const char *mac;
    const char *dev_name;    /* vif["devname"]; NULL = "tap" + first 11 of vif_id */
    const char *bridge;      /* network["bridge"] (brq..., br-int) */
    int mtu;                 /* network meta mtu, 0 = none */
    bool hybrid_plug;        /* details ovs_hybrid_plug */
    const char *instance_uuid; /* for hybrid_plug, and the next two */
    VirtOvsOptions ovs;
    int ovs_mtu;             /* [os_vif_ovs]network_device_mtu, where mtu is 0 */
    bool create_bridge;      /* network meta should_create_bridge: then the bridge is made here if it is missing */
    const char *bridge_interface; /* network meta bridge_interface (or [os_vif_linux_bridge]flat_interface) to put into the bridge, or NULL */
    const char *tap_mac;     /* details mac_address of vif_type tap, or NULL */
    bool multi_queue;        /* vif_type tap: several queues */
    bool multi_host;         /* network meta multi_host: then the bridge is not made here */
} VirtVif;

/* "tap" + first 11 characters of the port's uuid (14 in all), new text. */
char *virt_vif_dev_name(const char *vif_id);

/* Makes what the interface needs before the domain starts. Idempotent. bridge: the bridge exists and is up (forward delay 0, STP off, multicast snooping off);
 * the tap is libvirt's work. An address of bridge_interface is not moved to the bridge (os-vif does), and no iptables rules are made: Neutron filters.
 * ovs: nothing to do, libvirt's virtualport does it; with hybrid_plug a bridge "qbr…" of the port's own, joined to Open vSwitch by a veth pair "qvb…", "qvo…". tap: the tap is made here. Errors: VIRT_ERROR_VIF; VIRT_ERROR_NOT_SUPPORTED for
 * other types; VIRT_ERROR_ARGUMENT (names too long). */
bool virt_vif_plug(const VirtVif *vif, GError **error);
/* The reverse, after the domain is gone; what is gone already is fine. A network's bridge stays, as with upstream. */
bool virt_vif_unplug(const VirtVif *vif, GError **error);
/* Whether a link of this name exists here. */
bool virt_link_exists(const char *name);
