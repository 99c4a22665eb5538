/* SPDX-License-Identifier: MIT
 *
 * vary: a text in which each student has numbers of his or her own.
 *
 *   vary lost 2-5
 *   option --rule 'drop client:data#{lost}'
 *
 * The number is drawn from a hash of the student's name, the lab's and its
 * own, so that it is the same on every machine.
 * Read next: labfile.h.
 */
#ifndef WIRELAB_VARY_H
#define WIRELAB_VARY_H

#include "err.h"

/* TEXT with its {NAME} and {NAME+NUMBER} filled in, to be freed; lines stay
 * where they are. STUDENT NULL: the lowest numbers. LAB is the lab's name,
 * PATH is for errors. NULL and *e: memory, a name that no line explains. */
char *vary_text(const char *text, const char *path, const char *lab,
                const char *student, struct err *e);

#endif
