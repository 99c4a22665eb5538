/* SPDX-License-Identifier: MIT
 *
 * test_run: the map of what has come, against one that remembers everything:
 * loss, duplicates and reordering at random, with known seeds; the window's
 * ends; the table, when it is full and when runs expire; the source's pace.
 * Read next: test_msg.c.
 */
#include "clock.h"
#include "msg.h"
#include "result.h"
#include "run.h"
#include "source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct run_plan plan = {.size = 100, .bytes = 1000};

/* A server's thread that serves several streams costs what it costs, from the
 * earliest beginning to the last end, and not once for each of them. */
static void test_cost_of_one_thread(void **state)
{
    struct cost all = {.syscalls = 60, .kernel_drops = 5, .thread = 7};
    struct cost other = all;
    (void)state;
    all.retransmits = other.retransmits = COST_UNKNOWN; /* UDP */
    all.before.syscalls = 100;
    other.before.syscalls = 110;
    cost_add(&all, &other);
    assert_int_equal(all.syscalls, 70);
    assert_int_equal(all.kernel_drops, 5);
    other.before.syscalls = 500; /* later, after others */
    cost_add(&all, &other);
    assert_int_equal(all.syscalls, 460);
    other.thread = 8;
    cost_add(&all, &other);
    assert_int_equal(all.syscalls, 520);
    assert_int_equal(all.kernel_drops, 10);
    other.syscalls = COST_UNKNOWN;
    cost_add(&all, &other);
    assert_true(all.syscalls == COST_UNKNOWN);
}

static struct run *new_run(uint64_t token)
{
    struct run *r = run_new(token, &plan, -1, 1);
    assert_non_null(r);
    return r;
}

static void note_all(struct run *r, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_note(r, numbers[i], 100, 1 + i);
}

/* Two streams took as long as from the first's beginning to the last's end,
 * whether they ran at once or not. */
static void test_time_of_two(void **state)
{
    struct stream_result all = {0}, other = {0};
    (void)state;
    all.got.first_ns = 200;
    other.got.first_ns = 100;
    all.got.elapsed_ns = other.got.elapsed_ns = 50;
    result_add(&all, &other);
    assert_int_equal(all.got.elapsed_ns, 150);
    other.got.first_ns = 240;
    result_add(&all, &other);
    assert_int_equal(all.got.elapsed_ns, 190);
    other.got.first_ns = 0; /* an old peer does not tell */
    other.got.elapsed_ns = 500;
    result_add(&all, &other);
    assert_int_equal(all.got.elapsed_ns, 500);
}

static void test_by_hand(void **state)
{
    static const uint64_t numbers[] = {0, 1, 4, 3, 3, 2, 9, 9, 0};
    struct run *r = new_run(1);
    (void)state;
    note_all(r, numbers, sizeof numbers / sizeof *numbers);
    assert_int_equal(r->got.delivered, 6);   /* 0 1 2 3 4 9 */
    assert_int_equal(r->got.duplicated, 3);  /* 3 9 0 */
    assert_int_equal(r->got.reordered, 2);   /* 3 2 */
    assert_int_equal(r->got.reorder_max, 2); /* 2 behind 4 */
    assert_int_equal(r->got.bytes, 600);
    assert_int_equal(r->got.beyond, 0);
    assert_int_equal(r->got.elapsed_ns, 6); /* to the 9 */
    run_free(r);
}

enum { NUMBERS = 50000 };

/* Numbers 0 to NUMBERS - 1, some lost, some twice, shuffled within a reach. */
static size_t scramble(uint64_t *out, unsigned seed, unsigned reach)
{
    size_t n = 0;
    srand(seed);
    for (uint64_t i = 0; i < NUMBERS; i++) {
        int draw = rand() % 100;
        for (int copies = draw < 10   ? 0
                          : draw < 15 ? 2
                                      : 1;
             copies > 0; copies--)
            out[n++] = i;
    }
    for (size_t i = 0; i + reach < n; i++) {
        size_t j = i + (size_t)rand() % reach;
        uint64_t kept = out[i];
        out[i] = out[j];
        out[j] = kept;
    }
    return n;
}

static void test_at_random(void **state)
{
    uint64_t *numbers = malloc(2 * NUMBERS * sizeof *numbers);
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        size_t n = scramble(numbers, seed, 1 + seed * seed * 3);
        unsigned char *seen = calloc(NUMBERS, 1);
        struct run *r = new_run(seed);
        uint64_t delivered = 0, doubled = 0, reordered = 0, above = 0;
        note_all(r, numbers, n);
        for (size_t i = 0; i < n; i++) {
            if (seen[numbers[i]]++ != 0) {
                doubled++;
                continue;
            }
            delivered++;
            reordered += numbers[i] < above;
            above = numbers[i] + 1 > above ? numbers[i] + 1 : above;
        }
        assert_int_equal(r->got.delivered, delivered);
        assert_int_equal(r->got.duplicated, doubled);
        assert_int_equal(r->got.reordered, reordered);
        assert_int_equal(r->got.beyond, 0);
        run_free(r);
        free(seen);
    }
    free(numbers);
}

