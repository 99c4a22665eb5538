/* SPDX-License-Identifier: MIT
 *
 * How each system call's arguments are read. Of the program's memory the lane
 * takes only what it shows: an address, the first bytes of the data, and the
 * lists that lead to them. What cannot be read is left out: a program may
 * pass any pointer. Then come the calls by their shape, then the table.
 * Read next: calls_filter.c.
 */
#include "calls_decode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* libc's names for these are younger than the calls. */
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

/* Kernels refuse a list of more buffers than this with EINVAL. */
#define IOV_MOST 1024
/* Of the descriptors a poll waits for, as many are looked at. */
#define POLL_MOST 64

/* Reads up to LEN bytes at FROM in the stopped program; returns how many. */
static size_t peek(const struct trapped *t, uint64_t from, void *to, size_t len)
{
    if (from == 0 || len == 0)
        return 0;
    struct iovec local = {.iov_base = to, .iov_len = len};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)from, .iov_len = len};
    ssize_t n = process_vm_readv(t->tid, &local, 1, &remote, 1, 0);
    return n > 0 ? (size_t)n : 0;
}

/* All of LEN bytes, or false. */
static bool peek_all(const struct trapped *t, uint64_t from, void *to,
                     size_t len)
{
    return peek(t, from, to, len) == len;
}

/* Adds up to LEN bytes at FROM to the call's data, as far as there is room. */
static void take_data(struct trapped *t, uint64_t from, size_t len)
{
    size_t room = sizeof t->data - t->call.data_len;
    size_t got =
        peek(t, from, t->data + t->call.data_len, len < room ? len : room);
    t->call.data_len += got;
    if (got > 0 || len == 0)
        t->call.data = t->data;
}

static void take_addr(struct trapped *t, uint64_t from, size_t len)
{
    struct addr *a = &t->call.addr;
    if (len > sizeof a->in6)
        len = sizeof a->in6;
    a->len = (socklen_t)peek(t, from, &a->sa, len);
    if (a->len < sizeof a->sa.sa_family)
        a->len = 0;
}

/* An address that the call has filled in: its length stands at LENGTH. */
static void take_addr_out(struct trapped *t, uint64_t from, uint64_t length)
{
    socklen_t len;
    if (peek_all(t, length, &len, sizeof len))
        take_addr(t, from, len);
}

/* The data of a list of COUNT buffers, of which at most LIMIT bytes count.
 * Returns how much they hold together. */
static size_t take_list(struct trapped *t, uint64_t list, size_t count,
                        size_t limit)
{
    size_t total = 0;
    struct iovec v[16];
    if (count > IOV_MOST)
        count = IOV_MOST;
    while (count > 0) {
        size_t n = count < 16 ? count : 16;
        if (!peek_all(t, list, v, n * sizeof *v))
            break;
        for (size_t i = 0; i < n; i++) {
            size_t len = v[i].iov_len < limit ? v[i].iov_len : limit;
            if (len > 0 && t->call.data_len < sizeof t->data)
                take_data(t, (uintptr_t)v[i].iov_base, len);
            limit -= len;
            total += v[i].iov_len;
        }
        list += n * sizeof *v;
        count -= n;
    }
    return total;
}

/* What a descriptor is to the lane. */
enum fd_kind {
    FD_OTHER,    /* a file, a pipe, a local socket */
    FD_INTERNET, /* IPv4 or IPv6 */
    FD_WRONG,    /* closed, or no socket at all */
};

/* Borrows the program's descriptor: a copy of it in this process, or -1. */
static int borrow(const struct trapped *t, int fd)
{
    /* By the thread where the kernel can do that (6.9): the first thread of
     * the process may have ended, and its descriptors with it. */
    int pidfd = (int)syscall(SYS_pidfd_open, t->tid, PIDFD_THREAD);
    if (pidfd == -1)
        pidfd = (int)syscall(SYS_pidfd_open, t->pid, 0);
    if (pidfd == -1)
        return -1;
    int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    int error = errno;
    close(pidfd);
    errno = error;
    return copy;
}

