/* SPDX-License-Identifier: MIT
 *
 * ladder_items: events as items. See ladder_items.h.
 *
 * Events come in the order of time, but what belongs on one row does not come
 * at one time: a FIN's FIN_WAIT_1 is found a little before or after it leaves,
 * a sendto begins before its datagram. Whoever comes second looks for the
 * other among the items that still wait.
 */
#include "ladder_items.h"

#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* How long a state waits for the frame that goes with it. */
#define STATE_WAIT_NS (5 * CLOCK_MS)
/* How long a datagram socket waits until it is known to be for use. */
#define PROBE_WAIT_NS (20 * CLOCK_MS)
/* A call that returns so soon did not wait. */
#define INSTANT_NS CLOCK_MS

static enum host_id other(enum host_id host)
{
    return host == HOST_CLIENT ? HOST_SERVER : HOST_CLIENT;
}

/* An item at the end of its host's queue, its cell's clock set; NULL if memory
 * is short. */
static struct item *add(struct ladder *l, enum host_id host, uint64_t t_ns,
                        uint64_t ready_ns)
{
    struct item *i = calloc(1, sizeof *i);
    if (i == NULL) {
        l->out_of_memory = true;
        return NULL;
    }
    i->host = host;
    i->t_ns = t_ns;
    i->ready_ns = ready_ns + SETTLE_NS;
    i->row.cell[host].timed = l->has_zero && t_ns >= l->zero_ns;
    i->row.cell[host].t_ns = t_ns - l->zero_ns;
    *l->queue[host].last = i;
    l->queue[host].last = &i->next;
    return i;
}

static void remove_item(struct ladder *l, struct item *gone)
{
    struct item_queue *q = &l->queue[gone->host];
    struct item **at = &q->first;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    if (q->last == &gone->next)
        q->last = at;
    free(gone);
}

static struct row_cell *own_cell(struct item *i)
{
    return &i->row.cell[i->host];
}

/* --- calls -------------------------------------------------------------- */

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

/* Does a row show its start, and another its return? Of the calls that need
 * not wait, those that did: they come twice, the second time when they end. */
static bool has_two_rows(const struct call *c, uint64_t t_ns)
{
    if (c->id == CALL_CONNECT)
        return c->proto != IPPROTO_UDP;
    if (is_receive(c))
        return c->proto == IPPROTO_UDP;
    return call_waits(c) || !c->returned ||
           (t_ns == c->end_ns && c->end_ns != c->begin_ns);
}

static void set_call(struct item *i, const struct call *c, enum row_part part)
{
    struct row_cell *cell = own_cell(i);
    cell->has_call = true;
    cell->part = part;
    cell->call = *c;
    cell->call.data = NULL;
    if (c->data == NULL)
        cell->call.data_len = 0;
    else if (c->data_len > sizeof cell->data)
        cell->call.data_len = sizeof cell->data;
    if (cell->call.data_len > 0)
        memcpy(cell->data, c->data, cell->call.data_len);
}

/* A call that did not wait after all is one row: its start, if that is the
 * last thing that happened on this host. */
static struct item *instant(struct ladder *l, const struct event *e)
{
    const struct call *c = &e->call;
    struct item *last = l->queue[e->host].first;
    bool would_wait = c->result < 0 && c->error == EAGAIN;
    if ((!would_wait && !is_receive(c) && c->id != CALL_POLL) || last == NULL)
        return NULL;
    while (last->next != NULL)
        last = last->next;
    const struct row_cell *cell = own_cell(last);
    bool same = cell->has_call && cell->part == PART_BEGIN &&
                last->pid == e->pid && cell->call.begin_ns == c->begin_ns;
    return same && c->end_ns - c->begin_ns < INSTANT_NS ? last : NULL;
}

/* Is this the datagram that the call sent? */
static bool sends(const struct item *i, enum host_id host,
                  const struct frame *f, uint64_t t_ns)
{
    const struct row_cell *cell = &i->row.cell[host];
    const struct call *c = &cell->call;
    return i->end == END_NONE && cell->has_call && is_send(c) &&
           i->proto == IPPROTO_UDP && c->result >= 0 &&
           (f->is_fragment || (size_t)c->result == f->payload_len) &&
           t_ns + SETTLE_NS >= c->begin_ns && t_ns <= c->end_ns + SETTLE_NS;
}

