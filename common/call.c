/* SPDX-License-Identifier: MIT
 *
 * call: a system call's text, as C writes it. See call.h for the contract;
 * why a call is made stands in call_explain.c.
 */
#include "call.h"

#include "lang.h"
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static const char *const names[CALL_IDS] = {
    [CALL_SOCKET] = "socket",
    [CALL_BIND] = "bind",
    [CALL_LISTEN] = "listen",
    [CALL_ACCEPT] = "accept",
    [CALL_CONNECT] = "connect",
    [CALL_SEND] = "send",
    [CALL_SENDTO] = "sendto",
    [CALL_SENDMSG] = "sendmsg",
    [CALL_RECV] = "recv",
    [CALL_RECVFROM] = "recvfrom",
    [CALL_RECVMSG] = "recvmsg",
    [CALL_READ] = "read",
    [CALL_WRITE] = "write",
    [CALL_SHUTDOWN] = "shutdown",
    [CALL_CLOSE] = "close",
    [CALL_SETSOCKOPT] = "setsockopt",
    [CALL_GETSOCKOPT] = "getsockopt",
    [CALL_GETSOCKNAME] = "getsockname",
    [CALL_GETPEERNAME] = "getpeername",
    [CALL_FCNTL] = "fcntl",
    [CALL_POLL] = "poll",
};

const char *call_name(const struct call *c)
{
    return c->alias != NULL ? c->alias : names[c->id];
}

bool call_waits(const struct call *c)
{
    switch (c->id) {
    case CALL_ACCEPT:
    case CALL_CONNECT:
    case CALL_RECV:
    case CALL_RECVFROM:
    case CALL_RECVMSG:
    case CALL_READ:
    case CALL_POLL:
        return true;
    default:
        return false;
    }
}

/* A number and its name in C. */
struct constant {
    int value;
    const char *name;
};

static const char *find_name(const struct constant *table, int value)
{
    for (; table->name != NULL; table++)
        if (table->value == value)
            return table->name;
    return NULL;
}

#define C(x)                                                                   \
    {                                                                          \
        x, #x                                                                  \
    }
#define C_END                                                                  \
    {                                                                          \
        0, NULL                                                                \
    }

static const struct constant errnos[] = {
    C(EACCES),       C(EADDRINUSE),  C(EADDRNOTAVAIL),
    C(EAFNOSUPPORT), C(EAGAIN),      C(EALREADY),
    C(EBADF),        C(EBUSY),       C(ECONNABORTED),
    C(ECONNREFUSED), C(ECONNRESET),  C(EDESTADDRREQ),
    C(EDOM),         C(EEXIST),      C(EFAULT),
    C(EFBIG),        C(EHOSTDOWN),   C(EHOSTUNREACH),
    C(EINPROGRESS),  C(EINTR),       C(EINVAL),
    C(EIO),          C(EISCONN),     C(EISDIR),
    C(EMFILE),       C(EMSGSIZE),    C(ENETDOWN),
    C(ENETRESET),    C(ENETUNREACH), C(ENFILE),
    C(ENOBUFS),      C(ENODEV),      C(ENOENT),
    C(ENOMEM),       C(ENONET),      C(ENOPROTOOPT),
    C(ENOSPC),       C(ENOSYS),      C(ENOTCONN),
    C(ENOTDIR),      C(ENOTSOCK),    C(ENXIO),
    C(EOPNOTSUPP),   C(EOVERFLOW),   C(EPERM),
    C(EPIPE),        C(EPROTO),      C(EPROTONOSUPPORT),
    C(EPROTOTYPE),   C(ERANGE),      C(ESHUTDOWN),
    C(ESPIPE),       C(ESRCH),       C(ETIMEDOUT),
    C_END,
};
static const struct constant families[] = {C(AF_INET), C(AF_INET6), C(AF_UNIX),
                                           C(AF_UNSPEC), C_END};
static const struct constant types[] = {C(SOCK_STREAM), C(SOCK_DGRAM),
                                        C(SOCK_RAW), C_END};
static const struct constant hows[] = {C(SHUT_RD), C(SHUT_WR), C(SHUT_RDWR),
                                       C_END};
static const struct constant fcntl_commands[] = {
    C(F_GETFL), C(F_SETFL),         C(F_GETFD), C(F_SETFD),
    C(F_DUPFD), C(F_DUPFD_CLOEXEC), C_END};
static const struct constant message_flags[] = {
    C(MSG_DONTWAIT), C(MSG_ERRQUEUE), C(MSG_MORE),
    C(MSG_NOSIGNAL), C(MSG_OOB),      C(MSG_PEEK),
    C(MSG_TRUNC),    C(MSG_WAITALL),  C_END};
