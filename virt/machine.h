/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * What a domain should look like: plain structs that virt/domain_xml.c turns into libvirt's XML and virt/domain_reader.c fills from it
 * (https://libvirt.org/formatdomain.html gives the meaning of every field). agent/guest_config.c decides the values by nova's rules.
 *
 * Everything is owned: strings are g_malloc'ed, arrays free their elements. NULL, 0 and false mean "not said", unless a comment says otherwise.
 * The constructors below set the fields whose "not said" is another value.
 */

/* --- disks ------------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    char *name;
    char *port; /* NULL none */
} VirtDiskHost;

/* The limits of <iotune>, in XML order. */
typedef enum {
    VIRT_IO_READ_BYTES,
    VIRT_IO_READ_IOPS,
    VIRT_IO_WRITE_BYTES,
    VIRT_IO_WRITE_IOPS,
    VIRT_IO_TOTAL_BYTES,
    VIRT_IO_TOTAL_IOPS,
    VIRT_IO_READ_BYTES_MAX,
    VIRT_IO_WRITE_BYTES_MAX,
    VIRT_IO_TOTAL_BYTES_MAX,
    VIRT_IO_READ_IOPS_MAX,
    VIRT_IO_WRITE_IOPS_MAX,
    VIRT_IO_TOTAL_IOPS_MAX,
    VIRT_IO_SIZE_IOPS,
    VIRT_IO_N,
} VirtIoTune;
/* "read_bytes_sec" …: the XML element. Static. */
const char *virt_io_tune_name(VirtIoTune tune);

typedef struct {
    char *source_type; /* file, block, network */
    char *device;      /* disk, cdrom, floppy, lun */
    char *driver_name, *driver_format, *driver_cache, *driver_discard, *driver_io;
    char *source_path; /* file and block; NULL: an empty drive */
    char *source_protocol, *source_name; /* network: rbd, iscsi … */
    GPtrArray *source_hosts;             /* VirtDiskHost* */
    char *auth_username, *auth_secret_type, *auth_secret_uuid;
    char *target_dev, *target_bus;
    char *serial;
    gint64 io_tune[VIRT_IO_N]; /* -1: not said */
    char *logical_block_size, *physical_block_size;
    bool readonly, shareable;
    int boot_order;        /* from 1; 0: none */
    bool has_address;      /* an address on a drive controller … */
    int address_controller, address_unit;
    char *encryption_format, *encryption_secret_uuid; /* "luks" */
    char *alias;
    char *backing_path; /* read from a running domain only: the first <backingStore> */
} VirtDisk;
VirtDisk *virt_disk_new(void);
void virt_disk_free(VirtDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtDisk, virt_disk_free)

/* --- interfaces ------------------------------------------------------------------------------------------------------------------- */

/* KiB/s, KiB/s, KiB; -1: not said. A direction without an average is left out. */
typedef struct {
    gint64 average, peak, burst;
} VirtBandwidth;

typedef struct {
    char *type; /* bridge, ethernet, vhostuser, direct, hostdev, vdpa, network */
    char *mac;
    char *model;
    char *driver_name; /* vhost, qemu */
    unsigned queues, rx_queue_size, tx_queue_size;
    char *source;      /* bridge name, device of direct and vdpa, "0000:81:00.1" of hostdev */
    char *source_mode; /* direct: vepa, passthrough …; vhostuser: server, client */
    char *source_path; /* vhostuser socket */
    unsigned mtu;
    unsigned vlan;
    char *target_dev;
    char *virtualport_type;                    /* openvswitch, 802.1Qbh … */
    GPtrArray *virtualport_names, *virtualport_values; /* char*: parameters in order */
    VirtBandwidth inbound, outbound;
    char *alias;
} VirtInterface;
VirtInterface *virt_interface_new(void);
void virt_interface_free(VirtInterface *interface);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtInterface, virt_interface_free)
void virt_interface_add_parameter(VirtInterface *interface, const char *name, const char *value);

/* --- small devices ---------------------------------------------------------------------------------------------------------------- */

typedef struct {
    char *type;  /* scsi, usb, pci, virtio-serial */
    char *model; /* NULL: libvirt's choice */
    int index;   /* -1: libvirt's choice */
} VirtController;

