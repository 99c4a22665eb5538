/* SPDX-License-Identifier: MIT
 *
 * test_calls: small programs, each a function here that runs in a process of
 * its own, traced; and the exact list of calls that the lane must show. What a
 * program does before begin() is set-up and not in the list. All of it stays
 * on loopback, mostly in one UDP socket, descriptor 3, connected to itself.
 * Read next: test_states.c.
 */
#include "calls.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ThreadSanitizer runs a signal's handler only after the call that it
 * interrupts. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define LATE_HANDLERS true
#else
#define LATE_HANDLERS false
#endif

/* The list as it grows: a line for each event. */
struct list {
    char text[4096];
    size_t used;
    pid_t first;       /* the program's first process */
    uint64_t begin_ns; /* of the call that was entered last */
};

static struct calls *lane;

/* If it is open: is written to when a send waits, and so lets it go on. */
static int release[2] = {-1, -1};

__attribute__((format(printf, 2, 3))) static void add(struct list *l,
                                                      const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(l->text + l->used, sizeof l->text - l->used, format, ap);
    va_end(ap);
    assert_true(n >= 0 && l->used + (size_t)n < sizeof l->text);
    l->used += (size_t)n;
}

static void check_times(struct list *l, const struct event *e)
{
    const struct call *c = &e->call;
    if (!c->returned) {
        assert_int_equal(e->t_ns, c->begin_ns);
        l->begin_ns = c->begin_ns;
        return;
    }
    bool announced = c->begin_ns == l->begin_ns;
    assert_true(c->begin_ns <= c->end_ns);
    assert_true(announced || !call_waits(c));
    assert_int_equal(e->t_ns, announced ? c->end_ns : c->begin_ns);
}

/* Ports differ from run to run: any is 9 here. */
static void note(const struct event *e, void *context)
{
    struct list *l = context;
    char text[CALL_TEXT];
    assert_int_equal(e->host, HOST_SERVER);
    if (e->pid != l->first)
        add(l, "child: ");
    if (e->kind == EVENT_REMARK) {
        add(l, "# %s\n", e->remark);
        return;
    }
    assert_int_equal(e->kind, EVENT_CALL);
    check_times(l, e);
    struct call c = e->call;
    if (c.addr.len != 0 && addr_port(&c.addr) != 0)
        addr_set_port(&c.addr, 9);
    add(l, "%s\n", call_format(&c, text, sizeof text));
    if (release[1] != -1 && c.id == CALL_SEND && !c.returned)
        assert_int_equal(write(release[1], "", 1), 1);
}

/* As the lab does it: looks now and then for calls that take their time. */
static pid_t wait_announcing(int *status)
{
    pid_t pid;
    while ((pid = waitpid(-1, status, __WALL | WNOHANG)) == 0) {
        calls_announce(lane);
        usleep(1000);
    }
    return pid;
}

/* Runs PROGRAM traced until all that it started has ended; its status must be
 * STATUS, as waitpid has it, and its list LINES. */
static void run(int (*program)(void), enum calls_which which, int status,
                const char *lines)
{
    struct list list = {.used = 0};
    struct err e;
    int got, first_status = -1;
    lane = calls_new(clock_real_ns(), which, note, &list);
    assert_non_null(lane);
    list.first = calls_fork(lane, HOST_SERVER, &e);
    assert_int_not_equal(list.first, -1);
    if (list.first == 0) {
        if (release[0] != -1)
            dup2(release[0], 63);
        for (int fd = 3; fd < 63; fd++)
            close(fd);
        _exit(program());
    }
    pid_t pid;
    do {
        pid = release[1] == -1 ? waitpid(-1, &got, __WALL)
                               : wait_announcing(&got);
        if (pid > 0 && !calls_handle(lane, pid, got) && pid == list.first)
            first_status = got;
    } while (pid > 0);
    assert_string_equal(list.text, lines);
    assert_int_equal(first_status, status);
    calls_free(lane);
}

/* The rest runs in the traced programs. */

/* From here on calls are in the list. */
static void begin(void)
{
    struct err e;
    if (calls_filter(lane, &e) == -1)
        _exit(99);
}

