/* SPDX-License-Identifier: MIT
 *
 * frame: bytes to fields, layer by layer, from the cable upward: Ethernet,
 * IP, then TCP, UDP or ICMP. Each layer reads its header through a view of
 * the bytes, and hands a narrower view to the next. A view answers 0 beyond
 * its end, so that no length a stranger wrote into a header can make this
 * file read what is not there. See frame.h for the contract.
 * Read next: fault.c, which decides what happens to a frame.
 */
#include "frame.h"

#include "lang.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88a8,
    ETHERTYPE_QINQ_OLD = 0x9100,
};

/* The bytes of one layer: LEN at hand, of WIRE that there were. */
struct view {
    const uint8_t *bytes;
    size_t len, wire;
};

static bool has(struct view v, size_t at, size_t n)
{
    return at <= v.len && n <= v.len - at;
}

/* WIDTH bytes as a number, the first one highest; 0 if not all are there. */
static uint32_t get(struct view v, size_t at, size_t width)
{
    uint32_t n = 0;
    if (!has(v, at, width))
        return 0;
    for (size_t i = 0; i < width; i++)
        n = n << 8 | v.bytes[at + i];
    return n;
}

static uint8_t get8(struct view v, size_t at)
{
    return (uint8_t)get(v, at, 1);
}

static uint16_t get16(struct view v, size_t at)
{
    return (uint16_t)get(v, at, 2);
}

static uint32_t get32(struct view v, size_t at)
{
    return get(v, at, 4);
}

