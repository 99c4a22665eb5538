/* SPDX-License-Identifier: MIT
 *
 * words_label: what stands on an arrow, in few columns. See words.h for the
 * contract.
 */
#include "words.h"

#include "lang.h"
#include "place.h"
#include "talk.h"

#include <inttypes.h>
#include <stdio.h>

/* The parts of a segment's label. */
struct segment {
    char name[40]; /* "SYN+ACK", "6 B", "FIN+ACK 6 B" */
    char seq[16], ack[16];
    bool has_ack;      /* the ACK flag */
    bool ack_is_point; /* a bare ACK: the number it acknowledges is its news */
    bool ack_is_news;
};

/* What a segment is called where there is little room: ACK is named if it is
 * all there is, or if it is news on a SYN, FIN or RST. */
static void name_segment(const struct row *row, struct segment *s)
{
    const struct frame *f = &row->frame.frame;
    static const struct {
        uint8_t flag;
        const char *name;
    } flags[] = {{TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"}};
    char *name = s->name;
    size_t cap = sizeof s->name, used = 0;
    name[0] = '\0';
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if ((f->flags & flags[i].flag) != 0)
            used += (size_t)snprintf(name + used, cap - used, "%s%s",
                                     used > 0 ? "+" : "", flags[i].name);
    if ((f->flags & TCP_SYN) != 0)
        s->ack_is_news = true; /* also when it is sent again */
    if (used > 0 && s->has_ack && s->ack_is_news)
        used += (size_t)snprintf(name + used, cap - used, "+ACK");
    if (f->payload_len > 0)
        used += (size_t)snprintf(name + used, cap - used, "%s%zu B",
                                 used > 0 ? " " : "", f->payload_len);
    s->ack_is_point = used == 0 && s->has_ack;
    if (used == 0)
        snprintf(name, cap, "%s", s->has_ack ? "ACK" : _("no flags"));
}

static bool label_bare_ack(const struct place *p, const struct row *row,
                           const struct segment *s)
{
    if (row->window_is_news &&
        (place_fit(p, "ACK seq=%s ack=%s win %" PRIu32, s->seq, s->ack,
                   row->frame.window_bytes) ||
         place_fit(p, "ACK ack=%s win %" PRIu32, s->ack,
                   row->frame.window_bytes) ||
         place_fit(p, "ACK win %" PRIu32, row->frame.window_bytes)))
        return true;
    return place_fit(p, "ACK seq=%s ack=%s", s->seq, s->ack) ||
           place_fit(p, "ACK ack=%s", s->ack) || place_fit(p, "ACK");
}

/* ack goes first, unless it is what the segment is about; then "seq=". Dashes
 * that are left over are the arrow's. */
static bool label_segment(const struct place *p, const struct row *row,
                          const struct segment *s)
{
    struct place roomy = *p;
    if (s->ack_is_point)
        return label_bare_ack(p, row, s);
    if (!s->ack_is_news && roomy.width > p->tail)
        roomy.width -= p->tail; /* an old ack does not cost the arrow that */
    if (s->has_ack &&
        (place_fit(&roomy, "%s seq=%s ack=%s", s->name, s->seq, s->ack) ||
         (s->ack_is_news &&
          place_fit(p, "%s %s ack=%s", s->name, s->seq, s->ack))))
        return true;
    return place_fit(p, "%s seq=%s", s->name, s->seq) ||
           place_fit(p, "%s %s", s->name, s->seq) ||
           place_fit(p, "%s", s->name);
}

/* A window in few characters: exact while it is short. */
static const char *short_window(uint32_t bytes, char *buf, size_t cap)
{
    if (bytes < 10000)
        snprintf(buf, cap, "%" PRIu32, bytes);
    else if (bytes < 9999500)
        snprintf(buf, cap, "%" PRIu32 "K", (bytes + 500) / 1000);
    else
        snprintf(buf, cap, "%" PRIu32 "M", (bytes + 500000) / 1000000);
    return buf;
}

/* SACK blocks and options, each with a space before. */
static void list_options(const struct words *w, const struct row *row,
                         char *buf, size_t cap)
{
    const struct event_frame *ef = &row->frame;
    const struct frame *f = &ef->frame;
    enum host_id peer = talk_other(ef->from);
    size_t used = 0;
    buf[0] = '\0';
    if (f->mss != 0)
        used += (size_t)snprintf(buf, cap, " mss %u", f->mss);
    if (f->window_scale >= 0 && used < cap)
        used +=
            (size_t)snprintf(buf + used, cap - used, " ws %d", f->window_scale);
    if (f->sack_permitted && used < cap)
        used += (size_t)snprintf(buf + used, cap - used, " sackok");
    for (unsigned i = 0; i < f->sacks && i < FRAME_SACKS && used < cap; i++) {
        char begin[16], end[16];
        words_number(w, ef, peer, f->sack[i].begin, begin, sizeof begin);
        words_number(w, ef, peer, f->sack[i].end, end, sizeof end);
        used += (size_t)snprintf(buf + used, cap - used, " sack %s..%s", begin,
                                 end);
    }
}

/* The whole header, from the fullest way to the shortest. */
static bool label_full(const struct words *w, const struct place *p,
                       const struct row *row, const struct segment *s)
{
    const struct frame *f = &row->frame.frame;
    char flags[48], bytes[24] = "", ack[24] = "", options[120], mss[16] = "";
    char window[16];
    uint32_t win = row->frame.window_bytes;
    frame_flags(f, ',', flags, sizeof flags);
    if (f->payload_len > 0)
        snprintf(bytes, sizeof bytes, " %zu B", f->payload_len);
    if (s->has_ack)
        snprintf(ack, sizeof ack, " ack=%s", s->ack);
    list_options(w, row, options, sizeof options);
    if (f->mss != 0)
        snprintf(mss, sizeof mss, " mss %u", f->mss);
    short_window(win, window, sizeof window);
    return place_fit(p, "%s%s seq=%s%s win %" PRIu32 "%s", flags, bytes, s->seq,
                     ack, win, options) ||
           place_fit(p, "%s%s seq=%s%s win %" PRIu32 "%s", flags, bytes, s->seq,
                     ack, win, mss) ||
           place_fit(p, "%s%s seq=%s%s w %" PRIu32, flags, bytes, s->seq, ack,
                     win) ||
           place_fit(p, "%s%s seq=%s%s w %s", flags, bytes, s->seq, ack,
                     window) ||
           place_fit(p, "%s%s %s%s w %s", flags, bytes, s->seq, ack, window) ||
           place_fit(p, "%s%s %s%s", flags, bytes, s->seq, ack);
}

static bool label_tcp(const struct words *w, const struct place *p,
                      const struct row *row, bool full)
{
    const struct event_frame *ef = &row->frame;
    enum host_id peer = talk_other(ef->from);
    struct segment s = {.has_ack = (ef->frame.flags & TCP_ACK) != 0,
                        .ack_is_news = row->ack_is_news};
    words_number(w, ef, ef->from, ef->frame.seq, s.seq, sizeof s.seq);
    words_number(w, ef, peer, ef->frame.ack, s.ack, sizeof s.ack);
    name_segment(row, &s);
    return (full && label_full(w, p, row, &s)) || label_segment(p, row, &s);
}

static bool label_udp(const struct place *p, const struct frame *f)
{
    unsigned port = addr_port(&f->destination);
    if (f->is_fragment)
        return place_fit(p, _("fragment of %zu B to :%u"), f->payload_len,
                         port) ||
               place_fit(p, _("fragment to :%u"), port);
    return place_fit(p, "%zu B to :%u", f->payload_len, port) ||
           place_fit(p, "%zu B", f->payload_len);
}

static bool label_icmp(const struct place *p, const struct frame *f, bool full)
{
    char english[48];
    frame_icmp_name(f, english, sizeof english);
    const char *name = _(english);
    unsigned port = addr_port(&f->about_destination);
    return (full && port != 0 && place_fit(p, "ICMP %s :%u", name, port)) ||
           place_fit(p, "ICMP %s", name) || place_fit(p, "%s", name) ||
           place_fit(p, "ICMP %u/%u", f->icmp_type, f->icmp_code);
}

static bool label_arp(const struct place *p, const struct frame *f)
{
    char host[ADDR_TEXT];
    bool asks = f->arp_operation == 1;
    const struct addr *a = asks ? &f->destination : &f->source;
    if (a->len != 0 &&
        place_fit(p, asks ? _("ARP who has %s?") : _("ARP %s is me"),
                  addr_host(a, host, sizeof host)))
        return true;
    return place_fit(p, asks ? _("ARP request") : _("ARP reply"));
}

static bool label_other(const struct place *p, const struct frame *f)
{
    if (f->kind == FRAME_IP && f->is_fragment)
        return place_fit(p, _("fragment at byte %u"), f->fragment_offset) ||
               place_fit(p, "%s", _("fragment"));
    if (f->kind == FRAME_IP)
        return place_fit(p, _("IP protocol %u"), f->ip_protocol);
    return place_fit(p, _("ethertype 0x%04x"), f->ethertype);
}

static bool label_any(const struct words *w, const struct place *p,
                      const struct row *row, bool full)
{
    const struct frame *f = &row->frame.frame;
    switch (f->kind) {
    case FRAME_TCP:
        return label_tcp(w, p, row, full);
    case FRAME_UDP:
        return label_udp(p, f);
    case FRAME_ICMP:
        return label_icmp(p, f, full);
    case FRAME_ARP:
        return label_arp(p, f);
    case FRAME_IP:
    case FRAME_OTHER:
        break;
    }
    return label_other(p, f);
}

const char *words_label(const struct words *w, const struct row *row, bool full,
                        size_t width, size_t tail, char *buf, size_t cap)
{
    struct place p = {buf, cap, width, tail};
    if (row->tag != 0 && width > 2 && cap > 3) {
        snprintf(buf, cap, "%c ", row->tag);
        p.buf += 2;
        p.cap -= 2;
        p.width -= 2;
    }
    if (!label_any(w, &p, row, full))
        place_cut(&p);
    return buf;
}
