/* SPDX-License-Identifier: MIT
 *
 * Batch: many datagrams a call, for speed. With UDP_GRO the kernel hands over
 * a row of datagrams of the same sender and size as one, and tells where to
 * cut; recvmmsg takes several of those at once. Each is then served as in
 * iterative.c, where one can see what happens. What a reversed stream sends
 * leaves in rows too, if its client asked for that (model_speak).
 * Read next: ../common/gso.c. Twin: ../udp_client/batch.c.
 */
#include "server.h"

#include "clock.h"
#include "gso.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <sys/socket.h>

enum { ANSWER = 1024, LARGEST = 65536 };

struct batch {
    struct server *server;
    struct desk desk;
    struct addr local;
    struct gso_inbox in;
    char out[LARGEST]; /* one datagram of those that nobody asked for */
};

/* Answers one datagram, as in iterative.c. */
static void answer(struct batch *b, const struct addr *peer, const void *in,
                   size_t len)
{
    struct server *s = b->server;
    char out[ANSWER];
    struct span reply;
    struct err e;
    if (!service_datagram(&b->desk, peer, in, len, out, sizeof out, &reply) ||
        !model_may_answer(&b->local, peer))
        return;
    if (sock_sendto(s->fd, reply.data, reply.len, peer, &e) < 0) {
        out_error(s->out, &e);
        return;
    }
    atomic_fetch_add(&s->totals->datagrams_out, 1);
    atomic_fetch_add(&s->totals->datagram_bytes_out, reply.len);
}

/* lab: recvmmsg-loop */
static int serve(struct batch *b, struct err *e)
{
    struct server *s = b->server;
    struct gso_datagram d;
    uint64_t served = 0;
    while (stop_signal() == 0 && (s->count == 0 || served < s->count)) {
        if (!model_wait(s, &b->desk, b->out, sizeof b->out))
            continue;
        int n = gso_receive(&b->in, s->fd, MSG_WAITFORONE, e);
        if (n < 0 && e->sys == EAGAIN)
            return 0; /* silence for the whole --idle-timeout */
        if (n < 0 && stop_signal() == 0 && e->status == STATUS_FAILED)
            return -1;
        b->desk.now_ns = clock_now_ns();
        for (; gso_next(&b->in, &d); served++) {
            model_datagram(s, d.peer, d.whole, d.whole > d.len);
            answer(b, d.peer, d.data, d.len);
        }
    }
    return 0;
}
/* end lab */

int batch_serve(struct server *s, struct err *e)
{
    struct batch b = {.server = s};
    int result = desk_open(&b.desk, s->service, s->fd, e);
    if (result == 0)
        result = gso_open(&b.in, s->fd, (unsigned)s->batch, s->buffer, e);
    if (result == 0)
        result = sock_getsockname(s->fd, &b.local, e);
    if (result == 0 && s->idle_timeout_ns != 0)
        result = sock_timeout(s->fd, s->idle_timeout_ns, e);
    b.desk.mode = b.in.mode;
    b.desk.row = GSO_MAX;
    if (result == 0)
        result = serve(&b, e);
    gso_close(&b.in);
    desk_close(&b.desk);
    return result;
}
