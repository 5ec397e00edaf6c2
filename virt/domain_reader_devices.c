/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/domain_reader.h"

#include "virt/domain_reader_private.h"

#include <string.h>

/* A structure's texts and where they stand. */
typedef struct {
    char **text;
    const char *path;
} TextPath;

static void read_texts(xmlNode *node, const TextPath *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *texts[i].text = nd_xpath_string(node, texts[i].path);
    }
}

static int read_port(xmlNode *node, const char *expression)
{
    gint64 port = virt_read_integer(node, expression, -1);
    return port > 0 && port <= G_MAXUINT16 ? (int) port : -1;
}

/* --- disks --- */

static void read_hosts(xmlNode *node, VirtDisk *disk)
{
    g_autoptr(GPtrArray) hosts = nd_xpath_nodes(node, "source/host");
    for (guint i = 0; i < hosts->len; i++) {
        VirtDiskHost *host = g_new0(VirtDiskHost, 1);
        host->name = nd_xml_node_attr(hosts->pdata[i], "name");
        host->port = nd_xml_node_attr(hosts->pdata[i], "port");
        g_ptr_array_add(disk->source_hosts, host);
    }
}

static VirtDisk *read_disk(xmlNode *node)
{
    VirtDisk *disk = virt_disk_new();
    const TextPath texts[] = {
        { &disk->source_type, "@type" },
        { &disk->device, "@device" },
        { &disk->driver_name, "driver/@name" },
        { &disk->driver_format, "driver/@type" },
        { &disk->driver_cache, "driver/@cache" },
        { &disk->driver_discard, "driver/@discard" },
        { &disk->driver_io, "driver/@io" },
        { &disk->source_path, "source/@file | source/@dev" },
        { &disk->source_protocol, "source/@protocol" },
        { &disk->source_name, "source/@name" },
        { &disk->auth_username, "auth/@username | source/auth/@username" },
        { &disk->auth_secret_type, "auth/secret/@type | source/auth/secret/@type" },
        { &disk->auth_secret_uuid, "auth/secret/@uuid | source/auth/secret/@uuid" },
        { &disk->target_dev, "target/@dev" },
        { &disk->target_bus, "target/@bus" },
        { &disk->serial, "serial" },
        { &disk->logical_block_size, "blockio/@logical_block_size" },
        { &disk->physical_block_size, "blockio/@physical_block_size" },
        { &disk->encryption_format, "encryption/@format | source/encryption/@format" },
        { &disk->encryption_secret_uuid, "encryption/secret/@uuid | source/encryption/secret/@uuid" },
        { &disk->alias, "alias/@name" },
        { &disk->backing_path, "backingStore/source/@file | backingStore/source/@dev" },
    };
    read_texts(node, texts, G_N_ELEMENTS(texts));
    read_hosts(node, disk);
    for (int i = 0; i < VIRT_IO_N; i++) {
        g_autofree char *path = g_strconcat("iotune/", virt_io_tune_name(i), NULL);
        disk->io_tune[i] = MAX(virt_read_integer(node, path, -1), -1);
    }
    disk->readonly = nd_xpath_exists(node, "readonly");
    disk->shareable = nd_xpath_exists(node, "shareable");
    disk->boot_order = (int) MIN(virt_read_unsigned(node, "boot/@order"), (unsigned) G_MAXINT);
    disk->has_address = nd_xpath_exists(node, "address[@type='drive']");
    disk->address_controller = (int) MIN(virt_read_unsigned(node, "address[@type='drive']/@controller"), (unsigned) G_MAXINT);
    disk->address_unit = (int) MIN(virt_read_unsigned(node, "address[@type='drive']/@unit"), (unsigned) G_MAXINT);
    return disk;
}

/* --- interfaces --- */

static VirtBandwidth read_bandwidth(xmlNode *node, const char *direction)
{
    VirtBandwidth limits;
    const struct {
        gint64 *value;
        const char *name;
    } values[] = { { &limits.average, "average" }, { &limits.peak, "peak" }, { &limits.burst, "burst" } };
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *path = g_strdup_printf("bandwidth/%s/@%s", direction, values[i].name);
        *values[i].value = MAX(virt_read_integer(node, path, -1), -1);
    }
    return limits;
}

/* "0000:81:00.1" from libvirt's hexadecimal attributes; NULL if one is missing or no number. */
static char *read_pci_address(xmlNode *node)
{
    static const char *const names[] = { "domain", "bus", "slot", "function" };
    guint64 parts[4];
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf("source/address[@type='pci']/@%s", names[i]);
        g_autofree char *text = nd_xpath_string(node, path);
        if (text == NULL || !g_str_has_prefix(text, "0x") || !g_ascii_string_to_unsigned(text + 2, 16, 0, 0xffff, &parts[i], NULL)) {
            return NULL;
        }
    }
    return g_strdup_printf("%04x:%02x:%02x.%x", (unsigned) parts[0], (unsigned) parts[1], (unsigned) parts[2], (unsigned) parts[3]);
}

