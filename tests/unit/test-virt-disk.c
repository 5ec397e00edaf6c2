/* SPDX-License-Identifier: Apache-2.0 */
/* The image cache and instance disks, with the real qemu-img. */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "virt/disk.h"
#include "virt/disk_info.h"
#include "virt/disk_ops.h"
#include "virt/disk_resize.h"
#include "virt/error.h"
#include "virt/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define IMAGE "70a599e0-31e7-49b7-b260-868f441e862b"
#define MIB ((guint64)1 << 20)

typedef struct {
    char *directory;
    VirtImageCache cache;
    VirtDiskOptions options;
    const char *source; /* what download copies */
    unsigned downloads;
    bool mounted;
} Fixture;

static bool have_qemu_img(void)
{
    g_autofree char *program = g_find_program_in_path("qemu-img");
    return program != NULL;
}

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->directory = g_dir_make_tmp("novad-disk-XXXXXX", NULL);
    fixture->cache = (VirtImageCache){.instances_path = g_strdup(fixture->directory), .subdirectory = g_strdup("_base"), .force_raw_images = true,
        .limits = {.address_space_gib = 1, .cpu_time_s = 30}};
    fixture->options = (VirtDiskOptions){.cache = &fixture->cache, .backend = VIRT_DISK_BACKEND_QCOW2};
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    if (fixture->mounted)
        umount2(fixture->directory, MNT_DETACH);
    g_autoptr(GError) error = NULL;
    nd_tree_remove(fixture->directory, &error);
    g_assert_no_error(error);
    virt_image_cache_clear(&fixture->cache);
    g_free(fixture->directory);
}

static char *in_directory(Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->directory, name, NULL);
}

static bool download(const char *path, gpointer data, GError **error)
{
    Fixture *fixture = data;
    fixture->downloads++;
    return virt_file_copy(fixture->source, path, NULL, error);
}

static bool broken_download(const char *path, gpointer data, GError **error)
{
    (void)data;
    g_assert_true(g_file_set_contents(path, "half", 4, NULL));
    g_set_error_literal(error, ND_ERROR, ND_ERROR_IO, "connection reset");
    return false;
}

static VirtImageRequest request(Fixture *fixture, const char *format)
{
    return (VirtImageRequest){.image_id = IMAGE, .disk_format = format, .download = download, .user_data = fixture};
}

static void qemu_img(const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    nd_subprocess_output(argv, 60, NULL, &error);
    g_assert_no_error(error);
}

/* A source image of 8 MiB with some data in it. */
static char *make_source(Fixture *fixture, const char *format)
{
    g_autofree char *raw = in_directory(fixture, "source.raw");
    char *path = in_directory(fixture, "source.img");
    g_autofree char *content = g_malloc(MIB);
    memset(content, 'd', MIB);
    g_assert_true(g_file_set_contents(raw, content, MIB, NULL));
    g_assert_cmpint(truncate(raw, 8 * MIB), ==, 0);
    qemu_img((const char *[]){"qemu-img", "convert", "-f", "raw", "-O", format, raw, path, NULL});
    g_unlink(raw);
    fixture->source = path;
    return path;
}

static unsigned count_files(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    unsigned count = 0;
    while (dir != NULL && g_dir_read_name(dir) != NULL)
        count++;
    return count;
}

static void assert_base_empty(Fixture *fixture)
{
    g_autofree char *base = in_directory(fixture, "_base");
    g_assert_cmpuint(count_files(base), ==, 0);
}

#define NEEDS_QEMU_IMG() \
    do { \
        if (!have_qemu_img()) { \
            g_test_skip("no qemu-img"); \
            return; \
        } \
    } while (0)

