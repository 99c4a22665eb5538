/* SPDX-License-Identifier: MIT
 *
 * words: a call, a segment or a time in few columns. See words.h for the
 * contract.
 */
#include "words.h"

#include "out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The place that words go to, and how many columns it has. */
struct place {
    char *buf;
    size_t cap, width;
    size_t tail; /* of these, what an arrow would rather keep */
};

/* Writes the words if they fit. */
__attribute__((format(printf, 2, 3))) static bool fit(const struct place *p,
                                                      const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(p->buf, p->cap, format, ap);
    va_end(ap);
    return n >= 0 && (size_t)n <= p->width && (size_t)n < p->cap;
}

/* The last resort: what does not fit is cut. */
static void cut(const struct place *p)
{
    if (p->width < p->cap)
        p->buf[p->width] = '\0';
}

const char *words_time(uint64_t ns, int width, int decimals, char *buf,
                       size_t cap)
{
    struct place p = {buf, cap, (size_t)width, 0};
    for (int d = decimals; d >= 0; d--)
        if (fit(&p, "%*.*f", width, d, (double)ns / 1e6))
            return buf;
    if (!fit(&p, "%*.0fs", width - 1, (double)ns / 1e9))
        cut(&p);
    return buf;
}

const char *words_number(const struct words *w, const struct event_frame *f,
                         enum host_id side, uint32_t value, char *buf,
                         size_t cap)
{
    char letter = side == HOST_CLIENT ? 'x' : 'y';
    uint32_t relative = value - f->isn[side];
    if (w->numbers == WORDS_ABSOLUTE || !f->isn_known[side])
        snprintf(buf, cap, "%" PRIu32, value);
    else if (w->numbers == WORDS_RELATIVE)
        snprintf(buf, cap, "%" PRIu32, relative);
    else if (relative == 0)
        snprintf(buf, cap, "%c", letter);
    else if (relative == UINT32_MAX) /* a probe before the first byte */
        snprintf(buf, cap, "%c-1", letter);
    else
        snprintf(buf, cap, "%c+%" PRIu32, letter, relative);
    return buf;
}

/* --- segments ----------------------------------------------------------- */

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
        snprintf(name, cap, "%s", s->has_ack ? "ACK" : "no flags");
}

static bool label_bare_ack(const struct place *p, const struct row *row,
                           const struct segment *s)
{
    if (row->window_is_news &&
        (fit(p, "ACK seq=%s ack=%s win %" PRIu32, s->seq, s->ack,
             row->frame.window_bytes) ||
         fit(p, "ACK ack=%s win %" PRIu32, s->ack, row->frame.window_bytes) ||
         fit(p, "ACK win %" PRIu32, row->frame.window_bytes)))
        return true;
    return fit(p, "ACK seq=%s ack=%s", s->seq, s->ack) ||
           fit(p, "ACK ack=%s", s->ack) || fit(p, "ACK");
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
        (fit(&roomy, "%s seq=%s ack=%s", s->name, s->seq, s->ack) ||
         (s->ack_is_news && fit(p, "%s %s ack=%s", s->name, s->seq, s->ack))))
        return true;
    return fit(p, "%s seq=%s", s->name, s->seq) ||
           fit(p, "%s %s", s->name, s->seq) || fit(p, "%s", s->name);
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
    enum host_id peer = ef->from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
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
    return fit(p, "%s%s seq=%s%s win %" PRIu32 "%s", flags, bytes, s->seq, ack,
               win, options) ||
           fit(p, "%s%s seq=%s%s win %" PRIu32 "%s", flags, bytes, s->seq, ack,
               win, mss) ||
           fit(p, "%s%s seq=%s%s w %" PRIu32, flags, bytes, s->seq, ack, win) ||
           fit(p, "%s%s seq=%s%s w %s", flags, bytes, s->seq, ack, window) ||
           fit(p, "%s%s %s%s w %s", flags, bytes, s->seq, ack, window) ||
           fit(p, "%s%s %s%s", flags, bytes, s->seq, ack);
}

static bool label_tcp(const struct words *w, const struct place *p,
                      const struct row *row, bool full)
{
    const struct event_frame *ef = &row->frame;
    enum host_id peer = ef->from == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
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
        return fit(p, "fragment of %zu B to :%u", f->payload_len, port) ||
               fit(p, "fragment to :%u", port);
    return fit(p, "%zu B to :%u", f->payload_len, port) ||
           fit(p, "%zu B", f->payload_len);
}

