/* SPDX-License-Identifier: MIT
 *
 * hist: a latency histogram in fixed memory. A bucket is at most 1/64 as wide
 * as what it counts, so that a percentile read from it is at most 0.8 % off,
 * from nanoseconds to 137 seconds; the extremes and the sum are exact. Two of
 * them add up to the histogram of both runs, which percentiles never do.
 * Read next: clock.h.
 */
#ifndef WIRELAB_HIST_H
#define WIRELAB_HIST_H

#include "out.h"

#include <stddef.h>
#include <stdint.h>

/* Below 64 ns a bucket for each; then 64 for each power of two, up to 2^37. */
#define HIST_BUCKETS 2048

struct hist {
    uint64_t count, sum_ns, min_ns, max_ns; /* min and max: if count > 0 */
    uint64_t bucket[HIST_BUCKETS];
};

/* An empty histogram is all zeroes. A time above 2^37 ns counts in the last
 * bucket; max_ns still tells it. */
void hist_add(struct hist *h, uint64_t ns);

/* Adds all that FROM has counted. */
void hist_merge(struct hist *into, const struct hist *from);

/* The smallest time that at least PERCENT of all times do not exceed; 0 gives
 * the minimum, 100 the maximum. 0 if nothing was counted. */
uint64_t hist_percentile(const struct hist *h, double percent);

/* The first nanosecond of bucket I. The last one's end is that of I + 1. */
uint64_t hist_bucket_ns(size_t i);

/* Fields of the event being built: PREFIX and _min_ns, _mean_ns, _p50_ns,
 * _p90_ns, _p99_ns, _p999_ns, _max_ns, all null if nothing was counted; and
 * _buckets, an array of [hist_bucket_ns, count] of those that are not empty,
 * by which the runs of many machines can be added up. */
void hist_out(const struct hist *h, struct out *o, const char *prefix);

/* "min 12.3 us, p50 15.0 us, p90 ..., p99 ..., max ..." on one
 * line, without a newline. Fills BUF and returns it. */
const char *hist_line(const struct hist *h, char *buf, size_t cap);

/* The picture for a terminal: a row for each step of 1, 2, 5, 10, ... between
 * the extremes, with a bar. At most HIST_TEXT bytes. Fills BUF, returns it. */
#define HIST_TEXT 2400
const char *hist_text(const struct hist *h, char *buf, size_t cap);

/* "850 ns", "12.3 us", "4.56 ms", "1.20 s". Fills BUF and returns it. */
const char *hist_time(uint64_t ns, char *buf, size_t cap);

#endif
