/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/error.h"
#include "virt/link.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NETLINK_BUFFER 8192 /* libmnl's own size is min(page, 8192), which is no constant */

static bool fail(GError **error, int errnum, const char *what, const char *name)
{
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_VIF, "%s '%s': %s", what, name, g_strerror(errnum));
    return false;
}

/* The kernel takes at most 15 characters, and no slash or blank. */
static bool check_name(const char *name, GError **error)
{
    size_t length = name != NULL ? strlen(name) : 0;
    if (length > 0 && length < IFNAMSIZ && strpbrk(name, "/ \t\n:") == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return true;
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "'%s' is no name of a network device", name != NULL ? name : "");
    return false;
}

unsigned virt_link_index(const char *name)
{
    return strlen(name) < IFNAMSIZ ? if_nametoindex(name) : 0;
}

/* Sends a request that asks for an acknowledgement and waits for it. Returns 0 or the errno. */
static int talk(struct nlmsghdr *request)
{
    static gint sequence;
    char buffer[NETLINK_BUFFER];
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (socket == NULL)
        return errno;
    int errnum = 0;
    request->nlmsg_seq = (guint32)g_atomic_int_add(&sequence, 1) + 1;
    request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
        errnum = errno;
    else {
        unsigned port = mnl_socket_get_portid(socket);
        int state = MNL_CB_OK;
        while (state > MNL_CB_STOP) {
            ssize_t got = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
            if (got < 0 && errno == EINTR)
                continue;
            state = got > 0 ? mnl_cb_run(buffer, (size_t)got, request->nlmsg_seq, port, NULL, NULL) : MNL_CB_ERROR;
            if (state == MNL_CB_ERROR)
                errnum = errno != 0 ? errno : EIO;
        }
    }
    mnl_socket_close(socket);
    return errnum;
}

static struct nlmsghdr *new_request(char *buffer, uint16_t type, uint16_t flags, unsigned index, struct ifinfomsg **info)
{
    memset(buffer, 0, NETLINK_BUFFER); /* attributes are padded, and the padding is sent too */
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = type;
    request->nlmsg_flags = flags;
    *info = mnl_nlmsg_put_extra_header(request, sizeof **info);
    (*info)->ifi_family = AF_UNSPEC;
    (*info)->ifi_index = (int)index;
    return request;
}

static bool create_bridge(const char *name, bool ageing, bool *created, GError **error)
{
    char buffer[NETLINK_BUFFER];
    struct ifinfomsg *info;
    *created = false;
    if (!check_name(name, error))
        return false;
    struct nlmsghdr *request = new_request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, &info);
    mnl_attr_put_strz(request, IFLA_IFNAME, name);
    struct nlattr *link = mnl_attr_nest_start(request, IFLA_LINKINFO);
    mnl_attr_put_strz(request, IFLA_INFO_KIND, "bridge");
    struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
    mnl_attr_put_u32(request, IFLA_BR_FORWARD_DELAY, 0);
    mnl_attr_put_u32(request, IFLA_BR_STP_STATE, 0);
    mnl_attr_put_u8(request, IFLA_BR_MCAST_SNOOPING, 0);
    if (!ageing)
        mnl_attr_put_u32(request, IFLA_BR_AGEING_TIME, 0);
    mnl_attr_nest_end(request, data);
    mnl_attr_nest_end(request, link);
    int errnum = talk(request);
    *created = errnum == 0;
    return errnum == 0 || errnum == EEXIST || fail(error, errnum, "create bridge", name);
}

bool virt_link_create_bridge(const char *name, bool *created, GError **error)
{
    return create_bridge(name, true, created, error);
}

bool virt_link_create_port_bridge(const char *name, bool *created, GError **error)
{
    return create_bridge(name, false, created, error);
}

bool virt_link_create_veth(const char *name, const char *peer, GError **error)
{
    char buffer[NETLINK_BUFFER];
    struct ifinfomsg *info;
    if (!check_name(name, error) || !check_name(peer, error))
        return false;
    struct nlmsghdr *request = new_request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, &info);
    mnl_attr_put_strz(request, IFLA_IFNAME, name);
    struct nlattr *link = mnl_attr_nest_start(request, IFLA_LINKINFO);
    mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA), *other = mnl_attr_nest_start(request, VETH_INFO_PEER);
    struct ifinfomsg *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
    header->ifi_family = AF_UNSPEC;
    mnl_attr_put_strz(request, IFLA_IFNAME, peer);
    mnl_attr_nest_end(request, other);
    mnl_attr_nest_end(request, data);
    mnl_attr_nest_end(request, link);
    int errnum = talk(request);
    return errnum == 0 || fail(error, errnum, "create veth pair", name);
}

