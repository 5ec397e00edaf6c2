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
    /* Asked again it says the same; of something else, or without libvirt, nothing is known to be the same. */
    g_assert_true(virt_capabilities_equal(caps, again));
    again->libvirt_version++;
    g_assert_false(virt_capabilities_equal(caps, again));
    g_autoptr(VirtCapabilities) read = virt_capabilities_read("<capabilities><host><cpu><arch>x86_64</arch></cpu></host></capabilities>", NULL);
    g_assert_nonnull(read);
    g_assert_false(virt_capabilities_equal(caps, read));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/capabilities/host", test_host);
    g_test_add_func("/virt/capabilities/machines", test_machines);
    g_test_add_func("/virt/capabilities/domain", test_domain_caps);
    g_test_add_func("/virt/capabilities/firmware", test_firmware);
    g_test_add_func("/virt/capabilities/firmware-broken", test_firmware_broken);
    g_test_add_func("/virt/capabilities/cpu-models", test_cpu_models);
    g_test_add_func("/virt/capabilities/broken", test_broken);
    g_test_add_func("/virt/capabilities/query", test_query);
    return g_test_run();
}
