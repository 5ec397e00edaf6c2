/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "rpc/exception.h"

#include <string.h>

#define KERNEL_CONSOLES "console=tty0 console=ttyS0 console=hvc0"
#define SMBIOS_FAMILY "Virtual Machine"
/* Recommended for Windows guests by KVM's maintainers; and a vendor other than Hyper-V's, that drivers refuse. */
#define HYPERV_SPINLOCK_RETRIES 8191
#define HYPERV_VENDOR "1234567890ab"

/* --- machine type and firmware --- */

static bool check_machine_type(const GuestBuild *build, GError **error)
{
    const VirtCapabilities *caps = build->host->capabilities;
    if (build->machine_type != NULL && virt_capabilities_has_machine(caps, build->machine_type)) {
        return true;
    }
    g_autoptr(GPtrArray) known = virt_capabilities_machines(caps);
    g_ptr_array_add(known, NULL);
    g_autofree char *list = g_strjoinv(", ", (char **) known->pdata);
    g_autofree char *text = g_strdup_printf("machine type '%s' is none of the host's: %s", build->machine_type, list);
    nova_exception_set_text(error, NOVA_EXC_INVALID_MACHINE_TYPE, text, NULL);
    return false;
}

static bool secure_boot_is_possible(const GuestBuild *build)
{
    if (!virt_capabilities_secure_boot(build->host->capabilities)) {
        return false;
    }
    return strcmp(build->arch, "x86_64") != 0 || guest_machine_is_q35(build->machine_type);
}

/* upstream _configure_guest_by_virt_type, the UEFI part. */
static bool set_firmware(GuestBuild *build, GError **error)
{
    const VirtCapabilities *caps = build->host->capabilities;
    const char *policy;
    if (!virt_capabilities_uefi(caps) || build->machine_type == NULL) {
        nova_exception_set(error, NOVA_EXC_UEFI_NOT_SUPPORTED, NULL);
        return false;
    }
    if (!guest_constraint_secure_boot(build, &policy, error)) {
        return false;
    }
    bool required = g_strcmp0(policy, "required") == 0;
    bool secure = (required || g_strcmp0(policy, "optional") == 0) && secure_boot_is_possible(build);
    const VirtFirmware *firmware = required && !secure ? NULL : virt_capabilities_firmware(caps, build->arch, build->machine_type, secure);
    if (firmware == NULL) {
        nova_exception_set(error, required || secure ? NOVA_EXC_SECURE_BOOT_NOT_SUPPORTED : NOVA_EXC_UEFI_NOT_SUPPORTED, NULL);
        return false;
    }
    VirtOs *os = &build->machine->os;
    os->has_loader_secure = true;
    os->loader_secure = secure;
    os->loader = g_strdup(firmware->executable);
    os->loader_type = g_strdup("pflash");
    os->nvram_template = g_strdup(firmware->nvram_template);
    build->machine->features.smm = firmware->requires_smm;
    return true;
}

static void set_sysinfo(GuestBuild *build)
{
    const GuestHost *host = build->host;
    VirtSysinfo *sysinfo = &build->machine->sysinfo;
    sysinfo->manufacturer = g_strdup(host->vendor);
    sysinfo->product = g_strdup(host->product);
    sysinfo->version = g_strdup(host->package_version);
    bool none = g_strcmp0(nd_config_string(build->config, "libvirt", "sysinfo_serial"), "none") == 0;
    sysinfo->serial = none ? NULL : g_strdup(host->serial != NULL ? host->serial : build->instance->uuid);
    sysinfo->uuid = g_strdup(build->instance->uuid);
    sysinfo->family = g_strdup(SMBIOS_FAMILY);
    build->machine->os.smbios_sysinfo = true;
}

/* --- what is booted --- */

static char *kernel_command_line(const GuestBuild *build)
{
    const GuestDisk *root = guest_disk_info_find(build->input->disks, "root");
    g_autofree char *device = root != NULL ? g_strconcat("/dev/", root->dev, NULL) : g_strdup("None");
    return g_strdup_printf("root=%s " KERNEL_CONSOLES "%s", device, strcmp(build->virt_type, "qemu") == 0 ? " no_timer_check" : "");
}

static bool has_text(const char *text)
{
    return text != NULL && *text != '\0';
}

static void set_boot(GuestBuild *build)
{
    VirtOs *os = &build->machine->os;
    const GuestRescue *rescue = build->input->rescue;
    if (rescue != NULL) {
        if (has_text(rescue->kernel_id)) {
            os->kernel = g_build_filename(build->directory, "kernel.rescue", NULL);
            os->cmdline = kernel_command_line(build);
        }
        os->initrd = has_text(rescue->ramdisk_id) ? g_build_filename(build->directory, "ramdisk.rescue", NULL) : NULL;
        return;
    }
    if (has_text(build->instance->kernel_id)) {
        os->kernel = g_build_filename(build->directory, "kernel", NULL);
        os->initrd = has_text(build->instance->ramdisk_id) ? g_build_filename(build->directory, "ramdisk", NULL) : NULL;
        const char *wanted = build->properties->os_command_line;
        os->cmdline = has_text(wanted) ? g_strdup(wanted) : kernel_command_line(build);
        return;
    }
    g_autoptr(GPtrArray) order = guest_disk_info_boot_order(build->input->disks);
    for (guint i = 0; i < order->len; i++) {
        g_ptr_array_add(os->boot_devices, g_strdup(order->pdata[i]));
    }
}

