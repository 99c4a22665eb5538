/* SPDX-License-Identifier: MIT
 *
 * trial: one scene of a lab file, run by a child of this process: a process
 * enters its namespaces only once. Or a recording of a run, judged likewise.
 * Read next: lab.h, expect.h.
 */
#ifndef WIRELAB_TRIAL_H
#define WIRELAB_TRIAL_H

#include "err.h"
#include "labfile.h"

struct trial {
    int status; /* 0: as expected; STATUS_EXPECT: not, text says why;
                   STATUS_SKIP: it cannot run here, text says why; 128 and
                   more: stopped by a signal */
    char *text; /* the picture and what was wrong in it, lines; "" if all held;
                   free it */
};

/* Runs the scene, and again if it failed while this machine held up the wire
 * (WIRE_LATE_NS), three times at most; with RECORDING, a file of --record,
 * judges that instead. 0; or -1 and *e: there is no memory, no process, no
 * scratch file. */
int trial_run(const struct scene *s, const char *recording, struct trial *t,
              struct err *e);

#endif
