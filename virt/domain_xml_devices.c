/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/domain_xml_private.h"
#include "virt/error.h"

#include <string.h>

static void format_controllers(NdXmlElement *devices, const VirtMachine *machine)
{
    for (guint i = 0; i < machine->controllers->len; i++) {
        const VirtController *spec = machine->controllers->pdata[i];
        NdXmlElement *controller = nd_xml_add_attrs(devices, "controller", "type", spec->type, NULL);
        if (spec->index >= 0) {
            nd_xml_attr_int(controller, "index", spec->index);
        }
        nd_xml_attr(controller, "model", spec->model);
    }
}

static void format_chardev_target(NdXmlElement *device, const VirtChardev *spec)
{
    if (spec->target_type == NULL && spec->target_name == NULL && spec->target_port < 0) {
        return;
    }
    NdXmlElement *target = nd_xml_add_attrs(device, "target", "type", spec->target_type, "name", spec->target_name, NULL);
    if (spec->target_port >= 0) {
        nd_xml_attr_int(target, "port", spec->target_port);
    }
}

static bool format_chardev(NdXmlElement *devices, const VirtChardev *spec, GError **error)
{
    static const char *const names[] = {
        [VIRT_CHARDEV_SERIAL] = "serial", [VIRT_CHARDEV_CONSOLE] = "console", [VIRT_CHARDEV_CHANNEL] = "channel"
    };
    NdXmlElement *device = nd_xml_add_attrs(devices, names[spec->kind], "type", spec->type, NULL);
    bool needs_path = strcmp(spec->type, "unix") == 0 || strcmp(spec->type, "file") == 0;
    bool needs_host = strcmp(spec->type, "tcp") == 0;
    if ((needs_path && spec->source_path == NULL) || (needs_host && (spec->host == NULL || spec->service == NULL))) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "%s of type '%s' has no source", names[spec->kind], spec->type);
        return false;
    }
    if (strcmp(spec->type, "unix") == 0) {
        nd_xml_add_attrs(device, "source", "mode", "bind", "path", spec->source_path, NULL);
    } else if (needs_path) {
        nd_xml_add_attrs(device, "source", "path", spec->source_path, NULL);
    } else if (needs_host) {
        nd_xml_add_attrs(device, "source", "mode", "bind", "host", spec->host, "service", spec->service, NULL);
    }
    if (spec->log_file != NULL) {
        nd_xml_add_attrs(device, "log", "file", spec->log_file, "append", "off", NULL);
    }
    format_chardev_target(device, spec);
    return true;
}

static void format_inputs(NdXmlElement *devices, const VirtMachine *machine)
{
    for (guint i = 0; i < machine->inputs->len; i++) {
        const VirtInput *input = machine->inputs->pdata[i];
        nd_xml_add_attrs(devices, "input", "type", input->type, "bus", input->bus, NULL);
    }
}

static void format_graphics(NdXmlElement *devices, const VirtMachine *machine)
{
    for (guint i = 0; i < machine->graphics->len; i++) {
        const VirtGraphicsDevice *graphics = machine->graphics->pdata[i];
        nd_xml_add_attrs(devices, "graphics", "type", graphics->type, "autoport", "yes", "listen", graphics->listen, "keymap", graphics->keymap,
            NULL);
    }
}

static void format_videos(NdXmlElement *devices, const VirtMachine *machine)
{
    for (guint i = 0; i < machine->videos->len; i++) {
        const VirtVideo *video = machine->videos->pdata[i];
        NdXmlElement *model = nd_xml_add_attrs(nd_xml_add(devices, "video"), "model", "type", video->model, NULL);
        if (video->vram_kib != 0) {
            nd_xml_attrf(model, "vram", "%" G_GUINT64_FORMAT, video->vram_kib);
        }
        if (video->heads != 0) {
            nd_xml_attr_int(model, "heads", video->heads);
        }
    }
}

