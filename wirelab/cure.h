/* SPDX-License-Identifier: MIT
 *
 * cure: why this machine refuses what the lab needs, and the exact way to
 * allow it. The kernel says EPERM for many reasons; which one it is shows in
 * /proc.
 * Sources: user_namespaces(7), apparmor.d(5), seccomp(2).
 */
#ifndef WIRELAB_CURE_H
#define WIRELAB_CURE_H

#include <stddef.h>

struct cure {
    const char *why; /* "AppArmor lets only named programs make namespaces" */
    const char *how; /* a command, or what to do instead */
};

/* The most likely reason for a refused namespace. Never NULL. */
const struct cure *cure_namespaces(void);

/* Calls FN with each reason that applies to this machine, also those that may
 * not matter. Returns how many there were. */
size_t cure_each(void (*fn)(const struct cure *c, void *context),
                 void *context);

#endif