/* nova.objects.fields.VMMode.canonicalize. */
static bool set_os_type(GuestBuild *build, GError **error)
{
    static const char *const modes[][2] = { { "pv", "xen" }, { "hv", "hvm" }, { "baremetal", "hvm" }, { "hvm", "hvm" }, { "xen", "xen" }, { "uml", "uml" },
        { "exe", "exe" } };
    const char *mode = build->instance->vm_mode;
    for (size_t i = 0; mode != NULL && i < G_N_ELEMENTS(modes); i++) {
        if (g_ascii_strcasecmp(modes[i][0], mode) == 0) {
            build->machine->os.type = g_strdup(modes[i][1]);
            return true;
        }
    }
    if (mode == NULL) {
        build->machine->os.type = g_strdup("hvm");
        return true;
    }
    g_autofree char *text = g_strdup_printf("virtual machine mode '%s' is not known", mode);
    nova_exception_set_text(error, NOVA_EXC_INVALID_VIRTUAL_MACHINE_MODE, text, "vmmode", mode, NULL);
    return false;
}

bool guest_config_os(GuestBuild *build, GError **error)
{
    VirtOs *os = &build->machine->os;
    if (!set_os_type(build, error)) {
        return false;
    }
    os->arch = g_strdup(build->arch);
    if (g_strcmp0(build->arch, build->host->capabilities->arch) != 0) {
        g_free(build->machine->type);
        build->machine->type = g_strdup("qemu");
    }
    if (guest_architecture_is_x86(build->arch)) {
        set_sysinfo(build);
    }
    if (!check_machine_type(build, error)) {
        return false;
    }
    os->machine = g_strdup(build->machine_type);
    const char *firmware = build->properties->hw_firmware_type;
    bool uefi = firmware != NULL ? strcmp(firmware, "uefi") == 0 : strcmp(build->arch, "aarch64") == 0;
    if (uefi && !set_firmware(build, error)) {
        return false;
    }
    bool in_image = nova_object_has(build->properties, NOVA_IMAGE_META_PROPS_HW_BOOT_MENU);
    os->boot_menu = in_image ? build->properties->hw_boot_menu : guest_text_is_true(guest_flavor_spec(build->flavor, "hw:boot_menu"));
    set_boot(build);
    return true;
}

/* --- features and clock --- */

static bool is_windows(const GuestBuild *build)
{
    return g_strcmp0(build->instance->os_type, "windows") == 0;
}

bool guest_config_features(GuestBuild *build, GError **error)
{
    VirtFeatures *features = &build->machine->features;
    bool hidden = guest_text_is_true(guest_flavor_spec(build->flavor, "hide_hypervisor_id")) ||
                  guest_text_is_true(guest_flavor_spec(build->flavor, "hw:hide_hypervisor_id")) || build->properties->img_hide_hypervisor_id;
    features->acpi = true;
    features->apic = !nd_config_bool(build->config, "workarounds", "libvirt_disable_apic");
    if (is_windows(build)) {
        features->has_hyperv = true;
        features->hyperv = VIRT_HYPERV_ALL;
        features->hyperv_spinlock_retries = HYPERV_SPINLOCK_RETRIES;
        features->hyperv_vendor_id = hidden ? g_strdup(HYPERV_VENDOR) : NULL;
    }
    features->vmcoreinfo = guest_architecture_is_x86(build->arch) || strcmp(build->arch, "aarch64") == 0;
    features->kvm_hidden = hidden;
    GuestChoice pmu;
    if (!guest_constraint_pmu(build, &pmu, error)) {
        return false;
    }
    features->pmu = !pmu.set ? VIRT_STATE_ABSENT : pmu.value ? VIRT_STATE_ON : VIRT_STATE_OFF;
    return true;
}

void guest_config_clock(GuestBuild *build)
{
    VirtMachine *machine = build->machine;
    machine->clock_offset = g_strdup(is_windows(build) ? "localtime" : "utc");
    if (strcmp(build->virt_type, "kvm") != 0) {
        return;
    }
    virt_machine_add_timer(machine, "pit", "delay", VIRT_STATE_ABSENT);
    virt_machine_add_timer(machine, "rtc", "catchup", VIRT_STATE_ABSENT);
    if (guest_architecture_is_x86(build->arch)) {
        virt_machine_add_timer(machine, "hpet", NULL, build->properties->hw_time_hpet ? VIRT_STATE_ON : VIRT_STATE_OFF);
    }
    if (is_windows(build)) {
        virt_machine_add_timer(machine, "hypervclock", NULL, VIRT_STATE_ON);
    }
}
