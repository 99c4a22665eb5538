/* SPDX-License-Identifier: MIT
 *
 * check: lab files, one scene after another. See check.h for the contract.
 */
#include "check.h"

#include "keep.h"
#include "labfile.h"
#include "lang.h"
#include "opt.h"
#include "out.h"
#include "reader.h"
#include "trial.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDINGS 16

struct check {
    const char *student;    /* whose numbers; NULL: nobody's */
    const char *gradescope; /* results.json goes here; NULL: nowhere */
    const char *recording[RECORDINGS]; /* the N-th is of the N-th scene */
    size_t recordings;
    bool answers, commands, help;
    struct out out;

    struct labfile *lab;
    size_t labs, scenes;
    size_t number; /* of the scene that runs, from 1 */
    size_t passed, failed, skipped;
    json_t *tests; /* for the Gradescope */
};

/* --- words about a scene -------------------------------------------------- */

static void name_scene(const struct labfile *f, const struct scene *s,
                       char *buf, size_t cap)
{
    snprintf(buf, cap, "%s%s%s", f->name, *s->title != '\0' ? ": " : "",
             s->title);
}

static bool is_in_path(const char *program, size_t len)
{
    const char *path = getenv("PATH");
    for (const char *at = path != NULL ? path : ""; *at != '\0';) {
        char file[4096];
        size_t dir = strcspn(at, ":");
        snprintf(file, sizeof file, "%.*s/%.*s", (int)dir, at, (int)len,
                 program);
        if (access(file, X_OK) == 0)
            return true;
        at += dir;
        at += *at == ':';
    }
    return false;
}

/* The first program of NEEDS that is not here; its length, 0 if all are. */
static size_t find_missing(const char *needs, const char **missing)
{
    for (const char *at = needs != NULL ? needs : ""; *at != '\0';) {
        size_t len = strcspn(at, " ");
        *missing = at;
        if (len > 0 && !is_in_path(at, len))
            return len;
        at += len;
        at += strspn(at, " ");
    }
    return 0;
}

/* --- results ---------------------------------------------------------------
 */

/* One test of Gradescope's, whose format is described at
 * gradescope-autograders.readthedocs.io/en/latest/specs/. */
static void grade(struct check *c, const char *name, int status,
                  const char *text)
{
    bool passed = status == 0;
    json_t *output = json_string(text);
    if (output == NULL) /* bytes of a program that are no UTF-8 */
        output = json_string(_("what was printed is no text"));
    json_t *test = json_pack("{s:s, s:s, s:i, s:i, s:o}", "name", name,
                             "status", passed ? "passed" : "failed", "score",
                             passed, "max_score", 1, "output", output);
    if (json_array_append_new(c->tests, test) < 0)
        out_say(&c->out, "no memory for the result of %s", name);
}

/* A line of TAP; behind it, what went wrong. */
static void report(struct check *c, const char *name, int status,
                   const char *text)
{
    if (status == STATUS_SKIP)
        printf("ok %zu - %s # SKIP %.*s\n", c->number, name,
               (int)strcspn(text, "\n"), text);
    else
        printf("%sok %zu - %s\n%s", status == 0 ? "" : "not ", c->number, name,
               text);
    reader_flush(&c->out);
    c->passed += status == 0;
    c->skipped += status == STATUS_SKIP;
    c->failed += status != 0 && status != STATUS_SKIP;
    if (c->tests != NULL)
        grade(c, name, status, text);
}

/* Why this scene cannot be checked, as words in BUF; NULL: it can. */
static const char *find_lack(const struct check *c, const struct scene *s,
                             char *buf, size_t cap)
{
    const char *missing;
    size_t len = find_missing(s->needs, &missing);
    if (c->recordings > 0)
        return c->number <= c->recordings ? NULL : _("there is no recording");
    if (len == 0)
        return NULL;
    snprintf(buf, cap, _("no %.*s here"), len < 64 ? (int)len : 64, missing);
    return buf;
}

