/* SPDX-License-Identifier: Apache-2.0 */
/* host-facts URI OPTIONS.json: prints what virt/host.h says of this host as JSON, for tests/oracle/host_facts.py. OPTIONS: virt_type, cpu_mode, cpu_models,
 * cpu_model_extra_flags, instances_path, cpu_shared_set, cpu_dedicated_set, file_backed_memory, swtpm_enabled. */
#include "config.h"

#include "base/json.h"
#include "virt/host.h"

#include <stdio.h>

static NdJson *cpu_list(const GArray *cpus)
{
    NdJson *list = json_object_new_array();
    for (guint i = 0; i < cpus->len; i++)
        json_object_array_add(list, json_object_new_int(g_array_index(cpus, int, i)));
    return list;
}

static NdJson *numa_json(const VirtHostFacts *facts)
{
    if (facts->numa_cells == NULL)
        return NULL;
    NdJson *cells = json_object_new_array();
    for (guint i = 0; i < facts->numa_cells->len; i++) {
        const VirtNumaCell *cell = g_ptr_array_index(facts->numa_cells, i);
        NdJson *json = json_object_new_object(), *siblings = json_object_new_array(), *pages = json_object_new_array();
        nd_json_set_int(json, "id", cell->id);
        nd_json_set_int(json, "memory", (gint64)cell->memory_mib);
        nd_json_set_int(json, "socket", cell->socket);
        nd_json_set(json, "cpuset", cpu_list(cell->cpus));
        nd_json_set(json, "pcpuset", cpu_list(cell->pinned_cpus));
        for (guint j = 0; j < cell->siblings->len; j++)
            json_object_array_add(siblings, cpu_list(g_ptr_array_index(cell->siblings, j)));
        nd_json_set(json, "siblings", siblings);
        for (guint j = 0; j < cell->pages->len; j++) {
            const VirtNumaPages *page = &g_array_index(cell->pages, VirtNumaPages, j);
            NdJson *pair = json_object_new_array();
            json_object_array_add(pair, json_object_new_int64((gint64)page->size_kib));
            json_object_array_add(pair, json_object_new_int64((gint64)page->total));
            json_object_array_add(pages, pair);
        }
        nd_json_set(json, "mempages", pages);
        json_object_array_add(cells, json);
    }
    return cells;
}

static NdJson *facts_json(const VirtHostFacts *facts)
{
    NdJson *json = json_object_new_object(), *supported = json_object_new_array();
    nd_json_set_int(json, "vcpus", facts->vcpus);
    nd_json_set_int(json, "pcpus", facts->pcpus);
    nd_json_set_int(json, "vcpus_used", facts->vcpus_used);
    nd_json_set_int(json, "memory_mb", (gint64)facts->memory_mib);
    nd_json_set_int(json, "memory_mb_used", (gint64)facts->memory_used_mib);
    nd_json_set_int(json, "local_gb", (gint64)facts->local_gb);
    nd_json_set_int(json, "local_gb_used", (gint64)facts->local_gb_used);
    nd_json_set_int(json, "disk_available_least", facts->disk_available_least_gb);
    nd_json_set_string(json, "hypervisor_type", facts->hypervisor_type);
    nd_json_set_int(json, "hypervisor_version", (gint64)facts->hypervisor_version);
    nd_json_set_string(json, "hypervisor_hostname", facts->hypervisor_hostname);
    nd_json_set_string(json, "cpu_info", facts->cpu_info_json);
    for (guint i = 0; i < facts->supported_instances->len; i++) {
        const VirtSupportedInstance *one = g_ptr_array_index(facts->supported_instances, i);
        const char *const triple[] = {one->arch, one->hypervisor, one->vm_mode, NULL};
        json_object_array_add(supported, nd_json_from_strv(triple));
    }
    nd_json_set(json, "supported_instances", supported);
    nd_json_set(json, "numa", numa_json(facts));
    return json;
}

static NdJson *traits_json(GHashTable *traits)
{
    NdJson *json = json_object_new_object();
    GHashTableIter iter;
    gpointer name, has;
    g_hash_table_iter_init(&iter, traits);
    while (g_hash_table_iter_next(&iter, &name, &has))
        nd_json_set_bool(json, name, GPOINTER_TO_INT(has) != 0);
    return json;
}

static gpointer run_loop(gpointer loop)
{
    g_main_loop_run(loop);
    return NULL;
}

static gboolean quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static bool print(VirtConnection *connection, const VirtHostOptions *options, GError **error)
{
    if (!virt_connection_wait(connection, 10000, error))
        return false;
    g_autoptr(VirtHostFacts) facts = virt_host_facts(connection, options, error);
    g_autoptr(GHashTable) traits = facts != NULL ? virt_host_traits(connection, options, error) : NULL;
    g_autofree char *uptime = traits != NULL ? virt_host_uptime(error) : NULL;
    if (uptime == NULL)
        return false;
    g_autoptr(NdJson) answer = json_object_new_object();
    nd_json_set(answer, "facts", facts_json(facts));
    nd_json_set(answer, "traits", traits_json(traits));
    nd_json_set_string(answer, "uptime", uptime);
    g_autofree char *text = nd_json_to_string(answer);
    puts(text);
    return true;
}

static char **string_list(NdJson *options, const char *key)
{
    NdJson *list = nd_json_array(options, key);
    return list != NULL ? nd_json_to_strv(list, NULL) : NULL;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) config = NULL;
    if (argc != 3 || !nd_json_parse(argv[2], strlen(argv[2]), NULL, &config, &error) || !virt_event_loop_register(&error)) {
        g_printerr("host-facts: %s\n", error != NULL ? error->message : "usage: host-facts URI OPTIONS.json");
        return 2;
    }
    g_auto(GStrv) models = string_list(config, "cpu_models"), flags = string_list(config, "cpu_model_extra_flags");
    g_auto(GStrv) excluded = string_list(config, "image_type_exclude_list");
    const VirtHostOptions options = {
        .virt_type = nd_json_string(config, "virt_type", "qemu"),
        .cpu_mode = nd_json_string(config, "cpu_mode", NULL),
        .cpu_models = (const char *const *)models,
        .cpu_model_extra_flags = (const char *const *)flags,
        .images_type = "default",
        .force_raw_images = true,
        .image_type_exclude_list = (const char *const *)excluded,
        .swtpm_enabled = nd_json_bool(config, "swtpm_enabled", false),
        .file_backed_memory_mib = (int)nd_json_int(config, "file_backed_memory", 0),
        .instances_path = nd_json_string(config, "instances_path", "/var/lib/nova/instances"),
        .cpu_shared_set_text = nd_json_string(config, "cpu_shared_set", NULL),
        .cpu_dedicated_set_text = nd_json_string(config, "cpu_dedicated_set", NULL),
    };
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GThread *thread = g_thread_new("loop", run_loop, loop);
    VirtConnectionOptions connect;
    virt_connection_options_init(&connect, argv[1], options.virt_type);
    VirtConnection *connection = virt_connection_new(&connect);
    virt_connection_options_clear(&connect);
    bool printed = print(connection, &options, &error);
    virt_connection_unref(connection);
    g_timeout_add(20, quit, loop);
    g_thread_join(thread);
    g_main_loop_unref(loop);
    if (!printed)
        g_printerr("host-facts: %s\n", error->message);
    return printed ? 0 : 1;
}
