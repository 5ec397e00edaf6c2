/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "tests/unit/golden.h"
#include "virt/domain_reader.h"
#include "virt/domain_xml.h"
#include "virt/error.h"

#define UUID "4e474c8a-97c4-4d7d-a896-e3598b557d17"

static VirtMachine *small_machine(void)
{
    VirtMachine *machine = virt_machine_new();
    machine->type = g_strdup("qemu");
    machine->name = g_strdup("instance-00000001");
    machine->uuid = g_strdup(UUID);
    machine->memory_kib = 131072;
    machine->vcpus = 1;
    return machine;
}

static VirtDisk *add_disk(VirtMachine *machine, const char *type, const char *dev)
{
    VirtDisk *disk = virt_disk_new();
    disk->source_type = g_strdup(type);
    disk->device = g_strdup("disk");
    disk->target_dev = g_strdup(dev);
    disk->target_bus = g_strdup("virtio");
    g_ptr_array_add(machine->disks, disk);
    return disk;
}

static VirtInterface *add_interface(VirtMachine *machine, const char *type, const char *source)
{
    VirtInterface *interface = virt_interface_new();
    interface->type = g_strdup(type);
    interface->mac = g_strdup("fa:16:3e:00:00:01");
    interface->source = g_strdup(source);
    g_ptr_array_add(machine->interfaces, interface);
    return interface;
}

static void fill_system(VirtMachine *machine)
{
    machine->cpuset = g_strdup("0-3,8");
    machine->memory_backing = (VirtMemoryBacking){ true, true, true, true, true, true };
    machine->cpu_tune = (VirtCpuTune){ 2048, -1, 10000 };
    machine->sysinfo.manufacturer = g_strdup("OpenStack Foundation");
    machine->sysinfo.family = g_strdup("Virtual Machine");
    machine->os.type = g_strdup("hvm");
    machine->os.arch = g_strdup("x86_64");
    machine->os.machine = g_strdup("q35");
    machine->os.loader = g_strdup("/usr/share/OVMF/OVMF_CODE_4M.ms.fd");
    machine->os.loader_type = g_strdup("pflash");
    machine->os.has_loader_secure = machine->os.loader_secure = true;
    machine->os.nvram_template = g_strdup("/usr/share/OVMF/OVMF_VARS_4M.ms.fd");
    machine->os.kernel = g_strdup("/k & \"l\"");
    machine->os.initrd = g_strdup("/r");
    machine->os.cmdline = g_strdup("root=/dev/vda <quiet>");
    g_ptr_array_add(machine->os.boot_devices, g_strdup("cdrom"));
    g_ptr_array_add(machine->os.boot_devices, g_strdup("hd"));
    machine->os.smbios_sysinfo = machine->os.boot_menu = true;
    machine->features = (VirtFeatures){ .acpi = true, .apic = true, .smm = true, .vmcoreinfo = true, .kvm_hidden = true, .pmu = VIRT_STATE_OFF,
        .ioapic_driver = g_strdup("qemu"), .has_hyperv = true, .hyperv = VIRT_HYPERV_ALL, .hyperv_spinlock_retries = 8191,
        .hyperv_vendor_id = g_strdup("1234567890ab") };
    machine->clock_offset = g_strdup("localtime");
    virt_machine_add_timer(machine, "pit", "delay", VIRT_STATE_ABSENT);
    virt_machine_add_timer(machine, "hpet", NULL, VIRT_STATE_OFF);
    machine->cpu = virt_cpu_new();
    machine->cpu->mode = g_strdup("custom");
    machine->cpu->match = g_strdup("exact");
    machine->cpu->model = g_strdup("EPYC");
    machine->cpu->sockets = 1;
    machine->cpu->cores = 2;
    machine->cpu->threads = 1;
    virt_cpu_add_feature(machine->cpu, "vmx", "disable");
    virt_cpu_add_feature(machine->cpu, "aes", "require");
    virt_cpu_add_feature(machine->cpu, "aes", "disable");
    g_ptr_array_add(machine->perf_events, g_strdup("cpu_cycles"));
}

