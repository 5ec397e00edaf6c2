/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_DIRECT */
#endif
#include "agent/guest_config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MACHINE_ID "/etc/machine-id"
/* Alignment and size that O_DIRECT takes everywhere. */
#define DIRECT_BLOCK 4096

GuestHost *guest_host_ref(GuestHost *host)
{
    g_atomic_ref_count_inc(&host->references);
    return host;
}

void guest_host_unref(GuestHost *host)
{
    if (host == NULL || !g_atomic_ref_count_dec(&host->references)) {
        return;
    }
    virt_capabilities_unref(host->capabilities);
    g_free(host->package_version);
    g_free(host->vendor);
    g_free(host->product);
    g_free(host->serial);
    g_free(host->default_cache);
    g_strfreev(host->perf_events);
    g_free(host);
}

/* Whether files there can be written around the page cache: a probe file tells (upstream privsep/utils.py supports_direct_io). */
static bool supports_direct_io(const char *folder)
{
    g_autofree char *id = nd_uuid_new();
    g_autofree char *name = g_strdup_printf(".directio.test.%s", id);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_DIRECT | O_CLOEXEC, 0600);
    if (fd < 0) {
        /* EINVAL leaves the file behind on some file systems. */
        unlink(path);
        return false;
    }
    void *block = NULL;
    bool works = posix_memalign(&block, DIRECT_BLOCK, DIRECT_BLOCK) == 0;
    if (works) {
        memset(block, 'x', DIRECT_BLOCK);
        works = write(fd, block, DIRECT_BLOCK) == DIRECT_BLOCK;
    }
    free(block);
    close(fd);
    unlink(path);
    return works;
}

/* Whether a word is in one of the comma- or blank-separated columns of a file, per line (upstream host.py, both versions of control groups). */
static bool file_has_word(const char *path, const char *word, int column)
{
    g_autofree char *text = NULL;
    if (!nd_file_read(path, 0, &text, NULL, NULL)) {
        return false;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) columns = g_strsplit(*line, " ", -1);
        if (column < 0 && g_strv_contains((const char *const *) columns, word)) {
            return true;
        }
        if (column >= 0 && (int) g_strv_length(columns) > column) {
            g_auto(GStrv) words = g_strsplit(columns[column], ",", -1);
            if (g_strv_contains((const char *const *) words, word)) {
                return true;
            }
        }
    }
    return false;
}

static bool has_cpu_control(void)
{
    return file_has_word("/proc/self/mounts", "cpu", 3) || file_has_word("/sys/fs/cgroup/cgroup.controllers", "cpu", -1);
}

/* Queues of one tap device: the kernel's limit by its version (upstream vif.py _get_max_tap_queues). */
static unsigned max_tap_queues(const NdConfig *config)
{
    static const struct {
        unsigned long major;
        unsigned queues;
    } limits[] = { { 2, 1 }, { 3, 8 }, { 4, 256 } };
    gint64 configured = nd_config_int(config, "libvirt", "max_queues");
    if (configured > 0) {
        return (unsigned) configured;
    }
    struct utsname system;
    unsigned long major = uname(&system) == 0 ? strtoul(system.release, NULL, 10) : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (major <= limits[i].major) {
            return limits[i].queues;
        }
    }
    return 0;
}

static char *machine_id(GError **error)
{
    g_autofree char *text = NULL;
    if (!nd_file_read(MACHINE_ID, 0, &text, NULL, error)) {
        return NULL;
    }
    g_strstrip(text);
    text[strcspn(text, " \t\n")] = '\0';
    bool hex = strlen(text) == 32;
    for (const char *c = text; *c != '\0'; c++) {
        hex = hex && g_ascii_isxdigit(*c);
    }
    if (!hex) {
        g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "'%s' in " MACHINE_ID " is no machine id", text);
        return NULL;
    }
    g_autofree char *uuid = g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%s", text, text + 8, text + 12, text + 16, text + 20);
    return g_ascii_strdown(uuid, -1);
}

static bool set_serial(GuestHost *host, GError **error)
{
    const char *kind = nd_config_string(host->config, "libvirt", "sysinfo_serial");
    bool hardware = g_strcmp0(kind, "hardware") == 0;
    bool automatic = g_strcmp0(kind, "auto") == 0;
    if (hardware || (automatic && !g_file_test(MACHINE_ID, G_FILE_TEST_EXISTS))) {
        host->serial = g_strdup(host->capabilities->host_uuid);
        return true;
    }
    if (!automatic && g_strcmp0(kind, "os") != 0) {
        return true;
    }
    host->serial = machine_id(error);
    if (host->serial == NULL) {
        g_prefix_error_literal(error, "[libvirt]sysinfo_serial needs the machine's id: ");
    }
    return host->serial != NULL;
}

/* What a distribution says of its nova package (upstream version.py). */
static void read_release_file(GuestHost *host, const char *path)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (path == NULL || !g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
        return;
    }
    const struct {
        const char *key;
        char **value;
    } keys[] = { { "vendor", &host->vendor }, { "product", &host->product } };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        char *value = g_key_file_get_string(file, "Nova", keys[i].key, NULL);
        if (value != NULL) {
            g_free(*keys[i].value);
            *keys[i].value = value;
        }
    }
    g_autofree char *package = g_key_file_get_string(file, "Nova", "package", NULL);
    if (package != NULL && *package != '\0') {
        g_autofree char *version = g_steal_pointer(&host->package_version);
        host->package_version = g_strdup_printf("%s-%s", version, package);
    }
}

/* Events of libvirt's performance monitoring that kernels still have; Intel CMT's (cmt, mbml, mbmt) are gone from them. */
static char **usable_perf_events(const NdConfig *config)
{
    static const char *const known[] = {
        "cpu_cycles", "instructions", "cache_references", "cache_misses", "branch_instructions", "branch_misses", "bus_cycles",
        "stalled_cycles_frontend", "stalled_cycles_backend", "ref_cpu_cycles", "cpu_clock", "task_clock", "page_faults", "page_faults_min",
        "page_faults_maj", "context_switches", "cpu_migrations", "alignment_faults", "emulation_faults", NULL,
    };
    GPtrArray *events = g_ptr_array_new();
    for (const char *const *event = nd_config_list(config, "libvirt", "enabled_perf_events"); *event != NULL; event++) {
        if (g_strv_contains(known, *event)) {
            g_ptr_array_add(events, g_strdup(*event));
        }
    }
    g_ptr_array_add(events, NULL);
    return (char **) g_ptr_array_free(events, FALSE);
}

GuestHost *guest_host_new(const NdConfig *config, VirtCapabilities *capabilities, const char *package_version, const char *release_file,
    GError **error)
{
    g_autoptr(GuestHost) host = g_new0(GuestHost, 1);
    g_atomic_ref_count_init(&host->references);
    host->config = config;
    host->capabilities = virt_capabilities_ref(capabilities);
    host->package_version = g_strdup(package_version);
    host->vendor = g_strdup("OpenStack Foundation");
    host->product = g_strdup("OpenStack Nova");
    read_release_file(host, release_file);
    if (!set_serial(host, error)) {
        return NULL;
    }
    const char *instances_path = nd_config_string(config, "DEFAULT", "instances_path");
    host->default_cache = g_strdup(supports_direct_io(instances_path) ? "none" : "writeback");
    host->cpu_control = has_cpu_control();
    host->max_tap_queues = max_tap_queues(config);
    host->perf_events = usable_perf_events(config);
    return g_steal_pointer(&host);
}
