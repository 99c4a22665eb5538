/* SPDX-License-Identifier: MIT
 *
 * step: a row a key. See step.h for the contract.
 */
#include "step.h"

#include "lang.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
#define STOPS (sizeof stops / sizeof *stops)

static volatile sig_atomic_t stopped_by;

static void stop_cb(int signum)
{
    stopped_by = signum;
}

/* So many rows wait at most; nobody steps through more. */
#define WAITING_MAX 20000

struct step_row {
    struct step_row *next;
    struct row row;
};

struct step {
    int keys;
    FILE *talk;
    row_fn *out;
    void *context;
    bool is_terminal, passes; /* passes: rows need no key any more */
    struct termios saved;
    struct sigaction before[STOPS];
    struct step_row *first, **last;
    size_t waiting;
    bool greeted, asked;
    bool owes; /* a key was pressed while there was no row */
    bool out_of_memory;
};

static void catch_stops(struct step *s)
{
    struct sigaction sa = {.sa_handler = stop_cb};
    sigemptyset(&sa.sa_mask);
    stopped_by = 0;
    for (size_t i = 0; i < STOPS; i++)
        sigaction(stops[i], &sa, &s->before[i]);
}

struct step *step_new(int keys, FILE *talk, row_fn *out, void *context)
{
    struct step *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->keys = keys;
    s->talk = talk;
    s->out = out;
    s->context = context;
    s->last = &s->first;
    s->is_terminal = tcgetattr(keys, &s->saved) == 0;
    s->passes = !s->is_terminal;
    if (s->is_terminal) {
        struct termios raw = s->saved;
        raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO); /* Ctrl-C stays */
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        catch_stops(s);
        tcsetattr(keys, TCSANOW, &raw);
    }
    return s;
}

void step_free(struct step *s)
{
    if (s == NULL)
        return;
    if (s->is_terminal)
        tcsetattr(s->keys, TCSANOW, &s->saved);
    for (size_t i = 0; i < STOPS && s->is_terminal; i++)
        sigaction(stops[i], &s->before[i], NULL);
    while (s->first != NULL) {
        struct step_row *r = s->first;
        s->first = r->next;
        free(r);
    }
    free(s);
}

/* What the reader should do now. The line is taken back when a key comes. */
static void ask(struct step *s)
{
    const struct step_row *r = s->first;
    if (s->asked || r == NULL)
        return;
    bool is_arrow = r->row.kind == ROW_EVENT && r->row.wire != WIRE_NONE &&
                    r->row.wire != WIRE_ARRIVES;
    const char *words = is_arrow      ? _("Who sends next, and what? ")
                        : !s->greeted ? _("Enter: the next row   a: all   "
                                          "q: quit ")
                                      : "";
    fputs(words, s->talk);
    fflush(s->talk);
    s->greeted = s->asked = true;
}

static void take_back(struct step *s)
{
    if (s->asked)
        fputs("\r\x1b[K", s->talk);
    fflush(s->talk);
    s->asked = false;
}

static void show_first(struct step *s)
{
    struct step_row *r = s->first;
    s->first = r->next;
    s->waiting--;
    if (s->first == NULL)
        s->last = &s->first;
    s->out(&r->row, s->context);
    free(r);
}

/* Is this a row to think about? The others come along with it. */
static bool is_event(const struct row *row)
{
    return row->kind == ROW_EVENT || row->kind == ROW_OUTPUT;
}

/* One event, with the title above it and the remarks below it. */
static void show_next(struct step *s)
{
    take_back(s);
    while (s->first != NULL && !is_event(&s->first->row))
        show_first(s);
    s->owes = s->first == NULL;
    if (s->first != NULL)
        show_first(s);
    while (s->first != NULL && s->first->row.kind != ROW_TITLE &&
           !is_event(&s->first->row))
        show_first(s);
    ask(s);
}

void step_row(const struct row *row, void *step)
{
    struct step *s = step;
    if (s->passes) {
        s->out(row, s->context);
        return;
    }
    struct step_row *r = s->waiting < WAITING_MAX ? malloc(sizeof *r) : NULL;
    if (r == NULL) {
        s->out_of_memory = true;
        return;
    }
    s->waiting++;
    r->next = NULL;
    r->row = *row;
    *s->last = r;
    s->last = &r->next;
    if (s->owes && is_event(row))
        show_next(s);
    else
        ask(s);
}

/* Until there is a key, or a signal: which can come only here, so that none
 * slips in between the question whether it came and the wait. */
static void wait_for_key(const struct step *s)
{
    struct pollfd key = {.fd = s->keys, .events = POLLIN};
    sigset_t set, before;
    sigemptyset(&set);
    for (size_t i = 0; i < STOPS; i++)
        sigaddset(&set, stops[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
    if (stopped_by == 0)
        ppoll(&key, 1, NULL, &before); /* what it says, read says too */
    sigprocmask(SIG_SETMASK, &before, NULL);
}

bool step_key(struct step *s)
{
    char key;
    wait_for_key(s);
    ssize_t n = stopped_by == 0 ? read(s->keys, &key, 1) : 0;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n <= 0 || key == 'q' || key == 4 /* Ctrl-D */) {
        take_back(s);
        return false;
    }
    if (key == 'a') {
        take_back(s);
        s->passes = true;
        while (s->first != NULL)
            show_first(s);
    } else {
        show_next(s);
    }
    return true;
}

int step_signal(const struct step *s)
{
    return s != NULL ? stopped_by : 0;
}

bool step_waits(const struct step *s)
{
    return s->first != NULL;
}

bool step_complete(const struct step *s)
{
    return !s->out_of_memory;
}
