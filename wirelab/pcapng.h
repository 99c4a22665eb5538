/* SPDX-License-Identifier: MIT
 *
 * pcapng: the run as captures, one a host, each as that host's own would be:
 * the sender's has the frame that was lost, the receiver's has the gap, and a
 * damaged frame is as it left in the one and as it came in the other. What the
 * wire did to a frame, and what the lab has to say about it, are the packet's
 * comments.
 * Source: draft-ietf-opsawg-pcapng.
 * Read next: notes.h, which reads the comments back; keep.h.
 */
#ifndef WIRELAB_PCAPNG_H
#define WIRELAB_PCAPNG_H

#include "err.h"
#include "event.h"

struct pcapng;

/* Begins PREFIX-client.pcapng and PREFIX-server.pcapng; they are there when
 * pcapng_end has succeeded. START_NS: the lab's start on CLOCK_REALTIME. NULL
 * and *e. */
struct pcapng *pcapng_begin(const char *prefix, uint64_t start_ns,
                            struct err *e);

/* An event_sink_fn whose context is the captures. */
void pcapng_event(const struct event *e, void *pcapng);

/* Writes what waits, gives the files their names, and frees. 0; or -1 and *e,
 * then neither file is left half-written. */
int pcapng_end(struct pcapng *p, struct err *e);

/* Takes them back. NULL is allowed. */
void pcapng_discard(struct pcapng *p);

/* Reads a comment that pcapng_event wrote on a frame: fills in fate, by and
 * again; IS_SECOND: the frame is the copy of one that came before. False: it
 * says something else. */
bool pcapng_read_comment(const char *text, struct event_frame *f,
                         bool *is_second);

#endif