static bool label_icmp(const struct place *p, const struct frame *f, bool full)
{
    char name[48];
    frame_icmp_name(f, name, sizeof name);
    unsigned port = addr_port(&f->about_destination);
    return (full && port != 0 && fit(p, "ICMP %s :%u", name, port)) ||
           fit(p, "ICMP %s", name) || fit(p, "%s", name) ||
           fit(p, "ICMP %u/%u", f->icmp_type, f->icmp_code);
}

static bool label_arp(const struct place *p, const struct frame *f)
{
    char host[ADDR_TEXT];
    bool asks = f->arp_operation == 1;
    const struct addr *a = asks ? &f->destination : &f->source;
    if (a->len != 0 && fit(p, asks ? "ARP who has %s?" : "ARP %s is me",
                           addr_host(a, host, sizeof host)))
        return true;
    return fit(p, asks ? "ARP request" : "ARP reply");
}

static bool label_other(const struct place *p, const struct frame *f)
{
    if (f->kind == FRAME_IP && f->is_fragment)
        return fit(p, "fragment at byte %u", f->fragment_offset) ||
               fit(p, "fragment");
    if (f->kind == FRAME_IP)
        return fit(p, "IP protocol %u", f->ip_protocol);
    return fit(p, "ethertype 0x%04x", f->ethertype);
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
        cut(&p);
    return buf;
}

/* --- calls -------------------------------------------------------------- */

/* Calls whose result 0 says nothing. */
static bool is_quiet(const struct call *c)
{
    switch (c->id) {
    case CALL_BIND:
    case CALL_LISTEN:
    case CALL_SHUTDOWN:
    case CALL_CLOSE:
    case CALL_SETSOCKOPT:
    case CALL_GETSOCKOPT:
    case CALL_GETSOCKNAME:
    case CALL_GETPEERNAME:
    case CALL_FCNTL:
        return true;
    default:
        return false;
    }
}

static bool is_receive(const struct call *c)
{
    return c->id == CALL_RECV || c->id == CALL_RECVFROM ||
           c->id == CALL_RECVMSG || c->id == CALL_READ;
}

static bool is_send(const struct call *c)
{
    return c->id == CALL_SEND || c->id == CALL_SENDTO ||
           c->id == CALL_SENDMSG || c->id == CALL_WRITE;
}

/* "=6", "=-1 ECONNREFUSED", "=0, the end"; TERSE: "=ECONNREFUSED". */
static const char *result_text(const struct call *c, bool terse, char *buf,
                               size_t cap)
{
    if (!c->returned)
        snprintf(buf, cap, "...");
    else if (c->result < 0)
        snprintf(buf, cap, terse ? "=%s" : "=-1 %s", call_errno_name(c->error));
    else if (c->result == 0 && is_receive(c) && c->proto == IPPROTO_TCP)
        snprintf(buf, cap, "=0, the end");
    else if (c->result == 0 && is_quiet(c))
        buf[0] = '\0';
    else
        snprintf(buf, cap, "=%ld", c->result);
    return buf;
}

/* HEAD, its result, and as much of the data as fits behind: "\n"... */
static bool fit_data(const struct place *p, const struct call *c,
                     const void *data, const char *head)
{
    char result[48], text[4 * CALL_DATA + 1];
    result_text(c, false, result, sizeof result);
    bool shows = is_receive(c) && c->result > 0 && data != NULL;
    for (size_t n = shows ? c->data_len : 0; n > 0; n--) {
        out_escape(data, n, "", text, sizeof text);
        if (fit(p, "%s%s \"%s\"%s", head, result, text,
                (long)n < c->result ? "..." : ""))
            return true;
    }
    if (fit(p, "%s%s", head, result))
        return true;
    result_text(c, true, result, sizeof result);
    return fit(p, "%s%s", head, result);
}

/* "server:9000", "server" or ":9000": how a peer is called, in DETAIL 0, 1,
 * 2. */
