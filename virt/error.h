/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <libvirt/virterror.h>
#include <stdbool.h>

/* Errors of virt/ that are not libvirt's own. Codes say what the caller may do about it, the text says what happened. */
typedef enum {
    VIRT_ERROR_FAILED,             /* no better word */
    VIRT_ERROR_ARGUMENT,           /* a caller's value is not acceptable */
    VIRT_ERROR_NOT_CONNECTED,      /* there is no connection to libvirt now; it is being re-made (HypervisorUnavailable upstream) */
    VIRT_ERROR_TIMEOUT,            /* an event did not come before the deadline */
    VIRT_ERROR_CANCELLED,          /* the GCancellable was triggered */
    VIRT_ERROR_NOT_SUPPORTED,      /* this libvirt, kernel or build cannot do it */
    VIRT_ERROR_DEVICE_NOT_FOUND,   /* the domain has no such device (DeviceNotFound) */
    VIRT_ERROR_DEVICE_DETACH,      /* the guest did not let the device go (DeviceDetachFailed) */
    VIRT_ERROR_IMAGE_UNACCEPTABLE, /* the bytes of an image are not what may be used (ImageUnacceptable) */
    VIRT_ERROR_DISK_TOO_SMALL,     /* the flavor's disk is smaller than the image (FlavorDiskSmallerThanImage) */
    VIRT_ERROR_DISK_FORMAT,        /* a disk's format is not what disk.info or the caller says (InvalidDiskInfo / InvalidDiskFormat) */
    VIRT_ERROR_NO_SPACE,           /* the file system has not the room (NoSpace / InsufficientFreeSpace) */
    VIRT_ERROR_NOT_FOUND,          /* a file that must be there is not */
    VIRT_ERROR_VIF,                /* a network interface could not be plugged or unplugged (VirtualInterfacePlugException) */
    VIRT_ERROR_CONFIG_DRIVE,       /* the config drive could not be built */
    VIRT_ERROR_CONSOLE,            /* the domain has no such console (ConsoleTypeUnavailable, ConsoleNotFound) */
    VIRT_ERROR_IO,                 /* a file operation failed; errno's text is in the message */
} VirtError;

#define VIRT_ERROR (virt_error_quark())
GQuark virt_error_quark(void);

/* The domain of libvirt's failures; the code is libvirt's own number (virErrorNumber: VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_INVALID ...). */
#define LIBVIRT_ERROR (virt_libvirt_error_quark())
GQuark virt_libvirt_error_quark(void);

/* Copies the calling thread's last libvirt error into `error` as LIBVIRT_ERROR: "formatted text: libvirt's message". Call it at once after the
 * failing libvirt call, in the same thread, before any cleanup that calls libvirt. Always returns false. */
bool virt_error_set_libvirt(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* As nd_error_set_errno() but in VIRT_ERROR (ENOSPC, EDQUOT -> NO_SPACE; ENOENT -> NOT_FOUND; else IO). Always returns false. */
bool virt_error_set_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* True if `error` is libvirt's error `code`. error may be NULL. */
bool virt_error_is_libvirt(const GError *error, virErrorNumber code);
/* True if it says that there is no such domain. */
bool virt_error_is_no_domain(const GError *error);
