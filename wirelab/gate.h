/* SPDX-License-Identifier: MIT
 *
 * gate: may the client start? It may when a server can be reached: a TCP
 * socket listens, or a UDP socket is bound. The kernel is asked, so that it
 * works for any program and nobody has to sleep.
 * Read next: diag.h.
 */
#ifndef WIRELAB_GATE_H
#define WIRELAB_GATE_H

#include "addr.h"

struct gate_view {
    unsigned reachable; /* sockets that the other host can reach */
    unsigned loopback;  /* sockets that only their own host can */
    int proto;          /* of one of the latter: IPPROTO_TCP, IPPROTO_UDP */
    struct addr local;  /* and where it is bound */
};

/* What waits for a peer in the host of DIAG (a sock_diag socket in it). */
void gate_look(int diag, struct gate_view *v);

#endif
