/* SPDX-License-Identifier: MIT
 *
 * wire: frames from host to host. See wire.h for the contract.
 *
 * Time here is the lab's: the kernel's timestamp of a frame less the lab's
 * start. A frame is due by its timestamp, not by the moment when this program
 * woke up to see it. Timers wake late by some 50 us; so the wire wakes early,
 * and waits for the exact moment awake.
 */
#include "wire.h"

#include "clock.h"
#include "flow.h"
#include "frame.h"
#include "held.h"
#include "lang.h"
#include "ring.h"
#include "track.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* It wakes this long before a frame is due. */
#define EARLY_NS (100 * CLOCK_US)
/* Frames taken from the rings before others get their turn. */
#define BURST 256
/* On a busy line it stays awake so long for the next frame; in one go, this
 * long at most. */
#define LINGER_NS (50 * CLOCK_US)
#define LINGER_MOST_NS (1 * CLOCK_MS)

struct wire {
    struct wire_options o;
    bool plain; /* no faults and no watchers: frames need not be read */
    struct ring ring[HOST_COUNT];
    struct held held;
    struct held_frame *swapped[HOST_COUNT]; /* waits for the next one */
    struct flow_table flows;
    struct track track;
    struct wire_counts counts;
    uint64_t last_ns;
    uint64_t armed_ns; /* what the timer is set for; UINT64_MAX: off */
    bool was_down[HOST_COUNT], told_unsummed[HOST_COUNT];
    int timer;
    struct loop_watch *timer_watch, *ring_watch[HOST_COUNT];
};

/* A frame on its way through the functions below. */
struct passing {
    enum host_id from, to;
    uint64_t number, t_ns;
    const uint8_t *bytes;
    size_t len, wire_len;
    struct frame frame;
    const struct flow *flow; /* of TCP, or NULL */
    size_t slot;             /* where it stands in its table */
    unsigned copy;           /* 1: the duplicate */
};

static uint64_t lab_ns(const struct wire *w)
{
    return clock_real_ns() - w->o.start_ns;
}

/* --- telling ------------------------------------------------------------- */

/* Of a frame that comes in: its fields, and the connection it belongs to. */
static void read_frame(struct wire *w, struct passing *p)
{
    frame_decode(p->bytes, p->len, p->wire_len, &p->frame);
    if (p->frame.kind != FRAME_TCP)
        return;
    p->flow = flow_find(&w->flows, p->from, &p->frame);
    p->slot = (size_t)(p->flow - w->flows.slot);
}

static void fill_event(const struct wire *w, const struct passing *p,
                       struct event *e)
{
    e->t_ns = p->t_ns;
    e->pid = 0;
    e->frame = (struct event_frame){.from = p->from,
                                    .number = p->number,
                                    .frame = p->frame,
                                    .bytes = p->bytes,
                                    .len = p->len,
                                    .wire_len = p->wire_len};
    if (p->flow == NULL)
        return;
    e->frame.window_bytes =
        track_window(&w->track, p->flow, p->slot, p->from, &p->frame);
    for (int i = 0; i < HOST_COUNT; i++) {
        e->frame.isn[i] = p->flow->isn[i];
        e->frame.isn_known[i] = p->flow->known[i];
    }
}

static void tell_sent(struct wire *w, const struct passing *p,
                      const struct fault_verdict *v)
{
    enum again again = AGAIN_NO;
    if (p->flow != NULL)
        again = track_sent(&w->track, p->flow, p->slot, p->from, &p->frame,
                           w->o.hosts->at[p->from].diag);
    struct event e = {.kind = EVENT_SENT, .host = p->from};
    fill_event(w, p, &e);
    e.frame.fate = v->fate;
    memcpy(e.frame.by, v->by, sizeof e.frame.by);
    e.frame.due_ns = v->fate == FATE_LOST ? 0 : v->due_ns;
    e.frame.again = again;
    w->o.sink(&e, w->o.context);
    if (w->o.states != NULL && p->flow != NULL)
        states_sent(w->o.states, p->from, p->flow, p->slot, &p->frame, p->t_ns);
}

/* The bytes are read again, because they may be corrupt by now; and so the
 * connection is the one they belonged to when they came in. */
