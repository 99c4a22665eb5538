/* SPDX-License-Identifier: MIT
 *
 * sock: one function a system call. See sock.h for the contract. Each is the
 * call in a loop against EINTR, between `begin` and `end`, which tell the
 * observer; nothing is hidden in between.
 */
#include "sock.h"

#include "clock.h"
#include "holder.h"
#include "lang.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static sock_observer_fn *observer;
static void *observer_context;
static _Thread_local uint64_t calls;

void sock_observe(sock_observer_fn *fn, void *context)
{
    observer = fn;
    observer_context = context;
}

uint64_t sock_calls(void)
{
    return calls;
}

/* What the socket speaks, for the explanation; asked only when watched. */
static int proto_of(int fd)
{
    int type = 0;
    socklen_t len = sizeof type;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
        return 0;
    return type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

/* Every call passes here: the address is not cleared, only said to be none. */
static void begin(struct call *c, enum call_id id, int fd)
{
    memset(c, 0, offsetof(struct call, addr));
    c->addr.len = 0;
    c->id = id;
    c->fd = fd;
    c->result = -1;
    calls++;
    if (observer != NULL) {
        int saved = errno;
        c->proto = proto_of(fd);
        c->begin_ns = clock_now_ns();
        errno = saved;
    }
}

/* What a message is about: the address that the call was given, or the option
 * that it was to set. Fills BUF and returns it. */
static const char *object(const struct call *c, char *buf, size_t cap)
{
    buf[0] = '\0';
    if (c->addr.len != 0)
        addr_format(&c->addr, buf, cap);
    else if (c->id == CALL_SETSOCKOPT)
        call_args(c, buf, cap);
    return buf;
}

/* Puts a failure into words. "Not now" is none where the caller would not wait
 * anyway; it comes all the time, and to say it would cost more than the call.
 */
static void explain(struct call *c, int error, struct err *e)
{
    char text[CALL_TEXT];
    const char *advice = NULL;
    if (error == EAGAIN &&
        (c->id == CALL_ACCEPT || (c->arg[0] & MSG_DONTWAIT) != 0)) {
        e->status = STATUS_FAILED;
        e->sys = error;
        e->text[0] = e->advice[0] = '\0';
        return;
    }
    if (error != EAGAIN && c->proto == 0)
        c->proto = proto_of(c->fd);
    if (error != EAGAIN)
        advice = call_advice(c);
    object(c, text, sizeof text);
    errno = error; /* which the resolver may have used */
    err_sys(e, "%s%s%s", call_name(c), *text != '\0' ? " " : "", text);
    if (advice != NULL)
        err_advise(e, "%s", _(advice));
}

/* Notes the result, tells the observer, and fills *e after a failure. Keeps
 * errno and returns the result. */
static long end(struct call *c, long result, struct err *e)
{
    int saved = errno;
    c->returned = true;
    c->result = result;
    c->error = result < 0 ? saved : 0;
    if (observer != NULL) {
        c->end_ns = clock_now_ns();
        observer(c, observer_context);
    }
    if (result < 0 && e != NULL)
        explain(c, saved, e);
    errno = saved;
    return result;
}

/* May an interrupted call be made again? */
static bool again(long result)
{
    return result < 0 && errno == EINTR && stop_signal() == 0;
}

int sock_socket(int family, int type, struct err *e)
{
    struct call c;
    begin(&c, CALL_SOCKET, -1);
    c.arg[0] = family;
    c.arg[1] = type;
    c.proto = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    return (int)end(&c, socket(family, type, 0), e);
}

int sock_bind(int fd, const struct addr *a, struct err *e)
{
    char who[200];
    struct call c;
    begin(&c, CALL_BIND, fd);
    c.addr = *a;
    int result = (int)end(&c, bind(fd, &a->sa, a->len), e);
    if (result < 0 && e != NULL) {
        e->status = STATUS_BIND;
        int type = proto_of(fd) == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
        if (c.error == EADDRINUSE && holder_find(a, type, who, sizeof who))
            err_advise(e, "%s", who);
        errno = c.error;
    }
    return result;
}

int sock_listen(int lfd, int backlog, struct err *e)
{
    struct call c;
    begin(&c, CALL_LISTEN, lfd);
    c.arg[0] = backlog;
    int result = (int)end(&c, listen(lfd, backlog), e);
    if (result < 0 && e != NULL)
        e->status = STATUS_BIND;
    return result;
}

int sock_accept(int lfd, struct addr *peer, struct err *e)
{
    struct call c;
    begin(&c, CALL_ACCEPT, lfd);
    int cfd;
    do {
        *peer = (struct addr){.len = sizeof peer->in6};
        cfd = accept(lfd, &peer->sa, &peer->len);
    } while (again(cfd));
    if (cfd >= 0)
        c.addr = *peer;
    return (int)end(&c, cfd, e);
}

/* After EINTR or EINPROGRESS: waits for the end of the handshake. Returns 0,
 * or -1 and errno, ETIMEDOUT if the deadline came first. */
static int await_connect(int fd, uint64_t deadline_ns)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int ready;
    do {
        uint64_t now = clock_now_ns();
        uint64_t left = now < deadline_ns ? deadline_ns - now : 0;
        ready =
            poll(&p, 1,
                 clock_poll_ms(deadline_ns == UINT64_MAX ? UINT64_MAX : left));
    } while (again(ready));
    if (ready == 0)
        errno = ETIMEDOUT;
    if (ready <= 0)
        return -1;
    errno = sock_error(fd);
    return errno == 0 ? 0 : -1;
}

