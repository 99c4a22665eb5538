/* SPDX-License-Identifier: MIT
 *
 * test_model: the table, who may be answered, and that the totals add up.
 * Read next: ../cli/tcp_server.bats, which runs the models themselves.
 */
#include "model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void test_find(void **state)
{
    static const struct model table[] = {{"one", "the first", NULL},
                                         {"two", "the second", NULL},
                                         {.name = NULL}};
    static const char *const bad[] = {"", "One", "on", "ones", "three"};
    (void)state;
    assert_ptr_equal(model_find(table, "one"), &table[0]);
    assert_ptr_equal(model_find(table, "two"), &table[1]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(model_find(table, bad[i]));
}

static struct addr parse(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(text, &a, NULL), 0);
    return a;
}

static void test_may_answer(void **state)
{
    static const struct {
        const char *local, *peer;
        bool may;
    } good[] = {
        {"127.0.0.1:9000", "127.0.0.1:9001", true},
        {"127.0.0.1:9000", "127.0.0.2:9000", true},
        {"127.0.0.1:9000", "127.0.0.1:9000", false}, /* itself */
        {"[::1]:9000", "[::1]:9000", false},
        {"127.0.0.1:9000", "127.0.0.1:0", false}, /* nobody */
        {"127.0.0.1:9000", "127.0.0.1:7", false}, /* another echo server */
        {"127.0.0.1:9000", "[::1]:19", false},
        {"127.0.0.1:9000", "10.0.0.1:13", false},
        {"127.0.0.1:9000", "10.0.0.1:9", false},
        {"127.0.0.1:9000", "10.0.0.1:8", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct addr local = parse(good[i].local), peer = parse(good[i].peer);
        assert_int_equal(model_may_answer(&local, &peer), good[i].may);
    }
}

static void test_accept_failure(void **state)
{
    static const struct {
        int errnum;
        enum model_accept means;
    } good[] = {
        {ECONNABORTED, ACCEPT_NEXT}, {EHOSTDOWN, ACCEPT_NEXT},
        {ENETUNREACH, ACCEPT_NEXT},  {EMFILE, ACCEPT_LATER},
        {ENOMEM, ACCEPT_LATER},      {EBADF, ACCEPT_FAILED},
        {EINVAL, ACCEPT_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(model_accept_failure(good[i].errnum), good[i].means);
}

static struct server make_server(struct out *o)
{
    struct server s = {.out = o, .lfd = -1, .fd = -1};
    out_init(o, "program", false, true); /* quiet: only the totals matter */
    s.totals = model_totals(NULL);
    assert_non_null(s.totals);
    return s;
}

static void test_connections(void **state)
{
    struct out o;
    struct server s = make_server(&o);
    struct totals *t = s.totals;
    struct model_conn a = {.peer = parse("127.0.0.1:1")}, b = a, c = a;
    (void)state;
    model_connected(&s, &a);
    model_connected(&s, &b);
    model_connected(&s, &c);
    assert_int_equal(a.number, 1);
    assert_int_equal(c.number, 3);
    assert_int_equal(t->open, 3);
    a.received_bytes = 10;
    a.sent_bytes = 20;
    b.received_bytes = 5;
    model_closed(&s, &a, WHO_CLIENT, HOW_FIN);
    model_closed(&s, &b, WHO_CLIENT, HOW_RESET);
    model_closed(&s, &c, WHO_SERVER, HOW_TIMEOUT);
    assert_int_equal(t->connections, 3);
    assert_int_equal(t->open, 0);
    assert_int_equal(t->failed, 2);
    assert_int_equal(t->received_bytes, 15);
    assert_int_equal(t->sent_bytes, 20);
}

static void test_datagrams(void **state)
{
    struct out o;
    struct server s = make_server(&o);
    struct addr peer = parse("127.0.0.1:1");
    (void)state;
    model_datagram(&s, &peer, 0, false);
    model_datagram(&s, &peer, 65507, false);
    model_datagram(&s, &peer, 100, true);
    assert_int_equal(s.totals->datagrams_in, 3);
    assert_int_equal(s.totals->datagram_bytes_in, 65607);
    assert_int_equal(s.totals->truncated, 1);
}

/* What a forked child counts, its parent sees. */
static void test_totals_are_shared(void **state)
{
    struct out o;
    struct server s = make_server(&o);
    struct addr peer = parse("127.0.0.1:1");
    int status;
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        model_datagram(&s, &peer, 7, false);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(s.totals->datagram_bytes_in, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_may_answer),
        cmocka_unit_test(test_accept_failure),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_totals_are_shared),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