/* The oldest number that is still told apart, and the one before it. */
static void test_window(void **state)
{
    struct run *r = new_run(1);
    (void)state;
    run_note(r, 0, 1, 1);
    run_note(r, RUN_WINDOW, 1, 2); /* 0 falls out of the window */
    run_note(r, 1, 1, 3);
    run_note(r, 1, 1, 4);
    run_note(r, 0, 1, 5);
    assert_int_equal(r->got.delivered, 3);
    assert_int_equal(r->got.duplicated, 1);
    assert_int_equal(r->got.beyond, 1);
    run_note(r, 10 * RUN_WINDOW + 1, 1, 6); /* a jump: all forgotten */
    run_note(r, 10 * RUN_WINDOW, 1, 7);
    assert_int_equal(r->got.delivered, 5);
    assert_int_equal(r->got.duplicated, 1);
    run_note(r, UINT64_MAX, 1, 8);
    run_note(r, UINT64_MAX - 1, 1, 9);
    run_free(r);
}

static void test_table(void **state)
{
    struct run_table *t = calloc(1, sizeof *t);
    struct addr peer, other;
    (void)state;
    assert_int_equal(addr_parse("127.0.0.1:9", &peer, NULL), 0);
    assert_int_equal(addr_parse("127.0.0.2:9", &other, NULL), 0);
    for (uint64_t i = 1; i <= RUN_TABLE; i++) {
        struct run *r = new_run(i);
        r->peer = peer;
        assert_true(run_enter(t, r, 2));
    }
    assert_non_null(run_find(t, RUN_TABLE, &peer));
    assert_null(run_find(t, 1, &other)); /* a token is not enough */
    assert_null(run_find(t, RUN_TABLE + 1, &peer));
    struct run *late = new_run(1000);
    late->peer = peer;
    assert_false(run_enter(t, late, RUN_EXPIRE));
    run_find(t, 1, &peer)->seen_ns = RUN_EXPIRE; /* it was heard of since */
    assert_true(run_enter(t, late, RUN_EXPIRE + 1));
    assert_non_null(run_find(t, 1, &peer));
    assert_null(run_find(t, 2, &peer));
    run_leave(t, late);
    assert_null(run_find(t, 1000, &peer));
    run_table_free(t);
}

static void test_source(void **state)
{
    struct run_plan paced = {.size = 1000, .bytes = 10500, .rate_bps = 8000000};
    struct source s;
    (void)state;
    source_begin(&s, 1, &paced, -1, 0); /* one message a millisecond */
    assert_int_equal(source_burst(&s, 0, 64), 1);
    assert_int_equal(source_wait_ns(&s, 0), 0);
    source_sent(&s, 5, 0);
    assert_int_equal(source_wait_ns(&s, 0), 5 * CLOCK_MS);
    assert_int_equal(source_wait_ns(&s, 4 * CLOCK_MS), 0);
    assert_int_equal(source_burst(&s, 8 * CLOCK_MS, 64), 4);
    assert_int_equal(source_burst(&s, CLOCK_S, 64), 6); /* to the end: 11 */
    source_sent(&s, 6, CLOCK_S);
    assert_false(source_more(&s, CLOCK_S));
    assert_int_equal(s.sent.bytes, 11000);
}

/* Who knows fewer fields sends zeroes for the others: "not told". */
static void test_old_peer(void **state)
{
    struct run_sent sent = {.sent = 5, .mode = MODE_ROWS};
    struct run_counts got = {.delivered = 4, .mode = MODE_ROWS, .first_ns = 1};
    struct msg m = {.type = MSG_END, .token = 1};
    char buf[MSG_CONTROL];
    (void)state;
    msg_write_control(buf, &m, &sent, sizeof sent / sizeof(uint64_t) - 1);
    assert_int_equal(msg_read(buf, sizeof buf, &m), 1);
    msg_fields(buf, &m, RUN_FIELDS(sent));
    assert_int_equal(sent.sent, 5);
    assert_int_equal(sent.mode, MODE_UNTOLD);
    msg_write_control(buf, &m, &got,
                      offsetof(struct run_counts, mode) / sizeof(uint64_t));
    msg_fields(buf, &m, RUN_FIELDS(got));
    assert_int_equal(got.delivered, 4);
    assert_int_equal(got.mode, MODE_UNTOLD);
    assert_int_equal(got.first_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost_of_one_thread),
        cmocka_unit_test(test_time_of_two),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_at_random),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_old_peer),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