static void format_tpm(NdXmlElement *devices, const VirtTpm *tpm)
{
    NdXmlElement *element = nd_xml_add_attrs(devices, "tpm", "model", tpm->model, NULL);
    NdXmlElement *backend = nd_xml_add_attrs(element, "backend", "type", "emulator", "version", tpm->version, NULL);
    if (tpm->secret_uuid != NULL) {
        nd_xml_add_attrs(backend, "encryption", "secret", tpm->secret_uuid, NULL);
    }
}

static void format_rng(NdXmlElement *devices, const VirtRng *rng)
{
    NdXmlElement *element = nd_xml_add_attrs(devices, "rng", "model", "virtio", NULL);
    if (rng->rate_bytes != 0 && rng->rate_period_ms != 0) {
        NdXmlElement *rate = nd_xml_add(element, "rate");
        nd_xml_attr_int(rate, "period", rng->rate_period_ms);
        nd_xml_attr_int(rate, "bytes", rng->rate_bytes);
    }
    NdXmlElement *backend = nd_xml_add_attrs(element, "backend", "model", "random", NULL);
    nd_xml_text(backend, rng->backend_path);
}

static void format_iommu(NdXmlElement *devices, const VirtIommu *iommu)
{
    const struct {
        const char *name;
        bool value;
    } switches[] = {
        { "intremap", iommu->interrupt_remapping }, { "caching_mode", iommu->caching_mode }, { "eim", iommu->eim }, { "iotlb", iommu->iotlb }
    };
    NdXmlElement *element = nd_xml_add_attrs(devices, "iommu", "model", iommu->model, NULL);
    NdXmlElement *driver = nd_xml_add(element, "driver");
    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
        nd_xml_attr(driver, switches[i].name, switches[i].value ? "on" : "off");
    }
    if (iommu->aw_bits != 0) {
        nd_xml_attr_int(driver, "aw_bits", iommu->aw_bits);
    }
}

static void format_single_devices(NdXmlElement *devices, const VirtMachine *machine)
{
    if (machine->tpm != NULL) {
        format_tpm(devices, machine->tpm);
    }
    if (machine->watchdog_action != NULL) {
        nd_xml_add_attrs(devices, "watchdog", "model", machine->watchdog_model, "action", machine->watchdog_action, NULL);
    }
    if (machine->balloon_model != NULL) {
        NdXmlElement *balloon = nd_xml_add_attrs(devices, "memballoon", "model", machine->balloon_model, NULL);
        if (machine->balloon_stats_period_s != 0) {
            nd_xml_attr_int(nd_xml_add(balloon, "stats"), "period", machine->balloon_stats_period_s);
        }
    }
    if (machine->rng != NULL) {
        format_rng(devices, machine->rng);
    }
    if (machine->iommu != NULL) {
        format_iommu(devices, machine->iommu);
    }
}

NdXmlElement *virt_format_devices(const VirtMachine *machine, GError **error)
{
    g_autoptr(NdXmlElement) devices = nd_xml_new("devices");
    nd_xml_add_text(devices, "emulator", machine->emulator);
    for (guint i = 0; i < machine->disks->len; i++) {
        NdXmlElement *disk = virt_format_disk(machine->disks->pdata[i], error);
        if (disk == NULL) {
            return NULL;
        }
        nd_xml_adopt(devices, disk);
    }
    format_controllers(devices, machine);
    for (guint i = 0; i < machine->interfaces->len; i++) {
        NdXmlElement *interface = virt_format_interface(machine->interfaces->pdata[i], error);
        if (interface == NULL) {
            return NULL;
        }
        nd_xml_adopt(devices, interface);
    }
    for (guint i = 0; i < machine->chardevs->len; i++) {
        if (!format_chardev(devices, machine->chardevs->pdata[i], error)) {
            return NULL;
        }
    }
    format_inputs(devices, machine);
    format_graphics(devices, machine);
    format_videos(devices, machine);
    format_single_devices(devices, machine);
    return g_steal_pointer(&devices);
}
