/* SPDX-License-Identifier: MIT
 *
 * udp_load: datagrams to an echo server at a steady rate, from several sockets
 * in turn, and how long each took to come back, counted from when it was due.
 * Prints one JSON object: sent, received, lost, p50_ns, p99_ns, max_ns.
 * Read next: ../../tcp_client/load.c, which does the same for TCP.
 */
#include "clock.h"
#include "hist.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { SIZE = 64, EVENTS = 256, MAX_SOCKETS = 10000 };

struct message {
    uint64_t number, due_ns;
    char rest[SIZE - 16];
};

struct load {
    int epoll, sockets, fd[MAX_SOCKETS];
    uint64_t count, interval_ns, begin_ns, sent, received;
    unsigned char *seen; /* by number: a duplicate is not counted */
    struct hist rtt;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void open_sockets(struct load *l, const char *host, const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)atoi(port))};
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
        die(host);
    l->epoll = epoll_create1(0);
    for (int i = 0; i < l->sockets; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = 0};
        e.data.fd = l->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (l->fd[i] < 0 ||
            connect(l->fd[i], (struct sockaddr *)&a, sizeof a) < 0 ||
            epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->fd[i], &e) < 0)
            die("socket");
    }
}

static void receive(struct load *l, int fd)
{
    struct message m;
    while (recv(fd, &m, sizeof m, 0) == (ssize_t)sizeof m) {
        if (m.number >= l->count || l->seen[m.number])
            continue;
        l->seen[m.number] = 1;
        l->received++;
        hist_add(&l->rtt, clock_now_ns() - m.due_ns);
    }
}

/* Waits for replies until the next datagram is due. */
static void wait_until(struct load *l, uint64_t due_ns)
{
    struct epoll_event ready[EVENTS];
    uint64_t now = clock_now_ns();
    uint64_t left = due_ns > now ? due_ns - now : 0;
    struct timespec t = {(time_t)(left / CLOCK_S), (long)(left % CLOCK_S)};
    int n = epoll_pwait2(l->epoll, ready, EVENTS, &t, NULL);
    for (int i = 0; i < n; i++)
        receive(l, ready[i].data.fd);
}

int main(int argc, char **argv)
{
    static struct load l;
    if (argc != 6) {
        fprintf(stderr, "usage: udp_load HOST PORT SOCKETS RATE COUNT\n");
        return 2;
    }
    l.sockets = atoi(argv[3]);
    l.interval_ns = CLOCK_S / (uint64_t)atoi(argv[4]);
    l.count = (uint64_t)atoi(argv[5]);
    l.seen = calloc(l.count, 1);
    if (l.sockets > MAX_SOCKETS || l.seen == NULL)
        die("udp_load");
    open_sockets(&l, argv[1], argv[2]);
    l.begin_ns = clock_now_ns();
    while (l.sent < l.count) {
        struct message m = {.number = l.sent};
        m.due_ns = l.begin_ns + l.sent * l.interval_ns;
        while (clock_now_ns() < m.due_ns)
            wait_until(&l, m.due_ns);
        if (send(l.fd[l.sent % (uint64_t)l.sockets], &m, sizeof m, 0) < 0 &&
            errno != EAGAIN)
            die("send");
        l.sent++;
    }
    uint64_t end_ns = clock_now_ns() + CLOCK_S; /* for what is on its way */
    while (l.received < l.count && clock_now_ns() < end_ns)
        wait_until(&l, end_ns);
    printf("{\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"p50_ns\":%llu,"
           "\"p99_ns\":%llu,\"max_ns\":%llu}\n",
           (unsigned long long)l.sent, (unsigned long long)l.received,
           (unsigned long long)(l.sent - l.received),
           (unsigned long long)hist_percentile(&l.rtt, 50),
           (unsigned long long)hist_percentile(&l.rtt, 99),
           (unsigned long long)l.rtt.max_ns);
    return 0;
}
