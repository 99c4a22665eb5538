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

struct replay {
    struct replay_options o;
    const struct lab_view *view;
    const struct conversation *of; /* whose ends tell who is the client */
    uint64_t zero_ns, now_ns;
    uint64_t number[HOST_COUNT];
    struct flow_table flows;
    struct track track;
    struct infer *infer;
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

/* A frame that is the second of two has left only once. */
static void give_frame(struct replay *r, const struct packet *p,
                       enum host_id from)
{
    struct event e;
    enum host_id unused;
    const struct conversation *c = survey_find(r->o.survey, p, &unused);
    bool is_answered = c != NULL && c->is_answered;
    size_t slot = 0;
    const struct flow *flow = NULL;
    bool is_second = false;
    const char *words[NOTE_COMMENTS];
    size_t count = 0;
    fill(r, p, from, &e);
    if (e.frame.frame.kind == FRAME_TCP) {
        flow = note_flow(r, &e.frame, &slot);
        e.frame.again =
            track_sent(&r->track, flow, slot, from, &e.frame.frame, -1);
        e.frame.window_bytes =
            track_window(&r->track, flow, slot, from, &e.frame.frame);
    }
    for (size_t i = 0; i < p->note.comments; i++)
        if (!p->note.is_ours ||
            !pcapng_read_comment(p->note.comment[i], &e.frame, &is_second))
            words[count++] = p->note.comment[i];
    for (size_t i = 0; i < count && p->note.is_ours; i++)
        remark(r, p->outbound ? from : 1 - from, words[i]);
    if (!is_second) {
        e.frame.number = ++r->number[from];
        give_sent(r, &e, flow, slot);
    }
    e.frame.copy = is_second;
    if (e.frame.fate == FATE_CORRUPTED)
        e.frame.frame.transport_checksum = CHECKSUM_BAD; /* when it landed */
    if (e.frame.fate != FATE_LOST)
        give_received(r, &e, flow, slot, is_answered);
    if (e.frame.fate == FATE_DUPLICATED) {
        e.frame.copy = 1;
        give_received(r, &e, flow, slot, is_answered);
    }
    for (size_t i = 0; i < count && !p->note.is_ours; i++)
        remark(r, from, words[i]);
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

int replay_run(const struct replay_options *o, const struct lab_view *view,
               uint64_t *end_ns, struct err *e)
{
    int result = -1;
    *end_ns = 0;
    struct replay *r = calloc(1, sizeof *r);
    struct capture *c = NULL;
    if (r == NULL || (r->infer = infer_new(give_state, r)) == NULL)
        err_sys(e, "%s", o->path);
    else
        c = capture_open(o->path, e);
    if (c != NULL) {
        r->o = *o;
        r->view = view;
        r->of = o->only != NULL ? o->only : &o->survey->at[0];
        r->zero_ns = r->of->first_ns;
        result = play(r, c, e);
        *end_ns = r->now_ns;
    }
    capture_close(c);
    if (r != NULL)
        infer_free(r->infer);
    free(r);
    return result;
}
