/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "virt/console.h"
#include "virt/error.h"

#include <string.h>

typedef struct {
    char *directory, *log;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->directory = g_dir_make_tmp("novad-console-XXXXXX", NULL);
    fixture->log = g_build_filename(fixture->directory, "console.log", NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    nd_tree_remove(fixture->directory, NULL);
    g_free(fixture->directory);
    g_free(fixture->log);
}

static void assert_tail(Fixture *fixture, size_t max, const char *wanted, guint64 wanted_skipped)
{
    g_autoptr(GError) error = NULL;
    guint64 skipped = 99;
    g_autoptr(GBytes) tail = virt_console_tail(fixture->log, max, &skipped, &error);
    g_assert_no_error(error);
    gsize length;
    const char *bytes = g_bytes_get_data(tail, &length);
    g_assert_cmpmem(bytes, length, wanted, strlen(wanted));
    g_assert_cmpuint(skipped, ==, wanted_skipped);
}

static void test_tail(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_null(virt_console_tail(fixture->log, 10, NULL, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_FOUND);
    g_assert_true(g_file_set_contents(fixture->log, "", 0, NULL));
    assert_tail(fixture, 10, "", 0);
    g_assert_true(g_file_set_contents(fixture->log, "0123456789", -1, NULL));
    assert_tail(fixture, 100, "0123456789", 0);
    assert_tail(fixture, 10, "0123456789", 0);
    assert_tail(fixture, 4, "6789", 6);
}

/* virtlogd moved the older part away. */
static void test_rotated(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autofree char *first = g_strconcat(fixture->log, ".0", NULL), *second = g_strconcat(fixture->log, ".1", NULL);
    g_assert_true(g_file_set_contents(fixture->log, "new", -1, NULL));
    g_assert_true(g_file_set_contents(first, "older", -1, NULL));
    g_assert_true(g_file_set_contents(second, "oldest", -1, NULL));
    assert_tail(fixture, 100, "oldestoldernew", 0);
    assert_tail(fixture, 6, "dernew", 2 + 6);
    assert_tail(fixture, 10, "stoldernew", 4);
}

static void test_paths(void)
{
    static const struct {
        const char *devices, *log, *pty;
    } cases[] = {
        {"<serial type='pty'><source path='/dev/pts/1'/><log file='/a/console.log'/></serial>", "/a/console.log", "/dev/pts/1"},
        {"<console type='pty'><source path='/dev/pts/2'/></console>", NULL, "/dev/pts/2"},
        {"<console type='file'><source path='/a/f.log'/></console>", "/a/f.log", NULL},
        {"<serial type='tcp'><source mode='bind' host='127.0.0.1' service='10001'/><log file='/a/t.log'/></serial>", "/a/t.log", NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<domain><devices>%s</devices></domain>", cases[i].devices);
        g_autoptr(GError) error = NULL;
        VirtConsolePaths paths;
        g_assert_true(virt_console_paths(xml, &paths, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(paths.log_path, ==, cases[i].log);
        g_assert_cmpstr(paths.pty_path, ==, cases[i].pty);
        virt_console_paths_clear(&paths);
    }
    VirtConsolePaths paths;
    g_autoptr(GError) error = NULL;
    g_assert_false(virt_console_paths("<network/>", &paths, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
}

static void test_serial_port(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *host = NULL;
    int port = 0;
    g_assert_true(virt_console_serial_port("<domain><devices><serial type='tcp'><source mode='bind' host='127.0.0.1' service='10001'/></serial>"
                                           "</devices></domain>", &host, &port, &error));
    g_assert_cmpstr(host, ==, "127.0.0.1");
    g_assert_cmpint(port, ==, 10001);
    g_autofree char *none = NULL;
    g_assert_false(virt_console_serial_port("<domain><devices><serial type='pty'/></devices></domain>", &none, &port, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CONSOLE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/virt/console/tail", Fixture, NULL, set_up, test_tail, tear_down);
    g_test_add("/virt/console/rotated", Fixture, NULL, set_up, test_rotated, tear_down);
    g_test_add_func("/virt/console/paths", test_paths);
    g_test_add_func("/virt/console/serial-port", test_serial_port);
    return g_test_run();
}
