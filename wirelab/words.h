/* SPDX-License-Identifier: MIT
 *
 * words: a call, a segment or a time in as few columns as there are. Each
 * function knows several ways to say it and takes the fullest that fits.
 * The notation is the textbooks': x and y are the first sequence numbers of
 * client and server, so that seq=x+7 says whose number it is.
 * Read next: text.c, which puts them in columns.
 */
#ifndef WIRELAB_WORDS_H
#define WIRELAB_WORDS_H

#include "ladder.h"

#include <stddef.h>
#include <stdint.h>

enum words_numbers {
    WORDS_LETTERS,  /* seq=x+7 ack=y+1 */
    WORDS_RELATIVE, /* seq=7 ack=1 */
    WORDS_ABSOLUTE, /* seq=544415867 ack=3666462010 */
};

struct words {
    enum words_numbers numbers;
    struct addr host[HOST_COUNT]; /* to call them by name; len 0: not known */
};

/* Room for any text from here. */
#define WORDS_TEXT 160

/* Each fills BUF (at most WIDTH characters and a NUL) and returns it. */

/* "recv(4)=6 "hello\n"". DATA: what c->data would point to. */
const char *words_call(const struct words *w, const struct call *c,
                       const void *data, enum row_part part, size_t width,
                       char *buf, size_t cap);

/* What stands on the arrow of the row: "6 B seq=x+1 ack=y+1". FULL: all flags,
 * window and options, as far as they fit. The last TAIL columns of WIDTH are
 * used only where the label cannot do without. */
const char *words_label(const struct words *w, const struct row *row, bool full,
                        size_t width, size_t tail, char *buf, size_t cap);

/* "client 10.9.0.1". */
const char *words_host(const struct words *w, enum host_id host, char *buf,
                       size_t cap);

/* Milliseconds, right-aligned to WIDTH, with as many decimals (at most
 * DECIMALS) as fit. */
const char *words_time(uint64_t ns, int width, int decimals, char *buf,
                       size_t cap);

/* A sequence number of SIDE in the notation asked for. */
const char *words_number(const struct words *w, const struct event_frame *f,
                         enum host_id side, uint32_t value, char *buf,
                         size_t cap);

#endif
