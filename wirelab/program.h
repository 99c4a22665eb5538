/* SPDX-License-Identifier: MIT
 *
 * program: one program on one of the hosts: how it is started, what it
 * prints, how it is killed. Any program: it runs by sh -c, with the directory
 * of this binary first in PATH.
 * Read next: host.h, calls.h; lab.h, which runs them.
 */
#ifndef WIRELAB_PROGRAM_H
#define WIRELAB_PROGRAM_H

#include "calls.h"
#include "err.h"
#include "event.h"
#include "host.h"
#include "loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A line that is longer is told in pieces. */
#define PROGRAM_LINE 4096

struct program;

/* What a program prints on one descriptor, cut into lines. */
struct program_output {
    struct program *program;
    int fd;     /* -1: closed */
    int stream; /* 1 stdout, 2 stderr */
    struct loop_watch *watch;
    size_t used;
    char line[PROGRAM_LINE + 1];
};

struct program {
    enum host_id host;
    const char *command;
    bool terminal; /* stdin is wirelab's, not /dev/null */
    pid_t pid;     /* 0: not started */
    bool ended;
    bool by_itself;    /* it was not the lab that ended it */
    int status;        /* of waitpid(2), once it has ended */
    uint64_t start_ns; /* the lab's: events count from it */
    event_sink_fn *sink;
    void *context;
    struct program_output out[2];
};

/* Starts P on its host; host, command and terminal are set, the rest zero.
 * Its lines become EVENT_OUTPUT. H NULL: it stays on this machine. C traces its
 * calls; NULL: it is not traced.
 * 0, or -1 and *e. */
int program_start(struct program *p, struct loop *loop, const struct hosts *h,
                  struct calls *c, uint64_t start_ns, event_sink_fn *sink,
                  void *context, struct err *e);

/* Is it started and not ended? */
bool program_runs(const struct program *p);

/* A signal to the program and to what it has started, as far as that stayed
 * in its process group. */
void program_kill(const struct program *p, int signum);

/* waitpid(2) said that it has ended: tells what it printed last, then
 * EVENT_EXIT. */
void program_ended(struct program *p, int status);

/* The exit status as a shell has it: 128 + n for signal n. */
int program_exit_status(const struct program *p);

/* Closes its descriptors. */
void program_close(struct program *p);

#endif
