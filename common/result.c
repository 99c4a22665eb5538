/* SPDX-License-Identifier: MIT
 *
 * result: what --ping and --stream found. See result.h for the contract.
 */
#include "result.h"

#include "lang.h"
#include "stop.h"

#include <stdio.h>
#include <string.h>

int result_status(int result, const struct err *e)
{
    if (stop_signal() != 0)
        return 128 + stop_signal();
    return result < 0 ? (int)e->status : STATUS_OK;
}

static void known(struct out *o, const char *key, uint64_t value)
{
    if (value == COST_UNKNOWN)
        out_null(o, key);
    else
        out_uint(o, key, value);
}

/* What it cost one side, and on which core it ran in the end. */
static void cost_fields(struct out *o, const struct cost *c, bool is_known,
                        const char *side)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"syscalls", c->syscalls},
                {"cpu_ns", c->cpu_ns},
                {"voluntary_switches", c->voluntary},
                {"involuntary_switches", c->involuntary},
                {"cpu", c->cpu}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s_by_%s", rows[i].name, side);
        known(o, key, is_known ? rows[i].value : COST_UNKNOWN);
    }
}

/* Where this side ran, without which a latency means nothing. */
static void placement(struct out *o, const struct measure *m)
{
    if (m->cpu != NULL)
        out_text(o, "cpu", m->cpu);
    else
        out_null(o, "cpu");
    out_bool(o, "busy_poll", m->busy_poll);
}

/* --- Ping --- */

void result_reply(struct out *o, struct ping_result *r, const struct measure *m,
                  const struct addr *peer, uint64_t number, uint64_t sent_ns,
                  uint64_t now_ns)
{
    char text[ADDR_TEXT], time[32];
    uint64_t before = r->run->got.delivered;
    uint64_t reordered = r->run->got.reordered;
    uint64_t rtt_ns = now_ns > sent_ns ? now_ns - sent_ns : 0;
    run_note(r->run, number, m->size, now_ns);
    bool first = r->run->got.delivered > before;
    bool late = first && rtt_ns > m->timeout_ns;
    if (first)
        hist_add(&r->rtt, rtt_ns);
    r->late += late;
    if (o->quiet) /* the totals alone: saying each would disturb the next */
        return;
    out_begin(o, "reply");
    out_uint(o, "number", number);
    out_uint(o, "rtt_ns", rtt_ns);
    out_bool(o, "late", late);
    out_bool(o, "duplicate", !first);
    out_end(o, "%llu bytes from %s: number %llu, %s%s%s%s",
            (unsigned long long)m->size, addr_format(peer, text, sizeof text),
            (unsigned long long)number, hist_time(rtt_ns, time, sizeof time),
            late ? _(", late") : "", first ? "" : _(", duplicate"),
            r->run->got.reordered > reordered ? _(", reordered") : "");
}

int result_ping_check(const struct ping_result *r, struct err *e)
{
    uint64_t received = r->run->got.delivered;
    if (stop_signal() != 0 || (r->sent > 0 && received == r->sent))
        return 0;
    if (received == 0)
        return err_set(e, STATUS_TIMEOUT,
                       "no reply: lost, or nobody answers there");
    return err_set(e, STATUS_RESET, "%llu of %llu had no reply",
                   (unsigned long long)(r->sent - received),
                   (unsigned long long)r->sent);
}

static void ping_text(const struct ping_result *r, char *buf, size_t cap)
{
    const struct run_counts *got = &r->run->got;
    char line[200], histogram[HIST_TEXT], time[32], connect[60] = "";
    if (r->connect_ns != COST_UNKNOWN)
        snprintf(connect, sizeof connect,
                 _("handshake %s, apart from the rest\n"),
                 hist_time(r->connect_ns, time, sizeof time));
    snprintf(buf, cap,
             _("%llu sent, %llu received, %llu lost, %llu duplicated, "
               "%llu reordered, %llu late\n%sround trip %s\n%s"),
             (unsigned long long)r->sent, (unsigned long long)got->delivered,
             (unsigned long long)(r->sent - got->delivered),
             (unsigned long long)got->duplicated,
             (unsigned long long)got->reordered, (unsigned long long)r->late,
             connect, hist_line(&r->rtt, line, sizeof line),
             hist_text(&r->rtt, histogram, sizeof histogram));
}

void result_ping_cost(struct ping_result *r, int fd)
{
    r->cost = run_report(r->run, fd).cost;
}