static int proto_of(int protocol)
{
    switch (protocol) {
    case IPPROTO_MPTCP: /* Go's listeners; to the program it is TCP */
        return IPPROTO_TCP;
    case IPPROTO_TCP:
    case IPPROTO_UDP:
        return protocol;
    default:
        return 0;
    }
}

static enum fd_kind look_at(const struct trapped *t, int fd, int *proto)
{
    int copy = borrow(t, fd);
    if (copy == -1)
        return errno == EBADF ? FD_WRONG : FD_OTHER;
    enum fd_kind kind = FD_OTHER;
    int domain, protocol;
    socklen_t len = sizeof domain;
    if (getsockopt(copy, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1) {
        kind = errno == ENOTSOCK ? FD_WRONG : FD_OTHER;
    } else if (domain == AF_INET || domain == AF_INET6) {
        kind = FD_INTERNET;
        len = sizeof protocol;
        if (getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0)
            *proto = proto_of(protocol);
    }
    close(copy);
    return kind;
}

/* For calls that files have too: is it an internet socket? */
static bool on_socket(struct trapped *t, int fd)
{
    t->call.fd = fd;
    return look_at(t, fd, &t->call.proto) == FD_INTERNET;
}

/* For calls that only sockets have: there a wrong descriptor is a mistake
 * worth seeing. */
static bool on_any(struct trapped *t)
{
    t->call.fd = (int)t->args[0];
    return look_at(t, t->call.fd, &t->call.proto) != FD_OTHER;
}

/* Did it return what it was asked for? */
static bool succeeded(const struct trapped *t)
{
    return t->call.result >= 0;
}

/* socket(family, type, protocol) */
static bool enter_socket(struct trapped *t)
{
    t->call.fd = -1;
    for (int i = 0; i < 3; i++)
        t->call.arg[i] = (int)t->args[i];
    int type = t->call.arg[1] & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    int protocol = t->call.arg[2];
    if (protocol == 0 && type == SOCK_STREAM)
        protocol = IPPROTO_TCP;
    if (protocol == 0 && type == SOCK_DGRAM)
        protocol = IPPROTO_UDP;
    t->call.proto = proto_of(protocol);
    return t->call.arg[0] == AF_INET || t->call.arg[0] == AF_INET6;
}

/* bind(fd, address, length), connect */
static bool enter_address(struct trapped *t)
{
    if (!on_any(t))
        return false;
    take_addr(t, t->args[1], (socklen_t)t->args[2]);
    return true;
}

/* listen(fd, backlog), shutdown(fd, how) */
static bool enter_number(struct trapped *t)
{
    t->call.arg[0] = (int)t->args[1];
    return on_any(t);
}

/* accept(fd, address, length), getsockname, getpeername */
static void leave_address(struct trapped *t)
{
    if (succeeded(t))
        take_addr_out(t, t->args[1], t->args[2]);
}

/* close(fd) */
static bool enter_close(struct trapped *t)
{
    return on_socket(t, (int)t->args[0]);
}

/* sendto(fd, data, size, flags, address, length), which is also send */
static bool enter_sendto(struct trapped *t)
{
    if (!on_any(t))
        return false;
    t->call.size = t->args[2];
    t->call.arg[0] = (int)t->args[3];
    take_data(t, t->args[1], t->args[2]);
    if (t->args[4] == 0)
        t->call.id = CALL_SEND;
    else
        take_addr(t, t->args[4], (socklen_t)t->args[5]);
    return true;
}

/* recvfrom(fd, data, size, flags, address, length), which is also recv */
static bool enter_recvfrom(struct trapped *t)
{
    t->call.size = t->args[2];
    t->call.arg[0] = (int)t->args[3];
    if (t->args[4] == 0)
        t->call.id = CALL_RECV;
    return on_any(t);
}

/* What has arrived: with MSG_TRUNC the result is more than there was room. */
static void take_arrived(struct trapped *t)
{
    size_t len = (size_t)t->call.result;
    take_data(t, t->args[1], len < t->call.size ? len : t->call.size);
}

static void leave_recvfrom(struct trapped *t)
{
    if (!succeeded(t))
        return;
    take_arrived(t);
    if (t->call.id == CALL_RECVFROM)
        take_addr_out(t, t->args[4], t->args[5]);
}

/* read(fd, data, size), write */
static bool enter_read(struct trapped *t)
{
    t->call.size = t->args[2];
    return on_socket(t, (int)t->args[0]);
}

static void leave_read(struct trapped *t)
{
    if (succeeded(t))
        take_arrived(t);
}

static bool enter_write(struct trapped *t)
{
    if (!enter_read(t))
        return false;
    take_data(t, t->args[1], t->args[2]);
    return true;
}

/* readv(fd, list, count), writev */
static bool enter_readv(struct trapped *t)
{
    if (!on_socket(t, (int)t->args[0]))
        return false;
    t->call.size = take_list(t, t->args[1], t->args[2], 0);
    return true;
}

static void leave_readv(struct trapped *t)
{
    if (!succeeded(t))
        return;
    t->call.data = t->data;
    take_list(t, t->args[1], t->args[2], (size_t)t->call.result);
}

static bool enter_writev(struct trapped *t)
{
    if (!on_socket(t, (int)t->args[0]))
        return false;
    t->call.size = take_list(t, t->args[1], t->args[2], SIZE_MAX);
    return true;
}

/* sendmsg(fd, message, flags) */
static bool enter_sendmsg(struct trapped *t)
{
    struct msghdr m;
    if (!on_any(t))
        return false;
    t->call.arg[0] = (int)t->args[2];
    if (peek_all(t, t->args[1], &m, sizeof m)) {
        take_addr(t, (uintptr_t)m.msg_name, m.msg_namelen);
        t->call.size =
            take_list(t, (uintptr_t)m.msg_iov, m.msg_iovlen, SIZE_MAX);
    }
    return true;
}

/* recvmsg(fd, message, flags) */
static bool enter_recvmsg(struct trapped *t)
{
    struct msghdr m;
    if (!on_any(t))
        return false;
    t->call.arg[0] = (int)t->args[2];
    if (peek_all(t, t->args[1], &m, sizeof m))
        t->call.size = take_list(t, (uintptr_t)m.msg_iov, m.msg_iovlen, 0);
    return true;
}

static void leave_recvmsg(struct trapped *t)
{
    struct msghdr m;
    if (!succeeded(t) || !peek_all(t, t->args[1], &m, sizeof m))
        return;
    t->call.data = t->data;
    take_list(t, (uintptr_t)m.msg_iov, m.msg_iovlen, (size_t)t->call.result);
    take_addr(t, (uintptr_t)m.msg_name, m.msg_namelen);
}

/* sendmmsg(fd, messages, count, flags), recvmmsg: the size is how many
 * messages, as the result; the address is the first one's. */
static bool enter_messages(struct trapped *t)
{
    t->call.size = t->args[2];
    t->call.arg[0] = (int)t->args[3];
    return on_any(t);
}

static void leave_messages(struct trapped *t)
{
    struct mmsghdr m;
    if (t->call.result > 0 && peek_all(t, t->args[1], &m, sizeof m))
        take_addr(t, (uintptr_t)m.msg_hdr.msg_name, m.msg_hdr.msg_namelen);
}

/* sendfile(out, in, offset, count) */
static bool enter_sendfile(struct trapped *t)
{
    t->call.size = t->args[3];
    return on_socket(t, (int)t->args[0]);
}

/* splice(in, offset, out, offset, count, flags) */
static bool enter_splice(struct trapped *t)
{
    t->call.size = t->args[4];
    if (on_socket(t, (int)t->args[2]))
        return true;
    t->call.id = CALL_READ;
    return on_socket(t, (int)t->args[0]);
}

/* The value of an option, in args[3]: its bytes, and an int of them. */
static void take_value(struct trapped *t, size_t len)
{
    take_data(t, t->args[3], len);
    if (t->call.data_len >= sizeof(int))
        memcpy(&t->call.arg[2], t->data, sizeof(int));
}

/* setsockopt(fd, level, name, value, length) */
static bool enter_getsockopt(struct trapped *t)
{
    t->call.arg[0] = (int)t->args[1];
    t->call.arg[1] = (int)t->args[2];
    return on_any(t);
}

static bool enter_setsockopt(struct trapped *t)
{
    if (!enter_getsockopt(t))
        return false;
    take_value(t, (socklen_t)t->args[4]);
    return true;
}

/* getsockopt(fd, level, name, value, length) */
static void leave_getsockopt(struct trapped *t)
{
    socklen_t len;
    if (succeeded(t) && peek_all(t, t->args[4], &len, sizeof len))
        take_value(t, len);
}

/* fcntl(fd, command, argument) */
static bool enter_fcntl(struct trapped *t)
{
    t->call.arg[0] = (int)t->args[1];
    t->call.arg[1] = (int)t->args[2];
    return on_socket(t, (int)t->args[0]);
}

/* poll(list, count, timeout), ppoll: shown if an internet socket is in the
 * list, under the first one's descriptor. */
static bool enter_poll(struct trapped *t)
{
    struct pollfd list[POLL_MOST];
    size_t count = t->args[1] < POLL_MOST ? t->args[1] : POLL_MOST;
    if (!peek_all(t, t->args[0], list, count * sizeof *list))
        return false;
    t->call.size = t->args[1];
    for (size_t i = 0; i < count; i++)
        if (list[i].fd >= 0 && on_socket(t, list[i].fd))
            return true;
    return false;
}

/* select(count, read, write, except, timeout), pselect6: the same. */
static bool enter_select(struct trapped *t)
{
    fd_set set, any;
    FD_ZERO(&any);
    int count = t->args[0] < FD_SETSIZE ? (int)t->args[0] : FD_SETSIZE;
    size_t words = ((size_t)count + 63) / 64;
    for (int i = 1; i <= 3; i++) {
        FD_ZERO(&set);
        peek(t, t->args[i], &set, words * 8);
        for (int fd = 0; fd < count; fd++)
            if (FD_ISSET(fd, &set))
                FD_SET(fd, &any);
    }
    t->call.size = (size_t)count;
    for (int fd = 0; fd < count; fd++)
        if (FD_ISSET(fd, &any) && on_socket(t, fd))
            return true;
    return false;
}

/* epoll_wait(set, events, count, timeout), epoll_pwait: /proc lists what is
 * in the set, one "tfd: N ..." a line. */
static bool enter_epoll(struct trapped *t)
{
    char path[64], line[128];
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)t->tid,
             (int)t->args[0]);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    bool found = false;
    int fd;
    while (!found && fgets(line, sizeof line, f) != NULL)
        found = sscanf(line, "tfd: %d", &fd) == 1 && on_socket(t, fd);
    fclose(f);
    t->call.size = t->args[2];
    t->call.fd = (int)t->args[0];
    return found;
}

