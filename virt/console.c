/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/xml.h"
#include "virt/console.h"
#include "virt/domain.h"
#include "virt/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROTATED_MAX 16 /* virtlogd's max_backups is 3 by default */

/* Up to `want` bytes from the end of one file in front of what `tail` has. *left: bytes of the file before those. */
static bool prepend_tail(const char *path, size_t want, GByteArray *tail, guint64 *left, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0)
        return virt_error_set_errno(error, errno, "open '%s'", path);
    if (fstat(fd, &status) < 0) {
        int errnum = errno;
        close(fd);
        return virt_error_set_errno(error, errnum, "stat '%s'", path);
    }
    guint64 size = S_ISREG(status.st_mode) ? (guint64)status.st_size : 0;
    size_t some = (size_t)MIN(size, (guint64)want), done = 0;
    g_autofree guint8 *bytes = g_malloc(some + 1);
    *left = size - some;
    while (done < some) {
        ssize_t got = pread(fd, bytes + done, some - done, (off_t)(*left + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break; /* the log was cut meanwhile */
        done += (size_t)got;
    }
    close(fd);
    g_byte_array_prepend(tail, bytes, (guint)done);
    return true;
}

GBytes *virt_console_tail(const char *path, size_t max_bytes, guint64 *skipped, GError **error)
{
    g_autoptr(GByteArray) tail = g_byte_array_new();
    guint64 left = 0;
    if (!prepend_tail(path, max_bytes, tail, &left, error))
        return NULL;
    /* What does not fit into the log any more virtlogd moves to path.0, older to path.1 ... */
    for (int i = 0; i < ROTATED_MAX; i++) {
        g_autofree char *older = g_strdup_printf("%s.%d", path, i);
        struct stat status;
        guint64 older_left = 0;
        if (stat(older, &status) < 0)
            break;
        if (tail->len < max_bytes && prepend_tail(older, max_bytes - tail->len, tail, &older_left, NULL))
            left += older_left;
        else
            left += (guint64)status.st_size;
    }
    if (skipped != NULL)
        *skipped = left;
    return g_byte_array_free_to_bytes(g_steal_pointer(&tail));
}

static xmlNode *domain_root(const char *xml, xmlDoc **document, GError **error)
{
    *document = nd_xml_parse(xml, -1, error);
    return *document != NULL ? nd_xml_root(*document, "domain", error) : NULL;
}

bool virt_console_paths(const char *domain_xml, VirtConsolePaths *paths, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *root = domain_root(domain_xml, &document, error);
    if (root == NULL)
        return false;
    VirtConsolePaths found = {0};
    /* Upstream looks at every <console>, then at the serial ones with a log of their own; file before pty. */
    static const char *const log_expressions[] = {"devices/console/log/@file", "devices/serial/log/@file", "devices/console[@type='file']/source/@path",
        "devices/serial[@type='file']/source/@path"};
    for (size_t i = 0; i < G_N_ELEMENTS(log_expressions) && found.log_path == NULL; i++)
        found.log_path = nd_xpath_string(root, log_expressions[i]);
    found.pty_path = nd_xpath_string(root, "devices/console[@type='pty']/source/@path");
    if (found.pty_path == NULL)
        found.pty_path = nd_xpath_string(root, "devices/serial[@type='pty']/source/@path");
    *paths = found;
    return true;
}

void virt_console_paths_clear(VirtConsolePaths *paths)
{
    g_clear_pointer(&paths->log_path, g_free);
    g_clear_pointer(&paths->pty_path, g_free);
}

/* What the pty has now, appended to the log file. Reading takes it away, so it must be kept. */
static bool drain_pty(const char *pty, const char *log, GError **error)
{
    int in = open(pty, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (in < 0)
        return virt_error_set_errno(error, errno, "open '%s'", pty);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (out < 0) {
        virt_error_set_errno(error, errno, "open '%s'", log);
        close(in);
        return false;
    }
    bool good = true;
    size_t total = 0;
    char buffer[4096];
    while (good && total < VIRT_CONSOLE_MAX_BYTES) {
        ssize_t got = read(in, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break; /* nothing more now */
        total += (size_t)got;
        if (write(out, buffer, (size_t)got) != got)
            good = virt_error_set_errno(error, errno, "write '%s'", log);
    }
    close(in);
    close(out);
    return good;
}

GBytes *virt_console_output(VirtConnection *connection, const char *uuid, const char *pty_log, GError **error)
{
    g_autofree char *xml = virt_domain_get_xml(connection, uuid, VIRT_XML_LIVE, error);
    VirtConsolePaths paths = {0};
    if (xml == NULL || !virt_console_paths(xml, &paths, error))
        return NULL;
    g_autofree char *log = paths.log_path, *pty = paths.pty_path;
    if (log != NULL) {
        g_autoptr(GError) local = NULL;
        GBytes *bytes = virt_console_tail(log, VIRT_CONSOLE_MAX_BYTES, NULL, &local);
        if (bytes == NULL && g_error_matches(local, VIRT_ERROR, VIRT_ERROR_NOT_FOUND))
            return g_bytes_new_static("", 0); /* the guest has not written yet */
        if (bytes == NULL)
            g_propagate_error(error, g_steal_pointer(&local));
        return bytes;
    }
    if (pty == NULL) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_CONSOLE, "guest %s does not have a console available", uuid);
        return NULL;
    }
    return drain_pty(pty, pty_log, error) ? virt_console_tail(pty_log, VIRT_CONSOLE_MAX_BYTES, NULL, error) : NULL;
}

bool virt_console_graphics(VirtConnection *connection, const char *uuid, const char *type, VirtGraphics *graphics, GError **error)
{
    g_autofree char *xml = virt_domain_get_xml(connection, uuid, VIRT_XML_LIVE, error);
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *root = xml != NULL ? domain_root(xml, &document, error) : NULL;
    if (root == NULL)
        return false;
    g_autofree char *expression = g_strdup_printf("devices/graphics[@type='%s']", type);
    xmlNode *node = nd_xpath_node(root, expression);
    gint64 port = -1, tls_port = -1;
    if (node == NULL || (!nd_xpath_int(node, "@port", &port) && !nd_xpath_int(node, "@tlsPort", &tls_port))) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_CONSOLE, "guest %s does not have a %s console", uuid, type);
        return false;
    }
    nd_xpath_int(node, "@tlsPort", &tls_port);
    if (port < 0 && tls_port < 0) { /* not running: libvirt has not given it a port */
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_CONSOLE, "the %s console of guest %s has no port", type, uuid);
        return false;
    }
    *graphics = (VirtGraphics){.host = nd_xpath_string(node, "@listen"), .port = (int)port, .tls_port = (int)tls_port};
    return true;
}

