/* SPDX-License-Identifier: Apache-2.0 */
/* Domain operations on a real QEMU by qemu:///system: an empty machine under TCG that boots nothing. Skipped where there is no libvirtd. */
#include "config.h"

#include "base/file.h"
#include "base/ids.h"
#include "virt/block_job.h"
#include "virt/console.h"
#include "virt/domain.h"
#include "virt/domain_stats.h"
#include "virt/error.h"
#include "virt/guest_agent.h"
#include "virt/image.h"

#include <string.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    GMainLoop *loop;
    GThread *thread;
    VirtConnection *connection;
    char *uuid, *directory, *disk;
    bool ready;
} Fixture;

static gpointer run_loop(gpointer loop)
{
    g_main_loop_run(loop);
    return NULL;
}

static gboolean quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static char *domain_xml(Fixture *fixture)
{
    return g_strdup_printf("<domain type='qemu'><name>novad-test-%.8s</name><uuid>%s</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
                           "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'><nova:name>old</nova:name></nova:instance>"
                           "</metadata><os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>"
                           "<emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='qemu-xhci'/>"
                           "<serial type='pty'><log file='%s/console.log' append='off'/></serial>"
                           "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/><memballoon model='virtio'/></devices></domain>",
        fixture->uuid, fixture->uuid, fixture->directory);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_true(virt_event_loop_register(&error));
    fixture->loop = g_main_loop_new(NULL, FALSE);
    fixture->thread = g_thread_new("loop", run_loop, fixture->loop);
    VirtConnectionOptions options;
    virt_connection_options_init(&options, "", "qemu");
    fixture->connection = virt_connection_new(&options);
    virt_connection_options_clear(&options);
    fixture->uuid = nd_uuid_new();
    fixture->directory = g_dir_make_tmp("novad-qemu-XXXXXX", NULL);
    g_assert_cmpint(chmod(fixture->directory, 0777), ==, 0); /* for QEMU's user */
    fixture->disk = g_build_filename(fixture->directory, "disk", NULL);
    g_assert_true(virt_image_create(fixture->disk, VIRT_IMAGE_RAW, 1 << 20, NULL, &error));
    g_autofree char *xml = domain_xml(fixture);
    fixture->ready = virt_connection_wait(fixture->connection, 2000, &error) && virt_domain_define(fixture->connection, xml, &error);
    if (!fixture->ready)
        g_test_message("no QEMU: %s", error->message);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    if (fixture->ready) {
        g_autoptr(GError) error = NULL;
        virt_domain_destroy(fixture->connection, fixture->uuid, &error);
        g_assert_no_error(error);
        virt_domain_undefine(fixture->connection, fixture->uuid, false, false, &error);
        g_assert_no_error(error);
    }
    virt_connection_unref(fixture->connection);
    g_timeout_add(20, quit, fixture->loop);
    g_thread_join(fixture->thread);
    g_main_loop_unref(fixture->loop);
    nd_tree_remove(fixture->directory, NULL);
    g_free(fixture->uuid);
    g_free(fixture->directory);
    g_free(fixture->disk);
}

/* Starts it; a sandbox in which libvirt may not start QEMU skips. */
static bool start(Fixture *fixture, bool paused)
{
    g_autoptr(GError) error = NULL;
    if (fixture->ready && virt_domain_start(fixture->connection, fixture->uuid, paused, &error))
        return true;
    g_test_skip(error != NULL ? error->message : "no libvirtd");
    return false;
}

static VirtPowerState power(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtDomainInfo) info = virt_domain_get_info(fixture->connection, fixture->uuid, &error);
    g_assert_no_error(error);
    return info->power_state;
}

static void test_power(Fixture *fixture, gconstpointer data)
{
    (void)data;
    if (!start(fixture, true))
        return;
    g_autoptr(GError) error = NULL;
    VirtConnection *connection = fixture->connection;
    bool clean = true, has = true;
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_PAUSED);
    g_assert_true(virt_domain_resume(connection, fixture->uuid, &error));
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_RUNNING);
    g_assert_true(virt_domain_inject_nmi(connection, fixture->uuid, &error));
    g_assert_no_error(error);

    /* No guest listens: the time runs out, and it still runs. */
    gint64 before = g_get_monotonic_time();
    g_assert_true(virt_domain_shutdown(connection, fixture->uuid, 2, 1, NULL, &clean, &error));
    g_assert_no_error(error);
    g_assert_false(clean);
    g_assert_cmpint(g_get_monotonic_time() - before, >=, 2 * G_USEC_PER_SEC);
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_RUNNING);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    g_assert_false(virt_domain_shutdown(connection, fixture->uuid, 60, 10, cancellable, &clean, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CANCELLED);
    g_clear_error(&error);

    g_assert_true(virt_domain_has_managed_save(connection, fixture->uuid, &has, &error));
    g_assert_false(has);
    g_assert_true(virt_domain_managed_save(connection, fixture->uuid, &error));
    g_assert_no_error(error);
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_SHUTDOWN);
    g_assert_true(virt_domain_has_managed_save(connection, fixture->uuid, &has, &error));
    g_assert_true(has);
    g_assert_true(virt_domain_start(connection, fixture->uuid, false, &error)); /* restores */
    g_assert_no_error(error);
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_RUNNING);
    g_assert_true(virt_domain_destroy(connection, fixture->uuid, &error));
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_SHUTDOWN);
}

