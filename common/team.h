/* SPDX-License-Identifier: MIT
 *
 * team: the parallel streams of one --stream: a thread for each, each with a
 * socket of its own; the caller's thread waits, and prints reports meanwhile.
 * Read next: ../tcp_client/stream.c, ../udp_client/stream.c.
 */
#ifndef WIRELAB_TEAM_H
#define WIRELAB_TEAM_H

#include "err.h"
#include "measure.h"
#include "out.h"
#include "result.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct member {
    size_t number;      /* from 0 */
    atomic_ullong sent; /* so far: for reports; the rest is read at the end */
    atomic_ullong bytes;
    struct stream_result result;
    struct err err;
    int status; /* what its run returned */
};

/* How far it is, after each message. Only a report reads it meanwhile, and may
 * see one number without the other: nothing waits for anything here. */
static inline void team_note(struct member *m, uint64_t sent, uint64_t bytes)
{
    atomic_store_explicit(&m->sent, sent, memory_order_relaxed);
    atomic_store_explicit(&m->bytes, bytes, memory_order_relaxed);
}

/* One stream, from its socket to its report. Fills m->result as far as it
 * comes, also when it fails. 0, or -1 and *e. */
typedef int team_fn(struct member *m, void *context, struct err *e);

/* Runs plan->streams of them, adds up their results, and prints the `end`. 0;
 * or -1 and *e if one failed, or something was lost. */
int team_run(struct out *o, const struct measure *plan, team_fn *run,
             void *context, struct err *e);

#endif
