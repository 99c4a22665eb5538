/* SPDX-License-Identifier: MIT
 *
 * view: files in the lab's place. See view.h for the contract.
 */
#include "view.h"

#include "clock.h"
#include "lang.h"
#include "record.h"
#include "replay.h"
#include "survey.h"
#include "width.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct view {
    const char *path;
    const char *path_of[HOST_COUNT]; /* of two captures; else NULL */
    uint64_t delay_ns[HOST_COUNT];
    struct record *record; /* NULL: it is a capture */
    struct survey survey;
    const struct conversation *only; /* NULL: all */
    bool must_choose;
};

/* --- recordings ---------------------------------------------------------- */

static int open_record(struct view *v, struct settings *s, struct err *e)
{
    struct record_head head;
    struct subject *subject = &s->subject;
    v->record = record_open(v->path, &head, e);
    if (v->record == NULL)
        return -1;
    if (s->view_other != NULL)
        return err_set(e, STATUS_USAGE, "view: of one recording");
    if (s->flow != FLOW_NONE)
        return err_set(e, STATUS_USAGE,
                       "--flow is for captures; %s is a recording", v->path);
    s->lab.link.ipv6 = head.ipv6;
    s->lab.loopback = head.loopback;
    for (int i = 0; i < HOST_COUNT; i++) {
        s->fault->link[i].delay_ns = head.delay_ns[i];
        s->lab.commands[i] = head.commands[i];
        memcpy(s->lab.command[i], head.command[i], sizeof head.command[i]);
    }
    snprintf(subject->kernel, sizeof subject->kernel, "%s", head.kernel);
    snprintf(subject->source, sizeof subject->source,
             _("Recorded by Wirelab %s on Linux %s."), head.version,
             head.kernel);
    return 0;
}

/* --- captures ------------------------------------------------------------ */

static bool is_one_pair(const struct survey *s)
{
    const struct conversation *first = &s->at[0];
    for (size_t i = 1; i < s->count; i++) {
        const struct conversation *c = &s->at[i];
        bool same = survey_same_host(&c->end[0], &first->end[0]) &&
                    survey_same_host(&c->end[1], &first->end[1]);
        bool turned = survey_same_host(&c->end[0], &first->end[1]) &&
                      survey_same_host(&c->end[1], &first->end[0]);
        if (!same && !turned)
            return false;
    }
    return true;
}

static int choose(struct view *v, const struct settings *s, struct err *e)
{
    const struct survey *survey = &v->survey;
    if (survey->count == 0)
        return err_set(e, STATUS_FAILED,
                       "%s: %llu packets, and none of TCP, UDP or ping",
                       v->path, (unsigned long long)survey->frames);
    if (s->flow == FLOW_ALL && !is_one_pair(survey))
        return err_set(e, STATUS_USAGE,
                       "--flow all: %s is of more than two hosts, and a "
                       "picture is of two",
                       v->path);
    if (s->flow != FLOW_ALL && s->flow > survey->count)
        return err_set(e, STATUS_USAGE, "--flow %llu: %s has %zu",
                       (unsigned long long)s->flow, v->path, survey->count);
    v->must_choose = s->flow == FLOW_NONE && survey->count > 1;
    if (v->must_choose && s->json)
        return err_set(e, STATUS_USAGE,
                       "%s has %zu conversations: --json needs --flow N",
                       v->path, survey->count);
    if (s->flow != FLOW_ALL)
        v->only = &survey->at[s->flow > 0 ? s->flow - 1 : 0];
    return 0;
}

/* Whose clock it is that a capture has: the one host's where it was made. */
static void set_clock(struct subject *subject, const struct conversation *c)
{
    bool client = c->seen_at[HOST_CLIENT], server = c->seen_at[HOST_SERVER];
    subject->one_clock = true;
    subject->clock = server && !client ? HOST_SERVER : HOST_CLIENT;
    snprintf(subject->wire, sizeof subject->wire,
             client == server ? _("as captured") : _("seen by %s"),
             host_name(subject->clock));
}

/* Does one begin before another is over? */
static bool overlap(const struct survey *s)
{
    for (size_t i = 1; i < s->count; i++)
        for (size_t k = 0; k < i; k++)
            if (s->at[i].first_ns <= s->at[k].last_ns)
                return true;
    return false;
}

/* The other capture of the run, too: whose is whose? The survey is to be of the
 * client's. */
static int open_second(struct view *v, struct settings *s, struct err *e)
{
    struct survey other;
    if (survey_read(&other, s->view_other, e) < 0)
        return -1;
    int first = v->survey.host, second = other.host;
    if (other.frames == 0 && first >= 0)
        second = 1 - first; /* all that it would have was lost */
    if (v->survey.frames == 0 && second >= 0)
        first = 1 - second;
    if (first < 0 || second < 0 || first == second) {
        survey_free(&other);
        return err_set(e, STATUS_USAGE,
                       "view: two files must be what --pcap wrote of one run, "
                       "the client's and the server's");
    }
    bool turned = first == HOST_SERVER;
    v->path_of[HOST_CLIENT] = turned ? s->view_other : s->view;
    v->path_of[HOST_SERVER] = turned ? s->view : s->view_other;
    if (turned ? other.count > 0 : v->survey.count == 0) {
        struct survey mine = v->survey;
        v->survey = other;
        other = mine;
    }
    survey_join(&v->survey, &other);
    survey_free(&other);
    return replay_delays(v->path_of, v->delay_ns, e);
}

