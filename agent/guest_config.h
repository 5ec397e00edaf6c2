/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/guest_disks.h"
#include "base/conf.h"
#include "objects/generated/all.h"
#include "virt/capabilities.h"
#include "virt/machine.h"

#include <glib.h>

/*
 * What guest an instance gets: nova's rules from flavor, image, instance, configuration and host to a VirtMachine (upstream
 * nova/virt/libvirt/driver.py _get_guest_config and what it calls; spec/ecosystem.md sections 9, 10, 12). Nothing here talks to libvirt or the network
 * and nothing is changed on the host, except that a probe file is written to instances_path once by guest_host_new().
 *
 * Errors are NOVA_EXCEPTION of the class that upstream raises. What novad cannot build yet (NUMA placement, PCI and mediated devices, SEV,
 * persistent memory, volumes without a prepared disk, virt_type other than kvm and qemu) is refused with a text that says so.
 */

/* What stays the same for all guests of this host: immutable, counted by references. */
typedef struct GuestHost {
    gatomicrefcount references;
    const NdConfig *config;             /* borrowed */
    VirtCapabilities *capabilities;     /* a reference */
    char *package_version;              /* in metadata and SMBIOS: "26.2.2" */
    char *vendor, *product;             /* SMBIOS; overridden by the release file */
    char *serial;                       /* SMBIOS serial unless unique; NULL: the instance's uuid */
    char *default_cache;                /* none, or writeback where instances_path has no O_DIRECT */
    bool cpu_control;                   /* the kernel has the cgroup CPU controller */
    unsigned max_tap_queues;            /* 0: no limit */
    char **perf_events;                 /* those of [libvirt]enabled_perf_events that can be used */
} GuestHost;
/* Finds these out. package_version: nova's version that this novad stands for. release_file: "/etc/nova/release" or NULL (none; also fine if it does not
 * exist). Errors: ND_ERROR_CONFIG (sysinfo_serial=os without /etc/machine-id …). */
GuestHost *guest_host_new(const NdConfig *config, VirtCapabilities *capabilities, const char *package_version, const char *release_file,
    GError **error);
GuestHost *guest_host_ref(GuestHost *host);
void guest_host_unref(GuestHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestHost, guest_host_unref)

/* Hands out a TCP port for a serial console on `host`; 0 and an error if none is free. */
typedef guint (*GuestSerialPortFunc)(gpointer user_data, const char *host, GError **error);

typedef struct {
    NovaInstance *instance;      /* with flavor, system_metadata; changed by guest_config_record() only */
    const NovaImageMeta *image;  /* of the instance's image */
    const GPtrArray *vifs;       /* NovaVif*, in order; NULL none */
    GuestDiskInfo *disks;        /* from guest_disk_info() */
    const GuestRescue *rescue;   /* NULL: none */
    gint64 creation_time;        /* for the metadata; seconds since 1970 */
    bool serial_ports_defined;   /* the domain exists with TCP serial ports already (incoming migration) */
    GuestSerialPortFunc acquire_serial_port; /* needed with [serial_console]enabled */
    gpointer user_data;
} GuestInput;

/* The machine, new. */
VirtMachine *guest_config(const GuestHost *host, const GuestInput *input, GError **error);
/* Writes into the instance what upstream records of it while making the XML: system_metadata image_hw_machine_type, vcpu_model,
 * default_ephemeral_device, default_swap_device. The caller saves. */
void guest_config_record(const GuestHost *host, const GuestInput *input, const VirtMachine *machine);
/* Adds image_hw_* defaults that system_metadata does not have yet, so that a later host does not change the guest (upstream
 * _register_undefined_instance_details). True if something was added: the caller saves. */
bool guest_config_register_defaults(const GuestHost *host, NovaInstance *instance, const NovaImageMeta *image, const GuestDiskInfo *disks,
    const VirtMachine *machine);
/* True if none of these defaults is missing. */
bool guest_config_has_defaults(const NovaInstance *instance);

/* One interface, as in the machine: for attach_interface. */
VirtInterface *guest_config_interface(const GuestHost *host, NovaInstance *instance, const NovaImageMeta *image, const void *vif, GError **error);
/* The metadata element: written anew when ports change. */
VirtMetadata *guest_config_metadata(const GuestHost *host, NovaInstance *instance, const GPtrArray *vifs, gint64 creation_time);
