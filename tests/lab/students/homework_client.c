/* SPDX-License-Identifier: MIT
 *
 * homework_client: the other half of the exercise. Says hello, and reads until
 * as much has come back: a stream may give it in pieces.
 * Read next: tcp_server.py, the same in ten lines.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *text = "hello\n";
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *to;
    if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0) {
        fprintf(stderr, "usage: homework_client HOST PORT\n");
        return 2;
    }
    int sock = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(sock, to->ai_addr, to->ai_addrlen) == -1) {
        perror("homework_client");
        return 1;
    }
    char buf[512];
    size_t got = 0;
    ssize_t n = write(sock, text, strlen(text));
    while (n > 0 && got < strlen(text)) {
        n = read(sock, buf, sizeof buf);
        if (n > 0)
            got += fwrite(buf, 1, (size_t)n, stdout);
    }
    close(sock);
    freeaddrinfo(to);
    return got == strlen(text) ? 0 : 1;
}
