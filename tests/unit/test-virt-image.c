/* SPDX-License-Identifier: Apache-2.0 */
/* The image reader against good and hostile headers. */
#include "config.h"

#include "virt/error.h"
#include "virt/image.h"

#include <glib/gstdio.h>
#include <string.h>

#define SIZE (256 * 1024 + 128 * 1024)

typedef struct {
    guint8 bytes[SIZE];
    guint64 size; /* of the pretended whole */
} Image;

static void be32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_BE(value);
    memcpy(at, &value, 4);
}

static void be64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_BE(value);
    memcpy(at, &value, 8);
}

static void le32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, 4);
}

static void le64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_LE(value);
    memcpy(at, &value, 8);
}

static void make_qcow2(Image *image)
{
    guint8 *b = image->bytes;
    memcpy(b, "QFI\xfb", 4);
    be32(b + 4, 3);
    be32(b + 20, 16);
    be64(b + 24, (guint64)1 << 30);
    be32(b + 36, 2);
    be64(b + 40, 0x30000);
    be32(b + 100, 104);
}

#define VMDK_TEXT "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicSparse\"\nRW 2048 SPARSE \"disk.vmdk\"\nddb.adapterType = \"ide\"\n"

static void make_vmdk_text(Image *image, const char *text)
{
    guint8 *b = image->bytes;
    memcpy(b, "KDMV", 4);
    le32(b + 4, 1);
    le64(b + 12, 2048);
    le64(b + 20, 128);
    le64(b + 28, 1);
    le64(b + 36, 20);
    memset(b + 512, 0, 20 * 512);
    memcpy(b + 512, text, strlen(text));
}

static void make_vmdk(Image *image)
{
    make_vmdk_text(image, VMDK_TEXT);
}

static void make_vhd(Image *image)
{
    memcpy(image->bytes, "conectix", 8);
    be64(image->bytes + 48, 1 << 20);
    be32(image->bytes + 60, 3);
}

static void make_vdi(Image *image)
{
    le32(image->bytes + 0x40, 0xbeda107f);
    le32(image->bytes + 0x4c, 1);
    le64(image->bytes + 0x170, 1 << 20);
}

static void make_vhdx(Image *image)
{
    static const guint8 region[16] = {0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E};
    static const guint8 size[16] = {0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8};
    static const guint8 parameters[16] = {0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B};
    guint8 *b = image->bytes, *table = b + 192 * 1024, *metadata = b + 256 * 1024;
    memcpy(b, "vhdxfile", 8);
    memcpy(table, "regi", 4);
    le32(table + 8, 1);
    memcpy(table + 16, region, 16);
    le64(table + 32, 256 * 1024);
    le32(table + 40, 64 * 1024);
    memcpy(metadata, "metadata", 8);
    metadata[10] = 2;
    memcpy(metadata + 32, size, 16);
    le32(metadata + 48, 64 * 1024);
    le32(metadata + 52, 8);
    memcpy(metadata + 64, parameters, 16);
    le32(metadata + 80, 64 * 1024 + 8);
    le32(metadata + 84, 8);
    le64(metadata + 64 * 1024, 1 << 20);
}

static void make_iso(Image *image)
{
    image->bytes[32768] = 1;
    memcpy(image->bytes + 32769, "CD001", 5);
}

static void make_mbr(Image *image)
{
    image->bytes[510] = 0x55;
    image->bytes[511] = 0xaa;
    image->bytes[446 + 4] = 0xee;
}

static void make_raw(Image *image)
{
    memset(image->bytes, 'x', 600);
}

static Image *image_new(void (*make)(Image *))
{
    Image *image = g_new0(Image, 1);
    image->size = SIZE;
    make(image);
    return image;
}

static void inspect(const Image *image, VirtImageInfo *info)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(virt_image_inspect_bytes(image->bytes, SIZE, image->size, info, &error));
    g_assert_no_error(error);
}

