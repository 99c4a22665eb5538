/* SPDX-License-Identifier: MIT
 *
 * wire: carries frames from one host to the other, as fault.c decides, and
 * tells what it saw: EVENT_SENT when a frame reaches it, EVENT_RECEIVED when
 * it has handed a frame over.
 *
 * It runs in an event loop. A frame's way: ring -> fault -> held -> ring.
 * Read next: ring.h, fault.h, held.h.
 */
#ifndef WIRELAB_WIRE_H
#define WIRELAB_WIRE_H

#include "err.h"
#include "event.h"
#include "fault.h"
#include "host.h"
#include "loop.h"
#include "states.h"

#include <stdbool.h>
#include <stdint.h>

struct wire;

struct wire_options {
    const struct hosts *hosts;
    struct fault *fault;
    uint32_t mtu;
    uint64_t start_ns;     /* the lab's start on CLOCK_REALTIME */
    bool linger;           /* stay awake between frames: quick, but what else
                              the loop serves may wait a millisecond */
    struct states *states; /* told of each segment; NULL: lane off */
    event_sink_fn *sink;   /* NULL: nobody watches, and frames only pass */
    void (*meanwhile)(void *context); /* while it waits awake for a frame to be
                                         due, again and again; or NULL */
    void *context;                    /* of both */
};

/* Begins to serve both cables from LOOP. NULL and *e on failure. What
 * OPTIONS points to must outlive it. */
struct wire *wire_new(struct loop *loop, const struct wire_options *options,
                      struct err *e);
void wire_free(struct wire *w);

/* Takes in all frames that wait, now. To be called before anything that must
 * come after them: the end of a call, a question about a state. */
void wire_pump(struct wire *w);

/* Is no frame on its way? */
bool wire_is_empty(const struct wire *w);

/* When a frame last came or was handed over, on the lab's clock. */
uint64_t wire_last_ns(const struct wire *w);

/* Linux holds an ACK back for 40 ms: of a delay like that its timers notice. */
#define WIRE_LATE_NS (40 * UINT64_C(1000000))

struct wire_counts {
    uint64_t sent[HOST_COUNT];    /* frames that left this host */
    uint64_t lost[HOST_COUNT];    /* of those, on purpose */
    uint64_t refused[HOST_COUNT]; /* by the other host's cable, which is down or
                                     has a smaller MTU; a remark told it */
    /* Not on purpose: the wire was too slow, or had no memory. A lab that has
     * these says so. */
    uint64_t dropped[HOST_COUNT];
    uint64_t late_ns; /* after its time: how late a frame was handed over, at
                         most; a machine that is busy wakes the wire late */
};
void wire_count(struct wire *w, struct wire_counts *counts);

#endif
