/* SPDX-License-Identifier: MIT
 *
 * netlink: one message out, its answers in. See netlink.h for the contract.
 * Read next: link.c and states.c, which use it.
 */
#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int netlink_open(int protocol)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
}

/* LEN bytes of room at the end of M, aligned and zeroed; NULL if full. */
static char *extend(struct netlink *m, size_t len)
{
    size_t at = NLMSG_ALIGN(m->len);
    if (m->full || len > sizeof m->body - at) {
        m->full = true;
        return NULL;
    }
    m->len = at + len;
    return memset(m->body + at, 0, len);
}

void netlink_put_raw(struct netlink *m, const void *data, size_t len)
{
    char *to = extend(m, len);
    if (to != NULL && len > 0)
        memcpy(to, data, len);
}

void netlink_begin(struct netlink *m, uint16_t type, uint16_t flags,
                   const void *fixed, size_t len)
{
    memset(m, 0, sizeof *m);
    m->header.nlmsg_type = type;
    m->header.nlmsg_flags = NLM_F_REQUEST | flags;
    netlink_put_raw(m, fixed, len);
}

void netlink_put(struct netlink *m, uint16_t type, const void *data, size_t len)
{
    struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + len),
                               .nla_type = type};
    char *to = extend(m, NLA_HDRLEN + len);
    if (to == NULL)
        return;
    memcpy(to, &attribute, sizeof attribute);
    if (len > 0)
        memcpy(to + NLA_HDRLEN, data, len);
}

void netlink_put_u32(struct netlink *m, uint16_t type, uint32_t value)
{
    netlink_put(m, type, &value, sizeof value);
}

void netlink_put_text(struct netlink *m, uint16_t type, const char *text)
{
    netlink_put(m, type, text, strlen(text) + 1);
}

size_t netlink_nest(struct netlink *m, uint16_t type)
{
    size_t nest = NLMSG_ALIGN(m->len);
    netlink_put(m, type, NULL, 0);
    return nest;
}

void netlink_nest_end(struct netlink *m, size_t nest)
{
    if (m->full)
        return;
    struct nlattr attribute;
    memcpy(&attribute, m->body + nest, sizeof attribute);
    attribute.nla_len = (uint16_t)(m->len - nest);
    memcpy(m->body + nest, &attribute, sizeof attribute);
}

/* What one message of the answer means: 1, there will be more; 0, that was
 * all; -1 and errno, it failed. */
static int take(const struct nlmsghdr *h, netlink_answer_fn *answer,
                void *context)
{
    if (h->nlmsg_type == NLMSG_DONE)
        return 0;
    if (h->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(h);
        if (h->nlmsg_len < NLMSG_LENGTH(sizeof *error)) {
            errno = EPROTO;
            return -1;
        }
        errno = -error->error;
        return error->error == 0 ? 0 : -1;
    }
    if (answer != NULL)
        answer(NLMSG_DATA(h), h->nlmsg_len - NLMSG_HDRLEN, context);
    return (h->nlmsg_flags & NLM_F_MULTI) != 0;
}

/* The same for all messages in LEN bytes of answer. */
static int take_all(const char *bytes, size_t len, netlink_answer_fn *answer,
                    void *context)
{
    size_t at = 0;
    while (at < len && len - at >= NLMSG_HDRLEN) {
        const struct nlmsghdr *h = (const void *)(bytes + at);
        if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > len - at)
            break;
        int more = take(h, answer, context);
        if (more <= 0)
            return more;
        at += NLMSG_ALIGN(h->nlmsg_len);
    }
    return 1;
}

int netlink_ask(int fd, struct netlink *m, netlink_answer_fn *answer,
                void *context)
{
    if (m->full) {
        errno = EMSGSIZE;
        return -1;
    }
    if (answer == NULL)
        m->header.nlmsg_flags |= NLM_F_ACK;
    m->header.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + m->len);
    struct iovec parts[] = {{&m->header, NLMSG_HDRLEN}, {m->body, m->len}};
    if (writev(fd, parts, 2) < 0)
        return -1;

    for (;;) {
        union {
            struct nlmsghdr header;
            char bytes[32768]; /* the kernel's own limit for a dump */
        } in;
        ssize_t got = recv(fd, &in, sizeof in, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        int more = take_all(in.bytes, (size_t)got, answer, context);
        if (more <= 0)
            return more;
    }
}
