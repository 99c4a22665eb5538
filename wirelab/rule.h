/* SPDX-License-Identifier: MIT
 *
 * rule: one exact fault, as a teacher writes it: 'drop client:data#2' loses
 * the second segment with data that the client sends, and nothing else.
 *
 *   ACTION FROM:KIND[#N[-M]]
 *   drop | duplicate | corrupt | delay=DUR | swap
 *   client | server
 *   rst synack syn fin data ack udp icmp any
 *
 * A frame is of the first KIND that fits it: a FIN with data is a fin, and an
 * ack is bare; "any" fits every frame. Frames are counted for each FROM and
 * KIND from 1, and what is sent again counts again. A fragment is of its
 * protocol's kind, so that losing one piece of a datagram can be asked for.
 * Read next: fault.h.
 */
#ifndef WIRELAB_RULE_H
#define WIRELAB_RULE_H

#include "err.h"
#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_action {
    RULE_DROP,
    RULE_DUPLICATE,
    RULE_CORRUPT,
    RULE_DELAY, /* by so much more than the wire's own delay */
    RULE_SWAP,  /* it changes places with the next frame from its side */
};

enum rule_kind {
    RULE_RST,
    RULE_SYNACK,
    RULE_SYN,
    RULE_FIN,
    RULE_DATA,
    RULE_ACK,
    RULE_UDP,
    RULE_ICMP,
    RULE_ANY,
    RULE_KINDS, /* how many there are */
};

struct rule {
    enum rule_action action;
    uint64_t delay_ns; /* of RULE_DELAY */
    enum host_id from;
    enum rule_kind kind;
    uint64_t first, last; /* both hit; all: 1 and UINT64_MAX */
};

/* Reads TEXT. 0, or -1 and *e (STATUS_USAGE), which names the word at fault
 * and shows what may stand there. */
int rule_parse(const char *text, struct rule *r, struct err *e);

/* What a frame is; RULE_ANY if it is nothing else. */
enum rule_kind rule_kind_of(const struct frame *f);

/* Does the rule hit the frame that host FROM sends, the NUMBERth of KIND, the
 * TOTALth of all? */
bool rule_hits(const struct rule *r, enum host_id from, enum rule_kind kind,
               uint64_t number, uint64_t total);

/* "client" and "server": LEN bytes at WORD. False: they are neither. */
bool rule_read_host(const char *word, size_t len, enum host_id *host);

#endif