static void tell_received(struct wire *w, struct passing *p)
{
    frame_decode(p->bytes, p->len, p->wire_len, &p->frame);
    struct event e = {.kind = EVENT_RECEIVED, .host = p->to};
    fill_event(w, p, &e);
    e.frame.copy = p->copy;
    w->o.sink(&e, w->o.context);
    if (w->o.states != NULL && p->flow != NULL)
        states_received(w->o.states, p->to, p->flow, p->slot, &p->frame,
                        p->t_ns);
}

static void remark(struct wire *w, enum host_id host, const char *text)
{
    struct event e = {.kind = EVENT_REMARK, .host = host, .t_ns = lab_ns(w)};
    e.remark = text;
    if (w->o.sink != NULL)
        w->o.sink(&e, w->o.context);
}

/* --- handing over -------------------------------------------------------- */

/* A frame that the host cannot take is lost as on any cable; that is told
 * once until it takes one again. */
static void refused(struct wire *w, enum host_id host)
{
    w->counts.refused[1 - host]++;
    if (w->was_down[host])
        return;
    w->was_down[host] = true;
    if (errno == ENETDOWN || errno == ENOBUFS) /* our end, its end */
        remark(w, host, N_("its cable is down: frames for it are lost"));
    else if (errno == EMSGSIZE)
        remark(w, host, N_("a frame is larger than its MTU, and lost"));
    else
        remark(w, host, N_("it cannot take a frame, which is lost"));
}

static void hand_over(struct wire *w, struct passing *p, uint64_t due_ns)
{
    p->t_ns = w->last_ns = lab_ns(w);
    if (p->t_ns > due_ns && p->t_ns - due_ns > w->counts.late_ns)
        w->counts.late_ns = p->t_ns - due_ns;
    if (ring_send(&w->ring[p->to], p->bytes, p->len) < 0) {
        refused(w, p->to);
        return;
    }
    w->was_down[p->to] = false;
    if (w->o.sink != NULL)
        tell_received(w, p);
}

static void hand_over_next(struct wire *w)
{
    struct held_frame *f = held_pop(&w->held);
    const struct flow *flow = &w->flows.slot[f->slot];
    struct passing p = {.from = f->from,
                        .to = 1 - f->from,
                        .number = f->number,
                        .bytes = f->bytes,
                        .len = f->len,
                        .wire_len = f->len,
                        .flow = f->flow != 0 && f->flow == flow->number
                                    ? flow
                                    : NULL, /* it was forgotten meanwhile */
                        .slot = f->slot,
                        .copy = f->copy};
    if (w->swapped[f->from] == f)
        w->swapped[f->from] = NULL;
    hand_over(w, &p, f->due_ns);
    free(f);
}

/* --- taking in ----------------------------------------------------------- */

/* Sends the frame on its way: at once if it is due and nothing is before it,
 * else into the heap. Returns the heap's frame or NULL. */
static struct held_frame *dispatch(struct wire *w, const struct passing *p,
                                   uint64_t due_ns, unsigned copy)
{
    if (due_ns <= p->t_ns && due_ns < held_due(&w->held)) {
        struct passing now = *p;
        now.copy = copy;
        hand_over(w, &now, due_ns);
        return NULL;
    }
    struct held_frame *f = held_push(&w->held, p->bytes, p->len, due_ns);
    if (f == NULL) {
        w->counts.dropped[p->from]++;
        return NULL;
    }
    f->from = p->from;
    f->number = p->number;
    f->copy = copy;
    f->flow = p->flow != NULL ? p->flow->number : 0;
    f->slot = p->slot;
    return f;
}

static void flip(const struct passing *p, const struct fault_verdict *v)
{
    if (p->frame.transport == NULL)
        return;
    size_t at = (size_t)(p->frame.transport - p->bytes) + v->flip_at;
    /* The bytes are ours: they lie in the ring, or in a held frame. */
    if (at < p->len)
        ((uint8_t *)p->bytes)[at] ^= v->flip_mask;
}

static void obey(struct wire *w, const struct passing *p,
                 const struct fault_verdict *v)
{
    if (v->fate == FATE_LOST) {
        w->counts.lost[p->from]++;
        return;
    }
    if (v->fate == FATE_CORRUPTED)
        flip(p, v);
    struct held_frame *f = dispatch(w, p, v->due_ns, 0);
    if (v->held)
        w->swapped[p->from] = f;
    else if (v->release_ns != 0 && w->swapped[p->from] != NULL)
        held_move(&w->held, w->swapped[p->from], v->release_ns);
    if (v->fate == FATE_DUPLICATED)
        dispatch(w, p, v->copy_due_ns, 1);
}

