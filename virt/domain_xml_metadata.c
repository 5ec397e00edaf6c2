/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/domain_xml_private.h"

#include <time.h>

static void format_flavor(NdXmlElement *instance, const VirtMetadata *metadata)
{
    NdXmlElement *flavor = nd_xml_add_attrs(instance, "nova:flavor", "name", metadata->flavor_name, NULL);
    const struct {
        const char *name;
        gint64 value;
    } values[] = {
        { "nova:memory", metadata->flavor_memory_mib },       { "nova:disk", metadata->flavor_disk_gib }, { "nova:swap", metadata->flavor_swap_mib },
        { "nova:ephemeral", metadata->flavor_ephemeral_gib }, { "nova:vcpus", metadata->flavor_vcpus },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        nd_xml_add_textf(flavor, values[i].name, "%" G_GINT64_FORMAT, values[i].value);
    }
}

static void format_owner(NdXmlElement *instance, const VirtMetadata *metadata)
{
    NdXmlElement *owner = nd_xml_add(instance, "nova:owner");
    if (metadata->user_id != NULL && metadata->user_name != NULL) {
        nd_xml_attr(nd_xml_add_text(owner, "nova:user", metadata->user_name), "uuid", metadata->user_id);
    }
    if (metadata->project_id != NULL && metadata->project_name != NULL) {
        nd_xml_attr(nd_xml_add_text(owner, "nova:project", metadata->project_name), "uuid", metadata->project_id);
    }
}

static void format_ports(NdXmlElement *instance, const VirtMetadata *metadata)
{
    NdXmlElement *ports = nd_xml_add(instance, "nova:ports");
    for (guint i = 0; i < metadata->ports->len; i++) {
        const VirtMetadataPort *port = metadata->ports->pdata[i];
        NdXmlElement *element = nd_xml_add_attrs(ports, "nova:port", "uuid", port->uuid, NULL);
        for (guint j = 0; j < port->ips->len; j++) {
            const VirtMetadataIp *ip = port->ips->pdata[j];
            NdXmlElement *address = nd_xml_add_attrs(element, "nova:ip", "type", ip->type, "address", ip->address, NULL);
            nd_xml_attr_int(address, "ipVersion", ip->version);
        }
    }
}

NdXmlElement *virt_format_metadata(const VirtMetadata *metadata)
{
    NdXmlElement *instance = nd_xml_new("nova:instance");
    nd_xml_attr(instance, "xmlns:nova", VIRT_METADATA_NAMESPACE);
    nd_xml_add_attrs(instance, "nova:package", "version", metadata->package, NULL);
    nd_xml_add_text(instance, "nova:name", metadata->name);
    time_t when = (time_t) metadata->creation_time;
    struct tm parts;
    char text[64];
    if (gmtime_r(&when, &parts) != NULL && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) > 0) {
        nd_xml_add_text(instance, "nova:creationTime", text);
    }
    format_flavor(instance, metadata);
    format_owner(instance, metadata);
    if (metadata->root_type != NULL && metadata->root_uuid != NULL) {
        nd_xml_add_attrs(instance, "nova:root", "type", metadata->root_type, "uuid", metadata->root_uuid, NULL);
    }
    format_ports(instance, metadata);
    return instance;
}
