/* SPDX-License-Identifier: MIT
 *
 * test_msg: messages as bytes. What is written is read again; what is not a
 * message, or lies about its length, is refused; a stream cut anywhere gives
 * the same messages; the pattern notices every changed byte.
 * Read next: test_run.c.
 */
#include "cookie.h"
#include "feed.h"
#include "msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct msg sample = {.type = MSG_DATA,
                                  .token = 0x0123456789abcdef,
                                  .number = 7,
                                  .time_ns = 99,
                                  .len = 100};

static void test_header(void **state)
{
    unsigned char buf[MSG_HEADER];
    struct msg m;
    (void)state;
    msg_write(buf, &sample);
    assert_memory_equal(buf, "WLAB\1\4\0\0\x01\x23\x45\x67\x89\xab\xcd\xef",
                        16);
    assert_int_equal(msg_read(buf, sizeof buf, &m), 1);
    assert_int_equal(m.type, MSG_DATA);
    assert_true(m.token == sample.token && m.number == 7 && m.time_ns == 99);
    assert_int_equal(m.len, 100);
    msg_renumber(buf, UINT64_MAX, 5);
    assert_int_equal(msg_read(buf, sizeof buf, &m), 1);
    assert_true(m.number == UINT64_MAX && m.time_ns == 5 && m.len == 100);
    for (size_t len = 0; len < sizeof buf; len++)
        assert_int_equal(msg_read(buf, len, &m), 0);
}

static void test_refused(void **state)
{
    static const struct {
        size_t at;
        unsigned char value;
    } bad[] = {
        {0, 'w'}, {3, 0},  {4, 2},    {5, 0},    {5, 99},
        {35, 35}, {32, 1}, {32, 255}, {32, 127},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        unsigned char buf[MSG_HEADER];
        struct msg m;
        msg_write(buf, &sample);
        buf[bad[i].at] = bad[i].value;
        if (msg_read(buf, sizeof buf, &m) != -1)
            fail_msg("row %zu is read", i);
    }
}

/* A datagram is one whole message: no byte less, no byte more. */
static void test_datagram(void **state)
{
    unsigned char buf[200];
    struct msg m;
    (void)state;
    msg_write(buf, &sample);
    assert_true(msg_datagram(buf, 100, &m));
    for (size_t len = 0; len < sizeof buf; len++)
        assert_int_equal(msg_datagram(buf, len, &m), len == 100);
}

static void test_fields(void **state)
{
    unsigned char buf[MSG_CONTROL];
    const uint64_t out[3] = {1, UINT64_MAX, 0x1122334455667788};
    uint64_t in[4];
    struct msg m;
    (void)state;
    msg_write_control(buf, &sample, out, 3);
    assert_int_equal(msg_read(buf, sizeof buf, &m), 1);
    assert_int_equal(m.len, MSG_CONTROL);
    msg_fields(buf, &m, in, 4);
    assert_memory_equal(in, out, sizeof out);
    assert_true(in[3] == 0);
    m.len = MSG_HEADER + 12; /* the second field is not whole */
    msg_fields(buf, &m, in, 4);
    assert_true(in[0] == 1 && in[1] == 0 && in[2] == 0);
}

static void test_pattern(void **state)
{
    static unsigned char buf[20000];
    (void)state;
    msg_fill(buf, 0, sizeof buf);
    assert_true(msg_check(buf, 0, sizeof buf));
    assert_true(msg_check(buf + 777, 777, sizeof buf - 777));
    assert_false(msg_check(buf + 4096, 0, 8));
    for (size_t at = 0; at < sizeof buf; at += 97) {
        buf[at] ^= 1;
        assert_false(msg_check(buf, 0, sizeof buf));
        buf[at] ^= 1;
    }
}

/* Three messages, in pieces of every size: always the same three. */
static void test_feed(void **state)
{
    unsigned char bytes[MSG_CONTROL + 100 + MSG_HEADER];
    const uint64_t field = 42;
    struct msg last = sample;
    (void)state;
    last.len = MSG_HEADER;
    msg_write_control(bytes, &(struct msg){.type = MSG_OPEN}, &field, 1);
    msg_write(bytes + MSG_CONTROL, &sample);
    msg_fill(bytes + MSG_CONTROL + MSG_HEADER, 0, 100 - MSG_HEADER);
    msg_write(bytes + MSG_CONTROL + 100, &last);
    for (size_t piece = 1; piece <= sizeof bytes; piece++) {
        static const unsigned lens[] = {MSG_CONTROL, 100, MSG_HEADER};
        struct feed f = {.verify = true};
        size_t count = 0;
        for (size_t at = 0; at < sizeof bytes; at += piece) {
            const unsigned char *in = bytes + at;
            size_t left = sizeof bytes - at < piece ? sizeof bytes - at : piece;
            int result;
            while ((result = feed_take(&f, &in, &left)) == 1) {
                assert_int_equal(f.m.len, lens[count++]);
                assert_false(f.corrupt);
            }
            assert_int_equal(result, 0);
        }
        assert_int_equal(count, 3);
    }
}

static void test_feed_refuses(void **state)
{
    unsigned char long_open[MSG_HEADER], changed[100];
    const unsigned char *in = (const unsigned char *)"WLAX";
    struct feed f = {.verify = true};
    size_t left = 4;
    struct msg m = sample;
    (void)state;
    assert_int_equal(feed_take(&f, &in, &left), -1); /* after four bytes */
    m.type = MSG_OPEN;
    m.len = MSG_MAX; /* would not fit into what a feed holds */
    msg_write(long_open, &m);
    f = (struct feed){0};
    in = long_open;
    left = sizeof long_open;
    assert_int_equal(feed_take(&f, &in, &left), -1);
    msg_write(changed, &sample);
    msg_fill(changed + MSG_HEADER, 0, sizeof changed - MSG_HEADER);
    changed[99] ^= 4;
    f = (struct feed){.verify = true};
    in = changed;
    left = sizeof changed;
    assert_int_equal(feed_take(&f, &in, &left), 1);
    assert_true(f.corrupt);
}

/* The vectors of the paper's appendix A: key and data are 00 01 02 ... */
static void test_cookie(void **state)
{
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    unsigned char data[15];
    struct addr a, b;
    (void)state;
    for (unsigned char i = 0; i < sizeof data; i++)
        data[i] = i;
    assert_true(cookie_hash(data, sizeof data, key) == 0xa129ca6149be45e5);
    assert_true(cookie_hash(data, 0, key) == 0x726fdb47dd0e0e31);
    assert_int_equal(addr_parse("127.0.0.1:9", &a, NULL), 0);
    assert_int_equal(addr_parse("127.0.0.1:10", &b, NULL), 0);
    assert_true(cookie_of(&a, key) == cookie_of(&a, key));
    assert_true(cookie_of(&a, key) != cookie_of(&b, key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_datagram),     cmocka_unit_test(test_fields),
        cmocka_unit_test(test_pattern),      cmocka_unit_test(test_feed),
        cmocka_unit_test(test_feed_refuses), cmocka_unit_test(test_cookie),
    };
    return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
