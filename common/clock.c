/* SPDX-License-Identifier: MIT
 *
 * clock: nanoseconds. See clock.h for the contract.
 */
#include "clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t); /* cannot fail: both clocks always exist */
    return (uint64_t)t.tv_sec * CLOCK_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_real_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

int clock_poll_ms(uint64_t ns)
{
    const uint64_t day_ms = UINT64_C(24) * 60 * 60 * 1000;
    if (ns == UINT64_MAX)
        return -1;
    uint64_t ms = ns / CLOCK_MS + (ns % CLOCK_MS != 0);
    return (int)(ms < day_ms ? ms : day_ms);
}
