/* SPDX-License-Identifier: MIT
 *
 * feed: messages out of a stream. A recv gives bytes as they happen to come:
 * half a header, or three messages and a bit. What is not a whole message yet
 * is remembered here; the content of DATA and PING, which can be large, is
 * looked at as it passes and never kept.
 * Read next: sink.c, ../tcp_client/ping.c.
 */
#ifndef WIRELAB_FEED_H
#define WIRELAB_FEED_H

#include "msg.h"

#include <stdbool.h>
#include <stddef.h>

struct feed {
    bool verify; /* compare the content with the pattern */
    struct msg m;
    unsigned char held[MSG_CONTROL]; /* the header; all of a control message */
    size_t done;                     /* bytes of this message so far */
    bool corrupt;                    /* the content was not the pattern */
};

/* Takes bytes from *IN (*LEN of them, both moved on) to the end of the next
 * message. Returns 1: f->m is it, f->corrupt says what verify found, f->held
 * has it for msg_fields if it is a control message. 0: *LEN is 0 and it goes
 * on in the next bytes. -1: this is no message of ours, nor will be. */
int feed_take(struct feed *f, const unsigned char **in, size_t *len);

#endif
