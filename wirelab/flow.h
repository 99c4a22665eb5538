/* SPDX-License-Identifier: MIT
 *
 * flow: which TCP connection a segment belongs to, and where the numbers of
 * each side began. Sequence numbers start anywhere (RFC 9293, section 3.4.1),
 * so that people, rules and seeds count from the first: seq - isn.
 * Memory is bounded: of very many connections the longest silent are
 * forgotten, and met again as new ones.
 * Read next: fault.h.
 */
#ifndef WIRELAB_FLOW_H
#define WIRELAB_FLOW_H

#include "event.h"

#include <stdbool.h>
#include <stdint.h>

struct flow {
    struct addr end[HOST_COUNT]; /* whose address and port is whose */
    uint64_t number;             /* from 1, in the order they were first seen */
    uint32_t isn[HOST_COUNT];    /* each side's first sequence number */
    bool known[HOST_COUNT];      /* its SYN was seen; else isn is a guess, one
                                    before the first number that was seen */
    bool guessed[HOST_COUNT];
    uint64_t used; /* when last, counted in lookups */
};

/* Zeroes are an empty table. */
#define FLOW_SLOTS 1024
struct flow_table {
    struct flow slot[FLOW_SLOTS];
    uint64_t flows, lookups;
};

/* The connection of a TCP segment that host FROM sent; never NULL. The same
 * two ends begin a new connection when a SYN comes with another number.
 * It is the table's own, good until the next call. */
const struct flow *flow_find(struct flow_table *t, enum host_id from,
                             const struct frame *f);

#endif
