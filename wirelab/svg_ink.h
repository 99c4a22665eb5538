/* SPDX-License-Identifier: MIT
 *
 * svg_ink: marks on a page of SVG: words, lines, boxes. What they look like is
 * said in attributes, for not every program that shows SVG reads style sheets.
 * Every byte of words is escaped here, and nowhere else.
 * Sources: SVG 1.1, chapters 9 to 11.
 * Read next: svg.c.
 */
#ifndef WIRELAB_SVG_INK_H
#define WIRELAB_SVG_INK_H

#include "canvas.h"

#include <stddef.h>
#include <stdio.h>

/* The height of the type, and how wide a character of it is: 0.602 of that in
 * most monospaced fonts, and a little to spare. */
#define INK_FONT 24
#define INK_CHAR 14.6

enum ink_anchor { INK_START, INK_MIDDLE, INK_END };

/* How a line ends. */
enum ink_end { INK_PLAIN, INK_HEAD };

/* WORDS as XML text: markup escaped, bytes that are no printable character as
 * question marks. */
void ink_escape(FILE *to, const char *words);

/* The page, WIDTH by HEIGHT, is white. TITLE and what is written between
 * ink_begin and ink_end_description are for those who do not see it. */
void ink_begin(FILE *to, double width, double height, const char *title);
void ink_end_description(FILE *to);
void ink_finish(FILE *to);

/* Words on the base line Y. */
void ink_words(FILE *to, double x, double y, enum ink_anchor anchor,
               const char *words, enum look look);

/* The same over what is there already: it is wiped out under them. */
void ink_words_over(FILE *to, double x, double y, enum ink_anchor anchor,
                    const char *words, enum look look);

/* Words in a box around them: a state. X is the outer edge. */
void ink_boxed(FILE *to, double x, double y, enum ink_anchor anchor,
               const char *words, enum look look);

/* An arrow, or what is left of one. */
void ink_arrow(FILE *to, double x1, double y1, double x2, double y2,
               bool dashed, enum ink_end end);

/* Where a frame was lost. */
void ink_cross(FILE *to, double x, double y);

/* A host: a line down the page. A section: a band across. */
void ink_bar(FILE *to, double x, double y1, double y2);
void ink_band(FILE *to, double x, double y, double width, double height);

#endif
