/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_private.h"

/* Huge pages that [DEFAULT]reserved_huge_pages keeps from guests on a cell. */
static gint64 reserved_pages(const NdConfig *config, int cell, guint64 size_kib)
{
    gint64 reserved = 0;
    for (const char *const *entry = nd_config_multi(config, "DEFAULT", "reserved_huge_pages"); *entry != NULL; entry++) {
        gint64 node = -1, size = -1, count = 0;
        g_auto(GStrv) parts = g_strsplit(*entry, ",", -1);
        for (char **part = parts; *part != NULL; part++) {
            g_auto(GStrv) pair = g_strsplit(*part, ":", 2);
            if (g_strv_length(pair) != 2)
                continue;
            gint64 value = g_ascii_strtoll(g_strstrip(pair[1]), NULL, 10);
            const char *key = g_strstrip(pair[0]);
            if (g_str_equal(key, "node"))
                node = value;
            else if (g_str_equal(key, "size"))
                size = g_str_has_suffix(pair[1], "MB") ? value * 1024 : g_str_has_suffix(pair[1], "GB") ? value * 1024 * 1024 : value;
            else if (g_str_equal(key, "count"))
                count = value;
        }
        if (node == cell && size == (gint64)size_kib)
            reserved += count;
    }
    return reserved;
}

static GArray *to_int64(const GArray *numbers)
{
    GArray *wide = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; numbers != NULL && i < numbers->len; i++) {
        gint64 value = g_array_index(numbers, int, i);
        g_array_append_val(wide, value);
    }
    return wide;
}

/* Each core's threads: as libvirt groups them, or one CPU each. */
static GPtrArray *sibling_sets(const VirtNumaCell *cell)
{
    GPtrArray *sets = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (guint i = 0; cell->siblings != NULL && i < cell->siblings->len; i++)
        g_ptr_array_add(sets, to_int64(cell->siblings->pdata[i]));
    return sets;
}

static NovaNUMAPagesTopology *make_pages(const NdConfig *config, int cell, const VirtNumaPages *pages)
{
    NovaNUMAPagesTopology *object = nova_numa_pages_topology_new();
    nova_numa_pages_topology_set_size_kb(object, (gint64)pages->size_kib);
    nova_numa_pages_topology_set_total(object, (gint64)pages->total);
    nova_numa_pages_topology_set_used(object, 0);
    nova_numa_pages_topology_set_reserved(object, reserved_pages(config, cell, pages->size_kib));
    return object;
}

static NovaNUMACell *make_cell(const NdConfig *config, const VirtNumaCell *facts)
{
    static const char *const no_physnets[] = {NULL};
    NovaNUMACell *cell = nova_numa_cell_new();
    g_autoptr(GArray) cpus = to_int64(facts->cpus);
    g_autoptr(GArray) pinned = to_int64(facts->pinned_cpus);
    g_autoptr(GPtrArray) siblings = sibling_sets(facts);
    g_autoptr(GPtrArray) pages = g_ptr_array_new_with_free_func(nova_object_unref);
    g_autoptr(NovaNetworkMetadata) network = nova_network_metadata_new();
    gint64 none = 0;
    nova_network_metadata_set_physnets(network, no_physnets);
    nova_network_metadata_set_tunneled(network, false);
    for (guint i = 0; facts->pages != NULL && i < facts->pages->len; i++)
        g_ptr_array_add(pages, make_pages(config, facts->id, &g_array_index(facts->pages, VirtNumaPages, i)));
    nova_numa_cell_set_id(cell, facts->id);
    nova_numa_cell_set_cpuset(cell, cpus->len > 0 ? (const gint64 *)(const void *)cpus->data : &none, cpus->len);
    nova_numa_cell_set_pcpuset(cell, pinned->len > 0 ? (const gint64 *)(const void *)pinned->data : &none, pinned->len);
    nova_numa_cell_set_memory(cell, (gint64)facts->memory_mib);
    nova_numa_cell_set_cpu_usage(cell, 0);
    nova_numa_cell_set_memory_usage(cell, 0);
    nova_numa_cell_set_pinned_cpus(cell, &none, 0);
    nova_numa_cell_set_siblings(cell, siblings);
    nova_numa_cell_set_mempages(cell, pages);
    nova_numa_cell_set_network_metadata(cell, network);
    if (facts->socket >= 0)
        nova_numa_cell_set_socket(cell, facts->socket);
    else
        nova_object_set_null(cell, NOVA_NUMA_CELL_SOCKET);
    return cell;
}

char *tracker_numa_text(const NdConfig *config, const VirtHostFacts *facts)
{
    if (facts->numa_cells == NULL)
        return NULL;
    g_autoptr(NovaNUMATopology) topology = nova_numa_topology_new();
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(nova_object_unref);
    for (guint i = 0; i < facts->numa_cells->len; i++)
        g_ptr_array_add(cells, make_cell(config, facts->numa_cells->pdata[i]));
    nova_numa_topology_set_cells(topology, cells);
    g_autoptr(NdJson) json = nova_object_to_json(topology, ND_RELEASE_ZED);
    return nd_json_to_string(json);
}
