/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "tests/unit/golden.h"
#include "virt/capabilities.h"

static VirtCapabilities *read_golden(void)
{
    g_autofree char *text = golden_read("domain-xml/virt/capabilities.xml");
    g_autoptr(GError) error = NULL;
    VirtCapabilities *caps = virt_capabilities_read(text, &error);
    g_assert_no_error(error);
    g_autofree char *folder = golden_path("domain-xml/virt");
    g_ptr_array_unref(caps->firmwares);
    caps->firmwares = virt_firmware_load((const char *const[]){ "/nonexistent", folder, NULL });
    return caps;
}

static void test_host(void)
{
    g_autoptr(VirtCapabilities) caps = read_golden();
    g_assert_cmpstr(caps->host_uuid, ==, "11111111-2222-4333-8444-555555555555");
    g_assert_cmpstr(caps->arch, ==, "x86_64");
    g_assert_cmpstr(caps->cpu_model, ==, "EPYC");
    g_assert_cmpstr(caps->cpu_vendor, ==, "AMD");
    g_assert_false(virt_capabilities_uefi(caps));
    g_assert_false(virt_capabilities_secure_boot(caps));
}

static void test_machines(void)
{
    g_autoptr(VirtCapabilities) caps = read_golden();
    g_assert_true(virt_capabilities_has_machine(caps, "pc"));
    g_assert_true(virt_capabilities_has_machine(caps, "pc-q35-7.2"));
    g_assert_false(virt_capabilities_has_machine(caps, "toaster"));
    g_assert_cmpstr(virt_capabilities_canonical_machine(caps, "x86_64", "pc"), ==, "pc-i440fx-7.2");
    g_assert_cmpstr(virt_capabilities_canonical_machine(caps, "x86_64", "pc-q35-7.2"), ==, "pc-q35-7.2");
    g_assert_null(virt_capabilities_canonical_machine(caps, "alpha", "pc"));
    g_assert_cmpstr(virt_capabilities_domain(caps, "x86_64", "qemu")->emulator, ==, "/usr/bin/qemu-system-x86_64");
    g_assert_cmpstr(virt_capabilities_domain(caps, "x86_64", "no-such")->type, ==, "qemu");
    g_assert_null(virt_capabilities_domain(caps, "vax", "qemu"));
}

static void test_domain_caps(void)
{
    g_autofree char *text = golden_read("domain-xml/virt/domain-capabilities.xml");
    g_autoptr(VirtDomainCaps) caps = virt_domain_caps_read(text, NULL);
    g_assert_cmpstr(caps->machine, ==, "pc-q35-7.2");
    g_assert_cmpstr(caps->arch, ==, "x86_64");
    g_assert_true(caps->uefi && caps->secure_boot && !caps->sev);
    g_assert_true(g_strv_contains((const char *const *) caps->video_models, "virtio"));
    g_assert_true(g_strv_contains((const char *const *) caps->disk_buses, "sata"));
    g_assert_false(g_strv_contains((const char *const *) caps->disk_buses, "ide"));
}

static void test_firmware(void)
{
    g_autoptr(VirtCapabilities) caps = read_golden();
    g_assert_cmpuint(caps->firmwares->len, ==, 3);
    const VirtFirmware *plain = virt_capabilities_firmware(caps, "x86_64", "pc", false);
    g_assert_cmpstr(plain->executable, ==, "/usr/share/OVMF/OVMF_CODE_4M.fd");
    g_assert_false(plain->requires_smm);
    const VirtFirmware *secure = virt_capabilities_firmware(caps, "x86_64", "q35", true);
    g_assert_cmpstr(secure->nvram_template, ==, "/usr/share/OVMF/OVMF_VARS_4M.ms.fd");
    g_assert_true(secure->requires_smm);
    g_assert_null(virt_capabilities_firmware(caps, "x86_64", "pc", true));
    g_assert_null(virt_capabilities_firmware(caps, "x86_64", "toaster", false));
}

static void test_firmware_broken(void)
{
    static const char *const broken[] = { "", "[]", "{}", "{\"targets\": 1}", "{\"targets\": [{}]}", "{\"targets\": [{\"architecture\": \"x\", \"machines\": [1]}]}" };
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(virt_firmware_read(broken[i], -1, &error));
        g_assert_nonnull(error);
    }
    g_autoptr(VirtFirmware) kernel = virt_firmware_read("{\"targets\": [], \"features\": [7, \"secure-boot\"], \"mapping\": {\"device\": \"kernel\"}}", -1, NULL);
    g_assert_null(kernel->executable);
    g_assert_true(kernel->secure_boot);
}

static void test_cpu_models(void)
{
    g_autoptr(VirtCapabilities) caps = read_golden();
    g_strfreev(caps->cpu_models);
    caps->cpu_models = g_strsplit("qemu64,Nehalem,EPYC", ",", -1);
    g_assert_cmpstr(virt_capabilities_cpu_model(caps, "nehalem"), ==, "Nehalem");
    g_assert_null(virt_capabilities_cpu_model(caps, "abacus"));
}

