/* SPDX-License-Identifier: Apache-2.0 */
/* libvirtd goes away and comes back: a session daemon of the test's own, with libvirt's test driver in it. */
#include "config.h"

#include "base/file.h"
#include "virt/domain.h"
#include "virt/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define DOMAIN_XML "<domain type='test'><name>one</name><uuid>" UUID "</uuid><memory>65536</memory><os><type>hvm</type></os></domain>"

typedef struct {
    GMainLoop *loop;
    GThread *thread;
    VirtConnection *connection;
    char *directory, *socket, *program;
    pid_t daemon;
    GMutex lock;
    GCond changed;
    unsigned ups, downs, starts;
    char *reason;
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

static void on_connected(bool connected, const char *reason, gpointer data)
{
    Fixture *fixture = data;
    g_mutex_lock(&fixture->lock);
    if (connected)
        fixture->ups++;
    else {
        fixture->downs++;
        g_free(fixture->reason);
        fixture->reason = g_strdup(reason);
    }
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void on_lifecycle(const char *uuid, VirtLifecycle lifecycle, int detail, gpointer data)
{
    (void)detail;
    Fixture *fixture = data;
    g_mutex_lock(&fixture->lock);
    fixture->starts += strcmp(uuid, UUID) == 0 && lifecycle == VIRT_LIFECYCLE_STARTED;
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static bool wait_for(Fixture *fixture, const unsigned *counter, unsigned wanted)
{
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fixture->lock);
    while (*counter < wanted)
        if (!g_cond_wait_until(&fixture->changed, &fixture->lock, deadline))
            return false;
    return true;
}

/* A daemon that runs as root would be the system's; so as nobody then. */
static void become_user(const struct passwd *user)
{
    if (user != NULL && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
}

static void start_daemon(Fixture *fixture)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : NULL;
    g_autofree char *home = g_strconcat("HOME=", fixture->directory, NULL), *runtime = g_strconcat("XDG_RUNTIME_DIR=", fixture->directory, NULL);
    char *const env[] = {home, runtime, (char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, NULL};
    char *const argv[] = {fixture->program, (char[]){"--timeout=120"}, NULL};
    if (user != NULL)
        g_assert_cmpint(chown(fixture->directory, user->pw_uid, user->pw_gid), ==, 0);
    fixture->daemon = fork();
    g_assert_cmpint(fixture->daemon, >=, 0);
    if (fixture->daemon == 0) {
        become_user(user);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execve(fixture->program, argv, env);
        _exit(127);
    }
}

static void stop_daemon(Fixture *fixture)
{
    if (fixture->daemon <= 0)
        return;
    kill(fixture->daemon, SIGKILL);
    waitpid(fixture->daemon, NULL, 0);
    fixture->daemon = 0;
}

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->program = g_find_program_in_path("libvirtd");
    if (fixture->program == NULL && g_file_test("/usr/sbin/libvirtd", G_FILE_TEST_IS_EXECUTABLE))
        fixture->program = g_strdup("/usr/sbin/libvirtd");
    fixture->directory = g_dir_make_tmp("novad-libvirtd-XXXXXX", NULL);
    fixture->socket = g_build_filename(fixture->directory, "libvirt", "libvirt-sock", NULL);
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    g_assert_true(virt_event_loop_register(NULL));
    fixture->loop = g_main_loop_new(NULL, FALSE);
    fixture->thread = g_thread_new("loop", run_loop, fixture->loop);
    g_autofree char *uri = g_strdup_printf("test+unix:///default?socket=%s&mode=direct", fixture->socket);
    VirtConnectionOptions options;
    virt_connection_options_init(&options, uri, "qemu");
    options.reconnect_min_ms = 50;
    options.reconnect_max_ms = 200;
    options.connected = on_connected;
    options.lifecycle = on_lifecycle;
    options.user_data = fixture;
    fixture->connection = virt_connection_new(&options);
    virt_connection_options_clear(&options);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    virt_connection_unref(fixture->connection);
    stop_daemon(fixture);
    g_timeout_add(200, quit, fixture->loop); /* libvirt takes its dead connections apart in the loop */
    g_thread_join(fixture->thread);
    g_main_loop_unref(fixture->loop);
    nd_tree_remove(fixture->directory, NULL);
    g_free(fixture->directory);
    g_free(fixture->socket);
    g_free(fixture->program);
    g_free(fixture->reason);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
}

static void test_reconnect(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    if (fixture->program == NULL) {
        g_test_skip("no libvirtd");
        return;
    }
    g_assert_true(wait_for(fixture, &fixture->downs, 1)); /* nothing listens yet: said once */
    g_assert_nonnull(fixture->reason);
    start_daemon(fixture);
    if (!virt_connection_wait(fixture->connection, 15000, &error)) {
        g_test_skip(error->message);
        return;
    }
    g_assert_true(wait_for(fixture, &fixture->ups, 1));
    g_assert_true(virt_domain_define(fixture->connection, DOMAIN_XML, &error));
    g_assert_no_error(error);
    g_assert_true(virt_domain_start(fixture->connection, UUID, false, &error));
    g_assert_no_error(error);
    g_assert_true(wait_for(fixture, &fixture->starts, 1));

    /* Killed: a waiter hears of it, calls fail with the reason in a few seconds at most, and the agent is told. */
    g_autoptr(VirtWaiter) waiter = virt_waiter_new(fixture->connection, UUID);
    stop_daemon(fixture);
    VirtEvent event = {0};
    g_assert_true(virt_waiter_next(waiter, g_get_monotonic_time() + 15 * G_USEC_PER_SEC, NULL, &event, &error));
    g_assert_cmpint(event.kind, ==, VIRT_EVENT_CONNECTION_LOST);
    virt_event_clear(&event);
    g_assert_true(wait_for(fixture, &fixture->downs, 2));
    bool exists;
    g_assert_false(virt_domain_exists(fixture->connection, UUID, &exists, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_CONNECTED);
    g_clear_error(&error);

    /* Back: events come again. */
    start_daemon(fixture);
    g_assert_true(wait_for(fixture, &fixture->ups, 2));
    g_assert_true(virt_domain_define(fixture->connection, DOMAIN_XML, &error));
    g_assert_no_error(error);
    g_assert_true(virt_domain_start(fixture->connection, UUID, false, &error));
    g_assert_no_error(error);
    g_assert_true(wait_for(fixture, &fixture->starts, 2));
    g_assert_cmpuint(fixture->downs, ==, 2);
    g_assert_cmpuint(fixture->ups, ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/virt/reconnect", Fixture, NULL, set_up, test_reconnect, tear_down);
    return g_test_run();
}
