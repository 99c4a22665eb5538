/* SPDX-License-Identifier: MIT
 *
 * udp_client: socket, and it can send. connect is not needed; it makes no
 * connection, it only notes the peer, and with that the kernel can report that
 * nobody is there. --unconnected does without.
 * Read next: ask.c, then pipe.c. Twin: ../tcp_client/main.c.
 */
#include "client.h"

#include "cli.h"
#include "clock.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *ask, *source;
    bool broadcast, raw;
    uint64_t ttl;
};

int client_send(struct client *c, const void *data, size_t len, struct err *e)
{
    ssize_t n = c->unconnected ? sock_sendto(c->fd, data, len, &c->peer, e)
                               : sock_send(c->fd, data, len, 0, e);
    if (n < 0)
        return -1;
    c->sent++;
    c->sent_bytes += len;
    return 0;
}

static int deliver(struct client *c, const struct addr *from, const void *data,
                   size_t len, struct err *e)
{
    char text[ADDR_TEXT];
    c->received++;
    c->received_bytes += len;
    if (!c->out->json)
        return out_bytes(c->out, data, len, c->escape, e);
    out_begin(c->out, "datagram");
    out_text(c->out, "peer", addr_format(from, text, sizeof text));
    out_uint(c->out, "bytes", len);
    out_bool(c->out, "truncated", false);
    out_end(c->out, NULL);
    out_begin(c->out, "data");
    out_uint(c->out, "bytes", len);
    out_base64(c->out, "base64", data, len);
    out_end(c->out, NULL);
    return out_check(c->out, e);
}

int client_receive(struct client *c, int flags, struct err *e)
{
    char buf[DATAGRAM_BUFFER], text[ADDR_TEXT];
    struct addr from = c->peer;
    ssize_t n = c->unconnected ? sock_recvfrom(c->fd, buf, sizeof buf, flags,
                                               &from, NULL, e)
                               : sock_recv(c->fd, buf, sizeof buf, flags, e);
    if (n < 0)
        return e->sys == EAGAIN || e->sys == EINTR ? 0 : -1;
    if (!c->anybody && !addr_equal(&from, &c->peer)) {
        out_remark(c->out, "a datagram from %s, not from the peer: ignored",
                   addr_format(&from, text, sizeof text));
        return 0;
    }
    return deliver(c, &from, buf, (size_t)n, e) < 0 ? -1 : 1;
}

static int set_ttl(int fd, const struct addr *peer, int ttl, struct err *e)
{
    bool group = addr_is_multicast(peer);
    if (peer->sa.sa_family == AF_INET)
        return sock_setsockopt(fd, IPPROTO_IP,
                               group ? IP_MULTICAST_TTL : IP_TTL, ttl, e);
    return sock_setsockopt(fd, IPPROTO_IPV6,
                           group ? IPV6_MULTICAST_HOPS : IPV6_UNICAST_HOPS, ttl,
                           e);
}

static int prepare(int fd, const struct addr *peer, const struct options *o,
                   struct err *e)
{
    struct addr source;
    if (o->broadcast && sock_setsockopt(fd, SOL_SOCKET, SO_BROADCAST, 1, e) < 0)
        return -1;
    if (o->ttl != 0 && set_ttl(fd, peer, (int)o->ttl, e) < 0)
        return -1;
    if (o->source == NULL)
        return 0;
    if (addr_parse(o->source, &source, e) < 0)
        return -1;
    if (source.sa.sa_family != peer->sa.sa_family)
        return err_set(e, STATUS_USAGE,
                       "--source %.64s: not of the server's address family",
                       o->source);
    return sock_bind(fd, &source, e);
}

/* lab: connect */
static int open_socket(struct client *c, const struct options *o, struct err *e)
{
    int fd = sock_socket(c->peer.sa.sa_family, SOCK_DGRAM, e);
    if (fd < 0)
        return -1;
    if (prepare(fd, &c->peer, o, e) < 0)
        goto fail;
    if (!c->unconnected && sock_connect(fd, &c->peer, 0, e) < 0)
        goto fail;
    return fd;
fail:
    sock_close(fd);
    return -1;
}
/* end lab */