static struct sockaddr_in loopback(void)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Descriptor 3: a UDP socket that sends to itself. */
static void open_self(void)
{
    struct sockaddr_in a = loopback();
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd != 3 || bind(fd, (struct sockaddr *)&a, len) == -1 ||
        getsockname(fd, (struct sockaddr *)&a, &len) == -1 ||
        connect(fd, (struct sockaddr *)&a, len) == -1)
        _exit(98);
}

/* The state of a process or thread as ps shows it: R, S, T, t, ... */
static char state_of(pid_t pid)
{
    char path[32], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY);
    if (fd == -1)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    const char *name_end = n > 0 ? strrchr(text, ')') : NULL;
    return name_end != NULL ? name_end[2] : '\0';
}

/* Waits, at most some seconds, until it is in one of STATES. */
static void await(pid_t pid, const char *states)
{
    for (int i = 0; i < 5000; i++) {
        char state = state_of(pid);
        if (state != '\0' && strchr(states, state) != NULL)
            return;
        usleep(1000);
    }
}

/* A helper process, not in the list: sends SIG to this one as soon as it
 * sleeps in a call; then, with TEXT, a datagram through descriptor 3. */
static void signal_when_asleep(int sig, const char *text)
{
    pid_t self = getpid();
    if (fork() != 0)
        return;
    await(self, "S");
    kill(self, sig);
    if (text != NULL) {
        usleep(2000);
        await(self, "S");
        send(3, text, strlen(text), 0);
    }
    _exit(0);
}

static int dialogue(void)
{
    char buf[100];
    struct sockaddr_in a = loopback();
    socklen_t len = sizeof a;
    begin();
    int lfd = socket(AF_INET, SOCK_STREAM, 0);
    bind(lfd, (struct sockaddr *)&a, len);
    listen(lfd, 5);
    getsockname(lfd, (struct sockaddr *)&a, &len);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&a, len);
    int cfd = accept(lfd, (struct sockaddr *)&a, &len);
    send(fd, "hello\n", 6, MSG_NOSIGNAL);
    recv(cfd, buf, sizeof buf, 0);
    if (write(cfd, buf, 6) != 6 || read(fd, buf, sizeof buf) != 6)
        return 1;
    shutdown(fd, SHUT_WR);
    recv(cfd, buf, sizeof buf, 0);
    close(cfd);
    recv(fd, buf, sizeof buf, 0);
    close(fd);
    close(lfd);
    return 0;
}

static void test_dialogue(void **state)
{
    (void)state;
    run(dialogue, CALLS_NETWORK, 0,
        "socket(AF_INET, SOCK_STREAM, 0) = 3\n"
        "bind(3, 127.0.0.1:0) = 0\n"
        "listen(3, 5) = 0\n"
        "socket(AF_INET, SOCK_STREAM, 0) = 4\n"
        "connect(4, 127.0.0.1:9) = ?\n"
        "connect(4, 127.0.0.1:9) = 0\n"
        "accept(3, ...) = ?\n"
        "accept(3, 127.0.0.1:9) = 5\n"
        "send(4, \"hello\\n\", 6, MSG_NOSIGNAL) = 6\n"
        "recv(5, ..., 100, 0) = ?\n"
        "recv(5, \"hello\\n\", 100, 0) = 6\n"
        "write(5, \"hello\\n\", 6) = 6\n"
        "read(4, ..., 100) = ?\n"
        "read(4, \"hello\\n\", 100) = 6\n"
        "shutdown(4, SHUT_WR) = 0\n"
        "recv(5, ..., 100, 0) = ?\n"
        "recv(5, \"\", 100, 0) = 0\n"
        "close(5) = 0\n"
        "recv(4, ..., 100, 0) = ?\n"
        "recv(4, \"\", 100, 0) = 0\n"
        "close(4) = 0\n"
        "close(3) = 0\n");
}

