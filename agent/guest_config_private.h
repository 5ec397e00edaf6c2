/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/guest_config.h"
#include "agent/guest_image.h"
#include "objects/network_model.h"

/* Shared by the guest_config*.c files: one guest while its machine is made. Everything is borrowed for that time. */
typedef struct {
    const GuestHost *host;
    const NdConfig *config;
    const GuestInput *input;
    NovaInstance *instance;
    const NovaFlavor *flavor;
    const NovaImageMeta *image;
    const NovaImageMetaProps *properties;
    const char *virt_type;    /* as configured: kvm, qemu */
    const char *arch;         /* that the guest runs on */
    const char *machine_type; /* may be NULL */
    char *directory;          /* of the instance; owned */
    VirtMachine *machine;
} GuestBuild;

/* Fills all but the machine; UnsupportedVirtType. Cleared by guest_build_clear(). */
bool guest_build_init(GuestBuild *build, const GuestHost *host, const GuestInput *input, GError **error);
void guest_build_clear(GuestBuild *build);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestBuild, guest_build_clear)

/* Parts, in the order in which they are made; each fails with a NOVA_EXCEPTION. */
bool guest_config_refuse(const GuestBuild *build, GError **error);
bool guest_config_cpuset(GuestBuild *build, GError **error);
bool guest_config_memory_backing(GuestBuild *build, GError **error);
bool guest_config_cpu_tune(GuestBuild *build, GError **error);
bool guest_config_cpu(GuestBuild *build, GError **error);
bool guest_config_os(GuestBuild *build, GError **error);
bool guest_config_features(GuestBuild *build, GError **error);
void guest_config_clock(GuestBuild *build);
bool guest_config_storage(GuestBuild *build, GError **error);
VirtInterface *guest_config_vif(const GuestBuild *build, const NovaVif *vif, GError **error);
bool guest_config_consoles(GuestBuild *build, GError **error);
bool guest_config_devices(GuestBuild *build, GError **error);

/* The video model without a look at whether libvirt offers it (upstream _get_video_type); NULL if the property is unusable, with an error. */
const char *guest_config_video_model(const GuestBuild *build, GError **error);
/* Pointer device: false if there is none (upstream _get_pointer_bus_and_model). */
bool guest_config_pointer(const GuestBuild *build, const char *os_type, const char **model, const char **bus);
/* The network card's model (upstream get_vif_model); may be NULL. */
const char *guest_config_vif_model(const GuestBuild *build);

/* --- agent/guest_constraints.c: what flavor and image say together ------------------------------------------------------------------ */

typedef struct {
    bool set;
    bool value;
} GuestChoice; /* a boolean that may not be given at all */

typedef struct {
    unsigned sockets, cores, threads;
} GuestTopology;

/* The best CPU topology (upstream hardware.py get_best_cpu_topology). */
bool guest_constraint_topology(const GuestBuild *build, GuestTopology *topology, GError **error);
/* hw:serial_port_count and hw_serial_port_count: at least 1. */
bool guest_constraint_serial_ports(const GuestBuild *build, gint64 *count, GError **error);
bool guest_constraint_pmu(const GuestBuild *build, GuestChoice *pmu, GError **error);
bool guest_constraint_multiqueue(const GuestBuild *build, bool *enabled, GError **error);
bool guest_constraint_locked_memory(const GuestBuild *build, bool *locked, GError **error);
/* required, disabled, optional or NULL; static or borrowed. */
bool guest_constraint_secure_boot(const GuestBuild *build, const char **policy, GError **error);
/* *version NULL: no TPM wanted. */
bool guest_constraint_tpm(const GuestBuild *build, const char **version, const char **model, GError **error);
/* An integer in an extra spec. */
bool guest_flavor_integer(const NovaFlavor *flavor, const char *key, gint64 fallback, gint64 *value, GError **error);