/* What only --calls all shows: options and names, waiting in poll, and a close
 * that sends nothing, which looks like the end of a connection. */
static bool is_minor(const struct ladder *l, const struct event *e,
                     const struct call *c)
{
    if (c->id == CALL_CLOSE)
        return c->proto == IPPROTO_UDP ||
               talks_is_listening(&l->talks, e->host, e->pid, c->fd);
    return c->id >= CALL_SETSOCKOPT && c->id <= CALL_POLL;
}

static bool is_probe(const struct item *i)
{
    const struct row_cell *cell = &i->row.cell[i->host];
    return cell->has_call && i->proto == IPPROTO_UDP &&
           (cell->call.id == CALL_SOCKET || cell->call.id == CALL_CONNECT);
}

/* Resolvers make datagram sockets and connect them, to see which address the
 * kernel would choose, and never send. What such a socket did waits a moment:
 * its close takes it back, its use shows it. */
static void judge_probe(struct ladder *l, const struct event *e)
{
    const struct call *c = &e->call;
    bool used = c->id == CALL_BIND || is_send(c) || is_receive(c);
    if (c->proto != IPPROTO_UDP || (c->id != CALL_CLOSE && !used))
        return;
    for (struct item *i = l->queue[e->host].first, *next; i != NULL; i = next) {
        next = i->next;
        if (i->pid != e->pid || i->fd != c->fd || !is_probe(i))
            continue;
        i->ready_ns = i->t_ns + SETTLE_NS;
        if (!used)
            remove_item(l, i);
    }
}

static void take_call(struct ladder *l, const struct event *e)
{
    struct call c = e->call;
    judge_probe(l, e);
    bool minor = is_minor(l, e, &c);
    struct talk *talk = talks_call(&l->talks, e->host, e->pid, &c);
    bool two = has_two_rows(&c, e->t_ns);
    if ((l->options.lanes & LANE_CALLS) == 0 ||
        (minor && !l->options.calls_all) || (!c.returned && !two))
        return;
    struct item *i = two && c.returned ? instant(l, e) : NULL;
    enum row_part part = PART_WHOLE;
    if (i == NULL) {
        part = !two ? PART_WHOLE : c.returned ? PART_RETURN : PART_BEGIN;
        uint64_t ready = c.returned && c.end_ns > e->t_ns ? c.end_ns : e->t_ns;
        i = add(l, e->host, e->t_ns, ready);
    }
    if (i == NULL)
        return;
    i->pid = e->pid;
    i->fd = c.id == CALL_SOCKET ? (int)c.result : c.fd;
    i->proto = c.proto;
    i->talk = talk;
    set_call(i, &c, part);
    if (is_probe(i))
        i->ready_ns += PROBE_WAIT_NS;
    if (c.id == CALL_CONNECT && c.proto == IPPROTO_UDP)
        i->remark = "connect over UDP: no segment; it only notes the peer";
}

/* --- frames ------------------------------------------------------------- */

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
    if (strcmp(by, "loss") == 0)
        by = "by chance";
    else if (strcmp(by, "queue") == 0)
        by = "queue full";
    snprintf(note, ROW_NOTE, "lost: %s", by);
}

static void note_sent(struct item *i, const struct event_frame *f,
                      const struct talk_news *news)
{
    struct row_cell *mine = own_cell(i), *theirs = &i->row.cell[other(i->host)];
    static const char *const agains[] = {
        [AGAIN_TIMEOUT] = "(again: timeout)",
        [AGAIN_ACKS] = "(again: later ACKs)",
        [AGAIN_UNKNOWN] = "(again)",
    };
    if (f->fate == FATE_LOST)
        write_loss(f->by, theirs->note);
    if (f->again != AGAIN_NO)
        snprintf(mine->note, sizeof mine->note, "%s", agains[f->again]);
    else if (news->probe)
        snprintf(mine->note, sizeof mine->note, "(window probe)");
    if (news->delayed_ack)
        snprintf(mine->hint, sizeof mine->hint, "(delayed ACK)");
}

