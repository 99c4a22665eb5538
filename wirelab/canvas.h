/* SPDX-License-Identifier: MIT
 *
 * canvas: one line of the picture while it is painted: columns, each with a
 * character and a look. Only when it is finished do looks become colours, and
 * drawn characters UTF-8. A Chinese character takes two columns, and is never
 * halved: what covers one of them takes it away whole.
 */
#ifndef WIRELAB_CANVAS_H
#define WIRELAB_CANVAS_H

#include <stdbool.h>

#define CANVAS_MAX 200 /* columns */

enum look {
    LOOK_PLAIN,
    LOOK_DRAWN, /* dashes, arrowheads, the two hosts' lines */
    LOOK_STATE,
    LOOK_TROUBLE, /* lost, again, killed */
    LOOK_TITLE,
    LOOK_ASIDE, /* explanations */
};

/* Gets a line without its newline. It lasts for the call only. */
typedef void canvas_line_fn(const char *line, void *context);

/* One column: a character's bytes; none in the second column of a wide one. */
struct canvas_cell {
    char bytes[5];
    unsigned char look;
};

struct canvas {
    int width; /* columns beyond it are not painted */
    bool utf8, colour;
    canvas_line_fn *line;
    void *context;
    struct canvas_cell at[CANVAS_MAX];
};

void canvas_clear(struct canvas *c);

/* WORDS (printable, UTF-8) from COLUMN on, over what stands there. */
void canvas_paint(struct canvas *c, int column, const char *words,
                  enum look look);

/* Hands the line out, without blanks at its end. It stays painted. */
void canvas_flush(struct canvas *c);

#endif
