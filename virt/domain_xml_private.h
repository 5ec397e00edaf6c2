/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/xml_writer.h"
#include "virt/machine.h"

/* For domain_xml*.c and domain_reader*.c only. New root elements, to be adopted by their parent; NULL with VIRT_ERROR_ARGUMENT when something is missing. */
NdXmlElement *virt_format_metadata(const VirtMetadata *metadata);
NdXmlElement *virt_format_disk(const VirtDisk *disk, GError **error);
NdXmlElement *virt_format_interface(const VirtInterface *interface, GError **error);
NdXmlElement *virt_format_devices(const VirtMachine *machine, GError **error);

/* Elements of <hyperv> in XML order; the writer and the reader share it. */
typedef struct {
    unsigned bit; /* VirtHyperv */
    const char *element;
} VirtHypervName;
extern const VirtHypervName virt_hyperv_names[];
extern const size_t virt_hyperv_n_names;

#define VIRT_METADATA_NAMESPACE "http://openstack.org/xmlns/libvirt/nova/1.1"
