/* SPDX-License-Identifier: MIT
 *
 * layers: the models from the book, and frames by layer. See layers.h for the
 * contract.
 */
#include "layers.h"

#include "clock.h"
#include "lang.h"
#include "out.h"
#include "place.h"
#include "width.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a header in a row; bytes of a message that are shown. */
#define ROW_BYTES 16
#define MESSAGE_BYTES 32

#define COLUMNS 78

static const char title[] = N_("Three models of one thing, from the book; "
                               "--layers measures it on frames.");

/* clang-format off */
static const char *const book[] = {
    N_("OSI, 7          TCP/IP, 5      TCP/IP, 4     travels  protocols          device"),
    "--------------  -------------  ------------- -------- ------------------ ------",
    N_("7 application   5 application  4 application message  HTTP DNS SMTP SSH  host"),
    N_("6 presentation        |              |       message  TLS MIME UTF-8     host"),
    N_("5 session             |              |       message  RPC NetBIOS        host"),
    N_("4 transport     4 transport    3 transport   segment  TCP                host"),
    N_("      |               |              |       datagram UDP                host"),
    N_("3 network       3 network      2 internet    packet   IPv4 IPv6 ICMP     router"),
    N_("2 data link     2 link         1 link        frame    Ethernet Wi-Fi ARP switch"),
    N_("1 physical      1 physical           |       bit      copper fiber radio hub"),
};
/* clang-format on */

static const char *const remarks[] = {
    N_("A device reads its own layer and those below: a hub repeats bits; a "
       "switch reads the MAC addresses of a frame; a router the IP addresses "
       "of a packet; ports and messages are for the host at the end."),
    N_("Layers 5 and 6 have no bytes of their own in TCP/IP: a program, or a "
       "library in it such as TLS, does their work inside its messages."),
    N_("ARP finds a MAC address for an IP address: it stands between 2 and 3."),
    N_("ICMP travels in IP packets, and still is of the network layer."),
};

static void wrap(canvas_line_fn *line, void *context, const char *words)
{
    while (*words != '\0') {
        char part[2 * COLUMNS + 1];
        int n = place_line(words, COLUMNS);
        snprintf(part, sizeof part, "%.*s", n, words);
        line(part, context);
        words = place_next(words, n);
    }
}

void layers_book(canvas_line_fn *line, void *context)
{
    line(_(title), context);
    line("", context);
    for (size_t i = 0; i < sizeof book / sizeof *book; i++)
        line(_(book[i]), context);
    line("", context);
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
        wrap(line, context, _(remarks[i]));
}

/* --- lines --------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
say(const struct layers *l, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    width_mend(text);
    l->line(text, l->context);
}

void layers_head(const struct layers *l)
{
    wrap(l->line, l->context,
         _("Measured: every frame, as it left. Its layers in OSI's 7 and "
           "TCP/IP's 5 and 4, what travels there, which device reads it, and "
           "the bytes. OSI's 6 and 5 have no bytes of their own here: the "
           "message is the program's."));
}

/* A layer's place in the three models. */
struct place_of {
    const char *numbers, *travels, *device;
};

static const struct place_of places[] = {
    {"7 5 4", N_("message"), N_("host")},
    {"4 4 3", N_("segment"), N_("host")},
    {"4 4 3", N_("datagram"), N_("host")},
    {"3 3 2", N_("packet"), N_("router")},
    {"2 2 1", N_("frame"), N_("switch")},
    {"1 1 1", N_("bits"), N_("hub")},
};
enum { MESSAGE, SEGMENT, DATAGRAM, PACKET, FRAME, BITS };

static void say_layer(const struct layers *l, int place, const char *what)
{
    const struct place_of *p = &places[place];
    const char *travels = _(p->travels), *device = _(p->device);
    say(l, "  %s  %s%*s  %s%*s  %s", p->numbers, travels, 8 - width_of(travels),
        "", device, 6 - width_of(device), "", what);
}

/* LEN bytes, the first of them beside the layer's name. */
static void say_bytes(const struct layers *l, int place, const uint8_t *bytes,
                      size_t len)
{
    char hex[3 * ROW_BYTES + 1];
    for (size_t at = 0; at < len; at += ROW_BYTES) {
        size_t used = 0;
        for (size_t i = at; i < len && i < at + ROW_BYTES; i++)
            used += (size_t)snprintf(hex + used, sizeof hex - used, "%02x ",
                                     bytes[i]);
        hex[used - 1] = '\0';
        if (at == 0)
            say_layer(l, place, hex);
        else
            say(l, "%27s%s", "", hex);
    }
}

static void say_fields(const struct layers *l, const char *text)
{
    say(l, "%27s%s", "", text);
}

static const char *judged(enum frame_checksum c)
{
    return c == CHECKSUM_GOOD  ? _("checksum good")
           : c == CHECKSUM_BAD ? _("checksum wrong")
                               : _("checksum not checked");
}

