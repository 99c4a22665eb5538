/* SPDX-License-Identifier: MIT
 *
 * survey: the conversations in a capture: who talks with whom, and who began.
 * A first look through the file, so that the second can draw one of them.
 * Memory is bounded: of very many conversations the later ones are counted,
 * not kept.
 * Read next: replay.h.
 */
#ifndef WIRELAB_SURVEY_H
#define WIRELAB_SURVEY_H

#include "capture.h"
#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SURVEY_MAX 1024

struct conversation {
    int proto;                   /* IPPROTO_TCP, _UDP; or _ICMP: echo */
    struct addr end[HOST_COUNT]; /* the client is who sent the first SYN or,
                                    without any, the first packet */
    bool has_syn;                /* a SYN was seen */
    bool is_answered;            /* and a SYN+ACK */
    uint64_t answered_ns;   /* none before this: the time of the last SYN that
                               came to who answered, where that can be told */
    uint64_t frames, bytes; /* bytes of payload */
    uint64_t first_ns, last_ns;
    bool seen_at[HOST_COUNT]; /* by that host's own capture */
};

struct survey {
    struct conversation *at; /* in the order of their first packets */
    size_t count;
    uint16_t *slot;  /* a hash table of places in it, one more than each */
    uint64_t frames; /* in all */
    uint64_t missed; /* of conversations that are not kept */
    bool is_ours;    /* --pcap wrote it, */
    int host;        /* in that host (enum host_id); -1: not known */
};

/* Looks through the capture at PATH. 0; or -1 and *e if it cannot be opened.
 * Where it breaks off, the survey is of what comes before: reading it again
 * will tell. */
int survey_read(struct survey *s, const char *path, struct err *e);
void survey_free(struct survey *s);

/* Takes over from the server's own capture which of several SYNs it answered:
 * a full backlog drops some, and the client cannot tell them from lost ones. */
void survey_join(struct survey *of_client, const struct survey *of_server);

/* The conversation of a packet, and which of its ends sent it; or NULL: it
 * is of none, or of one that is not kept. */
struct conversation *survey_find(const struct survey *s, const struct packet *p,
                                 enum host_id *from);

/* The IP addresses alone: the same? */
bool survey_same_host(const struct addr *a, const struct addr *b);

#endif
