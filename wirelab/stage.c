/* SPDX-License-Identifier: MIT
 *
 * stage: the parts of a lab. See stage.h for the contract.
 */
#include "stage.h"

#include "clock.h"
#include "diag.h"
#include "lang.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* No frame for so long is a quiet line: longer than a delayed ACK. */
#define SETTLE_NS (60 * CLOCK_MS)
/* On a quiet line sockets are asked about this often. */
#define LOOK_NS (50 * CLOCK_MS)

/* From linux/sched.h, which glibc's sched.h does not go with. */
#define RESET_ON_FORK 1

uint64_t stage_now_ns(const struct stage *s)
{
    return clock_real_ns() - s->start_ns;
}

/* Takes in what the programs have brought about so far. */
static void catch_up(struct stage *s)
{
    if (s->wire != NULL)
        wire_pump(s->wire);
    if (s->local != NULL)
        local_look(s->local, stage_now_ns(s));
}

static uint64_t last_ns(const struct stage *s)
{
    return s->wire != NULL ? wire_last_ns(s->wire) : s->call_ns;
}

/* --- events -------------------------------------------------------------- */

static void push(struct stage *s, const struct event *e)
{
    if (event_queue_push(s->queue, e) < 0)
        s->out_of_memory = true;
}

/* From the wire and the states. States need the wire's frames, but who did not
 * ask for that lane does not get it. */
static void lane_sink(const struct event *e, void *stage)
{
    struct stage *s = stage;
    bool is_frame = e->kind == EVENT_SENT || e->kind == EVENT_RECEIVED;
    if (!s->muted && (s->o->wire || !is_frame))
        push(s, e);
}

static void call_sink(const struct event *e, void *stage)
{
    struct stage *s = stage;
    if (s->muted)
        return;
    /* First what the call has sent, then its end, then what it changed. */
    if (s->wire != NULL)
        wire_pump(s->wire);
    push(s, e);
    s->call_ns = stage_now_ns(s);
    if (s->local != NULL)
        local_look(s->local, s->call_ns);
    if (s->states != NULL && e->kind == EVENT_CALL)
        states_called(s->states, e->host, &e->call, s->call_ns);
}

/* What the programs print at their end is told; that the lab has ended them
 * is not. */
static void program_sink(const struct event *e, void *stage)
{
    struct stage *s = stage;
    if (!s->muted || e->kind == EVENT_OUTPUT)
        push(s, e);
}

void stage_remark(struct stage *s, enum host_id host, const char *text)
{
    struct event e = {
        .kind = EVENT_REMARK, .host = host, .t_ns = stage_now_ns(s)};
    e.remark = text;
    push(s, &e);
}

void stage_look(struct stage *s)
{
    uint64_t now = stage_now_ns(s);
    bool quiet = now - last_ns(s) > LOOK_NS / 5 && now - s->looked_ns > LOOK_NS;
    bool pending = s->states != NULL && states_pending(s->states);
    if (!s->muted && (quiet || pending)) {
        catch_up(s);
        if (s->states != NULL)
            states_again(s->states, quiet, now);
        if (quiet)
            s->looked_ns = now;
    }
    calls_announce(s->calls);
    event_queue_flush(s->queue, now);
    if (now > LAB_HOLD_NS)
        s->view->advance(now - LAB_HOLD_NS, s->view->context);
}

void stage_show_all(struct stage *s)
{
    event_queue_flush(s->queue, UINT64_MAX);
}

/* --- programs ------------------------------------------------------------ */

int stage_start(struct stage *s, enum host_id host, struct err *e)
{
    const struct hosts *hosts = s->local != NULL ? NULL : &s->hosts;
    if (s->states != NULL)
        states_listeners(s->states, 1 - host, stage_now_ns(s));
    for (size_t i = 0; i < s->o->commands[host]; i++) {
        struct program *p = &s->program[host][i];
        p->host = host;
        p->command = s->o->command[host][i];
        p->terminal = i == 0 && s->o->interactive == (int)host;
        if (program_start(p, s->loop, hosts, s->calls, s->start_ns,
                          program_sink, s, e) < 0)
            return -1;
    }
    return 0;
}

size_t stage_running(const struct stage *s, enum host_id host)
{
    size_t count = 0;
    for (size_t i = 0; i < s->o->commands[host]; i++)
        count += program_runs(&s->program[host][i]);
    return count;
}

void stage_kill(struct stage *s, enum host_id host, int signum)
{
    for (size_t i = 0; i < s->o->commands[host]; i++)
        program_kill(&s->program[host][i], signum);
}

static struct program *find_program(struct stage *s, pid_t pid)
{
    for (int host = 0; host < HOST_COUNT; host++)
        for (size_t i = 0; i < s->o->commands[host]; i++)
            if (s->program[host][i].pid == pid)
                return &s->program[host][i];
    return NULL;
}

void stage_reap(struct stage *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (calls_handle(s->calls, pid, status))
            continue;
        struct program *p = find_program(s, pid);
        if (p == NULL || p->ended)
            continue;
        catch_up(s); /* the FIN of its sockets was before its end */
        p->by_itself = !s->muted;
        program_ended(p, status);
    }
}

