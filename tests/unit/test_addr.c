/* SPDX-License-Identifier: MIT
 *
 * test_addr: addresses read, written and compared; good ones in each of their
 * spellings, and bad ones.
 * Read next: test_call.c.
 */
#include "addr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void test_parse(void **state)
{
    static const struct {
        const char *text, *formatted, *host;
        uint16_t port;
    } good[] = {
        {"127.0.0.1", "127.0.0.1:0", "127.0.0.1", 0},
        {"127.0.0.1:7", "127.0.0.1:7", "127.0.0.1", 7},
        {"0.0.0.0:65535", "0.0.0.0:65535", "0.0.0.0", 65535},
        {"255.255.255.255:1", "255.255.255.255:1", "255.255.255.255", 1},
        {"::1", "[::1]:0", "::1", 0},
        {"[::1]", "[::1]:0", "::1", 0},
        {"[::1]:80", "[::1]:80", "::1", 80},
        {"::", "[::]:0", "::", 0},
        {"2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:0", "2001:db8::1", 0},
        {"[2001:db8::1]:443", "[2001:db8::1]:443", "2001:db8::1", 443},
        {"::ffff:127.0.0.1", "[::ffff:127.0.0.1]:0", "::ffff:127.0.0.1", 0},
        {"fe80::1%lo", "[fe80::1%lo]:0", "fe80::1%lo", 0},
        {"[fe80::1%lo]:9", "[fe80::1%lo]:9", "fe80::1%lo", 9},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct addr a;
        struct err e = {.text = ""};
        char text[ADDR_TEXT];
        if (addr_parse(good[i].text, &a, &e) != 0)
            fail_msg("%s: %s", good[i].text, e.text);
        assert_string_equal(addr_format(&a, text, sizeof text),
                            good[i].formatted);
        assert_string_equal(addr_host(&a, text, sizeof text), good[i].host);
        assert_int_equal(addr_port(&a), good[i].port);
    }
}

static void test_parse_bad(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        ":80",
        "localhost",
        "name:80",
        "127.0.0.1:",
        "127.0.0.256",
        "1.2.3.4.5",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1: 80",
        "127.0.0.1:0x50",
        "127.0.0.1:http",
        " 127.0.0.1",
        "127.0.0.1 ",
        "[::1",
        "::1]",
        "[]:80",
        "[::1]80",
        "[::1]:",
        "[::1]:99999",
        ":::1",
        "::g",
        "fe80::1%no-such-link",
        "[[::1]]:80",
        "\377",
        "127.0.0.1:80:80",
    };
    struct addr a;
    struct err e;
    char text[1000];
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (addr_parse(bad[i], &a, &e) != -1)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(e.status, STATUS_USAGE);
    }
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(addr_parse(text, &a, &e), -1);
    text[500] = ':';
    assert_int_equal(addr_parse(text, &a, &e), -1);
}

static void test_resolve(void **state)
{
    static const struct {
        const char *host, *port, *formatted;
        int family;
    } good[] = {
        {"127.0.0.1", "0", "127.0.0.1:0", AF_UNSPEC},
        {"127.0.0.1", "65535", "127.0.0.1:65535", AF_INET},
        {"::1", "80", "[::1]:80", AF_UNSPEC},
        {"[::1]", "80", "[::1]:80", AF_INET6},
        {"fe80::1%lo", "7", "[fe80::1%lo]:7", AF_UNSPEC},
        {"0.0.0.0", "007", "0.0.0.0:7", AF_UNSPEC},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct addr_list list;
        struct err e = {.text = ""};
        char text[ADDR_TEXT];
        if (addr_resolve(good[i].host, good[i].port, good[i].family,
                         SOCK_STREAM, &list, &e) != 0)
            fail_msg("%s: %s", good[i].host, e.text);
        assert_true(list.count >= 1 && list.count <= ADDR_LIST);
        assert_string_equal(addr_format(&list.at[0], text, sizeof text),
                            good[i].formatted);
    }
}

static void test_resolve_name(void **state)
{
    struct addr_list list;
    char text[ADDR_TEXT];
    (void)state;
    if (access("/etc/hosts", R_OK) != 0)
        skip(); /* this machine knows no name by itself */
    assert_int_equal(
        addr_resolve("localhost", "7", AF_INET, SOCK_STREAM, &list, NULL), 0);
    assert_string_equal(addr_format(&list.at[0], text, sizeof text),
                        "127.0.0.1:7");
}