/* --- layers -------------------------------------------------------------- */

static void say_message(const struct layers *l, const struct frame *f)
{
    char text[3 * MESSAGE_BYTES + 8];
    if (f->payload_len == 0) {
        say_layer(l, MESSAGE, _("none: no program's bytes are in it"));
        return;
    }
    size_t shown =
        f->payload_at_hand < MESSAGE_BYTES ? f->payload_at_hand : MESSAGE_BYTES;
    say_bytes(l, MESSAGE, f->payload, shown);
    if (f->payload_len > shown)
        say(l, _("%27s... and %zu bytes more"), "", f->payload_len - shown);
    out_escape(f->payload, shown, "\"", text, 46);
    say(l, "%27s\"%s\"", "", text);
}

static void say_tcp_options(const struct layers *l, const struct frame *f)
{
    char text[160];
    size_t used = 0;
    text[0] = '\0';
    if (f->mss != 0)
        used += (size_t)snprintf(text + used, sizeof text - used, "mss %u, ",
                                 f->mss);
    if (f->window_scale >= 0)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 _("scale %d, "), f->window_scale);
    if (f->sack_permitted)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s, ",
                                 _("SACK ok"));
    if (f->has_timestamps)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s, ",
                                 _("timestamps"));
    if (f->sacks > 0)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 _("%u SACK blocks, "), f->sacks);
    if (used > 2) {
        text[used - 2] = '\0';
        say(l, _("%27soptions: %s"), "", text);
    }
}

static void say_tcp(const struct layers *l, const struct event_frame *e)
{
    const struct frame *f = &e->frame;
    char seq[40], ack[40], flags[40];
    size_t len =
        f->tcp_header < f->transport_len ? f->tcp_header : f->transport_len;
    say_bytes(l, SEGMENT, f->transport, len);
    say(l, _("%27sTCP: port %u to port %u, %s"), "", addr_port(&f->source),
        addr_port(&f->destination), frame_flags(f, '+', flags, sizeof flags));
    words_number(&l->words, e, e->from, f->seq, seq, sizeof seq);
    words_number(&l->words, e, 1 - e->from, f->ack, ack, sizeof ack);
    if (f->flags & TCP_ACK)
        say(l, "%27sseq=%s ack=%s", "", seq, ack);
    else
        say(l, "%27sseq=%s", "", seq);
    say(l, _("%27swindow %u, header %u bytes, %s"), "", e->window_bytes,
        f->tcp_header, judged(f->transport_checksum));
    say_tcp_options(l, f);
}

static void say_udp(const struct layers *l, const struct frame *f)
{
    size_t len = f->transport_len < 8 ? f->transport_len : 8;
    say_bytes(l, DATAGRAM, f->transport, len);
    say(l, _("%27sUDP: port %u to port %u"), "", addr_port(&f->source),
        addr_port(&f->destination));
    say(l, _("%27s%zu bytes, header 8 bytes, %s"), "", f->payload_len + 8,
        judged(f->transport_checksum));
}

static void say_rest(const struct layers *l, const struct frame *f)
{
    size_t len =
        f->transport_len < MESSAGE_BYTES ? f->transport_len : MESSAGE_BYTES;
    char name[64];
    if (f->kind == FRAME_ICMP) {
        say_bytes(l, PACKET, f->transport, len);
        say(l, _("%27sICMP: %s, type %u code %u, %s"), "",
            _(frame_icmp_name(f, name, sizeof name)), f->icmp_type,
            f->icmp_code, judged(f->transport_checksum));
    } else if (len > 0) {
        say_bytes(l, f->ip_protocol == IPPROTO_UDP ? DATAGRAM : SEGMENT,
                  f->transport, len);
        say_fields(l, f->fragment_offset > 0
                          ? _("part of one: the first fragment has its header")
                          : _("a transport that is not read here"));
    }
    if (f->transport_len > len)
        say(l, _("%27s... and %zu bytes more"), "", f->transport_len - len);
}

static void say_transport(const struct layers *l, const struct event_frame *e)
{
    const struct frame *f = &e->frame;
    if (f->kind == FRAME_TCP || f->kind == FRAME_UDP)
        say_message(l, f);
    if (f->kind == FRAME_TCP)
        say_tcp(l, e);
    else if (f->kind == FRAME_UDP)
        say_udp(l, f);
    else
        say_rest(l, f);
}

static const char *protocol_name(const struct frame *f)
{
    return f->ip_protocol == IPPROTO_TCP      ? "TCP"
           : f->ip_protocol == IPPROTO_UDP    ? "UDP"
           : f->ip_protocol == IPPROTO_ICMP   ? "ICMP"
           : f->ip_protocol == IPPROTO_ICMPV6 ? "ICMPv6"
                                              : _("another");
}

