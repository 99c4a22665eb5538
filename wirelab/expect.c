/* SPDX-License-Identifier: MIT
 *
 * expect: runs expectations over the stream of events. See expect.h for the
 * contract, and claim.h for what is remembered.
 *
 * An order is met group by group, each as early as possible, which leaves most
 * of the stream for the next. Within "A, B, C" several beginnings may be under
 * way at once; they differ only in how many steps they have, so a set of bits
 * holds them all.
 */
#include "expect.h"

#include "claim.h"
#include "lang.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct expect *expect_new(struct err *e)
{
    struct expect *x = calloc(1, sizeof *x);
    if (x == NULL)
        err_sys(e, "memory for expectations");
    return x;
}

void expect_free(struct expect *x)
{
    if (x == NULL)
        return;
    for (size_t i = 0; i < x->claims; i++)
        free(x->claim[i].step);
    free(x->claim);
    free(x);
}

/* An event while it is being looked at. */
struct look {
    struct expect *x;
    const struct event *event;
};

static enum pattern_match match(const struct look *k, const struct step *s)
{
    return pattern_match(&s->pattern, k->event);
}

static void see(const struct look *k, struct sight *s)
{
    s->is_set = true;
    s->t_ns = k->event->t_ns;
    pattern_describe(k->event, s->text, sizeof s->text);
    if (k->x->has_zero && s->t_ns >= k->x->zero_ns)
        snprintf(s->when, sizeof s->when, _("at %.1f ms"),
                 (double)(s->t_ns - k->x->zero_ns) / 1e6);
    else
        snprintf(s->when, sizeof s->when, "%s", _("before the client began"));
}

static void break_claim(const struct look *k, struct claim *c)
{
    c->is_broken = true;
    if (!c->last.is_set || c->last.t_ns < k->event->t_ns)
        see(k, &c->last);
}

/* Orders. */

static size_t group_len(const struct claim *c)
{
    size_t n = 1;
    while (c->at + n < c->steps && c->step[c->at + n].joint != JOINT_THEN)
        n++;
    return n;
}

/* Remembers the event that came instead of the group's step I: the first one,
 * but rather one that got further, or that came closer to what was asked. */
static void note_instead(const struct look *k, struct claim *c, size_t i,
                         enum pattern_match m)
{
    unsigned rank = 2 * (unsigned)i + (m == MATCH_NEAR) + 1;
    see(k, &c->latest);
    if (rank <= c->instead_rank)
        return;
    c->instead_rank = rank;
    see(k, &c->instead);
}

static void next_group(struct claim *c, size_t len)
{
    c->at += len;
    c->seen = 0;
    c->instead_rank = 0;
    c->instead.is_set = false;
    c->latest.is_set = false;
}

static void run_set(const struct look *k, struct claim *c, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const struct step *s = &c->step[c->at + i];
        if ((c->seen >> i & 1) != 0)
            continue;
        enum pattern_match m = match(k, s);
        if (m == MATCH_YES) {
            c->seen |= UINT64_C(1) << i;
            see(k, &c->last);
            break; /* one event is one step */
        }
        if (m != MATCH_ELSEWHERE)
            note_instead(k, c, i, m);
    }
    if (c->seen == (UINT64_C(1) << len) - 1)
        next_group(c, len);
}

static void run_chain(const struct look *k, struct claim *c, size_t len)
{
    uint64_t under_way = c->seen | 1, then = 0; /* it may begin anywhere */
    size_t furthest = 0;
    for (size_t i = 0; i < len; i++) {
        if ((under_way >> i & 1) == 0)
            continue;
        enum pattern_match m = match(k, &c->step[c->at + i]);
        if (m == MATCH_YES) {
            then |= UINT64_C(1) << (i + 1);
            furthest = i + 1;
        } else if (m == MATCH_ELSEWHERE) {
            then |= UINT64_C(1) << i;
        } else {
            note_instead(k, c, i, m);
        }
    }
    c->seen = then;
    if (furthest > 0)
        see(k, &c->last);
    if ((then >> len & 1) != 0)
        next_group(c, len);
}

static void run_order(const struct look *k, struct claim *c)
{
    if (c->at == c->steps)
        return;
    size_t len = group_len(c);
    if (len > 1 && c->step[c->at + 1].joint == JOINT_AND)
        run_set(k, c, len);
    else
        run_chain(k, c, len);
}

/* The step of the group that the order waits for. */
static const struct pattern *awaited(const struct claim *c)
{
    size_t len = group_len(c), i = 0;
    bool is_set = len > 1 && c->step[c->at + 1].joint == JOINT_AND;
    if (is_set)
        while ((c->seen >> i & 1) != 0)
            i++;
    else if (c->instead_rank > 0)
        i = (c->instead_rank - 1) / 2;
    for (size_t n = i + 1; !is_set && n < len; n++)
        if ((c->seen >> n & 1) != 0)
            i = n; /* it had got this far when the events ended */
    return &c->step[c->at + i].pattern;
}

