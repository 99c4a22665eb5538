/* SPDX-License-Identifier: MIT
 *
 * claim: one expectation and how far it has come. Made by expect_parse.c, run
 * by expect.c; nobody else needs it.
 */
#ifndef WIRELAB_CLAIM_H
#define WIRELAB_CLAIM_H

#include "expect.h"
#include "pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum claim_kind {
    CLAIM_ORDER, /* steps that are seen one after another */
    CLAIM_LIST,  /* all events of a lane, exactly */
    CLAIM_COUNT, /* how often something is seen */
};

/* How a step is bound to the one before it. */
enum joint { JOINT_THEN, JOINT_NEXT, JOINT_AND };

/* The steps that JOINT_NEXT or JOINT_AND bind together are a group. */
#define GROUP_MAX 63

struct step {
    enum joint joint;
    struct pattern pattern;
};

/* An event that was seen, in words and with its time on the picture's clock:
 * "'client SYN seq=x' came at 0.1 ms". */
struct sight {
    bool is_set;
    uint64_t t_ns;
    char text[PATTERN_TEXT + 40];
    char when[40];
};

struct claim {
    enum claim_kind kind;
    char text[2 * PATTERN_TEXT]; /* for people */
    struct step *step;
    size_t steps;

    size_t at; /* ORDER: the group that is awaited; LIST: the next step */
    /* ORDER, a group of JOINT_AND: bit K: step K was seen.
     * Else: bit K: the first K steps of the group have just been seen. */
    uint64_t seen;
    struct sight last;    /* the latest step that was seen */
    struct sight instead; /* the first event that was not what is awaited, */
    struct sight latest;  /*     and the last one so far */
    unsigned instead_rank;

    bool has_host; /* LIST: of one side only */
    enum host_id host;

    /* COUNT: step 0 is counted, between after and before. */
    struct compared count;
    int64_t counted;
    size_t after, before; /* steps; 0: none */
    bool is_open, is_closed;

    bool is_broken;
    char why[1000];
};

struct expect {
    struct claim *claim;
    size_t claims;
    bool has_zero;
    uint64_t zero_ns; /* the picture's: the client's first call or frame */
};

/* A new claim, with its step list empty; NULL if memory is short. */
struct claim *claim_add(struct expect *x, enum claim_kind kind);
/* Room for one more step at the end of the claim; NULL likewise. */
struct step *claim_add_step(struct claim *c, enum joint joint);

#endif
