/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/file.h"
#include "base/time.h"
#include "virt/image_cache_clean.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ageing of the image cache, with real files. */

#define IMAGE "70a599e0-31e7-49b7-b260-868f441e862b"
#define OTHER "155d900f-4e14-4e4c-a73d-069cbf4541e6"
#define DAY 86400
#define HOUR 3600

typedef struct {
    char *folder;
    VirtImageCache cache;
    VirtCachePass pass;
    GString *events; /* "NAME what; " of each report */
} Fixture;

static void note(VirtCacheEvent event, const char *path, const char *detail, gpointer data)
{
    static const char *const names[] = {
        [VIRT_CACHE_IN_USE] = "used", [VIRT_CACHE_BACKING] = "backing", [VIRT_CACHE_UNUSED] = "unused", [VIRT_CACHE_YOUNG] = "young",
        [VIRT_CACHE_LOCKED] = "locked", [VIRT_CACHE_REMOVED] = "removed", [VIRT_CACHE_KEPT] = "kept", [VIRT_CACHE_MISSING] = "missing",
    };
    Fixture *f = data;
    g_autofree char *name = g_path_get_basename(path);

    g_assert_true((detail != NULL) == (event == VIRT_CACHE_BACKING || event == VIRT_CACHE_KEPT ||
                                       (event == VIRT_CACHE_IN_USE && strchr("0123456789abcdef", *name) != NULL && strlen(name) >= 40)));
    g_string_append_printf(f->events, "%s %s; ", name, names[event]);
}

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *base = NULL;

    f->folder = g_dir_make_tmp("novad-cache-XXXXXX", NULL);
    base = g_build_filename(f->folder, "_base", NULL);
    g_assert_true(nd_dir_make(base, 0755, NULL));
    f->cache = (VirtImageCache){.instances_path = f->folder, .subdirectory = (char *)"_base"};
    f->events = g_string_new(NULL);
    f->pass = (VirtCachePass){
        .image_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .blanks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .remove = true,
        .original_age_s = DAY,
        .resized_age_s = HOUR,
        .report = note,
        .user_data = f,
    };
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_true(nd_tree_remove(f->folder, NULL));
    g_hash_table_unref(f->pass.image_ids);
    g_hash_table_unref(f->pass.blanks);
    g_string_free(f->events, TRUE);
    g_free(f->folder);
}

/* The path of a file in the cache. */
static char *in_base(Fixture *f, const char *name)
{
    return g_build_filename(f->folder, "_base", name, NULL);
}

static void set_age(const char *path, gint64 age_s)
{
    gint64 then = nd_time_now() / G_USEC_PER_SEC - age_s;
    struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};

    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static gint64 age_of(const char *path)
{
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    return nd_time_now() / G_USEC_PER_SEC - status.st_mtime;
}

/* A file of the cache that was used so many seconds ago; its path. */
static char *cached(Fixture *f, const char *name, gint64 age_s)
{
    char *path = in_base(f, name);

    g_assert_true(g_file_set_contents(path, "data", 4, NULL));
    set_age(path, age_s);
    return path;
}

