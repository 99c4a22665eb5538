/* SPDX-License-Identifier: MIT
 *
 * link: a host's cable and its addresses. See link.h for the contract.
 *
 * Two settings decide whether the lab tells the truth. The checksum: veth
 * leaves it to the far end, which would then take every corrupt frame for
 * good; so the host computes it (ETHTOOL_STXCSUM 0). Segmentation: veth
 * carries 64 KB super-segments, which no cable has seen; so TCP cuts them
 * itself (TSO and GSO off).
 */
#include "link.h"

#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "eth0"

/* One family's words in the messages below. */
struct family {
    uint8_t family, prefix;
    size_t len;
    const char *of[HOST_COUNT];
};
static const struct family families[] = {
    {AF_INET, 24, 4, {LINK_CLIENT4, LINK_SERVER4}},
    {AF_INET6, 64, 16, {LINK_CLIENT6, LINK_SERVER6}},
};

const char *link_address(enum host_id host, bool ipv6)
{
    return families[ipv6].of[host];
}

static void write_setting(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    /* Refused settings are not needed: see the contract of link_defaults. */
    if (write(fd, value, strlen(value)) < 0)
        errno = 0;
    close(fd);
}

void link_defaults(const struct link_options *o, bool is_host)
{
    const char *ipv6 = "/proc/sys/net/ipv6/conf/default/";
    char path[128];
    snprintf(path, sizeof path, "%sdisable_ipv6", ipv6);
    write_setting(path, is_host && o->ipv6 ? "0" : "1");
    snprintf(path, sizeof path, "%saddr_gen_mode", ipv6);
    write_setting(path, "1"); /* no link-local address, hence less talk */
    snprintf(path, sizeof path, "%srouter_solicitations", ipv6);
    write_setting(path, "0");
    if (is_host) /* what programs see before they connect; see add_routes */
        write_setting("/proc/sys/net/ipv4/tcp_congestion_control",
                      o->congestion);
}

/* The host's own address, or (FAR) that of the wire's end of its cable. */
static void put_mac(struct netlink *m, enum host_id host, bool far)
{
    const uint8_t mac[6] = {2, far, 0, 0, 0, (uint8_t)(host + 1)};
    netlink_put(m, IFLA_ADDRESS, mac, sizeof mac);
}

static int make_pair(int route, enum host_id host, uint32_t mtu, int wire_netns)
{
    struct ifinfomsg none = {0};
    struct netlink m;
    netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &none,
                  sizeof none);
    netlink_put_text(&m, IFLA_IFNAME, DEVICE);
    netlink_put_u32(&m, IFLA_MTU, mtu);
    put_mac(&m, host, false);
    size_t info = netlink_nest(&m, IFLA_LINKINFO);
    netlink_put_text(&m, IFLA_INFO_KIND, "veth");
    size_t data = netlink_nest(&m, IFLA_INFO_DATA);
    size_t peer = netlink_nest(&m, VETH_INFO_PEER);
    netlink_put_raw(&m, &none, sizeof none);
    netlink_put_text(&m, IFLA_IFNAME, host_name(host));
    netlink_put_u32(&m, IFLA_MTU, mtu);
    put_mac(&m, host, true);
    netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)wire_netns);
    netlink_nest_end(&m, peer);
    netlink_nest_end(&m, data);
    netlink_nest_end(&m, info);
    return netlink_ask(route, &m, NULL, NULL);
}

static int set_up(int route, const char *name)
{
    struct ifinfomsg up = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct netlink m;
    netlink_begin(&m, RTM_NEWLINK, 0, &up, sizeof up);
    netlink_put_text(&m, IFLA_IFNAME, name);
    return netlink_ask(route, &m, NULL, NULL);
}

static void see_index(const void *data, size_t len, void *context)
{
    unsigned *index = context;
    const struct ifinfomsg *info = data;
    if (len >= sizeof *info)
        *index = (unsigned)info->ifi_index;
}

/* if_nametoindex(3) in the namespace of ROUTE. */
static int find_index(int route, const char *name, unsigned *index)
{
    struct ifinfomsg any = {0};
    struct netlink m;
    netlink_begin(&m, RTM_GETLINK, 0, &any, sizeof any);
    netlink_put_text(&m, IFLA_IFNAME, name);
    return netlink_ask(route, &m, see_index, index);
}

