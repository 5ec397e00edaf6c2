/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/image_private.h"

#include <string.h>

/* VMware Virtual Disk Format 1.1; the same narrow reading as upstream's: one file, descriptor inside, two subformats. */
#define SECTOR 512
#define DESCRIPTOR_OFFSET 512
#define DESCRIPTOR_MAX ((1 << 20) - 1)
#define GRAIN_DIRECTORY_AT_END G_MAXUINT64

/* upstream [compute]vmdk_allowed_types' default */
static const char *const allowed_types[] = {"monolithicSparse", "streamOptimized"};

static char *create_type(const char *descriptor)
{
    const char *start = strstr(descriptor, "createType=\"");
    if (start == NULL)
        return NULL;
    start += strlen("createType=\"");
    const char *end = strchr(start, '"');
    return end != NULL && end - start < 64 ? g_strndup(start, (gsize)(end - start)) : NULL;
}

static bool is_extent(const char *line)
{
    static const char *const access[] = {"rw ", "rdonly ", "noaccess "};
    for (size_t i = 0; i < G_N_ELEMENTS(access); i++)
        if (g_str_has_prefix(line, access[i]))
            return true;
    return false;
}

/* "key=value" whose key has no blank in it. */
static bool is_field(const char *line)
{
    const char *equals = strchr(line, '=');
    return equals != NULL && memchr(line, ' ', (size_t)(equals - line)) == NULL;
}

static void check_lines(const char *descriptor, VirtImageInfo *info)
{
    unsigned extents = 0;
    g_autofree char *lower = g_ascii_strdown(descriptor, -1);
    g_auto(GStrv) lines = g_strsplit(lower, "\n", -1);
    for (char **item = lines; *item != NULL; item++) {
        const char *line = g_strstrip(*item);
        if (*line == '\0' || *line == '#' || g_str_has_prefix(line, "ddb"))
            continue;
        if (is_field(line)) {
            if (g_str_has_prefix(line, "parentfilenamehint=") || (g_str_has_prefix(line, "parentcid=") && strcmp(line, "parentcid=ffffffff") != 0)) {
                info->has_backing_file = true;
                virt_image_unsafe(info, "vmdk image has a parent");
            }
            continue;
        }
        if (!is_extent(line)) {
            virt_image_unsafe(info, "vmdk descriptor has a line that is not understood");
            return;
        }
        extents++;
        if (strchr(line, '/') != NULL)
            virt_image_unsafe(info, "vmdk extent names a path");
    }
    if (extents == 0)
        virt_image_unsafe(info, "vmdk descriptor has no extent");
}

static void check_descriptor(const VirtImageSource *source, guint64 length, VirtImageInfo *info)
{
    g_autofree char *text = g_malloc0(length + 1);
    if (length == 0 || !virt_image_read_all(source, DESCRIPTOR_OFFSET, text, length)) {
        virt_image_unsafe(info, "vmdk descriptor is missing or cut short");
        return;
    }
    size_t used = length;
    while (used > 0 && text[used - 1] == '\0')
        used--;
    if (memchr(text, '\0', used) != NULL || !g_str_is_ascii(text)) {
        virt_image_unsafe(info, "vmdk descriptor is not plain text");
        return;
    }
    info->subformat = create_type(text);
    bool allowed = false;
    for (size_t i = 0; i < G_N_ELEMENTS(allowed_types); i++)
        allowed |= g_strcmp0(info->subformat, allowed_types[i]) == 0;
    if (!allowed)
        virt_image_unsafe(info, "vmdk create type '%s' is not allowed", info->subformat != NULL ? info->subformat : "(none)");
    check_lines(text, info);
}

/* A stream-optimised file may keep its grain directory at the end: then QEMU takes the header's copy in the footer, which must not say anything else. */
static void check_footer(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info)
{
    guint8 footer[SECTOR];
    if (source->size < 3 * SECTOR || !virt_image_read_all(source, source->size - 2 * SECTOR, footer, sizeof footer) ||
        memcmp(footer, "KDMV", 4) != 0) {
        virt_image_unsafe(info, "vmdk footer is missing");
        return;
    }
    /* magic, version, flags, capacity, grain size, descriptor offset and size */
    if (memcmp(head, footer, 44) != 0 || virt_le64(footer + 56) == GRAIN_DIRECTORY_AT_END)
        virt_image_unsafe(info, "vmdk footer differs from the header");
}

void virt_image_read_vmdk(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info)
{
    guint32 version = virt_le32(head + 4);
    guint64 sectors = virt_le64(head + 12), descriptor_sector = virt_le64(head + 28), descriptor_sectors = virt_le64(head + 36);
    if (version < 1 || version > 3) {
        virt_image_unsafe(info, "vmdk version %u is not known", version);
        return;
    }
    if (descriptor_sector != DESCRIPTOR_OFFSET / SECTOR) {
        virt_image_unsafe(info, "vmdk descriptor is not where it belongs");
        return;
    }
    if (sectors > (guint64)G_MAXINT64 / SECTOR) {
        virt_image_unsafe(info, "vmdk size is out of range");
        return;
    }
    info->virtual_size = sectors * SECTOR;
    if (virt_le64(head + 56) == GRAIN_DIRECTORY_AT_END)
        check_footer(source, head, info);
    guint64 length = descriptor_sectors > DESCRIPTOR_MAX / SECTOR ? DESCRIPTOR_MAX : descriptor_sectors * SECTOR;
    check_descriptor(source, length, info);
}
