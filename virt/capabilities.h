/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/*
 * What the host and its QEMU can do, as far as guests' configuration depends on it: read from virConnectGetCapabilities(),
 * virConnectGetDomainCapabilities(), virConnectGetCPUModelNames() and QEMU's firmware descriptors
 * (https://www.qemu.org/docs/master/interop/firmware-json.html). Made once after each connect; immutable then and counted by
 * references, so that threads may share it.
 */

/* A machine type of one emulator: name "pc" has canonical "pc-i440fx-7.2"; of the canonical one itself canonical is NULL. */
typedef struct {
    char *name;
    char *canonical;
} VirtCapsMachine;

/* One <domain> of a guest architecture. */
typedef struct {
    char *type; /* qemu, kvm */
    char *emulator;
    GPtrArray *machines; /* VirtCapsMachine* */
} VirtCapsDomain;

typedef struct {
    char *arch, *os_type;
    GPtrArray *domains; /* VirtCapsDomain* */
} VirtCapsGuest;

/* <domainCapabilities> of one (architecture, machine type). */
typedef struct {
    char *arch, *machine, *domain_type;
    bool uefi, secure_boot; /* os/loader offers pflash; secure */
    bool sev;
    char **video_models, **disk_buses; /* NULL-terminated */
} VirtDomainCaps;
void virt_domain_caps_free(VirtDomainCaps *caps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtDomainCaps, virt_domain_caps_free)

/* A firmware descriptor of QEMU, one target each. */
typedef struct {
    char *arch;
    char **machines; /* globs: "pc-q35-*" */
} VirtFirmwareTarget;
typedef struct {
    char *executable, *nvram_template;
    GPtrArray *targets; /* VirtFirmwareTarget* */
    bool secure_boot, requires_smm;
} VirtFirmware;
void virt_firmware_free(VirtFirmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtFirmware, virt_firmware_free)

typedef struct VirtCapabilities {
    gatomicrefcount references;
    char *host_uuid;
    char *arch;       /* host CPU */
    char *cpu_model;  /* NULL: libvirt cannot name it */
    char *cpu_vendor;
    GPtrArray *guests;      /* VirtCapsGuest* */
    GPtrArray *domain_caps; /* VirtDomainCaps* of the host's architecture */
    GPtrArray *firmwares;   /* VirtFirmware*, in order of preference */
    char **cpu_models;      /* names that libvirt knows for arch; NULL-terminated */
    GArray *online_cpus;    /* of int, ascending */
    GHashTable *model_features; /* char* CPU model -> GHashTable* set of char* feature: of the configured models */
    gint64 libvirt_version; /* major * 1000000 + minor * 1000 + micro */
} VirtCapabilities;
VirtCapabilities *virt_capabilities_ref(VirtCapabilities *caps);
void virt_capabilities_unref(VirtCapabilities *caps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtCapabilities, virt_capabilities_unref)

/* Reads <capabilities>; the arrays beside guests are empty then. Errors: ND_ERROR_PARSE, ND_ERROR_LIMIT. */
VirtCapabilities *virt_capabilities_read(const char *xml, GError **error);
/* Reads <domainCapabilities>. */
VirtDomainCaps *virt_domain_caps_read(const char *xml, GError **error);
/* Reads one descriptor; NULL and ND_ERROR_PARSE, ND_ERROR_MISSING. Descriptors that are no flash UEFI give a firmware without executable. */
VirtFirmware *virt_firmware_read(const char *json, gssize length, GError **error);
/* Reads all *.json of the folders (NULL-terminated list; those that do not exist are skipped) in nova's order: folder by folder, by file name. Files
 * that cannot be read are passed over. Array of VirtFirmware*. */
GPtrArray *virt_firmware_load(const char *const *folders);
/* /usr/share/qemu/firmware and /etc/qemu/firmware; NULL-terminated. */
extern const char *const virt_firmware_folders[];

/* Asks libvirt (blocking) and reads the firmware folders. domain_type ([libvirt]virt_type) is asked about for each of the host architecture's machine types that has
 * an alias, and for those of hw_machine_type ("arch=machine", NULL-terminated, may be NULL), as upstream host.py get_domain_capabilities. Machine types that
 * libvirt does not answer for are left out. cpu_models (may be NULL): models whose features are wanted. Errors: LIBVIRT_ERROR. */
VirtCapabilities *virt_capabilities_query(virConnectPtr handle, const char *domain_type, const char *const *hw_machine_type,
    const char *const *cpu_models, GError **error);

/* True if guests are made the same by both: everything above is, but for the host's UUID (libvirtd makes up another one at each of its starts where the
 * machine has none; upstream keeps the first) and its CPU's model and vendor. What libvirt measures or counts is not looked at: the TSC's frequency,
 * the microcode, free and huge pages. */
bool virt_capabilities_equal(const VirtCapabilities *a, const VirtCapabilities *b);

/* True if some emulator has this machine type or alias. */
bool virt_capabilities_has_machine(const VirtCapabilities *caps, const char *machine);
/* All machine types and aliases, new array of borrowed strings, for messages. */
GPtrArray *virt_capabilities_machines(const VirtCapabilities *caps);
/* The canonical name ("pc-i440fx-7.2" of "pc"); borrowed; NULL if the architecture has no such machine. */
const char *virt_capabilities_canonical_machine(const VirtCapabilities *caps, const char *arch, const char *machine);
/* The domain of (arch, type), else the architecture's first, else NULL. Borrowed. */
const VirtCapsDomain *virt_capabilities_domain(const VirtCapabilities *caps, const char *arch, const char *type);
/* Whether any machine type of the host's architecture has it (upstream host.py supports_uefi, supports_secure_boot). */
bool virt_capabilities_uefi(const VirtCapabilities *caps);
bool virt_capabilities_secure_boot(const VirtCapabilities *caps);
/* The first firmware for the machine type that has secure boot exactly when asked; borrowed; NULL if none. */
const VirtFirmware *virt_capabilities_firmware(const VirtCapabilities *caps, const char *arch, const char *machine, bool secure_boot);
/* libvirt's spelling of a CPU model, whatever the letter case of `name`; NULL if it is not known. Borrowed. */
const char *virt_capabilities_cpu_model(const VirtCapabilities *caps, const char *name);
