/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder for one test. */
typedef struct {
    char *path;
} Folder;

static void set_up(Folder *folder, gconstpointer unused)
{
    folder->path = g_dir_make_tmp("novad-file-XXXXXX", NULL);
    g_assert_nonnull(folder->path);
}

static void tear_down(Folder *folder, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    nd_tree_remove(folder->path, &error);
    g_assert_no_error(error);
    g_free(folder->path);
}

static guint count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;
    while (g_dir_read_name(dir) != NULL)
        count++;
    return count;
}

static void test_write_read(Folder *folder, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder->path, "a", NULL);
    g_autofree char *data = NULL, *again = NULL;
    size_t length = 0;
    struct stat info;

    g_assert_true(nd_file_write(path, "x\0y", 3, 0640, &error));
    g_assert_no_error(error);
    g_assert_true(nd_file_read(path, 0, &data, &length, &error));
    g_assert_cmpmem(data, length, "x\0y", 3);
    g_assert_cmpint(data[3], ==, 0);
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 07777, ==, 0640);
    /* Overwriting leaves nothing beside it. */
    g_assert_true(nd_file_write(path, "", 0, 0600, &error));
    g_assert_cmpuint(count_entries(folder->path), ==, 1);
    g_assert_true(nd_file_read(path, 0, &again, NULL, &error));
    g_assert_cmpstr(again, ==, "");
}

