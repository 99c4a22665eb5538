/* SPDX-License-Identifier: MIT
 *
 * calls_filter: what makes a program stop at its network calls and at nothing
 * else: a seccomp filter, a little program in classic BPF that the kernel runs
 * at each system call.
 * Sources: seccomp(2), Documentation/userspace-api/seccomp_filter.rst.
 * Read next: calls.c.
 */
#ifndef WIRELAB_CALLS_FILTER_H
#define WIRELAB_CALLS_FILTER_H

#include "err.h"

#include <stdbool.h>

/* Installs it in this thread, for good, and for all that it starts: from here
 * on a traced program stops at the calls of the table, with its extra rows if
 * EXTRA; without a tracer those calls fail with ENOSYS. Sets no_new_privs.
 * Returns 0, or -1 and *e. */
int calls_filter_install(bool extra, struct err *e);

#endif
