/* SPDX-License-Identifier: MIT
 *
 * expect_parse: reads expectations. See expect.h for the language.
 * Read next: expect.c.
 */
#include "expect.h"

#include "claim.h"
#include "lang.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1024 * 1024)

struct claim *claim_add(struct expect *x, enum claim_kind kind)
{
    struct claim *more = realloc(x->claim, (x->claims + 1) * sizeof *x->claim);
    if (more == NULL)
        return NULL;
    x->claim = more;
    struct claim *c = &x->claim[x->claims++];
    *c = (struct claim){.kind = kind};
    return c;
}

struct step *claim_add_step(struct claim *c, enum joint joint)
{
    struct step *more = realloc(c->step, (c->steps + 1) * sizeof *c->step);
    if (more == NULL)
        return NULL;
    c->step = more;
    struct step *s = &c->step[c->steps++];
    *s = (struct step){.joint = joint};
    return s;
}

static int no_memory(struct err *e)
{
    errno = ENOMEM;
    return err_sys(e, "memory for expectations");
}

/* Reads one pattern as the next step of C. */
static int read_step(struct lex *l, struct claim *c, enum joint joint,
                     const enum host_id *host, struct err *e)
{
    struct step *s = claim_add_step(c, joint);
    if (s == NULL)
        return no_memory(e);
    return pattern_parse(l, host, &s->pattern, e);
}

static bool at_separator(const struct lex *l)
{
    return l->now.kind == TOKEN_SEPARATOR || l->now.kind == TOKEN_END;
}

static const char part_of_step[] = N_(
    "part of a step (of a frame: 6 B, data, seq=x+1, ack=y+1, win 0, to 9000, "
    "lost, duplicated, corrupted, by loss, again, received, copy), "
    "nor ';' ',' or '&' before the next");

/* A step, or several that are bound together: "A", "A, B, C" or "A & B". */
static int read_group(struct lex *l, struct claim *c, struct err *e)
{
    enum token_kind glue = TOKEN_END;
    size_t first = c->steps;
    for (enum joint joint = JOINT_THEN;;) {
        if (c->steps - first == GROUP_MAX)
            return lex_refuse(l, e,
                              N_("possible: a group has at most 63 steps"));
        if (read_step(l, c, joint, NULL, e) < 0)
            return -1;
        if (at_separator(l))
            return 0;
        bool is_glue = l->now.kind == TOKEN_COMMA || l->now.kind == TOKEN_AND;
        if (!is_glue)
            return lex_refuse(l, e, part_of_step);
        if (glue != TOKEN_END && l->now.kind != glue)
            return lex_refuse(l, e,
                              N_("the sign before: a group has all ',' or "
                                 "all '&'"));
        glue = l->now.kind;
        joint = glue == TOKEN_AND ? JOINT_AND : JOINT_NEXT;
        lex_next(l);
    }
}

/* "no", "exactly 2", "at least 1", "at most 3": takes it. 1, 0 or -1. */
static int take_quantity(struct lex *l, struct compared *count, struct err *e)
{
    count->with = 0;
    count->how = COMPARE_EQUAL;
    if (lex_take(l, "no"))
        return 1;
    if (lex_take(l, "at")) {
        if (lex_take(l, "least"))
            count->how = COMPARE_AT_LEAST;
        else if (lex_take(l, "most"))
            count->how = COMPARE_AT_MOST;
        else
            return lex_refuse(l, e, N_("least or most"));
    } else if (!lex_take(l, "exactly")) {
        return 0;
    }
    uint64_t n;
    if (!lex_number(l, &n))
        return lex_refuse(l, e, N_("a number of times"));
    count->with = (int64_t)n;
    return 1;
}

static int read_count(struct lex *l, struct expect *x,
                      const struct compared *count, const char *begin,
                      struct err *e)
{
    struct claim *c = claim_add(x, CLAIM_COUNT);
    if (c == NULL)
        return no_memory(e);
    c->count = *count;
    c->is_open = true;
    if (read_step(l, c, JOINT_THEN, NULL, e) < 0)
        return -1;
    while (lex_is(l, "after") || lex_is(l, "before")) {
        size_t *which = lex_is(l, "after") ? &c->after : &c->before;
        if (*which != 0)
            return lex_refuse(l, e, N_("said twice"));
        *which = c->steps;
        lex_next(l);
        if (read_step(l, c, JOINT_THEN, NULL, e) < 0)
            return -1;
    }
    c->is_open = c->after == 0;
    snprintf(c->text, sizeof c->text, "%.*s", (int)(l->last - begin), begin);
    if (!at_separator(l))
        return lex_refuse(l, e, N_("the end: ';', or 'before' or 'after'"));
    return 0;
}

/* Is "after" or "before" said before this statement ends? */
static bool says_when(struct lex l)
{
    for (; !at_separator(&l); lex_next(&l))
        if (lex_is(&l, "after") || lex_is(&l, "before"))
            return true;
    return false;
}

/* The kinds of lists, and in which lane their items must be. */
struct list_kind {
    const char *name, *item;
    enum pattern_lane lane;
};
static const struct list_kind list_kinds[] = {
    {"frames", N_("a frame"), IN_SENT},
    {"states", N_("a state of a connection"), IN_STATE},
    {"calls", N_("a call that returns"), IN_CALL},
    {NULL, NULL, IN_SENT},
};

static const struct list_kind *list_kind(const struct lex *l)
{
    const struct list_kind *kind = list_kinds;
    while (kind->name != NULL && !lex_is(l, kind->name))
        kind++;
    return kind->name != NULL ? kind : NULL;
}

