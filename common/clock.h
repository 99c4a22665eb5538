/* SPDX-License-Identifier: MIT
 *
 * clock: time as nanoseconds in a uint64_t, which lasts until the year 2554.
 * Sources: clock_gettime(2).
 */
#ifndef WIRELAB_CLOCK_H
#define WIRELAB_CLOCK_H

#include <stdint.h>

#define CLOCK_US UINT64_C(1000)
#define CLOCK_MS UINT64_C(1000000)
#define CLOCK_S UINT64_C(1000000000)

/* CLOCK_MONOTONIC: for durations; never steps back. */
uint64_t clock_now_ns(void);

/* CLOCK_REALTIME: the clock of the kernel's packet timestamps. */
uint64_t clock_real_ns(void);

/* A timeout for poll(2): NS rounded up to ms, at most a day, so that a wait
 * never ends early. UINT64_MAX (no deadline) gives -1. */
int clock_poll_ms(uint64_t ns);

#endif
