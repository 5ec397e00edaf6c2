/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest_config.h"
#include "base/file.h"
#include "objects/image_meta.h"
#include "objects/network_model.h"
#include "rpc/exception.h"
#include "tests/unit/golden.h"
#include "virt/domain_xml.h"

#define UUID "4e474c8a-97c4-4d7d-a896-e3598b557d17"

/* What the oracle's cases (tests/golden/domain-xml/cases) compare with upstream is not repeated here: these run without libvirt and Python. */
typedef struct {
    char *folder;
    NdConfig *config;
    VirtCapabilities *caps;
    GuestHost *host;
    NovaInstance *instance;
    NovaImageMeta *image;
    GPtrArray *vifs;
} Fixture;

static void add_domain_caps(VirtCapabilities *caps)
{
    g_autofree char *text = golden_read("domain-xml/virt/domain-capabilities.xml");
    g_ptr_array_add(caps->domain_caps, virt_domain_caps_read(text, NULL));
    g_autofree char *folder = golden_path("domain-xml/virt");
    g_ptr_array_unref(caps->firmwares);
    caps->firmwares = virt_firmware_load((const char *const[]){ folder, NULL });
}

/* data: more lines of nova.conf. */
static void set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->folder = g_dir_make_tmp("novad-guest-XXXXXX", NULL);
    g_autofree char *text = g_strdup_printf("[DEFAULT]\ninstances_path = %s\n[libvirt]\nvirt_type = qemu\n%s", f->folder, data != NULL ? (const char *) data : "");
    f->config = nd_config_new_from_text(text, &error);
    g_assert_no_error(error);
    g_autofree char *xml = golden_read("domain-xml/virt/capabilities.xml");
    f->caps = virt_capabilities_read(xml, NULL);
    add_domain_caps(f->caps);
    f->host = guest_host_new(f->config, f->caps, "26.2.2", NULL, &error);
    g_assert_no_error(error);
    g_free(f->host->default_cache);
    f->host->default_cache = g_strdup("none");
    f->instance = nova_instance_new();
    nova_instance_set_uuid(f->instance, UUID);
    nova_instance_set_id(f->instance, 1);
    nova_instance_set_display_name(f->instance, "s1");
    nova_instance_set_user_id(f->instance, "u1");
    nova_instance_set_project_id(f->instance, "p1");
    nova_instance_set_image_ref(f->instance, "9bdaa272-3733-4b97-9a14-f8eb04e7b31f");
    g_autoptr(NovaFlavor) flavor = nova_flavor_new();
    nova_flavor_set_name(flavor, "m1.nano");
    nova_flavor_set_memory_mb(flavor, 128);
    nova_flavor_set_vcpus(flavor, 1);
    nova_flavor_set_root_gb(flavor, 1);
    nova_instance_set_flavor(f->instance, flavor);
    f->image = nova_image_meta_new();
    g_autoptr(NovaImageMetaProps) properties = nova_image_meta_props_new();
    nova_image_meta_set_properties(f->image, properties);
    f->vifs = nova_network_info_new();
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    g_ptr_array_unref(f->vifs);
    nova_image_meta_unref(f->image);
    nova_instance_unref(f->instance);
    guest_host_unref(f->host);
    virt_capabilities_unref(f->caps);
    nd_config_free(f->config);
    nd_tree_remove(f->folder, NULL);
    g_free(f->folder);
}

static void spec(Fixture *f, const char *key, const char *value)
{
    nova_object_dict_set(f->instance->flavor, NOVA_FLAVOR_EXTRA_SPECS, key, value);
}

static GuestDiskInfo *disks_of(Fixture *f, GuestBlockDevices *devices)
{
    g_autoptr(GError) error = NULL;
    GuestDiskInfo *disks = guest_disk_info(f->config, f->instance, f->image, devices, NULL, &error);
    g_assert_no_error(error);
    return disks;
}

static VirtMachine *machine_of(Fixture *f, GuestDiskInfo *disks, GError **error)
{
    GuestInput input = { .instance = f->instance, .image = f->image, .vifs = f->vifs, .disks = disks, .creation_time = 1795378333 };
    return guest_config(f->host, &input, error);
}