void result_ping(struct out *o, const struct measure *m,
                 const struct ping_result *r, const char *event, int status)
{
    const struct run_counts got = r->run->got;
    char text[HIST_TEXT + 600];
    ping_text(r, text, sizeof text);
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '\n')
        text[len - 1] = '\0';
    out_begin(o, event);
    out_uint(o, "sent", r->sent);
    out_uint(o, "received", got.delivered);
    out_uint(o, "lost", r->sent - got.delivered);
    out_uint(o, "duplicated", got.duplicated);
    out_uint(o, "reordered", got.reordered);
    out_uint(o, "reorder_max", got.reorder_max);
    out_uint(o, "late", r->late);
    known(o, "connect_ns", r->connect_ns);
    hist_out(&r->rtt, o, "rtt");
    out_uint(o, "size_bytes", m->size);
    out_uint(o, "elapsed_ns", got.elapsed_ns);
    cost_fields(o, &r->cost, true, "client");
    known(o, "retransmits", r->cost.retransmits);
    known(o, "kernel_drops", r->cost.kernel_drops);
    placement(o, m);
    out_bool(o, "partial", stop_signal() != 0 || r->sent < m->count);
    out_int(o, "exit_status", status);
    out_end_always(o, "%s", text);
}

/* --- Stream --- */

/* Of streams that went different ways the mode that all of them had. */
static void lesser(uint64_t *mode, uint64_t other)
{
    if (other < *mode)
        *mode = other;
}

/* From the first message of both to the last, if both tell when that was. */
static void add_time(struct run_counts *into, const struct run_counts *from)
{
    uint64_t first = into->first_ns, end = first + into->elapsed_ns;
    if (first == 0 || from->first_ns == 0) {
        if (from->elapsed_ns > into->elapsed_ns)
            into->elapsed_ns = from->elapsed_ns;
        return;
    }
    if (from->first_ns < first)
        first = from->first_ns;
    if (from->first_ns + from->elapsed_ns > end)
        end = from->first_ns + from->elapsed_ns;
    into->first_ns = first;
    into->elapsed_ns = end - first;
}

void result_add(struct stream_result *into, const struct stream_result *from)
{
    struct run_counts *got = &into->got;
    into->sent.sent += from->sent.sent;
    into->sent.bytes += from->sent.bytes;
    if (from->sent.elapsed_ns > into->sent.elapsed_ns)
        into->sent.elapsed_ns = from->sent.elapsed_ns;
    cost_add(&into->sent.cost, &from->sent.cost);
    got->delivered += from->got.delivered;
    got->bytes += from->got.bytes;
    got->duplicated += from->got.duplicated;
    got->reordered += from->got.reordered;
    if (from->got.reorder_max > got->reorder_max)
        got->reorder_max = from->got.reorder_max;
    got->corrupt += from->got.corrupt;
    got->beyond += from->got.beyond;
    add_time(got, &from->got);
    cost_add(&got->cost, &from->got.cost);
    lesser(&into->sent.mode, from->sent.mode);
    lesser(&got->mode, from->got.mode);
    into->know_sent = into->know_sent && from->know_sent;
    into->know_got = into->know_got && from->know_got;
    if (from->connect_ns > into->connect_ns)
        into->connect_ns = from->connect_ns;
}

int result_stream_check(const struct measure *m, struct stream_result *r,
                        struct err *e)
{
    if (r->know_sent && r->know_got && r->got.delivered > r->sent.sent) {
        *(m->reverse ? &r->know_sent : &r->know_got) = false;
        return err_set(e, STATUS_FAILED,
                       "the server's count cannot be right: %llu came of %llu",
                       (unsigned long long)r->got.delivered,
                       (unsigned long long)r->sent.sent);
    }
    if (stop_signal() != 0)
        return 0;
    if (!r->know_sent || !r->know_got)
        return err_set(e, STATUS_TIMEOUT,
                       "the other side's count did not come: what is below is "
                       "this side's alone");
    if (r->got.delivered < r->sent.sent)
        return err_set(e, STATUS_RESET, "%llu of %llu messages were lost",
                       (unsigned long long)(r->sent.sent - r->got.delivered),
                       (unsigned long long)r->sent.sent);
    if (m->verify && r->got.corrupt > 0)
        return err_set(e, STATUS_RESET, "%llu messages were corrupt",
                       (unsigned long long)r->got.corrupt);
    return 0;
}

/* Messages a second. The time begins with the first message of each stream, so
 * that these do not count: 3 messages took 2 intervals. 0: unknown. */
static double message_rate(const struct measure *m,
                           const struct stream_result *r)
{
    if (!r->know_got || r->got.elapsed_ns == 0 || r->got.delivered < m->streams)
        return 0;
    return (double)(r->got.delivered - m->streams) * 1e9 /
           (double)r->got.elapsed_ns;
}