static void test_read_limits(Folder *folder, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder->path, "a", NULL);
    g_autofree char *data = NULL;
    g_assert_true(nd_file_write(path, "12345", 5, 0600, NULL));
    g_assert_false(nd_file_read(path, 4, &data, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_LIMIT);
    g_assert_null(data);
    g_clear_error(&error);
    g_assert_true(nd_file_read(path, 5, &data, NULL, &error));
    g_clear_pointer(&data, g_free);
    g_assert_false(nd_file_read("/nonexistent/x", 0, &data, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(nd_file_read(folder->path, 0, &data, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    g_clear_error(&error);
    /* A pipe must not block. */
    g_autofree char *fifo = g_build_filename(folder->path, "fifo", NULL);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_false(nd_file_read(fifo, 0, &data, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    g_clear_error(&error);
    g_assert_true(nd_file_read("/proc/self/status", 0, &data, NULL, &error));
    g_assert_true(g_str_has_prefix(data, "Name:"));
}

static void test_write_fails(Folder *folder, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = g_build_filename(folder->path, "no/a", NULL);
    g_assert_false(nd_file_write(missing, "x", 1, 0600, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);
    /* The target is a folder: rename fails, the temporary file goes. */
    g_autofree char *target = g_build_filename(folder->path, "d", NULL);
    g_assert_true(nd_dir_make(target, 0700, NULL));
    g_assert_false(nd_file_write(target, "x", 1, 0600, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    g_assert_cmpuint(count_entries(folder->path), ==, 1);
}

static void test_folders(Folder *folder, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *deep = g_build_filename(folder->path, "a/b/c", NULL);
    g_autofree char *file = g_build_filename(deep, "f", NULL);
    g_autofree char *below = g_build_filename(file, "x", NULL);
    g_assert_true(nd_dir_make(deep, 0755, &error));
    g_assert_true(nd_dir_make(deep, 0755, &error));
    g_assert_true(nd_file_write(file, "", 0, 0600, &error));
    g_assert_false(nd_dir_make(below, 0755, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    g_clear_error(&error);
    g_assert_true(nd_dir_sync(deep, &error));
    g_assert_false(nd_dir_sync("/nonexistent", &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);

    g_autofree char *moved = g_build_filename(folder->path, "m", NULL);
    g_assert_true(nd_file_rename(file, moved, &error));
    g_assert_false(nd_file_rename(file, moved, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(nd_file_remove(moved, &error));
    g_assert_true(nd_file_remove(moved, &error));
    g_assert_false(nd_file_remove(folder->path, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
}

/* Links inside and outside are removed, their targets stay. */
static void test_tree_links(Folder *folder, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *outside = g_build_filename(folder->path, "outside", NULL);
    g_autofree char *precious = g_build_filename(outside, "precious", NULL);
    g_autofree char *tree = g_build_filename(folder->path, "tree", NULL);
    g_autofree char *sub = g_build_filename(tree, "sub/sub", NULL);
    g_autofree char *link = g_build_filename(sub, "link", NULL);
    g_autofree char *dangling = g_build_filename(tree, "dangling", NULL);
    g_autofree char *root_link = g_build_filename(folder->path, "rootlink", NULL);
    g_assert_true(nd_dir_make(outside, 0700, NULL) && nd_dir_make(sub, 0700, NULL));
    g_assert_true(nd_file_write(precious, "x", 1, 0600, NULL));
    g_assert_cmpint(symlink(outside, link), ==, 0);
    g_assert_cmpint(symlink("/nonexistent", dangling), ==, 0);
    g_assert_cmpint(symlink(outside, root_link), ==, 0);

    g_assert_true(nd_tree_remove(tree, &error));
    g_assert_no_error(error);
    g_assert_false(g_file_test(tree, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(precious, G_FILE_TEST_EXISTS));
    g_assert_true(nd_tree_remove(root_link, &error));
    g_assert_true(g_file_test(precious, G_FILE_TEST_EXISTS));
    g_assert_true(nd_tree_remove(precious, &error));
    g_assert_true(nd_tree_remove(precious, &error)); /* absent */
    g_assert_true(nd_tree_remove("/nonexistent/x", &error));
}

static void test_tree_refuses(Folder *folder, gconstpointer unused)
{
    static const char *const paths[] = {"/", ".", "..", "/tmp/..", "/tmp/."};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(nd_tree_remove(paths[i], &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_ARGUMENT);
    }
    /* Deeper than the limit: an error, not a crash; then taken apart from within. */
    g_autoptr(GError) error = NULL;
    g_autofree char *back = g_get_current_dir();
    g_assert_cmpint(chdir(folder->path), ==, 0);
    g_assert_cmpint(g_mkdir("deep", 0700), ==, 0);
    g_assert_cmpint(chdir("deep"), ==, 0);
    for (int i = 0; i < 250; i++)
        g_assert_true(g_mkdir("d", 0700) == 0 && chdir("d") == 0);
    g_assert_cmpint(chdir(back), ==, 0);
    g_autofree char *deep = g_build_filename(folder->path, "deep", NULL);
    g_assert_false(nd_tree_remove(deep, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_IO);
    g_assert_cmpint(chdir(deep), ==, 0);
    for (int i = 0; i < 100; i++)
        g_assert_cmpint(chdir("d"), ==, 0);
    g_autofree char *middle = g_get_current_dir();
    g_autofree char *rest = g_build_filename(middle, "d", NULL);
    g_assert_cmpint(chdir(back), ==, 0);
    g_clear_error(&error);
    g_assert_true(nd_tree_remove(rest, &error));
    g_assert_no_error(error);
}

static void test_space(Folder *folder, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    NdFileSpace space;
    g_assert_true(nd_file_space(folder->path, &space, &error));
    g_assert_cmpuint(space.total, >, 0);
    g_assert_cmpuint(space.free, <=, space.total);
    g_assert_cmpuint(space.available, <=, space.free);
    g_assert_false(nd_file_space("/nonexistent", &space, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
}

#define ADD(name, function) g_test_add("/file/" name, Folder, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("write-read", test_write_read);
    ADD("read-limits", test_read_limits);
    ADD("write-fails", test_write_fails);
    ADD("folders", test_folders);
    ADD("tree-links", test_tree_links);
    ADD("tree-refuses", test_tree_refuses);
    ADD("space", test_space);
    return g_test_run();
}
