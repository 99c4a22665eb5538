/* SPDX-License-Identifier: MIT
 *
 * netlink: just enough of it to build the lab's network (link.c) and to ask
 * the kernel about its sockets (states.c): one message out, bounded, and what
 * the kernel answers.
 * Sources: netlink(7), rtnetlink(7), sock_diag(7).
 */
#ifndef WIRELAB_NETLINK_H
#define WIRELAB_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message that is being built. What does not fit sets full, and then
 * netlink_ask refuses it with EMSGSIZE. */
struct netlink {
    struct nlmsghdr header; /* its nlmsg_len is set when it is sent */
    size_t len;             /* of what follows the header */
    char body[1024];
    bool full;
};

/* A socket of PROTOCOL (NETLINK_ROUTE, NETLINK_SOCK_DIAG) in the network
 * namespace of the caller, which it keeps for its life: -1 and errno. */
int netlink_open(int protocol);

/* Begins a message with its fixed part. */
void netlink_begin(struct netlink *m, uint16_t type, uint16_t flags,
                   const void *fixed, size_t len);

/* Adds an attribute. A nest holds what is put until its end: netlink_nest
 * returns where it began, for netlink_nest_end. */
void netlink_put(struct netlink *m, uint16_t type, const void *data,
                 size_t len);
void netlink_put_u32(struct netlink *m, uint16_t type, uint32_t value);
void netlink_put_text(struct netlink *m, uint16_t type, const char *text);
size_t netlink_nest(struct netlink *m, uint16_t type);
void netlink_nest_end(struct netlink *m, size_t nest);

/* Adds fixed bytes without a header of their own, as VETH_INFO_PEER wants. */
void netlink_put_raw(struct netlink *m, const void *data, size_t len);

/* One answer of the kernel: the LEN bytes behind its header. */
typedef void netlink_answer_fn(const void *data, size_t len, void *context);

/* Sends M and hands each answer to ANSWER (NULL: there are none, only the
 * acknowledgement). Returns 0, or -1 and errno: the kernel's own word. */
int netlink_ask(int fd, struct netlink *m, netlink_answer_fn *answer,
                void *context);

#endif
