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
    const char *ask;
    bool raw;
    struct measure measure;
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

static int prepare(const struct client *c, int fd, struct err *e)
{
    const struct addr *peer = &c->peer;
    struct addr source;
    if (c->broadcast && sock_setsockopt(fd, SOL_SOCKET, SO_BROADCAST, 1, e) < 0)
        return -1;
    if (c->ttl != 0 && set_ttl(fd, peer, (int)c->ttl, e) < 0)
        return -1;
    if (sock_rcvbuf(fd, c->rcvbuf, e) < 0)
        return -1;
    if (c->source == NULL)
        return 0;
    if (addr_parse(c->source, &source, e) < 0)
        return -1;
    if (source.sa.sa_family != peer->sa.sa_family)
        return err_set(e, STATUS_USAGE,
                       "--source %.64s: not of the server's address family",
                       c->source);
    return sock_bind(fd, &source, e);
}

/* lab: connect */
int client_open(const struct client *c, struct err *e)
{
    int fd = sock_socket(c->peer.sa.sa_family, SOCK_DGRAM, e);
    if (fd < 0)
        return -1;
    if (prepare(c, fd, e) < 0)
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
static int open_any(struct cli *cli, struct client *c, struct err *e)
{
    struct addr_list list;
    if (addr_resolve(cli->argv[0], cli->argv[1], cli_family(cli), SOCK_DGRAM,
                     &list, e) < 0)
        return -1;
    for (size_t i = 0; i < list.count && c->fd < 0; i++) {
        c->peer = list.at[i];
        c->anybody = c->broadcast || addr_is_multicast(&c->peer);
        c->unconnected = c->unconnected || c->anybody;
        c->fd = client_open(c, e);
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
    int result = o->measure.ping     ? ping_run(c, &o->measure, &e)
                 : o->measure.stream ? stream_run(c, &o->measure, &e)
                 : o->ask != NULL    ? ask_run(c, o->ask, &e)
                                     : pipe_run(c, &e);
    int status = result < 0 ? cli_fail(cli, &e) : STATUS_OK;
    if (stop_signal() != 0)
        status = 128 + stop_signal();
    sock_close(c->fd);
    if (!o->measure.ping && !o->measure.stream) /* they say their own */
        log_end(c, status);
    return cli_end(cli, status);
}

/* What does not go together is refused, not ignored. NULL, or why. */
static const char *unfit(const struct options *o, const struct client *c)
{
    bool measures = o->measure.ping || o->measure.stream;
    if (c->chomp && c->block != 0)
        return _("--chomp is for lines, --block for blocks");
    if (measures && (o->ask != NULL || c->chomp || c->block != 0 || o->raw))
        return _(
            "--ping and --stream make their own datagrams: --ask, --chomp, "
            "--block and --raw are for others");
    if (measures && c->timeout_ns == 0)
        return _("--ping and --stream need a --timeout");
    if (o->measure.stream && (c->unconnected || c->broadcast))
        return _(
            "--stream is for one peer: not --unconnected, not --broadcast");
    if (!o->measure.stream &&
        (o->measure.duration_ns != 0 || o->measure.rate_bps != 0))
        return _("--duration and --rate are for --stream");
    if (!measures && o->measure.size != 0)
        return _("--size is for --ping and --stream");
    return measure_unfit(&o->measure);
}

static int run(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    c->out = &cli->out;
    c->escape = !o->raw && isatty(STDOUT_FILENO);
    if (open_any(cli, c, &e) < 0) {
        log_end(c, (int)e.status);
        return cli_fail(cli, &e);
    }
    return talk(cli, o, c);
}

/* What follows from the options, and whether they go together. */
static int settle(struct options *o, struct client *c, struct err *e)
{
    const char *why = unfit(o, c);
    if (why != NULL)
        return err_set(e, STATUS_USAGE, "%s", why);
    o->measure.timeout_ns = c->timeout_ns;
    bool measures = o->measure.ping || o->measure.stream;
    return measures ? measure_begin(&o->measure, 64, 1400, DATAGRAM_MAX, e)
                    : cost_pin(o->measure.cpu, e);
}

/* The command line: a row an option. False: the program ends with *status. */
static bool read_options(struct cli *cli, struct options *o, struct client *c,
                         int argc, char **argv, int *status)
{
    const struct opt table[] = {
        {"ask", 0, "TEXT", opt_text, &o->ask, 0, 0,
         N_("send TEXT as a line, print the reply")},
        {"chomp", 0, NULL, opt_flag, &c->chomp, 0, 0,
         N_("leave each line's newline out")},
        {"block", 0, "SIZE", opt_size, &c->block, 1, DATAGRAM_BUFFER,
         N_("send blocks of SIZE bytes, not lines")},
        {"timeout", 't', "DUR", opt_duration, &c->timeout_ns, 0, 0,
         N_("wait so long for replies (1s); 0: only send")},
        {"unconnected", 0, NULL, opt_flag, &c->unconnected, 0, 0,
         N_("use sendto and recvfrom, no connect")},
        {"broadcast", 0, NULL, opt_flag, &c->broadcast, 0, 0,
         N_("allow a broadcast address")},
        {"ttl", 0, "N", opt_number, &c->ttl, 1, 255,
         N_("links a datagram may cross; 1: no router")},
        {"source", 0, "ADDR[:PORT]", opt_text, &c->source, 0, 0,
         N_("send from this address")},
        {"rcvbuf", 0, "SIZE", opt_size, &c->rcvbuf, 1, 1 << 30,
         N_("let so much wait to be received (SO_RCVBUF)")},
        {"raw", 0, NULL, opt_flag, &o->raw, 0, 0,
         N_("do not escape bytes on a terminal")},
        OPT_MEASURE(&o->measure),
        {"duration", 0, "DUR", opt_duration, &o->measure.duration_ns, 1, 0,
         N_("stream: for so long (10s)")},
        {"size", 'l', "SIZE", opt_size, &o->measure.size, 1, 0,
         N_("of a datagram (ping: 64, stream: 1400)")},
        {"rate", 0, "RATE", opt_rate, &o->measure.rate_bps, 1, 0,
         N_("stream: pace it, in bit/s with its headers")},
        {"batch", 0, "N", opt_number, &o->measure.batch, 1, 1024,
         N_("stream: so many datagrams a call (GSO, GRO)")},
        OPT_COMMON(&cli->common),
        OPT_END};
    struct err e;
    if (!cli_begin(cli, table, argc, argv, status))
        return false;
    if (cli->argc != 2) {
        *status =
            cli_usage(cli, "needs a host and a port, such as 127.0.0.1 9000; "
                           "a text with blanks stands in quotes");
        return false;
    }
    if (settle(o, c, &e) < 0) {
        *status = cli_fail(cli, &e);
        return false;
    }
    cli_start(cli, table, argv);
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {.measure = {.interval_ns = MEASURE_UNSET}};
    struct client c = {.fd = -1, .timeout_ns = CLOCK_S};
    struct cli cli = {.program = "udp_client",
                      .operands = "HOST PORT",
                      .summary =
                          N_("Send each line of stdin as a UDP datagram; "
                             "replies go to stdout.")};
    int status;
    if (!read_options(&cli, &o, &c, argc, argv, &status))
        return status;
    return run(&cli, &o, &c);
}