static void fill_metadata(VirtMachine *machine)
{
    VirtMetadata *metadata = machine->metadata = virt_metadata_new();
    metadata->package = g_strdup("26.2.2");
    metadata->name = g_strdup("a <b> & c");
    metadata->creation_time = 1795378333;
    metadata->flavor_name = g_strdup("m1.\"x\"");
    metadata->flavor_memory_mib = 128;
    metadata->user_id = g_strdup("u");
    metadata->user_name = g_strdup("admin");
    metadata->project_id = g_strdup("p");
    metadata->project_name = g_strdup("admin");
    metadata->root_type = g_strdup("image");
    metadata->root_uuid = g_strdup("9bdaa272-3733-4b97-9a14-f8eb04e7b31f");
    VirtMetadataPort *port = virt_metadata_add_port(metadata, "87d4bd71-a5a2-4b22-b4e5-9a233f2e5371");
    virt_metadata_port_add_ip(port, "fixed", "10.77.0.217", 4);
    virt_metadata_port_add_ip(port, "fixed", "2001:db8::1", 6);
}

static void fill_disks(VirtMachine *machine)
{
    VirtDisk *disk = add_disk(machine, "file", "vda");
    disk->source_path = g_strdup("/i/disk");
    disk->driver_name = g_strdup("qemu");
    disk->driver_format = g_strdup("qcow2");
    disk->driver_cache = g_strdup("none");
    disk->driver_io = g_strdup("native");
    disk->driver_discard = g_strdup("unmap");
    for (int i = 0; i < VIRT_IO_N; i++)
        disk->io_tune[i] = i;
    disk->boot_order = 1;
    disk = add_disk(machine, "network", "sda");
    disk->source_protocol = g_strdup("rbd");
    disk->source_name = g_strdup("pool/volume");
    VirtDiskHost *host = g_new0(VirtDiskHost, 1);
    host->name = g_strdup("192.0.2.1");
    host->port = g_strdup("6789");
    g_ptr_array_add(disk->source_hosts, host);
    disk->auth_username = g_strdup("cinder");
    disk->auth_secret_type = g_strdup("ceph");
    disk->auth_secret_uuid = g_strdup(UUID);
    disk->serial = g_strdup(UUID);
    disk->logical_block_size = g_strdup("4096");
    disk->shareable = disk->has_address = true;
    disk->address_unit = 3;
    disk->alias = g_strdup("ua-" UUID);
    disk = add_disk(machine, "block", "vdb");
    disk->source_path = g_strdup("/dev/sdz");
    disk->readonly = true;
    disk->encryption_format = g_strdup("luks");
    disk->encryption_secret_uuid = g_strdup(UUID);
    add_disk(machine, "file", "hda");
}

static void fill_interfaces(VirtMachine *machine)
{
    VirtInterface *interface = add_interface(machine, "bridge", "br-int");
    interface->target_dev = g_strdup("tap87d4bd71-a5");
    interface->model = g_strdup("virtio");
    interface->driver_name = g_strdup("vhost");
    interface->queues = 4;
    interface->rx_queue_size = 512;
    interface->mtu = 1450;
    interface->virtualport_type = g_strdup("openvswitch");
    virt_interface_add_parameter(interface, "interfaceid", UUID);
    interface->inbound = (VirtBandwidth){ 1024, 2048, 512 };
    interface->outbound = (VirtBandwidth){ 100, -1, -1 };
    interface = add_interface(machine, "vhostuser", NULL);
    interface->source_path = g_strdup("/run/vhu1");
    interface->source_mode = g_strdup("client");
    interface->driver_name = g_strdup("vhost");
    interface->tx_queue_size = 1024;
    interface = add_interface(machine, "direct", "eth0");
    interface->source_mode = g_strdup("passthrough");
    interface->vlan = 5;
    add_interface(machine, "hostdev", "0000:81:00.1")->vlan = 7;
    add_interface(machine, "vdpa", "/dev/vhost-vdpa-0");
    add_interface(machine, "ethernet", NULL)->target_dev = g_strdup("tap1");
    add_interface(machine, "network", "default");
}

