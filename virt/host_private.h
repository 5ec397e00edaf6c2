/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/xml.h"
#include "virt/host.h"

/* Shared by the host*.c files. `caps` is the parsed answer of virConnectGetCapabilities(). */

typedef struct {
    char *arch, *model, *vendor; /* model, vendor may be NULL */
    gint64 sockets, cores, threads;
    GHashTable *features; /* set of names: libvirt's with everything that the model stands for */
} VirtHostCpu;
void virt_host_cpu_clear(VirtHostCpu *cpu);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VirtHostCpu, virt_host_cpu_clear)

/* The host's CPU with its features expanded by libvirt's baseline (upstream host.py get_capabilities). Errors: LIBVIRT_ERROR, VIRT_ERROR. */
bool virt_host_cpu_read(virConnectPtr handle, xmlNode *caps, VirtHostCpu *cpu, GError **error);
/* Features of a CPU model by name on this architecture, added to `features`. An unknown model or a driver without baseline adds none. */
bool virt_host_cpu_model_features(virConnectPtr handle, const VirtHostCpu *host, const char *model, GHashTable *features, GError **error);
/* nova's cpu_info JSON, new text. cells = number of NUMA cells. */
char *virt_host_cpu_info_json(const VirtHostCpu *cpu, unsigned cells);

/* CPUs of the host that are online, sorted. */
GArray *virt_host_online_cpus(virConnectPtr handle, GError **error);
/* Those for unpinned instances and those for pinned ones, by the three options (upstream driver.py _get_vcpu_available, _get_pcpu_available). */
bool virt_host_cpu_sets(virConnectPtr handle, const VirtHostOptions *options, GArray **shared, GArray **dedicated, GError **error);
bool virt_cpu_set_contains(const GArray *set, int cpu);

/* NUMA cells (of VirtNumaCell *), NULL when the host has none by nova's rules. */
GPtrArray *virt_host_numa_cells(virConnectPtr handle, xmlNode *caps, const VirtHostOptions *options, const GArray *shared,
    const GArray *dedicated);
bool virt_host_has_hyperthreading(xmlNode *caps);

/* Bytes that the local disks of all domains may still grow by (upstream _get_disk_over_committed_size_total). */
bool virt_host_disk_over_committed(virConnectPtr handle, const char *instances_path, gint64 *bytes, GError **error);
