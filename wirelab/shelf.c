/* SPDX-License-Identifier: MIT
 *
 * shelf: rows on their way out. See shelf.h for the contract.
 */
#include "shelf.h"

#include <stdlib.h>
#include <string.h>

/* More than so many like rows fold. */
#define LIKE_MAX 6
/* Of this many conversations each row is shown; of the next they fold. */
#define TAG_MAX 'H'

struct shelf_row {
    struct shelf_row *next;
    bool is_title, is_final;
    const void *about;
    uint64_t until_ns;
    struct row row;
};

/* What makes two rows alike: what the eye would see, but for the numbers. */
struct likeness {
    uint8_t wire, kind, from, flags, has_data;
    struct {
        uint8_t call, part, failed;
    } cell[HOST_COUNT];
    char tag;
};

#define SEEN_MAX 64

struct shelf_seen {
    unsigned count;
    struct {
        struct likeness like;
        unsigned times;
    } at[SEEN_MAX];
};

void shelf_init(struct shelf *s)
{
    s->last = &s->first;
    s->seen = calloc(1, sizeof *s->seen);
    s->out_of_memory = s->seen == NULL;
}

void shelf_free(struct shelf *s)
{
    while (s->first != NULL) {
        struct shelf_row *r = s->first;
        s->first = r->next;
        free(r);
    }
    free(s->seen);
    s->seen = NULL;
}

static void put(struct shelf *s, const struct row *row, bool is_title,
                const void *about, uint64_t until_ns)
{
    if (s->has_only && row->section != s->only && row->kind != ROW_TOTAL)
        return;
    struct shelf_row *r = malloc(sizeof *r);
    if (r == NULL) {
        s->out_of_memory = true;
        return;
    }
    r->next = NULL;
    r->is_title = is_title;
    r->is_final = !is_title;
    r->about = about;
    r->until_ns = until_ns;
    r->row = *row;
    *s->last = r;
    s->last = &r->next;
}

/* One conversation of so many that no eye follows it? */
static bool is_in_crowd(const struct row *row)
{
    return row->tag > TAG_MAX || row->tag == '*';
}

/* The rows that were left out, as one row: if it is only one, that one. */
static void unfold(struct shelf *s)
{
    if (s->folded == 1 && !is_in_crowd(&s->folded_row)) {
        put(s, &s->folded_row, false, NULL, 0);
    } else if (s->folded > 0) {
        struct row fold = {.kind = ROW_FOLD,
                           .section = s->folded_row.section,
                           .count = s->folded};
        put(s, &fold, false, NULL, 0);
    }
    s->folded = 0;
}

static void new_run(struct shelf *s)
{
    unfold(s);
    if (s->seen != NULL)
        s->seen->count = 0;
}

void shelf_title(struct shelf *s, const struct row *row, const void *about,
                 uint64_t t_ns)
{
    if (row->tag == '*')
        return; /* it has no letter of its own, and its rows fold */
    new_run(s);
    put(s, row, true, about, t_ns + s->patience_ns);
}

/* A row of which there is a story to tell is never left out. */
static bool is_special(const struct row *row)
{
    const struct row_cell *c = row->cell;
    return row->kind != ROW_EVENT || row->wire == WIRE_LOST ||
           row->window_is_news || c[HOST_CLIENT].has_state ||
           c[HOST_SERVER].has_state || c[HOST_CLIENT].note[0] != '\0' ||
           c[HOST_SERVER].note[0] != '\0' ||
           (row->wire != WIRE_NONE &&
            (row->frame.frame.flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0);
}

static void describe(const struct row *row, struct likeness *l)
{
    memset(l, 0, sizeof *l); /* padding too: it is compared by memcmp */
    l->tag = row->tag;
    l->wire = (uint8_t)row->wire;
    if (row->wire != WIRE_NONE) {
        l->kind = (uint8_t)row->frame.frame.kind;
        l->from = (uint8_t)row->frame.from;
        l->flags = row->frame.frame.flags & (uint8_t)~TCP_PSH;
        l->has_data = row->frame.frame.payload_len > 0;
    }
    for (int h = 0; h < HOST_COUNT; h++) {
        const struct row_cell *c = &row->cell[h];
        if (c->has_call) {
            l->cell[h].call = (uint8_t)(c->call.id + 1);
            l->cell[h].part = (uint8_t)c->part;
            l->cell[h].failed = (uint8_t)c->call.error;
        }
    }
}

/* Has the present run shown enough rows like this one? Once it has, all that
 * it has shown before folds, so that two kinds that take turns fold too. */
static bool is_one_more(struct shelf *s, const struct row *row)
{
    struct likeness like;
    struct shelf_seen *seen = s->seen;
    if (seen == NULL)
        return false;
    describe(row, &like);
    for (unsigned i = 0; i < seen->count; i++)
        if (memcmp(&seen->at[i].like, &like, sizeof like) == 0)
            return ++seen->at[i].times > LIKE_MAX || s->folded > 0;
    if (seen->count < SEEN_MAX) {
        seen->at[seen->count].like = like;
        seen->at[seen->count++].times = 1;
    }
    return false;
}

void shelf_row(struct shelf *s, const struct row *row)
{
    bool crowd = is_in_crowd(row);
    if (!crowd && is_special(row)) {
        new_run(s);
    } else if (crowd || is_one_more(s, row)) {
        s->folded++;
        s->folded_row = *row;
        return;
    }
    unfold(s);
    put(s, row, false, NULL, 0);
}

void shelf_advance(struct shelf *s, uint64_t t_ns)
{
    if (t_ns == UINT64_MAX)
        unfold(s);
    while (s->first != NULL) {
        struct shelf_row *r = s->first;
        if (r->is_title)
            r->is_final = s->words(&r->row, r->about, s->words_context);
        if (!r->is_final && t_ns < r->until_ns)
            return;
        s->first = r->next;
        if (s->first == NULL)
            s->last = &s->first;
        s->out(&r->row, s->out_context);
        free(r);
    }
}
