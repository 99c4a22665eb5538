/* SPDX-License-Identifier: MIT
 *
 * Thread: a thread for each client. All share one memory and one table of
 * descriptors: nothing has to be closed twice, and what is shared has a lock.
 * A semaphore holds a slot for each client that may be open; main takes one
 * before each accept, a thread gives it back.
 * Read next: event.c, one thread for all.
 */
#include "server.h"

#include "sock.h"
#include "stop.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct pool {
    sem_t slots;
    pthread_mutex_t lock; /* guards cfd */
    int *cfd;             /* the connections open now, -1 where none is */
    atomic_int *ids;      /* their threads, for the signal that ends all */
    size_t max;
};

/* What a thread is given: on the heap, because it outlives the loop. */
struct worker {
    struct server *server;
    struct pool *pool;
    size_t slot;
    int cfd;
    struct model_conn conn;
};

/* Notes CFD in a free place, so that the end can reach it. */
static size_t enter(struct pool *p, int cfd)
{
    size_t i = 0;
    pthread_mutex_lock(&p->lock);
    while (p->cfd[i] >= 0) /* a slot was taken, so there is one */
        i++;
    p->cfd[i] = cfd;
    pthread_mutex_unlock(&p->lock);
    return i;
}

/* Closed under the lock: stop_all must not meet the number's next owner. */
static void leave(struct pool *p, size_t slot)
{
    pthread_mutex_lock(&p->lock);
    sock_close(p->cfd[slot]);
    p->cfd[slot] = -1;
    p->ids[slot] = 0;
    pthread_mutex_unlock(&p->lock);
    sem_post(&p->slots);
}

static void *work(void *argument)
{
    struct worker *w = argument;
    stop_thread(&w->pool->ids[w->slot]); /* signals are main's */
    conn_serve(w->server, w->cfd, &w->conn);
    leave(w->pool, w->slot);
    free(w);
    return NULL;
}

/* Room for conn_serve's buffers of 256 KiB, and for the 800 KB that
 * ThreadSanitizer takes. Only what is used costs memory. */
enum { STACK = 1280 * 1024 };

/* lab: thread */
static int start_worker(struct worker *w, struct err *e)
{
    pthread_attr_t detached;
    pthread_t thread;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, STACK);
    int code = pthread_create(&thread, &detached, work, w);
    pthread_attr_destroy(&detached);
    if (code == 0)
        return 0;
    err_set(e, STATUS_FAILED, "pthread_create: no thread for this client");
    return err_advise(e, "allow fewer at once: --max-clients");
}
/* end lab */

/* Hands the connection to a thread; closes it if there is none to be had. */
static void hand_over(struct server *s, struct pool *p, int cfd,
                      const struct model_conn *c)
{
    struct err e;
    size_t slot = enter(p, cfd);
    struct worker *w = malloc(sizeof *w);
    if (w != NULL) {
        *w = (struct worker){s, p, slot, cfd, *c};
        if (start_worker(w, &e) == 0)
            return;
        free(w);
    } else {
        err_sys(&e, "thread model");
    }
    out_error(s->out, &e);
    model_closed(s, c, WHO_SERVER, HOW_ERROR);
    leave(p, slot);
}

/* A slot for one more client, or false if a signal came first. */
static bool take_slot(struct pool *p)
{
    while (sem_wait(&p->slots) < 0)
        if (stop_signal() != 0)
            return false;
    return true;
}

static int serve(struct server *s, struct pool *p, struct err *e)
{
    uint64_t served = 0;
    while (stop_signal() == 0 && (s->count == 0 || served < s->count)) {
        struct model_conn c = {0};
        if (!take_slot(p))
            return 0;
        int cfd = sock_accept(s->lfd, &c.peer, e);
        if (cfd < 0) {
            sem_post(&p->slots);
            if (conn_survives(s, e))
                continue;
            return stop_signal() != 0 ? 0 : -1;
        }
        conn_note_local(s, cfd, &c);
        model_connected(s, &c);
        hand_over(s, p, cfd, &c);
        served++;
    }
    return 0;
}

/* Without a signal: wakes every thread that waits on its connection. */
static void stop_all(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->max; i++)
        if (p->cfd[i] >= 0)
            sock_shutdown(p->cfd[i], SHUT_RDWR, NULL);
    pthread_mutex_unlock(&p->lock);
}

/* All slots are back when all threads have ended. */
static void wait_for_all(struct pool *p)
{
    for (size_t taken = 0; taken < p->max; taken++)
        while (!take_slot(p))
            continue; /* the signal interrupts them as well (stop.h) */
}

static void free_pool(struct pool *p)
{
    stop_threads(NULL, 0);
    free(p->cfd);
    free(p->ids);
}

int thread_serve(struct server *s, struct err *e)
{
    struct pool p = {.max = s->max_clients};
    p.cfd = malloc(p.max * sizeof p.cfd[0]);
    p.ids = calloc(p.max, sizeof p.ids[0]);
    if (p.cfd == NULL || p.ids == NULL) {
        free_pool(&p);
        return err_sys(e, "thread model");
    }
    for (size_t i = 0; i < p.max; i++)
        p.cfd[i] = -1;
    stop_threads(p.ids, p.max);
    sem_init(&p.slots, 0, (unsigned)p.max);
    pthread_mutex_init(&p.lock, NULL);

    int result = serve(s, &p, e);
    if (result < 0)
        stop_all(&p);
    wait_for_all(&p);
    pthread_mutex_destroy(&p.lock);
    sem_destroy(&p.slots);
    free_pool(&p);
    return result;
}