static void fill_devices(VirtMachine *machine)
{
    virt_machine_add_controller(machine, "scsi", "virtio-scsi", 0);
    virt_machine_add_controller(machine, "pci", "pcie-root-port", -1);
    VirtChardev *chardev = virt_machine_add_chardev(machine, VIRT_CHARDEV_SERIAL, "tcp");
    chardev->host = g_strdup("127.0.0.1");
    chardev->service = g_strdup("10000");
    chardev->log_file = g_strdup("/i/console.log");
    virt_machine_add_chardev(machine, VIRT_CHARDEV_CONSOLE, "pty")->target_type = g_strdup("sclp");
    chardev = virt_machine_add_chardev(machine, VIRT_CHARDEV_CHANNEL, "unix");
    chardev->source_path = g_strdup("/run/agent.sock");
    chardev->target_type = g_strdup("virtio");
    chardev->target_name = g_strdup("org.qemu.guest_agent.0");
    virt_machine_add_input(machine, "tablet", "usb");
    virt_machine_add_graphics(machine, "vnc", "127.0.0.1")->keymap = g_strdup("de");
    VirtVideo *video = g_new0(VirtVideo, 1);
    video->model = g_strdup("qxl");
    video->vram_kib = 65536;
    video->heads = 1;
    g_ptr_array_add(machine->videos, video);
    machine->tpm = g_new0(VirtTpm, 1);
    machine->tpm->model = g_strdup("tpm-crb");
    machine->tpm->version = g_strdup("2.0");
    machine->tpm->secret_uuid = g_strdup(UUID);
    machine->rng = g_new0(VirtRng, 1);
    machine->rng->backend_path = g_strdup("/dev/urandom");
    machine->rng->rate_bytes = 1024;
    machine->rng->rate_period_ms = 1000;
    machine->iommu = g_new0(VirtIommu, 1);
    machine->iommu->model = g_strdup("intel");
    machine->iommu->interrupt_remapping = machine->iommu->iotlb = true;
    machine->iommu->aw_bits = 48;
    machine->watchdog_model = g_strdup("i6300esb");
    machine->watchdog_action = g_strdup("reset");
    machine->balloon_model = g_strdup("virtio");
    machine->balloon_stats_period_s = 10;
}

/* Every element that the writer knows. */
static VirtMachine *full_machine(void)
{
    VirtMachine *machine = small_machine();
    fill_system(machine);
    fill_metadata(machine);
    fill_disks(machine);
    fill_interfaces(machine);
    fill_devices(machine);
    return machine;
}

static char *text_of(const VirtMachine *machine)
{
    g_autoptr(GError) error = NULL;
    char *xml = virt_domain_xml(machine, &error);
    g_assert_no_error(error);
    return xml;
}

static void test_golden(void)
{
    g_autoptr(VirtMachine) small = small_machine();
    g_autoptr(VirtMachine) full = full_machine();
    g_autofree char *small_text = text_of(small);
    g_autofree char *full_text = text_of(full);
    golden_assert("domain-xml/virt/small.xml", small_text);
    golden_assert("domain-xml/virt/full.xml", full_text);
}