typedef enum { VIRT_CHARDEV_SERIAL, VIRT_CHARDEV_CONSOLE, VIRT_CHARDEV_CHANNEL } VirtChardevKind;
typedef struct {
    VirtChardevKind kind;
    char *type;        /* pty, file, tcp, unix, spicevmc */
    char *source_path; /* file, unix (bound); of a running domain: the pty */
    char *host;        /* tcp, listening */
    char *service;     /* tcp port */
    char *log_file;    /* NULL: none */
    char *target_type; /* channel: virtio; console: serial, sclp; serial: isa-serial */
    char *target_name; /* channel */
    int target_port;   /* -1: not said */
    char *alias;
} VirtChardev;

typedef struct {
    char *type; /* vnc, spice */
    char *listen;
    int port;     /* of a running domain; -1: libvirt's choice */
    int tls_port; /* spice, running; -1 none */
    char *keymap;
} VirtGraphicsDevice;

typedef struct {
    char *type; /* tablet, keyboard, mouse */
    char *bus;  /* usb, ps2, virtio */
} VirtInput;

typedef struct {
    char *model;
    guint64 vram_kib;
    unsigned heads;
} VirtVideo;

typedef struct {
    char *backend_path; /* NULL: libvirt's choice */
    unsigned rate_bytes, rate_period_ms;
} VirtRng;

typedef struct {
    char *model;       /* tpm-tis, tpm-crb */
    char *version;     /* 1.2, 2.0 */
    char *secret_uuid; /* of the state's encryption */
} VirtTpm;

typedef struct {
    char *model; /* intel, smmuv3, virtio */
    bool interrupt_remapping, caching_mode, eim, iotlb;
    unsigned aw_bits;
} VirtIommu;

/* --- nova's metadata -------------------------------------------------------------------------------------------------------------- */

typedef struct {
    char *type; /* fixed, floating */
    char *address;
    int version; /* 4, 6 */
} VirtMetadataIp;
typedef struct {
    char *uuid;
    GPtrArray *ips; /* VirtMetadataIp* */
} VirtMetadataPort;

/* The nova:instance element (spec/ecosystem.md section 12). */
typedef struct {
    char *package;       /* nova's version */
    char *name;          /* display name */
    gint64 creation_time; /* seconds since 1970 */
    char *flavor_name;
    gint64 flavor_memory_mib, flavor_disk_gib, flavor_swap_mib, flavor_ephemeral_gib, flavor_vcpus;
    char *user_id, *user_name, *project_id, *project_name;
    char *root_type, *root_uuid; /* "image" and its id; NULL none */
    GPtrArray *ports;            /* VirtMetadataPort* */
} VirtMetadata;
VirtMetadata *virt_metadata_new(void);
void virt_metadata_free(VirtMetadata *metadata);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtMetadata, virt_metadata_free)
VirtMetadataPort *virt_metadata_add_port(VirtMetadata *metadata, const char *uuid);
void virt_metadata_port_add_ip(VirtMetadataPort *port, const char *type, const char *address, int version);

/* --- the machine ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    bool locked, no_share_pages, source_file, access_shared, allocation_immediate, discard;
} VirtMemoryBacking;

#define VIRT_UNSAID G_MININT64 /* of numbers that may be negative */
typedef struct {
    gint64 shares, quota, period; /* VIRT_UNSAID; a quota of -1 is "no limit" */
} VirtCpuTune;

typedef struct {
    char *manufacturer, *product, *version, *serial, *uuid, *family;
} VirtSysinfo;

typedef struct {
    char *type; /* hvm */
    char *arch, *machine;
    char *kernel, *initrd, *cmdline;
    char *loader, *loader_type; /* pflash; written read-only */
    bool has_loader_secure, loader_secure;
    char *nvram, *nvram_template;
    GPtrArray *boot_devices; /* char*: hd, cdrom, fd, network */
    bool smbios_sysinfo;
    bool boot_menu;
} VirtOs;

/* State of a feature that may be left to libvirt. */
typedef enum { VIRT_STATE_ABSENT, VIRT_STATE_OFF, VIRT_STATE_ON } VirtState;

