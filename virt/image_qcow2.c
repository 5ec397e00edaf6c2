/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/image_private.h"

#include <string.h>

/* QEMU docs/interop/qcow2.txt */
#define VERSION_2_HEADER 72
#define VERSION_3_HEADER 104
#define MAX_NAME 1023
#define MAX_EXTENSIONS 64
#define MAX_L1_BYTES ((guint64)32 << 20)
#define EXTENSION_BACKING_FORMAT 0xE2792ACA
#define EXTENSION_DATA_FILE 0x44415441

#define FEATURE_DATA_FILE ((guint64)1 << 2)
/* dirty, corrupt, external data file, compression type: what upstream's inspector knows */
#define FEATURES_KNOWN ((guint64)0xf)

static char *read_text(const VirtImageSource *source, guint64 offset, size_t length)
{
    g_autofree char *text = g_malloc0(length + 1);
    if (!virt_image_read_all(source, offset, text, length) || strlen(text) != length || !g_utf8_validate(text, -1, NULL))
        return NULL;
    return g_steal_pointer(&text);
}

static void read_extensions(const VirtImageSource *source, guint64 offset, guint64 end, VirtImageInfo *info)
{
    for (int i = 0; i < MAX_EXTENSIONS; i++) {
        guint8 head[8];
        if (offset + sizeof head > end)
            return;
        if (!virt_image_read_all(source, offset, head, sizeof head)) {
            virt_image_unsafe(info, "qcow2 header is cut short");
            return;
        }
        guint32 type = virt_be32(head), length = virt_be32(head + 4);
        offset += sizeof head;
        if (type == 0)
            return;
        if (length > end - offset) {
            virt_image_unsafe(info, "qcow2 header extension is longer than the header cluster");
            return;
        }
        if (type == EXTENSION_BACKING_FORMAT && length > 0 && length <= 64 && info->backing_format == NULL)
            info->backing_format = read_text(source, offset, length);
        if (type == EXTENSION_DATA_FILE && length > 0) {
            info->has_data_file = true;
            virt_image_unsafe(info, "qcow2 image names an external data file");
        }
        offset += ((guint64)length + 7) & ~(guint64)7;
    }
    virt_image_unsafe(info, "qcow2 header has too many extensions");
}

static void read_backing_file(const VirtImageSource *source, const guint8 *head, guint64 cluster, VirtImageInfo *info)
{
    guint64 offset = virt_be64(head + 8);
    guint32 length = virt_be32(head + 16);
    if (offset == 0)
        return;
    info->has_backing_file = true;
    virt_image_unsafe(info, "qcow2 image has a backing file");
    if (length > 0 && length <= MAX_NAME && offset < cluster && length <= cluster - offset)
        info->backing_file = read_text(source, offset, length);
}

void virt_image_read_qcow2(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info)
{
    guint32 version = virt_be32(head + 4), cluster_bits = virt_be32(head + 20), crypt = virt_be32(head + 32), l1_size = virt_be32(head + 36);
    info->virtual_size = virt_be64(head + 24);
    if (version != 2 && version != 3) {
        virt_image_unsafe(info, "qcow2 version %u is not known", version);
        return;
    }
    if (source->size < VERSION_2_HEADER || cluster_bits < 9 || cluster_bits > 21) {
        virt_image_unsafe(info, "qcow2 header is malformed");
        return;
    }
    guint64 cluster = (guint64)1 << cluster_bits;
    info->cluster_size = cluster;
    read_backing_file(source, head, cluster, info);
    guint32 header = VERSION_2_HEADER;
    if (version == 3) {
        guint64 features = virt_be64(head + 72);
        header = virt_be32(head + 100);
        info->has_data_file = (features & FEATURE_DATA_FILE) != 0;
        info->has_unknown_features = (features & ~FEATURES_KNOWN) != 0;
        if (info->has_data_file)
            virt_image_unsafe(info, "qcow2 image has an external data file");
        if (info->has_unknown_features)
            virt_image_unsafe(info, "qcow2 image has unknown incompatible features 0x%" G_GINT64_MODIFIER "x", features & ~FEATURES_KNOWN);
        if (header < VERSION_3_HEADER || header % 8 != 0 || header > cluster)
            virt_image_unsafe(info, "qcow2 header length %u is malformed", header);
    }
    if (crypt != 0)
        virt_image_unsafe(info, "qcow2 image is encrypted");
    if (info->virtual_size > (guint64)G_MAXINT64 || (guint64)l1_size * 8 > MAX_L1_BYTES)
        virt_image_unsafe(info, "qcow2 image size is out of range");
    /* Every entry of the L1 table stands for one L2 table's worth of clusters; fewer than the size needs means a lie about the size. */
    guint64 per_entry = cluster * (cluster / 8);
    if (info->virtual_size / per_entry > l1_size)
        virt_image_unsafe(info, "qcow2 L1 table is smaller than the image size needs");
    guint64 l1_offset = virt_be64(head + 40);
    if (l1_size > 0 && (l1_offset % cluster != 0 || l1_offset >= source->size))
        virt_image_unsafe(info, "qcow2 L1 table is not within the file");
    read_extensions(source, header, cluster, info);
}
