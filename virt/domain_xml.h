/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/machine.h"

/*
 * libvirt's XML of the structs in virt/machine.h (https://libvirt.org/formatdomain.html). Texts end in a newline and are the caller's to free. They
 * fail with ND_ERROR_ARGUMENT when a string cannot stand in XML (not UTF-8, control characters) and VIRT_ERROR_ARGUMENT when a device lacks
 * what its type needs.
 */

/* A whole domain, to define. */
char *virt_domain_xml(const VirtMachine *machine, GError **error);
/* One device, to attach. */
char *virt_disk_xml(const VirtDisk *disk, GError **error);
char *virt_interface_xml(const VirtInterface *interface, GError **error);
/* The nova:instance element, for virt_domain_set_metadata(). */
char *virt_metadata_xml(const VirtMetadata *metadata, GError **error);
