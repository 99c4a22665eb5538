/* SPDX-License-Identifier: MIT
 *
 * demo: a hello over TCP, then the same over UDP, with what it came to beside
 * what TCP came to; and one slide of both.
 * Read next: show.h.
 */
#ifndef WIRELAB_DEMO_H
#define WIRELAB_DEMO_H

#include "out.h"
#include "settings.h"

/* On a terminal it waits for Enter between the two. S's programs are changed.
 * What goes wrong is said; returns what wirelab is to end with. */
int demo_both(struct settings *s, struct out *out, int argc, char **argv);

#endif
