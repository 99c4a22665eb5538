/* SPDX-License-Identifier: MIT
 *
 * udp_server: socket and bind, and it can be reached: no listen, because there
 * is no connection to wait for. The two calls stand in open_socket.
 * Read next: iterative.c. Twin: ../tcp_server/main.c.
 */
#include "server.h"

#include "cli.h"
#include "cost.h"
#include "sock.h"
#include "stop.h"

#include <string.h>

enum { BATCH = 8 }; /* receives a call, unless --batch says */

static const struct model models[] = {
    {"iterative", N_("one datagram at a time, from anybody"), iterative_serve},
    {"event", N_("the same, on a loop that can wait for more"), event_serve},
    {"batch", N_("many datagrams a call, for speed"), batch_serve},
    {.name = NULL},
};

struct options {
    const char *model, *service, *join, *cpu;
    uint64_t rcvbuf;
    bool list_models, list_services;
};

/* Joins a multicast group on the interface that the kernel chooses, or on the
 * one that an IPv6 scope names. ip(7), ipv6(7). */
static int join_group(int fd, const struct addr *group, struct err *e)
{
    if (group->sa.sa_family == AF_INET) {
        const struct ip_mreq m = {.imr_multiaddr = group->in.sin_addr};
        return sock_setsockopt_raw(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m,
                                   sizeof m, e);
    }
    const struct ipv6_mreq m = {.ipv6mr_multiaddr = group->in6.sin6_addr,
                                .ipv6mr_interface = group->in6.sin6_scope_id};
    return sock_setsockopt_raw(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m,
                               e);
}

/* SO_REUSEADDR is for multicast alone, where every receiver gets a copy. With
 * unicast a second server would silently take all datagrams from the first. */
/* lab: bind */
static int open_socket(const struct addr *a, const struct addr *group,
                       struct err *e)
{
    int fd = sock_socket(a->sa.sa_family, SOCK_DGRAM, e);
    if (fd < 0)
        return -1;
    if (group != NULL &&
        sock_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1, e) < 0)
        goto fail;
    if (a->sa.sa_family == AF_INET6 &&
        sock_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, e) < 0)
        goto fail;
    /* Before bind: who can be reached hears the group already. */
    if (group != NULL && join_group(fd, group, e) < 0)
        goto fail;
    if (sock_bind(fd, a, e) < 0)
        goto fail;
    return fd;
fail:
    sock_close(fd);
    return -1;
}
/* end lab */

/* The group of --join, as an address: 0, or -1 and *e. */
static int read_group(const char *text, struct addr *group, struct err *e)
{
    if (addr_parse(text, group, e) < 0)
        return -1;
    if (!addr_is_multicast(group))
        return err_set(e, STATUS_USAGE,
                       "--join %.64s: not a multicast group, such as 239.1.2.3 "
                       "or ff02::1234%%eth0",
                       text);
    if (addr_port(group) != 0)
        return err_set(
            e, STATUS_USAGE,
            "--join %.64s: a group has no port; PORT is the server's", text);
    return 0;
}

/* Does what is sent to the group arrive at a socket bound to A? Only if that is
 * the group or any address of its family: bind is also a filter (ip(7)). */
static bool hears(const struct addr *a, const struct addr *group)
{
    struct addr same = *group;
    addr_set_port(&same, addr_port(a));
    return addr_equal(a, &same) ||
           (addr_is_any(a) && a->sa.sa_family == group->sa.sa_family);
}

/* Binds the first address of the name that can be bound. With --join and no
 * ADDR that is the group itself: nothing else will arrive there. */
