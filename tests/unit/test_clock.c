/* SPDX-License-Identifier: MIT
 *
 * test_clock: nanoseconds, and how long poll(2) is asked to wait.
 * Read next: test_err.c.
 */
#include "clock.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static void test_poll_ms(void **state)
{
    static const struct {
        uint64_t ns;
        int ms;
    } good[] = {
        {0, 0},
        {1, 1}, /* never early: rounded up */
        {CLOCK_MS - 1, 1},
        {CLOCK_MS, 1},
        {CLOCK_MS + 1, 2},
        {1500 * CLOCK_MS, 1500},
        {24 * 3600 * CLOCK_S, 86400000},
        {24 * 3600 * CLOCK_S + 1, 86400000}, /* at most a day */
        {UINT64_MAX - 1, 86400000},
        {UINT64_MAX, -1}, /* no deadline */
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(clock_poll_ms(good[i].ns), good[i].ms);
}

static void test_now(void **state)
{
    uint64_t before = clock_now_ns();
    time_t real = time(NULL);
    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock_now_ns();
        assert_true(now >= before);
        before = now;
    }
    uint64_t seconds = clock_real_ns() / CLOCK_S;
    assert_true(seconds + 1 >= (uint64_t)real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_poll_ms),
        cmocka_unit_test(test_now),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