static int datagrams(void)
{
    char one[4], two[100];
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    struct iovec v[2] = {{one, 3}, {two, sizeof two}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    open_self();
    getsockname(3, (struct sockaddr *)&a, &len);
    begin();
    sendto(3, "to", 2, 0, (struct sockaddr *)&a, len);
    recvfrom(3, two, sizeof two, 0, (struct sockaddr *)&a, &len);
    send(3, "too long", 8, 0);
    recv(3, one, sizeof one, MSG_TRUNC);
    send(3, "", 0, 0);
    recv(3, two, sizeof two, 0);
    memcpy(one, "abc", 3);
    memcpy(two, "defg", 4);
    v[1].iov_len = 4;
    m.msg_name = &a;
    m.msg_namelen = len;
    sendmsg(3, &m, 0);
    memset(two, 0, sizeof two);
    v[1].iov_len = sizeof two;
    recvmsg(3, &m, 0);
    v[1].iov_len = 4;
    if (writev(3, v, 2) != 7 || readv(3, v, 2) != 7)
        return 1;
    send(3, "too long", 8, 0);
    v[1].iov_len = 1;
    recvmsg(3, &m, MSG_TRUNC);
    return 0;
}

static void test_datagrams(void **state)
{
    (void)state;
    run(datagrams, CALLS_NETWORK, 0,
        "sendto(3, \"to\", 2, 0, 127.0.0.1:9) = 2\n"
        "recvfrom(3, ..., 100, 0, ...) = ?\n"
        "recvfrom(3, \"to\", 100, 0, 127.0.0.1:9) = 2\n"
        "send(3, \"too long\", 8, 0) = 8\n"
        "recv(3, ..., 4, MSG_TRUNC) = ?\n"
        "recv(3, \"too \"..., 4, MSG_TRUNC) = 8\n"
        "send(3, \"\", 0, 0) = 0\n"
        "recv(3, ..., 100, 0) = ?\n"
        "recv(3, \"\", 100, 0) = 0\n"
        "sendmsg(3, \"abcdefg\", 7, 0, 127.0.0.1:9) = 7\n"
        "recvmsg(3, ..., 103, 0) = ?\n"
        "recvmsg(3, \"abcdefg\", 103, 0, 127.0.0.1:9) = 7\n"
        "writev(3, \"abcdefg\", 7) = 7\n"
        "readv(3, ..., 7) = ?\n"
        "readv(3, \"abcdefg\", 7) = 7\n"
        "send(3, \"too long\", 8, 0) = 8\n"
        "recvmsg(3, ..., 4, MSG_TRUNC) = ?\n"
        "recvmsg(3, \"too \"..., 4, MSG_TRUNC, 127.0.0.1:9) = 8\n");
}

static int many(void)
{
    char one[8], two[8];
    struct iovec v[2] = {{one, 3}, {two, 5}};
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &v[0], .msg_iovlen = 1}},
                           {.msg_hdr = {.msg_iov = &v[1], .msg_iovlen = 1}}};
    struct sockaddr_in a;
    int ends[2], file = memfd_create("file", 0);
    if (file != 3 || write(3, "content", 7) != 7 || pipe(ends) == -1)
        return 1;
    dup2(3, 9);
    close(3);
    open_self();
    begin();
    sendmmsg(3, m, 2, 0);
    m[0].msg_hdr.msg_name = &a;
    m[0].msg_hdr.msg_namelen = sizeof a;
    recvmmsg(3, m, 2, 0, NULL);
    off_t from = 0;
    sendfile(3, 9, &from, 7);
    recv(3, one, sizeof one, 0);
    if (write(ends[1], "spliced", 7) != 7)
        return 1;
    splice(ends[0], NULL, 3, NULL, 7, 0);
    return 0;
}

static void test_many(void **state)
{
    (void)state;
    run(many, CALLS_NETWORK, 0,
        "sendmmsg(3, ..., 2, 0) = 2\n"
        "recvmmsg(3, ..., 2, 0) = ?\n"
        "recvmmsg(3, ..., 2, 0, 127.0.0.1:9) = 2\n"
        "sendfile(3, ..., 7) = 7\n"
        "recv(3, ..., 8, 0) = ?\n"
        "recv(3, \"content\", 8, 0) = 7\n"
        "splice(3, ..., 7) = 7\n");
}

/* Files, pipes and local sockets have calls of the same names. */
static int others(void)
{
    int ends[2];
    char buf[8] = "";
    open_self();
    begin();
    int zero = open("/dev/zero", O_RDWR);
    if (read(zero, buf, 4) != 4 || write(zero, buf, 4) != 4)
        return 1;
    close(zero);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
        return 1;
    send(ends[0], "x", 1, 0);
    recv(ends[1], buf, 1, 0);
    shutdown(ends[0], SHUT_WR);
    close(ends[0]);
    socket(AF_UNIX, SOCK_DGRAM, 0);
    for (int fd = 20; fd < 30; fd++)
        close(fd);
    send(3, "y", 1, 0);
    return 0;
}

