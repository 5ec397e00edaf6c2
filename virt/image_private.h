/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/image.h"

/* Where an image's bytes come from: a file or memory. For image_inspect.c and the image_<format>.c files. */
typedef struct {
    int fd;               /* -1: memory */
    const guint8 *bytes;
    size_t length;        /* of bytes; the rest up to size reads as missing */
    guint64 size;         /* of the whole image */
} VirtImageSource;

/* Reads up to `length` bytes at `offset`; returns how many there were (short at the end). -1 with errno for a read error. */
gssize virt_image_read(const VirtImageSource *source, guint64 offset, void *buffer, size_t length);
/* The bytes must all be there. */
bool virt_image_read_all(const VirtImageSource *source, guint64 offset, void *buffer, size_t length);

/* Each is called when its magic was seen, with the first 512 bytes (zero filled when the image is shorter). It fills in what it finds and sets info->unsafe
 * (new text) for whatever must not be used. */
void virt_image_read_qcow2(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info);
void virt_image_read_vmdk(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info);
void virt_image_read_vhd(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info);
void virt_image_read_vhdx(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info);
void virt_image_read_vdi(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info);

/* Sets info->unsafe if nothing is there yet. */
void virt_image_unsafe(VirtImageInfo *info, const char *format, ...) G_GNUC_PRINTF(2, 3);

guint16 virt_le16(const guint8 *bytes);
guint32 virt_le32(const guint8 *bytes);
guint64 virt_le64(const guint8 *bytes);
guint32 virt_be32(const guint8 *bytes);
guint64 virt_be64(const guint8 *bytes);