static void test_formats(void)
{
    static const struct {
        void (*make)(Image *);
        VirtImageFormat format;
        guint64 size;
    } cases[] = {
        {make_raw, VIRT_IMAGE_RAW, SIZE}, {make_qcow2, VIRT_IMAGE_QCOW2, 1 << 30}, {make_vmdk, VIRT_IMAGE_VMDK, 1 << 20},
        {make_vhd, VIRT_IMAGE_VHD, 1 << 20}, {make_vhdx, VIRT_IMAGE_VHDX, 1 << 20}, {make_vdi, VIRT_IMAGE_VDI, 1 << 20},
        {make_iso, VIRT_IMAGE_ISO, SIZE}, {make_mbr, VIRT_IMAGE_GPT, SIZE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree Image *image = image_new(cases[i].make);
        g_auto(VirtImageInfo) info = {0};
        inspect(image, &info);
        g_assert_cmpint(info.format, ==, cases[i].format);
        g_assert_cmpstr(info.unsafe, ==, NULL);
        g_assert_cmpuint(info.virtual_size, ==, cases[i].size);
    }
}

/* Each is the good image with one thing changed, and why it is refused. */
static void qcow2_backing(Image *image)
{
    make_qcow2(image);
    be64(image->bytes + 8, 512);
    be32(image->bytes + 16, 11);
    memcpy(image->bytes + 512, "/etc/passwd", 11);
}
static void qcow2_backing_no_name(Image *image)
{
    make_qcow2(image);
    be64(image->bytes + 8, G_MAXUINT64);
    be32(image->bytes + 16, G_MAXUINT32);
}
static void qcow2_data_file(Image *image)
{
    make_qcow2(image);
    be64(image->bytes + 72, 4);
}
static void qcow2_data_file_name(Image *image)
{
    make_qcow2(image);
    be32(image->bytes + 104, 0x44415441);
    be32(image->bytes + 108, 4);
    memcpy(image->bytes + 112, "/tmp", 4);
}
static void qcow2_feature(Image *image)
{
    make_qcow2(image);
    be64(image->bytes + 72, (guint64)1 << 4);
}
static void qcow2_feature_high(Image *image)
{
    make_qcow2(image);
    be64(image->bytes + 72, (guint64)1 << 63);
}
static void qcow2_version(Image *image)
{
    make_qcow2(image);
    be32(image->bytes + 4, 4);
}
static void qcow2_clusters(Image *image)
{
    make_qcow2(image);
    be32(image->bytes + 20, 63);
}
static void qcow2_encrypted(Image *image)
{
    make_qcow2(image);
    be32(image->bytes + 32, 1);
}
static void qcow2_l1(Image *image)
{
    make_qcow2(image);
    be32(image->bytes + 36, 1);
}
static void qcow2_huge(Image *image)
{
    make_qcow2(image);
    be64(image->bytes + 24, G_MAXUINT64);
}
static void qcow2_header_length(Image *image)
{
    make_qcow2(image);
    be32(image->bytes + 100, G_MAXUINT32);
}
static void qcow2_extension(Image *image)
{
    make_qcow2(image);
    be32(image->bytes + 104, 0x12345678);
    be32(image->bytes + 108, G_MAXUINT32);
}
static void vmdk_flat(Image *image)
{
    make_vmdk_text(image, "version=1\ncreateType=\"monolithicFlat\"\nRW 2048 FLAT \"disk-flat.vmdk\" 0\n");
}
static void vmdk_path(Image *image)
{
    make_vmdk_text(image, "version=1\ncreateType=\"monolithicSparse\"\nRW 2048 SPARSE \"/etc/passwd\"\n");
}
static void vmdk_parent(Image *image)
{
    make_vmdk_text(image, "version=1\nparentCID=12345678\ncreateType=\"monolithicSparse\"\nRW 2048 SPARSE \"d.vmdk\"\n");
}
static void vmdk_no_extent(Image *image)
{
    make_vmdk_text(image, "version=1\ncreateType=\"monolithicSparse\"\n");
}
static void vmdk_line(Image *image)
{
    make_vmdk_text(image, "version=1\ncreateType=\"monolithicSparse\"\nRW 2048 SPARSE \"d.vmdk\"\nsomething else here\n");
}
static void vmdk_binary(Image *image)
{
    make_vmdk_text(image, "version=1\ncreateType=\"monolithicSparse\"\nRW 2048 SPARSE \"\xff\xfe\"\n");
}
static void vmdk_descriptor_place(Image *image)
{
    make_vmdk(image);
    le64(image->bytes + 28, 2);
}
static void vmdk_descriptor_size(Image *image)
{
    make_vmdk(image);
    le64(image->bytes + 36, G_MAXUINT64);
}
static void vmdk_no_footer(Image *image)
{
    make_vmdk(image);
    le64(image->bytes + 56, G_MAXUINT64);
}
static void vmdk_text_only(Image *image)
{
    memcpy(image->bytes, VMDK_TEXT, strlen(VMDK_TEXT));
}
static void vhd_differencing(Image *image)
{
    make_vhd(image);
    be32(image->bytes + 60, 4);
}
static void vhdx_parent(Image *image)
{
    make_vhdx(image);
    le32(image->bytes + 256 * 1024 + 64 * 1024 + 12, 2);
}
static void vhdx_no_regions(Image *image)
{
    memcpy(image->bytes, "vhdxfile", 8);
}
static void vhdx_far_metadata(Image *image)
{
    make_vhdx(image);
    le64(image->bytes + 192 * 1024 + 32, G_MAXUINT64 - 5);
}
static void vdi_parent(Image *image)
{
    make_vdi(image);
    image->bytes[0x1b8] = 1;
}
static void qed(Image *image)
{
    memcpy(image->bytes, "QED\0", 4);
}

static void test_hostile(void)
{
    static const struct {
        void (*make)(Image *);
        const char *reason;
    } cases[] = {
        {qcow2_backing, "backing file"}, {qcow2_backing_no_name, "backing file"}, {qcow2_data_file, "external data file"},
        {qcow2_data_file_name, "external data file"}, {qcow2_feature, "unknown incompatible"}, {qcow2_feature_high, "unknown incompatible"},
        {qcow2_version, "version 4"}, {qcow2_clusters, "malformed"}, {qcow2_encrypted, "encrypted"}, {qcow2_l1, "L1 table"},
        {qcow2_huge, "out of range"}, {qcow2_header_length, "header length"}, {qcow2_extension, "extension"},
        {vmdk_flat, "create type 'monolithicFlat'"}, {vmdk_path, "path"}, {vmdk_parent, "parent"}, {vmdk_no_extent, "no extent"},
        {vmdk_line, "not understood"}, {vmdk_binary, "plain text"}, {vmdk_descriptor_place, "descriptor"}, {vmdk_descriptor_size, "descriptor"},
        {vmdk_no_footer, "footer"}, {vmdk_text_only, "other files"}, {vhd_differencing, "disk type 4"}, {vhdx_parent, "parent"},
        {vhdx_no_regions, "region table"}, {vhdx_far_metadata, "metadata"}, {vdi_parent, "parent"}, {qed, "not supported"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree Image *image = image_new(cases[i].make);
        g_auto(VirtImageInfo) info = {0};
        inspect(image, &info);
        g_test_message("case %zu: %s", i, info.unsafe);
        g_assert_nonnull(info.unsafe);
        g_assert_nonnull(strstr(info.unsafe, cases[i].reason));
    }
}

static void qcow2_and_iso(Image *image)
{
    make_qcow2(image);
    make_iso(image);
}
static void vhd_and_vdi(Image *image)
{
    make_vhd(image);
    make_vdi(image);
}

static void test_two_formats(void)
{
    static void (*const cases[])(Image *) = {qcow2_and_iso, vhd_and_vdi};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree Image *image = image_new(cases[i]);
        g_auto(VirtImageInfo) info = {0};
        g_autoptr(GError) error = NULL;
        g_assert_false(virt_image_inspect_bytes(image->bytes, SIZE, SIZE, &info, &error));
        g_assert_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE);
    }
}

