/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include "virt/connection.h"

#define VIRT_CONSOLE_MAX_BYTES (100 * 1024) /* upstream driver.py MAX_CONSOLE_BYTES */

/* The last bytes of a console log with its rotated forerunners (path.0, path.1 ... older), at most max_bytes. A missing file is VIRT_ERROR_NOT_FOUND.
 * *skipped (may be NULL): bytes left out before. New bytes, not necessarily UTF-8. */
GBytes *virt_console_tail(const char *path, size_t max_bytes, guint64 *skipped, GError **error);

/* Where a domain's output can be read, from its XML: the <log file> of a serial or console device, else the file of one of type file, else the path of a pty. */
typedef struct {
    char *log_path; /* NULL none */
    char *pty_path; /* NULL none */
} VirtConsolePaths;
bool virt_console_paths(const char *domain_xml, VirtConsolePaths *paths, GError **error);
void virt_console_paths_clear(VirtConsolePaths *paths);

/* The console output of a domain as upstream's get_console_output: the log's tail, or what the pty has to give now, appended to pty_log (the instance's
 * console.log). Errors: VIRT_ERROR_CONSOLE (no console), LIBVIRT_ERROR. */
GBytes *virt_console_output(VirtConnection *connection, const char *uuid, const char *pty_log, GError **error);

typedef struct {
    char *host; /* listen address as libvirt says, may be NULL */
    int port;
    int tls_port; /* spice; -1 none */
} VirtGraphics;
/* Address and port of a running domain's graphics: type "vnc" or "spice". Errors: VIRT_ERROR_CONSOLE (ConsoleTypeUnavailable). */
bool virt_console_graphics(VirtConnection *connection, const char *uuid, const char *type, VirtGraphics *graphics, GError **error);
void virt_graphics_clear(VirtGraphics *graphics);
/* The first TCP serial port of a domain (serial console). Errors: VIRT_ERROR_CONSOLE. */
bool virt_console_serial_port(const char *domain_xml, char **host, int *port, GError **error);
/* All TCP serial ports of a domain, as "host:port": new array of char *. Errors: a broken XML. */
GPtrArray *virt_console_serial_ports(const char *domain_xml, GError **error);
