/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/connection.h"

/*
 * What novad does to one libvirt domain, addressed by uuid (upstream nova/virt/libvirt/guest.py and the power functions of driver.py).
 * All block; all set LIBVIRT_ERROR with libvirt's number (VIR_ERR_NO_DOMAIN: no such domain, see virt_error_is_no_domain()),
 * or VIRT_ERROR as noted. A `cancellable` may be NULL.
 */

/* nova.compute.power_state; these numbers are stored in the database. */
typedef enum {
    VIRT_POWER_NOSTATE = 0,
    VIRT_POWER_RUNNING = 1,
    VIRT_POWER_PAUSED = 3,
    VIRT_POWER_SHUTDOWN = 4,
    VIRT_POWER_CRASHED = 6,
    VIRT_POWER_SUSPENDED = 7,
} VirtPowerState;

/* libvirt's virDomainState to nova's power state (upstream guest.py LIBVIRT_POWER_STATE). */
VirtPowerState virt_power_state_from_libvirt(int state);
/* "pending", "running", "paused", "shutdown", "crashed", "suspended" as fields.InstancePowerState / diagnostics name them. */
const char *virt_power_state_name(VirtPowerState state);

typedef struct {
    char *uuid;
    char *name;
    int id; /* -1 when not running */
    VirtPowerState power_state;
    int libvirt_state;
    guint64 max_memory_kib;
    guint64 memory_kib;
    unsigned vcpus;
    guint64 cpu_time_ns;
} VirtDomainInfo;
void virt_domain_info_free(VirtDomainInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VirtDomainInfo, virt_domain_info_free)

/* *exists tells; fails only if libvirt cannot be asked. */
bool virt_domain_exists(VirtConnection *connection, const char *uuid, bool *exists, GError **error);
VirtDomainInfo *virt_domain_get_info(VirtConnection *connection, const char *uuid, GError **error);
/* All domains (of VirtDomainInfo *, freed with the array); active_only leaves out those that are not running. */
GPtrArray *virt_domain_list(VirtConnection *connection, bool active_only, GError **error);

typedef enum {
    VIRT_XML_LIVE = 0,
    VIRT_XML_INACTIVE = 1 << 0,
    VIRT_XML_SECURE = 1 << 1,
    VIRT_XML_MIGRATABLE = 1 << 2,
} VirtXmlFlags;
/* The domain's XML; caller frees. */
char *virt_domain_get_xml(VirtConnection *connection, const char *uuid, VirtXmlFlags flags, GError **error);

/* Defines (or re-defines) a persistent domain from XML. */
bool virt_domain_define(VirtConnection *connection, const char *xml, GError **error);
/* Starts a defined domain; with a managed save image it is restored from that. */
bool virt_domain_start(VirtConnection *connection, const char *uuid, bool paused, GError **error);

/*
 * Asks the guest to power off and waits until it has. The request is sent again every retry_interval_s, as upstream's _clean_shutdown.
 * *clean = the guest went down by itself (or was not running); false when timeout_s passed (timeout 0: not tried). The caller then destroys.
 * Errors: LIBVIRT_ERROR; VIRT_ERROR_CANCELLED.
 */
bool virt_domain_shutdown(VirtConnection *connection, const char *uuid, int timeout_s, int retry_interval_s, GCancellable *cancellable,
    bool *clean, GError **error);
/* Power off now, and wait until it is off. A domain that is not running or not there is fine. A QEMU that does not die (EBUSY, SYSTEM_ERROR)
 * is tried up to three times, and a job in the way six times (upstream driver.py _destroy). Errors: LIBVIRT_ERROR, VIRT_ERROR_TIMEOUT. */
bool virt_domain_destroy(VirtConnection *connection, const char *uuid, GError **error);
/* Removes the definition with its managed save image (and NVRAM if keep_nvram is false); no such domain is fine. keep_tpm keeps the vTPM's state
 * where libvirt can (>= 8.9). */
bool virt_domain_undefine(VirtConnection *connection, const char *uuid, bool keep_nvram, bool keep_tpm, GError **error);

bool virt_domain_suspend(VirtConnection *connection, const char *uuid, GError **error); /* nova pause */
bool virt_domain_resume(VirtConnection *connection, const char *uuid, GError **error);  /* nova unpause */
/* nova suspend: saves memory to libvirt's managed save file and stops the domain. */
bool virt_domain_managed_save(VirtConnection *connection, const char *uuid, GError **error);
bool virt_domain_has_managed_save(VirtConnection *connection, const char *uuid, bool *has, GError **error);
bool virt_domain_inject_nmi(VirtConnection *connection, const char *uuid, GError **error);
/* Sets the guest's clock through its agent; a missing agent is no failure (upstream sync_guest_time). */
void virt_domain_sync_time(VirtConnection *connection, const char *uuid);
bool virt_domain_set_autostart(VirtConnection *connection, const char *uuid, bool autostart, GError **error);
/* Replaces the element of nova's metadata namespace (http://openstack.org/xmlns/libvirt/nova/1.1) in the stored and, if running, live XML. */
bool virt_domain_set_metadata(VirtConnection *connection, const char *uuid, const char *instance_xml, GError **error);

/* Adds a device: always to the stored definition, and to the live one if the domain is running or paused. */
bool virt_domain_attach_device(VirtConnection *connection, const char *uuid, const char *device_xml, GError **error);

/* Names a device of a domain; fields that are NULL are not compared. */
typedef struct {
    const char *element;     /* "disk", "interface", "hostdev" */
    const char *target_dev;  /* vdb, tap12345678-90 */
    const char *mac;         /* interfaces */
    const char *alias;       /* ua-... */
    const char *serial;      /* disks */
} VirtDeviceMatch;
/* The matching device's element out of a domain's XML (new text), or NULL if there is none. *alias (may be NULL): its alias, new text or NULL. */
char *virt_device_find(const char *domain_xml, const VirtDeviceMatch *match, char **alias);

typedef struct {
    int attempts;  /* [libvirt]device_detach_attempts, 8 */
    int timeout_s; /* [libvirt]device_detach_timeout, 20 */
} VirtDetachOptions;
/*
 * Takes a device out of the stored definition and, if running, out of the live domain: asks, waits for the device-removed event, asks again.
 * Errors: VIRT_ERROR_DEVICE_NOT_FOUND (in neither), VIRT_ERROR_DEVICE_DETACH (guest kept it through every attempt, or refused), LIBVIRT_ERROR.
 */
bool virt_domain_detach_device(VirtConnection *connection, const char *uuid, const VirtDeviceMatch *match, const VirtDetachOptions *options,
    GCancellable *cancellable, GError **error);
