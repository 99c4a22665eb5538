/* SPDX-License-Identifier: MIT
 *
 * source: the sending side of a stream. See source.h for the contract.
 */
#include "source.h"

#include "clock.h"
#include "gso.h"
#include "msg.h"

#include <stdlib.h>

#define BURST_NS CLOCK_MS

void source_begin(struct source *s, uint64_t token, const struct run_plan *plan,
                  int fd, uint64_t now_ns)
{
    *s = (struct source){
        .plan = *plan, .token = token, .begin_ns = now_ns, .last_ns = now_ns};
    s->sent.mode = MODE_ONE;
    cost_now(&s->begin, fd);
}

void source_close(struct source *s)
{
    free(s->row);
    s->row = NULL;
}

bool source_more(const struct source *s, uint64_t now_ns)
{
    if (s->plan.bytes != 0)
        return s->sent.bytes < s->plan.bytes;
    return now_ns - s->begin_ns < s->plan.duration_ns;
}

/* By what time so many bytes are due, since the beginning. */
static uint64_t due_ns(const struct source *s, uint64_t bytes)
{
    return (uint64_t)((double)bytes * 8e9 / (double)s->plan.rate_bps);
}

uint64_t source_wait_ns(const struct source *s, uint64_t now_ns)
{
    if (s->plan.rate_bps == 0)
        return 0;
    uint64_t due = due_ns(s, s->sent.bytes), since = now_ns - s->begin_ns;
    if (due <= since + BURST_NS)
        return 0;
    if (s->plan.bytes == 0 && due > s->plan.duration_ns)
        due = s->plan.duration_ns; /* there will be none */
    return due > since ? due - since : 0;
}

size_t source_burst(const struct source *s, uint64_t now_ns, size_t max)
{
    uint64_t size = s->plan.size, left = max;
    if (s->plan.bytes != 0) {
        uint64_t bytes = s->plan.bytes - s->sent.bytes;
        left = bytes / size + (bytes % size != 0);
    }
    if (s->plan.rate_bps != 0) {
        double ns = (double)(now_ns - s->begin_ns + BURST_NS);
        double may = ns * (double)s->plan.rate_bps / 8e9 / (double)size;
        double gone = (double)s->sent.sent;
        uint64_t now = may > gone ? (uint64_t)(may - gone) : 0;
        left = now < left ? now : left;
    }
    left = left < max ? left : max;
    return left > 0 ? (size_t)left : 1;
}

void source_prepare(const struct source *s, void *buf)
{
    const struct msg m = {
        .type = MSG_DATA, .token = s->token, .len = (uint32_t)s->plan.size};
    msg_write(buf, &m);
    msg_fill((char *)buf + MSG_HEADER, 0, s->plan.size - MSG_HEADER);
}

void source_next(const struct source *s, void *buf, uint64_t ahead,
                 uint64_t now_ns)
{
    msg_renumber(buf, s->sent.sent + ahead, now_ns);
}

int source_rows(struct source *s, size_t count, struct err *e)
{
    s->row = malloc(count * s->plan.size);
    if (s->row == NULL)
        return err_sys(e, "row of datagrams");
    s->room = count;
    s->sent.mode = gso_mode(s->plan.size, count);
    for (size_t i = 0; i < count; i++)
        source_prepare(s, s->row + i * s->plan.size);
    return 0;
}

size_t source_next_row(struct source *s, uint64_t now_ns)
{
    size_t count = source_burst(s, now_ns, s->room);
    for (size_t i = 0; i < count; i++)
        source_next(s, s->row + i * s->plan.size, i, now_ns);
    return count;
}

void source_sent(struct source *s, uint64_t count, uint64_t now_ns)
{
    s->sent.sent += count;
    s->sent.bytes += count * s->plan.size;
    s->last_ns = now_ns;
}

void source_end(struct source *s, uint64_t number, int fd, void *buf)
{
    const struct msg m = {.type = MSG_END, .token = s->token, .number = number};
    s->sent.elapsed_ns = s->last_ns - s->begin_ns;
    cost_now(&s->sent.cost, fd);
    cost_since(&s->sent.cost, &s->begin);
    msg_write_control(buf, &m, RUN_FIELDS(s->sent));
}
