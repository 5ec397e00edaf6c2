/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/error.h"
#include "virt/link.h"
#include "virt/vif.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEVICE_NAME_LENGTH 14 /* upstream network/model.py NIC_NAME_LEN */

char *virt_vif_dev_name(const char *vif_id)
{
    g_autofree char *full = g_strconcat("tap", vif_id, NULL);
    return g_strndup(full, DEVICE_NAME_LENGTH);
}

bool virt_link_exists(const char *name)
{
    return virt_link_index(name) != 0;
}

/* One setting below /proc/sys/net. A kernel without IPv6 has no such file, which is fine. */
static bool write_setting(const char *family, const char *link, const char *name, const char *value, GError **error)
{
    g_autofree char *path = g_build_filename("/proc/sys/net", family, "conf", link, name, NULL);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    bool written = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    int errnum = errno;
    if (fd >= 0)
        close(fd);
    if (!written)
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_VIF, "write '%s': %s", path, g_strerror(errnum));
    return written;
}

/* The bridge gets no address of its own and does not answer ARP for the host's other ones (os-vif linux_net.py _disable_ipv6, _arp_filtering). */
static bool quieten_bridge(const char *bridge, GError **error)
{
    return write_setting("ipv6", bridge, "disable_ipv6", "1", error) && write_setting("ipv4", bridge, "arp_ignore", "1", error) &&
        write_setting("ipv4", bridge, "arp_announce", "2", error);
}

static bool ensure_bridge(const VirtVif *vif, GError **error)
{
    bool created;
    if (!virt_link_create_bridge(vif->bridge, &created, error))
        return false;
    if (created && (!quieten_bridge(vif->bridge, error) || !virt_link_set_up(vif->bridge, error))) {
        virt_link_delete(vif->bridge, NULL); /* a half made bridge would be taken for a good one next time */
        return false;
    }
    if (vif->bridge_interface == NULL || virt_link_index(vif->bridge_interface) == 0)
        return true;
    if (!virt_link_set_master(vif->bridge_interface, vif->bridge, error) || !virt_link_set_up(vif->bridge_interface, error))
        return false;
    /* A bridge's MTU follows its ports, so it is set last. */
    return vif->mtu <= 0 ||
        (virt_link_set_mtu(vif->bridge_interface, (unsigned)vif->mtu, error) && virt_link_set_mtu(vif->bridge, (unsigned)vif->mtu, error));
}

static bool plug_bridge(const VirtVif *vif, GError **error)
{
    if (vif->bridge == NULL) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_VIF, "the network has no bridge name");
        return false;
    }
    return vif->multi_host || !vif->create_bridge || ensure_bridge(vif, error);
}

static bool plug_tap(const VirtVif *vif, GError **error)
{
    g_autofree char *name = vif->dev_name != NULL ? g_strdup(vif->dev_name) : virt_vif_dev_name(vif->vif_id);
    bool there = virt_link_exists(name);
    if (!virt_link_create_tap(name, vif->multi_queue, error))
        return false;
    if ((vif->tap_mac == NULL || virt_link_set_address(name, vif->tap_mac, error)) && virt_link_set_up(name, error) &&
        (vif->mtu <= 0 || virt_link_set_mtu(name, (unsigned)vif->mtu, error)))
        return true;
    if (!there)
        virt_link_delete(name, NULL);
    return false;
}

static bool unplug_tap(const VirtVif *vif, GError **error)
{
    g_autofree char *name = vif->dev_name != NULL ? g_strdup(vif->dev_name) : virt_vif_dev_name(vif->vif_id);
    return virt_link_delete(name, error);
}

static char *port_device(const char *prefix, const VirtVif *vif)
{
    g_autofree char *full = g_strconcat(prefix, vif->vif_id, NULL);
    return g_strndup(full, DEVICE_NAME_LENGTH);
}

static bool set_both_mtu(const VirtVif *vif, const char *inner, const char *outer, GError **error)
{
    int mtu = vif->mtu > 0 ? vif->mtu : vif->ovs_mtu;
    return mtu <= 0 || (virt_link_set_mtu(inner, (unsigned)mtu, error) && virt_link_set_mtu(outer, (unsigned)mtu, error));
}

