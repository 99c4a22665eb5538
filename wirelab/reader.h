/* SPDX-License-Identifier: MIT
 *
 * reader: who reads what wirelab prints. One that has seen enough (`| head`)
 * is no fault: wirelab ends then, in good order, without a word, and with the
 * status that a shell reports of a program which SIGPIPE has ended.
 * Sources: write(2), EPIPE; signal(7).
 */
#ifndef WIRELAB_READER_H
#define WIRELAB_READER_H

#include "out.h"

#include <stdbool.h>

/* Sends on what stdio holds back. out->failed remembers the first failure. */
void reader_flush(struct out *out);

/* Nobody reads stdout any more, as far as writing has shown. */
bool reader_is_gone(const struct out *out);

/* The last line of a main: sends on the rest. Returns STATUS; or, if that is 0
 * and something did not arrive, 128 + SIGPIPE if the reader is gone, else
 * STATUS_FAILED. What went wrong is said, but not that the reader is gone. */
int reader_end(struct out *out, int status);

#endif
