/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "agent/guest_disks.h"
#include "objects/image_meta.h"
#include "objects/objects.h"
#include "rpc/context.h"
#include "virt/domain.h"

#include <gio/gio.h>

/*
 * The guest of one instance on this host: what upstream's libvirt driver does with it, made of virt/ (libvirt, disks, interfaces) and
 * agent/guest_config.h (which machine it is to be). Operations' steps call this; nothing here touches task_state, vm_state, events or faults.
 * All functions block and may be repeated. Errors: NOVA_EXCEPTION where upstream's driver raises one, else VIRT_ERROR, LIBVIRT_ERROR, REST_ERROR.
 */
typedef struct {
    Agent *agent;
    RpcContext *context;         /* ref */
    NovaInstance *instance;      /* ref */
    NovaImageMeta *image;        /* of the root disk */
    NdJson *vifs;                /* network model, JSON list */
    GPtrArray *interfaces;       /* the same as NovaVif */
    NovaBlockDeviceMappingList *mappings;
    GuestDiskInfo *disks;        /* decided from mappings and image */
    GCancellable *cancellable;   /* may be NULL */
    const GuestRescue *rescue;   /* borrowed; NULL: none */
    bool swap_of_flavor;         /* a swap disk is as large as the flavor says, not as its mapping still does (after a resize) */
} Guest;

/* What is known already; NULL members are looked up: image from the instance's system_metadata, vifs from its info cache, mappings from the
 * conductor. All borrowed. */
typedef struct {
    NovaImageMeta *image;
    NdJson *vifs;
    NovaBlockDeviceMappingList *mappings;
    const GuestRescue *rescue; /* how the guest is rescued; must outlive it */
} GuestParts;

/* Gathers what a guest is made of (parts may be NULL). */
Guest *guest_new(Agent *agent, const RpcContext *context, NovaInstance *instance, const GuestParts *parts, GError **error);
/* The same with the network as Neutron has it now (the ports that the info cache lists). */
Guest *guest_new_refreshed(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error);
/* Only what guest_destroy needs: works for an instance whose image or disks can no longer be made sense of. */
Guest *guest_new_to_destroy(Agent *agent, const RpcContext *context, NovaInstance *instance);
void guest_free(Guest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_free)

/* --- guest_spawn.c: a new guest --- */
typedef struct {
    const char *admin_password; /* NULL none */
    NdJson *injected_files;     /* list of [path, base64], or NULL */
} GuestSpawnOptions;
/* Disks from the image cache, config drive, interfaces, domain; started once network-vif-plugged came for the ports that need it, or after
 * vif_plugging_timeout by the rule of vif_plugging_is_fatal (NOVA_EXC_VIRTUAL_INTERFACE_CREATE_EXCEPTION). What a failure
 * leaves is taken back by guest_destroy. */
bool guest_spawn(Guest *guest, const GuestSpawnOptions *options, GError **error);
/* The same for a guest whose disks are there already, moved or kept (resize and its revert): missing ones are made, others grown to the flavor. Without
 * power_on it is only defined. wait_for_ports as in guest_start_and_wait. */
bool guest_spawn_moved(Guest *guest, bool power_on, bool wait_for_ports, GError **error);
/* Only the missing disks and the config drive (hard reboot, rebuild). options NULL = none. */
bool guest_create_disks(Guest *guest, const GuestSpawnOptions *options, GError **error);

/* --- guest_power.c --- */
/* The hypervisor's view; a missing domain is VIRT_POWER_NOSTATE, and so is a libvirtd that does not answer (then *error is set if given). */
VirtPowerState guest_power_state(Agent *agent, const NovaInstance *instance, GError **error);
/* nova stop: asks the guest for timeout_s seconds (0 = not), then cuts the power. */
bool guest_power_off(Agent *agent, const NovaInstance *instance, int timeout_s, int retry_interval_s, GCancellable *cancellable, GError **error);
/* The shutdown timeout of an instance: image_os_shutdown_timeout of its system_metadata, else [DEFAULT]shutdown_timeout; 0 if not clean. */
int guest_shutdown_timeout(Agent *agent, const NovaInstance *instance, bool clean);
/* Destroys and undefines the domain, makes it anew from the instance's record, and starts it (nova's hard reboot, also start and crash recovery). */
bool guest_hard_reboot(Guest *guest, GError **error);
/* Asks the guest to shut down and starts it again. *done = false if it did not go down in wait_soft_reboot_seconds: then the caller hard-reboots. */
bool guest_soft_reboot(Guest *guest, bool *done, GError **error);
/* nova start: a hard reboot of a guest that is off. */
bool guest_power_on(Guest *guest, GError **error);
/* nova resume from suspend: restores the managed save image with the interfaces plugged. */
bool guest_resume_saved(Guest *guest, GError **error);

