/* SPDX-License-Identifier: MIT
 *
 * notes: what stands beside the packets of a pcapng file: their comments, and
 * whether they came in or went out. libpcap reads the packets and leaves this
 * out; so the notes are read beside it, in step.
 * Source: draft-ietf-opsawg-pcapng.
 * Read next: pcapng.h, which writes them; capture.h, which reads with them.
 */
#ifndef WIRELAB_NOTES_H
#define WIRELAB_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#define NOTE_COMMENTS 4
#define NOTE_TEXT 160

struct note {
    bool is_ours; /* this toolkit wrote the file */
    int host;     /* then: of which host it is (enum host_id); else -1 */
    bool inbound, outbound;
    char comment[NOTE_COMMENTS][NOTE_TEXT]; /* those that fit, cut to fit */
    size_t comments;
};

struct notes;

/* NULL if PATH is no pcapng file, or memory is short: then there are none. */
struct notes *notes_open(const char *path);
void notes_close(struct notes *n); /* NULL is allowed */

/* The note of the next packet; an empty one behind the last packet, where the
 * file makes no sense, and if N is NULL. */
void notes_next(struct notes *n, struct note *note);

#endif
