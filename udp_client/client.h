/* SPDX-License-Identifier: MIT
 *
 * What udp_client's main hands to the file that does the work.
 * Read next: pipe.c. Twin: ../tcp_client/client.h.
 */
#ifndef WIRELAB_UDP_CLIENT_H
#define WIRELAB_UDP_CLIENT_H

#include "addr.h"
#include "err.h"
#include "gso.h"
#include "measure.h"
#include "out.h"
#include "source.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A client as its options ask for it, and its socket. */
struct client {
    struct out *out;
    int fd; /* connected, or not with --unconnected */
    struct addr peer;
    uint64_t timeout_ns; /* silence that ends it after the end of input */
    const char *source;  /* where it sends from; NULL: as the kernel chooses */
    uint64_t ttl;        /* links a datagram may cross; 0: the default */
    uint64_t rcvbuf;     /* bytes that may wait to be received; 0: default */
    bool broadcast;      /* to a broadcast address */
    uint64_t block;      /* bytes a datagram; 0: a line */
    bool chomp;          /* the newline stays out of the datagram */
    bool unconnected;    /* sendto and recvfrom, no connect */
    bool anybody;        /* a group or a broadcast: replies from anyone */
    bool escape;         /* stdout is a terminal: a peer must not steer it */

    uint64_t sent, received; /* datagrams */
    uint64_t sent_bytes, received_bytes;
};

/* The largest datagram over IPv4: 65535 less the headers (RFC 768, 791); and
 * what fits into a buffer that a larger one overflows. */
enum { DATAGRAM_MAX = 65507, DATAGRAM_BUFFER = 65536 };

/* Each returns 0, or -1 and *e; what was received has been written out by
 * then. They leave fd open. */

/* stdin to the peer, a datagram a line, and replies to stdout: pipe.c. */
int pipe_run(struct client *c, struct err *e);

/* TEXT as one datagram; the reply: ask.c. */
int ask_run(struct client *c, const char *text, struct err *e);

/* Numbered datagrams to an echo server, and their replies: ping.c. */
int ping_run(struct client *c, const struct measure *plan, struct err *e);

/* Numbered datagrams to a sink, and its account of them: stream.c. */
int stream_run(struct client *c, const struct measure *plan, struct err *e);

/* One more socket to the same peer, as main made the first: returns it, or -1
 * and *e. */
int client_open(const struct client *c, struct err *e);

/* Many datagrams a call: batch.c. batch_send sends the next row of S (see
 * source_rows), as far as it is due: returns how many were, or -1 and *e. */
int batch_send(struct source *s, int fd, uint64_t now_ns, struct err *e);

/* An inbox for COUNT messages a call, or as many as it has memory for: 0, or -1
 * and *e. gso_close is the end of it. batch_receive waits, as long as the
 * socket's time-out, and takes what has come: returns how many messages, 0 if
 * there was none, or -1 and *e. */
int batch_open(struct gso_inbox *in, int fd, uint64_t count, struct err *e);
int batch_receive(struct gso_inbox *in, int fd, struct err *e);

/* One datagram: send, or sendto. Returns 0, or -1 and *e. */
int client_send(struct client *c, const void *data, size_t len, struct err *e);

/* The next datagram, written to stdout or as a `data` event: recv, or
 * recvfrom. Waits unless FLAGS has MSG_DONTWAIT. Returns 1; 0 if it was
 * somebody else's, or nothing came (e->sys EAGAIN); -1 and *e. */
int client_receive(struct client *c, int flags, struct err *e);

#endif
