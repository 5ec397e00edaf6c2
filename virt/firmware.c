/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "virt/capabilities.h"

#include <string.h>

/* A descriptor is about 1 KiB. */
#define DESCRIPTOR_LIMIT (256 * 1024)

const char *const virt_firmware_folders[] = { "/usr/share/qemu/firmware", "/etc/qemu/firmware", NULL };

static void target_free(gpointer data)
{
    VirtFirmwareTarget *target = data;
    g_free(target->arch);
    g_strfreev(target->machines);
    g_free(target);
}

void virt_firmware_free(VirtFirmware *firmware)
{
    if (firmware == NULL) {
        return;
    }
    g_free(firmware->executable);
    g_free(firmware->nvram_template);
    g_ptr_array_unref(firmware->targets);
    g_free(firmware);
}

static bool read_targets(VirtFirmware *firmware, NdJson *root, GError **error)
{
    NdJson *targets;
    if (!nd_json_get_array(root, "targets", &targets, error)) {
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(targets); i++) {
        NdJson *entry = json_object_array_get_idx(targets, i);
        const char *arch;
        NdJson *machines;
        if (!nd_json_get_string(entry, "architecture", &arch, error) || !nd_json_get_array(entry, "machines", &machines, error)) {
            return false;
        }
        char **globs = nd_json_to_strv(machines, error);
        if (globs == NULL) {
            return false;
        }
        VirtFirmwareTarget *target = g_new0(VirtFirmwareTarget, 1);
        target->arch = g_strdup(arch);
        target->machines = globs;
        g_ptr_array_add(firmware->targets, target);
    }
    return true;
}

VirtFirmware *virt_firmware_read(const char *json, gssize length, GError **error)
{
    g_autoptr(NdJson) root = NULL;
    NdJsonLimits limits = { .max_bytes = DESCRIPTOR_LIMIT };
    if (!nd_json_parse(json, length < 0 ? strlen(json) : (size_t) length, &limits, &root, error)) {
        return NULL;
    }
    g_autoptr(VirtFirmware) firmware = g_new0(VirtFirmware, 1);
    firmware->targets = g_ptr_array_new_with_free_func(target_free);
    NdJson *mapping = nd_json_object(root, "mapping");
    firmware->executable = g_strdup(nd_json_string(nd_json_object(mapping, "executable"), "filename", NULL));
    firmware->nvram_template = g_strdup(nd_json_string(nd_json_object(mapping, "nvram-template"), "filename", NULL));
    if (!read_targets(firmware, root, error)) {
        return NULL;
    }
    NdJson *features = nd_json_array(root, "features");
    for (size_t i = 0; features != NULL && i < json_object_array_length(features); i++) {
        NdJson *feature = json_object_array_get_idx(features, i);
        const char *name = json_object_is_type(feature, json_type_string) ? json_object_get_string(feature) : "";
        firmware->secure_boot = firmware->secure_boot || strcmp(name, "secure-boot") == 0;
        firmware->requires_smm = firmware->requires_smm || strcmp(name, "requires-smm") == 0;
    }
    return g_steal_pointer(&firmware);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void load_folder(GPtrArray *firmwares, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL) {
        return;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        if (g_str_has_suffix(name, ".json") && name[0] != '.') {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        g_autofree char *text = NULL;
        size_t length = 0;
        if (!nd_file_read(path, DESCRIPTOR_LIMIT, &text, &length, NULL)) {
            continue;
        }
        VirtFirmware *firmware = virt_firmware_read(text, (gssize) length, NULL);
        if (firmware != NULL) {
            g_ptr_array_add(firmwares, firmware);
        }
    }
}

GPtrArray *virt_firmware_load(const char *const *folders)
{
    GPtrArray *firmwares = g_ptr_array_new_with_free_func((GDestroyNotify) virt_firmware_free);
    for (const char *const *folder = folders; *folder != NULL; folder++) {
        load_folder(firmwares, *folder);
    }
    return firmwares;
}

static bool fits(const VirtFirmware *firmware, const char *arch, const char *machine)
{
    for (guint i = 0; i < firmware->targets->len; i++) {
        const VirtFirmwareTarget *target = firmware->targets->pdata[i];
        if (strcmp(target->arch, arch) != 0) {
            continue;
        }
        for (char **glob = target->machines; *glob != NULL; glob++) {
            if (g_pattern_match_simple(*glob, machine)) {
                return true;
            }
        }
    }
    return false;
}

const VirtFirmware *virt_capabilities_firmware(const VirtCapabilities *caps, const char *arch, const char *machine, bool secure_boot)
{
    const char *canonical = virt_capabilities_canonical_machine(caps, arch, machine);
    if (canonical == NULL) {
        return NULL;
    }
    for (guint i = 0; i < caps->firmwares->len; i++) {
        const VirtFirmware *firmware = caps->firmwares->pdata[i];
        if (firmware->executable != NULL && firmware->secure_boot == secure_boot && fits(firmware, arch, canonical)) {
            return firmware;
        }
    }
    return NULL;
}
