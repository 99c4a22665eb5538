/* SPDX-License-Identifier: MIT
 *
 * test_hist: the histogram against the sorted times themselves. Every bucket's
 * borders; percentiles within 1 % from 1 us to 100 s; two halves merged are
 * the whole; the text.
 * Read next: test_fault.c.
 */
#include "clock.h"
#include "hist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct hist h, half[2]; /* 16 KiB each */

static void test_empty(void **state)
{
    char text[HIST_TEXT];
    (void)state;
    memset(&h, 0, sizeof h);
    assert_int_equal(hist_percentile(&h, 50), 0);
    assert_string_equal(hist_line(&h, text, sizeof text), "none");
    assert_string_equal(hist_text(&h, text, sizeof text), "");
}

/* Both borders of each bucket fall into it, and the next begins behind. */
static void test_borders(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < HIST_BUCKETS; i++) {
        uint64_t first = hist_bucket_ns(i), end = hist_bucket_ns(i + 1);
        assert_true(first < end);
        if (first >= CLOCK_US)
            assert_true((end - first) * 64 <= first);
        memset(&h, 0, sizeof h);
        hist_add(&h, first);
        hist_add(&h, end - 1);
        assert_int_equal(h.bucket[i], 2);
        hist_add(&h, end);
        assert_int_equal(h.bucket[i + 1], 1);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static const double percents[] = {0, 0.1, 1, 10, 50, 90, 99, 99.9, 99.99, 100};

static void check_against(const struct hist *all, const uint64_t *sorted,
                          size_t n)
{
    for (size_t i = 0; i < COUNT(percents); i++) {
        size_t below = 0; /* the first with so many not above it */
        while ((double)(below + 1) < percents[i] / 100 * (double)n)
            below++;
        double exact = (double)sorted[below];
        double off = (double)hist_percentile(all, percents[i]) - exact;
        assert_true(off <= exact / 100 && -off <= exact / 100);
    }
    assert_int_equal(hist_percentile(all, 0), sorted[0]);
    assert_int_equal(hist_percentile(all, 100), sorted[n - 1]);
}

/* Times from 1 us to 84 s, evenly by their magnitude; and then all but a few
 * in one place, as latencies are. */
/* 999 of 1000 are 99.9 %, whatever 99.9 is in binary. */
static void test_rank_is_exact(void **state)
{
    (void)state;
    for (uint64_t n = 1000; n <= 100000; n += 1000) {
        memset(&h, 0, sizeof h);
        for (uint64_t i = 0; i < n; i++)
            hist_add(&h, i < n / 1000 * 999 ? 10 : 50);
        assert_int_equal(hist_percentile(&h, 99.9), 10);
    }
}

static void test_percentiles(void **state)
{
    enum { N = 20000 };
    static uint64_t times[N];
    (void)state;
    srand(1);
    for (int shape = 0; shape < 2; shape++) {
        memset(&h, 0, sizeof h);
        memset(half, 0, sizeof half);
        for (int i = 0; i < N; i++) {
            bool usual = shape == 1 && i % 50 != 0;
            uint64_t size = CLOCK_US << (usual ? 4 : rand() % 26);
            times[i] = size + (uint64_t)rand() % size * 95 / 64;
            hist_add(&h, times[i]);
            hist_add(&half[i % 2], times[i]);
        }
        qsort(times, N, sizeof times[0], compare);
        check_against(&h, times, N);
        hist_merge(&half[0], &half[1]);
        assert_memory_equal(&half[0], &h, sizeof h);
    }
}

static void test_merge_empty(void **state)
{
    (void)state;
    memset(&h, 0, sizeof h);
    memset(half, 0, sizeof half);
    hist_add(&half[0], 5000);
    hist_merge(&half[0], &h);
    assert_int_equal(half[0].min_ns, 5000);
    hist_merge(&h, &half[0]);
    assert_memory_equal(&h, &half[0], sizeof h);
}

static void test_beyond(void **state)
{
    (void)state;
    memset(&h, 0, sizeof h);
    hist_add(&h, UINT64_MAX / 2);
    hist_add(&h, UINT64_MAX / 2);
    assert_int_equal(h.bucket[HIST_BUCKETS - 1], 2);
    assert_int_equal(hist_percentile(&h, 50), UINT64_MAX / 2);
}

static const struct {
    uint64_t ns;
    const char *text;
} times[] = {
    {0, "0 ns"},
    {850, "850 ns"},
    {999, "999 ns"},
    {1000, "1.00 us"},
    {12345, "12.3 us"},
    {99990, "100 us"},
    {999999, "1.00 ms"},
    {4560 * CLOCK_US, "4.56 ms"},
    {1200 * CLOCK_MS, "1.20 s"},
    {100 * CLOCK_S, "100 s"},
};

static void test_time(void **state)
{
    char text[32];
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++)
        assert_string_equal(hist_time(times[i].ns, text, sizeof text),
                            times[i].text);
}

static void test_text(void **state)
{
    char text[HIST_TEXT];
    (void)state;
    memset(&h, 0, sizeof h);
    for (int i = 0; i < 90; i++)
        hist_add(&h, 15 * CLOCK_US);
    for (int i = 0; i < 10; i++)
        hist_add(&h, 70 * CLOCK_US);
    assert_string_equal(
        hist_text(&h, text, sizeof text),
        "  < 20.0 us          90  90.0 % ####################################\n"
        "  < 50.0 us           0   0.0 %\n"
        "  < 100 us           10  10.0 % ####\n");
    hist_add(&h, 1);
    hist_add(&h, 100 * CLOCK_S);
    assert_true(strlen(hist_text(&h, text, sizeof text)) < HIST_TEXT - 1);
    assert_non_null(strstr(text, "  < 200 s "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_rank_is_exact),
        cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_merge_empty),
        cmocka_unit_test(test_beyond),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
