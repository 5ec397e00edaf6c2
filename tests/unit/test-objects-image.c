/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/image_meta.h"
#include "objects/objects.h"

#include <string.h>

/* ImageMeta from Glance dicts and from system_metadata. The oracle test compares many more with upstream. */

static NdJson *json(const char *text)
{
    NdJson *value = NULL;
    g_autoptr(GError) error = NULL;
    nd_json_parse(text, strlen(text), NULL, &value, &error);
    g_assert_no_error(error);
    return value;
}

static NovaImageMeta *image(const char *text)
{
    g_autoptr(NdJson) dict = json(text);
    g_autoptr(GError) error = NULL;
    NovaImageMeta *meta = nova_image_meta_from_dict(dict, &error);
    g_assert_no_error(error);
    return meta;
}

static void test_plain(void)
{
    g_autoptr(NovaImageMeta) meta = image(
        "{\"id\":\"1\",\"name\":null,\"size\":null,\"disk_format\":\"qcow2\",\"checksum\":null,\"owner\":null,\"container_format\":null,"
        "\"virtual_size\":null,\"created_at\":null,\"deleted\":false,\"properties\":{\"hw_disk_bus\":\"virtio\",\"os_admin\":\"x\"}}");
    g_assert_cmpstr(meta->name, ==, "");
    g_assert_cmpstr(meta->checksum, ==, "");
    g_assert_true(nova_object_has(meta, NOVA_IMAGE_META_SIZE));
    g_assert_true(nova_object_is_null(meta, NOVA_IMAGE_META_CREATED_AT));
    g_assert_cmpstr(meta->properties->hw_disk_bus, ==, "virtio");
    g_assert_true(nova_object_changed(meta, NOVA_IMAGE_META_ID));
    g_autoptr(NovaImageMeta) empty = nova_image_meta_from_dict(NULL, NULL);
    g_assert_nonnull(empty->properties);
}

static void test_properties(void)
{
    g_autoptr(NovaImageMeta) meta = image(
        "{\"properties\":{\"architecture\":\"amd64\",\"hw_architecture\":\"aarch64\",\"hypervisor_type\":\"QEMU\",\"vmware_adaptertype\":"
        "\"paraVirtual\",\"hw_numa_cpus.0\":\"0-3,^2\",\"hw_numa_cpus.1\":7,\"hw_numa_mem.0\":\"512\",\"hw_numa_mem.2\":\"9\","
        "\"trait:CUSTOM_A\":\"required\",\"trait:CUSTOM_B\":\"forbidden\",\"hw_qemu_guest_agent\":\"yes\",\"traits_required\":[\"no\"],"
        "\"bdm_v2\":true,\"mappings\":[{\"virtual\":\"ami\",\"device\":null}]}}");
    const NovaImageMetaProps *props = meta->properties;
    g_assert_cmpstr(props->hw_architecture, ==, "aarch64"); /* today's name wins */
    g_assert_cmpstr(props->img_hv_type, ==, "qemu");
    g_assert_cmpstr(props->hw_disk_bus, ==, "scsi");
    g_assert_cmpstr(props->hw_scsi_model, ==, "vmpvscsi");
    g_assert_cmpuint(props->hw_numa_cpus->len, ==, 2);
    const GArray *node = props->hw_numa_cpus->pdata[0];
    g_assert_cmpuint(node->len, ==, 3);
    g_assert_cmpint(g_array_index(node, gint64, 2), ==, 3);
    g_assert_cmpuint(props->hw_numa_mem->len, ==, 1); /* up to the gap */
    g_assert_cmpstr(props->traits_required[0], ==, "CUSTOM_A");
    g_assert_null(props->traits_required[1]);
    g_assert_true(props->hw_qemu_guest_agent);
    g_assert_true(props->img_bdm_v2);
    g_assert_cmpuint(props->img_mappings->len, ==, 1);
    g_autoptr(NovaImageMeta) ide = image("{\"properties\":{\"vmware_adaptertype\":\"ide\"}}");
    g_assert_cmpstr(ide->properties->hw_disk_bus, ==, "ide");
    g_assert_false(nova_object_is_set(ide->properties, NOVA_IMAGE_META_PROPS_HW_SCSI_MODEL));
}

