/* SPDX-License-Identifier: MIT
 *
 * talk: conversations, and what was seen of each. See talk.h for the contract;
 * which call belongs to which conversation stands in talk_sockets.c, the words
 * that follow from it all in talk_words.c.
 */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

/* Beyond so many, new conversations share the last: a picture of that many
 * cannot be read anyway. */
#define TALK_MAX 4096
/* An acknowledgement this late was delayed on purpose: Linux waits 40 ms. */
#define DELAYED_ACK_NS (30 * UINT64_C(1000000))

/* Is A before B in the space of sequence numbers? RFC 9293, section 3.4. */
static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

enum host_id talk_other(enum host_id host)
{
    return host == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
}

bool talk_receives(const struct call *c)
{
    return c->id == CALL_RECV || c->id == CALL_RECVFROM ||
           c->id == CALL_RECVMSG || c->id == CALL_READ;
}

bool talk_sends(const struct call *c)
{
    return c->id == CALL_SEND || c->id == CALL_SENDTO ||
           c->id == CALL_SENDMSG || c->id == CALL_WRITE;
}

void talks_free(struct talks *t)
{
    while (t->first != NULL) {
        struct talk *talk = t->first;
        t->first = talk->next;
        free(talk);
    }
    while (t->sockets != NULL) {
        struct talk_socket *s = t->sockets;
        t->sockets = s->next;
        free(s);
    }
}

struct talk *talks_new(struct talks *t, int proto)
{
    if (t->count == TALK_MAX) {
        t->first->is_many = true;
        return t->first;
    }
    struct talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL) {
        t->out_of_memory = true;
        return NULL;
    }
    talk->number = ++t->count;
    talk->proto = proto;
    talk->section = SECTION_HANDSHAKE;
    talk->next = t->first;
    t->first = talk;
    return talk;
}

struct talk *talks_find(struct talks *t, int proto, enum host_id host,
                        const struct addr *local, const struct addr *peer)
{
    struct talk *oldest = NULL;
    for (struct talk *k = t->first; k != NULL; k = k->next) {
        if (k->proto != proto || !addr_equal(&k->end[talk_other(host)], peer))
            continue;
        if (addr_equal(&k->end[host], local))
            return k;
        if (k->end[host].len == 0)
            oldest = k;
    }
    if (oldest != NULL)
        oldest->end[host] = *local;
    return oldest;
}

struct talk *talks_peer(struct talks *t, int proto, enum host_id host,
                        const struct addr *peer)
{
    struct addr other = addr_unmap(peer);
    for (struct talk *k = t->first; k != NULL; k = k->next)
        if (k->proto == proto && addr_equal(&k->end[talk_other(host)], &other))
            return k;
    return NULL;
}

static bool same_ip(const struct addr *a, const struct addr *b)
{
    struct addr c = *a;
    if (a->len != 0 && b->len != 0)
        addr_set_port(&c, addr_port(b));
    return addr_equal(&c, b);
}

/* Fragments but the first have no ports: the newest between the same hosts. */
static struct talk *find_fragment(struct talks *t, enum host_id from,
                                  const struct frame *f)
{
    for (struct talk *k = t->first; k != NULL; k = k->next)
        if (k->proto == f->ip_protocol && same_ip(&k->end[from], &f->source) &&
            same_ip(&k->end[talk_other(from)], &f->destination))
            return k;
    return NULL;
}

/* The same two ports again, but with another first number? */
static bool is_reused(const struct talk *talk, const struct event_frame *f)
{
    return talk->proto == IPPROTO_TCP && f->frame.flags == TCP_SYN &&
           talk->isn_known[f->from] && talk->isn[f->from] != f->frame.seq;
}

