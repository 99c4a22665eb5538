/* SPDX-License-Identifier: MIT
 *
 * The tracing: what each stop of a program means and how it goes on.
 *
 * A program runs freely (PTRACE_CONT) until the filter stops it at a call.
 * If that call is for the lane it is followed to its return (PTRACE_SYSCALL),
 * else the program runs on: one stop. A signal makes it less simple. It may
 * take a program out of a call that waits, and when its handler has run the
 * kernel either starts the call again, which is then still the same call, or
 * lets it fail with EINTR. Which of the two is seen where the handler returns.
 * Read next: event.h.
 */
#include "calls.h"

#include "calls_decode.h"
#include "calls_filter.h"
#include "lang.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Calls that one thread can be inside of at a time: one in the kernel, the
 * others interrupted by the signals whose handlers make calls again. */
#define DEPTH 4

#define OPTIONS                                                                \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |        \
     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |        \
     PTRACE_O_EXITKILL)

/* A signal-stop that is really a stop at a system call (TRACESYSGOOD). */
#define SYSCALL_STOP (SIGTRAP | 0x80)

/* The kernel's own errors of a call that a signal interrupted; no program
 * ever sees them (include/linux/errno.h there). */
enum {
    ERESTARTSYS = 512,
    ERESTARTNOINTR,
    ERESTARTNOHAND,
    ERESTART_RESTARTBLOCK = 516,
};

/* A thread that is traced. */
struct task {
    struct task *next;
    pid_t tid, pid; /* the thread, its process */
    enum host_id host;
    bool placed;  /* whose child it is, and so its host, is known */
    bool waiting; /* it has stopped for the first time before that */
    size_t depth;
    struct trapped open[DEPTH]; /* the calls it is inside of, innermost last */
};

struct calls {
    uint64_t start_ns;
    enum calls_which which;
    event_sink_fn *sink;
    void *context;
    uint64_t stops;
    struct task *tasks;
};

struct calls *calls_new(uint64_t start_ns, enum calls_which which,
                        event_sink_fn *sink, void *context)
{
    struct calls *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->start_ns = start_ns;
    c->which = which;
    c->sink = sink;
    c->context = context;
    return c;
}

static struct task *task_find(const struct calls *c, pid_t tid)
{
    struct task *t = c->tasks;
    while (t != NULL && t->tid != tid)
        t = t->next;
    return t;
}

static struct task *task_add(struct calls *c, pid_t tid)
{
    struct task *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->tid = t->pid = tid;
    t->next = c->tasks;
    c->tasks = t;
    return t;
}

static void task_free(struct calls *c, struct task *gone)
{
    struct task **at = &c->tasks;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free(gone);
}

void calls_free(struct calls *c)
{
    if (c == NULL)
        return;
    while (c->tasks != NULL)
        task_free(c, c->tasks);
    free(c);
}

uint64_t calls_stops(const struct calls *c)
{
    return c->stops;
}

static uint64_t now_ns(const struct calls *c)
{
    return clock_real_ns() - c->start_ns;
}

/* The child's end of calls_fork: waits until it is traced. */
static void await_tracer(int gate[2])
{
    char go;
    close(gate[1]);
    ssize_t n;
    do
        n = read(gate[0], &go, 1);
    while (n == -1 && errno == EINTR);
    if (n != 1)
        _exit(STATUS_FAILED);
    close(gate[0]);
}

static int refused(struct err *e)
{
    int error = errno;
    err_sys(e, "cannot trace a program");
    if (error == EPERM)
        err_advise(e, "ptrace is forbidden here (a container's seccomp "
                      "profile, or kernel.yama.ptrace_scope above 1)");
    return -1;
}

/* The parent's end: traces the child, then lets it go. */
static int take(struct calls *c, enum host_id host, pid_t pid, int gate,
                struct err *e)
{
    struct task *t = task_add(c, pid);
    if (t == NULL)
        return err_sys(e, "cannot trace a program");
    t->host = host;
    t->placed = true;
    if (ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) == 0 &&
        write(gate, "", 1) == 1)
        return 0;
    task_free(c, t);
    return refused(e);
}

pid_t calls_fork(struct calls *c, enum host_id host, struct err *e)
{
    int gate[2] = {-1, -1};
    if (c != NULL && pipe2(gate, O_CLOEXEC) == -1)
        return err_sys(e, "pipe");
    pid_t pid = fork();
    if (pid == -1)
        err_sys(e, "fork");
    if (c == NULL)
        return pid;
    if (pid == 0) {
        await_tracer(gate);
        return 0;
    }
    if (pid > 0 && take(c, host, pid, gate[1], e) == -1) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, __WALL);
        pid = -1;
    }
    close(gate[0]);
    close(gate[1]);
    return pid;
}

