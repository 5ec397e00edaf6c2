/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "rpc/exception.h"

#include <string.h>

/* QEMU has four, one of which upstream leaves free. */
#define MAX_SERIAL_PORTS 3
#define WATCHDOG_MODEL "i6300esb"
#define AGENT_CHANNEL "org.qemu.guest_agent.0"
#define SPICE_CHANNEL "com.redhat.spice.0"
/* QEMU does 39 and 48. */
#define IOMMU_ADDRESS_BITS 48
#define LIBVIRT_VIRTIO_IOMMU 8003000
#define LIBVIRT_IOMMU_ADDRESS_BITS 6005000

/* --- consoles --- */

static bool is_s390(const GuestBuild *build)
{
    return strcmp(build->arch, "s390") == 0 || strcmp(build->arch, "s390x") == 0;
}

static bool add_tcp_ports(GuestBuild *build, VirtChardevKind kind, const char *log, GError **error)
{
    const GuestInput *input = build->input;
    const char *host = nd_config_string(build->config, "serial_console", "proxyclient_address");
    gint64 count;
    if (!guest_constraint_serial_ports(build, &count, error)) {
        return false;
    }
    if (count > MAX_SERIAL_PORTS) {
        g_autofree char *allowed = g_strdup_printf("%d", MAX_SERIAL_PORTS);
        nova_exception_set(error, NOVA_EXC_SERIAL_PORT_NUMBER_LIMIT_EXCEEDED, "allowed", allowed, "virt_type", build->virt_type, NULL);
        return false;
    }
    if (input->acquire_serial_port == NULL) {
        nova_exception_set_text(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, "serial consoles are enabled, which novad cannot serve yet", NULL);
        return false;
    }
    for (gint64 i = 0; i < count; i++) {
        guint port = input->acquire_serial_port(input->user_data, host, error);
        if (port == 0) {
            return false;
        }
        VirtChardev *chardev = virt_machine_add_chardev(build->machine, kind, "tcp");
        chardev->host = g_strdup(host);
        chardev->service = g_strdup_printf("%u", port);
        /* Boot messages go to the first port only. */
        chardev->log_file = i == 0 ? g_strdup(log) : NULL;
    }
    return true;
}

static void add_spice_channel(GuestBuild *build)
{
    if (nd_config_bool(build->config, "spice", "enabled") && nd_config_bool(build->config, "spice", "agent_enabled")) {
        VirtChardev *channel = virt_machine_add_chardev(build->machine, VIRT_CHARDEV_CHANNEL, "spicevmc");
        channel->target_type = g_strdup("virtio");
        channel->target_name = g_strdup(SPICE_CHANNEL);
    }
}

bool guest_config_consoles(GuestBuild *build, GError **error)
{
    g_autofree char *log = g_build_filename(build->directory, "console.log", NULL);
    VirtChardevKind kind = is_s390(build) ? VIRT_CHARDEV_CONSOLE : VIRT_CHARDEV_SERIAL;
    if (!nd_config_bool(build->config, "serial_console", "enabled")) {
        VirtChardev *chardev = virt_machine_add_chardev(build->machine, kind, "pty");
        chardev->log_file = g_steal_pointer(&log);
        chardev->target_type = g_strdup(is_s390(build) ? "sclp" : NULL);
    } else if (!build->input->serial_ports_defined && !add_tcp_ports(build, kind, log, error)) {
        return false;
    }
    add_spice_channel(build);
    return true;
}

/* --- display and input --- */

static bool add_graphics(GuestBuild *build)
{
    static const char *const types[] = { "vnc", "spice" };
    bool any = false;
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (nd_config_bool(build->config, types[i], "enabled")) {
            virt_machine_add_graphics(build->machine, types[i], nd_config_string(build->config, types[i], "server_listen"));
            any = true;
        }
    }
    return any;
}

const char *guest_config_video_model(const GuestBuild *build, GError **error)
{
    static const char *const known[] = { "cirrus", "qxl", "vga", "vmvga", "xen", "virtio", "gop", "none", "bochs", NULL };
    static const char *const power[] = { "ppc", "ppc64", "ppc64le", NULL };
    static const char *const virtio[] = { "aarch64", "mipsel", NULL };
    const char *wanted = build->properties->hw_video_model;
    bool spice = nd_config_bool(build->config, "spice", "enabled");
    if (wanted != NULL) {
        if (g_strv_contains(known, wanted)) {
            return wanted;
        }
        nova_exception_set(error, NOVA_EXC_INVALID_VIDEO_MODE, "model", wanted, NULL);
        return NULL;
    }
    if (g_strv_contains(power, build->arch)) {
        return "vga";
    }
    return spice && !g_strv_contains(virtio, build->arch) ? "qxl" : "virtio";
}

