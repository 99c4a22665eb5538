/* SPDX-License-Identifier: MIT
 *
 * show: events to all who watch. See show.h for the contract.
 */
#include "show.h"

#include "clock.h"
#include "json.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct show {
    const struct settings *s;
    struct out *out;
    struct ladder *ladder; /* each is NULL if it is not asked for */
    struct text *text;
    struct json *json, *record;
    char wire[64]; /* what the wire's column is called */
};

static unsigned columns(void)
{
    struct winsize size;
    const char *env = getenv("COLUMNS");
    uint64_t value;
    if (env != NULL &&
        opt_parse_number(env, "COLUMNS", 1, 1000, &value, NULL) == 0)
        return (unsigned)value;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 79;
}

/* "20 ms each way", or one time for each direction. */
static void name_wire(const struct fault *f, char *buf, size_t cap)
{
    double there = (double)f->link[HOST_CLIENT].delay_ns / (double)CLOCK_MS;
    double back = (double)f->link[HOST_SERVER].delay_ns / (double)CLOCK_MS;
    if (f->link[HOST_CLIENT].delay_ns == f->link[HOST_SERVER].delay_ns)
        snprintf(buf, cap, "%.4g ms each way", there);
    else
        snprintf(buf, cap, "%.4g ms ->, <- %.4g ms", there, back);
}

static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

static int open_picture(struct show *w, struct err *e)
{
    const struct settings *s = w->s;
    const struct fault_link *link = s->fault->link;
    uint64_t there = link[HOST_CLIENT].delay_ns;
    uint64_t back = link[HOST_SERVER].delay_ns;
    struct text_options text = {.columns = columns(),
                                .utf8 = s->utf8,
                                .colour = wants_colour(),
                                .explain = s->explain,
                                .wire = w->wire};
    if (s->relative)
        text.words.numbers = WORDS_RELATIVE;
    if (s->absolute)
        text.words.numbers = WORDS_ABSOLUTE;
    for (int i = 0; i < HOST_COUNT; i++)
        addr_parse(link_address(i, s->lab.link.ipv6), &text.words.host[i],
                   NULL); /* our own constants: always good */
    struct ladder_options rows = {
        .lanes = s->lanes,
        .calls_all = s->lab.calls_all,
        .explain = s->explain,
        .has_only = s->has_only,
        .only = s->only,
        .several = s->lab.commands[HOST_CLIENT] > 1,
        .delay_ns = there > back ? there : back,
    };
    name_wire(s->fault, w->wire, sizeof w->wire);
    w->text = text_new(&text, text_to_stream, stdout);
    w->ladder = ladder_new(&rows, text_row, w->text);
    if (w->text == NULL || w->ladder == NULL)
        return err_set(e, STATUS_FAILED, "no memory for the picture");
    text_legend(w->text);
    text_head(w->text);
    return 0;
}

static int open_json(struct show *w, int argc, char **argv, struct err *e)
{
    const struct settings *s = w->s;
    if (s->json && (w->json = json_stdout(w->out)) == NULL)
        return err_set(e, STATUS_FAILED, "no memory for JSON");
    if (s->record != NULL && (w->record = json_record(s->record, e)) == NULL)
        return -1;
    if (w->json != NULL)
        json_start(w->json, &s->lab, argc, argv);
    if (w->record != NULL)
        json_start(w->record, &s->lab, argc, argv);
    return 0;
}

struct show *show_open(const struct settings *s, struct out *out, int argc,
                       char **argv, struct err *e)
{
    struct show *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_sys(e, "memory for the view");
        return NULL;
    }
    w->s = s;
    w->out = out;
    if (open_json(w, argc, argv, e) < 0 ||
        (!s->json && !s->quiet && open_picture(w, e) < 0)) {
        ladder_free(w->ladder);
        text_free(w->text);
        free(w);
        return NULL;
    }
    return w;
}

static void show_event(const struct event *e, void *context)
{
    struct show *w = context;
    if (w->ladder != NULL)
        ladder_event(e, w->ladder);
    if (w->json != NULL)
        json_event(e, w->json);
    if (w->record != NULL)
        json_event(e, w->record);
    if (w->s->expects)
        expect_event(e, w->s->expect);
}

static void show_advance(uint64_t t_ns, void *context)
{
    struct show *w = context;
    if (w->ladder != NULL)
        ladder_advance(w->ladder, t_ns);
}

static bool show_is_gone(void *context)
{
    const struct show *w = context;
    return w->out->failed != 0 || ferror(stdout);
}

struct lab_view show_view(struct show *w)
{
    return (struct lab_view){show_event, show_advance, show_is_gone, w};
}

/* Who reads the picture must know if it is not the whole truth. */
static void say_drops(const struct show *w, const struct lab_result *r)
{
    for (int i = 0; i < HOST_COUNT; i++)
        if (r->counts.dropped[i] > 0)
            out_say(w->out,
                    "%llu frames of the %s were dropped because the wire was "
                    "too slow; --lanes without calls and states makes it "
                    "faster",
                    (unsigned long long)r->counts.dropped[i], host_name(i));
}

/* Returns whether all held. */
static bool say_expectations(const struct show *w)
{
    struct expect *x = w->s->expect;
    size_t failed = expect_finish(x);
    for (size_t i = 0; i < expect_count(x); i++) {
        struct expect_result one = expect_result(x, i);
        if (!one.held)
            out_say(w->out, "expected: %s: %s", one.text, one.why);
    }
    return failed == 0;
}

int show_close(struct show *w, const struct lab_result *r, int status)
{
    struct err e;
    if (w->ladder != NULL) {
        ladder_finish(w->ladder);
        if (!ladder_complete(w->ladder))
            out_say(w->out, "memory was short: rows are missing");
    }
    say_drops(w, r);
    if (w->s->expects && !say_expectations(w) && r->signal == 0)
        status = STATUS_EXPECT;
    struct json *streams[] = {w->json, w->record};
    for (size_t i = 0; i < 2; i++)
        if (streams[i] != NULL && json_end(streams[i], r, status, &e) < 0) {
            out_error(w->out, &e);
            status = status == 0 ? (int)e.status : status;
        }
    ladder_free(w->ladder);
    text_free(w->text);
    free(w);
    return status;
}
