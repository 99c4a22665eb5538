/* SPDX-License-Identifier: MIT
 *
 * arrow: a frame on its way, drawn in ASCII over a number of columns:
 *
 *     - SYN seq=x ----------->        <- ACK seq=y+1 ack=x+7 -
 *     - 6 B seq=x+1 ack=y+1 -X        - FIN seq=x+7 ack=y+1 -
 */
#ifndef WIRELAB_ARROW_H
#define WIRELAB_ARROW_H

#include "canvas.h"

#include <stdbool.h>

/* Room for an arrow: in UTF-8 a column takes at most two bytes, on average. */
#define ARROW_TEXT (2 * CANVAS_MAX + 1)

/* Fills OUT (ARROW_TEXT bytes) with WIDTH columns, at most CANVAS_MAX. LABEL
 * takes at most WIDTH - 3 of them. HEAD is what the arrow ends in. */
void arrow_whole(char *out, int width, const char *label, char head,
                 bool to_right);

/* One end of a frame of which another row shows the other: dashes with gaps.
 * LABEL, at most WIDTH - 5 columns, or "", stands by the end that is shown. */
void arrow_half(char *out, int width, const char *label, bool leaves,
                bool to_right);

#endif