static bool add_video(GuestBuild *build, GError **error)
{
    const char *model = guest_config_video_model(build, error);
    gint64 limit;
    gint64 wanted = build->properties->hw_video_ram;
    if (model == NULL || !guest_flavor_integer(build->flavor, "hw_video:ram_max_mb", 0, &limit, error)) {
        return false;
    }
    if (wanted > limit) {
        g_autofree char *request = g_strdup_printf("%" G_GINT64_FORMAT, wanted);
        g_autofree char *maximum = g_strdup_printf("%" G_GINT64_FORMAT, limit);
        nova_exception_set(error, NOVA_EXC_REQUESTED_V_RAM_TOO_HIGH, "req_vram", request, "max_vram", maximum, NULL);
        return false;
    }
    VirtVideo *video = g_new0(VirtVideo, 1);
    video->model = g_strdup(model);
    video->vram_kib = wanted > 0 ? (guint64) wanted * 1024 : 0;
    g_ptr_array_add(build->machine->videos, video);
    return true;
}

bool guest_config_pointer(const GuestBuild *build, const char *os_type, const char **model, const char **bus)
{
    const NovaImageMetaProps *properties = build->properties;
    const NdConfig *config = build->config;
    bool by_config = g_strcmp0(nd_config_string(config, "DEFAULT", "pointer_model"), "usbtablet") == 0;
    if (properties->hw_input_bus == NULL && properties->hw_pointer_model == NULL && !by_config) {
        return false;
    }
    /* SPICE's agent brings a pointer of its own; VNC has none. */
    bool by_spice = nd_config_bool(config, "spice", "enabled") && nd_config_bool(config, "spice", "agent_enabled") && !nd_config_bool(config, "vnc", "enabled");
    if (g_strcmp0(os_type, "hvm") != 0 || by_spice) {
        return false;
    }
    *model = "tablet";
    *bus = properties->hw_input_bus != NULL ? properties->hw_input_bus : "usb";
    return true;
}

static void add_inputs(GuestBuild *build)
{
    const char *model, *bus;
    if (guest_config_pointer(build, build->machine->os.type, &model, &bus)) {
        virt_machine_add_input(build->machine, model, bus);
    }
    /* x86 has a keyboard anyway; on ARM one has to be added. */
    bus = build->properties->hw_input_bus;
    if (bus == NULL && strcmp(build->arch, "aarch64") == 0) {
        bus = "usb";
    }
    if (bus != NULL) {
        virt_machine_add_input(build->machine, "keyboard", bus);
    }
}

/* --- devices beside these --- */

static void add_guest_agent(GuestBuild *build)
{
    if (build->properties->hw_qemu_guest_agent) {
        VirtChardev *channel = virt_machine_add_chardev(build->machine, VIRT_CHARDEV_CHANNEL, "unix");
        channel->source_path = g_strdup_printf("/var/lib/libvirt/qemu/" AGENT_CHANNEL ".%s.sock", build->machine->name);
        channel->target_type = g_strdup("virtio");
        channel->target_name = g_strdup(AGENT_CHANNEL);
    }
}

static bool add_rng(GuestBuild *build, GError **error)
{
    const char *allowed = guest_flavor_spec(build->flavor, "hw_rng:allowed");
    const char *path = nd_config_string(build->config, "libvirt", "rng_dev_path");
    gint64 bytes, period;
    if (allowed != NULL && !guest_text_is_true(allowed)) {
        return true;
    }
    if (!guest_flavor_integer(build->flavor, "hw_rng:rate_bytes", 0, &bytes, error) ||
        !guest_flavor_integer(build->flavor, "hw_rng:rate_period", 0, &period, error)) {
        return false;
    }
    if (path != NULL && *path != '\0' && !g_file_test(path, G_FILE_TEST_EXISTS)) {
        nova_exception_set(error, NOVA_EXC_RNG_DEVICE_NOT_EXIST, "path", path, NULL);
        return false;
    }
    VirtRng *rng = g_new0(VirtRng, 1);
    rng->backend_path = g_strdup(path);
    rng->rate_bytes = (unsigned) CLAMP(bytes, 0, G_MAXUINT);
    rng->rate_period_ms = (unsigned) CLAMP(period, 0, G_MAXUINT);
    build->machine->rng = rng;
    return true;
}

static bool add_tpm(GuestBuild *build, GError **error)
{
    const char *version, *model;
    if (!guest_constraint_tpm(build, &version, &model, error)) {
        return false;
    }
    if (version == NULL) {
        return true;
    }
    const char *secret = nova_object_dict_get(build->instance, NOVA_INSTANCE_SYSTEM_METADATA, "vtpm_secret_uuid");
    if (secret == NULL || *secret == '\0') {
        nova_exception_set_text(error, NOVA_EXC_INVALID, "an emulated TPM needs a secret, and the instance has none", NULL);
        return false;
    }
    VirtTpm *tpm = g_new0(VirtTpm, 1);
    tpm->version = g_strdup(version);
    tpm->model = g_strdup(model);
    tpm->secret_uuid = g_strdup(secret);
    build->machine->tpm = tpm;
    return true;
}

static void add_pcie_ports(GuestBuild *build)
{
    gint64 ports = nd_config_int(build->config, "libvirt", "num_pcie_ports");
    const char *arch = build->host->capabilities->arch;
    bool arm = strcmp(arch, "aarch64") == 0 && build->machine_type != NULL && g_str_has_prefix(build->machine_type, "virt");
    if (ports == 0 || !(arm || (strcmp(arch, "x86_64") == 0 && guest_machine_is_q35(build->machine_type)))) {
        return;
    }
    virt_machine_add_controller(build->machine, "pci", "pcie-root", -1);
    for (gint64 i = 0; i < ports; i++) {
        virt_machine_add_controller(build->machine, "pci", "pcie-root-port", -1);
    }
}

