/* SPDX-License-Identifier: MIT
 *
 * ladder_frames: frames as items, and what stands on their rows beside them:
 * the state that a frame changed, the sendto that sent it. See ladder_items.h.
 *
 * Events come in the order of time, but what belongs on one row does not come
 * at one time: a FIN's FIN_WAIT_1 is found a little before or after it leaves,
 * a sendto begins before its datagram. Whoever comes second looks for the
 * other among the items that still wait.
 */
#include "ladder_items.h"

#include "lang.h"

#include <stdio.h>
#include <string.h>

/* How long a state waits for the frame that goes with it. */
#define STATE_WAIT_NS (5 * CLOCK_MS)

static void set_frame(struct item *i, const struct event_frame *f)
{
    struct row *row = &i->row;
    row->frame = *f;
    row->frame.bytes = NULL;
    row->frame.frame.transport = row->frame.frame.payload = NULL;
    row->payload_len = 0;
    if (f->frame.payload == NULL)
        return;
    size_t len = f->frame.payload_len, at_hand = f->len;
    if (f->bytes != NULL)
        at_hand = f->len - (size_t)(f->frame.payload - f->bytes);
    len = len < at_hand ? len : at_hand;
    row->payload_len = len < sizeof row->payload ? len : sizeof row->payload;
    memcpy(row->payload, f->frame.payload, row->payload_len);
}

/* Why it did not come through, in words. */
static void write_loss(const char *by, char *note)
{
    unsigned rule;
    if (strcmp(by, "loss") == 0)
        snprintf(note, ROW_NOTE, "%s", _("lost: by chance"));
    else if (strcmp(by, "queue") == 0)
        snprintf(note, ROW_NOTE, "%s", _("lost: queue full"));
    else if (strcmp(by, "blackhole") == 0)
        snprintf(note, ROW_NOTE, "%s", _("lost: blackhole"));
    else if (sscanf(by, "rule %u", &rule) == 1)
        snprintf(note, ROW_NOTE, _("lost: rule %u"), rule);
    else
        snprintf(note, ROW_NOTE, _("lost: %s"), by);
}

static void note_sent(struct item *i, const struct event_frame *f,
                      const struct talk_news *news)
{
    struct row_cell *mine = item_cell(i),
                    *theirs = &i->row.cell[talk_other(i->host)];
    static const char *const agains[] = {
        [AGAIN_TIMEOUT] = N_("(again: timeout)"),
        [AGAIN_ACKS] = N_("(again: later ACKs)"),
        [AGAIN_UNKNOWN] = N_("(again)"),
    };
    if (f->fate == FATE_LOST)
        write_loss(f->by, theirs->note);
    if (f->again != AGAIN_NO)
        snprintf(mine->note, sizeof mine->note, "%s", _(agains[f->again]));
    else if (news->probe)
        snprintf(mine->note, sizeof mine->note, "%s", _("(window probe)"));
    if (news->delayed_ack)
        snprintf(mine->hint, sizeof mine->hint, "%s", _("(delayed ACK)"));
}

/* The sentences that tell what a student would not guess. */
static void remark_sent(const struct ladder *l, struct item *i,
                        const struct event_frame *f,
                        const struct talk_news *news)
{
    if (f->again == AGAIN_ACKS)
        item_remark(i, N_("sent again: later data was acknowledged"));
    else if (l->options.explain && news->delayed_ack)
        item_remark(i, N_("delayed ACK: Linux waited for data to ride on"));
}

/* Is this the datagram that the call sent? */
static bool sends(const struct item *i, enum host_id host,
                  const struct frame *f, uint64_t t_ns)
{
    const struct row_cell *cell = &i->row.cell[host];
    const struct call *c = &cell->call;
    return i->end == END_NONE && cell->has_call && talk_sends(c) &&
           i->proto == IPPROTO_UDP && c->result >= 0 &&
           (f->is_fragment || (size_t)c->result == f->payload_len) &&
           t_ns + SETTLE_NS >= c->begin_ns && t_ns <= c->end_ns + SETTLE_NS;
}

