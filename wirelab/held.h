/* SPDX-License-Identifier: MIT
 *
 * held: the frames that are on their way, the next one due first; those that
 * are due at the same moment keep their order. A binary heap.
 * Read next: wire.c.
 */
#ifndef WIRELAB_HELD_H
#define WIRELAB_HELD_H

#include "event.h"

#include <stddef.h>
#include <stdint.h>

struct held_frame {
    uint64_t due_ns;
    uint64_t order; /* the heap's: it tells equals apart */
    size_t at;      /* the heap's: where it stands */
    enum host_id from;
    uint64_t number;
    unsigned copy;
    uint64_t flow; /* the number of its TCP connection, 0: none; */
    size_t slot;   /*     and where that stands in its table */
    size_t len;
    uint8_t bytes[];
};

/* Zeroes are an empty heap. */
struct held {
    struct held_frame **frame;
    size_t count, cap;
    size_t bytes; /* of all frames in it */
    uint64_t orders;
};

/* No more than this many bytes are held; a wire has a length. */
#define HELD_BYTES ((size_t)256 << 20)

/* A frame with a copy of LEN BYTES, due at DUE_NS, which now stands in the
 * heap; its other fields are zero and the caller's to set. NULL: no room. */
struct held_frame *held_push(struct held *h, const uint8_t *bytes, size_t len,
                             uint64_t due_ns);

/* When the next frame is due; UINT64_MAX: there is none. */
uint64_t held_due(const struct held *h);

/* Takes out the next one; the caller frees it. There must be one. */
struct held_frame *held_pop(struct held *h);

/* Gives a frame in the heap another time. */
void held_move(struct held *h, struct held_frame *f, uint64_t due_ns);

void held_clear(struct held *h);

#endif
