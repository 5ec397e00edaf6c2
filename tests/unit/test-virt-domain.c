/* SPDX-License-Identifier: Apache-2.0 */
/* The connection and domain operations on libvirt's test driver, which keeps its domains in memory. */
#include "config.h"

#include "virt/domain.h"
#include "virt/domain_stats.h"
#include "virt/error.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define DOMAIN_XML \
    "<domain type='test'><name>instance-00000001</name><uuid>" UUID "</uuid><memory>65536</memory><vcpu>2</vcpu>" \
    "<os><type>hvm</type></os><devices>" \
    "<disk type='file' device='disk'><source file='/disk'/><target dev='vda' bus='virtio'/></disk>" \
    "<disk type='file' device='disk'><source file='/disk2'/><target dev='vdb' bus='virtio'/><serial>abc</serial></disk>" \
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/><target dev='tap0'/></interface>" \
    "</devices></domain>"

typedef struct {
    GMainLoop *loop;
    GThread *thread;
    VirtConnection *connection;
    GMutex lock;
    GCond changed;
    GArray *events; /* of VirtLifecycle */
    int connected;  /* -1 not told */
} Fixture;

static gpointer run_loop(gpointer loop)
{
    g_main_loop_run(loop);
    return NULL;
}

static void on_lifecycle(const char *uuid, VirtLifecycle lifecycle, int detail, gpointer data)
{
    (void)detail;
    Fixture *fixture = data;
    if (strcmp(uuid, UUID) != 0)
        return;
    g_mutex_lock(&fixture->lock);
    g_array_append_val(fixture->events, lifecycle);
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void on_connected(bool connected, const char *reason, gpointer data)
{
    (void)reason;
    Fixture *fixture = data;
    g_mutex_lock(&fixture->lock);
    fixture->connected = connected;
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void set_up_uri(Fixture *fixture, const char *uri)
{
    g_autoptr(GError) error = NULL;
    fixture->loop = g_main_loop_new(NULL, FALSE);
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    fixture->events = g_array_new(FALSE, FALSE, sizeof(VirtLifecycle));
    fixture->connected = -1;
    g_assert_true(virt_event_loop_register(&error));
    g_assert_no_error(error);
    fixture->thread = g_thread_new("loop", run_loop, fixture->loop);
    VirtConnectionOptions options;
    virt_connection_options_init(&options, uri, "qemu");
    options.keepalive_interval_s = 0;
    options.stop_event_delay_ms = 300;
    options.reconnect_min_ms = 20;
    options.lifecycle = on_lifecycle;
    options.connected = on_connected;
    options.user_data = fixture;
    fixture->connection = virt_connection_new(&options);
    virt_connection_options_clear(&options);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    set_up_uri(fixture, "test:///default");
    g_assert_true(virt_connection_wait(fixture->connection, 5000, &error));
    g_assert_no_error(error);
}

static gboolean quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    virt_connection_unref(fixture->connection);
    /* libvirt frees the callbacks' data from the loop: let it. */
    g_timeout_add(20, quit, fixture->loop);
    g_thread_join(fixture->thread);
    g_main_loop_unref(fixture->loop);
    g_array_unref(fixture->events);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
}

static unsigned count_events(Fixture *fixture, VirtLifecycle wanted)
{
    unsigned count = 0;
    for (guint i = 0; i < fixture->events->len; i++)
        count += g_array_index(fixture->events, VirtLifecycle, i) == wanted;
    return count;
}

/* Waits until `wanted` was seen `times` times. */
static bool wait_events(Fixture *fixture, VirtLifecycle wanted, unsigned times, int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + timeout_ms * (gint64)1000;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fixture->lock);
    while (count_events(fixture, wanted) < times)
        if (!g_cond_wait_until(&fixture->changed, &fixture->lock, deadline))
            return false;
    return true;
}

static VirtPowerState power(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtDomainInfo) info = virt_domain_get_info(fixture->connection, UUID, &error);
    g_assert_no_error(error);
    return info->power_state;
}

static void define_and_start(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(virt_domain_define(fixture->connection, DOMAIN_XML, &error));
    g_assert_no_error(error);
    g_assert_true(virt_domain_start(fixture->connection, UUID, false, &error));
    g_assert_no_error(error);
}

