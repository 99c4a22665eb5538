/* SPDX-License-Identifier: MIT
 *
 * labfile: reads an experiment. See labfile.h for what a file looks like.
 *
 * The text is cut in place into statements: a word, and what stands behind it.
 * Then each scene reads those that all share and those of its own.
 */
#include "labfile.h"

#include "lang.h"
#include "vary.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (256 * 1024)
#define WORDS_MAX 64

struct statement {
    const char *word;
    char *rest;   /* with the lines that go on with it */
    size_t words; /* of an option: how many stand there, each with its '\0' */
    unsigned line, rest_line;
};

struct reader {
    struct labfile *file;
    const char *path;
    struct statement *statement;
    size_t statements;
    struct err *e;
};

static int refuse(const struct reader *r, unsigned line, const char *word,
                  const char *allowed)
{
    return err_set(r->e, STATUS_USAGE, "%s: line %u: '%.64s' is not %s",
                   r->path, line, word, _(allowed));
}

/* An error of another reader, with the place put before it. */
static int place(const struct reader *r, unsigned line)
{
    struct err inner = *r->e;
    return err_set(r->e, inner.status, "%s: line %u: %.400s", r->path, line,
                   inner.text);
}

static char *read_whole(const char *path, struct err *e)
{
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? calloc(1, FILE_MAX + 2) : NULL;
    if (text == NULL) {
        err_sys(e, "%s", path);
    } else {
        size_t len = fread(text, 1, FILE_MAX + 1, file);
        bool is_good = !ferror(file) && len <= FILE_MAX && strlen(text) == len;
        if (ferror(file))
            err_sys(e, "%s", path);
        else if (!is_good)
            err_set(e, STATUS_FAILED, "%s: no text, or larger than 256 KiB",
                    path);
        if (!is_good) {
            free(text);
            text = NULL;
        }
    }
    if (file != NULL)
        fclose(file); /* it was only read */
    return text;
}

/* --- statements ---------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Where the statement that begins at AT ends: at the newline before the first
 * line that is neither indented nor empty. */
static char *end_of_statement(char *at)
{
    for (;;) {
        at += strcspn(at, "\n");
        if (*at == '\0' || (!is_blank(at[1]) && at[1] != '\n'))
            return at;
        at++;
    }
}

static unsigned count_lines(const char *from, const char *to)
{
    unsigned n = 0;
    for (; from < to; from++)
        n += *from == '\n';
    return n;
}

