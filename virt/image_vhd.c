/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/image_private.h"

#include <string.h>

/* Microsoft's VHD (big endian), VHDX (little endian) and VirtualBox's VDI headers: size, and no parent. */

void virt_image_read_vhd(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info)
{
    (void)source;
    enum { VHD_FIXED = 2, VHD_DYNAMIC = 3 };
    guint32 type = virt_be32(head + 60);
    info->virtual_size = virt_be64(head + 48);
    if (type != VHD_FIXED && type != VHD_DYNAMIC) {
        info->has_backing_file = true;
        virt_image_unsafe(info, "vhd disk type %u is not fixed or dynamic", type);
    }
    if (info->virtual_size > (guint64)G_MAXINT64)
        virt_image_unsafe(info, "vhd size is out of range");
}

#define VHDX_REGIONS_OFFSET (192 * 1024)
#define VHDX_REGIONS_LENGTH (64 * 1024)
#define VHDX_ENTRY 32
#define VHDX_ENTRIES_MAX 2047
#define VHDX_METADATA_LENGTH (64 * 1024)

static const guint8 metadata_region[16] = {0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E};
static const guint8 item_size[16] = {0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8};
static const guint8 item_parameters[16] = {0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B};

/* The entry with this GUID in a table of `count` entries at `table`, or NULL. */
static const guint8 *find_entry(const guint8 *table, size_t length, guint32 count, const guint8 guid[16])
{
    for (guint32 i = 0; i < count && (i + 1) * (size_t)VHDX_ENTRY <= length; i++)
        if (memcmp(table + i * (size_t)VHDX_ENTRY, guid, 16) == 0)
            return table + i * (size_t)VHDX_ENTRY;
    return NULL;
}

/* Bytes of one metadata item. */
static bool read_item(const VirtImageSource *source, guint64 region, const guint8 *metadata, const guint8 guid[16], guint8 *value, size_t length)
{
    const guint8 *entry = find_entry(metadata + 32, VHDX_METADATA_LENGTH - 32, virt_le16(metadata + 10), guid);
    return entry != NULL && virt_le32(entry + 20) >= length && virt_image_read_all(source, region + virt_le32(entry + 16), value, length);
}

void virt_image_read_vhdx(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info)
{
    (void)head;
    g_autofree guint8 *regions = g_malloc(VHDX_REGIONS_LENGTH), *metadata = g_malloc0(VHDX_METADATA_LENGTH);
    if (!virt_image_read_all(source, VHDX_REGIONS_OFFSET, regions, VHDX_REGIONS_LENGTH) || memcmp(regions, "regi", 4) != 0 ||
        virt_le32(regions + 8) > VHDX_ENTRIES_MAX) {
        virt_image_unsafe(info, "vhdx region table is missing or malformed");
        return;
    }
    const guint8 *entry = find_entry(regions + 16, VHDX_REGIONS_LENGTH - 16, virt_le32(regions + 8), metadata_region);
    guint64 region = entry != NULL ? virt_le64(entry + 16) : 0;
    if (entry == NULL || region >= source->size || virt_image_read(source, region, metadata, VHDX_METADATA_LENGTH) < VHDX_ENTRY ||
        memcmp(metadata, "metadata", 8) != 0 || virt_le16(metadata + 10) > VHDX_ENTRIES_MAX) {
        virt_image_unsafe(info, "vhdx metadata is missing or malformed");
        return;
    }
    guint8 size[8], parameters[8];
    if (!read_item(source, region, metadata, item_size, size, sizeof size) ||
        !read_item(source, region, metadata, item_parameters, parameters, sizeof parameters)) {
        virt_image_unsafe(info, "vhdx metadata lacks the size or the file parameters");
        return;
    }
    info->virtual_size = virt_le64(size);
    if (info->virtual_size > (guint64)G_MAXINT64)
        virt_image_unsafe(info, "vhdx size is out of range");
    if (virt_le32(parameters + 4) & 2) {
        info->has_backing_file = true;
        virt_image_unsafe(info, "vhdx image has a parent");
    }
}

void virt_image_read_vdi(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info)
{
    (void)source;
    static const guint8 none[16];
    enum { VDI_DYNAMIC = 1, VDI_STATIC = 2 };
    guint32 type = virt_le32(head + 0x4c);
    info->virtual_size = virt_le64(head + 0x170);
    if (type != VDI_DYNAMIC && type != VDI_STATIC)
        virt_image_unsafe(info, "vdi image type %u is not dynamic or static", type);
    if (memcmp(head + 0x1a8, none, 16) != 0 || memcmp(head + 0x1b8, none, 16) != 0) {
        info->has_backing_file = true;
        virt_image_unsafe(info, "vdi image has a parent");
    }
    if (info->virtual_size > (guint64)G_MAXINT64)
        virt_image_unsafe(info, "vdi size is out of range");
}
