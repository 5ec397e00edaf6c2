/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/serial_ports.h"
#include "rpc/exception.h"

#include <arpa/inet.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ports of serial consoles: each is given once, those in use are passed over, and given back ones come again. */

/* An address of this process alone: on 127.0.0.1 the ports beside a free one may be taken by anybody's connections. */
static const char *own_address(void)
{
    static char address[INET_ADDRSTRLEN];
    guint pid = (guint)getpid();

    g_snprintf(address, sizeof address, "127.%u.%u.%u", 1 + (pid >> 16) % 254, (pid >> 8) % 256, 1 + pid % 254);
    return address;
}

typedef struct {
    NdConfig *config;
    Agent agent;
    SerialPorts ports;
    int listening; /* a socket on a free port, `first` */
    guint first;
} Fixture;

/* Four ports, of which somebody else has the first. */
static void set_up(Fixture *fixture, gconstpointer range G_GNUC_UNUSED)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(own_address())};
    socklen_t length = sizeof address;
    g_autoptr(GError) error = NULL;
    do {
        if (fixture->first != 0)
            close(fixture->listening);
        address.sin_port = 0;
        fixture->listening = socket(AF_INET, SOCK_STREAM, 0);
        g_assert_cmpint(bind(fixture->listening, (struct sockaddr *)&address, sizeof address), ==, 0);
        g_assert_cmpint(getsockname(fixture->listening, (struct sockaddr *)&address, &length), ==, 0);
        g_assert_cmpint(listen(fixture->listening, 1), ==, 0);
        fixture->first = ntohs(address.sin_port);
    } while (fixture->first > 65000);
    g_autofree char *text = g_strdup_printf("[serial_console]\nport_range = %u:%u\n", fixture->first, fixture->first + 3);
    fixture->config = nd_config_new_from_text(text, &error);
    g_assert_no_error(error);
    fixture->agent.config = fixture->config;
    fixture->ports = (SerialPorts){&fixture->agent, g_ptr_array_new_with_free_func(g_free)};
}

static void tear_down(Fixture *fixture, gconstpointer range G_GNUC_UNUSED)
{
    serial_ports_abandon(&fixture->ports);
    g_ptr_array_unref(fixture->ports.taken);
    close(fixture->listening);
    nd_config_free(fixture->config);
}

static void test_acquire(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    const char *host = own_address();
    g_autoptr(GError) error = NULL;
    guint one = serial_ports_acquire(&fixture->ports, host, &error);
    g_assert_no_error(error);
    guint two = serial_ports_acquire(&fixture->ports, host, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(one, >, fixture->first);
    g_assert_cmpuint(two, >, one);
    g_assert_cmpuint(serial_ports_acquire(&fixture->ports, host, &error), ==, 0);
    g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_SOCKET_PORT_RANGE_EXHAUSTED_EXCEPTION);
    g_clear_error(&error);

    g_autofree char *xml = g_strdup_printf("<domain><devices><serial type='tcp'><source mode='bind' host='%s' service='%u'/></serial>"
                                           "<console type='tcp'><source mode='bind' host='%s' service='%u'/></console></devices></domain>",
                                           host, two, host, one);
    serial_ports_release_xml(xml); /* consoles only repeat the serial ports */
    g_assert_cmpuint(serial_ports_acquire(&fixture->ports, host, &error), ==, two);
    serial_ports_abandon(&fixture->ports);
    serial_ports_claim_xml(xml);
    g_assert_cmpuint(serial_ports_acquire(&fixture->ports, host, &error), ==, one);
    g_assert_cmpuint(serial_ports_acquire(&fixture->ports, host, &error), ==, 0);
    serial_ports_release_xml(xml);
    serial_ports_release_xml("<no xml");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/serial-ports/acquire", Fixture, NULL, set_up, test_acquire, tear_down);
    return g_test_run();
}
