/* SPDX-License-Identifier: MIT
 *
 * test_service: what the services say, without any socket.
 * Read next: test_model.c.
 */
#include "msg.h"
#include "run.h"
#include "service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static void test_find(void **state)
{
    static const struct {
        const char *name;
        uint16_t port, rfc;
    } good[] = {{"echo", 7, 862},
                {"discard", 9, 863},
                {"chargen", 19, 864},
                {"daytime", 13, 867}};
    static const char *const bad[] = {"", "Echo", "echo ", "ech", "echoo"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct service *s = service_find(good[i].name);
        assert_non_null(s);
        assert_string_equal(s->name, good[i].name);
        assert_int_equal(s->port, good[i].port);
        assert_int_equal(s->rfc, good[i].rfc);
        assert_true(strlen(s->summary) > 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(service_find(bad[i]));
}

static struct span input(const char *name, const void *in, size_t len)
{
    static struct session s;
    s = (struct session){.service = service_find(name)};
    return s.service->on_input(&s, in, len);
}

static void test_answers(void **state)
{
    static const char in[] = "a\0b\r\n\xff";
    (void)state;
    struct span out = input("echo", in, sizeof in);
    assert_int_equal(out.len, sizeof in);
    assert_memory_equal(out.data, in, sizeof in);
    out = input("echo", in, 0); /* an empty datagram comes back empty */
    assert_int_equal(out.len, 0);
    assert_non_null(out.data);
    static const char *const silent[] = {"discard", "chargen", "daytime"};
    for (size_t i = 0; i < 3; i++) {
        out = input(silent[i], in, sizeof in);
        assert_int_equal(out.len, 0);
    }
}

/* Whole lines whatever the room, and the pattern goes on from call to call. */
static void test_chargen(void **state)
{
    struct session s = {.service = service_find("chargen")};
    char out[1000], line[75];
    size_t next = 0;
    (void)state;
    for (size_t cap = 0; cap <= sizeof out; cap += 37) {
        memset(out, '#', sizeof out);
        size_t n = s.service->produce(&s, out, cap);
        assert_int_equal(n, cap / 74 * 74);
        for (size_t at = 0; at < n; at += 74, next++) {
            for (size_t i = 0; i < 72; i++)
                line[i] = (char)(' ' + (next + i) % 95);
            memcpy(line + 72, "\r\n", 3);
            assert_memory_equal(out + at, line, 74);
        }
        if (n < sizeof out)
            assert_int_equal(out[n], '#');
    }
    assert_true(next > 95); /* once around */
}

static void test_daytime(void **state)
{
    struct session s = {.service = service_find("daytime")};
    char out[200], year[16];
    time_t now = time(NULL);
    (void)state;
    size_t n = s.service->produce(&s, out, sizeof out);
    assert_in_range(n, 20, 100);
    assert_memory_equal(out + n - 2, "\r\n", 2);
    out[n] = '\0';
    assert_ptr_equal(strchr(out, '\n'), out + n - 1);
    struct tm tm;
    localtime_r(&now, &tm);
    snprintf(year, sizeof year, "%d ", 1900 + tm.tm_year);
    assert_non_null(strstr(out, year));
    assert_int_equal(s.service->produce(&s, out, sizeof out), 0); /* once */
}

/* Gives the sink an OPEN; returns how many bytes it says to that. */
static size_t open_sink(struct session *s, const struct run_plan *plan)
{
    static char in[MSG_CONTROL], out[4096];
    const struct msg m = {.type = MSG_OPEN, .token = 1};
    size_t n, said = 0;
    msg_write_control(in, &m, RUN_FIELDS(*plan));
    assert_int_equal(s->service->on_input(s, in, sizeof in).len, 0);
    while (s->speaks && (n = s->service->produce(s, out, sizeof out)) > 0)
        said += n;
    return said;
}

/* One OPEN begins a run; another, of whatever kind, ends the session. */
static void test_sink_open(void **state)
{
    const struct run_plan there = {.size = 100, .bytes = 1000};
    struct run_plan back = there;
    struct session s;
    (void)state;
    back.reverse = 1;
    for (int i = 0; i < 4; i++) {
        session_init(&s, service_find("sink"), -1);
        size_t said = open_sink(&s, i & 1 ? &back : &there);
        assert_int_equal(said, i & 1 ? 2 * MSG_CONTROL + 1000 : MSG_CONTROL);
        assert_int_equal(open_sink(&s, i & 2 ? &back : &there), 0);
        assert_true(s.speaks);
        session_end(&s);
    }
}

/* Opens a reversed run of PLAN at the desk, with its cookie. */
static void open_reversed(struct desk *d, const struct addr *peer,
                          const struct run_plan *plan)
{
    char in[MSG_CONTROL], out[MSG_CONTROL];
    struct msg m = {.type = MSG_OPEN, .token = 7};
    struct span answer;
    for (int i = 0; i < 2; i++) {
        msg_write_control(in, &m, RUN_FIELDS(*plan));
        assert_true(
            service_datagram(d, peer, in, sizeof in, out, sizeof out, &answer));
        assert_true(msg_datagram(answer.data, answer.len, &m));
        assert_int_equal(m.type, MSG_HELLO);
        m.type = MSG_OPEN;
    }
}

/* The row's messages are of that type and number on. */
static void expect_row(const struct row *row, size_t count, enum msg_type type,
                       uint64_t number)
{
    const char *p = row->data;
    struct msg m;
    assert_int_equal(row->count, count);
    for (size_t i = 0; i < count; i++, number++) {
        assert_true(msg_datagram(p + i * row->size, row->size, &m));
        assert_int_equal(m.type, type);
        assert_int_equal(m.token, 7);
        assert_int_equal(m.number, number);
    }
}

/* As many at a time as the client asked for and the model can; what has not
 * left comes again, under the same numbers. */
static void test_sink_rows(void **state)
{
    static const struct {
        uint64_t batch, size;
        size_t row, count;
    } cases[] = {{4, 100, 1024, 4},
                 {0, 100, 1024, 1},
                 {4, 100, 1, 1},
                 {5000, 100, 8, 8},
                 {1024, 40000, 1024, 6}, /* so many fit into a row's memory */
                 {UINT64_MAX, 65507, 1024, 4}};
    static char out[65507];
    struct run_plan plan = {.reverse = 1};
    struct addr peer;
    uint64_t wait_ns;
    (void)state;
    addr_parse("127.0.0.1:1", &peer, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = cases[i].count, sent = (count + 1) / 2;
        struct desk d;
        struct row row;
        assert_int_equal(desk_open(&d, service_find("sink"), -1, NULL), 0);
        d.row = cases[i].row;
        plan.batch = cases[i].batch;
        plan.size = cases[i].size;
        plan.bytes = (count + sent) * plan.size;
        open_reversed(&d, &peer, &plan);
        assert_true(service_unasked(&d, out, sizeof out, &row, &wait_ns));
        assert_true(addr_equal(&row.peer, &peer));
        expect_row(&row, count, MSG_DATA, 0);
        service_sent(&d, &row, 0); /* there was no room */
        assert_true(service_unasked(&d, out, sizeof out, &row, &wait_ns));
        expect_row(&row, count, MSG_DATA, 0);
        service_sent(&d, &row, sent);
        assert_true(service_unasked(&d, out, sizeof out, &row, &wait_ns));
        expect_row(&row, count, MSG_DATA, sent);
        service_sent(&d, &row, count);
        assert_true(service_unasked(&d, out, sizeof out, &row, &wait_ns));
        expect_row(&row, 1, MSG_END, 0);
        service_sent(&d, &row, 1);
        assert_false(service_unasked(&d, out, sizeof out, &row, &wait_ns));
        desk_close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),      cmocka_unit_test(test_answers),
        cmocka_unit_test(test_chargen),   cmocka_unit_test(test_daytime),
        cmocka_unit_test(test_sink_open), cmocka_unit_test(test_sink_rows),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
