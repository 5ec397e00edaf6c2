/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest_internal.h"
#include "base/xml.h"
#include "objects/network_model.h"
#include "rpc/conductor.h"

/*
 * instance.device_metadata: where a guest finds the disks and interfaces that the user has tagged (nova.virt.libvirt.driver,
 * _build_device_metadata). The addresses are those that libvirt gave when the domain was defined.
 */

static char *pci_address(xmlNode *address)
{
    guint64 parts[4];
    static const char *const names[] = {"domain", "bus", "slot", "function"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = nd_xml_node_attr(address, names[i]);
        if (text == NULL)
            return NULL;
        parts[i] = g_ascii_strtoull(text, NULL, 0);
    }
    return g_strdup_printf("%04x:%02x:%02x.%x", (unsigned)parts[0], (unsigned)parts[1], (unsigned)parts[2], (unsigned)parts[3]);
}

static char *drive_address(xmlNode *address)
{
    g_autofree char *controller = nd_xml_node_attr(address, "controller");
    g_autofree char *bus = nd_xml_node_attr(address, "bus");
    g_autofree char *target = nd_xml_node_attr(address, "target");
    g_autofree char *unit = nd_xml_node_attr(address, "unit");
    return controller && bus && target && unit ? g_strdup_printf("%s:%s:%s:%s", controller, bus, target, unit) : NULL;
}

/* The bus object of a device element; NULL when upstream has none for it. */
static NovaDeviceBus *device_bus(xmlNode *device)
{
    xmlNode *address = nd_xpath_node(device, "address");
    g_autofree char *type = address ? nd_xml_node_attr(address, "type") : NULL;
    g_autofree char *target_bus = nd_xpath_string(device, "target/@bus");
    if (g_strcmp0(type, "pci") == 0) {
        g_autofree char *text = pci_address(address);
        NovaPCIDeviceBus *bus = nova_pci_device_bus_new();
        if (text)
            nova_pci_device_bus_set_address(bus, text);
        return (NovaDeviceBus *)bus;
    }
    g_autofree char *drive = g_strcmp0(type, "drive") == 0 ? drive_address(address) : NULL;
    if (g_strcmp0(target_bus, "scsi") == 0) {
        NovaSCSIDeviceBus *bus = nova_scsi_device_bus_new();
        if (drive)
            nova_scsi_device_bus_set_address(bus, drive);
        return (NovaDeviceBus *)bus;
    }
    if (g_strcmp0(target_bus, "ide") == 0) {
        NovaIDEDeviceBus *bus = nova_ide_device_bus_new();
        if (drive)
            nova_ide_device_bus_set_address(bus, drive);
        return (NovaDeviceBus *)bus;
    }
    return g_strcmp0(target_bus, "usb") == 0 ? (NovaDeviceBus *)nova_usb_device_bus_new() : NULL;
}

static const NovaBlockDeviceMapping *tagged_mapping(const Guest *guest, const char *target)
{
    for (guint i = 0; target && i < nova_object_list_length(guest->mappings); i++) {
        const NovaBlockDeviceMapping *mapping = nova_object_list_get(guest->mappings, i);
        const char *name = mapping->device_name;
        if (mapping->tag && name && g_str_equal(g_str_has_prefix(name, "/dev/") ? name + 5 : name, target))
            return mapping;
    }
    return NULL;
}

static void add_disk(const Guest *guest, xmlNode *element, GPtrArray *devices)
{
    g_autofree char *target = nd_xpath_string(element, "target/@dev");
    const NovaBlockDeviceMapping *mapping = tagged_mapping(guest, target);
    if (mapping == NULL)
        return;
    const char *const tags[] = {mapping->tag, NULL};
    NovaDiskMetadata *disk = nova_disk_metadata_new();
    g_autoptr(NovaDeviceBus) bus = device_bus(element);
    nova_disk_metadata_set_tags(disk, tags);
    nova_disk_metadata_set_serial(disk, mapping->volume_id);
    if (bus)
        nova_disk_metadata_set_bus(disk, bus);
    g_ptr_array_add(devices, disk);
}

static void add_interface(NovaVirtualInterfaceList *records, xmlNode *element, GPtrArray *devices)
{
    g_autofree char *mac = nd_xpath_string(element, "mac/@address");
    for (guint i = 0; mac && i < nova_object_list_length(records); i++) {
        const NovaVirtualInterface *record = nova_object_list_get(records, i);
        if (record->tag == NULL || record->address == NULL || g_ascii_strcasecmp(record->address, mac) != 0)
            continue;
        const char *const tags[] = {record->tag, NULL};
        NovaNetworkInterfaceMetadata *interface = nova_network_interface_metadata_new();
        g_autoptr(NovaDeviceBus) bus = device_bus(element);
        nova_network_interface_metadata_set_mac(interface, mac);
        nova_network_interface_metadata_set_tags(interface, tags);
        nova_network_interface_metadata_set_vf_trusted(interface, false);
        if (bus)
            nova_network_interface_metadata_set_bus(interface, bus);
        g_ptr_array_add(devices, interface);
    }
}