/* The send call waits at most a moment for its datagram. */
static struct item *find_call(struct ladder *l, enum host_id host,
                              const struct frame *f, uint64_t t_ns)
{
    if (f->kind != FRAME_UDP)
        return NULL;
    for (struct item *i = l->queue[host].first; i != NULL; i = i->next)
        if (sends(i, host, f, t_ns))
            return i;
    return NULL;
}

/* Can this segment, on the end where it is seen, have changed a socket's state
 * to S? RFC 9293, figure 5. */
static bool can_cause(const struct item *i, enum tcp_state s)
{
    uint8_t flags = i->row.frame.frame.flags;
    bool leaves = i->end == END_LEAVES;
    bool acks_fin = !leaves && i->talk != NULL &&
                    talk_acks_fin(i->talk, i->host, &i->row.frame.frame);
    switch (s) {
    case TCP_STATE_SYN_SENT:
        return leaves && (flags & TCP_SYN) != 0;
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_LAST_ACK:
        return leaves && (flags & TCP_FIN) != 0;
    case TCP_STATE_SYN_RCVD:
        return !leaves && (flags & TCP_SYN) != 0;
    case TCP_STATE_CLOSE_WAIT:
    case TCP_STATE_CLOSING:
        return !leaves && (flags & TCP_FIN) != 0;
    case TCP_STATE_ESTABLISHED:
        return !leaves && (flags & TCP_ACK) != 0;
    case TCP_STATE_FIN_WAIT_2:
        return acks_fin;
    case TCP_STATE_TIME_WAIT:
        return acks_fin || (!leaves && (flags & TCP_FIN) != 0);
    case TCP_STATE_NONE:
    case TCP_STATE_CLOSED:
        return acks_fin || (flags & TCP_RST) != 0;
    case TCP_STATE_LISTEN:
        break;
    }
    return false;
}

/* An item that is a state and nothing else. */
static bool is_bare_state(const struct item *i)
{
    const struct row_cell *cell = &i->row.cell[i->host];
    return i->end == END_NONE && cell->has_state && !cell->has_call;
}

/* A state that came a moment before the frame it goes with. */
static void fetch_state(struct ladder *l, struct item *frame)
{
    for (struct item *i = l->queue[frame->host].first; i != frame;
         i = i->next) {
        enum tcp_state state = item_cell(i)->state;
        if (is_bare_state(i) && i->talk == frame->talk &&
            can_cause(frame, state)) {
            item_cell(frame)->has_state = true;
            item_cell(frame)->state = state;
            item_remove(l, i);
            return;
        }
    }
}

void items_sent(struct ladder *l, const struct event *e)
{
    const struct event_frame *f = &e->frame;
    struct talk_news news;
    struct talk *talk = talks_frame(&l->talks, f);
    talk_sent(&l->talks, talk, f, e->t_ns, &news);
    if ((l->options.lanes & LANE_WIRE) == 0)
        return;
    struct item *i = find_call(l, f->from, &f->frame, e->t_ns);
    if (i == NULL)
        i = item_add(l, f->from, e->t_ns, e->t_ns);
    else
        talks_hold(&l->talks, f->from, i->pid, item_cell(i)->call.fd, talk);
    if (i == NULL)
        return;
    i->end = END_LEAVES;
    i->talk = talk;
    i->due_ns = f->due_ns;
    i->is_split = f->fate == FATE_LOST;
    i->row.wire = i->is_split ? WIRE_LOST : WIRE_LEAVES;
    i->row.ack_is_news = news.ack;
    i->row.window_is_news = news.window;
    set_frame(i, f);
    note_sent(i, f, &news);
    remark_sent(l, i, f, &news);
    fetch_state(l, i);
}

