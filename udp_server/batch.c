/* SPDX-License-Identifier: MIT
 *
 * Batch: many datagrams a call, for speed. With UDP_GRO the kernel hands over
 * a row of datagrams of the same sender and size as one, and tells where to
 * cut; recvmmsg takes several of those at once. Each is then served as in
 * iterative.c, where one can see what happens.
 * Sources: udp(7), recvmmsg(2). Twin: ../udp_client/batch.c.
 */
#include "server.h"

#include "clock.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 65536, ANSWER = 1024 };

/* What one entry of recvmmsg is received into. */
struct slot {
    struct addr peer;
    struct iovec part;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    _Alignas(SOCK_ALIGN) char data[LARGEST];
};

struct batch {
    struct server *server;
    struct desk desk;
    struct addr local;
    unsigned count;
    struct mmsghdr *messages;
    struct slot *slots;
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

/* How large each datagram in this message is: all of it, unless GRO says. */
static size_t segment_size(struct msghdr *m, size_t len)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof size);
            return size > 0 ? (size_t)size : len;
        }
    return len;
}

/* Cuts one message into its datagrams. Returns how many. */
static uint64_t serve_message(struct batch *b, struct slot *slot,
                              struct mmsghdr *m)
{
    size_t cap = b->server->buffer, at = 0;
    bool truncated = m->msg_len > cap; /* MSG_TRUNC tells the true size */
    size_t len = truncated ? cap : m->msg_len;
    size_t size = segment_size(&m->msg_hdr, len);
    uint64_t count = 0;
    slot->peer.len = m->msg_hdr.msg_namelen;
    do {
        size_t here = len - at < size ? len - at : size;
        model_datagram(b->server, &slot->peer, truncated ? m->msg_len : here,
                       truncated);
        answer(b, &slot->peer, slot->data + at, here);
        at += here;
        count++;
    } while (at < len);
    return count;
}

static void lay_out(struct batch *b)
{
    for (unsigned i = 0; i < b->count; i++) {
        struct slot *slot = &b->slots[i];
        slot->part = (struct iovec){slot->data, b->server->buffer};
        b->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &slot->peer.sa,
                            .msg_namelen = sizeof slot->peer.in6,
                            .msg_iov = &slot->part,
                            .msg_iovlen = 1,
                            .msg_control = slot->control,
                            .msg_controllen = sizeof slot->control};
    }
}

/* lab: recvmmsg-loop */
static int serve(struct batch *b, struct err *e)
{
    struct server *s = b->server;
    uint64_t served = 0;
    while (stop_signal() == 0 && (s->count == 0 || served < s->count)) {
        if (!model_wait(s, &b->desk, b->slots[0].data, LARGEST))
            continue;
        lay_out(b);
        int n = sock_recvmmsg(s->fd, b->messages, b->count,
                              MSG_WAITFORONE | MSG_TRUNC, e);
        if (n < 0 && e->sys == EAGAIN)
            return 0; /* silence for the whole --idle-timeout */
        if (n < 0 && stop_signal() == 0 && e->status == STATUS_FAILED)
            return -1;
        b->desk.now_ns = clock_now_ns();
        for (int i = 0; i < n; i++)
            served += serve_message(b, &b->slots[i], &b->messages[i]);
    }
    return 0;
}
/* end lab */

int batch_serve(struct server *s, struct err *e)
{
    struct batch b = {.server = s, .count = (unsigned)s->batch};
    int result = desk_open(&b.desk, s->service, s->fd, e);
    b.messages = calloc(b.count, sizeof *b.messages);
    b.slots = aligned_alloc(SOCK_ALIGN, b.count * sizeof *b.slots);
    if (result == 0 && (b.messages == NULL || b.slots == NULL))
        result = err_sys(e, "receive buffers");
    if (result == 0)
        result = sock_getsockname(s->fd, &b.local, e);
    if (result == 0 && s->idle_timeout_ns != 0)
        result = sock_timeout(s->fd, s->idle_timeout_ns, e);
    /* An old kernel has no GRO: then each message is one datagram. A row of
     * them in a buffer too small for it could not be cut right. */
    if (s->buffer >= LARGEST - 1)
        sock_setsockopt(s->fd, SOL_UDP, UDP_GRO, 1, NULL);
    if (result == 0)
        result = serve(&b, e);
    desk_close(&b.desk);
    free(b.messages);
    free(b.slots);
    return result;
}