static const char *peer_text(const struct words *w, const struct addr *a,
                             int detail, char *buf, size_t cap)
{
    struct addr portless = *a;
    char host[ADDR_TEXT];
    unsigned port = addr_port(a);
    addr_host(a, host, sizeof host);
    addr_set_port(&portless, 0);
    for (int h = 0; h < HOST_COUNT; h++)
        if (addr_equal(&w->host[h], &portless))
            snprintf(host, sizeof host, "%s", host_name((enum host_id)h));
    if (detail == 0)
        snprintf(buf, cap, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    else if (detail == 1)
        snprintf(buf, cap, "%s", host);
    else
        snprintf(buf, cap, ":%u", port);
    return buf;
}

static bool call_begins(const struct words *w, const struct place *p,
                        const struct call *c)
{
    const char *name = call_name(c);
    char peer[ADDR_TEXT + 16];
    if (c->id == CALL_POLL)
        return fit(p, "%s()...", name);
    if (c->id == CALL_CONNECT && c->addr.len != 0 &&
        (fit(p, "%s(%d, %s)...", name, c->fd,
             peer_text(w, &c->addr, 0, peer, sizeof peer)) ||
         fit(p, "%s(%d,%s)...", name, c->fd,
             peer_text(w, &c->addr, 1, peer, sizeof peer)) ||
         fit(p, "%s(%d, %s)...", name, c->fd,
             peer_text(w, &c->addr, 2, peer, sizeof peer))))
        return true;
    if (is_send(c) && fit(p, "%s(%d, %zu B)...", name, c->fd, c->size))
        return true;
    return fit(p, "%s(%d)...", name, c->fd);
}

/* A receive is known by what it gives; the others by their name. */
static bool call_returns(const struct place *p, const struct call *c,
                         const void *data)
{
    char head[64];
    if (is_receive(c))
        return fit_data(p, c, data, "...");
    snprintf(head, sizeof head, "...%s", call_name(c));
    if (c->result >= 0)
        return fit_data(p, c, data, head);
    return fit(p, "%s=-1 %s", head, call_errno_name(c->error)) ||
           fit(p, "...=-1 %s", call_errno_name(c->error)) ||
           fit(p, "...%s", call_errno_name(c->error));
}

static bool bind_whole(const struct words *w, const struct place *p,
                       const struct call *c)
{
    char peer[ADDR_TEXT + 16], full[ADDR_TEXT], result[48];
    result_text(c, false, result, sizeof result);
    const char *form = c->id == CALL_BIND ? "%s(%d, %s)%s" : "%s(%d,%s)%s";
    for (int detail = 0; detail < 3; detail++) {
        const char *text =
            detail == 0 && c->id == CALL_BIND
                ? addr_format(&c->addr, full, sizeof full)
                : peer_text(w, &c->addr, detail, peer, sizeof peer);
        if (c->id == CALL_BIND && detail == 1)
            continue;
        if (fit(p, form, call_name(c), c->fd, text, result))
            return true;
    }
    return false;
}

static bool call_whole(const struct words *w, const struct place *p,
                       const struct call *c, const void *data)
{
    static const char *const hows[] = {"RD", "WR", "RDWR"};
    const char *name = call_name(c);
    char head[64], result[48];
    result_text(c, false, result, sizeof result);
    if (c->id == CALL_SOCKET)
        return fit(p, "%s(%s)%s", name, c->proto == IPPROTO_UDP ? "UDP" : "TCP",
                   result);
    if (c->id == CALL_SHUTDOWN && c->arg[0] >= 0 && c->arg[0] <= 2 &&
        fit(p, "%s(%d, %s)%s", name, c->fd, hows[c->arg[0]], result))
        return true;
    if ((c->id == CALL_BIND || c->id == CALL_CONNECT) && c->addr.len != 0 &&
        bind_whole(w, p, c))
        return true;
    if (is_send(c) && fit(p, "%s(%d, %zu B)%s", name, c->fd, c->size, result))
        return true;
    if (c->id == CALL_POLL)
        snprintf(head, sizeof head, "%s()", name);
    else
        snprintf(head, sizeof head, "%s(%d)", name, c->fd);
    return fit_data(p, c, data, head);
}

const char *words_call(const struct words *w, const struct call *c,
                       const void *data, enum row_part part, size_t width,
                       char *buf, size_t cap)
{
    struct place p = {buf, cap, width, 0};
    bool fits = part == PART_BEGIN    ? call_begins(w, &p, c)
                : part == PART_RETURN ? call_returns(&p, c, data)
                                      : call_whole(w, &p, c, data);
    if (!fits)
        cut(&p);
    return buf;
}
