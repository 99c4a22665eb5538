/* SPDX-License-Identifier: MIT
 *
 * test_sock: the wrappers of the system calls. Signals interrupt each of them:
 * first by calls of our own that stand before the C library's and fail as
 * often as a test asks, then by real ones. Then peers that refuse, reset and
 * keep silent; and that no descriptor is left over.
 * Read next: test_out.c.
 */
#include "sock.h"

#include "clock.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* --- Calls that fail on demand --- */

static struct {
    int failures; /* so many calls fail */
    int error;    /* with this errno */
    int calls;    /* so many were made */
} fault;

static void fail_times(int failures, int error)
{
    fault.failures = failures;
    fault.error = error;
    fault.calls = 0;
}

static bool fails(void)
{
    fault.calls++;
    if (fault.failures == 0)
        return false;
    fault.failures--;
    errno = fault.error;
    return true;
}

/* The C library's own: void * and functions differ in C, not in POSIX. */
#define REAL(name, ...)                                                        \
    (*(__typeof__(&name) *)&(void *){real(#name)})(__VA_ARGS__)

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

int accept(int fd, struct sockaddr *restrict a, socklen_t *restrict len)
{
    return fails() ? -1 : REAL(accept, fd, a, len);
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    return fails() ? -1 : REAL(send, fd, buf, len, flags);
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    return fails() ? -1 : REAL(recv, fd, buf, len, flags);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags,
               const struct sockaddr *a, socklen_t alen)
{
    return fails() ? -1 : REAL(sendto, fd, buf, len, flags, a, alen);
}

ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags,
                 struct sockaddr *restrict a, socklen_t *restrict alen)
{
    return fails() ? -1 : REAL(recvfrom, fd, buf, len, flags, a, alen);
}

/* As the kernel does it: interrupted, but the handshake goes on. */
int connect(int fd, const struct sockaddr *a, socklen_t len)
{
    int result = REAL(connect, fd, a, len);
    return fails() ? -1 : result;
}

/* Likewise: the descriptor is gone all the same. */
int close(int fd)
{
    int result = REAL(close, fd);
    return fails() ? -1 : result;
}

/* --- Sockets to try them on --- */

static struct addr loopback(void)
{
    struct addr a;
    assert_int_equal(addr_parse("127.0.0.1:0", &a, NULL), 0);
    return a;
}

/* A bound socket and its address. */
static int bound(int type, struct addr *a)
{
    struct err e;
    int fd = sock_socket(AF_INET, type, &e);
    assert_true(fd >= 0);
    *a = loopback();
    assert_int_equal(sock_bind(fd, a, &e), 0);
    assert_int_equal(sock_getsockname(fd, a, &e), 0);
    return fd;
}

/* Both ends of a connection. */
struct pair {
    int lfd, client, server;
    struct addr addr;
};

static struct pair connected(void)
{
    struct pair p;
    struct addr peer;
    p.lfd = bound(SOCK_STREAM, &p.addr);
    assert_int_equal(sock_listen(p.lfd, 5, NULL), 0);
    p.client = sock_socket(AF_INET, SOCK_STREAM, NULL);
    assert_int_equal(sock_connect(p.client, &p.addr, 0, NULL), 0);
    p.server = sock_accept(p.lfd, &peer, NULL);
    assert_true(p.server >= 0);
    return p;
}

static void close_pair(struct pair *p)
{
    sock_close(p->client);
    sock_close(p->server);
    sock_close(p->lfd);
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(
        sock_setsockopt_raw(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now, NULL),
        0);
    sock_close(fd);
}

/* --- Interrupted --- */

static int observed;

static void count_cb(const struct call *c, void *context)
{
    (void)context;
    assert_true(c->returned);
    assert_true(c->end_ns >= c->begin_ns);
    observed++;
}

/* Each call is made again until it succeeds, and is told once. */
static void test_eintr_is_retried(void **state)
{
    struct pair p = connected();
    struct addr a, b, from;
    int one = bound(SOCK_DGRAM, &a), two = bound(SOCK_DGRAM, &b);
    char buf[10];
    bool truncated;
    (void)state;
    sock_observe(count_cb, NULL);
    observed = 0;

    fail_times(3, EINTR);
    assert_int_equal(sock_send(p.client, "hello", 5, 0, NULL), 5);
    assert_int_equal(fault.calls, 4);
    fail_times(3, EINTR);
    assert_int_equal(sock_recv(p.server, buf, sizeof buf, 0, NULL), 5);
    assert_int_equal(fault.calls, 4);
    fail_times(3, EINTR);
    assert_int_equal(sock_sendto(one, "hello", 5, &b, NULL), 5);
    assert_int_equal(fault.calls, 4);
    fail_times(3, EINTR);
    assert_int_equal(
        sock_recvfrom(two, buf, sizeof buf, 0, &from, &truncated, NULL), 5);
    assert_int_equal(fault.calls, 4);
    assert_true(addr_equal(&from, &a));
    assert_int_equal(observed, 4);

    int client = sock_socket(AF_INET, SOCK_STREAM, NULL);
    assert_int_equal(sock_connect(client, &p.addr, 0, NULL), 0);
    fail_times(3, EINTR);
    int server = sock_accept(p.lfd, &from, NULL);
    assert_true(server >= 0);
    assert_int_equal(fault.calls, 4);

    fail_times(0, 0);
    sock_observe(NULL, NULL);
    sock_close(client);
    sock_close(server);
    sock_close(one);
    sock_close(two);
    close_pair(&p);
}

/* connect goes on in the kernel: it is waited for, not made again. */
static void test_eintr_in_connect(void **state)
{
    struct addr a, peer;
    int lfd = bound(SOCK_STREAM, &a);
    (void)state;
    assert_int_equal(sock_listen(lfd, 5, NULL), 0);
    for (int timed = 0; timed < 2; timed++) {
        int fd = sock_socket(AF_INET, SOCK_STREAM, NULL);
        fail_times(1, EINTR);
        assert_int_equal(sock_connect(fd, &a, timed ? CLOCK_S : 0, NULL), 0);
        assert_int_equal(fault.calls, 1);
        int server = sock_accept(lfd, &peer, NULL);
        assert_int_equal(sock_send(fd, "x", 1, 0, NULL), 1);
        sock_close(server);
        sock_close(fd);
    }
    sock_close(lfd);
}

static void test_close_is_made_once(void **state)
{
    int fd = sock_socket(AF_INET, SOCK_DGRAM, NULL);
    (void)state;
    fail_times(1, EINTR);
    errno = ECONNRESET;
    sock_close(fd);
    assert_int_equal(fault.calls, 1);
    assert_int_equal(errno, ECONNRESET); /* of the failure before it */
    fail_times(0, 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* Other failures are told at once. */
static void test_others_are_not_retried(void **state)
{
    static const int errors[] = {EAGAIN, EMFILE, ENOBUFS, ECONNABORTED, EIO};
    struct pair p = connected();
    struct addr peer;
    struct err e;
    char buf[1];
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        fail_times(1, errors[i]);
        assert_int_equal(sock_accept(p.lfd, &peer, &e), -1);
        assert_int_equal(fault.calls, 1);
        assert_int_equal(e.sys, errors[i]);
        assert_int_equal(errno, errors[i]);
        fail_times(1, errors[i]);
        assert_int_equal(sock_recv(p.client, buf, 1, 0, NULL), -1);
        assert_int_equal(errno, errors[i]);
    }
    fail_times(0, 0);
    close_pair(&p);
}

static volatile sig_atomic_t alarms;

static void alarm_cb(int signum)
{
    (void)signum;
    alarms++;
}

static void set_alarms(suseconds_t us)
{
    const struct sigaction sa = {.sa_handler = alarm_cb};
    const struct itimerval timer = {{0, us}, {0, us}};
    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* In a process of its own, which no alarm interrupts: something happens. */
static pid_t after(int ms, void (*happens)(struct pair *), struct pair *p)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        poll(NULL, 0, ms);
        happens(p);
        _exit(0);
    }
    return pid;
}

static void say_hello(struct pair *p)
{
    sock_send(p->client, "hello", 5, 0, NULL);
}

static void connect_again(struct pair *p)
{
    int fd = sock_socket(AF_INET, SOCK_STREAM, NULL);
    sock_connect(fd, &p->addr, 0, NULL);
}

static void read_all(struct pair *p)
{
    char buf[65536];
    while (sock_recv(p->server, buf, sizeof buf, 0, NULL) > 0)
        continue;
}

/* A signal every millisecond, while the call has nothing to return yet. */
static void test_real_signals(void **state)
{
    static char much[8000000];
    struct pair p = connected();
    struct addr peer;
    char buf[10];
    size_t sent = 0;
    (void)state;
    pid_t pid = after(100, say_hello, &p);
    set_alarms(1000);
    assert_int_equal(sock_recv(p.server, buf, sizeof buf, 0, NULL), 5);
    waitpid(pid, NULL, 0);
    set_alarms(0);
    pid = after(100, connect_again, &p);
    set_alarms(1000);
    int server = sock_accept(p.lfd, &peer, NULL);
    assert_true(server >= 0);
    waitpid(pid, NULL, 0);
    set_alarms(0);
    pid = after(100, read_all, &p);
    set_alarms(1000);
    while (sent < sizeof much) {
        ssize_t n =
            sock_send(p.client, much + sent, sizeof much - sent, 0, NULL);
        assert_true(n > 0);
        sent += (size_t)n;
    }
    set_alarms(0);
    sock_shutdown(p.client, SHUT_WR, NULL);
    waitpid(pid, NULL, 0);
    assert_true(alarms > 50);
    sock_close(server);
    close_pair(&p);
}

/* --- Peers --- */

static void test_refused(void **state)
{
    struct addr a;
    int held = bound(SOCK_STREAM, &a); /* taken, but nobody listens */
    (void)state;
    for (int timed = 0; timed < 2; timed++) {
        struct err e;
        char text[ADDR_TEXT], expected[200];
        int fd = sock_socket(AF_INET, SOCK_STREAM, NULL);
        assert_int_equal(sock_connect(fd, &a, timed ? CLOCK_S : 0, &e), -1);
        assert_int_equal(errno, ECONNREFUSED);
        assert_int_equal(e.status, STATUS_REFUSED);
        snprintf(expected, sizeof expected, "connect %s: Connection refused",
                 addr_format(&a, text, sizeof text));
        assert_string_equal(e.text, expected);
        assert_non_null(strstr(e.advice, "ss -ltn"));
        sock_close(fd);
    }
    sock_close(held);
}

/* An accept queue that is full: every further SYN is dropped. */
static void test_connect_times_out(void **state)
{
    struct addr a;
    struct err e;
    int lfd = bound(SOCK_STREAM, &a), fds[3];
    (void)state;
    assert_int_equal(sock_listen(lfd, 0, NULL), 0);
    for (int i = 0; i < 3; i++) {
        fds[i] = sock_socket(AF_INET, SOCK_STREAM, NULL);
        sock_nonblock(fds[i], NULL);
        sock_connect(fds[i], &a, 0, NULL);
    }
    int fd = sock_socket(AF_INET, SOCK_STREAM, NULL);
    uint64_t began = clock_now_ns();
    assert_int_equal(sock_connect(fd, &a, 50 * CLOCK_MS, &e), -1);
    assert_true(clock_now_ns() - began >= 50 * CLOCK_MS);
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(e.status, STATUS_TIMEOUT);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0); /* as before */
    sock_close(fd);
    for (int i = 0; i < 3; i++)
        sock_close(fds[i]);
    sock_close(lfd);
}

static void test_reset(void **state)
{
    struct pair p = connected();
    struct err e;
    char buf[10];
    (void)state;
    assert_int_equal(sock_send(p.server, "last", 4, 0, NULL), 4);
    reset(p.server);
    assert_int_equal(sock_recv(p.client, buf, sizeof buf, 0, &e), 4);
    assert_int_equal(sock_recv(p.client, buf, sizeof buf, 0, &e), -1);
    assert_int_equal(e.sys, ECONNRESET);
    assert_int_equal(e.status, STATUS_RESET);
    assert_string_equal(e.text, "recv: Connection reset by peer");
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(sock_send(p.client, "x", 1, 0, &e), -1);
    assert_int_equal(e.sys, EPIPE);
    assert_int_equal(e.status, STATUS_RESET);
    assert_int_equal(sock_shutdown(p.client, SHUT_WR, &e), -1);
    assert_int_equal(e.status, STATUS_RESET);
    sock_close(p.client);
    sock_close(p.lfd);
}

static void test_silence(void **state)
{
    struct pair p = connected();
    struct err e;
    char buf[1];
    (void)state;
    assert_int_equal(sock_timeout(p.client, 20 * CLOCK_MS, NULL), 0);
    assert_int_equal(sock_recv(p.client, buf, 1, 0, &e), -1);
    assert_int_equal(e.sys, EAGAIN);
    /* 1 ns is not 0, which would be for ever. */
    assert_int_equal(sock_timeout(p.client, 1, NULL), 0);
    assert_int_equal(sock_recv(p.client, buf, 1, 0, &e), -1);
    assert_int_equal(e.sys, EAGAIN);
    close_pair(&p);
}

static void test_datagrams(void **state)
{
    static const struct {
        size_t len, cap;
        bool truncated;
    } good[] = {
        {0, 10, false},        {0, 0, false},        {9, 10, false},
        {10, 10, false},       {11, 10, true},       {1, 0, true},
        {65507, 65507, false}, {65507, 65506, true},
    };
    static char in[65508], out[65508];
    struct addr a, b, from;
    int one = bound(SOCK_DGRAM, &a), two = bound(SOCK_DGRAM, &b);
    struct err e;
    (void)state;
    memset(in, 'x', sizeof in);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bool truncated = !good[i].truncated;
        size_t kept = good[i].len < good[i].cap ? good[i].len : good[i].cap;
        memset(out, '#', sizeof out);
        assert_int_equal(sock_sendto(one, in, good[i].len, &b, NULL),
                         good[i].len);
        assert_int_equal(
            sock_recvfrom(two, out, good[i].cap, 0, &from, &truncated, &e),
            good[i].len);
        assert_int_equal(truncated, good[i].truncated);
        assert_memory_equal(out, in, kept);
        assert_int_equal(out[kept], '#');
        assert_true(addr_equal(&from, &a));
    }
    assert_int_equal(sock_sendto(one, in, 65508, &b, &e), -1);
    assert_int_equal(e.sys, EMSGSIZE);
    assert_non_null(strstr(e.advice, "less in one datagram"));
    sock_close(one);
    sock_close(two);
}

