/* SPDX-License-Identifier: MIT
 *
 * call: a system call as a value: what was asked, what came back, its text as
 * C writes it, and why it was made. The programs fill it around the call
 * itself (sock.c); the lab fills it from outside, by ptrace, for any program.
 * Explanations live here once, for both.
 * Sources: the man page of each call, section 2; RFC 9293 for TCP.
 * Read next: sock.h.
 */
#ifndef WIRELAB_CALL_H
#define WIRELAB_CALL_H

#include "addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_id {
    CALL_SOCKET,
    CALL_BIND,
    CALL_LISTEN,
    CALL_ACCEPT, /* accept4 too */
    CALL_CONNECT,
    CALL_SEND,     /* also sendto(..., NULL) */
    CALL_SENDTO,   /* with an address */
    CALL_SENDMSG,  /* and sendmmsg */
    CALL_RECV,     /* also recvfrom(..., NULL) */
    CALL_RECVFROM, /* with an address */
    CALL_RECVMSG,  /* and recvmmsg */
    CALL_READ,     /* readv */
    CALL_WRITE,    /* writev, sendfile, splice */
    CALL_SHUTDOWN,
    CALL_CLOSE,
    CALL_SETSOCKOPT,
    CALL_GETSOCKOPT,
    CALL_GETSOCKNAME,
    CALL_GETPEERNAME,
    CALL_FCNTL,
    CALL_POLL, /* poll, select, epoll_wait and their kin */
    CALL_IDS,  /* how many there are */
};

/* Room for any text of call_format, call_explain and call_advice. */
#define CALL_TEXT 256
/* How many bytes of the data a text shows at most. */
#define CALL_DATA 32

struct call {
    enum call_id id;
    const char *alias; /* the name to print instead ("sendmmsg"), or NULL */
    bool returned;     /* false: just entered, or it never returned */
    int fd;            /* the socket; -1 for socket() */
    int proto; /* IPPROTO_TCP, IPPROTO_UDP: what the socket speaks; 0: unknown
                */
    /* The other integers, in C's order.
     * socket: family, type, protocol. listen: backlog. shutdown: how.
     * send, recv and kin: flags. setsockopt, getsockopt: level, name, value.
     * fcntl: command, argument. */
    int arg[3];
    const void *data; /* the first bytes sent or received; borrowed, valid
                         while the observer runs; NULL: not known */
    size_t data_len;  /* how many of them are at hand */
    size_t size;      /* the size argument */
    long result;      /* -1: failed, see error */
    int error;        /* errno, 0 if none */
    struct addr addr; /* bound, connected, sent to, received or accepted from;
                         len 0: none (NULL) */
    uint64_t begin_ns, end_ns; /* on the observer's clock */
};

/* "send", "recv", "accept": the name as a text shows it. */
const char *call_name(const struct call *c);

/* The arguments as C writes them: "3, 127.0.0.1:9000". An address that the
 * call would fill in (accept, recvfrom) is "..." until it has returned. */
const char *call_args(const struct call *c, char *buf, size_t cap);

/* The result as C writes it: "0", "-1 EADDRINUSE (Address already in use)",
 * or "?" while it has not returned. */
const char *call_result(const struct call *c, char *buf, size_t cap);

/* The whole: "bind(3, 127.0.0.1:9000) = 0". Each fills BUF and returns it;
 * what does not fit is cut. */
const char *call_format(const struct call *c, char *buf, size_t cap);

/* Why this call, or what this result means, in one short line without a full
 * stop: "names the socket: clients will find it at this IP and port".
 * Never NULL. */
const char *call_explain(const struct call *c);

/* After a failure: what to do about it, in one line, or NULL. */
const char *call_advice(const struct call *c);

/* Can this call wait for the peer (accept, connect, recv and kin)? */
bool call_waits(const struct call *c);

/* "EADDRINUSE" for an errno that sockets and files meet; for another its
 * number, "errno 512", until the thread asks again. */
const char *call_errno_name(int errnum);

#endif
