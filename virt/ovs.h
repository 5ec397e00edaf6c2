/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Ports of Open vSwitch that libvirt does not make itself, by ovs-vsctl (os-vif's vif_plug_ovs; its options are those of [os_vif_ovs]). */
typedef struct {
    const char *connection; /* ovsdb_connection; NULL or "" = ovs-vsctl's own default */
    unsigned timeout_s;     /* ovs_vsctl_timeout */
    bool isolate;           /* isolate_vif: the port starts on the dead VLAN, Neutron's agent gives it its own */
} VirtOvsOptions;

/* Makes the bridge if it is missing, and `link` one of its ports, with the marks by which Neutron's agent knows it. A port that is there is kept. One transaction.
 * Errors: VIRT_ERROR_VIF with what ovs-vsctl said, VIRT_ERROR_ARGUMENT. */
bool virt_ovs_add_port(const VirtOvsOptions *options, const char *bridge, const char *link, const char *port_id, const char *mac,
    const char *instance_uuid, GError **error);
/* The reverse; a port that is not there is fine. */
bool virt_ovs_delete_port(const VirtOvsOptions *options, const char *bridge, const char *link, GError **error);