static bool connect_hybrid(const VirtVif *vif, const char *bridge, const char *inner, const char *outer, GError **error)
{
    return virt_link_delete(inner, error) && virt_link_create_veth(inner, outer, error) && virt_link_set_up(inner, error) &&
        virt_link_set_promiscuous(inner, error) && virt_link_set_up(outer, error) && virt_link_set_promiscuous(outer, error) &&
        set_both_mtu(vif, inner, outer, error) && virt_link_set_master(inner, bridge, error) &&
        virt_ovs_add_port(&vif->ovs, vif->bridge, outer, vif->vif_id, vif->mac, vif->instance_uuid, error);
}

/* The guest's tap is on a Linux bridge of its own, where iptables can filter; a veth pair joins that to Open vSwitch. */
static bool plug_hybrid(const VirtVif *vif, GError **error)
{
    g_autofree char *bridge = port_device("qbr", vif), *inner = port_device("qvb", vif), *outer = port_device("qvo", vif);
    bool created;
    if (!virt_link_create_port_bridge(bridge, &created, error))
        return false;
    bool there = virt_link_exists(outer);
    if (quieten_bridge(bridge, error) && virt_link_set_up(bridge, error) &&
        (there ? set_both_mtu(vif, inner, outer, error) : connect_hybrid(vif, bridge, inner, outer, error)))
        return true;
    if (!there)
        virt_link_delete(outer, NULL); /* its other end goes with it */
    if (created)
        virt_link_delete(bridge, NULL);
    return false;
}

static bool unplug_hybrid(const VirtVif *vif, GError **error)
{
    g_autofree char *bridge = port_device("qbr", vif), *outer = port_device("qvo", vif);
    bool port_deleted = vif->bridge == NULL || virt_ovs_delete_port(&vif->ovs, vif->bridge, outer, error);
    /* The links go even if Open vSwitch does not answer. */
    GError **links_error = port_deleted ? error : NULL;
    bool links_deleted = virt_link_delete(bridge, links_error) && virt_link_delete(outer, links_error);
    return port_deleted && links_deleted;
}

/* libvirt adds and removes the port by the virtualport in the interface's XML, but for the hybrid plug. */
static bool plug_ovs(const VirtVif *vif, GError **error)
{
    return !vif->hybrid_plug || plug_hybrid(vif, error);
}

static bool unplug_ovs(const VirtVif *vif, GError **error)
{
    return !vif->hybrid_plug || unplug_hybrid(vif, error);
}

static bool nothing(const VirtVif *vif, GError **error)
{
    (void)vif;
    (void)error;
    return true;
}

static const struct {
    const char *type;
    bool (*plug)(const VirtVif *vif, GError **error);
    bool (*unplug)(const VirtVif *vif, GError **error);
} types[] = {
    {"bridge", plug_bridge, nothing}, /* the bridge stays: other ports and Neutron's agent use it */
    {"ovs", plug_ovs, unplug_ovs},
    {"tap", plug_tap, unplug_tap},
};

static int find_type(const VirtVif *vif, GError **error)
{
    if (vif->type == NULL) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_VIF, "the port has no vif_type");
        return -1;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(vif->type, types[i].type) == 0)
            return (int)i;
    /* What Neutron says when it has nothing for us (upstream VirtualInterfacePlugException) is told from what novad lacks. */
    static const char *const unusable[] = {"unbound", "binding_failed", "other", NULL};
    VirtError code = g_strv_contains(unusable, vif->type) ? VIRT_ERROR_VIF : VIRT_ERROR_NOT_SUPPORTED;
    g_set_error(error, VIRT_ERROR, code, "unexpected vif_type '%s' of port %s", vif->type, vif->vif_id != NULL ? vif->vif_id : "(none)");
    return -1;
}

bool virt_vif_plug(const VirtVif *vif, GError **error)
{
    int type = find_type(vif, error);
    if (type >= 0 && types[type].plug(vif, error))
        return true;
    g_prefix_error(error, "plug VIF: ");
    return false;
}

bool virt_vif_unplug(const VirtVif *vif, GError **error)
{
    int type = find_type(vif, error);
    if (type >= 0 && types[type].unplug(vif, error))
        return true;
    g_prefix_error(error, "unplug VIF: ");
    return false;
}
