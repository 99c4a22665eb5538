/* SPDX-License-Identifier: MIT
 *
 * track: what has to be remembered of a connection to read its next segment:
 * how far each side has sent, so that it shows what is sent again; and by how
 * much a window is scaled, which only the SYNs say.
 *
 * That a segment is sent again shows on the wire. Why does not: a timer's end
 * and the news that later data has arrived send the same bytes. So the
 * sender's kernel is asked which state its loss recovery is in.
 * Sources: RFC 6298 (timeout), 6675 and 8985 (SACK, RACK-TLP), 7323 (window
 * scale); enum tcp_ca_state in linux/tcp.h.
 * Read next: flow.h.
 */
#ifndef WIRELAB_TRACK_H
#define WIRELAB_TRACK_H

#include "event.h"
#include "flow.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroes: nothing was seen. */
struct track {
    struct track_slot {
        uint64_t flow; /* its number, to know a slot that changed hands */
        bool began[HOST_COUNT];
        uint32_t end[HOST_COUNT];   /* one behind the last number sent */
        bool syn_again[HOST_COUNT]; /* its SYN was repeated */
        bool answered[HOST_COUNT];  /* it has sent SYN+ACK */
        bool scaled[HOST_COUNT];    /* its SYN had the option */
        uint8_t scale[HOST_COUNT];
    } slot[FLOW_SLOTS];
};

/* Notes the segment that host FROM sends on FLOW, which stands in SLOT of its
 * table, and says whether it was sent before, and why. DIAG: sock_diag in that
 * host. A probe for a lost tail counts as a timeout: a timer sent it. */
enum again track_sent(struct track *t, const struct flow *flow, size_t slot,
                      enum host_id from, const struct frame *f, int diag);

/* The window that this segment of host FROM offers, in bytes. */
uint32_t track_window(const struct track *t, const struct flow *flow,
                      size_t slot, enum host_id from, const struct frame *f);

#endif
