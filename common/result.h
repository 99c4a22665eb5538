/* SPDX-License-Identifier: MIT
 *
 * result: what --ping and --stream found, as text and as the `reply`, `report`
 * and `end` events of docs/schema.json, the same for both protocols.
 * docs/measuring.md defines every figure.
 * Read next: ../tcp_client/ping.c, ../udp_client/ping.c.
 */
#ifndef WIRELAB_RESULT_H
#define WIRELAB_RESULT_H

#include "addr.h"
#include "hist.h"
#include "measure.h"
#include "out.h"
#include "run.h"

#include <stdbool.h>
#include <stdint.h>

/* What a ping has found so far. */
struct ping_result {
    uint64_t sent, late;
    uint64_t connect_ns; /* the handshake; COST_UNKNOWN: there is none */
    struct run *run;     /* the exact map of the replies */
    struct hist rtt;     /* of each first reply */
    struct cost cost;    /* as result_ping_cost saw it */
};

/* A reply has come: counts it, and prints a line or a `reply` event. */
void result_reply(struct out *o, struct ping_result *r, const struct measure *m,
                  const struct addr *peer, uint64_t number, uint64_t sent_ns,
                  uint64_t now_ns);

/* How a ping ended: 0, or -1 and *e if there are messages without reply. */
int result_ping_check(const struct ping_result *r, struct err *e);

/* Notes what it has cost this side, and what the kernel counted for the socket:
 * before the totals, and before FD is closed. */
void result_ping_cost(struct ping_result *r, int fd);

/* The totals: the event `report`, or `end`, which tells the exit status. */
void result_ping(struct out *o, const struct measure *m,
                 const struct ping_result *r, const char *event, int status);

/* What a stream has found. The receiver's counts are not known until its
 * report is here or, reversed, the sender's END. */
struct stream_result {
    struct run_sent sent;
    struct run_counts got;
    bool know_sent, know_got;
    uint64_t connect_ns; /* COST_UNKNOWN: there is no handshake */
    char congestion[16]; /* TCP's, in force; "": there is none */
};

/* Adds the result of another stream that ran at the same time. */
void result_add(struct stream_result *into, const struct stream_result *from);

/* How a stream ended: 0, or -1 and *e if not all is known to be delivered. What
 * the server says is not known any more if it cannot be right. */
int result_stream_check(const struct measure *m, struct stream_result *r,
                        struct err *e);

/* The totals: the event `end`. */
void result_stream(struct out *o, const struct measure *m,
                   const struct stream_result *r, int status);

/* How far it is: COUNT messages of BYTES in all, sent or, reversed, delivered.
 * With --report the event `report`, else a line that the next replaces, if
 * stderr is a terminal. */
void result_progress(struct out *o, const struct measure *m, uint64_t count,
                     uint64_t bytes, uint64_t elapsed_ns);

/* The exit status that main will end with, given what its work returned. */
int result_status(int result, const struct err *e);

#endif
