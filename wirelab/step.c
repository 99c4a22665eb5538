/* SPDX-License-Identifier: MIT
 *
 * step: a row a key. See step.h for the contract.
 */
#include "step.h"

#include "lang.h"

#include <errno.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

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
    struct step_row *first, **last;
    bool greeted, asked;
    bool owes; /* a key was pressed while there was no row */
    bool out_of_memory;
};

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
    struct step_row *r = malloc(sizeof *r);
    if (r == NULL) {
        s->out_of_memory = true;
        return;
    }
    r->next = NULL;
    r->row = *row;
    *s->last = r;
    s->last = &r->next;
    if (s->owes && is_event(row))
        show_next(s);
    else
        ask(s);
}

bool step_key(struct step *s)
{
    char key;
    ssize_t n = read(s->keys, &key, 1);
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

bool step_waits(const struct step *s)
{
    return s->first != NULL;
}

bool step_complete(const struct step *s)
{
    return !s->out_of_memory;
}
