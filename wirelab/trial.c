/* SPDX-License-Identifier: MIT
 *
 * trial: a scene runs unseen; only if it does not come out as expected is its
 * picture drawn, from the events that were kept. See trial.h for the contract.
 */
#include "trial.h"

#include "clock.h"
#include "lab.h"
#include "lang.h"
#include "out.h"
#include "show.h"
#include "view.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child ends with whose run was not as expected, but whose wire was late
 * (sysexits.h: a temporary failure); and how often that may be. */
#define STATUS_LATE 75
#define TRIES 3

/* More is no experiment any more, but a program gone wild. */
#define KEPT_MAX 300000

struct kept {
    struct event **event;
    size_t events, cap;
    struct expect *expect;
    int status;    /* of the first client that ended with another than 0 */
    bool is_short; /* of memory */
    bool is_long;  /* more happened than is kept */
};

static void keep_event(const struct event *e, void *context)
{
    struct kept *k = context;
    expect_event(e, k->expect);
    if (e->kind == EVENT_EXIT && e->host == HOST_CLIENT && k->status == 0)
        k->status = WIFEXITED(e->exit.status) ? WEXITSTATUS(e->exit.status)
                                              : 128 + WTERMSIG(e->exit.status);
    if (k->events == KEPT_MAX) {
        k->is_long = true;
        return;
    }
    if (k->events == k->cap) {
        size_t cap = k->cap > 0 ? 2 * k->cap : 256;
        struct event **more = realloc(k->event, cap * sizeof(struct event *));
        if (more == NULL) {
            k->is_short = true;
            return;
        }
        k->event = more;
        k->cap = cap;
    }
    k->event[k->events] = event_copy(e);
    if (k->event[k->events] == NULL)
        k->is_short = true;
    else
        k->events++;
}

static void ignore_time(uint64_t t_ns, void *context)
{
    (void)t_ns, (void)context;
}

static bool is_gone(void *context)
{
    const struct kept *k = context;
    return k->is_short || k->is_long;
}

static void discard(struct kept *k)
{
    for (size_t i = 0; i < k->events; i++)
        event_discard(k->event[i]);
    free(k->event);
}

/* --- the picture of what failed ------------------------------------------ */

/* Shows what failed at this time, or later, if it is LATE: expectations that
 * nothing met stop where nothing of them was ever seen. */
static void show_failures(const struct expect *x, const struct lab_view *view,
                          uint64_t from_ns, uint64_t to_ns)
{
    for (size_t i = 0; i < expect_count(x); i++) {
        struct expect_result one = expect_result(x, i);
        char text[1200];
        if (one.held || one.t_ns < from_ns || one.t_ns >= to_ns)
            continue;
        bool of_server = strncmp(one.text, "server", 6) == 0;
        snprintf(text, sizeof text, _(">>> not as expected: %s: %s"), one.text,
                 one.why);
        struct event e = {.kind = EVENT_REMARK,
                          .host = of_server ? HOST_SERVER : HOST_CLIENT,
                          .t_ns = one.t_ns,
                          .remark = text};
        view->event(&e, view->context);
    }
}

static void draw(const struct settings *s, const struct kept *k,
                 const struct lab_result *r)
{
    struct settings settings = *s;
    struct out out;
    struct err e;
    char program[] = "wirelab", *argv[] = {program, NULL};
    out_init(&out, "wirelab", false, false);
    settings.expects = false; /* they have been judged already */
    struct show *show = show_open(&settings, NULL, &out, 1, argv, &e);
    if (show == NULL) {
        out_error(&out, &e);
        return;
    }
    struct lab_view view = show_view(show);
    for (size_t i = 0; i < k->events; i++) {
        uint64_t next_ns =
            i + 1 < k->events ? k->event[i + 1]->t_ns : UINT64_MAX;
        view.event(k->event[i], view.context);
        show_failures(k->expect, &view, i == 0 ? 0 : k->event[i]->t_ns,
                      next_ns);
    }
    show_close(show, r, 0);
}

/* --- the child ----------------------------------------------------------- */

static int say_failures(const struct scene *s, const struct lab_result *r)
{
    const struct expect *x = s->settings.expect;
    int failures = 0;
    for (size_t i = 0; i < expect_count(x); i++) {
        struct expect_result one = expect_result(x, i);
        if (!one.held)
            printf(_("# not as expected: %s: %s\n"), one.text, one.why);
        failures += !one.held;
    }
    if (r->status != s->status)
        printf(_("# the client ended with status %d, not %d\n"), r->status,
               s->status);
    return failures + (r->status != s->status);
}