static bool needs_usb(const GuestBuild *build)
{
    const VirtMachine *machine = build->machine;
    for (guint i = 0; i < machine->disks->len; i++) {
        const VirtDisk *disk = machine->disks->pdata[i];
        if (g_strcmp0(disk->target_bus, "usb") == 0) {
            return true;
        }
    }
    for (guint i = 0; i < machine->inputs->len; i++) {
        const VirtInput *input = machine->inputs->pdata[i];
        if (strcmp(input->bus, "usb") == 0) {
            return true;
        }
    }
    return false;
}

/* Without a model libvirt chooses one; "none" keeps the one away that x86 gets by itself. */
static void add_usb_controller(GuestBuild *build)
{
    static const char *const always[] = { "ppc", "ppc64", "ppc64le", NULL };
    bool wanted = g_strv_contains(always, build->arch) || needs_usb(build);
    virt_machine_add_controller(build->machine, "usb", wanted ? NULL : "none", 0);
}

static bool add_watchdog(GuestBuild *build, GError **error)
{
    static const char *const known[] = { "none", "pause", "poweroff", "reset", "disabled", NULL };
    const char *action = build->properties->hw_watchdog_action;
    if (action == NULL) {
        action = guest_flavor_spec(build->flavor, "hw:watchdog_action");
    }
    if (action == NULL || *action == '\0' || strcmp(action, "disabled") == 0) {
        return true;
    }
    if (!g_strv_contains(known, action)) {
        nova_exception_set(error, NOVA_EXC_INVALID_WATCHDOG_ACTION, "action", action, NULL);
        return false;
    }
    build->machine->watchdog_model = g_strdup(WATCHDOG_MODEL);
    build->machine->watchdog_action = g_strdup(action);
    return true;
}

static void add_balloon(GuestBuild *build)
{
    gint64 period = nd_config_int(build->config, "libvirt", "mem_stats_period_seconds");
    if (period > 0) {
        build->machine->balloon_model = g_strdup("virtio");
        build->machine->balloon_stats_period_s = (unsigned) period;
    }
}

static bool iommu_fits(const GuestBuild *build, GError **error)
{
    bool x86 = guest_architecture_is_x86(build->arch);
    if (!x86 && strcmp(build->arch, "aarch64") != 0) {
        nova_exception_set_text(error, NOVA_EXC_INVALID_VIOMMU_ARCHITECTURE, "the guest's architecture has no IOMMU model", "arch", build->arch, NULL);
        return false;
    }
    const char *machine = build->machine_type;
    bool fits = x86 ? guest_machine_is_q35(machine) : machine != NULL && strstr(machine, "virt") != NULL;
    if (machine == NULL || fits) {
        return true;
    }
    g_autofree char *text = g_strdup_printf("a guest with machine type '%s' can have no IOMMU", machine);
    nova_exception_set_text(error, NOVA_EXC_INVALID_VIOMMU_MACHINE_TYPE, text, "mtype", machine, "arch", build->arch, NULL);
    return false;
}

static bool add_iommu(GuestBuild *build, GError **error)
{
    gint64 libvirt = build->host->capabilities->libvirt_version;
    const char *model = guest_flavor_spec(build->flavor, "hw:viommu_model");
    if (model == NULL || *model == '\0') {
        model = build->properties->hw_viommu_model;
    }
    if (model == NULL) {
        return true;
    }
    if (!iommu_fits(build, error)) {
        return false;
    }
    if (strcmp(model, "auto") == 0) {
        bool intel = guest_architecture_is_x86(build->arch) && guest_machine_is_q35(build->machine_type);
        model = libvirt >= LIBVIRT_VIRTIO_IOMMU ? "virtio" : intel ? "intel" : "smmuv3";
    }
    VirtIommu *iommu = g_new0(VirtIommu, 1);
    iommu->model = g_strdup(model);
    iommu->interrupt_remapping = iommu->caching_mode = iommu->iotlb = true;
    iommu->eim = guest_machine_is_q35(build->machine_type);
    iommu->aw_bits = libvirt >= LIBVIRT_IOMMU_ADDRESS_BITS ? IOMMU_ADDRESS_BITS : 0;
    build->machine->iommu = iommu;
    build->machine->features.ioapic_driver = g_strdup("qemu");
    return true;
}

bool guest_config_devices(GuestBuild *build, GError **error)
{
    if (add_graphics(build)) {
        if (!add_video(build, error)) {
            return false;
        }
        add_inputs(build);
    }
    add_guest_agent(build);
    if (!add_rng(build, error) || !add_tpm(build, error)) {
        return false;
    }
    add_pcie_ports(build);
    add_usb_controller(build);
    if (!add_watchdog(build, error)) {
        return false;
    }
    add_balloon(build);
    return add_iommu(build, error);
}