static void test_plain(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(NovaVif) vif = nova_vif_new();
    vif->id = g_strdup("87d4bd71-a5a2-4b22-b4e5-9a233f2e5371");
    vif->address = g_strdup("fa:16:3e:73:26:eb");
    vif->type = g_strdup("bridge");
    vif->devname = g_strdup("tap87d4bd71-a5");
    vif->network = nova_network_new();
    g_free(vif->network->bridge);
    vif->network->bridge = g_strdup("brq3f9114b5-6d");
    g_ptr_array_add(f->vifs, g_steal_pointer(&vif));
    g_autoptr(GuestDiskInfo) disks = disks_of(f, NULL);
    g_autoptr(VirtMachine) machine = machine_of(f, disks, NULL);
    g_autofree char *xml = virt_domain_xml(machine, NULL);
    g_auto(GStrv) parts = g_strsplit(xml, f->folder, -1);
    g_autofree char *portable = g_strjoinv("/instances", parts);
    golden_assert("domain-xml/virt/plain-guest.xml", portable);
}

static void assert_class(Fixture *f, NovaExceptionCode code, const char *what)
{
    g_autoptr(GuestDiskInfo) disks = disks_of(f, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(machine_of(f, disks, &error));
    g_assert_error(error, NOVA_EXCEPTION, (int) code);
    if (strstr(error->message, what) == NULL)
        g_error("'%s' does not say '%s'", error->message, what);
}

/* What cannot be given yet is refused, and says what it is. */
static void test_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    static const char *const specs[][2] = { { "hw:pmem", "persistent memory" }, { "hw:mem_encryption", "encrypted memory" },
        { "hw:ephemeral_encryption", "encrypted local disks" }, { "accel:device_profile", "accelerator" } };
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        spec(f, specs[i][0], "true");
        assert_class(f, NOVA_EXC_NOT_IMPLEMENTED_ERROR, specs[i][1]);
        nova_object_dict_remove(f->instance->flavor, NOVA_FLAVOR_EXTRA_SPECS, specs[i][0]);
    }
    nova_image_meta_props_set_hw_firmware_stateless(f->image->properties, true);
    assert_class(f, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "stateless firmware");
    nova_image_meta_props_set_hw_firmware_stateless(f->image->properties, false);
    g_autoptr(NovaInstanceNUMATopology) topology = nova_instance_numa_topology_new();
    nova_instance_set_numa_topology(f->instance, topology);
    assert_class(f, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "NUMA");
}

static void test_passthrough_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    NovaVif *vif = nova_vif_new();
    vif->id = g_strdup("87d4bd71-a5a2-4b22-b4e5-9a233f2e5371");
    vif->address = g_strdup("fa:16:3e:73:26:eb");
    vif->type = g_strdup("hw_veb");
    g_free(vif->vnic_type);
    vif->vnic_type = g_strdup("direct");
    g_ptr_array_add(f->vifs, vif);
    assert_class(f, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "hw_veb");
    g_free(vif->type);
    vif->type = g_strdup("ovs");
    assert_class(f, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "passes a device through");
}

static void test_storage_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    assert_class(f, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "lvm");
}

static void test_virt_type_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    g_assert_null(guest_disk_info(f->config, f->instance, f->image, NULL, NULL, &error));
    g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_UNSUPPORTED_VIRT_TYPE);
}

static void test_serial_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    assert_class(f, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "serial consoles");
}

static void test_bad_numbers(Fixture *f, gconstpointer data)
{
    (void) data;
    static const char *const keys[] = { "quota:disk_read_bytes_sec", "hw_rng:rate_bytes", "hw_video:ram_max_mb" };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        spec(f, keys[i], "12 monkeys");
        assert_class(f, NOVA_EXC_VALUE_ERROR, keys[i]);
        nova_object_dict_remove(f->instance->flavor, NOVA_FLAVOR_EXTRA_SPECS, keys[i]);
    }
}

/* A volume is attached if its disk was prepared, and refused otherwise. */
static void test_volumes(Fixture *f, gconstpointer data)
{
    (void) data;
    GuestBlockDevices *devices = guest_block_devices_new();
    GuestBlockDevice *device = guest_block_device_new();
    device->device_name = g_strdup("/dev/vdc");
    device->disk = virt_disk_new();
    device->disk->source_type = g_strdup("block");
    device->disk->source_path = g_strdup("/dev/sdq");
    device->disk->serial = g_strdup("a-volume");
    g_ptr_array_add(devices->volumes, device);
    g_autoptr(GuestDiskInfo) disks = disks_of(f, devices);
    g_autoptr(VirtMachine) machine = machine_of(f, disks, NULL);
    g_assert_cmpuint(machine->disks->len, ==, 2);
    const VirtDisk *disk = machine->disks->pdata[1];
    g_assert_cmpstr(disk->target_dev, ==, "vdc");
    g_assert_cmpstr(disk->target_bus, ==, "virtio");
    g_assert_cmpstr(disk->serial, ==, "a-volume");
    g_clear_pointer(&device->disk, virt_disk_free);
    g_autoptr(GError) error = NULL;
    g_assert_null(machine_of(f, disks, &error));
    g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_NOT_IMPLEMENTED_ERROR);
}

