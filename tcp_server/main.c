/* SPDX-License-Identifier: MIT
 *
 * tcp_server: socket, bind, listen, and then one of several ways to serve many
 * clients (--models). The three calls stand in open_listener.
 * Read next: iterative.c.
 */
#include "server.h"

#include "cli.h"
#include "clock.h"
#include "cost.h"
#include "sock.h"
#include "stop.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <string.h>

static const struct model models[] = {
    {"iterative", N_("one client at a time; others wait in the backlog"),
     iterative_serve},
    {"fork", N_("a process for each client"), fork_serve},
    {"thread", N_("a thread for each client"), thread_serve},
    {"event", N_("one thread, and a loop that waits for all"), event_serve},
    {"bufferevent", N_("the same, but libevent makes the calls"),
     bufferevent_serve},
    {.name = NULL},
};

struct options {
    const char *model, *service, *congestion, *cpu;
    bool list_models, list_services, no_reuseaddr, nodelay, with_udp;
    uint64_t backlog;
};

enum { DEFAULT_CLIENTS = 100, MAX_CLIENTS = 100000, CLASHES = 20 };

/* A slow reader gets a small receive buffer, a second's worth, so that its
 * window closes while one watches. It must be set before listen: the window's
 * scale is told in the handshake (tcp(7)). */
static int prepare(int lfd, int family, const struct options *o,
                   const struct server *s, struct err *e)
{
    if (!o->no_reuseaddr &&
        sock_setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, 1, e) < 0)
        return -1;
    if (family == AF_INET6 &&
        sock_setsockopt(lfd, IPPROTO_IPV6, IPV6_V6ONLY, 1, e) < 0)
        return -1;
    if (o->congestion != NULL &&
        sock_setsockopt_raw(lfd, IPPROTO_TCP, TCP_CONGESTION, o->congestion,
                            (socklen_t)strlen(o->congestion), e) < 0)
        return -1;
    /* What is accepted inherits it: Linux, and most others. */
    if (o->nodelay && sock_setsockopt(lfd, IPPROTO_TCP, TCP_NODELAY, 1, e) < 0)
        return -1;
    if (s->read_rate == 0)
        return 0;
    int second = s->read_rate < INT_MAX ? (int)s->read_rate : INT_MAX;
    return sock_setsockopt(lfd, SOL_SOCKET, SO_RCVBUF, second, e);
}

/* lab: listen */
static int bind_tcp(const struct addr *a, const struct options *o,
                    const struct server *s, struct err *e)
{
    int lfd = sock_socket(a->sa.sa_family, SOCK_STREAM, e);
    if (lfd < 0)
        return -1;
    if (prepare(lfd, a->sa.sa_family, o, s, e) < 0)
        goto fail;
    if (sock_bind(lfd, a, e) < 0)
        goto fail;
    return lfd;
fail:
    sock_close(lfd);
    return -1;
}

/* UDP has ports of its own: the same number, and another socket. */
static int bind_udp(int lfd, struct err *e)
{
    struct addr a;
    if (sock_getsockname(lfd, &a, e) < 0)
        return -1;
    int fd = sock_socket(a.sa.sa_family, SOCK_DGRAM, e);
    if (fd < 0)
        return -1;
    if (a.sa.sa_family == AF_INET6 &&
        sock_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, e) < 0)
        goto fail;
    if (sock_bind(fd, &a, e) < 0)
        goto fail;
    return fd;
fail:
    sock_close(fd);
    return -1;
}

/* Listens last: whoever can reach one socket can then reach both. The number
 * that port 0 gave to TCP may be taken in UDP; then another is tried. */
