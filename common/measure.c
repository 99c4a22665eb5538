/* SPDX-License-Identifier: MIT
 *
 * measure: what --ping and --stream are asked for. See measure.h for the
 * contract.
 */
#include "measure.h"

#include "clock.h"
#include "cost.h"
#include "lang.h"
#include "msg.h"

static bool stream_only(const struct measure *m)
{
    return m->bytes != 0 || m->streams != 0 || m->reverse || m->verify ||
           m->batch != 0;
}

const char *measure_unfit(const struct measure *m)
{
    bool ping_only =
        m->count != 0 || m->interval_ns != MEASURE_UNSET || m->busy_poll;
    if (m->ping && m->stream)
        return _("--ping and --stream exclude each other");
    if (!m->ping && ping_only)
        return _("--count, --interval and --busy-poll are for --ping");
    if (!m->stream && stream_only(m))
        return _("--bytes, --parallel, --reverse, --verify and --batch are for "
                 "--stream");
    if (!m->ping && !m->stream && m->report_ns != 0)
        return _("--report is for --ping and --stream");
    if (m->bytes != 0 && m->duration_ns != 0)
        return _("--bytes and --duration exclude each other");
    return NULL;
}

static void preset(uint64_t *value, uint64_t unset, uint64_t preset)
{
    if (*value == unset)
        *value = preset;
}

int measure_begin(struct measure *m, uint64_t ping_size, uint64_t stream_size,
                  uint64_t max_size, struct err *e)
{
    preset(&m->count, 0, 10);
    preset(&m->interval_ns, MEASURE_UNSET, 200 * CLOCK_MS);
    preset(&m->streams, 0, 1);
    preset(&m->size, 0, m->ping ? ping_size : stream_size);
    if (m->bytes == 0)
        preset(&m->duration_ns, 0, 10 * CLOCK_S);
    if (m->size < MSG_HEADER || m->size > max_size)
        return err_set(e, STATUS_USAGE,
                       "--size: a message has from %d to %llu bytes",
                       MSG_HEADER, (unsigned long long)max_size);
    return cost_pin(m->cpu, e);
}