static void test_others(void **state)
{
    (void)state;
    run(others, CALLS_NETWORK, 0, "send(3, \"y\", 1, 0) = 1\n");
}

static int mistakes(void)
{
    struct sockaddr_in a = loopback();
    open_self();
    begin();
    send(77, "x", 1, 0);
    int file = open("/dev/null", O_RDWR);
    listen(file, 1);
    send(3, (void *)8, 10, 0);
    listen(3, 1);
    bind(3, (struct sockaddr *)8, sizeof a);
    socket(AF_INET, SOCK_STREAM, IPPROTO_UDP);
    a.sin_port = htons(1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&a, sizeof a);
    close(fd);
    close(fd);
    return 0;
}

static void test_mistakes(void **state)
{
    (void)state;
    run(mistakes, CALLS_NETWORK, 0,
        "send(77, \"x\", 1, 0) = -1 EBADF (Bad file descriptor)\n"
        "listen(4, 1) = -1 ENOTSOCK (Socket operation on non-socket)\n"
        "send(3, ..., 10, 0) = -1 EFAULT (Bad address)\n"
        "listen(3, 1) = -1 EOPNOTSUPP (Operation not supported)\n"
        "bind(3, NULL) = -1 EFAULT (Bad address)\n"
        "socket(AF_INET, SOCK_STREAM, 17) = -1 EPROTONOSUPPORT (Protocol not "
        "supported)\n"
        "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 5\n"
        "connect(5, 127.0.0.1:9) = ?\n"
        "connect(5, 127.0.0.1:9) = -1 ECONNREFUSED (Connection refused)\n"
        "close(5) = 0\n");
}

static int extras(void)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    int value = 1, ends[2];
    socklen_t value_len = sizeof value;
    struct linger linger = {1, 5};
    open_self();
    if (pipe(ends) == -1)
        return 1;
    struct pollfd p[2] = {{.fd = ends[0], .events = POLLIN},
                          {.fd = 3, .events = POLLOUT}};
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLOUT};
    begin();
    getsockname(3, (struct sockaddr *)&a, &len);
    getpeername(3, (struct sockaddr *)&a, &len);
    setsockopt(3, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value);
    setsockopt(3, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    getsockopt(3, SOL_SOCKET, SO_TYPE, &value, &value_len);
    fcntl(3, F_SETFL, O_NONBLOCK);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    poll(p, 1, 0);
    poll(p, 2, -1);
    epoll_wait(set, &event, 1, 0);
    epoll_ctl(set, EPOLL_CTL_ADD, 3, &event);
    epoll_wait(set, &event, 1, -1);
    fd_set writable;
    FD_ZERO(&writable);
    FD_SET(3, &writable);
    select(4, NULL, &writable, NULL, NULL);
    return 0;
}

static void test_extras(void **state)
{
    (void)state;
    run(extras, CALLS_NETWORK, 0, "");
    run(extras, CALLS_ALL, 0,
        "getsockname(3, 127.0.0.1:9) = 0\n"
        "getpeername(3, 127.0.0.1:9) = 0\n"
        "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1) = 0\n"
        "setsockopt(3, SOL_SOCKET, SO_LINGER, {1, 5}) = 0\n"
        "getsockopt(3, SOL_SOCKET, SO_TYPE, 2) = 0\n"
        "fcntl(3, F_SETFL, O_NONBLOCK) = 0\n"
        "poll(3) = ?\n"
        "poll(3) = 1\n"
        "epoll_wait(6) = ?\n"
        "epoll_wait(6) = 1\n"
        "select(3) = ?\n"
        "select(3) = 1\n");
}

static void *send_in_thread(void *text)
{
    send(3, text, strlen(text), 0);
    return NULL;
}

static int threads(void)
{
    pthread_t t;
    char buf[8];
    open_self();
    begin();
    for (int i = 0; i < 3; i++) {
        pthread_create(&t, NULL, send_in_thread, "thread");
        pthread_join(t, NULL);
        recv(3, buf, sizeof buf, 0);
    }
    return 0;
}

