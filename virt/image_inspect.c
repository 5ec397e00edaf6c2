/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/error.h"
#include "virt/image_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 512
#define ISO_OFFSET (32 * 1024)
#define ISO_LENGTH 2048

guint16 virt_le16(const guint8 *bytes)
{
    return (guint16)(bytes[0] | bytes[1] << 8);
}

guint32 virt_le32(const guint8 *bytes)
{
    return (guint32)virt_le16(bytes) | (guint32)virt_le16(bytes + 2) << 16;
}

guint64 virt_le64(const guint8 *bytes)
{
    return (guint64)virt_le32(bytes) | (guint64)virt_le32(bytes + 4) << 32;
}

guint32 virt_be32(const guint8 *bytes)
{
    return GUINT32_SWAP_LE_BE(virt_le32(bytes));
}

guint64 virt_be64(const guint8 *bytes)
{
    return GUINT64_SWAP_LE_BE(virt_le64(bytes));
}

static const struct {
    const char *name, *qemu;
    bool glance; /* a disk_format that an image may have here */
} format_names[] = {
    [VIRT_IMAGE_RAW] = {"raw", "raw", true},    [VIRT_IMAGE_QCOW2] = {"qcow2", "qcow2", true}, [VIRT_IMAGE_QED] = {"qed", "qed", true},
    [VIRT_IMAGE_VMDK] = {"vmdk", "vmdk", true}, [VIRT_IMAGE_VHD] = {"vhd", "vpc", true},       [VIRT_IMAGE_VHDX] = {"vhdx", "vhdx", true},
    [VIRT_IMAGE_VDI] = {"vdi", "vdi", true},    [VIRT_IMAGE_ISO] = {"iso", "raw", true},       [VIRT_IMAGE_GPT] = {"gpt", "raw", false},
    [VIRT_IMAGE_LUKS] = {"luks", "raw", false},
};

const char *virt_image_format_name(VirtImageFormat format)
{
    return (size_t)format < G_N_ELEMENTS(format_names) ? format_names[format].name : "unknown";
}

const char *virt_image_format_qemu(VirtImageFormat format)
{
    return (size_t)format < G_N_ELEMENTS(format_names) ? format_names[format].qemu : "raw";
}

bool virt_image_format_from_name(const char *name, VirtImageFormat *format)
{
    for (size_t i = 0; i < G_N_ELEMENTS(format_names); i++)
        if (format_names[i].glance && g_strcmp0(name, format_names[i].name) == 0) {
            *format = (VirtImageFormat)i;
            return true;
        }
    return false;
}

void virt_image_info_clear(VirtImageInfo *info)
{
    g_free(info->backing_file);
    g_free(info->backing_format);
    g_free(info->subformat);
    g_free(info->unsafe);
    *info = (VirtImageInfo){0};
}

void virt_image_unsafe(VirtImageInfo *info, const char *format, ...)
{
    if (info->unsafe != NULL)
        return;
    va_list args;
    va_start(args, format);
    info->unsafe = g_strdup_vprintf(format, args);
    va_end(args);
}