static void note_received(struct ladder *l, struct item *i,
                          const struct event_frame *f)
{
    struct row_cell *cell = item_cell(i);
    const struct frame *frame = &f->frame;
    const struct talk_socket *s = NULL;
    if (f->copy != 0)
        snprintf(cell->note, sizeof cell->note, "%s", _("2 arrived"));
    if (frame->transport_checksum == CHECKSUM_BAD ||
        frame->ip_checksum == CHECKSUM_BAD) {
        snprintf(cell->note, sizeof cell->note, "%s", _("checksum is wrong"));
        item_remark(i, N_("dropped silently; nobody tells the sender"));
    }
    if (frame->kind == FRAME_TCP && (frame->flags & TCP_SYN) != 0)
        s = talks_listener(&l->talks, i->host, addr_port(&frame->destination));
    if (s != NULL)
        snprintf(cell->hint, sizeof cell->hint, _("(fd %d stays LISTEN)"),
                 s->fd);
}

/* The item that waits for this frame to arrive, or NULL. */
static struct item *departure(struct ladder *l, const struct event_frame *f)
{
    for (struct item *o = l->queue[f->from].first; o != NULL; o = o->next)
        if (o->end == END_LEAVES && o->partner == NULL &&
            o->row.frame.number == f->number)
            return o;
    return NULL;
}

void items_received(struct ladder *l, const struct event *e)
{
    const struct event_frame *f = &e->frame;
    enum host_id to = talk_other(f->from);
    struct talk_news news;
    struct talk *talk;
    struct item *left = departure(l, f);
    if (f->frame.transport_checksum == CHECKSUM_BAD) /* its ports may lie */
        talk = left != NULL ? left->talk : NULL;
    else
        talk = talks_frame(&l->talks, f);
    talk_received(&l->talks, talk, f, e->t_ns, &news);
    if ((l->options.lanes & LANE_WIRE) == 0)
        return;
    struct item *i = item_add(l, to, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    i->end = END_LANDS;
    i->talk = talk;
    i->row.wire = WIRE_ARRIVES;
    i->row.ack_is_news = news.ack;
    i->row.window_is_news = news.window;
    set_frame(i, f);
    note_received(l, i, f);
    fetch_state(l, i);
    if (left != NULL && f->copy == 0) {
        left->partner = i;
        i->partner = left;
    }
}

static bool is_listen_call(const struct item *i)
{
    const struct row_cell *cell = &i->row.cell[i->host];
    return cell->has_call && cell->call.id == CALL_LISTEN &&
           cell->call.result == 0;
}

/* The waiting item, the latest, whose row this state belongs on. */
static struct item *find_cause(struct ladder *l, enum host_id host,
                               const struct talk *talk, enum tcp_state state)
{
    struct item *found = NULL;
    for (struct item *i = l->queue[host].first; i != NULL; i = i->next) {
        if (item_cell(i)->has_state)
            continue;
        if (state == TCP_STATE_LISTEN
                ? is_listen_call(i)
                : i->end != END_NONE && i->talk == talk && can_cause(i, state))
            found = i;
    }
    return found;
}

void items_state(struct ladder *l, const struct event *e)
{
    enum tcp_state state = e->state.to;
    struct talk *talk = talks_state(&l->talks, e->host, &e->state);
    bool is_listener = e->state.peer.len == 0;
    if ((l->options.lanes & LANE_STATES) == 0 ||
        (is_listener && state != TCP_STATE_LISTEN && !l->options.calls_all))
        return;
    struct item *i = find_cause(l, e->host, talk, state);
    if (i == NULL)
        i = item_add(l, e->host, e->t_ns, e->t_ns + STATE_WAIT_NS);
    if (i == NULL)
        return;
    if (talk != NULL)
        i->talk = talk;
    struct row_cell *cell = item_cell(i);
    cell->has_state = true;
    cell->state = state;
    const struct talk_socket *s = e->host == HOST_SERVER && talk != NULL
                                      ? talks_holder(&l->talks, e->host, talk)
                                      : NULL;
    if (s != NULL && cell->hint[0] == '\0')
        snprintf(cell->hint, sizeof cell->hint, "(fd %d)", s->fd);
}