int calls_filter(const struct calls *c, struct err *e)
{
    return c == NULL ? 0 : calls_filter_install(c->which == CALLS_ALL, e);
}

/* Lets a stopped thread run on, with signal SIG if not 0. Errors are left
 * alone, here and below: a thread that was killed meanwhile (ESRCH) is no
 * longer stopped, and waitpid will tell. */
static void resume(const struct task *t, int sig)
{
    ptrace(t->depth > 0 ? PTRACE_SYSCALL : PTRACE_CONT, t->tid, NULL, sig);
}

static void remark(const struct calls *c, const struct task *t,
                   const char *text)
{
    struct event e = {.kind = EVENT_REMARK,
                      .host = t->host,
                      .t_ns = now_ns(c),
                      .pid = t->pid,
                      .remark = text};
    c->sink(&e, c->context);
}

static void emit(const struct calls *c, const struct task *t,
                 const struct trapped *call, uint64_t t_ns)
{
    struct event e = {.kind = EVENT_CALL,
                      .host = t->host,
                      .t_ns = t_ns,
                      .pid = t->pid,
                      .call = call->call};
    c->sink(&e, c->context);
}

/* The event of a call that has not returned. */
static void announce(const struct calls *c, const struct task *t,
                     struct trapped *call)
{
    call->announced = true;
    emit(c, t, call, call->call.begin_ns);
}

/* The innermost call has returned. */
static void returned(const struct calls *c, struct task *t, int64_t result)
{
    struct trapped *call = &t->open[--t->depth];
    call->call.end_ns = now_ns(c);
    calls_decode_leave(call, result);
    if (call->row->remark == NULL)
        emit(c, t, call,
             call->announced ? call->call.end_ns : call->call.begin_ns);
    else if (result >= 0)
        remark(c, t, call->row->remark);
}

/* The thread has ended, or exec has replaced what it ran: no call it is
 * inside of will ever return. */
static void never_return(const struct calls *c, struct task *t)
{
    for (size_t i = 0; i < t->depth; i++)
        if (!t->open[i].announced && t->open[i].row->remark == NULL)
            announce(c, t, &t->open[i]);
    t->depth = 0;
}

void calls_announce(struct calls *c)
{
    if (c == NULL)
        return;
    uint64_t now = now_ns(c);
    for (struct task *t = c->tasks; t != NULL; t = t->next)
        for (size_t i = 0; i < t->depth; i++) {
            struct trapped *call = &t->open[i];
            if (!call->announced && call->row->remark == NULL &&
                now - call->call.begin_ns >= CALLS_PATIENCE_NS)
                announce(c, t, call);
        }
}

/* A thread was born: at its creator's stop PARENT is known. It is a process
 * of its own if a pidfd can be had of it, else a thread of PARENT's. */
static void place(struct task *t, const struct task *parent)
{
    int pidfd = (int)syscall(SYS_pidfd_open, t->tid, 0);
    if (pidfd == -1)
        t->pid = parent->pid;
    else
        close(pidfd);
    t->host = parent->host;
    t->placed = true;
    if (t->waiting)
        resume(t, 0);
}

/* Parent and child stop in either order; the second of the two places it. */
static void born(struct calls *c, const struct task *parent)
{
    unsigned long tid;
    if (ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &tid) == -1)
        return;
    struct task *t = task_find(c, (pid_t)tid);
    if (t == NULL)
        t = task_add(c, (pid_t)tid);
    if (t != NULL && !t->placed)
        place(t, parent);
}

/* The class of the program's file: 32-bit programs make their calls by other
 * numbers, which the filter lets pass. */
static bool is_32_bit(pid_t pid)
{
    char path[32];
    unsigned char ident[EI_CLASS + 1] = {0};
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    ssize_t n = read(fd, ident, sizeof ident);
    close(fd);
    return n == (ssize_t)sizeof ident && ident[EI_CLASS] == ELFCLASS32;
}

/* exec ends all other threads, and the one that called it takes the first
 * one's id: FORMER is who it was. */
static void replaced(struct calls *c, struct task *t)
{
    unsigned long former;
    never_return(c, t);
    if (ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &former) == 0 &&
        (pid_t)former != t->tid) {
        struct task *caller = task_find(c, (pid_t)former);
        if (caller != NULL) {
            never_return(c, caller);
            task_free(c, caller);
        }
    }
    if (is_32_bit(t->tid))
        remark(c, t, N_("this is a 32-bit program: its calls are not shown"));
}

