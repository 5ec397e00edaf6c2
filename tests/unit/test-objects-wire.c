/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/objects.h"

#include <string.h>

/* Reading and writing: what is refused and how it is named, versions, changes, updates. */

static NdJson *json(const char *text)
{
    NdJson *value = NULL;
    g_autoptr(GError) error = NULL;
    nd_json_parse(text, strlen(text), NULL, &value, &error);
    g_assert_no_error(error);
    return value;
}

/* A serialised object of that class, version and data. */
static NdJson *object_json(const char *class, const char *version, const char *data)
{
    g_autofree char *text =
        g_strdup_printf("{\"nova_object.name\":\"%s\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"%s\","
                        "\"nova_object.data\":%s}",
                        class, version, data);
    return json(text);
}

static void *read_object(const char *class, const char *version, const char *data)
{
    g_autoptr(NdJson) text = object_json(class, version, data);
    g_autoptr(GError) error = NULL;
    NovaObject *object = nova_object_from_json(text, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(object);
    return object;
}

static void assert_refused(NdJson *text, const NovaLimits *limits, int code, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(nova_object_from_json(text, limits, &error));
    g_assert_error(error, OBJECTS_ERROR, code);
    g_assert_cmpstr(error->message, ==, message);
}

static void test_refusals(void)
{
    static const struct {
        const char *text;
        int code;
        const char *message;
    } cases[] = {
        {"null", OBJECTS_ERROR_NOT_OBJECT, "object is no serialised object"},
        {"[]", OBJECTS_ERROR_NOT_OBJECT, "object is no serialised object"},
        {"{\"nova_object.name\":\"Flavor\"}", OBJECTS_ERROR_NOT_OBJECT, "Flavor is no serialised object"},
        {"{\"nova_object.name\":5,\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.0\",\"nova_object.data\":{}}",
         OBJECTS_ERROR_NOT_OBJECT, "object is no serialised object"},
        {"{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"x\",\"nova_object.data\":{}}",
         OBJECTS_ERROR_NOT_OBJECT, "Flavor is no serialised object"},
        {"{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2.3.4\",\"nova_object.data\":{}}",
         OBJECTS_ERROR_NOT_OBJECT, "Flavor is no serialised object"},
        {"{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\",\"nova_object.data\":[]}",
         OBJECTS_ERROR_NOT_OBJECT, "Flavor is no serialised object"},
        {"{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"cinder\",\"nova_object.version\":\"1.2\",\"nova_object.data\":{}}",
         OBJECTS_ERROR_FOREIGN, "Flavor is of the foreign namespace 'cinder'"},
        {"{\"nova_object.name\":\"Nope\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\",\"nova_object.data\":{}}",
         OBJECTS_ERROR_UNKNOWN_CLASS, "Nope is of the unknown class 'Nope'"},
        {"{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"2.0\",\"nova_object.data\":{}}",
         OBJECTS_ERROR_TOO_NEW, "Flavor has version 2.0 of Flavor, and only 1.x is known"},
        {"{\"nova_object.name\":\"Instance\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.9\",\"nova_object.data\":{}}",
         OBJECTS_ERROR_TOO_NEW, "Instance has version 1.9 of Instance, and only 2.x is known"},
        {"{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\",\"nova_object.data\":{},"
         "\"nova_object.changes\":7}",
         OBJECTS_ERROR_NOT_OBJECT, "Flavor has changes that are no list"},
        {"{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\",\"nova_object.data\":{},"
         "\"nova_object.changes\":[7]}",
         OBJECTS_ERROR_NOT_OBJECT, "Flavor has changes that are no names"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NdJson) text = json(cases[i].text);
        assert_refused(text, NULL, cases[i].code, cases[i].message);
    }
}

static void test_bad_fields(void)
{
    static const struct {
        const char *class;
        const char *version;
        const char *data;
        const char *message;
    } cases[] = {
        {"Flavor", "1.2", "{\"vcpus\":\"many\"}", "Flavor.vcpus is no integer: 'many'"},
        {"Flavor", "1.2", "{\"vcpus\":[]}", "Flavor.vcpus must be an integer, not a list"},
        {"Flavor", "1.2", "{\"vcpus\":null}", "Flavor.vcpus must not be null"},
        {"Flavor", "1.2", "{\"vcpus\":1e30}", "Flavor.vcpus is too large"},
        {"Flavor", "1.2", "{\"vcpus\":18446744073709551615}", "Flavor.vcpus is too large"},
        {"Flavor", "1.2", "{\"rxtx_factor\":\"1.5x\"}", "Flavor.rxtx_factor is no number: '1.5x'"},
        {"Flavor", "1.2", "{\"rxtx_factor\":\"\"}", "Flavor.rxtx_factor is no number: ''"},
        {"Flavor", "1.2", "{\"rxtx_factor\":1e999}", "Flavor.rxtx_factor is too large"},
        {"Flavor", "1.2", "{\"rxtx_factor\":{}}", "Flavor.rxtx_factor must be a number, not an object"},
        {"Flavor", "1.2", "{\"name\":{}}", "Flavor.name must be a string, not an object"},
        {"Flavor", "1.2", "{\"extra_specs\":[]}", "Flavor.extra_specs must be a dict, not a list"},
        {"Flavor", "1.2", "{\"extra_specs\":{\"hw:x\":null}}", "Flavor.extra_specs.hw:x must not be null"},
        {"Flavor", "1.2", "{\"projects\":\"p\"}", "Flavor.projects must be a list, not a string"},
        {"Flavor", "1.2", "{\"projects\":[\"a\",null]}", "Flavor.projects[1] must not be null"},
        {"Flavor", "1.2", "{\"created_at\":5}", "Flavor.created_at must be a time, not an integer"},
        {"Flavor", "1.2", "{\"created_at\":\"yesterday\"}", "Flavor.created_at is no time: 'yesterday'"},
        {"Flavor", "1.2", "{\"created_at\":\"9999-12-31T23:59:59-23:00\"}", "Flavor.created_at is no time: '9999-12-31T23:59:59-23:00'"},
        {"Instance", "2.7", "{\"access_ip_v4\":\"::1\"}", "Instance.access_ip_v4 is no IPv4 address: '::1'"},
        {"Instance", "2.7", "{\"access_ip_v6\":\"1.2.3.4\"}", "Instance.access_ip_v6 is no IPv6 address: '1.2.3.4'"},
        {"Instance", "2.7", "{\"flavor\":5}", "Instance.flavor must be an object, not an integer"},
        {"Instance", "2.7",
         "{\"flavor\":{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\","
         "\"nova_object.data\":{\"vcpus\":\"x\"}}}",
         "Instance.flavor.vcpus is no integer: 'x'"},
        {"Instance", "2.7",
         "{\"flavor\":{\"nova_object.name\":\"Service\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\","
         "\"nova_object.data\":{}}}",
         "Instance.flavor must be of class Flavor, not Service"},
        {"PciDeviceList", "1.3",
         "{\"objects\":[{\"nova_object.name\":\"PciDevice\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.7\","
         "\"nova_object.data\":{}},{\"nova_object.name\":\"PciDevice\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.7\","
         "\"nova_object.data\":{\"status\":\"lost\"}}]}",
         "PciDeviceList.objects[1].status is not one of its values: 'lost'"},
        {"NetworkInterfaceMetadata", "1.2", "{\"mac\":\"fa:16\"}", "NetworkInterfaceMetadata.mac is no MAC address: 'fa:16'"},
        {"PCIDeviceBus", "1.0", "{\"address\":\"0\"}", "PCIDeviceBus.address is no PCI address: '0'"},
        {"USBDeviceBus", "1.0", "{\"address\":\"0\"}", "USBDeviceBus.address is no USB address: '0'"},
        {"USBDeviceBus", "1.0", "{\"address\":\":1\"}", "USBDeviceBus.address is no USB address: ':1'"},
        {"SCSIDeviceBus", "1.0", "{\"address\":\"1:2\"}", "SCSIDeviceBus.address is no SCSI address: '1:2'"},
        {"IDEDeviceBus", "1.0", "{\"address\":\"2:0\"}", "IDEDeviceBus.address is no IDE address: '2:0'"},
        {"XenDeviceBus", "1.0", "{\"address\":\"0\"}", "XenDeviceBus.address is no Xen device address: '0'"},
        {"XenDeviceBus", "1.0", "{\"address\":\"099999\"}", "XenDeviceBus.address is no Xen device address: '099999'"},
        {"Resource", "1.0", "{\"resource_class\":\"a-b\"}", "Resource.resource_class is no resource class: 'a-b'"},
        {"ImageMetaProps", "1.34", "{\"img_hv_requested_version\":\"~1\"}",
         "ImageMetaProps.img_hv_requested_version is no version predicate: '~1'"},
        {"ImageMetaProps", "1.34", "{\"img_hv_requested_version\":\">=1.2.x\"}",
         "ImageMetaProps.img_hv_requested_version is no version predicate: '>=1.2.x'"},
        {"ImageMetaProps", "1.34", "{\"img_hv_requested_version\":\">=1.2a\"}",
         "ImageMetaProps.img_hv_requested_version is no version predicate: '>=1.2a'"},
        {"NetworkRequest", "1.3", "{\"address\":\"here\"}", "NetworkRequest.address is no IP address: 'here'"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NdJson) text = object_json(cases[i].class, cases[i].version, cases[i].data);
        assert_refused(text, NULL, OBJECTS_ERROR_BAD_FIELD, cases[i].message);
    }
    g_autoptr(NdJson) foreign = object_json("Instance", "2.7",
                                            "{\"flavor\":{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\","
                                            "\"nova_object.version\":\"3.0\",\"nova_object.data\":{}}}");
    g_autoptr(NdJson) dict = object_json("Instance", "2.7", "{\"flavor\":{\"a\":1}}");
    assert_refused(dict, NULL, OBJECTS_ERROR_NOT_OBJECT, "Instance.flavor is no serialised object");
    assert_refused(foreign, NULL, OBJECTS_ERROR_TOO_NEW, "Instance.flavor has version 3.0 of Flavor, and only 1.x is known");
}

static void test_limits(void)
{
    const NovaLimits small = {.max_depth = 3, .max_length = 4, .max_string = 10};
    g_autoptr(NdJson) text = object_json("Flavor", "1.2", "{\"name\":\"12345678901\"}");
    assert_refused(text, &small, OBJECTS_ERROR_LIMIT, "Flavor.name is longer than 10 bytes");
    g_autoptr(NdJson) list = object_json("Flavor", "1.2", "{\"projects\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}");
    assert_refused(list, &small, OBJECTS_ERROR_LIMIT, "Flavor.projects has more than 4 elements");
    g_autoptr(NdJson) dict = object_json("Flavor", "1.2", "{\"extra_specs\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\"}}");
    assert_refused(dict, &small, OBJECTS_ERROR_LIMIT, "Flavor.extra_specs has more than 4 elements");
    g_autoptr(NdJson) data = object_json("Flavor", "1.2", "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}");
    assert_refused(data, &small, OBJECTS_ERROR_LIMIT, "Flavor has more than 4 elements");

    g_autoptr(NdJson) devices = object_json("PciDeviceList", "1.3", "{\"objects\":[]}");
    g_autoptr(NdJson) instance = object_json("Instance", "2.7", "{}");
    g_autoptr(NdJson) bdm = object_json("BlockDeviceMapping", "1.21", "{}");
    nd_json_set(nd_json_object(instance, "nova_object.data"), "pci_devices", g_steal_pointer(&devices));
    nd_json_set(nd_json_object(bdm, "nova_object.data"), "instance", g_steal_pointer(&instance));
    assert_refused(bdm, &small, OBJECTS_ERROR_LIMIT, "BlockDeviceMapping.instance.pci_devices.objects is nested deeper than 3 levels");
}

static void test_coercions(void)
{
    g_autoptr(NovaFlavor) flavor =
        read_object("Flavor", "1.2.9",
                    "{\"vcpus\":\" 12 \",\"memory_mb\":2.9,\"swap\":true,\"root_gb\":\"+3\",\"rxtx_factor\":\"0.1\",\"disabled\":\"False\","
                    "\"is_public\":[],\"name\":5,\"flavorid\":true,\"created_at\":\"2020-01-02 03:04:05\",\"deleted\":null}");
    g_assert_cmpint(flavor->vcpus, ==, 12);
    g_assert_cmpint(flavor->memory_mb, ==, 2);
    g_assert_cmpint(flavor->swap, ==, 1);
    g_assert_cmpint(flavor->root_gb, ==, 3);
    g_assert_cmpfloat(flavor->rxtx_factor, ==, 0.1);
    g_assert_true(flavor->disabled); /* Python's bool("False") */
    g_assert_false(flavor->is_public);
    g_assert_cmpstr(flavor->name, ==, "5");
    g_assert_cmpstr(flavor->flavorid, ==, "True");
    g_assert_cmpint(flavor->created_at, ==, G_GINT64_CONSTANT(1577934245000000));
    g_assert_true(nova_object_has(flavor, NOVA_FLAVOR_DELETED)); /* null, not nullable: the default */
    g_autoptr(NdJson) out = nova_object_to_json(flavor, NOVA_UNCLAMPED);
    g_assert_cmpstr(nd_json_string(out, "nova_object.version", ""), ==, "1.2");
    g_autofree char *text = nd_json_to_string(nd_json_member(out, "nova_object.data"));
    g_assert_cmpstr(
        text, ==,
        "{\"created_at\":\"2020-01-02T03:04:05Z\",\"deleted\":false,\"disabled\":true,\"flavorid\":\"True\",\"is_public\":false,"
        "\"memory_mb\":2,\"name\":\"5\",\"root_gb\":3,\"rxtx_factor\":0.1,\"swap\":1,\"vcpus\":12}");

    g_autoptr(NovaImageMetaProps) props = read_object(
        "ImageMetaProps", "1.34",
        "{\"hw_boot_menu\":\"Yes\",\"hw_pmu\":\"maybe\",\"img_bdm_v2\":1,\"hw_ipxe_boot\":{\"a\":1},"
        "\"hw_vif_model\":\"VirtualE1000\",\"hw_architecture\":\"AMD64\",\"img_hv_requested_version\":\">=1.0, <2.0b3,!=1.5.2\"}");
    g_assert_true(props->hw_boot_menu);
    g_assert_false(props->hw_pmu);
    g_assert_true(props->img_bdm_v2);
    g_assert_false(props->hw_ipxe_boot);
    g_assert_cmpstr(props->hw_vif_model, ==, "e1000");
    g_assert_cmpstr(props->hw_architecture, ==, "x86_64");

    /* a year of two digits, a time before the epoch */
    g_autoptr(NovaFlavor) old =
        read_object("Flavor", "1.2", "{\"created_at\":\"0026-11-22T20:40:06Z\",\"updated_at\":\"1969-12-31T23:59:59.5Z\"}");
    g_autoptr(NdJson) created = nova_object_field_to_json(old, NOVA_FLAVOR_CREATED_AT, NOVA_UNCLAMPED);
    g_autoptr(NdJson) updated = nova_object_field_to_json(old, NOVA_FLAVOR_UPDATED_AT, NOVA_UNCLAMPED);
    g_assert_cmpstr(json_object_get_string(created), ==, "0026-11-22T20:40:06Z");
    g_assert_cmpstr(json_object_get_string(updated), ==, "1969-12-31T23:59:59Z");

    g_autoptr(NovaNetworkInterfaceMetadata) nic = read_object("NetworkInterfaceMetadata", "1.2", "{\"mac\":\"FA-16-3E-00-00-01\"}");
    g_assert_cmpstr(nic->mac, ==, "fa:16:3e:00:00:01");
    g_autoptr(NovaXenDeviceBus) xen = read_object("XenDeviceBus", "1.0", "{\"address\":\"001200\"}");
    g_assert_cmpstr(xen->address, ==, "001200");
}

/* A NUL that an API user put into a value does not make the message unreadable, nor cut the value short. */
static void test_nul(void)
{
    g_autoptr(NovaInstance) inst = read_object("Instance", "2.7", "{\"metadata\":{\"k\":\"a\\u0000b\"}}");
    g_assert_cmpstr(nova_object_dict_get(inst, NOVA_INSTANCE_METADATA, "k"), ==,
                    "a\xEF\xBF\xBD"
                    "b");
}

static void test_unknown_fields(void)
{
    g_autoptr(NdJson) in = json("{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.9\","
                                "\"nova_object.data\":{\"vcpus\":1,\"new\":{\"deep\":[1,2.50,null]},\"other\":null},"
                                "\"nova_object.changes\":[\"new\",\"vcpus\",\"gone\"]}");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaFlavor) flavor = nova_object_from_json_as(in, &nova_flavor_spec, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(NovaFlavor) copy = nova_flavor_clone(flavor);
    g_assert_true(nova_object_equal(flavor, copy));
    g_autoptr(NdJson) out = nova_object_to_json(copy, NOVA_UNCLAMPED);
    g_autofree char *data = nd_json_to_string(nd_json_member(out, "nova_object.data"));
    g_autofree char *changes = nd_json_to_string(nd_json_member(out, "nova_object.changes"));
    g_assert_cmpstr(nd_json_string(out, "nova_object.version", ""), ==, "1.9");
    g_assert_nonnull(strstr(data, "\"new\":{\"deep\":[1,2.50,null]}"));
    g_assert_nonnull(strstr(data, "\"other\":null"));
    g_assert_cmpstr(changes, ==, "[\"vcpus\",\"new\"]");

    /* clamped: the label goes down, and with it what only its readers know */
    g_autoptr(NdJson) clamped = nova_object_to_json(copy, ND_RELEASE_ZED);
    g_autofree char *clamped_text = nd_json_to_string(clamped);
    g_assert_cmpstr(clamped_text, ==,
                    "{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.2\","
                    "\"nova_object.data\":{\"vcpus\":1},\"nova_object.changes\":[\"vcpus\"]}");

    /* an unknown value of an enum is taken from a newer sender only */
    g_autoptr(NovaImageMetaProps) props = read_object("ImageMetaProps", "1.99", "{\"hw_vif_model\":\"warpdrive\"}");
    g_assert_cmpstr(props->hw_vif_model, ==, "warpdrive");

    /* equality counts what is carried */
    g_autoptr(NovaFlavor) known = read_object("Flavor", "1.9", "{\"vcpus\":1}");
    g_autoptr(NovaFlavor) other = read_object("Flavor", "1.9", "{\"vcpus\":1,\"new\":5,\"other\":null}");
    g_assert_false(nova_object_equal(flavor, known));
    g_assert_false(nova_object_equal(flavor, other));
    nova_object_reset_changes(copy);
    g_autoptr(NdJson) quiet = nova_object_to_json(copy, NOVA_UNCLAMPED);
    g_assert_null(nd_json_member(quiet, "nova_object.changes"));
}

/* A kind of device that came after us is kept, and sent to control planes that may know it. */
static void test_unknown_class(void)
{
    g_autoptr(NovaInstanceDeviceMetadata) metadata = read_object(
        "InstanceDeviceMetadata", "1.0",
        "{\"devices\":[{\"nova_object.name\":\"RadioMetadata\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.0\","
        "\"nova_object.data\":{\"wave\":1.50}},{\"nova_object.name\":\"DiskMetadata\",\"nova_object.namespace\":\"nova\","
        "\"nova_object.version\":\"1.0\",\"nova_object.data\":{}}]}");
    g_assert_cmpuint(metadata->devices->len, ==, 2);
    g_assert_null(NOVA_DISK_METADATA(metadata->devices->pdata[0]));
    g_assert_nonnull(NOVA_DISK_METADATA(metadata->devices->pdata[1]));
    g_autoptr(NovaInstanceDeviceMetadata) copy = nova_instance_device_metadata_clone(metadata);
    g_assert_true(nova_object_equal(metadata, copy));
    g_autoptr(NdJson) newest = nova_object_to_json(copy, ND_RELEASE_LAST);
    g_autofree char *text = nd_json_to_string(newest);
    g_assert_nonnull(strstr(text,
                            "{\"nova_object.name\":\"RadioMetadata\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"1.0\","
                            "\"nova_object.data\":{\"wave\":1.50}}"));
    g_autoptr(NdJson) zed = nova_object_to_json(copy, ND_RELEASE_ZED);
    g_assert_cmpuint(json_object_array_length(nd_json_array(nd_json_object(zed, "nova_object.data"), "devices")), ==, 1);

    /* not where one class only can stand */
    g_autoptr(NdJson) flavor = object_json("Instance", "2.7",
                                           "{\"flavor\":{\"nova_object.name\":\"Taste\",\"nova_object.namespace\":\"nova\","
                                           "\"nova_object.version\":\"1.0\",\"nova_object.data\":{}}}");
    assert_refused(flavor, NULL, OBJECTS_ERROR_UNKNOWN_CLASS, "Instance.flavor is of the unknown class 'Taste'");
}

static void test_clamp(void)
{
    g_autoptr(NovaInstance) inst = nova_instance_new();
    nova_instance_set_uuid(inst, "11111111-2222-3333-4444-555555555555");
    nova_instance_set_compute_id(inst, 7);
    g_autoptr(NdJson) zed = nova_object_to_json(inst, ND_RELEASE_ZED);
    g_assert_cmpstr(nd_json_string(zed, "nova_object.version", ""), ==, "2.7");
    g_assert_false(json_object_object_get_ex(nd_json_object(zed, "nova_object.data"), "compute_id", NULL));
    g_assert_cmpuint(json_object_array_length(nd_json_array(zed, "nova_object.changes")), ==, 1);
    g_autoptr(NdJson) bobcat = nova_object_to_json(inst, ND_RELEASE_2023_2);
    g_assert_cmpstr(nd_json_string(bobcat, "nova_object.version", ""), ==, "2.8");
    g_assert_cmpint(nd_json_int(nd_json_object(bobcat, "nova_object.data"), "compute_id", 0), ==, 7);

    /* a received label is never raised */
    g_autoptr(NovaInstance) old = read_object("Instance", "2.7", "{\"compute_id\":7}");
    g_autoptr(NdJson) kept = nova_object_to_json(old, ND_RELEASE_2026_1);
    g_assert_cmpstr(nd_json_string(kept, "nova_object.version", ""), ==, "2.7");
    g_assert_cmpint(json_object_object_length(nd_json_object(kept, "nova_object.data")), ==, 0);

    /* enum values and nested classes that the release lacks are left out, and are then no change */
    g_autoptr(NovaImageMetaProps) props = nova_image_meta_props_new();
    nova_image_meta_props_set_hw_vif_model(props, NOVA_VIF_MODEL_IGB);
    g_autoptr(NdJson) without = nova_object_to_json(props, ND_RELEASE_2024_2);
    g_assert_cmpint(json_object_object_length(nd_json_object(without, "nova_object.data")), ==, 0);
    g_assert_null(nd_json_member(without, "nova_object.changes"));
    g_autoptr(NdJson) with = nova_object_to_json(props, ND_RELEASE_2025_1);
    g_assert_cmpstr(nd_json_string(nd_json_object(with, "nova_object.data"), "hw_vif_model", ""), ==, "igb");

    g_autoptr(NovaInstanceDeviceMetadata) metadata = nova_instance_device_metadata_new();
    g_autoptr(NovaShareMetadata) share = nova_share_metadata_new();
    g_autoptr(NovaDiskMetadata) disk = nova_disk_metadata_new();
    g_autoptr(GPtrArray) devices = g_ptr_array_new();
    g_ptr_array_add(devices, share);
    g_ptr_array_add(devices, disk);
    nova_instance_device_metadata_set_devices(metadata, devices);
    g_autoptr(NdJson) two = nova_object_to_json(metadata, ND_RELEASE_2025_1);
    g_autoptr(NdJson) one = nova_object_to_json(metadata, ND_RELEASE_ZED);
    g_assert_cmpuint(json_object_array_length(nd_json_array(nd_json_object(two, "nova_object.data"), "devices")), ==, 2);
    g_assert_cmpuint(json_object_array_length(nd_json_array(nd_json_object(one, "nova_object.data"), "devices")), ==, 1);

    /* a root class that the release lacks gets its first version */
    g_autoptr(NovaShareMapping) mapping = nova_share_mapping_new();
    g_autoptr(NdJson) first = nova_object_to_json(mapping, ND_RELEASE_ZED);
    g_assert_cmpstr(nd_json_string(first, "nova_object.version", ""), ==, "1.0");
}

static void test_save_form(void)
{
    g_autoptr(NovaInstance) inst = read_object("Instance", "2.7",
                                               "{\"id\":3,\"uuid\":\"11111111-2222-3333-4444-555555555555\",\"host\":null,\"display_name\":"
                                               "\"x\",\"new_flavor\":null,\"metadata\":{},"
                                               "\"flavor\":{\"nova_object.name\":\"Flavor\",\"nova_object.namespace\":\"nova\",\"nova_"
                                               "object.version\":\"1.2\",\"nova_object.data\":"
                                               "{\"vcpus\":1,\"name\":\"f\"}}}");
    nova_instance_set_vm_state(inst, "active");
    g_autoptr(NdJson) small = nova_object_to_json_for_save(inst, ND_RELEASE_ZED);
    g_autofree char *text = nd_json_to_string(small);
    g_assert_cmpstr(
        text, ==,
        "{\"nova_object.name\":\"Instance\",\"nova_object.namespace\":\"nova\",\"nova_object.version\":\"2.7\","
        "\"nova_object.data\":{\"host\":null,\"id\":3,\"uuid\":\"11111111-2222-3333-4444-555555555555\",\"vm_state\":\"active\"},"
        "\"nova_object.changes\":[\"vm_state\"]}");
    /* a changed flavor is sent whole, with its group */
    nova_flavor_set_vcpus(inst->flavor, 2);
    g_autoptr(NdJson) flavors = nova_object_to_json_for_save(inst, ND_RELEASE_ZED);
    NdJson *data = nd_json_object(flavors, "nova_object.data");
    g_assert_true(json_object_object_get_ex(data, "new_flavor", NULL));
    g_assert_false(json_object_object_get_ex(data, "metadata", NULL));
    g_assert_cmpstr(nd_json_string(nd_json_object(nd_json_object(data, "flavor"), "nova_object.data"), "name", ""), ==, "f");
}

static void test_updates(void)
{
    g_autoptr(NovaService) service = read_object("Service", "1.22", "{\"id\":5,\"host\":\"vm\",\"report_count\":1}");
    nova_service_set_report_count(service, 2);
    g_autoptr(NdJson) good =
        json("{\"last_seen_up\":\"2026-11-22T20:40:04Z\",\"host\":null,\"later\":1,\"obj_what_changed\":[\"host\",\"later\",3]}");
    g_autoptr(GError) error = NULL;
    g_assert_true(nova_object_apply_updates(service, good, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(nova_object_is_null(service, NOVA_SERVICE_HOST));
    g_assert_true(nova_object_has(service, NOVA_SERVICE_LAST_SEEN_UP));
    g_assert_cmpint(service->report_count, ==, 2);
    g_auto(GStrv) changes = nova_object_changes(service);
    g_assert_cmpstr(changes[0], ==, "host");
    g_assert_null(changes[1]);
    g_assert_null(service->parent.unknown); /* our version: nothing is carried */

    g_autoptr(NdJson) bad = json("{\"host\":\"other\",\"report_count\":\"x\",\"obj_what_changed\":[]}");
    g_assert_false(nova_object_apply_updates(service, bad, NULL, &error));
    g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_BAD_FIELD);
    g_assert_null(service->host); /* untouched */
    g_clear_error(&error);
    g_autoptr(NdJson) list = json("[]");
    g_assert_false(nova_object_apply_updates(service, list, NULL, &error));
    g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NOT_OBJECT);
    g_clear_error(&error);
    g_autoptr(NdJson) changed = json("{\"obj_what_changed\":{}}");
    g_assert_false(nova_object_apply_updates(service, changed, NULL, &error));
    g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_BAD_FIELD);

    g_autoptr(NovaService) newer = read_object("Service", "1.99", "{\"id\":5,\"later\":0}");
    g_assert_true(nova_object_apply_updates(newer, good, NULL, NULL));
    g_assert_cmpstr(g_hash_table_lookup(newer->parent.unknown, "later"), ==, "1");
    g_autoptr(NovaService) fresh = read_object("Service", "1.99", "{\"id\":5}");
    g_assert_true(nova_object_apply_updates(fresh, good, NULL, NULL));
    g_assert_cmpstr(g_hash_table_lookup(fresh->parent.unknown, "later"), ==, "1");
}