static void test_threads(void **state)
{
    (void)state;
    const char *once = "send(3, \"thread\", 6, 0) = 6\n"
                       "recv(3, ..., 8, 0) = ?\n"
                       "recv(3, \"thread\", 8, 0) = 6\n";
    char lines[512];
    snprintf(lines, sizeof lines, "%s%s%s", once, once, once);
    run(threads, CALLS_NETWORK, 0, lines);
}

/* The first thread may end before the others: its descriptors are theirs. */
static void *outlive(void *first)
{
    await(*(pid_t *)first, "Z");
    send(3, "alone", 5, 0);
    _exit(0);
}

static int first_thread_ends(void)
{
    static pid_t first;
    pthread_t t;
    first = getpid();
    open_self();
    begin();
    pthread_create(&t, NULL, outlive, &first);
    pthread_exit(NULL);
}

static void test_first_thread_ends(void **state)
{
    (void)state;
    run(first_thread_ends, CALLS_NETWORK, 0, "send(3, \"alone\", 5, 0) = 5\n");
}

static int forks(void)
{
    int status;
    open_self();
    begin();
    if (fork() == 0) {
        send(3, "fork", 4, 0);
        close(3);
        _exit(0);
    }
    wait(&status);
    dup2(3, 7);
    close(3);
    send(7, "dup", 3, 0);
    return 0;
}

static void test_forks(void **state)
{
    (void)state;
    run(forks, CALLS_NETWORK, 0,
        "child: send(3, \"fork\", 4, 0) = 4\n"
        "child: close(3) = 0\n"
        "close(3) = 0\n"
        "send(7, \"dup\", 3, 0) = 3\n");
}

/* posix_spawn is clone with CLONE_VM and CLONE_VFORK. */
static int spawns(void)
{
    char *argv[] = {"sh", "-c", "echo hi >&3", NULL};
    pid_t pid;
    open_self();
    begin();
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, argv + 3) != 0)
        return 1;
    waitpid(pid, NULL, 0);
    execv("/bin/sh", argv);
    return 1;
}

static void test_spawns(void **state)
{
    (void)state;
    run(spawns, CALLS_NETWORK, 0,
        "child: write(1, \"hi\\n\", 3) = 3\n"
        "write(1, \"hi\\n\", 3) = 3\n");
}

/* Nobody waits for it but the tracer. */
static int orphan(void)
{
    open_self();
    begin();
    pid_t self = getpid();
    if (fork() == 0) {
        while (getppid() == self)
            usleep(1000);
        setsid();
        send(3, "orphan", 6, 0);
        _exit(0);
    }
    return 0;
}

static void test_orphan(void **state)
{
    (void)state;
    run(orphan, CALLS_NETWORK, 0, "child: send(3, \"orphan\", 6, 0) = 6\n");
}

static void *exec_in_thread(void *first)
{
    await(*(pid_t *)first, "S");
    execl("/bin/sh", "sh", "-c", "echo hi >&3", (char *)NULL);
    return NULL;
}

static int thread_execs(void)
{
    static pid_t first;
    pthread_t t;
    char buf[8];
    first = getpid();
    open_self();
    begin();
    pthread_create(&t, NULL, exec_in_thread, &first);
    recv(3, buf, sizeof buf, 0);
    return 1;
}

static void test_thread_execs(void **state)
{
    (void)state;
    run(thread_execs, CALLS_NETWORK, 0,
        "recv(3, ..., 8, 0) = ?\n"
        "write(1, \"hi\\n\", 3) = 3\n");
}

static void nothing_cb(int sig)
{
    (void)sig;
}

static void send_cb(int sig)
{
    (void)sig;
    send(3, "signal", 6, 0);
}

/* Receives, and is interrupted by SIGUSR1. */
static int receive(void (*handler)(int), int flags, const char *then)
{
    char buf[8];
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
    sigaction(SIGUSR1, &sa, NULL);
    open_self();
    signal_when_asleep(SIGUSR1, then);
    begin();
    recv(3, buf, sizeof buf, 0);
    close(3);
    return 0;
}

static int interrupted(void)
{
    return receive(nothing_cb, 0, NULL);
}

static int restarted(void)
{
    return receive(nothing_cb, SA_RESTART, "later");
}

static int ignored(void)
{
    return receive(SIG_IGN, 0, "later");
}

static int handler_calls(void)
{
    return receive(send_cb, 0, NULL);
}