/* Connected, a UDP socket hears that nobody is there. */
static void test_udp_refused(void **state)
{
    struct addr a;
    struct err e;
    char buf[1];
    int held = bound(SOCK_DGRAM, &a);
    int fd = sock_socket(AF_INET, SOCK_DGRAM, NULL);
    (void)state;
    sock_close(held);
    assert_int_equal(sock_connect(fd, &a, 0, NULL), 0);
    assert_int_equal(sock_send(fd, "x", 1, 0, NULL), 1);
    assert_int_equal(sock_recv(fd, buf, 1, 0, &e), -1);
    assert_int_equal(e.sys, ECONNREFUSED);
    assert_int_equal(e.status, STATUS_REFUSED);
    assert_non_null(strstr(e.advice, "ss -lun"));
    assert_int_equal(sock_error(fd), 0); /* told once */
    sock_close(fd);
}

static void test_in_use(void **state)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct addr a;
        struct err e;
        char process[40];
        int held = bound(types[i], &a);
        if (types[i] == SOCK_STREAM)
            assert_int_equal(sock_listen(held, 1, NULL), 0);
        int fd = sock_socket(AF_INET, types[i], NULL);
        assert_int_equal(sock_bind(fd, &a, &e), -1);
        assert_int_equal(errno, EADDRINUSE);
        assert_int_equal(e.status, STATUS_BIND);
        snprintf(process, sizeof process, "(process %ld)", (long)getpid());
        assert_non_null(strstr(e.advice, process));
        sock_close(fd);
        sock_close(held);
    }
}

