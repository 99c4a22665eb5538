/* SPDX-License-Identifier: MIT
 *
 * run: one measurement, as its receiver sees it. See run.h for the contract.
 */
#include "run.h"

#include "source.h"

#include <stdlib.h>
#include <string.h>

struct run *run_new(uint64_t token, const struct run_plan *plan, int fd,
                    uint64_t now_ns)
{
    struct run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->token = token;
    r->plan = *plan;
    r->seen_ns = now_ns;
    r->got.mode = MODE_ONE;
    cost_now(&r->begin, fd);
    if (plan->reverse == 0)
        return r;
    r->source = malloc(sizeof *r->source);
    if (r->source != NULL) {
        source_begin(r->source, token, plan, fd, now_ns);
        return r;
    }
    free(r);
    return NULL;
}

void run_free(struct run *r)
{
    if (r != NULL && r->source != NULL) {
        source_close(r->source);
        free(r->source);
    }
    free(r);
}

/* The place of a number in the map: a ring of bits. */
static uint64_t *word(struct run *r, uint64_t number)
{
    return &r->bits[number % RUN_WINDOW / 64];
}

static uint64_t bit(uint64_t number)
{
    return UINT64_C(1) << number % 64;
}

/* Moves the window's upper end above NUMBER; what was skipped has not come. */
static void advance(struct run *r, uint64_t number)
{
    if (number - r->next >= RUN_WINDOW)
        memset(r->bits, 0, sizeof r->bits);
    else
        for (uint64_t n = r->next; n < number; n++)
            *word(r, n) &= ~bit(n);
    r->next = number + 1;
}

static void late(struct run *r, uint64_t number)
{
    uint64_t distance = r->next - 1 - number;
    r->got.reordered++;
    if (distance > r->got.reorder_max)
        r->got.reorder_max = distance;
}

void run_note(struct run *r, uint64_t number, size_t bytes, uint64_t now_ns)
{
    if (r->got.delivered == 0)
        r->got.first_ns = now_ns;
    r->seen_ns = now_ns;
    if (number < r->next && r->next - number > RUN_WINDOW) {
        r->got.beyond++;
        return;
    }
    if (number < r->next && (*word(r, number) & bit(number)) != 0) {
        r->got.duplicated++;
        return;
    }
    if (number < r->next)
        late(r, number);
    else
        advance(r, number);
    *word(r, number) |= bit(number);
    r->got.delivered++;
    r->got.bytes += bytes;
    r->got.elapsed_ns = now_ns - r->got.first_ns;
}

void run_datagram(struct run *r, const struct msg *m, const void *data,
                  uint64_t now_ns)
{
    const char *content = (const char *)data + MSG_HEADER;
    uint64_t before = r->got.delivered;
    run_note(r, m->number, m->len, now_ns);
    if (r->plan.verify != 0 && r->got.delivered > before &&
        (m->len != r->plan.size || !msg_check(content, 0, m->len - MSG_HEADER)))
        r->got.corrupt++;
}

struct run_counts run_report(const struct run *r, int fd)
{
    struct run_counts c = r->got;
    cost_now(&c.cost, fd);
    cost_since(&c.cost, &r->begin);
    return c;
}

struct run *run_find(struct run_table *t, uint64_t token,
                     const struct addr *peer)
{
    struct run *last = t->last;
    if (last != NULL && last->token == token && addr_equal(&last->peer, peer))
        return last;
    for (size_t i = 0; i < RUN_TABLE; i++) {
        struct run *r = t->at[i];
        if (r != NULL && r->token == token && addr_equal(&r->peer, peer))
            return t->last = r;
    }
    return NULL;
}

bool run_enter(struct run_table *t, struct run *r, uint64_t now_ns)
{
    for (size_t i = 0; i < RUN_TABLE; i++) {
        struct run *old = t->at[i];
        if (old != NULL && now_ns - old->seen_ns < RUN_EXPIRE)
            continue;
        if (old != NULL)
            run_leave(t, old);
        t->at[i] = r;
        t->sources += r->source != NULL;
        return true;
    }
    return false;
}

void run_leave(struct run_table *t, struct run *r)
{
    for (size_t i = 0; i < RUN_TABLE; i++)
        if (t->at[i] == r)
            t->at[i] = NULL;
    t->sources -= r->source != NULL;
    if (t->last == r)
        t->last = NULL;
    run_free(r);
}

void run_table_free(struct run_table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < RUN_TABLE; i++)
        run_free(t->at[i]);
    free(t);
}