static int read_list_item(struct lex *l, struct claim *c,
                          const struct list_kind *kind, bool received,
                          struct err *e)
{
    struct lex begin = *l;
    const enum host_id *host = c->has_host ? &c->host : NULL;
    if (read_step(l, c, JOINT_NEXT, host, e) < 0)
        return -1;
    struct pattern *p = &c->step[c->steps - 1].pattern;
    if (p->lane != kind->lane)
        return lex_refuse(&begin, e, kind->item);
    if (received && pattern_is_of_departure(p))
        return lex_refuse(
            &begin, e,
            N_("known of an arrival: what the wire did, and what is "
               "sent again, is said of the departure"));
    if (received)
        p->lane = IN_RECEIVED;
    return 0;
}

/* "frames: A, B, C"; the host before it, if any, is taken. */
static int read_list(struct lex *l, struct expect *x, const enum host_id *host,
                     const char *begin, struct err *e)
{
    const struct list_kind *kind = list_kind(l);
    struct claim *c = claim_add(x, CLAIM_LIST);
    if (c == NULL)
        return no_memory(e);
    c->has_host = host != NULL;
    if (host != NULL)
        c->host = *host;
    lex_next(l);
    bool received = kind->lane == IN_SENT && lex_take(l, "received");
    snprintf(c->text, sizeof c->text, "%.*s", (int)(l->last - begin), begin);
    if (l->now.kind != TOKEN_COLON)
        return lex_refuse(l, e, N_("':' and a list"));
    do {
        lex_next(l);
        if (read_list_item(l, c, kind, received, e) < 0)
            return -1;
    } while (l->now.kind == TOKEN_COMMA);
    if (!at_separator(l))
        return lex_refuse(l, e, part_of_step);
    return 0;
}

/* Takes what begins a list: "frames" or "client states". *named tells whether
 * a host was. */
static bool is_list(struct lex *l, enum host_id *host, bool *named)
{
    struct lex ahead = *l;
    *named = pattern_take_host(&ahead, host);
    if (list_kind(&ahead) == NULL)
        return false;
    *l = ahead;
    return true;
}

/* One statement. *ORDER: the order that steps are added to, as the number of
 * its claim; SIZE_MAX: the next step begins a new one. */
static int read_statement(struct lex *l, struct expect *x, size_t *order,
                          struct err *e)
{
    const char *begin = l->now.at;
    struct compared count;
    enum host_id host;
    bool named;
    if (lex_take(l, "meanwhile")) {
        *order = SIZE_MAX;
        if (l->now.kind == TOKEN_COLON)
            lex_next(l);
        return 0;
    }
    int taken = take_quantity(l, &count, e);
    if (taken < 0)
        return -1;
    if (taken == 0 && says_when(*l)) {
        taken = 1;
        count = (struct compared){COMPARE_AT_LEAST, 1};
    }
    if (taken > 0)
        return read_count(l, x, &count, begin, e);
    if (is_list(l, &host, &named))
        return read_list(l, x, named ? &host : NULL, begin, e);
    if (*order == SIZE_MAX) {
        if (claim_add(x, CLAIM_ORDER) == NULL)
            return no_memory(e);
        *order = x->claims - 1;
    }
    return read_group(l, &x->claim[*order], e);
}

static void name_orders(struct expect *x, size_t first)
{
    for (size_t i = first; i < x->claims; i++) {
        struct claim *c = &x->claim[i];
        if (c->kind == CLAIM_ORDER && c->steps == 1)
            snprintf(c->text, sizeof c->text, "%s", c->step[0].pattern.text);
        else if (c->kind == CLAIM_ORDER)
            snprintf(c->text, sizeof c->text, "%.60s ... %.60s (%zu steps)",
                     c->step[0].pattern.text,
                     c->step[c->steps - 1].pattern.text, c->steps);
    }
}

int expect_parse(struct expect *x, const char *name, const char *text,
                 struct err *e)
{
    struct lex l;
    size_t first = x->claims, order = SIZE_MAX;
    lex_begin(&l, name, text);
    while (l.now.kind != TOKEN_END) {
        if (l.now.kind == TOKEN_SEPARATOR)
            lex_next(&l);
        else if (read_statement(&l, x, &order, e) < 0)
            return -1;
    }
    if (x->claims == first)
        return lex_refuse(&l, e, N_("an expectation, such as client SYN"));
    name_orders(x, first);
    return 0;
}

/* The whole file as a string, or NULL and *e. */
static char *read_file(const char *path, struct err *e)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        err_sys(e, "%s", path);
        return NULL;
    }
    char *text = malloc(FILE_MAX + 2);
    if (text == NULL) {
        no_memory(e);
    } else {
        size_t len = fread(text, 1, FILE_MAX + 1, file);
        text[len] = '\0';
        bool is_good = false;
        if (ferror(file))
            err_sys(e, "%s", path);
        else if (len > FILE_MAX)
            err_set(e, STATUS_FAILED, "%s: larger than 1 MiB", path);
        else if (strlen(text) != len)
            err_set(e, STATUS_FAILED, "%s: not a text", path);
        else
            is_good = true;
        if (!is_good) {
            free(text);
            text = NULL;
        }
    }
    fclose(file); /* it was only read */
    return text;
}

int expect_read(struct expect *x, const char *path, struct err *e)
{
    char *text = read_file(path, e);
    if (text == NULL)
        return -1;
    int parsed = expect_parse(x, path, text, e);
    free(text);
    return parsed;
}

int expect_read_option(const char *text, const struct opt *o, struct err *e)
{
    char name[40];
    snprintf(name, sizeof name, "--%s", o->name);
    return expect_parse(o->value, name, text, e);
}

int expect_read_file(const char *text, const struct opt *o, struct err *e)
{
    return expect_read(o->value, text, e);
}
