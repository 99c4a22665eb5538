/* SPDX-License-Identifier: MIT
 *
 * states: the TCP state of each socket, at each change, in the kernel's word.
 *
 * TCP works on a frame while the wire hands it over, so asking right then
 * gives the state that this frame brought about. Two things are not so simple.
 * While a program is inside a system call on the socket, the frame waits in
 * the socket's backlog: then the answer is old, and is asked for again. And a
 * program that closes changes the state a moment before its FIN is on the
 * wire: such a change waits for its FIN.
 * Sources: RFC 9293, section 3.3.2.
 * Read next: diag.h.
 */
#ifndef WIRELAB_STATES_H
#define WIRELAB_STATES_H

#include "event.h"
#include "flow.h"
#include "host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct states;

/* EVENT_STATE goes to SINK. H must outlive it. NULL if memory is short. */
struct states *states_new(const struct hosts *h, event_sink_fn *sink,
                          void *context);
void states_free(struct states *s);

/* The segment F of FLOW (in SLOT of its table) left HOST, or was just handed
 * to it, at T_NS. */
void states_sent(struct states *s, enum host_id host, const struct flow *flow,
                 size_t slot, const struct frame *f, uint64_t t_ns);
void states_received(struct states *s, enum host_id host,
                     const struct flow *flow, size_t slot,
                     const struct frame *f, uint64_t t_ns);

/* A system call returned on HOST: what it may have changed is asked for. */
void states_called(struct states *s, enum host_id host, const struct call *c,
                   uint64_t t_ns);

/* Looks for sockets of HOST that have begun or ceased to listen. */
void states_listeners(struct states *s, enum host_id host, uint64_t t_ns);

/* Asks again for what could not be known yet. QUIET: also for what may change
 * by itself, and whether listeners still listen. */
void states_again(struct states *s, bool quiet, uint64_t t_ns);

/* Is there anything that states_again should soon ask for? */
bool states_pending(const struct states *s);

#endif