static void test_device_names(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 26 + 26 * 26; i++) {
        char *name = guest_next_device(f->config, "virtio", taken, NULL);
        if (i == 0)
            g_assert_cmpstr(name, ==, "vda");
        if (i == 25)
            g_assert_cmpstr(name, ==, "vdz");
        if (i == 26)
            g_assert_cmpstr(name, ==, "vdaa");
        if (i == 26 + 26 * 26 - 1)
            g_assert_cmpstr(name, ==, "vdzz");
        g_ptr_array_add(taken, name);
    }
    g_autofree char *next = guest_next_device(f->config, "virtio", taken, NULL);
    g_assert_cmpstr(next, ==, "vdaaa");
    g_autofree char *other = guest_next_device(f->config, "scsi", taken, NULL);
    g_assert_cmpstr(other, ==, "sda");
    g_autoptr(GError) error = NULL;
    g_assert_null(guest_next_device(f->config, "carrier-pigeon", taken, &error));
    g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_INTERNAL_ERROR);
}

static NovaBlockDeviceMapping *mapping(const char *uuid, const char *source, const char *destination, const char *name)
{
    NovaBlockDeviceMapping *bdm = nova_block_device_mapping_new();
    nova_block_device_mapping_set_uuid(bdm, uuid);
    nova_block_device_mapping_set_source_type(bdm, source);
    nova_block_device_mapping_set_destination_type(bdm, destination);
    nova_block_device_mapping_set_device_name(bdm, name);
    return bdm;
}

