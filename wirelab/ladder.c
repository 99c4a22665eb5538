/* SPDX-License-Identifier: MIT
 *
 * ladder: the order of the rows. See ladder.h for the contract; what a row
 * says is put together in ladder_items.c.
 *
 * Each host has a queue of what happened there, by its own clock. A row takes
 * the head of one queue, or, for a frame, the heads of both: its departure and
 * its arrival. A frame whose two ends cannot both be heads at once (frames
 * that cross, overtake, or are lost) is split: its departure and its arrival
 * take a row each.
 */
#include "ladder.h"

#include "ladder_items.h"
#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>

/* A frame that has not landed so long after it was due never will. */
#define MISSING_NS (100 * CLOCK_MS)
/* How long a title waits for the rows it speaks of. */
#define PATIENCE_NS (300 * CLOCK_MS)

/* Does it need nothing of the other host? */
static bool is_alone(const struct item *i)
{
    switch (i->end) {
    case END_LEAVES:
        return i->is_split;
    case END_LANDS:
        return i->partner == NULL;
    case END_NONE:
        break;
    }
    return true;
}

static bool is_settled(const struct ladder *l, const struct item *i)
{
    return l->now_ns >= i->ready_ns;
}

/* --- sections ----------------------------------------------------------- */

static bool is_tagged(const struct ladder *l)
{
    return l->options.several || l->talks.count > 1;
}

/* Where the row of I would stand if it began nothing new. */
static enum section *section_now(struct ladder *l, const struct item *i)
{
    return is_tagged(l) && i->talk != NULL ? &i->talk->section : &l->section;
}

/* Will the segment that ends this host's direction leave next? */
static bool is_followed_by_end(const struct item *i)
{
    for (i = i->next; i != NULL; i = i->next)
        if (i->end == END_LEAVES)
            return (i->row.frame.frame.flags & (TCP_FIN | TCP_RST)) != 0;
    return false;
}

static enum section section_of_call(const struct item *i)
{
    const struct call *c = &i->row.cell[i->host].call;
    switch (c->id) {
    case CALL_SEND:
    case CALL_SENDTO:
    case CALL_SENDMSG:
    case CALL_WRITE:
        return c->result > 0 || !c->returned ? SECTION_DATA : SECTION_SETUP;
    case CALL_SHUTDOWN:
    case CALL_CLOSE:
        return is_followed_by_end(i) ? SECTION_CLOSE : SECTION_SETUP;
    default:
        return SECTION_SETUP;
    }
}

static enum section section_of_frame(const struct item *i, enum section now)
{
    const struct frame *f = &i->row.frame.frame;
    if (i->end == END_LANDS)
        return now; /* its departure has begun what there was to begin */
    if (f->kind == FRAME_UDP)
        return SECTION_DATA;
    if (f->kind != FRAME_TCP)
        return now;
    if ((f->flags & TCP_FIN) != 0)
        return SECTION_CLOSE;
    if ((f->flags & TCP_RST) != 0)
        return i->talk != NULL && i->talk->refused ? SECTION_HANDSHAKE
                                                   : SECTION_CLOSE;
    return f->payload_len > 0 ? SECTION_DATA : SECTION_HANDSHAKE;
}

/* The section that the row of I belongs to, or begins. */
static enum section section_of(struct ladder *l, const struct item *i)
{
    enum section now = *section_now(l, i), own = SECTION_SETUP;
    const struct row_cell *cell = &i->row.cell[i->host];
    if (i->end != END_NONE)
        own = section_of_frame(i, now);
    else if (cell->has_call)
        own = section_of_call(i);
    if (own < SECTION_HANDSHAKE && i->host == HOST_CLIENT)
        own = SECTION_HANDSHAKE;
    return own > now ? own : now;
}

/* What --only takes the row of I for: where it stands; but the calls that make
 * a connection, and give it, are a part of the handshake too, however late they
 * return. A program that is not woken at once comes back from accept when data
 * is there already. */
static enum section section_to_keep(struct ladder *l, const struct item *i)
{
    const struct row_cell *cell = &i->row.cell[i->host];
    enum call_id id = cell->call.id;
    bool opens = cell->has_call && (id == CALL_CONNECT || id == CALL_ACCEPT);
    bool is_tcp = i->talk != NULL && i->talk->proto == IPPROTO_TCP;
    bool wanted = l->options.has_only && l->options.only == SECTION_HANDSHAKE;
    return wanted && opens && is_tcp ? SECTION_HANDSHAKE : *section_now(l, i);
}

static void title(struct ladder *l, enum section section,
                  const struct talk *talk, uint64_t t_ns)
{
    struct row row = {.kind = ROW_TITLE, .section = section};
    row.tag = talk != NULL ? talk_tag(talk) : 0;
    shelf_title(&l->shelf, &row, talk, t_ns);
}

/* shelf_words_fn: a title with a tag names that conversation, one without is of
 * a section. */