static void test_life(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    VirtConnection *connection = fixture->connection;
    bool exists = true, clean = false;
    g_assert_true(virt_domain_exists(connection, UUID, &exists, &error));
    g_assert_false(exists);
    define_and_start(fixture);
    g_assert_true(virt_domain_exists(connection, UUID, &exists, &error));
    g_assert_true(exists);
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_RUNNING);
    g_assert_true(virt_domain_suspend(connection, UUID, &error));
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_PAUSED);
    g_assert_true(virt_domain_resume(connection, UUID, &error));
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_RUNNING);
    g_assert_true(virt_domain_shutdown(connection, UUID, 5, 1, NULL, &clean, &error));
    g_assert_no_error(error);
    g_assert_true(clean);
    g_assert_cmpint(power(fixture), ==, VIRT_POWER_SHUTDOWN);
    g_assert_true(virt_domain_destroy(connection, UUID, &error)); /* already off */
    g_assert_true(virt_domain_undefine(connection, UUID, false, false, &error));
    g_assert_no_error(error);
    g_assert_true(virt_domain_undefine(connection, UUID, false, false, &error)); /* already gone */
    g_assert_true(virt_domain_destroy(connection, UUID, &error));
    g_assert_true(wait_events(fixture, VIRT_LIFECYCLE_PAUSED, 1, 2000));
    g_assert_true(wait_events(fixture, VIRT_LIFECYCLE_RESUMED, 1, 2000));
    g_assert_true(wait_events(fixture, VIRT_LIFECYCLE_STOPPED, 1, 2000));
}

static void test_start_twice(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    define_and_start(fixture);
    g_assert_false(virt_domain_start(fixture->connection, UUID, false, &error));
    g_assert_cmpuint(error->domain, ==, LIBVIRT_ERROR);
    g_assert_nonnull(strstr(error->message, "already running"));
}

/* A stop followed by a start within the delay is a reboot: no STOPPED is reported. */
static void test_reboot_is_no_stop(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    define_and_start(fixture);
    g_assert_true(virt_domain_destroy(fixture->connection, UUID, &error));
    g_assert_true(virt_domain_start(fixture->connection, UUID, false, &error));
    g_assert_true(wait_events(fixture, VIRT_LIFECYCLE_STARTED, 2, 2000));
    g_assert_false(wait_events(fixture, VIRT_LIFECYCLE_STOPPED, 1, 500));
    g_assert_true(virt_domain_destroy(fixture->connection, UUID, &error));
    g_assert_true(wait_events(fixture, VIRT_LIFECYCLE_STOPPED, 1, 2000));
}

static void test_missing(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_null(virt_domain_get_info(fixture->connection, UUID, &error));
    g_assert_error(error, LIBVIRT_ERROR, VIR_ERR_NO_DOMAIN);
    g_assert_true(virt_error_is_no_domain(error));
    g_clear_error(&error);
    g_assert_false(virt_domain_start(fixture->connection, UUID, false, &error));
    g_assert_true(virt_error_is_no_domain(error));
    g_clear_error(&error);
    g_assert_false(virt_domain_define(fixture->connection, "<domain", &error));
    g_assert_cmpuint(error->domain, ==, LIBVIRT_ERROR);
    g_clear_error(&error);
    bool clean = false;
    g_assert_true(virt_domain_shutdown(fixture->connection, UUID, 5, 1, NULL, &clean, &error));
    g_assert_true(clean);
}

