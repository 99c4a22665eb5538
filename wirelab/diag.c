/* SPDX-License-Identifier: MIT
 *
 * diag: asking the kernel about sockets. See diag.h for the contract.
 */
#include "diag.h"

#include "netlink.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

/* The kernel's numbers (include/net/tcp_states.h), which TCP_INFO shows too:
 * its SYN_RECV is RFC 9293's SYN_RCVD, its CLOSE no socket to speak of. */
enum {
    KERNEL_TIME_WAIT = 6,
    KERNEL_CLOSE = 7,
    KERNEL_LISTEN = 10,
};
static const enum tcp_state states[] = {
    TCP_STATE_NONE,      TCP_STATE_ESTABLISHED, TCP_STATE_SYN_SENT,
    TCP_STATE_SYN_RCVD,  TCP_STATE_FIN_WAIT_1,  TCP_STATE_FIN_WAIT_2,
    TCP_STATE_TIME_WAIT, TCP_STATE_NONE,        TCP_STATE_CLOSE_WAIT,
    TCP_STATE_LAST_ACK,  TCP_STATE_LISTEN,      TCP_STATE_CLOSING,
    TCP_STATE_SYN_RCVD,
};

static enum tcp_state state_of(uint8_t kernel)
{
    return kernel < sizeof states / sizeof *states ? states[kernel]
                                                   : TCP_STATE_NONE;
}

/* The address bytes of A go to TO; how the kernel keeps them in its ids. */
static void put_ip(const struct addr *a, void *to)
{
    if (a->sa.sa_family == AF_INET)
        memcpy(to, &a->in.sin_addr, sizeof a->in.sin_addr);
    else
        memcpy(to, &a->in6.sin6_addr, sizeof a->in6.sin6_addr);
}

static void get_addr(uint8_t family, const void *ip, uint16_t port,
                     struct addr *a)
{
    memset(a, 0, sizeof *a);
    a->sa.sa_family = family;
    if (family == AF_INET) {
        a->len = sizeof a->in;
        a->in.sin_port = port;
        memcpy(&a->in.sin_addr, ip, sizeof a->in.sin_addr);
    } else if (family == AF_INET6) {
        a->len = sizeof a->in6;
        a->in6.sin6_port = port;
        memcpy(&a->in6.sin6_addr, ip, sizeof a->in6.sin6_addr);
        *a = addr_unmap(a);
    }
}

struct exact {
    uint8_t state;
    struct tcp_info *info; /* NULL: only the state is asked for */
    bool has_info;
};

/* Finds the attribute INET_DIAG_INFO behind the message's fixed part. */
static bool take_info(const char *data, size_t len, struct tcp_info *info)
{
    size_t at = NLMSG_ALIGN(sizeof(struct inet_diag_msg));
    struct nlattr a;
    while (at + NLA_HDRLEN <= len) {
        memcpy(&a, data + at, sizeof a);
        if (a.nla_len < NLA_HDRLEN || a.nla_len > len - at)
            return false;
        size_t size = a.nla_len - (size_t)NLA_HDRLEN;
        if (a.nla_type == INET_DIAG_INFO) {
            memcpy(info, data + at + NLA_HDRLEN,
                   size < sizeof *info ? size : sizeof *info);
            return true;
        }
        at += NLA_ALIGN(a.nla_len);
    }
    return false;
}

static void see_exact(const void *data, size_t len, void *context)
{
    struct exact *x = context;
    const struct inet_diag_msg *m = data;
    if (len < sizeof *m)
        return;
    x->state = m->idiag_state;
    if (x->info != NULL)
        x->has_info = take_info(data, len, x->info);
}

static int ask_exact(int fd, const struct addr *local, const struct addr *peer,
                     struct exact *x)
{
    struct inet_diag_req_v2 request = {
        .sdiag_family = (uint8_t)local->sa.sa_family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_ext = x->info != NULL ? 1 << (INET_DIAG_INFO - 1) : 0,
        .idiag_states = UINT32_MAX,
        .id = {.idiag_sport = htons(addr_port(local)),
               .idiag_dport = htons(addr_port(peer)),
               .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
    };
    put_ip(local, request.id.idiag_src);
    put_ip(peer, request.id.idiag_dst);
    struct netlink m;
    netlink_begin(&m, SOCK_DIAG_BY_FAMILY, 0, &request, sizeof request);
    return netlink_ask(fd, &m, see_exact, x);
}

enum tcp_state diag_state(int fd, const struct addr *local,
                          const struct addr *peer)
{
    struct exact x = {KERNEL_CLOSE, NULL, false};
    if (ask_exact(fd, local, peer, &x) < 0 || x.state == KERNEL_LISTEN)
        return TCP_STATE_NONE;
    return state_of(x.state);
}

int diag_info(int fd, const struct addr *local, const struct addr *peer,
              struct tcp_info *info)
{
    struct exact x = {KERNEL_CLOSE, info, false};
    memset(info, 0, sizeof *info);
    if (ask_exact(fd, local, peer, &x) < 0 || x.state == KERNEL_LISTEN)
        return -1;
    return x.has_info ? 0 : -1;
}

struct list {
    diag_fn *fn;
    void *context;
};

static void see_listed(const void *data, size_t len, void *context)
{
    const struct list *list = context;
    const struct inet_diag_msg *m = data;
    if (len < sizeof *m)
        return;
    struct diag_socket s = {.state = state_of(m->idiag_state),
                            .receive_queue = m->idiag_rqueue,
                            .send_queue = m->idiag_wqueue,
                            .inode = m->idiag_inode};
    get_addr(m->idiag_family, m->id.idiag_src, m->id.idiag_sport, &s.local);
    if (m->id.idiag_dport != 0)
        get_addr(m->idiag_family, m->id.idiag_dst, m->id.idiag_dport, &s.peer);
    list->fn(&s, list->context);
}

/* Both families in turn; STATES is a mask of the kernel's numbers. */
static int ask_list(int fd, int proto, uint32_t states_mask, diag_fn *fn,
                    void *context)
{
    struct list list = {fn, context};
    static const uint8_t families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < sizeof families; i++) {
        struct inet_diag_req_v2 request = {.sdiag_family = families[i],
                                           .sdiag_protocol = (uint8_t)proto,
                                           .idiag_states = states_mask};
        struct netlink m;
        netlink_begin(&m, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request,
                      sizeof request);
        if (netlink_ask(fd, &m, see_listed, &list) < 0)
            return -1;
    }
    return 0;
}

int diag_listeners(int fd, int proto, diag_fn *fn, void *context)
{
    /* An unconnected UDP socket is in the kernel's state CLOSE. */
    uint32_t state = proto == IPPROTO_TCP ? KERNEL_LISTEN : KERNEL_CLOSE;
    return ask_list(fd, proto, 1u << state, fn, context);
}

int diag_connections(int fd, diag_fn *fn, void *context)
{
    const uint32_t without =
        1u << KERNEL_LISTEN | 1u << KERNEL_CLOSE | 1u << KERNEL_TIME_WAIT;
    return ask_list(fd, IPPROTO_TCP, ~without, fn, context);
}
