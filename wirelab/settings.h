/* SPDX-License-Identifier: MIT
 *
 * settings: what wirelab's command line asks for.
 * Read next: lab.h (what is run), show.h (what is shown of it).
 */
#ifndef WIRELAB_SETTINGS_H
#define WIRELAB_SETTINGS_H

#include "err.h"
#include "expect.h"
#include "fault.h"
#include "lab.h"
#include "ladder.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Which conversation of a capture: from 1, or one of these. */
#define FLOW_NONE 0
#define FLOW_ALL UINT64_MAX

/* What a picture is of. */
struct subject {
    struct addr host[HOST_COUNT]; /* len 0: not known */
    char wire[64];    /* what the wire's column is called; "": by its delay */
    char source[256]; /* a line above the picture, or "" */
    char kernel[128]; /* under which it happened; "": this machine's */
    bool several;     /* conversations, of which some go on at once */
    bool one_clock;   /* all times are of the host CLOCK */
    enum host_id clock;
};

struct settings {
    struct lab_options lab;
    struct fault *fault;
    uint64_t mtu;
    const char *demo;       /* without programs: "tcp", "udp", or "both" */
    const char *view;       /* a file to show, instead; or NULL */
    const char *view_other; /* the other capture of the same run, or NULL */
    uint64_t flow;          /* of that file */
    struct subject subject;

    unsigned lanes; /* LANE_* */
    bool has_only;
    enum section only;
    bool relative, absolute, explain, utf8, list, step, layers;
    bool json, quiet;
    const char *svg, *png; /* NULL: none */
    const char *record;
    const char *pcap; /* prefix of the captures; NULL: none */
    struct expect *expect;
    bool expects; /* something is expected */
    bool help, version;
};

/* The defaults. 0, or -1 and *e. */
int settings_init(struct settings *s, struct err *e);
void settings_free(struct settings *s);

/* Reads argv; *first is the first operand. If that is "view", options of a run
 * are refused. 0, or -1 and *e (STATUS_USAGE). */
int settings_parse(struct settings *s, int argc, char **argv, int *first,
                   struct err *e);

/* After all is read: fills in the demo if no program was given, and what
 * follows from other options. 0, or -1 and *e (STATUS_USAGE). */
int settings_finish(struct settings *s, struct err *e);

/* Its programs are those of the demo of PROTOCOL, "tcp" or "udp". */
void settings_demo(struct settings *s, const char *protocol);

/* --help. */
void settings_help(struct settings *s, FILE *to);

#endif