void virt_graphics_clear(VirtGraphics *graphics)
{
    g_clear_pointer(&graphics->host, g_free);
}

bool virt_console_serial_port(const char *domain_xml, char **host, int *port, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *root = domain_root(domain_xml, &document, error);
    if (root == NULL)
        return false;
    xmlNode *source = nd_xpath_node(root, "devices/*[self::serial or self::console][@type='tcp']/source[@mode='bind']");
    gint64 number;
    if (source == NULL || !nd_xpath_int(source, "@service", &number)) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_CONSOLE, "guest does not have a serial port on TCP");
        return false;
    }
    *host = nd_xpath_string(source, "@host");
    *port = (int)number;
    return true;
}

GPtrArray *virt_console_serial_ports(const char *domain_xml, GError **error)
{
    static const char *const elements[] = {"serial", "console"};
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *root = domain_root(domain_xml, &document, error);
    if (root == NULL)
        return NULL;
    GPtrArray *ports = g_ptr_array_new_with_free_func(g_free);
    /* libvirt shows the first serial port as a console once more; consoles count only where there are no serial ports (s390). */
    for (size_t i = 0; i < G_N_ELEMENTS(elements) && ports->len == 0; i++) {
        for (guint n = 1;; n++) {
            g_autofree char *expression = g_strdup_printf("devices/%s[@type='tcp'][%u]/source", elements[i], n);
            xmlNode *source = nd_xpath_node(root, expression);
            if (source == NULL)
                break;
            g_autofree char *host = nd_xpath_string(source, "@host"), *service = nd_xpath_string(source, "@service");
            if (host != NULL && service != NULL)
                g_ptr_array_add(ports, g_strdup_printf("%s:%s", host, service));
        }
    }
    return ports;
}
