/* SPDX-License-Identifier: MIT
 *
 * lab: one run from beginning to end. See lab.h for the contract.
 */
#include "lab.h"

#include "clock.h"
#include "diag.h"
#include "gate.h"
#include "host.h"
#include "loop.h"
#include "program.h"
#include "states.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The lab looks after everything that does not announce itself this often. */
#define TICK_NS (2 * CLOCK_MS)
/* No frame for so long is a quiet line: longer than a delayed ACK. */
#define SETTLE_NS (60 * CLOCK_MS)
/* A server that listens on its loopback may go on to listen elsewhere. */
#define LOOPBACK_NS (300 * CLOCK_MS)
/* From SIGTERM to SIGKILL, for what the servers want to say at their end. */
#define GRACE_NS (200 * CLOCK_MS)

/* From linux/sched.h, which glibc's sched.h does not go with. */
#define SCHED_RESET_ON_FORK_FLAG 1

enum phase { PHASE_GATE, PHASE_RUN, PHASE_DRAIN, PHASE_STOP, PHASE_END };

struct lab {
    const struct lab_options *o;
    const struct lab_view *view;
    struct lab_result *result;
    struct err *e;
    bool failed; /* *e says why */

    enum phase phase;
    uint64_t phase_ns;    /* when it began */
    uint64_t start_ns;    /* on CLOCK_REALTIME: zero of all times here */
    uint64_t client_ns;   /* when the clients started */
    uint64_t loopback_ns; /* when a socket on loopback was seen alone; 0 */
    uint64_t looked_ns;   /* when sockets were last asked about */
    bool killed[LAB_KILLS];

    struct loop *loop;
    struct hosts hosts;
    struct event_queue *queue;
    struct states *states;
    struct calls *calls;
    struct wire *wire;
    struct program program[HOST_COUNT][LAB_PROGRAMS];
    struct loop_watch *tick, *child, *stop[3], *key;
};

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

static uint64_t now_ns(const struct lab *l)
{
    return clock_real_ns() - l->start_ns;
}

static void enter(struct lab *l, enum phase phase)
{
    l->phase = phase;
    l->phase_ns = now_ns(l);
}

/* --- events -------------------------------------------------------------- */

static void push(struct lab *l, const struct event *e)
{
    if (event_queue_push(l->queue, e) == 0 || l->failed)
        return;
    l->failed = true;
    err_set(l->e, STATUS_FAILED, "no memory for what happens");
}

/* From the wire and the states: what the end of the lab itself brings about
 * is not part of the picture. */
static void lane_sink(const struct event *e, void *lab)
{
    struct lab *l = lab;
    if (l->phase != PHASE_STOP)
        push(l, e);
}

static void call_sink(const struct event *e, void *lab)
{
    struct lab *l = lab;
    if (l->phase == PHASE_STOP)
        return;
    /* First what the call has sent, then its end, then what it changed. */
    wire_pump(l->wire);
    push(l, e);
    if (l->states != NULL && e->kind == EVENT_CALL)
        states_called(l->states, e->host, &e->call, now_ns(l));
}

/* What the programs print at their end is told; that the lab has ended them
 * is not. */
static void program_sink(const struct event *e, void *lab)
{
    struct lab *l = lab;
    if (l->phase != PHASE_STOP || e->kind == EVENT_OUTPUT)
        push(l, e);
}

static void remark(struct lab *l, enum host_id host, const char *text)
{
    struct event e = {.kind = EVENT_REMARK, .host = host, .t_ns = now_ns(l)};
    e.remark = text;
    push(l, &e);
}

/* --- the programs -------------------------------------------------------- */

static int start_programs(struct lab *l, enum host_id host)
{
    for (size_t i = 0; i < l->o->commands[host]; i++) {
        struct program *p = &l->program[host][i];
        p->host = host;
        p->command = l->o->command[host][i];
        p->terminal = i == 0 && l->o->interactive == (int)host;
        if (program_start(p, l->loop, &l->hosts, l->calls, l->start_ns,
                          program_sink, l, l->e) < 0)
            return -1;
    }
    return 0;
}

static size_t count_running(const struct lab *l, enum host_id host)
{
    size_t count = 0;
    for (size_t i = 0; i < l->o->commands[host]; i++)
        count += program_runs(&l->program[host][i]);
    return count;
}

