/* SPDX-License-Identifier: MIT
 *
 * tcp_client: socket, connect, and then what the options ask for. The two
 * calls stand in open_connection.
 * Read next: ask.c, then pipe.c, then load.c.
 */
#include "client.h"
#include "load.h"

#include "cli.h"
#include "clock.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *ask;
    bool raw;
    uint64_t connect_timeout_ns;
    struct load load;
};

int client_deliver(struct client *c, const void *data, size_t len,
                   struct err *e)
{
    if (!c->out->json)
        return out_bytes(c->out, data, len, c->escape, e);
    out_begin(c->out, "data");
    out_uint(c->out, "bytes", len);
    out_base64(c->out, "base64", data, len);
    out_end(c->out, NULL);
    return out_check(c->out, e);
}

int client_prepare(const struct client *c, int fd, int family, struct err *e)
{
    struct addr source;
    if (c->nodelay && sock_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1, e) < 0)
        return -1;
    if (c->congestion != NULL &&
        sock_setsockopt_raw(fd, IPPROTO_TCP, TCP_CONGESTION, c->congestion,
                            (socklen_t)strlen(c->congestion), e) < 0)
        return -1;
    if (c->source == NULL)
        return 0;
    if (addr_parse(c->source, &source, e) < 0)
        return -1;
    if (source.sa.sa_family != family)
        return err_set(e, STATUS_USAGE,
                       "--source %.64s: not of the server's address family",
                       c->source);
    return sock_bind(fd, &source, e);
}

/* lab: connect */
static int open_connection(const struct client *c, const struct options *o,
                           struct err *e)
{
    int family = c->peer.sa.sa_family;
    int fd = sock_socket(family, SOCK_STREAM, e);
    if (fd < 0)
        return -1;
    if (client_prepare(c, fd, family, e) < 0)
        goto fail;
    if (sock_connect(fd, &c->peer, o->connect_timeout_ns, e) < 0)
        goto fail;
    return fd;
fail:
    sock_close(fd);
    return -1;
}
/* end lab */

/* Tries each address of the name in turn, and says which does not answer. */
static int connect_any(struct cli *cli, const struct options *o,
                       struct client *c, struct err *e)
{
    struct addr_list list;
    if (addr_resolve(cli->argv[0], cli->argv[1], cli_family(cli), SOCK_STREAM,
                     &list, e) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        c->peer = list.at[i];
        c->fd = open_connection(c, o, e);
        if (c->fd >= 0 || stop_signal() != 0 || e->status == STATUS_USAGE)
            return c->fd >= 0 ? 0 : -1;
        if (i + 1 < list.count) {
            char next[ADDR_TEXT];
            out_remark(&cli->out, "%s; trying %s", e->text,
                       addr_format(&list.at[i + 1], next, sizeof next));
        }
    }
    return -1;
}

/* A port that nobody has, in the range of the kernel's own choice, can be
 * given to this very socket: it then connects to itself (RFC 9293, 3.5,
 * simultaneous open). */
static int check_self(const struct client *c, struct err *e)
{
    char text[ADDR_TEXT];
    if (!addr_equal(&c->local, &c->peer))
        return 0;
    return err_set(e, STATUS_REFUSED,
                   "connect %s: nobody listens there; the socket met itself",
                   addr_format(&c->peer, text, sizeof text));
}

static void log_connected(struct client *c)
{
    char peer[ADDR_TEXT], local[ADDR_TEXT];
    out_begin(c->out, "connected");
    out_text(c->out, "proto", "tcp");
    out_uint(c->out, "conn", 1);
    out_text(c->out, "peer", addr_format(&c->peer, peer, sizeof peer));
    out_text(c->out, "local", addr_format(&c->local, local, sizeof local));
    out_end(c->out, NULL);
}

static void log_end(struct client *c, uint64_t begin_ns, const char *how,
                    int status)
{
    char peer[ADDR_TEXT], local[ADDR_TEXT];
    out_begin(c->out, "closed");
    out_text(c->out, "proto", "tcp");
    out_uint(c->out, "conn", 1);
    out_text(c->out, "peer", addr_format(&c->peer, peer, sizeof peer));
    out_text(c->out, "local", addr_format(&c->local, local, sizeof local));
    out_text(c->out, "first_closer",
             c->first_closer != NULL ? c->first_closer : "unknown");
    out_text(c->out, "how", how);
    out_uint(c->out, "received_bytes", c->received_bytes);
    out_uint(c->out, "sent_bytes", c->sent_bytes);
    out_uint(c->out, "duration_ns", out_now_ns(c->out) - begin_ns);
    out_end(c->out, NULL);
    out_begin(c->out, "end");
    out_uint(c->out, "received_bytes", c->received_bytes);
    out_uint(c->out, "sent_bytes", c->sent_bytes);
    out_bool(c->out, "partial", stop_signal() != 0 || status != 0);
    out_int(c->out, "exit_status", status);
    out_end(c->out, NULL);
}

/* close, by FIN or, as asked, by RST. */
static void close_connection(struct client *c)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (c->reset) /* if it fails the close is by FIN, which -v shows */
        sock_setsockopt_raw(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now,
                            NULL);
    sock_close(c->fd);
}

static const char *how_name(const struct client *c, int status)
{
    return c->reset || status == STATUS_RESET ? "reset"
           : status == STATUS_TIMEOUT         ? "timeout"
           : status == STATUS_OK              ? "fin"
                                              : "error";
}