static void test_list(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_true(virt_domain_define(fixture->connection, DOMAIN_XML, &error));
    g_autoptr(GPtrArray) all = virt_domain_list(fixture->connection, false, &error), active = virt_domain_list(fixture->connection, true, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(all->len, ==, active->len + 1);
    bool found = false;
    for (guint i = 0; i < all->len; i++) {
        const VirtDomainInfo *info = g_ptr_array_index(all, i);
        if (strcmp(info->uuid, UUID) != 0)
            continue;
        found = true;
        g_assert_cmpstr(info->name, ==, "instance-00000001");
        g_assert_cmpint(info->id, ==, -1);
        g_assert_cmpint(info->power_state, ==, VIRT_POWER_SHUTDOWN);
        g_assert_cmpuint(info->max_memory_kib, ==, 65536);
        g_assert_cmpuint(info->vcpus, ==, 2);
    }
    g_assert_true(found);
}

static void test_find_device(void)
{
    g_autofree char *alias = NULL;
    VirtDeviceMatch disk = {.element = "disk", .serial = "abc"}, nic = {.element = "interface", .mac = "52:54:00:00:00:01"};
    VirtDeviceMatch other = {.element = "interface", .mac = "52:54:00:00:00:02"}, both = {.element = "disk", .target_dev = "vda", .serial = "abc"};
    g_autofree char *disk_xml = virt_device_find(DOMAIN_XML, &disk, &alias), *nic_xml = virt_device_find(DOMAIN_XML, &nic, NULL);
    g_assert_nonnull(strstr(disk_xml, "vdb"));
    g_assert_null(alias);
    g_assert_nonnull(strstr(nic_xml, "tap0"));
    g_assert_null(virt_device_find(DOMAIN_XML, &other, NULL));
    g_assert_null(virt_device_find(DOMAIN_XML, &both, NULL));
    g_assert_null(virt_device_find("<domain", &disk, NULL));
}

static void test_detach_missing(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    define_and_start(fixture);
    VirtDetachOptions options = {.attempts = 1, .timeout_s = 1};
    VirtDeviceMatch match = {.element = "disk", .target_dev = "vdz"};
    g_assert_false(virt_domain_detach_device(fixture->connection, UUID, &match, &options, NULL, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_NOT_FOUND);
}

static void test_stats(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    define_and_start(fixture);
    g_autoptr(VirtDomainStats) stats = virt_domain_get_stats(fixture->connection, UUID, &error);
    g_assert_no_error(error);
    g_assert_cmpint(stats->power_state, ==, VIRT_POWER_RUNNING);
    g_assert_cmpuint(stats->max_memory_kib, ==, 65536);
    g_assert_cmpuint(stats->vcpus->len, ==, 2);
    g_assert_cmpuint(stats->interfaces->len, ==, 1);
    g_assert_cmpstr(g_array_index(stats->interfaces, VirtInterfaceStats, 0).mac, ==, "52:54:00:00:00:01");
}

static void test_waiter(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    VirtEvent event;
    g_autoptr(VirtWaiter) waiter = virt_waiter_new(fixture->connection, UUID);
    g_assert_false(virt_waiter_next(waiter, g_get_monotonic_time() + 1000, NULL, &event, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_TIMEOUT);
    g_clear_error(&error);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_cancellable_cancel(cancellable);
    g_assert_false(virt_waiter_next(waiter, g_get_monotonic_time() + G_USEC_PER_SEC, cancellable, &event, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_CANCELLED);
    g_clear_error(&error);
    define_and_start(fixture);
    bool started = false;
    while (!started) {
        g_assert_true(virt_waiter_next(waiter, g_get_monotonic_time() + 2 * G_USEC_PER_SEC, NULL, &event, &error));
        started = event.kind == VIRT_EVENT_LIFECYCLE && event.code == VIRT_LIFECYCLE_STARTED;
        virt_event_clear(&event);
    }
}

static void set_up_nothing(Fixture *fixture, gconstpointer data)
{
    (void)data;
    set_up_uri(fixture, "qemu+unix:///system?socket=/nonexistent/libvirt-sock");
}

static void test_not_connected(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_false(virt_connection_wait(fixture->connection, 50, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_CONNECTED);
    g_clear_error(&error);
    bool exists;
    g_assert_false(virt_domain_exists(fixture->connection, UUID, &exists, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_CONNECTED);
    g_assert_false(virt_connection_is_connected(fixture->connection));
    gint64 deadline = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fixture->lock);
    while (fixture->connected != 0)
        g_assert_true(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline));
}

static void test_options(void)
{
    static const struct {
        const char *configured, *virt_type, *uri;
    } cases[] = {{"", "kvm", "qemu:///system"}, {NULL, "qemu", "qemu:///system"}, {"qemu+tcp://h/system", "kvm", "qemu+tcp://h/system"},
        {"", "lxc", "lxc:///"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        VirtConnectionOptions options;
        virt_connection_options_init(&options, cases[i].configured, cases[i].virt_type);
        g_assert_cmpstr(options.uri, ==, cases[i].uri);
        virt_connection_options_clear(&options);
    }
}

static void test_power_states(void)
{
    static const struct {
        int libvirt;
        VirtPowerState nova;
        const char *name;
    } cases[] = {{VIR_DOMAIN_NOSTATE, 0, "pending"}, {VIR_DOMAIN_RUNNING, 1, "running"}, {VIR_DOMAIN_BLOCKED, 1, "running"},
        {VIR_DOMAIN_PAUSED, 3, "paused"}, {VIR_DOMAIN_SHUTDOWN, 4, "shutdown"}, {VIR_DOMAIN_SHUTOFF, 4, "shutdown"},
        {VIR_DOMAIN_CRASHED, 6, "crashed"}, {VIR_DOMAIN_PMSUSPENDED, 7, "suspended"}, {99, 0, "pending"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(virt_power_state_from_libvirt(cases[i].libvirt), ==, cases[i].nova);
        g_assert_cmpstr(virt_power_state_name(cases[i].nova), ==, cases[i].name);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, up, test) g_test_add("/virt/domain/" name, Fixture, NULL, up, test, tear_down)
    ADD("life", set_up, test_life);
    ADD("start-twice", set_up, test_start_twice);
    ADD("reboot-is-no-stop", set_up, test_reboot_is_no_stop);
    ADD("missing", set_up, test_missing);
    ADD("list", set_up, test_list);
    ADD("detach-missing", set_up, test_detach_missing);
    ADD("stats", set_up, test_stats);
    ADD("waiter", set_up, test_waiter);
    ADD("not-connected", set_up_nothing, test_not_connected);
    g_test_add_func("/virt/domain/find-device", test_find_device);
    g_test_add_func("/virt/domain/options", test_options);
    g_test_add_func("/virt/domain/power-states", test_power_states);
    return g_test_run();
}
