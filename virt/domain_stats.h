/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/domain.h"

/* Numbers of a running domain, as get_diagnostics and get_instance_diagnostics need them (upstream driver.py). A counter that libvirt did not give
 * is -1. */
typedef struct {
    unsigned id;
    gint64 time_ns;
} VirtVcpuStats;

typedef struct {
    char *device; /* vda */
    gint64 read_requests, read_bytes, write_requests, write_bytes, errors;
} VirtBlockStats;

typedef struct {
    char *device; /* tap... */
    char *mac;
    gint64 rx_octets, rx_packets, rx_errors, rx_drop;
    gint64 tx_octets, tx_packets, tx_errors, tx_drop;
} VirtInterfaceStats;

typedef struct {
    const char *name; /* libvirt's python names: actual, swap_in, swap_out, major_fault, minor_fault, unused, available, usable, last_update, rss ... */
    gint64 value;
} VirtMemoryStat;

typedef struct {
    VirtPowerState power_state;
    guint64 max_memory_kib;
    guint64 memory_kib;
    GArray *vcpus;      /* of VirtVcpuStats */
    GArray *blocks;     /* of VirtBlockStats, in XML order */
    GArray *interfaces; /* of VirtInterfaceStats, in XML order */
    GArray *memory;     /* of VirtMemoryStat */
} VirtDomainStats;

void virt_domain_stats_free(VirtDomainStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtDomainStats, virt_domain_stats_free)

/* Reads them; a part that this domain cannot give is left empty. Errors: LIBVIRT_ERROR (no domain; not connected: VIRT_ERROR). */
VirtDomainStats *virt_domain_get_stats(VirtConnection *connection, const char *uuid, GError **error);

/* Read and write counters of one disk (volume usage): errors as libvirt's. */
bool virt_domain_block_stats(VirtConnection *connection, const char *uuid, const char *device, VirtBlockStats *stats, GError **error);
