/* SPDX-License-Identifier: MIT
 *
 * text: rows as lines, for a terminal or a file. 79 columns, or from 110 on a
 * fuller layout in which the states have a lane of their own. ASCII unless
 * asked otherwise; colour repeats what brackets and words say already.
 * Read next: words.h.
 */
#ifndef WIRELAB_TEXT_H
#define WIRELAB_TEXT_H

#include "canvas.h"
#include "ladder.h"
#include "words.h"

#include <stdbool.h>

/* A canvas_line_fn that writes to a FILE * and flushes it. */
void text_to_stream(const char *line, void *stream);

struct text_options {
    unsigned columns; /* what there is; less than 110 gives 79 */
    bool utf8;        /* lines and arrows not of ASCII */
    bool colour;
    bool explain;     /* why, below each call */
    const char *wire; /* what the wire's column is called: "20 ms each way" */
    struct words words;
};

struct text;

/* NULL if memory is short. The options are copied; *wire must last. */
struct text *text_new(const struct text_options *options, canvas_line_fn *line,
                      void *context);
void text_free(struct text *t); /* NULL is allowed */

/* How the picture is read: one line; then the names of the columns. */
void text_legend(struct text *t);
void text_head(struct text *t);

/* A row; a row_fn whose context is the text. */
void text_row(const struct row *row, void *text);

#endif