/* Bits of <hyperv>, in XML order (table in domain_xml.c). */
typedef enum {
    VIRT_HYPERV_RELAXED = 1 << 0,
    VIRT_HYPERV_VAPIC = 1 << 1,
    VIRT_HYPERV_SPINLOCKS = 1 << 2,
    VIRT_HYPERV_VPINDEX = 1 << 3,
    VIRT_HYPERV_RUNTIME = 1 << 4,
    VIRT_HYPERV_SYNIC = 1 << 5,
    VIRT_HYPERV_RESET = 1 << 6,
    VIRT_HYPERV_FREQUENCIES = 1 << 7,
    VIRT_HYPERV_REENLIGHTENMENT = 1 << 8,
    VIRT_HYPERV_TLBFLUSH = 1 << 9,
    VIRT_HYPERV_IPI = 1 << 10,
    VIRT_HYPERV_EVMCS = 1 << 11,
} VirtHyperv;
#define VIRT_HYPERV_ALL ((1 << 12) - 1)

typedef struct {
    bool acpi, apic, smm, vmcoreinfo, kvm_hidden;
    VirtState pmu;
    char *ioapic_driver;   /* qemu */
    bool has_hyperv;
    unsigned hyperv;       /* VirtHyperv bits */
    unsigned hyperv_spinlock_retries;
    char *hyperv_vendor_id; /* NULL: not spoofed */
} VirtFeatures;

typedef struct {
    char *name;        /* pit, rtc, hpet, hypervclock, kvmclock */
    char *tick_policy; /* delay, catchup */
    VirtState present;
} VirtTimer;

typedef struct {
    char *name;
    char *policy; /* require, disable … */
} VirtCpuFeature;

typedef struct {
    char *mode;  /* host-model, host-passthrough, custom; NULL none */
    char *match; /* exact */
    char *model, *vendor;
    unsigned sockets, cores, threads; /* 0: no topology */
    GPtrArray *features;              /* VirtCpuFeature*, written sorted by name */
} VirtCpu;
VirtCpu *virt_cpu_new(void);
void virt_cpu_free(VirtCpu *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtCpu, virt_cpu_free)
/* Adds a feature; one of the same name that is there already stays as it is. */
void virt_cpu_add_feature(VirtCpu *cpu, const char *name, const char *policy);

typedef struct {
    char *type; /* kvm, qemu */
    int id;     /* of a running domain; -1 */
    char *name, *uuid;
    VirtMetadata *metadata;
    guint64 memory_kib;
    unsigned vcpus;
    char *cpuset; /* host CPUs that the vCPUs float over: "0-3,8" */
    VirtMemoryBacking memory_backing;
    VirtCpuTune cpu_tune;
    VirtSysinfo sysinfo;
    VirtOs os;
    VirtFeatures features;
    char *clock_offset; /* utc, localtime */
    GPtrArray *timers;  /* VirtTimer* */
    VirtCpu *cpu;       /* NULL: no <cpu> */
    char *emulator;     /* NULL: libvirt's choice */
    GPtrArray *disks;       /* VirtDisk* */
    GPtrArray *controllers; /* VirtController* */
    GPtrArray *interfaces;  /* VirtInterface* */
    GPtrArray *chardevs;    /* VirtChardev* */
    GPtrArray *inputs;      /* VirtInput* */
    GPtrArray *graphics;    /* VirtGraphicsDevice* */
    GPtrArray *videos;      /* VirtVideo* */
    VirtTpm *tpm;
    VirtRng *rng;
    VirtIommu *iommu;
    char *watchdog_model, *watchdog_action; /* NULL action: no watchdog */
    char *balloon_model;                    /* NULL: no <memballoon> */
    unsigned balloon_stats_period_s;
    GPtrArray *perf_events; /* char* */
} VirtMachine;
VirtMachine *virt_machine_new(void);
void virt_machine_free(VirtMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtMachine, virt_machine_free)

/* New elements of the machine's arrays, owned by it. */
VirtController *virt_machine_add_controller(VirtMachine *machine, const char *type, const char *model, int index);
VirtChardev *virt_machine_add_chardev(VirtMachine *machine, VirtChardevKind kind, const char *type);
VirtInput *virt_machine_add_input(VirtMachine *machine, const char *type, const char *bus);
VirtGraphicsDevice *virt_machine_add_graphics(VirtMachine *machine, const char *type, const char *listen);
VirtTimer *virt_machine_add_timer(VirtMachine *machine, const char *name, const char *tick_policy, VirtState present);