static int open_sockets(const struct addr *a, const struct options *o,
                        struct server *s, struct err *e)
{
    int tries = addr_port(a) == 0 ? CLASHES : 1;
    for (; tries > 0; tries--) {
        s->lfd = bind_tcp(a, o, s, e);
        if (s->lfd < 0)
            return -1;
        if (!o->with_udp || (s->fd = bind_udp(s->lfd, e)) >= 0)
            break;
        sock_close(s->lfd);
        if (e->sys != EADDRINUSE)
            return -1;
    }
    if (tries > 0 && sock_listen(s->lfd, (int)o->backlog, e) == 0)
        return 0;
    if (tries > 0)
        sock_close(s->lfd);
    if (tries > 0 && s->fd >= 0)
        sock_close(s->fd);
    return -1;
}
/* end lab */

/* Linux lets TCP listen at a multicast group, where no connection can reach it
 * (RFC 9293, 3.9.2.3). 0, or -1 and *e. */
static int check_one_host(const struct addr *a, struct err *e)
{
    char text[ADDR_TEXT];
    if (!addr_is_multicast(a))
        return 0;
    err_set(e, STATUS_BIND,
            "bind %s: a multicast group; a TCP connection has two ends",
            addr_format(a, text, sizeof text));
    return err_advise(e, "for a group: udp_server --join");
}

/* Binds the first address of the name that can be bound. */
static int listen_on(struct cli *c, const struct options *o, struct server *s,
                     struct err *e)
{
    struct addr_list list;
    const char *host = c->argc == 2     ? c->argv[0]
                       : c->common.ipv6 ? "::1"
                                        : "127.0.0.1";
    if (addr_resolve(host, c->argv[c->argc - 1], cli_family(c), SOCK_STREAM,
                     &list, e) < 0)
        return -1;
    int result = -1;
    for (size_t i = 0; i < list.count && result < 0; i++)
        if (check_one_host(&list.at[i], e) == 0)
            result = open_sockets(&list.at[i], o, s, e);
    return result;
}

/* What a model cannot do is refused, not ignored. Returns NULL, or why. */
static const char *unfit(const struct options *o, const struct server *s)
{
    bool iterative = strcmp(o->model, "iterative") == 0;
    if (!iterative && s->accept_delay_ns != 0)
        return _("--accept-delay needs --model iterative: in the others accept "
                 "never waits for a client to be served");
    if (!iterative && s->read_rate != 0)
        return _("--read-rate needs --model iterative, the one that shows flow "
                 "control");
    if (!iterative && s->busy_poll)
        return _("--busy-poll needs --model iterative: of many clients each "
                 "would need a core");
    if (o->with_udp && strcmp(o->model, "event") != 0)
        return _(
            "--with-udp needs --model event: the others wait for TCP alone");
    if (iterative && s->max_clients != 0)
        return _("--max-clients: the iterative model serves one at a time");
    return NULL;
}

static int run(struct cli *c, const struct options *o, struct server *s)
{
    struct err e;
    const struct model *model = model_find(models, o->model);
    s->service = service_find(o->service);
    if (model == NULL)
        return cli_usage(c, "model '%.32s': --models lists them", o->model);
    if (s->service == NULL)
        return cli_usage(c, "service '%.32s': --services lists them",
                         o->service);
    const char *why = unfit(o, s);
    if (why != NULL)
        return cli_usage(c, "%s", why);
    bool on_loop = strstr(o->model, "event") != NULL; /* cheap: no limit */
    if (s->max_clients == 0 && !on_loop)
        s->max_clients = DEFAULT_CLIENTS;

    if (cost_pin(o->cpu, &e) < 0)
        return cli_fail(c, &e);
    s->totals = model_totals(&e);
    if (s->totals == NULL)
        return cli_fail(c, &e);
    if (listen_on(c, o, s, &e) < 0) {
        model_report(s, "end", (int)e.status);
        return cli_fail(c, &e);
    }
    int result = model_announce(s, s->lfd, &e);
    if (result == 0 && s->fd >= 0)
        result = model_announce(s, s->fd, &e);
    if (result == 0)
        result = model->serve(s, &e);
    sock_close(s->lfd);
    if (s->fd >= 0)
        sock_close(s->fd);
    int status = result == 0 ? STATUS_OK : cli_fail(c, &e);
    model_report(s, "end", status);
    return cli_end(c, status);
}

