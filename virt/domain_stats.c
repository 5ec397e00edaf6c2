/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/domain_private.h"
#include "virt/domain_stats.h"
#include "virt/error.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>

#define MAX_VCPUS 4096 /* libvirt's own wire limit is 16384 bytes of maps; a guard against a broken answer */

static void block_clear(gpointer data)
{
    g_free(((VirtBlockStats *)data)->device);
}

static void interface_clear(gpointer data)
{
    VirtInterfaceStats *stats = data;
    g_free(stats->device);
    g_free(stats->mac);
}

void virt_domain_stats_free(VirtDomainStats *stats)
{
    if (stats == NULL)
        return;
    g_array_unref(stats->vcpus);
    g_array_unref(stats->blocks);
    g_array_unref(stats->interfaces);
    g_array_unref(stats->memory);
    g_free(stats);
}

static VirtDomainStats *stats_new(void)
{
    VirtDomainStats *stats = g_new0(VirtDomainStats, 1);
    stats->vcpus = g_array_new(FALSE, TRUE, sizeof(VirtVcpuStats));
    stats->blocks = g_array_new(FALSE, TRUE, sizeof(VirtBlockStats));
    g_array_set_clear_func(stats->blocks, block_clear);
    stats->interfaces = g_array_new(FALSE, TRUE, sizeof(VirtInterfaceStats));
    g_array_set_clear_func(stats->interfaces, interface_clear);
    stats->memory = g_array_new(FALSE, TRUE, sizeof(VirtMemoryStat));
    return stats;
}

/* libvirt-python's keys of memoryStats(), which nova passes on. */
static const struct {
    int tag;
    const char *name;
} memory_names[] = {
    {VIR_DOMAIN_MEMORY_STAT_SWAP_IN, "swap_in"},
    {VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, "swap_out"},
    {VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, "major_fault"},
    {VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, "minor_fault"},
    {VIR_DOMAIN_MEMORY_STAT_UNUSED, "unused"},
    {VIR_DOMAIN_MEMORY_STAT_AVAILABLE, "available"},
    {VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, "actual"},
    {VIR_DOMAIN_MEMORY_STAT_RSS, "rss"},
    {VIR_DOMAIN_MEMORY_STAT_USABLE, "usable"},
    {VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, "last_update"},
    {VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, "disk_caches"},
    {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "hugetlb_pgalloc"},
    {VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "hugetlb_pgfail"},
};

static void read_memory(virDomainPtr domain, GArray *memory)
{
    virDomainMemoryStatStruct raw[VIR_DOMAIN_MEMORY_STAT_NR];
    int count = virDomainMemoryStats(domain, raw, G_N_ELEMENTS(raw), 0);
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < G_N_ELEMENTS(memory_names); j++)
            if (memory_names[j].tag == raw[i].tag) {
                VirtMemoryStat stat = {.name = memory_names[j].name, .value = (gint64)raw[i].val};
                g_array_append_val(memory, stat);
            }
}

static void read_vcpus(virDomainPtr domain, GArray *vcpus, unsigned count)
{
    if (count == 0 || count > MAX_VCPUS)
        return;
    g_autofree virVcpuInfo *raw = g_new0(virVcpuInfo, count);
    int got = virDomainGetVcpus(domain, raw, (int)count, NULL, 0);
    for (int i = 0; i < got; i++) {
        VirtVcpuStats vcpu = {.id = raw[i].number, .time_ns = (gint64)raw[i].cpuTime};
        g_array_append_val(vcpus, vcpu);
    }
}

static bool read_block(virDomainPtr domain, const char *device, VirtBlockStats *stats)
{
    virDomainBlockStatsStruct raw;
    if (virDomainBlockStats(domain, device, &raw, sizeof raw) < 0)
        return false;
    *stats = (VirtBlockStats){.device = g_strdup(device),
        .read_requests = raw.rd_req,
        .read_bytes = raw.rd_bytes,
        .write_requests = raw.wr_req,
        .write_bytes = raw.wr_bytes,
        .errors = raw.errs};
    return true;
}