static void test_broken(void)
{
    g_autoptr(GError) error = NULL, error2 = NULL;
    g_assert_null(virt_capabilities_read("<domain/>", &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
    g_assert_null(virt_domain_caps_read("<", &error2));
    g_assert_error(error2, ND_ERROR, ND_ERROR_PARSE);
    g_autoptr(VirtCapabilities) caps = virt_capabilities_read("<capabilities><guest/><guest><arch><domain/><machine/></arch></guest></capabilities>", NULL);
    g_assert_null(caps->arch);
    g_assert_false(virt_capabilities_has_machine(caps, "pc"));
}

/* libvirt's own test driver answers too. */
static void test_query(void)
{
    g_autoptr(GError) error = NULL;
    virConnectPtr handle = virConnectOpen("test:///default");
    g_autoptr(VirtCapabilities) caps = virt_capabilities_query(handle, "test", (const char *const[]){ "i686=pc", "nonsense", NULL }, NULL, &error);
    g_autoptr(VirtCapabilities) again = virt_capabilities_query(handle, "test", (const char *const[]){ "i686=pc", "nonsense", NULL }, NULL, NULL);
    virConnectClose(handle);
    if (caps == NULL) {
        /* Its host may have no CPU architecture. */
        g_assert_nonnull(error);
        return;
    }
    g_assert_cmpstr(caps->arch, ==, "i686");
    g_assert_cmpint(caps->libvirt_version, >, 6000000);
    g_assert_cmpuint(caps->online_cpus->len, >, 0);
    g_assert_true(virt_capabilities_equal(caps, again));
    again->libvirt_version++;
    g_assert_false(virt_capabilities_equal(caps, again));
}

/* The golden document with one text in place of another. */
static VirtCapabilities *read_changed(const char *from, const char *to)
{
    g_autofree char *text = golden_read("domain-xml/virt/capabilities.xml");
    g_auto(GStrv) parts = g_strsplit(text, from, -1);
    g_assert_cmpuint(g_strv_length(parts), >, 1);
    g_autofree char *changed = g_strjoinv(to, parts);
    g_autoptr(GError) error = NULL;
    VirtCapabilities *caps = virt_capabilities_read(changed, &error);
    g_assert_no_error(error);
    return caps;
}

/* What a restarted libvirtd says otherwise though nothing has changed: the UUID it made up, the TSC it measured, pages it counted. */
static void test_same_guests(void)
{
    static const char *const same[][2] = { { "11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555" },
        { "</cpu>", "<microcode version='7'/><counter name='tsc' frequency='2445434001' scaling='no'/></cpu>" },
        { "</host>", "<topology><cells num='1'><cell id='0'><memory unit='KiB'>77</memory><pages unit='KiB' size='4'>3</pages></cell></cells></topology></host>" } };
    static const char *const other[][2] = { { "pc-q35-7.2", "pc-q35-9.9" }, { "/usr/bin/qemu-system-x86_64", "/opt/qemu" }, { "<os_type>hvm", "<os_type>linux" },
        { "canonical='pc-i440fx-7.2'", "" } };
    g_autoptr(VirtCapabilities) golden = read_changed("<host>", "<host>");
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autoptr(VirtCapabilities) caps = read_changed(same[i][0], same[i][1]);
        g_assert_true(virt_capabilities_equal(golden, caps));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(other); i++) {
        g_autoptr(VirtCapabilities) caps = read_changed(other[i][0], other[i][1]);
        g_assert_false(virt_capabilities_equal(golden, caps));
    }
}

/* Each of what was read beside the document counts too. */
static void test_other_guests(void)
{
    g_autoptr(VirtCapabilities) golden = read_golden();
    enum { ONLINE, MODEL, FEATURE, DOMAIN_CAPS, FIRMWARE, KINDS };
    for (int kind = 0; kind < KINDS; kind++) {
        g_autoptr(VirtCapabilities) caps = read_golden();
        g_assert_true(virt_capabilities_equal(golden, caps));
        g_autofree char *text = golden_read("domain-xml/virt/domain-capabilities.xml");
        if (kind == ONLINE) {
            int cpu = 0;
            g_array_append_val(caps->online_cpus, cpu);
        } else if (kind == MODEL) {
            g_strfreev(caps->cpu_models);
            caps->cpu_models = g_strsplit("EPYC", ",", -1);
        } else if (kind == FEATURE) {
            GHashTable *features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
            g_hash_table_add(features, g_strdup("vmx"));
            g_hash_table_insert(caps->model_features, g_strdup("EPYC"), features);
        } else if (kind == DOMAIN_CAPS) {
            g_ptr_array_add(caps->domain_caps, virt_domain_caps_read(text, NULL));
        } else {
            g_ptr_array_remove_index(caps->firmwares, 0);
        }
        g_assert_false(virt_capabilities_equal(golden, caps));
    }
}

static void test_references(void)
{
    g_autoptr(VirtCapabilities) caps = read_golden();
    VirtCapabilities *other = virt_capabilities_ref(caps);
    virt_capabilities_unref(other);
    g_assert_cmpstr(caps->arch, ==, "x86_64");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/capabilities/host", test_host);
    g_test_add_func("/virt/capabilities/machines", test_machines);
    g_test_add_func("/virt/capabilities/same-guests", test_same_guests);
    g_test_add_func("/virt/capabilities/other-guests", test_other_guests);
    g_test_add_func("/virt/capabilities/references", test_references);
    g_test_add_func("/virt/capabilities/domain", test_domain_caps);
    g_test_add_func("/virt/capabilities/firmware", test_firmware);
    g_test_add_func("/virt/capabilities/firmware-broken", test_firmware_broken);
    g_test_add_func("/virt/capabilities/cpu-models", test_cpu_models);
    g_test_add_func("/virt/capabilities/broken", test_broken);
    g_test_add_func("/virt/capabilities/query", test_query);
    return g_test_run();
}
