/* SPDX-License-Identifier: MIT
 *
 * test_service: what the services of the RFCs say, without any socket.
 * Read next: test_model.c.
 */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_chargen),
        cmocka_unit_test(test_daytime),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
