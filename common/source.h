/* SPDX-License-Identifier: MIT
 *
 * source: the sending side of a stream: which message is next, whether there
 * is one, and when it may leave. A pace is kept in bursts of about a
 * millisecond, because waiting for each datagram costs more than sending it.
 * Read next: sink.h, the other end.
 */
#ifndef WIRELAB_SOURCE_H
#define WIRELAB_SOURCE_H

#include "run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source {
    struct run_plan plan;
    uint64_t token;
    uint64_t begin_ns, last_ns; /* when the first left, and the last */
    struct run_sent sent;
    struct cost begin;
    unsigned char *row; /* NULL: one message at a time */
    size_t room;        /* messages in a row, at most */
};

/* Begins at NOW. FD as cost_now takes it. source_close after the end. */
void source_begin(struct source *s, uint64_t token, const struct run_plan *plan,
                  int fd, uint64_t now_ns);
void source_close(struct source *s);

/* Is there anything left to send? With plan.bytes so many bytes, rounded up to
 * whole messages; else until plan.duration_ns is over. */
bool source_more(const struct source *s, uint64_t now_ns);

/* How long until the next message may leave, by plan.rate_bps, or the time is
 * over; 0: now. */
uint64_t source_wait_ns(const struct source *s, uint64_t now_ns);

/* How many messages may leave in a row at NOW, at least 1, at most MAX. */
size_t source_burst(const struct source *s, uint64_t now_ns, size_t max);

/* The first message of this run, with its content: plan.size bytes at BUF.
 * source_next then only renumbers the header. */
void source_prepare(const struct source *s, void *buf);
void source_next(const struct source *s, void *buf, uint64_t ahead,
                 uint64_t now_ns);

/* From now on the messages can leave in rows of COUNT (gso.h), which are kept
 * and prepared here. 0, or -1 and *e: there is no memory. */
int source_rows(struct source *s, size_t count, struct err *e);

/* Numbers those that may leave in a row at NOW, at s->row. Returns how many. */
size_t source_next_row(struct source *s, uint64_t now_ns);

/* COUNT messages have left. */
void source_sent(struct source *s, uint64_t count, uint64_t now_ns);

/* The MSG_END message, MSG_CONTROL bytes, with its number. */
void source_end(struct source *s, uint64_t number, int fd, void *buf);

#endif