gssize virt_image_read(const VirtImageSource *source, guint64 offset, void *buffer, size_t length)
{
    if (source->fd < 0) {
        if (offset >= source->length)
            return 0;
        size_t some = MIN(length, source->length - (size_t)offset);
        memcpy(buffer, source->bytes + offset, some);
        return (gssize)some;
    }
    size_t done = 0;
    if (offset > (guint64)G_MAXINT64 - length)
        return 0;
    while (done < length) {
        ssize_t got = pread(source->fd, (char *)buffer + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (gssize)done;
}

bool virt_image_read_all(const VirtImageSource *source, guint64 offset, void *buffer, size_t length)
{
    return virt_image_read(source, offset, buffer, length) == (gssize)length;
}

static void read_qed(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info)
{
    (void)source;
    info->virtual_size = virt_le64(head + 48);
    virt_image_unsafe(info, "qed images are not supported");
}

/* The formats with a signature at a fixed place in the first sector. */
static const struct {
    VirtImageFormat format;
    size_t offset;
    const char *magic;
    size_t length;
    void (*read)(const VirtImageSource *source, const guint8 *head, VirtImageInfo *info);
} signatures[] = {
    {VIRT_IMAGE_QCOW2, 0, "QFI\xfb", 4, virt_image_read_qcow2},
    {VIRT_IMAGE_QED, 0, "QED\0", 4, read_qed},
    {VIRT_IMAGE_VMDK, 0, "KDMV", 4, virt_image_read_vmdk},
    {VIRT_IMAGE_VHD, 0, "conectix", 8, virt_image_read_vhd},
    {VIRT_IMAGE_VHDX, 0, "vhdxfile", 8, virt_image_read_vhdx},
    {VIRT_IMAGE_VDI, 0x40, "\x7f\x10\xda\xbe", 4, virt_image_read_vdi},
    {VIRT_IMAGE_LUKS, 0, "LUKS\xba\xbe", 6, NULL},
};

/* A text-only VMDK descriptor refers to other files by name. QEMU recognises it, so must we. */
static bool is_vmdk_descriptor(const guint8 *head)
{
    return memcmp(head, "# Disk DescriptorFile", strlen("# Disk DescriptorFile")) == 0;
}

static bool is_iso(const VirtImageSource *source)
{
    guint8 header[ISO_LENGTH];
    return virt_image_read_all(source, ISO_OFFSET, header, sizeof header) &&
        (memcmp(header + 1, "CD001", 5) == 0 || memcmp(header + 1, "NSR02", 5) == 0 || memcmp(header + 1, "NSR03", 5) == 0);
}

/* A boot sector with at least one sane partition entry (a GPT has a protective one): a whole disk. */
static bool is_partitioned(const guint8 *head)
{
    if (head[510] != 0x55 || head[511] != 0xaa)
        return false;
    bool any = false;
    for (size_t i = 0; i < 4; i++) {
        const guint8 *entry = head + 446 + 16 * i;
        if (entry[0] != 0 && entry[0] != 0x80)
            return false;
        any |= entry[4] != 0;
    }
    return any;
}

static void set_file_size(const VirtImageSource *source, VirtImageFormat format, VirtImageInfo *info)
{
    info->format = format;
    info->virtual_size = source->size;
}

static bool inspect(const VirtImageSource *source, VirtImageInfo *info, GError **error)
{
    guint8 head[HEAD] = {0};
    if (virt_image_read(source, 0, head, sizeof head) < 0)
        return virt_error_set_errno(error, errno, "read image");
    *info = (VirtImageInfo){0};
    int found = -1;
    for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++) {
        if (memcmp(head + signatures[i].offset, signatures[i].magic, signatures[i].length) != 0)
            continue;
        if (found >= 0) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "multiple formats detected: %s, %s",
                virt_image_format_name(signatures[found].format), virt_image_format_name(signatures[i].format));
            return false;
        }
        found = (int)i;
    }
    /* A hybrid ISO has a partition table as well, which is fine; any other second format is an attempt to be taken for both. */
    bool iso = is_iso(source);
    if (iso && (found >= 0 || is_vmdk_descriptor(head))) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "multiple formats detected: iso, %s",
            found >= 0 ? virt_image_format_name(signatures[found].format) : "vmdk");
        return false;
    }
    if (found >= 0) {
        set_file_size(source, signatures[found].format, info);
        if (signatures[found].read != NULL)
            signatures[found].read(source, head, info);
        return true;
    }
    set_file_size(source, iso ? VIRT_IMAGE_ISO : is_partitioned(head) ? VIRT_IMAGE_GPT : VIRT_IMAGE_RAW, info);
    if (is_vmdk_descriptor(head)) {
        info->format = VIRT_IMAGE_VMDK;
        virt_image_unsafe(info, "vmdk descriptor names other files");
    }
    return true;
}

bool virt_image_inspect_fd(int fd, VirtImageInfo *info, GError **error)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return virt_error_set_errno(error, errno, "stat image");
    if (!S_ISREG(status.st_mode)) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "image is not a regular file");
        return false;
    }
    VirtImageSource source = {.fd = fd, .size = (guint64)status.st_size};
    return inspect(&source, info, error);
}

bool virt_image_inspect(const char *path, VirtImageInfo *info, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return virt_error_set_errno(error, errno, "open image '%s'", path);
    bool inspected = virt_image_inspect_fd(fd, info, error);
    close(fd);
    if (!inspected)
        g_prefix_error(error, "inspect image '%s': ", path);
    return inspected;
}

bool virt_image_inspect_bytes(const guint8 *bytes, size_t length, guint64 size, VirtImageInfo *info, GError **error)
{
    VirtImageSource source = {.fd = -1, .bytes = bytes, .length = length, .size = MAX(size, length)};
    return inspect(&source, info, error);
}

/* Formats that are all plain bytes to nova. */
static bool is_plain(VirtImageFormat format)
{
    return format == VIRT_IMAGE_RAW || format == VIRT_IMAGE_GPT || format == VIRT_IMAGE_LUKS;
}

static bool unacceptable(GError **error, const char *reason)
{
    g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, reason);
    return false;
}

bool virt_image_check(const char *path, const char *declared, guint64 max_virtual_size, VirtImageInfo *info, GError **error)
{
    static const char *const amazon[] = {"ami", "aki", "ari", NULL}; /* may be anything inside */
    bool any = declared != NULL && g_strv_contains(amazon, declared);
    VirtImageFormat wanted = VIRT_IMAGE_RAW;
    if (!any && !virt_image_format_from_name(declared, &wanted))
        return unacceptable(error, "image not in a supported format");
    g_auto(VirtImageInfo) found = {0};
    if (!virt_image_inspect(path, &found, error))
        return false;
    if (found.unsafe != NULL) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "image does not pass safety check: %s", found.unsafe);
        return false;
    }
    if (!any && found.format != wanted && !(wanted == VIRT_IMAGE_RAW && is_plain(found.format))) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE, "image content does not match disk_format: it is %s, not %s",
            virt_image_format_name(found.format), declared);
        return false;
    }
    if (max_virtual_size > 0 && found.virtual_size > max_virtual_size) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DISK_TOO_SMALL,
            "flavor's disk is too small for requested image: flavor disk is %" G_GUINT64_FORMAT " bytes, image is %" G_GUINT64_FORMAT " bytes",
            max_virtual_size, found.virtual_size);
        return false;
    }
    *info = found;
    found = (VirtImageInfo){0};
    return true;
}
