/* SPDX-License-Identifier: MIT
 *
 * sink: the far end of --stream. It greets first, so that a client knows at
 * once whether it talks to a sink; takes numbered messages and reports exactly
 * which came; or, asked to reverse, sends them itself.
 *
 *     TCP   sink: HELLO                    UDP  client: OPEN
 *           client: OPEN DATA... END FIN        sink: HELLO, with a cookie
 *           sink: REPORT FIN                    client: OPEN, with the cookie
 *     reversed: client: OPEN                    sink: HELLO 1
 *           sink: DATA... END FIN               client: DATA... END
 *                                               sink: REPORT
 *                                     reversed: sink: DATA... END
 *                                               client: REPORT
 *
 * Over UDP any of these may be lost: a question is asked again until its
 * answer comes, so OPEN and END may come twice, and that changes nothing. The
 * cookie shows that the client gets what is sent to its address; before that
 * the sink keeps nothing, and never answers with more than it was sent.
 * Read next: service.c.
 */
#ifndef WIRELAB_SINK_H
#define WIRELAB_SINK_H

#include "service.h"

/* On a stream. What comes later than END, or is not of the contract, ends the
 * session: it then speaks, and says no more. */
void sink_begin(struct session *s);
struct span sink_input(struct session *s, const void *in, size_t len);
size_t sink_produce(struct session *s, void *out, size_t cap);
void sink_eof(struct session *s);
void sink_end(struct session *s);

/* In datagrams. */
bool sink_datagram(struct desk *d, const struct addr *peer, const void *in,
                   size_t len, void *out, size_t cap, struct span *answer);
bool sink_unasked(struct desk *d, void *out, size_t cap, struct row *row,
                  uint64_t *wait_ns);
void sink_sent(const struct row *row, size_t count);

#endif
