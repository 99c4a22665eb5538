/* SPDX-License-Identifier: MIT
 *
 * hist: a latency histogram. See hist.h for the contract.
 *
 * The bucket of a time is its highest seven bits and how far they are up: the
 * idea of floating point, and of HdrHistogram.
 */
#include "hist.h"

#include "clock.h"
#include "lang.h"

#include <stdio.h>
#include <string.h>

enum { SUB = 64, SUB_BITS = 6, WIDTH = 40 };

static size_t bucket_of(uint64_t ns)
{
    if (ns < SUB)
        return (size_t)ns;
    unsigned high = 63 - (unsigned)__builtin_clzll(ns); /* the highest bit */
    unsigned shift = high - SUB_BITS;
    size_t i = (shift + 1) * (size_t)SUB + ((ns >> shift) - SUB);
    return i < HIST_BUCKETS ? i : HIST_BUCKETS - 1;
}

uint64_t hist_bucket_ns(size_t i)
{
    if (i < 2 * SUB)
        return i;
    return (uint64_t)(SUB + i % SUB) << (i / SUB - 1);
}

void hist_add(struct hist *h, uint64_t ns)
{
    if (h->count == 0 || ns < h->min_ns)
        h->min_ns = ns;
    if (ns > h->max_ns)
        h->max_ns = ns;
    h->count++;
    h->sum_ns += ns;
    h->bucket[bucket_of(ns)]++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min_ns < into->min_ns)
        into->min_ns = from->min_ns;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    for (size_t i = 0; i < HIST_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

/* What stands for all times of bucket I: its middle, within the extremes. */
static uint64_t middle(const struct hist *h, size_t i)
{
    uint64_t ns = hist_bucket_ns(i);
    ns += (hist_bucket_ns(i + 1) - ns) / 2;
    if (i == HIST_BUCKETS - 1 || ns > h->max_ns)
        return h->max_ns;
    return ns < h->min_ns ? h->min_ns : ns;
}

uint64_t hist_percentile(const struct hist *h, double percent)
{
    if (h->count == 0)
        return 0;
    /* In thousandths of a percent, as 99.9 has no exact double, and 999 of
     * 1000 would be too few for it. */
    uint64_t share = (uint64_t)(percent * 1000 + 0.5), whole = 100 * 1000;
    uint64_t rank = (h->count * share + whole - 1) / whole;
    if (rank <= 1)
        return h->min_ns;
    if (rank >= h->count)
        return h->max_ns;
    size_t i = 0;
    for (uint64_t seen = h->bucket[0]; seen < rank; seen += h->bucket[i])
        i++;
    return middle(h, i);
}

static void field(struct out *o, const char *prefix, const char *what,
                  bool known, uint64_t ns)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s_ns", prefix, what);
    if (known)
        out_uint(o, key, ns);
    else
        out_null(o, key);
}

void hist_out(const struct hist *h, struct out *o, const char *prefix)
{
    bool any = h->count > 0;
    uint64_t pairs[HIST_BUCKETS][2];
    size_t n = 0;
    char key[64];
    if (!o->json)
        return;
    field(o, prefix, "min", any, h->min_ns);
    field(o, prefix, "mean", any, any ? h->sum_ns / h->count : 0);
    field(o, prefix, "p50", any, hist_percentile(h, 50));
    field(o, prefix, "p90", any, hist_percentile(h, 90));
    field(o, prefix, "p99", any, hist_percentile(h, 99));
    field(o, prefix, "p999", any, hist_percentile(h, 99.9));
    field(o, prefix, "max", any, h->max_ns);
    for (size_t i = 0; i < HIST_BUCKETS; i++)
        if (h->bucket[i] != 0) {
            pairs[n][0] = hist_bucket_ns(i);
            pairs[n++][1] = h->bucket[i];
        }
    snprintf(key, sizeof key, "%s_buckets", prefix);
    out_pairs(o, key, pairs, n);
}

const char *hist_time(uint64_t ns, char *buf, size_t cap)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{CLOCK_S, "s"}, {CLOCK_MS, "ms"}, {CLOCK_US, "us"}};
    for (size_t i = 0; i < 3; i++) {
        double value = (double)ns / (double)units[i].ns;
        if (value < 0.9995) /* or it would round to 1000 of the smaller one */
            continue;
        int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
        snprintf(buf, cap, "%.*f %s", decimals, value, units[i].name);
        return buf;
    }
    snprintf(buf, cap, "%llu ns", (unsigned long long)ns);
    return buf;
}

const char *hist_line(const struct hist *h, char *buf, size_t cap)
{
    static const struct {
        const char *name;
        double percent;
    } parts[] = {
        {"min", 0}, {"p50", 50}, {"p90", 90}, {"p99", 99}, {"max", 100}};
    size_t used = 0;
    if (h->count == 0) {
        snprintf(buf, cap, "%s", _("none"));
        return buf;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts && used < cap; i++) {
        char time[32];
        hist_time(hist_percentile(h, parts[i].percent), time, sizeof time);
        used += (size_t)snprintf(buf + used, cap - used, "%s%s %s",
                                 i > 0 ? ", " : "", parts[i].name, time);
    }
    return buf;
}

/* 1, 2, 5, 10, 20, 50, ... */
static uint64_t next_step(uint64_t ns)
{
    uint64_t power = 1;
    while (ns / power >= 10)
        power *= 10;
    return ns / power == 2 ? ns / 2 * 5 : ns * 2;
}

/* How many times are in the buckets whose middle is in [from, to). */
static uint64_t count_in(const struct hist *h, uint64_t from, uint64_t to)
{
    uint64_t n = 0;
    for (size_t i = 0; i < HIST_BUCKETS; i++)
        if (h->bucket[i] != 0 && middle(h, i) >= from && middle(h, i) < to)
            n += h->bucket[i];
    return n;
}

/* A row: where it ends, how many, and a bar as long as its share. Anything at
 * all shows as one mark. */
static size_t row(const struct hist *h, uint64_t from, uint64_t to, char *buf,
                  size_t cap)
{
    char end[32], bar[WIDTH + 1];
    uint64_t n = count_in(h, from, to);
    size_t marks = (size_t)((double)n / (double)h->count * WIDTH + 0.5);
    if (n > 0 && marks == 0)
        marks = 1;
    memset(bar, '#', marks);
    bar[marks] = '\0';
    int len =
        snprintf(buf, cap, "  < %-8s %10llu %5.1f %%%s%s\n",
                 hist_time(to, end, sizeof end), (unsigned long long)n,
                 100 * (double)n / (double)h->count, marks > 0 ? " " : "", bar);
    return len < 0 || (size_t)len >= cap ? cap - 1 : (size_t)len;
}

const char *hist_text(const struct hist *h, char *buf, size_t cap)
{
    uint64_t from = 1, to;
    size_t used = 0;
    buf[0] = '\0';
    if (h->count == 0)
        return buf;
    while ((to = next_step(from)) <= h->min_ns)
        from = to;
    for (; from <= h->max_ns && used + 1 < cap; from = to) {
        to = next_step(from);
        used += row(h, from == 1 ? 0 : from, to, buf + used, cap - used);
    }
    return buf;
}