static void test_overlay(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    g_autofree char *source = make_source(fixture, "qcow2");
    VirtImageRequest image = request(fixture, "qcow2");
    g_assert_true(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 16 * MIB, &error));
    g_assert_no_error(error);

    g_autofree char *name = virt_image_cache_name(IMAGE), *base = virt_image_cache_path(&fixture->cache, name);
    g_autofree char *disk = virt_disk_path(fixture->directory, UUID, "disk");
    g_auto(VirtImageInfo) base_info = {0}, disk_info = {0};
    g_assert_true(virt_image_inspect(base, &base_info, &error));
    g_assert_cmpint(base_info.format, ==, VIRT_IMAGE_RAW); /* converted */
    g_assert_cmpuint(base_info.virtual_size, ==, 8 * MIB);
    g_assert_true(virt_image_inspect(disk, &disk_info, &error));
    g_assert_cmpint(disk_info.format, ==, VIRT_IMAGE_QCOW2);
    g_assert_cmpuint(disk_info.virtual_size, ==, 16 * MIB);
    g_assert_cmpstr(disk_info.backing_file, ==, base);
    g_assert_cmpstr(disk_info.backing_format, ==, "raw");

    /* Again: nothing is fetched or made anew. */
    g_assert_true(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 16 * MIB, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fixture->downloads, ==, 1);
    /* A larger size grows it, a smaller one leaves it. */
    g_assert_true(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 32 * MIB, &error));
    VirtDiskUsage usage;
    g_assert_true(virt_disk_usage(disk, "qcow2", &usage, &error));
    g_assert_cmpuint(usage.virtual_size, ==, 32 * MIB);
    g_assert_cmpint(usage.over_committed, ==, (gint64)(usage.virtual_size - usage.allocated));
    virt_disk_usage_clear(&usage);

    g_autofree char *info = virt_disk_path(fixture->directory, UUID, "disk.info"), *text = NULL;
    g_autofree char *expected = g_strdup_printf("{\"%s\":\"qcow2\"}\n", disk);
    g_assert_true(g_file_get_contents(info, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
    g_autofree char *log = virt_disk_path(fixture->directory, UUID, "console.log");
    g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
    g_autofree char *lock = g_strdup_printf("%s/locks/nova-%s", fixture->directory, name);
    g_assert_true(g_file_test(lock, G_FILE_TEST_EXISTS));
    g_autofree char *base_directory = in_directory(fixture, "_base");
    g_assert_cmpuint(count_files(base_directory), ==, 1);
}

static void test_keep_qcow2(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    g_autofree char *source = make_source(fixture, "qcow2");
    fixture->cache.force_raw_images = false;
    VirtImageRequest image = request(fixture, "qcow2");
    g_assert_true(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 0, &error));
    g_assert_no_error(error);
    g_autofree char *disk = virt_disk_path(fixture->directory, UUID, "disk");
    g_auto(VirtImageInfo) info = {0};
    g_assert_true(virt_image_inspect(disk, &info, &error));
    g_assert_cmpstr(info.backing_format, ==, "qcow2");
    g_assert_cmpuint(info.virtual_size, ==, 8 * MIB);
}

static void test_flat(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    g_autofree char *source = make_source(fixture, "raw");
    fixture->options.backend = VIRT_DISK_BACKEND_FLAT;
    VirtImageRequest image = request(fixture, "raw");
    g_assert_true(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 16 * MIB, &error));
    g_assert_no_error(error);
    g_autofree char *disk = virt_disk_path(fixture->directory, UUID, "disk");
    struct stat status;
    g_assert_cmpint(stat(disk, &status), ==, 0);
    g_assert_cmpint(status.st_size, ==, 16 * MIB);
    g_assert_cmpint(status.st_blocks * 512, <, 4 * MIB); /* holes are kept */
    g_autofree char *format = virt_disk_info_get(fixture->directory, UUID, disk, &error);
    g_assert_cmpstr(format, ==, "raw");
}

/* The guest wrote a qcow2 header into its raw disk: the recorded format still holds. */
static void test_format_is_not_guessed(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *disk = virt_disk_path(fixture->directory, UUID, "disk");
    g_assert_true(virt_disk_directory_create(fixture->directory, UUID, &error));
    g_assert_true(virt_disk_info_record(fixture->directory, UUID, disk, "raw", &error));
    g_assert_no_error(error);
    g_assert_true(virt_disk_info_record(fixture->directory, UUID, disk, "raw", &error));
    g_assert_false(virt_disk_info_record(fixture->directory, UUID, disk, "qcow2", &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT);
    g_clear_error(&error);
    g_assert_null(virt_disk_info_get(fixture->directory, UUID, "/other", &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_autofree char *info = virt_disk_path(fixture->directory, UUID, "disk.info");
    static const char *const broken[] = {"{", "[]", "{\"/other\": \"vmdk\"}", "{\"/other\": 1}"};
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_assert_true(g_file_set_contents(info, broken[i], -1, NULL));
        g_assert_null(virt_disk_info_get(fixture->directory, UUID, "/other", &error));
        g_assert_error(error, VIRT_ERROR, VIRT_ERROR_DISK_FORMAT);
        g_clear_error(&error);
    }
}

static void test_refused(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autofree char *source = make_source(fixture, "qcow2");
    static const struct {
        const char *declared;
        guint64 size;
        int code;
    } cases[] = {{"raw", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE}, {"vmdk", 0, VIRT_ERROR_IMAGE_UNACCEPTABLE}, {"qcow2", 4 * MIB, VIRT_ERROR_DISK_TOO_SMALL}};
    g_autofree char *disk = virt_disk_path(fixture->directory, UUID, "disk");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        VirtImageRequest image = request(fixture, cases[i].declared);
        g_assert_false(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, cases[i].size, &error));
        g_assert_error(error, VIRT_ERROR, cases[i].code);
        assert_base_empty(fixture);
        g_assert_false(g_file_test(disk, G_FILE_TEST_EXISTS));
    }
}

