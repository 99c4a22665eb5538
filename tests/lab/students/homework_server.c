/* SPDX-License-Identifier: MIT
 *
 * homework_server: what a course's first exercise in C looks like. One client
 * at a time, whatever it says is said back; read and write, as for a file.
 * Read next: homework_client.c.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    addr.sin_port = htons(argc > 1 ? (in_port_t)atoi(argv[1]) : 9000);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) == -1 ||
        listen(listener, 5) == -1) {
        perror("homework_server");
        return 1;
    }
    char buf[512];
    ssize_t n;
    int conn;
    while ((conn = accept(listener, NULL, NULL)) != -1) {
        while ((n = read(conn, buf, sizeof buf)) > 0)
            if (write(conn, buf, (size_t)n) != n)
                break;
        close(conn);
    }
    perror("homework_server");
    return 1;
}