static void get_bytes(struct view v, size_t at, void *to, size_t n)
{
    if (has(v, at, n))
        memcpy(to, v.bytes + at, n);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The view behind its first N bytes; empty if there are not so many. */
static struct view skip(struct view v, size_t n)
{
    size_t here = smaller(n, v.len);
    return (struct view){v.bytes + here, v.len - here,
                         v.wire - smaller(n, v.wire)};
}

/* The view, no longer than N. */
static struct view clip(struct view v, size_t n)
{
    return (struct view){v.bytes, smaller(v.len, n), smaller(v.wire, n)};
}

static bool is_whole(struct view v)
{
    return v.len == v.wire;
}

/* The first reason is the one to keep: what follows from it is noise. */
static void stop(struct frame *f, const char *why)
{
    if (f->cut == NULL)
        f->cut = why;
}

/* Options of IPv4 and of TCP have one form: kind, length, value; kind 0 ends
 * the list and kind 1 is padding. Takes the next option off *v; false at the
 * end, or where the list makes no sense (then *v is not empty). */
static bool next_option(struct view *v, uint8_t *kind, struct view *value)
{
    while (v->len > 0 && get8(*v, 0) == 1)
        *v = skip(*v, 1);
    if (v->len == 0)
        return false;
    *kind = get8(*v, 0);
    if (*kind == 0) {
        *v = clip(*v, 0);
        return false;
    }
    size_t size = get8(*v, 1);
    if (size < 2 || size > v->len)
        return false;
    *value = skip(clip(*v, size), 2);
    *v = skip(*v, size);
    return true;
}

/* Checksums: the one's complement sum of 16-bit words (RFC 1071). It does not
 * depend on the order of bytes, and carries may be added late, so words are
 * added as they lie, two at a time. */

static uint64_t sum_bytes(const uint8_t *bytes, size_t len, uint64_t sum)
{
    uint32_t words;
    for (; len >= 4; bytes += 4, len -= 4) {
        memcpy(&words, bytes, 4);
        sum += words;
    }
    words = 0;
    memcpy(&words, bytes, len); /* an odd end is padded with zeroes */
    return sum + words;
}

/* A sum that includes the checksum itself is all ones if nothing changed. */
static enum frame_checksum judge(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff ? CHECKSUM_GOOD : CHECKSUM_BAD;
}

/* TCP, UDP and ICMPv6 also cover the addresses, the length and the protocol:
 * a segment that came to the wrong host is a bad one. */
static uint64_t sum_pseudo_header(const struct frame *f, size_t len)
{
    uint64_t sum = htons(f->ip_protocol);
    uint32_t length = htonl((uint32_t)len);
    const struct addr *ends[] = {&f->source, &f->destination};
    for (size_t i = 0; i < 2; i++) {
        if (f->ip_version == 4)
            sum = sum_bytes((const uint8_t *)&ends[i]->in.sin_addr, 4, sum);
        else
            sum = sum_bytes((const uint8_t *)&ends[i]->in6.sin6_addr, 16, sum);
    }
    return sum_bytes((const uint8_t *)&length, sizeof length, sum);
}

/* A fragment, or a packet that was captured in part, cannot be judged; nor
 * one that is routed by its source: its checksum is over the last address. */
static enum frame_checksum check_transport(const struct frame *f, struct view v,
                                           bool pseudo)
{
    if (f->is_fragment || f->is_source_routed || !is_whole(v))
        return CHECKSUM_UNKNOWN;
    uint64_t sum = pseudo ? sum_pseudo_header(f, v.len) : 0;
    return judge(sum_bytes(v.bytes, v.len, sum));
}

/* Addresses and ports. */

static struct addr read_ipv4(struct view v, size_t at)
{
    struct addr a = {.in = {.sin_family = AF_INET}, .len = sizeof a.in};
    get_bytes(v, at, &a.in.sin_addr, sizeof a.in.sin_addr);
    return a;
}

static struct addr read_ipv6(struct view v, size_t at)
{
    struct addr a = {.in6 = {.sin6_family = AF_INET6}, .len = sizeof a.in6};
    get_bytes(v, at, &a.in6.sin6_addr, sizeof a.in6.sin6_addr);
    return a;
}

static void set_port(struct addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
    else
        a->in.sin_port = htons(port);
}

/* TCP and UDP begin alike: source port, destination port. Only the first
 * fragment has them. */
static void read_ports(struct view v, struct frame *f)
{
    bool has_ports =
        f->ip_protocol == IPPROTO_TCP || f->ip_protocol == IPPROTO_UDP;
    if (!has_ports || f->fragment_offset > 0)
        return;
    set_port(&f->source, get16(v, 0));
    set_port(&f->destination, get16(v, 2));
}

/* Transport. */

static void read_payload(struct view v, struct frame *f)
{
    if (!is_whole(v))
        stop(f, N_("the payload is cut"));
    f->payload = v.wire > 0 ? v.bytes : NULL;
    f->payload_len = v.wire;
    f->payload_at_hand = v.len;
}

static void read_sack(struct view v, struct frame *f)
{
    f->sacks = 0;
    for (; v.len >= 8 && f->sacks < FRAME_SACKS; v = skip(v, 8)) {
        f->sack[f->sacks].begin = get32(v, 0);
        f->sack[f->sacks].end = get32(v, 4);
        f->sacks++;
    }
}

static void read_tcp_options(struct view v, struct frame *f)
{
    uint8_t kind;
    struct view value;
    while (next_option(&v, &kind, &value)) {
        if (kind == 2 && value.len == 2) {
            f->mss = get16(value, 0);
        } else if (kind == 3 && value.len == 1) {
            /* RFC 7323: more than 14 means 14 */
            f->window_scale = (int8_t)smaller(get8(value, 0), 14);
        } else if (kind == 4 && value.len == 0) {
            f->sack_permitted = true;
        } else if (kind == 5) {
            read_sack(value, f);
        } else if (kind == 8 && value.len == 8) {
            f->has_timestamps = true;
            f->ts_value = get32(value, 0);
            f->ts_echo = get32(value, 4);
        }
    }
    if (v.len > 0)
        stop(f, N_("the TCP options make no sense"));
}

static void decode_tcp(struct view v, struct frame *f)
{
    if (!has(v, 0, 20)) {
        stop(f, N_("the TCP header is cut"));
        return;
    }
    f->kind = FRAME_TCP;
    f->seq = get32(v, 4);
    f->ack = get32(v, 8);
    f->tcp_header = (uint8_t)(4 * (get8(v, 12) >> 4));
    f->flags = get8(v, 13);
    f->window = get16(v, 14);
    if (f->tcp_header < 20 || f->tcp_header > v.wire) {
        stop(f, N_("the TCP header's length is wrong"));
        return;
    }
    if (!has(v, 0, f->tcp_header)) {
        stop(f, N_("the TCP options are cut"));
        f->payload_len = v.wire - f->tcp_header;
        return;
    }
    read_tcp_options(skip(clip(v, f->tcp_header), 20), f);
    f->transport_checksum = check_transport(f, v, true);
    read_payload(skip(v, f->tcp_header), f);
}

static void decode_udp(struct view v, struct frame *f)
{
    if (!has(v, 0, 8)) {
        stop(f, N_("the UDP header is cut"));
        return;
    }
    f->kind = FRAME_UDP;
    size_t length = get16(v, 4);
    uint16_t checksum = get16(v, 6);
    /* Of a fragment the header's length is the whole datagram's. */
    bool is_wrong = length < 8 || (length > v.wire && !f->more_fragments);
    if (is_wrong)
        stop(f, N_("the UDP header's length is wrong"));
    else
        v = clip(v, length);
    if (!is_wrong && (checksum != 0 || f->ip_version == 6))
        f->transport_checksum =
            checksum != 0 ? check_transport(f, v, true) : CHECKSUM_BAD;
    read_payload(skip(v, 8), f);
}

static struct view decode_ip_header(struct view v, struct frame *f);

/* Errors quote the packet that they are about: its IP header, and at least
 * the eight bytes behind it. */
static bool icmp_quotes(const struct frame *f)
{
    if (f->ip_version == 6)
        return f->icmp_type >= 1 && f->icmp_type <= 4;
    return (f->icmp_type >= 3 && f->icmp_type <= 5) || f->icmp_type == 11 ||
           f->icmp_type == 12;
}

static void decode_icmp(struct view v, struct frame *f)
{
    if (!has(v, 0, 4)) {
        stop(f, N_("the ICMP header is cut"));
        return;
    }
    f->kind = FRAME_ICMP;
    f->icmp_type = get8(v, 0);
    f->icmp_code = get8(v, 1);
    f->transport_checksum = check_transport(f, v, f->ip_version == 6);
    if (!is_whole(v))
        stop(f, N_("the ICMP message is cut"));
    if (!icmp_quotes(f))
        return;

    /* The quotation is cut by design: its own cut and checksums say nothing
     * about this frame. */
    struct frame quoted = {0};
    read_ports(decode_ip_header(skip(v, 8), &quoted), &quoted);
    f->about_protocol = quoted.ip_protocol;
    f->about_source = quoted.source;
    f->about_destination = quoted.destination;
}

/* IP. */

static void note_source_route(struct view options, struct frame *f)
{
    enum { LOOSE_SOURCE_ROUTE = 131, STRICT_SOURCE_ROUTE = 137 };
    uint8_t kind;
    struct view value;
    while (next_option(&options, &kind, &value))
        if (kind == LOOSE_SOURCE_ROUTE || kind == STRICT_SOURCE_ROUTE)
            f->is_source_routed = true;
}

static void set_fragment(struct frame *f, uint32_t id, uint16_t offset,
                         bool more)
{
    f->ip_id = id;
    f->fragment_offset = offset;
    f->more_fragments = more;
    f->is_fragment = offset > 0 || more;
}

/* Narrows the view to the LENGTH that the IP header claims: behind it lies
 * what pads an Ethernet frame to 60 bytes. */
static struct view clip_packet(struct view v, size_t length, struct frame *f)
{
    if (length > v.wire)
        stop(f, N_("the IP packet is longer than its frame"));
    return clip(v, length);
}

static struct view decode_ipv4(struct view v, struct frame *f)
{
    if (!has(v, 0, 20)) {
        stop(f, N_("the IPv4 header is cut"));
        return clip(v, 0);
    }
    size_t header = 4 * (size_t)(get8(v, 0) & 0x0f);
    size_t total = get16(v, 2);
    if (total == 0)
        total = v.wire; /* a capture of a super-packet before it was split */
    if (header < 20 || header > total) {
        stop(f, N_("the IPv4 header's length is wrong"));
        return clip(v, 0);
    }
    uint16_t fragment = get16(v, 6);
    f->kind = FRAME_IP;
    f->ip_version = 4;
    f->ip_header = (uint32_t)header;
    f->ttl = get8(v, 8);
    f->ip_protocol = get8(v, 9);
    f->source = read_ipv4(v, 12);
    f->destination = read_ipv4(v, 16);
    set_fragment(f, get16(v, 4), (uint16_t)((fragment & 0x1fff) * 8),
                 (fragment & 0x2000) != 0);
    if (!has(v, 0, header)) {
        stop(f, N_("the IPv4 options are cut"));
        return clip(v, 0);
    }
    f->ip_checksum = judge(sum_bytes(v.bytes, header, 0));
    note_source_route(skip(clip(v, header), 20), f);
    return skip(clip_packet(v, total, f), header);
}

/* How long the extension header at the front of V is; 0: PROTOCOL is none. */
static size_t extension_length(uint8_t protocol, struct view v)
{
    switch (protocol) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_MH:
    case 139: /* Host Identity Protocol */
    case 140: /* Shim6 */
        return 8 + 8 * (size_t)get8(v, 1);
    case IPPROTO_AH:
        return 8 + 4 * (size_t)get8(v, 1);
    case IPPROTO_FRAGMENT:
        return 8;
    default:
        return 0;
    }
}

