/* SPDX-License-Identifier: MIT
 *
 * doctor: what can this machine show? Each thing is tried for real, by a small
 * lab of the usual kind; what fails comes with its reason and the cure.
 * Read next: cure.h.
 */
#ifndef WIRELAB_DOCTOR_H
#define WIRELAB_DOCTOR_H

#include "settings.h"

/* wirelab doctor: runs the lab that S asks for (the demo) in children of this
 * process, and prints what was seen, a line each. Returns 0 if all can be
 * shown, else STATUS_SKIP. */
int doctor_run(const struct settings *s);

#endif
