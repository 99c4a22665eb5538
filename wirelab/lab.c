/* SPDX-License-Identifier: MIT
 *
 * lab: one run from beginning to end. See lab.h for the contract; what it is
 * made of is in stage.c.
 */
#include "lab.h"

#include "clock.h"
#include "lang.h"
#include "stage.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The lab looks after everything that does not announce itself this often. */
#define TICK_NS (2 * CLOCK_MS)
/* The clients have ended; the line may still have something on it. */
#define DRAIN_LEAST_NS (60 * CLOCK_MS)
/* A server that listens on its loopback may go on to listen elsewhere. */
#define LOOPBACK_NS (300 * CLOCK_MS)
/* From SIGTERM to SIGKILL, for what the servers want to say at their end. */
#define GRACE_NS (200 * CLOCK_MS)

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define STOPS (sizeof stop_signals / sizeof *stop_signals)

enum phase { PHASE_GATE, PHASE_RUN, PHASE_DRAIN, PHASE_STOP, PHASE_END };

struct lab {
    const struct lab_options *o;
    struct lab_result *result;
    struct err *e;
    bool failed; /* *e says why */
    enum phase phase;
    uint64_t phase_ns;    /* when it began */
    uint64_t client_ns;   /* when the clients started */
    uint64_t loopback_ns; /* when only a loopback socket was seen first; 0 */
    bool killed[LAB_KILLS];
    struct loop_watch *tick, *child, *key, *stop[STOPS];
    struct stage stage;
};

static void enter(struct lab *l, enum phase phase)
{
    l->phase = phase;
    l->phase_ns = stage_now_ns(&l->stage);
}

/* The picture is complete; the programs that are left are to end. */
static void begin_stop(struct lab *l)
{
    stage_show_all(&l->stage);
    l->stage.muted = true;
    enter(l, PHASE_STOP);
    for (int host = 0; host < HOST_COUNT; host++)
        stage_kill(&l->stage, host, SIGTERM);
}

/* Ends the lab before its time; *e says why. */
static void give_up(struct lab *l)
{
    l->failed = l->result->early = true;
    begin_stop(l);
}

/* --- the gate ------------------------------------------------------------ */

static void start_clients(struct lab *l)
{
    l->client_ns = stage_now_ns(&l->stage);
    for (int host = 0; host < HOST_COUNT; host++)
        if (l->o->fault->blackhole_ns[host] != UINT64_MAX)
            l->o->fault->blackhole_ns[host] += l->client_ns;
    enter(l, PHASE_RUN);
    if (stage_start(&l->stage, HOST_CLIENT, l->e) < 0)
        give_up(l);
}

static void refuse_loopback(struct lab *l, const struct gate_view *v)
{
    char text[ADDR_TEXT];
    err_set(l->e, STATUS_REFUSED,
            "the server listens only on its own loopback, %s %s: no cable "
            "leads there",
            v->proto == IPPROTO_UDP ? "udp" : "tcp",
            addr_format(&v->local, text, sizeof text));
    err_advise(l->e,
               "give it its address: server, %s or 0.0.0.0; such as "
               "'tcp_server server 9000'",
               link_address(HOST_SERVER, l->o->link.ipv6));
    give_up(l);
}

static void refuse_silence(struct lab *l, size_t servers)
{
    if (servers == 0)
        err_set(l->e, STATUS_FAILED, "the server ended before it listened");
    else
        err_set(l->e, STATUS_TIMEOUT, "no server listens after %.3g s",
                (double)l->o->wait_ns / (double)CLOCK_S);
    err_advise(l->e,
               servers == 0
                   ? "what it printed says why; --start together starts the "
                     "client at once"
                   : N_("--wait DUR waits longer; --start together starts the "
                        "client at once"));
    give_up(l);
}

static void gate(struct lab *l)
{
    struct gate_view v;
    uint64_t now = stage_now_ns(&l->stage);
    size_t servers = stage_running(&l->stage, HOST_SERVER);
    stage_gate(&l->stage, &v);
    bool alone = v.loopback > 0 && v.reachable == 0;
    if (!alone)
        l->loopback_ns = 0;
    else if (l->loopback_ns == 0)
        l->loopback_ns = now;

    if (v.reachable > 0 && (v.reachable >= servers || l->o->loopback))
        start_clients(l);
    else if (alone && now - l->loopback_ns > LOOPBACK_NS)
        refuse_loopback(l, &v);
    else if (servers == 0 || now > l->o->wait_ns)
        refuse_silence(l, servers);
}

/* --- run, drain, stop ---------------------------------------------------- */

static void run(struct lab *l)
{
    uint64_t now = stage_now_ns(&l->stage);
    for (size_t i = 0; i < l->o->kills; i++) {
        const struct lab_kill *k = &l->o->kill[i];
        if (l->killed[i] || now - l->client_ns < k->at_ns)
            continue;
        l->killed[i] = true;
        stage_remark(&l->stage, k->host, N_("killed (9), as --kill asks"));
        stage_kill(&l->stage, k->host, SIGKILL);
    }
    bool has_client = l->o->commands[HOST_CLIENT] > 0;
    if (stage_running(&l->stage, has_client ? HOST_CLIENT : HOST_SERVER) == 0)
        enter(l, PHASE_DRAIN);
}

static void drain(struct lab *l)
{
    uint64_t spent = stage_now_ns(&l->stage) - l->phase_ns;
    if (spent < DRAIN_LEAST_NS)
        return;
    if (spent >= l->o->drain_ns || stage_is_quiet(&l->stage))
        begin_stop(l);
}

