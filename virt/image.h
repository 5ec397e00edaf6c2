/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * Images before and while they are used. Nothing here trusts a file: its format is found by our own reader of the header
 * (upstream nova/image/format_inspector.py is the rule), and QEMU is only ever told the format, never asked to guess.
 */
typedef enum {
    VIRT_IMAGE_RAW, /* nothing recognised: bytes */
    VIRT_IMAGE_QCOW2,
    VIRT_IMAGE_QED,
    VIRT_IMAGE_VMDK,
    VIRT_IMAGE_VHD, /* "vpc" to QEMU */
    VIRT_IMAGE_VHDX,
    VIRT_IMAGE_VDI,
    VIRT_IMAGE_ISO,
    VIRT_IMAGE_GPT, /* a whole disk with a GPT or MBR partition table: raw to nova and QEMU */
    VIRT_IMAGE_LUKS,
} VirtImageFormat;

/* "raw", "qcow2", "qed", "vmdk", "vhd", "vhdx", "vdi", "iso", "gpt", "luks" (Glance's disk_format names). */
const char *virt_image_format_name(VirtImageFormat format);
/* QEMU's driver name: vhd -> "vpc", iso, gpt -> "raw". */
const char *virt_image_format_qemu(VirtImageFormat format);
/* From Glance's disk_format (also ami, ari, aki, ploop: false). */
bool virt_image_format_from_name(const char *name, VirtImageFormat *format);

typedef struct {
    VirtImageFormat format;
    guint64 virtual_size; /* bytes; of raw and iso the file's size */
    guint64 cluster_size; /* bytes, of qcow2; else 0 */
    bool has_backing_file;
    bool has_data_file;
    bool has_unknown_features; /* incompatible features this code does not know */
    char *backing_file;        /* as the header says, or NULL */
    char *backing_format;
    char *subformat;           /* vmdk createType */
    char *unsafe;              /* why it must not be used, or NULL: safe */
} VirtImageInfo;
void virt_image_info_clear(VirtImageInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VirtImageInfo, virt_image_info_clear)

/* Reads the header of an open file (pread; offset untouched) and tells what it is. Fails only if the file cannot be read, is malformed in a way that
 * no format can be told (VIRT_ERROR_IMAGE_UNACCEPTABLE: two formats match, headers out of bounds), never because it is unsafe. */
bool virt_image_inspect_fd(int fd, VirtImageInfo *info, GError **error);
bool virt_image_inspect(const char *path, VirtImageInfo *info, GError **error);
/* The same over bytes in memory: `size` is the size of the whole image, of which the first `length` bytes are given (fuzzing, tests). */
bool virt_image_inspect_bytes(const guint8 *bytes, size_t length, guint64 size, VirtImageInfo *info, GError **error);

/* The whole check before an image is used (upstream images.fetch_to_raw): the file is what `declared` (Glance's disk_format) says, it is safe, and, if
 * max_virtual_size > 0, not larger than that (VIRT_ERROR_DISK_TOO_SMALL). Errors: VIRT_ERROR_IMAGE_UNACCEPTABLE with the reason. */
bool virt_image_check(const char *path, const char *declared, guint64 max_virtual_size, VirtImageInfo *info, GError **error);

/* Limits of qemu-img: [libvirt]images_address_space_limit (GiB, 1), images_cpu_time_limit (s, 30) apply to `info` only, as upstream's
 * QEMU_IMG_LIMITS; the others get no address space limit but the timeout. 0 = none. */
typedef struct {
    int address_space_gib;
    int cpu_time_s;
    int timeout_s; /* of a whole run: 0 = none */
} VirtImageLimits;

/* Asks qemu-img (told the format, under the limits) whether it reads the image the same way as we do: format, size, no backing and no data file. A second
 * pair of eyes for formats that QEMU will parse. Errors: VIRT_ERROR_IMAGE_UNACCEPTABLE. */
bool virt_image_confirm(const char *path, const VirtImageInfo *info, const VirtImageLimits *limits, GError **error);

/* qemu-img convert -t none (writeback when the file system has no O_DIRECT) -O out_format -f in_format; compress as snapshots ask. The out file is made new and
 * removed on failure. Errors: VIRT_ERROR (NO_SPACE when qemu-img says so), ND_ERROR of the subprocess. */
bool virt_image_convert(const char *source, VirtImageFormat in_format, const char *destination, VirtImageFormat out_format, bool compress,
    const VirtImageLimits *limits, GCancellable *cancellable, GError **error);
/* A new qcow2 overlay of backing (with its format, its cluster size if it is qcow2, and its absolute name recorded) of `size` bytes, 0 = as large as the
 * backing. */
bool virt_image_create_overlay(const char *path, const char *backing, const VirtImageInfo *backing_info, guint64 size,
    const VirtImageLimits *limits, GError **error);
/* A new empty image: raw (sparse, no subprocess) or qcow2. */
bool virt_image_create(const char *path, VirtImageFormat format, guint64 size, const VirtImageLimits *limits, GError **error);
/* Grows to `size` bytes; never shrinks (smaller or equal sizes do nothing). */
bool virt_image_resize(const char *path, VirtImageFormat format, guint64 size, const VirtImageLimits *limits, GError **error);
/* Rewrites (flattens) or re-points the backing file: backing NULL = flatten; unsafe = only the name changes. */
bool virt_image_rebase(const char *path, const char *backing, VirtImageFormat backing_format, bool unsafe_mode, const VirtImageLimits *limits,
    GCancellable *cancellable, GError **error);
/* Bytes a file really takes on disk (st_blocks). */
bool virt_image_allocated(const char *path, guint64 *bytes, GError **error);
