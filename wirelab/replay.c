/* SPDX-License-Identifier: MIT
 *
 * replay: packets to events. See replay.h for the contract.
 */
#include "replay.h"

#include "infer.h"
#include "pcapng.h"
#include "track.h"

#include <stdlib.h>
#include <string.h>

/* Frames that have left and may land yet, in the captures of both hosts. */
#define AWAY 512

struct away {
    uint64_t hash; /* of its bytes */
    uint64_t number, t_ns;
    bool landed, damaged;
};

struct replay {
    struct replay_options o;
    const struct lab_view *view;
    const struct conversation *of; /* whose ends tell who is the client */
    uint64_t zero_ns, now_ns;
    uint64_t number[HOST_COUNT];
    struct flow_table flows;
    struct track track;
    struct infer *infer;
    struct away away[HOST_COUNT][AWAY]; /* by number */
};

static void give(struct replay *r, const struct event *e)
{
    r->view->event(e, r->view->context);
}

static void give_state(const struct event *e, void *replay)
{
    give(replay, e);
}

/* --- whose packet is it? ------------------------------------------------- */

/* An error is about a packet that its receiver had sent. */
static bool is_about(const struct frame *f, const struct conversation *c,
                     enum host_id *from)
{
    if (f->kind != FRAME_ICMP || f->about_protocol != c->proto)
        return false;
    for (int sender = 0; sender < HOST_COUNT; sender++)
        if (addr_equal(&f->about_source, &c->end[sender]) &&
            addr_equal(&f->about_destination, &c->end[1 - sender])) {
            *from = 1 - sender;
            return true;
        }
    return false;
}

/* Between the two hosts, whatever the ports are. */
static bool is_between(const struct frame *f, const struct conversation *c,
                       enum host_id *from)
{
    for (int sender = 0; sender < HOST_COUNT; sender++)
        if (survey_same_host(&f->source, &c->end[sender]) &&
            survey_same_host(&f->destination, &c->end[1 - sender])) {
            *from = sender;
            return true;
        }
    return false;
}

/* Of a capture of ours it is known who captured: what went out is theirs. */
static bool went_by(const struct replay *r, const struct packet *p,
                    enum host_id *from)
{
    const bool *seen = r->of->seen_at;
    bool known = seen[HOST_CLIENT] != seen[HOST_SERVER];
    enum host_id at = seen[HOST_CLIENT] ? HOST_CLIENT : HOST_SERVER;
    *from = p->outbound ? at : 1 - at;
    return known && (p->inbound || p->outbound) && r->o.survey->is_ours;
}

/* Does the packet belong to what is drawn, and who sent it? */
static bool is_wanted(const struct replay *r, const struct packet *p,
                      enum host_id *from)
{
    const struct conversation *c = survey_find(r->o.survey, p, from);
    bool damaged =
        r->o.survey->is_ours && p->frame.transport_checksum == CHECKSUM_BAD;
    if (c != NULL && r->o.only != NULL && c != r->o.only)
        return false;
    if (c == NULL && !damaged &&
        (p->frame.kind == FRAME_TCP || p->frame.kind == FRAME_UDP))
        return false;
    if ((c == NULL || r->o.only == NULL) && went_by(r, p, from))
        return true;
    if (c == NULL && p->frame.about_protocol != 0)
        return is_about(&p->frame, r->of, from);
    if (c == NULL) /* ARP, a later fragment */
        return is_between(&p->frame, r->of, from);
    if (!survey_same_host(&r->of->end[HOST_CLIENT], &r->of->end[HOST_SERVER]))
        is_between(&p->frame, r->of, from);
    return true;
}

/* --- events -------------------------------------------------------------- */

static void remark(struct replay *r, enum host_id host, const char *text)
{
    struct event e = {.kind = EVENT_REMARK, .host = host, .t_ns = r->now_ns};
    e.remark = text;
    give(r, &e);
}