static int open_capture(struct view *v, struct settings *s, struct err *e)
{
    struct subject *subject = &s->subject;
    if (s->pcap != NULL)
        return err_set(e, STATUS_USAGE,
                       "--pcap is for runs and recordings; %s is a capture",
                       v->path);
    if (survey_read(&v->survey, v->path, e) < 0 ||
        (s->view_other != NULL && open_second(v, s, e) < 0) ||
        choose(v, s, e) < 0)
        return -1;
    const struct conversation *c = v->only != NULL ? v->only : &v->survey.at[0];
    for (int i = 0; i < HOST_COUNT; i++) {
        s->lab.commands[i] = 0; /* which programs ran, nobody knows */
        subject->host[i] = c->end[i];
        addr_set_port(&subject->host[i], 0);
        s->fault->link[i].delay_ns = v->delay_ns[i];
    }
    subject->several = v->only == NULL && overlap(&v->survey);
    if (s->view_other == NULL)
        set_clock(subject, c);
    else
        snprintf(subject->wire, sizeof subject->wire, _("seen by both"));
    snprintf(subject->source, sizeof subject->source,
             _("From %s: the states are inferred from the segments."),
             s->view_other == NULL ? _("a capture")
                                   : _("the captures of both hosts"));
    return 0;
}

/* --- either -------------------------------------------------------------- */

/* A recording begins as any object of JSON does. -1 and *e: it cannot be
 * read, or not twice. */
static int is_record(const char *path, struct err *e)
{
    struct stat st;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_sys(e, "%s", path);
    int first = -1, why = 0;
    bool regular = fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode);
    if (regular && (first = getc(file)) == EOF)
        why = ferror(file) ? errno : 0;
    fclose(file);
    if (!regular)
        return err_set(e, STATUS_FAILED,
                       "%s: not a regular file, and it is read twice", path);
    if (first == EOF) {
        errno = why;
        return why != 0 ? err_sys(e, "%s", path)
                        : err_set(e, STATUS_FAILED, "%s: empty", path);
    }
    return first == '{';
}

struct view *view_open(struct settings *s, struct err *e)
{
    struct view *v = calloc(1, sizeof *v);
    if (v == NULL) {
        err_sys(e, "%s", s->view);
        return NULL;
    }
    v->path = s->view;
    int record = is_record(v->path, e);
    if (record < 0 || (record && open_record(v, s, e) < 0) ||
        (!record && open_capture(v, s, e) < 0)) {
        view_close(v);
        return NULL;
    }
    return v;
}

void view_close(struct view *v)
{
    if (v == NULL)
        return;
    record_close(v->record);
    survey_free(&v->survey);
    free(v);
}

bool view_must_choose(const struct view *v)
{
    return v->must_choose;
}

static const char *proto_name(int proto)
{
    return proto == IPPROTO_TCP ? "tcp" : proto == IPPROTO_UDP ? "udp" : "ping";
}

static const char *end_text(const struct conversation *c, enum host_id host,
                            char *buf, size_t cap)
{
    return c->proto == IPPROTO_ICMP ? addr_host(&c->end[host], buf, cap)
                                    : addr_format(&c->end[host], buf, cap);
}

static void put_word(FILE *to, const char *word, int width)
{
    fprintf(to, "%s%*s", word, width - width_of(word), "");
}

void view_list(const struct view *v, FILE *to)
{
    const struct survey *s = &v->survey;
    char client[ADDR_TEXT], server[ADDR_TEXT];
    int width[HOST_COUNT] = {6, 6};
    for (size_t i = 0; i < s->count; i++)
        for (int h = 0; h < HOST_COUNT; h++) {
            int len =
                (int)strlen(end_text(&s->at[i], h, client, sizeof client));
            width[h] = len > width[h] ? len : width[h];
        }
    fprintf(to,
            is_one_pair(s) ? _("%zu conversations; --flow N draws one, --flow "
                               "all all of them.\n")
                           : _("%zu conversations; --flow N draws one.\n"),
            s->count);
    /* The words of the last columns, each at most as wide as in English. */
    fprintf(to, "   N       ");
    put_word(to, _("client"), width[0] + 2);
    put_word(to, _("server"), width[1] + 2);
    fputs(_("frames      bytes  from s   for s\n"), to);
    for (size_t i = 0; i < s->count; i++) {
        const struct conversation *c = &s->at[i];
        double from = (double)(c->first_ns - s->at[0].first_ns) / CLOCK_S;
        double lasts = (double)(c->last_ns - c->first_ns) / CLOCK_S;
        fprintf(to, "%4zu %-5s %-*s  %-*s %7llu %10llu %7.3f %7.3f\n", i + 1,
                proto_name(c->proto), width[0],
                end_text(c, HOST_CLIENT, client, sizeof client), width[1],
                end_text(c, HOST_SERVER, server, sizeof server),
                (unsigned long long)c->frames, (unsigned long long)c->bytes,
                from, lasts);
    }
    if (s->missed > 0)
        fprintf(to, _("and %llu packets of still others\n"),
                (unsigned long long)s->missed);
}

int view_run(struct view *v, const struct lab_view *to,
             struct lab_result *result, struct err *e)
{
    *result = (struct lab_result){0};
    if (v->record != NULL)
        return record_run(v->record, to, &result->end_ns, e);
    struct replay_options o = {
        .path = v->path, .survey = &v->survey, .only = v->only};
    if (v->path_of[HOST_CLIENT] != NULL)
        o.path = NULL;
    for (int i = 0; i < HOST_COUNT; i++) {
        o.path_of[i] = v->path_of[i];
        o.delay_ns[i] = v->delay_ns[i];
    }
    return replay_run(&o, to, &result->end_ns, e);
}