static void kill_programs(struct lab *l, enum host_id host, int signum)
{
    for (size_t i = 0; i < l->o->commands[host]; i++)
        program_kill(&l->program[host][i], signum);
}

static struct program *find_program(struct lab *l, pid_t pid)
{
    for (int host = 0; host < HOST_COUNT; host++)
        for (size_t i = 0; i < l->o->commands[host]; i++)
            if (l->program[host][i].pid == pid)
                return &l->program[host][i];
    return NULL;
}

static void reap(struct lab *l)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (calls_handle(l->calls, pid, status))
            continue;
        struct program *p = find_program(l, pid);
        if (p == NULL || p->ended)
            continue;
        wire_pump(l->wire); /* the FIN of its sockets was before its end */
        p->by_itself = l->phase < PHASE_STOP;
        program_ended(p, status);
    }
}

/* --- phases -------------------------------------------------------------- */

static void begin_stop(struct lab *l)
{
    event_queue_flush(l->queue, UINT64_MAX);
    enter(l, PHASE_STOP);
    for (int host = 0; host < HOST_COUNT; host++)
        kill_programs(l, host, SIGTERM);
}

/* Notes why the lab ends before its time. */
static void give_up(struct lab *l)
{
    l->failed = true;
    l->result->early = true;
    begin_stop(l);
}

