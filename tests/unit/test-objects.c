/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/objects.h"

/* Life, marks, setters, copies and comparison of objects. */

static NovaFlavor *small_flavor(void)
{
    NovaFlavor *flavor = nova_flavor_new();
    nova_flavor_set_name(flavor, "m1.tiny");
    nova_flavor_set_vcpus(flavor, 1);
    return flavor;
}

static void test_marks(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    g_assert_false(nova_object_is_set(inst, NOVA_INSTANCE_HOST));
    g_assert_false(nova_object_is_null(inst, NOVA_INSTANCE_HOST));
    g_assert_null(inst->host);
    nova_instance_set_host(inst, "node-1");
    g_assert_true(nova_object_has(inst, NOVA_INSTANCE_HOST));
    g_assert_true(nova_object_changed(inst, NOVA_INSTANCE_HOST));
    nova_instance_set_host(inst, inst->host); /* its own value */
    g_assert_cmpstr(inst->host, ==, "node-1");
    nova_object_reset_changes(inst);
    g_assert_false(nova_object_has_changes(inst));
    nova_object_mark_changed(inst, NOVA_INSTANCE_HOST);
    g_assert_true(nova_object_changed(inst, NOVA_INSTANCE_HOST));
    nova_instance_set_host(inst, NULL);
    g_assert_true(nova_object_is_set(inst, NOVA_INSTANCE_HOST));
    g_assert_true(nova_object_is_null(inst, NOVA_INSTANCE_HOST));
    g_assert_false(nova_object_has(inst, NOVA_INSTANCE_HOST));
    nova_object_unset(inst, NOVA_INSTANCE_HOST);
    g_assert_false(nova_object_is_set(inst, NOVA_INSTANCE_HOST));
    g_assert_false(nova_object_changed(inst, NOVA_INSTANCE_HOST));
    nova_object_mark_changed(inst, NOVA_INSTANCE_HOST); /* unset: stays unchanged */
    g_assert_false(nova_object_changed(inst, NOVA_INSTANCE_HOST));
    nova_instance_set_power_state(inst, 4);
    nova_object_set_null(inst, NOVA_INSTANCE_POWER_STATE);
    g_assert_cmpint(inst->power_state, ==, 0);
    g_assert_true(nova_object_is_null(inst, NOVA_INSTANCE_POWER_STATE));
}

static void test_casts(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    g_autoptr(NovaDiskMetadata) disk = nova_disk_metadata_new();
    g_assert_true(NOVA_INSTANCE(inst) == inst);
    g_assert_null(NOVA_FLAVOR(inst));
    g_assert_null(NOVA_INSTANCE(NULL));
    g_assert_cmpstr(nova_object_name(inst), ==, "Instance");
    g_assert_true(nova_spec_is_a(disk->parent.spec, &nova_device_metadata_spec));
    g_assert_false(nova_spec_is_a(inst->parent.spec, &nova_device_metadata_spec));
    g_assert_null(nova_spec_find("NoSuchThing"));
    g_assert_cmpint(nova_spec_find_field(&nova_device_bus_spec, "address"), ==, -1);
    g_assert_cmpint(nova_spec_find_field(&nova_pci_device_bus_spec, "address"), ==, NOVA_PCI_DEVICE_BUS_ADDRESS);
    g_assert_true(nova_enum_contains(&nova_enum_vif_model, NOVA_VIF_MODEL_IGB, ND_RELEASE_2025_1));
    g_assert_false(nova_enum_contains(&nova_enum_vif_model, NOVA_VIF_MODEL_IGB, ND_RELEASE_2024_2));
    g_assert_false(nova_enum_contains(&nova_enum_vif_model, "nic", ND_RELEASE_LAST));
}

/* Every class is found by its name, its fields are sorted, and every setter index fits. */
static void test_tables(void)
{
    g_assert_cmpuint(nova_n_specs, >, 80);
    for (guint i = 0; i < nova_n_specs; i++) {
        const NovaObjectSpec *spec = nova_specs[i];
        g_assert_true(nova_spec_find(spec->name) == spec);
        for (guint k = 0; k < spec->n_fields; k++) {
            g_assert_cmpint(nova_spec_find_field(spec, spec->fields[k].name), ==, (int)k);
            g_assert_cmpuint(spec->fields[k].offset, >=, sizeof(NovaObject));
            g_assert_cmpint(nova_version_compare(spec->fields[k].since, nova_spec_newest(spec)), <=, 0);
        }
        g_autoptr(NovaObject) object = nova_object_new(spec);
        nova_object_set_defaults(object);
        g_autoptr(NovaObject) copy = nova_object_clone(object);
        g_assert_true(nova_object_equal(object, copy));
    }
}

