/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "rpc/exception.h"

#include <string.h>

/* IFNAMSIZ less the NUL, less what Linux's tools append: upstream's NIC_NAME_LEN. */
#define DEVICE_NAME_LENGTH 14

/* upstream vif.py SUPPORTED_VIF_MODELS. */
static const struct {
    const char *model;
    bool qemu_only;
} models[] = {
    { "virtio", false }, { "ne2k_pci", false }, { "pcnet", false },      { "rtl8139", false }, { "e1000", false },
    { "e1000e", false }, { "lan9118", true },   { "spapr-vlan", false }, { "vmxnet3", false },
};

static const char *const passthrough_types[] = {
    "direct", "direct-physical", "accelerator-direct", "accelerator-direct-physical", "remote-managed", "vdpa", NULL
};

static bool fail(GError **error, NovaExceptionCode code, const NovaVif *vif, const char *what)
{
    g_autofree char *text = g_strdup_printf("port '%s' of type '%s' %s", vif->id, vif->type != NULL ? vif->type : "none", what);
    nova_exception_set_text(error, code, text, "err", text, NULL);
    return false;
}

const char *guest_config_vif_model(const GuestBuild *build)
{
    if (build->properties->hw_vif_model != NULL) {
        return build->properties->hw_vif_model;
    }
    return nd_config_bool(build->config, "libvirt", "use_virtio_for_bridges") ? "virtio" : NULL;
}

static bool model_is_valid(const char *model, const char *virt_type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        if (strcmp(models[i].model, model) == 0) {
            return !models[i].qemu_only || strcmp(virt_type, "qemu") == 0;
        }
    }
    return false;
}

/* options read: [libvirt] rx_queue_size tx_queue_size */
static unsigned queue_size(const NdConfig *config, const char *option)
{
    return (unsigned) nd_config_int(config, "libvirt", option);
}

/* The virtio driver in the host: userspace QEMU without KVM, else vhost with its queues (upstream get_base_config). */
static bool set_virtio_driver(const GuestBuild *build, VirtInterface *interface, GError **error)
{
    bool multiqueue;
    interface->rx_queue_size = queue_size(build->config, "rx_queue_size");
    if (strcmp(build->virt_type, "qemu") == 0) {
        interface->driver_name = g_strdup("qemu");
        return true;
    }
    if (!guest_constraint_multiqueue(build, &multiqueue, error)) {
        return false;
    }
    if (multiqueue) {
        unsigned limit = build->host->max_tap_queues;
        interface->queues = limit != 0 ? MIN(limit, (unsigned) build->flavor->vcpus) : (unsigned) build->flavor->vcpus;
    }
    if (multiqueue || interface->rx_queue_size != 0) {
        interface->driver_name = g_strdup("vhost");
    }
    return true;
}

static bool set_frontend(const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error)
{
    interface->mac = g_strdup(vif->address);
    if (vif->vnic_type != NULL && g_strv_contains(passthrough_types, vif->vnic_type)) {
        return fail(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, vif, "passes a device through, which novad cannot do yet");
    }
    const char *model = guest_config_vif_model(build);
    if (model != NULL && !model_is_valid(model, build->virt_type)) {
        nova_exception_set(error, NOVA_EXC_UNSUPPORTED_HARDWARE, "model", model, "virt", build->virt_type, NULL);
        return false;
    }
    interface->model = g_strdup(model);
    if (g_strcmp0(model, "virtio") == 0) {
        return set_virtio_driver(build, interface, error);
    }
    interface->rx_queue_size = queue_size(build->config, "rx_queue_size");
    return true;
}

static bool set_bandwidth(const GuestBuild *build, VirtInterface *interface, GError **error)
{
    const struct {
        const char *key;
        gint64 *value;
    } specs[] = {
        { "quota:vif_inbound_average", &interface->inbound.average },   { "quota:vif_inbound_peak", &interface->inbound.peak },
        { "quota:vif_inbound_burst", &interface->inbound.burst },       { "quota:vif_outbound_average", &interface->outbound.average },
        { "quota:vif_outbound_peak", &interface->outbound.peak },       { "quota:vif_outbound_burst", &interface->outbound.burst },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        if (!guest_flavor_integer(build->flavor, specs[i].key, -1, specs[i].value, error)) {
            return false;
        }
    }
    return true;
}

static char *device_name(const NovaVif *vif, const char *prefix)
{
    g_autofree char *name = g_strconcat(prefix, vif->id, NULL);
    return g_strndup(name, DEVICE_NAME_LENGTH);
}

static char *vif_device(const NovaVif *vif)
{
    return vif->devname != NULL ? g_strdup(vif->devname) : device_name(vif, "nic");
}

static const char *vif_bridge(const NovaVif *vif)
{
    return vif->network != NULL ? vif->network->bridge : NULL;
}

static void set_type(VirtInterface *interface, const char *type)
{
    g_free(interface->type);
    interface->type = g_strdup(type);
}

/* --- back ends by vif_type --- */

static bool backend_bridge(G_GNUC_UNUSED const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error)
{
    if (vif_bridge(vif) == NULL) {
        return fail(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, vif, "has no bridge");
    }
    set_type(interface, "bridge");
    interface->source = g_strdup(vif_bridge(vif));
    interface->target_dev = vif_device(vif);
    return true;
}

static bool backend_ethernet(G_GNUC_UNUSED const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, G_GNUC_UNUSED GError **error)
{
    set_type(interface, "ethernet");
    interface->target_dev = vif_device(vif);
    return true;
}

