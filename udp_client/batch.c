/* SPDX-License-Identifier: MIT
 *
 * Batch: many datagrams a call, for speed: what stream.c does one by one, in
 * rows that the kernel passes on as one message. common/gso.c has the calls,
 * and what they do without the kernel's help. Either way each datagram has its
 * own number, and is counted.
 * Read next: ../common/gso.c. Twin: ../udp_server/batch.c.
 */
#include "client.h"

#include <errno.h>
#include <sys/socket.h>

/* A message may be a row of 64 datagrams, and takes 64 KiB of memory. */
enum { MESSAGES = 16 };

int batch_send(struct source *s, int fd, uint64_t now_ns, struct err *e)
{
    size_t count = source_next_row(s, now_ns);
    int sent =
        gso_send(fd, NULL, s->row, s->plan.size, count, &s->sent.mode, e);
    if (sent < 0) /* no room in the send buffer: not sent, not lost */
        return e->sys == ENOBUFS || e->sys == EAGAIN ? 0 : -1;
    return sent;
}

int batch_open(struct gso_inbox *in, int fd, uint64_t count, struct err *e)
{
    unsigned messages = count < MESSAGES ? (unsigned)count : MESSAGES;
    return gso_open(in, fd, messages, DATAGRAM_BUFFER - 1, e);
}

int batch_receive(struct gso_inbox *in, int fd, struct err *e)
{
    int n = gso_receive(in, fd, MSG_WAITFORONE, e);
    if (n < 0)
        return e->sys == EAGAIN || e->sys == EINTR ? 0 : -1;
    return n;
}
