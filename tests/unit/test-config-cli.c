/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/config_cli.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

static char *folder;

/* Each command line runs in a subprocess of the test, which sees its output. */
static const char *const command_lines[][6] = {
    {"novad", "--help"},
    {"novad", "--version"},
    {"novad", "--list-options"},
    {"novad", "--check-config", "--config-file", "@/good.conf", "--config-dir=@/d"},
    {"novad", "--check-config", "--config-file", "@/bad.conf", "--config-dir=@/d"},
    {"novad", "--no-such"},
    {"novad", "--config-file", "@/broken.conf", "--config-dir=@/d"},
    {"novad", "--check-config", "--config-file", "@/missing.conf", "--config-dir=@/d"},
    {"novad", "--config-file", "@/good.conf", "--config-dir=@/d"},
    {"novad", "--check-config", "--no-such"},
};

G_NORETURN static void run(gconstpointer data)
{
    const char *const *template = data;
    char *argv[8] = {NULL};
    int argc = 0;
    const char *place = g_getenv("NOVAD_TEST_FOLDER");
    for (; template[argc] != NULL; argc++) {
        g_auto(GStrv) parts = g_strsplit(template[argc], "@", -1);
        argv[argc] = g_strjoinv(place, parts);
    }
    NdConfig *config = NULL;
    int status = 0;
    if (nd_config_cli(argc, argv, &config, &status) == ND_CLI_RUN) {
        puts("would run");
        nd_config_free(config);
    }
    exit(status);
}

static void expect(int line, int status, const char *out, const char *err)
{
    g_autofree char *path = g_strdup_printf("/config-cli/subprocess/%d", line);
    g_test_trap_subprocess(path, 0, 0);
    if (status == 0)
        g_test_trap_assert_passed();
    else
        g_test_trap_assert_failed();
    g_test_trap_assert_stdout(out);
    g_test_trap_assert_stderr(err);
}

static void test_prints(void)
{
    expect(0, 0, "*Usage: novad*--check-config*", "");
    expect(1, 0, "*novad " PACKAGE_VERSION "*", "");
    expect(2, 0, "*libvirt.virt_type\n    string; one of kvm,lxc,qemu,parallels; default kvm\n    hypervisor: kvm or qemu\n*", "");
    expect(2, 0, "*from 2026.1 on 4.0*", "");
    expect(2, 0, "*libvirt.num_pcie_ports\n    integer; 0 to 28; default 0*", "");
}

static void test_check(void)
{
    expect(3, 0, "*good.conf:4: note: ?profiler] enabled: no effect: Python profiling\n*0 bad values, 1 options set without effect*", "");
    expect(4, 1, "*bad.conf:2: error: ?DEFAULT] debug: 'x' is not a boolean*bad.conf:4: error: ?hyperv] *2 bad values*", "");
    expect(7, 1, "*missing.conf: error: *No such file*", "");
    expect(9, 2, "*", "novad: argument '*no-such': unknown*");
}

static void test_errors(void)
{
    expect(5, 2, "*", "novad: argument '*no-such': unknown*");
    expect(6, 1, "*", "novad: *broken.conf:1: a section must be started*");
    expect(8, 0, "*would run*", "");
}

static void put(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(nd_file_write(path, text, strlen(text), 0600, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!g_test_subprocess()) {
        folder = g_dir_make_tmp("novad-cli-XXXXXX", NULL);
        g_autofree char *empty = g_build_filename(folder, "d", NULL);
        g_assert_true(nd_dir_make(empty, 0700, NULL));
        g_setenv("NOVAD_TEST_FOLDER", folder, true);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(command_lines); i++) {
        g_autofree char *path = g_strdup_printf("/config-cli/subprocess/%zu", i);
        g_test_add_data_func(path, command_lines[i], run);
    }
    if (folder != NULL) {
        put("good.conf", "[DEFAULT]\ndebug = true\n[profiler]\nenabled = true\n");
        put("bad.conf", "[DEFAULT]\ndebug = x\n[hyperv]\nlimit_cpu_features = x\n");
        put("broken.conf", "x = y\n");
    }
    g_test_add_func("/config-cli/prints", test_prints);
    g_test_add_func("/config-cli/check", test_check);
    g_test_add_func("/config-cli/errors", test_errors);
    int status = g_test_run();
    if (folder != NULL)
        nd_tree_remove(folder, NULL);
    g_free(folder);
    return status;
}
