/* SPDX-License-Identifier: MIT
 *
 * ev_udp: all peers on one socket. There is no accept, no connection and no
 * end: a datagram comes with its sender's address, is answered to it, and is
 * forgotten. A peer that does not read costs nothing, a flood of new ones no
 * more than the same datagrams from one, and an empty datagram is not an end.
 * Read next: ev_tcp.c, for all that is not needed here.
 */
#include "ev_udp.h"

#include "sock.h"

#include <errno.h>
#include <stdlib.h>

/* DATAGRAMS: in a row, so that a flood of them does not starve TCP. */
enum { ANSWER = 1024, LARGEST = 65535, DATAGRAMS = 16 };

struct ev_udp {
    struct ev_loop *loop;
    struct server *server;
    struct event *event; /* a datagram has come */
    struct event *due;   /* one is to be sent unasked */
    struct desk desk;
    struct addr local;
    size_t cap;
    char buf[]; /* CAP bytes, one for all */
};

/* Do server->count and the silence end this loop, or are they TCP's? */
static bool alone(const struct server *s)
{
    return s->lfd < 0;
}

static bool all_have_come(const struct server *s)
{
    return alone(s) && s->count != 0 &&
           atomic_load(&s->totals->datagrams_in) >= s->count;
}

/* Compare udp_server/iterative.c: only, this sendto never waits. What the
 * kernel does not take is lost, as any datagram may be. */
static void answer(struct ev_udp *u, const struct addr *peer, size_t len)
{
    struct server *s = u->server;
    char out[ANSWER];
    struct span reply;
    struct err e;
    if (!model_may_answer(&u->local, peer) ||
        !service_datagram(&u->desk, peer, u->buf, len, out, sizeof out, &reply))
        return;
    if (sock_sendto(s->fd, reply.data, reply.len, peer, &e) < 0) {
        if (e.sys != EAGAIN)
            out_error(s->out, &e);
        return;
    }
    atomic_fetch_add(&s->totals->datagrams_out, 1);
    atomic_fetch_add(&s->totals->datagram_bytes_out, reply.len);
}

/* lab: datagram-event */
/* One datagram and its answer. False: there is none. */
static bool serve_one(struct ev_udp *u)
{
    struct server *s = u->server;
    struct addr peer;
    struct err e;
    bool truncated;
    ssize_t n = sock_recvfrom(s->fd, u->buf, u->cap, MSG_DONTWAIT, &peer,
                              &truncated, &e);
    if (n < 0 && e.sys != EAGAIN && e.status == STATUS_FAILED)
        ev_loop_fail(u->loop, &e);
    if (n < 0) /* also an ICMP error: some peer is gone, and UDP forgets it */
        return false;
    model_datagram(s, &peer, (size_t)n, truncated);
    answer(u, &peer, truncated ? u->cap : (size_t)n);
    return true;
}

/* What the service sends unasked, now and when it is due. */
static void speak(struct ev_udp *u)
{
    uint64_t wait_ns = model_speak(u->server, &u->desk, u->buf, u->cap);
    const struct timeval due = ev_time(wait_ns);
    if (wait_ns == 0) /* at the loop's next turn: a timer would wait a ms */
        event_active(u->due, EV_TIMEOUT, 0);
    else if (wait_ns != UINT64_MAX)
        event_add(u->due, &due);
}

static void due_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    speak(arg);
}

void ev_udp_turn(void *arg)
{
    struct ev_udp *u = arg;
    for (int i = 0; i < DATAGRAMS; i++)
        if (all_have_come(u->server) || !serve_one(u))
            break;
}

static void datagram_cb(evutil_socket_t fd, short what, void *arg)
{
    struct ev_udp *u = arg;
    bool silence = (what & EV_TIMEOUT) != 0;
    (void)fd;
    if (!silence)
        ev_udp_turn(u);
    speak(u);
    if (silence || all_have_come(u->server))
        event_base_loopbreak(u->loop->base);
}
/* end lab */

struct ev_udp *ev_udp_new(struct ev_loop *l, struct err *e)
{
    struct server *s = l->server;
    size_t cap = s->buffer != 0 ? s->buffer : LARGEST;
    struct ev_udp *u = calloc(1, sizeof *u + cap);
    if (u == NULL)
        goto fail;
    u->loop = l;
    u->server = s;
    u->cap = cap;
    u->event = event_new(l->base, s->fd, EV_READ | EV_PERSIST, datagram_cb, u);
    const struct timeval silence = ev_time(s->idle_timeout_ns);
    bool ends = alone(s) && s->idle_timeout_ns != 0;
    u->due = evtimer_new(l->base, due_cb, u);
    if (u->event == NULL || u->due == NULL ||
        desk_open(&u->desk, s->service, s->fd, NULL) < 0 ||
        sock_getsockname(s->fd, &u->local, NULL) < 0 ||
        sock_nonblock(s->fd, NULL) < 0 ||
        event_add(u->event, ends ? &silence : NULL) < 0)
        goto fail;
    return u;
fail:
    err_sys(e, "event loop");
    ev_udp_free(u);
    return NULL;
}

void ev_udp_free(struct ev_udp *u)
{
    if (u == NULL)
        return;
    if (u->event != NULL)
        event_free(u->event);
    if (u->due != NULL)
        event_free(u->due);
    desk_close(&u->desk);
    free(u);
}
