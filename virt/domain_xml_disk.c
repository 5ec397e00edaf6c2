/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/domain_xml_private.h"
#include "virt/error.h"

#include <string.h>

static void format_driver(NdXmlElement *disk, const VirtDisk *spec)
{
    NdXmlElement *driver = nd_xml_add_attrs(disk, "driver", "name", spec->driver_name, "type", spec->driver_format, "cache", spec->driver_cache,
        "io", spec->driver_io, "discard", spec->driver_discard, NULL);
    nd_xml_drop_if_empty(disk, driver);
}

static void format_network_source(NdXmlElement *disk, const VirtDisk *spec)
{
    NdXmlElement *source = nd_xml_add_attrs(disk, "source", "protocol", spec->source_protocol, "name", spec->source_name, NULL);
    for (guint i = 0; i < spec->source_hosts->len; i++) {
        const VirtDiskHost *host = spec->source_hosts->pdata[i];
        nd_xml_add_attrs(source, "host", "name", host->name, "port", host->port, NULL);
    }
}

static bool format_source(NdXmlElement *disk, const VirtDisk *spec, GError **error)
{
    if (strcmp(spec->source_type, "network") == 0) {
        if (spec->source_protocol == NULL) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "network disk '%s' has no protocol", spec->target_dev);
            return false;
        }
        format_network_source(disk, spec);
        return true;
    }
    const char *attribute = NULL;
    if (strcmp(spec->source_type, "file") == 0) {
        attribute = "file";
    } else if (strcmp(spec->source_type, "block") == 0) {
        attribute = "dev";
    } else {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "disk '%s' has unknown source type '%s'", spec->target_dev, spec->source_type);
        return false;
    }
    if (spec->source_path != NULL) {
        nd_xml_add_attrs(disk, "source", attribute, spec->source_path, NULL);
    }
    return true;
}

static void format_auth(NdXmlElement *disk, const VirtDisk *spec)
{
    if (spec->auth_secret_type != NULL) {
        NdXmlElement *auth = nd_xml_add_attrs(disk, "auth", "username", spec->auth_username, NULL);
        nd_xml_add_attrs(auth, "secret", "type", spec->auth_secret_type, "uuid", spec->auth_secret_uuid, NULL);
    }
}

static void format_io_tune(NdXmlElement *disk, const VirtDisk *spec)
{
    NdXmlElement *tune = nd_xml_add(disk, "iotune");
    for (int i = 0; i < VIRT_IO_N; i++) {
        if (spec->io_tune[i] >= 0) {
            nd_xml_add_textf(tune, virt_io_tune_name(i), "%" G_GINT64_FORMAT, spec->io_tune[i]);
        }
    }
    nd_xml_drop_if_empty(disk, tune);
}

static void format_encryption(NdXmlElement *disk, const VirtDisk *spec)
{
    if (spec->encryption_format != NULL) {
        NdXmlElement *encryption = nd_xml_add_attrs(disk, "encryption", "format", spec->encryption_format, NULL);
        if (spec->encryption_secret_uuid != NULL) {
            nd_xml_add_attrs(encryption, "secret", "type", "passphrase", "uuid", spec->encryption_secret_uuid, NULL);
        }
    }
}

NdXmlElement *virt_format_disk(const VirtDisk *spec, GError **error)
{
    if (spec->source_type == NULL || spec->target_dev == NULL) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "a disk needs a source type and a target");
        return NULL;
    }
    g_autoptr(NdXmlElement) disk = nd_xml_new("disk");
    nd_xml_attr(disk, "type", spec->source_type);
    nd_xml_attr(disk, "device", spec->device);
    format_driver(disk, spec);
    if (!format_source(disk, spec, error)) {
        return NULL;
    }
    format_auth(disk, spec);
    nd_xml_add_attrs(disk, "target", "dev", spec->target_dev, "bus", spec->target_bus, NULL);
    format_io_tune(disk, spec);
    NdXmlElement *block_io = nd_xml_add_attrs(disk, "blockio", "logical_block_size", spec->logical_block_size, "physical_block_size",
        spec->physical_block_size, NULL);
    nd_xml_drop_if_empty(disk, block_io);
    if (spec->readonly) {
        nd_xml_add(disk, "readonly");
    }
    if (spec->shareable) {
        nd_xml_add(disk, "shareable");
    }
    nd_xml_add_text(disk, "serial", spec->serial);
    if (spec->boot_order > 0) {
        nd_xml_attr_int(nd_xml_add(disk, "boot"), "order", spec->boot_order);
    }
    format_encryption(disk, spec);
    if (spec->alias != NULL) {
        nd_xml_add_attrs(disk, "alias", "name", spec->alias, NULL);
    }
    if (spec->has_address) {
        NdXmlElement *address = nd_xml_add_attrs(disk, "address", "type", "drive", NULL);
        nd_xml_attr_int(address, "controller", spec->address_controller);
        nd_xml_attr_int(address, "unit", spec->address_unit);
    }
    return g_steal_pointer(&disk);
}
