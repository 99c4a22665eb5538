/* SPDX-License-Identifier: MIT
 *
 * view: shows a file instead of a run: a capture (pcap, pcapng), whoever made
 * it, or a recording of the lab's own. It comes in the lab's place: it hands
 * the same events to the same watchers.
 * Read next: replay.h for captures, record.h for recordings; show.h.
 */
#ifndef WIRELAB_VIEW_H
#define WIRELAB_VIEW_H

#include "err.h"
#include "lab.h"
#include "settings.h"

#include <stdbool.h>
#include <stdio.h>

struct view;

/* Opens the file s->view and fills in what it says about its hosts and its
 * wire (s->subject, the delay, s->lab.command, which lasts until the file is
 * closed). NULL and *e: it cannot be read, or it is neither; STATUS_USAGE:
 * s->flow names no conversation in it, or it is asked for what a capture has
 * not. */
struct view *view_open(struct settings *s, struct err *e);
void view_close(struct view *v); /* NULL is allowed */

/* Does somebody have to choose first? The capture has several conversations,
 * and s->flow names none. */
bool view_must_choose(const struct view *v);

/* The conversations of the capture, one a line. */
void view_list(const struct view *v, FILE *to);

/* In place of lab_run. */
int view_run(struct view *v, const struct lab_view *to,
             struct lab_result *result, struct err *e);

#endif
