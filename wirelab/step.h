/* SPDX-License-Identifier: MIT
 *
 * step: a row a key. Before each arrow it asks who sends next, and what; the
 * answer is the row. The lab goes on meanwhile: its rows wait here, not its
 * wire. Without a terminal there is nobody to press a key, and rows pass at
 * once.
 * A signal that would end the program does so in good order: the terminal is
 * given back as it was.
 * Read next: text.h, which draws them.
 */
#ifndef WIRELAB_STEP_H
#define WIRELAB_STEP_H

#include "ladder.h"

#include <stdbool.h>
#include <stdio.h>

struct step;

/* Keys come from the descriptor KEYS, which is set to give each key at once
 * if it is a terminal; rows go to OUT, the questions to the stream TALK. Of a
 * terminal it catches SIGINT, SIGTERM and SIGHUP until step_free, so there is
 * one at a time. NULL if memory is short. */
struct step *step_new(int keys, FILE *talk, row_fn *out, void *context);

/* Restores the terminal. NULL is allowed; so is calling it before _exit. */
void step_free(struct step *s);

/* Takes a row; a row_fn whose context is the step. */
void step_row(const struct row *row, void *step);

/* Waits for a key and shows the next row. "a" shows all rows from here on.
 * False: "q", the end of input or a signal, the reader has had enough. */
bool step_key(struct step *s);

/* The signal by which the reader ended it, or 0. */
int step_signal(const struct step *s);

/* Are there rows that wait for a key? */
bool step_waits(const struct step *s);

/* False if memory ran short, or too many rows waited, and rows are missing. */
bool step_complete(const struct step *s);

#endif
