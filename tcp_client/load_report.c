/* SPDX-License-Identifier: MIT
 *
 * What came of a load: as text for people, as JSON for scripts. Percentiles
 * tell how long most had to wait; the buckets are there so that the runs of
 * several clients can be added up, which percentiles cannot.
 * Read next: ../common/hist.c.
 */
#include "load.h"

#include "clock.h"
#include "lang.h"
#include "stop.h"

#include <stdio.h>
#include <string.h>

static const char *const error_names[LOAD_ERRORS] = {
    "refused", "reset", "timeout", "closed", "wrong", "ports", "other"};
static const char *const error_words[LOAD_ERRORS] = {
    N_("refused"),          N_("reset"),
    N_("timed out"),        N_("closed before the reply"),
    N_("wrong in a reply"), N_("without a free port"),
    N_("failed otherwise")};

/* N in the time from BEGIN to END, a second. */
static double per_second(uint64_t n, uint64_t begin_ns, uint64_t end_ns)
{
    if (end_ns <= begin_ns)
        return 0;
    return (double)n * (double)CLOCK_S / (double)(end_ns - begin_ns);
}

static double connect_rate(const struct load_result *r)
{
    return per_second(r->opened, r->begin_ns, r->opened_ns);
}

static double request_rate(const struct load_result *r)
{
    return per_second(r->answered, r->serving_ns, r->replied_ns);
}

static uint64_t count_errors(const struct load_result *r)
{
    uint64_t n = 0;
    for (int i = 0; i < LOAD_ERRORS; i++)
        n += r->errors[i];
    return n;
}

/* "3 reset, 1 timed out", or "none". Fills BUF and returns it. */
static const char *list_errors(const struct load_result *r, char *buf,
                               size_t cap)
{
    size_t used = 0;
    snprintf(buf, cap, "%s", _("none"));
    for (int i = 0; i < LOAD_ERRORS; i++)
        if (r->errors[i] != 0 && used < cap)
            used += (size_t)snprintf(
                buf + used, cap - used, "%s%llu %s", used > 0 ? ", " : "",
                (unsigned long long)r->errors[i], _(error_words[i]));
    return buf;
}

static void print_text(struct client *c, const struct load *l,
                       const struct load_result *r)
{
    char text[HIST_TEXT + 1200], line[200], rows[HIST_TEXT], errors[300];
    int n = snprintf(text, sizeof text,
                     _("connections  %llu opened, %.0f a second\n"
                       "connect      %s\n"),
                     (unsigned long long)r->opened, connect_rate(r),
                     hist_line(&r->connect, line, sizeof line));
    n +=
        snprintf(text + n, sizeof text - (size_t)n,
                 _("requests     %llu of %llu bytes answered, %.0f a second\n"),
                 (unsigned long long)r->answered, (unsigned long long)l->size,
                 request_rate(r));
    n += snprintf(text + n, sizeof text - (size_t)n,
                  l->rate != 0 ? _("latency from when due  %s\n%s")
                               : _("latency      %s\n%s"),
                  hist_line(&r->latency, line, sizeof line),
                  hist_text(&r->latency, rows, sizeof rows));
    if (l->rate != 0)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      _("unsent       %llu that were due before the end\n"),
                      (unsigned long long)r->unsent);
    n += snprintf(text + n, sizeof text - (size_t)n, _("errors       %s\n"),
                  list_errors(r, errors, sizeof errors));
    out_bytes(c->out, text, (size_t)n, false, NULL); /* main asks out_check */
}

void load_report(struct client *c, const struct load *l,
                 const struct load_result *r, const char *event, int status)
{
    struct out *o = c->out;
    bool at_end = strcmp(event, "end") == 0;
    if (!o->json && at_end)
        print_text(c, l, r);
    if (!o->json)
        return;
    out_begin(o, event);
    out_uint(o, "opened", r->opened);
    out_uint(o, "open", r->open);
    out_uint(o, "connections_per_second", (uint64_t)connect_rate(r));
    out_uint(o, "connections_ns",
             r->opened > 0 ? r->opened_ns - r->begin_ns : 0);
    out_uint(o, "answered", r->answered);
    out_uint(o, "requests_per_second", (uint64_t)request_rate(r));
    out_uint(o, "requests_ns",
             r->answered > 0 ? r->replied_ns - r->serving_ns : 0);
    out_uint(o, "unsent", r->unsent);
    hist_out(&r->connect, o, "connect");
    hist_out(&r->latency, o, "rtt");
    out_uint(o, "errors", count_errors(r));
    for (int i = 0; i < LOAD_ERRORS; i++) {
        char key[32];
        snprintf(key, sizeof key, "errors_%s", error_names[i]);
        out_uint(o, key, r->errors[i]);
    }
    out_bool(o, "partial", at_end ? stop_signal() != 0 : true);
    if (at_end)
        out_int(o, "exit_status", status);
    out_end(o, NULL);
}

void load_progress(struct client *c, const struct load_result *r)
{
    uint64_t now = out_now_ns(c->out);
    out_progress(c->out,
                 "%5.1f s  %llu open  %llu answered  %.0f/s  %llu errors",
                 (double)(now - r->begin_ns) / (double)CLOCK_S,
                 (unsigned long long)r->open, (unsigned long long)r->answered,
                 request_rate(r), (unsigned long long)count_errors(r));
}

int load_verdict(const struct load_result *r, struct err *e)
{
    char errors[300];
    enum status status = STATUS_RESET;
    if (count_errors(r) == 0)
        return 0;
    if (r->opened == 0 && r->errors[LOAD_REFUSED] > 0)
        status = STATUS_REFUSED;
    else if (r->answered == 0 && r->errors[LOAD_TIMEOUT] > 0)
        status = STATUS_TIMEOUT;
    return err_set(e, status, "load: %s",
                   list_errors(r, errors, sizeof errors));
}
