/* SPDX-License-Identifier: MIT
 *
 * place: words for so many columns. A text has several forms; the first that
 * fits is taken:
 *
 *     place_fit(p, "ACK seq=%s ack=%s", seq, ack) || place_fit(p, "ACK")
 *
 * And whole sentences over as many lines as they need.
 * For words.c and words_label.c, text.c and svg_page.c.
 */
#ifndef WIRELAB_PLACE_H
#define WIRELAB_PLACE_H

#include <stdbool.h>
#include <stddef.h>

struct place {
    char *buf;
    size_t cap, width;
    size_t tail; /* of the width, what an arrow would rather keep */
};

/* Writes the words; true if they fit, in columns and in bytes. */
bool place_fit(const struct place *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The last resort: what does not fit is cut. */
void place_cut(const struct place *p);

/* How many bytes of WORDS one line of ROOM columns takes: whole words, if
 * there are any. Chinese goes on in the next line after any character, but no
 * line begins with its punctuation. */
int place_line(const char *words, int room);

/* Where the next line begins, after one of N bytes. */
const char *place_next(const char *words, int n);

#endif
