/* SPDX-License-Identifier: MIT
 *
 * show: who watches the lab: the picture or NDJSON on stdout, a recording,
 * expectations. Each gets every event, in the order of time.
 * Read next: ladder.h and text.h, json.h, expect.h.
 */
#ifndef WIRELAB_SHOW_H
#define WIRELAB_SHOW_H

#include "err.h"
#include "lab.h"
#include "out.h"
#include "settings.h"

struct show;

/* Opens all that S asks for, and writes its beginning. OUT and S must outlive
 * it. NULL and *e on failure. */
struct show *show_open(const struct settings *s, struct out *out, int argc,
                       char **argv, struct err *e);

/* For lab_run. */
struct lab_view show_view(struct show *w);

/* No more events: writes the ends, says what no picture can (frames dropped,
 * expectations that failed), and frees it. STATUS is the lab's; returns what
 * wirelab is to end with. */
int show_close(struct show *w, const struct lab_result *r, int status);

#endif