/* What is written is read back complete. */
static void test_round_trip(void)
{
    static const char *const names[] = { "domain-xml/virt/small.xml", "domain-xml/virt/full.xml" };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = golden_read(names[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(VirtMachine) machine = virt_domain_read(text, &error);
        g_assert_no_error(error);
        g_autofree char *again = text_of(machine);
        g_assert_cmpstr(again, ==, text);
    }
}

/* A running domain as libvirt answers for one that nova-compute made. */
static void test_live(void)
{
    g_autofree char *text = golden_read("domain-xml/virt/live.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtMachine) machine = virt_domain_read(text, &error);
    g_assert_no_error(error);
    g_assert_cmpint(machine->id, ==, 1);
    g_assert_cmpstr(machine->uuid, ==, UUID);
    g_assert_cmpuint(machine->memory_kib, ==, 131072);
    g_assert_cmpstr(machine->metadata->flavor_name, ==, "m1.nano");
    g_assert_cmpuint(machine->metadata->creation_time, ==, 1795378333);
    g_assert_cmpuint(machine->metadata->ports->len, ==, 1);
    const VirtMetadataPort *port = machine->metadata->ports->pdata[0];
    g_assert_cmpstr(((const VirtMetadataIp *) port->ips->pdata[0])->address, ==, "10.77.0.217");
    const VirtDisk *disk = virt_machine_disk(machine, "vda");
    g_assert_cmpstr(disk->alias, ==, "virtio-disk0");
    g_assert_true(g_str_has_suffix(disk->source_path, "/disk"));
    g_assert_true(g_str_has_suffix(disk->backing_path, "/b876219b5a004cd9486e6fe52b314f808eadfb62"));
    g_assert_null(virt_machine_disk(machine, "vdb"));
    const VirtInterface *interface = virt_machine_interface(machine, "FA:16:3E:73:26:EB");
    g_assert_cmpstr(interface->target_dev, ==, "tap87d4bd71-a5");
    g_assert_cmpuint(interface->mtu, ==, 1500);
    g_assert_null(virt_machine_interface(machine, "fa:16:3e:00:00:00"));
    const VirtGraphicsDevice *graphics = machine->graphics->pdata[0];
    g_assert_cmpint(graphics->port, ==, 5900);
    const VirtChardev *serial = machine->chardevs->pdata[0];
    g_assert_true(serial->kind == VIRT_CHARDEV_SERIAL);
    g_assert_cmpstr(serial->source_path, ==, "/dev/pts/0");
    g_assert_cmpuint(machine->cpu->features->len, ==, 28);
    g_assert_true(machine->features.vmcoreinfo);
}

static void test_memory_units(void)
{
    static const struct {
        const char *unit, *value;
        guint64 kib;
    } cases[] = { { "KiB", "2048", 2048 }, { "MiB", "2", 2048 }, { "bytes", "2048", 2 }, { "G", "1", 1048576 }, { "furlong", "7", 7 },
        { "GiB", "18446744073709551615", 0 } };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<domain><memory unit='%s'>%s</memory></domain>", cases[i].unit, cases[i].value);
        g_autoptr(VirtMachine) machine = virt_domain_read(xml, NULL);
        g_assert_cmpuint(machine->memory_kib, ==, cases[i].kib);
    }
}

static void test_odd_input(void)
{
    static const char *const broken[] = { "", "<domain>", "<capabilities/>", "<!DOCTYPE x [<!ENTITY e 'x'>]><domain>&e;</domain>" };
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(virt_domain_read(broken[i], &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
    }
    g_autoptr(VirtMachine) machine = virt_domain_read("<domain id='99999999999'><vcpu>-3</vcpu><devices><disk/><interface type='hostdev'><source><address type='pci' "
                                                      "domain='0xzz' bus='1'/></source></interface><serial/><graphics port='70000'/><video/></devices></domain>", NULL);
    g_assert_cmpint(machine->id, ==, -1);
    g_assert_cmpuint(machine->vcpus, ==, 0);
    g_assert_null(((const VirtInterface *) machine->interfaces->pdata[0])->source);
    g_assert_cmpint(((const VirtGraphicsDevice *) machine->graphics->pdata[0])->port, ==, -1);
    g_assert_cmpuint(machine->chardevs->len, ==, 0);
}

static void test_devices_alone(void)
{
    g_autoptr(VirtMachine) machine = full_machine();
    g_autofree char *disk = virt_disk_xml(machine->disks->pdata[2], NULL);
    g_assert_cmpstr(disk, ==, "<disk type=\"block\" device=\"disk\">\n  <source dev=\"/dev/sdz\"/>\n  <target dev=\"vdb\" bus=\"virtio\"/>\n"
                              "  <readonly/>\n  <encryption format=\"luks\">\n    <secret type=\"passphrase\" uuid=\"" UUID "\"/>\n  </encryption>\n</disk>\n");
    g_autoptr(VirtDisk) read = virt_disk_read(disk, NULL);
    g_assert_cmpstr(read->source_path, ==, "/dev/sdz");
    g_autofree char *text = virt_interface_xml(machine->interfaces->pdata[3], NULL);
    g_autoptr(VirtInterface) interface = virt_interface_read(text, NULL);
    g_assert_cmpstr(interface->source, ==, "0000:81:00.1");
    g_assert_cmpuint(interface->vlan, ==, 7);
    g_autofree char *metadata = virt_metadata_xml(machine->metadata, NULL);
    g_assert_true(g_str_has_prefix(metadata, "<nova:instance xmlns:nova=\"http://openstack.org/xmlns/libvirt/nova/1.1\">"));
}

static void assert_refused(const VirtMachine *machine, GQuark domain, int code, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(virt_domain_xml(machine, &error));
    g_assert_error(error, domain, code);
    if (strstr(error->message, what) == NULL)
        g_error("'%s' does not say '%s'", error->message, what);
}

static void test_incomplete(void)
{
    static const struct {
        const char *type, *source, *what;
    } interfaces[] = { { "bridge", NULL, "bridge" }, { "direct", NULL, "device" }, { "vhostuser", NULL, "socket" }, { "hostdev", "81:00.1", "PCI address" },
        { "hostdev", "0000:81:00.1;x", "PCI address" }, { "network", NULL, "network" }, { "carrier-pigeon", "x", "unknown type" } };
    for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++) {
        g_autoptr(VirtMachine) machine = small_machine();
        add_interface(machine, interfaces[i].type, interfaces[i].source);
        assert_refused(machine, VIRT_ERROR, VIRT_ERROR_ARGUMENT, interfaces[i].what);
    }
    static const char *const disks[][2] = { { "network", "no protocol" }, { "cloud", "unknown source type" } };
    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_autoptr(VirtMachine) machine = small_machine();
        add_disk(machine, disks[i][0], "vda");
        assert_refused(machine, VIRT_ERROR, VIRT_ERROR_ARGUMENT, disks[i][1]);
    }
    g_autoptr(VirtMachine) nameless = virt_machine_new();
    assert_refused(nameless, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "needs");
    g_autoptr(VirtMachine) sourceless = small_machine();
    virt_machine_add_chardev(sourceless, VIRT_CHARDEV_SERIAL, "tcp");
    assert_refused(sourceless, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "has no source");
}

static void test_bad_text(void)
{
    static const char *const texts[] = { "bell\a", "\xff\xfe", "escape\x1b[0m" };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(VirtMachine) machine = small_machine();
        g_free(machine->name);
        machine->name = g_strdup(texts[i]);
        assert_refused(machine, ND_ERROR, ND_ERROR_ARGUMENT, "name");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/domain-xml/golden", test_golden);
    g_test_add_func("/virt/domain-xml/round-trip", test_round_trip);
    g_test_add_func("/virt/domain-xml/live", test_live);
    g_test_add_func("/virt/domain-xml/memory-units", test_memory_units);
    g_test_add_func("/virt/domain-xml/odd-input", test_odd_input);
    g_test_add_func("/virt/domain-xml/devices-alone", test_devices_alone);
    g_test_add_func("/virt/domain-xml/incomplete", test_incomplete);
    g_test_add_func("/virt/domain-xml/bad-text", test_bad_text);
    return g_test_run();
}