bool guest_record_devices(Guest *guest, GError **error)
{
    g_autoptr(NovaVirtualInterfaceList) records =
        conductor_vif_list(guest->agent->conductor, guest->context, guest->instance->uuid, error);
    g_autofree char *text = records ? virt_domain_get_xml(guest->agent->virt, guest->instance->uuid, VIRT_XML_LIVE, error) : NULL;
    g_autoptr(xmlDoc) document = text ? nd_xml_parse(text, -1, error) : NULL;
    if (document == NULL)
        return false;
    xmlNode *root = nd_xml_root(document, "domain", error);
    if (root == NULL)
        return false;
    g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func(nova_object_unref);
    g_autoptr(GPtrArray) interfaces = nd_xpath_nodes(root, "devices/interface");
    g_autoptr(GPtrArray) disks = nd_xpath_nodes(root, "devices/disk");
    for (guint i = 0; i < interfaces->len; i++)
        add_interface(records, g_ptr_array_index(interfaces, i), devices);
    for (guint i = 0; i < disks->len; i++)
        add_disk(guest, g_ptr_array_index(disks, i), devices);
    if (devices->len == 0) {
        nova_instance_set_device_metadata(guest->instance, NULL);
        return true;
    }
    g_autoptr(NovaInstanceDeviceMetadata) metadata = nova_instance_device_metadata_new();
    nova_instance_device_metadata_set_devices(metadata, devices);
    nova_instance_set_device_metadata(guest->instance, metadata);
    return true;
}

/* --- what the guest reads (nova.api.metadata.base, _get_device_metadata) --- */

static const struct {
    const char *class_name, *bus;
} buses[] = {{"PCIDeviceBus", "pci"}, {"USBDeviceBus", "usb"}, {"SCSIDeviceBus", "scsi"}, {"IDEDeviceBus", "ide"}, {"XenDeviceBus", "xen"}};

static void set_bus(NdJson *device, NovaDeviceBus *bus)
{
    const char *name = "none";
    g_autoptr(NdJson) wire = bus ? nova_object_to_json(bus, NOVA_UNCLAMPED) : NULL;
    for (size_t i = 0; bus && i < G_N_ELEMENTS(buses); i++)
        if (g_str_equal(nova_object_name(bus), buses[i].class_name))
            name = buses[i].bus;
    nd_json_set_string(device, "bus", name);
    nd_json_set_string(device, "address", nd_json_string(nd_json_object(wire, "nova_object.data"), "address", "none"));
}

NdJson *guest_device_metadata(const NovaInstance *instance)
{
    NdJson *list = json_object_new_array();
    const GPtrArray *devices = instance->device_metadata ? instance->device_metadata->devices : NULL;
    for (guint i = 0; devices && i < devices->len; i++) {
        NovaObject *object = g_ptr_array_index(devices, i);
        NovaNetworkInterfaceMetadata *interface = NOVA_NETWORK_INTERFACE_METADATA(object);
        NovaDiskMetadata *disk = NOVA_DISK_METADATA(object);
        if (interface == NULL && disk == NULL)
            continue;
        NdJson *device = json_object_new_object();
        nd_json_set_string(device, "type", interface ? "nic" : "disk");
        if (interface) {
            nd_json_set_bool(device, "vf_trusted", interface->vf_trusted);
            nd_json_set_string(device, "mac", interface->mac);
            if (nova_object_has(interface, NOVA_NETWORK_INTERFACE_METADATA_VLAN))
                nd_json_set_int(device, "vlan", interface->vlan);
        } else {
            if (nova_object_is_set(disk, NOVA_DISK_METADATA_SERIAL))
                nd_json_set_string(device, "serial", disk->serial);
            if (nova_object_is_set(disk, NOVA_DISK_METADATA_PATH))
                nd_json_set_string(device, "path", disk->path);
        }
        set_bus(device, interface ? interface->bus : disk->bus);
        char **tags = interface ? interface->tags : disk->tags;
        if (tags)
            nd_json_set(device, "tags", nd_json_from_strv((const char *const *)tags));
        json_object_array_add(list, device);
    }
    return list;
}
