/* SPDX-License-Identifier: MIT
 *
 * test_call: a system call's text, as C writes it; why it was made; what to do
 * about its error. And no text is ever longer than its buffer.
 * Read next: test_sock.c.
 */
#include "call.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP

static const struct linger now = {.l_onoff = 1, .l_linger = 0};
static const struct timeval half = {.tv_usec = 500000};

/* A call, the address in it ("" for none), its text, and some of its why. */
static const struct {
    struct call call;
    const char *addr, *text, *why;
} good[] = {
    {{CALL_SOCKET, .returned = true, .fd = -1, .proto = TCP,
      .arg = {AF_INET, SOCK_STREAM, 0}, .result = 3},
     "",
     "socket(AF_INET, SOCK_STREAM, 0) = 3",
     "byte stream"},
    {{CALL_SOCKET, .returned = true, .fd = -1, .proto = UDP,
      .arg = {AF_INET6, SOCK_DGRAM, 0}, .result = 4},
     "",
     "socket(AF_INET6, SOCK_DGRAM, 0) = 4",
     "datagrams"},
    {{CALL_SOCKET, .returned = true, .fd = -1, .arg = {77, 99, 5}, .result = 4},
     "",
     "socket(77, 99, 5) = 4",
     "endpoint"},
    {{CALL_BIND, .returned = true, .fd = 3, .proto = TCP},
     "127.0.0.1:9000",
     "bind(3, 127.0.0.1:9000) = 0",
     "names the socket"},
    {{CALL_BIND, .returned = true, .fd = 3, .result = -1, .error = EADDRINUSE},
     "[::1]:9000",
     "bind(3, [::1]:9000) = -1 EADDRINUSE (Address already in use)",
     "another socket has"},
    {{CALL_LISTEN, .returned = true, .fd = 3, .proto = TCP, .arg = {128}},
     "",
     "listen(3, 128) = 0",
     "shakes hands by itself"},
    {{CALL_ACCEPT, .returned = true, .fd = 3, .proto = TCP, .result = 4},
     "127.0.0.1:5",
     "accept(3, 127.0.0.1:5) = 4",
     "off the queue"},
    {{CALL_ACCEPT, .fd = 3, .proto = TCP},
     "",
     "accept(3, ...) = ?",
     "waits for a handshake"},
    {{CALL_CONNECT, .fd = 3, .proto = TCP},
     "127.0.0.1:5",
     "connect(3, 127.0.0.1:5) = ?",
     "sends SYN"},
    {{CALL_CONNECT, .returned = true, .fd = 3, .proto = UDP},
     "127.0.0.1:5",
     "connect(3, 127.0.0.1:5) = 0",
     "notes the peer: only its datagrams"},
    {{CALL_CONNECT, .returned = true, .fd = 3, .proto = TCP, .result = -1,
      .error = ECONNREFUSED},
     "127.0.0.1:5",
     "connect(3, 127.0.0.1:5) = -1 ECONNREFUSED (Connection refused)",
     "answered by RST"},
    {{CALL_SEND, .returned = true, .fd = 3, .proto = TCP, .data = "hi\n\x1b[",
      .data_len = 5, .size = 5, .result = 5},
     "",
     "send(3, \"hi\\n\\x1b[\", 5, 0) = 5",
     "send buffer"},
    {{CALL_SEND, .returned = true, .fd = 3, .proto = TCP,
      .arg = {MSG_DONTWAIT | MSG_MORE}, .data = "a", .data_len = 1, .size = 1,
      .result = 1},
     "",
     "send(3, \"a\", 1, MSG_DONTWAIT|MSG_MORE) = 1",
     ""},
    {{CALL_SENDTO, .returned = true, .fd = 3, .proto = UDP, .data = "",
      .size = 0, .result = 0},
     "127.0.0.1:5",
     "sendto(3, \"\", 0, 0, 127.0.0.1:5) = 0",
     "one datagram"},
    {{CALL_RECV, .returned = true, .fd = 3, .proto = TCP, .data = "hellosecret",
      .data_len = 11, .size = 65536, .result = 5},
     "",
     "recv(3, \"hello\", 65536, 0) = 5",
     "not one message"},
    {{CALL_RECV, .returned = true, .fd = 3, .proto = TCP, .data = "x",
      .size = 65536},
     "",
     "recv(3, \"\", 65536, 0) = 0",
     "the peer has sent FIN"},
    {{CALL_RECV, .returned = true, .fd = 3, .proto = UDP, .data = "x",
      .size = 65536},
     "",
     "recv(3, \"\", 65536, 0) = 0",
     "not the end"},
    {{CALL_RECV, .returned = true, .fd = 3, .proto = TCP, .data = "x",
      .data_len = 1, .size = 9, .result = -1, .error = ECONNRESET},
     "",
     "recv(3, ..., 9, 0) = -1 ECONNRESET (Connection reset by peer)",
     "RST came"},
    {{CALL_RECVFROM, .fd = 3, .proto = UDP, .size = 9, .data = "x",
      .data_len = 1},
     "",
     "recvfrom(3, ..., 9, 0, ...) = ?",
     "waits for something"},
    {{CALL_SHUTDOWN, .returned = true, .fd = 3, .proto = TCP, .arg = {SHUT_WR}},
     "",
     "shutdown(3, SHUT_WR) = 0",
     "half-close"},
    {{CALL_CLOSE, .returned = true, .fd = 3, .proto = UDP},
     "",
     "close(3) = 0",
     "nobody is told"},
    {{CALL_SETSOCKOPT, .returned = true, .fd = 3,
      .arg = {SOL_SOCKET, SO_REUSEADDR, 1}},
     "",
     "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1) = 0",
     "TIME_WAIT"},
    {{CALL_SETSOCKOPT, .returned = true, .fd = 3,
      .arg = {SOL_SOCKET, SO_LINGER, 0}, .data = &now, .data_len = sizeof now},
     "",
     "setsockopt(3, SOL_SOCKET, SO_LINGER, {1, 0}) = 0",
     "RST"},
    {{CALL_SETSOCKOPT, .returned = true, .fd = 3,
      .arg = {SOL_SOCKET, SO_RCVTIMEO, 0}, .data = &half,
      .data_len = sizeof half},
     "",
     "setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {0, 500000}) = 0",
     "gives up"},
    {{CALL_SETSOCKOPT, .returned = true, .fd = 3,
      .arg = {IPPROTO_TCP, TCP_CONGESTION, 0}, .data = "reno", .data_len = 4},
     "",
     "setsockopt(3, IPPROTO_TCP, TCP_CONGESTION, \"reno\") = 0",
     "judges"},
    {{CALL_SETSOCKOPT, .returned = true, .fd = 3,
      .arg = {IPPROTO_TCP, TCP_CONGESTION, 0}, .data = "cubic", .data_len = 5},
     "",
     "setsockopt(3, IPPROTO_TCP, TCP_CONGESTION, \"cubic\") = 0",
     "judges"},
    {{CALL_SETSOCKOPT, .returned = true, .fd = 3, .arg = {12345, 678, 9}},
     "",
     "setsockopt(3, 12345, 678, 9) = 0",
     "sets an option"},
    {{CALL_GETSOCKOPT, .returned = true, .fd = 3,
      .arg = {SOL_SOCKET, SO_ERROR, ECONNREFUSED}},
     "",
     "getsockopt(3, SOL_SOCKET, SO_ERROR, 111) = 0",
     "fetches the error"},
    {{CALL_FCNTL, .returned = true, .fd = 3, .arg = {F_SETFL, O_NONBLOCK}},
     "",
     "fcntl(3, F_SETFL, O_NONBLOCK) = 0",
     "EAGAIN"},
    {{CALL_FCNTL, .returned = true, .fd = 3, .arg = {F_GETFD, 77}},
     "",
     "fcntl(3, F_GETFD) = 0",
     "flags"},
    {{CALL_FCNTL, .returned = true, .fd = 3, .arg = {F_SETFD, FD_CLOEXEC}},
     "",
     "fcntl(3, F_SETFD, 1) = 0",
     "flags"},
    {{CALL_SENDMSG, .alias = "sendmmsg", .returned = true, .fd = 3,
      .proto = UDP, .size = 2, .result = 2},
     "",
     "sendmmsg(3, ..., 2, 0) = 2",
     "datagrams"},
};