static void finish_order(struct claim *c)
{
    if (c->at == c->steps)
        return;
    c->is_broken = true;
    const struct sight *last = &c->last, *latest = &c->latest;
    char what[2 * PATTERN_TEXT + 120], came[2 * PATTERN_TEXT + 160];
    if (c->steps > 1 && last->is_set)
        snprintf(what, sizeof what, _("expected '%s' after '%s' (%s)"),
                 awaited(c)->text, last->text, last->when);
    else if (c->steps > 1)
        snprintf(what, sizeof what, _("expected '%s'"), awaited(c)->text);
    else if (last->is_set)
        snprintf(what, sizeof what, _("not seen after '%s' (%s)"), last->text,
                 last->when);
    else
        snprintf(what, sizeof what, "%s", _("not seen"));
    if (!c->instead.is_set)
        snprintf(came, sizeof came, "%s", _("nothing of the kind came"));
    else if (latest->is_set && latest->t_ns > c->instead.t_ns)
        snprintf(came, sizeof came, _("'%s' came %s, at last '%s' %s"),
                 c->instead.text, c->instead.when, latest->text, latest->when);
    else
        snprintf(came, sizeof came, _("'%s' came %s"), c->instead.text,
                 c->instead.when);
    snprintf(c->why, sizeof c->why, "%s; %s", what, came);
}

/* Lists. */

static bool is_listed(const struct look *k, const struct claim *c)
{
    size_t i = c->at < c->steps ? c->at : c->steps - 1;
    bool is_frame =
        k->event->kind == EVENT_SENT || k->event->kind == EVENT_RECEIVED;
    if (c->has_host && is_frame && k->event->frame.from != c->host)
        return false;
    return match(k, &c->step[i]) != MATCH_ELSEWHERE;
}

static void run_list(const struct look *k, struct claim *c)
{
    if (c->is_broken || !is_listed(k, c))
        return;
    struct sight now;
    see(k, &now);
    if (c->at == c->steps) {
        snprintf(c->why, sizeof c->why,
                 _("'%s' came %s, after all %zu that were expected"), now.text,
                 now.when, c->steps);
        break_claim(k, c);
    } else if (match(k, &c->step[c->at]) == MATCH_YES) {
        see(k, &c->last);
        c->at++;
    } else {
        snprintf(c->why, sizeof c->why,
                 _("expected '%s' as number %zu; '%s' came %s"),
                 c->step[c->at].pattern.text, c->at + 1, now.text, now.when);
        break_claim(k, c);
    }
}

static void finish_list(struct claim *c)
{
    if (c->is_broken || c->at == c->steps)
        return;
    c->is_broken = true;
    snprintf(c->why, sizeof c->why,
             _("expected '%s' as number %zu; nothing more came"),
             c->step[c->at].pattern.text, c->at + 1);
}

/* Counts. */

static bool can_be_exceeded(const struct claim *c)
{
    return c->count.how == COMPARE_EQUAL || c->count.how == COMPARE_AT_MOST;
}

static void run_count(const struct look *k, struct claim *c)
{
    if (c->is_closed)
        return;
    if (c->before != 0 && match(k, &c->step[c->before]) == MATCH_YES) {
        c->is_closed = true;
        return;
    }
    if (!c->is_open) {
        c->is_open = match(k, &c->step[c->after]) == MATCH_YES;
        return;
    }
    if (match(k, &c->step[0]) != MATCH_YES)
        return;
    c->counted++;
    see(k, &c->last);
    if (!can_be_exceeded(c) || c->counted <= c->count.with || c->is_broken)
        return;
    snprintf(c->why, sizeof c->why, _("'%s' came %s"), c->last.text,
             c->last.when);
    break_claim(k, c);
}

static void finish_count(struct claim *c)
{
    if (c->is_broken || compared_holds(c->counted, &c->count))
        return;
    c->is_broken = true;
    snprintf(c->why, sizeof c->why, _("there were %lld"),
             (long long)c->counted);
}

/* All. */

void expect_event(const struct event *e, void *expect)
{
    struct expect *x = expect;
    const struct look look = {x, e};
    if (!x->has_zero && e->host == HOST_CLIENT &&
        (e->kind == EVENT_CALL || e->kind == EVENT_SENT)) {
        x->has_zero = true;
        x->zero_ns = e->t_ns;
    }
    for (size_t i = 0; i < x->claims; i++) {
        struct claim *c = &x->claim[i];
        if (c->kind == CLAIM_ORDER)
            run_order(&look, c);
        else if (c->kind == CLAIM_LIST)
            run_list(&look, c);
        else
            run_count(&look, c);
    }
}

size_t expect_finish(struct expect *x)
{
    size_t failed = 0;
    for (size_t i = 0; i < x->claims; i++) {
        struct claim *c = &x->claim[i];
        if (c->kind == CLAIM_ORDER)
            finish_order(c);
        else if (c->kind == CLAIM_LIST)
            finish_list(c);
        else
            finish_count(c);
        failed += c->is_broken;
    }
    return failed;
}

size_t expect_count(const struct expect *x)
{
    return x->claims;
}

struct expect_result expect_result(const struct expect *x, size_t i)
{
    const struct claim *c = &x->claim[i];
    return (struct expect_result){.text = c->text,
                                  .held = !c->is_broken,
                                  .why = c->why,
                                  .t_ns = c->last.t_ns};
}
