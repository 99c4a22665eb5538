/* SPDX-License-Identifier: MIT
 *
 * run: one measurement, as its receiver sees it. Each number is looked up in a
 * map of those that have come, so that loss, duplicates and reordering are
 * counted and never guessed from gaps: sent = delivered + lost, always.
 *
 * The map covers the WINDOW of numbers below the highest that has come. What
 * comes from below the window can be late or a duplicate; nobody knows any
 * more, so it is counted apart (`beyond`). As long as that is 0, all is exact.
 * Sources: RFC 4737 (what reordered means), RFC 5560 (duplicates).
 * Read next: source.h, the sending side.
 */
#ifndef WIRELAB_RUN_H
#define WIRELAB_RUN_H

#include "addr.h"
#include "cost.h"
#include "msg.h"

#include <stddef.h>
#include <stdint.h>

/* 128 KiB of map a run. */
#define RUN_WINDOW (UINT64_C(1) << 20)

/* What was asked for: the fields of MSG_OPEN. Nothing but uint64_t. */
struct run_plan {
    uint64_t reverse;     /* 1: the server sends */
    uint64_t size;        /* of a message, bytes */
    uint64_t duration_ns; /* 0: by bytes */
    uint64_t bytes;       /* 0: by duration */
    uint64_t rate_bps;    /* 0: unpaced */
    uint64_t verify;      /* 1: the receiver compares every byte */
    uint64_t batch;       /* datagrams a call; 0: one */
};

/* How messages pass: one a call, many a call, or many in rows that the kernel
 * hands on as one (gso.h). The receiver of a field may not know a later one. */
enum run_mode { MODE_UNTOLD, MODE_ONE, MODE_MANY, MODE_ROWS };

/* What was sent: the fields of MSG_END. Nothing but uint64_t. */
struct run_sent {
    uint64_t sent, bytes, elapsed_ns;
    struct cost cost;
    uint64_t mode;
};

/* What has come: the fields of MSG_REPORT. Nothing but uint64_t. */
struct run_counts {
    uint64_t delivered;   /* different numbers */
    uint64_t bytes;       /* of those, with their headers */
    uint64_t duplicated;  /* came again */
    uint64_t reordered;   /* came after a higher number */
    uint64_t reorder_max; /* by how many numbers at most */
    uint64_t corrupt;     /* delivered, and the content was not what was sent;
                             0 if nobody compared */
    uint64_t beyond;      /* from below the window */
    uint64_t elapsed_ns;  /* from the first to the last that came */
    struct cost cost;
    uint64_t mode;
    uint64_t first_ns; /* when the first came, by the receiver's own clock; 0:
                          not told */
};

/* A struct of uint64_t as message fields. */
#define RUN_FIELDS(value) &(value), sizeof(value) / sizeof(uint64_t)

struct source;

struct run {
    uint64_t token;
    struct addr peer; /* UDP: who opened it */
    struct run_plan plan;
    struct run_counts got;
    uint64_t next;    /* above the highest number that has come */
    uint64_t seen_ns; /* the last sign of life */
    struct cost begin;
    struct source *source; /* reversed: the sending side, on the heap */
    uint64_t ends, due_ns; /* and how often END was sent, and when again */
    uint64_t bits[RUN_WINDOW / 64];
};

/* A new run for TOKEN at NOW, with a source if the plan is to reverse; NULL: no
 * memory. FD as cost_now takes it. */
struct run *run_new(uint64_t token, const struct run_plan *plan, int fd,
                    uint64_t now_ns);
void run_free(struct run *r);

/* Message NUMBER, of BYTES, has come. */
void run_note(struct run *r, uint64_t number, size_t bytes, uint64_t now_ns);

/* The same for the datagram M, which stands at DATA; if the plan says so, its
 * content is checked when it comes first. */
void run_datagram(struct run *r, const struct msg *m, const void *data,
                  uint64_t now_ns);

/* The counts so far, with what they cost. */
struct run_counts run_report(const struct run *r, int fd);

/* The runs of a UDP server, by token. At most RUN_TABLE at once; one that was
 * silent for RUN_EXPIRE gives its place to the next that asks. */
enum { RUN_TABLE = 64 };
#define RUN_EXPIRE (UINT64_C(30) * 1000000000)

struct run_table {
    struct run *at[RUN_TABLE];
    struct run *last; /* whom the last message was for, most likely the next */
    size_t sources;   /* how many are reversed */
    size_t turn;      /* which place may send next */
};

/* The run of that token and peer, or NULL. */
struct run *run_find(struct run_table *t, uint64_t token,
                     const struct addr *peer);

/* Puts R into a free or expired place. False: the table is full. */
bool run_enter(struct run_table *t, struct run *r, uint64_t now_ns);

/* Takes R out of the table, and frees it. */
void run_leave(struct run_table *t, struct run *r);

void run_table_free(struct run_table *t);

#endif