static void test_refused(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"[]", "the image is no dict"},
        {"{\"properties\":[]}", "image properties are no dict"},
        {"{\"min_ram\":\"much\"}", "image property 'min_ram': ImageMeta.min_ram is no integer: 'much'"},
        {"{\"min_ram\":null}", "image property 'min_ram': ImageMeta.min_ram must not be null"},
        {"{\"properties\":{\"hw_disk_bus\":\"floppy\"}}",
         "image property 'hw_disk_bus': ImageMetaProps.hw_disk_bus is not one of its values: 'floppy'"},
        {"{\"properties\":{\"architecture\":\"pdp11\"}}",
         "image property 'architecture': ImageMetaProps.hw_architecture is not one of its values: 'pdp11'"},
        {"{\"properties\":{\"vmware_adaptertype\":\"mfm\"}}",
         "image property 'vmware_adaptertype': ImageMetaProps.hw_scsi_model is not one of its values: 'mfm'"},
        {"{\"properties\":{\"hw_numa_cpus.0\":\"3-1\"}}", "image property 'hw_numa_cpus.0': '3-1' is no CPU or range of CPUs"},
        {"{\"properties\":{\"hw_numa_cpus.0\":\"0-99999999\"}}",
         "image property 'hw_numa_cpus.0': '0-99999999' is no CPU or range of CPUs"},
        {"{\"properties\":{\"hw_numa_cpus.0\":[]}}", "image property 'hw_numa_cpus.0' is no CPU list"},
        {"{\"properties\":{\"hw_numa_mem.0\":\"x\"}}", "image property 'hw_numa_mem': ImageMetaProps.hw_numa_mem[0] is no integer: 'x'"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NdJson) dict = json(cases[i].text);
        g_autoptr(GError) error = NULL;
        g_assert_null(nova_image_meta_from_dict(dict, &error));
        g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_IMAGE);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void test_system_metadata(void)
{
    g_autoptr(NdJson) dict =
        json("{\"min_ram\":64,\"min_disk\":1,\"disk_format\":\"qcow2\",\"container_format\":null,\"name\":\"x\",\"properties\":{"
             "\"hw_disk_bus\":\"scsi\",\"flag\":true,\"none\":null,\"n\":5,\"mappings\":[]}}");
    g_autoptr(NovaFlavor) flavor = nova_flavor_new();
    nova_flavor_set_root_gb(flavor, 20);
    g_autoptr(GHashTable) kept = nova_image_dict_to_system_metadata(dict, flavor);
    g_assert_cmpstr(g_hash_table_lookup(kept, "image_min_disk"), ==, "20");
    g_assert_cmpstr(g_hash_table_lookup(kept, "image_min_ram"), ==, "64");
    g_assert_cmpstr(g_hash_table_lookup(kept, "image_flag"), ==, "True");
    g_assert_cmpstr(g_hash_table_lookup(kept, "image_none"), ==, "None");
    g_assert_cmpstr(g_hash_table_lookup(kept, "image_n"), ==, "5");
    g_assert_false(g_hash_table_contains(kept, "image_container_format"));
    g_assert_false(g_hash_table_contains(kept, "image_mappings"));
    g_assert_cmpuint(g_hash_table_size(kept), ==, 7);

    /* a value too long is cut between two characters */
    g_autoptr(GString) text = g_string_new("");
    for (int i = 0; i < 200; i++)
        g_string_append(text, "é");
    g_autoptr(NdJson) long_one = json("{\"disk_format\":\"vhd\",\"min_disk\":50,\"properties\":{}}");
    nd_json_set_string(nd_json_object(long_one, "properties"), "long", text->str);
    g_autoptr(GHashTable) cut = nova_image_dict_to_system_metadata(long_one, flavor);
    g_assert_cmpuint(strlen(g_hash_table_lookup(cut, "image_long")), ==, 254);
    g_assert_cmpstr(g_hash_table_lookup(cut, "image_min_disk"), ==, "20"); /* VHD: the flavor's */

    g_autoptr(NovaInstance) inst = nova_instance_new();
    nova_instance_set_image_ref(inst, "99ec2cdb-021c-42b7-8460-9fb88ce5270d");
    nova_instance_set_system_metadata(inst, kept);
    nova_object_dict_set(inst, NOVA_INSTANCE_SYSTEM_METADATA, "image_gone", NULL);
    nova_object_dict_set(inst, NOVA_INSTANCE_SYSTEM_METADATA, "image_mappings", "x");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaImageMeta) meta = nova_image_meta_from_instance(inst, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(meta->id, ==, "99ec2cdb-021c-42b7-8460-9fb88ce5270d");
    g_assert_cmpint(meta->min_disk, ==, 20);
    g_assert_cmpstr(meta->disk_format, ==, "qcow2");
    g_assert_cmpstr(meta->properties->hw_disk_bus, ==, "scsi");
    g_autoptr(NovaInstance) bare = nova_instance_new();
    g_autoptr(NovaImageMeta) nothing = nova_image_meta_from_instance(bare, &error);
    g_assert_no_error(error);
    g_assert_false(nova_object_is_set(nothing, NOVA_IMAGE_META_ID));
}

static void test_cpu_spec(void)
{
    g_autoptr(GArray) none = nova_parse_cpu_spec(" , ", NULL);
    g_assert_cmpuint(none->len, ==, 0);
    g_autoptr(GArray) some = nova_parse_cpu_spec("1-4, ^3 ,6,^9-10", NULL);
    const gint64 expected[] = {1, 2, 4, 6};
    g_assert_cmpmem(some->data, some->len * sizeof(gint64), expected, sizeof(expected));
    static const char *const bad[] = {"a", "1-", "-1", "^", "1-2-3", "65536"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(nova_parse_cpu_spec(bad[i], &error));
        g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_IMAGE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/objects/image/plain", test_plain);
    g_test_add_func("/objects/image/properties", test_properties);
    g_test_add_func("/objects/image/refused", test_refused);
    g_test_add_func("/objects/image/system-metadata", test_system_metadata);
    g_test_add_func("/objects/image/cpu-spec", test_cpu_spec);
    return g_test_run();
}