/* With hybrid plug the guest is on a Linux bridge of its own that a veth pair joins to Open vSwitch. */
static bool backend_hybrid(const NovaVif *vif, VirtInterface *interface)
{
    set_type(interface, "bridge");
    interface->source = device_name(vif, "qbr");
    interface->target_dev = vif_device(vif);
    return true;
}

static bool backend_ovs(const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error)
{
    if (nova_vif_is_hybrid_plug(vif)) {
        return backend_hybrid(vif, interface);
    }
    if (vif->delegate_create) {
        return backend_ethernet(build, vif, interface, error);
    }
    if (!backend_bridge(build, vif, interface, error)) {
        return false;
    }
    interface->virtualport_type = g_strdup("openvswitch");
    virt_interface_add_parameter(interface, "interfaceid", vif->ovs_interfaceid != NULL && *vif->ovs_interfaceid != '\0' ? vif->ovs_interfaceid : vif->id);
    return true;
}

static bool backend_ivs(const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error)
{
    return nova_vif_is_hybrid_plug(vif) ? backend_hybrid(vif, interface) : backend_ethernet(build, vif, interface, error);
}

static bool backend_vrouter(const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error)
{
    if (g_strcmp0(vif->vnic_type, "normal") != 0) {
        return fail(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, vif, "has a VNIC type that novad cannot do");
    }
    return backend_ethernet(build, vif, interface, error);
}

static bool backend_vhostuser(const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error)
{
    const char *path = nd_json_string(vif->details, "vhostuser_socket", NULL);
    if (path == NULL || *path == '\0') {
        return fail(error, NOVA_EXC_VIF_DETAILS_MISSING_VHOSTUSER_SOCK_PATH, vif, "has no vhostuser_socket");
    }
    set_type(interface, "vhostuser");
    g_clear_pointer(&interface->driver_name, g_free);
    interface->source_path = g_strdup(path);
    interface->source_mode = g_strdup(nd_json_string(vif->details, "vhostuser_mode", "server"));
    interface->rx_queue_size = queue_size(build->config, "rx_queue_size");
    interface->tx_queue_size = queue_size(build->config, "tx_queue_size");
    bool by_ovs = nd_json_bool(vif->details, "vhostuser_ovs_plug", false) && !nd_json_bool(vif->details, "vhostuser_fp_plug", false);
    interface->target_dev = by_ovs ? device_name(vif, "vhu") : vif_device(vif);
    return true;
}

static bool backend_macvtap(G_GNUC_UNUSED const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error)
{
    const char *source = nd_json_string(vif->details, "macvtap_source", NULL);
    const char *mode = nd_json_string(vif->details, "macvtap_mode", NULL);
    if (source == NULL || mode == NULL || nd_json_string(vif->details, "physical_interface", NULL) == NULL) {
        return fail(error, NOVA_EXC_VIF_DETAILS_MISSING_MACVTAP_PARAMETERS, vif, "lacks macvtap_source, macvtap_mode or physical_interface");
    }
    set_type(interface, "direct");
    interface->source = g_strdup(source);
    interface->source_mode = g_strdup(mode);
    g_free(interface->model);
    interface->model = g_strdup("virtio");
    return true;
}

static const struct {
    const char *type;
    bool (*backend)(const GuestBuild *build, const NovaVif *vif, VirtInterface *interface, GError **error);
    bool bandwidth; /* the flavor's limits apply */
    bool mtu;       /* the network's MTU applies */
} backends[] = {
    { "bridge", backend_bridge, true, true },        { "ovs", backend_ovs, true, true },
    { "agilio_ovs", backend_ovs, true, true },       { "ivs", backend_ivs, true, true },
    { "vrouter", backend_vrouter, true, true },      { "vhostuser", backend_vhostuser, false, false },
    { "tap", backend_ethernet, false, true },        { "macvtap", backend_macvtap, true, false },
    { "iovisor", backend_ethernet, true, false },    { "midonet", backend_ethernet, false, false },
};

/* Types that Neutron may send and that are for a later table entry: they hand a PCI device to the guest. */
static const char *const later_types[] = { "hw_veb", "hostdev_physical", "ib_hostdev", "802.1qbg", "802.1qbh", NULL };

VirtInterface *guest_config_vif(const GuestBuild *build, const NovaVif *vif, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (g_strcmp0(backends[i].type, vif->type) != 0) {
            continue;
        }
        g_autoptr(VirtInterface) interface = virt_interface_new();
        if (!set_frontend(build, vif, interface, error) || !backends[i].backend(build, vif, interface, error)) {
            return NULL;
        }
        if (backends[i].bandwidth && !set_bandwidth(build, interface, error)) {
            return NULL;
        }
        interface->mtu = backends[i].mtu ? (unsigned) nova_vif_mtu(vif) : 0;
        return g_steal_pointer(&interface);
    }
    bool later = vif->type != NULL && g_strv_contains(later_types, vif->type);
    fail(error, later ? NOVA_EXC_NOT_IMPLEMENTED_ERROR : NOVA_EXC_INTERNAL_ERROR, vif, later ? "is not supported by novad yet" : "is not expected");
    return NULL;
}

VirtInterface *guest_config_interface(const GuestHost *host, NovaInstance *instance, const NovaImageMeta *image, const void *vif, GError **error)
{
    GuestInput input = { .instance = instance, .image = image };
    g_auto(GuestBuild) build = { 0 };
    return guest_build_init(&build, host, &input, error) ? guest_config_vif(&build, vif, error) : NULL;
}
