/* SPDX-License-Identifier: MIT
 *
 * show: events to all who watch. See show.h for the contract.
 */
#include "show.h"

#include "clock.h"
#include "json.h"
#include "lang.h"
#include "layers.h"
#include "list.h"
#include "pcapng.h"
#include "reader.h"
#include "step.h"
#include "svg.h"
#include "text.h"
#include "width.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What a pipe may hold: the wire does not wait for who reads it. */
#define PIPE_BYTES (1 << 20)

struct show {
    const struct settings *s;
    struct out *out;
    struct ladder *ladder; /* each is NULL if it is not asked for */
    struct step *step;
    struct text *text;
    struct list list;     /* instead of text, for --list */
    struct layers layers; /* instead of all these, for --layers */
    bool begun;
    bool quit; /* the reader of --step has had enough */
    struct json *json, *record;
    struct pcapng *pcapng;
    struct svg *svg;
    bool shares; /* the slide is another's too */
    struct show_pair pair;
    row_fn *row; /* who gets the rows, besides the slide; or NULL */
    void *row_context;
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

/* "20 ms", "15 s" */
static const char *name_delay(uint64_t ns, char *buf, size_t cap)
{
    bool long_one = ns >= 10 * CLOCK_S;
    snprintf(buf, cap, "%.4g %s",
             (double)ns / (double)(long_one ? CLOCK_S : CLOCK_MS),
             long_one ? "s" : "ms");
    return buf;
}

/* "20 ms each way", or one time for each direction. */
static void name_wire(const struct settings *s, char *buf, size_t cap)
{
    const struct fault *f = s->fault;
    char there[16], back[16];
    name_delay(f->link[HOST_CLIENT].delay_ns, there, sizeof there);
    name_delay(f->link[HOST_SERVER].delay_ns, back, sizeof back);
    if (s->subject.wire[0] != '\0')
        snprintf(buf, cap, "%s", s->subject.wire);
    else if (s->lab.loopback)
        snprintf(buf, cap, "%s", _("none: loopback"));
    else if (f->link[HOST_CLIENT].delay_ns == f->link[HOST_SERVER].delay_ns)
        snprintf(buf, cap, _("%s each way"), there);
    else
        snprintf(buf, cap, "%s ->, <- %s", there, back);
}

static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

/* A line of the picture. */
static void show_line(const char *line, void *context)
{
    struct show *w = context;
    puts(line); /* what fails is seen next */
    reader_flush(w->out);
}

static void words_init(const struct settings *s, struct words *words)
{
    *words = (struct words){.numbers = s->absolute   ? WORDS_ABSOLUTE
                                       : s->relative ? WORDS_RELATIVE
                                                     : WORDS_LETTERS};
    for (int i = 0; i < HOST_COUNT; i++)
        words->host[i] = s->subject.host[i];
    for (int i = 0; i < HOST_COUNT && !s->lab.loopback; i++)
        if (words->host[i].len == 0)
            addr_parse(link_address(i, s->lab.link.ipv6), &words->host[i],
                       NULL); /* our own constants: always good */
}

static int open_text(struct show *w)
{
    struct text_options o = {.columns = columns(),
                             .utf8 = w->s->utf8,
                             .colour = wants_colour(),
                             .explain = w->s->explain,
                             .wire = w->wire};
    words_init(w->s, &o.words);
    w->text = text_new(&o, show_line, w);
    return w->text == NULL ? -1 : 0;
}

/* A row_fn: one picture on the terminal, one on the slide. */
static void show_row(const struct row *row, void *context)
{
    struct show *w = context;
    if (w->row != NULL)
        w->row(row, w->row_context);
    if (w->svg != NULL)
        svg_row(row, w->svg);
}

/* A capture has one clock: the other host's is not known. A row_fn. */
static void take_time(const struct row *row, void *context)
{
    struct show *w = context;
    struct row copy = *row;
    struct row_cell *mine = &copy.cell[w->s->subject.clock];
    struct row_cell *other = &copy.cell[1 - w->s->subject.clock];
    if (!mine->timed) {
        mine->timed = other->timed;
        mine->t_ns = other->t_ns;
    }
    other->timed = false;
    show_row(&copy, w);
}

static int open_ladder(struct show *w, struct err *e)
{
    const struct settings *s = w->s;
    uint64_t there = s->fault->link[HOST_CLIENT].delay_ns;
    uint64_t back = s->fault->link[HOST_SERVER].delay_ns;
    struct ladder_options o = {
        .lanes = s->lanes,
        .calls_all = s->lab.calls_all,
        .explain = s->explain,
        .has_only = s->has_only,
        .only = s->only,
        .several = s->lab.commands[HOST_CLIENT] > 1 || s->subject.several,
        .delay_ns = there > back ? there : back,
        .beside = w->pair.beside,
    };
    w->ladder = ladder_new(&o, s->subject.one_clock ? take_time : show_row, w);
    if (w->ladder != NULL)
        return 0;
    return err_set(e, STATUS_FAILED, "no memory for the picture");
}

/* COMMAND in one line, if it was written over several; its length. */
static size_t join_lines(const char *command, char *line, size_t cap)
{
    size_t n = 0;
    for (; *command != '\0' && n < cap; command++) {
        bool blank = isspace((unsigned char)*command);
        if (!blank || (n > 0 && line[n - 1] != ' '))
            line[n++] = blank ? ' ' : *command;
    }
    return n;
}

void show_caption(const struct settings *s, enum host_id host, char *buf,
                  size_t cap)
{
    size_t commands = s->lab.commands[host], used;
    buf[0] = '\0';
    if (commands == 0)
        return;
    char line[ROW_TEXT];
    size_t n = join_lines(s->lab.command[host][0], line, sizeof line - 1);
    used = (size_t)snprintf(buf, cap, "%s: ", host_name(host));
    line[n] = '\0';
    width_mend(line);
    out_printable(line, buf + used, cap - used - 32);
    used = strlen(buf);
    if (commands > 1)
        snprintf(buf + used, cap - used, _(" (and %zu more)"), commands - 1);
}

static void open_slide(struct show *w)
{
    struct svg_picture about = {.explain = w->s->explain};
    snprintf(about.caption[0], sizeof about.caption[0], "%s",
             w->s->subject.source);
    show_caption(w->s, HOST_SERVER, about.caption[1], sizeof about.caption[1]);
    show_caption(w->s, HOST_CLIENT, about.caption[2], sizeof about.caption[2]);
    snprintf(about.wire, sizeof about.wire, "%s", w->wire);
    words_init(w->s, &about.words);
    svg_picture(w->svg, &about);
}

static void open_layers(struct show *w)
{
    w->layers = (struct layers){.line = show_line, .context = w};
    words_init(w->s, &w->layers.words);
}

/* Rows for the terminal go to the text or the list, with --step by way of it.
 */
static int open_picture(struct show *w, struct err *e)
{
    w->row = text_row;
    if (w->s->list) {
        w->list = (struct list){
            .explain = w->s->explain, .line = show_line, .context = w};
        words_init(w->s, &w->list.words);
        w->row = list_row;
        w->row_context = &w->list;
    } else {
        if (open_text(w) < 0)
            goto no_memory;
        w->row_context = w->text;
    }
    if (w->s->step) {
        w->step = step_new(STDIN_FILENO, stderr, w->row, w->row_context);
        if (w->step == NULL)
            goto no_memory;
        w->row = step_row;
        w->row_context = w->step;
    }
    return 0;
no_memory:
    return err_set(e, STATUS_FAILED, "no memory for the picture");
}

static int open_files(struct show *w, int argc, char **argv, struct err *e)
{
    const struct settings *s = w->s;
    const char *kernel =
        s->subject.kernel[0] != '\0' ? s->subject.kernel : NULL;
    if (s->json && (w->json = json_stdout(w->out)) == NULL)
        return err_set(e, STATUS_FAILED, "no memory for JSON");
    if (s->record != NULL && (w->record = json_record(s->record, e)) == NULL)
        return -1;
    if (s->pcap != NULL &&
        (w->pcapng = pcapng_begin(s->pcap, clock_real_ns(), e)) == NULL)
        return -1;
    bool asked = s->svg != NULL || s->png != NULL;
    if (!w->shares && asked && (w->svg = svg_begin(s->svg, s->png, e)) == NULL)
        return -1;
    if (w->json != NULL)
        json_start(w->json, &s->lab, kernel, argc, argv);
    if (w->record != NULL)
        json_start(w->record, &s->lab, kernel, argc, argv);
    return 0;
}

static void show_free(struct show *w)
{
    json_discard(w->json);
    json_discard(w->record);
    pcapng_discard(w->pcapng);
    if (!w->shares)
        svg_discard(w->svg);
    ladder_free(w->ladder);
    step_free(w->step);
    text_free(w->text);
    free(w);
}

struct show *show_open(const struct settings *s, const struct show_pair *pair,
                       struct out *out, int argc, char **argv, struct err *e)
{
    struct show *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_sys(e, "memory for the view");
        return NULL;
    }
    w->s = s;
    w->out = out;
    w->shares = pair != NULL;
    if (w->shares) {
        w->pair = *pair;
        w->svg = pair->svg;
    }
    fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES); /* if it is one */
    name_wire(s, w->wire, sizeof w->wire);
    bool picture = !s->json && !s->quiet && !s->layers;
    if (s->layers)
        open_layers(w);
    if (open_files(w, argc, argv, e) < 0 ||
        (picture && open_picture(w, e) < 0) ||
        ((picture || w->svg != NULL) && open_ladder(w, e) < 0)) {
        show_free(w);
        return NULL;
    }
    if (w->svg != NULL)
        open_slide(w);
    return w;
}