/* The first address of the name that this machine can send to. Whether anybody
 * is there, no call can tell. */
static int open_any(struct cli *cli, const struct options *o, struct client *c,
                    struct err *e)
{
    struct addr_list list;
    if (addr_resolve(cli->argv[0], cli->argv[1], cli_family(cli), SOCK_DGRAM,
                     &list, e) < 0)
        return -1;
    for (size_t i = 0; i < list.count && c->fd < 0; i++) {
        c->peer = list.at[i];
        c->anybody = o->broadcast || addr_is_multicast(&c->peer);
        c->unconnected = c->unconnected || c->anybody;
        c->fd = open_socket(c, o, e);
    }
    return c->fd < 0 ? -1 : 0;
}

static void log_end(struct client *c, int status)
{
    out_begin(c->out, "end");
    out_uint(c->out, "sent", c->sent);
    out_uint(c->out, "received", c->received);
    out_uint(c->out, "sent_bytes", c->sent_bytes);
    out_uint(c->out, "received_bytes", c->received_bytes);
    out_bool(c->out, "partial", stop_signal() != 0 || status != 0);
    out_int(c->out, "exit_status", status);
    out_end(c->out, NULL);
}

static int talk(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    int result = o->ask != NULL ? ask_run(c, o->ask, &e) : pipe_run(c, &e);
    int status = result < 0 ? cli_fail(cli, &e) : STATUS_OK;
    if (stop_signal() != 0)
        status = 128 + stop_signal();
    sock_close(c->fd);
    log_end(c, status);
    return cli_end(cli, status);
}

static int run(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    if (c->chomp && c->block != 0)
        return cli_usage(cli, "--chomp is for lines, --block for blocks");
    c->out = &cli->out;
    c->escape = !o->raw && isatty(STDOUT_FILENO);
    if (open_any(cli, o, c, &e) < 0)
        return cli_fail(cli, &e);
    return talk(cli, o, c);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct client c = {.fd = -1, .timeout_ns = CLOCK_S};
    struct cli cli = {.program = "udp_client",
                      .operands = "HOST PORT",
                      .summary = "Send each line of stdin as a UDP datagram; "
                                 "replies go to stdout."};
    const struct opt table[] = {
        {"ask", 0, "TEXT", opt_text, &o.ask, 0, 0,
         "send TEXT as a line, print the reply"},
        {"chomp", 0, NULL, opt_flag, &c.chomp, 0, 0,
         "leave each line's newline out"},
        {"block", 0, "SIZE", opt_size, &c.block, 1, DATAGRAM_BUFFER,
         "send blocks of SIZE bytes, not lines"},
        {"timeout", 't', "DUR", opt_duration, &c.timeout_ns, 0, 0,
         "wait so long for replies (1s); 0: only send"},
        {"unconnected", 0, NULL, opt_flag, &c.unconnected, 0, 0,
         "use sendto and recvfrom, no connect"},
        {"broadcast", 0, NULL, opt_flag, &o.broadcast, 0, 0,
         "allow a broadcast address"},
        {"ttl", 0, "N", opt_number, &o.ttl, 1, 255,
         "routers a datagram may pass"},
        {"source", 0, "ADDR[:PORT]", opt_text, &o.source, 0, 0,
         "send from this address"},
        {"raw", 0, NULL, opt_flag, &o.raw, 0, 0,
         "do not escape bytes on a terminal"},
        OPT_COMMON(&cli.common),
        OPT_END};
    int status;
    if (!cli_begin(&cli, table, argc, argv, &status))
        return status;
    if (cli.argc != 2)
        return cli_usage(&cli, "needs a host and a port");
    cli_start(&cli, table, argv);
    return run(&cli, &o, &c);
}