/* The command line: a row an option. False: the program ends with *status. */
static bool read_options(struct cli *c, struct options *o, struct server *s,
                         int argc, char **argv, int *status)
{
    const struct opt table[] = {
        {"model", 'm', "NAME", opt_text, &o->model, 0, 0,
         N_("how to serve many clients (iterative)")},
        {"models", 0, NULL, opt_flag, &o->list_models, 0, 0,
         N_("list the models and exit")},
        {"service", 's', "NAME", opt_text, &o->service, 0, 0,
         N_("what to serve (echo)")},
        {"services", 0, NULL, opt_flag, &o->list_services, 0, 0,
         N_("list the services and exit")},
        {"with-udp", 'u', NULL, opt_flag, &o->with_udp, 0, 0,
         N_("event: UDP on the same port, in the same loop")},
        {"max-clients", 'c', "N", opt_number, &s->max_clients, 1, MAX_CLIENTS,
         N_("open at once (100; event: any); others wait")},
        {"idle-timeout", 't', "DUR", opt_duration, &s->idle_timeout_ns, 0, 0,
         N_("close a connection silent for so long (5m)")},
        {"count", 'n', "N", opt_number, &s->count, 1, 0,
         N_("end after N connections")},
        {"backlog", 0, "N", opt_number, &o->backlog, 0, 65535,
         N_("connections that may wait for accept (128)")},
        {"close-first", 0, NULL, opt_flag, &s->close_first, 0, 0,
         N_("close after the first answer")},
        {"close-delay", 0, "DUR", opt_duration, &s->close_delay_ns, 0, 0,
         N_("wait before closing")},
        {"reset", 0, NULL, opt_flag, &s->reset, 0, 0,
         N_("close with RST, not FIN")},
        {"nodelay", 0, NULL, opt_flag, &o->nodelay, 0, 0,
         N_("send small segments at once (TCP_NODELAY)")},
        {"no-reuseaddr", 0, NULL, opt_flag, &o->no_reuseaddr, 0, 0,
         N_("bind without SO_REUSEADDR")},
        {"congestion", 0, "NAME", opt_text, &o->congestion, 0, 0,
         N_("TCP congestion control")},
        {"accept-delay", 0, "DUR", opt_duration, &s->accept_delay_ns, 0, 0,
         N_("iterative: wait before each accept")},
        {"read-rate", 0, "BYTES", opt_size, &s->read_rate, 0, 0,
         N_("iterative: read so many bytes a second")},
        {"busy-poll", 0, NULL, opt_flag, &s->busy_poll, 0, 0,
         N_("iterative: never sleep while waiting for bytes")},
        {"cpu", 0, "N", opt_text, &o->cpu, 0, 0,
         N_("stay on this core, counted from 0")},
        OPT_COMMON(&c->common),
        OPT_END};
    if (!cli_begin(c, table, argc, argv, status))
        return false;
    if (o->list_models || o->list_services) {
        if (o->list_models)
            model_list(models);
        if (o->list_services)
            service_list();
        *status = cli_end(c, STATUS_OK);
        return false;
    }
    if (c->argc < 1 || c->argc > 2) {
        *status =
            cli_usage(c, "needs a port, and before it an address or none");
        return false;
    }
    cli_start(c, table, argv);
    s->out = &c->out;
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {
        .model = "iterative", .service = "echo", .backlog = 128};
    struct server s = {.lfd = -1, .fd = -1, .idle_timeout_ns = 300 * CLOCK_S};
    struct cli c = {.program = "tcp_server",
                    .operands = "[ADDR] PORT",
                    .summary =
                        N_("Serve TCP clients, and show how it is done.")};
    int status;
    if (!read_options(&c, &o, &s, argc, argv, &status))
        return status;
    return run(&c, &o, &s);
}