/* The head of the picture; not before the lab has begun. */
static void show_head(struct show *w)
{
    if (w->begun)
        return;
    w->begun = true;
    if (w->s->layers)
        layers_head(&w->layers);
    if (w->row != NULL && w->s->subject.source[0] != '\0')
        show_line(w->s->subject.source, w);
    if (w->text == NULL)
        return;
    text_legend(w->text);
    text_head(w->text);
}

static void show_key(void *context)
{
    struct show *w = context;
    if (!step_key(w->step))
        w->quit = true;
}

static void show_event(const struct event *e, void *context)
{
    struct show *w = context;
    show_head(w);
    if (w->ladder != NULL)
        ladder_event(e, w->ladder);
    while (w->s->view != NULL && w->step != NULL && !w->quit &&
           step_waits(w->step))
        show_key(w); /* nothing runs meanwhile: the file waits as well */
    if (w->json != NULL)
        json_event(e, w->json);
    if (w->record != NULL)
        json_event(e, w->record);
    if (w->pcapng != NULL)
        pcapng_event(e, w->pcapng);
    if (w->s->layers)
        layers_event(e, &w->layers);
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
    return w->out->failed != 0 || w->quit || step_signal(w->step) != 0;
}

struct lab_view show_view(struct show *w)
{
    bool keys = w->step != NULL && isatty(STDIN_FILENO);
    return (struct lab_view){.event = show_event,
                             .advance = show_advance,
                             .is_gone = show_is_gone,
                             .key = show_key,
                             .input = keys ? STDIN_FILENO : -1,
                             .context = w};
}

