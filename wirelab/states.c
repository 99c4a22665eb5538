/* SPDX-License-Identifier: MIT
 *
 * states: TCP states as they change. See states.h for the contract.
 */
#include "states.h"

#include "clock.h"
#include "diag.h"

#include <stdlib.h>

#define LISTENERS 64
/* A change found this soon after its frame belongs to the frame. */
#define BELONGS_NS (5 * CLOCK_MS)
/* How often at most an answer is taken for old. */
#define TRIES 100
/* Sockets asked about in one go: the wire waits meanwhile. */
#define AT_ONCE 64

/* One end of a connection. */
struct end {
    enum tcp_state state;
    bool fin_sent;
    unsigned tries;    /* left: how often to ask again; 0: not needed */
    uint64_t cause_ns; /* when the frame came that should change it */
};

struct conn {
    uint64_t flow; /* its number; 0: free */
    struct addr addr[HOST_COUNT];
    struct end end[HOST_COUNT];
};

/* The sockets of one host that listen. */
struct listeners {
    size_t count;
    struct listener {
        struct addr local;
        bool is_new, is_there; /* in the present look */
    } at[LISTENERS];
};

struct states {
    const struct hosts *hosts;
    event_sink_fn *sink;
    void *context;
    struct conn conn[FLOW_SLOTS];
    struct listeners listeners[HOST_COUNT];
    unsigned pending; /* ends with tries left */
};

struct states *states_new(const struct hosts *h, event_sink_fn *sink,
                          void *context)
{
    struct states *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->hosts = h;
    s->sink = sink;
    s->context = context;
    return s;
}

void states_free(struct states *s)
{
    free(s);
}

static void tell(struct states *s, enum host_id host, const struct addr *local,
                 const struct addr *peer, enum tcp_state from,
                 enum tcp_state to, uint64_t t_ns)
{
    struct event e = {.kind = EVENT_STATE, .host = host, .t_ns = t_ns};
    e.state.local = *local;
    if (peer != NULL)
        e.state.peer = *peer;
    e.state.from = from;
    e.state.to = to;
    /* That a socket is gone is concluded: there is none to ask any more. */
    e.state.inferred = to == TCP_STATE_NONE;
    s->sink(&e, s->context);
}

/* --- connections --------------------------------------------------------- */

static void set_tries(struct states *s, struct end *end, unsigned tries)
{
    s->pending -= end->tries > 0;
    s->pending += tries > 0;
    end->tries = tries;
}

static struct conn *conn_at(struct states *s, const struct flow *flow,
                            size_t slot)
{
    struct conn *c = &s->conn[slot];
    if (c->flow == flow->number)
        return c;
    for (int i = 0; i < HOST_COUNT; i++)
        set_tries(s, &c->end[i], 0);
    *c = (struct conn){.flow = flow->number};
    for (int i = 0; i < HOST_COUNT; i++)
        c->addr[i] = flow->end[i];
    return c;
}

/* A state in which the host's own FIN is, or is about to be, on its way. */
static bool wants_fin(enum tcp_state state)
{
    return state == TCP_STATE_FIN_WAIT_1 || state == TCP_STATE_LAST_ACK ||
           state == TCP_STATE_CLOSING;
}

/* When a change that is found at T_NS came about. */
static uint64_t told_time(const struct end *end, uint64_t t_ns)
{
    bool belongs = end->tries > 0 && t_ns > end->cause_ns &&
                   t_ns - end->cause_ns < BELONGS_NS;
    return belongs ? end->cause_ns : t_ns;
}

/* Asks for one end and tells a change. BY_FRAME: a frame, and not the
 * program's call, is the reason to ask, so that a change which awaits its FIN
 * is not told yet. Returns whether the state is as it should be now: false,
 * and it is to be asked for again. */
static bool ask(struct states *s, struct conn *c, enum host_id host,
                bool by_frame, uint64_t t_ns)
{
    struct end *end = &c->end[host];
    const struct addr *local = &c->addr[host], *peer = &c->addr[1 - host];
    enum tcp_state now = diag_state(s->hosts->at[host].diag, local, peer);
    if (now == end->state || (by_frame && wants_fin(now) && !end->fin_sent))
        return false;
    tell(s, host, local, peer, end->state, now, told_time(end, t_ns));
    end->state = now;
    set_tries(s, end, 0);
    return true;
}

