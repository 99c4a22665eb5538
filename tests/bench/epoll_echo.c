/* SPDX-License-Identifier: MIT
 *
 * epoll_echo: the least that a server of many clients can do, to compare with.
 * epoll, accept4, recv, send; no time-outs, no limits, no log, and a client
 * that does not take its reply is dropped. What tcp_server --model event costs
 * beyond this is the price of all that.
 * Read next: run.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, EVENTS = 1024, BACKLOG = 4096 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int epoll, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
        die("epoll_ctl");
}

/* A socket on a free port of 127.0.0.1, which the ready line tells. */
static int listener(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int lfd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (lfd < 0 || bind(lfd, (struct sockaddr *)&a, len) < 0 ||
        listen(lfd, BACKLOG) < 0 ||
        getsockname(lfd, (struct sockaddr *)&a, &len) < 0)
        die("listen");
    printf("listening tcp 127.0.0.1:%u\n", ntohs(a.sin_port));
    fflush(stdout);
    return lfd;
}

static void serve(int cfd)
{
    static char buf[BUFFER];
    ssize_t n = recv(cfd, buf, sizeof buf, MSG_DONTWAIT);
    if (n <= 0 || send(cfd, buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
        close(cfd); /* epoll forgets it */
}

int main(void)
{
    static struct epoll_event ready[EVENTS];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int lfd = listener(), epoll = epoll_create1(0), cfd;
    watch(epoll, lfd);
    for (;;) {
        int n = epoll_wait(epoll, ready, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd != lfd)
                serve(ready[i].data.fd);
            else
                while ((cfd = accept4(lfd, NULL, NULL, 0)) >= 0)
                    watch(epoll, cfd);
        }
    }
}
