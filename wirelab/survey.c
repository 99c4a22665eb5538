/* SPDX-License-Identifier: MIT
 *
 * survey: who talks with whom. See survey.h for the contract.
 */
#include "survey.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (2 * SURVEY_MAX)

enum {
    ICMP_ECHO_REPLY = 0,
    ICMP_ECHO = 8,
    ICMP6_ECHO = 128,
    ICMP6_REPLY = 129
};

/* Does it belong to a conversation that its own addresses name? */
static bool is_of_one(const struct frame *f)
{
    if (f->kind == FRAME_TCP || f->kind == FRAME_UDP)
        return true;
    if (f->kind != FRAME_ICMP)
        return false;
    return f->ip_version == 4
               ? f->icmp_type == ICMP_ECHO || f->icmp_type == ICMP_ECHO_REPLY
               : f->icmp_type == ICMP6_ECHO || f->icmp_type == ICMP6_REPLY;
}

static int proto_of(const struct frame *f)
{
    return f->kind == FRAME_TCP   ? IPPROTO_TCP
           : f->kind == FRAME_UDP ? IPPROTO_UDP
                                  : IPPROTO_ICMP;
}

static uint32_t hash_addr(const struct addr *a)
{
    const uint8_t *bytes = a->sa.sa_family == AF_INET6
                               ? (const uint8_t *)&a->in6.sin6_addr
                               : (const uint8_t *)&a->in.sin_addr;
    uint32_t sum = addr_port(a);
    for (size_t i = 0; i < (a->sa.sa_family == AF_INET6 ? 16u : 4u); i++)
        sum = sum * 31 + bytes[i];
    return sum * UINT32_C(2654435761);
}

/* The two ends give the same in either order. */
static size_t home_slot(const struct frame *f)
{
    uint32_t sum = hash_addr(&f->source) + hash_addr(&f->destination);
    return (sum ^ sum >> 16) % SLOTS;
}

/* The slot of the packet's conversation, or the free one where it belongs. The
 * table is never full: it has room for twice as many. */
static uint16_t *find_slot(const struct survey *s, const struct frame *f,
                           enum host_id *from)
{
    size_t at = home_slot(f);
    for (; s->slot[at] != 0; at = (at + 1) % SLOTS) {
        const struct conversation *c = &s->at[s->slot[at] - 1];
        if (c->proto != proto_of(f))
            continue;
        bool there = addr_equal(&c->end[HOST_CLIENT], &f->source) &&
                     addr_equal(&c->end[HOST_SERVER], &f->destination);
        bool back = addr_equal(&c->end[HOST_SERVER], &f->source) &&
                    addr_equal(&c->end[HOST_CLIENT], &f->destination);
        *from = there ? HOST_CLIENT : HOST_SERVER;
        if (there || back)
            break;
    }
    return &s->slot[at];
}

struct conversation *survey_find(const struct survey *s, const struct packet *p,
                                 enum host_id *from)
{
    if (!is_of_one(&p->frame))
        return NULL;
    uint16_t *slot = find_slot(s, &p->frame, from);
    return *slot != 0 ? &s->at[*slot - 1] : NULL;
}

static bool is_syn(const struct frame *f)
{
    return f->kind == FRAME_TCP && (f->flags & TCP_SYN) != 0;
}

static bool is_answer(const struct frame *f)
{
    return is_syn(f) && (f->flags & TCP_ACK) != 0;
}

/* Is it known which host is which, because --pcap wrote it? */
static bool knows_hosts(const struct packet *p)
{
    return p->note.host >= 0 && (p->inbound || p->outbound);
}

/* A new conversation in SLOT. That a SYN is answered tells who asked. */
static struct conversation *begin(struct survey *s, uint16_t *slot,
                                  const struct packet *p)
{
    struct conversation *c = &s->at[s->count];
    bool turned = is_answer(&p->frame);
    if (knows_hosts(p))
        turned = (p->note.host == HOST_CLIENT) == p->inbound;
    *slot = (uint16_t)++s->count;
    *c = (struct conversation){.proto = proto_of(&p->frame),
                               .first_ns = p->t_ns};
    c->end[HOST_CLIENT] = turned ? p->frame.destination : p->frame.source;
    c->end[HOST_SERVER] = turned ? p->frame.source : p->frame.destination;
    return c;
}