static bool is_there(Fixture *f, const char *name)
{
    g_autofree char *path = in_base(f, name);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static char *lock_of(Fixture *f, const char *name)
{
    g_autofree char *file = g_strconcat("nova-", name, NULL);

    return g_build_filename(f->folder, "locks", file, NULL);
}

static void put_be(guint8 *at, guint64 value, int bytes)
{
    while (bytes-- > 0) {
        at[bytes] = (guint8)value;
        value >>= 8;
    }
}

/* The header of a qcow2 overlay, which is all that is looked at. backing NULL: of an image without. */
static void overlay(Fixture *f, const char *relative, const char *backing)
{
    g_autofree char *path = g_build_filename(f->folder, relative, NULL), *folder = g_path_get_dirname(path);
    g_autofree guint8 *bytes = g_malloc0(65536);

    memcpy(bytes, "QFI\xfb", 4);
    put_be(bytes + 4, 3, 4);
    put_be(bytes + 20, 16, 4); /* cluster bits */
    put_be(bytes + 24, 1 << 20, 8);
    put_be(bytes + 100, 104, 4); /* header length */
    if (backing != NULL) {
        put_be(bytes + 8, 512, 8);
        put_be(bytes + 16, strlen(backing), 4);
        memcpy(bytes + 512, backing, strlen(backing));
    }
    g_assert_true(nd_dir_make(folder, 0755, NULL));
    g_assert_true(g_file_set_contents(path, (const char *)bytes, 65536, NULL));
}

static void use_image(Fixture *f, const char *id)
{
    g_hash_table_add(f->pass.image_ids, g_strdup(id));
}

static void use_blank(Fixture *f, const char *name)
{
    g_hash_table_add(f->pass.blanks, g_strdup(name));
}

static void clean(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    f->pass.began_us = nd_time_now();
    g_string_truncate(f->events, 0);
    g_assert_true(virt_image_cache_clean(&f->cache, &f->pass, &error));
    g_assert_no_error(error);
}

#define assert_told(f, text) g_assert_nonnull(strstr((f)->events->str, text))
#define assert_untold(f, text) g_assert_null(strstr((f)->events->str, text))

/* Removed when nobody has used it for original_age_s; its lock file goes with it. */
static void test_age(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *other = virt_image_cache_name(OTHER);
    g_autofree char *old = cached(f, name, DAY + 5), *young = cached(f, other, DAY - 5), *lock = lock_of(f, name);

    clean(f);
    g_assert_false(is_there(f, name));
    g_assert_true(is_there(f, other));
    g_assert_cmpint(age_of(young), >=, DAY - 5); /* not touched: it grows older */
    g_assert_false(g_file_test(lock, G_FILE_TEST_EXISTS));
    g_autofree char *removed = g_strconcat(name, " removed; ", NULL), *kept = g_strconcat(other, " young; ", NULL);
    assert_told(f, removed);
    assert_told(f, kept);
    g_assert_nonnull(old);
}

/* The option off: only looked at, and touched when in use. */
static void test_no_removal(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *other = virt_image_cache_name(OTHER);
    g_autofree char *used = cached(f, name, 9 * DAY), *unused = cached(f, other, 9 * DAY);

    f->pass.remove = false;
    use_image(f, IMAGE);
    clean(f);
    g_assert_cmpint(age_of(used), <=, 2);
    g_assert_cmpint(age_of(unused), >=, 9 * DAY);
    assert_untold(f, "removed");
}

/* An image that an instance has, also as its kernel, stays with its resized variants, and its age begins anew. */
static void test_in_use(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *sized = g_strconcat(name, "_20", NULL), *small = g_strconcat(name, "_sm", NULL);
    const char *names[] = {name, sized, small};

    use_image(f, IMAGE);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(cached(f, names[i], 30 * DAY));
    clean(f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = in_base(f, names[i]);

        g_assert_cmpint(age_of(path), <=, 2);
    }
    assert_untold(f, "unused");
    /* Its last user goes: it stays for a day from the last pass that saw it used. */
    g_hash_table_remove_all(f->pass.image_ids);
    clean(f);
    g_assert_true(is_there(f, name));
    assert_told(f, "young");
}

/* Resized variants have an age of their own. */
static void test_resized(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *old = g_strconcat(name, "_20", NULL), *young = g_strconcat(name, "_5", NULL);

    g_free(cached(f, name, HOUR + 5));
    g_free(cached(f, old, HOUR + 5));
    g_free(cached(f, young, HOUR - 5));
    clean(f);
    g_assert_true(is_there(f, name));
    g_assert_false(is_there(f, old));
    g_assert_true(is_there(f, young));
}

/* What a disk on this storage stands on stays, whatever the database says: disks of instances on their way, of hosts that are not known, of rescues. The
 * path that the overlay has may be another host's. */
static void test_backing(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const disks[] = {"11111111-2222-4333-8444-555555555555/disk", "11111111-2222-4333-8444-555555555556_resize/disk",
                                        "instance-00000007/disk.rescue", "snapshots/tmpabc/x.delta"};
    g_autofree char *swap_backing = g_build_filename(f->folder, "_base", "swap_64", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_autofree char *id = g_strdup_printf("70a599e0-31e7-49b7-b260-00000000000%zu", i), *name = virt_image_cache_name(id);
        g_autofree char *backing = g_strconcat("/var/elsewhere/_base/", name, NULL);

        g_free(cached(f, name, 9 * DAY));
        overlay(f, disks[i], backing);
    }
    g_free(cached(f, "swap_64", 9 * DAY));
    overlay(f, "11111111-2222-4333-8444-555555555555/disk.swap", swap_backing);
    overlay(f, "11111111-2222-4333-8444-555555555555/disk.local", NULL);
    clean(f);
    assert_untold(f, "removed");
    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_autofree char *id = g_strdup_printf("70a599e0-31e7-49b7-b260-00000000000%zu", i), *name = virt_image_cache_name(id);
        g_autofree char *path = in_base(f, name), *told = g_strconcat(name, " backing; ", NULL);

        g_assert_cmpint(age_of(path), <=, 2);
        assert_told(f, told);
    }
    assert_told(f, "swap_64 backing; ");
}

