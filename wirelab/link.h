/* SPDX-License-Identifier: MIT
 *
 * link: a host's cable and its addresses. Each host has one veth pair: one
 * end is the host's eth0, the other belongs to the wire, without an address.
 *
 *     client   02:00:00:00:00:01   10.9.0.1/24   fd00:9::1/64
 *     server   02:00:00:00:00:02   10.9.0.2/24   fd00:9::2/64
 *
 * Sources: veth(4), rtnetlink(7), packet(7), ethtool's ioctl (netdevice(7)).
 * Read next: host.c, which makes the namespaces around it.
 */
#ifndef WIRELAB_LINK_H
#define WIRELAB_LINK_H

#include "err.h"
#include "event.h"

#include <stdbool.h>
#include <stdint.h>

struct link_options {
    bool ipv6;              /* addresses of both families; else IPv4 alone */
    uint32_t mtu;           /* 68 (with IPv6 1280) to 65535 */
    const char *congestion; /* "reno", "cubic", ...: of TCP in the hosts */
};

#define LINK_CLIENT4 "10.9.0.1"
#define LINK_SERVER4 "10.9.0.2"
#define LINK_CLIENT6 "fd00:9::1"
#define LINK_SERVER6 "fd00:9::2"

/* The address of a host, as text. */
const char *link_address(enum host_id host, bool ipv6);

/* To be called in a new network namespace before anything else: the settings
 * that links inherit. What /proc/sys refuses (containers mount it read-only)
 * only means more noise on the wire. */
void link_defaults(const struct link_options *o, bool is_host);

/* In the host's network namespace: makes the pair, with its far end in the
 * namespace WIRE_NETNS (a descriptor), where WIRE_ROUTE is a rtnetlink socket;
 * both ends up, checksums and segmentation done by the kernel and not left to
 * a card that does not exist. *wire_index is the far end's. 0, or -1 and *e,
 * which says what was refused. */
int link_open(enum host_id host, const struct link_options *o, int wire_netns,
              int wire_route, unsigned *wire_index, struct err *e);

#endif
