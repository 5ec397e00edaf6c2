/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/machine.h"

/*
 * Reads a domain's XML as libvirt gives it back (written by novad, nova-compute or an operator) into a VirtMachine. Elements that the struct has
 * no place for are passed over; values that are out of range or no numbers count as not said. Errors: ND_ERROR_PARSE, ND_ERROR_LIMIT.
 */
VirtMachine *virt_domain_read(const char *xml, GError **error);
/* One <disk> or <interface> element. */
VirtDisk *virt_disk_read(const char *xml, GError **error);
VirtInterface *virt_interface_read(const char *xml, GError **error);

/* The device in an array of the machine, borrowed, or NULL: by target name ("vda"), by MAC address (letter case does not matter). */
VirtDisk *virt_machine_disk(const VirtMachine *machine, const char *target_dev);
VirtInterface *virt_machine_interface(const VirtMachine *machine, const char *mac);