static void read_parameters(xmlNode *node, VirtInterface *interface)
{
    g_autoptr(GPtrArray) attributes = nd_xpath_nodes(node, "virtualport/parameters/@*");
    for (guint i = 0; i < attributes->len; i++) {
        xmlNode *attribute = attributes->pdata[i];
        g_autofree char *value = nd_xpath_string(attribute, ".");
        virt_interface_add_parameter(interface, (const char *) attribute->name, value);
    }
}

static VirtInterface *read_interface(xmlNode *node)
{
    VirtInterface *interface = virt_interface_new();
    const TextPath texts[] = {
        { &interface->type, "@type" },
        { &interface->mac, "mac/@address" },
        { &interface->model, "model/@type" },
        { &interface->driver_name, "driver/@name" },
        { &interface->source, "source/@bridge | source/@dev | source/@network" },
        { &interface->source_mode, "source/@mode" },
        { &interface->source_path, "source/@path" },
        { &interface->target_dev, "target/@dev" },
        { &interface->virtualport_type, "virtualport/@type" },
        { &interface->alias, "alias/@name" },
    };
    read_texts(node, texts, G_N_ELEMENTS(texts));
    if (g_strcmp0(interface->type, "hostdev") == 0) {
        g_free(interface->source);
        interface->source = read_pci_address(node);
    }
    interface->queues = virt_read_unsigned(node, "driver/@queues");
    interface->rx_queue_size = virt_read_unsigned(node, "driver/@rx_queue_size");
    interface->tx_queue_size = virt_read_unsigned(node, "driver/@tx_queue_size");
    interface->mtu = virt_read_unsigned(node, "mtu/@size");
    interface->vlan = virt_read_unsigned(node, "vlan/tag/@id");
    read_parameters(node, interface);
    interface->inbound = read_bandwidth(node, "inbound");
    interface->outbound = read_bandwidth(node, "outbound");
    return interface;
}

/* --- the rest --- */

static void read_controller(VirtMachine *machine, xmlNode *node)
{
    g_autofree char *type = nd_xml_node_attr(node, "type");
    g_autofree char *model = nd_xml_node_attr(node, "model");
    gint64 index = virt_read_integer(node, "@index", -1);
    virt_machine_add_controller(machine, type, model, index >= 0 && index <= G_MAXINT ? (int) index : -1);
}

static void read_chardev(VirtMachine *machine, xmlNode *node, VirtChardevKind kind)
{
    g_autofree char *type = nd_xml_node_attr(node, "type");
    if (type == NULL) {
        return;
    }
    VirtChardev *chardev = virt_machine_add_chardev(machine, kind, type);
    const TextPath texts[] = {
        { &chardev->source_path, "source/@path" }, { &chardev->host, "source[@mode='bind']/@host" }, { &chardev->service, "source[@mode='bind']/@service" },
        { &chardev->log_file, "log/@file" },       { &chardev->target_type, "target/@type" },        { &chardev->target_name, "target/@name" },
        { &chardev->alias, "alias/@name" },
    };
    read_texts(node, texts, G_N_ELEMENTS(texts));
    gint64 port = virt_read_integer(node, "target/@port", -1);
    chardev->target_port = port >= 0 && port <= G_MAXINT ? (int) port : -1;
}

static void read_serial(VirtMachine *machine, xmlNode *node)
{
    read_chardev(machine, node, VIRT_CHARDEV_SERIAL);
}

static void read_console(VirtMachine *machine, xmlNode *node)
{
    read_chardev(machine, node, VIRT_CHARDEV_CONSOLE);
}

static void read_channel(VirtMachine *machine, xmlNode *node)
{
    read_chardev(machine, node, VIRT_CHARDEV_CHANNEL);
}

static void read_input(VirtMachine *machine, xmlNode *node)
{
    g_autofree char *type = nd_xml_node_attr(node, "type");
    g_autofree char *bus = nd_xml_node_attr(node, "bus");
    virt_machine_add_input(machine, type, bus);
}

static void read_graphics(VirtMachine *machine, xmlNode *node)
{
    g_autofree char *type = nd_xml_node_attr(node, "type");
    g_autofree char *listen = nd_xml_node_attr(node, "listen");
    VirtGraphicsDevice *graphics = virt_machine_add_graphics(machine, type, listen);
    graphics->keymap = nd_xml_node_attr(node, "keymap");
    graphics->port = read_port(node, "@port");
    graphics->tls_port = read_port(node, "@tlsPort");
}

static void read_video(VirtMachine *machine, xmlNode *node)
{
    VirtVideo *video = g_new0(VirtVideo, 1);
    video->model = nd_xpath_string(node, "model/@type");
    video->vram_kib = virt_read_unsigned(node, "model/@vram");
    video->heads = virt_read_unsigned(node, "model/@heads");
    g_ptr_array_add(machine->videos, video);
}

