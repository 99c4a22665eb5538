/* SPDX-License-Identifier: MIT
 *
 * Iterative: one datagram at a time. There is no listen, no accept and no
 * close for a client: each datagram brings its sender's address, the answer
 * goes back to it, and then it is forgotten. So one socket serves everybody.
 * Twin: ../tcp_server/iterative.c.
 */
#include "server.h"

#include "clock.h"
#include "run.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* Far longer than from one datagram to the next at full speed. */
#define AWAKE (50 * CLOCK_US)
#define REST 256

/* Sends the service's answer, if it has one. That a client cannot be reached
 * is no error of the server's. */
static void answer(struct server *s, struct desk *desk,
                   const struct addr *local, const struct addr *peer,
                   const void *in, size_t len)
{
    char out[1024];
    struct span reply;
    struct err e;
    if (!model_may_answer(local, peer) ||
        !service_datagram(desk, peer, in, len, out, sizeof out, &reply))
        return;
    if (sock_sendto(s->fd, reply.data, reply.len, peer, &e) < 0) {
        out_error(s->out, &e);
        return;
    }
    atomic_fetch_add(&s->totals->datagrams_out, 1);
    atomic_fetch_add(&s->totals->datagram_bytes_out, reply.len);
}

/* A slow reader: waits for as long as BYTES take at --read-rate. Nothing holds
 * the senders back meanwhile: what finds the receive buffer full is lost. */
static void read_slowly(const struct server *s, size_t bytes, uint64_t *due_ns)
{
    if (s->read_rate == 0)
        return;
    uint64_t now_ns = clock_now_ns();
    if (*due_ns < now_ns)
        *due_ns = now_ns;
    *due_ns += (uint64_t)bytes * CLOCK_S / s->read_rate;
    while (stop_signal() == 0 && (now_ns = clock_now_ns()) + CLOCK_MS < *due_ns)
        poll(NULL, 0, clock_poll_ms(*due_ns - now_ns));
}

/* In an unpaced stream the next datagram is due in microseconds. A receiver
 * that sleeps meanwhile must be woken by the sender, and that costs the sender
 * more than to send. A look in vain is followed by REST receives that sleep:
 * perhaps the sender waits for this very core. */
static bool stays_awake(const struct server *s, const struct desk *desk,
                        unsigned *rest)
{
    const struct run *r = desk->runs != NULL ? desk->runs->last : NULL;
    if (s->busy_poll || r == NULL || r->source != NULL || r->plan.rate_bps != 0)
        return s->busy_poll;
    if (*rest == 0 && clock_now_ns() - r->seen_ns < AWAKE)
        return true;
    *rest = *rest > 0 ? *rest - 1 : REST;
    return false;
}

/* lab: recvfrom-loop */
static int serve(struct server *s, struct desk *desk, void *buf, struct err *e)
{
    struct addr local, peer;
    uint64_t served = 0, due_ns = 0;
    unsigned rest = 0;
    if (sock_getsockname(s->fd, &local, e) < 0)
        return -1;
    while (stop_signal() == 0 && (s->count == 0 || served < s->count)) {
        bool truncated;
        if (!model_wait(s, desk, buf, s->buffer))
            continue;
        int flags = stays_awake(s, desk, &rest) ? MSG_DONTWAIT : 0;
        ssize_t n =
            sock_recvfrom(s->fd, buf, s->buffer, flags, &peer, &truncated, e);
        if (n < 0 && e->sys == EAGAIN && flags == 0)
            return 0; /* silence for the whole --idle-timeout */
        if (n < 0 && stop_signal() == 0 && e->status == STATUS_FAILED &&
            e->sys != EAGAIN)
            return -1;
        if (n < 0)
            continue;
        size_t len = truncated ? s->buffer : (size_t)n;
        model_datagram(s, &peer, (size_t)n, truncated);
        answer(s, desk, &local, &peer, buf, len);
        read_slowly(s, (size_t)n, &due_ns);
        served++;
    }
    return 0;
}
/* end lab */

int iterative_serve(struct server *s, struct err *e)
{
    void *buf = malloc(s->buffer);
    if (buf == NULL)
        return err_sys(e, "receive buffer");
    struct desk desk;
    int result = desk_open(&desk, s->service, s->fd, e);
    if (result == 0 && s->idle_timeout_ns != 0)
        result = sock_timeout(s->fd, s->idle_timeout_ns, e);
    if (result == 0)
        result = serve(s, &desk, buf, e);
    desk_close(&desk);
    free(buf);
    return result;
}
