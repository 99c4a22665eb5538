/* SPDX-License-Identifier: MIT
 *
 * ladder_calls: system calls as items: which of them have a row, two, or none.
 * See ladder_items.h.
 */
#include "ladder_items.h"

#include "lang.h"

#include <errno.h>
#include <string.h>

/* How long a datagram socket waits until it is known to be for use. */
#define PROBE_WAIT_NS (20 * CLOCK_MS)
/* A call that returns so soon did not wait. */
#define INSTANT_NS CLOCK_MS

/* Does a row show its start, and another its return? Of the calls that need
 * not wait, those that did: they come twice, the second time when they end. */
static bool has_two_rows(const struct call *c, uint64_t t_ns)
{
    if (c->id == CALL_CONNECT)
        return c->proto != IPPROTO_UDP;
    if (talk_receives(c))
        return c->proto == IPPROTO_UDP;
    return call_waits(c) || !c->returned ||
           (t_ns == c->end_ns && c->end_ns != c->begin_ns);
}

static void set_call(struct item *i, const struct call *c, enum row_part part)
{
    struct row_cell *cell = item_cell(i);
    cell->has_call = true;
    cell->part = part;
    cell->call = *c;
    cell->call.data = NULL;
    if (c->data == NULL)
        cell->call.data_len = 0;
    else if (c->data_len > sizeof cell->data)
        cell->call.data_len = sizeof cell->data;
    if (cell->call.data_len > 0)
        memcpy(cell->data, c->data, cell->call.data_len);
}

/* A call that did not wait after all is one row: its start, if that is the
 * last thing that happened on this host. */
static struct item *instant(struct ladder *l, const struct event *e)
{
    const struct call *c = &e->call;
    struct item *last = l->queue[e->host].first;
    bool would_wait = c->result < 0 && c->error == EAGAIN;
    if ((!would_wait && !talk_receives(c) && c->id != CALL_POLL) ||
        last == NULL)
        return NULL;
    while (last->next != NULL)
        last = last->next;
    const struct row_cell *cell = item_cell(last);
    bool same = cell->has_call && cell->part == PART_BEGIN &&
                last->pid == e->pid && cell->call.begin_ns == c->begin_ns;
    return same && c->end_ns - c->begin_ns < INSTANT_NS ? last : NULL;
}

/* What only --calls all shows: options and names, waiting in poll, and a close
 * that sends nothing, which looks like the end of a connection. */
static bool is_minor(const struct ladder *l, const struct event *e,
                     const struct call *c)
{
    if (c->id == CALL_CLOSE)
        return c->proto == IPPROTO_UDP ||
               talks_is_listening(&l->talks, e->host, e->pid, c->fd);
    return c->id >= CALL_SETSOCKOPT && c->id <= CALL_POLL;
}

static bool is_probe(const struct item *i)
{
    const struct row_cell *cell = &i->row.cell[i->host];
    return cell->has_call && i->proto == IPPROTO_UDP &&
           (cell->call.id == CALL_SOCKET || cell->call.id == CALL_CONNECT);
}

/* Resolvers make datagram sockets and connect them, to see which address the
 * kernel would choose, and never send. What such a socket did waits a moment:
 * its close takes it back, its use shows it. */
static void judge_probe(struct ladder *l, const struct event *e)
{
    const struct call *c = &e->call;
    bool used = c->id == CALL_BIND || talk_sends(c) || talk_receives(c);
    if (c->proto != IPPROTO_UDP || (c->id != CALL_CLOSE && !used))
        return;
    for (struct item *i = l->queue[e->host].first, *next; i != NULL; i = next) {
        next = i->next;
        if (i->pid != e->pid || i->fd != c->fd || !is_probe(i))
            continue;
        i->ready_ns = i->t_ns + SETTLE_NS;
        if (!used)
            item_remove(l, i);
    }
}

void items_call(struct ladder *l, const struct event *e)
{
    struct call c = e->call;
    judge_probe(l, e);
    bool minor = is_minor(l, e, &c);
    struct talk *talk = talks_call(&l->talks, e->host, e->pid, &c);
    bool two = has_two_rows(&c, e->t_ns);
    if ((l->options.lanes & LANE_CALLS) == 0 ||
        (minor && !l->options.calls_all) || (!c.returned && !two))
        return;
    struct item *i = two && c.returned ? instant(l, e) : NULL;
    enum row_part part = PART_WHOLE;
    if (i == NULL) {
        part = !two ? PART_WHOLE : c.returned ? PART_RETURN : PART_BEGIN;
        uint64_t ready = c.returned && c.end_ns > e->t_ns ? c.end_ns : e->t_ns;
        i = item_add(l, e->host, e->t_ns, ready);
    }
    if (i == NULL)
        return;
    i->pid = e->pid;
    i->fd = c.id == CALL_SOCKET ? (int)c.result : c.fd;
    i->proto = c.proto;
    i->talk = talk;
    set_call(i, &c, part);
    if (is_probe(i))
        i->ready_ns += PROBE_WAIT_NS;
    if (c.id == CALL_CONNECT && c.proto == IPPROTO_UDP)
        item_remark(i,
                    N_("connect over UDP: no segment; it only notes the peer"));
    if (c.id == CALL_ACCEPT && c.result > 0 && l->options.explain)
        item_remark(i, N_("fd %d stays LISTEN; accept made fd %ld"), c.fd,
                    c.result);
}
