/* SPDX-License-Identifier: MIT
 *
 * diag: the kernel's own word about sockets, by sock_diag. It needs no
 * privilege, and looking for one TCP socket by its two ends takes a few
 * microseconds, whatever else there is.
 * Sources: sock_diag(7); include/uapi/linux/inet_diag.h.
 * Read next: states.h.
 */
#ifndef WIRELAB_DIAG_H
#define WIRELAB_DIAG_H

#include "addr.h"
#include "event.h"

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>

/* FD below is a socket of NETLINK_SOCK_DIAG, opened in the host it asks. */

/* The state of the TCP socket with these two ends; TCP_STATE_NONE if there is
 * none. (The kernel answers with the listener that would take such a
 * connection; that is not this socket, and counts as none.) */
enum tcp_state diag_state(int fd, const struct addr *local,
                          const struct addr *peer);

/* TCP_INFO of that socket, from outside: what the kernel did not tell is zero.
 * 0, or -1: no such socket, or no more than its memory (TIME_WAIT). */
int diag_info(int fd, const struct addr *local, const struct addr *peer,
              struct tcp_info *info);

/* One socket of a list. */
struct diag_socket {
    struct addr local, peer;            /* peer.len 0: none */
    enum tcp_state state;               /* of TCP */
    uint32_t receive_queue, send_queue; /* bytes not read, not acknowledged */
    uint32_t inode; /* as in /proc/PID/fd; 0: no program holds it */
};
/* It must not ask by the same FD. */
typedef void diag_fn(const struct diag_socket *s, void *context);

/* All sockets that wait for a peer: TCP's that listen, and UDP's that are
 * bound but not connected (PROTO: IPPROTO_TCP, IPPROTO_UDP). 0, or -1. */
int diag_listeners(int fd, int proto, diag_fn *fn, void *context);

/* All TCP sockets that have a peer, but those in TIME_WAIT, of which a busy
 * machine has very many. It walks the kernel's whole
 * table: half a millisecond. 0, or -1. */
int diag_connections(int fd, diag_fn *fn, void *context);

#endif