static void start_clients(struct lab *l)
{
    l->client_ns = now_ns(l);
    for (int host = 0; host < HOST_COUNT; host++)
        if (l->o->fault->blackhole_ns[host] != UINT64_MAX)
            l->o->fault->blackhole_ns[host] += l->client_ns;
    if (l->states != NULL)
        states_listeners(l->states, HOST_SERVER, l->client_ns);
    enter(l, PHASE_RUN);
    if (start_programs(l, HOST_CLIENT) < 0)
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

static void gate(struct lab *l)
{
    struct gate_view v;
    uint64_t now = now_ns(l);
    size_t servers = count_running(l, HOST_SERVER);
    gate_look(l->hosts.at[HOST_SERVER].diag, &v);
    if (v.reachable == 0 || v.loopback == 0)
        l->loopback_ns = v.loopback > 0 ? l->loopback_ns : 0;
    if (v.reachable > 0 && v.reachable >= servers) {
        start_clients(l);
    } else if (servers == 0) {
        err_set(l->e, STATUS_FAILED, "the server ended before it listened");
        err_advise(l->e, "what it printed says why; --start together starts "
                         "the client at once");
        give_up(l);
    } else if (v.loopback > 0 && v.reachable == 0 && l->loopback_ns == 0) {
        l->loopback_ns = now;
    } else if (l->loopback_ns != 0 && now - l->loopback_ns > LOOPBACK_NS) {
        refuse_loopback(l, &v);
    } else if (now > l->o->wait_ns) {
        err_set(l->e, STATUS_TIMEOUT, "no server listens after %.3g s",
                (double)l->o->wait_ns / (double)CLOCK_S);
        err_advise(l->e, "--wait DUR waits longer, --start together starts "
                         "the client at once");
        give_up(l);
    }
}

static void kill_on_time(struct lab *l)
{
    for (size_t i = 0; i < l->o->kills; i++) {
        const struct lab_kill *k = &l->o->kill[i];
        if (l->killed[i] || now_ns(l) - l->client_ns < k->at_ns)
            continue;
        l->killed[i] = true;
        remark(l, k->host, "killed (9), as --kill asks");
        kill_programs(l, k->host, SIGKILL);
    }
}

/* Has this socket anything to do that the line will show? */
static void see_busy(const struct diag_socket *s, void *busy)
{
    switch (s->state) {
    case TCP_STATE_SYN_SENT:
    case TCP_STATE_SYN_RCVD:
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_CLOSING:
    case TCP_STATE_LAST_ACK:
        *(bool *)busy = true;
        break;
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_CLOSE_WAIT:
        *(bool *)busy |= s->send_queue > 0;
        break;
    default:
        break;
    }
}

static bool is_quiet(const struct lab *l)
{
    bool busy = false;
    if (!wire_is_empty(l->wire) ||
        now_ns(l) - wire_last_ns(l->wire) < SETTLE_NS)
        return false;
    for (int host = 0; host < HOST_COUNT; host++)
        diag_connections(l->hosts.at[host].diag, see_busy, &busy);
    return !busy;
}

static void drain(struct lab *l)
{
    uint64_t spent = now_ns(l) - l->phase_ns;
    if (spent < SETTLE_NS)
        return;
    if (spent < l->o->drain_ns && !is_quiet(l))
        return;
    if (l->states != NULL)
        states_again(l->states, true, now_ns(l));
    begin_stop(l);
}

/* SIGTERM has been sent; who does not hear it is killed. */
static void stop(struct lab *l)
{
    uint64_t spent = now_ns(l) - l->phase_ns;
    size_t running =
        count_running(l, HOST_CLIENT) + count_running(l, HOST_SERVER);
    if (running > 0 && spent < 2 * GRACE_NS) {
        for (int host = 0; host < HOST_COUNT && spent > GRACE_NS; host++)
            kill_programs(l, host, SIGKILL);
        return;
    }
    enter(l, PHASE_END);
    loop_stop(l->loop);
}

static void run_phase(struct lab *l)
{
    switch (l->phase) {
    case PHASE_GATE:
        gate(l);
        break;
    case PHASE_RUN:
        kill_on_time(l);
        if (count_running(l, l->o->commands[HOST_CLIENT] > 0
                                 ? HOST_CLIENT
                                 : HOST_SERVER) == 0)
            enter(l, PHASE_DRAIN);
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
}

static void check_limits(struct lab *l)
{
    if (l->phase >= PHASE_STOP)
        return;
    if (l->view->is_gone(l->view->context)) {
        l->result->early = true;
        begin_stop(l);
    } else if (now_ns(l) > l->o->limit_ns) {
        err_set(l->e, STATUS_TIMEOUT, "not at its end after %.3g s: stopped",
                (double)l->o->limit_ns / (double)CLOCK_S);
        err_advise(l->e, "--limit DUR gives it longer");
        give_up(l);
    }
}

/* Sockets change by themselves only on a quiet line, and slowly. */
static void look_after_states(struct lab *l)
{
    uint64_t now = now_ns(l);
    if (l->states == NULL || l->phase >= PHASE_STOP)
        return;
    bool quiet = now - wire_last_ns(l->wire) > 10 * CLOCK_MS &&
                 now - l->looked_ns > 50 * CLOCK_MS;
    if (!quiet && !states_pending(l->states))
        return;
    wire_pump(l->wire);
    states_again(l->states, quiet, now);
    if (quiet)
        l->looked_ns = now;
}

static void tick_cb(void *lab)
{
    struct lab *l = lab;
    loop_set(l->tick, TICK_NS);
    reap(l);
    look_after_states(l);
    check_limits(l);
    run_phase(l);
    uint64_t now = now_ns(l);
    event_queue_flush(l->queue, now);
    if (now > LAB_HOLD_NS)
        l->view->advance(now - LAB_HOLD_NS, l->view->context);
}

static void child_cb(void *lab)
{
    reap(lab);
}

static void stop_cb(void *lab)
{
    struct lab *l = lab;
    if (l->phase >= PHASE_STOP)
        return;
    begin_stop(l);
}

static void key_cb(void *lab)
{
    const struct lab_view *view = ((struct lab *)lab)->view;
    view->key(view->context);
}

static void on_int(void *lab)
{
    ((struct lab *)lab)->result->signal = SIGINT;
    stop_cb(lab);
}

static void on_term(void *lab)
{
    ((struct lab *)lab)->result->signal = SIGTERM;
    stop_cb(lab);
}

static void on_hup(void *lab)
{
    ((struct lab *)lab)->result->signal = SIGHUP;
    stop_cb(lab);
}

/* Asks the scheduler to run this program soon after it wakes, though others
 * are busy: a short slice (Linux 6.12 grants it to anybody) and, as root, a
 * high priority. Refused, the wire is still right, only late more often. */
static void hurry(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } attr = {.size = sizeof attr,
              .flags = SCHED_RESET_ON_FORK_FLAG,
              .nice = -20,
              .runtime_ns = 100 * CLOCK_US};
    prctl(PR_SET_TIMERSLACK, 1);
    if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0)
        return;
    attr.nice = 0;
    syscall(SYS_sched_setattr, 0, &attr, 0);
}

/* --- beginning and end --------------------------------------------------- */