static const struct constant levels[] = {C(SOL_SOCKET),  C(IPPROTO_TCP),
                                         C(IPPROTO_IP),  C(IPPROTO_IPV6),
                                         C(IPPROTO_UDP), C_END};
static const struct constant socket_options[] = {C(SO_REUSEADDR),
                                                 C(SO_REUSEPORT),
                                                 C(SO_BROADCAST),
                                                 C(SO_ERROR),
                                                 C(SO_KEEPALIVE),
                                                 C(SO_LINGER),
                                                 C(SO_RCVBUF),
                                                 C(SO_SNDBUF),
                                                 C(SO_RCVTIMEO),
                                                 C(SO_SNDTIMEO),
                                                 C(SO_TYPE),
                                                 C(SO_RCVBUFFORCE),
                                                 C_END};
static const struct constant tcp_options[] = {C(TCP_NODELAY), C(TCP_CONGESTION),
                                              C(TCP_INFO), C(TCP_CORK), C_END};
static const struct constant udp_options[] = {C(UDP_SEGMENT), C(UDP_GRO),
                                              C_END};
static const struct constant ip_options[] = {C(IP_TTL),
                                             C(IP_MULTICAST_TTL),
                                             C(IP_ADD_MEMBERSHIP),
                                             C(IP_MULTICAST_LOOP),
                                             C(IP_RECVERR),
                                             C_END};
static const struct constant ipv6_options[] = {
    C(IPV6_V6ONLY),     C(IPV6_UNICAST_HOPS), C(IPV6_MULTICAST_HOPS),
    C(IPV6_JOIN_GROUP), C(IPV6_RECVERR),      C_END};

const char *call_errno_name(int errnum)
{
    static _Thread_local char number[24];
    const char *name = find_name(errnos, errnum);
    if (name != NULL)
        return name;
    snprintf(number, sizeof number, "errno %d", errnum);
    return number;
}

/* A text that grows in the caller's buffer, and is cut when it is full. */
struct text {
    char *buf;
    size_t cap, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t,
                                                      const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->buf + t->used, t->cap - t->used, format, ap);
    va_end(ap);
    if (n > 0)
        t->used += (size_t)n;
    if (t->used >= t->cap)
        t->used = t->cap - 1;
}

static void add_name(struct text *t, const struct constant *table, int value)
{
    const char *name = find_name(table, value);
    if (name != NULL)
        add(t, "%s", name);
    else
        add(t, "%d", value);
}

static void add_flags(struct text *t, int flags)
{
    const char *separator = "";
    for (const struct constant *f = message_flags; f->name != NULL; f++) {
        if ((flags & f->value) == 0)
            continue;
        add(t, "%s%s", separator, f->name);
        separator = "|";
        flags &= ~f->value;
    }
    if (flags != 0 || *separator == '\0')
        add(t, flags != 0 ? "%s%#x" : "%s%d", separator, (unsigned)flags);
}

static void add_addr(struct text *t, const struct call *c)
{
    char buf[ADDR_TEXT];
    if (c->addr.len != 0 && c->addr.sa.sa_family == AF_UNSPEC)
        add(t, ", AF_UNSPEC"); /* connect: forget the peer */
    else if (c->addr.len != 0)
        add(t, ", %s", addr_format(&c->addr, buf, sizeof buf));
    else
        add(t, c->returned ? ", NULL" : ", ...");
}

/* The bytes, if they are known by now, and how many were asked for. */
static void add_data(struct text *t, const struct call *c)
{
    char buf[4 * CALL_DATA + 4];
    bool receives = call_waits(c);
    size_t len = c->data_len;
    if (receives && c->result >= 0 && (size_t)c->result < len)
        len = (size_t)c->result;
    if (c->data == NULL || (receives && (!c->returned || c->result < 0))) {
        add(t, ", ...");
    } else {
        size_t show = len < CALL_DATA ? len : CALL_DATA;
        size_t all = receives && c->returned ? (size_t)c->result : c->size;
        add(t, ", \"%s\"%s", out_escape(c->data, show, "", buf, sizeof buf),
            show < all ? "..." : "");
    }
    add(t, ", %zu", c->size);
}

static const struct constant *options_of(int level)
{
    static const struct constant none[] = {C_END};
    switch (level) {
    case SOL_SOCKET:
        return socket_options;
    case IPPROTO_TCP:
        return tcp_options;
    case IPPROTO_UDP:
        return udp_options;
    case IPPROTO_IP:
        return ip_options;
    case IPPROTO_IPV6:
        return ipv6_options;
    default:
        return none;
    }
}

