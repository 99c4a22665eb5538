/* SPDX-License-Identifier: MIT
 *
 * gso: many datagrams a call. What a datagram costs is less the call than its
 * way through the stack. With UDP_SEGMENT (GSO) up to 64 of the same size make
 * that way as one message, and are cut apart at its end; with UDP_GRO they are
 * handed over as one message too, and the receiver cuts. Where a kernel or a
 * device cannot, sendmmsg and recvmmsg save the calls alone.
 * Sources: udp(7), sendmmsg(2), recvmmsg(2).
 * Read next: ../udp_client/batch.c and ../udp_server/batch.c.
 */
#ifndef WIRELAB_GSO_H
#define WIRELAB_GSO_H

#include "addr.h"
#include "err.h"
#include "run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mmsghdr;

/* How datagrams of SIZE, COUNT at a time, can leave: MODE_ROWS; or MODE_MANY,
 * if no two fit into a message. */
enum run_mode gso_mode(size_t size, size_t count);

/* Sends COUNT datagrams of SIZE, at most GSO_MAX, which stand in a row at DATA,
 * by one sendmmsg: to PEER, or NULL: FD is connected. In MODE_ROWS by GSO; if
 * that is refused on the way to this peer, *mode becomes MODE_MANY. Returns how
 * many the kernel took, 0 if it is to be asked again in the new mode; or -1 and
 * *e, with ENOBUFS or EAGAIN if there was no room. */
enum { GSO_MAX = 1024 };
int gso_send(int fd, const struct addr *peer, const void *data, size_t size,
             size_t count, uint64_t *mode, struct err *e);

/* What recvmmsg receives into. */
struct gso_inbox {
    enum run_mode mode; /* MODE_ROWS, or MODE_MANY: no GRO */
    unsigned count;     /* messages a call, at most */
    size_t cap;         /* bytes of each */
    struct mmsghdr *messages;
    struct gso_slot *slots;
    unsigned received, next; /* messages of the last call; which is cut now */
    size_t at;               /* and where */
};

/* One datagram of those that came. */
struct gso_datagram {
    struct addr *peer;
    const unsigned char *data;
    size_t len;   /* bytes that are here */
    size_t whole; /* and that it had: more, if it was larger than the slot */
};

/* An inbox of COUNT messages, of CAP bytes each (at most 65535), for FD. GRO is
 * asked for if the largest row fits: one that lost its end could not be cut
 * apart. 0, or -1 and *e. gso_close also after it failed, or of zeroes. */
int gso_open(struct gso_inbox *in, int fd, unsigned count, size_t cap,
             struct err *e);
void gso_close(struct gso_inbox *in);

/* Receives by one recvmmsg, with FLAGS. Returns how many messages, or -1 and
 * *e. What gso_next has not taken of the last ones is gone. */
int gso_receive(struct gso_inbox *in, int fd, int flags, struct err *e);

/* The next datagram of those received; false: that was all. It stays where it
 * is until the next gso_receive. */
bool gso_next(struct gso_inbox *in, struct gso_datagram *d);

#endif
