/* SPDX-License-Identifier: MIT
 *
 * program: one program of the lab. See program.h for the contract.
 */
#include "program.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- what it prints ------------------------------------------------------ */

static void tell_line(struct program_output *o)
{
    struct program *p = o->program;
    struct event e = {.kind = EVENT_OUTPUT,
                      .host = p->host,
                      .t_ns = clock_real_ns() - p->start_ns,
                      .pid = p->pid};
    o->line[o->used] = '\0';
    o->used = 0;
    e.output.stream = o->stream;
    e.output.text = o->line;
    p->sink(&e, p->context);
}

static void close_output(struct program_output *o)
{
    loop_forget(o->watch);
    o->watch = NULL;
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
    if (o->used > 0)
        tell_line(o);
}

static void take_text(struct program_output *o, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n')
            o->line[o->used++] = text[i] != '\0' ? text[i] : '?';
        if (text[i] == '\n' || o->used == PROGRAM_LINE)
            tell_line(o);
    }
}

/* Takes in what one read gives: a program that prints without end must not
 * keep the loop from the wire. Returns false if there is nothing to read. */
static bool read_some(struct program_output *o)
{
    char buf[4096];
    ssize_t got;
    do
        got = read(o->fd, buf, sizeof buf);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got > 0)
        take_text(o, buf, (size_t)got);
    else
        close_output(o);
    return got > 0;
}

static void output_cb(void *output)
{
    read_some(output);
}

/* What a program has printed before its end is still in the pipe; what comes
 * behind that is from others, whom it has left behind. */
static void read_rest(struct program_output *o)
{
    int left = fcntl(o->fd, F_GETPIPE_SZ) / 4096 + 1;
    while (left-- > 0 && read_some(o))
        ;
}

/* --- its birth ----------------------------------------------------------- */

/* The directory of this binary comes first, so that tcp_server is ours. */
static void set_path(void)
{
    char self[4096], path[8192];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *old = getenv("PATH");
    if (len <= 0)
        return;
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(path, sizeof path, "%s:%s", self,
             old != NULL ? old : "/usr/local/bin:/usr/bin:/bin");
    setenv("PATH", path, 1);
}

/* Makes the caller's process group the terminal's own: the program's, which
 * its first read would stop otherwise (SIGTTIN), and afterwards ours again.
 * SIGTTOU, for asking, is ignored meanwhile. */
static void take_terminal(void)
{
    if (!isatty(STDIN_FILENO))
        return;
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, getpgrp());
    signal(SIGTTOU, SIG_DFL);
}

static void set_input(const struct program *p)
{
    setpgid(0, 0);
    if (p->terminal) {
        take_terminal();
        signal(SIGTSTP, SIG_IGN); /* no shell is here to wake it again */
        return;
    }
    int null = open("/dev/null", O_RDONLY);
    if (null > 0) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
}

static void set_signals(void)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
    sigset_t none;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        signal(ours[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Is the file WORD, or one of that name in PATH, a program? */
static bool is_program(const char *word)
{
    const char *path = getenv("PATH");
    char file[8192];
    if (strchr(word, '/') != NULL)
        return access(word, X_OK) == 0;
    while (path != NULL && *path != '\0') {
        int len = (int)strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", len, path, word);
        if (access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

/* A command of one program takes the shell's place, so that signals, exit
 * status and process number are its own. (Some shells do so by themselves.) */
static const char *exec_prefix(const char *command)
{
    char word[256];
    size_t len = strcspn(command, " \t");
    if (strpbrk(command, ";|&(){}\n") != NULL || len >= sizeof word ||
        memchr(command, '=', len) != NULL)
        return "";
    memcpy(word, command, len);
    word[len] = '\0';
    return is_program(word) ? "exec " : "";
}

static void run_shell(const char *command)
{
    char *line;
    if (asprintf(&line, "%s%s", exec_prefix(command), command) >= 0)
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
}

/* In the child; what goes wrong is said where the program's own words go. */
static _Noreturn void become(const struct program *p, const struct hosts *h,
                             const struct calls *c, const int out[2])
{
    struct err e;
    set_signals();
    set_input(p);
    dup2(out[0], STDOUT_FILENO);
    dup2(out[1], STDERR_FILENO);
    set_path();
    setenv("PYTHONUNBUFFERED", "1", 0); /* lines when they are printed */
    if ((h == NULL || hosts_enter(h, p->host, &e) == 0) &&
        calls_filter(c, &e) == 0) {
        run_shell(p->command);
        err_sys(&e, "/bin/sh");
    }
    dprintf(STDERR_FILENO, "wirelab: %s\n", e.text);
    _exit(126);
}

static int watch_output(struct program *p, struct loop *loop, int i, int fd,
                        struct err *e)
{
    struct program_output *o = &p->out[i];
    *o = (struct program_output){.program = p, .fd = fd, .stream = i + 1};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    o->watch = loop_readable(loop, fd, output_cb, o, e);
    return o->watch == NULL ? -1 : 0;
}

static void close_pair(const int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

/* As calls_fork. A signal to the child waits until set_signals: our handlers,
 * which it has until then, would tell it to our own loop. */
static pid_t fork_deaf(const struct program *p, struct calls *c, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = calls_fork(c, p->host, e);
    if (pid != 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

int program_start(struct program *p, struct loop *loop, const struct hosts *h,
                  struct calls *c, uint64_t start_ns, event_sink_fn *sink,
                  void *context, struct err *e)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    p->start_ns = start_ns;
    p->sink = sink;
    p->context = context;
    p->out[0].fd = p->out[1].fd = -1;
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
        err_sys(e, "pipe for what %s prints", p->command);
        goto fail;
    }
    fflush(NULL);
    pid_t pid = fork_deaf(p, c, e);
    if (pid < 0)
        goto fail;
    if (pid == 0)
        become(p, h, c, (int[]){out[1], err[1]});
    setpgid(pid, pid); /* both do it: whoever comes first */
    p->pid = pid;
    close(out[1]);
    close(err[1]);
    if (watch_output(p, loop, 0, out[0], e) < 0 ||
        watch_output(p, loop, 1, err[0], e) < 0)
        return -1;
    return 0;
fail:
    close_pair(out);
    close_pair(err);
    return -1;
}

/* --- its life and end ---------------------------------------------------- */

bool program_runs(const struct program *p)
{
    return p->pid > 0 && !p->ended;
}

void program_kill(const struct program *p, int signum)
{
    if (program_runs(p))
        kill(-p->pid, signum);
}

void program_ended(struct program *p, int status)
{
    p->ended = true;
    p->status = status;
    if (p->terminal)
        take_terminal();
    for (int i = 0; i < 2; i++)
        if (p->out[i].fd >= 0)
            read_rest(&p->out[i]);
    struct event e = {.kind = EVENT_EXIT,
                      .host = p->host,
                      .t_ns = clock_real_ns() - p->start_ns,
                      .pid = p->pid};
    e.exit.status = status;
    e.exit.command = p->command;
    p->sink(&e, p->context);
}

int program_exit_status(const struct program *p)
{
    return WIFSIGNALED(p->status) ? 128 + WTERMSIG(p->status)
                                  : WEXITSTATUS(p->status);
}

void program_close(struct program *p)
{
    if (p->pid == 0)
        return;
    if (p->terminal && !p->ended)
        take_terminal();
    for (int i = 0; i < 2; i++)
        close_output(&p->out[i]);
}
