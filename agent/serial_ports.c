/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/serial_ports.h"

#include "base/conf.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/console.h"
#include "virt/domain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOGGER "nova.console.serial"
#define DEFAULT_RANGE "10000:20000"
#define PORT_MAX 65535

static GMutex lock;
static GHashTable *in_use; /* "host:port"; under the lock */

/* First port, and the one after the last. */
static void port_range(const NdConfig *config, guint *first, guint *end)
{
    const char *text = nd_config_string(config, "serial_console", "port_range");
    for (int attempt = 0; attempt < 2; attempt++) {
        char *rest = NULL;
        *first = (guint)MIN(strtoul(text, &rest, 10), PORT_MAX + 1UL);
        *end = *rest == ':' ? (guint)MIN(strtoul(rest + 1, NULL, 10), PORT_MAX + 1UL) : 0;
        if (*first < *end)
            return;
        nd_warning(LOGGER, "serial_console.port_range should be in the format <start>:<stop> and start < stop, Given value %s is invalid. Taking the default "
                   "port range " DEFAULT_RANGE ".", text);
        text = DEFAULT_RANGE;
    }
}

/* Whether nobody listens there: tried by binding it. */
static bool can_bind(const char *host, guint port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *address = NULL;
    g_autofree char *service = g_strdup_printf("%u", port);
    int failure = getaddrinfo(host, service, &hints, &address);
    if (failure != 0) {
        nd_warning(LOGGER, "%s:%u: %s", host, port, gai_strerror(failure));
        return false;
    }
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* As QEMU does it: connections that ended lately (TIME_WAIT) are no reason against a port. */
    const int on = 1;
    bool bound = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, address->ai_addr, address->ai_addrlen) == 0;
    if (!bound)
        nd_warning(LOGGER, "port %u on %s is in use: %s", port, host, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    return bound;
}

static char *port_key(const char *host, guint port)
{
    return g_strdup_printf("%s:%u", host, port);
}

/* Lock held. */
static bool take(const char *key)
{
    if (in_use == NULL)
        in_use = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return g_hash_table_add(in_use, g_strdup(key));
}

static void give_back(const char *key)
{
    g_mutex_lock(&lock);
    if (in_use != NULL)
        g_hash_table_remove(in_use, key);
    g_mutex_unlock(&lock);
}

guint serial_ports_acquire(gpointer user_data, const char *host, GError **error)
{
    SerialPorts *ports = user_data;
    guint first, end;
    port_range(ports->agent->config, &first, &end);
    for (guint port = first; port < end; port++) {
        g_autofree char *key = port_key(host, port);
        g_mutex_lock(&lock);
        bool ours = take(key);
        g_mutex_unlock(&lock);
        if (!ours)
            continue;
        if (can_bind(host, port)) {
            g_ptr_array_add(ports->taken, g_steal_pointer(&key));
            return port;
        }
        give_back(key);
    }
    nova_exception_set(error, NOVA_EXC_SOCKET_PORT_RANGE_EXHAUSTED_EXCEPTION, "host", host, NULL);
    return 0;
}

void serial_ports_abandon(SerialPorts *ports)
{
    for (guint i = 0; i < ports->taken->len; i++)
        give_back(ports->taken->pdata[i]);
    g_ptr_array_set_size(ports->taken, 0);
}

void serial_ports_claim_xml(const char *domain_xml)
{
    g_autoptr(GPtrArray) ports = virt_console_serial_ports(domain_xml, NULL);
    g_mutex_lock(&lock);
    for (guint i = 0; ports != NULL && i < ports->len; i++)
        take(ports->pdata[i]);
    g_mutex_unlock(&lock);
}

void serial_ports_release_xml(const char *domain_xml)
{
    g_autoptr(GPtrArray) ports = virt_console_serial_ports(domain_xml, NULL);
    for (guint i = 0; ports != NULL && i < ports->len; i++)
        give_back(ports->pdata[i]);
}

void serial_ports_release_domain(Agent *agent, const char *uuid)
{
    if (!nd_config_bool(agent->config, "serial_console", "enabled"))
        return;
    g_autofree char *xml = virt_domain_get_xml(agent->virt, uuid, VIRT_XML_LIVE, NULL);
    if (xml != NULL)
        serial_ports_release_xml(xml);
}
