/* SPDX-License-Identifier: MIT
 *
 * team: parallel streams. See team.h for the contract.
 */
#include "team.h"

#include "clock.h"
#include "stop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROGRESS_NS (500 * CLOCK_MS)

struct team {
    team_fn *run;
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t ended; /* one more has */
    size_t running;
    atomic_int *ids; /* of the threads, for the signal that ends all */
};

struct worker {
    struct team *team;
    struct member member;
    pthread_t thread;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct team *t = w->team;
    stop_thread(&t->ids[w->member.number]); /* signals are the caller's */
    w->member.status = t->run(&w->member, t->context, &w->member.err);
    t->ids[w->member.number] = 0;
    pthread_mutex_lock(&t->lock);
    t->running--;
    pthread_cond_signal(&t->ended);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* What is known while it runs: what was sent, or, reversed, what has come. */
static void progress(struct out *o, const struct measure *plan,
                     struct worker *workers, uint64_t begin_ns)
{
    uint64_t count = 0, bytes = 0, elapsed_ns = clock_now_ns() - begin_ns;
    for (size_t i = 0; i < plan->streams; i++) {
        count += atomic_load(&workers[i].member.sent);
        bytes += atomic_load(&workers[i].member.bytes);
    }
    result_progress(o, plan, count, bytes, elapsed_ns);
}

/* Until all have ended. The condition's clock is CLOCK_MONOTONIC; a signal
 * only interrupts the streams, by stop_signal(). */
static void wait_for_all(struct out *o, const struct measure *plan,
                         struct team *t, struct worker *workers)
{
    uint64_t begin_ns = clock_now_ns();
    uint64_t step_ns = plan->report_ns != 0 ? plan->report_ns : PROGRESS_NS;
    uint64_t next_ns = begin_ns + step_ns;
    pthread_mutex_lock(&t->lock);
    while (t->running > 0) {
        const struct timespec until = {.tv_sec = (time_t)(next_ns / CLOCK_S),
                                       .tv_nsec = (long)(next_ns % CLOCK_S)};
        int code = pthread_cond_timedwait(&t->ended, &t->lock, &until);
        if (code != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&t->lock);
        progress(o, plan, workers, begin_ns);
        next_ns += step_ns;
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    out_progress(o, NULL);
}

/* 0, or -1 if there is no memory. */
static int open_team(struct team *t, size_t threads)
{
    pthread_condattr_t monotonic;
    t->ids = calloc(threads, sizeof t->ids[0]);
    if (t->ids == NULL)
        return -1;
    stop_threads(t->ids, threads);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

static void close_team(struct team *t)
{
    pthread_cond_destroy(&t->ended);
    pthread_mutex_destroy(&t->lock);
    stop_threads(NULL, 0);
    free(t->ids);
}

/* Starts the streams; those that could not be started have failed. */
static void start(struct team *t, struct worker *workers, uint64_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct worker *w = &workers[i];
        w->team = t;
        w->member.number = i;
        w->member.result.connect_ns = COST_UNKNOWN;
        pthread_mutex_lock(&t->lock);
        int code = pthread_create(&w->thread, NULL, work, w);
        if (code == 0)
            t->running++;
        pthread_mutex_unlock(&t->lock);
        if (code != 0) {
            errno = code;
            w->team = NULL;
            w->member.status = err_sys(&w->member.err, "pthread_create");
        }
    }
}

int team_run(struct out *o, const struct measure *plan, team_fn *run,
             void *context, struct err *e)
{
    struct team t = {.run = run, .context = context};
    struct worker *workers = calloc(plan->streams, sizeof *workers);
    if (workers == NULL || open_team(&t, plan->streams) < 0) {
        free(workers);
        return err_sys(e, "streams");
    }
    start(&t, workers, plan->streams);
    wait_for_all(o, plan, &t, workers);
    struct stream_result all = {0};
    int result = 0;
    for (size_t i = 0; i < plan->streams; i++) {
        struct worker *w = &workers[i];
        if (w->team != NULL)
            pthread_join(w->thread, NULL);
        if (i == 0)
            all = w->member.result;
        else
            result_add(&all, &w->member.result);
        if (w->member.status < 0 && result == 0 && stop_signal() == 0) {
            *e = w->member.err;
            result = -1;
        }
    }
    if (result == 0)
        result = result_stream_check(plan, &all, e);
    result_stream(o, plan, &all, result_status(result, e));
    close_team(&t);
    free(workers);
    return result;
}