/* --- guest_rescue.c --- */
typedef struct {
    NovaImageMeta *image;   /* that the guest is to be rescued with */
    const char *password;   /* for the rescue system, by its config drive */
    NdJson *vifs;
} GuestRescueOptions;
/* Makes the rescue disk and starts the guest, which must be off, from it; the definition that it has is kept in unrescue.xml. With hw_rescue_device or
 * hw_rescue_bus in the image the guest keeps all its disks and the rescue disk is added (stable device rescue), else it has the rescue disk and its root
 * disk. On failure it is off, as it was defined before, and the files are gone. */
bool guest_rescue(Agent *agent, const RpcContext *context, NovaInstance *instance, const GuestRescueOptions *options, GError **error);
/* Starts the guest from its own disks again and removes the rescue files. */
bool guest_unrescue(Agent *agent, const NovaInstance *instance, GError **error);

/* After a crash in the middle of a rescue: the guest has its own definition again, and runs if `running`. */
bool guest_rescue_take_back(Agent *agent, const NovaInstance *instance, bool running, GError **error);
/* True while the guest is rescued, or a rescue is under way. */
bool guest_is_rescued(Agent *agent, const NovaInstance *instance);

/* --- guest_defaults.c --- */
/* At start: the image_hw_* defaults that the system_metadata of a guest of an older release lacks, as its next definition would record them. The caller
 * saves if *registered. A guest without a domain is left to its next definition. */
bool guest_register_defaults(Agent *agent, const RpcContext *context, NovaInstance *instance, bool *registered, GError **error);

/* --- guest_resize.c: the instance's files on their way to another flavor (upstream driver.py migrate_disk_and_power_off) --- */
/* Refuses disks that would have to shrink (NOVA_EXC_RESIZE_ERROR): to be asked before the guest is touched. */
bool guest_check_resize(const Guest *guest, const NovaFlavor *flavor, GError **error);
/* Powers the guest off, unplugs it and puts its files aside, with copies of the disks in their place. *disk_info: what finish_resize is told of them,
 * a JSON text (caller frees). On failure the files are as they were. */
bool guest_resize_begin(Guest *guest, int timeout_s, int retry_interval_s, char **disk_info, GError **error);
/* The files put aside are the instance's again. */
bool guest_resize_revert(Agent *agent, const char *uuid, GError **error);
/* They are deleted. */
bool guest_resize_confirm(Agent *agent, const char *uuid, GError **error);

/* --- guest_destroy.c --- */
/* Domain, definition, interfaces, and (if delete_files) the instance's folder are gone afterwards; what is gone already is fine. */
bool guest_destroy(Guest *guest, bool delete_files, GError **error);
/* The same without the record of what it consists of, for leftovers: by uuid only. */
bool guest_destroy_leftover(Agent *agent, const char *uuid, bool delete_files, GError **error);

/* --- guest_network.c --- */
/* Makes the host's side of all interfaces; idempotent. */
bool guest_plug_interfaces(Guest *guest, GError **error);
/* Removes it; errors are logged. */
void guest_unplug_interfaces(Guest *guest);
/* Starts the defined domain and waits for the ports' network-vif-plugged events as [DEFAULT]vif_plugging_* say. */
bool guest_start_and_wait(Guest *guest, bool wait_for_events, GError **error);
/* Adds or removes one interface of a guest that may be running; also rewrites the ports in the domain's metadata. */
bool guest_attach_interface(Guest *guest, NdJson *vif, GError **error);
bool guest_detach_interface(Guest *guest, NdJson *vif, GError **error);

/* --- guest_devices.c --- */
/* Sets instance.device_metadata from the defined domain: addresses of tagged disks and interfaces; null if there are none. */
bool guest_record_devices(Guest *guest, GError **error);