/* connect(2) that gives up after a time: non-blocking for as long. */
static int connect_within(int fd, const struct addr *peer, uint64_t timeout_ns)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    int result = connect(fd, &peer->sa, peer->len);
    if (result < 0 && (errno == EINPROGRESS || errno == EINTR))
        result = await_connect(fd, clock_now_ns() + timeout_ns);
    int saved = errno;
    fcntl(fd, F_SETFL, flags);
    errno = saved;
    return result;
}

int sock_connect(int fd, const struct addr *peer, uint64_t timeout_ns,
                 struct err *e)
{
    struct call c;
    begin(&c, CALL_CONNECT, fd);
    c.addr = *peer;
    int result;
    if (timeout_ns != 0) {
        result = connect_within(fd, peer, timeout_ns);
    } else {
        result = connect(fd, &peer->sa, peer->len);
        if (again(result))
            result = await_connect(fd, UINT64_MAX);
    }
    return (int)end(&c, result, e);
}

ssize_t sock_send(int fd, const void *buf, size_t len, int flags, struct err *e)
{
    struct call c;
    begin(&c, CALL_SEND, fd);
    c.data = buf;
    c.data_len = c.size = len;
    c.arg[0] = flags;
    ssize_t n;
    do
        n = send(fd, buf, len, flags);
    while (again(n));
    return end(&c, n, e);
}

ssize_t sock_recv(int fd, void *buf, size_t cap, int flags, struct err *e)
{
    struct call c;
    begin(&c, CALL_RECV, fd);
    c.data = buf;
    c.size = cap;
    c.arg[0] = flags;
    ssize_t n;
    do
        n = recv(fd, buf, cap, flags);
    while (again(n));
    c.data_len = n > 0 ? (size_t)n : 0;
    if (c.data_len > cap) /* MSG_TRUNC tells the true size */
        c.data_len = cap;
    return end(&c, n, e);
}

ssize_t sock_sendto(int fd, const void *buf, size_t len,
                    const struct addr *peer, struct err *e)
{
    struct call c;
    begin(&c, CALL_SENDTO, fd);
    c.data = buf;
    c.data_len = c.size = len;
    c.addr = *peer;
    ssize_t n;
    do
        n = sendto(fd, buf, len, 0, &peer->sa, peer->len);
    while (again(n));
    return end(&c, n, e);
}

