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
#include "cost.h"
#include "msg.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *ask;
    bool raw;
    const char *rate;
    struct load load;
    struct measure measure;
};

int client_send(struct client *c, const void *data, size_t len, int flags,
                struct err *e)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = sock_send(c->fd, p, len, flags, e);
        if (n < 0 && e->sys == EAGAIN)
            return err_set(e, STATUS_TIMEOUT,
                           "the server took nothing for the --timeout");
        if (n < 0)
            return -1;
        c->sent_bytes += (uint64_t)n;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

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
int client_connect(struct client *c, struct err *e)
{
    int family = c->peer.sa.sa_family;
    int fd = sock_socket(family, SOCK_STREAM, e);
    if (fd < 0)
        return -1;
    if (client_prepare(c, fd, family, e) < 0)
        goto fail;
    uint64_t begin_ns = clock_now_ns();
    if (sock_connect(fd, &c->peer, c->connect_timeout_ns, e) < 0)
        goto fail;
    c->connect_ns = clock_now_ns() - begin_ns;
    return fd;
fail:
    sock_close(fd);
    return -1;
}
/* end lab */

/* Tries each address of the name in turn, and says which does not answer. */
static int connect_any(struct cli *cli, struct client *c, struct err *e)
{
    struct addr_list list;
    if (addr_resolve(cli->argv[0], cli->argv[1], cli_family(cli), SOCK_STREAM,
                     &list, e) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        c->peer = list.at[i];
        c->fd = client_connect(c, e);
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

static void log_closed(struct client *c, const char *how)
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
    out_uint(c->out, "duration_ns", out_now_ns(c->out) - c->begin_ns);
    out_end(c->out, NULL);
}

static void log_end(struct client *c, int status)
{
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

void client_close(struct client *c, int status)
{
    close_connection(c);
    log_closed(c, how_name(c, status));
}

static int talk(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    bool measures = o->measure.ping || o->measure.stream;
    c->begin_ns = out_now_ns(c->out);
    int result = sock_getsockname(c->fd, &c->local, &e);
    if (result == 0)
        result = check_self(c, &e);
    measures = measures && result == 0;
    if (result == 0) {
        log_connected(c);
        result = o->measure.ping     ? ping_run(c, &o->measure, &e)
                 : o->measure.stream ? stream_run(c, &o->measure, &e)
                 : o->ask != NULL    ? ask_run(c, o->ask, &e)
                                     : pipe_run(c, &e);
    }
    int status = result < 0 ? cli_fail(cli, &e) : STATUS_OK;
    if (stop_signal() != 0)
        status = 128 + stop_signal();
    if (!measures) { /* they close, and say their own end */
        client_close(c, status);
        log_end(c, status);
    }
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
        result = connect_any(cli, c, &e);
        if (result == 0)
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
        return _("--fin-with-data and --no-half-close exclude each other");
    if (o->load.on && (o->ask != NULL || c->until_peer || c->no_half_close ||
                       c->fin_with_data || o->raw))
        return _("--load has connections of its own: --ask, --until-peer, "
                 "--no-half-close, --fin-with-data and --raw are for one");
    bool measures = o->measure.ping || o->measure.stream;
    if (measures && (o->load.on || o->ask != NULL || c->until_peer ||
                     c->no_half_close || c->fin_with_data || o->raw))
        return _(
            "--ping and --stream exclude each other, --load, --ask and the "
            "options of a pipe");
    if (o->measure.ping && (o->measure.duration_ns != 0 || o->rate != NULL))
        return _("--ping has a --count and an --interval");
    if ((measures || o->load.on) && c->timeout_ns == 0)
        return _("--ping, --stream and --load need a --timeout");
    if (o->load.on && c->connect_timeout_ns != 0)
        return _("--load: --timeout is for connecting too");
    const char *why = measure_unfit(&o->measure);
    return why != NULL ? why : load_unfit(&o->load);
}

/* --duration, --size and --rate mean the same to a load and to a measurement,
 * except that a load's rate is in requests. 0, or -1 and *e. */
static int share_options(struct options *o, const struct client *c,
                         struct err *e)
{
    const struct opt rate = {
        .name = "rate", .value = &o->measure.rate_bps, .min = 1};
    o->measure.timeout_ns = c->timeout_ns;
    if (o->measure.stream)
        return o->rate != NULL ? opt_rate(o->rate, &rate, e) : 0;
    if (o->measure.ping)
        return 0;
    o->load.duration_ns = o->measure.duration_ns;
    o->load.size = o->measure.size;
    return o->rate != NULL ? opt_parse_number(o->rate, "--rate", 1, 10000000,
                                              &o->load.rate, e)
                           : 0;
}

/* What was not asked for, and where it runs. 0, or -1 and *e. */
static int prepare_work(struct options *o, struct err *e)
{
    load_defaults(&o->load);
    if (!o->measure.ping && !o->measure.stream)
        return cost_pin(o->measure.cpu, e);
    return measure_begin(&o->measure, 64, 1 << 20,
                         o->measure.ping ? 65536 : MSG_MAX, e);
}

static int run(struct cli *cli, const struct options *o, struct client *c)
{
    struct err e;
    c->out = &cli->out;
    c->escape = !o->raw && isatty(STDOUT_FILENO);
    if (o->load.on)
        return run_load(cli, o, c);
    if (connect_any(cli, c, &e) == 0)
        return talk(cli, o, c);
    int status = stop_signal() != 0 ? 128 + stop_signal() : cli_fail(cli, &e);
    log_end(c, status);
    return status;
}

/* What follows from the options, and whether they go together. */
static int settle(struct options *o, struct client *c, struct err *e)
{
    bool waits = o->ask != NULL || o->load.on || o->measure.stream;
    if (c->timeout_ns == MEASURE_UNSET)
        c->timeout_ns = o->measure.ping ? CLOCK_S : waits ? 10 * CLOCK_S : 0;
    if (share_options(o, c, e) < 0)
        return -1;
    const char *why = unfit(o, c);
    if (why != NULL)
        return err_set(e, STATUS_USAGE, "%s", why);
    return prepare_work(o, e);
}

/* The command line: a row an option. False: the program ends with *status. */
static bool read_options(struct cli *cli, struct options *o, struct client *c,
                         int argc, char **argv, int *status)
{
    const struct opt table[] = {
        {"ask", 0, "TEXT", opt_text, &o->ask, 0, 0,
         N_("send TEXT as a line, print the reply, close")},
        {"until-peer", 0, NULL, opt_flag, &c->until_peer, 0, 0,
         N_("end when the server has closed its side")},
        {"no-half-close", 0, NULL, opt_flag, &c->no_half_close, 0, 0,
         N_("send no FIN at the end of input")},
        {"fin-with-data", 0, NULL, opt_flag, &c->fin_with_data, 0, 0,
         N_("send the last bytes and FIN in one segment")},
        {"reset", 0, NULL, opt_flag, &c->reset, 0, 0,
         N_("close with RST, not FIN")},
        {"nodelay", 0, NULL, opt_flag, &c->nodelay, 0, 0,
         N_("send small segments at once (TCP_NODELAY)")},
        {"source", 0, "ADDR[:PORT]", opt_text, &c->source, 0, 0,
         N_("connect from this address")},
        {"connect-timeout", 0, "DUR", opt_duration, &c->connect_timeout_ns, 0,
         0, N_("give up connecting after so long")},
        {"timeout", 't', "DUR", opt_duration, &c->timeout_ns, 0, 0,
         N_("end after so long a silence (ping: 1s, else 10s)")},
        {"congestion", 0, "NAME", opt_text, &c->congestion, 0, 0,
         N_("TCP congestion control")},
        {"raw", 0, NULL, opt_flag, &o->raw, 0, 0,
         N_("do not escape bytes on a terminal")},
        {"load", 0, NULL, opt_flag, &o->load.on, 0, 0,
         N_("load an echo server with many connections")},
        {"connections", 0, "N", opt_number, &o->load.connections, 1, 1000000,
         N_("load: so many at once (10)")},
        {"busy", 0, "N", opt_number, &o->load.busy, 1, 1000000,
         N_("load: of them, with a request under way (all)")},
        {"requests", 0, "N", opt_number, &o->load.requests, 1, 0,
         N_("load: on each connection, which then ends")},
        OPT_MEASURE(&o->measure),
        {"duration", 0, "DUR", opt_duration, &o->measure.duration_ns, 1, 0,
         N_("load, stream: for so long (10s)")},
        {"size", 'l', "SIZE", opt_size, &o->measure.size, 1, MSG_MAX,
         N_("of a request or message (64; stream: 1Mi)")},
        {"rate", 0, "RATE", opt_text, &o->rate, 0, 0,
         N_("load: requests a second in all; stream: bit/s")},
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
    struct client c = {.fd = -1, .timeout_ns = MEASURE_UNSET};
    struct cli cli = {.program = "tcp_client",
                      .operands = "HOST PORT",
                      .summary =
                          N_("Connect stdin and stdout to a TCP server.")};
    int status;
    if (!read_options(&cli, &o, &c, argc, argv, &status))
        return status;
    return run(&cli, &o, &c);
}
