/* SPDX-License-Identifier: MIT
 *
 * test_gso: rows of datagrams over loopback: all arrive, each in its own
 * length, with and without the kernel's help on either side, also where it is
 * refused; what is cut off or empty is said to be.
 * Read next: test_run.c.
 */
#include "gso.h"

#include "sock.h"

#include <errno.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* A receiver, a sender connected to it, and what the receiver receives into. */
struct pair {
    int from, to;
    struct addr sender, receiver;
    struct gso_inbox in;
};

enum { BATCH = 32, LARGEST = 65535 };

static void open_pair(struct pair *p, size_t cap)
{
    struct addr any;
    assert_int_equal(addr_parse("127.0.0.1:0", &any, NULL), 0);
    p->from = sock_socket(AF_INET, SOCK_DGRAM, NULL);
    p->to = sock_socket(AF_INET, SOCK_DGRAM, NULL);
    assert_int_equal(sock_bind(p->from, &any, NULL), 0);
    assert_int_equal(sock_bind(p->to, &any, NULL), 0);
    assert_int_equal(sock_getsockname(p->from, &p->sender, NULL), 0);
    assert_int_equal(sock_getsockname(p->to, &p->receiver, NULL), 0);
    assert_int_equal(gso_open(&p->in, p->to, BATCH, cap, NULL), 0);
}

static void close_pair(struct pair *p)
{
    gso_close(&p->in);
    sock_close(p->from);
    sock_close(p->to);
}

/* The mode in which datagrams can leave. */
static void test_mode(void **state)
{
    (void)state;
    assert_int_equal(gso_mode(100, 1), MODE_MANY); /* nothing to join */
    assert_int_equal(gso_mode(100, 2), MODE_ROWS);
    assert_int_equal(gso_mode(32500, 64), MODE_ROWS);
    assert_int_equal(gso_mode(32501, 64), MODE_MANY); /* no two fit */
    assert_int_equal(gso_mode(65507, 64), MODE_MANY);
}

static void fill(unsigned char *data, size_t size, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memset(data + i * size, (int)(i + 1), size);
}

/* COUNT datagrams of SIZE have come, in order, and nothing else. Returns in how
 * many messages. */
static int expect_all(struct pair *p, size_t size, size_t count)
{
    struct gso_datagram d;
    struct err e;
    size_t seen = 0;
    int n, messages = 0;
    while ((n = gso_receive(&p->in, p->to, MSG_DONTWAIT, &e)) > 0)
        for (messages += n; gso_next(&p->in, &d); seen++) {
            assert_int_equal(d.len, size);
            assert_int_equal(d.whole, size);
            assert_int_equal(d.data[0], seen + 1);
            assert_int_equal(d.data[size - 1], seen + 1);
            assert_true(addr_equal(d.peer, &p->sender));
        }
    assert_int_equal(e.sys, EAGAIN);
    assert_int_equal(seen, count);
    return messages;
}

/* Each way to send to each way to receive, connected and not. */
static void test_rows(void **state)
{
    static unsigned char data[100 * 100];
    (void)state;
    fill(data, 100, 100);
    for (int i = 0; i < 8; i++) {
        bool rows = i & 1, gro = i & 2, connected = i & 4;
        uint64_t mode = rows ? MODE_ROWS : MODE_MANY;
        struct pair p;
        struct err e;
        open_pair(&p, gro ? LARGEST : 2000);
        assert_int_equal(p.in.mode, gro ? MODE_ROWS : MODE_MANY);
        if (connected)
            assert_int_equal(sock_connect(p.from, &p.receiver, 0, NULL), 0);
        assert_int_equal(gso_send(p.from, connected ? NULL : &p.receiver, data,
                                  100, 100, &mode, &e),
                         100);
        assert_int_equal(mode, rows ? MODE_ROWS : MODE_MANY);
        /* 64 in the first message, 36 in the second */
        assert_int_equal(expect_all(&p, 100, 100), rows && gro ? 2 : 100);
        close_pair(&p);
    }
}

/* Without a checksum there is no GSO: the kernel refuses. */
static void test_refused(void **state)
{
    static unsigned char data[10 * 100];
    uint64_t mode = MODE_ROWS;
    struct pair p;
    struct err e;
    (void)state;
    fill(data, 100, 10);
    open_pair(&p, LARGEST);
    assert_int_equal(sock_setsockopt(p.from, SOL_SOCKET, SO_NO_CHECK, 1, NULL),
                     0);
    assert_int_equal(gso_send(p.from, &p.receiver, data, 100, 10, &mode, &e),
                     0);
    assert_int_equal(mode, MODE_MANY);
    assert_int_equal(gso_send(p.from, &p.receiver, data, 100, 10, &mode, &e),
                     10);
    assert_int_equal(expect_all(&p, 100, 10), 10);
    close_pair(&p);
}

/* What is no refusal is told, and changes no mode. */
static void test_failure(void **state)
{
    static unsigned char data[200];
    uint64_t mode = MODE_ROWS;
    struct err e;
    (void)state;
    assert_int_equal(gso_send(-1, NULL, data, 100, 2, &mode, &e), -1);
    assert_int_equal(e.sys, EBADF);
    assert_int_equal(mode, MODE_ROWS);
}

/* The last of a row may be shorter, as when the run's END follows its data. */
static void test_short_last(void **state)
{
    static const size_t sizes[] = {100, 100, 50};
    unsigned char data[250];
    struct gso_datagram d;
    struct pair p;
    (void)state;
    fill(data, 100, 2);
    memset(data + 200, 3, 50);
    open_pair(&p, LARGEST);
    assert_int_equal(sock_setsockopt(p.from, SOL_UDP, UDP_SEGMENT, 100, NULL),
                     0);
    assert_int_equal(sock_sendto(p.from, data, sizeof data, &p.receiver, NULL),
                     250);
    assert_int_equal(gso_receive(&p.in, p.to, MSG_DONTWAIT, NULL), 1);
    for (size_t i = 0; i < 3; i++) {
        assert_true(gso_next(&p.in, &d));
        assert_int_equal(d.len, sizes[i]);
        assert_int_equal(d.data[0], i + 1);
    }
    assert_false(gso_next(&p.in, &d));
    close_pair(&p);
}

/* Datagrams that are empty, or larger than there is room for. */
static void test_lengths(void **state)
{
    static const struct {
        size_t sent, len;
    } rows[] = {{0, 0}, {49, 49}, {50, 50}, {51, 50}, {1000, 50}, {0, 0}};
    unsigned char data[1000] = {0};
    struct gso_datagram d;
    struct pair p;
    (void)state;
    open_pair(&p, 50);
    for (size_t i = 0; i < 6; i++)
        sock_sendto(p.from, data, rows[i].sent, &p.receiver, NULL);
    assert_int_equal(gso_receive(&p.in, p.to, MSG_DONTWAIT, NULL), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_true(gso_next(&p.in, &d));
        assert_int_equal(d.len, rows[i].len);
        assert_int_equal(d.whole, rows[i].sent);
    }
    assert_false(gso_next(&p.in, &d));
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode),       cmocka_unit_test(test_rows),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_failure),
        cmocka_unit_test(test_short_last), cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests_name("gso", tests, NULL, NULL);
}
