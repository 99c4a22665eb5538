/* SPDX-License-Identifier: MIT
 *
 * demo: both protocols. See demo.h for the contract.
 *
 * A process runs a lab once, for it changes namespaces; so the first run has a
 * child of its own, and what is kept of it lies in memory that both see.
 */
#include "demo.h"

#include "lang.h"
#include "reader.h"
#include "show.h"
#include "svg.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct demo {
    struct settings *s;
    struct out *out;
    int argc;
    char **argv;
    struct svg *svg;              /* or NULL */
    struct ladder_totals *totals; /* of TCP; shared */
};

static int run(struct demo *d, const char *protocol,
               const struct show_pair *pair)
{
    char caption[ROW_TEXT];
    settings_demo(d->s, protocol);
    for (int host = HOST_COUNT - 1; host >= 0 && !d->s->quiet; host--) {
        show_caption(d->s, (enum host_id)host, caption, sizeof caption);
        puts(caption);
    }
    return show_run(d->s, NULL, pair, d->out, d->argc, d->argv);
}

static int in_child(struct demo *d, const char *protocol,
                    const struct show_pair *pair)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return reader_end(d->out, run(d, protocol, pair));
}

/* Ctrl-C is for the child, which then writes its summary. */
static int run_apart(struct demo *d, const char *protocol,
                     const struct show_pair *pair)
{
    int status;
    struct err e;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_child(d, protocol, pair));
    if (pid < 0) {
        err_sys(&e, "fork");
        out_error(d->out, &e);
        return (int)e.status;
    }
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    waitpid(pid, &status, 0); /* cannot fail: it is ours, and not reaped yet */
    signal(SIGINT, before);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What the reader wants to see next: '\n', 's', or 'q' for nothing more. */
static int ask(void)
{
    char line[64];
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return '\n';
    fputs(
        _("Enter: the same over UDP   s: again, one row at a time   q: quit "),
        stdout);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return 'q';
    return line[0] == 's' || line[0] == 'q' ? line[0] : '\n';
}

/* True if the reader went on to UDP. */
static bool go_on(struct demo *d)
{
    const struct show_pair apart = {NULL, NULL, NULL};
    bool step = d->s->step;
    int next;
    while (!d->s->quiet && (next = ask()) != '\n') {
        if (next == 'q')
            return false;
        d->s->step = true;
        run_apart(d, "tcp", &apart);
        d->s->step = step;
    }
    return true;
}

static int run_both(struct demo *d)
{
    const struct show_pair tcp = {d->svg, NULL, d->totals};
    const struct show_pair udp = {d->svg, d->totals, NULL};
    int status = run_apart(d, "tcp", &tcp);
    if (status != 0 || !go_on(d))
        return status;
    if (!d->s->quiet)
        putchar('\n');
    return run(d, "udp", &udp);
}

int demo_both(struct settings *s, struct out *out, int argc, char **argv)
{
    struct err e;
    struct demo d = {.s = s, .out = out, .argc = argc, .argv = argv};
    int status = 0;
    if ((s->svg != NULL || s->png != NULL) &&
        (d.svg = svg_begin(s->svg, s->png, &e)) == NULL)
        goto fail;
    d.totals = mmap(NULL, sizeof *d.totals, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (d.totals == MAP_FAILED) {
        err_sys(&e, "memory for the demo");
        svg_discard(d.svg);
        goto fail;
    }
    status = run_both(&d);
    munmap(d.totals, sizeof *d.totals);
    if (d.svg == NULL || svg_end(d.svg, &e) == 0)
        return status;
fail:
    out_error(out, &e);
    return status != 0 ? status : (int)e.status;
}