ssize_t sock_recvfrom(int fd, void *buf, size_t cap, int flags,
                      struct addr *peer, bool *truncated, struct err *e)
{
    struct call c;
    begin(&c, CALL_RECVFROM, fd);
    c.data = buf;
    c.size = cap;
    c.arg[0] = flags | MSG_TRUNC;
    ssize_t n;
    do {
        *peer = (struct addr){.len = sizeof peer->in6};
        n = recvfrom(fd, buf, cap, flags | MSG_TRUNC, &peer->sa, &peer->len);
    } while (again(n));
    if (n >= 0) {
        c.addr = *peer;
        c.data_len = (size_t)n < cap ? (size_t)n : cap;
    }
    if (truncated != NULL)
        *truncated = n > 0 && (size_t)n > cap;
    return end(&c, n, e);
}

int sock_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct err *e)
{
    struct call c;
    begin(&c, CALL_SENDMSG, fd);
    c.alias = "sendmmsg";
    c.size = count;
    c.arg[0] = flags;
    int n;
    do
        n = sendmmsg(fd, messages, count, flags);
    while (again(n));
    return (int)end(&c, n, e);
}

int sock_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct err *e)
{
    struct call c;
    begin(&c, CALL_RECVMSG, fd);
    c.alias = "recvmmsg";
    c.size = count;
    c.arg[0] = flags;
    int n;
    do
        n = recvmmsg(fd, messages, count, flags, NULL);
    while (again(n));
    return (int)end(&c, n, e);
}

int sock_shutdown(int fd, int how, struct err *e)
{
    struct call c;
    begin(&c, CALL_SHUTDOWN, fd);
    c.arg[0] = how;
    return (int)end(&c, shutdown(fd, how), e);
}

void sock_close(int fd)
{
    int saved = errno;
    struct call c;
    begin(&c, CALL_CLOSE, fd);
    end(&c, close(fd), NULL);
    errno = saved;
}

int sock_setsockopt(int fd, int level, int name, int value, struct err *e)
{
    struct call c;
    begin(&c, CALL_SETSOCKOPT, fd);
    c.arg[0] = level;
    c.arg[1] = name;
    c.arg[2] = value;
    return (int)end(&c, setsockopt(fd, level, name, &value, sizeof value), e);
}

int sock_setsockopt_raw(int fd, int level, int name, const void *value,
                        socklen_t len, struct err *e)
{
    struct call c;
    begin(&c, CALL_SETSOCKOPT, fd);
    c.arg[0] = level;
    c.arg[1] = name;
    c.data = value;
    c.data_len = len;
    return (int)end(&c, setsockopt(fd, level, name, value, len), e);
}

int sock_timeout(int fd, uint64_t timeout_ns, struct err *e)
{
    /* A time-out below 1 us would mean "forever" to the kernel. */
    uint64_t us = timeout_ns / CLOCK_US + (timeout_ns % CLOCK_US != 0);
    const struct timeval t = {.tv_sec = (time_t)(us / 1000000),
                              .tv_usec = (suseconds_t)(us % 1000000)};
    if (sock_setsockopt_raw(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t, e) < 0)
        return -1;
    return sock_setsockopt_raw(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t, e);
}

int sock_rcvbuf(int fd, uint64_t size, struct err *e)
{
    if (size == 0 ||
        sock_setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)size, NULL) == 0)
        return 0;
    return sock_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, (int)size, e);
}

int sock_error(int fd)
{
    struct call c;
    begin(&c, CALL_GETSOCKOPT, fd);
    int value = 0;
    socklen_t len = sizeof value;
    c.arg[0] = SOL_SOCKET;
    c.arg[1] = SO_ERROR;
    long result = getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len);
    c.arg[2] = value;
    return end(&c, result, NULL) < 0 ? errno : value;
}

int sock_getsockname(int fd, struct addr *a, struct err *e)
{
    struct call c;
    begin(&c, CALL_GETSOCKNAME, fd);
    *a = (struct addr){.len = sizeof a->in6};
    int result = getsockname(fd, &a->sa, &a->len);
    if (result == 0)
        c.addr = *a;
    return (int)end(&c, result, e);
}

int sock_nonblock(int fd, struct err *e)
{
    struct call c;
    begin(&c, CALL_FCNTL, fd);
    int flags = fcntl(fd, F_GETFL);
    c.arg[0] = F_SETFL;
    c.arg[1] = flags | O_NONBLOCK;
    return (int)end(&c, fcntl(fd, F_SETFL, flags | O_NONBLOCK), e);
}