static void iso_and_mbr(Image *image)
{
    make_iso(image);
    make_mbr(image);
}

/* Every prefix of a good image must be read without running past its end. */
static void test_short(void)
{
    static void (*const makes[])(Image *) = {make_qcow2, make_vmdk, make_vhd, make_vdi, make_vhdx, make_iso};
    for (size_t i = 0; i < G_N_ELEMENTS(makes); i++) {
        g_autofree Image *image = image_new(makes[i]);
        for (size_t length = 0; length < SIZE; length += length < 2048 ? 1 : 4093) {
            g_autofree guint8 *copy = g_memdup2(image->bytes, length);
            g_auto(VirtImageInfo) info = {0};
            g_assert_true(virt_image_inspect_bytes(copy, length, length, &info, NULL));
        }
    }
}

static char *write_image(const char *directory, const char *name, void (*make)(Image *))
{
    g_autofree Image *image = image_new(make);
    char *path = g_build_filename(directory, name, NULL);
    g_assert_true(g_file_set_contents(path, (const char *)image->bytes, SIZE, NULL));
    return path;
}

/* What Glance says must be what is there. */
static void test_check(void)
{
    static const struct {
        void (*make)(Image *);
        const char *declared;
        guint64 max;
        int code; /* -1: good */
    } cases[] = {
        {make_raw, "raw", 0, -1}, {make_mbr, "raw", 0, -1}, {make_qcow2, "qcow2", 0, -1}, {make_qcow2, "ami", 0, -1}, {make_iso, "iso", 0, -1},
        {iso_and_mbr, "iso", 0, -1}, {make_vhd, "vhd", 0, -1}, {make_vmdk, "vmdk", 0, -1},
        {make_qcow2, "raw", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE}, {make_raw, "qcow2", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE},
        {make_vmdk, "qcow2", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE}, {make_iso, "raw", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE},
        {make_raw, "iso", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE}, {make_raw, "ploop", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE},
        {make_raw, NULL, 0, VIRT_ERROR_IMAGE_UNACCEPTABLE}, {qcow2_backing, "qcow2", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE},
        {qcow2_backing, "ami", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE}, {qed, "qed", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE},
        {make_qcow2, "qcow2", (1 << 30) - 1, VIRT_ERROR_DISK_TOO_SMALL}, {make_qcow2, "qcow2", 1 << 30, -1},
        {make_raw, "raw", SIZE - 1, VIRT_ERROR_DISK_TOO_SMALL},
    };
    g_autofree char *directory = g_dir_make_tmp("novad-image-XXXXXX", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = write_image(directory, "image", cases[i].make);
        g_auto(VirtImageInfo) info = {0};
        g_autoptr(GError) error = NULL;
        bool good = virt_image_check(path, cases[i].declared, cases[i].max, &info, &error);
        g_test_message("case %zu: %s", i, error != NULL ? error->message : "good");
        if (cases[i].code < 0)
            g_assert_no_error(error);
        else
            g_assert_error(error, VIRT_ERROR, cases[i].code);
        g_assert_true(good == (cases[i].code < 0));
        g_unlink(path);
    }
    g_auto(VirtImageInfo) info = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(virt_image_inspect(directory, &info, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE);
    g_clear_error(&error);
    g_assert_false(virt_image_inspect("/nonexistent/image", &info, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_FOUND);
    g_rmdir(directory);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/image/formats", test_formats);
    g_test_add_func("/virt/image/hostile", test_hostile);
    g_test_add_func("/virt/image/two-formats", test_two_formats);
    g_test_add_func("/virt/image/short", test_short);
    g_test_add_func("/virt/image/check", test_check);
    return g_test_run();
}