static int talk(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    uint64_t begin_ns = out_now_ns(c->out);
    int result = sock_getsockname(c->fd, &c->local, &e);
    if (result == 0)
        result = check_self(c, &e);
    if (result == 0) {
        log_connected(c);
        result = o->ask != NULL ? ask_run(c, o->ask, &e) : pipe_run(c, &e);
    }
    int status = result < 0 ? cli_fail(cli, &e) : STATUS_OK;
    if (stop_signal() != 0)
        status = 128 + stop_signal();
    close_connection(c);
    log_end(c, begin_ns, how_name(c, status), status);
    return cli_end(cli, status);
}

/* Which of several addresses answers is found out by one connection more. */
static int run_load(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    struct addr_list list;
    int result = addr_resolve(cli->argv[0], cli->argv[1], cli_family(cli),
                              SOCK_STREAM, &list, &e);
    if (result == 0 && list.count > 1) {
        result = connect_any(cli, o, c, &e);
        sock_close(c->fd);
    } else if (result == 0) {
        c->peer = list.at[0];
    }
    if (result == 0)
        result = load_run(c, &o->load, &e);
    int status = result < 0 ? cli_fail(cli, &e) : STATUS_OK;
    return cli_end(cli, stop_signal() != 0 ? 128 + stop_signal() : status);
}

/* What does not go together is refused, not ignored. Returns NULL, or why. */
static const char *unfit(const struct options *o, const struct client *c)
{
    if (c->fin_with_data && c->no_half_close)
        return "--fin-with-data and --no-half-close exclude each other";
    if (o->load.on && (o->ask != NULL || c->until_peer || c->no_half_close ||
                       c->fin_with_data || o->raw))
        return "--load has connections of its own: --ask, --until-peer, "
               "--no-half-close, --fin-with-data and --raw are for one";
    if (o->load.on && o->connect_timeout_ns != 0)
        return "--load: --timeout is for connecting too";
    return load_unfit(&o->load);
}

static int run(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    if ((o->ask != NULL || o->load.on) && c->timeout_ns == 0)
        c->timeout_ns = 10 * CLOCK_S;
    c->out = &cli->out;
    c->escape = !o->raw && isatty(STDOUT_FILENO);
    if (o->load.on)
        return run_load(cli, o, c);
    if (connect_any(cli, o, c, &e) == 0)
        return talk(cli, o, c);
    return stop_signal() != 0 ? 128 + stop_signal() : cli_fail(cli, &e);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct client c = {.fd = -1};
    struct cli cli = {.program = "tcp_client",
                      .operands = "HOST PORT",
                      .summary = "Connect stdin and stdout to a TCP server."};
    const struct opt table[] = {
        {"ask", 0, "TEXT", opt_text, &o.ask, 0, 0,
         "send TEXT as a line, print the reply, close"},
        {"until-peer", 0, NULL, opt_flag, &c.until_peer, 0, 0,
         "end when the server has closed its side"},
        {"no-half-close", 0, NULL, opt_flag, &c.no_half_close, 0, 0,
         "send no FIN at the end of input"},
        {"fin-with-data", 0, NULL, opt_flag, &c.fin_with_data, 0, 0,
         "send the last bytes and FIN in one segment"},
        {"reset", 0, NULL, opt_flag, &c.reset, 0, 0, "close with RST, not FIN"},
        {"nodelay", 0, NULL, opt_flag, &c.nodelay, 0, 0,
         "send small segments at once (TCP_NODELAY)"},
        {"source", 0, "ADDR[:PORT]", opt_text, &c.source, 0, 0,
         "connect from this address"},
        {"connect-timeout", 0, "DUR", opt_duration, &o.connect_timeout_ns, 0, 0,
         "give up connecting after so long"},
        {"timeout", 't', "DUR", opt_duration, &c.timeout_ns, 0, 0,
         "end after so long a silence (--ask, --load: 10s)"},
        {"congestion", 0, "NAME", opt_text, &c.congestion, 0, 0,
         "TCP congestion control"},
        {"raw", 0, NULL, opt_flag, &o.raw, 0, 0,
         "do not escape bytes on a terminal"},
        {"load", 0, NULL, opt_flag, &o.load.on, 0, 0,
         "load an echo server with many connections"},
        {"connections", 0, "N", opt_number, &o.load.connections, 1, 1000000,
         "load: so many at once (10)"},
        {"busy", 0, "N", opt_number, &o.load.busy, 1, 1000000,
         "load: of them, with a request under way (all)"},
        {"requests", 0, "N", opt_number, &o.load.requests, 1, 0,
         "load: on each connection, which then ends"},
        {"duration", 0, "DUR", opt_duration, &o.load.duration_ns, 1, 0,
         "load: for so long (10s, unless --requests)"},
        {"size", 'l', "SIZE", opt_size, &o.load.size, 1, 1 << 24,
         "load: of a request (64)"},
        {"rate", 0, "N", opt_number, &o.load.rate, 1, 10000000,
         "load: requests a second in all (no limit)"},
        OPT_COMMON(&cli.common),
        OPT_END};
    int status;
    if (!cli_begin(&cli, table, argc, argv, &status))
        return status;
    if (cli.argc != 2)
        return cli_usage(&cli, "needs a host and a port");
    const char *why = unfit(&o, &c);
    if (why != NULL)
        return cli_usage(&cli, "%s", why);
    load_defaults(&o.load);
    cli_start(&cli, table, argv);
    return run(&cli, &o, &c);
}