static struct call nth(size_t i)
{
    struct call c = good[i].call;
    if (good[i].addr[0] != '\0')
        assert_int_equal(addr_parse(good[i].addr, &c.addr, NULL), 0);
    return c;
}

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        char text[CALL_TEXT];
        struct call c = nth(i);
        assert_string_equal(call_format(&c, text, sizeof text), good[i].text);
        if (strstr(call_explain(&c), good[i].why) == NULL)
            fail_msg("%s: %s", good[i].text, call_explain(&c));
    }
}

static void test_advice(void **state)
{
    static const struct {
        struct call call;
        const char *text; /* NULL: none */
    } cases[] = {
        {{CALL_BIND, .error = EADDRINUSE}, "use another port"},
        {{CALL_BIND, .error = EACCES}, "from 1024 up"},
        {{CALL_BIND, .error = EADDRNOTAVAIL}, "'ip address'"},
        {{CALL_CONNECT, .proto = TCP, .error = ECONNREFUSED}, "ss -ltn"},
        {{CALL_RECV, .proto = UDP, .error = ECONNREFUSED}, "ss -lun"},
        {{CALL_CONNECT, .proto = TCP, .error = EADDRNOTAVAIL}, "-4"},
        {{CALL_CONNECT, .proto = TCP, .error = ETIMEDOUT}, "firewall"},
        {{CALL_SEND, .proto = UDP, .error = EMSGSIZE}, "or use TCP"},
        {{CALL_SENDTO, .proto = UDP, .error = EACCES}, "--broadcast"},
        {{CALL_ACCEPT, .error = EMFILE}, "ulimit -n"},
        {{CALL_SOCKET, .error = EAFNOSUPPORT}, "use -4"},
        {{CALL_RECV, .error = ECONNRESET}, NULL},
        {{CALL_RECV, .error = EIO}, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct call c = cases[i].call;
        c.returned = true;
        c.result = -1;
        const char *text = call_advice(&c);
        if (cases[i].text == NULL)
            assert_null(text);
        else if (text == NULL || strstr(text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].text, text != NULL ? text : "none");
        c.result = 0;
        assert_null(call_advice(&c));
        c.returned = false;
        assert_null(call_advice(&c));
    }
}

/* Every call, in every state, has words, and they fit on a line. */
static void test_every_call(void **state)
{
    (void)state;
    for (int id = 0; id < CALL_IDS; id++)
        for (int how = 0; how < 4; how++) {
            struct call c = {.id = (enum call_id)id, .returned = how > 0};
            c.result = how == 2 ? -1 : 0;
            c.error = how == 2 ? EIO : 0;
            char text[CALL_TEXT];
            assert_true(strlen(call_name(&c)) > 0);
            assert_in_range(strlen(call_explain(&c)), 1, 76);
            assert_true(strlen(call_format(&c, text, sizeof text)) > 0);
            call_waits(&c);
        }
    assert_string_equal(call_errno_name(ECONNRESET), "ECONNRESET");
    assert_string_equal(call_errno_name(99999), "errno 99999");
    assert_string_equal(call_errno_name(-1), "errno -1");
    assert_string_equal(call_errno_name(ENOSPC), "ENOSPC");
}

/* EINVAL: only a link-local address lacks its link. */
static void test_link_advice(void **state)
{
    static const struct {
        const char *address;
        bool advised;
    } links[] = {{"[fe80::1]:9", true},
                 {"[ff02::1234]:9", true},
                 {"[::ffff:127.0.0.1]:9", false},
                 {"127.0.0.1:9", false}};
    static const enum call_id ids[] = {CALL_BIND, CALL_CONNECT, CALL_SENDTO};
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        for (size_t j = 0; j < sizeof ids / sizeof *ids; j++) {
            struct call c = {.id = ids[j], .returned = true, .result = -1};
            c.error = EINVAL;
            assert_int_equal(addr_parse(links[i].address, &c.addr, NULL), 0);
            const char *advice = call_advice(&c);
            assert_int_equal(advice != NULL, links[i].advised);
        }
}

static void test_small_buffers(void **state)
{
    char data[100];
    (void)state;
    memset(data, 0x1b, sizeof data);
    for (size_t i = 0; i < COUNT(good); i++)
        for (size_t cap = 1; cap < 80; cap++) {
            char text[CALL_TEXT];
            struct call c = nth(i);
            memset(text, '#', sizeof text);
            call_format(&c, text, cap);
            assert_true(strlen(text) < cap);
            assert_int_equal(text[cap], '#');
            call_args(&c, text, cap);
            assert_true(strlen(text) < cap);
            assert_int_equal(text[cap], '#');
        }
    char text[CALL_TEXT];
    struct call c = {CALL_SEND,        .returned = true,
                     .data = data,     .data_len = sizeof data,
                     .size = SIZE_MAX, .result = LONG_MAX,
                     .fd = INT_MAX,    .arg = {-1}};
    assert_true(strlen(call_format(&c, text, sizeof text)) < sizeof text);
    assert_null(strchr(text, 0x1b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_every_call),
        cmocka_unit_test(test_link_advice),
        cmocka_unit_test(test_small_buffers),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
