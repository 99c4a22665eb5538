/* SPDX-License-Identifier: MIT
 *
 * peek: what another process, stopped and traced by this one, has in its
 * memory and behind its descriptors. Of the memory as little as possible is
 * read. Nothing is remembered about descriptors: what one is, is asked of the
 * kernel each time (a few microseconds beside the stop's fifty), so that dup,
 * fork, exec and descriptors passed on cannot mislead.
 * Sources: process_vm_readv(2), pidfd_getfd(2), socket(7).
 * Read next: calls_filter.h.
 */
#ifndef WIRELAB_PEEK_H
#define WIRELAB_PEEK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Copies up to LEN bytes at FROM in thread TID's memory. Returns how many
 * could be read; 0 from a NULL or a wrong pointer. */
size_t peek_bytes(pid_t tid, uint64_t from, void *to, size_t len);

/* A list of COUNT buffers (struct iovec) at LIST: copies the first CAP bytes
 * of what they hold. Returns how many could be read. */
size_t peek_list(pid_t tid, uint64_t list, size_t count, void *to, size_t cap);

/* How many bytes they hold together. */
size_t peek_list_size(pid_t tid, uint64_t list, size_t count);

enum peek_kind {
    PEEK_OTHER,    /* a file, a pipe, a local socket; or it cannot be told */
    PEEK_INTERNET, /* an IPv4 or IPv6 socket */
    PEEK_WRONG,    /* closed, or no socket at all */
};

/* What descriptor FD of thread TID, of process PID, is. Of an internet socket
 * *proto is set to what it speaks, as peek_proto has it. */
enum peek_kind peek_fd(pid_t tid, pid_t pid, int fd, int *proto);

/* IPPROTO_TCP or IPPROTO_UDP, else 0, for what socket(2) calls PROTOCOL. */
int peek_proto(int protocol);

#endif