/* Somebody else switches it off while we wait: seen by the event, long before the deadline. */
static gpointer destroy_soon(gpointer data)
{
    Fixture *fixture = data;
    g_usleep(300000);
    virt_domain_destroy(fixture->connection, fixture->uuid, NULL);
    return NULL;
}

static void test_shutdown_event(Fixture *fixture, gconstpointer data)
{
    (void)data;
    if (!start(fixture, false))
        return;
    g_autoptr(GError) error = NULL;
    bool clean = false;
    GThread *thread = g_thread_new("destroy", destroy_soon, fixture);
    gint64 before = g_get_monotonic_time();
    g_assert_true(virt_domain_shutdown(fixture->connection, fixture->uuid, 60, 30, NULL, &clean, &error));
    g_assert_no_error(error);
    g_assert_true(clean);
    g_assert_cmpint(g_get_monotonic_time() - before, <, 20 * G_USEC_PER_SEC);
    g_thread_join(thread);
}

static void test_devices(Fixture *fixture, gconstpointer data)
{
    (void)data;
    if (!start(fixture, false))
        return;
    g_autoptr(GError) error = NULL;
    VirtConnection *connection = fixture->connection;
    VirtDetachOptions options = {.attempts = 2, .timeout_s = 5};
    VirtDeviceMatch match = {.element = "disk", .target_dev = "sda"};
    g_autofree char *disk = g_strdup_printf("<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>"
                                            "<target dev='sda' bus='usb'/><serial>volume-1</serial></disk>", fixture->disk);
    g_assert_true(virt_domain_attach_device(connection, fixture->uuid, disk, &error));
    g_assert_no_error(error);
    for (int inactive = 0; inactive < 2; inactive++) {
        g_autofree char *xml = virt_domain_get_xml(connection, fixture->uuid, inactive ? VIRT_XML_INACTIVE : VIRT_XML_LIVE, &error);
        g_autofree char *found = virt_device_find(xml, &match, NULL);
        g_assert_nonnull(found);
    }
    g_autoptr(VirtDomainStats) stats = virt_domain_get_stats(connection, fixture->uuid, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(stats->blocks->len, ==, 1);
    g_assert_cmpstr(g_array_index(stats->blocks, VirtBlockStats, 0).device, ==, "sda");
    g_assert_cmpuint(stats->memory->len, >, 0);
    VirtBlockStats block;
    g_assert_true(virt_domain_block_stats(connection, fixture->uuid, "sda", &block, &error));
    g_free(block.device);

    g_assert_true(virt_domain_detach_device(connection, fixture->uuid, &match, &options, NULL, &error));
    g_assert_no_error(error);
    for (int inactive = 0; inactive < 2; inactive++) {
        g_autofree char *xml = virt_domain_get_xml(connection, fixture->uuid, inactive ? VIRT_XML_INACTIVE : VIRT_XML_LIVE, &error);
        g_assert_null(virt_device_find(xml, &match, NULL));
    }
    g_assert_false(virt_domain_detach_device(connection, fixture->uuid, &match, &options, NULL, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_NOT_FOUND);
}

/* PCI hot-unplug needs a guest that answers: here is none, so the device stays, and we say so. */
static void test_detach_refused(Fixture *fixture, gconstpointer data)
{
    (void)data;
    if (!start(fixture, false))
        return;
    g_autoptr(GError) error = NULL;
    VirtDetachOptions options = {.attempts = 2, .timeout_s = 1};
    VirtDeviceMatch match = {.element = "disk", .serial = "volume-2"};
    g_autofree char *disk = g_strdup_printf("<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>"
                                            "<target dev='vda' bus='virtio'/><serial>volume-2</serial></disk>", fixture->disk);
    g_assert_true(virt_domain_attach_device(fixture->connection, fixture->uuid, disk, &error));
    g_assert_no_error(error);
    g_assert_false(virt_domain_detach_device(fixture->connection, fixture->uuid, &match, &options, NULL, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_DETACH);
}

static void test_metadata_and_consoles(Fixture *fixture, gconstpointer data)
{
    (void)data;
    if (!start(fixture, false))
        return;
    g_autoptr(GError) error = NULL;
    g_assert_true(virt_domain_set_metadata(fixture->connection, fixture->uuid, "<instance><name>new</name></instance>", &error));
    g_assert_no_error(error);
    for (int inactive = 0; inactive < 2; inactive++) {
        g_autofree char *xml = virt_domain_get_xml(fixture->connection, fixture->uuid, inactive ? VIRT_XML_INACTIVE : VIRT_XML_LIVE, &error);
        g_assert_nonnull(strstr(xml, ">new<"));
        g_assert_null(strstr(xml, ">old<"));
    }
    VirtGraphics graphics;
    g_assert_true(virt_console_graphics(fixture->connection, fixture->uuid, "vnc", &graphics, &error));
    g_assert_no_error(error);
    g_assert_cmpint(graphics.port, >=, 5900);
    g_assert_cmpstr(graphics.host, ==, "127.0.0.1");
    virt_graphics_clear(&graphics);
    g_assert_false(virt_console_graphics(fixture->connection, fixture->uuid, "spice", &graphics, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CONSOLE);
    g_clear_error(&error);
    g_autofree char *log = g_build_filename(fixture->directory, "console.log", NULL);
    g_autoptr(GBytes) output = virt_console_output(fixture->connection, fixture->uuid, log, &error);
    g_assert_no_error(error);
    g_assert_nonnull(output);
    g_assert_true(virt_domain_destroy(fixture->connection, fixture->uuid, &error));
    g_assert_false(virt_console_graphics(fixture->connection, fixture->uuid, "vnc", &graphics, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CONSOLE);
}

/* A disk of a running domain into a file, the domain defined all the while. */
static void test_block_copy(Fixture *fixture, gconstpointer data)
{
    (void)data;
    static const char content[] = "what is on the disk";
    g_autoptr(GError) error = NULL;
    VirtConnection *connection = fixture->connection;
    g_autofree char *copy = g_build_filename(fixture->directory, "copy", NULL), *raw = g_build_filename(fixture->directory, "raw", NULL);
    g_autofree char *missing = g_build_filename(fixture->directory, "missing", NULL), *bytes = NULL;
    g_autofree char *disk = g_strdup_printf("<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>"
                                            "<target dev='sda' bus='usb'/></disk>", fixture->disk);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    FILE *file = fopen(fixture->disk, "r+");
    g_assert_nonnull(file);
    g_assert_cmpuint(fwrite(content, sizeof content, 1, file), ==, 1);
    fclose(file);
    if (!start(fixture, false))
        return;
    g_assert_true(virt_domain_attach_device(connection, fixture->uuid, disk, &error));
    g_assert_no_error(error);

    g_assert_false(virt_block_copy(connection, fixture->uuid, "sda", missing, NULL, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_true(virt_image_create(copy, VIRT_IMAGE_QCOW2, 1 << 20, NULL, &error));
    g_cancellable_cancel(cancelled);
    g_assert_false(virt_block_copy(connection, fixture->uuid, "sda", copy, cancelled, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CANCELLED);
    g_clear_error(&error);

    g_assert_cmpint(unlink(copy), ==, 0);
    g_assert_true(virt_image_create(copy, VIRT_IMAGE_QCOW2, 1 << 20, NULL, &error));
    virt_block_copy(connection, fixture->uuid, "sda", copy, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *xml = virt_domain_get_xml(connection, fixture->uuid, VIRT_XML_LIVE, &error);
    g_assert_nonnull(strstr(xml, "<mirror "));
    for (int again = 0; again < 2; again++) { /* the second time there is none */
        virt_block_job_abort(connection, fixture->uuid, "sda", &error);
        g_assert_no_error(error);
    }
    virt_image_convert(copy, VIRT_IMAGE_QCOW2, raw, VIRT_IMAGE_RAW, false, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(nd_file_read(raw, 2 << 20, &bytes, NULL, &error));
    g_assert_cmpmem(bytes, sizeof content, content, sizeof content);
    virt_block_job_abort(connection, "00000000-0000-4000-8000-000000000000", "sda", &error);
    g_assert_no_error(error);
}

/* A guest without a channel for the agent. */
static void test_no_agent(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    if (!start(fixture, false))
        return;
    g_assert_false(virt_agent_freeze(fixture->connection, fixture->uuid, &error));
    g_assert_error(error, LIBVIRT_ERROR, VIR_ERR_ARGUMENT_UNSUPPORTED);
    g_clear_error(&error);
    g_assert_false(virt_agent_thaw(fixture->connection, fixture->uuid, &error));
    g_assert_error(error, LIBVIRT_ERROR, VIR_ERR_ARGUMENT_UNSUPPORTED);
    g_clear_error(&error);
    g_assert_false(virt_agent_set_password(fixture->connection, fixture->uuid, "root", "x", &error));
    g_assert_error(error, LIBVIRT_ERROR, VIR_ERR_ARGUMENT_UNSUPPORTED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/virt/qemu/" name, Fixture, NULL, set_up, test, tear_down)
    ADD("power", test_power);
    ADD("shutdown-event", test_shutdown_event);
    ADD("devices", test_devices);
    ADD("detach-refused", test_detach_refused);
    ADD("block-copy", test_block_copy);
    ADD("no-agent", test_no_agent);
    ADD("metadata-and-consoles", test_metadata_and_consoles);
    return g_test_run();
}
