/* SPDX-License-Identifier: MIT
 *
 * show: who watches the lab: the picture or NDJSON on stdout, a slide, a
 * recording, captures, expectations. Each gets every event, in the order of
 * time. Read next: ladder.h and text.h, svg.h, json.h, pcapng.h, expect.h.
 */
#ifndef WIRELAB_SHOW_H
#define WIRELAB_SHOW_H

#include "err.h"
#include "lab.h"
#include "out.h"
#include "settings.h"
#include "svg.h"
#include "view.h"

struct show;

/* What the pictures of two runs have in common. */
struct show_pair {
    struct svg *svg; /* the slide, whoever began it ends it; NULL: none */
    const struct ladder_totals *beside; /* of the one before, or NULL */
    struct ladder_totals *totals;       /* gets this one's; or NULL */
};

/* Opens all that S asks for, and writes its beginning. OUT and S must outlive
 * it. PAIR: NULL if there is one run. NULL and *e on failure. */
struct show *show_open(const struct settings *s, const struct show_pair *pair,
                       struct out *out, int argc, char **argv, struct err *e);

/* For lab_run. */
struct lab_view show_view(struct show *w);

/* No more events: writes the ends, says what no picture can (frames dropped,
 * expectations that failed), and frees it. STATUS is the lab's; returns what
 * wirelab is to end with. */
int show_close(struct show *w, const struct lab_result *r, int status);

/* Runs the lab, once, and shows it; or, if V is not NULL, what a file tells.
 * What goes wrong is said; returns what wirelab is to end with. */
int show_run(const struct settings *s, struct view *v,
             const struct show_pair *pair, struct out *out, int argc,
             char **argv);

/* What runs there: "client: tcp_client --ask hello server 9000"; or "". */
void show_caption(const struct settings *s, enum host_id host, char *buf,
                  size_t cap);

#endif