/* The lab is over, its rows are not. STOPPED: nobody is asked for a key. */
static void show_rest(struct show *w, bool stopped)
{
    ladder_finish(w->ladder);
    if (w->pair.totals != NULL)
        ladder_totals(w->ladder, w->pair.totals);
    while (w->step != NULL && !w->quit && !stopped && step_waits(w->step))
        show_key(w);
    if (!ladder_complete(w->ladder) ||
        (w->step != NULL && !step_complete(w->step)))
        out_say(w->out, "memory was short: rows are missing");
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

static void say_late(const struct show *w, const struct lab_result *r)
{
    if (r->counts.late_ns > WIRE_LATE_NS)
        out_say(w->out,
                "the wire was up to %llu ms late, because this machine is "
                "busy: times, and what came first, may be others in a calm run",
                (unsigned long long)(r->counts.late_ns / CLOCK_MS));
}

/* A rule that hit nothing is often one with a slip in it. */
static void say_idle_rules(const struct show *w)
{
    uint64_t came;
    for (unsigned i = 0; i < w->s->fault->rules; i++)
        if (!fault_rule_met(w->s->fault, i, &came))
            out_say(w->out,
                    "rule %u met no frame: of its kind %llu came from the %s",
                    i + 1, (unsigned long long)came,
                    host_name(w->s->fault->rule[i].from));
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

/* Says what went wrong with a file, if RESULT is -1; the status from now. */
static int end_file(const struct show *w, int result, const struct err *e,
                    int status)
{
    if (result == 0)
        return status;
    out_error(w->out, e);
    return status == 0 ? (int)e->status : status;
}

int show_close(struct show *w, const struct lab_result *r, int status)
{
    struct err e;
    if (w->ladder != NULL)
        show_rest(w, r->signal != 0);
    say_drops(w, r);
    /* What the reader did not wait for is nobody's failure. */
    bool cut = w->quit || reader_is_gone(w->out);
    if (!cut)
        say_late(w, r);
    if (w->s->view == NULL && r->signal == 0 && !cut)
        say_idle_rules(w);
    if (w->s->expects && !cut && !say_expectations(w) && r->signal == 0)
        status = STATUS_EXPECT;
    if (step_signal(w->step) != 0)
        status = 128 + step_signal(w->step);
    if (w->json != NULL)
        status = end_file(w, json_end(w->json, r, status, &e), &e, status);
    if (w->record != NULL)
        status = end_file(w, json_end(w->record, r, status, &e), &e, status);
    if (w->pcapng != NULL)
        status = end_file(w, pcapng_end(w->pcapng, &e), &e, status);
    w->json = w->record = NULL;
    w->pcapng = NULL;
    if (!w->shares && w->svg != NULL) {
        status = end_file(w, svg_end(w->svg, &e), &e, status);
        w->svg = NULL;
    }
    show_free(w);
    return status;
}

int show_run(const struct settings *s, struct view *v,
             const struct show_pair *pair, struct out *out, int argc,
             char **argv)
{
    struct err e;
    struct lab_result result;
    struct show *show = show_open(s, pair, out, argc, argv, &e);
    if (show == NULL) {
        out_error(out, &e);
        return (int)e.status;
    }
    struct lab_view view = show_view(show);
    int failed = v != NULL ? view_run(v, &view, &result, &e)
                           : lab_run(&s->lab, &view, &result, &e);
    int status = failed < 0           ? (int)e.status
                 : result.signal != 0 ? 128 + result.signal
                                      : result.status;
    status = show_close(show, &result, status);
    if (failed < 0)
        out_error(out, &e);
    return status;
}