static void test_nested(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    g_autoptr(NovaFlavor) flavor = small_flavor();
    nova_instance_set_flavor(inst, flavor);
    g_assert_true(inst->flavor == flavor); /* shared, not copied */
    nova_object_reset_changes(inst);
    g_assert_false(nova_object_has_changes(flavor)); /* reset reaches nested objects */
    nova_flavor_set_vcpus(flavor, 2);
    g_assert_true(nova_object_changed(inst, NOVA_INSTANCE_FLAVOR));
    g_auto(GStrv) changes = nova_object_changes(inst);
    g_assert_cmpuint(g_strv_length(changes), ==, 1);
    g_assert_cmpstr(changes[0], ==, "flavor");

    g_autoptr(NovaInstance) copy = nova_instance_clone(inst);
    g_assert_false(copy->flavor == flavor);
    g_assert_true(nova_object_equal(inst, copy));
    nova_flavor_set_vcpus(copy->flavor, 8);
    g_assert_cmpint(flavor->vcpus, ==, 2);
    g_auto(GStrv) differ = nova_object_diff(inst, copy);
    g_assert_cmpstr(differ[0], ==, "flavor");
    g_assert_null(differ[1]);
    nova_instance_set_flavor(inst, NULL);
    g_assert_true(nova_object_is_null(inst, NOVA_INSTANCE_FLAVOR));
    g_assert_false(nova_object_equal(inst, copy));
    g_assert_false(nova_object_equal(inst, NULL));
    g_assert_true(nova_object_equal(NULL, NULL));
    g_assert_false(nova_object_equal(inst, flavor));
}

static void test_lists(void)
{
    g_autoptr(NovaBlockDeviceMappingList) list = nova_block_device_mapping_list_new();
    g_assert_cmpuint(nova_object_list_length(list), ==, 0);
    g_autoptr(NovaBlockDeviceMapping) bdm = nova_block_device_mapping_new();
    nova_block_device_mapping_set_device_name(bdm, "/dev/vda");
    nova_object_list_append(list, bdm);
    g_assert_cmpuint(nova_object_list_length(list), ==, 1);
    g_assert_true(nova_object_list_get(list, 0) == bdm);
    nova_object_reset_changes(list);
    g_assert_false(nova_object_has_changes(bdm));
    nova_block_device_mapping_set_boot_index(bdm, 0);
    g_assert_true(nova_object_has_changes(list)); /* a list class counts its elements */

    /* a plain list of objects does not */
    g_autoptr(NovaInstanceNUMATopology) topology = nova_instance_numa_topology_new();
    g_autoptr(NovaInstanceNUMACell) cell = nova_instance_numa_cell_new();
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    g_ptr_array_add(cells, cell);
    nova_instance_numa_topology_set_cells(topology, cells);
    nova_object_reset_changes(topology);
    nova_instance_numa_cell_set_memory(cell, 512);
    g_assert_false(nova_object_has_changes(topology));
    g_assert_cmpuint(topology->cells->len, ==, 1);
}

static void test_containers(void)
{
    g_autoptr(NovaInstanceNUMACell) cell = nova_instance_numa_cell_new();
    const gint64 cpus[] = {5, 1, 3, 1, 5};
    nova_instance_numa_cell_set_cpuset(cell, cpus, G_N_ELEMENTS(cpus));
    g_assert_cmpuint(cell->cpuset->len, ==, 3); /* a set: sorted, no doubles */
    g_assert_cmpint(g_array_index(cell->cpuset, gint64, 0), ==, 1);
    g_assert_cmpint(g_array_index(cell->cpuset, gint64, 2), ==, 5);
    nova_instance_numa_cell_set_cpuset(cell, cpus, 0);
    g_assert_cmpuint(cell->cpuset->len, ==, 0);
    nova_instance_numa_cell_set_cpuset(cell, NULL, 0);
    g_assert_true(nova_object_is_null(cell, NOVA_INSTANCE_NUMA_CELL_CPUSET));

    g_autoptr(NovaRequestLevelParams) params = nova_request_level_params_new();
    const char *const traits[] = {"B", "A", "B", NULL};
    nova_request_level_params_set_root_required(params, traits);
    g_assert_cmpstr(params->root_required[0], ==, "A");
    g_assert_cmpstr(params->root_required[1], ==, "B");
    g_assert_null(params->root_required[2]);
    const char *const none[] = {NULL};
    nova_request_level_params_set_root_required(params, none);
    g_assert_null(params->root_required[0]);

    g_autoptr(GHashTable) pinning = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, NULL);
    gint64 three = 3;
    g_hash_table_insert(pinning, (char *)"0", &three);
    nova_instance_numa_cell_set_cpu_pinning_raw(cell, pinning);
    g_autoptr(NovaInstanceNUMACell) copy = nova_instance_numa_cell_clone(cell);
    g_assert_true(nova_object_equal(cell, copy));
    three = 4;
    g_assert_cmpint(*(gint64 *)g_hash_table_lookup(cell->cpu_pinning_raw, "0"), ==, 3);
    nova_instance_numa_cell_set_cpu_pinning_raw(copy, pinning);
    g_assert_false(nova_object_equal(cell, copy));
}

