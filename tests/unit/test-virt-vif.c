/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges and taps in a network namespace of the test's own. */
#include "config.h"

#include "virt/error.h"
#include "virt/link.h"
#include "virt/vif.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT "87d4bd71-a5a2-4b22-b4e5-9a233f2e5371"

static bool namespace_made;

/* Root, or a user who may make a user namespace. */
static bool enter_namespace(void)
{
    if (geteuid() == 0)
        return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
            mount("sysfs", "/sys", "sysfs", 0, NULL) == 0;
    return unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("sysfs", "/sys", "sysfs", 0, NULL) == 0;
}

#define NEEDS_NAMESPACE() \
    do { \
        if (!namespace_made) { \
            g_test_skip("may not make a network namespace"); \
            return; \
        } \
    } while (0)

/* A sysfs attribute of a link, without its newline. */
static char *attribute(const char *link, const char *name)
{
    g_autofree char *path = g_build_filename("/sys/class/net", link, name, NULL);
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_strchomp(text);
}

static void assert_attribute(const char *link, const char *name, const char *wanted)
{
    g_autofree char *found = attribute(link, name);
    g_assert_cmpstr(found, ==, wanted);
}

static bool is_up(const char *link)
{
    g_autofree char *flags = attribute(link, "flags");
    return (g_ascii_strtoull(flags, NULL, 16) & IFF_UP) != 0;
}

static char *setting(const char *family, const char *link, const char *name)
{
    g_autofree char *path = g_build_filename("/proc/sys/net", family, "conf", link, name, NULL);
    char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    return g_strchomp(text);
}

static void test_names(void)
{
    g_autofree char *name = virt_vif_dev_name(PORT);
    g_assert_cmpstr(name, ==, "tap87d4bd71-a5");
}

static void test_bridge(void)
{
    NEEDS_NAMESPACE();
    g_autoptr(GError) error = NULL;
    VirtVif vif = {.type = "bridge", .vif_id = PORT, .bridge = "brq3f9114b5-6d", .mtu = 1450, .create_bridge = true};
    for (int i = 0; i < 2; i++) { /* the second time it is there */
        g_assert_true(virt_vif_plug(&vif, &error));
        g_assert_no_error(error);
    }
    g_assert_true(virt_link_exists("brq3f9114b5-6d"));
    g_assert_true(is_up("brq3f9114b5-6d"));
    assert_attribute("brq3f9114b5-6d", "bridge/forward_delay", "0");
    assert_attribute("brq3f9114b5-6d", "bridge/stp_state", "0");
    assert_attribute("brq3f9114b5-6d", "bridge/multicast_snooping", "0");
    assert_attribute("brq3f9114b5-6d", "bridge/ageing_time", "30000");
    assert_attribute("brq3f9114b5-6d", "mtu", "1500"); /* without an interface it keeps the kernel's */
    g_autofree char *ipv6 = setting("ipv6", "brq3f9114b5-6d", "disable_ipv6"), *ignore = setting("ipv4", "brq3f9114b5-6d", "arp_ignore");
    g_autofree char *announce = setting("ipv4", "brq3f9114b5-6d", "arp_announce");
    g_assert_true(ipv6 == NULL || strcmp(ipv6, "1") == 0);
    g_assert_cmpstr(ignore, ==, "1");
    g_assert_cmpstr(announce, ==, "2");

    g_assert_true(virt_link_create_tap("phys0", false, &error));
    vif.bridge_interface = "phys0";
    g_assert_true(virt_vif_plug(&vif, &error));
    g_assert_no_error(error);
    assert_attribute("brq3f9114b5-6d", "mtu", "1450");
    assert_attribute("phys0", "mtu", "1450");
    g_assert_true(is_up("phys0"));
    g_autofree char *master = g_file_read_link("/sys/class/net/phys0/master", NULL);
    g_assert_true(g_str_has_suffix(master, "/brq3f9114b5-6d"));

    g_assert_true(virt_vif_unplug(&vif, &error));
    g_assert_true(virt_link_exists("brq3f9114b5-6d")); /* stays for others */
    g_assert_true(virt_link_delete("phys0", &error));
    g_assert_true(virt_link_delete("brq3f9114b5-6d", &error));
    g_assert_true(virt_link_delete("brq3f9114b5-6d", &error));
    g_assert_no_error(error);
}

