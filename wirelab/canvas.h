/* SPDX-License-Identifier: MIT
 *
 * canvas: one line of the picture while it is painted: characters, each with a
 * look. Only when it is finished do looks become colours, and drawn characters
 * UTF-8; so columns are counted in characters of one column each.
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

struct canvas {
    int width; /* columns beyond it are not painted */
    bool utf8, colour;
    canvas_line_fn *line;
    void *context;
    char ch[CANVAS_MAX];
    unsigned char look[CANVAS_MAX];
};

void canvas_clear(struct canvas *c);

/* WORDS (printable ASCII) from COLUMN on, over what stands there. */
void canvas_paint(struct canvas *c, int column, const char *words,
                  enum look look);

/* Hands the line out, without blanks at its end. It stays painted. */
void canvas_flush(struct canvas *c);

#endif
