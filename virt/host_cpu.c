/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/json.h"
#include "virt/error.h"
#include "virt/host_private.h"

void virt_host_cpu_clear(VirtHostCpu *cpu)
{
    g_free(cpu->arch);
    g_free(cpu->model);
    g_free(cpu->vendor);
    g_clear_pointer(&cpu->features, g_hash_table_unref);
    *cpu = (VirtHostCpu){0};
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of a set (NULL: none), borrowed from it. */
static GPtrArray *sorted_names(GHashTable *names)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;
    if (names == NULL)
        return list;
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(list, name);
    g_ptr_array_sort(list, compare_names);
    return list;
}

static void append_text(GString *xml, const char *element, const char *text)
{
    if (text == NULL)
        return;
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    g_string_append_printf(xml, "<%s>%s</%s>", element, escaped, element);
}

static char *cpu_xml(const VirtHostCpu *cpu, const char *model, GHashTable *features)
{
    GString *xml = g_string_new("<cpu>");
    append_text(xml, "arch", cpu->arch);
    append_text(xml, "model", model);
    append_text(xml, "vendor", cpu->vendor);
    if (cpu->sockets > 0 && cpu->cores > 0 && cpu->threads > 0)
        g_string_append_printf(xml,
            "<topology sockets='%" G_GINT64_FORMAT "' cores='%" G_GINT64_FORMAT "' threads='%" G_GINT64_FORMAT "'/>", cpu->sockets,
            cpu->cores, cpu->threads);
    g_autoptr(GPtrArray) names = sorted_names(features);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *escaped = g_markup_escape_text(g_ptr_array_index(names, i), -1);
        g_string_append_printf(xml, "<feature name='%s'/>", escaped);
    }
    g_string_append(xml, "</cpu>");
    return g_string_free(xml, FALSE);
}

/* Adds the names of the features that are not disabled. */
static void collect_features(xmlNode *cpu, GHashTable *features)
{
    g_auto(GStrv) names = nd_xpath_strings(cpu, "feature[not(@policy='disable')]/@name");
    for (char **name = names; *name != NULL; name++)
        g_hash_table_add(features, g_strdup(*name));
}

/* libvirt's expansion of one CPU. A driver that cannot do it leaves *expanded false. */
static bool baseline(virConnectPtr handle, const char *xml, GHashTable *features, bool *expanded, GError **error)
{
    *expanded = false;
    const char *cpus[] = {xml};
    char *answer = virConnectBaselineCPU(handle, cpus, 1, VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
    if (answer == NULL) {
        g_autoptr(GError) local = NULL;
        virt_error_set_libvirt(&local, "get the baseline of the host's CPU");
        if (virt_error_is_libvirt(local, VIR_ERR_NO_SUPPORT))
            return true;
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    g_autoptr(xmlDoc) document = nd_xml_parse(answer, -1, error);
    free(answer);
    xmlNode *root = document != NULL ? nd_xml_root(document, "cpu", error) : NULL;
    if (root == NULL)
        return false;
    collect_features(root, features);
    *expanded = true;
    return true;
}

bool virt_host_cpu_read(virConnectPtr handle, xmlNode *caps, VirtHostCpu *cpu, GError **error)
{
    g_auto(VirtHostCpu) host = {.features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    xmlNode *node = nd_xpath_node(caps, "host/cpu");
    host.arch = nd_xpath_string(node, "arch");
    if (host.arch == NULL) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_FAILED, "libvirt's capabilities have no host CPU architecture");
        return false;
    }
    host.model = nd_xpath_string(node, "model");
    host.vendor = nd_xpath_string(node, "vendor");
    nd_xpath_int(node, "topology/@sockets", &host.sockets);
    nd_xpath_int(node, "topology/@cores", &host.cores);
    nd_xpath_int(node, "topology/@threads", &host.threads);
    collect_features(node, host.features);
    if (host.model != NULL && strcmp(host.arch, "aarch64") != 0) {
        g_autofree char *xml = cpu_xml(&host, host.model, host.features);
        g_autoptr(GHashTable) features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        bool expanded;
        if (!baseline(handle, xml, features, &expanded, error))
            return false;
        if (expanded) {
            g_hash_table_unref(host.features);
            host.features = g_steal_pointer(&features);
        }
    }
    *cpu = host;
    host = (VirtHostCpu){0};
    return true;
}

bool virt_host_cpu_model_features(virConnectPtr handle, const VirtHostCpu *host, const char *model, GHashTable *features, GError **error)
{
    g_autofree char *xml = cpu_xml(host, model, NULL);
    bool expanded;
    return baseline(handle, xml, features, &expanded, error);
}

char *virt_host_cpu_info_json(const VirtHostCpu *cpu, unsigned cells)
{
    g_autoptr(NdJson) info = json_object_new_object();
    nd_json_set_string(info, "arch", cpu->arch);
    nd_json_set_string(info, "model", cpu->model);
    nd_json_set_string(info, "vendor", cpu->vendor);
    NdJson *topology = json_object_new_object();
    nd_json_set_int(topology, "cells", cells);
    nd_json_set_int(topology, "sockets", cpu->sockets);
    nd_json_set_int(topology, "cores", cpu->cores);
    nd_json_set_int(topology, "threads", cpu->threads);
    nd_json_set(info, "topology", topology);
    NdJson *features = json_object_new_array();
    g_autoptr(GPtrArray) names = sorted_names(cpu->features);
    for (guint i = 0; i < names->len; i++)
        json_object_array_add(features, json_object_new_string(g_ptr_array_index(names, i)));
    nd_json_set(info, "features", features);
    return nd_json_to_string(info);
}