/* Walks the chain of extension headers to the transport. Ends, because each
 * takes at least 8 bytes off the view. */
static struct view decode_extensions(struct view v, struct frame *f)
{
    size_t size;
    while ((size = extension_length(f->ip_protocol, v)) > 0) {
        if (!has(v, 0, 8) || !has(v, 0, size)) {
            stop(f, N_("an IPv6 extension header is cut"));
            return clip(v, 0);
        }
        uint8_t next = get8(v, 0);
        if (f->ip_protocol == IPPROTO_FRAGMENT)
            set_fragment(f, get32(v, 4), get16(v, 2) & 0xfff8,
                         (get8(v, 3) & 1) != 0);
        if (f->ip_protocol == IPPROTO_ROUTING && get8(v, 3) > 0)
            f->is_source_routed = true;
        f->ip_protocol = next;
        f->ip_header += (uint32_t)size;
        v = skip(v, size);
        if (f->fragment_offset > 0)
            break; /* what follows is from the middle of the packet */
    }
    return v;
}

static struct view decode_ipv6(struct view v, struct frame *f)
{
    if (!has(v, 0, 40)) {
        stop(f, N_("the IPv6 header is cut"));
        return clip(v, 0);
    }
    f->kind = FRAME_IP;
    f->ip_version = 6;
    f->ip_header = 40;
    f->ip_protocol = get8(v, 6);
    f->ttl = get8(v, 7);
    f->source = read_ipv6(v, 8);
    f->destination = read_ipv6(v, 24);
    size_t length = get16(v, 4);
    if (length == 0 && f->ip_protocol == IPPROTO_HOPOPTS)
        length = v.wire - 40; /* RFC 2675: a jumbogram says it elsewhere */
    return decode_extensions(skip(clip_packet(v, 40 + length, f), 40), f);
}

