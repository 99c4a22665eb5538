/* SPDX-License-Identifier: MIT
 *
 * model: how a server waits for many clients. A model is one file and one row
 * of its program's table; all models share the struct below and the services.
 * Read next: tcp_server/iterative.c, then fork.c and thread.c beside it.
 */
#ifndef WIRELAB_MODEL_H
#define WIRELAB_MODEL_H

#include "addr.h"
#include "err.h"
#include "out.h"
#include "service.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What was done so far. Atomic because threads share it; allocated in shared
 * memory because forked children do too. */
struct totals {
    atomic_ullong connections; /* accepted: numbers them, from 1 */
    atomic_ullong open;        /* connections open now */
    atomic_ullong failed;      /* ended by reset, time-out or error */
    atomic_ullong received_bytes, sent_bytes;  /* TCP */
    atomic_ullong datagrams_in, datagrams_out; /* UDP */
    atomic_ullong datagram_bytes_in, datagram_bytes_out;
    atomic_ullong truncated; /* datagrams larger than the buffer */
};

/* A server as its options ask for it. Main fills it; a model reads it, but for
 * the last. */
struct server {
    struct out *out;
    const struct service *service;
    struct totals *totals;

    int lfd; /* TCP: bound and listening; udp_server: -1 */
    int fd;  /* UDP: bound; -1: none (tcp_server without --with-udp) */

    uint64_t max_clients;     /* open at once; more wait in the backlog */
    uint64_t idle_timeout_ns; /* silence that ends a connection (TCP) or the
                                 server (UDP); 0: never */
    uint64_t count;           /* end after N connections or datagrams; 0: no */
    uint64_t close_delay_ns;  /* between the peer's end and our close */
    uint64_t accept_delay_ns; /* iterative: before each accept */
    uint64_t read_rate;       /* iterative: bytes a second; 0: all there is */
    uint64_t buffer;          /* UDP: receive buffer, bytes */
    uint64_t batch;           /* UDP, batch model: messages received a call */
    bool busy_poll;           /* iterative: never sleep while waiting */
    bool close_first;         /* close after the first answer */
    bool reset;               /* close with RST (SO_LINGER 0) */

    uint64_t said_ns; /* for model_may_say */
};

struct model {
    const char *name;
    const char *summary; /* one line for --models */
    /* Serves until a signal, --count or an error asks for the end, then
     * closes what it opened (not lfd and fd). 0, or -1 and *e. A peer's fault
     * is never an error here. */
    int (*serve)(struct server *s, struct err *e);
};

/* May it be said again that the server is at its limit, where it may stay? At
 * most every ten seconds. For the thread that accepts. */
bool model_may_say(struct server *s);

/* The row of that name in a table ended by a row without name, or NULL. */
const struct model *model_find(const struct model *table, const char *name);

/* Prints the table on stdout, a line a row: --models. */
void model_list(const struct model *table);

/* A struct totals of zeroes that forks share, or NULL and *e. It lasts as
 * long as the program. */
struct totals *model_totals(struct err *e);

/* The ready line: from now on this server can be reached. FD is bound; the
 * line has its real port. 0, or -1 and *e if nobody could read the line. */
int model_announce(struct server *s, int fd, struct err *e);

/* May this datagram be answered? Not if it claims to come from port 0, from
 * this very socket, or from a service that answers everything itself: two
 * servers would talk for ever (CERT CA-1996-01). */
bool model_may_answer(const struct addr *local, const struct addr *peer);

/* What it means that accept(2) failed. */
enum model_accept {
    ACCEPT_NEXT,   /* the client is gone, or its network: take the next one */
    ACCEPT_LATER,  /* descriptors or memory are short: look again soon */
    ACCEPT_FAILED, /* the server's own fault: it cannot go on */
};
enum model_accept model_accept_failure(int errnum);

/* How a connection ended: the words of the log and of JSON. */
enum model_how { HOW_FIN, HOW_RESET, HOW_TIMEOUT, HOW_ERROR };
enum model_who { WHO_CLIENT, WHO_SERVER, WHO_UNKNOWN };

/* One connection in the event log. */
struct model_conn {
    uint64_t number;
    struct addr peer, local;
    uint64_t begin_ns; /* out_now_ns when it was accepted */
    uint64_t received_bytes, sent_bytes;
};

/* The lines of the event log, the same for every model; they also count.
 *   tcp #17 127.0.0.1:51812 connected (3 open)
 *   tcp #17 closed by the client (FIN), 5 bytes in, 5 out
 *   udp 127.0.0.1:40211 5 bytes (no connection) */
void model_connected(struct server *s, struct model_conn *c);
void model_closed(struct server *s, const struct model_conn *c,
                  enum model_who first_closer, enum model_how how);
void model_datagram(struct server *s, const struct addr *peer, size_t bytes,
                    bool truncated);
/* Sends what the service at D sends unasked over UDP, as far as it is due and
 * the socket takes it; BUF has room for one datagram (CAP bytes). Returns how
 * long until the next is due: 0: at once, UINT64_MAX: not before a datagram
 * comes in. */
uint64_t model_speak(struct server *s, struct desk *d, void *buf, size_t cap);

/* model_speak, and then waits until the next is due or a datagram comes in.
 * True: a receive may be made, which then waits itself if nothing is due. */
bool model_wait(struct server *s, struct desk *d, void *buf, size_t cap);

/* The totals of both protocols: the event EVENT, "report" while it runs (on
 * SIGUSR1), "end" at the end, which tells the exit status. */
void model_report(struct server *s, const char *event, int status);

#endif