/* Who was taken for the server sends the first SYN. */
static void turn(struct conversation *c)
{
    struct addr end = c->end[HOST_CLIENT];
    c->end[HOST_CLIENT] = c->end[HOST_SERVER];
    c->end[HOST_SERVER] = end;
    bool seen = c->seen_at[HOST_CLIENT];
    c->seen_at[HOST_CLIENT] = c->seen_at[HOST_SERVER];
    c->seen_at[HOST_SERVER] = seen;
}

/* Has it reached the other host, as far as this capture knows? Linux' cooked
 * ones may have it twice. */
static bool is_seen_coming(const struct survey *s, const struct packet *p)
{
    return p->inbound ? s->is_ours : !p->outbound;
}

static void take(struct survey *s, const struct packet *p)
{
    const struct frame *f = &p->frame;
    enum host_id from = HOST_CLIENT;
    s->frames++;
    s->is_ours |= p->note.is_ours;
    s->host = p->note.host;
    /* A damaged frame may name ports that nobody has. */
    if (!is_of_one(f) || (s->is_ours && f->transport_checksum == CHECKSUM_BAD))
        return;
    uint16_t *slot = find_slot(s, f, &from);
    if (*slot == 0 && s->count == SURVEY_MAX) {
        s->missed++;
        return;
    }
    struct conversation *c = *slot != 0 ? &s->at[*slot - 1] : begin(s, slot, p);
    from = addr_equal(&c->end[HOST_CLIENT], &f->source) ? HOST_CLIENT
                                                        : HOST_SERVER;
    if (is_syn(f) && !is_answer(f) && !c->has_syn && from == HOST_SERVER &&
        !knows_hosts(p)) {
        turn(c);
        from = HOST_CLIENT;
    }
    if (is_syn(f) && from == HOST_CLIENT && !c->is_answered &&
        is_seen_coming(s, p))
        c->answered_ns = p->t_ns;
    c->has_syn |= is_syn(f);
    c->is_answered |= is_answer(f);
    c->frames++;
    c->bytes += f->payload_len;
    if (p->t_ns > c->last_ns)
        c->last_ns = p->t_ns;
    if ((p->inbound || p->outbound) &&
        !survey_same_host(&f->source, &f->destination))
        c->seen_at[p->outbound ? from : 1 - from] = true;
}

int survey_read(struct survey *s, const char *path, struct err *e)
{
    struct packet p;
    *s = (struct survey){.at = calloc(SURVEY_MAX, sizeof *s->at),
                         .slot = calloc(SLOTS, sizeof *s->slot),
                         .host = -1};
    struct capture *c = NULL;
    if (s->at == NULL || s->slot == NULL)
        err_sys(e, "%s", path);
    else
        c = capture_open(path, e);
    if (c == NULL) {
        survey_free(s);
        return -1;
    }
    while (capture_next(c, &p, NULL) > 0)
        take(s, &p);
    capture_close(c);
    return 0;
}

void survey_join(struct survey *of_client, const struct survey *of_server)
{
    for (size_t i = 0; i < of_client->count; i++)
        for (size_t k = 0; k < of_server->count; k++) {
            struct conversation *c = &of_client->at[i];
            const struct conversation *s = &of_server->at[k];
            if (c->proto == s->proto && addr_equal(&c->end[0], &s->end[0]) &&
                addr_equal(&c->end[1], &s->end[1]))
                c->answered_ns = s->answered_ns;
        }
}

void survey_free(struct survey *s)
{
    free(s->at);
    free(s->slot);
    *s = (struct survey){0};
}

bool survey_same_host(const struct addr *a, const struct addr *b)
{
    struct addr x = *a, y = *b;
    addr_set_port(&x, 0);
    addr_set_port(&y, 0);
    return addr_equal(&x, &y);
}