/* 0, or the status to stop with. */
static int check_scene(struct check *c, const struct labfile *f,
                       const struct scene *s)
{
    char name[256], buf[128];
    struct trial t;
    struct err e;
    name_scene(f, s, name, sizeof name);
    c->number++;
    const char *lack = find_lack(c, s, buf, sizeof buf);
    if (lack != NULL) {
        report(c, name, STATUS_SKIP, lack);
        return 0;
    }
    const char *recording =
        c->recordings > 0 ? c->recording[c->number - 1] : NULL;
    if (trial_run(s, recording, &t, &e) < 0) {
        out_error(&c->out, &e);
        return (int)e.status;
    }
    const char *text = t.text;
    if (t.status == STATUS_SKIP) /* a remark of TAP's already */
        text += strspn(text, "# ");
    if (t.status < 128)
        report(c, name, t.status, text);
    free(t.text);
    return t.status < 128 ? 0 : t.status;
}

static int write_grades(struct check *c, struct err *e)
{
    struct keep k;
    json_t *all = json_pack("{s:I, s:O}", "score", (json_int_t)c->passed,
                            "tests", c->tests);
    if (all == NULL)
        return err_set(e, STATUS_FAILED, "no memory for the results");
    if (keep_open(&k, c->gradescope, e) < 0) {
        json_decref(all);
        return -1;
    }
    json_dumpf(all, k.file, JSON_INDENT(2)); /* keep_close sees an error */
    fputc('\n', k.file);
    json_decref(all);
    return keep_close(&k, e);
}

/* Is there more to do, and somebody who wants to know? */
static bool goes_on(const struct check *c, int status)
{
    return status == 0 && (!reader_is_gone(&c->out) || c->tests != NULL);
}

static int run_all(struct check *c)
{
    struct err e;
    int status = 0;
    printf("1..%zu\n", c->scenes);
    for (size_t i = 0; i < c->labs && goes_on(c, status); i++)
        for (size_t n = 0; n < c->lab[i].scenes && goes_on(c, status); n++)
            status = check_scene(c, &c->lab[i], &c->lab[i].scene[n]);
    if (status == 0 && c->failed > 0)
        status = STATUS_EXPECT;
    else if (status == 0 && c->passed == 0)
        status = STATUS_SKIP;
    if (c->tests != NULL && write_grades(c, &e) < 0) {
        out_error(&c->out, &e);
        status = status == 0 ? (int)e.status : status;
    }
    return status;
}

/* --- what a student types, and the key ------------------------------------ */

/* TEXT as one word of the shell. */
static void put_quoted(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    putchar('\'');
}

static void print_command(const struct labfile *f, const struct scene *s)
{
    static const char *const option[] = {
        [HOST_CLIENT] = "--client", [HOST_SERVER] = "--server"};
    char name[256];
    name_scene(f, s, name, sizeof name);
    printf("# %s\nwirelab", name);
    for (size_t i = 0; i < s->words; i++) {
        putchar(' ');
        if (strpbrk(s->word[i], " '#$&|<>;*\\") != NULL)
            put_quoted(s->word[i]);
        else
            fputs(s->word[i], stdout);
    }
    for (int host = HOST_COUNT - 1; host >= 0; host--)
        for (size_t i = 0; i < s->settings.lab.commands[host]; i++) {
            printf(" \\\n    %s ", option[host]);
            put_quoted(s->settings.lab.command[host][i]);
        }
    putchar('\n');
}

static void print_instead(const struct check *c)
{
    for (size_t i = 0; i < c->labs; i++) {
        const struct labfile *f = &c->lab[i];
        for (size_t n = 0; n < f->scenes && c->commands; n++)
            print_command(f, &f->scene[n]);
        if (c->answers)
            printf("%s: %s\n", f->name,
                   f->answer != NULL ? f->answer : _("(no answer is given)"));
    }
}

/* --- main ------------------------------------------------------------------
 */

