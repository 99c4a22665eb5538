/* SPDX-License-Identifier: MIT
 *
 * ev_loop: the loop and its signals. See ev_loop.h for the contract.
 */
#include "ev_loop.h"

#include "clock.h"
#include "stop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

/* The handler of stop.c has noted the signal; this runs later, in the loop, and
 * may do anything. */
static void stop_cb(evutil_socket_t fd, short what, void *arg)
{
    struct ev_loop *l = arg;
    (void)fd, (void)what;
    event_base_loopbreak(l->base);
}

/* The same by libevent's own handler. */
static void report_cb(evutil_socket_t signum, short what, void *arg)
{
    struct ev_loop *l = arg;
    (void)signum, (void)what;
    model_report(l->server, "report", STATUS_OK);
}

static int add_signals(struct ev_loop *l)
{
    int fd = stop_fd();
    if (fd < 0)
        return -1;
    l->stop = event_new(l->base, fd, EV_READ, stop_cb, l);
    if (l->stop == NULL || event_add(l->stop, NULL) < 0)
        return -1;
    if (l->server == NULL)
        return 0;
    l->report = evsignal_new(l->base, SIGUSR1, report_cb, l);
    return l->report != NULL ? event_add(l->report, NULL) : -1;
}

int ev_loop_open(struct ev_loop *l, struct server *s, int flags, struct err *e)
{
    *l = (struct ev_loop){.server = s};
    struct event_config *config = event_config_new();
    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | flags);
        l->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (l->base == NULL || add_signals(l) < 0) {
        ev_loop_close(l);
        return err_set(e, STATUS_FAILED, "libevent: cannot make a loop");
    }
    return 0;
}

int ev_loop_run(struct ev_loop *l, struct err *e)
{
    /* A signal before add_signals is not seen by the loop. */
    if (stop_signal() == 0 && event_base_dispatch(l->base) < 0)
        return err_set(e, STATUS_FAILED, "libevent: the loop failed");
    if (l->failure.status == STATUS_OK)
        return 0;
    if (e != NULL)
        *e = l->failure;
    return -1;
}

void ev_loop_fail(struct ev_loop *l, const struct err *why)
{
    l->failure = *why;
    event_base_loopbreak(l->base);
}

void ev_loop_close(struct ev_loop *l)
{
    if (l->stop != NULL)
        event_free(l->stop);
    if (l->report != NULL)
        event_free(l->report);
    if (l->base != NULL)
        event_base_free(l->base);
    *l = (struct ev_loop){0};
}

/* Only low numbers are looked at: hardly anybody inherits others. */
static uint64_t count_descriptors(uint64_t limit)
{
    uint64_t taken = 0;
    for (int fd = 0; fd < 1024 && (uint64_t)fd < limit; fd++)
        taken += fcntl(fd, F_GETFD) >= 0;
    return taken;
}

uint64_t ev_loop_room(struct ev_loop *l)
{
    struct server *s = l->server;
    uint64_t limit = ev_raise_limit(), taken = count_descriptors(limit);
    uint64_t room = limit > taken ? limit - taken : 1;
    if (s->max_clients != 0)
        room = s->max_clients;
    out_begin(s->out, "limit");
    out_uint(s->out, "max_clients", room);
    out_uint(s->out, "descriptors", limit);
    out_end(s->out, "limit %llu clients at once (%llu descriptors)",
            (unsigned long long)room, (unsigned long long)limit);
    return room;
}

void ev_loop_full(struct ev_loop *l, uint64_t open, const struct err *why)
{
    if (!model_may_say(l->server))
        return;
    if (why != NULL)
        out_error(l->server->out, why);
    out_say(l->server->out,
            "%llu clients are connected, the most there can be: others wait "
            "in the backlog until one leaves",
            (unsigned long long)open);
}

struct timeval ev_time(uint64_t ns)
{
    uint64_t us = ns / CLOCK_US + (ns % CLOCK_US != 0 || ns == 0);
    return (struct timeval){.tv_sec = (time_t)(us / 1000000),
                            .tv_usec = (suseconds_t)(us % 1000000)};
}

uint64_t ev_raise_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit); /* cannot fail: a valid resource */
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return before;
    return limit.rlim_cur;
}