/* The sentences that tell what a student would not guess. */
static const char *sent_remark(const struct ladder *l,
                               const struct event_frame *f,
                               const struct talk_news *news)
{
    if (f->again == AGAIN_ACKS)
        return "sent again: later data was acknowledged";
    if (l->options.explain && news->delayed_ack)
        return "delayed ACK: Linux waited for data to ride on";
    return NULL;
}

/* The send call waits at most a moment for its datagram. */
static struct item *find_call(struct ladder *l, enum host_id host,
                              const struct frame *f, uint64_t t_ns)
{
    for (struct item *i = l->queue[host].first; i != NULL; i = i->next)
        if (f->kind == FRAME_UDP && sends(i, host, f, t_ns))
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
        enum tcp_state state = own_cell(i)->state;
        if (is_bare_state(i) && i->talk == frame->talk &&
            can_cause(frame, state)) {
            own_cell(frame)->has_state = true;
            own_cell(frame)->state = state;
            remove_item(l, i);
            return;
        }
    }
}

static void take_sent(struct ladder *l, const struct event *e)
{
    const struct event_frame *f = &e->frame;
    struct talk_news news;
    struct talk *talk = talks_frame(&l->talks, f);
    talk_sent(&l->talks, talk, f, e->t_ns, &news);
    if ((l->options.lanes & LANE_WIRE) == 0)
        return;
    struct item *i = find_call(l, f->from, &f->frame, e->t_ns);
    if (i == NULL)
        i = add(l, f->from, e->t_ns, e->t_ns);
    else
        talks_hold(&l->talks, f->from, i->pid, own_cell(i)->call.fd, talk);
    if (i == NULL)
        return;
    i->end = END_LEAVES;
    i->talk = talk;
    i->due_ns = f->due_ns;
    i->is_split = f->fate == FATE_LOST;
    i->remark = sent_remark(l, f, &news);
    i->row.wire = i->is_split ? WIRE_LOST : WIRE_LEAVES;
    i->row.ack_is_news = news.ack;
    i->row.window_is_news = news.window;
    set_frame(i, f);
    note_sent(i, f, &news);
    fetch_state(l, i);
}

static void note_received(struct ladder *l, struct item *i,
                          const struct event_frame *f)
{
    struct row_cell *cell = own_cell(i);
    const struct frame *frame = &f->frame;
    const struct talk_socket *s = NULL;
    if (f->copy != 0)
        snprintf(cell->note, sizeof cell->note, "2 arrived");
    if (frame->transport_checksum == CHECKSUM_BAD ||
        frame->ip_checksum == CHECKSUM_BAD) {
        snprintf(cell->note, sizeof cell->note, "checksum is wrong");
        i->remark = "dropped silently; nobody tells the sender";
    }
    if (frame->kind == FRAME_TCP && (frame->flags & TCP_SYN) != 0)
        s = talks_listener(&l->talks, i->host, addr_port(&frame->destination));
    if (s != NULL)
        snprintf(cell->hint, sizeof cell->hint, "(fd %d stays LISTEN)", s->fd);
    if (s != NULL && l->options.explain)
        i->remark = "the listening socket stays LISTEN; accept makes a new one";
}

static void take_received(struct ladder *l, const struct event *e)
{
    const struct event_frame *f = &e->frame;
    enum host_id to = other(f->from);
    struct talk *talk = talks_frame(&l->talks, f);
    talk_received(&l->talks, talk, f, e->t_ns);
    if ((l->options.lanes & LANE_WIRE) == 0)
        return;
    struct item *i = add(l, to, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    i->end = END_LANDS;
    i->talk = talk;
    i->row.wire = WIRE_ARRIVES;
    set_frame(i, f);
    note_received(l, i, f);
    fetch_state(l, i);
    for (struct item *o = l->queue[f->from].first; o != NULL && f->copy == 0;
         o = o->next) {
        if (o->end == END_LEAVES && o->partner == NULL &&
            o->row.frame.number == f->number) {
            o->partner = i;
            i->partner = o;
            return;
        }
    }
}

/* --- states ------------------------------------------------------------- */

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
        if (own_cell(i)->has_state)
            continue;
        if (state == TCP_STATE_LISTEN
                ? is_listen_call(i)
                : i->end != END_NONE && i->talk == talk && can_cause(i, state))
            found = i;
    }
    return found;
}

