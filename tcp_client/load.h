/* SPDX-License-Identifier: MIT
 *
 * load: many connections to an echo server at once, to see what it can do.
 * Read next: load.c, then load_report.c.
 */
#ifndef WIRELAB_LOAD_H
#define WIRELAB_LOAD_H

#include "client.h"
#include "hist.h"

/* A load as its options ask for it. */
struct load {
    bool on;              /* --load was given */
    uint64_t connections; /* open at once */
    uint64_t busy;        /* of them, with a request under way; 0: all */
    uint64_t requests;    /* on each connection, which then ends; 0: no end */
    uint64_t duration_ns; /* how long; a connection that has ended is replaced
                             meanwhile. 0: until all have made their requests */
    uint64_t size;        /* of a request, and so of its reply */
    uint64_t rate;        /* requests a second in all; 0: each connection sends
                             when it has the last reply */
};

/* Fills in what was not asked for. */
void load_defaults(struct load *l);

/* What does not go together. NULL, or why. */
const char *load_unfit(const struct load *l);

enum load_error {
    LOAD_REFUSED,
    LOAD_RESET,
    LOAD_TIMEOUT,
    LOAD_CLOSED, /* FIN before the reply was whole */
    LOAD_WRONG,  /* other bytes than were sent */
    LOAD_PORTS,  /* no local port was free */
    LOAD_OTHER,
    LOAD_ERRORS, /* how many kinds there are */
};

/* What came of it, so far. Times are out_now_ns. */
struct load_result {
    uint64_t opened, open; /* connections that were made; that are open now */
    uint64_t answered;     /* requests */
    uint64_t unsent;       /* --rate: due before the end and never sent */
    uint64_t begin_ns, opened_ns;    /* first connect begun; last one done */
    uint64_t serving_ns, replied_ns; /* first request allowed; last reply */
    uint64_t errors[LOAD_ERRORS];
    struct hist connect, latency;
};

/* Loads the server at c->peer, and reports with the event `end`. 0; or -1 and
 * *e if there were errors, which are counted in the report, or if it could not
 * begin. Interrupted by a signal it reports what it has. */
int load_run(struct client *c, const struct load *l, struct err *e);

/* load_report.c */

/* The event `report` or `end`: as JSON; or `end` as text on stdout. */
void load_report(struct client *c, const struct load *l,
                 const struct load_result *r, const char *event, int status);

/* How it goes, on a terminal. */
void load_progress(struct client *c, const struct load_result *r);

/* 0; or -1 and *e: how many errors of which kind. */
int load_verdict(const struct load_result *r, struct err *e);

#endif
