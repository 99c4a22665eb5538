/* SPDX-License-Identifier: MIT
 *
 * ev_tcp: TCP on a loop. A listening socket, and for each connection a
 * descriptor, an event, and a state that lasts from accept to close.
 * Read next: ev_tcp.c beside ev_udp.c: what TCP needs and UDP does not.
 */
#ifndef WIRELAB_EV_TCP_H
#define WIRELAB_EV_TCP_H

#include "ev_loop.h"

struct ev_tcp;

/* Serves the listening socket of l->server on the loop, as its options ask.
 * max_clients 0: as many as there are descriptors; what is in force is logged.
 * The loop ends when server->count connections have come and gone. NULL and *e
 * if there is no memory. */
struct ev_tcp *ev_tcp_new(struct ev_loop *l, struct err *e);

/* Thousands of connections can be ready at once, and the loop calls back all
 * of them before it looks again. Whatever else must not wait so long gets a
 * turn in between: FN(ARG), every few connections. */
void ev_tcp_take_turns(struct ev_tcp *t, void (*fn)(void *arg), void *arg);

/* Closes every connection that is still open, as the server's end, and frees
 * all. The listening socket stays open: it is main's. NULL is allowed. */
void ev_tcp_free(struct ev_tcp *t);

#endif