static bool write_title(struct row *row, const void *about, void *context)
{
    struct ladder *l = context;
    const struct talk *talk = about;
    if (row->tag == 0)
        return talk_title(&l->talks, row->section, row->text, sizeof row->text);
    bool joins = !l->options.several && talk->number == 2;
    return talk_name(talk, joins, row->text, sizeof row->text);
}

/* Puts the titles that belong above the row of I. Datagrams have none: there
 * is no handshake and no close. */
static void enter(struct ladder *l, const struct item *i)
{
    enum section next = section_of(l, i), *now = section_now(l, i);
    bool tagged = is_tagged(l);
    bool is_tcp = i->proto == IPPROTO_TCP ||
                  (i->talk != NULL && i->talk->proto == IPPROTO_TCP);
    if (tagged && i->talk != NULL && !i->talk->named && i->talk != l->untagged)
        title(l, next, i->talk, i->t_ns);
    if (!tagged && i->talk != NULL)
        l->untagged = i->talk;
    if (i->talk != NULL)
        i->talk->named = true;
    if (is_tcp && !tagged && (int)next > l->titled) {
        title(l, next, NULL, i->t_ns);
        l->titled = (int)next;
    }
    *now = next;
    if (i->talk != NULL && i->talk->section < next)
        i->talk->section = next;
    if (l->section < next && !tagged)
        l->section = next;
}

/* --- rows --------------------------------------------------------------- */

static struct item *head(const struct ladder *l, enum host_id host)
{
    return l->queue[host].first;
}

static void drop_head(struct ladder *l, enum host_id host)
{
    struct item_queue *q = &l->queue[host];
    struct item *i = q->first;
    q->first = i->next;
    if (q->first == NULL)
        q->last = &q->first;
    if (i->partner != NULL)
        i->partner->partner = NULL;
    free(i);
}

static void emit(struct ladder *l, struct item *i)
{
    enter(l, i);
    i->row.section = section_to_keep(l, i);
    if (is_tagged(l) && i->talk != NULL)
        i->row.tag = talk_tag(i->talk);
    shelf_row(&l->shelf, &i->row);
    if (i->remark[0] != '\0') {
        struct row remark = {.kind = ROW_REMARK, .section = i->row.section};
        snprintf(remark.text, sizeof remark.text, "%s", i->remark);
        shelf_row(&l->shelf, &remark);
    }
    drop_head(l, i->host);
}

/* A frame in one row: the departure takes over the arrival's cell. */
static void emit_whole(struct ladder *l, struct item *leaves,
                       struct item *lands)
{
    leaves->row.cell[lands->host] = lands->row.cell[lands->host];
    leaves->row.wire = WIRE_WHOLE;
    if (lands->remark[0] != '\0')
        item_remark(leaves, "%s", lands->remark);
    enum host_id to = lands->host;
    emit(l, leaves);
    drop_head(l, to);
}

/* One end of a frame by itself. Several on their way need labels to tell
 * which of them arrives. */
static void emit_alone(struct ladder *l, struct item *i)
{
    if (i->end == END_LEAVES && i->row.wire == WIRE_LEAVES && !i->is_missing)
        l->on_their_way++;
    if (i->end == END_LANDS) {
        i->row.labelled = l->on_their_way != 1 || i->row.frame.copy != 0;
        if (l->on_their_way > 0 && i->row.frame.copy == 0)
            l->on_their_way--;
    }
    emit(l, i);
}

/* When a frame landed, or will at the earliest. */
static uint64_t landing_ns(const struct ladder *l, const struct item *i)
{
    if (i->partner != NULL)
        return i->partner->t_ns;
    return i->due_ns > l->now_ns ? i->due_ns : l->now_ns + 1;
}

/* With how many frames of the other host does this departure cross, as far as
 * is known? */
static unsigned crossings(const struct ladder *l, const struct item *i)
{
    unsigned n = 0;
    for (const struct item *o = head(l, talk_other(i->host)); o != NULL;
         o = o->next)
        n += o->end == END_LEAVES && !o->is_split &&
             o->t_ns < landing_ns(l, i) && i->t_ns < landing_ns(l, o);
    return n;
}

/* Of two departures that cross, the one that stands in more frames' way is
 * split; of two alike, the one that left first. */
static void split_one_of(struct ladder *l, struct item *a, struct item *b)
{
    unsigned of_a = crossings(l, a), of_b = crossings(l, b);
    bool takes_b = of_a != of_b ? of_b > of_a : b->t_ns < a->t_ns;
    (takes_b ? b : a)->is_split = true;
}

/* Neither head can go: they cross, or one was overtaken. */
static void split_head(struct ladder *l, struct item *c, struct item *s)
{
    if (c->end == END_LEAVES && s->end == END_LEAVES)
        split_one_of(l, c, s);
    else if (c->end == END_LEAVES)
        c->is_split = true;
    else if (s->end == END_LEAVES)
        s->is_split = true;
    else
        c->partner->is_split = true;
}