/* SIGTERM has been sent; who does not hear it is killed. */
static void stop(struct lab *l)
{
    uint64_t spent = stage_now_ns(&l->stage) - l->phase_ns;
    size_t running = stage_running(&l->stage, HOST_CLIENT) +
                     stage_running(&l->stage, HOST_SERVER);
    if (running > 0 && spent < 2 * GRACE_NS) {
        for (int host = 0; host < HOST_COUNT && spent > GRACE_NS; host++)
            stage_kill(&l->stage, host, SIGKILL);
        return;
    }
    enter(l, PHASE_END);
    loop_stop(l->stage.loop);
}

static void check_limits(struct lab *l)
{
    const struct lab_view *view = l->stage.view;
    if (l->phase >= PHASE_STOP)
        return;
    if (view->is_gone(view->context)) {
        l->result->early = true;
        begin_stop(l);
    } else if (l->stage.out_of_memory) {
        err_set(l->e, STATUS_FAILED, "no memory for what happens");
        give_up(l);
    } else if (stage_now_ns(&l->stage) > l->o->limit_ns) {
        err_set(l->e, STATUS_TIMEOUT, "not at its end after %.3g s: stopped",
                (double)l->o->limit_ns / (double)CLOCK_S);
        err_advise(l->e, "--limit DUR gives it longer");
        give_up(l);
    }
}

static void tick_cb(void *lab)
{
    struct lab *l = lab;
    loop_set(l->tick, TICK_NS);
    stage_reap(&l->stage);
    check_limits(l);
    switch (l->phase) {
    case PHASE_GATE:
        gate(l);
        break;
    case PHASE_RUN:
        run(l);
        break;
    case PHASE_DRAIN:
        drain(l);
        break;
    case PHASE_STOP:
        stop(l);
        break;
    case PHASE_END:
        break;
    }
    stage_look(&l->stage);
}

/* --- signals and keys ---------------------------------------------------- */

static void child_cb(void *lab)
{
    stage_reap(&((struct lab *)lab)->stage);
}

static void key_cb(void *lab)
{
    const struct lab_view *view = ((struct lab *)lab)->stage.view;
    view->key(view->context);
}

static void stop_by(struct lab *l, int signum)
{
    if (l->result->signal == 0)
        l->result->signal = signum;
    if (l->phase < PHASE_STOP)
        begin_stop(l);
}

static void int_cb(void *lab)
{
    stop_by(lab, SIGINT);
}

static void term_cb(void *lab)
{
    stop_by(lab, SIGTERM);
}

static void hup_cb(void *lab)
{
    stop_by(lab, SIGHUP);
}

/* --- beginning and end --------------------------------------------------- */

/* nohup(1) has asked that the run goes on without its terminal. */
static bool is_ignored(int signum)
{
    struct sigaction sa;
    return signum == SIGHUP && sigaction(signum, NULL, &sa) == 0 &&
           sa.sa_handler == SIG_IGN;
}

static int watch(struct lab *l)
{
    static loop_fn *const on_stop[] = {int_cb, term_cb, hup_cb};
    struct loop *loop = l->stage.loop;
    int input = l->stage.view->input;
    l->tick = loop_timer(loop, tick_cb, l, l->e);
    l->child = loop_signal(loop, SIGCHLD, child_cb, l, l->e);
    if (l->tick == NULL || l->child == NULL)
        return -1;
    for (size_t i = 0; i < STOPS; i++)
        if (!is_ignored(stop_signals[i]) &&
            (l->stop[i] = loop_signal(loop, stop_signals[i], on_stop[i], l,
                                      l->e)) == NULL)
            return -1;
    if (input >= 0 &&
        (l->key = loop_readable(loop, input, key_cb, l, l->e)) == NULL)
        return -1;
    loop_set(l->tick, TICK_NS);
    return 0;
}

static void unwatch(struct lab *l)
{
    loop_forget(l->tick);
    loop_forget(l->child);
    loop_forget(l->key);
    for (size_t i = 0; i < STOPS; i++)
        loop_forget(l->stop[i]);
}

static int begin(struct lab *l, const struct lab_view *view)
{
    if (stage_open(&l->stage, l->o, view, l->e) < 0 || watch(l) < 0 ||
        stage_start(&l->stage, HOST_SERVER, l->e) < 0)
        return -1;
    enter(l, PHASE_GATE);
    if (l->o->together || l->o->commands[HOST_SERVER] == 0 ||
        l->o->commands[HOST_CLIENT] == 0)
        start_clients(l);
    return 0;
}

static void settle_result(struct lab *l)
{
    struct lab_result *r = l->result;
    const struct stage *s = &l->stage;
    r->rootless = s->hosts.rootless;
    r->end_ns = stage_now_ns(s);
    r->stops = s->calls != NULL ? calls_stops(s->calls) : 0;
    if (s->wire != NULL)
        wire_count(s->wire, &r->counts);
    for (size_t i = 0; i < l->o->commands[HOST_CLIENT] && r->status == 0; i++)
        if (s->program[HOST_CLIENT][i].by_itself)
            r->status = program_exit_status(&s->program[HOST_CLIENT][i]);
}

int lab_run(const struct lab_options *o, const struct lab_view *view,
            struct lab_result *result, struct err *e)
{
    sigset_t stops, before;
    memset(result, 0, sizeof *result);
    struct lab *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_sys(e, "memory for the lab");
    *l = (struct lab){.o = o, .result = result, .e = e};

    /* A signal that comes before the loop can see it waits. */
    sigemptyset(&stops);
    for (size_t i = 0; i < STOPS; i++)
        sigaddset(&stops, stop_signals[i]);
    sigprocmask(SIG_BLOCK, &stops, &before);
    int status = begin(l, view);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (status == 0)
        status = loop_run(l->stage.loop, e);
    if (l->failed)
        status = -1;
    settle_result(l);
    unwatch(l);
    stage_close(&l->stage);
    free(l);
    return status;
}
