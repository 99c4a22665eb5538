/* SPDX-License-Identifier: MIT
 *
 * infer: segments to states. See infer.h for the contract.
 */
#include "infer.h"

#include <stdlib.h>

/* One end of a connection. */
struct end {
    enum tcp_state state;
    bool is_over; /* it was closed: what comes late does not open it */
    bool fin_sent, has_next, fin_came, fin_taken;
    uint32_t fin_end;      /* one past its own FIN */
    uint32_t next;         /* of the peer's numbers, the first it lacks */
    uint32_t peer_fin_end; /* one past the FIN that came */
};

struct infer {
    event_sink_fn *sink;
    void *context;
    struct conn {
        uint64_t flow; /* its number; 0: free */
        struct end end[HOST_COUNT];
    } conn[FLOW_SLOTS];
};

struct infer *infer_new(event_sink_fn *sink, void *context)
{
    struct infer *in = calloc(1, sizeof *in);
    if (in == NULL)
        return NULL;
    in->sink = sink;
    in->context = context;
    return in;
}

void infer_free(struct infer *in)
{
    free(in);
}

static struct end *end_at(struct infer *in, enum host_id host,
                          const struct flow *flow, size_t slot)
{
    struct conn *c = &in->conn[slot];
    if (c->flow != flow->number)
        *c = (struct conn){.flow = flow->number};
    return &c->end[host];
}

static void tell(struct infer *in, enum host_id host, const struct flow *flow,
                 enum tcp_state from, enum tcp_state to, uint64_t t_ns)
{
    if (from == to)
        return;
    struct event e = {.kind = EVENT_STATE, .host = host, .t_ns = t_ns};
    e.state.local = flow->end[host];
    e.state.peer = flow->end[1 - host];
    e.state.from = from;
    e.state.to = to;
    e.state.inferred = true;
    in->sink(&e, in->context);
}

static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static void close_end(struct end *end)
{
    end->state = TCP_STATE_NONE;
    end->is_over = true;
}

/* The capture begins in the middle: there must have been a handshake. */
static void join(struct end *end)
{
    if (end->state == TCP_STATE_NONE && !end->is_over)
        end->state = TCP_STATE_ESTABLISHED;
}

static enum tcp_state behind_own_fin(enum tcp_state s)
{
    switch (s) {
    case TCP_STATE_SYN_RCVD:
    case TCP_STATE_ESTABLISHED:
        return TCP_STATE_FIN_WAIT_1;
    case TCP_STATE_CLOSE_WAIT:
        return TCP_STATE_LAST_ACK;
    default:
        return s;
    }
}

static enum tcp_state behind_its_ack(enum tcp_state s)
{
    switch (s) {
    case TCP_STATE_FIN_WAIT_1:
        return TCP_STATE_FIN_WAIT_2;
    case TCP_STATE_CLOSING:
        return TCP_STATE_TIME_WAIT;
    case TCP_STATE_LAST_ACK:
        return TCP_STATE_NONE;
    default:
        return s;
    }
}

static enum tcp_state behind_peers_fin(enum tcp_state s)
{
    switch (s) {
    case TCP_STATE_SYN_RCVD:
    case TCP_STATE_ESTABLISHED:
        return TCP_STATE_CLOSE_WAIT;
    case TCP_STATE_FIN_WAIT_1:
        return TCP_STATE_CLOSING;
    case TCP_STATE_FIN_WAIT_2:
        return TCP_STATE_TIME_WAIT;
    default:
        return s;
    }
}

/* A FIN counts when everything before it has come. */
static void take_fin(struct end *end)
{
    if (!end->fin_came || end->fin_taken ||
        is_before(end->next, end->peer_fin_end))
        return;
    end->fin_taken = true;
    end->state = behind_peers_fin(end->state);
}

static void note_next(struct end *end, uint32_t next)
{
    if (!end->has_next || is_before(end->next, next))
        end->next = next;
    end->has_next = true;
}

void infer_sent(struct infer *in, enum host_id host, const struct flow *flow,
                size_t slot, const struct frame *f, uint64_t t_ns)
{
    struct end *end = end_at(in, host, flow, slot);
    enum tcp_state before = end->state;
    bool acks = (f->flags & TCP_ACK) != 0;
    if (f->flags & TCP_RST) {
        close_end(end);
    } else if (f->flags & TCP_SYN) {
        if (end->state == TCP_STATE_NONE && !end->is_over)
            end->state = acks ? TCP_STATE_SYN_RCVD : TCP_STATE_SYN_SENT;
    } else {
        join(end);
        before = before == TCP_STATE_NONE ? end->state : before;
    }
    if (f->flags & TCP_FIN && !end->fin_sent) {
        end->fin_sent = true;
        end->fin_end = f->seq + frame_seq_len(f);
        end->state = behind_own_fin(end->state);
    }
    if (acks)
        note_next(end, f->ack); /* it has what it acknowledges */
    take_fin(end);
    tell(in, host, flow, before, end->state, t_ns);
}

static void receive_syn(struct end *end, const struct frame *f,
                        bool is_answered)
{
    bool acks = (f->flags & TCP_ACK) != 0;
    note_next(end, f->seq + frame_seq_len(f));
    if (acks &&
        (end->state == TCP_STATE_SYN_SENT || end->state == TCP_STATE_SYN_RCVD))
        end->state = TCP_STATE_ESTABLISHED;
    else if (!acks &&
             (end->state == TCP_STATE_SYN_SENT ||
              (end->state == TCP_STATE_NONE && !end->is_over && is_answered)))
        end->state = TCP_STATE_SYN_RCVD;
}

static void receive_rest(struct end *end, const struct frame *f)
{
    uint32_t behind = f->seq + frame_seq_len(f);
    if (f->flags & TCP_ACK && end->state == TCP_STATE_SYN_RCVD)
        end->state = TCP_STATE_ESTABLISHED;
    if (f->flags & TCP_ACK && end->fin_sent && !is_before(f->ack, end->fin_end))
        end->state = behind_its_ack(end->state);
    if (!end->has_next || !is_before(end->next, f->seq))
        note_next(end, behind);
    if (f->flags & TCP_FIN) {
        end->fin_came = true;
        end->peer_fin_end = behind;
    }
    take_fin(end);
}

void infer_received(struct infer *in, enum host_id host,
                    const struct flow *flow, size_t slot, const struct frame *f,
                    bool is_answered, uint64_t t_ns)
{
    struct end *end = end_at(in, host, flow, slot);
    enum tcp_state before = end->state;
    if (f->transport_checksum == CHECKSUM_BAD)
        return; /* no TCP looks at it */
    if (f->flags & TCP_RST) {
        if (end->state != TCP_STATE_TIME_WAIT)
            close_end(end);
    } else if (f->flags & TCP_SYN) {
        receive_syn(end, f, is_answered);
    } else {
        join(end);
        before = before == TCP_STATE_NONE ? end->state : before;
        receive_rest(end, f);
    }
    end->is_over |= before != TCP_STATE_NONE && end->state == TCP_STATE_NONE;
    tell(in, host, flow, before, end->state, t_ns);
}
