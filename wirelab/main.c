/* SPDX-License-Identifier: MIT
 *
 * wirelab: two hosts, the wire between them, and a picture of what happens.
 *
 *     wirelab --server 'tcp_server server 9000' \
 *             --client 'tcp_client --ask hello server 9000'
 *
 * Read next: lab.h, how a run goes; show.h, who watches it.
 */
#include "doctor.h"
#include "lab.h"
#include "out.h"
#include "settings.h"
#include "show.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int run(const struct settings *s, struct out *out, int argc, char **argv)
{
    struct err e;
    struct lab_result result;
    struct show *show = show_open(s, out, argc, argv, &e);
    if (show == NULL) {
        out_error(out, &e);
        return e.status;
    }
    struct lab_view view = show_view(show);
    int failed = lab_run(&s->lab, &view, &result, &e);
    int status = failed < 0           ? (int)e.status
                 : result.signal != 0 ? 128 + result.signal
                                      : result.status;
    status = show_close(show, &result, status);
    if (failed < 0)
        out_error(out, &e);
    return status;
}

/* A word instead of options; what it does with the words behind it. */
typedef int command_fn(struct settings *s, int argc, char **argv,
                       struct err *e);

/* wirelab demo [tcp|udp] */
static int read_demo(struct settings *s, int argc, char **argv, struct err *e)
{
    if (argc == 0)
        return 0;
    if (strcmp(argv[0], "tcp") != 0 && strcmp(argv[0], "udp") != 0)
        return err_set(e, STATUS_USAGE, "demo '%.64s': either tcp or udp",
                       argv[0]);
    s->demo = argv[0];
    return 0;
}

static int read_doctor(struct settings *s, int argc, char **argv, struct err *e)
{
    (void)argv;
    if (argc > 0 || s->json || s->record != NULL || s->expects)
        return err_set(e, STATUS_USAGE, "doctor stands alone");
    s->doctor = true;
    return 0;
}

static int read_operands(struct settings *s, int argc, char **argv,
                         struct err *e)
{
    static const struct {
        const char *name;
        command_fn *read;
    } commands[] = {{"demo", read_demo}, {"doctor", read_doctor}};
    if (argc == 0)
        return 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].read(s, argc - 1, argv + 1, e);
    err_set(e, STATUS_USAGE, "'%.64s': not a command", argv[0]);
    return err_advise(e, "a program to run goes after --server or --client; "
                         "see wirelab --help");
}

int main(int argc, char **argv)
{
    struct settings s;
    struct out out;
    struct err e;
    int first, status = 0;
    signal(SIGPIPE, SIG_IGN);
    out_init(&out, "wirelab", false, false);
    bool good = settings_init(&s, &e) == 0 &&
                settings_parse(&s, argc, argv, &first, &e) == 0;
    out.json = s.json;
    if (good && s.help)
        settings_help(&s, stdout);
    else if (good && s.version)
        puts("wirelab (Wirelab) " WIRELAB_VERSION);
    else if (good && read_operands(&s, argc - first, argv + first, &e) == 0 &&
             settings_finish(&s, &e) == 0)
        status = s.doctor ? doctor_run(&s) : run(&s, &out, argc, argv);
    else {
        out_error(&out, &e);
        status = (int)e.status;
    }
    settings_free(&s);
    if (out_check(&out, &e) < 0 && status == 0) {
        out_error(&out, &e);
        status = (int)e.status;
    }
    return status;
}