/* Reads an IP header of either version; returns the view behind it, empty if
 * there is nothing to go on with. */
static struct view decode_ip_header(struct view v, struct frame *f)
{
    uint8_t version = get8(v, 0) >> 4;
    if (version == 4)
        return decode_ipv4(v, f);
    if (version == 6)
        return decode_ipv6(v, f);
    stop(f, v.len == 0 ? N_("the IP header is cut")
                       : N_("the IP version is unknown"));
    return clip(v, 0);
}

static void decode_packet(struct view v, struct frame *f)
{
    v = decode_ip_header(v, f);
    if (f->kind != FRAME_IP)
        return;
    f->transport = v.len > 0 ? v.bytes : NULL;
    f->transport_len = v.len;
    if (f->fragment_offset > 0 || f->ip_protocol == IPPROTO_NONE)
        return;
    read_ports(v, f);
    if (f->ip_protocol == IPPROTO_TCP)
        decode_tcp(v, f);
    else if (f->ip_protocol == IPPROTO_UDP)
        decode_udp(v, f);
    else if (f->ip_protocol ==
             (f->ip_version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
        decode_icmp(v, f);
}

/* Link. */

static void decode_arp(struct view v, struct frame *f)
{
    if (!has(v, 0, 28)) {
        stop(f, N_("the ARP message is cut"));
        return;
    }
    bool is_for_ipv4 = get16(v, 2) == ETHERTYPE_IPV4 && get16(v, 4) == 0x0604;
    if (!is_for_ipv4)
        return;
    f->kind = FRAME_ARP;
    f->arp_operation = get16(v, 6);
    f->source = read_ipv4(v, 14);
    f->destination = read_ipv4(v, 24);
}

static bool is_vlan_tag(uint16_t ethertype)
{
    return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ ||
           ethertype == ETHERTYPE_QINQ_OLD;
}

static void decode_ethertype(uint16_t ethertype, struct view v, struct frame *f)
{
    for (; is_vlan_tag(ethertype); v = skip(v, 4)) {
        if (!has(v, 0, 4)) {
            stop(f, N_("the VLAN tag is cut"));
            break;
        }
        if (f->vlan == 0)
            f->vlan = get16(v, 0) & 0x0fff;
        ethertype = get16(v, 2);
    }
    f->ethertype = ethertype;
    if (ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6)
        decode_packet(v, f);
    else if (ethertype == ETHERTYPE_ARP)
        decode_arp(v, f);
}

static struct view begin(const uint8_t *bytes, size_t len, size_t wire_len,
                         struct frame *f)
{
    if (wire_len < len)
        wire_len = len; /* only a broken capture file says so */
    *f = (struct frame){.window_scale = -1, .wire_len = wire_len};
    return (struct view){bytes, len, wire_len};
}

void frame_decode_ethertype(uint16_t ethertype, const uint8_t *bytes,
                            size_t len, size_t wire_len, struct frame *f)
{
    decode_ethertype(ethertype, begin(bytes, len, wire_len, f), f);
}

void frame_decode_ip(const uint8_t *bytes, size_t len, size_t wire_len,
                     struct frame *f)
{
    decode_packet(begin(bytes, len, wire_len, f), f);
}

void frame_decode(const uint8_t *bytes, size_t len, size_t wire_len,
                  struct frame *f)
{
    struct view v = begin(bytes, len, wire_len, f);
    if (!has(v, 0, 14)) {
        stop(f, N_("the Ethernet header is cut"));
        return;
    }
    get_bytes(v, 0, f->mac_destination, sizeof f->mac_destination);
    get_bytes(v, 6, f->mac_source, sizeof f->mac_source);
    decode_ethertype(get16(v, 12), skip(v, 14), f);
}

/* Words. */

uint32_t frame_seq_len(const struct frame *f)
{
    if (f->kind != FRAME_TCP)
        return 0;
    return (uint32_t)f->payload_len + ((f->flags & TCP_SYN) != 0) +
           ((f->flags & TCP_FIN) != 0);
}

const char *frame_flags(const struct frame *f, char separator, char *buf,
                        size_t cap)
{
    static const char *const names[] = {"FIN", "SYN", "RST", "PSH",
                                        "ACK", "URG", "ECE", "CWR"};
    size_t used = 0;
    if (cap > 0)
        buf[0] = '\0';
    for (unsigned bit = 0; bit < 8; bit++) {
        if ((f->flags & 1u << bit) == 0)
            continue;
        if (used + 5 > cap)
            break;
        if (used > 0)
            buf[used++] = separator;
        memcpy(buf + used, names[bit], 4);
        used += 3;
    }
    return buf;
}

struct icmp_name {
    uint8_t version, type;
    int16_t code; /* -1: any */
    const char *name;
};

static const struct icmp_name icmp_names[] = {
    {4, 0, -1, N_("echo reply")},
    {4, 3, 0, N_("net unreachable")},
    {4, 3, 1, N_("host unreachable")},
    {4, 3, 2, N_("protocol unreachable")},
    {4, 3, 3, N_("port unreachable")},
    {4, 3, 4, N_("fragmentation needed")},
    {4, 3, 9, N_("net prohibited")},
    {4, 3, 10, N_("host prohibited")},
    {4, 3, 13, N_("administratively prohibited")},
    {4, 3, -1, "unreachable"},
    {4, 4, -1, N_("source quench")},
    {4, 5, -1, N_("redirect")},
    {4, 8, -1, N_("echo request")},
    {4, 11, 0, N_("time to live exceeded")},
    {4, 11, 1, N_("reassembly time exceeded")},
    {4, 12, -1, N_("parameter problem")},
    {6, 1, 0, N_("no route")},
    {6, 1, 1, N_("administratively prohibited")},
    {6, 1, 3, N_("address unreachable")},
    {6, 1, 4, N_("port unreachable")},
    {6, 1, -1, "unreachable"},
    {6, 2, -1, N_("packet too big")},
    {6, 3, 0, N_("hop limit exceeded")},
    {6, 3, 1, N_("reassembly time exceeded")},
    {6, 4, -1, N_("parameter problem")},
    {6, 128, -1, N_("echo request")},
    {6, 129, -1, N_("echo reply")},
    {6, 130, -1, N_("multicast listener query")},
    {6, 131, -1, N_("multicast listener report")},
    {6, 132, -1, N_("multicast listener done")},
    {6, 133, -1, N_("router solicitation")},
    {6, 134, -1, N_("router advertisement")},
    {6, 135, -1, N_("neighbor solicitation")},
    {6, 136, -1, N_("neighbor advertisement")},
    {6, 137, -1, N_("redirect")},
    {6, 143, -1, N_("multicast listener report")},
};

const char *frame_icmp_name(const struct frame *f, char *buf, size_t cap)
{
    for (size_t i = 0; i < sizeof icmp_names / sizeof *icmp_names; i++) {
        const struct icmp_name *n = &icmp_names[i];
        if (n->version == f->ip_version && n->type == f->icmp_type &&
            (n->code < 0 || n->code == f->icmp_code)) {
            snprintf(buf, cap, "%s", n->name);
            return buf;
        }
    }
    snprintf(buf, cap, "type %u code %u", f->icmp_type, f->icmp_code);
    return buf;
}