static void read_tpm(VirtMachine *machine, xmlNode *node)
{
    if (machine->tpm == NULL) {
        machine->tpm = g_new0(VirtTpm, 1);
        machine->tpm->model = nd_xml_node_attr(node, "model");
        machine->tpm->version = nd_xpath_string(node, "backend[@type='emulator']/@version");
        machine->tpm->secret_uuid = nd_xpath_string(node, "backend/encryption/@secret");
    }
}

static void read_rng(VirtMachine *machine, xmlNode *node)
{
    if (machine->rng == NULL) {
        machine->rng = g_new0(VirtRng, 1);
        machine->rng->backend_path = nd_xpath_string(node, "backend[@model='random'][text()]");
        machine->rng->rate_bytes = virt_read_unsigned(node, "rate/@bytes");
        machine->rng->rate_period_ms = virt_read_unsigned(node, "rate/@period");
    }
}

static void read_iommu(VirtMachine *machine, xmlNode *node)
{
    if (machine->iommu == NULL) {
        machine->iommu = g_new0(VirtIommu, 1);
        machine->iommu->model = nd_xml_node_attr(node, "model");
        machine->iommu->interrupt_remapping = nd_xpath_exists(node, "driver[@intremap='on']");
        machine->iommu->caching_mode = nd_xpath_exists(node, "driver[@caching_mode='on']");
        machine->iommu->eim = nd_xpath_exists(node, "driver[@eim='on']");
        machine->iommu->iotlb = nd_xpath_exists(node, "driver[@iotlb='on']");
        machine->iommu->aw_bits = virt_read_unsigned(node, "driver/@aw_bits");
    }
}

static void read_watchdog(VirtMachine *machine, xmlNode *node)
{
    if (machine->watchdog_action == NULL) {
        g_free(machine->watchdog_model);
        machine->watchdog_model = nd_xml_node_attr(node, "model");
        machine->watchdog_action = nd_xml_node_attr(node, "action");
    }
}

static void read_balloon(VirtMachine *machine, xmlNode *node)
{
    if (machine->balloon_model == NULL) {
        machine->balloon_model = nd_xml_node_attr(node, "model");
        machine->balloon_stats_period_s = virt_read_unsigned(node, "stats/@period");
    }
}

static void add_disk(VirtMachine *machine, xmlNode *node)
{
    g_ptr_array_add(machine->disks, read_disk(node));
}

static void add_interface(VirtMachine *machine, xmlNode *node)
{
    g_ptr_array_add(machine->interfaces, read_interface(node));
}

static const struct {
    const char *element;
    void (*read)(VirtMachine *machine, xmlNode *node);
} readers[] = {
    { "disk", add_disk },         { "interface", add_interface }, { "controller", read_controller }, { "serial", read_serial },
    { "console", read_console },  { "channel", read_channel },    { "input", read_input },           { "graphics", read_graphics },
    { "video", read_video },      { "tpm", read_tpm },            { "rng", read_rng },               { "iommu", read_iommu },
    { "watchdog", read_watchdog }, { "memballoon", read_balloon },
};

void virt_read_devices(xmlNode *domain, VirtMachine *machine)
{
    machine->emulator = nd_xpath_string(domain, "devices/emulator");
    g_autoptr(GPtrArray) nodes = nd_xpath_nodes(domain, "devices/*");
    for (guint i = 0; i < nodes->len; i++) {
        xmlNode *node = nodes->pdata[i];
        for (size_t j = 0; j < G_N_ELEMENTS(readers); j++) {
            if (strcmp(readers[j].element, (const char *) node->name) == 0) {
                readers[j].read(machine, node);
            }
        }
    }
}

VirtDisk *virt_disk_read(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = nd_xml_parse(xml, -1, error);
    xmlNode *node = doc != NULL ? nd_xml_root(doc, "disk", error) : NULL;
    return node != NULL ? read_disk(node) : NULL;
}

VirtInterface *virt_interface_read(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = nd_xml_parse(xml, -1, error);
    xmlNode *node = doc != NULL ? nd_xml_root(doc, "interface", error) : NULL;
    return node != NULL ? read_interface(node) : NULL;
}

VirtDisk *virt_machine_disk(const VirtMachine *machine, const char *target_dev)
{
    for (guint i = 0; i < machine->disks->len; i++) {
        VirtDisk *disk = machine->disks->pdata[i];
        if (g_strcmp0(disk->target_dev, target_dev) == 0) {
            return disk;
        }
    }
    return NULL;
}

VirtInterface *virt_machine_interface(const VirtMachine *machine, const char *mac)
{
    for (guint i = 0; i < machine->interfaces->len; i++) {
        VirtInterface *interface = machine->interfaces->pdata[i];
        if (interface->mac != NULL && g_ascii_strcasecmp(interface->mac, mac) == 0) {
            return interface;
        }
    }
    return NULL;
}