/* Mappings become block devices by kind; what was decided is written back, and a second time changes nothing. */
static void test_mappings(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(NovaBlockDeviceMappingList) list = nova_block_device_mapping_list_new();
    g_autoptr(NovaBlockDeviceMapping) root = mapping("a", "image", "local", "/dev/vda");
    g_autoptr(NovaBlockDeviceMapping) blank = mapping("b", "blank", "local", NULL);
    g_autoptr(NovaBlockDeviceMapping) swap = mapping("c", "blank", "local", NULL);
    g_autoptr(NovaBlockDeviceMapping) volume = mapping("d", "volume", "volume", NULL);
    g_autoptr(NovaBlockDeviceMapping) removed = mapping("e", "volume", "volume", NULL);
    nova_block_device_mapping_set_guest_format(swap, "swap");
    nova_block_device_mapping_set_volume_size(swap, 64);
    nova_block_device_mapping_set_connection_info(volume, "{\"driver_volume_type\": \"iscsi\"}");
    nova_block_device_mapping_set_no_device(removed, true);
    NovaBlockDeviceMapping *const all[] = { root, blank, swap, volume, removed };
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        nova_object_list_append(list, all[i]);
    nova_instance_set_root_device_name(f->instance, "/dev/vda");
    g_autoptr(GError) error = NULL;
    GuestBlockDevices *devices = guest_block_devices_from_mappings(f->instance, list, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(devices->images->len, ==, 1);
    g_assert_cmpuint(devices->ephemerals->len, ==, 1);
    g_assert_cmpuint(devices->volumes->len, ==, 1);
    g_assert_cmpint(devices->swap->size, ==, 64);
    g_autoptr(GuestDiskInfo) disks = disks_of(f, devices);
    g_assert_true(guest_block_devices_store(disks->devices, list));
    g_assert_cmpstr(blank->device_name, ==, "/dev/vdb");
    g_assert_cmpstr(swap->device_name, ==, "/dev/vdc");
    g_assert_cmpstr(volume->device_name, ==, "/dev/vdd");
    g_assert_cmpstr(volume->disk_bus, ==, "virtio");
    g_assert_cmpstr(root->device_type, ==, "disk");
    g_assert_null(removed->device_name);
    g_assert_false(guest_block_devices_store(disks->devices, list));
    nova_block_device_mapping_set_connection_info(volume, "{broken");
    g_assert_null(guest_block_devices_from_mappings(f->instance, list, &error));
    g_assert_nonnull(error);
}

/* What upstream records in the instance; what is there already stays. */
static void test_record(Fixture *f, gconstpointer data)
{
    (void) data;
    nova_instance_set_ephemeral_gb(f->instance, 1);
    nova_flavor_set_swap(f->instance->flavor, 64);
    nova_object_dict_set(f->instance, NOVA_INSTANCE_SYSTEM_METADATA, "image_hw_video_model", "vga");
    g_autoptr(GuestDiskInfo) disks = disks_of(f, NULL);
    g_autoptr(VirtMachine) machine = machine_of(f, disks, NULL);
    GuestInput input = { .instance = f->instance, .image = f->image, .disks = disks };
    guest_config_record(f->host, &input, machine);
    g_assert_false(guest_config_has_defaults(f->instance));
    g_assert_true(guest_config_register_defaults(f->host, f->instance, f->image, disks, machine));
    g_assert_true(guest_config_has_defaults(f->instance));
    g_assert_false(guest_config_register_defaults(f->host, f->instance, f->image, disks, machine));
    static const char *const wanted[][2] = { { "image_hw_machine_type", "pc" }, { "image_hw_cdrom_bus", "ide" }, { "image_hw_disk_bus", "virtio" },
        { "image_hw_input_bus", "usb" }, { "image_hw_pointer_model", "usbtablet" }, { "image_hw_video_model", "vga" }, { "image_hw_vif_model", "virtio" } };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpstr(nova_object_dict_get(f->instance, NOVA_INSTANCE_SYSTEM_METADATA, wanted[i][0]), ==, wanted[i][1]);
    g_assert_cmpstr(f->instance->default_ephemeral_device, ==, "/dev/vdb");
    g_assert_cmpstr(f->instance->default_swap_device, ==, "/dev/vdc");
    g_assert_cmpstr(f->instance->vcpu_model->mode, ==, "host-model");
    g_assert_cmpint(f->instance->vcpu_model->topology->sockets, ==, 1);
}

static void test_secure_boot(Fixture *f, gconstpointer data)
{
    (void) data;
    nova_image_meta_props_set_hw_firmware_type(f->image->properties, "uefi");
    nova_image_meta_props_set_hw_machine_type(f->image->properties, "q35");
    spec(f, "os:secure_boot", "required");
    g_autoptr(GuestDiskInfo) disks = disks_of(f, NULL);
    g_autoptr(VirtMachine) machine = machine_of(f, disks, NULL);
    g_assert_cmpstr(machine->os.loader, ==, "/usr/share/OVMF/OVMF_CODE_4M.ms.fd");
    g_assert_true(machine->os.loader_secure && machine->features.smm);
    g_ptr_array_set_size(f->caps->firmwares, 0);
    assert_class(f, NOVA_EXC_SECURE_BOOT_NOT_SUPPORTED, "secure boot");
    g_ptr_array_set_size(f->caps->domain_caps, 0);
    assert_class(f, NOVA_EXC_UEFI_NOT_SUPPORTED, "UEFI");
}

static void test_release_file(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autofree char *path = g_build_filename(f->folder, "release", NULL);
    g_assert_true(g_file_set_contents(path, "[Nova]\nvendor = Example\nproduct = Example Nova\npackage = 3.el9\n", -1, NULL));
    g_autoptr(GuestHost) host = guest_host_new(f->config, f->caps, "26.2.2", path, NULL);
    g_assert_cmpstr(host->vendor, ==, "Example");
    g_assert_cmpstr(host->product, ==, "Example Nova");
    g_assert_cmpstr(host->package_version, ==, "26.2.2-3.el9");
}

static void add(const char *name, const char *config, void (*test)(Fixture *f, gconstpointer data))
{
    g_autofree char *path = g_strconcat("/agent/guest-config/", name, NULL);
    g_test_add(path, Fixture, config, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("plain", NULL, test_plain);
    add("refused", NULL, test_refused);
    add("passthrough-refused", NULL, test_passthrough_refused);
    add("storage-refused", "images_type = lvm\n", test_storage_refused);
    add("virt-type-refused", "virt_type = lxc\n", test_virt_type_refused);
    add("serial-refused", "[serial_console]\nenabled = true\n", test_serial_refused);
    add("bad-numbers", NULL, test_bad_numbers);
    add("volumes", NULL, test_volumes);
    add("device-names", NULL, test_device_names);
    add("mappings", NULL, test_mappings);
    add("record", NULL, test_record);
    add("secure-boot", NULL, test_secure_boot);
    add("release-file", NULL, test_release_file);
    return g_test_run();
}
