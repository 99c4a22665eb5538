/* SPDX-License-Identifier: MIT
 *
 * wirelab: two hosts, the wire between them, and a picture of what happens.
 *
 *     wirelab --server 'tcp_server server 9000' \
 *             --client 'tcp_client --ask hello server 9000'
 *
 * Read next: lab.h, how a run goes; show.h, who watches it.
 */
#include "check.h"
#include "demo.h"
#include "doctor.h"
#include "lang.h"
#include "layers.h"
#include "opt.h"
#include "out.h"
#include "reader.h"
#include "settings.h"
#include "show.h"
#include "text.h"
#include "view.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What main calls on; the words behind the first are ARGV. */
struct wirelab {
    struct settings s;
    struct out out;
    int argc; /* of main, for the record */
    char **argv;
};

static int fail(const struct wirelab *p, const struct err *e)
{
    out_error(&p->out, e);
    if (e->status == STATUS_USAGE)
        out_say(&p->out, "try 'wirelab --help'");
    return (int)e->status;
}

/* Shows what the lab does; or, if V is not NULL, what a file tells. */
static int show(struct wirelab *p, struct view *v)
{
    return show_run(&p->s, v, NULL, &p->out, p->argc, p->argv);
}

static int run_lab(struct wirelab *p)
{
    struct err e;
    if (settings_finish(&p->s, &e) < 0)
        return fail(p, &e);
    if (p->s.lab.commands[HOST_CLIENT] == 0)
        out_say(&p->out, "no --client, so nobody calls the server; Ctrl-C ends "
                         "it, or --limit");
    return show(p, NULL);
}

/* wirelab demo [tcp|udp] */
static int run_demo(struct wirelab *p, int argc, char **argv)
{
    struct err e;
    const struct lab_options *lab = &p->s.lab;
    p->s.demo = argc > 0 ? argv[0] : "both";
    if (argc > 1 || (argc == 1 && strcmp(p->s.demo, "tcp") != 0 &&
                     strcmp(p->s.demo, "udp") != 0))
        err_set(&e, STATUS_USAGE, "demo '%.64s': either tcp or udp",
                argv[argc - 1]);
    else if (lab->commands[HOST_CLIENT] + lab->commands[HOST_SERVER] > 0)
        err_set(&e, STATUS_USAGE, "demo has programs of its own");
    else if (argc == 1)
        return run_lab(p);
    else if (settings_finish(&p->s, &e) == 0)
        return demo_both(&p->s, &p->out, p->argc, p->argv);
    return fail(p, &e);
}

/* wirelab doctor */
static int run_doctor(struct wirelab *p, int argc, char **argv)
{
    struct err e;
    (void)argv;
    if (settings_finish(&p->s, &e) < 0)
        return fail(p, &e);
    if (argc == 0 && !p->s.json && p->s.record == NULL && !p->s.expects)
        return doctor_run(&p->s);
    err_set(&e, STATUS_USAGE, "doctor stands alone");
    return fail(p, &e);
}

/* wirelab view FILE [FILE] */
static int run_view(struct wirelab *p, int argc, char **argv)
{
    struct err e;
    struct view *v = NULL;
    int status = 0;
    p->s.view = argv[0]; /* NULL if there is none */
    p->s.view_other = argc > 1 ? argv[1] : NULL;
    if (argc < 1 || argc > 2)
        err_set(&e, STATUS_USAGE,
                "view: of one file, or of both captures of a run");
    else if (settings_finish(&p->s, &e) == 0)
        v = view_open(&p->s, &e);
    if (v == NULL)
        return fail(p, &e);
    if (view_must_choose(v))
        view_list(v, stdout);
    else
        status = show(p, v);
    view_close(v);
    return status;
}

/* wirelab [--lang NAME] layers */
static int run_layers(struct wirelab *p, int argc, char **argv)
{
    static const struct opt table[] = {
        {.name = "lang", .metavar = "NAME", .read = opt_lang}, OPT_END};
    struct err e;
    (void)argv;
    if (argc == 0 && opt_parse(table, p->argc, p->argv, &e) >= 0) {
        layers_book(text_to_stream, stdout);
        return 0;
    }
    err_set(&e, STATUS_USAGE, "layers stands alone; --layers is for a run");
    return fail(p, &e);
}

/* wirelab OPTION... check: the options of check are not those of a run. */
static int refuse_check(struct wirelab *p, int argc, char **argv)
{
    struct err e;
    (void)argc, (void)argv;
    err_set(&e, STATUS_USAGE, "the options of check stand behind it");
    return fail(p, &e);
}

static const struct command {
    const char *name;
    int (*run)(struct wirelab *p, int argc, char **argv);
} commands[] = {{"check", refuse_check},
                {"demo", run_demo},
                {"doctor", run_doctor},
                {"layers", run_layers},
                {"view", run_view}};

static int run_command(struct wirelab *p, int argc, char **argv)
{
    struct err e;
    if (argc == 0)
        return run_lab(p);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(p, argc - 1, argv + 1);
    err_set(&e, STATUS_USAGE,
            "'%.64s': not a command (demo, view, check, layers, doctor)",
            argv[0]);
    err_advise(&e, "a program to run goes after --server or --client, in "
                   "quotes: --server 'tcp_server server 9000'");
    return fail(p, &e);
}

/* check has options of its own, but --lang may stand before it, as before any
 * other command: it is moved behind "check", which knows it too. */
static bool is_check(int argc, char **argv)
{
    int at = 1;
    while (at < argc && strncmp(argv[at], "--lang", 6) == 0)
        at += argv[at][6] == '=' ? 1 : 2;
    if (at >= argc || strcmp(argv[at], "check") != 0)
        return false;
    char *word = argv[at];
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof *argv);
    argv[1] = word;
    return true;
}

int main(int argc, char **argv)
{
    struct wirelab p = {.argc = argc, .argv = argv};
    struct err e;
    int first, status = 0;
    out_fill_standard();
    signal(SIGPIPE, SIG_IGN);
    lang_start();
    if (is_check(argc, argv))
        return check_main(argc - 1, argv + 1);
    out_init(&p.out, "wirelab", false, false);
    if (settings_init(&p.s, &e) < 0 ||
        settings_parse(&p.s, argc, argv, &first, &e) < 0)
        status = fail(&p, &e);
    else if (p.s.help)
        settings_help(&p.s, stdout);
    else if (p.s.version)
        printf(_("%s (Wirelab) %s\nLicense MIT. There is no warranty.\n"),
               "wirelab", WIRELAB_VERSION);
    else {
        p.out.json = p.s.json;
        status = run_command(&p, argc - first, argv + first);
    }
    settings_free(&p.s);
    return reader_end(&p.out, status);
}