/* A folder or a disk that cannot be read: nothing is removed, as nobody knows what it stands on. */
static void test_unreadable(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *old = cached(f, name, 9 * DAY);
    g_autofree char *folder = g_build_filename(f->folder, "11111111-2222-4333-8444-555555555555", NULL), *disk = g_build_filename(folder, "disk", NULL);
    g_autofree char *console = g_build_filename(folder, "console.log", NULL);
    g_autoptr(GError) error = NULL;

    if (geteuid() == 0) {
        g_test_skip("root reads everything");
        return;
    }
    overlay(f, "11111111-2222-4333-8444-555555555555/disk", "/x");
    f->pass.began_us = nd_time_now();
    g_assert_cmpint(g_chmod(disk, 0), ==, 0);
    g_assert_false(virt_image_cache_clean(&f->cache, &f->pass, &error));
    g_assert_nonnull(strstr(error->message, "disk"));
    g_clear_error(&error);
    g_assert_cmpint(g_chmod(disk, 0600), ==, 0);
    g_assert_cmpint(g_chmod(folder, 0), ==, 0);
    g_assert_false(virt_image_cache_clean(&f->cache, &f->pass, &error));
    g_assert_cmpint(g_chmod(folder, 0700), ==, 0);
    g_assert_true(is_there(f, name));
    /* Other files are nobody's disks. */
    g_assert_true(g_file_set_contents(console, "", 0, NULL));
    g_assert_cmpint(g_chmod(console, 0), ==, 0);
    clean(f);
    g_assert_false(is_there(f, name));
    g_assert_nonnull(old);
}

/* Broken and hostile headers name nothing, and disturb nothing. */
static void test_broken_disks(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *folder = g_build_filename(f->folder, "instance-1", NULL);
    g_autofree char *tiny = g_build_filename(folder, "disk", NULL), *loop = g_build_filename(folder, "disk.loop", NULL);
    g_autofree char *fifo = g_build_filename(folder, "disk.fifo", NULL), *lost = g_build_filename(folder, "disk.lost", NULL);

    g_free(cached(f, name, 9 * DAY));
    overlay(f, "instance-2/disk", "");
    g_assert_true(nd_dir_make(folder, 0755, NULL));
    g_assert_true(g_file_set_contents(tiny, "QFI\xfb\xff\xff\xff\xff", 8, NULL));
    g_assert_cmpint(symlink(loop, loop), ==, 0);
    g_assert_cmpint(symlink("/no/such/file", lost), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    clean(f);
    g_assert_false(is_there(f, name));
}

/* Whoever fetches an image or makes a disk of it holds its lock. */
static void test_locked(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *old = cached(f, name, 9 * DAY), *part = g_strconcat(name, ".part", NULL);
    NdFileLock *lock = virt_image_cache_lock(&f->cache, name, NULL, NULL);

    g_free(cached(f, part, 9 * DAY));
    clean(f);
    g_assert_true(is_there(f, name));
    g_assert_true(is_there(f, part));
    assert_told(f, "locked; ");
    nd_file_lock_release(lock);
    clean(f);
    g_assert_false(is_there(f, name));
    g_assert_false(is_there(f, part));
    g_assert_nonnull(old);
}

/* Half a download: what a crash left. One that was written to within the hour may still go on, whatever the ages are. */
static void test_half_made(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const suffixes[] = {".part", ".converted"};

    f->pass.original_age_s = 0;
    use_image(f, IMAGE);
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = virt_image_cache_name(IMAGE), *other = virt_image_cache_name(OTHER);
        g_autofree char *left = g_strconcat(name, suffixes[i], NULL), *going = g_strconcat(other, suffixes[i], NULL);

        g_free(cached(f, left, HOUR + 5));
        g_free(cached(f, going, HOUR - 60));
        clean(f);
        g_assert_false(is_there(f, left));
        g_assert_true(is_there(f, going));
        assert_untold(f, "used"); /* no base files of anybody */
    }
    g_free(cached(f, "swap_64.part", HOUR + 5));
    clean(f);
    g_assert_false(is_there(f, "swap_64.part"));
    f->pass.original_age_s = DAY;
    g_free(cached(f, "swap_64.part", DAY - 5));
    clean(f);
    g_assert_true(is_there(f, "swap_64.part"));
}

