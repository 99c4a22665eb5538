/* SPDX-License-Identifier: MIT
 *
 * doctor: a lab that is only counted. See doctor.h for the contract.
 */
#include "doctor.h"

#include "clock.h"
#include "cure.h"
#include "lab.h"
#include "lang.h"
#include "width.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES 64

/* What one lab came to; it is passed through a pipe. */
struct trial {
    int failed;
    struct err err;
    struct lab_result result;
    unsigned calls, states, frames, travels;
    char remark[160];
    uint64_t sent_ns[HOST_COUNT][FRAMES]; /* by number */
    uint64_t travel_ns[HOST_COUNT * FRAMES];
};

static void note_travel(struct trial *t, const struct event *e)
{
    const struct event_frame *f = &e->frame;
    if (f->number >= FRAMES)
        return;
    if (e->kind == EVENT_SENT)
        t->sent_ns[f->from][f->number] = e->t_ns;
    else if (t->travels < HOST_COUNT * FRAMES)
        t->travel_ns[t->travels++] = e->t_ns - t->sent_ns[f->from][f->number];
}

static void count_event(const struct event *e, void *trial)
{
    struct trial *t = trial;
    t->calls += e->kind == EVENT_CALL && e->call.returned;
    t->states += e->kind == EVENT_STATE;
    t->frames += e->kind == EVENT_SENT;
    if (e->kind == EVENT_SENT || e->kind == EVENT_RECEIVED)
        note_travel(t, e);
    if (e->kind == EVENT_REMARK && t->remark[0] == '\0')
        snprintf(t->remark, sizeof t->remark, "%s", e->remark);
}

static void ignore_time(uint64_t t_ns, void *context)
{
    (void)t_ns, (void)context;
}

static bool is_never_gone(void *context)
{
    (void)context;
    return false;
}

static void try_here(const struct lab_options *o, struct trial *t)
{
    const struct lab_view view = {.event = count_event,
                                  .advance = ignore_time,
                                  .is_gone = is_never_gone,
                                  .input = -1,
                                  .context = t};
    t->failed = lab_run(o, &view, &t->result, &t->err);
}

/* A process can enter its namespaces only once, so each lab has a child. */
static int try_lab(const struct lab_options *o, struct trial *t)
{
    int report[2];
    memset(t, 0, sizeof *t);
    fflush(NULL);
    if (pipe(report) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        try_here(o, t);
        bool whole = write(report[1], t, sizeof *t) == (ssize_t)sizeof *t;
        _exit(whole ? 0 : 1);
    }
    close(report[1]);
    size_t got = 0;
    ssize_t n;
    while (pid > 0 && got < sizeof *t &&
           (n = read(report[0], (char *)t + got, sizeof *t - got)) > 0)
        got += (size_t)n;
    close(report[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return got == sizeof *t ? 0 : -1;
}

/* WHAT, marked for translation, in a column; and a line about it. */
static void say_item(const char *what, const char *detail)
{
    int width = width_of(_(what));
    printf("%s%*s%s\n", _(what), width < 8 ? 8 - width : 1, "", detail);
}

static void say(bool good, const char *what, const char *detail)
{
    fputs(good ? "ok  " : "no  ", stdout);
    say_item(what, detail);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double median_ms(struct trial *t)
{
    qsort(t->travel_ns, t->travels, sizeof *t->travel_ns, by_size);
    return (double)t->travel_ns[t->travels / 2] / (double)CLOCK_MS;
}

static bool say_lanes(const struct settings *s, struct trial *t, bool calls)
{
    char text[256];
    double asked_ms =
        (double)s->fault->link[HOST_CLIENT].delay_ns / (double)CLOCK_MS;
    say(true, N_("hosts"),
        t->result.rootless ? _("two, and a wire, without root")
                           : _("two, and a wire"));
    say(t->remark[0] == '\0', N_("names"),
        t->remark[0] != '\0' ? _(t->remark) : _("client and server"));
    if (calls) {
        snprintf(text, sizeof text, _("%u seen, by ptrace and seccomp"),
                 t->calls);
        say(t->calls > 0, N_("calls"), text);
    }
    snprintf(text, sizeof text,
             _("%u frames seen, with the kernel's timestamps"), t->frames);
    say(t->frames > 0, N_("wire"), text);
    snprintf(text, sizeof text, _("%u changes seen, by sock_diag"), t->states);
    say(t->states > 0, N_("states"), text);
    if (t->travels > 0) {
        snprintf(text, sizeof text, _("%.4g ms asked for, %.1f ms given"),
                 asked_ms, median_ms(t));
        say(true, N_("delay"), text);
    }
    if (t->result.status != 0) {
        snprintf(text, sizeof text, _("%s: exit status %d"),
                 s->lab.command[HOST_CLIENT][0], t->result.status);
        say(false, N_("program"), text);
    }
    return t->result.status == 0 && t->remark[0] == '\0' && t->frames > 0 &&
           t->states > 0 && (!calls || t->calls > 0);
}

static void say_more(const char *what, const char *detail)
{
    fputs("    ", stdout);
    say_item(what, detail);
}

static void say_error(const char *what, const struct err *e)
{
    say(false, what, e->text);
    if (e->advice[0] != '\0')
        say_more(N_("cure"), e->advice);
}

static void say_cure(const struct cure *c, void *context)
{
    (void)context;
    say_more(N_("why"), _(c->why));
    say_more(N_("cure"), _(c->how));
}

static void say_machine(void)
{
    struct utsname u;
    uname(&u); /* cannot fail: the buffer is ours */
    printf("wirelab " WIRELAB_VERSION ", %s %s, %s\n", u.sysname, u.release,
           u.machine);
}

/* Why did it fail? Without the calls lane more may work. */
static int say_failure(const struct settings *s, struct trial *t)
{
    struct lab_options o = s->lab;
    struct err first = t->err;
    o.calls = false;
    if (first.status != STATUS_SKIP && try_lab(&o, t) == 0 && !t->failed) {
        say_lanes(s, t, false);
        say_error(N_("calls"), &first);
        return STATUS_SKIP;
    }
    say(false, N_("hosts"), first.text);
    if (cure_each(say_cure, NULL) == 0)
        say_more(N_("cure"), first.advice);
    say_more(N_("instead"),
             _("wirelab --loopback shows calls and states, no segments"));
    return STATUS_SKIP;
}

int doctor_run(const struct settings *s)
{
    struct trial t;
    say_machine();
    if (try_lab(&s->lab, &t) < 0) {
        say(false, N_("hosts"), _("the trial itself died"));
        return STATUS_SKIP;
    }
    if (t.failed)
        return say_failure(s, &t);
    if (!say_lanes(s, &t, true))
        return STATUS_SKIP;
    puts(_("note: while calls are shown, gdb, strace and LeakSanitizer do not "
           "work\n      in the lab, since a process has one tracer; "
           "--lanes wire,states frees it"));
    return STATUS_OK;
}