/* The head I waits for its arrival. Must it wait for the other host's rows, or
 * is it known already that a frame from there will cross it? Then its row
 * comes at once, above theirs. True: one of the two was split. */
static bool split_early(struct ladder *l, struct item *i)
{
    if (i == NULL || is_alone(i) || i->end != END_LEAVES)
        return false;
    for (struct item *o = head(l, talk_other(i->host)); o != NULL;
         o = o->next) {
        if (o == i->partner)
            return false;
        if (o->end == END_LEAVES && !o->is_split) {
            split_one_of(l, i, o);
            return true;
        }
    }
    return false;
}

/* A departure whose arrival does not come: the line ended, or a capture
 * dropped it. */
static bool is_missing(const struct ladder *l, const struct item *i)
{
    return i != NULL && i->end == END_LEAVES && i->partner == NULL &&
           !i->is_split && (l->is_over || l->now_ns > i->due_ns + MISSING_NS);
}

/* Which of two that need not wait for the other? One that begins a section lets
 * what still belongs to the last one go first; then the clock decides. */
static struct item *earlier(struct ladder *l, struct item *c, struct item *s)
{
    bool c_begins = section_of(l, c) > *section_now(l, c);
    bool s_begins = section_of(l, s) > *section_now(l, s);
    if (c_begins != s_begins)
        return c_begins ? s : c;
    return c->t_ns <= s->t_ns ? c : s;
}

/* Brings the rows one step further. False: more must happen first. */
static bool advance(struct ladder *l)
{
    struct item *c = head(l, HOST_CLIENT), *s = head(l, HOST_SERVER);
    if (c != NULL && s != NULL && c->partner == s) {
        if (!is_settled(l, c) || !is_settled(l, s))
            return false;
        if (c->end == END_LEAVES)
            emit_whole(l, c, s);
        else
            emit_whole(l, s, c);
        return true;
    }
    bool c_alone = c != NULL && is_alone(c), s_alone = s != NULL && is_alone(s);
    struct item *next = c_alone && s_alone ? earlier(l, c, s)
                        : c_alone          ? c
                        : s_alone          ? s
                                           : NULL;
    if (split_early(l, c) || split_early(l, s))
        return true;
    if (next != NULL && is_settled(l, next))
        emit_alone(l, next);
    else if (is_missing(l, c))
        c->is_split = c->is_missing = true;
    else if (is_missing(l, s))
        s->is_split = s->is_missing = true;
    else if (c != NULL && s != NULL && next == NULL)
        split_head(l, c, s);
    else
        return false;
    return true;
}

static void run(struct ladder *l)
{
    while (advance(l))
        ;
    shelf_advance(&l->shelf, l->now_ns);
}

/* --- the outside -------------------------------------------------------- */

struct ladder *ladder_new(const struct ladder_options *options, row_fn *out,
                          void *context)
{
    struct ladder *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->options = *options;
    l->titled = -1;
    for (int h = 0; h < HOST_COUNT; h++)
        l->queue[h].last = &l->queue[h].first;
    l->shelf.out = out;
    l->shelf.out_context = context;
    l->shelf.words = write_title;
    l->shelf.words_context = l;
    l->shelf.has_only = options->has_only;
    l->shelf.only = options->only;
    l->shelf.patience_ns = PATIENCE_NS + 4 * options->delay_ns;
    shelf_init(&l->shelf);
    return l;
}

void ladder_free(struct ladder *l)
{
    if (l == NULL)
        return;
    for (int h = 0; h < HOST_COUNT; h++)
        while (l->queue[h].first != NULL)
            drop_head(l, (enum host_id)h);
    shelf_free(&l->shelf);
    talks_free(&l->talks);
    free(l);
}

void ladder_event(const struct event *e, void *ladder)
{
    struct ladder *l = ladder;
    if (e->t_ns > l->now_ns)
        l->now_ns = e->t_ns;
    items_take(l, e);
    run(l);
}

void ladder_advance(struct ladder *l, uint64_t t_ns)
{
    if (t_ns > l->now_ns)
        l->now_ns = t_ns;
    run(l);
}

void ladder_finish(struct ladder *l)
{
    struct row row = {.kind = ROW_TOTAL, .section = SECTION_CLOSE};
    struct ladder_totals totals;
    l->is_over = true;
    l->now_ns = UINT64_MAX;
    run(l);
    ladder_totals(l, &totals);
    talks_total(&l->talks, &totals, l->options.beside, row.text,
                sizeof row.text);
    if (row.text[0] != '\0')
        l->shelf.out(&row, l->shelf.out_context);
}

bool ladder_complete(const struct ladder *l)
{
    return !l->out_of_memory && !l->talks.out_of_memory &&
           !l->shelf.out_of_memory;
}

void ladder_totals(const struct ladder *l, struct ladder_totals *totals)
{
    *totals = l->talks.totals;
    if (totals->reply_ns > l->zero_ns)
        totals->reply_ns -= l->zero_ns;
}