/* 64 letters make no label, so that no name server is asked. */
#define LONG_LABEL                                                             \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_resolve_bad(void **state)
{
    static const struct {
        const char *host, *port;
        int family;
        enum status status;
        const char *text;
    } bad[] = {
        {"127.0.0.1", "65536", 0, STATUS_USAGE, "port '65536'"},
        {"127.0.0.1", "-1", 0, STATUS_USAGE, "port '-1'"},
        {"127.0.0.1", "9x", 0, STATUS_USAGE, "port '9x'"},
        {"127.0.0.1", " 80", 0, STATUS_USAGE, "port ' 80'"},
        {"127.0.0.1", "", 0, STATUS_USAGE, "port ''"},
        {"127.0.0.1", "99999999999", 0, STATUS_USAGE, "port '99999999999'"},
        {"127.0.0.1", "0x50", 0, STATUS_USAGE, "port '0x50'"},
        {"127.0.0.1", "no-such-service", 0, STATUS_USAGE, "nor a service"},
        {"", "80", 0, STATUS_USAGE, "host ''"},
        {LONG_LABEL, "80", 0, STATUS_FAILED, "resolve " LONG_LABEL ": "},
        {LONG_LABEL LONG_LABEL LONG_LABEL LONG_LABEL, "80", 0, STATUS_USAGE,
         "too long"},
        {"127.0.0.1", "80", AF_INET6, STATUS_FAILED, "resolve 127.0.0.1: "},
        {"::1", "80", AF_INET, STATUS_FAILED, "resolve ::1: "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct addr_list list;
        struct err e;
        assert_int_equal(addr_resolve(bad[i].host, bad[i].port, bad[i].family,
                                      SOCK_DGRAM, &list, &e),
                         -1);
        assert_int_equal(e.status, bad[i].status);
        if (strstr(e.text, bad[i].text) == NULL)
            fail_msg("%s: no \"%s\"", e.text, bad[i].text);
    }
}

static struct addr parse(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(text, &a, NULL), 0);
    return a;
}

static void test_equal(void **state)
{
    static const char *const all[] = {
        "127.0.0.1:1", "127.0.0.1:2", "127.0.0.2:1",          "[::1]:1",
        "[::1]:2",     "[::2]:1",     "[::ffff:127.0.0.1]:1", "[fe80::1%lo]:1",
        "[fe80::1]:1",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        for (size_t j = 0; j < COUNT(all); j++) {
            struct addr a = parse(all[i]), b = parse(all[j]);
            assert_int_equal(addr_equal(&a, &b), i == j);
        }
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        bool loopback, multicast;
    } good[] = {
        {"127.0.0.1", true, false},  {"127.255.255.254", true, false},
        {"128.0.0.1", false, false}, {"126.255.255.255", false, false},
        {"::1", true, false},        {"::2", false, false},
        {"224.0.0.1", false, true},  {"239.255.255.255", false, true},
        {"240.0.0.0", false, false}, {"223.255.255.255", false, false},
        {"ff02::1", false, true},    {"fe80::1", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct addr a = parse(good[i].text);
        assert_int_equal(addr_is_loopback(&a), good[i].loopback);
        assert_int_equal(addr_is_multicast(&a), good[i].multicast);
    }
    assert_string_equal(addr_proto_name(SOCK_STREAM), "tcp");
    assert_string_equal(addr_proto_name(SOCK_DGRAM), "udp");
}

static void test_unmap(void **state)
{
    static const char *const good[][2] = {
        {"[::ffff:10.9.0.1]:9000", "10.9.0.1:9000"},
        {"[::ffff:127.0.0.1]:1", "127.0.0.1:1"},
        {"10.9.0.1:9000", "10.9.0.1:9000"},
        {"[::1]:9000", "[::1]:9000"},
        {"[fd00:9::1]:9000", "[fd00:9::1]:9000"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct addr a = parse(good[i][0]), b = parse(good[i][1]);
        a = addr_unmap(&a);
        assert_true(addr_equal(&a, &b));
        assert_int_equal(a.len, b.len);
    }
}

static void test_odd_ones_are_question_marks(void **state)
{
    struct addr none = {.len = 0}, other = {.len = sizeof(struct sockaddr)};
    char text[ADDR_TEXT];
    (void)state;
    other.sa.sa_family = AF_UNIX;
    assert_string_equal(addr_format(&none, text, sizeof text), "?");
    assert_string_equal(addr_format(&other, text, sizeof text), "?");
    assert_string_equal(addr_host(&other, text, sizeof text), "?");
}

/* A buffer that is too small gets what fits, and nothing behind it. */
static void test_small_buffers(void **state)
{
    struct addr a = parse("[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
    (void)state;
    for (size_t cap = 1; cap <= 60; cap++) {
        char text[64];
        memset(text, '#', sizeof text);
        addr_format(&a, text, cap);
        assert_true(strlen(text) < cap);
        assert_int_equal(text[cap], '#');
    }
}

static void test_port(void **state)
{
    struct addr four = parse("127.0.0.1"), six = parse("::1");
    (void)state;
    addr_set_port(&four, 0x1234);
    addr_set_port(&six, 0x1234);
    assert_int_equal(addr_port(&four), 0x1234);
    assert_int_equal(addr_port(&six), 0x1234);
    assert_int_equal(ntohs(four.in.sin_port), 0x1234);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_bad),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_resolve_name),
        cmocka_unit_test(test_resolve_bad),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_unmap),
        cmocka_unit_test(test_odd_ones_are_question_marks),
        cmocka_unit_test(test_small_buffers),
        cmocka_unit_test(test_port),
    };
    return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
