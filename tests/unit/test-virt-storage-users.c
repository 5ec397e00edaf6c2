/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "virt/storage_users.h"

#include <string.h>

/* compute_nodes in an instances folder. */

#define NOW ((gint64)1800000000 * G_USEC_PER_SEC)

typedef struct {
    char *folder, *file;
} Fixture;

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    f->folder = g_dir_make_tmp("novad-users-XXXXXX", NULL);
    f->file = g_build_filename(f->folder, "compute_nodes", NULL);
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_true(nd_tree_remove(f->folder, NULL));
    g_free(f->folder);
    g_free(f->file);
}

static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "host host", sorted. */
static char *users_at(Fixture *f, const char *host, gint64 now, bool *spoiled)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) users = NULL;
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();

    g_assert_true(virt_storage_register(f->folder, host, now, &users, spoiled, &error));
    g_assert_no_error(error);
    for (char **user = users; *user != NULL; user++)
        g_ptr_array_add(sorted, *user);
    g_ptr_array_sort(sorted, compare);
    g_ptr_array_add(sorted, NULL);
    return g_strjoinv(" ", (char **)sorted->pdata);
}

#define assert_users(f, host, now, want) \
    do { \
        bool was_spoiled = true; \
        g_autofree char *found = users_at(f, host, now, &was_spoiled); \
        g_assert_cmpstr(found, ==, want); \
        g_assert_false(was_spoiled); \
    } while (0)

static void test_hosts(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    assert_users(f, "a", NOW, "a");
    assert_users(f, "b", NOW + G_USEC_PER_SEC, "a b");
    /* a has not been heard of for a day less a second, then for more than a day. It stays in the file. */
    assert_users(f, "b", NOW + 86399LL * G_USEC_PER_SEC, "a b");
    assert_users(f, "b", NOW + 86401LL * G_USEC_PER_SEC, "b");
    assert_users(f, "a", NOW + 86402LL * G_USEC_PER_SEC, "a b");
}

/* What nova-compute has written is kept, and what we write is as it would: a number of seconds. */
static void test_shared_with_nova(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char nova[] = "{\"n1\": 1799999999.25, \"n2\": 1799000000, \"odd\": \"x\"}";
    g_autofree char *text = NULL;
    g_autoptr(NdJson) json = NULL;
    size_t length;

    g_assert_true(g_file_set_contents(f->file, nova, -1, NULL));
    assert_users(f, "a", NOW + 500000, "a n1");
    g_assert_true(nd_file_read(f->file, 0, &text, &length, NULL));
    g_assert_true(nd_json_parse(text, length, NULL, &json, NULL));
    g_assert_cmpfloat(nd_json_double(json, "n1", 0), ==, 1799999999.25);
    g_assert_cmpint(nd_json_int(json, "n2", 0), ==, 1799000000);
    g_assert_cmpstr(nd_json_string(json, "odd", ""), ==, "x");
    g_assert_cmpfloat(nd_json_double(json, "a", 0), ==, 1800000000.5);
}

static void test_spoiled(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const texts[] = {"", "{\"a\": 18", "[1]", "null"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        bool spoiled = false;
        g_autofree char *users = NULL;

        g_assert_true(g_file_set_contents(f->file, texts[i], -1, NULL));
        users = users_at(f, "a", NOW, &spoiled);
        g_assert_true(spoiled);
        g_assert_cmpstr(users, ==, "a");
        assert_users(f, "a", NOW, "a");
    }
}

static gpointer register_late(gpointer data)
{
    return users_at(data, "late", NOW, NULL);
}

/* The lock's name is nova's: who holds it is waited for. */
static void test_locked(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *path = g_build_filename(f->folder, "locks", "nova-storage-registry-lock", NULL);
    NdFileLock *lock = nd_file_lock_take(path, 0, NULL, NULL);
    g_autofree char *users = NULL;
    GThread *thread;

    g_assert_nonnull(lock);
    thread = g_thread_new("late", register_late, f);
    g_assert_true(g_file_set_contents(f->file, "{\"first\": 1800000000.0}", -1, NULL));
    nd_file_lock_release(lock);
    users = g_thread_join(thread);
    g_assert_cmpstr(users, ==, "first late");
}

static void test_no_folder(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) users = NULL;

    g_assert_false(virt_storage_register("/proc/no/folder", "a", NOW, &users, NULL, &error));
    g_assert_nonnull(error);
    g_assert_null(users);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/storage-users/hosts", Fixture, NULL, set_up, test_hosts, tear_down);
    g_test_add("/storage-users/shared-with-nova", Fixture, NULL, set_up, test_shared_with_nova, tear_down);
    g_test_add("/storage-users/spoiled", Fixture, NULL, set_up, test_spoiled, tear_down);
    g_test_add("/storage-users/locked", Fixture, NULL, set_up, test_locked, tear_down);
    g_test_add_func("/storage-users/no-folder", test_no_folder);
    return g_test_run();
}
