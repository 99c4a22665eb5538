/* SPDX-License-Identifier: MIT
 *
 * expect: what must happen in a run, as a teacher or a test writes it, checked
 * against the stream of events. Patterns (pattern.h) are put together so:
 *
 *   A; B; C            in this order, whatever is between (also one a line)
 *   A, B, C            in this order, and nothing of the same lane between
 *   A & B              both, in either order
 *   meanwhile          what follows is an order of its own, from the start on
 *   frames: A, B, C    exactly these frames left, no other, in this order
 *   frames received: A, B, C       the same by arrival
 *   client frames: SYN, ACK, 6 B   the same of one side
 *   server states: SYN_RCVD, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED
 *   client calls: socket, connect = 0, send = 6, recv = 6, close
 *   A after B          at least once after the first B; "A before B" likewise
 *   no A               never; also "no A before B", "no A after B"
 *   exactly 2 A        so often; "at least 1 A", "at most 3 A" likewise,
 *                      with before and after if need be
 *   # to the end of the line: a comment
 *
 * Lists of states are about connections, not listening sockets; lists of calls
 * leave out setsockopt, poll and kin unless they are named; ARP, neighbours
 * and multicast listeners are no part of any list.
 */
#ifndef WIRELAB_EXPECT_H
#define WIRELAB_EXPECT_H

#include "err.h"
#include "event.h"
#include "opt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct expect;

/* NULL and *e if memory is short. expect_free: NULL is allowed. */
struct expect *expect_new(struct err *e);
void expect_free(struct expect *x);

/* Adds what TEXT expects; NAME ("--expect", a file's name) is for errors. Each
 * text begins an order of its own. 0, or -1 and *e (STATUS_USAGE), which names
 * the word at fault and shows what may stand there. */
int expect_parse(struct expect *x, const char *name, const char *text,
                 struct err *e);

/* The same from a file of at most 1 MiB. STATUS_FAILED if it cannot be read. */
int expect_read(struct expect *x, const char *path, struct err *e);

/* Readers for rows whose value is the struct expect; may be repeated. */
opt_read_fn expect_read_option; /* --expect EXPR */
opt_read_fn expect_read_file;   /* --expect-file FILE */

/* Takes the next event; an event_sink_fn whose context is the struct expect.
 * Events come in the order of t_ns. */
void expect_event(const struct event *e, void *expect);

/* No more events. Returns how many expectations failed. */
size_t expect_finish(struct expect *x);

/* After expect_finish: the expectations in the order they were written. */
struct expect_result {
    const char *text; /* "client SYN ... client ACK (9 steps)" */
    bool held;
    const char *why; /* failed: to stand behind text and ": ". What was
                        expected, after what, and what came instead, with
                        times on the picture's clock */
    uint64_t t_ns;   /* failed: where it stopped, on the clock of events */
};
size_t expect_count(const struct expect *x);
struct expect_result expect_result(const struct expect *x, size_t i);

#endif
