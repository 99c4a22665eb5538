/* SPDX-License-Identifier: MIT
 *
 * ev_udp: UDP on a loop. One socket and one event for all peers, and nothing
 * to remember of any of them.
 * Read next: ev_udp.c beside ev_tcp.c.
 */
#ifndef WIRELAB_EV_UDP_H
#define WIRELAB_EV_UDP_H

#include "ev_loop.h"

struct ev_udp;

/* Serves the datagram socket of l->server on the loop. Without TCP beside it
 * (lfd -1) server->count datagrams, or a silence of server->idle_timeout_ns,
 * end the loop. NULL and *e if there is no memory. */
struct ev_udp *ev_udp_new(struct ev_loop *l, struct err *e);

/* Serves what has come, if anything has: a turn (ev_tcp_take_turns). ARG is the
 * struct ev_udp. */
void ev_udp_turn(void *arg);

/* The socket stays open: it is main's. NULL is allowed. */
void ev_udp_free(struct ev_udp *u);

#endif
