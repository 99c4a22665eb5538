/* SPDX-License-Identifier: MIT
 *
 * keep: a file that is there whole or not at all. It is written without a
 * name, or where there is no such thing under another one beside that asked
 * for, and takes its name when all of it is written. What is no regular file
 * (/dev/null, a pipe) is written as it is: to rename over a device would
 * replace it.
 * Sources: open(2), O_TMPFILE; rename(2), mkostemp(3).
 */
#ifndef WIRELAB_KEEP_H
#define WIRELAB_KEEP_H

#include "err.h"

#include <stdbool.h>
#include <stdio.h>

struct keep {
    FILE *file;       /* to write to; NULL: not open */
    char *path;       /* asked for; where it is a link: where that leads */
    char *temporary;  /* NULL: it is written as it is */
    bool is_nameless; /* nothing of that name yet */
    int error;        /* errno of the first write that failed; 0: none has */
};

/* 0, or -1 and *e: "PATH: why". */
int keep_open(struct keep *k, const char *path, struct err *e);

/* To be called when something has been written: stdio remembers that it
 * failed, this remembers why. */
void keep_check(struct keep *k);

/* Closes the file, gives it its name and frees what *k holds. 0; or -1 and *e,
 * if any of it could not be written: then nothing is left of it. */
int keep_close(struct keep *k, struct err *e);

/* Takes it all back. Nothing happens if it is not open. */
void keep_discard(struct keep *k);

#endif
