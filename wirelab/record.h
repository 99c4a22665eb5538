/* SPDX-License-Identifier: MIT
 *
 * record: a recording (--record FILE) played again: the same events, in the
 * same order, as the lab gave them. Memory does not grow with the file, but
 * for the calls that waited.
 * Read next: json.h, which writes it; replay.h, for captures.
 */
#ifndef WIRELAB_RECORD_H
#define WIRELAB_RECORD_H

#include "err.h"
#include "lab.h"

#include <stdbool.h>
#include <stdint.h>

struct record;

/* What the first line says. The commands last as long as the record. */
struct record_head {
    char version[32], kernel[128];
    bool ipv6, loopback;
    uint64_t delay_ns[HOST_COUNT];
    const char *command[HOST_COUNT][LAB_PROGRAMS];
    size_t commands[HOST_COUNT];
};

/* NULL and *e: it cannot be read, is no recording, or is of a later version
 * than this program. */
struct record *record_open(const char *path, struct record_head *head,
                           struct err *e);
void record_close(struct record *r); /* NULL is allowed */

/* Gives the view all events. *END_NS: the time of the last. 0; or -1 and *e,
 * where the file breaks off or a line makes no sense. */
int record_run(struct record *r, const struct lab_view *view, uint64_t *end_ns,
               struct err *e);

#endif
