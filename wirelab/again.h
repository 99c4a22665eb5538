/* SPDX-License-Identifier: MIT
 *
 * again: is this segment sent again, and what made TCP do it? That it is sent
 * again shows on the wire. Why does not: a timer's end and the news that later
 * data has arrived send the same bytes. So the sender's kernel is asked which
 * state its loss recovery is in.
 * Sources: RFC 6298 (timeout), 6675 and 8985 (SACK, RACK-TLP);
 * enum tcp_ca_state in linux/tcp.h.
 * Read next: flow.h.
 */
#ifndef WIRELAB_AGAIN_H
#define WIRELAB_AGAIN_H

#include "event.h"
#include "flow.h"

/* How far each side of each connection has sent. Zeroes: nothing yet. */
struct again_table {
    struct again_slot {
        uint64_t flow; /* its number, to know a slot that changed hands */
        bool began[HOST_COUNT];
        uint32_t end[HOST_COUNT];   /* one behind the last number sent */
        bool syn_again[HOST_COUNT]; /* its SYN was repeated */
    } slot[FLOW_SLOTS];
};

/* Notes the segment that host FROM sends on FLOW, which stands in SLOT of its
 * table, and says whether it was sent before. DIAG: sock_diag in that host.
 * A probe for a lost tail counts as a timeout: a timer sent it. */
enum again again_see(struct again_table *t, const struct flow *flow,
                     size_t slot, enum host_id from, const struct frame *f,
                     int diag);

#endif
