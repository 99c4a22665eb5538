/* SPDX-License-Identifier: MIT
 *
 * flood: clients as bad as they come: each sends all that it can and never
 * reads. Prints how many bytes were taken.
 * Read next: ../../common/ev_tcp.c, send_or_keep.
 */
#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, MAX_CLIENTS = 18000 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A connection to the port, which then does not wait in send. */
static int open_one(const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)atoi(port)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        die("connect");
    return fd;
}

int main(int argc, char **argv)
{
    static int fd[MAX_CLIENTS];
    static const char chunk[CHUNK];
    if (argc != 4) {
        fprintf(stderr, "usage: flood PORT CLIENTS SECONDS\n");
        return 2;
    }
    int clients = atoi(argv[2]);
    if (clients > MAX_CLIENTS)
        die(argv[2]);
    for (int i = 0; i < clients; i++)
        fd[i] = open_one(argv[1]);
    uint64_t sent = 0, end_ns = clock_now_ns() + atoi(argv[3]) * CLOCK_S;
    while (clock_now_ns() < end_ns) {
        const struct timespec pause = {.tv_nsec = 1000000};
        for (int i = 0; i < clients; i++) {
            ssize_t n =
                send(fd[i], chunk, sizeof chunk, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN)
                die("send");
            sent += n > 0 ? (uint64_t)n : 0;
        }
        nanosleep(&pause, NULL);
    }
    printf("{\"clients\":%d,\"sent_bytes\":%llu}\n", clients,
           (unsigned long long)sent);
    return 0;
}