/* The kernel comes back to where a call was made: the same number from the
 * same place. Then the calls of the signal's handler are over. */
static bool goes_on(struct task *t, uint64_t nr, uint64_t ip, uint64_t sp)
{
    for (size_t i = t->depth; i-- > 0;) {
        struct trapped *call = &t->open[i];
        if (call->interrupted && call->ip == ip && call->sp == sp &&
            (uint64_t)call->row->nr == nr) {
            call->interrupted = false;
            t->depth = i + 1;
            return true;
        }
    }
    return false;
}

/* The filter has stopped the thread on its way into a call. */
static void trapped(struct calls *c, struct task *t,
                    const struct __ptrace_syscall_info *info)
{
    uint64_t ip = info->instruction_pointer, sp = info->stack_pointer;
    if (goes_on(t, info->seccomp.nr, ip, sp) || t->depth == DEPTH)
        return;
    struct trapped *call = &t->open[t->depth];
    *call = (struct trapped){.row = calls_row_find(info->seccomp.nr),
                             .tid = t->tid,
                             .pid = t->pid,
                             .ip = ip,
                             .sp = sp};
    memcpy(call->args, info->seccomp.args, sizeof call->args);
    if (call->row == NULL || !calls_decode_enter(call))
        return;
    t->depth++;
    call->call.begin_ns = now_ns(c);
    if (call->row->remark == NULL && call_waits(&call->call))
        announce(c, t, call);
}

static bool is_restart(int64_t result)
{
    return result == -ERESTARTSYS || result == -ERESTARTNOINTR ||
           result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK;
}

/* The thread has left a system call: its innermost open one; or, while that
 * is interrupted, some call of a signal's handler. When that is the last,
 * sigreturn, the thread stands where it was, with a result if the call is not
 * to be started again. */
static void left(struct calls *c, struct task *t,
                 const struct __ptrace_syscall_info *info)
{
    uint64_t ip = info->instruction_pointer, sp = info->stack_pointer;
    size_t i = t->depth;
    while (i > 0 && t->open[i - 1].interrupted &&
           (t->open[i - 1].ip != ip || t->open[i - 1].sp != sp))
        i--;
    if (i == 0)
        return;
    t->depth = i;
    if (is_restart(info->exit.rval))
        t->open[i - 1].interrupted = true;
    else
        returned(c, t, info->exit.rval);
}

static void at_syscall(struct calls *c, struct task *t)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof info, &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_SECCOMP)
        trapped(c, t, &info);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        left(c, t, &info);
}

/* PTRACE_EVENT_STOP: the first stop of a newcomer, or the program was told to
 * stop (SIGSTOP, Ctrl-Z) and stays so until SIGCONT. */
static void halted(struct task *t, int sig)
{
    if (!t->placed)
        t->waiting = true;
    else if (sig == SIGTRAP)
        resume(t, 0);
    else
        ptrace(PTRACE_LISTEN, t->tid, NULL, 0);
}

static void stopped(struct calls *c, struct task *t, int status)
{
    int sig = WSTOPSIG(status);
    c->stops++;
    switch (status >> 16) {
    case PTRACE_EVENT_STOP:
        halted(t, sig);
        return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        born(c, t);
        break;
    case PTRACE_EVENT_EXEC:
        replaced(c, t);
        break;
    case PTRACE_EVENT_SECCOMP:
        at_syscall(c, t);
        break;
    default:
        if (sig != SYSCALL_STOP) {
            resume(t, sig); /* a signal on its way to the program */
            return;
        }
        at_syscall(c, t);
    }
    resume(t, 0);
}

/* Returns true if it was a mere thread. */
static bool ended(struct calls *c, struct task *t)
{
    bool thread = t->tid != t->pid;
    never_return(c, t);
    /* Killed inside fork, it never told of its child. */
    for (struct task *other = c->tasks; other != NULL; other = other->next)
        if (other->waiting && !other->placed)
            place(other, t);
    task_free(c, t);
    return thread;
}

bool calls_handle(struct calls *c, pid_t pid, int status)
{
    if (c == NULL)
        return false;
    struct task *t = task_find(c, pid);
    if (!WIFSTOPPED(status))
        return t != NULL && ended(c, t);
    if (t == NULL)
        t = task_add(c, pid);
    if (t != NULL)
        stopped(c, t, status);
    return true;
}