/* A call that returns while the wire waits is stamped then, and not when the
 * wire has done. */
static void reap(void *stage)
{
    stage_reap(stage);
}

void stage_gate(struct stage *s, struct gate_view *v)
{
    if (s->local == NULL) {
        gate_look(s->hosts.at[HOST_SERVER].diag, v);
        return;
    }
    local_look(s->local, stage_now_ns(s));
    *v = (struct gate_view){.reachable = local_listens(s->local)};
}

/* Has this socket anything to do that the line will show? */
static void see_busy(const struct diag_socket *d, void *busy)
{
    switch (d->state) {
    case TCP_STATE_SYN_SENT:
    case TCP_STATE_SYN_RCVD:
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_CLOSING:
    case TCP_STATE_LAST_ACK:
        *(bool *)busy = true;
        break;
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_CLOSE_WAIT:
        *(bool *)busy |= d->send_queue > 0;
        break;
    default:
        break;
    }
}

bool stage_is_quiet(struct stage *s)
{
    bool busy = false;
    if (stage_now_ns(s) - last_ns(s) < SETTLE_NS)
        return false;
    if (s->local != NULL)
        return local_is_quiet(s->local);
    if (!wire_is_empty(s->wire))
        return false;
    for (int host = 0; host < HOST_COUNT; host++)
        diag_connections(s->hosts.at[host].diag, see_busy, &busy);
    return !busy;
}

/* --- building ------------------------------------------------------------ */

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
              .flags = RESET_ON_FORK,
              .nice = -20,
              .runtime_ns = 100 * CLOCK_US};
    prctl(PR_SET_TIMERSLACK, 1);
    if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0)
        return;
    attr.nice = 0;
    syscall(SYS_sched_setattr, 0, &attr, 0);
}

/* Two remarks: what to do, which can be translated, and why. */
static void tell_names_failed(struct stage *s)
{
    char why[128];
    snprintf(why, sizeof why, "/etc/hosts: %s",
             strerror(s->hosts.names_failed));
    stage_remark(s, HOST_CLIENT,
                 N_("the names client and server do not resolve here: use "
                    "10.9.0.1 and 10.9.0.2"));
    stage_remark(s, HOST_CLIENT, why);
}

static int open_wire(struct stage *s, struct err *e)
{
    const struct lab_options *o = s->o;
    if (o->states && (s->states = states_new(&s->hosts, lane_sink, s)) == NULL)
        return err_set(e, STATUS_FAILED, "no memory for the states");
    const struct wire_options wire = {
        .hosts = &s->hosts,
        .fault = o->fault,
        .mtu = o->link.mtu,
        .start_ns = s->start_ns,
        .linger = !o->calls, /* who is traced waits for the loop */
        .states = s->states,
        .sink = o->wire || o->states ? lane_sink : NULL,
        .meanwhile = o->calls ? reap : NULL,
        .context = s,
    };
    s->wire = wire_new(s->loop, &wire, e);
    if (s->hosts.names_failed != 0)
        tell_names_failed(s);
    return s->wire == NULL ? -1 : 0;
}

/* A lab without hosts. What its programs leave behind comes to us. */
static int open_local(struct stage *s, struct err *e)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    stage_remark(
        s, HOST_CLIENT,
        N_("loopback: both programs are on this machine, and no wire is "
           "between them, so segments are not shown"));
    s->local = local_new(lane_sink, s, e);
    return s->local == NULL ? -1 : 0;
}

int stage_open(struct stage *s, const struct lab_options *o,
               const struct lab_view *view, struct err *e)
{
    *s = (struct stage){.o = o, .view = view};
    hurry();
    if (!o->loopback && hosts_open(&s->hosts, &o->link, e) < 0)
        return -1;
    s->start_ns = clock_real_ns();
    if ((s->loop = loop_new(e)) == NULL)
        return -1;
    s->queue = event_queue_new(LAB_HOLD_NS, view->event, view->context);
    if (o->calls)
        s->calls =
            calls_new(s->start_ns, o->calls_all ? CALLS_ALL : CALLS_NETWORK,
                      call_sink, s);
    if (s->queue == NULL || (o->calls && s->calls == NULL))
        return err_set(e, STATUS_FAILED, "no memory for the lab");
    return o->loopback ? open_local(s, e) : open_wire(s, e);
}

void stage_close(struct stage *s)
{
    s->muted = true;
    if (s->o->loopback)
        local_kill_all();
    else
        hosts_close(&s->hosts);
    for (int host = 0; host < HOST_COUNT; host++)
        for (size_t i = 0; i < s->o->commands[host]; i++)
            program_close(&s->program[host][i]);
    if (s->queue != NULL)
        stage_show_all(s);
    wire_free(s->wire);
    states_free(s->states);
    local_free(s->local);
    calls_free(s->calls);
    event_queue_free(s->queue);
    loop_free(s->loop);
}
