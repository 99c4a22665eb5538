/* SPDX-License-Identifier: MIT
 *
 * svg: the picture as a slide: the rows of the text, in type for the last row
 * of a room, with arrows that have heads, frames that cross as lines that
 * cross, and states in boxes. In grey it says the same as in colour. One
 * picture, or two beside each other.
 *
 * A page has an end: of a picture's rows, folded as in the text, it takes the
 * first and the last, and says how many are left out between.
 * Read next: svg_ink.h.
 */
#ifndef WIRELAB_SVG_H
#define WIRELAB_SVG_H

#include "err.h"
#include "ladder.h"
#include "words.h"

#define SVG_HEAD 60 /* rows from the beginning, */
#define SVG_TAIL 30 /* and from the end */
#define SVG_ROWS (SVG_HEAD + SVG_TAIL)
#define SVG_PICTURES 2
#define SVG_CAPTIONS 3

struct svg;

/* What is said of a picture, above it. */
struct svg_picture {
    char caption[SVG_CAPTIONS][ROW_TEXT]; /* "server: tcp_server ...", or "" */
    char wire[64];                        /* "20 ms each way" */
    struct words words;
    bool explain; /* why, below each call */
};

/* Opens the files that are asked for: as SVG, as PNG (by rsvg-convert), or
 * NULL. NULL and *e on failure; STATUS_SKIP: there is no rsvg-convert here. */
struct svg *svg_begin(const char *svg_path, const char *png_path,
                      struct err *e);

/* The rows from now on are of another picture, beside the one before. What a
 * child of fork(2) draws is seen by its parent. */
void svg_picture(struct svg *s, const struct svg_picture *picture);

/* Takes a row; a row_fn whose context is the svg. */
void svg_row(const struct row *row, void *svg);

/* Draws all of it, gives the files their names and frees it. 0; or -1 and *e,
 * and no file is left that could not be written whole. Without a row there is
 * nothing to draw, and no file. */
int svg_end(struct svg *s, struct err *e);

/* Takes it all back. NULL is allowed. */
void svg_discard(struct svg *s);

#endif