static void give_received(struct replay *r, struct event *e,
                          const struct flow *flow, size_t slot,
                          bool is_answered)
{
    struct event_frame *f = &e->frame;
    e->kind = EVENT_RECEIVED;
    e->host = 1 - f->from;
    give(r, e);
    if (flow != NULL)
        infer_received(r->infer, e->host, flow, slot, &f->frame, is_answered,
                       e->t_ns);
}

static void give_sent(struct replay *r, struct event *e,
                      const struct flow *flow, size_t slot)
{
    e->kind = EVENT_SENT;
    e->host = e->frame.from;
    give(r, e);
    if (flow != NULL)
        infer_sent(r->infer, e->host, flow, slot, &e->frame.frame, e->t_ns);
}

static void fill(struct replay *r, const struct packet *p, enum host_id from,
                 struct event *e)
{
    *e = (struct event){.t_ns = r->now_ns};
    e->frame = (struct event_frame){.from = from,
                                    .number = r->number[from],
                                    .frame = p->frame,
                                    .bytes = p->bytes,
                                    .len = p->len,
                                    .wire_len = p->wire_len,
                                    .due_ns = r->now_ns};
    if (r->o.survey->is_ours && p->frame.transport_checksum == CHECKSUM_BAD) {
        e->frame.frame.source = r->of->end[from]; /* its own may be damaged */
        e->frame.frame.destination = r->of->end[1 - from];
    }
}

static const struct flow *note_flow(struct replay *r, struct event_frame *f,
                                    size_t *slot)
{
    const struct flow *flow = flow_find(&r->flows, f->from, &f->frame);
    *slot = (size_t)(flow - r->flows.slot);
    for (int i = 0; i < HOST_COUNT; i++) {
        f->isn[i] = flow->isn[i];
        f->isn_known[i] = flow->known[i];
    }
    return flow;
}

/* A frame with all that is known of it. */
struct told {
    struct event e;
    const struct flow *flow; /* of TCP, or NULL */
    size_t slot;
    bool is_answered, is_second;
    const char *words[NOTE_COMMENTS]; /* comments that say something else */
    size_t count;
};

static void read_notes(const struct packet *p, struct told *t)
{
    for (size_t i = 0; i < p->note.comments; i++)
        if (!p->note.is_ours ||
            !pcapng_read_comment(p->note.comment[i], &t->e.frame,
                                 &t->is_second))
            t->words[t->count++] = p->note.comment[i];
}

static void tell(struct replay *r, const struct packet *p, enum host_id from,
                 bool sent, struct told *t)
{
    enum host_id unused;
    const struct conversation *c = survey_find(r->o.survey, p, &unused);
    *t = (struct told){.is_answered = c != NULL && c->is_answered &&
                                      p->t_ns >= c->answered_ns};
    fill(r, p, from, &t->e);
    struct event_frame *f = &t->e.frame;
    if (f->frame.kind == FRAME_TCP) {
        t->flow = note_flow(r, f, &t->slot);
        if (sent)
            f->again =
                track_sent(&r->track, t->flow, t->slot, from, &f->frame, -1);
        f->window_bytes =
            track_window(&r->track, t->flow, t->slot, from, &f->frame);
    }
    read_notes(p, t);
}

/* Remarks of the lab were made before the packet, others are about it. */
static void give_words(struct replay *r, const struct told *t, enum host_id at)
{
    for (size_t i = 0; i < t->count; i++)
        remark(r, at, t->words[i]);
}

/* Both ends of a frame, as one capture has them. One that is the second of two
 * has left only once. */