/* An image inside an image: after conversion the raw bytes would be taken for qcow2. */
static void test_nested(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    g_autofree char *inner = make_source(fixture, "qcow2"), *outer = in_directory(fixture, "outer.img");
    qemu_img((const char *[]){"qemu-img", "convert", "-f", "raw", "-O", "qcow2", inner, outer, NULL});
    fixture->source = outer;
    VirtImageRequest image = request(fixture, "qcow2");
    g_assert_false(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 0, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE);
    assert_base_empty(fixture);
}

static void test_broken_download(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    VirtImageRequest image = request(fixture, "raw");
    image.download = broken_download;
    g_assert_false(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 0, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    assert_base_empty(fixture);
}

/* A cut qcow2, which QEMU would read as zeros. */
static void test_truncated(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    g_autofree char *source = make_source(fixture, "qcow2");
    g_assert_cmpint(truncate(source, 1024), ==, 0);
    VirtImageRequest image = request(fixture, "qcow2");
    g_assert_false(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 0, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE);
    assert_base_empty(fixture);
}

static void test_full(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    if (mount("none", fixture->directory, "tmpfs", 0, "size=2m") < 0) {
        g_test_skip("may not mount a tmpfs");
        return;
    }
    fixture->mounted = true;
    g_autofree char *outside = g_dir_make_tmp("novad-source-XXXXXX", NULL), *raw = g_build_filename(outside, "raw", NULL);
    g_autofree char *content = g_malloc(4 * MIB);
    for (size_t i = 0; i < 4 * MIB; i++)
        content[i] = (char)(i * 31 + i / 977);
    g_assert_true(g_file_set_contents(raw, content, 4 * MIB, NULL));
    fixture->source = raw;
    VirtImageRequest image = request(fixture, "raw");
    g_assert_false(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 0, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NO_SPACE);
    assert_base_empty(fixture);
    g_clear_error(&error);

    /* It fits as qcow2 (compressed), but not when it is converted. */
    g_autofree char *packed = g_build_filename(outside, "packed", NULL);
    memset(content, 'z', 4 * MIB);
    g_assert_true(g_file_set_contents(raw, content, 4 * MIB, NULL));
    qemu_img((const char *[]){"qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, packed, NULL});
    fixture->source = packed;
    image = request(fixture, "qcow2");
    g_assert_false(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 0, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NO_SPACE);
    assert_base_empty(fixture);
    nd_tree_remove(outside, NULL);
}

static void test_blank(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    /* The seven digits are those of md5("vfat"), as upstream names it. */
    VirtEphemeralRequest plain = {.size = (guint64)1 << 30, .label = "ephemeral0", .os_type = NULL};
    g_autofree char *name = virt_ephemeral_name(&plain);
    g_assert_cmpstr(name, ==, "ephemeral_1_0706d66");
    VirtEphemeralRequest linux_guest = plain;
    linux_guest.os_type = "linux";
    g_autofree char *linux_name = virt_ephemeral_name(&linux_guest);
    g_assert_cmpstr(linux_name, ==, "ephemeral_1_0706d66"); /* upstream names by the default whatever the OS */
    g_autofree char *swap_name = virt_swap_name(16);
    g_assert_cmpstr(swap_name, ==, "swap_16");

    g_assert_true(virt_disk_create_ephemeral(&fixture->options, UUID, "disk.eph0", &linux_guest, &error));
    g_assert_no_error(error);
    g_assert_true(virt_disk_create_swap(&fixture->options, UUID, "disk.swap", 16, &error));
    g_assert_no_error(error);
    g_autofree char *base = virt_image_cache_path(&fixture->cache, "swap_16"), *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(base, &content, &length, NULL));
    g_assert_cmpuint(length, ==, 16 * MIB);
    g_assert_cmpmem(content + 4096 - 10, 10, "SWAPSPACE2", 10);
    g_autofree char *ephemeral = virt_image_cache_path(&fixture->cache, name);
    guint8 superblock[2];
    int fd = open(ephemeral, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(pread(fd, superblock, 2, 1024 + 56), ==, 2);
    close(fd);
    g_assert_cmphex(superblock[0] | superblock[1] << 8, ==, 0xef53); /* ext4 */

    fixture->options.backend = VIRT_DISK_BACKEND_FLAT;
    g_assert_true(virt_disk_create_swap(&fixture->options, "other", "disk.swap", 8, &error));
    g_assert_no_error(error);
    g_autofree char *flat = virt_disk_path(fixture->directory, "other", "disk.swap"), *not_cached = virt_image_cache_path(&fixture->cache, "swap_8");
    g_assert_true(g_file_test(flat, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(not_cached, G_FILE_TEST_EXISTS));
}

static void test_configured_mkfs(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    const char *const commands[] = {"default=mkfs -t ext4 -F -L %(fs_label)s %(target)s", "windows=false %(target)s", NULL};
    VirtEphemeralRequest ephemeral = {.size = 8 * MIB, .label = "ephemeral0", .os_type = "linux", .virt_mkfs = commands};
    g_assert_true(virt_disk_create_ephemeral(&fixture->options, UUID, "disk.eph0", &ephemeral, &error));
    g_assert_no_error(error);
    ephemeral.os_type = "windows";
    g_assert_false(virt_disk_create_ephemeral(&fixture->options, UUID, "disk.eph1", &ephemeral, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_FAILED);
    g_autofree char *base = in_directory(fixture, "_base");
    g_assert_cmpuint(count_files(base), ==, 1);
}

static void test_delete(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    static const char *const left[][2] = {{UUID, NULL}, {UUID "_resize", NULL}, {UUID "_del", NULL}, {UUID, UUID "_del"}, {NULL, NULL}};
    for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
        for (size_t j = 0; j < 2; j++)
            if (left[i][j] != NULL)
                g_assert_true(virt_disk_directory_create(fixture->directory, left[i][j], NULL));
        g_assert_true(virt_disk_delete(fixture->directory, UUID, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(count_files(fixture->directory), ==, 0);
    }
    g_assert_true(virt_disk_directory_create(fixture->directory, UUID, NULL));
    g_assert_true(virt_disk_exists(fixture->directory, UUID));
    static const char *const bad[] = {"", "..", "a/../b"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(virt_disk_delete(fixture->directory, bad[i], &error));
        g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
        g_clear_error(&error);
    }
    g_assert_true(virt_disk_exists(fixture->directory, UUID));
}

/* A snapshot's way: flatten an overlay, then pack it. */
static void test_convert_and_rebase(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    g_autofree char *source = make_source(fixture, "qcow2");
    VirtImageRequest image = request(fixture, "qcow2");
    g_assert_true(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 16 * MIB, &error));
    g_assert_no_error(error);
    g_autofree char *disk = virt_disk_path(fixture->directory, UUID, "disk"), *packed = in_directory(fixture, "packed"), *moved = in_directory(fixture, "moved");
    g_autofree char *name = virt_image_cache_name(IMAGE), *base = virt_image_cache_path(&fixture->cache, name);
    g_auto(VirtImageInfo) flat = {0}, info = {0}, overlay = {0};

    g_assert_true(virt_image_convert(disk, VIRT_IMAGE_QCOW2, packed, VIRT_IMAGE_QCOW2, true, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(virt_image_check(packed, "qcow2", 0, &info, &error)); /* no backing file any more */
    g_assert_cmpuint(info.virtual_size, ==, 16 * MIB);

    g_assert_cmpint(rename(base, moved), ==, 0);
    g_assert_true(virt_image_rebase(disk, moved, VIRT_IMAGE_RAW, true, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(virt_image_inspect(disk, &overlay, &error));
    g_assert_cmpstr(overlay.backing_file, ==, moved);
    g_assert_true(virt_image_rebase(disk, NULL, VIRT_IMAGE_RAW, false, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(virt_image_inspect(disk, &flat, &error));
    g_assert_false(flat.has_backing_file);

    /* Not absolute: QEMU might take it for a protocol. */
    g_assert_false(virt_image_convert("nbd:localhost:1", VIRT_IMAGE_RAW, packed, VIRT_IMAGE_RAW, false, NULL, NULL, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
    g_clear_error(&error);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    g_assert_false(virt_image_convert(disk, VIRT_IMAGE_QCOW2, moved, VIRT_IMAGE_RAW, false, NULL, cancellable, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CANCELLED);
}

/* A disk made by an old nova refers to <base>_<GiB>, which the image cache manager removed. */
static void test_legacy_base(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    g_autoptr(GError) error = NULL;
    g_autofree char *source = make_source(fixture, "raw");
    VirtImageRequest image = request(fixture, "raw");
    g_autofree char *name = virt_image_cache_name(IMAGE), *base = virt_image_cache_path(&fixture->cache, name);
    g_autofree char *legacy = g_strconcat(base, "_1", NULL), *disk = virt_disk_path(fixture->directory, UUID, "disk");
    g_autofree char *folder = in_directory(fixture, "_base");
    g_assert_true(nd_dir_make(folder, 0755, &error));
    g_assert_true(virt_image_create(legacy, VIRT_IMAGE_RAW, MIB, NULL, &error));
    g_assert_true(virt_disk_directory_create(fixture->directory, UUID, &error));
    g_auto(VirtImageInfo) raw = {.format = VIRT_IMAGE_RAW};
    g_assert_true(virt_image_create_overlay(disk, legacy, &raw, 0, NULL, &error));
    g_unlink(legacy);
    g_assert_true(virt_disk_create_from_image(&fixture->options, UUID, "disk", &image, 0, &error));
    g_assert_no_error(error);
    struct stat status;
    g_assert_cmpint(stat(legacy, &status), ==, 0);
    g_assert_cmpint(status.st_size, ==, (gint64)1 << 30);
}

/* Many at once, one download. */
static gpointer fetch_one(gpointer data)
{
    Fixture *fixture = data;
    g_autofree char *path = NULL;
    g_auto(VirtImageInfo) info = {0};
    VirtImageRequest image = request(fixture, "raw");
    g_autoptr(GError) error = NULL;
    bool got = virt_image_cache_get(&fixture->cache, &image, &path, &info, &error);
    return GINT_TO_POINTER(got);
}

static void test_concurrent(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autofree char *raw = in_directory(fixture, "raw");
    g_autofree char *content = g_malloc0(MIB);
    g_assert_true(g_file_set_contents(raw, content, MIB, NULL));
    fixture->source = raw;
    GThread *threads[8];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("fetch", fetch_one, fixture);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
    g_assert_cmpuint(fixture->downloads, ==, 1);
}

static void test_copy(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *from = in_directory(fixture, "from"), *to = in_directory(fixture, "to"), *a = NULL, *b = NULL;
    int fd = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, 64 * MIB), ==, 0);
    g_assert_cmpint(pwrite(fd, "data", 4, 10 * MIB), ==, 4);
    g_assert_cmpint(pwrite(fd, "more", 4, 40 * MIB + 17), ==, 4);
    close(fd);
    g_assert_true(virt_file_copy(from, to, NULL, &error));
    g_assert_no_error(error);
    gsize a_length, b_length;
    g_assert_true(g_file_get_contents(from, &a, &a_length, NULL));
    g_assert_true(g_file_get_contents(to, &b, &b_length, NULL));
    g_assert_cmpmem(a, a_length, b, b_length);
    struct stat status;
    g_assert_cmpint(stat(to, &status), ==, 0);
    g_assert_cmpint(status.st_blocks * 512, <, MIB);
    g_assert_cmpint(status.st_mode & 0777, ==, 0644);
    g_assert_false(virt_file_copy(from, to, NULL, &error)); /* never over another */
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_IO);
}

static void test_backends(void)
{
    static const struct {
        const char *type;
        bool cow;
        int backend; /* -1 refused */
    } cases[] = {{NULL, true, VIRT_DISK_BACKEND_QCOW2}, {"default", true, VIRT_DISK_BACKEND_QCOW2}, {"default", false, VIRT_DISK_BACKEND_FLAT},
        {"qcow2", false, VIRT_DISK_BACKEND_QCOW2}, {"raw", true, VIRT_DISK_BACKEND_FLAT}, {"flat", true, VIRT_DISK_BACKEND_FLAT}, {"lvm", true, -1},
        {"rbd", true, -1}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        VirtDiskBackend backend;
        g_autoptr(GError) error = NULL;
        bool known = virt_disk_backend_from_config(cases[i].type, cases[i].cow, &backend, &error);
        g_assert_true(known == (cases[i].backend >= 0));
        if (known)
            g_assert_cmpint(backend, ==, cases[i].backend);
        else
            g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_SUPPORTED);
    }
}

static void write_file(Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = in_directory(fixture, name);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* NULL: it is not there. */
static void assert_file(Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = in_directory(fixture, name), *found = NULL;
    g_file_get_contents(path, &found, NULL, NULL);
    g_assert_cmpstr(found, ==, text);
}

static void new_instance_files(Fixture *fixture)
{
    g_autofree char *directory = in_directory(fixture, UUID);
    g_assert_cmpint(g_mkdir(directory, 0755), ==, 0);
    write_file(fixture, UUID "/disk", "data");
    write_file(fixture, UUID "/disk.swap", "swap");
    write_file(fixture, UUID "/disk.info", "{}");
}

static void test_resize_folder(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"disk", NULL};
    g_autoptr(GError) error = NULL;
    (void)data;
    new_instance_files(fixture);
    g_assert_true(virt_disk_resize_begin(fixture->directory, UUID, names, NULL, &error));
    g_assert_no_error(error);
    assert_file(fixture, UUID "_resize/disk", "data");
    assert_file(fixture, UUID "_resize/disk.swap", "swap");
    assert_file(fixture, UUID "/disk", "data");
    assert_file(fixture, UUID "/disk.info", "{}");
    assert_file(fixture, UUID "/disk.swap", NULL);
    write_file(fixture, UUID "/disk", "grown");
    g_assert_true(virt_disk_resize_revert(fixture->directory, UUID, &error));
    assert_file(fixture, UUID "/disk", "data");
    assert_file(fixture, UUID "/disk.swap", "swap");
    assert_file(fixture, UUID "_resize/disk", NULL);
    g_assert_true(virt_disk_resize_revert(fixture->directory, UUID, &error)); /* a second time nothing happens */
    assert_file(fixture, UUID "/disk", "data");
    g_assert_true(virt_disk_resize_begin(fixture->directory, UUID, names, NULL, &error));
    write_file(fixture, UUID "/disk", "grown");
    for (int i = 0; i < 2; i++)
        g_assert_true(virt_disk_resize_confirm(fixture->directory, UUID, &error));
    assert_file(fixture, UUID "/disk", "grown");
    assert_file(fixture, UUID "_resize/disk", NULL);
}

static void test_resize_folder_failures(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"disk", "missing", NULL};
    g_autoptr(GError) error = NULL;
    (void)data;
    g_assert_false(virt_disk_resize_begin(fixture->directory, UUID, names, NULL, &error)); /* no such instance */
    g_assert_nonnull(error);
    g_clear_error(&error);
    new_instance_files(fixture);
    g_assert_false(virt_disk_resize_begin(fixture->directory, UUID, names, NULL, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_FOUND);
    assert_file(fixture, UUID "/disk", "data");
    assert_file(fixture, UUID "/disk.swap", "swap");
    assert_file(fixture, UUID "_resize/disk", NULL);
    /* The folder of a resize that never ended goes with the instance. */
    g_autofree char *aside = in_directory(fixture, UUID "_resize");
    g_clear_error(&error);
    g_assert_cmpint(g_mkdir(aside, 0755), ==, 0);
    write_file(fixture, UUID "_resize/disk", "old");
    g_assert_true(virt_disk_delete(fixture->directory, UUID, &error));
    assert_file(fixture, UUID "_resize/disk", NULL);
    assert_file(fixture, UUID "/disk", NULL);
}

/* [compute]vmdk_allowed_types: fewer types than are safe, also for what is in the cache already. */
static void test_vmdk_types(Fixture *fixture, gconstpointer data)
{
    (void)data;
    NEEDS_QEMU_IMG();
    static const struct {
        const char *types;
        bool allowed;
    } cases[] = {{"streamOptimized,monolithicSparse", true}, {"streamOptimized", false}, {"", false}, {"monolithicSparse", true}};
    g_autofree char *source = make_source(fixture, "vmdk"); /* monolithicSparse */
    for (int raw = 0; raw < 2; raw++) {
        fixture->cache.force_raw_images = raw;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autofree char *id = g_strdup_printf("image-%d-%zu", raw, i);
            VirtImageRequest image = request(fixture, "vmdk");
            g_auto(VirtImageInfo) info = {0};
            g_autofree char *path = NULL;
            g_autoptr(GError) error = NULL;
            image.image_id = id;
            g_clear_pointer(&fixture->cache.vmdk_types, g_strfreev);
            fixture->cache.vmdk_types = g_strsplit(cases[i].types, ",", -1);
            g_assert_true(virt_image_cache_get(&fixture->cache, &image, &path, &info, &error) == cases[i].allowed);
            if (!cases[i].allowed) {
                g_assert_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE);
                g_assert_nonnull(strstr(error->message, "Invalid VMDK create-type"));
            }
        }
    }
    fixture->cache.force_raw_images = false;
    VirtImageRequest image = request(fixture, "vmdk");
    g_auto(VirtImageInfo) info = {0};
    g_autofree char *path = NULL;
    g_assert_true(virt_image_cache_get(&fixture->cache, &image, &path, &info, NULL));
    g_strfreev(fixture->cache.vmdk_types);
    fixture->cache.vmdk_types = g_strsplit("streamOptimized", ",", -1);
    g_autofree char *again = NULL;
    g_auto(VirtImageInfo) other = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(virt_image_cache_get(&fixture->cache, &image, &again, &other, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_IMAGE_UNACCEPTABLE);
}

typedef struct {
    gint *inside, *most;
} Turn;

static gpointer take_turn(gpointer data)
{
    const Turn *turn = data;
    for (int i = 0; i < 50; i++) {
        g_assert_true(virt_disk_ops_begin(NULL, NULL));
        int now = g_atomic_int_add(turn->inside, 1) + 1;
        for (int most = g_atomic_int_get(turn->most); now > most && !g_atomic_int_compare_and_exchange(turn->most, most, now);)
            most = g_atomic_int_get(turn->most);
        g_thread_yield();
        g_atomic_int_add(turn->inside, -1);
        virt_disk_ops_end();
    }
    return NULL;
}

static gpointer wait_for_turn(gpointer cancellable)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(virt_disk_ops_begin(cancellable, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CANCELLED);
    return NULL;
}

/* [compute]max_concurrent_disk_ops: never more than so many, all have their turn, and a wait can be broken off. */
static void test_disk_ops(void)
{
    gint inside = 0, most = 0;
    Turn turn = {&inside, &most};
    GThread *threads[8];
    virt_disk_ops_set_limit(2);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("turn", take_turn, &turn);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(most, <=, 2);
    g_assert_cmpint(inside, ==, 0);
    virt_disk_ops_set_limit(1);
    g_assert_true(virt_disk_ops_begin(NULL, NULL));
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    GThread *waiter = g_thread_new("turn", wait_for_turn, cancellable);
    g_cancellable_cancel(cancellable);
    g_thread_join(waiter);
    virt_disk_ops_set_limit(0);
    g_assert_true(virt_disk_ops_begin(NULL, NULL)); /* none is free, but there is no limit any more */
    virt_disk_ops_end();
    virt_disk_ops_end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    umask(022);
#define ADD(name, test) g_test_add("/virt/disk/" name, Fixture, NULL, set_up, test, tear_down)
    ADD("overlay", test_overlay);
    ADD("keep-qcow2", test_keep_qcow2);
    ADD("flat", test_flat);
    ADD("format-is-not-guessed", test_format_is_not_guessed);
    ADD("refused", test_refused);
    ADD("nested", test_nested);
    ADD("broken-download", test_broken_download);
    ADD("truncated", test_truncated);
    ADD("full", test_full);
    ADD("blank", test_blank);
    ADD("configured-mkfs", test_configured_mkfs);
    ADD("delete", test_delete);
    ADD("convert-and-rebase", test_convert_and_rebase);
    ADD("legacy-base", test_legacy_base);
    ADD("concurrent", test_concurrent);
    ADD("copy", test_copy);
    ADD("resize-folder", test_resize_folder);
    ADD("resize-folder-failures", test_resize_folder_failures);
    ADD("vmdk-types", test_vmdk_types);
    g_test_add_func("/virt/disk/ops", test_disk_ops);
    g_test_add_func("/virt/disk/backends", test_backends);
    return g_test_run();
}