static int say_error(const struct err *e)
{
    printf("# %s\n", e->text);
    if (e->advice[0] != '\0')
        printf("# %s\n", e->advice);
    return e->status == STATUS_SKIP ? STATUS_SKIP : STATUS_EXPECT;
}

/* The run itself, or the one that was recorded: then *own, which is for the
 * picture, comes to say what that was like, as long as *FILE is open. */
static int watch(const char *recording, struct settings *own,
                 const struct lab_view *view, struct view **file,
                 struct lab_result *result, struct err *e)
{
    struct kept *kept = view->context;
    if (recording == NULL)
        return lab_run(&own->lab, view, result, e);
    *result = (struct lab_result){0};
    own->view = recording;
    *file = view_open(own, e);
    if (*file == NULL)
        return -1;
    int run = view_must_choose(*file)
                  ? err_set(e, STATUS_USAGE,
                            "%s: several conversations: hand in a recording "
                            "(--record), or a capture of one",
                            recording)
                  : view_run(*file, view, result, e);
    result->status = kept->status;
    return run;
}

/* Is there something to say about it? */
static bool is_amiss(const struct scene *s, const struct lab_result *r)
{
    return expect_finish(s->settings.expect) > 0 || r->status != s->status;
}

static int run_here(const struct scene *s, const char *recording)
{
    struct settings own = s->settings;
    struct kept kept = {.expect = s->settings.expect};
    const struct lab_view view = {.event = keep_event,
                                  .advance = ignore_time,
                                  .is_gone = is_gone,
                                  .input = -1,
                                  .context = &kept};
    struct lab_result result;
    struct view *file = NULL;
    struct err e;
    int status = 0;
    bool failed = watch(recording, &own, &view, &file, &result, &e) < 0;
    if (failed && e.status == STATUS_SKIP) {
        status = say_error(&e);
    } else if (result.signal != 0) {
        status = 128 + result.signal;
    } else if (kept.is_short) {
        puts(_("# memory was short"));
        status = STATUS_EXPECT;
    } else if (kept.is_long) {
        printf(_("# too much happens: more than %d events\n"), KEPT_MAX);
        status = STATUS_EXPECT;
    } else if (is_amiss(s, &result) || failed) {
        draw(&own, &kept, &result);
        say_failures(s, &result);
        if (failed)
            say_error(&e);
        status =
            result.counts.late_ns > WIRE_LATE_NS ? STATUS_LATE : STATUS_EXPECT;
    }
    discard(&kept);
    view_close(file);
    return status;
}

/* All that it prints goes to FD. Nobody would see it if the parent ended. */
static void be_child(const struct scene *s, const char *recording, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int status = run_here(s, recording);
    fflush(stdout);
    _exit(status);
}

/* --- the parent ---------------------------------------------------------- */

static char *read_back(FILE *file)
{
    char *text = NULL;
    size_t cap = 0;
    rewind(file);
    if (getdelim(&text, &cap, '\0', file) >= 0)
        return text;
    free(text);
    return strdup("");
}

static int try_once(const struct scene *s, const char *recording,
                    struct trial *t, struct err *e)
{
    FILE *file = tmpfile();
    if (file == NULL)
        return err_sys(e, "a scratch file");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        be_child(s, recording, fileno(file));
    int end = 0;
    pid_t waited = pid;
    while (pid > 0 && (waited = waitpid(pid, &end, 0)) < 0 && errno == EINTR)
        ;
    if (waited < 0)
        err_sys(e, "a process for the lab");
    t->text = waited > 0 ? read_back(file) : NULL;
    fclose(file); /* a scratch file */
    if (t->text == NULL)
        return waited < 0 ? -1 : err_sys(e, "memory for the picture");
    t->status = WIFEXITED(end) ? WEXITSTATUS(end) : 128 + WTERMSIG(end);
    return 0;
}

int trial_run(const struct scene *s, const char *recording, struct trial *t,
              struct err *e)
{
    for (int left = TRIES - 1;; left--) {
        if (try_once(s, recording, t, e) < 0)
            return -1;
        if (t->status != STATUS_LATE)
            return 0;
        if (left == 0)
            break;
        free(t->text);
    }
    t->status = STATUS_EXPECT;
    return 0;
}
