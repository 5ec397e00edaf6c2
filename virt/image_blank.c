/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "virt/error.h"
#include "virt/image_blank.h"

#include <string.h>
#include <unistd.h>

#define MKFS_TIMEOUT_S 600
#define GIB ((guint64)1 << 30)
#define MIB ((guint64)1 << 20)

/* The command of [DEFAULT]virt_mkfs for an OS type: items "os_type=command", "default=" for all others. NULL none. */
static const char *mkfs_command(const char *const *items, const char *os_type)
{
    const char *fallback = NULL;
    for (; items != NULL && *items != NULL; items++) {
        const char *equals = strchr(*items, '=');
        if (equals == NULL)
            continue;
        g_autofree char *name = g_strndup(*items, (gsize)(equals - *items));
        if (os_type != NULL && strcmp(name, os_type) == 0)
            return equals + 1;
        if (strcmp(name, "default") == 0)
            fallback = equals + 1;
    }
    return fallback;
}

/* The file system of an OS type when nothing else is configured. */
static const char *default_file_system(const char *os_type)
{
    static const struct {
        const char *os_type, *file_system;
    } table[] = {{"linux", "ext4"}, {"windows", "ntfs"}};
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_strcmp0(os_type, table[i].os_type) == 0)
            return table[i].file_system;
    return "vfat";
}

static char *replace(const char *text, const char *what, const char *with)
{
    g_auto(GStrv) parts = g_strsplit(text, what, -1);
    return g_strjoinv(with, parts);
}

static bool run(const char *const *argv, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (nd_subprocess_output(argv, MKFS_TIMEOUT_S, NULL, &failure))
        return true;
    bool full = strstr(failure->message, "No space left on device") != NULL;
    g_set_error_literal(error, VIRT_ERROR, full ? VIRT_ERROR_NO_SPACE : VIRT_ERROR_FAILED, failure->message);
    return false;
}

static bool run_configured(const char *command, const char *label, const char *path, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(command, " \t", -1);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    for (char **word = words; *word != NULL; word++) {
        g_autofree char *labelled = replace(*word, "%(fs_label)s", label);
        if (**word != '\0')
            g_ptr_array_add(argv, replace(labelled, "%(target)s", path));
    }
    g_ptr_array_add(argv, NULL);
    return run((const char *const *)argv->pdata, error);
}

static bool make_file_system(const char *file_system, const char *label, const char *path, GError **error)
{
    static const char *const forced[] = {"ext3", "ext4", "ntfs", NULL}, *const dos[] = {"msdos", "vfat", NULL};
    const char *argv[9];
    size_t n = 0;
    argv[n++] = "mkfs";
    argv[n++] = "-t";
    argv[n++] = file_system;
    if (g_strv_contains(forced, file_system))
        argv[n++] = "-F";
    argv[n++] = g_strv_contains(dos, file_system) ? "-n" : "-L";
    argv[n++] = label;
    argv[n++] = path;
    argv[n] = NULL;
    return run(argv, error);
}

char *virt_ephemeral_name(const VirtEphemeralRequest *request)
{
    /* Upstream names the file after the configured command of the OS type if there is one, else after the default file system, for the OS type "default"
     * whatever the real one is, and without regard to the mapping's own file system. The name is what two agents share, so it is kept. */
    const char *command = mkfs_command(request->virt_mkfs, request->os_type);
    const char *text = command != NULL ? command
        : request->default_format != NULL && *request->default_format != '\0' ? request->default_format
                                                                              : default_file_system("default");
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1);
    return g_strdup_printf("ephemeral_%" G_GUINT64_FORMAT "_%.7s", request->size / GIB, hash);
}

bool virt_ephemeral_make(const char *path, const VirtEphemeralRequest *request, GError **error)
{
    const char *command = mkfs_command(request->virt_mkfs, request->os_type);
    const char *file_system = request->fs_format != NULL && *request->fs_format != '\0' ? request->fs_format
        : request->default_format != NULL && *request->default_format != '\0'           ? request->default_format
                                                                                        : default_file_system(request->os_type);
    if (!virt_image_create(path, VIRT_IMAGE_RAW, request->size, NULL, error))
        return false;
    bool made = command != NULL ? run_configured(command, request->label, path, error)
                                : make_file_system(file_system, request->label, path, error);
    if (!made) {
        unlink(path);
        g_prefix_error(error, "make file system of ephemeral disk: ");
    }
    return made;
}

char *virt_swap_name(guint64 size_mib)
{
    return g_strdup_printf("swap_%" G_GUINT64_FORMAT, size_mib);
}

bool virt_swap_make(const char *path, guint64 size_mib, GError **error)
{
    const char *argv[] = {"mkswap", path, NULL};
    if (!virt_image_create(path, VIRT_IMAGE_RAW, size_mib * MIB, NULL, error))
        return false;
    if (run(argv, error))
        return true;
    unlink(path);
    g_prefix_error(error, "make swap disk: ");
    return false;
}

/* What fills a blank disk. */
typedef struct {
    const VirtEphemeralRequest *ephemeral; /* NULL: swap */
    guint64 swap_mib;
} Blank;

static bool get_blank(const VirtImageCache *cache, const char *name, const Blank *blank, char **path, GError **error)
{
    g_autofree char *cached = virt_image_cache_path(cache, name), *part = g_strconcat(cached, ".part", NULL);
    g_autofree char *directory = g_path_get_dirname(cached);
    if (!nd_dir_make(directory, 0755, error))
        return false;
    if (access(cached, F_OK) < 0) {
        g_autoptr(NdFileLock) lock = virt_image_cache_lock(cache, name, NULL, error);
        if (lock == NULL)
            return false;
        if (access(cached, F_OK) < 0) {
            unlink(part);
            bool made = blank->ephemeral != NULL ? virt_ephemeral_make(part, blank->ephemeral, error)
                                                 : virt_swap_make(part, blank->swap_mib, error);
            if (!made || !nd_file_rename(part, cached, error)) {
                unlink(part);
                return false;
            }
        }
    }
    virt_image_cache_touch(cached);
    *path = g_steal_pointer(&cached);
    return true;
}

bool virt_image_cache_get_ephemeral(const VirtImageCache *cache, const VirtEphemeralRequest *request, char **path, GError **error)
{
    g_autofree char *name = virt_ephemeral_name(request);
    Blank blank = {.ephemeral = request};
    return get_blank(cache, name, &blank, path, error);
}

bool virt_image_cache_get_swap(const VirtImageCache *cache, guint64 size_mib, char **path, GError **error)
{
    g_autofree char *name = virt_swap_name(size_mib);
    Blank blank = {.swap_mib = size_mib};
    return get_blank(cache, name, &blank, path, error);
}
