/* SPDX-License-Identifier: MIT
 *
 * The models of udp_server. There is no fork.c and no thread.c here: a TCP
 * server hands a connection to a child, and UDP has none to hand over.
 * Read next: iterative.c. Twin: ../tcp_server/server.h.
 */
#ifndef WIRELAB_UDP_SERVER_H
#define WIRELAB_UDP_SERVER_H

#include "model.h"

int iterative_serve(struct server *s, struct err *e);
int event_serve(struct server *s, struct err *e);
int batch_serve(struct server *s, struct err *e);

#endif