static void say_ip(const struct layers *l, const struct frame *f,
                   const uint8_t *header)
{
    char source[ADDR_TEXT], destination[ADDR_TEXT];
    say_bytes(l, PACKET, header, f->ip_header);
    say(l, _("%27sIPv%u: %s to %s"), "", f->ip_version,
        addr_host(&f->source, source, sizeof source),
        addr_host(&f->destination, destination, sizeof destination));
    if (f->ip_version == 4)
        say(l, _("%27sTTL %u, carries %u (%s), %s"), "", f->ttl, f->ip_protocol,
            protocol_name(f), judged(f->ip_checksum));
    else
        say(l, _("%27shop limit %u, carries %u (%s)"), "", f->ttl,
            f->ip_protocol, protocol_name(f));
    if (f->is_fragment)
        say(l,
            f->more_fragments
                ? _("%27sfragment of packet %u, from byte %u on")
                : _("%27sfragment of packet %u, from byte %u on, the last"),
            "", f->ip_id, f->fragment_offset);
}

static const char *mac_text(const uint8_t *mac, char *buf, size_t cap)
{
    snprintf(buf, cap, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
    return buf;
}

/* The bytes before the packet. A capture may have none of the wire's there,
 * or some of its own. */
static void say_link(const struct layers *l, const struct frame *f,
                     const uint8_t *bytes, size_t len)
{
    char source[20], destination[20];
    if (len == 0) {
        say_layer(l, FRAME, _("not captured"));
        return;
    }
    say_bytes(l, FRAME, bytes, len);
    if (len < 14 || (len != 14 && f->vlan == 0)) {
        say_fields(l, _("written by the capture; not of the wire"));
        return;
    }
    say(l, _("%27sEthernet: %s to %s"), "",
        mac_text(f->mac_source, source, sizeof source),
        mac_text(f->mac_destination, destination, sizeof destination));
    if (f->vlan != 0)
        say(l, _("%27sVLAN %u, type 0x%04x"), "", f->vlan, f->ethertype);
    else
        say(l, _("%27stype 0x%04x%s"), "", f->ethertype,
            f->ethertype == 0x0800   ? " (IPv4)"
            : f->ethertype == 0x86dd ? " (IPv6)"
            : f->ethertype == 0x0806 ? " (ARP)"
                                     : "");
}

/* What is in the frame when it is not IP. */
static void say_unread(const struct layers *l, const struct event_frame *e)
{
    const struct frame *f = &e->frame;
    size_t head = e->len < 14 ? e->len : 14, rest = e->len - head;
    if (rest > MESSAGE_BYTES)
        rest = MESSAGE_BYTES;
    if (rest > 0) {
        say_bytes(l, PACKET, e->bytes + head, rest);
        say_fields(l, f->kind == FRAME_ARP
                          ? (f->arp_operation == 1
                                 ? _("ARP: who has this IP address?")
                                 : _("ARP: it is at this MAC address"))
                          : _("not read here"));
    }
    say_link(l, f, e->bytes, head);
}

static void say_title(const struct layers *l, const struct event *e)
{
    const struct event_frame *f = &e->frame;
    static const char *const titles[] = {
        [FATE_DELIVERED] = N_("-- %s's frame %llu, at %.1f ms: %zu bytes"),
        [FATE_LOST] = N_("-- %s's frame %llu, at %.1f ms: %zu bytes, lost by "
                         "%s"),
        [FATE_DUPLICATED] = N_("-- %s's frame %llu, at %.1f ms: %zu bytes, "
                               "duplicated by %s"),
        [FATE_CORRUPTED] = N_("-- %s's frame %llu, at %.1f ms: %zu bytes, "
                              "corrupted by %s")};
    say(l, _(titles[f->fate]), _(host_name(f->from)),
        (unsigned long long)f->number,
        (double)(e->t_ns - l->zero_ns) / (double)CLOCK_MS, f->wire_len, f->by);
}

void layers_event(const struct event *e, void *layers)
{
    struct layers *l = layers;
    const struct event_frame *f = &e->frame;
    char text[120];
    if (e->kind != EVENT_SENT)
        return;
    if (!l->begun)
        l->zero_ns = e->t_ns;
    l->begun = true;
    say_title(l, e);
    const uint8_t *packet = f->frame.transport != NULL
                                ? f->frame.transport - f->frame.ip_header
                                : NULL;
    if (f->frame.ip_version != 0 && packet != NULL) {
        say_transport(l, f);
        say_ip(l, &f->frame, packet);
        say_link(l, &f->frame, f->bytes, (size_t)(packet - f->bytes));
    } else {
        say_unread(l, f);
    }
    snprintf(text, sizeof text, _("%zu of them; a cable adds preamble and FCS"),
             8 * f->wire_len);
    say_layer(l, BITS, text);
    if (f->frame.cut != NULL)
        say(l, "%27s(%s)", "", _(f->frame.cut));
}