static int handler_answers(void)
{
    return receive(send_cb, SA_RESTART, NULL);
}

static void test_signals(void **state)
{
    (void)state;
    run(interrupted, CALLS_NETWORK, 0,
        "recv(3, ..., 8, 0) = ?\n"
        "recv(3, ..., 8, 0) = -1 EINTR (Interrupted system call)\n"
        "close(3) = 0\n");
    run(restarted, CALLS_NETWORK, 0,
        "recv(3, ..., 8, 0) = ?\n"
        "recv(3, \"later\", 8, 0) = 5\n"
        "close(3) = 0\n");
    run(ignored, CALLS_NETWORK, 0,
        "recv(3, ..., 8, 0) = ?\n"
        "recv(3, \"later\", 8, 0) = 5\n"
        "close(3) = 0\n");
}

static void test_handlers(void **state)
{
    (void)state;
    if (LATE_HANDLERS)
        skip();
    run(handler_calls, CALLS_NETWORK, 0,
        "recv(3, ..., 8, 0) = ?\n"
        "send(3, \"signal\", 6, 0) = 6\n"
        "recv(3, ..., 8, 0) = -1 EINTR (Interrupted system call)\n"
        "close(3) = 0\n");
    run(handler_answers, CALLS_NETWORK, 0,
        "recv(3, ..., 8, 0) = ?\n"
        "send(3, \"signal\", 6, 0) = 6\n"
        "recv(3, \"signal\", 8, 0) = 6\n"
        "close(3) = 0\n");
}

/* poll is started again by another system call, restart_syscall. */
static int polls(void)
{
    struct pollfd p = {.fd = 3, .events = POLLIN};
    open_self();
    signal_when_asleep(SIGWINCH, "later");
    begin();
    poll(&p, 1, 60000);
    return 0;
}

static void test_poll_goes_on(void **state)
{
    (void)state;
    run(polls, CALLS_ALL, 0,
        "poll(3) = ?\n"
        "poll(3) = 1\n");
}

static int killed_waiting(void)
{
    char buf[8];
    open_self();
    signal_when_asleep(SIGKILL, NULL);
    begin();
    recv(3, buf, sizeof buf, 0);
    return 0;
}

/* More than the buffers of both sides hold: send waits for the reader. */
static char much[16 << 20];
#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Descriptors 4 and 5: a TCP connection; 3: its listener. */
static void open_connection(void)
{
    struct sockaddr_in a = loopback();
    socklen_t len = sizeof a;
    int lfd = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(lfd, (struct sockaddr *)&a, len) == -1 || listen(lfd, 1) == -1 ||
        getsockname(lfd, (struct sockaddr *)&a, &len) == -1 ||
        connect(fd, (struct sockaddr *)&a, len) == -1 ||
        accept(lfd, NULL, NULL) != 5)
        _exit(98);
    memset(much, 'x', sizeof much);
}

static int killed_sending(void)
{
    open_connection();
    signal_when_asleep(SIGKILL, NULL);
    begin();
    send(4, much, sizeof much, 0);
    return 0;
}

static int sends_slowly(void)
{
    static char room[1 << 20];
    open_connection();
    if (fork() == 0) {
        close(4);
        if (read(63, room, 1) != 1)
            _exit(1);
        while (recv(5, room, sizeof room, 0) > 0)
            continue;
        _exit(0);
    }
    begin();
    send(4, much, sizeof much, 0);
    shutdown(4, SHUT_WR);
    return 0;
}

static void test_long_send(void **state)
{
    (void)state;
    assert_int_equal(pipe2(release, O_CLOEXEC), 0);
    run(sends_slowly, CALLS_NETWORK, 0,
        "send(4, \"" X32 "\"..., 16777216, 0) = ?\n"
        "send(4, \"" X32 "\"..., 16777216, 0) = 16777216\n"
        "shutdown(4, SHUT_WR) = 0\n");
    close(release[0]);
    close(release[1]);
    release[0] = release[1] = -1;
}

static void test_killed(void **state)
{
    (void)state;
    run(killed_waiting, CALLS_NETWORK, SIGKILL, "recv(3, ..., 8, 0) = ?\n");
    run(killed_sending, CALLS_NETWORK, SIGKILL,
        "send(4, \"" X32 "\"..., 16777216, 0) = ?\n");
}