static int bind_on(struct cli *c, const struct options *o, struct err *e)
{
    struct addr_list list;
    struct addr group;
    char text[ADDR_TEXT];
    const char *host = c->argc == 2     ? c->argv[0]
                       : c->common.ipv6 ? "::1"
                                        : "127.0.0.1";
    if (o->join != NULL && read_group(o->join, &group, e) < 0)
        return -1;
    if (o->join != NULL && c->argc == 1)
        host = addr_host(&group, text, sizeof text);
    if (addr_resolve(host, c->argv[c->argc - 1], cli_family(c), SOCK_DGRAM,
                     &list, e) < 0)
        return -1;
    if (o->join != NULL && !hears(&list.at[0], &group))
        return err_set(e, STATUS_USAGE,
                       "--join %.64s: nothing sent to the group arrives at "
                       "%.255s; leave that out",
                       o->join, host);
    int fd = -1;
    for (size_t i = 0; i < list.count && fd < 0; i++)
        fd = open_socket(&list.at[i], o->join != NULL ? &group : NULL, e);
    return fd;
}

/* What does not go together is refused, not ignored. NULL, or why. */
static const char *unfit(const struct model *m, const struct server *s)
{
    if (s->batch != 0 && strcmp(m->name, "batch") != 0)
        return _("--batch is for the batch model");
    if (s->busy_poll && strcmp(m->name, "iterative") != 0)
        return _("--busy-poll is for the iterative model");
    if (s->read_rate != 0 && strcmp(m->name, "iterative") != 0)
        return _("--read-rate is for the iterative model");
    if (s->busy_poll && s->idle_timeout_ns != 0)
        return _("--busy-poll never sees a silence: not with --idle-timeout");
    return NULL;
}

static int run(struct cli *c, const struct options *o, struct server *s)
{
    struct err e;
    const char *name = o->model != NULL ? o->model
                       : s->batch != 0  ? "batch"
                                        : "iterative";
    const struct model *model = model_find(models, name);
    s->service = service_find(o->service);
    if (model == NULL)
        return cli_usage(c, "model '%.32s': --models lists them", name);
    if (s->service == NULL)
        return cli_usage(c, "service '%.32s': --services lists them",
                         o->service);
    const char *why = unfit(model, s);
    if (why != NULL)
        return cli_usage(c, "%s", why);
    if (s->batch == 0)
        s->batch = BATCH;
    if (cost_pin(o->cpu, &e) < 0)
        return cli_fail(c, &e);
    s->totals = model_totals(&e);
    if (s->totals == NULL)
        return cli_fail(c, &e);
    s->fd = bind_on(c, o, &e);
    if (s->fd < 0) {
        model_report(s, "end", (int)e.status);
        return cli_fail(c, &e);
    }
    int result = sock_rcvbuf(s->fd, o->rcvbuf, &e);
    if (result == 0)
        result = model_announce(s, s->fd, &e);
    if (result == 0)
        result = model->serve(s, &e);
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
        {"count", 'n', "N", opt_number, &s->count, 1, 0,
         N_("end after N datagrams")},
        {"idle-timeout", 't', "DUR", opt_duration, &s->idle_timeout_ns, 0, 0,
         N_("end after so long a silence")},
        {"buffer", 0, "SIZE", opt_size, &s->buffer, 1, 65535,
         N_("receive buffer; a larger datagram is cut (65535)")},
        {"join", 0, "GROUP", opt_text, &o->join, 0, 0,
         N_("join a multicast group")},
        {"batch", 0, "N", opt_number, &s->batch, 1, 64,
         N_("batch: so many receives a call (8)")},
        {"rcvbuf", 0, "SIZE", opt_size, &o->rcvbuf, 1, 1 << 30,
         N_("let so much wait to be received (SO_RCVBUF)")},
        {"read-rate", 0, "BYTES", opt_size, &s->read_rate, 0, 0,
         N_("iterative: read so many bytes a second")},
        {"busy-poll", 0, NULL, opt_flag, &s->busy_poll, 0, 0,
         N_("iterative: never sleep while waiting")},
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
    struct options o = {.service = "echo"};
    struct server s = {.lfd = -1, .fd = -1, .buffer = 65535};
    struct cli c = {.program = "udp_server",
                    .operands = "[ADDR] PORT",
                    .summary =
                        N_("Answer UDP datagrams, and show how it is done.")};
    int status;
    if (!read_options(&c, &o, &s, argc, argv, &status))
        return status;
    return run(&c, &o, &s);
}