/* Multicast housekeeping that IPv6 sends by itself at random times (RFC 3810):
 * of no use on a wire of two, and it would shift the numbers of the frames,
 * which faults go by. */
static bool is_noise(const struct frame *f)
{
    return f->kind == FRAME_ICMP && f->ip_version == 6 &&
           (f->icmp_type == 143 ||
            (f->icmp_type >= 130 && f->icmp_type <= 133));
}

/* A frame that is larger than any slot, hence than the MTU: a card's job that
 * was not done, because somebody has switched the offloads on again. */
static void refuse_large(struct wire *w, enum host_id from)
{
    w->counts.refused[from]++;
    if (!w->was_down[from])
        remark(
            w, from,
            N_("it sends frames larger than its MTU (ethtool -K eth0 tso off "
               "gso off tx off): they are lost"));
    w->was_down[from] = true;
}

static void take_in(struct wire *w, enum host_id from,
                    const struct ring_frame *in)
{
    struct passing p = {.from = from,
                        .to = 1 - from,
                        .bytes = in->bytes,
                        .len = in->len,
                        .wire_len = in->wire_len};
    if (in->real_ns > w->o.start_ns) /* unless somebody has set the clock */
        p.t_ns = in->real_ns - w->o.start_ns;
    if (in->wire_len > in->len) {
        refuse_large(w, from);
        return;
    }
    if (in->unsummed && !w->told_unsummed[from]) {
        w->told_unsummed[from] = true;
        remark(w, from,
               N_("it leaves checksums to a card that is not there (ethtool -K "
                  "eth0 tx off)"));
    }
    w->last_ns = p.t_ns;
    if (w->plain) {
        w->counts.sent[from]++;
        dispatch(w, &p, p.t_ns + w->o.fault->link[from].delay_ns, 0);
        return;
    }
    read_frame(w, &p);
    if (is_noise(&p.frame))
        return;
    p.number = ++w->counts.sent[from];
    struct fault_verdict v;
    fault_decide(w->o.fault, from, &p.frame, p.t_ns, &v);
    if (w->o.sink != NULL)
        tell_sent(w, &p, &v);
    obey(w, &p, &v);
}

/* The oldest frame of both rings: its host, or HOST_COUNT if there is none. */
static enum host_id oldest(struct wire *w, struct ring_frame *f)
{
    struct ring_frame of[HOST_COUNT];
    bool client = ring_peek(&w->ring[HOST_CLIENT], &of[HOST_CLIENT]);
    bool server = ring_peek(&w->ring[HOST_SERVER], &of[HOST_SERVER]);
    if (!client && !server)
        return HOST_COUNT;
    enum host_id from = HOST_SERVER;
    if (client &&
        (!server || of[HOST_CLIENT].real_ns <= of[HOST_SERVER].real_ns))
        from = HOST_CLIENT;
    *f = of[from];
    return from;
}

static void take_in_all(struct wire *w)
{
    struct ring_frame f;
    for (int i = 0; i < BURST; i++) {
        enum host_id from = oldest(w, &f);
        if (from == HOST_COUNT)
            return;
        take_in(w, from, &f);
        ring_release(&w->ring[from]);
    }
}

/* --- the loop ------------------------------------------------------------ */

static void arm(struct wire *w)
{
    uint64_t due_ns = held_due(&w->held);
    if (due_ns == w->armed_ns)
        return;
    w->armed_ns = due_ns;
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (due_ns != UINT64_MAX) {
        uint64_t now_ns = lab_ns(w);
        uint64_t wait_ns =
            due_ns > now_ns + EARLY_NS ? due_ns - now_ns - EARLY_NS : 1;
        when.it_value.tv_sec = (time_t)(wait_ns / CLOCK_S);
        when.it_value.tv_nsec = (long)(wait_ns % CLOCK_S);
    }
    timerfd_settime(w->timer, 0, &when, NULL); /* cannot fail: our own values */
}