static void test_dict(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    g_assert_null(nova_object_dict_get(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k"));
    nova_object_dict_remove(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k");
    g_assert_false(nova_object_is_set(inst, NOVA_INSTANCE_SYSTEM_METADATA));
    nova_object_dict_set(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k", "v");
    g_assert_cmpstr(nova_object_dict_get(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k"), ==, "v");
    nova_object_reset_changes(inst);
    nova_object_dict_set(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k", "v");
    nova_object_dict_remove(inst, NOVA_INSTANCE_SYSTEM_METADATA, "other");
    g_assert_false(nova_object_has_changes(inst)); /* nothing changed */
    nova_object_dict_set(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k", NULL);
    g_assert_true(nova_object_changed(inst, NOVA_INSTANCE_SYSTEM_METADATA));
    g_assert_true(g_hash_table_contains(inst->system_metadata, "k"));
    nova_object_dict_remove(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k");
    g_assert_cmpuint(g_hash_table_size(inst->system_metadata), ==, 0);
    /* null becomes a dict */
    nova_instance_set_system_metadata(inst, NULL);
    nova_object_dict_set(inst, NOVA_INSTANCE_SYSTEM_METADATA, "k", "v");
    g_assert_true(nova_object_has(inst, NOVA_INSTANCE_SYSTEM_METADATA));
}

static void test_defaults(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    nova_instance_set_hidden(inst, true);
    nova_object_set_defaults(inst);
    g_assert_true(inst->hidden); /* was set */
    g_assert_true(nova_object_changed(inst, NOVA_INSTANCE_LOCKED));
    g_assert_false(inst->locked);
    g_assert_false(nova_object_is_set(inst, NOVA_INSTANCE_HOST));
    g_autoptr(NovaDiagnostics) diagnostics = nova_diagnostics_new();
    nova_object_set_defaults(diagnostics);
    g_assert_nonnull(diagnostics->memory_details);
    g_assert_cmpuint(diagnostics->nic_details->len, ==, 0);
    g_autoptr(NovaFlavor) flavor = nova_flavor_new();
    nova_object_set_defaults(flavor);
    g_assert_cmpfloat(flavor->rxtx_factor, ==, 1.0);
}

static void expect_abort(const char *path, const char *message)
{
    g_test_trap_subprocess(path, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr(message);
}

static void misuse_index(void)
{
    g_autoptr(NovaFlavor) flavor = nova_flavor_new();
    nova_object_is_set(flavor, 999);
}

static void misuse_kind(void)
{
    g_autoptr(NovaFlavor) flavor = nova_flavor_new();
    nova_object_set_string(flavor, NOVA_FLAVOR_VCPUS, "1");
}

static void misuse_class(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    nova_object_set_object(inst, NOVA_INSTANCE_FLAVOR, inst);
}

static void misuse_list(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    nova_object_list_append(inst, inst);
}

static void misuse_element(void)
{
    g_autoptr(NovaInstanceList) list = nova_instance_list_new();
    nova_object_list_append(list, list);
}

static void misuse_diff(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    g_autoptr(NovaFlavor) flavor = nova_flavor_new();
    g_auto(GStrv) names = nova_object_diff(inst, flavor);
}

/* Mistakes in the program end it with a message instead of writing past a struct. */
static void test_misuse(void)
{
    expect_abort("/objects/misuse/subprocess/index", "*Flavor has no field 999*");
    expect_abort("/objects/misuse/subprocess/kind", "*Flavor.vcpus is not of the type it is set with*");
    expect_abort("/objects/misuse/subprocess/class", "*Instance.flavor is not of the type*");
    expect_abort("/objects/misuse/subprocess/list", "*Instance is no list class*");
    expect_abort("/objects/misuse/subprocess/element", "*InstanceList takes no InstanceList*");
    expect_abort("/objects/misuse/subprocess/diff", "*Instance is not compared with a Flavor*");
}

static gpointer ref_and_unref(gpointer data)
{
    for (int i = 0; i < 20000; i++) {
        NovaInstance *inst = nova_instance_ref(data);
        nova_instance_unref(inst);
    }
    nova_instance_unref(data);
    return NULL;
}

static void test_threads(void)
{
    NovaInstance *inst = nova_instance_new();
    nova_instance_set_uuid(inst, "11111111-2222-3333-4444-555555555555");
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("refs", ref_and_unref, nova_instance_ref(inst));
    nova_instance_unref(inst);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    nova_object_unref(NULL);
    g_assert_null(nova_object_ref(NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/objects/marks", test_marks);
    g_test_add_func("/objects/casts", test_casts);
    g_test_add_func("/objects/tables", test_tables);
    g_test_add_func("/objects/nested", test_nested);
    g_test_add_func("/objects/lists", test_lists);
    g_test_add_func("/objects/containers", test_containers);
    g_test_add_func("/objects/dict", test_dict);
    g_test_add_func("/objects/defaults", test_defaults);
    g_test_add_func("/objects/misuse", test_misuse);
    g_test_add_func("/objects/misuse/subprocess/index", misuse_index);
    g_test_add_func("/objects/misuse/subprocess/kind", misuse_kind);
    g_test_add_func("/objects/misuse/subprocess/class", misuse_class);
    g_test_add_func("/objects/misuse/subprocess/list", misuse_list);
    g_test_add_func("/objects/misuse/subprocess/element", misuse_element);
    g_test_add_func("/objects/misuse/subprocess/diff", misuse_diff);
    g_test_add_func("/objects/threads", test_threads);
    return g_test_run();
}
