/* SPDX-License-Identifier: MIT
 *
 * shelf: rows on their way out. A title waits until it may say what the rows
 * under it show, and the rows wait behind it, but not for long. Rows that are
 * like many before them are counted and left out. --only keeps one section.
 * Read next: ladder.c, which puts rows here; text.h, which draws them.
 */
#ifndef WIRELAB_SHELF_H
#define WIRELAB_SHELF_H

#include "ladder.h"

#include <stdbool.h>
#include <stdint.h>

/* Are the words of this title final? Fills row->text, in any case. */
typedef bool shelf_words_fn(struct row *row, const void *about, void *context);

struct shelf_row;

struct shelf {
    row_fn *out;
    shelf_words_fn *words;
    void *out_context, *words_context;
    bool has_only;
    enum section only;
    uint64_t patience_ns; /* how long a title waits */

    struct shelf_row *first, **last;
    struct shelf_seen *seen; /* the kinds of rows in the present run */
    uint64_t folded;         /* rows left out since the last one shown */
    struct row folded_row;   /* the last of them */
    bool out_of_memory;
};

void shelf_init(struct shelf *s);
void shelf_free(struct shelf *s);

/* A title ABOUT something (what *words makes of it), at T_NS. */
void shelf_title(struct shelf *s, const struct row *row, const void *about,
                 uint64_t t_ns);
void shelf_row(struct shelf *s, const struct row *row);

/* Hands out what need not wait; everything, if T_NS is UINT64_MAX. */
void shelf_advance(struct shelf *s, uint64_t t_ns);

#endif
