/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/domain_xml_private.h"
#include "virt/error.h"

#include <stdio.h>
#include <string.h>

static bool fail(const VirtInterface *spec, const char *what, GError **error)
{
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "%s interface '%s' has no %s", spec->type, spec->mac, what);
    return false;
}

static bool source_bridge(NdXmlElement *element, const VirtInterface *spec, GError **error)
{
    if (spec->source == NULL) {
        return fail(spec, "bridge", error);
    }
    nd_xml_add_attrs(element, "source", "bridge", spec->source, NULL);
    return true;
}

static bool source_none(G_GNUC_UNUSED NdXmlElement *element, G_GNUC_UNUSED const VirtInterface *spec, G_GNUC_UNUSED GError **error)
{
    return true;
}

static bool source_device(NdXmlElement *element, const VirtInterface *spec, GError **error)
{
    if (spec->source == NULL) {
        return fail(spec, "device", error);
    }
    nd_xml_add_attrs(element, "source", "dev", spec->source, "mode", spec->source_mode, NULL);
    return true;
}

static bool source_vhostuser(NdXmlElement *element, const VirtInterface *spec, GError **error)
{
    if (spec->source_path == NULL) {
        return fail(spec, "socket", error);
    }
    nd_xml_add_attrs(element, "source", "type", "unix", "path", spec->source_path, "mode", spec->source_mode, NULL);
    return true;
}

static bool source_hostdev(NdXmlElement *element, const VirtInterface *spec, GError **error)
{
    unsigned domain, bus, slot, function;
    int used = 0;
    if (spec->source == NULL || sscanf(spec->source, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &used) != 4 || spec->source[used] != '\0') {
        return fail(spec, "PCI address", error);
    }
    nd_xml_attr(element, "managed", "yes");
    NdXmlElement *address = nd_xml_add_attrs(nd_xml_add(element, "source"), "address", "type", "pci", NULL);
    nd_xml_attrf(address, "domain", "0x%04x", domain);
    nd_xml_attrf(address, "bus", "0x%02x", bus);
    nd_xml_attrf(address, "slot", "0x%02x", slot);
    nd_xml_attrf(address, "function", "0x%x", function);
    return true;
}

static bool source_network(NdXmlElement *element, const VirtInterface *spec, GError **error)
{
    if (spec->source == NULL) {
        return fail(spec, "network", error);
    }
    nd_xml_add_attrs(element, "source", "network", spec->source, NULL);
    return true;
}

static const struct {
    const char *type;
    bool (*source)(NdXmlElement *element, const VirtInterface *spec, GError **error);
    bool mtu, vlan;
} interface_types[] = {
    { "bridge", source_bridge, true, false },        { "ethernet", source_none, true, false },
    { "vhostuser", source_vhostuser, false, false }, { "direct", source_device, false, true },
    { "vdpa", source_device, false, false },         { "hostdev", source_hostdev, false, true },
    { "network", source_network, true, false },
};

static void format_driver(NdXmlElement *interface, const VirtInterface *spec)
{
    /* libvirt picks vhost-user by the type; a driver name beside it is refused. */
    bool vhostuser = strcmp(spec->type, "vhostuser") == 0;
    if (spec->driver_name == NULL && !vhostuser) {
        return;
    }
    NdXmlElement *driver = nd_xml_add(interface, "driver");
    nd_xml_attr(driver, "name", vhostuser ? NULL : spec->driver_name);
    const struct {
        const char *name;
        unsigned value;
    } numbers[] = { { "queues", spec->queues }, { "rx_queue_size", spec->rx_queue_size }, { "tx_queue_size", spec->tx_queue_size } };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (numbers[i].value != 0) {
            nd_xml_attr_int(driver, numbers[i].name, numbers[i].value);
        }
    }
    nd_xml_drop_if_empty(interface, driver);
}

static void format_direction(NdXmlElement *bandwidth, const char *name, const VirtBandwidth *limits)
{
    if (limits->average < 0) {
        return;
    }
    NdXmlElement *element = nd_xml_add(bandwidth, name);
    nd_xml_attr_int(element, "average", limits->average);
    if (limits->peak >= 0) {
        nd_xml_attr_int(element, "peak", limits->peak);
    }
    if (limits->burst >= 0) {
        nd_xml_attr_int(element, "burst", limits->burst);
    }
}

static void format_virtualport(NdXmlElement *interface, const VirtInterface *spec)
{
    if (spec->virtualport_type == NULL) {
        return;
    }
    NdXmlElement *port = nd_xml_add_attrs(interface, "virtualport", "type", spec->virtualport_type, NULL);
    for (guint i = 0; i < spec->virtualport_names->len; i++) {
        nd_xml_add_attrs(port, "parameters", spec->virtualport_names->pdata[i], spec->virtualport_values->pdata[i], NULL);
    }
}

static void format_rest(NdXmlElement *interface, const VirtInterface *spec, bool mtu, bool vlan)
{
    if (vlan && spec->vlan != 0) {
        nd_xml_attr_int(nd_xml_add(nd_xml_add(interface, "vlan"), "tag"), "id", spec->vlan);
    }
    format_virtualport(interface, spec);
    if (spec->target_dev != NULL) {
        nd_xml_add_attrs(interface, "target", "dev", spec->target_dev, NULL);
    }
    if (spec->model != NULL) {
        nd_xml_add_attrs(interface, "model", "type", spec->model, NULL);
    }
    format_driver(interface, spec);
    if (mtu && spec->mtu != 0) {
        nd_xml_attr_int(nd_xml_add(interface, "mtu"), "size", spec->mtu);
    }
    NdXmlElement *bandwidth = nd_xml_add(interface, "bandwidth");
    format_direction(bandwidth, "inbound", &spec->inbound);
    format_direction(bandwidth, "outbound", &spec->outbound);
    nd_xml_drop_if_empty(interface, bandwidth);
    if (spec->alias != NULL) {
        nd_xml_add_attrs(interface, "alias", "name", spec->alias, NULL);
    }
}

NdXmlElement *virt_format_interface(const VirtInterface *spec, GError **error)
{
    if (spec->type == NULL || spec->mac == NULL) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "an interface needs a type and a MAC address");
        return NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(interface_types); i++) {
        if (strcmp(interface_types[i].type, spec->type) != 0) {
            continue;
        }
        g_autoptr(NdXmlElement) interface = nd_xml_new("interface");
        nd_xml_attr(interface, "type", spec->type);
        nd_xml_add_attrs(interface, "mac", "address", spec->mac, NULL);
        if (!interface_types[i].source(interface, spec, error)) {
            return NULL;
        }
        format_rest(interface, spec, interface_types[i].mtu, interface_types[i].vlan);
        return g_steal_pointer(&interface);
    }
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "interface '%s' has unknown type '%s'", spec->mac, spec->type);
    return NULL;
}
