/* SPDX-License-Identifier: MIT
 *
 * held: a heap of frames. See held.h for the contract.
 */
#include "held.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_before(const struct held_frame *a, const struct held_frame *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void put(struct held *h, size_t at, struct held_frame *f)
{
    h->frame[at] = f;
    f->at = at;
}

/* Moves F, whose place is free, toward the root until its parent is earlier. */
static void rise(struct held *h, struct held_frame *f)
{
    size_t at = f->at;
    while (at > 0 && is_before(f, h->frame[(at - 1) / 2])) {
        put(h, at, h->frame[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(h, at, f);
}

/* Moves F away from the root until both its children are later. */
static void sink(struct held *h, struct held_frame *f)
{
    size_t at = f->at;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < h->count &&
            is_before(h->frame[child + 1], h->frame[child]))
            child++;
        if (child >= h->count || is_before(f, h->frame[child]))
            break;
        put(h, at, h->frame[child]);
        at = child;
    }
    put(h, at, f);
}

static bool grow(struct held *h)
{
    if (h->count < h->cap)
        return true;
    size_t cap = h->cap > 0 ? 2 * h->cap : 256;
    void *more = realloc(h->frame, cap * sizeof *h->frame);
    if (more == NULL)
        return false;
    h->frame = more;
    h->cap = cap;
    return true;
}

struct held_frame *held_push(struct held *h, const uint8_t *bytes, size_t len,
                             uint64_t due_ns)
{
    if (h->bytes + len > HELD_BYTES || !grow(h))
        return NULL;
    struct held_frame *f = malloc(sizeof *f + len);
    if (f == NULL)
        return NULL;
    *f = (struct held_frame){
        .due_ns = due_ns, .order = h->orders++, .at = h->count, .len = len};
    memcpy(f->bytes, bytes, len);
    h->count++;
    h->bytes += len;
    rise(h, f);
    return f;
}

uint64_t held_due(const struct held *h)
{
    return h->count > 0 ? h->frame[0]->due_ns : UINT64_MAX;
}

struct held_frame *held_pop(struct held *h)
{
    struct held_frame *next = h->frame[0];
    struct held_frame *last = h->frame[--h->count];
    h->bytes -= next->len;
    if (h->count > 0) {
        last->at = 0;
        sink(h, last);
    }
    return next;
}

void held_move(struct held *h, struct held_frame *f, uint64_t due_ns)
{
    f->due_ns = due_ns;
    rise(h, f);
    sink(h, f);
}

void held_clear(struct held *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->frame[i]);
    free(h->frame);
    memset(h, 0, sizeof *h);
}
