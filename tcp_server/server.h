/* SPDX-License-Identifier: MIT
 *
 * The models of tcp_server, and the conversation that the three with blocking
 * calls share. Read next: iterative.c, then fork.c, thread.c and event.c.
 */
#ifndef WIRELAB_TCP_SERVER_H
#define WIRELAB_TCP_SERVER_H

#include "model.h"

int iterative_serve(struct server *s, struct err *e);
int fork_serve(struct server *s, struct err *e);
int thread_serve(struct server *s, struct err *e);
int event_serve(struct server *s, struct err *e);
int bufferevent_serve(struct server *s, struct err *e);

/* conn.c */

/* After sock_accept failed with *why: true if the server goes on. A client
 * that left before it was accepted is nothing; out of descriptors is said and
 * waited out. False if it is to stop, or for an error of the server's own. */
bool conn_survives(struct server *s, const struct err *why);

/* Serves one accepted connection, with blocking calls, from its `connected`
 * to its `closed` line. The caller has noted it by model_connected, and closes
 * cfd afterwards. */
void conn_serve(struct server *s, int cfd, struct model_conn *c);

/* Waits NS, or until a signal asks for the end. */
void conn_wait(uint64_t ns);

/* getsockname, where somebody will see it. */
void conn_note_local(struct server *s, int cfd, struct model_conn *c);

#endif