/* The value of an option: an int, or the struct that this option has. */
static void add_value(struct text *t, const struct call *c)
{
    char buf[64];
    bool of_socket = c->arg[0] == SOL_SOCKET;
    if (c->arg[0] == IPPROTO_TCP && c->arg[1] == TCP_CONGESTION &&
        c->data != NULL) { /* first: "reno" is as long as an int */
        add(t, ", \"%s\"",
            out_escape(c->data, c->data_len, "", buf, sizeof buf));
    } else if (c->data == NULL || c->data_len == sizeof(int)) {
        add(t, ", %d", c->arg[2]);
    } else if (of_socket && c->arg[1] == SO_LINGER &&
               c->data_len == sizeof(struct linger)) {
        const struct linger *l = c->data;
        add(t, ", {%d, %d}", l->l_onoff, l->l_linger);
    } else if (of_socket && c->data_len == sizeof(struct timeval)) {
        const struct timeval *v = c->data;
        add(t, ", {%ld, %ld}", (long)v->tv_sec, (long)v->tv_usec);
    } else {
        add(t, ", ...");
    }
}

static void add_option(struct text *t, const struct call *c)
{
    const char *level = find_name(levels, c->arg[0]);
    const char *name = find_name(options_of(c->arg[0]), c->arg[1]);
    if (level != NULL && name != NULL)
        add(t, ", %s, %s", level, name);
    else
        add(t, ", %d, %d", c->arg[0], c->arg[1]);
    add_value(t, c);
}

static void add_fcntl(struct text *t, const struct call *c)
{
    add(t, ", ");
    add_name(t, fcntl_commands, c->arg[0]);
    if (c->arg[0] == F_SETFL && (c->arg[1] & O_NONBLOCK) != 0)
        add(t, ", O_NONBLOCK");
    else if (c->arg[0] != F_GETFL && c->arg[0] != F_GETFD)
        add(t, ", %d", c->arg[1]);
}

/* Linux takes two flags beside the type: socket(2). */
static void add_socket(struct text *t, const struct call *c)
{
    add_name(t, families, c->arg[0]);
    add(t, ", ");
    add_name(t, types, c->arg[1] & ~(SOCK_CLOEXEC | SOCK_NONBLOCK));
    if ((c->arg[1] & SOCK_NONBLOCK) != 0)
        add(t, "|SOCK_NONBLOCK");
    if ((c->arg[1] & SOCK_CLOEXEC) != 0)
        add(t, "|SOCK_CLOEXEC");
    add(t, ", %d", c->arg[2]);
}

/* The bytes, the flags, and the address if the call has one. */
static void add_message(struct text *t, const struct call *c)
{
    add_data(t, c);
    add(t, ", ");
    add_flags(t, c->arg[0]);
    if (c->id == CALL_SENDTO || c->id == CALL_RECVFROM || c->addr.len != 0)
        add_addr(t, c);
}

const char *call_args(const struct call *c, char *buf, size_t cap)
{
    struct text text = {.buf = buf, .cap = cap}, *t = &text;
    buf[0] = '\0';
    if (c->id == CALL_SOCKET) {
        add_socket(t, c);
        return buf;
    }
    add(t, "%d", c->fd);
    switch (c->id) {
    case CALL_BIND:
    case CALL_ACCEPT:
    case CALL_CONNECT:
    case CALL_GETSOCKNAME:
    case CALL_GETPEERNAME:
        add_addr(t, c);
        break;
    case CALL_LISTEN:
        add(t, ", %d", c->arg[0]);
        break;
    case CALL_SEND:
    case CALL_SENDTO:
    case CALL_SENDMSG:
    case CALL_RECV:
    case CALL_RECVFROM:
    case CALL_RECVMSG:
        add_message(t, c);
        break;
    case CALL_READ:
    case CALL_WRITE:
        add_data(t, c);
        break;
    case CALL_SHUTDOWN:
        add(t, ", ");
        add_name(t, hows, c->arg[0]);
        break;
    case CALL_SETSOCKOPT:
    case CALL_GETSOCKOPT:
        add_option(t, c);
        break;
    case CALL_FCNTL:
        add_fcntl(t, c);
        break;
    default: /* socket: done above; close, poll: the descriptor is all */
        break;
    }
    return buf;
}

const char *call_result(const struct call *c, char *buf, size_t cap)
{
    if (!c->returned)
        snprintf(buf, cap, "?");
    else if (c->result == -1 && c->error != 0)
        snprintf(buf, cap, "-1 %s (%s)", call_errno_name(c->error),
                 lang_error(c->error));
    else
        snprintf(buf, cap, "%ld", c->result);
    return buf;
}

const char *call_format(const struct call *c, char *buf, size_t cap)
{
    char args[CALL_TEXT], result[CALL_TEXT];
    snprintf(buf, cap, "%s(%s) = %s", call_name(c),
             call_args(c, args, sizeof args),
             call_result(c, result, sizeof result));
    return buf;
}