static void test_numbers(void)
{
    g_autoptr(NovaComputeNode) node = nova_compute_node_new();
    static const struct {
        double value;
        const char *text;
    } cases[] = {{16, "16.0"}, {0.1, "0.1"}, {1e300, "1e+300"}, {-0.5, "-0.5"}, {10.0 / 3, "3.3333333333333335"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        nova_compute_node_set_cpu_allocation_ratio(node, cases[i].value);
        g_autoptr(NdJson) value = nova_object_field_to_json(node, NOVA_COMPUTE_NODE_CPU_ALLOCATION_RATIO, NOVA_UNCLAMPED);
        g_autofree char *text = nd_json_to_string(value);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
    g_assert_null(nova_object_field_to_json(node, NOVA_COMPUTE_NODE_HOST, NOVA_UNCLAMPED));
}

static void test_read_as(void)
{
    g_autoptr(NdJson) disk = object_json("DiskMetadata", "1.0", "{}");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaObject) device = nova_object_from_json_as(disk, &nova_device_metadata_spec, NULL, &error); /* derived */
    g_assert_no_error(error);
    g_assert_nonnull(NOVA_DISK_METADATA(device));
    g_assert_null(nova_object_from_json_as(disk, &nova_instance_spec, NULL, &error));
    g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_UNKNOWN_CLASS);
    g_clear_error(&error);
    g_assert_null(nova_object_from_json_as(NULL, &nova_instance_spec, NULL, &error));
    g_assert_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NOT_OBJECT);
    g_assert_true(nova_json_is_object(disk));
    g_assert_false(nova_json_is_object(NULL));
}