static int offloads_off(void)
{
    static const uint32_t off[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < sizeof off / sizeof *off && result == 0; i++) {
        struct ethtool_value value = {.cmd = off[i], .data = 0};
        struct ifreq request = {.ifr_name = DEVICE};
        request.ifr_data = (void *)&value;
        result = ioctl(fd, SIOCETHTOOL, &request);
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

static void put_address(struct netlink *m, uint16_t type,
                        const struct family *f, const char *text)
{
    uint8_t bytes[16];
    inet_pton(f->family, text, bytes); /* our own constants: always good */
    netlink_put(m, type, bytes, f->len);
}

static int add_address(int route, unsigned index, const struct family *f,
                       enum host_id host)
{
    struct ifaddrmsg address = {.ifa_family = f->family,
                                .ifa_prefixlen = f->prefix,
                                .ifa_index = index};
    struct netlink m;
    netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &address,
                  sizeof address);
    put_address(&m, IFA_LOCAL, f, f->of[host]);
    put_address(&m, IFA_ADDRESS, f, f->of[host]);
    if (f->family == AF_INET)
        put_address(&m, IFA_BROADCAST, f, "10.9.0.255");
    /* NODAD: usable at once, not after a second of asking around. */
    netlink_put_u32(&m, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
    return netlink_ask(route, &m, NULL, NULL);
}

/* The congestion control stands in the route, because a new namespace may not
 * choose a restricted one (cubic, on some machines) by /proc/sys. */
static int add_route(int route, unsigned index, const struct family *f,
                     enum host_id host, uint8_t prefix, const char *congestion)
{
    struct rtmsg to = {.rtm_family = f->family,
                       .rtm_dst_len = prefix,
                       .rtm_table = RT_TABLE_MAIN,
                       .rtm_protocol = RTPROT_BOOT,
                       .rtm_scope = RT_SCOPE_LINK,
                       .rtm_type = RTN_UNICAST};
    struct netlink m;
    netlink_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &to,
                  sizeof to);
    if (prefix > 0)
        put_address(&m, RTA_DST, f,
                    f->family == AF_INET ? "10.9.0.0" : "fd00:9::");
    put_address(&m, RTA_PREFSRC, f, f->of[host]);
    netlink_put_u32(&m, RTA_OIF, index);
    size_t metrics = netlink_nest(&m, RTA_METRICS);
    netlink_put_text(&m, RTAX_CC_ALGO, congestion);
    netlink_nest_end(&m, metrics);
    return netlink_ask(route, &m, NULL, NULL);
}

/* The other host's MAC address is known, so that no ARP opens the picture. */
static int add_neighbor(int route, unsigned index, const struct family *f,
                        enum host_id peer)
{
    struct ndmsg neighbor = {.ndm_family = f->family,
                             .ndm_ifindex = (int)index,
                             .ndm_state = NUD_PERMANENT};
    const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(peer + 1)};
    struct netlink m;
    netlink_begin(&m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &neighbor,
                  sizeof neighbor);
    put_address(&m, NDA_DST, f, f->of[peer]);
    netlink_put(&m, NDA_LLADDR, mac, sizeof mac);
    return netlink_ask(route, &m, NULL, NULL);
}

static int add_family(int route, unsigned index, const struct family *f,
                      enum host_id host, const char *congestion, struct err *e)
{
    if (add_address(route, index, f, host) < 0)
        return err_sys(e, "address %s", f->of[host]);
    /* The default route carries what is meant for everyone:
     * 255.255.255.255 and multicast. */
    if (add_route(route, index, f, host, f->prefix, congestion) < 0 ||
        add_route(route, index, f, host, 0, congestion) < 0) {
        err_sys(e, "route with congestion control %s", congestion);
        if (errno == EINVAL)
            err_advise(e, "this kernel has: see "
                          "/proc/sys/net/ipv4/"
                          "tcp_available_congestion_control");
        return -1;
    }
    if (add_neighbor(route, index, f, 1 - host) < 0)
        return err_sys(e, "neighbor %s", f->of[1 - host]);
    return 0;
}

/* link_open with its route socket open. */
static int build(int route, enum host_id host, const struct link_options *o,
                 int wire_netns, int wire_route, unsigned *wire_index,
                 struct err *e)
{
    if (make_pair(route, host, o->mtu, wire_netns) < 0)
        return err_sys(e, "veth pair of the %s, MTU %u", host_name(host),
                       o->mtu);
    if (offloads_off() < 0)
        return err_sys(e, "offloads off (ETHTOOL_STXCSUM)");
    if (set_up(wire_route, host_name(host)) < 0 || set_up(route, "lo") < 0 ||
        set_up(route, DEVICE) < 0)
        return err_sys(e, "link of the %s up", host_name(host));
    if (find_index(wire_route, host_name(host), wire_index) < 0)
        return err_sys(e, "the wire's end of the %s", host_name(host));
    unsigned index = if_nametoindex(DEVICE);
    for (size_t i = 0; i < (o->ipv6 ? 2u : 1u); i++)
        if (add_family(route, index, &families[i], host, o->congestion, e) < 0)
            return -1;
    return 0;
}

int link_open(enum host_id host, const struct link_options *o, int wire_netns,
              int wire_route, unsigned *wire_index, struct err *e)
{
    int route = netlink_open(NETLINK_ROUTE);
    if (route < 0)
        return err_sys(e, "netlink socket");
    int result = build(route, host, o, wire_netns, wire_route, wire_index, e);
    close(route);
    return result;
}