static int read_recording(const char *text, const struct opt *o, struct err *e)
{
    struct check *c = o->value;
    if (c->recordings == RECORDINGS)
        return err_set(e, STATUS_USAGE, "--recording: at most %d", RECORDINGS);
    c->recording[c->recordings++] = text;
    return 0;
}

static const char usage[] =
    N_("Usage: wirelab check [OPTION]... FILE.lab...\n"
       "Run experiments that are written down, and check what happens.\n\n");

/* Reads ARGV or, with HELP, prints what can be asked for. */
static int use_table(struct check *c, int argc, char **argv, FILE *help,
                     struct err *e)
{
    const struct opt table[] = {
        {"student", 0, "ID", opt_text, &c->student, 0, 0,
         N_("with this student's own numbers")},
        {"commands", 0, NULL, opt_flag, &c->commands, 0, 0,
         N_("run nothing; print the command of each run")},
        {"answers", 0, NULL, opt_flag, &c->answers, 0, 0,
         N_("run nothing; print the key")},
        {"recording", 0, "FILE", read_recording, c, 0, 0,
         N_("judge this run instead; repeat it for each scene")},
        {"gradescope", 0, "FILE", opt_text, &c->gradescope, 0, 0,
         N_("write the results as results.json")},
        {"lang", 0, "NAME", opt_lang, NULL, 0, 0,
         N_("the language of what people read: en, zh_CN")},
        {"help", 'h', NULL, opt_flag, &c->help, 0, 0,
         N_("print this help and exit")},
        OPT_END,
    };
    if (help == NULL)
        return opt_parse(table, argc, argv, e);
    fputs(_(usage), help);
    opt_help(table, help);
    return 0;
}

static int read_labs(struct check *c, int count, char **paths, struct err *e)
{
    if (count == 0) {
        err_set(e, STATUS_USAGE, "check: no FILE.lab to check");
        return err_advise(e, "docs/labs has some: wirelab check "
                             "docs/labs/*.lab");
    }
    c->lab = calloc((size_t)count, sizeof *c->lab);
    if (c->lab == NULL)
        return err_sys(e, "memory for the labs");
    for (; c->labs < (size_t)count; c->labs++) {
        struct labfile *f = &c->lab[c->labs];
        if (labfile_read(f, paths[c->labs], c->student, e) < 0)
            return -1;
        c->scenes += f->scenes;
    }
    return 0;
}

/* What was asked for, does it make sense together? */
static int check_options(const struct check *c, struct err *e)
{
    bool is_run = !c->commands && !c->answers;
    if (!is_run && (c->gradescope != NULL || c->recordings > 0))
        return err_set(e, STATUS_USAGE,
                       "check: --commands and --answers judge nothing: no "
                       "--gradescope, no --recording");
    if (c->recordings > 0 && (c->labs != 1 || c->recordings > c->scenes))
        return err_set(e, STATUS_USAGE,
                       "check: --recording is for one lab, once for each of "
                       "its scenes");
    return 0;
}

static int check_labs(struct check *c, int argc, char **argv, struct err *e)
{
    int first = use_table(c, argc, argv, NULL, e);
    if (first < 0)
        return -1;
    if (c->help)
        return use_table(c, 0, NULL, stdout, NULL);
    if (read_labs(c, argc - first, argv + first, e) < 0 ||
        check_options(c, e) < 0)
        return -1;
    if (c->commands || c->answers) {
        print_instead(c);
        return 0;
    }
    if (c->gradescope != NULL && (c->tests = json_array()) == NULL)
        return err_set(e, STATUS_FAILED, "no memory for the results");
    return run_all(c);
}

int check_main(int argc, char **argv)
{
    struct check c = {.student = NULL};
    struct err e;
    out_init(&c.out, "wirelab", false, false);
    int status = check_labs(&c, argc, argv, &e);
    if (status < 0) {
        out_error(&c.out, &e);
        status = (int)e.status;
    }
    for (size_t i = 0; i < c.labs; i++)
        labfile_free(&c.lab[i]);
    free(c.lab);
    json_decref(c.tests);
    return reader_end(&c.out, status);
}
