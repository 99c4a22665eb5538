/* SPDX-License-Identifier: MIT
 *
 * What tcp_client's main hands to the file that does the work.
 * Read next: pipe.c. Twin: ../udp_client/client.h.
 */
#ifndef WIRELAB_TCP_CLIENT_H
#define WIRELAB_TCP_CLIENT_H

#include "addr.h"
#include "err.h"
#include "measure.h"
#include "out.h"

#include <stdbool.h>
#include <stdint.h>

/* A client as its options ask for it, and its one connection. */
struct client {
    struct out *out;
    int fd; /* connected */
    struct addr peer, local;
    uint64_t timeout_ns; /* silence that ends it; 0: never */
    bool until_peer;     /* end when the peer does */
    bool no_half_close;  /* keep our direction open at the end of input */
    bool fin_with_data;  /* the last bytes and FIN in one segment */
    bool reset;          /* close with RST, not FIN */
    bool nodelay;        /* small segments at once */
    const char *source, *congestion; /* NULL: the kernel chooses */
    bool escape; /* stdout is a terminal: a peer must not steer it */

    uint64_t connect_timeout_ns;   /* 0: as long as the kernel tries */
    uint64_t begin_ns, connect_ns; /* the connection; how long its handshake
                                      took */
    uint64_t sent_bytes, received_bytes;
    const char *first_closer; /* "client", "server", "unknown" */
};

/* Each returns 0, or -1 and *e; what was received has been written out by
 * then. They leave fd open. */

/* stdin to the peer and the peer to stdout, both at once, until both have
 * ended: pipe.c. */
int pipe_run(struct client *c, struct err *e);

/* TEXT as one line; the reply; the end: ask.c. */
int ask_run(struct client *c, const char *text, struct err *e);

/* Sets on a new socket what --nodelay, --congestion and --source ask for.
 * Returns 0, or -1 and *e. */
int client_prepare(const struct client *c, int fd, int family, struct err *e);

/* Numbered messages to an echo server, and their replies: ping.c. It closes. */
int ping_run(struct client *c, const struct measure *plan, struct err *e);

/* Numbered messages to a sink, and its account of them: stream.c. It closes. */
int stream_run(struct client *c, const struct measure *plan, struct err *e);

/* A connection to c->peer: returns its descriptor, with c->connect_ns, or -1
 * and *e. */
int client_connect(struct client *c, struct err *e);

/* Closes c->fd, by FIN or, as asked, by RST, and logs it. STATUS: how the talk
 * ended. */
void client_close(struct client *c, int status);

/* All of the bytes to the peer: a send may take fewer than it is given. FLAGS
 * are send(2)'s. 0, or -1 and *e: STATUS_TIMEOUT if it took nothing for the
 * --timeout. */
int client_send(struct client *c, const void *data, size_t len, int flags,
                struct err *e);

/* Bytes from the peer: to stdout as they are, or as a `data` event. Returns 0,
 * or -1 and *e if stdout takes no more. */
int client_deliver(struct client *c, const void *data, size_t len,
                   struct err *e);

#endif
