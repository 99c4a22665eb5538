/* SPDX-License-Identifier: MIT
 *
 * How each system call's arguments are read: first the calls, by their shape,
 * each with its arguments as the kernel gets them, then the table. What cannot
 * be read is left out, for a program may pass any pointer.
 * Read next: calls_filter.h.
 */
#include "calls_decode.h"

#include "lang.h"
#include "peek.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Of the descriptors a poll waits for, as many are looked at. */
#define POLL_MOST 64

static bool peek_all(const struct trapped *t, uint64_t from, void *to,
                     size_t len)
{
    return peek_bytes(t->tid, from, to, len) == len;
}

/* What stands in t->data now is the call's data, if all could be read. */
static void set_data(struct trapped *t, size_t wanted, size_t got)
{
    if (got != wanted)
        return;
    t->call.data = t->data;
    t->call.data_len = got;
}

static size_t shown(size_t len)
{
    return len < CALL_DATA ? len : CALL_DATA;
}

/* LEN bytes at FROM are the call's data. */
static void take_data(struct trapped *t, uint64_t from, size_t len)
{
    set_data(t, shown(len), peek_bytes(t->tid, from, t->data, shown(len)));
}

/* LEN bytes in a list of COUNT buffers are. */
static void take_list(struct trapped *t, uint64_t list, size_t count,
                      size_t len)
{
    set_data(t, shown(len),
             peek_list(t->tid, list, count, t->data, shown(len)));
}

static void take_addr(struct trapped *t, uint64_t from, size_t len)
{
    struct addr *a = &t->call.addr;
    if (len > sizeof a->in6)
        len = sizeof a->in6;
    a->len = (socklen_t)peek_bytes(t->tid, from, &a->sa, len);
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

/* For calls that files have too: is it an internet socket? */
static bool on_socket(struct trapped *t, int fd)
{
    t->call.fd = fd;
    return peek_fd(t->tid, t->pid, fd, &t->call.proto) == PEEK_INTERNET;
}

/* For calls that only sockets have: there a wrong descriptor is a mistake
 * worth seeing. */
static bool on_any(struct trapped *t)
{
    t->call.fd = (int)t->args[0];
    return peek_fd(t->tid, t->pid, t->call.fd, &t->call.proto) != PEEK_OTHER;
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
    t->call.proto = peek_proto(protocol);
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

/* How many bytes stand where the program wanted them: with MSG_TRUNC the
 * result is more than there was room for. */
static size_t arrived(const struct trapped *t)
{
    size_t len = (size_t)t->call.result;
    return len < t->call.size ? len : t->call.size;
}

static void leave_recvfrom(struct trapped *t)
{
    if (!succeeded(t))
        return;
    take_data(t, t->args[1], arrived(t));
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
        take_data(t, t->args[1], arrived(t));
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
    t->call.size = peek_list_size(t->tid, t->args[1], t->args[2]);
    return true;
}

static void leave_readv(struct trapped *t)
{
    if (succeeded(t))
        take_list(t, t->args[1], t->args[2], arrived(t));
}

static bool enter_writev(struct trapped *t)
{
    if (!enter_readv(t))
        return false;
    take_list(t, t->args[1], t->args[2], t->call.size);
    return true;
}

/* recvmsg(fd, message, flags), sendmsg */
static bool enter_recvmsg(struct trapped *t)
{
    struct msghdr m;
    t->call.arg[0] = (int)t->args[2];
    if (peek_all(t, t->args[1], &m, sizeof m))
        t->call.size =
            peek_list_size(t->tid, (uintptr_t)m.msg_iov, m.msg_iovlen);
    return on_any(t);
}

/* LEN bytes of it are the call's data; and its address. */
static void take_message(struct trapped *t, size_t len)
{
    struct msghdr m;
    if (!peek_all(t, t->args[1], &m, sizeof m))
        return;
    take_list(t, (uintptr_t)m.msg_iov, m.msg_iovlen, len);
    take_addr(t, (uintptr_t)m.msg_name, m.msg_namelen);
}

static void leave_recvmsg(struct trapped *t)
{
    if (succeeded(t))
        take_message(t, arrived(t));
}

static bool enter_sendmsg(struct trapped *t)
{
    if (!enter_recvmsg(t))
        return false;
    take_message(t, t->call.size);
    return true;
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
        peek_bytes(t->tid, t->args[i], &set, words * 8);
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
     .remark = N_("this program uses io_uring: its calls through the ring "
                  "are not shown")},
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
