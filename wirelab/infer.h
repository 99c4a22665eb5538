/* SPDX-License-Identifier: MIT
 *
 * infer: TCP states concluded from segments, where no kernel can be asked: in
 * a capture. A segment that is sent or received moves a socket as RFC 9293,
 * section 3.10, has it; what leaves no trace on the wire (LISTEN, the end of
 * TIME_WAIT) is not told.
 * Read next: states.h, the lane that asks.
 */
#ifndef WIRELAB_INFER_H
#define WIRELAB_INFER_H

#include "event.h"
#include "flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct infer;

/* EVENT_STATE goes to SINK, each inferred. NULL if memory is short. */
struct infer *infer_new(event_sink_fn *sink, void *context);
void infer_free(struct infer *in); /* NULL is allowed */

/* HOST sends, or receives, the segment F of FLOW, which stands in SLOT of its
 * table. IS_ANSWERED: such a SYN will be, or was: a SYN alone does not
 * tell whether anybody listens, or has room for one more. */
void infer_sent(struct infer *in, enum host_id host, const struct flow *flow,
                size_t slot, const struct frame *f, uint64_t t_ns);
void infer_received(struct infer *in, enum host_id host,
                    const struct flow *flow, size_t slot, const struct frame *f,
                    bool is_answered, uint64_t t_ns);

#endif