/* A stopped program does nothing until it is continued. */
static int stops(void)
{
    open_self();
    begin();
    pid_t self = getpid();
    if (fork() == 0) {
        await(self, "Tt");
        for (int i = 0; i < 20; i++) {
            usleep(1000);
            if (strchr("Tt", state_of(self)) == NULL)
                _exit(1);
        }
        send(3, "stopped", 7, 0);
        kill(self, SIGCONT);
        _exit(0);
    }
    raise(SIGSTOP);
    send(3, "continued", 9, 0);
    return 0;
}

static void test_stop(void **state)
{
    (void)state;
    run(stops, CALLS_NETWORK, 0,
        "child: send(3, \"stopped\", 7, 0) = 7\n"
        "send(3, \"continued\", 9, 0) = 9\n");
}

/* What cannot be seen is said. */
static int ring(void)
{
    uint32_t params[30] = {0};
    begin();
    return syscall(SYS_io_uring_setup, 1, params) == -1 ? 77 : 0;
}

static int probe_ring(void **state)
{
    (void)state;
    uint32_t params[30] = {0};
    int fd = (int)syscall(SYS_io_uring_setup, 1, params);
    if (fd != -1)
        close(fd);
    return fd != -1;
}

static void test_ring(void **state)
{
    if (!probe_ring(state))
        skip();
    run(ring, CALLS_NETWORK, 0,
        "# this program uses io_uring: its calls through the ring are not "
        "shown\n");
}

#ifdef __x86_64__
/* The smallest 32-bit program: exit(0). */
static const unsigned char program_32[] = {
    0x7f, 'E',  'L',  'F',  1,    1,    1,    0,    0, 0, 0, 0, 0,
    0,    0,    0,                               /* ident */
    2,    0,    3,    0,    1,    0,    0,    0, /* executable, 386, version */
    0x54, 0x80, 0x04, 0x08, 52,   0,    0,    0, /* entry, program headers */
    0,    0,    0,    0,    0,    0,    0,    0, /* section headers, flags */
    52,   0,    32,   0,    1,    0,    0,    0,    0, 0, 0, 0, /* sizes, counts
                                                                 */
    1,    0,    0,    0,    0,    0,    0,    0,    /* load, offset */
    0x00, 0x80, 0x04, 0x08, 0,    0x80, 0x04, 0x08, /* addresses */
    0x5d, 0,    0,    0,    0x5d, 0,    0,    0,    /* sizes */
    5,    0,    0,    0,    0,    0x10, 0,    0, /* read and execute, alignment
                                                  */
    0xb8, 1,    0,    0,    0,                   /* mov eax, 1 */
    0x31, 0xdb,                                  /* xor ebx, ebx */
    0xcd, 0x80,                                  /* int 0x80 */
};

static int exec_32(void)
{
    char *argv[] = {"program", NULL};
    int fd = memfd_create("program", MFD_CLOEXEC);
    if (write(fd, program_32, sizeof program_32) != sizeof program_32)
        return 1;
    begin();
    fexecve(fd, argv, argv + 1);
    return 77; /* this kernel runs no 32-bit programs */
}

static void test_32_bit(void **state)
{
    (void)state;
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        lane = NULL;
        _exit(exec_32());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        skip();
    run(exec_32, CALLS_NETWORK, 0,
        "# this is a 32-bit program: its calls are not shown\n");
}
#endif

/* Without a lane, fork is fork and no filter is set. */
static void test_off(void **state)
{
    (void)state;
    struct err e;
    int status;
    pid_t pid = calls_fork(NULL, HOST_CLIENT, &e);
    if (pid == 0) {
        int fd = -1;
        if (calls_filter(NULL, &e) == 0)
            fd = socket(AF_INET, SOCK_DGRAM, 0);
        _exit(fd == -1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_false(calls_handle(NULL, pid, status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialogue),
        cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_extras),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_first_thread_ends),
        cmocka_unit_test(test_forks),
        cmocka_unit_test(test_spawns),
        cmocka_unit_test(test_orphan),
        cmocka_unit_test(test_thread_execs),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_handlers),
        cmocka_unit_test(test_poll_goes_on),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_long_send),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_ring),
#ifdef __x86_64__
        cmocka_unit_test(test_32_bit),
#endif
        cmocka_unit_test(test_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
