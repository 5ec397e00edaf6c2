/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/connection.h"

/*
 * Facts of this host for the ComputeNode record and Placement (upstream driver.py get_available_resource, update_provider_tree and host.py;
 * spec/ecosystem.md section 5). Plain values; agent/ makes objects and inventories of them.
 */
typedef struct {
    const char *virt_type;                 /* kvm, qemu */
    const char *cpu_mode;                  /* NULL = upstream's default: host-model for kvm/qemu on x86 and others, host-passthrough on aarch64, none otherwise */
    const char *const *cpu_models;         /* for custom; may be NULL */
    const char *const *cpu_model_extra_flags; /* "+flag", "-flag", "flag"; may be NULL */
    const char *images_type;               /* raw, flat, qcow2, default, rbd, lvm */
    bool force_raw_images;
    const char *const *image_type_exclude_list; /* [compute]image_type_exclude_list; may be NULL */
    bool swtpm_enabled;
    int file_backed_memory_mib;            /* 0 = off */
    const char *instances_path;
    const char *const *hw_machine_type;    /* "arch=machine"; may be NULL */
    const char *cpu_shared_set_text;       /* [compute]cpu_shared_set, NULL = unset */
    const char *cpu_dedicated_set_text;    /* [compute]cpu_dedicated_set, NULL = unset */
    const char *vcpu_pin_set_text;         /* [DEFAULT]vcpu_pin_set, NULL = unset */
} VirtHostOptions;

/* A page size of a NUMA cell. */
typedef struct {
    guint64 size_kib;
    guint64 total;
} VirtNumaPages;

typedef struct {
    int id;
    GArray *cpus;          /* of int, sorted: every CPU of the cell that is online and allowed as shared (upstream cpuset) */
    GArray *pinned_cpus;   /* of int: those that may be pinned (pcpuset) */
    GPtrArray *siblings;   /* of GArray of int: each core's threads when there is more than one, each once */
    guint64 memory_mib;
    GArray *pages;         /* of VirtNumaPages */
    int socket;            /* -1 unknown */
} VirtNumaCell;

typedef struct {
    char *arch;        /* as nova names it: x86_64, i686, aarch64 */
    char *hypervisor;  /* kvm, qemu, lxc, xen as libvirt's domain type */
    char *vm_mode;     /* hvm, exe, xen, uml */
} VirtSupportedInstance;

typedef struct {
    /* identity */
    char *hypervisor_hostname; /* libvirt's host name */
    char *hypervisor_type;     /* libvirt's: "QEMU" */
    guint64 hypervisor_version; /* libvirt's number: 7002022 */
    guint64 libvirt_version;
    char *host_uuid;

    /* CPU */
    char *cpu_arch, *cpu_model, *cpu_vendor; /* model may be NULL */
    char *cpu_info_json; /* {"arch","model","vendor","topology":{cells,sockets,cores,threads},"features":[]} */
    bool has_hyperthreading;
    unsigned vcpus;       /* those for unpinned instances */
    unsigned pcpus;       /* those for pinned instances ([compute]cpu_dedicated_set) */
    unsigned vcpus_used;  /* of running domains, as libvirt counts them */

    /* memory and disk, as upstream counts them */
    guint64 memory_mib, memory_used_mib;
    guint64 local_gb, local_gb_used, local_gb_free;
    gint64 disk_available_least_gb;

    unsigned running_domains;
    GPtrArray *supported_instances; /* of VirtSupportedInstance *, in libvirt's order */
    GPtrArray *numa_cells;          /* of VirtNumaCell *; NULL when nova's rules give the host no NUMA support */
} VirtHostFacts;

void virt_host_facts_free(VirtHostFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtHostFacts, virt_host_facts_free)

/* Reads all facts; blocking. Errors: LIBVIRT_ERROR, VIRT_ERROR. */
VirtHostFacts *virt_host_facts(VirtConnection *connection, const VirtHostOptions *options, GError **error);

/*
 * Every trait this host can be said to have or not to have, as upstream's static_traits + CPU traits: a hash table from trait name to
 * GINT_TO_POINTER(1) (has) or (0) (has not: must be taken off the provider when it is there). Only names of os-traits. Caller unrefs.
 */
GHashTable *virt_host_traits(VirtConnection *connection, const VirtHostOptions *options, GError **error);

/* libvirt's CPU feature that a HW_CPU_X86_* trait stands for; NULL for other traits, and for those of SVM and VMX, whose features upstream cannot look up by
 * trait (libvirt/utils.py TRAITS_CPU_MAPPING). Static. */
const char *virt_cpu_feature_of_trait(const char *trait);

/* nova's "1 minute"-style uptime text: the answer of upstream's get_host_uptime, which is the output of uptime(1) with the C locale. New text. */
char *virt_host_uptime(GError **error);

/* Text of a CPU set ("0-3,^2,8") into a sorted GArray of int, without duplicates (upstream nova.virt.hardware.parse_cpu_spec). Errors:
 * VIRT_ERROR_ARGUMENT. */
GArray *virt_cpu_set_parse(const char *text, GError **error);