struct talk *talks_frame(struct talks *t, const struct event_frame *f)
{
    const struct frame *frame = &f->frame;
    enum host_id from = f->from;
    if (frame->kind == FRAME_ICMP && frame->about_protocol != 0)
        return talks_find(t, frame->about_protocol, talk_other(from),
                          &frame->about_source, &frame->about_destination);
    if (frame->kind == FRAME_IP && frame->is_fragment)
        return find_fragment(t, from, frame);
    if (frame->kind != FRAME_TCP && frame->kind != FRAME_UDP)
        return NULL;
    int proto = frame->kind == FRAME_TCP ? IPPROTO_TCP : IPPROTO_UDP;
    struct talk *talk =
        talks_find(t, proto, from, &frame->source, &frame->destination);
    if (talk == NULL || is_reused(talk, f)) {
        talk = talks_new(t, proto);
        if (talk == NULL)
            return NULL;
        talk->end[from] = frame->source;
        talk->end[talk_other(from)] = frame->destination;
    }
    for (int h = 0; h < HOST_COUNT; h++) {
        if (f->isn_known[h] && !talk->isn_known[h]) {
            talk->isn_known[h] = true;
            talk->isn[h] = f->isn[h];
        }
    }
    return talk;
}

static void note_window(struct talk *talk, const struct event_frame *f,
                        struct talk_news *news)
{
    struct talk_side *s = &talk->side[f->from];
    const struct frame *frame = &f->frame;
    if ((frame->flags & (TCP_SYN | TCP_RST)) != 0)
        return;
    bool shut = frame->window == 0;
    news->window = shut != s->shut;
    s->shut = shut;
}

static void note_ack(struct talk *talk, const struct event_frame *f,
                     uint64_t t_ns, struct talk_news *news)
{
    struct talk_side *s = &talk->side[f->from];
    if ((f->frame.flags & TCP_ACK) == 0)
        return;
    news->ack = !s->has_acked || before(s->ack, f->frame.ack);
    if (!news->ack)
        return;
    news->delayed_ack = f->frame.payload_len == 0 && s->owes_ns != 0 &&
                        t_ns > s->owes_ns + DELAYED_ACK_NS;
    s->owes_ns = 0;
    s->has_acked = true;
    s->ack = f->frame.ack;
}

static bool is_trouble(const struct event_frame *f)
{
    return f->fate == FATE_LOST || f->fate == FATE_CORRUPTED ||
           f->again != AGAIN_NO;
}

static void note_opening(struct talk *talk, const struct event_frame *f)
{
    struct talk_side *s = &talk->side[f->from];
    struct talk_side *o = &talk->side[talk_other(f->from)];
    uint8_t flags = f->frame.flags;
    if (talk->answered)
        return;
    talk->opening++;
    talk->answered =
        f->from == talk->caller && (flags & (TCP_SYN | TCP_ACK)) == TCP_ACK;
    talk->open_trouble |= is_trouble(f);
    if ((flags & TCP_SYN) != 0 && s->syns++ == 0 && o->syns == 0)
        talk->caller = f->from;
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && o->syns > 0)
        talk->crossed_syns = true;
    if ((flags & TCP_RST) != 0 && f->from != talk->caller && s->syns == 0)
        talk->refused = true;
}

/* Runs after note_ack, so that news->ack is known. */
static void note_closing(struct talk *talk, const struct event_frame *f,
                         const struct talk_news *news)
{
    struct talk_side *s = &talk->side[f->from];
    struct talk_side *o = &talk->side[talk_other(f->from)];
    const struct frame *frame = &f->frame;
    s->reset |= (frame->flags & TCP_RST) != 0;
    if ((frame->flags & TCP_FIN) != 0 && !s->fin) {
        s->fin = true;
        s->fin_end = frame->seq + frame_seq_len(frame);
        if (!o->fin) {
            talk->closer = f->from;
            talk->fin_has_data = frame->payload_len > 0;
        } else {
            talk->crossed_fins = !o->fin_landed;
            talk->merged = news->ack && frame->ack == o->fin_end;
        }
    }
    if (!s->fin && !o->fin)
        return;
    talk->closing++;
    talk->close_trouble |= is_trouble(f);
    if (frame->payload_len > 0 && o->fin && talk->closer != f->from)
        talk->data_back = true;
}