static char *golden(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "golden", "objects", name, NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* The manifests of spec/objects.md section 5. */
static void test_manifests(void)
{
    g_autofree char *text = golden("manifests-zed.json");
    g_autoptr(NdJson) expected = json(text);
    json_object_object_foreach(expected, root, wanted)
    {
        g_autoptr(NdJson) manifest = nova_manifest(ND_RELEASE_ZED, root);
        if (!nd_json_equal(manifest, wanted))
            g_error("manifest of %s: %s, not %s", root, json_object_to_json_string(manifest), json_object_to_json_string(wanted));
    }
    g_assert_null(nova_manifest(ND_RELEASE_ZED, "ShareMapping"));
    g_assert_null(nova_manifest(ND_RELEASE_ZED, "Nope"));
    g_autoptr(NdJson) later = nova_manifest(ND_RELEASE_2025_1, "ShareMapping");
    g_assert_cmpstr(nd_json_string(later, "ShareMapping", ""), ==, "1.2");
    g_autoptr(NdJson) instance = nova_manifest(ND_RELEASE_2023_2, "Instance");
    g_assert_cmpstr(nd_json_string(instance, "Instance", ""), ==, "2.8");
    g_assert_cmpstr(nova_class_version(ND_RELEASE_2024_1, "ConsoleAuthToken"), ==, "1.2");
    g_assert_null(nova_class_version(ND_RELEASE_2024_2, "ShareMetadata"));
    g_assert_null(nova_class_version(ND_RELEASE_ZED, "Nope"));
}

/* Objects that a real control plane and a real compute sent each other. */
static void test_golden(void)
{
    g_autofree char *text = golden("zed-life.jsonl");
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >, 40);
    for (char **line = lines; *line; line++) {
        g_autoptr(NdJson) in = json(*line);
        g_autoptr(GError) error = NULL;
        g_autoptr(NovaObject) object = nova_object_from_json(in, NULL, &error);
        g_assert_no_error(error);
        for (unsigned clamp = ND_RELEASE_ZED; clamp <= NOVA_UNCLAMPED; clamp++) {
            g_autoptr(NdJson) out = nova_object_to_json(object, clamp); /* Zed's own labels fit every release */
            if (!nd_json_equal(in, out))
                g_error("%s\nbecame\n%s", *line, json_object_to_json_string(out));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/objects/wire/refusals", test_refusals);
    g_test_add_func("/objects/wire/bad-fields", test_bad_fields);
    g_test_add_func("/objects/wire/limits", test_limits);
    g_test_add_func("/objects/wire/coercions", test_coercions);
    g_test_add_func("/objects/wire/nul", test_nul);
    g_test_add_func("/objects/wire/unknown-fields", test_unknown_fields);
    g_test_add_func("/objects/wire/unknown-class", test_unknown_class);
    g_test_add_func("/objects/wire/clamp", test_clamp);
    g_test_add_func("/objects/wire/save-form", test_save_form);
    g_test_add_func("/objects/wire/updates", test_updates);
    g_test_add_func("/objects/wire/numbers", test_numbers);
    g_test_add_func("/objects/wire/read-as", test_read_as);
    g_test_add_func("/objects/wire/manifests", test_manifests);
    g_test_add_func("/objects/wire/golden", test_golden);
    return g_test_run();
}