/* io_uring_setup(): calls made through the ring never pass the filter. */
static bool enter_ring(struct trapped *t)
{
    (void)t;
    return true;
}

#define ROW(name, call) .nr = SYS_##name, .id = CALL_##call
#define EXTRA(name, call) ROW(name, call), .extra = true

const struct calls_row calls_rows[] = {
    {ROW(socket, SOCKET), .enter = enter_socket},
    {ROW(bind, BIND), .enter = enter_address},
    {ROW(listen, LISTEN), .enter = enter_number},
    {ROW(accept, ACCEPT), .enter = on_any, .leave = leave_address},
    {ROW(accept4, ACCEPT), .enter = on_any, .leave = leave_address},
    {ROW(connect, CONNECT), .enter = enter_address},
    {ROW(sendto, SENDTO), .enter = enter_sendto},
    {ROW(recvfrom, RECVFROM), .enter = enter_recvfrom, .leave = leave_recvfrom},
    {ROW(sendmsg, SENDMSG), .enter = enter_sendmsg},
    {ROW(recvmsg, RECVMSG), .enter = enter_recvmsg, .leave = leave_recvmsg},
    {ROW(sendmmsg, SENDMSG), .alias = "sendmmsg", .enter = enter_messages,
     .leave = leave_messages},
    {ROW(recvmmsg, RECVMSG), .alias = "recvmmsg", .enter = enter_messages,
     .leave = leave_messages},
    {ROW(read, READ), .enter = enter_read, .leave = leave_read},
    {ROW(write, WRITE), .enter = enter_write},
    {ROW(readv, READ), .alias = "readv", .enter = enter_readv,
     .leave = leave_readv},
    {ROW(writev, WRITE), .alias = "writev", .enter = enter_writev},
    {ROW(sendfile, WRITE), .alias = "sendfile", .enter = enter_sendfile},
    {ROW(splice, WRITE), .alias = "splice", .enter = enter_splice},
    {ROW(shutdown, SHUTDOWN), .enter = enter_number},
    {ROW(close, CLOSE), .enter = enter_close},
    {.nr = SYS_io_uring_setup,
     .enter = enter_ring,
     .remark = "this program uses io_uring: its calls through the ring "
               "are not shown"},
    {EXTRA(setsockopt, SETSOCKOPT), .enter = enter_setsockopt},
    {EXTRA(getsockopt, GETSOCKOPT), .enter = enter_getsockopt,
     .leave = leave_getsockopt},
    {EXTRA(getsockname, GETSOCKNAME), .enter = on_any, .leave = leave_address},
    {EXTRA(getpeername, GETPEERNAME), .enter = on_any, .leave = leave_address},
    {EXTRA(fcntl, FCNTL), .enter = enter_fcntl},
    {EXTRA(ppoll, POLL), .enter = enter_poll},
    {EXTRA(pselect6, POLL), .alias = "select", .enter = enter_select},
    {EXTRA(epoll_pwait, POLL), .alias = "epoll_wait", .enter = enter_epoll},
#ifdef SYS_epoll_pwait2
    {EXTRA(epoll_pwait2, POLL), .alias = "epoll_wait", .enter = enter_epoll},
#endif
/* Older forms, which younger machines (aarch64) no longer have. */
#ifdef SYS_poll
    {EXTRA(poll, POLL), .enter = enter_poll},
#endif
#ifdef SYS_select
    {EXTRA(select, POLL), .alias = "select", .enter = enter_select},
#endif
#ifdef SYS_epoll_wait
    {EXTRA(epoll_wait, POLL), .alias = "epoll_wait", .enter = enter_epoll},
#endif
};
const size_t calls_row_count = sizeof calls_rows / sizeof *calls_rows;

const struct calls_row *calls_row_find(uint64_t nr)
{
    for (size_t i = 0; i < calls_row_count; i++)
        if ((uint64_t)calls_rows[i].nr == nr)
            return &calls_rows[i];
    return NULL;
}

bool calls_decode_enter(struct trapped *t)
{
    t->call = (struct call){.id = t->row->id, .alias = t->row->alias};
    return t->row->enter(t);
}

void calls_decode_leave(struct trapped *t, int64_t result)
{
    t->call.returned = true;
    t->call.result = result < 0 ? -1 : result;
    t->call.error = result < 0 ? (int)-result : 0;
    if (t->row->leave != NULL)
        t->row->leave(t);
}