/* A request to change an existing link. */
static struct nlmsghdr *change_request(char *buffer, const char *name, struct ifinfomsg **info, const char *what, GError **error)
{
    unsigned index = check_name(name, error) ? virt_link_index(name) : 0;
    if (index != 0)
        return new_request(buffer, RTM_NEWLINK, 0, index, info);
    if (error == NULL || *error == NULL)
        fail(error, ENODEV, what, name);
    return NULL;
}

static bool finish(struct nlmsghdr *request, const char *what, const char *name, GError **error)
{
    int errnum = talk(request);
    return errnum == 0 || fail(error, errnum, what, name);
}

static bool set_flag(const char *name, unsigned flag, const char *what, GError **error)
{
    char buffer[NETLINK_BUFFER];
    struct ifinfomsg *info;
    struct nlmsghdr *request = change_request(buffer, name, &info, what, error);
    if (request == NULL)
        return false;
    info->ifi_change = flag;
    info->ifi_flags = flag;
    return finish(request, what, name, error);
}

bool virt_link_set_up(const char *name, GError **error)
{
    return set_flag(name, IFF_UP, "bring up", error);
}

bool virt_link_set_promiscuous(const char *name, GError **error)
{
    return set_flag(name, IFF_PROMISC, "make promiscuous", error);
}

bool virt_link_set_mtu(const char *name, unsigned mtu, GError **error)
{
    char buffer[NETLINK_BUFFER];
    struct ifinfomsg *info;
    struct nlmsghdr *request = change_request(buffer, name, &info, "set MTU of", error);
    if (request == NULL)
        return false;
    mnl_attr_put_u32(request, IFLA_MTU, mtu);
    return finish(request, "set MTU of", name, error);
}

bool virt_link_set_master(const char *name, const char *bridge, GError **error)
{
    char buffer[NETLINK_BUFFER];
    struct ifinfomsg *info;
    unsigned master = virt_link_index(bridge);
    if (master == 0)
        return fail(error, ENODEV, "find bridge", bridge);
    struct nlmsghdr *request = change_request(buffer, name, &info, "put into a bridge", error);
    if (request == NULL)
        return false;
    mnl_attr_put_u32(request, IFLA_MASTER, master);
    return finish(request, "put into a bridge", name, error);
}

static bool parse_mac(const char *mac, guint8 bytes[6])
{
    for (size_t i = 0; i < 6; i++) {
        int high = g_ascii_xdigit_value(mac[0]), low = high >= 0 ? g_ascii_xdigit_value(mac[1]) : -1;
        if (low < 0 || (i < 5 ? mac[2] != ':' : mac[2] != '\0'))
            return false;
        bytes[i] = (guint8)(high << 4 | low);
        mac += 3;
    }
    return true;
}

bool virt_link_set_address(const char *name, const char *mac, GError **error)
{
    char buffer[NETLINK_BUFFER];
    struct ifinfomsg *info;
    guint8 bytes[6];
    if (!parse_mac(mac, bytes)) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "'%s' is no MAC address", mac);
        return false;
    }
    struct nlmsghdr *request = change_request(buffer, name, &info, "set address of", error);
    if (request == NULL)
        return false;
    mnl_attr_put(request, IFLA_ADDRESS, sizeof bytes, bytes);
    return finish(request, "set address of", name, error);
}

bool virt_link_delete(const char *name, GError **error)
{
    char buffer[NETLINK_BUFFER];
    struct ifinfomsg *info;
    if (!check_name(name, error))
        return false;
    unsigned index = virt_link_index(name);
    if (index == 0)
        return true;
    int errnum = talk(new_request(buffer, RTM_DELLINK, 0, index, &info));
    return errnum == 0 || errnum == ENODEV || fail(error, errnum, "delete", name);
}

bool virt_link_create_tap(const char *name, bool multi_queue, GError **error)
{
    if (!check_name(name, error))
        return false;
    if (virt_link_index(name) != 0)
        return true;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return fail(error, errno, "open /dev/net/tun for", name);
    struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | (multi_queue ? IFF_MULTI_QUEUE : 0))};
    memcpy(request.ifr_name, name, strlen(name)); /* checked to be shorter than the field, which is zero */
    int errnum = ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0 ? errno : 0;
    close(fd);
    return errnum == 0 || fail(error, errnum, "create tap", name);
}