/* Hands over what is due, or due so soon that sleeping would be too long. */
static void serve(struct wire *w)
{
    take_in_all(w);
    for (int i = 0; i < BURST && w->held.count > 0; i++) {
        uint64_t due_ns = held_due(&w->held), now_ns = lab_ns(w);
        if (due_ns > now_ns + EARLY_NS)
            break;
        if (due_ns <= now_ns) {
            hand_over_next(w);
        } else {
            if (w->o.meanwhile != NULL)
                w->o.meanwhile(w->o.context);
            sched_yield();
        }
        take_in_all(w);
    }
    w->armed_ns = w->held.count > 0 ? 0 : w->armed_ns;
    arm(w);
}

void wire_pump(struct wire *w)
{
    take_in_all(w);
    arm(w);
}

/* On a busy line the next frame is near, and looking out for it is quicker
 * than to sleep and be woken; others get their turn now and then. */
static void linger(struct wire *w)
{
    struct ring_frame f;
    uint64_t now_ns = clock_now_ns(), end_ns = now_ns + LINGER_MOST_NS;
    uint64_t until_ns = now_ns + LINGER_NS;
    while (now_ns < until_ns && now_ns < end_ns) {
        sched_yield();
        now_ns = clock_now_ns();
        if (oldest(w, &f) == HOST_COUNT)
            continue;
        serve(w);
        until_ns = now_ns + LINGER_NS;
    }
}

static void ring_cb(void *wire)
{
    struct wire *w = wire;
    serve(w);
    if (w->o.linger)
        linger(w);
}

static void timer_cb(void *wire)
{
    struct wire *w = wire;
    uint64_t times;
    if (read(w->timer, &times, sizeof times) < 0)
        return; /* it was set again meanwhile */
    w->armed_ns = 0;
    serve(w);
}

static bool is_plain(const struct wire_options *o)
{
    const struct fault *f = o->fault;
    if (o->sink != NULL || f->rules > 0)
        return false;
    for (int i = 0; i < HOST_COUNT; i++) {
        const struct fault_link *l = &f->link[i];
        if (l->jitter_ns || l->rate_bps || l->loss || l->duplicate ||
            l->reorder || l->corrupt || f->blackhole_ns[i] != UINT64_MAX)
            return false;
    }
    return true;
}

static int watch(struct loop *loop, struct wire *w, struct err *e)
{
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (w->timer < 0)
        return err_sys(e, "timer of the wire");
    w->timer_watch = loop_readable(loop, w->timer, timer_cb, w, e);
    if (w->timer_watch == NULL)
        return -1;
    for (int i = 0; i < HOST_COUNT; i++) {
        w->ring_watch[i] = loop_readable(loop, w->ring[i].fd, ring_cb, w, e);
        if (w->ring_watch[i] == NULL)
            return -1;
    }
    return 0;
}

struct wire *wire_new(struct loop *loop, const struct wire_options *options,
                      struct err *e)
{
    struct wire *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_sys(e, "memory for the wire");
        return NULL;
    }
    w->o = *options;
    w->plain = is_plain(options);
    w->armed_ns = UINT64_MAX;
    w->timer = w->ring[HOST_CLIENT].fd = w->ring[HOST_SERVER].fd = -1;
    for (int i = 0; i < HOST_COUNT; i++)
        if (ring_open(&w->ring[i], options->hosts->at[i].wire_index,
                      options->mtu, e) < 0)
            goto fail;
    if (watch(loop, w, e) < 0)
        goto fail;
    return w;
fail:
    wire_free(w);
    return NULL;
}

void wire_free(struct wire *w)
{
    if (w == NULL)
        return;
    for (int i = 0; i < HOST_COUNT; i++) {
        loop_forget(w->ring_watch[i]);
        ring_close(&w->ring[i]);
    }
    loop_forget(w->timer_watch);
    if (w->timer >= 0)
        close(w->timer);
    held_clear(&w->held);
    free(w);
}

bool wire_is_empty(const struct wire *w)
{
    return w->held.count == 0;
}

uint64_t wire_last_ns(const struct wire *w)
{
    return w->last_ns;
}

void wire_count(struct wire *w, struct wire_counts *counts)
{
    for (int i = 0; i < HOST_COUNT; i++)
        w->counts.dropped[i] += ring_count_drops(&w->ring[i]);
    *counts = w->counts;
}