/* Runs last: until then s->end is what was sent before. */
static void note_numbers(struct talks *t, struct talk *talk,
                         const struct event_frame *f, struct talk_news *news)
{
    struct talk_side *s = &talk->side[f->from];
    const struct frame *frame = &f->frame;
    uint32_t len = frame_seq_len(frame), end = frame->seq + len;
    news->probe = talk->side[talk_other(f->from)].shut && s->sent && len <= 1 &&
                  frame->seq == s->end - 1 &&
                  (frame->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;
    uint32_t fresh = !s->sent ? len : before(s->end, end) ? end - s->end : 0;
    if (talk->is_many) /* whose numbers tell nothing */
        fresh = f->again == AGAIN_NO ? len : 0;
    t->totals.segments++;
    t->totals.bytes += fresh < frame->payload_len ? fresh : frame->payload_len;
    if (!s->sent || before(s->end, end))
        s->end = end;
    s->sent = true;
}

void talk_sent(struct talks *t, struct talk *talk, const struct event_frame *f,
               uint64_t t_ns, struct talk_news *news)
{
    *news = (struct talk_news){0};
    if (f->fate == FATE_LOST)
        t->totals.lost++;
    if (f->again != AGAIN_NO)
        t->totals.again++;
    if (talk == NULL)
        return;
    if (f->from == HOST_CLIENT && f->frame.payload_len > 0)
        t->asked = true;
    if (f->frame.kind == FRAME_TCP) {
        note_window(talk, f, news);
        note_ack(talk, f, t_ns, news);
        note_opening(talk, f);
        note_closing(talk, f, news);
        note_numbers(t, talk, f, news);
    } else if (f->frame.kind == FRAME_UDP) {
        t->totals.datagrams++;
        t->totals.bytes += f->frame.payload_len;
    }
}

bool talk_acks_fin(const struct talk *talk, enum host_id host,
                   const struct frame *f)
{
    const struct talk_side *s = &talk->side[host];
    return (f->flags & TCP_ACK) != 0 && s->fin && !before(f->ack, s->fin_end);
}

/* What it says to the one who gets it. */
static void note_landing(struct talk_side *from, const struct frame *f,
                         struct talk_news *news)
{
    bool shut = f->window == 0;
    news->ack = (f->flags & TCP_ACK) != 0 &&
                (!from->ack_landed || before(from->landed, f->ack));
    if (news->ack)
        from->landed = f->ack;
    from->ack_landed |= news->ack;
    if ((f->flags & (TCP_SYN | TCP_RST)) != 0)
        return;
    news->window = shut != from->shut_landed;
    from->shut_landed = shut;
}

void talk_received(struct talks *t, struct talk *talk,
                   const struct event_frame *f, uint64_t t_ns,
                   struct talk_news *news)
{
    *news = (struct talk_news){0};
    enum host_id to = talk_other(f->from);
    const struct frame *frame = &f->frame;
    if (talk == NULL || frame->transport_checksum == CHECKSUM_BAD)
        return;
    if (to == HOST_CLIENT && frame->payload_len > 0 && t->asked &&
        t->totals.reply_ns == 0)
        t->totals.reply_ns = t_ns;
    if (frame->kind != FRAME_TCP)
        return;
    struct talk_side *s = &talk->side[to], *from = &talk->side[f->from];
    note_landing(from, frame, news);
    bool is_fin = (frame->flags & TCP_FIN) != 0;
    from->fin_landed |= is_fin;
    if (s->owes_ns == 0 && (is_fin || frame->payload_len > 0))
        s->owes_ns = t_ns;
    if ((frame->flags & TCP_ACK) == 0)
        return;
    s->fin_acked |= talk_acks_fin(talk, to, frame);
    if (!talk->open && to != talk->caller &&
        (frame->flags & (TCP_SYN | TCP_RST)) == 0) {
        talk->open = true;
        talk->accept_waits = t->accept_called;
    }
}