/* Bulk data changes no state: such frames are not asked about. */
static bool may_change(const struct end *end, const struct frame *f)
{
    return (f->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0 ||
           end->state != TCP_STATE_ESTABLISHED || end->tries > 0;
}

/* Should a frame that arrives in this state change it? */
static bool must_change(const struct end *end, const struct frame *f)
{
    return (f->flags & (TCP_FIN | TCP_RST)) != 0 ||
           end->state == TCP_STATE_SYN_SENT ||
           end->state == TCP_STATE_SYN_RCVD || wants_fin(end->state);
}

static void ask_later(struct states *s, struct end *end, uint64_t t_ns)
{
    if (end->tries == 0)
        end->cause_ns = t_ns;
    set_tries(s, end, TRIES);
}

void states_sent(struct states *s, enum host_id host, const struct flow *flow,
                 size_t slot, const struct frame *f, uint64_t t_ns)
{
    struct conn *c = conn_at(s, flow, slot);
    struct end *end = &c->end[host];
    end->fin_sent |= (f->flags & TCP_FIN) != 0;
    if (end->fin_sent && end->tries > 0)
        end->cause_ns = t_ns; /* it waited for this FIN */
    if (!may_change(end, f) || ask(s, c, host, true, t_ns))
        return;
    if (end->state == TCP_STATE_NONE && (f->flags & TCP_RST) == 0)
        ask_later(s, end, t_ns);
}

void states_received(struct states *s, enum host_id host,
                     const struct flow *flow, size_t slot,
                     const struct frame *f, uint64_t t_ns)
{
    struct conn *c = conn_at(s, flow, slot);
    struct end *end = &c->end[host];
    if (!may_change(end, f) || ask(s, c, host, true, t_ns))
        return;
    if (must_change(end, f))
        ask_later(s, end, t_ns);
}

/* Asks for one end of each connection for which WANTED says so. */
typedef bool wanted_fn(const struct end *end);

static bool wants_again(const struct end *end)
{
    return end->tries > 0;
}

static bool may_move(const struct end *end)
{
    return end->tries > 0 || (end->state != TCP_STATE_NONE &&
                              end->state != TCP_STATE_ESTABLISHED);
}

static bool is_alive(const struct end *end)
{
    return end->tries > 0 || end->state != TCP_STATE_NONE;
}

static void ask_all(struct states *s, enum host_id host, wanted_fn *wanted,
                    uint64_t t_ns)
{
    unsigned asked = 0;
    for (size_t i = 0; i < FLOW_SLOTS && asked < AT_ONCE; i++) {
        struct conn *c = &s->conn[i];
        struct end *end = &c->end[host];
        if (c->flow == 0 || !wanted(end))
            continue;
        asked++;
        if (!ask(s, c, host, false, t_ns) && end->tries > 0)
            set_tries(s, end, end->tries - 1);
    }
}

/* --- listeners ----------------------------------------------------------- */

static void see_listener(const struct diag_socket *found, void *context)
{
    struct listeners *all = context;
    size_t i = 0;
    while (i < all->count && !addr_equal(&all->at[i].local, &found->local))
        i++;
    if (i == LISTENERS) /* of so many, nobody misses one */
        return;
    if (i == all->count)
        all->at[all->count++] =
            (struct listener){.local = found->local, .is_new = true};
    all->at[i].is_there = true;
}

void states_listeners(struct states *s, enum host_id host, uint64_t t_ns)
{
    struct listeners *all = &s->listeners[host];
    for (size_t i = 0; i < all->count; i++)
        all->at[i].is_new = all->at[i].is_there = false;
    if (diag_listeners(s->hosts->at[host].diag, IPPROTO_TCP, see_listener,
                       all) < 0)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct listener *l = &all->at[i];
        if (l->is_new)
            tell(s, host, &l->local, NULL, TCP_STATE_NONE, TCP_STATE_LISTEN,
                 t_ns);
        else if (!l->is_there)
            tell(s, host, &l->local, NULL, TCP_STATE_LISTEN, TCP_STATE_NONE,
                 t_ns);
        if (l->is_there)
            all->at[kept++] = *l;
    }
    all->count = kept;
}

/* --- whenever something happens ------------------------------------------ */

void states_called(struct states *s, enum host_id host, const struct call *c,
                   uint64_t t_ns)
{
    if (!c->returned)
        return;
    bool ends = c->id == CALL_CLOSE || c->id == CALL_SHUTDOWN;
    if (c->id == CALL_LISTEN ||
        (c->id == CALL_CLOSE && s->listeners[host].count > 0))
        states_listeners(s, host, t_ns);
    if (ends)
        ask_all(s, host, is_alive, t_ns);
    else if (s->pending > 0)
        ask_all(s, host, wants_again, t_ns);
}

void states_again(struct states *s, bool quiet, uint64_t t_ns)
{
    for (int host = 0; host < HOST_COUNT; host++) {
        ask_all(s, host, quiet ? may_move : wants_again, t_ns);
        if (quiet && s->listeners[host].count > 0)
            states_listeners(s, host, t_ns);
    }
}

bool states_pending(const struct states *s)
{
    return s->pending > 0;
}