/* Nobody wants the words; errno is kept all the same. */
static void test_bad_descriptor(void **state)
{
    struct addr a = loopback();
    char buf[1] = "";
    (void)state;
#define BAD(call)                                                              \
    do {                                                                       \
        errno = 0;                                                             \
        assert_int_equal((call), -1);                                          \
        assert_int_equal(errno, EBADF);                                        \
    } while (0)
    BAD(sock_bind(-1, &a, NULL));
    BAD(sock_listen(-1, 1, NULL));
    BAD(sock_accept(-1, &a, NULL));
    BAD(sock_connect(-1, &a, 0, NULL));
    BAD(sock_connect(-1, &a, CLOCK_S, NULL));
    BAD(sock_send(-1, buf, 1, 0, NULL));
    BAD(sock_recv(-1, buf, 1, 0, NULL));
    BAD(sock_sendto(-1, buf, 1, &a, NULL));
    BAD(sock_recvfrom(-1, buf, 1, 0, &a, NULL, NULL));
    BAD(sock_shutdown(-1, SHUT_WR, NULL));
    BAD(sock_setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, 1, NULL));
    BAD(sock_timeout(-1, CLOCK_S, NULL));
    BAD(sock_getsockname(-1, &a, NULL));
    BAD(sock_nonblock(-1, NULL));
    assert_int_equal(sock_error(-1), EBADF);
    assert_int_equal(sock_socket(-1, SOCK_STREAM, NULL), -1);
}

/* --- Nothing is left over --- */

static int descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static int before;

static int note_descriptors(void **state)
{
    (void)state;
    before = descriptors();
    return 0;
}

static int compare_descriptors(void **state)
{
    (void)state;
    fail_times(0, 0);
    return descriptors() == before ? 0 : -1;
}

#define TEST(test)                                                             \
    cmocka_unit_test_setup_teardown(test, note_descriptors, compare_descriptors)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_eintr_is_retried),
        TEST(test_eintr_in_connect),
        TEST(test_close_is_made_once),
        TEST(test_others_are_not_retried),
        TEST(test_real_signals),
        TEST(test_refused),
        TEST(test_connect_times_out),
        TEST(test_reset),
        TEST(test_silence),
        TEST(test_datagrams),
        TEST(test_udp_refused),
        TEST(test_in_use),
        TEST(test_bad_descriptor),
    };
    return cmocka_run_group_tests_name("sock", tests, NULL, NULL);
}