/* Swap and ephemeral disks: by name, with the originals' age; their lock files stay. */
static void test_blanks(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *lock = lock_of(f, "swap_128");

    g_free(cached(f, "swap_64", 9 * DAY));
    g_free(cached(f, "swap_128", 9 * DAY));
    g_free(cached(f, "ephemeral_1_40d1d2c", 9 * DAY));
    g_free(cached(f, "ephemeral_2_40d1d2c", 9 * DAY));
    g_free(cached(f, "ephemeral_3_40d1d2c", HOUR));
    use_blank(f, "swap_64");
    use_blank(f, "swap_96");
    use_blank(f, "ephemeral_1_40d1d2c");
    clean(f);
    g_assert_true(is_there(f, "swap_64") && is_there(f, "ephemeral_1_40d1d2c") && is_there(f, "ephemeral_3_40d1d2c"));
    g_assert_false(is_there(f, "swap_128") || is_there(f, "ephemeral_2_40d1d2c"));
    g_assert_true(g_file_test(lock, G_FILE_TEST_EXISTS));
    assert_told(f, "swap_96 missing; ");
    assert_untold(f, "swap_64 missing; ");
}

/* What is not named as nova names files of the cache is somebody else's. */
static void test_foreign(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {
        "README", "swap_", "swap_x", "swap_64_1", "ephemeral_1", "ephemeral_1_abc", "ephemeral_x_40d1d2c", "ephemeral_1_40d1d2cc", "ephemeral_1_40d1d2G",
        "0123456789012345678901234567890123456789x", "0123456789012345678901234567890123456789_x", "0123456789012345678901234567890123456789_",
        "012345678901234567890123456789012345678", "012345678901234567890123456789012345678Z", "0123456789012345678901234567890123456789_1.part",
        "x.part", ".part", "0123456789012345678901234567890123456789.bak",
    };
    g_autofree char *folder = in_base(f, "0123456789012345678901234567890123456780");

    g_assert_true(nd_dir_make(folder, 0755, NULL));
    set_age(folder, 99 * DAY);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(cached(f, names[i], 99 * DAY));
    clean(f);
    g_assert_cmpstr(f->events->str, ==, "");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_true(is_there(f, names[i]));
    g_assert_true(g_file_test(folder, G_FILE_TEST_IS_DIR));
}

/* Used since the instances were asked for: it is not yet in any list, but it stays even if no age is asked for. */
static void test_used_meanwhile(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = virt_image_cache_name(IMAGE), *path = cached(f, name, 10);
    g_autoptr(GError) error = NULL;

    f->pass.original_age_s = 0;
    f->pass.began_us = nd_time_now() - 60 * G_USEC_PER_SEC;
    g_assert_true(virt_image_cache_clean(&f->cache, &f->pass, &error));
    g_assert_true(is_there(f, name));
    clean(f);
    g_assert_false(is_there(f, name));
    g_assert_nonnull(path);
}

static void test_no_cache(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *base = g_build_filename(f->folder, "_base", NULL);

    g_assert_cmpint(g_rmdir(base), ==, 0);
    clean(f);
    g_assert_cmpstr(f->events->str, ==, "");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"age", test_age},
        {"no-removal", test_no_removal},
        {"in-use", test_in_use},
        {"resized", test_resized},
        {"backing", test_backing},
        {"unreadable", test_unreadable},
        {"broken-disks", test_broken_disks},
        {"locked", test_locked},
        {"half-made", test_half_made},
        {"blanks", test_blanks},
        {"foreign", test_foreign},
        {"used-meanwhile", test_used_meanwhile},
        {"no-cache", test_no_cache},
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/image-cache/", tests[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, tests[i].func, tear_down);
    }
    return g_test_run();
}