static int watch(struct lab *l)
{
    static loop_fn *const on_stop[] = {on_int, on_term, on_hup};
    l->tick = loop_timer(l->loop, tick_cb, l, l->e);
    l->child = loop_signal(l->loop, SIGCHLD, child_cb, l, l->e);
    if (l->tick == NULL || l->child == NULL)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        l->stop[i] = loop_signal(l->loop, stop_signals[i], on_stop[i], l, l->e);
        if (l->stop[i] == NULL)
            return -1;
    }
    if (l->view->input >= 0) {
        l->key = loop_readable(l->loop, l->view->input, key_cb, l, l->e);
        if (l->key == NULL)
            return -1;
    }
    loop_set(l->tick, TICK_NS);
    return 0;
}

static int open_lanes(struct lab *l)
{
    const struct lab_options *o = l->o;
    l->queue = event_queue_new(LAB_HOLD_NS, l->view->event, l->view->context);
    if (o->states)
        l->states = states_new(&l->hosts, lane_sink, l);
    if (o->calls)
        l->calls =
            calls_new(l->start_ns, o->calls_all ? CALLS_ALL : CALLS_NETWORK,
                      call_sink, l);
    if (l->queue == NULL || (o->states && l->states == NULL) ||
        (o->calls && l->calls == NULL))
        return err_set(l->e, STATUS_FAILED, "no memory for the lab");
    const struct wire_options wire = {
        .hosts = &l->hosts,
        .fault = o->fault,
        .mtu = o->link.mtu,
        .start_ns = l->start_ns,
        .linger = !o->calls, /* who is traced waits for the loop */
        .states = l->states,
        .sink = o->wire || o->states ? lane_sink : NULL,
        .context = l,
    };
    l->wire = wire_new(l->loop, &wire, l->e);
    return l->wire == NULL ? -1 : 0;
}

static int begin(struct lab *l)
{
    if (hosts_open(&l->hosts, &l->o->link, l->e) < 0)
        return -1;
    l->result->rootless = l->hosts.rootless;
    l->start_ns = clock_real_ns();
    if ((l->loop = loop_new(l->e)) == NULL || open_lanes(l) < 0 || watch(l) < 0)
        return -1;
    if (l->hosts.names_missing[0] != '\0')
        remark(l, HOST_CLIENT, l->hosts.names_missing);
    if (start_programs(l, HOST_SERVER) < 0)
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
    r->end_ns = now_ns(l);
    r->stops = l->calls != NULL ? calls_stops(l->calls) : 0;
    if (l->wire != NULL)
        wire_count(l->wire, &r->counts);
    for (size_t i = 0; i < l->o->commands[HOST_CLIENT] && r->status == 0; i++)
        if (l->program[HOST_CLIENT][i].by_itself)
            r->status = program_exit_status(&l->program[HOST_CLIENT][i]);
}

static void end(struct lab *l)
{
    if (l->queue != NULL)
        event_queue_flush(l->queue, UINT64_MAX);
    hosts_close(&l->hosts);
    for (int host = 0; host < HOST_COUNT; host++)
        for (size_t i = 0; i < l->o->commands[host]; i++)
            program_close(&l->program[host][i]);
    if (l->queue != NULL)
        event_queue_flush(l->queue, UINT64_MAX);
    wire_free(l->wire);
    states_free(l->states);
    calls_free(l->calls);
    event_queue_free(l->queue);
    loop_forget(l->tick);
    loop_forget(l->child);
    loop_forget(l->key);
    for (size_t i = 0; i < 3; i++)
        loop_forget(l->stop[i]);
    loop_free(l->loop);
    free(l);
}

int lab_run(const struct lab_options *o, const struct lab_view *view,
            struct lab_result *result, struct err *e)
{
    sigset_t stops, before;
    memset(result, 0, sizeof *result);
    struct lab *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_sys(e, "memory for the lab");
    *l = (struct lab){.o = o, .view = view, .result = result, .e = e};

    /* A signal that comes before the loop can see it waits. */
    sigemptyset(&stops);
    for (size_t i = 0; i < 3; i++)
        sigaddset(&stops, stop_signals[i]);
    sigprocmask(SIG_BLOCK, &stops, &before);
    hurry();
    int status = begin(l);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (status == 0)
        status = loop_run(l->loop, e);
    if (l->failed)
        status = -1;
    settle_result(l);
    end(l);
    return status;
}