/* Bits a second, of whole messages with their headers of MSG_HEADER. */
static uint64_t goodput_bps(const struct measure *m,
                            const struct stream_result *r)
{
    double bps = message_rate(m, r) * (double)m->size * 8;
    return bps > 0 ? (uint64_t)bps : COST_UNKNOWN;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a == COST_UNKNOWN || b == COST_UNKNOWN ? COST_UNKNOWN : a + b;
}

static void stream_fields(struct out *o, const struct measure *m,
                          const struct stream_result *r)
{
    const struct run_sent *sent = &r->sent;
    const struct run_counts *got = &r->got;
    bool both = r->know_sent && r->know_got;
    uint64_t no = COST_UNKNOWN;
    known(o, "sent", r->know_sent ? sent->sent : no);
    known(o, "delivered", r->know_got ? got->delivered : no);
    known(o, "lost", both ? sent->sent - got->delivered : no);
    known(o, "duplicated", r->know_got ? got->duplicated : no);
    known(o, "reordered", r->know_got ? got->reordered : no);
    known(o, "reorder_max", r->know_got ? got->reorder_max : no);
    known(o, "corrupt", r->know_got && m->verify ? got->corrupt : no);
    known(o, "beyond", r->know_got ? got->beyond : no);
    known(o, "sent_bytes", r->know_sent ? sent->bytes : no);
    known(o, "delivered_bytes", r->know_got ? got->bytes : no);
    known(o, "elapsed_ns", r->know_got ? got->elapsed_ns : sent->elapsed_ns);
    known(o, "goodput_bps", goodput_bps(m, r));
    known(o, "connect_ns", r->connect_ns);
    known(o, "syscalls",
          both ? sum(sent->cost.syscalls, got->cost.syscalls) : no);
    known(o, "cpu_ns", both ? sum(sent->cost.cpu_ns, got->cost.cpu_ns) : no);
    cost_fields(o, &sent->cost, r->know_sent, m->reverse ? "server" : "client");
    cost_fields(o, &got->cost, r->know_got, m->reverse ? "client" : "server");
    known(o, "retransmits", r->know_sent ? sent->cost.retransmits : no);
    known(o, "tcp_rtt_ns", r->know_sent ? sent->cost.rtt_ns : no);
    known(o, "cwnd", r->know_sent ? sent->cost.cwnd : no);
    known(o, "kernel_drops", r->know_got ? got->cost.kernel_drops : no);
}

static void told(struct out *o, const char *key, const char *value)
{
    if (value == NULL)
        out_null(o, key);
    else
        out_text(o, key, value);
}

/* How it was sent, and received. A peer may not tell it, or know a way that is
 * not known here. */
static void mode_fields(struct out *o, const struct stream_result *r)
{
    static const char *const sent[] = {NULL, "send", "sendmmsg", "gso"};
    static const char *const received[] = {NULL, "recv", "recvmmsg", "gro"};
    uint64_t out = r->know_sent ? r->sent.mode : MODE_UNTOLD;
    uint64_t in = r->know_got ? r->got.mode : MODE_UNTOLD;
    told(o, "mode", out <= MODE_ROWS ? sent[out] : NULL);
    told(o, "receive_mode", in <= MODE_ROWS ? received[in] : NULL);
}

/* "12.3 Gbit/s", "0.62 million a second". */
static void rates(const struct measure *m, const struct stream_result *r,
                  char *buf, size_t cap)
{
    static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
    double bps = (double)goodput_bps(m, r);
    size_t unit = 0;
    if (goodput_bps(m, r) == COST_UNKNOWN) {
        snprintf(buf, cap, "%s", _("rate unknown"));
        return;
    }
    for (; bps >= 1000 && unit < 3; unit++)
        bps /= 1000;
    snprintf(buf, cap, _("%.4g %s, %.0f messages a second"), bps, units[unit],
             message_rate(m, r));
}

/* "client 660 calls, 12.3 ms CPU". */
static void side_text(const struct cost *c, bool is_known, const char *side,
                      char *buf, size_t cap)
{
    char time[32];
    if (is_known)
        snprintf(buf, cap, _("%s %llu calls, %s CPU"), side,
                 (unsigned long long)c->syscalls,
                 hist_time(c->cpu_ns, time, sizeof time));
    else
        snprintf(buf, cap, _("%s unknown"), side);
}