static void take_state(struct ladder *l, const struct event *e)
{
    enum tcp_state state = e->state.to;
    struct talk *talk = talks_state(&l->talks, e->host, &e->state);
    bool is_listener = e->state.peer.len == 0;
    if ((l->options.lanes & LANE_STATES) == 0 ||
        (is_listener && state != TCP_STATE_LISTEN && !l->options.calls_all))
        return;
    struct item *i = find_cause(l, e->host, talk, state);
    if (i == NULL)
        i = add(l, e->host, e->t_ns, e->t_ns + STATE_WAIT_NS);
    if (i == NULL)
        return;
    if (talk != NULL)
        i->talk = talk;
    struct row_cell *cell = own_cell(i);
    cell->has_state = true;
    cell->state = state;
    const struct talk_socket *s = e->host == HOST_SERVER && talk != NULL
                                      ? talks_holder(&l->talks, e->host, talk)
                                      : NULL;
    if (s != NULL && cell->hint[0] == '\0')
        snprintf(cell->hint, sizeof cell->hint, "(fd %d)", s->fd);
}

/* --- words -------------------------------------------------------------- */

static void take_output(struct ladder *l, const struct event *e)
{
    bool is_error = e->output.stream == 2;
    if (!is_error && (l->options.lanes & LANE_OUTPUT) == 0)
        return;
    struct item *i = add(l, e->host, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    i->row.kind = ROW_OUTPUT;
    i->row.host = e->host;
    i->row.text[0] = is_error ? '!' : '>';
    i->row.text[1] = ' ';
    out_escape(e->output.text, strlen(e->output.text), "\"\\", i->row.text + 2,
               sizeof i->row.text - 2);
}

/* A program that ended well needs no row, nor a server that the lab asked to
 * end when the clients had. */
static void take_exit(struct ladder *l, const struct event *e)
{
    int status = e->exit.status;
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL)
        signal = SIGKILL; /* as a shell tells it of its child */
    bool is_asked = e->host == HOST_SERVER && l->clients_ended;
    l->clients_ended |= e->host == HOST_CLIENT;
    if (status == 0 || (signal == SIGTERM && is_asked))
        return;
    struct item *i = add(l, e->host, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    char *note = own_cell(i)->note;
    if (signal != 0)
        snprintf(note, ROW_NOTE, "killed (%d)", signal);
    else
        snprintf(note, ROW_NOTE, "exit status %d", WEXITSTATUS(status));
    if (signal == SIGKILL)
        i->remark = "The process sends nothing. Its kernel closes its sockets: "
                    "FIN, or RST if data was unread.";
}

static void take_remark(struct ladder *l, const struct event *e)
{
    struct item *i = add(l, e->host, e->t_ns, e->t_ns);
    if (i == NULL)
        return;
    i->row.kind = ROW_REMARK;
    out_escape(e->remark, strlen(e->remark), "\"\\", i->row.text,
               sizeof i->row.text);
}

void items_take(struct ladder *l, const struct event *e)
{
    bool has_row = e->kind == EVENT_CALL || e->kind == EVENT_SENT;
    if (!l->has_zero && has_row &&
        (e->host == HOST_CLIENT || e->kind == EVENT_SENT)) {
        l->has_zero = true;
        l->zero_ns = e->t_ns;
    }
    switch (e->kind) {
    case EVENT_CALL:
        take_call(l, e);
        break;
    case EVENT_SENT:
        take_sent(l, e);
        break;
    case EVENT_RECEIVED:
        take_received(l, e);
        break;
    case EVENT_STATE:
        take_state(l, e);
        break;
    case EVENT_OUTPUT:
        take_output(l, e);
        break;
    case EVENT_EXIT:
        take_exit(l, e);
        break;
    case EVENT_REMARK:
        take_remark(l, e);
        break;
    }
}
