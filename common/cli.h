/* SPDX-License-Identifier: MIT
 *
 * cli: how every program begins and ends, so that each main shows only what
 * its program does: options, --help, --version, -v and --explain, the `start`
 * event, errors and the exit status.
 * Sources: GNU coding standards, section 4.8 (command line interfaces).
 */
#ifndef WIRELAB_CLI_H
#define WIRELAB_CLI_H

#include "err.h"
#include "opt.h"
#include "out.h"

#include <stdbool.h>

struct cli {
    const char *program;  /* "tcp_server" */
    const char *operands; /* for --help: "[ADDR] PORT" */
    const char *summary;  /* for --help: one sentence */
    struct opt_common common;
    struct out out;
    int argc; /* the operands, after cli_begin */
    char **argv;
};

/* Reads the command line by TABLE, answers --help and --version, sets up
 * c->out, the stop signals and the observer of -v and --explain. Returns true
 * if the program goes on; else it ends with *status. */
bool cli_begin(struct cli *c, const struct opt *table, int argc, char **argv,
               int *status);

/* The `start` event of --json: program, version, arguments, kernel, congestion
 * control, and every option of TABLE with its value. */
void cli_start(struct cli *c, const struct opt *table, char **argv);

/* Prints *e and returns its status; points to --help after a usage error. */
int cli_fail(struct cli *c, const struct err *e);

/* A usage error of the program's own: prints and returns STATUS_USAGE. */
int cli_usage(struct cli *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The family that -4 and -6 leave: AF_INET, AF_INET6 or AF_UNSPEC. */
int cli_family(const struct cli *c);

/* The last line of a main: STATUS; or, where all else went well but stdout
 * lost something, STATUS_FAILED, and that is said. */
int cli_end(struct cli *c, int status);

#endif