/* What it cost, and where losses were: a line for people. */
static void cost_text(const struct measure *m, const struct stream_result *r,
                      char *buf, size_t cap)
{
    char sender[80], receiver[80], place[80] = "";
    const char *client = _("client"), *server = _("server");
    side_text(&r->sent.cost, r->know_sent, m->reverse ? server : client, sender,
              sizeof sender);
    side_text(&r->got.cost, r->know_got, m->reverse ? client : server, receiver,
              sizeof receiver);
    if (r->know_sent && r->congestion[0] != '\0' &&
        r->sent.cost.retransmits != COST_UNKNOWN)
        snprintf(place, sizeof place, _("\n%llu segments retransmitted (%s)"),
                 (unsigned long long)r->sent.cost.retransmits, r->congestion);
    else if (r->know_got && r->congestion[0] == '\0' &&
             r->got.cost.kernel_drops != COST_UNKNOWN)
        snprintf(place, sizeof place, _("\nthe receiver's kernel dropped %llu"),
                 (unsigned long long)r->got.cost.kernel_drops);
    snprintf(buf, cap, _("cost: %s; %s%s"), sender, receiver, place);
}

/* A number, or that it is not known. CAP of BUF: 32. */
static const char *count_text(uint64_t value, bool is_known, char *buf)
{
    if (!is_known)
        return _("unknown");
    snprintf(buf, 32, "%llu", (unsigned long long)value);
    return buf;
}

/* The counts: a line for people. */
static void counts_text(const struct measure *m, const struct stream_result *r,
                        char *buf, size_t cap)
{
    const struct run_counts *got = &r->got;
    bool both = r->know_sent && r->know_got;
    char text[6][32], corrupt[60] = "";
    if (m->verify)
        snprintf(corrupt, sizeof corrupt, _(", %s corrupt"),
                 count_text(got->corrupt, r->know_got, text[5]));
    snprintf(buf, cap,
             _("%s sent, %s delivered, %s lost, %s duplicated, %s reordered%s"),
             count_text(r->sent.sent, r->know_sent, text[0]),
             count_text(got->delivered, r->know_got, text[1]),
             count_text(r->sent.sent - got->delivered, both, text[2]),
             count_text(got->duplicated, r->know_got, text[3]),
             count_text(got->reordered, r->know_got, text[4]), corrupt);
}

static void stream_text(const struct measure *m, const struct stream_result *r,
                        char *buf, size_t cap)
{
    char counts[240], cost[240], rate[80], time[32], bytes[180] = "";
    counts_text(m, r, counts, sizeof counts);
    cost_text(m, r, cost, sizeof cost);
    rates(m, r, rate, sizeof rate);
    if (r->know_got)
        snprintf(bytes, sizeof bytes, _("%llu bytes in %s: %s\n"),
                 (unsigned long long)r->got.bytes,
                 hist_time(r->got.elapsed_ns, time, sizeof time), rate);
    snprintf(buf, cap, "%s\n%s%s", counts, bytes, cost);
}

/* All of the event but its text. */
static void begin_stream(struct out *o, const struct measure *m,
                         const struct stream_result *r, const char *event,
                         int status)
{
    out_begin(o, event);
    stream_fields(o, m, r);
    out_uint(o, "streams", m->streams);
    out_uint(o, "size_bytes", m->size);
    out_bool(o, "reverse", m->reverse);
    out_bool(o, "verify", m->verify);
    mode_fields(o, r);
    if (r->congestion[0] != '\0')
        out_text(o, "congestion", r->congestion);
    placement(o, m);
    out_bool(o, "partial", stop_signal() != 0 || !r->know_sent || !r->know_got);
    out_int(o, "exit_status", status);
}

void result_stream(struct out *o, const struct measure *m,
                   const struct stream_result *r, int status)
{
    char text[700];
    stream_text(m, r, text, sizeof text);
    begin_stream(o, m, r, "end", status);
    out_end_always(o, "%s", text);
}

void result_progress(struct out *o, const struct measure *m, uint64_t count,
                     uint64_t bytes, uint64_t elapsed_ns)
{
    const char *words = m->reverse
                            ? N_("%.1f s: %llu messages delivered, %.1f Mbit/s")
                            : N_("%.1f s: %llu messages sent, %.1f Mbit/s");
    double seconds = (double)elapsed_ns / 1e9;
    double mbps = (double)bytes * 8 / seconds / 1e6;
    struct stream_result r;
    if (m->report_ns == 0) {
        out_progress(o, words, seconds, (unsigned long long)count, mbps);
        return;
    }
    memset(&r, 0xff, sizeof r); /* COST_UNKNOWN, all of it, but for this: */
    r.know_sent = !m->reverse;
    r.know_got = m->reverse;
    r.sent.sent = r.got.delivered = count;
    r.sent.bytes = r.got.bytes = bytes;
    r.sent.elapsed_ns = r.got.elapsed_ns = elapsed_ns;
    r.sent.mode = r.got.mode = m->batch == 0 ? MODE_ONE : MODE_UNTOLD;
    r.congestion[0] = '\0';
    begin_stream(o, m, &r, "report", 0);
    out_end_always(o, words, seconds, (unsigned long long)count, mbps);
}
