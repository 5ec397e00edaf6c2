/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/error.h"
#include "virt/host_private.h"

static void cell_free(VirtNumaCell *cell)
{
    g_array_unref(cell->cpus);
    g_array_unref(cell->pinned_cpus);
    g_ptr_array_unref(cell->siblings);
    g_array_unref(cell->pages);
    g_free(cell);
}

/* Which architectures nova gives NUMA guests on (upstream driver.py _has_numa_support). */
static bool has_numa_support(virConnectPtr handle, xmlNode *caps)
{
    static const struct {
        const char *arch;
        bool qemu_only;
    } table[] = {{"i686", true}, {"x86_64", true}, {"aarch64", true}, {"ppc64", false}, {"ppc64le", false}};
    g_autofree char *arch = nd_xpath_string(caps, "host/cpu/arch");
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_strcmp0(arch, table[i].arch) == 0)
            return !table[i].qemu_only || g_strcmp0(virConnectGetType(handle), "QEMU") == 0;
    return false;
}

static int compare_siblings(gconstpointer a, gconstpointer b)
{
    const GArray *left = *(GArray *const *)a, *right = *(GArray *const *)b;
    return g_array_index(left, int, 0) - g_array_index(right, int, 0);
}

static bool has_sibling_set(const GPtrArray *siblings, const GArray *set)
{
    for (guint i = 0; i < siblings->len; i++) {
        const GArray *other = g_ptr_array_index(siblings, i);
        if (other->len == set->len && memcmp(other->data, set->data, set->len * sizeof(int)) == 0)
            return true;
    }
    return false;
}

/* Each core's threads, cut down to the CPUs that may be used; empty ones dropped. */
static void read_siblings(xmlNode *cell_node, VirtNumaCell *cell)
{
    g_auto(GStrv) texts = nd_xpath_strings(cell_node, "cpus/cpu/@siblings");
    for (char **text = texts; *text != NULL; text++) {
        g_autoptr(GArray) all = virt_cpu_set_parse(*text, NULL);
        g_autoptr(GArray) usable = g_array_new(FALSE, FALSE, sizeof(int));
        for (guint i = 0; all != NULL && i < all->len; i++) {
            int cpu = g_array_index(all, int, i);
            if (virt_cpu_set_contains(cell->cpus, cpu) || virt_cpu_set_contains(cell->pinned_cpus, cpu))
                g_array_append_val(usable, cpu);
        }
        if (usable->len > 0 && !has_sibling_set(cell->siblings, usable))
            g_ptr_array_add(cell->siblings, g_steal_pointer(&usable));
    }
    g_ptr_array_sort(cell->siblings, compare_siblings);
}

/* The one socket of all its CPUs, else -1. */
static int read_socket(xmlNode *cell_node)
{
    g_auto(GStrv) sockets = nd_xpath_strings(cell_node, "cpus/cpu/@socket_id");
    if (sockets[0] == NULL)
        return -1;
    for (char **socket = sockets; *socket != NULL; socket++)
        if (strcmp(*socket, sockets[0]) != 0)
            return -1;
    return (int)g_ascii_strtoll(sockets[0], NULL, 10);
}

static int compare_ints(gconstpointer a, gconstpointer b)
{
    return *(const int *)a - *(const int *)b;
}

static VirtNumaCell *read_cell(xmlNode *node, const GArray *shared, const GArray *dedicated)
{
    VirtNumaCell *cell = g_new0(VirtNumaCell, 1);
    cell->cpus = g_array_new(FALSE, FALSE, sizeof(int));
    cell->pinned_cpus = g_array_new(FALSE, FALSE, sizeof(int));
    cell->siblings = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    cell->pages = g_array_new(FALSE, TRUE, sizeof(VirtNumaPages));

    gint64 number = 0;
    nd_xpath_int(node, "@id", &number);
    cell->id = (int)number;
    guint64 memory_kib = 0;
    nd_xpath_uint(node, "memory", &memory_kib);
    cell->memory_mib = memory_kib / 1024;
    cell->socket = read_socket(node);

    g_auto(GStrv) cpus = nd_xpath_strings(node, "cpus/cpu/@id");
    for (char **text = cpus; *text != NULL; text++) {
        int cpu = (int)g_ascii_strtoll(*text, NULL, 10);
        if (virt_cpu_set_contains(shared, cpu))
            g_array_append_val(cell->cpus, cpu);
        if (virt_cpu_set_contains(dedicated, cpu))
            g_array_append_val(cell->pinned_cpus, cpu);
    }
    g_array_sort(cell->cpus, compare_ints);
    g_array_sort(cell->pinned_cpus, compare_ints);
    read_siblings(node, cell);

    g_autoptr(GPtrArray) pages = nd_xpath_nodes(node, "pages");
    for (guint i = 0; i < pages->len; i++) {
        VirtNumaPages page = {0};
        if (nd_xpath_uint(g_ptr_array_index(pages, i), "@size", &page.size_kib) && nd_xpath_uint(g_ptr_array_index(pages, i), ".", &page.total))
            g_array_append_val(cell->pages, page);
    }
    return cell;
}

GPtrArray *virt_host_numa_cells(virConnectPtr handle, xmlNode *caps, const VirtHostOptions *options, const GArray *shared,
    const GArray *dedicated)
{
    g_autoptr(GPtrArray) nodes = nd_xpath_nodes(caps, "host/topology/cells/cell");
    if (nodes->len == 0 || !has_numa_support(handle, caps))
        return NULL;
    /* Without cpu_dedicated_set the shared CPUs may be pinned as well, unless only the new cpu_shared_set is set (upstream, for upgrades from before
     * the two options were). */
    bool old_style = options->vcpu_pin_set_text != NULL && *options->vcpu_pin_set_text != '\0';
    bool new_shared = options->cpu_shared_set_text != NULL && *options->cpu_shared_set_text != '\0';
    const GArray *pinned = dedicated->len == 0 && !(new_shared && !old_style) ? shared : dedicated;
    GPtrArray *cells = g_ptr_array_new_with_free_func((GDestroyNotify)cell_free);
    for (guint i = 0; i < nodes->len; i++)
        g_ptr_array_add(cells, read_cell(g_ptr_array_index(nodes, i), shared, pinned));
    return cells;
}

bool virt_host_has_hyperthreading(xmlNode *caps)
{
    g_auto(GStrv) texts = nd_xpath_strings(caps, "host/topology/cells/cell/cpus/cpu/@siblings");
    for (char **text = texts; *text != NULL; text++) {
        g_autoptr(GArray) set = virt_cpu_set_parse(*text, NULL);
        if (set != NULL && set->len > 1)
            return true;
    }
    return false;
}
