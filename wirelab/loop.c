/* SPDX-License-Identifier: MIT
 *
 * loop: libevent in three kinds of watch. See loop.h for the contract.
 */
#include "loop.h"

#include "clock.h"

#include <event2/event.h>
#include <stdlib.h>

struct loop {
    struct event_base *base;
};

struct loop_watch {
    struct event *event;
    loop_fn *fn;
    void *context;
};

struct loop *loop_new(struct err *e)
{
    struct loop *l = calloc(1, sizeof *l);
    struct event_config *config = event_config_new();
    if (l != NULL && config != NULL) {
        /* One thread; and timers of microseconds, not milliseconds. */
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
        l->base = event_base_new_with_config(config);
    }
    if (config != NULL)
        event_config_free(config);
    if (l == NULL || l->base == NULL) {
        err_set(e, STATUS_FAILED, "no event loop");
        free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    event_base_free(l->base);
    free(l);
}

int loop_run(struct loop *l, struct err *e)
{
    if (event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
        return err_sys(e, "event loop");
    return 0;
}

void loop_stop(struct loop *l)
{
    event_base_loopbreak(l->base);
}

static void watch_cb(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct loop_watch *w = context;
    w->fn(w->context);
}

static struct loop_watch *watch(struct loop *l, int fd, short what, loop_fn *fn,
                                void *context, struct err *e)
{
    struct loop_watch *w = calloc(1, sizeof *w);
    if (w != NULL) {
        w->fn = fn;
        w->context = context;
        w->event = event_new(l->base, fd, what, watch_cb, w);
    }
    if (w == NULL || w->event == NULL ||
        (what != 0 && event_add(w->event, NULL) < 0)) {
        loop_forget(w);
        err_set(e, STATUS_FAILED, "the event loop takes no more");
        return NULL;
    }
    return w;
}

struct loop_watch *loop_readable(struct loop *l, int fd, loop_fn *fn,
                                 void *context, struct err *e)
{
    return watch(l, fd, EV_READ | EV_PERSIST, fn, context, e);
}

struct loop_watch *loop_signal(struct loop *l, int signum, loop_fn *fn,
                               void *context, struct err *e)
{
    return watch(l, signum, EV_SIGNAL | EV_PERSIST, fn, context, e);
}

struct loop_watch *loop_timer(struct loop *l, loop_fn *fn, void *context,
                              struct err *e)
{
    return watch(l, -1, 0, fn, context, e);
}

void loop_set(struct loop_watch *timer, uint64_t delay_ns)
{
    struct timeval delay = {.tv_sec = (time_t)(delay_ns / CLOCK_S),
                            .tv_usec =
                                (suseconds_t)(delay_ns % CLOCK_S / CLOCK_US)};
    event_add(timer->event, &delay); /* it has been allocated: cannot fail */
}

void loop_forget(struct loop_watch *w)
{
    if (w == NULL)
        return;
    if (w->event != NULL)
        event_free(w->event);
    free(w);
}