static void give_frame(struct replay *r, const struct packet *p,
                       enum host_id from)
{
    struct told t;
    bool ours = p->note.is_ours;
    tell(r, p, from, true, &t);
    struct event_frame *f = &t.e.frame;
    if (ours)
        give_words(r, &t, p->outbound ? from : 1 - from);
    if (!t.is_second) {
        f->number = ++r->number[from];
        give_sent(r, &t.e, t.flow, t.slot);
    }
    f->copy = t.is_second;
    if (f->fate == FATE_CORRUPTED)
        f->frame.transport_checksum = CHECKSUM_BAD; /* when it landed */
    if (f->fate != FATE_LOST)
        give_received(r, &t.e, t.flow, t.slot, t.is_answered);
    if (f->fate == FATE_DUPLICATED) {
        f->copy = 1;
        give_received(r, &t.e, t.flow, t.slot, t.is_answered);
    }
    if (!ours)
        give_words(r, &t, from);
}

/* --- two captures -------------------------------------------------------- */

/* FNV-1a: tells frames apart, for even one that is sent again has another IP
 * id. */
static uint64_t hash_packet(const struct packet *p)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < p->len; i++)
        hash = (hash ^ p->bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static void leave(struct away *away, const struct packet *p, uint64_t number,
                  enum fate fate)
{
    away[number % AWAY] = (struct away){.hash = hash_packet(p),
                                        .number = number,
                                        .t_ns = p->t_ns,
                                        .landed = fate == FATE_LOST,
                                        .damaged = fate == FATE_CORRUPTED};
}

/* The frame that lands, the oldest that can be it; NULL: it never left. A
 * damaged one cannot be told by its bytes. */
static struct away *land(struct away *away, const struct packet *p,
                         bool is_second)
{
    bool bad = p->frame.transport_checksum == CHECKSUM_BAD;
    uint64_t hash = hash_packet(p);
    struct away *found = NULL;
    for (size_t i = 0; i < AWAY; i++) {
        struct away *a = &away[i];
        bool fits = bad ? a->damaged : a->hash == hash;
        if (a->number != 0 && fits && a->landed == is_second &&
            (found == NULL || a->number < found->number))
            found = a;
    }
    if (found != NULL)
        found->landed = true;
    return found;
}

/* One end of a frame, as the capture of the host AT has it. */
static void give_end(struct replay *r, const struct packet *p, enum host_id at)
{
    struct told t;
    enum host_id from = p->outbound ? at : 1 - at;
    tell(r, p, from, p->outbound, &t);
    struct event_frame *f = &t.e.frame;
    give_words(r, &t, at);
    if (p->outbound) {
        f->number = ++r->number[from];
        f->due_ns = r->now_ns + r->o.delay_ns[from];
        leave(r->away[from], p, f->number, f->fate);
        give_sent(r, &t.e, t.flow, t.slot);
        return;
    }
    const struct away *a = land(r->away[from], p, t.is_second);
    f->number = a != NULL ? a->number : 0;
    f->copy = t.is_second;
    give_received(r, &t.e, t.flow, t.slot, t.is_answered);
}

/* The captures of both hosts, in the order of their one clock. */
struct both {
    struct capture *capture[HOST_COUNT];
    struct packet next[HOST_COUNT];
    bool has[HOST_COUNT];
};

static int advance(struct both *b, enum host_id at, struct err *e)
{
    int got = capture_next(b->capture[at], &b->next[at], e);
    b->has[at] = got > 0;
    return got;
}

static int open_both(struct both *b, const char *const *path_of, struct err *e)
{
    *b = (struct both){0};
    for (int at = 0; at < HOST_COUNT; at++) {
        b->capture[at] = capture_open(path_of[at], e);
        if (b->capture[at] == NULL || advance(b, at, e) < 0)
            return -1;
    }
    return 0;
}

static void close_both(struct both *b)
{
    for (int at = 0; at < HOST_COUNT; at++)
        capture_close(b->capture[at]);
}

/* Whose packet is next; HOST_COUNT: there is none. */
static enum host_id earlier(const struct both *b)
{
    bool client = b->has[HOST_CLIENT], server = b->has[HOST_SERVER];
    if (!client && !server)
        return HOST_COUNT;
    if (client &&
        (!server || b->next[HOST_CLIENT].t_ns <= b->next[HOST_SERVER].t_ns))
        return HOST_CLIENT;
    return HOST_SERVER;
}

int replay_delays(const char *const path_of[HOST_COUNT],
                  uint64_t delay_ns[HOST_COUNT], struct err *e)
{
    struct both b;
    uint64_t number = 0;
    bool known[HOST_COUNT] = {false, false};
    struct away(*away)[AWAY] = calloc(HOST_COUNT, sizeof *away);
    int result =
        away == NULL ? err_sys(e, "%s", path_of[0]) : open_both(&b, path_of, e);
    enum host_id at;
    while (result == 0 && !(known[0] && known[1]) &&
           (at = earlier(&b)) != HOST_COUNT) {
        struct packet *p = &b.next[at];
        if (p->outbound) {
            leave(away[at], p, ++number, FATE_DELIVERED);
        } else {
            const struct away *a = land(away[1 - at], p, false);
            if (a != NULL && !known[1 - at])
                delay_ns[1 - at] = p->t_ns - a->t_ns;
            known[1 - at] |= a != NULL;
        }
        if (advance(&b, at, e) < 0)
            result = -1;
    }
    if (away != NULL)
        close_both(&b);
    free(away);
    return result;
}

/* --- the file ------------------------------------------------------------ */

/* Packets are drawn as they stand in the file; where its clock goes back, the
 * picture's stands still. */
static void set_time(struct replay *r, uint64_t t_ns)
{
    uint64_t since = t_ns > r->zero_ns ? t_ns - r->zero_ns : 0;
    if (since > r->now_ns)
        r->now_ns = since;
}

static int play(struct replay *r, struct capture *c, struct err *e)
{
    struct packet p;
    int got;
    while ((got = capture_next(c, &p, e)) > 0) {
        enum host_id from;
        if (!is_wanted(r, &p, &from))
            continue;
        set_time(r, p.t_ns);
        r->view->advance(r->now_ns, r->view->context);
        give_frame(r, &p, from);
        if (r->view->is_gone(r->view->context))
            return 0;
    }
    return got;
}

static int play_both(struct replay *r, struct err *e)
{
    struct both b;
    enum host_id at, from;
    int result = open_both(&b, r->o.path_of, e);
    if (result == 0 && (at = earlier(&b)) != HOST_COUNT)
        r->zero_ns = b.next[at].t_ns; /* the survey is of one of them */
    while (result == 0 && (at = earlier(&b)) != HOST_COUNT) {
        const struct packet *p = &b.next[at];
        if ((p->inbound || p->outbound) && is_wanted(r, p, &from)) {
            set_time(r, p->t_ns);
            r->view->advance(r->now_ns, r->view->context);
            give_end(r, p, at);
            if (r->view->is_gone(r->view->context))
                break;
        }
        if (advance(&b, at, e) < 0)
            result = -1;
    }
    close_both(&b);
    return result;
}

static int play_one(struct replay *r, struct err *e)
{
    struct capture *c = capture_open(r->o.path, e);
    int result = c != NULL ? play(r, c, e) : -1;
    capture_close(c);
    return result;
}

int replay_run(const struct replay_options *o, const struct lab_view *view,
               uint64_t *end_ns, struct err *e)
{
    *end_ns = 0;
    struct replay *r = calloc(1, sizeof *r);
    if (r == NULL || (r->infer = infer_new(give_state, r)) == NULL) {
        free(r);
        return err_sys(e, "%s", o->path);
    }
    r->o = *o;
    r->view = view;
    r->of = o->only != NULL ? o->only : &o->survey->at[0];
    r->zero_ns = r->of->first_ns;
    int result = o->path == NULL ? play_both(r, e) : play_one(r, e);
    *end_ns = r->now_ns;
    infer_free(r->infer);
    free(r);
    return result;
}
