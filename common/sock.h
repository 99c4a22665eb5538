/* SPDX-License-Identifier: MIT
 *
 * sock: one function a system call. Each does its call, again if a signal
 * interrupted it (unless the program is to stop: stop.h), reports itself to
 * the observer, and nothing else: the order of the calls is the lesson, and it
 * stays visible in the programs.
 *
 * All return what the call returns; on failure -1 with errno kept and *e
 * filled (NULL allowed): "connect 127.0.0.1:9000: Connection refused", with
 * advice. Every failure is also seen by the observer. EAGAIN of a call that was
 * not to wait (accept, MSG_DONTWAIT) fills e->sys and status, without words.
 * Read next: service.h.
 */
#ifndef WIRELAB_SOCK_H
#define WIRELAB_SOCK_H

#include "addr.h"
#include "call.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is read in bulk is read into a buffer that begins at a cache line: the
 * kernel copies at half the speed to one that begins 8 bytes further on. */
#define SOCK_ALIGN 64

/* Sees every call as it returns. It runs in the calling thread, and must not
 * call sock_* itself. */
typedef void sock_observer_fn(const struct call *c, void *context);

/* Set by main before any thread or fork; NULL: nobody watches, and a call
 * costs nothing more. */
void sock_observe(sock_observer_fn *observer, void *context);

/* How many of these calls the calling thread has made. */
uint64_t sock_calls(void);

/* socket(2). FAMILY AF_INET or AF_INET6 (then IPV6_V6ONLY is a separate
 * call), TYPE SOCK_STREAM or SOCK_DGRAM. */
int sock_socket(int family, int type, struct err *e);

/* bind(2). STATUS_BIND; the advice says who holds the port if it is taken. */
int sock_bind(int fd, const struct addr *a, struct err *e);

/* listen(2). BACKLOG: connections that may wait for accept. STATUS_BIND. */
int sock_listen(int lfd, int backlog, struct err *e);

/* accept(2). Fills *peer. Waits unless lfd is non-blocking. */
int sock_accept(int lfd, struct addr *peer, struct err *e);

/* connect(2). TCP: waits at most TIMEOUT_NS for the handshake (0: as long as
 * the kernel tries); a connect that a signal interrupted goes on in the
 * kernel, so it is not called again but waited for with poll, and SO_ERROR
 * tells how it ended. UDP: only notes the peer. */
int sock_connect(int fd, const struct addr *peer, uint64_t timeout_ns,
                 struct err *e);

/* send(2), recv(2). One call: a short count is normal on a stream. recv: 0 on
 * a stream is the peer's end; on UDP it is an empty datagram. */
ssize_t sock_send(int fd, const void *buf, size_t len, int flags,
                  struct err *e);
ssize_t sock_recv(int fd, void *buf, size_t cap, int flags, struct err *e);

/* sendto(2), recvfrom(2): a datagram with its address. recvfrom adds
 * MSG_TRUNC to FLAGS, so that it returns the true size: *truncated (NULL
 * allowed) is set if the datagram was larger than CAP, and only CAP bytes are
 * in BUF. */
ssize_t sock_sendto(int fd, const void *buf, size_t len,
                    const struct addr *peer, struct err *e);
ssize_t sock_recvfrom(int fd, void *buf, size_t cap, int flags,
                      struct addr *peer, bool *truncated, struct err *e);

/* sendmmsg(2), recvmmsg(2): COUNT messages a call. Return how many were sent,
 * or received; with recvmmsg FLAGS has MSG_WAITFORONE. */
int sock_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct err *e);
int sock_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct err *e);

/* shutdown(2). HOW: SHUT_RD, SHUT_WR, SHUT_RDWR. */
int sock_shutdown(int fd, int how, struct err *e);

/* close(2); never again after EINTR: the descriptor is gone already. Keeps
 * errno, so that it can stand on an error path. */
void sock_close(int fd);

/* setsockopt(2) with an int, which covers most options. */
int sock_setsockopt(int fd, int level, int name, int value, struct err *e);

/* setsockopt(2) with a value of any type: struct timeval, struct linger,
 * struct ip_mreq, a name. */
int sock_setsockopt_raw(int fd, int level, int name, const void *value,
                        socklen_t len, struct err *e);

/* SO_RCVTIMEO and SO_SNDTIMEO: a call that waits longer fails with EAGAIN.
 * 0: forever. */
int sock_timeout(int fd, uint64_t timeout_ns, struct err *e);

/* SO_RCVBUF: how many bytes may wait to be received; 0: the kernel's default.
 * As root as many as asked for (SO_RCVBUFFORCE), else at most rmem_max; the
 * kernel doubles them for its own needs. socket(7). */
int sock_rcvbuf(int fd, uint64_t size, struct err *e);

/* getsockopt(SO_ERROR): 0, or the errno that waits on the socket. */
int sock_error(int fd);

/* getsockname(2): where this socket is bound. */
int sock_getsockname(int fd, struct addr *a, struct err *e);

/* fcntl(2): O_NONBLOCK on. */
int sock_nonblock(int fd, struct err *e);

#endif