static void test_bridge_of_others(void)
{
    NEEDS_NAMESPACE();
    g_autoptr(GError) error = NULL;
    VirtVif vif = {.type = "bridge", .vif_id = PORT, .bridge = "brother", .create_bridge = false};
    g_assert_true(virt_vif_plug(&vif, &error)); /* Neutron's agent makes it */
    g_assert_false(virt_link_exists("brother"));
    vif.create_bridge = vif.multi_host = true;
    g_assert_true(virt_vif_plug(&vif, &error));
    g_assert_false(virt_link_exists("brother"));
}

static void test_tap(void)
{
    NEEDS_NAMESPACE();
    g_autoptr(GError) error = NULL;
    VirtVif vif = {.type = "tap", .vif_id = PORT, .mtu = 1400, .tap_mac = "02:00:00:00:00:0a"};
    g_assert_true(virt_vif_plug(&vif, &error));
    g_assert_no_error(error);
    assert_attribute("tap87d4bd71-a5", "address", "02:00:00:00:00:0a");
    assert_attribute("tap87d4bd71-a5", "mtu", "1400");
    g_assert_true(is_up("tap87d4bd71-a5"));
    g_assert_true(virt_vif_plug(&vif, &error));
    g_assert_true(virt_vif_unplug(&vif, &error));
    g_assert_false(virt_link_exists("tap87d4bd71-a5"));
    g_assert_true(virt_vif_unplug(&vif, &error));

    /* A step that fails leaves no tap. */
    vif.tap_mac = "not a mac";
    g_assert_false(virt_vif_plug(&vif, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
    g_assert_false(virt_link_exists("tap87d4bd71-a5"));
}

static void test_refused(void)
{
    static const struct {
        VirtVif vif;
        int code;
    } cases[] = {
        {{.type = NULL, .vif_id = PORT}, VIRT_ERROR_VIF},
        {{.type = "binding_failed", .vif_id = PORT}, VIRT_ERROR_VIF},
        {{.type = "unbound", .vif_id = PORT}, VIRT_ERROR_VIF},
        {{.type = "vhostuser", .vif_id = PORT}, VIRT_ERROR_NOT_SUPPORTED},
        {{.type = "bridge", .vif_id = PORT, .create_bridge = true}, VIRT_ERROR_VIF},
        {{.type = "bridge", .vif_id = PORT, .bridge = "a-name-that-is-too-long", .create_bridge = true}, VIRT_ERROR_ARGUMENT},
        {{.type = "bridge", .vif_id = PORT, .bridge = "../../etc", .create_bridge = true}, VIRT_ERROR_ARGUMENT},
        {{.type = "bridge", .vif_id = PORT, .bridge = "", .create_bridge = true}, VIRT_ERROR_ARGUMENT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(virt_vif_plug(&cases[i].vif, &error));
        g_test_message("case %zu: %s", i, error->message);
        g_assert_error(error, VIRT_ERROR, cases[i].code);
    }
    VirtVif ovs = {.type = "ovs", .vif_id = PORT, .bridge = "br-int"};
    g_autoptr(GError) error = NULL;
    g_assert_true(virt_vif_plug(&ovs, &error));
    g_assert_true(virt_vif_unplug(&ovs, &error));
}

/* A program in place of ovs-vsctl, which is not there: it writes down how it was called, and fails if it should. */
static char *fake_ovs_vsctl(const char *folder, int status)
{
    g_autofree char *program = g_build_filename(folder, "ovs-vsctl", NULL), *log = g_build_filename(folder, "log", NULL);
    g_autofree char *script = g_strdup_printf("#!/bin/sh\necho \"$@\" >> %s\nexit %d\n", log, status);
    g_assert_true(g_file_set_contents_full(program, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
    g_unlink(log);
    return g_steal_pointer(&log);
}

static void assert_log(const char *log, const char *wanted)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, wanted);
}

/* Bridge, veth pair and the port of Open vSwitch as os-vif makes them; the switch itself is not there. */
static void test_hybrid(void)
{
    NEEDS_NAMESPACE();
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("novad-ovs-XXXXXX", NULL), *path = g_strconcat(folder, ":", g_getenv("PATH"), NULL);
    g_autofree char *before = g_strdup(g_getenv("PATH")), *log = fake_ovs_vsctl(folder, 0);
    g_setenv("PATH", path, TRUE);
    VirtVif vif = {.type = "ovs", .vif_id = PORT, .mac = "fa:16:3e:00:00:01", .bridge = "br-int", .hybrid_plug = true, .mtu = 1450, .ovs_mtu = 1500,
        .instance_uuid = "11111111-2222-3333-4444-555555555555", .ovs = {.connection = "tcp:127.0.0.1:6640", .timeout_s = 120, .isolate = true}};
    for (int i = 0; i < 2; i++) { /* the second time it is there */
        g_assert_true(virt_vif_plug(&vif, &error));
        g_assert_no_error(error);
    }
    assert_log(log, "--timeout=120 --db=tcp:127.0.0.1:6640 -- --may-exist add-br br-int -- --may-exist add-port br-int qvo87d4bd71-a5 -- set Interface "
                    "qvo87d4bd71-a5 external_ids:iface-id=" PORT " external_ids:iface-status=active external_ids:attached-mac=fa:16:3e:00:00:01 "
                    "external_ids:vm-uuid=11111111-2222-3333-4444-555555555555 -- set Port qvo87d4bd71-a5 tag=4095\n");
    assert_attribute("qbr87d4bd71-a5", "bridge/ageing_time", "0");
    assert_attribute("qbr87d4bd71-a5", "bridge/stp_state", "0");
    assert_attribute("qvb87d4bd71-a5", "mtu", "1450");
    assert_attribute("qvo87d4bd71-a5", "mtu", "1450");
    g_assert_true(is_up("qbr87d4bd71-a5") && is_up("qvb87d4bd71-a5") && is_up("qvo87d4bd71-a5"));
    g_autofree char *flags = attribute("qvb87d4bd71-a5", "flags"), *master = g_file_read_link("/sys/class/net/qvb87d4bd71-a5/master", NULL);
    g_assert_true((g_ascii_strtoull(flags, NULL, 16) & IFF_PROMISC) != 0);
    g_assert_true(g_str_has_suffix(master, "/qbr87d4bd71-a5"));
    g_unlink(log);
    for (int i = 0; i < 2; i++) {
        g_assert_true(virt_vif_unplug(&vif, &error));
        g_assert_no_error(error);
    }
    assert_log(log, "--timeout=120 --db=tcp:127.0.0.1:6640 -- --if-exists del-port br-int qvo87d4bd71-a5\n"
                    "--timeout=120 --db=tcp:127.0.0.1:6640 -- --if-exists del-port br-int qvo87d4bd71-a5\n");
    g_assert_false(virt_link_exists("qbr87d4bd71-a5") || virt_link_exists("qvb87d4bd71-a5") || virt_link_exists("qvo87d4bd71-a5"));

    /* What fails leaves no links; neither does an unplug that Open vSwitch refuses. */
    g_autofree char *failing = fake_ovs_vsctl(folder, 1);
    g_assert_false(virt_vif_plug(&vif, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_VIF);
    g_clear_error(&error);
    g_assert_false(virt_link_exists("qbr87d4bd71-a5") || virt_link_exists("qvo87d4bd71-a5"));
    g_assert_false(virt_vif_unplug(&vif, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_VIF);
    g_clear_error(&error);
    vif.mac = "x; reboot";
    g_assert_false(virt_vif_plug(&vif, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
    g_assert_false(virt_link_exists("qvo87d4bd71-a5"));
    g_setenv("PATH", before, TRUE);
    g_autofree char *program = g_build_filename(folder, "ovs-vsctl", NULL);
    g_unlink(program);
    g_unlink(failing);
    g_rmdir(folder);
}

static void test_missing_links(void)
{
    NEEDS_NAMESPACE();
    g_autoptr(GError) error = NULL;
    g_assert_false(virt_link_set_up("nothere", &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_VIF);
    g_clear_error(&error);
    g_assert_false(virt_link_set_mtu("nothere", 1500, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_VIF);
    g_clear_error(&error);
    g_assert_false(virt_link_set_master("lo", "nothere", &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_VIF);
    g_assert_false(virt_link_set_up("nothere", NULL));
}

int main(int argc, char **argv)
{
    namespace_made = enter_namespace(); /* before any thread */
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/vif/names", test_names);
    g_test_add_func("/virt/vif/bridge", test_bridge);
    g_test_add_func("/virt/vif/bridge-of-others", test_bridge_of_others);
    g_test_add_func("/virt/vif/tap", test_tap);
    g_test_add_func("/virt/vif/hybrid", test_hybrid);
    g_test_add_func("/virt/vif/refused", test_refused);
    g_test_add_func("/virt/vif/missing-links", test_missing_links);
    return g_test_run();
}
