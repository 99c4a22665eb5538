/* SPDX-License-Identifier: MIT
 *
 * peek: the memory and the descriptors of a stopped program. See peek.h for
 * the contract. A descriptor is looked at through a copy of it, which shares
 * the socket with the program for the few microseconds until it is closed.
 * Read next: calls_decode.c.
 */
#include "peek.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* libc's names for these are younger than the kernel's. */
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

/* The kernel refuses longer lists with EINVAL. */
#define LIST_MOST 1024

size_t peek_bytes(pid_t tid, uint64_t from, void *to, size_t len)
{
    if (from == 0 || len == 0)
        return 0;
    struct iovec local = {.iov_base = to, .iov_len = len};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)from, .iov_len = len};
    ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
    return n > 0 ? (size_t)n : 0;
}

/* Buffer I of a list, or false. */
static bool buffer(pid_t tid, uint64_t list, size_t i, struct iovec *v)
{
    return i < LIST_MOST &&
           peek_bytes(tid, list + i * sizeof *v, v, sizeof *v) == sizeof *v;
}

size_t peek_list(pid_t tid, uint64_t list, size_t count, void *to, size_t cap)
{
    struct iovec v;
    size_t used = 0;
    for (size_t i = 0; used < cap && i < count && buffer(tid, list, i, &v); i++)
        used += peek_bytes(tid, (uintptr_t)v.iov_base, (char *)to + used,
                           v.iov_len < cap - used ? v.iov_len : cap - used);
    return used;
}

size_t peek_list_size(pid_t tid, uint64_t list, size_t count)
{
    struct iovec v;
    size_t size = 0;
    for (size_t i = 0; i < count && buffer(tid, list, i, &v); i++)
        size += v.iov_len;
    return size;
}

/* A copy of the program's descriptor in this process, or -1. */
static int borrow(pid_t tid, pid_t pid, int fd)
{
    /* By the thread where the kernel can do that (6.9): the first thread of
     * the process may have ended, and its descriptors with it. */
    int pidfd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
    if (pidfd == -1)
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1)
        return -1;
    int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    int error = errno;
    close(pidfd);
    errno = error;
    return copy;
}

/* An integer option of SOL_SOCKET, or -1 and errno. */
static int option(int fd, int name)
{
    int value;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

enum peek_kind peek_fd(pid_t tid, pid_t pid, int fd, int *proto)
{
    int copy = borrow(tid, pid, fd);
    if (copy == -1)
        return errno == EBADF ? PEEK_WRONG : PEEK_OTHER;
    enum peek_kind kind = PEEK_OTHER;
    int domain = option(copy, SO_DOMAIN);
    if (domain == AF_INET || domain == AF_INET6) {
        kind = PEEK_INTERNET;
        *proto = peek_proto(option(copy, SO_PROTOCOL));
    } else if (domain == -1 && errno == ENOTSOCK) {
        kind = PEEK_WRONG;
    }
    close(copy);
    return kind;
}

int peek_proto(int protocol)
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