static void read_interface(virDomainPtr domain, const char *device, const char *mac, GArray *interfaces)
{
    virDomainInterfaceStatsStruct raw;
    if (device != NULL && virDomainInterfaceStats(domain, device, &raw, sizeof raw) < 0)
        return;
    VirtInterfaceStats stats = {.device = g_strdup(device), .mac = g_strdup(mac), -1, -1, -1, -1, -1, -1, -1, -1};
    if (device != NULL) {
        stats.rx_octets = raw.rx_bytes;
        stats.rx_packets = raw.rx_packets;
        stats.rx_errors = raw.rx_errs;
        stats.rx_drop = raw.rx_drop;
        stats.tx_octets = raw.tx_bytes;
        stats.tx_packets = raw.tx_packets;
        stats.tx_errors = raw.tx_errs;
        stats.tx_drop = raw.tx_drop;
    }
    g_array_append_val(interfaces, stats);
}

/* An attribute of a child element as new text, or NULL. */
static char *child_attribute(xmlNode *parent, const char *element, const char *attribute)
{
    for (xmlNode *node = parent->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, element) != 0)
            continue;
        xmlChar *value = xmlGetProp(node, (const xmlChar *)attribute);
        char *text = g_strdup((const char *)value);
        xmlFree(value);
        return text;
    }
    return NULL;
}

static void read_devices(virDomainPtr domain, xmlDoc *document, VirtDomainStats *stats)
{
    xmlXPathContext *context = xmlXPathNewContext(document);
    xmlXPathObject *found = xmlXPathEval((const xmlChar *)"/domain/devices/*[self::disk or self::interface]", context);
    xmlNodeSet *nodes = found != NULL ? found->nodesetval : NULL;
    for (int i = 0; nodes != NULL && i < nodes->nodeNr; i++) {
        xmlNode *node = nodes->nodeTab[i];
        g_autofree char *device = child_attribute(node, "target", "dev");
        if (strcmp((const char *)node->name, "disk") == 0) {
            VirtBlockStats block;
            if (device != NULL && read_block(domain, device, &block))
                g_array_append_val(stats->blocks, block);
            continue;
        }
        g_autofree char *mac = child_attribute(node, "mac", "address");
        read_interface(domain, device, mac, stats->interfaces);
    }
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
}

VirtDomainStats *virt_domain_get_stats(VirtConnection *connection, const char *uuid, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    virDomainInfo info;
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return NULL;
    if (virDomainGetInfo(ref.domain, &info) < 0) {
        virt_error_set_libvirt(error, "get info of domain %s", uuid);
        return NULL;
    }
    char *xml = virDomainGetXMLDesc(ref.domain, 0);
    if (xml == NULL) {
        virt_error_set_libvirt(error, "get XML of domain %s", uuid);
        return NULL;
    }
    VirtDomainStats *stats = stats_new();
    stats->power_state = virt_power_state_from_libvirt(info.state);
    stats->max_memory_kib = info.maxMem;
    stats->memory_kib = info.memory;
    read_vcpus(ref.domain, stats->vcpus, info.nrVirtCpu);
    xmlDoc *document = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (document != NULL)
        read_devices(ref.domain, document, stats);
    xmlFreeDoc(document);
    free(xml);
    read_memory(ref.domain, stats->memory);
    virResetLastError(); /* parts that this hypervisor does not give are left out */
    return stats;
}

bool virt_domain_block_stats(VirtConnection *connection, const char *uuid, const char *device, VirtBlockStats *stats, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    if (!virt_domain_ref_open(&ref, connection, uuid, error))
        return false;
    if (!read_block(ref.domain, device, stats))
        return virt_error_set_libvirt(error, "get counters of disk '%s' of domain %s", device, uuid);
    return true;
}