static int add_statement(struct reader *r, char *at, char *end, unsigned line)
{
    struct statement *more =
        realloc(r->statement, (r->statements + 1) * sizeof *more);
    if (more == NULL)
        return err_sys(r->e, "memory for %s", r->path);
    r->statement = more;
    char *rest = at + strcspn(at, " \t\r\n");
    while (end > rest && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0'; /* at most the newline that ends it */
    unsigned rest_line = line + (*rest == '\n');
    if (rest < end)
        *rest++ = '\0';
    more[r->statements++] = (struct statement){
        .word = at, .rest = rest, .line = line, .rest_line = rest_line};
    return 0;
}

static int cut(struct reader *r)
{
    unsigned line = 1;
    for (char *at = r->file->text; *at != '\0';) {
        char *end = at;
        if (*at == '#' || isspace((unsigned char)*at))
            end += strcspn(at, "\n");
        else
            end = end_of_statement(at);
        unsigned lines = count_lines(at, end) + (*end == '\n');
        char *next = end + (*end == '\n');
        size_t before = strspn(at, " \t\r");
        bool is_out = before > 0 && at + before < end;
        if (is_out) {
            *end = '\0';
            return refuse(r, line, at + before,
                          N_("behind a line that it could go on with"));
        }
        if (*at != '#' && !isspace((unsigned char)*at) &&
            add_statement(r, at, end, line) < 0)
            return -1;
        at = next;
        line += lines;
    }
    return 0;
}

/* --- what each says ------------------------------------------------------ */

/* The lines of a command or an answer as one. */
static char *one_line(char *text)
{
    char *to = text;
    for (const char *at = text + strspn(text, " \t\r\n"); *at != '\0'; at++) {
        if (*at != '\n' && *at != '\r') {
            *to++ = *at;
            continue;
        }
        while (isspace((unsigned char)at[1]))
            at++;
        *to++ = ' ';
    }
    *to = '\0';
    return text;
}

/* Cuts TEXT into words, as the shell would, one behind the other; quotes hold
 * blanks together. Returns how many. */
static size_t split(char *text)
{
    size_t n = 0;
    char *from = text, *to = text;
    for (;; n++) {
        while (isspace((unsigned char)*from))
            from++;
        if (*from == '\0')
            return n;
        char quote = '\0';
        for (; *from != '\0' && (quote || !isspace((unsigned char)*from));
             from++)
            if (quote == '\0' && (*from == '\'' || *from == '"'))
                quote = *from;
            else if (quote != '\0' && *from == quote)
                quote = '\0';
            else
                *to++ = *from;
        from += *from != '\0';
        *to++ = '\0';
    }
}

/* The options that make the experiment; those that show it are not a lab's
 * but its reader's. */
static bool is_of_lab(const char *option)
{
    static const char *const names[] = {
        "-6",         "--ipv6",      "--start",     "--wait",    "--drain",
        "--limit",    "--kill",      "--mtu",       "--delay",   "--jitter",
        "--loss",     "--duplicate", "--reorder",   "--corrupt", "--rate",
        "--queue",    "--seed",      "--rule",      "--calls",   "--lanes",
        "--loopback", "--blackhole", "--congestion"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(option, names[i]) == 0)
            return true;
    return false;
}

static int keep_word(const struct reader *r, struct scene *s, const char *word)
{
    const char **more = realloc(s->word, (s->words + 1) * sizeof *more);
    if (more == NULL)
        return err_sys(r->e, "memory for %s", r->path);
    s->word = more;
    more[s->words++] = word;
    return 0;
}

static int read_options(const struct reader *r, struct scene *s,
                        const struct statement *t)
{
    char program[] = "wirelab", *argv[WORDS_MAX + 2] = {program};
    char *word = t->rest;
    int argc = 1, first;
    if (t->words > WORDS_MAX)
        return refuse(r, t->line, t->word, N_("for so many words: use two"));
    for (size_t i = 0; i < t->words; i++, word += strlen(word) + 1) {
        if (word[0] == '-' && !is_of_lab(word))
            return refuse(r, t->line, word,
                          N_("an option of a lab, such as --delay, --loss, "
                             "--rule, --seed or --kill, written in full"));
        argv[argc++] = word;
        if (keep_word(r, s, word) < 0)
            return -1;
    }
    if (settings_parse(&s->settings, argc, argv, &first, r->e) < 0)
        return place(r, t->line);
    if (first < argc)
        return refuse(r, t->line, argv[first],
                      N_("part of an option; words that belong together stand "
                         "in quotes"));
    return 0;
}

/* With as many lines before it as in the file, so that errors name the right
 * one. */
static int read_expectation(const struct reader *r, struct scene *s,
                            const struct statement *t)
{
    size_t before = t->rest_line - 1, len = strlen(t->rest);
    char *padded = malloc(before + len + 2);
    if (padded == NULL)
        return err_sys(r->e, "memory for %s", r->path);
    memset(padded, '\n', before);
    memcpy(padded + before, t->rest, len);
    memcpy(padded + before + len, "\n", 2);
    s->settings.expects = true;
    int parsed = expect_parse(s->settings.expect, r->path, padded, r->e);
    free(padded);
    return parsed;
}

static int read_program(const struct reader *r, struct scene *s,
                        const struct statement *t)
{
    char program[] = "wirelab", option[16];
    char *argv[] = {program, option, one_line(t->rest), NULL};
    int first;
    snprintf(option, sizeof option, "--%s", t->word);
    if (settings_parse(&s->settings, 3, argv, &first, r->e) < 0)
        return place(r, t->line);
    return 0;
}

static int read_status(const struct reader *r, struct scene *s,
                       const struct statement *t)
{
    uint64_t status;
    if (opt_parse_number(t->rest, "status", 0, 255, &status, r->e) < 0)
        return place(r, t->line);
    s->status = (int)status;
    return 0;
}

static int read_needs(const struct reader *r, struct scene *s,
                      const struct statement *t)
{
    (void)r;
    s->needs = one_line(t->rest);
    return 0;
}

static int read_title(const struct reader *r, struct scene *s,
                      const struct statement *t)
{
    (void)r;
    s->title = one_line(t->rest);
    return 0;
}

/* "answer"; or "answer[zh_CN]", which comes before it where people read that
 * language. */
static int read_answer(const struct reader *r, struct scene *s,
                       const struct statement *t)
{
    char own[32];
    const char *text = one_line(t->rest);
    (void)s;
    snprintf(own, sizeof own, "answer[%s]", lang_name());
    if (strcmp(t->word, own) == 0 ||
        (strcmp(t->word, "answer") == 0 && r->file->answer == NULL))
        r->file->answer = text;
    return 0;
}

/* Has been read by vary.c already. */
static int read_vary(const struct reader *r, struct scene *s,
                     const struct statement *t)
{
    (void)r, (void)s, (void)t;
    return 0;
}

static const struct {
    const char *word;
    int (*read)(const struct reader *r, struct scene *s,
                const struct statement *t);
} words[] = {{"scene", read_title},        {"server", read_program},
             {"client", read_program},     {"option", read_options},
             {"expect", read_expectation}, {"status", read_status},
             {"needs", read_needs},        {"answer", read_answer},
             {"vary", read_vary}};

/* Is WORD the statement NAME? An answer may name its language behind it. */
static bool is_statement(const char *word, const char *name)
{
    size_t len = strlen(name);
    bool same = strncmp(word, name, len) == 0;
    return same && (word[len] == '\0' ||
                    (word[len] == '[' && strcmp(name, "answer") == 0));
}

static int apply(const struct reader *r, struct scene *s,
                 const struct statement *t)
{
    size_t i = 0, count = sizeof words / sizeof *words;
    while (i < count && !is_statement(t->word, words[i].word))
        i++;
    if (i == count)
        return refuse(
            r, t->line, t->word,
            N_("one of scene, server, client, option, expect, status, "
               "needs, vary, answer"));
    if (*t->rest == '\0')
        return refuse(r, t->line, t->word,
                      N_("complete: nothing stands behind it"));
    return words[i].read(r, s, t);
}

/* --- scenes -------------------------------------------------------------- */

static bool begins_scene(const struct statement *t)
{
    return strcmp(t->word, "scene") == 0;
}

/* The statements from FIRST up to the next scene; where they end. */
static int apply_until_scene(const struct reader *r, struct scene *s,
                             size_t *at)
{
    for (; *at < r->statements && !begins_scene(&r->statement[*at]); ++*at)
        if (apply(r, s, &r->statement[*at]) < 0)
            return -1;
    return 0;
}

/* The next scene, whose own statements begin at *at. */
static int read_scene(struct reader *r, size_t *at)
{
    struct labfile *f = r->file;
    struct scene *more = realloc(f->scene, (f->scenes + 1) * sizeof *more);
    if (more == NULL)
        return err_sys(r->e, "memory for %s", r->path);
    f->scene = more;
    struct scene *s = &more[f->scenes++];
    size_t shared = 0;
    unsigned line = *at < r->statements ? r->statement[*at].line : 1;
    *s = (struct scene){.title = ""};
    if (settings_init(&s->settings, r->e) < 0 ||
        apply_until_scene(r, s, &shared) < 0)
        return -1;
    if (*at < shared) {
        *at = shared; /* there are no scenes, or this would not be before it */
    } else if (*at < r->statements) {
        if (apply(r, s, &r->statement[(*at)++]) < 0 ||
            apply_until_scene(r, s, at) < 0)
            return -1;
    }
    if (s->settings.lab.commands[HOST_CLIENT] == 0)
        return err_set(r->e, STATUS_USAGE,
                       "%s: line %u: a run without a line 'client CMD'",
                       r->path, line);
    if (!s->settings.expects)
        return err_set(r->e, STATUS_USAGE,
                       "%s: line %u: a run without a line 'expect ...'",
                       r->path, line);
    return settings_finish(&s->settings, r->e) < 0 ? place(r, line) : 0;
}

static int read_scenes(struct reader *r)
{
    size_t at = 0;
    for (size_t i = 0; i < r->statements; i++)
        if (strcmp(r->statement[i].word, "option") == 0)
            r->statement[i].words = split(r->statement[i].rest);
    while (at < r->statements && !begins_scene(&r->statement[at]))
        at++;
    if (at == r->statements)
        at = 0; /* all is shared, by one scene */
    do {
        if (read_scene(r, &at) < 0)
            return -1;
    } while (at < r->statements);
    return 0;
}

static void take_name(struct labfile *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    size_t len = strlen(base);
    if (len > 4 && strcmp(base + len - 4, ".lab") == 0)
        len -= 4;
    snprintf(f->name, sizeof f->name, "%.*s", len < 63 ? (int)len : 63, base);
}

int labfile_read(struct labfile *f, const char *path, const char *student,
                 struct err *e)
{
    struct reader r = {.file = f, .path = path, .e = e};
    *f = (struct labfile){.scene = NULL};
    take_name(f, path);
    char *written = read_whole(path, e);
    if (written != NULL)
        f->text = vary_text(written, path, f->name, student, e);
    free(written);
    int good = f->text != NULL && cut(&r) == 0 ? read_scenes(&r) : -1;
    free(r.statement);
    if (good < 0)
        labfile_free(f);
    return good;
}

void labfile_free(struct labfile *f)
{
    for (size_t i = 0; i < f->scenes; i++) {
        settings_free(&f->scene[i].settings);
        free(f->scene[i].word);
    }
    free(f->scene);
    free(f->text);
    *f = (struct labfile){.scene = NULL};
}
