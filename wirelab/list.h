/* SPDX-License-Identifier: MIT
 *
 * list: the rows as sentences, one an event, for screen readers and for those
 * who would rather read than look: no columns, no arrows, no colour.
 * Read next: ladder.h, where the rows come from.
 */
#ifndef WIRELAB_LIST_H
#define WIRELAB_LIST_H

#include "canvas.h"
#include "ladder.h"
#include "words.h"

#include <stdbool.h>

struct list {
    struct words words;
    bool explain; /* say why each call is made */
    canvas_line_fn *line;
    void *context; /* of *line */
};

/* A row_fn whose context is a struct list. */
void list_row(const struct row *row, void *list);

#endif
