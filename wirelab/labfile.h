/* SPDX-License-Identifier: MIT
 *
 * labfile: an experiment as a teacher writes it down, in a plain file:
 *
 *   # 03-handshake.lab: what the three segments do
 *   server tcp_server -n 1 server 9000
 *   client tcp_client --ask hello server 9000
 *   expect
 *       client SYN; server SYN+ACK ack=x+1; client ACK ack=y+1
 *       server accept = 4
 *
 *   scene NAME          a run of its own, with all that stands before the
 *                       first scene; without any the file is one run
 *   server CMD          a program on the server; may be repeated
 *   client CMD          the same on the client
 *   option OPTION...    of wirelab's: link, faults, seed, --kill, --start
 *   status N            how the clients end (0)
 *   expect EXPECTATION  in the language of expect.h; may be repeated
 *   needs PROGRAM...    without these the run is skipped
 *   vary NAME LOW-HIGH  {NAME}, and {NAME+1}, anywhere in the file is a number
 *                       of each student's own; without --student it is LOW
 *   answer TEXT         the key, for the teacher alone; answer[zh_CN] TEXT the
 *                       same for those who read that language
 *
 * An indented line goes on with the one above it. # begins a comment line.
 * Read next: check.h, which runs it.
 */
#ifndef WIRELAB_LABFILE_H
#define WIRELAB_LABFILE_H

#include "err.h"
#include "settings.h"

#include <stddef.h>

struct scene {
    const char *title; /* "" if the file is one run */
    struct settings settings;
    int status;        /* how the clients have to end */
    const char *needs; /* programs, with blanks between them, or NULL */
    const char **word; /* its options, as on a command line */
    size_t words;
};

struct labfile {
    char name[64]; /* of the file, without its directory and ".lab" */
    struct scene *scene;
    size_t scenes;
    const char *answer; /* or NULL */
    char *text;         /* what the pointers above and the settings point to */
};

/* Reads the file at PATH as it is for STUDENT (NULL: for nobody). 0; or -1
 * and *e, which names the file, the line and the word at fault. */
int labfile_read(struct labfile *f, const char *path, const char *student,
                 struct err *e);
void labfile_free(struct labfile *f);

#endif
